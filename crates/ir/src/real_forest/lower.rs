//! A forest of reals as codes and integers: which columns of codes it needs, its splits over them, its leaves on a grid.

use super::cuts::Cuts;
use super::{RealForest, RealTree};
use crate::fixed::{from_key_f64, round_i32, round_i64, scaled};
use crate::forest::{Child, CodeSet, CodedFeature, Forest, MAX_CODES, MAX_FEATURES, Split, Test, Tree};
use crate::op::{Bin, ForestOp};
use crate::{Error, GraphBuilder, Kind, Op, Tensor, TensorData, ValueIdx};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

/// Most edges of a column of codes.
const MAX_EDGES: usize = MAX_CODES as usize - 1;

/// How many of the last columns of sets are looked at for room: enough to fill them, and no work that grows with them.
const OPEN_SETS: usize = 4;

/// Which grids the link behind a forest takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grid {
    /// 0 to 20 bits of fraction, as links by powers of e do.
    Powers,
    /// Any; the initial score of a single output stands in the link, so that it takes no bits from the leaves.
    Linear,
}

/// A column of codes that a forest asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct CodedColumn {
    /// Index of the feature that it is made of.
    pub feature: u32,
    /// Edges that strictly rise, at most 253.
    pub edges: Vec<f64>,
}

/// A forest over codes that takes every row to the leaf to which the forest of reals takes it.
///
/// A score is `2^-shift (score + offset)` and differs from the sum of the reals by at most `bound`, which is the sum over
/// trees of the largest difference of a leaf and its integer: at most `(n_trees + 1) 2^-(shift + 1)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Lowered {
    /// The trees over codes.
    pub forest: Arc<Forest>,
    /// What its features are made of, in their order.
    pub columns: Vec<CodedColumn>,
    /// Features of the forest of reals that columns are made of, rising.
    pub used: Vec<u32>,
    /// Fraction bits of a score.
    pub shift: i16,
    /// Added to a score by the link; 0 but for `Grid::Linear`.
    pub offset: i64,
    /// Largest difference from the sum of the reals, one an output.
    pub bounds: Vec<f64>,
    /// For each tree, which leaf of the tree of reals stands at each place.
    pub leaf_order: Vec<Vec<u32>>,
}

/// Columns of codes of one feature: thresholds in order, then sets.
#[derive(Default)]
struct Feature {
    thresholds: Vec<i64>,
    sets: Vec<BTreeSet<i64>>,
    /// Some rule answers every number alike and needs a column without more.
    needs_one: bool,
    first_column: u32,
}

impl Feature {
    fn n_ordered(&self) -> usize {
        self.thresholds.len().div_ceil(MAX_EDGES).max(usize::from(self.needs_one || self.sets.is_empty()))
    }

    /// Puts the borders of a set into a column that has room; gives the place of the column.
    fn hold(&mut self, borders: &[i64]) -> u32 {
        let oldest = self.sets.len().saturating_sub(OPEN_SETS);
        let room = |set: &BTreeSet<i64>| {
            let more = borders.iter().filter(|b| !set.contains(b)).count();
            set.len() + more <= MAX_EDGES
        };
        let found = (oldest..self.sets.len()).find(|&at| room(&self.sets[at]));
        let at = found.unwrap_or_else(|| {
            self.sets.push(BTreeSet::new());
            self.sets.len() - 1
        });
        self.sets[at].extend(borders);
        at as u32
    }
}

