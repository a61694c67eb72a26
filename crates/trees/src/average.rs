//! Growing averages: forests whose trees know nothing of each other, and single trees.
//!
//! A tree splits by squared error, which for classes as 0 and 1 is Gini's index. Weights are whole
//! numbers here, so that class sums are exact and a leaf of one class is seen to be one. Leaves hold
//! class shares or means, summed from the rows themselves and rounded to one grid, so a score is an
//! integer sum. Trees are grown side by side, each from its own seed.

use crate::Error;
use crate::boost::Rows;
use crate::constraint::Constraints;
use crate::error::Kind;
use crate::grow::{RowLists, grow};
use crate::matrix::CodeMatrix;
use crate::objective::Target;
use crate::packed::Packed;
use crate::rules::SplitRules;
use crate::sample::{Columns, Reuse};
use crate::soil::{Limits, Soil};
use ir::digest::mix;
use ir::fixed::{power_of_two as pow2, round_i64};
use ir::forest::{Child, MISSING, Split, Tree};
use jobs::{Ctx, Seed, Threads};

/// The rows that a tree is grown on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// Every one.
    All,
    /// As many as there are, with replacement.
    Bootstrap,
}

/// Parameters of an average; ranges are checked by the learner that owns them.
#[derive(Clone, Debug)]
pub struct AverageParams {
    /// Number of trees.
    pub n_trees: u32,
    /// Leaves of a tree; 0 means no limit.
    pub max_leaves: usize,
    /// Splits on a path; 0 means no limit.
    pub max_depth: usize,
    /// Rows (weights) in a leaf.
    pub min_leaf_rows: f64,
    /// Rows of a tree.
    pub draw: Draw,
    /// Share of the features that a split looks at; more while none of them parts the rows.
    pub column_share: f64,
    /// One threshold at random a feature instead of all of them.
    pub random_thresholds: bool,
    /// Rows of the whole table's mean that are added to each leaf.
    pub smoothing: f64,
    /// Bits of a leaf.
    pub leaf_bits: u32,
    /// Whether averages without rounding are wanted besides.
    pub with_floats: bool,
    /// Whether the trees are wanted, or the scores of `rows.others` alone, which take a fraction of the memory.
    pub keeps_trees: bool,
}

/// An average of trees in the matrix's codes.
#[derive(Debug)]
pub struct Average {
    /// Trees whose leaves are on the grid; none where scores alone are wanted.
    pub trees: Vec<Tree>,
    /// Scores before any tree: zeros.
    pub initial_scores: Vec<i32>,
    /// Regression: a score is `2^-shift` of a real one; else 0.
    pub shift: i16,
    /// Regression: added to a score. Two classes: half of all votes; several: all of them.
    pub offset: i64,
    /// Scores of `rows.others` without `offset`, in their order, `[n_others, n_outputs]`.
    pub other_scores: Vec<i32>,
    /// Averages of the leaves of `rows.others` as they were before rounding, in their order: shares of the second
    /// of two classes, of each of several, or means, `[n_others, n_outputs]`. Empty unless asked for.
    pub other_floats: Vec<f64>,
}

/// Weights in training are whole numbers up to this one.
const MOST_WEIGHT: f64 = 65_535.0;
/// Values are whole numbers up to this one times the weight's scale.
const MOST_VALUE: f64 = 4_194_303.0;
/// Trees grown between two looks at the clock; fixed, so that threads change nothing.
const BATCH: u32 = 16;

/// Grows an average. Stops early, keeping what it has, when the context's budget is spent or cancelled.
/// The same seed gives the same trees on any number of threads.
/// Cost: `O(trees * rows * features * depth)`.
///
/// # Errors
/// `NoRows` without a training row of positive weight, `Cancelled` before the first tree, `SeveralTargets`.
/// # Source  Breiman, Random Forests, Machine Learning 45, 2001; Geurts et al., Extremely Randomized
/// Trees, Machine Learning 63, 2006; deviations: splits between codes, random thresholds uniform in
/// codes instead of values, missing values take the better side.
pub fn average(
    codes: &CodeMatrix,
    target: &Target<'_>,
    weights: Option<&[f32]>,
    rows: Rows,
    params: &AverageParams,
    seed: Seed,
    ctx: &Ctx<'_>,
) -> Result<Average, Error> {
    if let Target::Several(targets) = target {
        return Err(Kind::SeveralTargets { n_targets: targets.len() }.into());
    }
    let given = |row: u32| weights.map_or(1.0, |w| f64::from(w[row as usize]));
    let mut train = rows.train;
    train.retain(|&row| given(row) > 0.0);
    train.sort_unstable();
    if train.is_empty() {
        return Err(Kind::NoRows.into());
    }
    if ctx.cancel.is_cancelled() {
        return Err(Kind::Cancelled.into());
    }
    let stand = Stand::new(codes, target, weights, train, params, seed);
    // Real leaves take more room than all else, so they are rounded as soon as their grid is known.
    let is_known = !matches!(target, Target::Values(_));
    let mut sums = Sums::new(&stand, &rows.others);
    let (mut trees, mut n_trees) = (Vec::new(), 0);
    while n_trees < params.n_trees {
        if ctx.is_over() && n_trees > 0 {
            break;
        }
        let n = BATCH.min(params.n_trees - n_trees);
        trees.extend(ctx.threads.map(n as usize, |i| stand.tree(n_trees + i as u32, &rows.others)));
        n_trees += n;
        if is_known {
            sums.add(std::mem::take(&mut trees), stand.levels() as f64, ctx.threads);
        }
        ctx.progress.advance(n.into());
    }
    let (shift, factor, offset) = stand.grid(&trees, n_trees as usize);
    sums.add(trees, factor, ctx.threads);
    Ok(sums.end(n_trees, shift, offset))
}

