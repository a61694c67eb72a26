//! Gradient boosting with the deployed integers in the loop.
//!
//! Every leaf is rounded to the grid on which it will be stored before scores are updated, so later
//! trees correct what rounding lost, and the scores at the end are those of the written model.

mod params;

pub use params::{BoostParams, Rounds};

use crate::Error;
use crate::by_gradient::draw_by_gradient;
use crate::error::Kind;
use crate::grow::{Grown, GrownLeaf, RowLists, grow};
use crate::matrix::CodeMatrix;
use crate::objective::{Objective, Target, weighted_quantile};
use crate::packed::{Gradient, Packed};
use crate::rules::SplitRules;
use crate::sample::{Columns, Reuse, columns, draw};
use crate::soil::{Limits, Soil};
use ir::fixed::{power_of_two as pow2, round_i64};
use ir::forest::Tree;
use jobs::{Ctx, Seed};

/// Rows that are learnt from, and rows whose scores are wanted besides.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The training part.
    pub train: Vec<u32>,
    /// The validation part; may be empty.
    pub others: Vec<u32>,
}

/// A boosted forest in the matrix's codes.
#[derive(Debug)]
pub struct Boosted {
    /// Trees whose leaves are on the grid.
    pub trees: Vec<Tree>,
    /// Scores before any tree, on the grid; zeros for regression.
    pub initial_scores: Vec<i32>,
    /// A score is `2^-shift` of a real one.
    pub shift: i16,
    /// Regression: added to a score, on the grid.
    pub offset: i64,
    /// Scores of `rows.others` without `offset`, in their order, `[n_others, n_outputs]`.
    pub other_scores: Vec<i32>,
    /// Rounds kept.
    pub n_rounds: u32,
}

/// Boosts a forest.
///
/// `weights`: one a row, at least 0; `None` weighs all rows alike. Stops early, keeping what it has,
/// when the context's budget is spent or cancelled. The same seed gives the same forest on any number
/// of threads. Cost: `O(rounds * rows * features)` with a factor that falls with the depth.
///
/// # Errors
/// `NoRows` without a training row of positive weight, `Cancelled` before the first tree,
/// `MonotoneOutputs` and `MonotoneCategory` for directions that trees cannot keep, `SymmetricDepth` for
/// symmetric trees of too many leaves.
/// # Source  Friedman, Ann. Statist. 29, 2001; Ke et al., NeurIPS 2017 (histograms, leaf-wise
/// growth); deviations: integer gradients ([`crate`]), leaves rounded in the loop.
pub fn boost(
    codes: &CodeMatrix,
    target: &Target<'_>,
    weights: Option<&[f32]>,
    rows: Rows,
    params: &BoostParams,
    seed: Seed,
    ctx: &Ctx<'_>,
) -> Result<Boosted, Error> {
    // Numbers are brought to a size of about 1 by a power of two, which is exact, so that gradients fit
    // single precision whatever the unit of the target.
    // Where scores are logs, the unit is in them and gradients are relative.
    let (scaled, exponent) = match target {
        Target::Values(values) if !params.loss.is_log() => scale_down(values, &rows),
        _ => (Vec::new(), 0),
    };
    let target = match target {
        Target::Values(_) if !params.loss.is_log() => Target::Values(&scaled),
        other => *other,
    };
    if let (true, Target::Values(values)) = (params.loss.is_log(), target)
        && let Some(&row) = rows.train.iter().find(|&&row| !(values[row as usize] >= 0.0))
    {
        return Err(Kind::Negative { value: values[row as usize] }.into());
    }
    let objective = Objective { target, loss: params.loss };
    let unit = pow2(-i32::from(exponent));
    let mut run = Run::new(codes, objective, weights, rows, (params, unit), seed, ctx)?;
    let (most, patience) = match params.rounds {
        Rounds::Exactly(n) => (n, None),
        Rounds::Until { patience, most } => (most, Some(patience)),
    };
    let mut best = (f64::INFINITY, 0u32, Vec::new());
    let mut n_rounds = 0;
    let mut idle = 0;
    while n_rounds < most {
        let stop = ctx.cancel.is_cancelled() || ctx.budget.left().is_some_and(|left| left.is_zero());
        if stop && n_rounds > 0 {
            break;
        }
        let changed = run.round(n_rounds);
        idle = if changed { 0 } else { idle + 1 };
        if idle >= run.patience_of_draws() {
            n_rounds -= idle - 1;
            break;
        }
        n_rounds += 1;
        ctx.progress.advance(1);
        if let Some(patience) = patience {
            let loss = run.other_loss();
            if loss < best.0 {
                best = (loss, n_rounds, run.other_scores());
            } else if n_rounds - best.1 >= patience {
                break;
            }
        }
    }
    let (kept, other_scores) = match patience {
        Some(_) if !run.lists.others.is_empty() && best.1 > 0 => (best.1, best.2),
        _ => (n_rounds, run.other_scores()),
    };
    let trees_a_round = if run.class_trees { run.width } else { 1 };
    run.trees.truncate(kept as usize * trees_a_round);
    Ok(Boosted {
        trees: run.trees,
        initial_scores: run.initial_scores,
        shift: run.shift - exponent,
        offset: run.offset,
        other_scores,
        n_rounds: kept,
    })
}

