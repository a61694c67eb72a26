//! `TreeEnsembleClassifier` and `TreeEnsembleRegressor`: lists of nodes to forests of reals.

use super::super::Outputs;
use super::scores::{Transform, as_rows, cast, classes, complemented, largest, negated, second_above};
use crate::context::Context;
use crate::error::Error;
use crate::import::ill_formed;
use ir::op::tensor::{Aggregate, Binary, Concat, TreeEnsemble};
use ir::real_forest::{Precision, RealTree, Rule, SourceNode};
use ir::{DType, RealForest, Tensor, TensorData, ValueIdx};
use std::collections::{BTreeMap, BTreeSet};

/// Most outputs of a forest: a number alone must not ask for memory.
const MAX_OUTPUTS: usize = 1 << 16;

/// How many zeros may stand beside each value of a leaf.
pub(super) const MAX_SPARSE: usize = 64;

/// Numbers of an attribute, or of the tensor that stands for it in version 3.
fn reals(c: &Context<'_, '_>, name: &str) -> Result<Vec<f64>, Error> {
    let tensor = c.tensor(&format!("{name}_as_tensor"))?;
    match tensor {
        None => Ok(c.floats(name).unwrap_or_default().into_iter().map(f64::from).collect()),
        Some(tensor) => of_tensor(c, name, &tensor),
    }
}

pub(super) fn of_tensor(c: &Context<'_, '_>, name: &str, tensor: &Tensor) -> Result<Vec<f64>, Error> {
    match tensor.data() {
        TensorData::F32(v) => Ok(v.iter().map(|&x| x.into()).collect()),
        TensorData::F64(v) => Ok(v.clone()),
        other => Err(c.misfit(&format!("attribute \"{name}\""), "f32 or f64", other.dtype().name())),
    }
}

pub(super) fn same_length(c: &Context<'_, '_>, what: &str, expected: usize, got: usize) -> Result<(), Error> {
    if expected == got {
        Ok(())
    } else {
        Err(c.misfit(what, &format!("{expected} elements"), &got.to_string()))
    }
}

fn aggregate(c: &Context<'_, '_>) -> Result<Aggregate, Error> {
    match c.word("aggregate_function", "SUM")?.as_str() {
        "SUM" => Ok(Aggregate::Sum),
        "AVERAGE" => Ok(Aggregate::Average),
        "MIN" => Ok(Aggregate::Min),
        "MAX" => Ok(Aggregate::Max),
        other => Err(c.misfit("attribute \"aggregate_function\"", "SUM, AVERAGE, MIN or MAX", other)),
    }
}

/// The rule of a mode, and whether a missing cell follows yes without being told to.
fn rule(c: &Context<'_, '_>, mode: &str, t: f64) -> Result<(Rule, bool), Error> {
    Ok(match mode {
        "BRANCH_LEQ" => (Rule::LessEqual(t), false),
        "BRANCH_LT" => (Rule::Less(t), false),
        "BRANCH_GTE" => (Rule::GreaterEqual(t), false),
        "BRANCH_GT" => (Rule::Greater(t), false),
        "BRANCH_EQ" => (Rule::Equal(t), false),
        // NaN differs from every number.
        "BRANCH_NEQ" => (Rule::NotEqual(t), true),
        other => {
            return Err(c.misfit("attribute \"nodes_modes\"", "BRANCH_LEQ, BRANCH_LT, .. or LEAF", other));
        }
    })
}

/// The lists of versions 1 to 3, and which leaf adds what.
struct Lists {
    trees: Vec<i64>,
    nodes: Vec<i64>,
    features: Vec<i64>,
    thresholds: Vec<f64>,
    modes: Vec<String>,
    yes: Vec<i64>,
    no: Vec<i64>,
    missing: Vec<i64>,
    /// Places of nodes by tree and number.
    places: BTreeMap<(i64, i64), usize>,
    /// What leaves add: output and value.
    weights: BTreeMap<usize, Vec<(usize, f64)>>,
}