/// A tree before its leaves are rounded.
struct Leafy {
    way: Way,
    /// Real leaves, `[n_leaves, width]`, for regression from the mean.
    values: Vec<f64>,
}

/// How rows held back come to their leaves.
enum Way {
    Splits(Vec<Split>),
    /// The leaf of each of them.
    Leaves(Vec<u32>),
}

/// What all trees have in common.
struct Stand<'a> {
    codes: &'a CodeMatrix,
    target: &'a Target<'a>,
    params: &'a AverageParams,
    seed: Seed,
    train: Vec<u32>,
    /// Weight of each row as given; none when all weigh 1.
    weights: Option<&'a [f32]>,
    /// Steps of a weight of 1, and the weight of a step.
    steps: f64,
    width: usize,
    /// Weighted means of the training rows, one an output.
    means: Vec<f64>,
    /// Largest distance from the mean, for regression.
    spread: f64,
}

impl<'a> Stand<'a> {
    fn new(
        codes: &'a CodeMatrix,
        target: &'a Target<'a>,
        weights: Option<&'a [f32]>,
        train: Vec<u32>,
        params: &'a AverageParams,
        seed: Seed,
    ) -> Stand<'a> {
        let width = target.n_outputs();
        let weight = |row: u32| weights.map_or(1.0, |w| f64::from(w[row as usize]));
        let largest = train.iter().map(|&r| weight(r)).fold(0.0, f64::max);
        let whole = largest <= 1000.0 && train.iter().all(|&r| weight(r) == round_i64(weight(r)) as f64);
        // A row may be drawn a dozen times.
        let steps = if whole { 1.0 } else { MOST_WEIGHT / 16.0 / largest };
        let mut stand = Stand {
            codes,
            target,
            params,
            seed,
            train,
            weights,
            steps,
            width,
            means: vec![0.0; width],
            spread: 0.0,
        };
        let mut total = 0.0;
        let mut sums = vec![0.0; width];
        // Sums of differences from one value, which lose nothing far from zero.
        let base = match target {
            Target::Values(values) => values[stand.train[0] as usize],
            Target::Binary(_) | Target::Classes { .. } | Target::Several(_) => 0.0,
        };
        for &row in &stand.train {
            total += weight(row);
            for (k, sum) in sums.iter_mut().enumerate() {
                *sum += weight(row) * (stand.value(row, k) - base);
            }
        }
        stand.means = sums.iter().map(|s| base + s / total).collect();
        if let Target::Values(values) = target {
            let away = |&r: &u32| (values[r as usize] - stand.means[0]).abs();
            stand.spread = stand.train.iter().map(away).fold(0.0, f64::max);
        }
        stand
    }

    /// What a tree predicts: membership in a class, or the number.
    fn value(&self, row: u32, k: usize) -> f64 {
        match *self.target {
            Target::Binary(labels) => f64::from(labels[row as usize] == 1),
            Target::Classes { labels, .. } => f64::from(labels[row as usize] as usize == k),
            Target::Values(values) => values[row as usize],
            // Refused before.
            Target::Several(_) => 0.0,
        }
    }

    /// How often each training row is drawn.
    fn counts(&self, number: u32) -> Vec<u32> {
        let n = self.train.len();
        let key = self.seed.derive("rows", number.into()).0;
        match self.params.draw {
            Draw::All => vec![1; n],
            Draw::Bootstrap => {
                let mut counts = vec![0; n];
                for i in 0..n as u64 {
                    let random = mix(key.wrapping_add(i));
                    counts[((u128::from(random) * n as u128) >> 64) as usize] += 1;
                }
                counts
            }
        }
    }

    /// Grows one tree.
    fn tree(&self, number: u32, others: &[u32]) -> Leafy {
        let threads = Threads::one();
        let counts = self.counts(number);
        let mut drawn = vec![0f32; self.codes.n_rows()];
        let mut words = vec![[0i64; 2]; self.codes.n_rows() * self.width];
        let mut taken = Vec::new();
        let regression = matches!(self.target, Target::Values(_));
        let mut most = 1.0f64;
        for (&row, &count) in self.train.iter().zip(&counts) {
            if count > 0 {
                let weight = self.weights.map_or(1.0, |w| f64::from(w[row as usize])) * f64::from(count);
                drawn[row as usize] = weight as f32;
                taken.push(row);
                most = most.max(weight * self.steps);
            }
        }
        let scale = if !regression {
            1.0
        } else if self.spread > 0.0 {
            MOST_VALUE / (self.spread * most)
        } else {
            0.0
        };
        for &row in &taken {
            let steps = round_i64(f64::from(drawn[row as usize]) * self.steps).clamp(1, MOST_WEIGHT as i64);
            for k in 0..self.width {
                let value = self.value(row, k) - if regression { self.means[0] } else { 0.0 };
                // Gradients point away from the target.
                let g = -round_i64(value * scale * steps as f64);
                words[row as usize * self.width + k] = [g, steps];
            }
        }
        let packed = Packed::whole(&words, self.width, if scale > 0.0 { 1.0 / scale } else { 1.0 });
        drop(words);
        // Rounding alone gains less than this.
        let size = if regression { self.spread } else { 1.0 };
        let rules = SplitRules {
            l1: 0.0,
            l2: 0.0,
            path_smoothing: 0.0,
            min_gain: 1e-9 * size * size,
            min_leaf_rows: self.params.min_leaf_rows,
            min_leaf_hessian: 0.0,
            cat_smooth: 1.0,
            cat_l2: 0.0,
            max_cat_set: 128,
            max_one_vs_rest: 4,
            min_cat_rows: self.params.min_leaf_rows,
            random_thresholds: self.params.random_thresholds,
            constraints: Constraints::default(),
            output_weights: Vec::new(),
        };
        let max_leaves = if self.params.max_leaves == 0 { usize::MAX } else { self.params.max_leaves };
        let n = self.codes.n_features();
        let columns = Columns::PerSplit {
            from: (0..n).collect(),
            n: ((n as f64 * self.params.column_share) as usize).clamp(1, n.max(1)),
            key: self.seed.derive("splits", number.into()).0,
        };
        let soil = Soil {
            codes: self.codes,
            packed: &packed,
            weights: Some(&drawn),
            rules: &rules,
            limits: &Limits { max_leaves, max_depth: self.params.max_depth, symmetric: false },
            columns: &columns,
            threads: &threads,
        };
        let mut lists = RowLists { train: taken, others: Vec::new() };
        let grown = grow(&soil, &mut lists, &mut Reuse::default());
        let mut values = Vec::with_capacity(grown.leaves.len() * self.width);
        for leaf in &grown.leaves {
            let rows = &lists.train[leaf.train.clone()];
            let total: f64 = rows.iter().map(|&r| f64::from(drawn[r as usize])).sum();
            for k in 0..self.width {
                // Class sums of whole weights are exact; a mean is taken from the table's mean.
                let base = if regression { self.means[0] } else { 0.0 };
                let away = |&r: &u32| f64::from(drawn[r as usize]) * (self.value(r, k) - base);
                let sum: f64 = rows.iter().map(away).sum();
                let prior = self.params.smoothing * (self.means[k] - base);
                values.push((sum + prior) / (total + self.params.smoothing));
            }
        }
        let splits = grown.splits;
        // Of a deep tree, where rows end takes less room than how they got there.
        let is_deep = size_of_val(&splits[..]) > size_of_val(others);
        let way = if is_deep && !self.params.keeps_trees {
            Way::Leaves(others.iter().map(|&row| self.leaf_of(&splits, row)).collect())
        } else {
            Way::Splits(splits)
        };
        Leafy { way, values }
    }

    /// The largest value of a leaf.
    fn levels(&self) -> i64 {
        (1i64 << (self.params.leaf_bits - 1)) - 1
    }

    /// The grid of so many trees: the shift of a score, what a real leaf is multiplied by, the offset of all scores. For
    /// classes the first two are known before a tree is.
    fn grid(&self, trees: &[Leafy], n_trees: usize) -> (i16, f64, i64) {
        let (levels, n_trees) = (self.levels(), n_trees.max(1));
        // Of two classes a score counts votes from half of them on: -levels is class 0, levels is class 1.
        if !matches!(self.target, Target::Values(_)) {
            return (0, levels as f64, levels * n_trees as i64);
        }
        let share = |w: f64| w / n_trees as f64;
        let largest = trees.iter().flat_map(|t| &t.values).fold(0.0f64, |m, w| m.max(share(*w).abs()));
        let start = self.means[0].abs().max(f64::MIN_POSITIVE);
        // The finest grid on which leaves fit and the mean stays whole in a double.
        let fits = |bits| largest * pow2(bits) <= levels as f64 && start * pow2(bits) <= pow2(50);
        let mut bits = 50i32;
        while bits > -1000 && !fits(bits) {
            bits -= 1;
        }
        while (50..1000).contains(&bits) && largest > 0.0 && fits(bits + 1) {
            bits += 1;
        }
        (bits as i16, pow2(bits) / n_trees as f64, round_i64(self.means[0] * pow2(bits)))
    }

    /// The leaf of the row held back in a place.
    fn reached(&self, tree: &Leafy, place: usize, others: &[u32]) -> usize {
        let leaf = match &tree.way {
            Way::Leaves(leaves) => leaves[place],
            Way::Splits(splits) => self.leaf_of(splits, others[place]),
        };
        leaf as usize
    }

    /// The leaf that a row held back travels to.
    fn leaf_of(&self, splits: &[Split], row: u32) -> u32 {
        let mut at = if splits.is_empty() { Child::Leaf(0) } else { Child::Split(0) };
        loop {
            match at {
                Child::Leaf(leaf) => return leaf,
                Child::Split(split) => {
                    let split = &splits[split as usize];
                    let feature = split.feature as usize;
                    let code = self.codes.code(feature, row);
                    let missing = u16::from(code) == self.codes.features()[feature].n_codes;
                    at = split.next(if missing { MISSING } else { code });
                }
            }
        }
    }
}

