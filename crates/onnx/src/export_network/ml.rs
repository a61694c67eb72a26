//! Dictionaries and forests of reals, with the operators of ai.onnx.ml.

use super::step::Step;
use crate::error::Error;
use crate::tensor;
use crate::writer::{Attribute, wide};
use ir::forest::Child;
use ir::op::tensor::{Aggregate, TreeEnsemble};
use ir::real_forest::{Precision, RealSplit, RealTree, Rule};
use ir::{DType, RealForest, Tensor, TensorData};

const ML: &str = "ai.onnx.ml";

/// The rest of the elements of a constant, and its last one.
fn parted(data: &TensorData) -> Option<(TensorData, TensorData)> {
    let n = data.len().checked_sub(1)?;
    let all = Tensor::vector(data.clone());
    Some((all.rows(0..n)?.into_data(), all.rows(n..n + 1)?.into_data()))
}

/// Keys or values: a list since version 2, a tensor since 4 for dtypes that have no list.
fn side(
    s: &mut Step<'_>,
    list: [&'static str; 3],
    name: &'static str,
    data: TensorData,
) -> (&'static str, Attribute) {
    let [texts, ints, floats] = list;
    match data {
        TensorData::Str(v) => (texts, Attribute::Texts(v)),
        TensorData::I64(v) => (ints, Attribute::Ints(v)),
        TensorData::F32(v) => (floats, Attribute::Floats(v)),
        other => {
            s.needs_ml(4);
            (name, Attribute::Tensor(tensor::write(name, &Tensor::vector(other))))
        }
    }
}

pub(super) fn label_encoder(s: &mut Step<'_>) -> Result<(), Error> {
    let (Some(keys), Some(values)) = (s.constant(1), s.constant(2)) else {
        return Err(s.refuse("keys or values that are no constants", "look them up by Equal and Where"));
    };
    let fits = |d| matches!(d, DType::Str | DType::I64 | DType::F32 | DType::F64 | DType::I32 | DType::I16);
    if !fits(values.dtype()) {
        return Err(s.refuse(&format!("values of {}", values.dtype()), "cast behind the node"));
    }
    let Some((values, default)) = parted(values.data()) else { return Err(s.broken("values")) };
    let keys = keys.data().clone();
    let has_nan = match &keys {
        TensorData::F32(v) => v.iter().any(|x| x.is_nan()),
        _ => false,
    };
    // Before version 4 NaN is no key that is found.
    s.needs_ml(if has_nan { 4 } else { 2 });
    let default = match default {
        TensorData::Str(v) => ("default_string", Attribute::Text(v.concat())),
        TensorData::I64(v) => ("default_int64", Attribute::Int(v.first().copied().unwrap_or(-1))),
        TensorData::F32(v) => ("default_float", Attribute::Float(v.first().copied().unwrap_or(-0.0))),
        other => ("default_tensor", Attribute::Tensor(tensor::write("default", &Tensor::vector(other)))),
    };
    let keys = side(s, ["keys_strings", "keys_int64s", "keys_floats"], "keys_tensor", keys);
    let values = side(s, ["values_strings", "values_int64s", "values_floats"], "values_tensor", values);
    let x = s.input(0)?;
    s.write_in(ML, "LabelEncoder", vec![x], vec![keys, values, default]);
    Ok(())
}

pub(super) fn tree_ensemble(s: &mut Step<'_>, op: &TreeEnsemble) -> Result<(), Error> {
    let forest = &op.forest;
    let rules = forest.trees().iter().flat_map(|tree| &tree.splits).map(|split| &split.rule);
    let has_sets = rules.clone().any(|rule| matches!(rule, Rule::Within(_)));
    let is_single = forest.precision() == Precision::Single && numbers(forest).all(is_single);
    if is_single && !has_sets && s.versions.ml < 5 {
        s.needs_ml(1);
        return lists(s, op);
    }
    s.needs_ml(5);
    flat(s, op, is_single)
}

fn is_single(x: f64) -> bool {
    x.is_nan() || f64::from(tensor::single(x)) == x
}

/// All thresholds, leaves and initial scores.
fn numbers(forest: &RealForest) -> impl Iterator<Item = f64> + '_ {
    let thresholds =
        forest.trees().iter().flat_map(|tree| &tree.splits).flat_map(|split| match &split.rule {
            Rule::Within(ranges) => ranges.concat(),
            rule => vec![threshold(rule)],
        });
    let leaves = forest.trees().iter().flat_map(|tree| tree.leaves.iter().copied());
    thresholds.chain(leaves).chain(forest.initial_scores().iter().copied())
}