impl Lists {
    fn read(c: &Context<'_, '_>, kind: &str) -> Result<Lists, Error> {
        let ints = |name: &str| c.ints(name).unwrap_or_default();
        let nodes = ints("nodes_nodeids");
        let n = nodes.len();
        let lists = Lists {
            trees: ints("nodes_treeids"),
            features: ints("nodes_featureids"),
            thresholds: reals(c, "nodes_values")?,
            modes: c.words("nodes_modes")?.unwrap_or_default(),
            yes: ints("nodes_truenodeids"),
            no: ints("nodes_falsenodeids"),
            missing: ints("nodes_missing_value_tracks_true"),
            nodes,
            places: BTreeMap::new(),
            weights: BTreeMap::new(),
        };
        // How often nodes were met in training does not matter here.
        reals(c, "nodes_hitrates")?;
        same_length(c, "attribute \"nodes_treeids\"", n, lists.trees.len())?;
        same_length(c, "attribute \"nodes_featureids\"", n, lists.features.len())?;
        same_length(c, "attribute \"nodes_values\"", n, lists.thresholds.len())?;
        same_length(c, "attribute \"nodes_modes\"", n, lists.modes.len())?;
        same_length(c, "attribute \"nodes_truenodeids\"", n, lists.yes.len())?;
        same_length(c, "attribute \"nodes_falsenodeids\"", n, lists.no.len())?;
        if !lists.missing.is_empty() {
            same_length(c, "attribute \"nodes_missing_value_tracks_true\"", n, lists.missing.len())?;
        }
        lists.placed(c, kind)
    }

    fn placed(mut self, c: &Context<'_, '_>, kind: &str) -> Result<Lists, Error> {
        for (at, (&tree, &node)) in self.trees.iter().zip(&self.nodes).enumerate() {
            if self.places.insert((tree, node), at).is_some() {
                return Err(c.misfit(
                    "attribute \"nodes_nodeids\"",
                    "each node of a tree once",
                    &node.to_string(),
                ));
            }
        }
        let ints = |name: &str| c.ints(&format!("{kind}_{name}")).unwrap_or_default();
        let (trees, nodes, ids) = (ints("treeids"), ints("nodeids"), ints("ids"));
        let weights = reals(c, &format!("{kind}_weights"))?;
        for (what, got) in [("treeids", trees.len()), ("nodeids", nodes.len()), ("weights", weights.len())] {
            same_length(c, &format!("attribute \"{kind}_{what}\""), ids.len(), got)?;
        }
        for (((tree, node), id), weight) in trees.into_iter().zip(nodes).zip(ids).zip(weights) {
            let found = self.places.get(&(tree, node)).copied();
            let Some(place) = found.filter(|&at| self.modes[at] == "LEAF") else {
                let got = format!("node {node} of tree {tree}");
                return Err(c.misfit(&format!("attribute \"{kind}_nodeids\""), "leaves", &got));
            };
            let id = c.count(&format!("attribute \"{kind}_ids\""), id)?;
            self.weights.entry(place).or_default().push((id, weight));
        }
        Ok(self)
    }

    fn forest(
        &self,
        c: &Context<'_, '_>,
        precision: Precision,
        initial: Vec<f64>,
        aggregate: Aggregate,
    ) -> Result<RealForest, Error> {
        let n_outputs = initial.len();
        // A tree's root is its first node.
        let mut roots: Vec<usize> = Vec::new();
        let mut outputs: BTreeMap<i64, (usize, usize)> = BTreeMap::new();
        let mut sizes: BTreeMap<i64, (usize, usize)> = BTreeMap::new();
        for (at, &tree) in self.trees.iter().enumerate() {
            let (n_leaves, n_weights) = sizes.entry(tree).or_insert_with(|| {
                roots.push(at);
                (0, 0)
            });
            *n_leaves += usize::from(self.modes[at] == "LEAF");
            for &(id, _) in self.weights.get(&at).into_iter().flatten() {
                if id >= n_outputs {
                    return Err(c.misfit(
                        "outputs of leaves",
                        &format!("below {n_outputs}"),
                        &id.to_string(),
                    ));
                }
                *n_weights += 1;
                let span = outputs.entry(tree).or_insert((id, id + 1));
                *span = (span.0.min(id), span.1.max(id + 1));
            }
        }
        let mut trees = Vec::with_capacity(roots.len());
        for root in roots {
            let tree = self.trees[root];
            let (first, last) = outputs.get(&tree).copied().unwrap_or((0, 1));
            let (n_leaves, n_weights) = sizes.get(&tree).copied().unwrap_or((0, 0));
            let n_values = n_leaves.saturating_mul(last - first);
            if n_values > MAX_SPARSE.saturating_mul(n_leaves + n_weights) {
                let what = format!("tree {tree} whose leaves add to few of many outputs");
                return Err(c.unsupported(&what, "write a tree for each output"));
            }
            if matches!(aggregate, Aggregate::Min | Aggregate::Max) && n_values != n_weights {
                let what = format!(
                    "{} over tree {tree}, of which not every leaf has every output",
                    aggregate.name()
                );
                return Err(c.unsupported(
                    &what,
                    "write a tree for each output, or a weight for each leaf and output",
                ));
            }
            let span = u32::try_from(first).unwrap_or(0)..u32::try_from(last).unwrap_or(0);
            let node = |at: usize| self.node(c, at, first..last);
            let tree = RealTree::gather::<Refused>(span, self.nodes.len(), root, node);
            trees.push(tree.map_err(|e| e.told(c))?);
        }
        finish(c, precision, initial, trees)
    }

