//! Weighted similarities to known rows.

use super::BLOCK;
use super::distances::{Distances, Known};
use crate::cost::{Counts, Operation};
use alloc::vec;
use alloc::vec::Vec;
use ir::fixed::Requantize;
use ir::op::{RbfParts, RbfSums};

/// Sums that are held at once, of all rows together.
const HELD: usize = 1 << 16;

/// Largest step with which a narrow distance is interpolated in 64 bits.
const MAX_STEP: u8 = 30;

/// A `RbfSums` node.
#[derive(Clone, Debug)]
pub(crate) struct Similarities {
    pub(crate) op: RbfSums,
    pub(crate) known: Known,
    /// `[n_known, width]`.
    pub(crate) coefficients: Vec<i16>,
    pub(crate) table: Vec<i32>,
    pub(crate) pairs: Vec<Requantize>,
    pub(crate) start: Vec<i32>,
}

impl Similarities {
    pub(crate) fn count(&self, counts: &mut Counts) {
        self.known.count(counts);
        counts.add(Operation::Similarity, self.coefficients.len());
    }

    /// Scores `[n_rows, width]` of the first rows of a block: `cells` is `[columns, stride]`.
    pub(crate) fn scores_into(&self, cells: &[i16], stride: usize, scores: &mut [i32]) {
        let width = self.start.len();
        let n_rows = scores.len() / width;
        let group = (HELD / width).clamp(1, BLOCK);
        let mut sums = vec![0i64; group.min(n_rows) * width];
        let parts = RbfParts {
            vectors: &[],
            coefficients: &self.coefficients,
            table: &self.table,
            pairs: &self.pairs,
            start: &self.start,
        };
        for (first, scores) in (0..n_rows).step_by(group).zip(scores.chunks_mut(group * width)) {
            sums.fill(0);
            let rows = first..first + scores.len() / width;
            self.known.each(cells, stride, rows, |row, first, distances| {
                let sums = &mut sums[row * width..][..width];
                let coefficients = &self.coefficients[first * width..];
                match distances {
                    Distances::Narrow(d) if self.op.step <= MAX_STEP => {
                        self.add(d.iter().map(|&d| self.narrow(d)), coefficients, sums);
                    }
                    Distances::Narrow(d) => {
                        let similarities = d.iter().map(|&d| self.op.similarity(d.into(), &self.table));
                        self.add(similarities, coefficients, sums);
                    }
                    Distances::Wide(d) => {
                        let similarities = d.iter().map(|&d| self.op.similarity(d, &self.table));
                        self.add(similarities, coefficients, sums);
                    }
                }
            });
            for (sums, out) in sums.chunks_exact(width).zip(scores.chunks_exact_mut(width)) {
                parts.finish(sums, out);
            }
        }
    }

    #[inline]
    fn add(&self, similarities: impl Iterator<Item = i32>, coefficients: &[i16], sums: &mut [i64]) {
        if let [sum] = sums {
            for (similarity, &c) in similarities.zip(coefficients) {
                *sum += i64::from(similarity) * i64::from(c);
            }
            return;
        }
        for (similarity, c) in similarities.zip(coefficients.chunks_exact(sums.len())) {
            let products = c.iter().map(|&c| i64::from(similarity) * i64::from(c));
            sums.iter_mut().zip(products).for_each(|(sum, product)| *sum += product);
        }
    }

    /// [`RbfSums::similarity`] of a distance of 31 bits.
    #[inline]
    fn narrow(&self, distance: i32) -> i32 {
        let step = u32::from(self.op.step);
        let at = (distance >> step) as usize;
        let Some(&here) = self.table.get(at) else { return 0 };
        let next = self.table.get(at + 1).copied().unwrap_or(0);
        let part = distance & ((1 << step) - 1);
        here - ((i64::from(here - next) * i64::from(part)) >> step) as i32
    }
}