/// Values times `2^-exponent`, the exponent that of the largest of the rows.
fn scale_down(values: &[f64], rows: &Rows) -> (Vec<f64>, i16) {
    let all = rows.train.iter().chain(&rows.others);
    let largest = all.map(|&r| values[r as usize].abs()).fold(0.0, f64::max);
    if largest == 0.0 || !largest.is_finite() {
        return (values.to_vec(), 0);
    }
    let mut exponent = 0i32;
    let mut rest = largest;
    while rest >= 1.0 {
        rest *= 0.5;
        exponent += 1;
    }
    while rest < 0.5 {
        rest *= 2.0;
        exponent -= 1;
    }
    // In two steps, so that neither factor leaves the range of doubles.
    let half = exponent / 2;
    let scaled = values.iter().map(|v| v * pow2(-half) * pow2(half - exponent)).collect();
    (scaled, exponent as i16)
}

/// First leaves may grow by this factor in later rounds before they are cut off at the grid's end.
const HEADROOM: f64 = 8.0;

struct Run<'a> {
    codes: &'a CodeMatrix,
    objective: Objective<'a>,
    params: &'a BoostParams,
    seed: Seed,
    ctx: &'a Ctx<'a>,
    /// Weight of each row in training: 0 outside the training part.
    weights: Vec<f32>,
    /// Weight of each row as given, which validation uses.
    given_weights: Vec<f32>,
    weighted: bool,
    lists: RowLists,
    other_order: Vec<u32>,
    width: usize,
    class_trees: bool,
    rules: SplitRules,
    limits: Limits,
    reuse: Reuse,
    initial: Vec<f64>,
    /// Sums of leaves, `[n_rows, width]`, without the initial scores.
    scores: Vec<i32>,
    trees: Vec<Tree>,
    gradients: Vec<Gradient>,
    /// Known once the first trees have shown how large leaves are.
    grid: Option<f64>,
    shift: i16,
    offset: i64,
    initial_scores: Vec<i32>,
}

impl<'a> Run<'a> {
    fn new(
        codes: &'a CodeMatrix,
        objective: Objective<'a>,
        weights: Option<&[f32]>,
        rows: Rows,
        (params, unit): (&'a BoostParams, f64),
        seed: Seed,
        ctx: &'a Ctx<'a>,
    ) -> Result<Run<'a>, Error> {
        let n_rows = codes.n_rows();
        let width = objective.n_outputs();
        let given_weights = weights.map_or_else(|| vec![1.0; n_rows], <[f32]>::to_vec);
        let mut train_weights = vec![0.0; n_rows];
        let mut train = rows.train;
        train.retain(|&r| given_weights[r as usize] > 0.0);
        for &r in &train {
            train_weights[r as usize] = given_weights[r as usize];
        }
        if train.is_empty() {
            return Err(Kind::NoRows.into());
        }
        if ctx.cancel.is_cancelled() {
            return Err(Kind::Cancelled.into());
        }
        train.sort_unstable();
        let n_train = train.len() as f64;
        let mut others = rows.others.clone();
        others.sort_unstable();
        let class_trees = width > 1 && params.one_tree_per_class;
        let rules = params.rules(codes, n_train, if class_trees { 1 } else { width }, unit)?;
        let initial = objective.initial(&train, &train_weights);
        Ok(Run {
            codes,
            objective,
            params,
            seed,
            ctx,
            weights: train_weights,
            given_weights,
            weighted: weights.is_some(),
            lists: RowLists::new(train, others),
            other_order: rows.others,
            width,
            class_trees,
            rules,
            limits: params.limits()?,
            reuse: Reuse::new(
                params.feature_reuse,
                params.threshold_reuse,
                codes.n_features(),
                codes.n_cells(),
            ),
            initial,
            scores: vec![0; n_rows * width],
            trees: Vec::new(),
            gradients: vec![[0.0; 2]; n_rows * width],
            grid: None,
            shift: 0,
            offset: 0,
            initial_scores: vec![0; width],
        })
    }