    fn node(
        &self,
        c: &Context<'_, '_>,
        at: usize,
        outputs: std::ops::Range<usize>,
    ) -> Result<SourceNode, Refused> {
        let id = u32::try_from(self.nodes[at]).unwrap_or(u32::MAX);
        if self.modes[at] == "LEAF" {
            let mut values = vec![0.0; outputs.len()];
            for &(output, weight) in self.weights.get(&at).into_iter().flatten() {
                values[output - outputs.start] += weight;
            }
            return Ok(SourceNode::Leaf { id, values });
        }
        let child = |node: i64| {
            self.places.get(&(self.trees[at], node)).copied().ok_or_else(|| {
                let what = format!("children of node {} of tree {}", self.nodes[at], self.trees[at]);
                c.misfit(&what, "nodes of the tree", &node.to_string())
            })
        };
        let (rule, follows) = rule(c, &self.modes[at], self.thresholds[at])?;
        let missing_is_yes = follows || self.missing.get(at).is_some_and(|&m| m != 0);
        let feature = feature(c, self.features[at])?;
        Ok(SourceNode::Split {
            feature,
            rule,
            missing_is_yes,
            yes: child(self.yes[at])?,
            no: child(self.no[at])?,
        })
    }
}

/// Errors of this crate and of the graph until they can be told with the node.
pub(super) enum Refused {
    Here(Error),
    Graph(ir::Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::Here(error)
    }
}

impl From<ir::Error> for Refused {
    fn from(error: ir::Error) -> Refused {
        Refused::Graph(error)
    }
}

impl Refused {
    pub(super) fn told(self, c: &Context<'_, '_>) -> Error {
        match self {
            Refused::Here(error) => error,
            Refused::Graph(error) => match error.kind() {
                ir::Kind::Forest { what, expected, got } => c.misfit(what, expected, got),
                _ => ill_formed(&error),
            },
        }
    }
}

pub(super) fn feature(c: &Context<'_, '_>, feature: i64) -> Result<u32, Error> {
    // As many features as fit one more than the largest in 32 bits.
    let found = u32::try_from(feature).ok().filter(|&f| f < u32::MAX);
    found.ok_or_else(|| c.misfit("attribute \"nodes_featureids\"", "0 or more", &feature.to_string()))
}

pub(super) fn finish(
    c: &Context<'_, '_>,
    precision: Precision,
    initial: Vec<f64>,
    trees: Vec<RealTree>,
) -> Result<RealForest, Error> {
    let asked = trees.iter().flat_map(|tree| &tree.splits).map(|split| split.feature).max();
    let n_features = asked.map_or(1, |f| f.saturating_add(1));
    RealForest::try_new(n_features, precision, initial, trees).map_err(|e| Refused::Graph(e).told(c))
}

/// The rows in the precision in which they are compared.
pub(super) fn rows(c: &mut Context<'_, '_>) -> Result<(ValueIdx, Precision), Error> {
    let x = c.input(0)?;
    match c.dtype(x) {
        DType::F64 => Ok((as_rows(c, x)?, Precision::Double)),
        _ => {
            let x = cast(c, x, DType::F32)?;
            Ok((as_rows(c, x)?, Precision::Single))
        }
    }
}

pub(super) fn n_outputs(c: &Context<'_, '_>, name: &str) -> Result<usize, Error> {
    let n = c.count(&format!("attribute \"{name}\""), c.int(name, 1)?)?;
    if (1..=MAX_OUTPUTS).contains(&n) {
        return Ok(n);
    }
    Err(c.misfit(&format!("attribute \"{name}\""), &format!("1 to {MAX_OUTPUTS}"), &n.to_string()))
}

