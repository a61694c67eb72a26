//! Gradient boosting with the deployed integers in the loop.
//!
//! Every leaf is rounded to the grid on which it will be stored before scores are updated, so later
//! trees correct what rounding lost, and the scores at the end are those of the written model. The same
//! loop runs without rounding ([`boost_floats`]), to see what rounding costs.

mod grid;
mod onto;
mod params;
mod scores;

pub use onto::{Offsets, Onto};
pub use params::{BoostParams, Rounds};

use crate::Error;
use crate::by_gradient::draw_by_gradient;
use crate::error::Kind;
use crate::grow::{GrownLeaf, RowLists, grow};
use crate::matrix::CodeMatrix;
use crate::objective::{Objective, OneTarget, Target, standardized, weighted_quantile};
use crate::packed::Gradient;
use crate::rules::SplitRules;
use crate::sample::{Columns, Reuse, columns, draw};
use crate::soil::{Limits, Soil};
use ir::fixed::{exponent, power_of_two, scaled};
use ir::forest::Tree;
use jobs::{Ctx, Seed, Threads};
use onto::Before;
use scores::{NewTree, OnGrid, Real, Scores, Start};

/// Rows that are learnt from, and rows whose scores are wanted besides.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The training part.
    pub train: Vec<u32>,
    /// The validation part; may be empty. Training rows may be among them: their scores are then told too.
    pub others: Vec<u32>,
}

/// What is boosted.
#[derive(Clone)]
pub struct BoostInput<'a> {
    /// The codes of all rows.
    pub codes: &'a CodeMatrix,
    /// The target of all rows.
    pub target: Target<'a>,
    /// Weight of each row, at least 0; `None` weighs all alike.
    pub weights: Option<&'a [f32]>,
    /// Scores that the trees are added to; `None` starts from a constant.
    pub offsets: Option<Offsets<'a>>,
    /// The rows to learn from, and those whose scores are wanted.
    pub rows: Rows,
}

/// A boosted forest in the matrix's codes.
#[derive(Debug)]
pub struct Boosted {
    /// Trees whose leaves are on the grid of the trees.
    pub trees: Vec<Tree>,
    /// Scores of the forest before any tree, on its grid; zeros for regression.
    pub initial_scores: Vec<i32>,
    /// A score is `2^-shift` of a real one: one of the forest, or of its sum with the offsets. Of several targets that of
    /// the first.
    pub shift: i16,
    /// Regression: added to a score, on its grid.
    pub offset: i64,
    /// Grids of the scores of the second target on, where there are several.
    pub further: Vec<LeafGrid>,
    /// How the forest's scores are added to the offsets, where there are some.
    pub onto: Option<Onto>,
    /// Scores of `rows.others` without `offset`, in their order, `[n_others, n_outputs]`; sums where there are offsets.
    pub other_scores: Vec<i32>,
    /// Rounds kept.
    pub n_rounds: u32,
}

/// The grid of one of several targets: its real scores are `2^-shift (score + offset)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeafGrid {
    /// Fraction bits of a score.
    pub shift: i16,
    /// Regression: added to a score.
    pub offset: i64,
}