impl RealForest {
    /// The same forest over codes, with leaves on the finest power-of-two grid of which no sum leaves i32.
    ///
    /// A feature with more than 253 different borders gets several columns of codes. A rule that is not one threshold is
    /// a set of the codes between its borders. Scores are exact sums of rounded leaves, see [`Lowered`]. O(n log n) for n
    /// splits; memory is some times that of the forest.
    ///
    /// # Errors
    /// `Unsuited` for a rule with more than 253 borders, for more than 65,536 columns of codes, and for scores that no grid
    /// of the link holds.
    pub fn lower(&self, grid: Grid) -> Result<Lowered, Error> {
        let plan = Plan::of(self)?;
        let (shift, offset) = self.finest(grid)?;
        let mut bounds: Vec<f64> = Vec::with_capacity(self.initial_scores.len());
        let mut initial = Vec::with_capacity(self.initial_scores.len());
        for &score in &self.initial_scores {
            let real = scaled(score, shift.into());
            let (kept, rounded) = match offset {
                Some(offset) => (0, offset as f64),
                None => (round_i32(real), f64::from(round_i32(real))),
            };
            initial.push(kept);
            bounds.push(scaled((real - rounded).abs(), -i32::from(shift)));
        }
        let mut trees = Vec::with_capacity(self.trees.len());
        let mut leaf_order = Vec::with_capacity(self.trees.len());
        for (tree, sets) in self.trees.iter().zip(&plan.set_of) {
            let (splits, order) = self.splits(tree, sets, &plan);
            let mut leaves = Vec::with_capacity(tree.leaves.len());
            let mut worst = vec![0f64; tree.width as usize];
            for &leaf in &order {
                for (&value, worst) in tree.values(leaf).iter().zip(&mut worst) {
                    let real = scaled(value, shift.into());
                    let kept = round_i32(real);
                    *worst = worst.max((real - f64::from(kept)).abs());
                    leaves.push(kept);
                }
            }
            let of_tree = bounds[tree.first_output as usize..].iter_mut().zip(worst);
            of_tree.for_each(|(bound, worst)| *bound += scaled(worst, -i32::from(shift)));
            trees.push(Tree { first_output: tree.first_output, width: tree.width, splits, leaves });
            leaf_order.push(order);
        }
        let forest = Arc::new(Forest::try_new(plan.coded, initial, trees)?);
        let (columns, used) = (plan.columns, plan.used);
        Ok(Lowered { forest, columns, used, shift, offset: offset.unwrap_or(0), bounds, leaf_order })
    }

    /// The most bits of fraction with which no sum of any trees leaves i32, and the initial score on that grid where it
    /// stands in the link.
    fn finest(&self, grid: Grid) -> Result<(i16, Option<i64>), Error> {
        let apart = grid == Grid::Linear && self.initial_scores.len() == 1;
        // For each output the most that trees add, the most that they take, and how many they are.
        let start = |&s: &f64| if apart { (0.0, 0.0, 1.0) } else { (s.max(0.0), (-s).max(0.0), 1.0) };
        let mut sums: Vec<(f64, f64, f64)> = self.initial_scores.iter().map(start).collect();
        for tree in &self.trees {
            for k in 0..tree.width as usize {
                let (up, down, n) = &mut sums[tree.first_output as usize + k];
                let values = || tree.leaves.iter().skip(k).step_by(tree.width as usize);
                *up += values().fold(0.0, |m: f64, v| m.max(*v));
                *down += values().fold(0.0, |m: f64, v| m.max(-v));
                *n += 1.0;
            }
        }
        // A rounded leaf is at most half above; sums of doubles here are good to far more than the 8 that are spared.
        const LIMIT: f64 = (i32::MAX - 8) as f64;
        // Beyond this an offset could leave i64.
        const WIDEST: f64 = (1i64 << 61) as f64;
        let fits = |shift: i32| {
            let of_trees = sums
                .iter()
                .all(|(up, down, n)| scaled(up.max(*down), shift) * (1.0 + 1e-9) + 0.5 * n <= LIMIT);
            of_trees && (!apart || scaled(self.initial_scores[0].abs(), shift) <= WIDEST)
        };
        let (least, most): (i32, i32) = match grid {
            Grid::Powers => (0, 20),
            Grid::Linear => (-1000, 1000),
        };
        // Fitting is monotone: every finer grid has larger sums.
        let (mut low, mut high) = (least - 1, most);
        while low < high {
            let middle = (low + high + 1).div_euclid(2);
            if fits(middle) { low = middle } else { high = middle - 1 }
        }
        if low < least {
            let largest = sums.iter().fold(0.0, |m: f64, (up, down, _)| m.max(*up).max(*down));
            return Err(unsuited(
                "sum of the largest leaves".to_string(),
                &"below 2^31 for this link, and fewer than 2^31 trees",
                &format!("{largest:e} in {} trees", self.trees.len()),
                "check the leaves of the model",
            ));
        }
        let offset = apart.then(|| round_i64(scaled(self.initial_scores[0], low)));
        Ok((low as i16, offset))
    }