/// Initial scores: the base values, or zeros.
fn initial(c: &Context<'_, '_>, n: usize) -> Result<Vec<f64>, Error> {
    let base = reals(c, "base_values")?;
    if base.is_empty() {
        return Ok(vec![0.0; n]);
    }
    same_length(c, "attribute \"base_values\"", n, base.len())?;
    Ok(base)
}

/// Sums of leaves and base values, aggregated, then transformed; `f32 [n_rows, n_targets]`.
pub(super) fn regressor(c: &mut Context<'_, '_>) -> Outputs {
    let (transform, aggregate) = (Transform::of(c)?, aggregate(c)?);
    let n = n_outputs(c, "n_targets")?;
    let initial = initial(c, n)?;
    let lists = Lists::read(c, "target")?;
    let (x, precision) = rows(c)?;
    let forest = Box::new(lists.forest(c, precision, initial, aggregate)?);
    let scores = c.emit(TreeEnsemble { forest, aggregate }, &[x])?;
    let scores = cast(c, scores, DType::F32)?;
    Ok(vec![transform.apply(c, scores)?])
}

/// Classes, and scores `f32 [n_rows, n_classes]` after the transform; a class is that of the largest score.
///
/// Two classes whose leaves all vote for one of them have one score `s`: the second class wins above 0, or above 1/2 if no
/// leaf votes against it. As ONNX Runtime has it, votes for class 0 then give `[1 - s, s]`, or `[-s, s]` with votes
/// against it, and votes for class 1 give `[0, s]`.
pub(super) fn classifier(c: &mut Context<'_, '_>) -> Outputs {
    let transform = Transform::of(c)?;
    let labels = classes(c, "classlabels_int64s", "classlabels_strings")?;
    let n = labels.len();
    if n < 2 {
        return Err(c.unsupported("one class", "write the class as a constant"));
    }
    let lists = Lists::read(c, "class")?;
    let voted: BTreeSet<usize> = lists.weights.values().flatten().map(|(id, _)| *id).collect();
    match (n, voted.len(), voted.first()) {
        (2, 1, Some(&class)) if class < 2 => one_score(c, lists, labels, transform, class),
        _ => {
            let (x, precision) = rows(c)?;
            let initial = initial(c, n)?;
            let forest = Box::new(lists.forest(c, precision, initial, Aggregate::Sum)?);
            let scores = c.emit(TreeEnsemble { forest, aggregate: Aggregate::Sum }, &[x])?;
            let scores = cast(c, scores, DType::F32)?;
            let label = largest(c, labels, scores)?;
            Ok(vec![label, transform.apply(c, scores)?])
        }
    }
}

fn one_score(
    c: &mut Context<'_, '_>,
    mut lists: Lists,
    labels: TensorData,
    transform: Transform,
    class: usize,
) -> Outputs {
    let start = match (class, &reals(c, "base_values")?[..]) {
        (_, []) => 0.0,
        (0, [base]) => *base,
        (class, base) => {
            let what = format!("{} base values where all leaves vote for class {class} of two", base.len());
            return Err(c.unsupported(&what, "write weights for both classes"));
        }
    };
    let is_vote = lists.weights.values().flatten().all(|(_, weight)| *weight >= 0.0);
    lists.weights.values_mut().flatten().for_each(|(id, _)| *id = 0);
    let (x, precision) = rows(c)?;
    let forest = Box::new(lists.forest(c, precision, vec![start], Aggregate::Sum)?);
    let score = c.emit(TreeEnsemble { forest, aggregate: Aggregate::Sum }, &[x])?;
    let score = cast(c, score, DType::F32)?;
    let label = second_above(c, labels, score, if is_vote { 0.5 } else { 0.0 })?;
    let scores = match (class, is_vote, transform) {
        (1, _, _) => {
            let zero = c.emit(Binary::Sub, &[score, score])?;
            let both = c.emit(Concat { axis: 1 }, &[zero, score])?;
            transform.apply(c, both)?
        }
        (_, true, Transform::None) => complemented(c, score)?,
        (_, false, Transform::None) => negated(c, score)?,
        (_, _, Transform::Logistic) => {
            let both = negated(c, score)?;
            transform.apply(c, both)?
        }
        _ => {
            let what = format!("this transform of one score of two classes ({transform:?})");
            return Err(c.unsupported(&what, "write weights for both classes"));
        }
    };
    Ok(vec![label, scores])
}