    /// Real scores by row and output.
    fn real_score(&self) -> impl Fn(usize, usize) -> f64 + Sync + Send + use<'_> {
        let grid = self.grid.unwrap_or(1.0);
        let (width, scores, initial) = (self.width, &self.scores, &self.initial);
        move |row, k| f64::from(scores[row * width + k]) * grid + initial[k]
    }

    /// Rounds in a row that may change nothing before boosting ends: a sample may be unlucky, all rows
    /// and columns cannot.
    fn patience_of_draws(&self) -> u32 {
        let BoostParams { row_share, gradient_share, column_share, column_share_by_split, .. } = *self.params;
        let shares = [row_share, gradient_share, column_share, column_share_by_split];
        if shares.iter().any(|&share| share < 1.0) { 10 } else { 1 }
    }

    /// The rows of one round, if they are not all: those that are learnt from, whose gradients get their
    /// weights, and those that travel along.
    fn sample(&mut self, number: u32, gradients: &mut [Gradient]) -> Option<RowLists> {
        let BoostParams { row_share, gradient_share, .. } = *self.params;
        if row_share >= 1.0 && gradient_share >= 1.0 {
            return None;
        }
        self.lists.train.sort_unstable();
        let key = self.seed.derive("rows", number.into()).0;
        let (mut taken, mut left) = draw(&self.lists.train, row_share, key);
        if gradient_share < 1.0 {
            let key = self.seed.derive("rows by gradient", number.into()).0;
            let (some, rest) = draw_by_gradient(&taken, gradients, self.width, gradient_share, key);
            taken = some;
            left.extend(rest);
        }
        left.extend(&self.lists.others);
        Some(RowLists::new(taken, left))
    }

    /// Adds the trees of one round; false when they would change nothing.
    fn round(&mut self, number: u32) -> bool {
        let mut gradients = std::mem::take(&mut self.gradients);
        self.objective.gradients(self.real_score(), &self.weights, &mut gradients, self.ctx.threads);
        let key = self.seed.derive("gradients", number.into()).0;
        // All trees of a round see the same rows and columns.
        let columns_key = self.seed.derive("columns", number.into()).0;
        let BoostParams { column_share, column_share_by_split, .. } = *self.params;
        let columns = columns(self.codes.n_features(), column_share, column_share_by_split, columns_key);
        let mut sampled = self.sample(number, &mut gradients);
        if let Some(sampled) = &mut sampled {
            std::mem::swap(sampled, &mut self.lists);
        }
        let mut any = false;
        if self.class_trees {
            let n_rows = self.codes.n_rows();
            let mut column = vec![[0.0; 2]; n_rows];
            for k in 0..self.width {
                for (to, from) in column.iter_mut().zip(gradients.chunks_exact(self.width)) {
                    *to = from[k];
                }
                let key = self.seed.derive("class", k as u64).0 ^ key;
                any |= self.tree(&column, 1, k, key, &columns);
            }
        } else {
            any = self.tree(&gradients, self.width, 0, key, &columns);
        }
        if let Some(whole) = sampled {
            self.lists = whole;
        }
        self.gradients = gradients;
        any
    }

    /// Grows one tree over `width` outputs from `first_output` on and adds it to the scores.
    fn tree(
        &mut self,
        gradients: &[Gradient],
        width: usize,
        first_output: usize,
        key: u64,
        columns: &Columns,
    ) -> bool {
        let packed = Packed::new(gradients, width, key, self.ctx.threads);
        let soil = Soil {
            codes: self.codes,
            packed: &packed,
            weights: self.weighted.then_some(&self.weights[..]),
            rules: &self.rules,
            limits: &self.limits,
            columns,
            threads: self.ctx.threads,
        };
        let grown = grow(&soil, &mut self.lists, &mut self.reuse);
        let real: Vec<f64> = match self.params.loss.leaf_quantile() {
            Some(share) => {
                self.ctx.threads.map(grown.leaves.len(), |i| self.quantile(&grown.leaves[i], share))
            }
            None => grown.leaves.iter().flat_map(|leaf| self.rules.leaf_values(&packed, leaf)).collect(),
        };
        let real: Vec<f64> = real.into_iter().map(|value| value * self.params.learning_rate).collect();
        let linear = self.is_linear();
        let grid = *self.grid.get_or_insert_with(|| {
            let largest = real.iter().fold(0.0f64, |m, w| m.max(w.abs()));
            let shift = shift_for(largest, self.params.leaf_bits, linear);
            // The starting score of a regression must stay whole in a double.
            let start = self.initial.iter().fold(f64::MIN_POSITIVE, |m, s| m.max(s.abs()));
            let mut shift = shift;
            while start * pow2(i32::from(shift)) > pow2(50) {
                shift -= 1;
            }
            self.shift = shift;
            pow2(-i32::from(shift))
        });
        if self.trees.is_empty() {
            self.place_initial_scores(grid);
        }
        let most = (1i64 << (self.params.leaf_bits - 1)) - 1;
        let leaves: Vec<i32> = real.iter().map(|w| round_i64(w / grid).clamp(-most, most) as i32).collect();
        let any = leaves.iter().any(|&q| q != 0);
        self.add_scores(&grown, &leaves, width, first_output);
        self.trees.push(Tree {
            first_output: first_output as u32,
            width: width as u32,
            splits: grown.splits,
            leaves,
        });
        any
    }

    /// True where a score is the predicted number itself, on any grid and with an offset.
    fn is_linear(&self) -> bool {
        matches!(self.objective.target, Target::Values(_)) && !self.params.loss.is_log()
    }

    /// Puts the starting scores on the grid, and continues from the rounded ones.
    fn place_initial_scores(&mut self, grid: f64) {
        let linear = self.is_linear();
        for (k, real) in self.initial.iter_mut().enumerate() {
            let rounded = round_i64(*real / grid);
            if linear {
                self.offset = rounded;
            } else {
                // Log odds are below 50 and the grid is at least 2^-20, so this fits easily.
                self.initial_scores[k] = rounded as i32;
            }
            *real = rounded as f64 * grid;
        }
    }

    /// The quantile of what is left of the targets of a leaf's training rows.
    fn quantile(&self, leaf: &GrownLeaf, share: f64) -> f64 {
        let Target::Values(values) = self.objective.target else { return 0.0 };
        let score = self.real_score();
        let rows = self.lists.train[leaf.train.clone()].iter().map(|&r| r as usize);
        let mut left: Vec<(f64, f64)> =
            rows.map(|row| (values[row] - score(row, 0), f64::from(self.weights[row]))).collect();
        let value = weighted_quantile(&mut left, share);
        if self.rules.constraints.clip() { leaf.freedom.clip(value) } else { value }
    }

    fn add_scores(&mut self, grown: &Grown, leaves: &[i32], width: usize, first_output: usize) {
        for (leaf, values) in grown.leaves.iter().zip(leaves.chunks_exact(width)) {
            let train = &self.lists.train[leaf.train.clone()];
            let others = &self.lists.others[leaf.others.clone()];
            for &row in train.iter().chain(others) {
                let start = row as usize * self.width + first_output;
                for (score, &value) in self.scores[start..start + width].iter_mut().zip(values) {
                    *score = score.saturating_add(value);
                }
            }
        }
    }

    fn other_loss(&self) -> f64 {
        self.objective.loss(&self.lists.others, &self.given_weights, self.real_score(), self.ctx.threads)
    }

    /// Scores of the other rows in the order in which they were given.
    fn other_scores(&self) -> Vec<i32> {
        let mut out = Vec::with_capacity(self.other_order.len() * self.width);
        for &row in &self.other_order {
            let start = row as usize * self.width;
            let scores = self.scores[start..start + self.width].iter().zip(&self.initial_scores);
            out.extend(scores.map(|(s, i)| s.saturating_add(*i)));
        }
        out
    }
}

/// The finest grid on which leaves [`HEADROOM`] times the largest of the first round still fit.
/// Probabilities are linked at 20 fraction bits at most, and need no more than one step in 2^-20.
fn shift_for(largest: f64, leaf_bits: u32, linear: bool) -> i16 {
    let levels = ((1i64 << (leaf_bits - 1)) - 1) as f64;
    let headroom = if leaf_bits >= 12 { HEADROOM } else { 2.0 };
    if !(largest > 0.0 && largest.is_finite()) {
        // Only the starting score is left to be told apart.
        return if linear { 50 } else { 12 };
    }
    let mut shift = 0i32;
    while shift < 1000 && largest * headroom * pow2(shift + 1) <= levels {
        shift += 1;
    }
    while shift > -1000 && largest * headroom * pow2(shift) > levels {
        shift -= 1;
    }
    if linear { shift as i16 } else { shift.clamp(0, 20) as i16 }
}
