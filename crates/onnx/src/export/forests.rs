//! `Forest`: trees over codes as `TreeEnsembleRegressor` of ai.onnx.ml.
//!
//! Codes are at most 255, so single precision holds them and every threshold: each row takes the branch that it takes in
//! the model. Missing is NaN, whose side each node states. A set of categories is a column of its own: 1 for the codes that
//! go right, looked up in a table that knows the side of missing too.
//!
//! ONNX adds leaves in single precision, which holds whole numbers up to 2^24. Where sums of leaves may be larger, a leaf
//! is written as `low + 2^bits high` to two targets, with as many bits as keep both sums below 2^24; they are put together
//! in `int64`.

use super::step::Step;
use crate::error::Error;
use crate::writer::{Attribute, wide};
use ir::DType;
use ir::Forest;
use ir::forest::{Child, CodeSet, MISSING, Split, Test, Tree};
use ir::op::ForestOp;
use std::collections::BTreeMap;

/// Sums of whole numbers up to this size are exact in single precision, in any order.
const MOST: i64 = 1 << 24;
pub(super) fn forest(s: &mut Step<'_>, op: &ForestOp) -> Result<String, Error> {
    let forest = &*op.forest;
    let n_outputs = forest.initial_scores().len();
    let mut initial: Vec<i64> = forest.initial_scores().iter().map(|&v| v.into()).collect();
    let mut trees = Vec::new();
    for tree in forest.trees() {
        if tree.splits.is_empty() {
            let outputs = initial.iter_mut().skip(tree.first_output as usize);
            outputs.zip(&tree.leaves).for_each(|(sum, &leaf)| *sum += i64::from(leaf));
        } else {
            trees.push(tree);
        }
    }
    let initial = s.w.ints(&[1, n_outputs], &initial);
    if trees.is_empty() {
        // As many rows as the codes have.
        let codes = s.input(0)?;
        let column = s.w.as_column(&codes);
        let none = s.w.op("Sub", &[&column, &column]);
        return Ok(s.w.op("Add", &[&none, &initial]));
    }
    let places = Places::of(forest);
    let x = places.matrix(s)?;
    let Some(cut) = Cut::of(&trees, n_outputs) else {
        return Err(s.refuse("a sum of leaves of so many trees", "use at most 65536 trees"));
    };
    let ensemble = ensemble(&trees, &places, n_outputs, cut);
    let made = s.w.ml("TreeEnsembleRegressor", &[&x], ensemble);
    let mut made = s.w.cast(&made, DType::I64);
    if let Cut::At(bits) = cut {
        made = joined(s, &made, n_outputs, bits);
    }
    Ok(s.w.op("Add", &[&made, &initial]))
}

/// `low + 2^bits high` of the targets `low_0, .., high_0, ..`.
fn joined(s: &mut Step<'_>, made: &str, n_outputs: usize, bits: u32) -> String {
    let at = |first: usize| (first..first + n_outputs).map(wide).collect::<Vec<i64>>();
    let (low, high) = (s.w.ints(&[n_outputs], &at(0)), s.w.ints(&[n_outputs], &at(n_outputs)));
    let (low, high) = (s.w.gather(made, &low, 1), s.w.gather(made, &high, 1));
    let step = s.w.int(1 << bits);
    let high = s.w.op("Mul", &[&high, &step]);
    s.w.op("Add", &[&low, &high])
}

/// How leaves are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// As they are.
    Whole,
    /// In two parts, the lower one of so many bits.
    At(u32),
}

impl Cut {
    /// The one that keeps every sum of leaves, in any order, within the whole numbers of single precision.
    fn of(trees: &[&Tree], n_outputs: usize) -> Option<Cut> {
        let cuts = std::iter::once(Cut::Whole).chain((1..24).rev().map(Cut::At));
        cuts.into_iter().find(|cut| cut.fits(trees, n_outputs))
    }

    fn n_parts(self) -> usize {
        if self == Cut::Whole { 1 } else { 2 }
    }

    fn parts(self, leaf: i32) -> [i64; 2] {
        match self {
            Cut::Whole => [leaf.into(), 0],
            Cut::At(bits) => [(leaf & ((1 << bits) - 1)).into(), (leaf >> bits).into()],
        }
    }

    fn fits(self, trees: &[&Tree], n_outputs: usize) -> bool {
        let mut sizes = vec![0i64; 2 * n_outputs];
        for tree in trees {
            let width = tree.width as usize;
            for k in 0..width {
                let mut most = [0, 0];
                for &leaf in tree.leaves.iter().skip(k).step_by(width) {
                    let parts = self.parts(leaf);
                    most = [most[0].max(parts[0].abs()), most[1].max(parts[1].abs())];
                }
                for (part, most) in most.into_iter().enumerate() {
                    if let Some(size) = sizes.get_mut(part * n_outputs + tree.first_output as usize + k) {
                        *size += most;
                    }
                }
            }
        }
        sizes.iter().all(|&size| size <= MOST)
    }
}

