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

/// Writes all nodes of a graph whose values have these names.
pub(super) fn nodes(
    graph: &Graph,
    names: &[String],
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
    let names_of_nodes: Vec<String> = graph.nodes().iter().map(|node| w.take_node(&node.name)).collect();
    for (node, name) in graph.nodes().iter().zip(&names_of_nodes) {
        w.begin(name);
        operator(&mut Step { graph, node, name, names, used: &used, w, versions, needed })?;
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
pub(super) fn constants(graph: &Graph, names: &[String], outputs: &[proto::ValueInfo], w: &mut Writer) {
    w.drop_unused();
    let mut wanted: BTreeSet<&str> = taken(&w.nodes);
    wanted.extend(outputs.iter().filter_map(|o| o.name.as_deref()));
    let mut made = Vec::new();
    for (value, name) in graph.values().iter().zip(names) {
        if let Origin::Constant(constant) = &value.origin
            && wanted.contains(name.as_str())
        {
            made.push(tensor::write(name, constant));
        }
    }
    w.constants.extend(made);
}
