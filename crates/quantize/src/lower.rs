//! From the QDQ form to the integer form: the one place where that happens.
//!
//! A node whose inputs are dequantized and whose output is quantized again, bounds and a bias between them included,
//! becomes one node on integers; what only moves, moves codes; a function of one value of 8 bits becomes a table. A
//! layer whose output stays a float gives sums on one fine grid in `i32`. What has no integer form keeps its floats,
//! and the pairs around it.
//!
//! Factors between grids are `(m, s)` pairs ([`Requantize`]); node by node, on equal inputs, no output of the integer
//! form is further than one step from that of the QDQ form.

mod curve;
mod layer;
mod nodes;
mod pairs;

use crate::error::Error;
use crate::roles::Roles;
use ir::{Graph, Node, NodeIdx, Op, Origin, Rewrite, Tensor, ValueIdx};
use std::collections::{BTreeMap, BTreeSet};

/// The integer form of a network in QDQ form, and what kept its floats.
pub struct Lowered {
    /// The network.
    pub graph: Graph,
    /// Names of the nodes that compute with floats, but for those that quantize inputs and dequantize outputs.
    pub floats: Vec<String>,
    /// Names of values that nodes on integers make, in the QDQ form and in the integer form.
    pub made: Vec<(String, String)>,
}

/// The integer form of a network.
///
/// # Errors
/// A graph that is not well formed.
pub fn lower(graph: &Graph) -> Result<Lowered, Error> {
    let found = Found::of(graph)?;
    let mut needed: BTreeSet<ValueIdx> = BTreeSet::new();
    let mut open: Vec<ValueIdx> = graph.outputs().to_vec();
    while let Some(value) = open.pop() {
        if !needed.insert(value) {
            continue;
        }
        match (found.made.get(&value), &graph.value(value).origin) {
            (Some(at), _) => open.extend(found.integer[*at].inputs.iter().filter_map(|i| match i {
                Feed::Value(v) | Feed::Through(v, ..) => Some(*v),
                Feed::Constant(..) => None,
            })),
            (None, Origin::Node(idx)) => open.extend(&graph.nodes()[idx.0 as usize].inputs),
            (None, _) => {}
        }
    }
    let mut rewrite = Rewrite::new(graph)?;
    let mut floats = Vec::new();
    let mut written = BTreeSet::new();
    for node in graph.nodes() {
        for output in &node.outputs {
            let Some(&at) = found.made.get(output).filter(|_| needed.contains(output)) else { continue };
            if written.insert(at) {
                emit(&mut rewrite, graph, &found.integer[at])?;
            }
        }
        let is_left = node.outputs.iter().any(|o| needed.contains(o) && !found.made.contains_key(o));
        if is_left {
            rewrite.copy(node)?;
            if !is_border(node, graph) {
                floats.push(node.name.clone());
            }
        }
    }
    let new = |old: &ValueIdx| Some((*old, rewrite.written(*old)?));
    let made: Vec<(ValueIdx, ValueIdx)> = found.made.keys().filter_map(new).collect();
    let lowered = rewrite.finish()?;
    let names = |(old, new)| (graph.value(old).name.clone(), lowered.value(new).name.clone());
    Ok(Lowered { made: made.into_iter().map(names).collect(), graph: lowered, floats })
}

/// Pairs, and nodes on constants or integers.
fn is_border(node: &Node, graph: &Graph) -> bool {
    let name = node.op.payload().name();
    let is_float = |v: &ValueIdx| graph.value(*v).dtype.is_float();
    matches!(name, "QuantizeLinear" | "DequantizeLinear")
        || node.inputs.iter().all(|v| graph.constant(*v).is_some())
        || !node.inputs.iter().chain(&node.outputs).any(is_float)
}