fn threshold(rule: &Rule) -> f64 {
    match rule {
        Rule::Less(t) | Rule::LessEqual(t) | Rule::Greater(t) => *t,
        Rule::GreaterEqual(t) | Rule::Equal(t) | Rule::NotEqual(t) => *t,
        Rule::Within(_) => 0.0,
    }
}

/// A split as ONNX asks it: name and number of the mode, the sides, and where missing goes. A missing cell differs from
/// every number there, so a split that sends it elsewhere asks for the contrary.
struct Asked<'f> {
    mode: (&'static str, u8),
    yes: Child,
    no: Child,
    missing_is_yes: bool,
    split: &'f RealSplit,
}

fn asked(split: &RealSplit) -> Asked<'_> {
    let mode = match &split.rule {
        Rule::LessEqual(_) => ("BRANCH_LEQ", 0),
        Rule::Less(_) => ("BRANCH_LT", 1),
        Rule::GreaterEqual(_) => ("BRANCH_GTE", 2),
        Rule::Greater(_) => ("BRANCH_GT", 3),
        Rule::Equal(_) => ("BRANCH_EQ", 4),
        Rule::NotEqual(_) if split.missing_is_yes => ("BRANCH_NEQ", 5),
        Rule::NotEqual(_) => {
            let (yes, no) = (split.no, split.yes);
            return Asked { mode: ("BRANCH_EQ", 4), yes, no, missing_is_yes: true, split };
        }
        Rule::Within(_) => ("BRANCH_MEMBER", 6),
    };
    Asked { mode, yes: split.yes, no: split.no, missing_is_yes: split.missing_is_yes, split }
}

