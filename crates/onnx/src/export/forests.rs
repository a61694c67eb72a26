//! `Forest`: trees over codes as `TreeEnsembleRegressor` of ai.onnx.ml.
//!
//! Codes are at most 255, so single precision holds them and every threshold: each row takes the branch that it takes in
//! the model. Missing is NaN, whose side each node states. A set of categories is a column of its own: 1 for the codes that
//! go right, looked up in a table that knows the side of missing too.
//!
//! ONNX adds leaves in single precision, which holds whole numbers up to 2^24. Where sums of leaves may be larger, a leaf
//! is written as `low + 4096 high` to two targets, and trees are dealt to as many ensembles as keep each sum below 2^24;
//! the sums are put together in `int64`.

use super::step::Step;
use super::writer::{Attribute, Element};
use crate::error::Error;
use ir::Forest;
use ir::forest::{Child, CodeSet, MISSING, Split, Test, Tree};
use ir::op::ForestOp;
use std::collections::BTreeMap;

/// Sums of whole numbers up to this size are exact in single precision, in any order.
const MOST: i64 = 1 << 24;
/// Bits of the lower part of a leaf.
const LOW_BITS: u32 = 12;

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
    let is_split = !fits(&trees, n_outputs);
    let mut sum = initial;
    for batch in batches(&trees, n_outputs, is_split) {
        let ensemble = ensemble(&batch, &places, n_outputs, is_split);
        let made = s.w.ml("TreeEnsembleRegressor", &[&x], ensemble);
        let mut made = s.w.cast(&made, Element::Int64);
        if is_split {
            made = joined(s, &made, n_outputs);
        }
        sum = s.w.op("Add", &[&sum, &made]);
    }
    Ok(sum)
}

/// `low + 4096 high` of the targets `low_0, .., high_0, ..`.
fn joined(s: &mut Step<'_>, made: &str, n_outputs: usize) -> String {
    let at =
        |first: usize| (first..first + n_outputs).filter_map(|k| i64::try_from(k).ok()).collect::<Vec<i64>>();
    let (low, high) = (s.w.ints(&[n_outputs], &at(0)), s.w.ints(&[n_outputs], &at(n_outputs)));
    let (low, high) = (s.w.gather(made, &low, 1), s.w.gather(made, &high, 1));
    let step = s.w.int(1 << LOW_BITS);
    let high = s.w.op("Mul", &[&high, &step]);
    s.w.op("Add", &[&low, &high])
}

/// The parts of a leaf: itself, or low and high.
fn parts(leaf: i32, is_split: bool) -> [i64; 2] {
    if is_split {
        let low = leaf & ((1 << LOW_BITS) - 1);
        [low.into(), (leaf >> LOW_BITS).into()]
    } else {
        [leaf.into(), 0]
    }
}

/// Adds the largest size of a leaf of the tree, by target.
fn grow(sizes: &mut [i64], tree: &Tree, n_outputs: usize, is_split: bool) {
    let width = tree.width as usize;
    for k in 0..width {
        let column = tree.leaves.iter().skip(k).step_by(width.max(1));
        let mut most = [0, 0];
        for &leaf in column {
            let parts = parts(leaf, is_split);
            most = [most[0].max(parts[0].abs()), most[1].max(parts[1].abs())];
        }
        for (part, most) in most.into_iter().enumerate() {
            if let Some(size) = sizes.get_mut(part * n_outputs + tree.first_output as usize + k) {
                *size += most;
            }
        }
    }
}

/// True if no sum of the trees' leaves, in any order, leaves the whole numbers of single precision.
fn fits(trees: &[&Tree], n_outputs: usize) -> bool {
    let mut sizes = vec![0; 2 * n_outputs];
    trees.iter().for_each(|tree| grow(&mut sizes, tree, n_outputs, false));
    sizes.iter().all(|&size| size <= MOST)
}

/// Trees in order, in as few runs as keep every sum of a run within single precision.
fn batches<'t>(trees: &[&'t Tree], n_outputs: usize, is_split: bool) -> Vec<Vec<&'t Tree>> {
    let mut all = Vec::new();
    let mut batch: Vec<&Tree> = Vec::new();
    let mut sizes = vec![0; 2 * n_outputs];
    for &tree in trees {
        grow(&mut sizes, tree, n_outputs, is_split);
        if sizes.iter().any(|&size| size > MOST) && !batch.is_empty() {
            all.push(std::mem::take(&mut batch));
            sizes.fill(0);
            grow(&mut sizes, tree, n_outputs, is_split);
        }
        batch.push(tree);
    }
    all.push(batch);
    all
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
            let codes = s.w.cast(&codes, Element::Float);
            parts.push(s.w.op("Where", &[&is_missing, &nan, &codes]));
        }
        for (&feature, sets) in &self.sets {
            let codes = s.input(feature as usize)?;
            let answer = |code: u8, (set, missing_right): &Set| match code {
                MISSING => *missing_right,
                code => CodeSet(*set).contains(code),
            };
            let table: Vec<f32> = (0..=MISSING)
                .flat_map(|code| sets.keys().map(move |set| f32::from(u8::from(answer(code, set)))))
                .collect();
            let table = s.w.floats(&[256, sets.len()], &table);
            parts.push(s.w.gather(&table, &codes, 0));
        }
        Ok(s.w.side_by_side(&parts))
    }
}