fn emit(rewrite: &mut Rewrite<'_>, graph: &Graph, made: &Integer) -> Result<(), Error> {
    let mut inputs = Vec::with_capacity(made.inputs.len());
    for input in &made.inputs {
        inputs.push(match input {
            Feed::Value(value) => rewrite.value(*value)?,
            Feed::Constant(name, tensor) => rewrite.fresh(name, tensor.clone())?,
            Feed::Through(value, step) => {
                let value = rewrite.value(*value)?;
                then(rewrite, value, step)?
            }
        });
    }
    let Some((&last, _)) = made.outputs.split_last() else { return Ok(()) };
    if made.outputs.len() > 1 {
        // Parts of one tensor: as many outputs as the node had.
        let node = Node {
            name: made.name.clone(),
            op: made.op.clone(),
            inputs: Vec::new(),
            outputs: made.outputs.clone(),
        };
        rewrite.node(&node, made.op.clone(), &inputs)?;
        return Ok(());
    }
    let mut value = rewrite.add(&made.name, made.op.clone(), &inputs)?;
    if let Some(step) = &made.then {
        value = then(rewrite, value, step)?;
    }
    // The name of an output is what the caller knows it by.
    if graph.outputs().contains(&last) {
        rewrite.rename(value, &graph.value(last).name)?;
    }
    rewrite.replace(last, value);
    Ok(())
}

fn then(rewrite: &mut Rewrite<'_>, value: ValueIdx, step: &Step) -> Result<ValueIdx, Error> {
    let mut inputs = vec![value];
    for (name, tensor) in &step.constants {
        inputs.push(rewrite.fresh(name, tensor.clone())?);
    }
    Ok(rewrite.add(&step.name, step.op.clone(), &inputs)?)
}

/// A node of one value and constants.
struct Step {
    name: String,
    op: Op,
    constants: Vec<(String, Tensor)>,
}

/// An input of a node on integers.
enum Feed {
    /// A value of the QDQ form.
    Value(ValueIdx),
    /// A constant that it has not.
    Constant(String, Tensor),
    /// A value of the QDQ form, with a node between.
    Through(ValueIdx, Step),
}

/// A node on integers, and what it is in the QDQ form.
struct Integer {
    name: String,
    op: Op,
    inputs: Vec<Feed>,
    /// The values of the QDQ form that its outputs are.
    outputs: Vec<ValueIdx>,
    /// A node behind it.
    then: Option<Step>,
}

/// All nodes on integers that a network in QDQ form holds.
struct Found<'g> {
    graph: &'g Graph,
    roles: Roles<'g>,
    uses: BTreeMap<ValueIdx, Vec<NodeIdx>>,
    integer: Vec<Integer>,
    /// Which of them makes a value.
    made: BTreeMap<ValueIdx, usize>,
}

impl<'g> Found<'g> {
    fn of(graph: &'g Graph) -> Result<Found<'g>, Error> {
        let mut uses: BTreeMap<ValueIdx, Vec<NodeIdx>> = BTreeMap::new();
        for (at, node) in graph.nodes().iter().enumerate() {
            for &input in &node.inputs {
                uses.entry(input).or_default().push(NodeIdx(at as u32));
            }
        }
        let mut found =
            Found { graph, roles: Roles::of(graph), uses, integer: Vec::new(), made: BTreeMap::new() };
        for node in graph.nodes() {
            if let Some(integer) = found.quantized(node)? {
                found.add(integer);
            }
        }
        // Layers whose outputs stay floats.
        for node in graph.nodes() {
            if let Some(integer) = found.to_float(node) {
                found.add(integer);
            }
        }
        Ok(found)
    }

    fn add(&mut self, integer: Integer) {
        let at = self.integer.len();
        self.made.extend(integer.outputs.iter().map(|&o| (o, at)));
        self.integer.push(integer);
    }

    /// True if exactly one node takes a value, and it is no output of the graph.
    fn is_taken_once(&self, value: ValueIdx) -> bool {
        self.uses.get(&value).is_some_and(|u| u.len() == 1) && !self.graph.outputs().contains(&value)
    }
}
