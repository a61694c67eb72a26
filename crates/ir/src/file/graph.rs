//! The section of the graph: operators by name, nodes by position.
//!
//! First a table of the operators used, with the names of their attributes; then the inputs; then
//! constants and nodes in the order of their values. Names that the builder would give by itself
//! are stored as nothing. Values are counted backwards from the one being made, so most take a byte.

use super::bytes::{Reader, Writer};
use super::{constants, forests, ill_formed, tensor_attrs};
use crate::builder::{constant_name, node_name};
use crate::op::{Attr, Attrs};
use crate::{Error, Forest, Graph, GraphBuilder, Model, Op, Origin, Shape, Signature, Tensor, ValueIdx};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::{IntoIter, Vec};

const INT: u8 = 0;
const WORD: u8 = 1;
const FOREST: u8 = 2;
const FLOAT: u8 = 3;
const INTS: u8 = 4;

/// Sections of the graph, its constants and its forests.
pub(super) fn write(model: &Model) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let graph = model.graph();
    let mut out = Writer::default();
    let mut ops: Vec<&'static str> = Vec::new();
    for node in graph.nodes() {
        let name = node.op.payload().name();
        if !ops.contains(&name) {
            ops.push(name);
        }
    }
    out.count(ops.len());
    for name in &ops {
        out.text(name);
        let first = graph.nodes().iter().find(|n| n.op.payload().name() == *name);
        let attrs = first.map(|n| n.op.payload().attrs()).unwrap_or_default();
        out.count(attrs.len());
        attrs.iter().for_each(|(name, _)| out.text(name));
    }

    out.count(graph.inputs().len());
    let signature = model.signature();
    let inputs = signature.inputs.iter().chain(signature.joined_inputs());
    for (&idx, input) in graph.inputs().iter().zip(inputs) {
        let value = graph.value(idx);
        out.text(if value.name == input.name { "" } else { &value.name });
    }

    let mut all_constants = Vec::new();
    let mut all_forests: Vec<Arc<Forest>> = Vec::new();
    out.count(graph.values().len() - graph.inputs().len());
    for (at, value) in graph.values().iter().enumerate() {
        match &value.origin {
            Origin::Input(_) => {}
            Origin::Constant(tensor) => {
                out.byte(0);
                out.text(if value.name == constant_name(at) { "" } else { &value.name });
                all_constants.push(&**tensor);
            }
            Origin::Node(idx) => {
                let node = &graph.nodes()[idx.0 as usize];
                let payload = node.op.payload();
                let op = ops.iter().position(|n| *n == payload.name()).unwrap_or(0);
                out.count(op + 1);
                out.text(if node.name == node_name(&node.op, at) { "" } else { &node.name });
                out.count(node.inputs.len());
                for input in &node.inputs {
                    out.count(at - input.0 as usize);
                }
                for (_, attr) in payload.attrs() {
                    write_attr(&mut out, attr, &mut all_forests);
                }
            }
        }
    }
    out.count(graph.outputs().len());
    for output in graph.outputs() {
        out.count(output.0 as usize);
    }
    (out.into_bytes(), constants::write(&all_constants), forests::write(&all_forests))
}

/// One attribute; a forest goes to the list of them.
pub(super) fn write_attr(out: &mut Writer, attr: Attr, forests: &mut Vec<Arc<Forest>>) {
    match attr {
        Attr::Int(v) => {
            out.byte(INT);
            out.signed(v);
        }
        Attr::Word(v) => {
            out.byte(WORD);
            out.text(&v);
        }
        Attr::Float(v) => {
            out.byte(FLOAT);
            out.raw(&v.to_bits().to_le_bytes());
        }
        Attr::Ints(v) => {
            out.byte(INTS);
            out.count(v.len());
            v.iter().for_each(|&x| out.signed(x));
        }
        Attr::Forest(forest) => {
            out.byte(FOREST);
            forests.push(forest);
        }
        Attr::Tensor(_) | Attr::RealForest(_) => tensor_attrs::write(out, &attr),
    }
}

