//! Integer rows times an integer matrix, column by column over a block of rows; few rows one by one.

use super::{BLOCK, LEAST_MANY};
use alloc::vec::Vec;
use ir::fixed::{Requantize, clamp_i32};

/// Outputs whose sums are held at once.
const OUTPUTS: usize = 4;

/// A `QGemm` node.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    /// `[inner, width]`.
    pub(crate) weights: Vec<i16>,
    pub(crate) bias: Vec<i32>,
    pub(crate) pairs: Vec<Requantize>,
}

impl Product {
    /// Scores `[n_rows, width]` of the first rows of a block: `cells` is `[inner, stride]`, `n_rows` at most
    /// [`BLOCK`].
    pub(crate) fn scores_into(&self, cells: &[i16], stride: usize, scores: &mut [i32]) {
        let width = self.bias.len();
        let n = (scores.len() / width).min(BLOCK);
        if n < LEAST_MANY {
            for (row, scores) in scores.chunks_exact_mut(width).enumerate() {
                self.row_into(cells, stride, row, scores);
            }
            return;
        }
        let mut sums = [[0i32; BLOCK]; OUTPUTS];
        for first in (0..width).step_by(OUTPUTS) {
            let outputs = first..width.min(first + OUTPUTS);
            for (sums, &bias) in sums.iter_mut().zip(&self.bias[outputs.clone()]) {
                sums[..n].fill(bias);
            }
            let columns = cells.chunks_exact(stride.max(1));
            for (column, weights) in columns.zip(self.weights.chunks_exact(width)) {
                for (sums, &w) in sums.iter_mut().zip(&weights[outputs.clone()]) {
                    for (sum, &x) in sums[..n].iter_mut().zip(&column[..n]) {
                        *sum += i32::from(x) * i32::from(w);
                    }
                }
            }
            for ((output, sums), pair) in outputs.clone().zip(&sums).zip(&self.pairs[outputs]) {
                for (scores, &sum) in scores.chunks_exact_mut(width).zip(sums) {
                    scores[output] = clamp_i32(pair.apply(sum.into()));
                }
            }
        }
    }

    /// Scores of one row of `cells`.
    fn row_into(&self, cells: &[i16], stride: usize, row: usize, scores: &mut [i32]) {
        let width = self.bias.len();
        scores.copy_from_slice(&self.bias);
        let cells = cells.iter().skip(row).step_by(stride.max(1));
        if let ([score], [pair]) = (&mut *scores, &self.pairs[..]) {
            let products = cells.zip(&self.weights).map(|(&x, &w)| i32::from(x) * i32::from(w));
            let sum = products.fold(*score, |sum, product| sum + product);
            *score = clamp_i32(pair.apply(sum.into()));
            return;
        }
        for (&x, weights) in cells.zip(self.weights.chunks_exact(width)) {
            for (sum, &w) in scores.iter_mut().zip(weights) {
                *sum += i32::from(x) * i32::from(w);
            }
        }
        for (score, pair) in scores.iter_mut().zip(&self.pairs) {
            *score = clamp_i32(pair.apply((*score).into()));
        }
    }
}