    /// Splits over codes in preorder, and the leaves from left to right.
    fn splits(&self, tree: &RealTree, sets: &[u32], plan: &Plan) -> (Vec<Split>, Vec<u32>) {
        let (mut splits, mut order): (Vec<Split>, Vec<u32>) =
            (Vec::with_capacity(tree.splits.len()), Vec::new());
        let mut pending: Vec<(Child, Option<(usize, bool)>)> = vec![(tree.root(), None)];
        while let Some((at, parent)) = pending.pop() {
            let child = match at {
                Child::Leaf(leaf) => {
                    order.push(leaf);
                    Child::Leaf((order.len() - 1) as u32)
                }
                Child::Split(split) => {
                    let place = splits.len();
                    let real = &tree.splits[split as usize];
                    let cuts = Cuts::of(&real.rule, self.precision);
                    let set = sets.get(split as usize).copied().unwrap_or(0);
                    let (feature, test) = plan.test(real.feature, &cuts, set);
                    // The answer of the codes that go right, which are those above the threshold or in the set.
                    let right_is_yes = match test {
                        Test::Greater(_) => !cuts.first,
                        Test::In(_) => true,
                    };
                    let (left, right) = if right_is_yes { (real.no, real.yes) } else { (real.yes, real.no) };
                    let missing_left = real.missing_is_yes != right_is_yes;
                    let here = Child::Leaf(0);
                    splits.push(Split { feature, test, missing_left, left: here, right: here });
                    pending.extend([(right, Some((place, true))), (left, Some((place, false)))]);
                    Child::Split(place as u32)
                }
            };
            if let Some((split, is_right)) = parent {
                let split = &mut splits[split];
                *(if is_right { &mut split.right } else { &mut split.left }) = child;
            }
        }
        (splits, order)
    }
}

impl Lowered {
    /// Appends the nodes to a graph: `inputs` are columns `f64 [N]`, one for each of `used`. Gives scores `i32 [N, K]`.
    ///
    /// # Errors
    /// The graph refuses a node.
    pub fn append(&self, builder: &mut GraphBuilder, inputs: &[ValueIdx]) -> Result<ValueIdx, Error> {
        let mut edges = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            edges.push(builder.constant(Tensor::vector(TensorData::F64(column.edges.clone())))?);
        }
        let mut codes = Vec::with_capacity(self.columns.len());
        for (column, edges) in self.columns.iter().zip(edges) {
            let at = self.used.binary_search(&column.feature).ok();
            let Some(&input) = at.and_then(|at| inputs.get(at)) else {
                let (what, expected) = ("columns of the forest".to_string(), self.used.len().to_string());
                return Err(Kind::Forest { what, expected, got: inputs.len().to_string() }.into());
            };
            codes.push(builder.node(Op::Bin(Bin), &[input, edges])?);
        }
        builder.node(Op::Forest(ForestOp { forest: self.forest.clone() }), &codes)
    }
}

/// Which columns of codes a forest needs, and where each rule finds its codes.
struct Plan {
    features: BTreeMap<u32, Feature>,
    columns: Vec<CodedColumn>,
    coded: Vec<CodedFeature>,
    used: Vec<u32>,
    /// For each tree that has sets, the place of each split's column among those of sets of its feature.
    set_of: Vec<Vec<u32>>,
}