pub(super) fn read(
    from: &mut Reader<'_>,
    signature: &Signature,
    constants: Vec<Tensor>,
    forests: Vec<Forest>,
) -> Result<Graph, Error> {
    let n_ops = from.count(2)?;
    let mut ops: Vec<(String, Vec<String>)> = Vec::with_capacity(n_ops);
    for _ in 0..n_ops {
        let name = from.text()?;
        let n_attrs = from.count(1)?;
        ops.push((name, (0..n_attrs).map(|_| from.text()).collect::<Result<_, _>>()?));
    }

    let mut builder = GraphBuilder::new();
    let n_inputs = from.count(1)?;
    if n_inputs != signature.inputs.len() + signature.joined_inputs().len() {
        return Err(from.fail("the graph has another number of inputs than the signature"));
    }
    let first = signature.inputs.iter().map(|i| (i, Shape::rows()));
    let second = signature.joined_inputs().iter().map(|i| (i, Shape::other_rows()));
    for (input, shape) in first.chain(second) {
        let name = from.text()?;
        let name = if name.is_empty() { &input.name } else { &name };
        builder.input(name, input.graph_dtype(), shape).map_err(|e| ill_formed(&e))?;
    }

    let mut constants = constants.into_iter();
    let mut forests = forests.into_iter();
    let n_items = from.count(2)?;
    for _ in 0..n_items {
        let at = builder.n_values();
        let tag: usize = from.small()?;
        let name = from.text()?;
        let made = if tag == 0 {
            let tensor = constants.next().ok_or_else(|| from.fail("a constant is missing"))?;
            let name = if name.is_empty() { constant_name(at) } else { name };
            builder.constant_named(&name, tensor).map(|_| ())
        } else {
            let (op, attr_names) = ops.get(tag - 1).ok_or_else(|| from.fail("an operator is missing"))?;
            let n_inputs = from.count(1)?;
            let mut inputs = Vec::with_capacity(n_inputs);
            for _ in 0..n_inputs {
                let back: usize = from.small()?;
                let idx = at.checked_sub(back).ok_or_else(|| from.fail("a value comes before the first"))?;
                inputs.push(ValueIdx(idx as u32));
            }
            let mut attrs = Attrs::default();
            for name in attr_names {
                attrs.0.push((name.clone(), read_attr(from, &mut forests)?));
            }
            let op = Op::parse(op, &attrs).map_err(|e| ill_formed(&e))?;
            let name = if name.is_empty() { node_name(&op, at) } else { name };
            builder.node_named(&name, op, &inputs).map(|_| ())
        };
        made.map_err(|e| ill_formed(&e))?;
    }
    if constants.next().is_some() || forests.next().is_some() {
        return Err(from.fail("a constant or a forest belongs to no node"));
    }
    let n_outputs = from.count(1)?;
    let mut outputs = Vec::with_capacity(n_outputs);
    for _ in 0..n_outputs {
        outputs.push(ValueIdx(from.small()?));
    }
    from.end()?;
    builder.finish(&outputs).map_err(|e| ill_formed(&e))
}

/// Each forest is taken once and in order, so that a few bytes cannot ask for many copies of it.
pub(super) fn read_attr(from: &mut Reader<'_>, forests: &mut IntoIter<Forest>) -> Result<Attr, Error> {
    match from.byte()? {
        INT => Ok(Attr::Int(from.signed()?)),
        WORD => Ok(Attr::Word(from.text()?)),
        FLOAT => {
            let bits = from.take(4)?.try_into().map_err(|_| from.fail("a number is cut short"))?;
            Ok(Attr::Float(f32::from_bits(u32::from_le_bytes(bits))))
        }
        INTS => {
            let n = from.count(1)?;
            Ok(Attr::Ints((0..n).map(|_| from.signed()).collect::<Result<_, _>>()?))
        }
        FOREST => {
            let forest = forests.next().ok_or_else(|| from.fail("a forest is missing"))?;
            Ok(Attr::Forest(Arc::new(forest)))
        }
        kind => tensor_attrs::read(kind, from),
    }
}