/// What trees come to: the trees themselves, if they are wanted, and sums over the leaves of rows held back.
struct Sums<'a> {
    stand: &'a Stand<'a>,
    others: &'a [u32],
    trees: Vec<Tree>,
    /// `[n_others, n_outputs]`.
    scores: Vec<i32>,
    /// The same of real leaves; empty unless asked for.
    floats: Vec<f64>,
}

impl<'a> Sums<'a> {
    fn new(stand: &'a Stand<'a>, others: &'a [u32]) -> Sums<'a> {
        let n = others.len() * stand.width;
        let n_floats = if stand.params.with_floats { n } else { 0 };
        Sums { stand, others, trees: Vec::new(), scores: vec![0; n], floats: vec![0.0; n_floats] }
    }

    /// Adds trees, whose real leaves times `factor` are rounded.
    fn add(&mut self, trees: Vec<Leafy>, factor: f64, threads: &Threads) {
        let &mut Sums { stand, others, .. } = self;
        let (levels, width) = (stand.levels(), stand.width);
        let is_binary = matches!(stand.target, Target::Binary(_));
        let leaf = |w: f64| {
            let real = if is_binary { (2.0 * w - 1.0) * factor } else { w * factor };
            round_i64(real).clamp(-levels, levels) as i32
        };
        let places = (stand, others, threads);
        over_leaves(&trees, &mut self.scores, places, &|score, value| *score += leaf(value));
        over_leaves(&trees, &mut self.floats, places, &|sum, value| *sum += value);
        let rounded = |Leafy { way, values }: Leafy| match way {
            Way::Splits(splits) if stand.params.keeps_trees => {
                let (first_output, width) = (0, width as u32);
                Some(Tree { first_output, width, splits, leaves: values.into_iter().map(leaf).collect() })
            }
            Way::Splits(_) | Way::Leaves(_) => None,
        };
        self.trees.extend(trees.into_iter().filter_map(rounded));
    }

    fn end(self, n_trees: u32, shift: i16, offset: i64) -> Average {
        let Sums { stand, trees, scores: other_scores, floats, .. } = self;
        let base = if matches!(stand.target, Target::Values(_)) { stand.means[0] } else { 0.0 };
        let other_floats = floats.into_iter().map(|sum| base + sum / f64::from(n_trees)).collect();
        Average { trees, initial_scores: vec![0; stand.width], shift, offset, other_scores, other_floats }
    }
}

/// Adds to the sums of each row held back, `[n_others, width]`, the real leaf that it reaches in each tree.
fn over_leaves<T: Send>(
    trees: &[Leafy],
    sums: &mut [T],
    (stand, others, threads): (&Stand<'_>, &[u32], &Threads),
    add: &(impl Fn(&mut T, f64) + Sync),
) {
    let width = stand.width;
    threads.chunks(sums, 1024 * width, |first, sums| {
        for (i, sums) in sums.chunks_exact_mut(width).enumerate() {
            for tree in trees {
                let values = &tree.values[stand.reached(tree, first / width + i, others) * width..];
                sums.iter_mut().zip(values).for_each(|(sum, &value)| add(sum, value));
            }
        }
    });
}
