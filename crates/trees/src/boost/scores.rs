//! Where the leaves of new trees add up: on the deployed grid, or in real numbers.
//!
//! Boosting is one loop over either. [`OnGrid`] is what is deployed: gradients of few bits, leaves rounded
//! before the next round sees them. [`Real`] is the same recipe without rounding, to see what it costs.

use super::grid::{finest_shift, rounded};
use crate::grow::{Grown, RowLists};
use crate::packed::{Gradient, Packed};
use ir::fixed::{power_of_two as pow2, round_i64};
use ir::forest::Tree;
use jobs::Threads;

/// What scores start from.
pub(super) struct Start {
    pub(super) n_rows: usize,
    /// Real scores before any tree, one an output.
    pub(super) initial: Vec<f64>,
    /// True where a score is the predicted number itself, on any grid and with an offset.
    pub(super) is_linear: bool,
    pub(super) leaf_bits: u32,
}

/// A tree that was grown, with the real values of its leaves.
pub(super) struct NewTree {
    pub(super) grown: Grown,
    /// The rows by leaf.
    pub(super) lists: RowLists,
    /// `[n_leaves, width]`.
    pub(super) leaves: Vec<f64>,
    pub(super) width: usize,
    pub(super) first_output: usize,
}

impl NewTree {
    /// Adds what the leaves became to sums `[n_rows, n_outputs]`.
    fn add_to<T: Copy>(&self, sums: &mut [T], n_outputs: usize, leaves: &[T], plus: impl Fn(T, T) -> T) {
        for (leaf, values) in self.grown.leaves.iter().zip(leaves.chunks_exact(self.width)) {
            let train = &self.lists.train[leaf.train.clone()];
            let others = &self.lists.others[leaf.others.clone()];
            for &row in train.iter().chain(others) {
                let start = row as usize * n_outputs + self.first_output;
                for (sum, &value) in sums[start..start + self.width].iter_mut().zip(values) {
                    *sum = plus(*sum, value);
                }
            }
        }
    }
}

/// Scores of all rows while a forest is boosted.
pub(super) trait Scores: Sync {
    /// A score as it is handed out.
    type Score;

    fn new(start: Start) -> Self;

    /// Gradients `[n_rows, width]` as trees take them.
    fn pack(gradients: &[Gradient], width: usize, key: u64, threads: &Threads) -> Packed;

    /// Real score of a row and output.
    fn real(&self, row: usize, k: usize) -> f64;

    /// Adds a tree; false if it changes nothing.
    fn add(&mut self, tree: NewTree) -> bool;

    /// Scores of these rows, `[n, n_outputs]`.
    fn of_rows(&self, rows: &[u32]) -> Vec<Self::Score>;
}

/// Integer scores and the trees that they are sums of.
pub(super) struct OnGrid {
    /// Sums of leaves, `[n_rows, n_outputs]`, without the initial scores.
    sums: Vec<i32>,
    /// Real scores before any tree; those on the grid once there is one.
    initial: Vec<f64>,
    is_linear: bool,
    leaf_bits: u32,
    /// Known once the first tree has shown how large leaves are; 1 before.
    grid: f64,
    pub(super) shift: i16,
    pub(super) offset: i64,
    pub(super) initial_scores: Vec<i32>,
    pub(super) trees: Vec<Tree>,
}

impl OnGrid {
    /// Chooses the grid for the leaves of the first tree, puts the starting scores on it, and continues from
    /// the rounded ones.
    fn place(&mut self, leaves: &[f64]) {
        let largest = leaves.iter().fold(0.0f64, |m, w| m.max(w.abs()));
        let mut shift = finest_shift(largest, self.leaf_bits, self.is_linear);
        // The starting score of a regression must stay whole in a double.
        let start = self.initial.iter().fold(f64::MIN_POSITIVE, |m, s| m.max(s.abs()));
        while start * pow2(i32::from(shift)) > pow2(50) {
            shift -= 1;
        }
        self.shift = shift;
        self.grid = pow2(-i32::from(shift));
        for (k, real) in self.initial.iter_mut().enumerate() {
            let rounded = round_i64(*real / self.grid);
            if self.is_linear {
                self.offset = rounded;
            } else {
                // Log odds are below 50 and the grid is at least 2^-20, so this fits easily.
                self.initial_scores[k] = rounded as i32;
            }
            *real = rounded as f64 * self.grid;
        }
    }
}

impl Scores for OnGrid {
    type Score = i32;

    fn new(start: Start) -> OnGrid {
        let Start { n_rows, initial, is_linear, leaf_bits } = start;
        let width = initial.len();
        OnGrid {
            sums: vec![0; n_rows * width],
            initial,
            is_linear,
            leaf_bits,
            grid: 1.0,
            shift: 0,
            offset: 0,
            initial_scores: vec![0; width],
            trees: Vec::new(),
        }
    }

    fn pack(gradients: &[Gradient], width: usize, key: u64, threads: &Threads) -> Packed {
        Packed::new(gradients, width, key, threads)
    }

    #[inline]
    fn real(&self, row: usize, k: usize) -> f64 {
        f64::from(self.sums[row * self.initial.len() + k]) * self.grid + self.initial[k]
    }

    fn add(&mut self, tree: NewTree) -> bool {
        if self.trees.is_empty() {
            self.place(&tree.leaves);
        }
        let leaves = rounded(&tree.leaves, self.grid, self.leaf_bits, self.trees.len());
        let any = leaves.iter().any(|&q| q != 0);
        tree.add_to(&mut self.sums, self.initial.len(), &leaves, i32::saturating_add);
        self.trees.push(Tree {
            first_output: tree.first_output as u32,
            width: tree.width as u32,
            splits: tree.grown.splits,
            leaves,
        });
        any
    }

    fn of_rows(&self, rows: &[u32]) -> Vec<i32> {
        let width = self.initial.len();
        let mut out = Vec::with_capacity(rows.len() * width);
        for &row in rows {
            let start = row as usize * width;
            let scores = self.sums[start..start + width].iter().zip(&self.initial_scores);
            out.extend(scores.map(|(s, i)| s.saturating_add(*i)));
        }
        out
    }
}

/// Scores that are never rounded; trees are not kept.
pub(super) struct Real {
    /// `[n_rows, n_outputs]`.
    sums: Vec<f64>,
    n_outputs: usize,
}

impl Scores for Real {
    type Score = f64;

    fn new(start: Start) -> Real {
        Real { n_outputs: start.initial.len(), sums: start.initial.repeat(start.n_rows) }
    }

    fn pack(gradients: &[Gradient], width: usize, _: u64, threads: &Threads) -> Packed {
        Packed::wide(gradients, width, threads)
    }

    #[inline]
    fn real(&self, row: usize, k: usize) -> f64 {
        self.sums[row * self.n_outputs + k]
    }

    fn add(&mut self, tree: NewTree) -> bool {
        tree.add_to(&mut self.sums, self.n_outputs, &tree.leaves, |sum, leaf| sum + leaf);
        tree.leaves.iter().any(|&w| w != 0.0)
    }

    fn of_rows(&self, rows: &[u32]) -> Vec<f64> {
        let of = |&row: &u32| &self.sums[row as usize * self.n_outputs..][..self.n_outputs];
        rows.iter().flat_map(of).copied().collect()
    }
}