/// Version 1: lists of nodes, in which leaves come behind splits; numbers are floats.
fn lists(s: &mut Step<'_>, op: &TreeEnsemble) -> Result<(), Error> {
    let (mut trees, mut ids, mut features, mut values, mut modes) = (vec![], vec![], vec![], vec![], vec![]);
    let (mut yes, mut no, mut missing) = (vec![], vec![], vec![]);
    let (mut leaf_trees, mut leaf_nodes, mut leaf_ids, mut weights) = (vec![], vec![], vec![], vec![]);
    for (tree, at) in op.forest.trees().iter().zip(0i64..) {
        let n_splits = wide(tree.splits.len());
        let id = |child: Child| match child {
            Child::Split(split) => i64::from(split),
            Child::Leaf(leaf) => n_splits.saturating_add(leaf.into()),
        };
        for (split, node) in tree.splits.iter().zip(0i64..) {
            let asked = asked(split);
            trees.push(at);
            ids.push(node);
            features.push(i64::from(split.feature));
            values.push(tensor::single(threshold(&split.rule)));
            modes.push(asked.mode.0.to_string());
            yes.push(id(asked.yes));
            no.push(id(asked.no));
            missing.push(i64::from(asked.missing_is_yes));
        }
        for leaf in 0..tree.leaf_ids.len() {
            let node = n_splits.saturating_add(wide(leaf));
            trees.push(at);
            ids.push(node);
            modes.push("LEAF".to_string());
            values.push(0.0);
            for list in [&mut features, &mut yes, &mut no, &mut missing] {
                list.push(0);
            }
            for (output, &value) in leaf_values(tree, leaf) {
                leaf_trees.push(at);
                leaf_nodes.push(node);
                leaf_ids.push(output);
                weights.push(tensor::single(value));
            }
        }
    }
    let initial = op.forest.initial_scores();
    let mut attributes = vec![
        ("n_targets", Attribute::Int(wide(initial.len()))),
        ("aggregate_function", Attribute::Text(op.aggregate.name().to_string())),
        ("nodes_treeids", Attribute::Ints(trees)),
        ("nodes_nodeids", Attribute::Ints(ids)),
        ("nodes_featureids", Attribute::Ints(features)),
        ("nodes_modes", Attribute::Texts(modes)),
        ("nodes_values", Attribute::Floats(values)),
        ("nodes_truenodeids", Attribute::Ints(yes)),
        ("nodes_falsenodeids", Attribute::Ints(no)),
        ("nodes_missing_value_tracks_true", Attribute::Ints(missing)),
        ("target_treeids", Attribute::Ints(leaf_trees)),
        ("target_nodeids", Attribute::Ints(leaf_nodes)),
        ("target_ids", Attribute::Ints(leaf_ids)),
        ("target_weights", Attribute::Floats(weights)),
    ];
    if initial.iter().any(|&score| score != 0.0) {
        let initial = initial.iter().map(|&score| tensor::single(score)).collect();
        attributes.push(("base_values", Attribute::Floats(initial)));
    }
    let x = s.input(0)?;
    s.write_in(ML, "TreeEnsembleRegressor", vec![x], attributes);
    Ok(())
}

/// Outputs and values of a leaf.
fn leaf_values(tree: &RealTree, leaf: usize) -> impl Iterator<Item = (i64, &f64)> {
    let width = tree.width as usize;
    let first = leaf.saturating_mul(width);
    let values = tree.leaves.get(first..first.saturating_add(width)).unwrap_or_default();
    (i64::from(tree.first_output)..).zip(values)
}

/// The lists of version 5.
#[derive(Default)]
struct Flat {
    features: Vec<i64>,
    modes: Vec<u8>,
    thresholds: Vec<f64>,
    yes: (Vec<i64>, Vec<i64>),
    no: (Vec<i64>, Vec<i64>),
    missing: Vec<i64>,
    members: Vec<f64>,
    targets: Vec<i64>,
    weights: Vec<f64>,
    roots: Vec<i64>,
}

impl Flat {
    /// A tree of one output; one that is a leaf alone gets a split both of whose sides are that leaf.
    fn tree(&mut self, tree: &RealTree, output: usize) {
        let (first_node, first_leaf) = (wide(self.modes.len()), wide(self.targets.len()));
        self.roots.push(first_node);
        let child = |sides: &mut (Vec<i64>, Vec<i64>), child: Child| {
            let (place, is_leaf) = match child {
                Child::Split(split) => (first_node.saturating_add(split.into()), 0),
                Child::Leaf(leaf) => (first_leaf.saturating_add(leaf.into()), 1),
            };
            sides.0.push(place);
            sides.1.push(is_leaf);
        };
        for split in &tree.splits {
            let asked = asked(split);
            self.features.push(split.feature.into());
            self.modes.push(asked.mode.1);
            self.thresholds.push(threshold(&split.rule));
            self.missing.push(asked.missing_is_yes.into());
            child(&mut self.yes, asked.yes);
            child(&mut self.no, asked.no);
            if let Rule::Within(points) = &asked.split.rule {
                self.members.extend(points.iter().map(|[first, _]| *first));
                self.members.push(f64::NAN);
            }
        }
        if tree.splits.is_empty() {
            self.features.push(0);
            self.modes.push(0);
            self.thresholds.push(0.0);
            self.missing.push(0);
            child(&mut self.yes, Child::Leaf(0));
            child(&mut self.no, Child::Leaf(0));
        }
        for leaf in 0..tree.leaf_ids.len() {
            let (target, &value) = leaf_values(tree, leaf).nth(output).unwrap_or((0, &0.0));
            self.targets.push(target);
            self.weights.push(value);
        }
    }
}

