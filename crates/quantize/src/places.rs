//! Where numbers become integers: which values of a network get a pair of `QuantizeLinear` and `DequantizeLinear`.
//!
//! A value gets one if a node that computes with integers takes it. A layer asks for its input; a sum, a product, a
//! pool, a curve do so only if their own output is asked for, so that a tail of the network that nobody needs in
//! integers (scores, a softmax) keeps its floats. Values that only move share one grid.

use crate::roles::{Role, Roles};
use ir::{DType, NodeIdx, ValueIdx};
use std::collections::{BTreeMap, BTreeSet};

/// Which values get pairs, and which of them share a grid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// For each value with a pair, the first value of its group.
    groups: BTreeMap<ValueIdx, ValueIdx>,
    /// Nodes that compute with integers.
    integer: BTreeSet<NodeIdx>,
}

impl Places {
    /// Pairs for a network in which the nodes that `is_kept` names stay floats.
    pub fn of(roles: &Roles<'_>, is_kept: &dyn Fn(NodeIdx) -> bool) -> Places {
        let graph = roles.graph();
        let mut places = Places::default();
        let is_real = |v: ValueIdx| graph.value(v).dtype == DType::F32;
        // Outputs that bounds alone take: they are rounded behind these.
        let mut absorbed = BTreeSet::new();
        for (idx, node, role) in roles.nodes().rev() {
            if is_kept(idx) {
                continue;
            }
            let &[output, ..] = &node.outputs[..] else { continue };
            let is_wanted =
                node.outputs.iter().any(|o| places.groups.contains_key(o) || absorbed.contains(o));
            let taken: Vec<ValueIdx> = match role {
                Role::Bias => {
                    places.integer.insert(idx);
                    continue;
                }
                Role::Layer(_) => roles.activations(node).take(1).collect(),
                Role::Joint(_) if is_wanted => node.inputs.clone(),
                Role::Curve if is_wanted => {
                    let Some(root) = roles.root_of(output) else { continue };
                    if absorbed.contains(&output) {
                        continue;
                    }
                    // Behind a node of floats it is computed before rounding, unless others want its root rounded too.
                    let is_float = roles.maker(root).is_some_and(|(maker, ..)| is_kept(maker));
                    if is_float && !places.groups.contains_key(&root) {
                        continue;
                    }
                    places.mark_curve(roles, output, root);
                    if is_absorbed(roles, output, root, is_kept) {
                        absorbed.insert(root);
                        continue;
                    }
                    vec![root]
                }
                Role::Passing if is_wanted => node.inputs.first().copied().into_iter().collect(),
                _ => continue,
            };
            places.integer.insert(idx);
            for &value in taken.iter().filter(|v| is_real(**v)) {
                places.groups.entry(value).or_insert(value);
            }
            if role == Role::Passing {
                taken.iter().chain(&node.outputs).for_each(|&v| places.join(output, v));
            }
        }
        places
    }

    /// Nodes of the function that gives `output` from `root`.
    fn mark_curve(&mut self, roles: &Roles<'_>, output: ValueIdx, root: ValueIdx) {
        let mut open = vec![output];
        while let Some(value) = open.pop() {
            if value == root {
                continue;
            }
            if let Some((idx, node, _)) = roles.maker(value)
                && self.integer.insert(idx)
            {
                open.extend(roles.activations(node));
            }
        }
    }

    /// Two values get one grid, that of the earlier one.
    fn join(&mut self, a: ValueIdx, b: ValueIdx) {
        let first = |groups: &BTreeMap<ValueIdx, ValueIdx>, v| groups.get(&v).copied().unwrap_or(v);
        let (a, b) = (first(&self.groups, a), first(&self.groups, b));
        let (low, high) = (a.min(b), a.max(b));
        self.groups.insert(low, low);
        self.groups.insert(high, low);
        self.groups.values_mut().filter(|g| **g == high).for_each(|g| *g = low);
    }

    /// Values with a pair, each with the first value of its group.
    pub fn values(&self) -> impl Iterator<Item = (ValueIdx, ValueIdx)> + '_ {
        self.groups.iter().map(|(&value, &group)| (value, group))
    }

    /// The first value of a value's group; none if it gets no pair.
    pub fn group(&self, value: ValueIdx) -> Option<ValueIdx> {
        self.groups.get(&value).copied()
    }

    /// True for a node that computes with integers.
    pub fn is_integer(&self, node: NodeIdx) -> bool {
        self.integer.contains(&node)
    }
}

/// True if the node that makes `root` can put the bounds of a curve on its own output: nobody else takes what lies
/// between.
pub fn is_absorbed(
    roles: &Roles<'_>,
    output: ValueIdx,
    root: ValueIdx,
    is_kept: &dyn Fn(NodeIdx) -> bool,
) -> bool {
    if roles.bounds(output).is_none() {
        return false;
    }
    let mut at = output;
    while at != root {
        let Some((_, node, _)) = roles.maker(at) else { return false };
        let Some(before) = roles.activations(node).next() else { return false };
        if !roles.is_taken_once(before) {
            return false;
        }
        at = before;
    }
    matches!(roles.maker(root), Some((idx, _, Role::Layer(_) | Role::Bias | Role::Joint(_))) if !is_kept(idx))
}