/// Boosts a forest.
///
/// Stops early, keeping what it has, when the context's budget is spent or cancelled. The same seed gives the same
/// forest on any number of threads. Cost: `O(rounds * rows * features)` with a factor that falls with the depth.
///
/// With offsets the trees learn what these leave over. Their scores, on a grid of their own, are added by [`Onto`] in
/// integers, and each round sees that sum. First comes the constant that is best added to all offsets; offsets that are
/// the same for all rows thus give the forest that there is without any.
///
/// Several targets share trees: a leaf has a value for each, and a split gains what it gains in all of them. Numbers of
/// other sizes gain alike, and have grids of their own. `K` copies of a target give the splits and leaves of one, where
/// no sums of gains tie otherwise.
///
/// # Errors
/// `NoRows` without a training row of positive weight, `Cancelled` before the first tree,
/// `MonotoneOutputs` and `MonotoneCategory` for directions that trees cannot keep, `SymmetricDepth` for
/// symmetric trees of too many leaves, `Offsets` for offsets of other rows, `SeveralOffsets`, and `MixedTargets`.
/// # Source  Friedman, Ann. Statist. 29, 2001; Ke et al., NeurIPS 2017 (histograms, leaf-wise
/// growth); deviations: integer gradients ([`crate`]), leaves rounded in the loop.
pub fn boost(
    input: BoostInput<'_>,
    params: &BoostParams,
    seed: Seed,
    ctx: &Ctx<'_>,
) -> Result<Boosted, Error> {
    let end = ctx.threads.within(|| run::<OnGrid>(input, params, seed, ctx))?;
    let OnGrid { mut trees, initial_scores, shift, offsets, onto, .. } = end.scores;
    trees.truncate(end.n_trees);
    let offset_of = |output: usize| offsets.get(output).copied().unwrap_or(0);
    let further = end.exponents.iter().enumerate().skip(1);
    Ok(Boosted {
        trees,
        initial_scores,
        shift: shift - end.exponents.first().copied().unwrap_or(0),
        offset: offset_of(0),
        further: further.map(|(k, e)| LeafGrid { shift: shift - e, offset: offset_of(k) }).collect(),
        onto,
        other_scores: end.other_scores,
        n_rounds: end.n_rounds,
    })
}

/// Real scores of `rows.others` by the same recipe without rounding, starting scores or offsets included, in their
/// order, `[n_others, n_outputs]`.
///
/// Everything is as in [`boost`] but this: gradients are those of single precision, each sum of them exact
/// (a gradient below `2^-17` of the round's largest is rounded to `2^-41` of it), and leaves and scores are
/// doubles. The number of rounds is found anew, by the real scores. Independent of threads; `params.leaf_bits`
/// is without effect.
///
/// # Errors
/// Those of [`boost`].
pub fn boost_floats(
    input: BoostInput<'_>,
    params: &BoostParams,
    seed: Seed,
    ctx: &Ctx<'_>,
) -> Result<Vec<f64>, Error> {
    let end = ctx.threads.within(|| run::<Real>(input, params, seed, ctx))?;
    let exponents = &end.exponents;
    let real = |(at, score): (usize, f64)| scaled(score, exponents[at % exponents.len()].into());
    Ok(end.other_scores.into_iter().enumerate().map(real).collect())
}

/// Where a run came to.
struct End<S: Scores> {
    scores: S,
    /// Trees of the rounds that are kept.
    n_trees: usize,
    n_rounds: u32,
    /// Scores of the other rows after these rounds.
    other_scores: Vec<S::Score>,
    /// A real score is `2^exponent` of one within the trees: one for all outputs, or one a target.
    exponents: Vec<i16>,
}

fn run<S: Scores>(
    input: BoostInput<'_>,
    params: &BoostParams,
    seed: Seed,
    ctx: &Ctx<'_>,
) -> Result<End<S>, Error> {
    // Numbers are brought to a size of about 1 by a power of two, which is exact, so that gradients fit
    // single precision whatever the unit of the target.
    // Where scores are logs, the unit is in them and gradients are relative.
    let is_number = input.target.is_of_numbers() && !params.loss.is_log();
    check_several(&input)?;
    let (mut small, mut several, mut exponents) = (Vec::new(), Vec::new(), vec![0]);
    match input.target {
        Target::Values(values) if is_number => (small, exponents[0]) = scale_down(values, &input),
        Target::Several(targets) => (several, exponents) = scale_several(targets, is_number, &input),
        _ => {}
    }
    let target = match input.target {
        Target::Values(_) if is_number => Target::Values(&small),
        Target::Several(_) => Target::Several(&several),
        other => other,
    };
    let input = BoostInput { target, ..input };
    if params.loss.is_log() {
        refuse_negative(&input)?;
    }
    let n_scores = input.codes.n_rows() * input.target.n_outputs();
    if let Some(got) = input.offsets.map(|offsets| offsets.scores.len()).filter(|&got| got != n_scores) {
        return Err(Kind::Offsets { expected: n_scores, got }.into());
    }
    // Offsets are those of one target. What parameters say of sizes is in its unit, or in that of several at one size.
    let exponent = if exponents.len() > 1 { 0 } else { exponents[0] };
    let before = input.offsets.map(|offsets| Before::new(offsets, exponent.into()));
    let unit = power_of_two(-i32::from(exponent));
    let mut run = Run::<S>::new(input, before, (params, unit), seed, ctx)?;
    let (most, patience) = match params.rounds {
        Rounds::Exactly(n) => (n, None),
        Rounds::Until { patience, most } => (most, Some(patience)),
    };
    // The round of lowest loss, and the one that is kept: the first whose loss is hardly higher.
    let mut lowest = (f64::INFINITY, 0u32);
    let mut best = (f64::INFINITY, 0u32, Vec::new());
    let mut n_rounds = 0;
    let mut idle = 0;
    while n_rounds < most {
        let stop = ctx.is_over();
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
            if best.1 == 0 || loss < best.0 - params.round_tolerance * best.0.abs() {
                best = (loss, n_rounds, run.other_scores());
            }
            if loss < lowest.0 {
                lowest = (loss, n_rounds);
            } else if n_rounds - lowest.1 >= patience {
                break;
            }
        }
    }
    let (kept, other_scores) = match patience {
        Some(_) if !run.lists.others.is_empty() && best.1 > 0 => (best.1, best.2),
        _ => (n_rounds, run.other_scores()),
    };
    let n_trees = kept as usize * if run.class_trees { run.width } else { 1 };
    Ok(End { scores: run.scores, n_trees, n_rounds: kept, other_scores, exponents })
}