/// Version 5: numbers are of the dtype in which cells are compared, leaves have one output each, nothing is added behind.
fn flat(s: &mut Step<'_>, op: &TreeEnsemble, is_single: bool) -> Result<(), Error> {
    let mut all = Flat::default();
    for tree in op.forest.trees() {
        if tree.width > 1 && op.aggregate != Aggregate::Sum {
            let what = format!("{} over trees whose leaves have several outputs", op.aggregate.name());
            return Err(s.refuse(&what, "write a tree for each output"));
        }
        let is_range = |rule: &Rule| matches!(rule, Rule::Within(all) if all.iter().any(|[a, b]| a != b));
        if tree.splits.iter().any(|split| is_range(&split.rule)) {
            return Err(s.refuse("a split by ranges of numbers", "write a split for each border"));
        }
        (0..tree.width as usize).for_each(|output| all.tree(tree, output));
    }
    let reals = |name: &'static str, values: Vec<f64>| {
        let data = match is_single {
            true => TensorData::F32(values.into_iter().map(tensor::single).collect()),
            false => TensorData::F64(values),
        };
        (name, Attribute::Tensor(tensor::write(name, &Tensor::vector(data))))
    };
    let aggregate = match op.aggregate {
        Aggregate::Average => 0,
        Aggregate::Sum => 1,
        Aggregate::Min => 2,
        Aggregate::Max => 3,
    };
    let initial = op.forest.initial_scores();
    let modes = tensor::write("nodes_modes", &Tensor::vector(TensorData::U8(all.modes)));
    let mut attributes = vec![
        ("n_targets", Attribute::Int(wide(initial.len()))),
        ("aggregate_function", Attribute::Int(aggregate)),
        ("tree_roots", Attribute::Ints(all.roots)),
        ("nodes_featureids", Attribute::Ints(all.features)),
        ("nodes_modes", Attribute::Tensor(modes)),
        reals("nodes_splits", all.thresholds),
        ("nodes_truenodeids", Attribute::Ints(all.yes.0)),
        ("nodes_trueleafs", Attribute::Ints(all.yes.1)),
        ("nodes_falsenodeids", Attribute::Ints(all.no.0)),
        ("nodes_falseleafs", Attribute::Ints(all.no.1)),
        ("nodes_missing_value_tracks_true", Attribute::Ints(all.missing)),
        ("leaf_targetids", Attribute::Ints(all.targets)),
        reals("leaf_weights", all.weights),
    ];
    if !all.members.is_empty() {
        attributes.push(reals("membership_values", all.members));
    }
    // Single cells against double numbers: compared and summed in doubles, rounded at the end.
    let is_widened = !is_single && op.forest.precision() == Precision::Single;
    let has_initial = initial.iter().any(|&score| score != 0.0);
    let mut x = s.input(0)?;
    if is_widened {
        x = s.w.cast(&x, DType::F64);
    }
    if !is_widened && !has_initial {
        s.write_in(ML, "TreeEnsemble", vec![x], attributes);
        return Ok(());
    }
    let scores = s.w.ml("TreeEnsemble", &[&x], attributes);
    let singles: Vec<f32> = initial.iter().map(|&score| tensor::single(score)).collect();
    let initial = match is_single {
        true => s.w.floats(&[singles.len()], &singles),
        false => s.w.doubles(&[initial.len()], initial),
    };
    if !is_widened {
        s.write_in("", "Add", vec![scores, initial], Vec::new());
        return Ok(());
    }
    let sum = s.w.op("Add", &[&scores, &initial]);
    let to = Attribute::Int(DType::F32.tag().into());
    s.write_in("", "Cast", vec![sum], vec![("to", to)]);
    Ok(())
}