/// The attributes of an ensemble, while trees are added.
#[derive(Default)]
struct Nodes {
    tree: Vec<i64>,
    node: Vec<i64>,
    feature: Vec<i64>,
    value: Vec<f32>,
    mode: Vec<String>,
    yes: Vec<i64>,
    no: Vec<i64>,
    missing_yes: Vec<i64>,
    target_tree: Vec<i64>,
    target_node: Vec<i64>,
    target: Vec<i64>,
    weight: Vec<f32>,
}

impl Nodes {
    fn add(&mut self, idx: i64, tree: &Tree, places: &Places, n_outputs: usize, is_split: bool) {
        // Splits have their own numbers, leaves those behind them. The root comes first.
        let n_splits = tree.splits.len();
        let number = |at: usize| i64::try_from(at).unwrap_or(i64::MAX);
        let child = |child: Child| match child {
            Child::Split(at) => i64::from(at),
            Child::Leaf(at) => number(n_splits + at as usize),
        };
        for (at, split) in tree.splits.iter().enumerate() {
            // "Less or equal" is yes, and goes where our "no" goes: left.
            let (value, missing_yes) = match split.test {
                Test::Greater(code) => (f32::from(code), split.missing_left),
                Test::In(_) => (0.5, false),
            };
            let sides = (child(split.left), child(split.right));
            self.node(idx, number(at), places.of_split(split), value, "BRANCH_LEQ", sides, missing_yes);
        }
        let width = tree.width as usize;
        for (at, leaf) in tree.leaves.chunks_exact(width.max(1)).enumerate() {
            let at = number(n_splits + at);
            self.node(idx, at, 0, 0.0, "LEAF", (0, 0), false);
            for (k, &value) in leaf.iter().enumerate() {
                let of_parts = parts(value, is_split).into_iter().take(1 + usize::from(is_split));
                for (part, value) in of_parts.enumerate() {
                    self.target_tree.push(idx);
                    self.target_node.push(at);
                    self.target.push(number(part * n_outputs + tree.first_output as usize + k));
                    // Whole and within 2^24, so nothing is lost.
                    self.weight.push(value as f32);
                }
            }
        }
    }

    fn node(
        &mut self,
        tree: i64,
        at: i64,
        feature: i64,
        value: f32,
        mode: &str,
        sides: (i64, i64),
        missing_yes: bool,
    ) {
        self.tree.push(tree);
        self.node.push(at);
        self.feature.push(feature);
        self.value.push(value);
        self.mode.push(mode.to_string());
        self.yes.push(sides.0);
        self.no.push(sides.1);
        self.missing_yes.push(missing_yes.into());
    }
}

fn ensemble(
    trees: &[&Tree],
    places: &Places,
    n_outputs: usize,
    is_split: bool,
) -> Vec<(&'static str, Attribute)> {
    let mut n = Nodes::default();
    for (idx, tree) in (0i64..).zip(trees) {
        n.add(idx, tree, places, n_outputs, is_split);
    }
    let n_targets = i64::try_from(n_outputs * (1 + usize::from(is_split))).unwrap_or(i64::MAX);
    vec![
        ("n_targets", Attribute::Int(n_targets)),
        ("aggregate_function", Attribute::Word("SUM")),
        ("post_transform", Attribute::Word("NONE")),
        ("nodes_treeids", Attribute::Ints(n.tree)),
        ("nodes_nodeids", Attribute::Ints(n.node)),
        ("nodes_featureids", Attribute::Ints(n.feature)),
        ("nodes_values", Attribute::Floats(n.value)),
        ("nodes_modes", Attribute::Texts(n.mode)),
        ("nodes_truenodeids", Attribute::Ints(n.yes)),
        ("nodes_falsenodeids", Attribute::Ints(n.no)),
        ("nodes_missing_value_tracks_true", Attribute::Ints(n.missing_yes)),
        ("target_treeids", Attribute::Ints(n.target_tree)),
        ("target_nodeids", Attribute::Ints(n.target_node)),
        ("target_ids", Attribute::Ints(n.target)),
        ("target_weights", Attribute::Floats(n.weight)),
    ]
}
