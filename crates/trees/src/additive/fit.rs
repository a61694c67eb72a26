//! Cyclic boosting of the terms of one draw of rows.
//!
//! A round visits each term in turn and adds a small tree at a low rate, so that terms that tell the
//! same share it. Rows that are watched get the sum of a round's trees and decide when to stop.

use super::block::Block;
use super::grid::{Axis, Grid};
use super::stump::{Rules, Sums};
use crate::boost::Rounds;
use jobs::Ctx;

/// A loss falls when it falls by this share; less is not worth a round.
const TOLERANCE: f64 = 1e-5;

/// Values of some terms, and the rounds that made them.
pub(super) struct Stage {
    /// By term, `[n_cells, width]`.
    pub(super) tables: Vec<Vec<f64>>,
    pub(super) n_rounds: u32,
}

/// One draw of rows and its scores.
pub(super) struct Fit {
    pub(super) train: Vec<Block>,
    pub(super) watched: Vec<Block>,
    pub(super) intercepts: Vec<f64>,
}

impl Fit {
    /// Scores from the start: the intercepts and these terms.
    pub(super) fn restart(&mut self, grids: &[Grid], tables: &[Vec<f64>], ctx: &Ctx<'_>) {
        let intercepts = &self.intercepts;
        for blocks in [&mut self.train, &mut self.watched] {
            ctx.threads.each(blocks, |_, block| block.restart(intercepts, grids, tables));
        }
    }

    /// Boosts terms from the scores as they are. With rows to watch the tables of the best round are
    /// given, and scores are those of the last. Without, `Until` ends after its patience.
    /// Cost: `O(rounds * terms * rows)`.
    pub(super) fn boost(&mut self, grids: &[Grid], rounds: Rounds, rules: &Rules, ctx: &Ctx<'_>) -> Stage {
        let width = self.intercepts.len();
        let weights: Vec<Vec<f64>> = grids.iter().map(|grid| self.weigh(grid)).collect();
        let mut tables: Vec<Vec<f64>> = grids.iter().map(|g| vec![0.0; g.n_cells() * width]).collect();
        let (most, patience) = match rounds {
            Rounds::Exactly(n) => (n, None),
            Rounds::Until { patience, most } if self.watched.is_empty() => (most.min(patience), None),
            Rounds::Until { patience, most } => (most, Some(patience)),
        };
        let mut best = Stage { tables: tables.clone(), n_rounds: 0 };
        let mut best_loss = if patience.is_some() { self.loss(ctx) } else { 0.0 };
        // The round and loss from which patience is counted.
        let mut mark = (0, best_loss);
        let mut n_rounds = 0;
        let mut pending: Option<Vec<f64>> = None;
        while n_rounds < most && !ctx.is_over() {
            let mut updates: Vec<(usize, Vec<f64>)> = Vec::new();
            for (i, grid) in grids.iter().enumerate() {
                if ctx.is_over() {
                    break;
                }
                let sums = self.pass(pending.as_deref(), grid, ctx);
                pending = rules.tree(grid, Sums { gradients: &sums, weights: &weights[i], width });
                if let Some(update) = &pending {
                    tables[i].iter_mut().zip(update).for_each(|(value, add)| *value += add);
                    updates.push((i, update.clone()));
                }
            }
            if updates.is_empty() {
                break;
            }
            n_rounds += 1;
            ctx.progress.advance(1);
            let Some(patience) = patience else { continue };
            ctx.threads.each(&mut self.watched, |_, block| {
                updates.iter().for_each(|(i, update)| block.add(&grids[*i], update));
            });
            let loss = self.loss(ctx);
            if loss < best_loss {
                best_loss = loss;
                best = Stage { tables: tables.clone(), n_rounds };
            }
            if loss < mark.1 - TOLERANCE * mark.1.abs() {
                mark = (n_rounds, loss);
            } else if n_rounds - mark.0 >= patience {
                break;
            }
        }
        if patience.is_some() { best } else { Stage { tables, n_rounds } }
    }

    /// Weights of the cells of a term.
    fn weigh(&mut self, grid: &Grid) -> Vec<f64> {
        let mut weights = vec![0.0; grid.n_cells()];
        self.train.iter_mut().for_each(|block| block.weigh(grid, &mut weights));
        weights
    }

    /// Adds the last tree to the scores and sums gradients by the next term's cells.
    fn pass(&mut self, update: Option<&[f64]>, grid: &Grid, ctx: &Ctx<'_>) -> Vec<[f64; 2]> {
        ctx.threads.each(&mut self.train, |_, block| block.pass(update, grid));
        let mut sums = vec![[0.0; 2]; grid.n_cells() * self.intercepts.len()];
        for block in &self.train {
            for (sum, add) in sums.iter_mut().zip(&block.sums) {
                *sum = [sum[0] + add[0], sum[1] + add[1]];
            }
        }
        sums
    }

    /// Mean loss of the watched rows.
    fn loss(&self, ctx: &Ctx<'_>) -> f64 {
        let losses = ctx.threads.map(self.watched.len(), |i| self.watched[i].loss());
        let [loss, weight] = losses.iter().fold([0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
        if weight > 0.0 { loss / weight } else { 0.0 }
    }

    /// Sums of the gradients at the scores as they are, over the bins of two axes:
    /// `[first.n_bins(), second.n_bins(), width]`.
    pub(super) fn sums_of_pair(&self, first: &Axis, second: &Axis) -> Vec<[f64; 2]> {
        let width = self.intercepts.len();
        let n = second.n_bins();
        let mut sums = vec![[0.0; 2]; first.n_bins() * n * width];
        for block in &self.train {
            let n_rows = block.gradients.len() / width;
            let of = |axis: &Axis| &block.codes[axis.feature * n_rows..(axis.feature + 1) * n_rows];
            let codes = of(first).iter().zip(of(second));
            for ((&a, &b), gradients) in codes.zip(block.gradients.chunks_exact(width)) {
                let (a, b) = (first.bins[usize::from(a)], second.bins[usize::from(b)]);
                let start = (usize::from(a) * n + usize::from(b)) * width;
                for (sum, &[g, h]) in sums[start..start + width].iter_mut().zip(gradients) {
                    *sum = [sum[0] + f64::from(g), sum[1] + f64::from(h)];
                }
            }
        }
        sums
    }

    /// Mean square of what each output leaves, in the unit of gains: `sum g^2 / w` over `sum h`, where a
    /// row of weight `w` counts as that many rows.
    pub(super) fn noise(&self) -> Vec<f64> {
        let mut sums = vec![[0.0f64; 2]; self.intercepts.len()];
        for block in &self.train {
            for (gradients, &weight) in block.gradients.chunks_exact(sums.len()).zip(&block.weights) {
                for (sum, &[g, h]) in sums.iter_mut().zip(gradients) {
                    let (g, h) = (f64::from(g), f64::from(h));
                    *sum = [sum[0] + g * g / f64::from(weight), sum[1] + h];
                }
            }
        }
        sums.iter().map(|sum| sum[0] / sum[1]).collect()
    }
}