/// Refuses several targets of two kinds, and offsets beside several.
fn check_several(input: &BoostInput<'_>) -> Result<(), Error> {
    let Target::Several(targets) = input.target else { return Ok(()) };
    let is_number = |one: &OneTarget| one.target().is_of_numbers();
    if targets.iter().any(|one| is_number(one) != input.target.is_of_numbers()) {
        return Err(Kind::MixedTargets.into());
    }
    match input.offsets {
        Some(_) => Err(Kind::SeveralOffsets { n_targets: targets.len() }.into()),
        None => Ok(()),
    }
}

/// Several targets as the trees see them, and the exponents that were taken off.
fn scale_several(
    targets: &[OneTarget],
    is_number: bool,
    input: &BoostInput<'_>,
) -> (Vec<OneTarget>, Vec<i16>) {
    if !is_number {
        return (targets.to_vec(), vec![0; targets.len()]);
    }
    let weight = |row: u32| input.weights.map_or(1.0, |weights| weights[row as usize]);
    let rows: Vec<u32> = input.rows.train.iter().copied().filter(|&row| weight(row) > 0.0).collect();
    let weights: Vec<f32> = (0..input.codes.n_rows() as u32).map(weight).collect();
    standardized(targets, &rows, &weights)
}

/// Refuses targets below 0 where scores are logs.
fn refuse_negative(input: &BoostInput<'_>) -> Result<(), Error> {
    let refuse = |values: &[f64], rows: &[u32]| {
        let of_rows = rows.iter().map(|&row| values[row as usize]);
        match of_rows.into_iter().find(|value| value.is_nan() || *value < 0.0) {
            Some(value) => Err(Error::from(Kind::Negative { value })),
            None => Ok(()),
        }
    };
    match input.target {
        Target::Values(values) => refuse(values, &input.rows.train),
        Target::Several(targets) => targets.iter().try_for_each(|one| match one.target() {
            Target::Values(values) => refuse(values, &one.known_of(&input.rows.train)),
            _ => Ok(()),
        }),
        Target::Binary(_) | Target::Classes { .. } => Ok(()),
    }
}

/// Values times `2^-exponent`, the exponent that of the largest of the rows, offsets among them.
fn scale_down(values: &[f64], input: &BoostInput<'_>) -> (Vec<f64>, i16) {
    let all = || input.rows.train.iter().chain(&input.rows.others);
    let offset = |&row: &u32| input.offsets.and_then(|offsets| offsets.real(row as usize));
    let sizes = all().map(|&row| values[row as usize]).chain(all().filter_map(offset));
    let exponent = exponent(sizes.map(f64::abs).fold(0.0, f64::max));
    (values.iter().map(|&v| scaled(v, -exponent)).collect(), exponent as i16)
}

