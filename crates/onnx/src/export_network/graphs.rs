//! A graph while it is written: its nodes in order, then the constants that they take.

use super::operator;
use super::step::Step;
use super::versions::{self, Versions};
use crate::error::{Error, Kind};
use crate::proto;
use crate::tensor;
use crate::writer::{Writer, taken};
use ir::{Graph, Origin, ValueIdx};
use std::collections::BTreeSet;

/// What values and nodes of a graph are called in the file, by index.
pub(super) struct Names {
    pub(super) values: Vec<String>,
    pub(super) nodes: Vec<String>,
}

impl Names {
    /// Of a graph that no other stands around: those that it has.
    pub(super) fn outside(graph: &Graph, w: &mut Writer) -> Names {
        let values = graph.values().iter().map(|value| w.take(&value.name)).collect();
        Names { values, nodes: graph.nodes().iter().map(|node| w.take_node(&node.name)).collect() }
    }

    /// Of a graph inside a node: those that it has, or behind the node's where another has them; inputs from `n_leading` on
    /// are values around it, with their names.
    pub(super) fn inside(
        graph: &Graph,
        front: &str,
        (n_leading, captured): (usize, &[String]),
        w: &mut Writer,
    ) -> Names {
        let n_inputs = graph.inputs().len();
        let mut values = Vec::with_capacity(graph.values().len());
        // Inputs stand before all other values.
        for (at, value) in graph.values().iter().enumerate() {
            let around = at.checked_sub(n_leading).filter(|_| at < n_inputs).and_then(|at| captured.get(at));
            values.push(match around {
                Some(name) => name.clone(),
                None => w.take_inside(front, &value.name),
            });
        }
        let nodes = graph.nodes().iter().map(|node| w.take_node_inside(front, &node.name)).collect();
        Names { values, nodes }
    }
}

/// Writes all nodes of a graph.
pub(super) fn nodes(
    graph: &Graph,
    names: &Names,
    w: &mut Writer,
    versions: Versions,
    needed: &mut Versions,
) -> Result<(), Error> {
    for value in graph.values() {
        let Some(version) = versions::of_dtype(value.dtype) else {
            let (node, what) = (value.name.clone(), format!("a value of {}", value.dtype));
            let instead = "give the network tensors".to_string();
            return Err(Kind::NotExported { node, op: "value", what, instead }.into());
        };
        needed.opset = needed.opset.max(version);
    }
    let used = used(graph);
    for (node, name) in graph.nodes().iter().zip(&names.nodes) {
        w.begin(name);
        operator(&mut Step { graph, node, name, names: &names.values, used: &used, w, versions, needed })?;
    }
    Ok(())
}

/// Which values a node or the caller takes.
fn used(graph: &Graph) -> Vec<bool> {
    let mut used = vec![false; graph.values().len()];
    let all = graph.nodes().iter().flat_map(|node| &node.inputs).chain(graph.outputs());
    for &ValueIdx(idx) in all {
        if let Some(slot) = used.get_mut(idx as usize) {
            *slot = true;
        }
    }
    used
}

/// Adds those constants of the graph that what is written takes, and drops others.
pub(super) fn constants(graph: &Graph, names: &Names, outputs: &[proto::ValueInfo], w: &mut Writer) {
    w.drop_unused();
    let mut wanted: BTreeSet<&str> = taken(&w.nodes);
    wanted.extend(outputs.iter().filter_map(|o| o.name.as_deref()));
    let mut made = Vec::new();
    for (value, name) in graph.values().iter().zip(&names.values) {
        if let Origin::Constant(constant) = &value.origin
            && wanted.contains(name.as_str())
        {
            made.push(tensor::write(name, constant));
        }
    }
    w.constants.extend(made);
}
