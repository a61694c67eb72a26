//! From averaged tables to terms by code, in the unit of the target.

use super::grid::{Axis, Grid};
use super::purify::{centre, centre_outputs, purify};
use super::{Additive, Term};
use crate::matrix::{CodeMatrix, Feature};
use crate::objective::{Objective, Target};
use ir::fixed::{exponent, scaled};
use jobs::Threads;

/// Rows of a chunk of scores.
const CHUNK: usize = 4096;

/// How numbers were brought to a size of about 1: `real = (x 2^inner + mean) 2^outer`.
pub(super) struct Unit {
    mean: f64,
    inner: i32,
    outer: i32,
}

impl Unit {
    /// The unit of a target, and the values of all rows in it, none for classes. Both powers follow from the
    /// training rows; a power of two is exact, and a difference from the mean loses less than the mean.
    pub(super) fn of(target: &Target<'_>, train: &[u32], weights: &[f32]) -> (Unit, Vec<f64>) {
        let Target::Values(values) = *target else {
            return (Unit { mean: 0.0, inner: 0, outer: 0 }, Vec::new());
        };
        let outer = exponent(train.iter().map(|&r| values[r as usize].abs()).fold(0.0, f64::max));
        let mut values: Vec<f64> = values.iter().map(|&v| scaled(v, -outer)).collect();
        let mean = Objective::from(Target::Values(&values)).initial(train, weights)[0];
        values.iter_mut().for_each(|v| *v -= mean);
        let inner = exponent(train.iter().map(|&r| values[r as usize].abs()).fold(0.0, f64::max));
        values.iter_mut().for_each(|v| *v = scaled(*v, -inner));
        (Unit { mean, inner, outer }, values)
    }

    fn real(&self, x: f64) -> f64 {
        scaled(scaled(x, self.inner) + self.mean, self.outer)
    }

    fn real_difference(&self, x: f64) -> f64 {
        scaled(x, self.inner + self.outer)
    }
}

/// Tables by bin, before main effects and means are sorted out.
pub(super) struct Raw {
    pub(super) intercepts: Vec<f64>,
    /// By feature, `[n_codes + 1, width]`.
    pub(super) tables: Vec<Vec<f64>>,
    pub(super) pairs: Vec<(Grid, Vec<f64>)>,
    pub(super) n_rounds: u32,
    pub(super) n_pair_rounds: u32,
}

/// Sorts out main effects and means, spreads pairs to all codes, goes back to the target's unit and
/// scores the others. The second-last group of arguments is the training rows, the weights of all rows,
/// and those of the training rows by code.
pub(super) fn finish(
    raw: Raw,
    codes: &CodeMatrix,
    target: &Target<'_>,
    unit: &Unit,
    (train, weights, code_weights): (&[u32], &[f32], &[Vec<f64>]),
    others: &[u32],
    threads: &Threads,
) -> Additive {
    let width = target.n_outputs();
    let Raw { mut intercepts, mut tables, mut pairs, n_rounds, n_pair_rounds } = raw;
    // A pair's weights and what its features get back, pair by pair.
    let taken = threads.map(pairs.len(), |i| {
        let (grid, table) = &pairs[i];
        let Some(second) = &grid.second else { return None };
        let mut table = table.clone();
        let weights = weigh_pair(codes, &grid.first, second, train, weights);
        let parts = purify(&mut table, &weights, second.n_bins(), width);
        Some((table, parts))
    });
    for ((grid, table), taken) in pairs.iter_mut().zip(taken) {
        let (Some(second), Some((pure, parts))) = (&grid.second, taken) else { continue };
        *table = pure;
        for (axis, part) in [&grid.first, second].into_iter().zip(&parts) {
            for (values, &bin) in tables[axis.feature].chunks_exact_mut(width).zip(&axis.bins) {
                let add = &part[usize::from(bin) * width..];
                values.iter_mut().zip(add).for_each(|(value, add)| *value += add);
            }
        }
    }
    let known = codes.features();
    let neutral = |f: usize, code: usize| is_neutral(&known[f], &code_weights[f], code);
    let mut terms = Vec::new();
    for (f, mut values) in tables.into_iter().enumerate() {
        let means = centre(&mut values, &code_weights[f], width);
        intercepts.iter_mut().zip(means).for_each(|(intercept, mean)| *intercept += mean);
        for (code, values) in values.chunks_exact_mut(width).enumerate() {
            if neutral(f, code) {
                values.fill(0.0);
            }
        }
        terms.push(Term { features: (f, None), values });
    }
    for (grid, table) in &pairs {
        let Some(second) = &grid.second else { continue };
        let mut values = Vec::with_capacity(grid.first.bins.len() * second.bins.len() * width);
        for (a, &bin_a) in grid.first.bins.iter().enumerate() {
            for (b, &bin_b) in second.bins.iter().enumerate() {
                let cell = usize::from(bin_a) * second.n_bins() + usize::from(bin_b);
                if neutral(grid.first.feature, a) || neutral(second.feature, b) {
                    values.extend((0..width).map(|_| 0.0));
                } else {
                    values.extend(&table[cell * width..(cell + 1) * width]);
                }
            }
        }
        terms.push(Term { features: (grid.first.feature, Some(second.feature)), values });
    }
    if width > 1 {
        centre_outputs(&mut intercepts, width);
        terms.iter_mut().for_each(|term| centre_outputs(&mut term.values, width));
    }
    terms.retain(|term| term.values.iter().any(|&v| v != 0.0));
    for term in &mut terms {
        term.values.iter_mut().for_each(|v| *v = unit.real_difference(*v));
    }
    intercepts.iter_mut().for_each(|v| *v = unit.real(*v));
    let other_scores = scores(codes, &terms, &intercepts, others, threads);
    Additive { terms, intercepts, other_scores, n_rounds, n_pair_rounds }
}

/// True for codes that training never met and that have no neighbours to tell what they are like.
fn is_neutral(known: &Feature, weights: &[f64], code: usize) -> bool {
    weights[code] == 0.0 && (!known.ordered || code == usize::from(known.n_codes))
}

/// Weights of the training rows in the cells of a pair.
fn weigh_pair(codes: &CodeMatrix, first: &Axis, second: &Axis, train: &[u32], weights: &[f32]) -> Vec<f64> {
    let mut sums = vec![0.0; first.n_bins() * second.n_bins()];
    for &row in train {
        let bin = |axis: &Axis| usize::from(axis.bins[usize::from(codes.code(axis.feature, row))]);
        sums[bin(first) * second.n_bins() + bin(second)] += f64::from(weights[row as usize]);
    }
    sums
}

/// Scores of rows, `[n_rows, width]`.
fn scores(
    codes: &CodeMatrix,
    terms: &[Term],
    intercepts: &[f64],
    rows: &[u32],
    threads: &Threads,
) -> Vec<f64> {
    let width = intercepts.len();
    let mut out = vec![0.0; rows.len() * width];
    threads.chunks(&mut out, CHUNK * width, |first, out| {
        for (scores, &row) in out.chunks_exact_mut(width).zip(&rows[first / width..]) {
            scores.copy_from_slice(intercepts);
            for term in terms {
                let (a, b) = term.features;
                let mut cell = usize::from(codes.code(a, row));
                if let Some(b) = b {
                    let n = usize::from(codes.features()[b].n_codes) + 1;
                    cell = cell * n + usize::from(codes.code(b, row));
                }
                let values = &term.values[cell * width..];
                scores.iter_mut().zip(values).for_each(|(score, value)| *score += value);
            }
        }
    });
    out
}