struct Run<'a, S> {
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
    /// All rows, rising.
    lists: RowLists,
    other_order: Vec<u32>,
    width: usize,
    class_trees: bool,
    rules: SplitRules,
    limits: Limits,
    reuse: Reuse,
    scores: S,
    gradients: Vec<Gradient>,
}

impl<'a, S: Scores> Run<'a, S> {
    fn new(
        input: BoostInput<'a>,
        mut before: Option<Before>,
        (params, unit): (&'a BoostParams, f64),
        seed: Seed,
        ctx: &'a Ctx<'a>,
    ) -> Result<Run<'a, S>, Error> {
        let BoostInput { codes, target, weights, rows, .. } = input;
        let objective = Objective { target, loss: params.loss };
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
        // Training rows travel already.
        let mut others: Vec<u32> =
            rows.others.iter().copied().filter(|&r| train_weights[r as usize] == 0.0).collect();
        others.sort_unstable();
        let class_trees = width > 1 && params.one_tree_per_class;
        let mut rules = params.rules(codes, n_train, if class_trees { 1 } else { width }, unit)?;
        if !class_trees {
            rules.output_weights = objective.output_weights();
        }
        let start = Start {
            n_rows,
            initial: match &mut before {
                None => objective.initial(&train, &train_weights),
                Some(before) => before.initial(&objective, (&train, &train_weights), ctx.threads),
            },
            is_linear: target.is_of_numbers() && !params.loss.is_log(),
            leaf_bits: params.leaf_bits,
            before,
        };
        Ok(Run {
            codes,
            objective,
            params,
            seed,
            ctx,
            weights: train_weights,
            given_weights,
            weighted: weights.is_some(),
            lists: RowLists { train, others },
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
            scores: S::new(start),
            gradients: vec![[0.0; 2]; n_rows * width],
        })
    }