/// A set of categories and whether missing goes right.
type Set = ([u64; 4], bool);

/// Where in the ensemble's rows each question finds its number.
struct Places {
    /// Column of the codes of an ordered feature.
    ordered: BTreeMap<u32, i64>,
    /// Column of each set of a feature.
    sets: BTreeMap<u32, BTreeMap<Set, i64>>,
}

fn key(set: CodeSet, split: &Split) -> Set {
    (set.0, !split.missing_left)
}

impl Places {
    fn of(forest: &Forest) -> Places {
        let mut places = Places { ordered: BTreeMap::new(), sets: BTreeMap::new() };
        for split in forest.trees().iter().flat_map(|t| &t.splits) {
            match split.test {
                Test::Greater(_) => {
                    places.ordered.insert(split.feature, 0);
                }
                Test::In(set) => {
                    places.sets.entry(split.feature).or_default().insert(key(set, split), 0);
                }
            }
        }
        let columns =
            places.ordered.values_mut().chain(places.sets.values_mut().flat_map(|sets| sets.values_mut()));
        columns.zip(0..).for_each(|(column, at)| *column = at);
        places
    }

    fn of_split(&self, split: &Split) -> i64 {
        let found = match split.test {
            Test::Greater(_) => self.ordered.get(&split.feature),
            Test::In(set) => self.sets.get(&split.feature).and_then(|sets| sets.get(&key(set, split))),
        };
        found.copied().unwrap_or(0)
    }

    /// `float [N, W]`: the codes of ordered features, missing as NaN, then the answers of the sets.
    fn matrix(&self, s: &mut Step<'_>) -> Result<String, Error> {
        let mut parts = Vec::new();
        let mut ordered = Vec::new();
        for &feature in self.ordered.keys() {
            let codes = s.input(feature as usize)?;
            ordered.push(s.w.as_column(&codes));
        }
        if !ordered.is_empty() {
            let codes = s.w.side_by_side(&ordered);
            let (missing, nan) = (s.w.int(MISSING.into()), s.w.floats(&[], &[f32::NAN]));
            let is_missing = s.w.op("Equal", &[&codes, &missing]);
            let codes = s.w.cast(&codes, DType::F32);
            parts.push(s.w.op("Where", &[&is_missing, &nan, &codes]));
        }
        for (&feature, sets) in &self.sets {
            let codes = s.input(feature as usize)?;
            // Codes beyond those that a set names are alike, so one row stands for them, and the last for missing.
            let named = (0..MISSING).filter(|&c| sets.keys().any(|(set, _)| CodeSet(*set).contains(c)));
            let n_named = named.max().map_or(0, |c| usize::from(c) + 1);
            let answer = |(set, missing_right): &Set, row: usize| match u8::try_from(row) {
                Ok(code) if row < n_named => CodeSet(*set).contains(code),
                _ => *missing_right && row > n_named,
            };
            let rows = 0..n_named + 2;
            let table: Vec<f32> = rows
                .flat_map(|row| sets.keys().map(move |set| f32::from(u8::from(answer(set, row)))))
                .collect();
            let table = s.w.floats(&[n_named + 2, sets.len()], &table);
            let other = wide(n_named);
            let (other, last, missing) = (s.w.int(other), s.w.int(other + 1), s.w.int(MISSING.into()));
            let is_missing = s.w.op("Equal", &[&codes, &missing]);
            let row = s.w.op("Min", &[&codes, &other]);
            let row = s.w.op("Where", &[&is_missing, &last, &row]);
            parts.push(s.w.gather(&table, &row, 0));
        }
        Ok(s.w.side_by_side(&parts))
    }
}

/// A node of an ensemble.
struct TreeNode {
    tree: i64,
    /// Splits have their own numbers, leaves those behind them; the root comes first.
    node: i64,
    mode: &'static str,
    feature: i64,
    value: f32,
    yes: i64,
    no: i64,
    missing_yes: bool,
}

/// What a leaf adds to a target.
struct Weight {
    tree: i64,
    node: i64,
    target: i64,
    weight: f32,
}

