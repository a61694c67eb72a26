//! `TreeEnsemble` of version 5: flat lists of nodes and leaves to a forest of reals.

use super::super::Outputs;
use super::scores::{Transform, cast};
use super::trees::{MAX_SPARSE, Refused, feature, finish, n_outputs, of_tensor, rows, same_length};
use crate::context::Context;
use crate::error::Error;
use ir::op::tensor::{Aggregate, TreeEnsemble};
use ir::real_forest::{RealTree, Rule, SourceNode};
use ir::{Tensor, TensorData};

/// The lists of version 5.
struct Flat {
    features: Vec<i64>,
    modes: Vec<u8>,
    splits: Vec<f64>,
    yes: (Vec<i64>, Vec<i64>),
    no: (Vec<i64>, Vec<i64>),
    missing: Vec<i64>,
    members: Vec<Vec<[f64; 2]>>,
    /// Which set of members a node has, for the nodes that have one.
    set_of: Vec<usize>,
    targets: Vec<i64>,
    weights: Vec<f64>,
}

impl Flat {
    const MEMBER: u8 = 6;

    fn read(c: &Context<'_, '_>) -> Result<Flat, Error> {
        let ints = |name: &str| c.ints(name).unwrap_or_default();
        let numbers = |name: &str| match c.tensor(name)? {
            Some(tensor) => of_tensor(c, name, &tensor),
            None => Ok(Vec::new()),
        };
        let modes = match c.tensor("nodes_modes")?.as_ref().map(Tensor::data) {
            Some(TensorData::U8(v)) => v.clone(),
            _ => return Err(c.misfit("attribute \"nodes_modes\"", "u8", "another dtype, or none")),
        };
        numbers("nodes_hitrates")?;
        let n = modes.len();
        let features = ints("nodes_featureids");
        let splits = numbers("nodes_splits")?;
        let yes = (ints("nodes_truenodeids"), ints("nodes_trueleafs"));
        let no = (ints("nodes_falsenodeids"), ints("nodes_falseleafs"));
        let missing = ints("nodes_missing_value_tracks_true");
        let (targets, weights) = (ints("leaf_targetids"), numbers("leaf_weights")?);
        for (what, got) in [
            ("nodes_featureids", features.len()),
            ("nodes_splits", splits.len()),
            ("nodes_truenodeids", yes.0.len()),
            ("nodes_trueleafs", yes.1.len()),
            ("nodes_falsenodeids", no.0.len()),
            ("nodes_falseleafs", no.1.len()),
            ("nodes_missing_value_tracks_true", if missing.is_empty() { n } else { missing.len() }),
        ] {
            same_length(c, &format!("attribute \"{what}\""), n, got)?;
        }
        same_length(c, "attribute \"leaf_weights\"", targets.len(), weights.len())?;
        // Sets end with NaN, and stand in the order of the nodes that ask for them.
        let mut members: Vec<Vec<[f64; 2]>> = Vec::new();
        let values = numbers("membership_values")?;
        for set in values.split(|v| v.is_nan()) {
            let mut set = set.to_vec();
            set.sort_by(f64::total_cmp);
            set.dedup();
            members.push(set.into_iter().map(|v| [v, v]).collect());
        }
        // What stands behind the last NaN.
        if members.last().is_some_and(Vec::is_empty) {
            members.pop();
        }
        let mut n_sets = 0;
        let set_of = modes.iter().map(|&mode| {
            n_sets += usize::from(mode == Flat::MEMBER);
            n_sets
        });
        let set_of: Vec<usize> = set_of.collect();
        same_length(c, "sets of \"membership_values\"", n_sets, members.len())?;
        Ok(Flat { features, modes, splits, yes, no, missing, members, set_of, targets, weights })
    }

    /// Splits have the numbers of their nodes; a leaf has one for each side that names it.
    fn node(
        &self,
        c: &Context<'_, '_>,
        at: usize,
        first: usize,
        width: usize,
    ) -> Result<SourceNode, Refused> {
        let n = self.modes.len();
        let (sides, side) = match at.checked_sub(n) {
            Some(rest) if rest % 2 == 0 => (&self.yes, rest / 2),
            Some(rest) => (&self.no, rest / 2),
            None => return self.split(c, at),
        };
        let place = c.count("numbers of leaves", sides.0[side])?;
        let (Some(&target), Some(&weight)) = (self.targets.get(place), self.weights.get(place)) else {
            let expected = format!("below {}", self.targets.len());
            return Err(c.misfit("numbers of leaves", &expected, &place.to_string()).into());
        };
        let mut values = vec![0.0; width];
        let target = c.count("attribute \"leaf_targetids\"", target)?;
        if let Some(value) = target.checked_sub(first).and_then(|at| values.get_mut(at)) {
            *value = weight;
        }
        Ok(SourceNode::Leaf { id: u32::try_from(place).unwrap_or(u32::MAX), values })
    }