    /// Real scores by row and output.
    fn real_score(&self) -> impl Fn(usize, usize) -> f64 + Sync + Send + use<'_, S> {
        let scores = &self.scores;
        move |row, k| scores.real(row, k)
    }

    /// Rounds in a row that may change nothing before boosting ends: a sample or an offset of rounding may be
    /// unlucky, all rows and columns on a fine grid cannot.
    fn patience_of_draws(&self) -> u32 {
        let BoostParams { row_share, gradient_share, column_share, column_share_by_split, .. } = *self.params;
        let shares = [row_share, gradient_share, column_share, column_share_by_split];
        let is_lucky = shares.iter().any(|&share| share < 1.0) || self.params.leaf_bits < grid::FINE_BITS;
        if is_lucky { 10 } else { 1 }
    }

    /// The rows of one round, if they are not all: those that are learnt from, whose gradients get their
    /// weights, and those that travel along.
    fn sample(&mut self, number: u32, gradients: &mut [Gradient]) -> Option<RowLists> {
        let BoostParams { row_share, gradient_share, .. } = *self.params;
        if row_share >= 1.0 && gradient_share >= 1.0 {
            return None;
        }
        let key = self.seed.derive("rows", number.into()).0;
        let (mut taken, mut left) = draw(&self.lists.train, row_share, key);
        if gradient_share < 1.0 {
            let key = self.seed.derive("rows by gradient", number.into()).0;
            let (some, rest) = draw_by_gradient(&taken, gradients, self.width, gradient_share, key);
            taken = some;
            left.extend(rest);
        }
        left.extend(&self.lists.others);
        Some(RowLists { train: taken, others: left })
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
        let sampled = self.sample(number, &mut gradients);
        let lists = sampled.as_ref().unwrap_or(&self.lists);
        let mut reuse = std::mem::take(&mut self.reuse);
        let one = Threads::one();
        let mut any = false;
        if !self.class_trees {
            let tree =
                self.tree(&gradients, (self.width, 0), key, (&columns, lists), &mut reuse, self.ctx.threads);
            any = self.scores.add(tree);
        } else if reuse.is_on() {
            // What a tree costs hangs on those before it.
            let trees: Vec<NewTree> = (0..self.width)
                .map(|k| self.class_tree(&gradients, k, key, (&columns, lists), &mut reuse, self.ctx.threads))
                .collect();
            trees.into_iter().for_each(|tree| any |= self.scores.add(tree));
        } else {
            // As many trees at a time as there are threads: each has its own rows and gradients.
            for first in (0..self.width).step_by(self.ctx.threads.n()) {
                let n = self.ctx.threads.n().min(self.width - first);
                let threads = if n == 1 { self.ctx.threads } else { &one };
                let trees = self.ctx.threads.map(n, |i| {
                    let mut reuse = Reuse::default();
                    self.class_tree(&gradients, first + i, key, (&columns, lists), &mut reuse, threads)
                });
                trees.into_iter().for_each(|tree| any |= self.scores.add(tree));
            }
        }
        self.reuse = reuse;
        self.gradients = gradients;
        any
    }

    /// Grows the tree of one class.
    fn class_tree(
        &self,
        gradients: &[Gradient],
        class: usize,
        key: u64,
        from: (&Columns, &RowLists),
        reuse: &mut Reuse,
        threads: &Threads,
    ) -> NewTree {
        let column: Vec<Gradient> = gradients.chunks_exact(self.width).map(|row| row[class]).collect();
        let key = self.seed.derive("class", class as u64).0 ^ key;
        self.tree(&column, (1, class), key, from, reuse, threads)
    }

    /// Grows one tree over `width` outputs from `first_output` on.
    fn tree(
        &self,
        gradients: &[Gradient],
        (width, first_output): (usize, usize),
        key: u64,
        (columns, lists): (&Columns, &RowLists),
        reuse: &mut Reuse,
        threads: &Threads,
    ) -> NewTree {
        let packed = S::pack(gradients, width, key, threads);
        let mut lists = lists.clone();
        let soil = Soil {
            codes: self.codes,
            packed: &packed,
            weights: self.weighted.then_some(&self.weights[..]),
            rules: &self.rules,
            limits: &self.limits,
            columns,
            threads,
        };
        let grown = grow(&soil, &mut lists, reuse);
        let real: Vec<f64> = match self.params.loss.leaf_quantile() {
            Some(share) => {
                let of_leaf = |i: usize| self.quantiles(&grown.leaves[i], &lists.train, share, first_output);
                threads.map(grown.leaves.len(), of_leaf).concat()
            }
            None => grown.leaves.iter().flat_map(|leaf| self.rules.leaf_values(&packed, leaf)).collect(),
        };
        let leaves = real.into_iter().map(|value| value * self.params.learning_rate).collect();
        NewTree { grown, lists, leaves, width, first_output }
    }

    /// The quantile of what is left of the targets of a leaf's training rows, one an output of the tree; 0 of a target
    /// that none of the rows knows.
    fn quantiles(&self, leaf: &GrownLeaf, train: &[u32], share: f64, first_output: usize) -> Vec<f64> {
        let score = self.real_score();
        let rows = &train[leaf.train.clone()];
        let quantile = |values: &[f64], rows: &[u32], k: usize| {
            let left = |&row: &u32| {
                let row = row as usize;
                (values[row] - score(row, k), f64::from(self.weights[row]))
            };
            let value = weighted_quantile(&mut rows.iter().map(left).collect::<Vec<_>>(), share);
            if self.rules.constraints.clip() { leaf.freedom.clip(value) } else { value }
        };
        match self.objective.target {
            Target::Values(values) => vec![quantile(values, rows, 0)],
            Target::Several(targets) => {
                let of = |k: usize| match targets[k].target() {
                    Target::Values(values) => quantile(values, &targets[k].known_of(rows), k),
                    _ => 0.0,
                };
                (first_output..first_output + self.tree_width()).map(of).collect()
            }
            Target::Binary(_) | Target::Classes { .. } => vec![0.0; self.tree_width()],
        }
    }

    /// Outputs of a tree.
    fn tree_width(&self) -> usize {
        if self.class_trees { 1 } else { self.width }
    }

    fn other_loss(&self) -> f64 {
        self.objective.loss(&self.lists.others, &self.given_weights, self.real_score(), self.ctx.threads)
    }

    /// Scores of the other rows in the order in which they were given.
    fn other_scores(&self) -> Vec<S::Score> {
        self.scores.of_rows(&self.other_order)
    }
}
