//! Additive models: a sum of one table a feature and one a pair of features.
//!
//! Each term is boosted with tiny trees that see nothing but its own cells, all terms in turn at a low
//! rate, so a score can be read term by term. First the features, then the pairs that interact most on
//! what the features leave. Tables are real here and in the matrix's codes; who stores them puts them
//! on a grid. It stands apart from [`mod@crate::boost`] because a term keeps values by code, not splits.

mod block;
mod finish;
mod fit;
mod grid;
mod logistic;
mod purify;
mod ranking;
mod stump;
#[cfg(test)]
mod tests;

use crate::Error;
use crate::boost::{Rounds, Rows};
use crate::error::Kind;
use crate::matrix::CodeMatrix;
use crate::objective::{Objective, Target};
use crate::sample::draw;
use block::Block;
use finish::{Raw, Unit, finish};
use fit::{Fit, Stage};
use grid::{Axis, Grid};
use jobs::{Ctx, Seed};
use ranking::best_pairs;
use stump::Rules;

/// Parameters of an additive model; ranges are checked by the learner that owns them.
#[derive(Clone, Debug)]
pub struct AdditiveParams {
    /// Rounds over all features.
    pub rounds: Rounds,
    /// Rounds over all pairs, after those.
    pub pair_rounds: Rounds,
    /// Factor of each leaf.
    pub learning_rate: f64,
    /// Leaves of a tree over one feature; one over a pair has at most four.
    pub max_leaves: usize,
    /// Rows (weights) in a leaf.
    pub min_leaf_rows: f64,
    /// Added to the sum of second derivatives.
    pub l2: f64,
    /// Most pair terms.
    pub n_pairs: usize,
    /// Fits that are averaged, each on its own 85 % of the rows; 0 and 1: one fit on all of them.
    pub n_bags: u32,
}

/// The values of one feature or of two.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The feature, and the second of a pair, which is larger.
    pub features: (usize, Option<usize>),
    /// Real values, `[n_codes(a) + 1, n_outputs]` or `[n_codes(a) + 1, n_codes(b) + 1, n_outputs]`; the last
    /// code of each axis is missing. Their mean over the training rows is 0, a pair's also in each row
    /// and column. Missing and categories that training never met have 0.
    pub values: Vec<f64>,
}

/// A sum of terms: a score is the intercept plus each term's value at the row's codes.
#[derive(Clone, Debug, PartialEq)]
pub struct Additive {
    /// Features rising, then pairs by interaction, the strongest first; without those that say nothing.
    pub terms: Vec<Term>,
    /// One an output; the mean score of the training rows.
    pub intercepts: Vec<f64>,
    /// Scores of `rows.others` in their order, `[n_others, n_outputs]`: the sums in the order of terms.
    pub other_scores: Vec<f64>,
    /// Rounds over features that were kept; the mean of several fits.
    pub n_rounds: u32,
    /// Rounds over pairs that were kept; the mean of several fits.
    pub n_pair_rounds: u32,
}

/// Share of the training rows that a fit sees where the rest chooses the number of rounds.
const FIT_SHARE: f64 = 0.85;
/// Training rows below which none are held back.
const FEW_ROWS: usize = 20;
/// Bins of values on an axis of a pair.
const PAIR_BINS: usize = 31;
/// Most values of all pair terms together; pairs beyond are left out.
const MOST_PAIR_VALUES: usize = 1 << 24;
/// Largest step of a log odds, before the learning rate.
const MOST_LOG_ODDS: f64 = 8.0;

/// Fits an additive model.
///
/// `weights`: one a row, at least 0; `None` weighs all rows alike. `Rounds::Until` watches `rows.others`;
/// where there are none, one fit chooses the numbers of rounds on 15 % of the training rows, drawn by
/// hash, and a second one learns from all; several fits each watch the rows that they do not see. With
/// nothing to watch it ends after its patience. Missing is a bin of its own. Stops early, keeping what it
/// has, when the context's budget is spent or cancelled. The same seed gives the same bytes on any number of
/// threads. Cost: `O(fits * rounds * features * rows)`, and `O(features^2 * rows)` once for pairs.
///
/// # Errors
/// `NoRows` without a training row of positive weight, `Cancelled` before the first tree, `SeveralTargets`.
/// # Source  Lou, Caruana, Gehrke & Hooker, Accurate Intelligible Models with Pairwise Interactions,
/// KDD 2013; Nori et al., InterpretML, 2019; deviations: Newton steps, gradients anew after each term,
/// one cut of a pair's first axis and one of each half.
pub fn additive(
    codes: &CodeMatrix,
    target: &Target<'_>,
    weights: Option<&[f32]>,
    rows: Rows,
    params: &AdditiveParams,
    seed: Seed,
    ctx: &Ctx<'_>,
) -> Result<Additive, Error> {
    if let Target::Several(targets) = target {
        return Err(Kind::SeveralTargets { n_targets: targets.len() }.into());
    }
    let weights = weights.map_or_else(|| vec![1.0; codes.n_rows()], <[f32]>::to_vec);
    let mut train = rows.train;
    train.retain(|&row| weights[row as usize] > 0.0);
    train.sort_unstable();
    if train.is_empty() {
        return Err(Kind::NoRows.into());
    }
    if ctx.cancel.is_cancelled() {
        return Err(Kind::Cancelled.into());
    }
    let (unit, values) = Unit::of(target, &train, &weights);
    let target = if let Target::Values(_) = target { Target::Values(&values) } else { *target };
    let work = Work { codes, target, weights: &weights, train: &train, params, ctx };
    let code_weights = work.code_weights();
    let raw = work.chosen(&rows.others, seed, &code_weights);
    Ok(finish(raw, codes, &work.target, &unit, (&train, &weights, &code_weights), &rows.others, ctx.threads))
}