/// The nodes of a tree. "Less or equal" is their yes, and goes where the model's no goes: left.
fn nodes_of(idx: i64, tree: &Tree, places: &Places) -> Vec<TreeNode> {
    let n_splits = tree.splits.len();
    let child = |child: Child| match child {
        Child::Split(at) => i64::from(at),
        Child::Leaf(at) => wide(n_splits + at as usize),
    };
    let split = |(at, split): (usize, &Split)| {
        let (value, missing_yes) = match split.test {
            Test::Greater(code) => (f32::from(code), split.missing_left),
            Test::In(_) => (0.5, false),
        };
        let (yes, no) = (child(split.left), child(split.right));
        let (node, feature) = (wide(at), places.of_split(split));
        TreeNode { tree: idx, node, mode: "BRANCH_LEQ", feature, value, yes, no, missing_yes }
    };
    let leaf = |at: usize| {
        let node = wide(n_splits + at);
        TreeNode { tree: idx, node, mode: "LEAF", feature: 0, value: 0.0, yes: 0, no: 0, missing_yes: false }
    };
    tree.splits.iter().enumerate().map(split).chain((0..=n_splits).map(leaf)).collect()
}

fn weights_of(idx: i64, tree: &Tree, n_outputs: usize, cut: Cut) -> Vec<Weight> {
    let width = tree.width as usize;
    let mut weights = Vec::new();
    for (at, leaf) in tree.leaves.chunks_exact(width.max(1)).enumerate() {
        let node = wide(tree.splits.len() + at);
        for (k, &value) in leaf.iter().enumerate() {
            for (part, value) in cut.parts(value).into_iter().take(cut.n_parts()).enumerate() {
                let target = wide(part * n_outputs + tree.first_output as usize + k);
                // Whole and within 2^24, so nothing is lost.
                weights.push(Weight { tree: idx, node, target, weight: value as f32 });
            }
        }
    }
    weights
}

fn ensemble(trees: &[&Tree], places: &Places, n_outputs: usize, cut: Cut) -> Vec<(&'static str, Attribute)> {
    let trees = || (0i64..).zip(trees);
    let nodes: Vec<TreeNode> = trees().flat_map(|(idx, tree)| nodes_of(idx, tree, places)).collect();
    let weights: Vec<Weight> =
        trees().flat_map(|(idx, tree)| weights_of(idx, tree, n_outputs, cut)).collect();
    let of_nodes = |of: fn(&TreeNode) -> i64| Attribute::Ints(nodes.iter().map(of).collect());
    let of_weights = |of: fn(&Weight) -> i64| Attribute::Ints(weights.iter().map(of).collect());
    vec![
        ("n_targets", Attribute::Int(wide(n_outputs * cut.n_parts()))),
        ("aggregate_function", Attribute::Text("SUM".to_string())),
        ("post_transform", Attribute::Text("NONE".to_string())),
        ("nodes_treeids", of_nodes(|n| n.tree)),
        ("nodes_nodeids", of_nodes(|n| n.node)),
        ("nodes_featureids", of_nodes(|n| n.feature)),
        ("nodes_values", Attribute::Floats(nodes.iter().map(|n| n.value).collect())),
        ("nodes_modes", Attribute::Texts(nodes.iter().map(|n| n.mode.to_string()).collect())),
        ("nodes_truenodeids", of_nodes(|n| n.yes)),
        ("nodes_falsenodeids", of_nodes(|n| n.no)),
        ("nodes_missing_value_tracks_true", of_nodes(|n| n.missing_yes.into())),
        ("target_treeids", of_weights(|w| w.tree)),
        ("target_nodeids", of_weights(|w| w.node)),
        ("target_ids", of_weights(|w| w.target)),
        ("target_weights", Attribute::Floats(weights.iter().map(|w| w.weight).collect())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stump(leaves: [i32; 2]) -> Tree {
        let split = Split {
            feature: 0,
            test: Test::Greater(0),
            missing_left: true,
            left: Child::Leaf(0),
            right: Child::Leaf(1),
        };
        Tree { first_output: 0, width: 1, splits: vec![split], leaves: leaves.to_vec() }
    }

    #[test]
    fn leaves_are_cut_only_where_sums_are_long() {
        let cut = |n: usize, leaves| {
            let tree = stump(leaves);
            Cut::of(&vec![&tree; n], 1)
        };
        assert_eq!(cut(16, [1 << 20, -5]), Some(Cut::Whole));
        assert_eq!(cut(16, [(1 << 20) + 1, -5]), Some(Cut::At(20)));
        assert_eq!(cut(1, [i32::MIN, i32::MAX]), Some(Cut::At(23)));
        assert_eq!(cut(1 << 17, [1 << 10, 0]), Some(Cut::At(10)));
        assert_eq!(cut(1 << 17, [i32::MIN, i32::MAX]), None);
        for cut in [Cut::Whole, Cut::At(1), Cut::At(23)] {
            for leaf in [0, 1, -1, i32::MIN, i32::MAX, 123_456_789] {
                let [low, high] = cut.parts(leaf);
                let step = if let Cut::At(bits) = cut { 1i64 << bits } else { 1 };
                assert_eq!(low + step * high, leaf.into());
            }
        }
    }
}
