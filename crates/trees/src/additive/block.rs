//! A few thousand rows with all that boosting needs of them, side by side.
//!
//! Blocks have a fixed size and their sums are added in order, so threads cannot change a sum. One
//! pass adds the last tree to the scores, takes gradients and sums them by the next term's cells.

use super::grid::Grid;
use super::logistic;
use crate::matrix::CodeMatrix;
use crate::objective::{Objective, Target};
use crate::packed::Gradient;
use jobs::Threads;

/// Rows of a block.
pub(super) const BLOCK: usize = 4096;

/// The target of a block's rows.
enum Labels {
    Binary(Vec<u32>),
    Classes { labels: Vec<u32>, n_classes: usize },
    Values(Vec<f64>),
}

impl Labels {
    fn of(target: &Target<'_>, rows: &[u32]) -> Labels {
        let pick = |labels: &[u32]| rows.iter().map(|&r| labels[r as usize]).collect();
        match *target {
            Target::Binary(labels) => Labels::Binary(pick(labels)),
            Target::Classes { labels, n_classes } => Labels::Classes { labels: pick(labels), n_classes },
            Target::Values(values) => Labels::Values(rows.iter().map(|&r| values[r as usize]).collect()),
            // Refused before.
            Target::Several(_) => Labels::Values(vec![0.0; rows.len()]),
        }
    }

    fn target(&self) -> Target<'_> {
        match self {
            Labels::Binary(labels) => Target::Binary(labels),
            Labels::Classes { labels, n_classes } => Target::Classes { labels, n_classes: *n_classes },
            Labels::Values(values) => Target::Values(values),
        }
    }
}

/// Rows, their scores and gradients.
pub(super) struct Block {
    /// `[n_features, n_rows]`.
    pub(super) codes: Vec<u8>,
    labels: Labels,
    pub(super) weights: Vec<f32>,
    /// `[n_rows, width]`.
    scores: Vec<f64>,
    /// `[n_rows, width]`.
    pub(super) gradients: Vec<Gradient>,
    /// Each row's cell in the term of the last pass.
    cells: Vec<u16>,
    /// Sums of gradients by cell and output: `[n_cells, width]`.
    pub(super) sums: Vec<[f64; 2]>,
    width: usize,
}

impl Block {
    /// The blocks of `rows`, in their order; `weights` are those of all rows.
    pub(super) fn all(
        codes: &CodeMatrix,
        target: &Target<'_>,
        weights: &[f32],
        rows: &[u32],
        threads: &Threads,
    ) -> Vec<Block> {
        let width = target.n_outputs();
        threads.map(rows.len().div_ceil(BLOCK), |i| {
            let rows = &rows[i * BLOCK..rows.len().min((i + 1) * BLOCK)];
            let columns = 0..codes.n_features();
            Block {
                codes: columns.flat_map(|f| rows.iter().map(move |&r| codes.code(f, r))).collect(),
                labels: Labels::of(target, rows),
                weights: rows.iter().map(|&r| weights[r as usize]).collect(),
                scores: vec![0.0; rows.len() * width],
                gradients: vec![[0.0; 2]; rows.len() * width],
                cells: vec![0; rows.len()],
                sums: Vec::new(),
                width,
            }
        })
    }

    /// Scores from the start: the intercepts and the values of these terms' cells.
    pub(super) fn restart(&mut self, intercepts: &[f64], grids: &[Grid], tables: &[Vec<f64>]) {
        for scores in self.scores.chunks_exact_mut(self.width) {
            scores.copy_from_slice(intercepts);
        }
        for (grid, table) in grids.iter().zip(tables) {
            self.add(grid, table);
        }
        self.differentiate();
    }

    /// Adds values of a term's cells to the scores, `values: [n_cells, width]`.
    pub(super) fn add(&mut self, grid: &Grid, values: &[f64]) {
        grid.cells_into(&self.codes, &mut self.cells);
        self.add_at_cells(values);
    }

    fn add_at_cells(&mut self, values: &[f64]) {
        let width = self.width;
        if width == 1 {
            for (score, &cell) in self.scores.iter_mut().zip(&self.cells) {
                *score += values[usize::from(cell)];
            }
            return;
        }
        for (scores, &cell) in self.scores.chunks_exact_mut(width).zip(&self.cells) {
            let start = usize::from(cell) * width;
            for (score, value) in scores.iter_mut().zip(&values[start..start + width]) {
                *score += value;
            }
        }
    }

    fn differentiate(&mut self) {
        if let Labels::Binary(labels) = &self.labels {
            return logistic::gradients(&self.scores, labels, &self.weights, &mut self.gradients);
        }
        let (scores, width) = (&self.scores, self.width);
        let score = |row: usize, k: usize| scores[row * width + k];
        Objective::from(self.labels.target()).gradients(
            score,
            &self.weights,
            &mut self.gradients,
            &Threads::one(),
        );
    }

    /// Adds `update` of the last pass's term to the scores, if there is one, then sums the gradients by
    /// the cells of `grid`.
    pub(super) fn pass(&mut self, update: Option<&[f64]>, grid: &Grid) {
        if let Some(update) = update {
            self.add_at_cells(update);
            self.differentiate();
        }
        grid.cells_into(&self.codes, &mut self.cells);
        let width = self.width;
        self.sums.clear();
        self.sums.resize(grid.n_cells() * width, [0.0; 2]);
        if width == 1 {
            for (&[g, h], &cell) in self.gradients.iter().zip(&self.cells) {
                let sum = &mut self.sums[usize::from(cell)];
                *sum = [sum[0] + f64::from(g), sum[1] + f64::from(h)];
            }
            return;
        }
        for (gradients, &cell) in self.gradients.chunks_exact(width).zip(&self.cells) {
            let start = usize::from(cell) * width;
            for (sum, &[g, h]) in self.sums[start..start + width].iter_mut().zip(gradients) {
                *sum = [sum[0] + f64::from(g), sum[1] + f64::from(h)];
            }
        }
    }

    /// Adds the rows' weights to their cells of `grid`.
    pub(super) fn weigh(&mut self, grid: &Grid, out: &mut [f64]) {
        grid.cells_into(&self.codes, &mut self.cells);
        for (&weight, &cell) in self.weights.iter().zip(&self.cells) {
            out[usize::from(cell)] += f64::from(weight);
        }
    }

    /// Sum of the weighted loss, and of the weights.
    pub(super) fn loss(&self) -> [f64; 2] {
        let rows: Vec<u32> = (0..self.weights.len() as u32).collect();
        let score = |row: usize, k: usize| self.scores[row * self.width + k];
        let weight = self.weights.iter().map(|&w| f64::from(w)).sum();
        [
            Objective::from(self.labels.target()).loss(&rows, &self.weights, score, &Threads::one()) * weight,
            weight,
        ]
    }
}