/// Rows that a fit learns from, and rows that it watches.
struct Draw {
    train: Vec<u32>,
    watched: Vec<u32>,
}

/// Which pairs are boosted.
enum Pairs<'a> {
    /// The best that are found.
    Found,
    /// These.
    Given(&'a [Grid]),
}

/// What all fits have in common.
struct Work<'a> {
    codes: &'a CodeMatrix,
    target: Target<'a>,
    weights: &'a [f32],
    train: &'a [u32],
    params: &'a AdditiveParams,
    ctx: &'a Ctx<'a>,
}

impl Work<'_> {
    /// Weights of the training rows by feature and code.
    fn code_weights(&self) -> Vec<Vec<f64>> {
        self.ctx.threads.map(self.codes.n_features(), |f| {
            let mut sums = vec![0.0; usize::from(self.codes.features()[f].n_codes) + 1];
            for &row in self.train {
                sums[usize::from(self.codes.code(f, row))] += f64::from(self.weights[row as usize]);
            }
            sums
        })
    }

    /// The model of the rounds that the parameters ask for.
    fn chosen(&self, others: &[u32], seed: Seed, code_weights: &[Vec<f64>]) -> Raw {
        let (rounds, pair_rounds) = (self.params.rounds, self.params.pair_rounds);
        let until = |rounds| matches!(rounds, Rounds::Until { .. });
        let mut watched = Vec::new();
        if until(rounds) || until(pair_rounds) {
            watched.extend(others.iter().copied().filter(|&r| self.weights[r as usize] > 0.0));
            watched.sort_unstable();
        }
        let alone =
            (until(rounds) || until(pair_rounds)) && watched.is_empty() && self.train.len() >= FEW_ROWS;
        let whole = |watched| vec![Draw { train: self.train.to_vec(), watched }];
        let part = |number: u32| {
            let key = seed.derive("rows", number.into()).0;
            let (train, left) = draw(self.train, FIT_SHARE, key);
            Draw { train, watched: if alone { left } else { watched.clone() } }
        };
        if self.params.n_bags > 1 {
            let draws = (0..self.params.n_bags).map(part).collect();
            return self.grow(draws, (rounds, pair_rounds), Pairs::Found, code_weights);
        }
        if !alone {
            return self.grow(whole(watched), (rounds, pair_rounds), Pairs::Found, code_weights);
        }
        let first = self.grow(vec![part(0)], (rounds, pair_rounds), Pairs::Found, code_weights);
        if self.ctx.is_over() {
            return first;
        }
        let found = (Rounds::Exactly(first.n_rounds), Rounds::Exactly(first.n_pair_rounds));
        let grids: Vec<Grid> = first.pairs.iter().map(|(grid, _)| grid.clone()).collect();
        let second = self.grow(whole(Vec::new()), found, Pairs::Given(&grids), code_weights);
        // A fit that was cut short is worse than one on fewer rows.
        if self.ctx.is_over() { first } else { second }
    }

    /// Fits one model a draw, and averages them.
    fn grow(
        &self,
        draws: Vec<Draw>,
        (rounds, pair_rounds): (Rounds, Rounds),
        pairs: Pairs<'_>,
        code_weights: &[Vec<f64>],
    ) -> Raw {
        let (n, threads) = (draws.len(), self.ctx.threads);
        let known = self.codes.features();
        let grid = |f: usize| Grid { first: Axis::whole(f, &known[f]), second: None };
        let grids: Vec<Grid> = (0..known.len()).map(grid).collect();
        // Each fit may use its share of the time of those that are still to come.
        let share = |i: usize| self.ctx.budget.share(threads.n() as f64 / (n - i) as f64);
        let fitted = threads.map(n, |i| {
            let blocks = |rows| Block::all(self.codes, &self.target, self.weights, rows, threads);
            let mut fit = Fit {
                train: blocks(&draws[i].train),
                watched: blocks(&draws[i].watched),
                intercepts: Objective::from(self.target).initial(&draws[i].train, self.weights),
            };
            let ctx = Ctx { budget: &share(i), ..*self.ctx };
            fit.restart(&[], &[], &ctx);
            let stage = fit.boost(&grids, rounds, &self.rules(), &ctx);
            fit.restart(&grids, &stage.tables, &ctx);
            (fit, stage)
        });
        let (mut fits, stages): (Vec<Fit>, Vec<Stage>) = fitted.into_iter().unzip();
        let width = self.target.n_outputs();
        let mut intercepts = vec![0.0; width];
        for fit in &fits {
            intercepts.iter_mut().zip(&fit.intercepts).for_each(|(sum, add)| *sum += add / n as f64);
        }
        let (tables, n_rounds) = mean(stages);
        let pairs = match pairs {
            Pairs::Given(grids) => grids.to_vec(),
            Pairs::Found if self.params.n_pairs == 0 => Vec::new(),
            Pairs::Found => self.pairs(&fits, &tables, code_weights),
        };
        let mut pair_stages: Vec<Option<Stage>> = fits.iter().map(|_| None).collect();
        if !pairs.is_empty() {
            let mut work: Vec<(&mut Fit, &mut Option<Stage>)> =
                fits.iter_mut().zip(&mut pair_stages).collect();
            threads.each(&mut work, |i, (fit, stage)| {
                let ctx = Ctx { budget: &share(i), ..*self.ctx };
                **stage = Some(fit.boost(&pairs, pair_rounds, &self.rules(), &ctx));
            });
        }
        let (pair_tables, n_pair_rounds) = mean(pair_stages.into_iter().flatten().collect());
        Raw {
            intercepts,
            tables,
            pairs: pairs.into_iter().zip(pair_tables).collect(),
            n_rounds,
            n_pair_rounds,
        }
    }

    fn rules(&self) -> Rules {
        let total: f64 = self.train.iter().map(|&r| f64::from(self.weights[r as usize])).sum();
        let numbers = matches!(self.target, Target::Values(_));
        Rules {
            max_leaves: self.params.max_leaves,
            min_leaf_rows: self.params.min_leaf_rows,
            l2: self.params.l2,
            // Gradients are about 1 and have single precision: less is dust.
            min_gain: total * 1e-12,
            most: if numbers { f64::INFINITY } else { MOST_LOG_ODDS },
            learning_rate: self.params.learning_rate,
        }
    }

    /// The grids of the pairs that interact most.
    fn pairs(&self, fits: &[Fit], tables: &[Vec<f64>], code_weights: &[Vec<f64>]) -> Vec<Grid> {
        let (known, width) = (self.codes.features(), self.target.n_outputs());
        let merged = |f: usize, most| Axis::merged(f, &known[f], &code_weights[f], most);
        let axes: Vec<Axis> = (0..known.len()).map(|f| merged(f, ranking::BINS)).collect();
        let size = |(table, weights): (&Vec<f64>, &Vec<f64>)| -> f64 {
            let squares = table.chunks_exact(width).map(|values| values.iter().map(|v| v * v).sum::<f64>());
            squares.zip(weights).map(|(square, weight)| square * weight).sum()
        };
        let sizes: Vec<f64> = tables.iter().zip(code_weights).map(size).collect();
        let mut values = 0;
        best_pairs(fits, &axes, &sizes, self.params.n_pairs, self.ctx)
            .into_iter()
            .filter(|&(a, b)| {
                let n = code_weights[a].len() * code_weights[b].len() * width;
                let fits_in = values + n <= MOST_PAIR_VALUES;
                values += if fits_in { n } else { 0 };
                fits_in
            })
            .map(|(a, b)| Grid { first: merged(a, PAIR_BINS), second: Some(merged(b, PAIR_BINS)) })
            .collect()
    }
}

/// Mean tables and rounds of several fits.
fn mean(stages: Vec<Stage>) -> (Vec<Vec<f64>>, u32) {
    let n = stages.len();
    let mut stages = stages.into_iter();
    let Some(Stage { mut tables, n_rounds }) = stages.next() else { return (Vec::new(), 0) };
    let mut rounds = n_rounds as usize;
    for stage in stages {
        rounds += stage.n_rounds as usize;
        for (sum, add) in tables.iter_mut().flatten().zip(stage.tables.iter().flatten()) {
            *sum += add;
        }
    }
    tables.iter_mut().flatten().for_each(|value| *value /= n as f64);
    (tables, (rounds / n) as u32)
}
