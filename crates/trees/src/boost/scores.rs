//! Where the leaves of new trees add up: on the deployed grid, or in real numbers.
//!
//! Boosting is one loop over either. [`OnGrid`] is what is deployed: gradients of few bits, leaves rounded
//! before the next round sees them. [`Real`] is the same recipe without rounding, to see what it costs.

use super::grid::{finest_shift, rounded};
use super::onto::{Before, Onto};
use crate::grow::{Grown, RowLists};
use crate::packed::{Gradient, Packed};
use ir::fixed::{power_of_two as pow2, round_i64};
use ir::forest::Tree;
use jobs::Threads;

/// What scores start from.
pub(super) struct Start {
    pub(super) n_rows: usize,
    /// Real scores before any tree, one an output; what is added to the scores gone on from, if there are some.
    pub(super) initial: Vec<f64>,
    /// True where a score is the predicted number itself, on any grid and with an offset.
    pub(super) is_linear: bool,
    pub(super) leaf_bits: u32,
    /// Scores that are gone on from.
    pub(super) before: Option<Before>,
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
    /// Real scores that are added to the integers: those before any tree, once there is one what of them the integers
    /// do not hold.
    initial: Vec<f64>,
    is_linear: bool,
    leaf_bits: u32,
    /// What the trees are added to.
    before: Option<Before>,
    /// How they are.
    pub(super) onto: Option<Onto>,
    /// Grid of the leaves, known once the first tree has shown how large they are; 1 before.
    grid: f64,
    /// Grid of the sum of both, that of the leaves where there is nothing before the trees.
    unit: f64,
    pub(super) shift: i16,
    /// Of numbers, one an output.
    pub(super) offsets: Vec<i64>,
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
        let is_whole = |shift: i16| start * pow2(i32::from(shift)) <= pow2(50);
        while !is_whole(shift) {
            shift -= 1;
        }
        self.shift = shift;
        if let Some(before) = &mut self.before {
            let grids = before.place(shift, self.is_linear, is_whole);
            (shift, self.shift, self.onto) = (grids.trees, grids.sum, Some(grids.onto));
        }
        (self.grid, self.unit) = (pow2(-i32::from(shift)), pow2(-i32::from(self.shift)));
        for (k, real) in self.initial.iter_mut().enumerate() {
            if self.is_linear {
                self.offsets[k] = round_i64(*real / self.unit);
                *real = self.offsets[k] as f64 * self.unit;
            } else {
                // Log odds are below 50 and the grid is at least 2^-20, so this fits easily.
                let rounded = round_i64(*real / self.grid);
                self.initial_scores[k] = rounded as i32;
                *real = if self.before.is_some() { 0.0 } else { rounded as f64 * self.grid };
            }
        }
    }

    /// The score of the trees added to that before them; `at` counts rows and outputs.
    #[inline]
    fn with_before(&self, before: &Before, at: usize) -> i32 {
        let own = self.sums[at].saturating_add(self.initial_scores[at % self.initial.len()]);
        match self.onto {
            Some(onto) => onto.sum(before.score(at), own),
            None => before.score(at),
        }
    }
}

impl Scores for OnGrid {
    type Score = i32;

    fn new(start: Start) -> OnGrid {
        let Start { n_rows, initial, is_linear, leaf_bits, before } = start;
        let width = initial.len();
        let shift = before.as_ref().map_or(0, Before::shift);
        OnGrid {
            sums: vec![0; n_rows * width],
            initial,
            is_linear,
            leaf_bits,
            before,
            onto: None,
            grid: 1.0,
            unit: pow2(-i32::from(shift)),
            shift,
            offsets: vec![0; width],
            initial_scores: vec![0; width],
            trees: Vec::new(),
        }
    }

    fn pack(gradients: &[Gradient], width: usize, key: u64, threads: &Threads) -> Packed {
        Packed::new(gradients, width, key, threads)
    }

    #[inline]
    fn real(&self, row: usize, k: usize) -> f64 {
        let at = row * self.initial.len() + k;
        let score = match &self.before {
            None => self.sums[at],
            Some(before) => self.with_before(before, at),
        };
        f64::from(score) * self.unit + self.initial[k]
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
            match &self.before {
                Some(before) => out.extend((start..start + width).map(|at| self.with_before(before, at))),
                None => {
                    let scores = self.sums[start..start + width].iter().zip(&self.initial_scores);
                    out.extend(scores.map(|(s, i)| s.saturating_add(*i)));
                }
            }
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
        let n_outputs = start.initial.len();
        let mut sums = start.initial.repeat(start.n_rows);
        if let Some(before) = &start.before {
            sums.iter_mut().enumerate().for_each(|(at, sum)| *sum += before.real(at));
        }
        Real { n_outputs, sums }
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
