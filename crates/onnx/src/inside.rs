//! Graphs inside nodes: what they capture becomes inputs.

use crate::context::Context;
use crate::error::Error;
use crate::import::{MAX_DEPTH, Scope, declared, dense, names};
use crate::proto;
use ir::{DType, Graph, Shape, ValueIdx};
use std::collections::BTreeSet;

/// Most elements of a constant that is copied into a graph; a larger one is handed in.
const MAX_COPIED: usize = 1 << 10;

/// Names that a graph takes from around it, in order.
pub(crate) fn captured(graph: &proto::Graph) -> Vec<String> {
    let own = names(graph);
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut note = |name: &str| {
        if !name.is_empty() && !own.contains(name) && seen.insert(name.to_string()) {
            found.push(name.to_string());
        }
    };
    for node in &graph.node {
        node.input.iter().for_each(|name| note(name));
        for inner in node.attribute.iter().filter_map(|a| a.g.as_ref()) {
            captured(inner).iter().for_each(|name| note(name));
        }
    }
    // An output may be a value from around as it stands.
    graph.output.iter().filter_map(|o| o.name.as_deref()).for_each(note);
    found
}

/// What a graph takes from around it, and does not hold itself.
pub(crate) struct Captures(Vec<(String, ValueIdx)>);

impl Captures {
    /// Of all graphs of a node.
    pub(crate) fn of(context: &Context<'_, '_>, graphs: &[&proto::Graph]) -> Captures {
        let mut all: Vec<(String, ValueIdx)> = Vec::new();
        for name in graphs.iter().flat_map(|g| captured(g)) {
            let value = context.scope.values.get(&name).copied();
            if let Some(value) = value.filter(|_| !all.iter().any(|(n, _)| *n == name)) {
                all.push((name, value));
            }
        }
        Captures(all)
    }

    fn is_copied(context: &Context<'_, '_>, value: ValueIdx) -> bool {
        context.constant(value).is_some_and(|t| t.data().len() <= MAX_COPIED)
    }

    /// The values that the node takes for them.
    pub(crate) fn values(&self, context: &Context<'_, '_>) -> Vec<ValueIdx> {
        self.0.iter().map(|(_, v)| *v).filter(|&v| !Captures::is_copied(context, v)).collect()
    }
}

/// A graph that takes what `leading` says, under its own names for it, then what is captured.
pub(crate) fn graph(
    context: &mut Context<'_, '_>,
    graph: &proto::Graph,
    leading: &[(DType, Shape)],
    captures: &Captures,
) -> Result<Graph, Error> {
    if context.scope.depth >= MAX_DEPTH {
        return Err(context.unsupported("more than 32 graphs inside each other", "export a flatter model"));
    }
    if graph.input.len() != leading.len() {
        let (expected, got) = (leading.len().to_string(), graph.input.len().to_string());
        return Err(context.misfit("inputs of its graph", &expected, &got));
    }
    let mut reserved = names(graph);
    reserved.extend(captures.0.iter().map(|(name, _)| name.clone()));
    let mut scope = Scope::new(context.scope.world, context.scope.opsets.clone(), reserved);
    scope.depth = context.scope.depth + 1;
    for (info, (dtype, shape)) in graph.input.iter().zip(leading) {
        // Its own idea of the shape counts where the node has none.
        let shape = match declared(info) {
            Ok((_, own)) if shape.axes().is_none() => own,
            _ => shape.clone(),
        };
        scope.input(info.name.as_deref().unwrap_or_default(), *dtype, shape)?;
    }
    let (copied, handed): (Vec<_>, Vec<_>) =
        captures.0.iter().partition(|(_, v)| Captures::is_copied(context, *v));
    for (name, value) in handed {
        scope.input(name, context.dtype(*value), context.shape(*value))?;
    }
    for (name, value) in copied {
        if let Some(tensor) = context.constant(*value) {
            let idx = scope.builder.constant_named(name, tensor.clone());
            scope.values.insert(name.clone(), idx.map_err(|e| crate::import::ill_formed(&e))?);
        }
    }
    dense(graph)?;
    for tensor in &graph.initializer {
        scope.initializer(tensor, None)?;
    }
    scope.nodes(&graph.node)?;
    scope.finish(&graph.output)
}