    fn split(&self, c: &Context<'_, '_>, at: usize) -> Result<SourceNode, Refused> {
        let t = self.splits[at];
        let (rule, follows) = match self.modes[at] {
            0 => (Rule::LessEqual(t), false),
            1 => (Rule::Less(t), false),
            2 => (Rule::GreaterEqual(t), false),
            3 => (Rule::Greater(t), false),
            4 => (Rule::Equal(t), false),
            5 => (Rule::NotEqual(t), true),
            Flat::MEMBER => (Rule::Within(self.members[self.set_of[at] - 1].clone()), false),
            other => return Err(c.misfit("attribute \"nodes_modes\"", "0 to 6", &other.to_string()).into()),
        };
        let missing_is_yes = follows || self.missing.get(at).is_some_and(|&m| m != 0);
        let n = self.modes.len();
        let child = |sides: &(Vec<i64>, Vec<i64>), side: usize| -> Result<usize, Error> {
            if sides.1[at] != 0 {
                return Ok(n + 2 * at + side);
            }
            let place = c.count("numbers of nodes", sides.0[at])?;
            if place < n {
                return Ok(place);
            }
            Err(c.misfit("numbers of nodes", &format!("below {n}"), &place.to_string()))
        };
        let (yes, no) = (child(&self.yes, 0)?, child(&self.no, 1)?);
        Ok(SourceNode::Split { feature: feature(c, self.features[at])?, rule, missing_is_yes, yes, no })
    }

    /// The outputs that the leaves below a root add to, as a range, and whether that is only one; counts nodes, which all
    /// trees together may not meet more than once.
    fn outputs(
        &self,
        c: &Context<'_, '_>,
        root: usize,
        left: &mut usize,
    ) -> Result<(usize, usize, usize), Error> {
        let (mut first, mut last, mut n_leaves) = (usize::MAX, 0, 0);
        let mut pending = vec![root];
        while let Some(at) = pending.pop() {
            let Some(rest) = left.checked_sub(1).filter(|_| at < self.modes.len()) else {
                return Err(c.misfit("nodes of trees", "each node in one tree", "one twice, or a cycle"));
            };
            *left = rest;
            for sides in [&self.yes, &self.no] {
                let child = c.count("numbers of nodes and leaves", sides.0[at])?;
                if sides.1[at] == 0 {
                    pending.push(child);
                } else if let Some(&target) = self.targets.get(child) {
                    let target = c.count("attribute \"leaf_targetids\"", target)?;
                    (first, last, n_leaves) = (first.min(target), last.max(target + 1), n_leaves + 1);
                }
            }
        }
        Ok((first.min(last), last, n_leaves))
    }
}

/// `TreeEnsemble` of version 5: `[n_rows, n_targets]` of the dtype of the input.
pub(super) fn ensemble(c: &mut Context<'_, '_>) -> Outputs {
    let transform = Transform::of_number(c)?;
    let aggregate = match c.int("aggregate_function", 1)? {
        0 => Aggregate::Average,
        1 => Aggregate::Sum,
        2 => Aggregate::Min,
        3 => Aggregate::Max,
        other => return Err(c.misfit("attribute \"aggregate_function\"", "0 to 3", &other.to_string())),
    };
    let n = n_outputs(c, "n_targets")?;
    let flat = Flat::read(c)?;
    let x = c.input(0)?;
    let dtype = c.dtype(x);
    let (x, precision) = rows(c)?;
    let mut trees = Vec::new();
    let mut left = flat.modes.len();
    for root in c.counts("tree_roots")? {
        let (first, last, n_leaves) = flat.outputs(c, root, &mut left)?;
        if last > n {
            return Err(c.misfit(
                "attribute \"leaf_targetids\"",
                &format!("below {n}"),
                &(last - 1).to_string(),
            ));
        }
        let width = (last - first).max(1);
        if width > MAX_SPARSE {
            let what = format!("the tree at node {root}, whose leaves add to {width} outputs, one each,");
            return Err(c.unsupported(&what, &format!("write a tree for at most {MAX_SPARSE} outputs")));
        }
        if matches!(aggregate, Aggregate::Min | Aggregate::Max) && width > 1 {
            let what =
                format!("{} over trees whose {n_leaves} leaves have several outputs", aggregate.name());
            return Err(c.unsupported(&what, "write a tree for each output"));
        }
        let span = u32::try_from(first).unwrap_or(0)..u32::try_from(first + width).unwrap_or(0);
        let node = |at: usize| flat.node(c, at, first, width);
        let n_nodes = flat.modes.len().saturating_mul(3);
        trees.push(RealTree::gather::<Refused>(span, n_nodes, root, node).map_err(|e| e.told(c))?);
    }
    let forest = Box::new(finish(c, precision, vec![0.0; n], trees)?);
    let scores = c.emit(TreeEnsemble { forest, aggregate }, &[x])?;
    let scores = transform.apply(c, scores)?;
    Ok(vec![cast(c, scores, dtype)?])
}