impl Plan {
    fn of(forest: &RealForest) -> Result<Plan, Error> {
        let mut features: BTreeMap<u32, Feature> = BTreeMap::new();
        let mut set_of: Vec<Vec<u32>> = Vec::with_capacity(forest.trees.len());
        for tree in &forest.trees {
            let mut of_tree = Vec::new();
            for (at, split) in tree.splits.iter().enumerate() {
                let cuts = Cuts::of(&split.rule, forest.precision);
                let feature = features.entry(split.feature).or_default();
                match &cuts.borders[..] {
                    [] => feature.needs_one = true,
                    [border] => feature.thresholds.push(*border),
                    borders if borders.len() > MAX_EDGES => {
                        return Err(unsuited(
                            format!("borders in one split on feature {}", split.feature),
                            &format!("at most {MAX_EDGES}"),
                            &borders.len(),
                            "train with fewer categories a split",
                        ));
                    }
                    borders => {
                        of_tree.resize(tree.splits.len(), 0);
                        of_tree[at] = feature.hold(borders);
                    }
                }
            }
            set_of.push(of_tree);
        }
        if features.is_empty() {
            features.insert(0, Feature::default());
        }
        let mut plan = Plan { features, columns: Vec::new(), coded: Vec::new(), used: Vec::new(), set_of };
        for (&idx, feature) in &mut plan.features {
            feature.thresholds.sort_unstable();
            feature.thresholds.dedup();
            feature.first_column = plan.columns.len() as u32;
            plan.used.push(idx);
            let mut column = |borders: &mut dyn Iterator<Item = i64>, ordered: bool| {
                let edges: Vec<f64> = borders.map(from_key_f64).collect();
                plan.coded.push(CodedFeature { n_codes: edges.len() as u16 + 1, ordered });
                plan.columns.push(CodedColumn { feature: idx, edges });
            };
            let chunks = feature.thresholds.chunks(MAX_EDGES).map(<[i64]>::to_vec);
            let mut chunks: Vec<Vec<i64>> = chunks.collect();
            chunks.resize(feature.n_ordered(), Vec::new());
            chunks.into_iter().for_each(|c| column(&mut c.into_iter(), true));
            feature.sets.iter().for_each(|set| column(&mut set.iter().copied(), false));
        }
        if plan.columns.len() > MAX_FEATURES {
            return Err(unsuited(
                "columns of codes".to_string(),
                &format!("at most {MAX_FEATURES}"),
                &plan.columns.len(),
                "train with fewer trees or histograms of fewer bins",
            ));
        }
        Ok(plan)
    }

    /// The question about codes: the code above a threshold, or the codes whose answer is yes.
    fn test(&self, feature: u32, cuts: &Cuts, set: u32) -> (u32, Test) {
        let Some(known) = self.features.get(&feature) else { return (0, Test::Greater(0)) };
        match &cuts.borders[..] {
            // Above the last code is nothing, so that all numbers go left and missing goes where it must.
            [] => {
                let n_codes = self.columns[known.first_column as usize].edges.len();
                (known.first_column, Test::Greater(n_codes as u8))
            }
            [border] => {
                let at = known.thresholds.partition_point(|t| t < border);
                (known.first_column + (at / MAX_EDGES) as u32, Test::Greater((at % MAX_EDGES) as u8))
            }
            _ => {
                let column = known.first_column + known.n_ordered() as u32 + set;
                let mut codes = CodeSet::default();
                if cuts.first {
                    codes.insert(0);
                }
                for (code, border) in known.sets[set as usize].iter().enumerate() {
                    if cuts.above(*border) {
                        codes.insert(code as u8 + 1);
                    }
                }
                (column, Test::In(codes))
            }
        }
    }
}

fn unsuited(
    what: alloc::string::String,
    expected: &dyn ToString,
    got: &dyn ToString,
    instead: &'static str,
) -> Error {
    Kind::Unsuited { what, expected: expected.to_string(), got: got.to_string(), instead }.into()
}
