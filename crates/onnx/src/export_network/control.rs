//! Graphs inside nodes. What they capture, which is inputs in the graph, they take by its name outside.

use super::graphs::{self, Names};
use super::step::Step;
use crate::error::Error;
use crate::proto;
use crate::writer::{Attribute, info, wide};
use ir::op::tensor::{If, Loop, Scan, ScanAxis};
use ir::{Graph, Shape};
use std::collections::BTreeSet;

pub(super) fn if_else(s: &mut Step<'_>, op: &If) -> Result<(), Error> {
    let captured = names(s, 1)?;
    let then = inside(s, &op.then_branch, "then", 0, &captured)?;
    let or = inside(s, &op.else_branch, "else", 0, &captured)?;
    let attributes = vec![("then_branch", Attribute::Graph(then)), ("else_branch", Attribute::Graph(or))];
    let condition = vec![s.input(0)?];
    finish(s, 0..0, condition, attributes)
}

pub(super) fn repeat(s: &mut Step<'_>, op: &Loop) -> Result<(), Error> {
    let n_own = op.n_leading().saturating_add(op.n_carried);
    let captured = names(s, n_own)?;
    let body = inside(s, &op.body, "body", op.n_carried.saturating_add(2), &captured)?;
    let mut inputs = Vec::new();
    let mut leading = 0..op.n_leading();
    for is_given in [op.has_limit, op.has_condition] {
        let at = if is_given { leading.next() } else { None };
        inputs.push(at.map(|at| s.input(at)).transpose()?.unwrap_or_default());
    }
    for at in op.n_leading()..n_own {
        inputs.push(s.input(at)?);
    }
    finish(s, op.n_leading()..n_own, inputs, vec![("body", Attribute::Graph(body))])
}

pub(super) fn scan(s: &mut Step<'_>, op: &Scan) -> Result<(), Error> {
    let n_own = op.n_states.saturating_add(op.scanned.len());
    let captured = names(s, n_own)?;
    let body = inside(s, &op.body, "body", n_own, &captured)?;
    let axes = |all: &[ScanAxis]| Attribute::Ints(all.iter().map(|a| a.axis).collect());
    let directions = |all: &[ScanAxis]| Attribute::Ints(all.iter().map(|a| a.reverse.into()).collect());
    let mut attributes = vec![
        ("body", Attribute::Graph(body)),
        ("num_scan_inputs", Attribute::Int(wide(op.scanned.len()))),
        ("scan_input_axes", axes(&op.scanned)),
        ("scan_input_directions", directions(&op.scanned)),
    ];
    if !op.collected.is_empty() {
        attributes.push(("scan_output_axes", axes(&op.collected)));
        attributes.push(("scan_output_directions", directions(&op.collected)));
    }
    let inputs = (0..n_own).map(|at| s.input(at)).collect::<Result<_, _>>()?;
    finish(s, 0..n_own, inputs, attributes)
}

/// Names of the inputs from one on.
fn names(s: &Step<'_>, first: usize) -> Result<Vec<String>, Error> {
    (first..s.n_inputs()).map(|at| s.input(at)).collect()
}

/// Writes the node, whose inputs at these places and whose outputs may have any dtype that its version takes.
fn finish(
    s: &mut Step<'_>,
    places: std::ops::Range<usize>,
    inputs: Vec<String>,
    attributes: Vec<(&str, Attribute)>,
) -> Result<(), Error> {
    for at in places {
        let dtype = s.dtype(at)?;
        s.needs_dtypes(s.op(), &[dtype])?;
    }
    for at in 0..s.node.outputs.len() {
        let dtype = s.output_dtype(at)?;
        s.needs_dtypes(s.op(), &[dtype])?;
    }
    s.write_in("", s.op(), inputs, attributes);
    Ok(())
}

/// A graph that takes `n_leading` values under names of its own, then what is captured.
fn inside(
    s: &mut Step<'_>,
    graph: &Graph,
    what: &str,
    n_leading: usize,
    captured: &[String],
) -> Result<proto::Graph, Error> {
    let around = s.w.enter();
    let names = Names::inside(graph, s.name, (n_leading, captured), s.w);
    graphs::nodes(graph, &names, s.w, s.versions, s.needed)?;
    let mut made = BTreeSet::new();
    let mut outputs = Vec::with_capacity(graph.outputs().len());
    for &idx in graph.outputs() {
        let value = graph.value(idx);
        let name = names.values.get(idx.0 as usize).cloned().unwrap_or_default();
        // What a graph gives is made by a node in it, once.
        let name = if graph.maker(idx).is_some() && made.insert(name.clone()) {
            name
        } else {
            s.needs_dtypes("Identity", &[value.dtype])?;
            s.w.op("Identity", &[&name])
        };
        outputs.push(info(&name, value.dtype, &Shape::any()));
    }
    graphs::constants(graph, &names, &outputs, s.w);
    let leading = graph.inputs().iter().zip(&names.values).take(n_leading);
    let inputs = leading.map(|(&idx, name)| (graph.value(idx), name));
    let input = inputs.map(|(value, name)| info(name, value.dtype, &value.shape)).collect();
    let (node, initializer) = s.w.leave(around);
    let name = Some(format!("{}/{what}", s.name));
    Ok(proto::Graph { node, name, initializer, input, output: outputs, ..proto::Graph::default() })
}
