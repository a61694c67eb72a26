//! Sections of a network: its signature, its nodes, its self-test.
//!
//! Nodes are those of a model's graph but for what networks have more of: shapes of inputs, several outputs, attributes
//! that may be left out (the table of operators lists each with the names of attributes that occur together), and names
//! of inner values that nobody asks for: inputs and outputs keep theirs, all else is named by the builder. Values are
//! counted backwards from the one being made.

use super::bytes::{Reader, Writer};
use super::graph::{read_attr, write_attr};
use super::weights::{self, MAX_RANK};
use super::{ill_formed, signature};
use crate::builder::{constant_name, node_name};
use crate::op::{Attrs, TensorOp};
use crate::{
    Answer, AnswerKind, DType, Dim, Error, Graph, GraphBuilder, Kind, Layout, Network, NetworkSignature,
    NetworkTest, Node, Op, Origin, PixelMap, Shape, Tensor, TensorData, ValueIdx,
};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Most axes of all values together, and most whole numbers of constants that all nodes look at: what a hostile file may
/// ask for before the network runs, where its own limits hold.
const MAX_AXES: usize = 1 << 21;
const MAX_LOOKED_AT: usize = 1 << 26;
/// Most bytes of the name of an axis, which many values repeat.
const MAX_SYMBOL: usize = 64;

pub(super) fn write_signature(signature: &NetworkSignature) -> Vec<u8> {
    let mut out = Writer::default();
    out.varint(signature.answer.map_or(0, |a| u64::from(a.output) + 1));
    if let Some(answer) = signature.answer {
        out.byte(signature::tag_of(AnswerKind::ALL, &answer.kind));
    }
    out.count(signature.classes.len());
    signature.classes.iter().for_each(|class| out.text(class));
    out.byte(signature.pixels.is_some().into());
    if let Some(pixels) = &signature.pixels {
        out.double(pixels.scale);
        for values in [&pixels.mean, &pixels.std] {
            out.count(values.len());
            values.iter().for_each(|&x| out.double(x));
        }
        out.byte(pixels.layout.map_or(0, |l| signature::tag_of(Layout::ALL, &l) + 1));
    }
    out.into_bytes()
}

pub(super) fn read_signature(from: &mut Reader<'_>) -> Result<NetworkSignature, Error> {
    let answer = match from.small::<u32>()? {
        0 => None,
        n => Some(Answer { output: n - 1, kind: signature::from_tag(AnswerKind::ALL, from)? }),
    };
    let n = from.count(1)?;
    let classes = (0..n).map(|_| from.text()).collect::<Result<_, _>>()?;
    let pixels = match from.byte()? {
        0 => None,
        1 => {
            let scale = from.double()?;
            let (mean, std) = (from.doubles()?, from.doubles()?);
            let layout = match from.byte()? {
                0 => None,
                tag => match Layout::ALL.get(usize::from(tag) - 1) {
                    Some(layout) => Some(*layout),
                    None => return Err(from.fail("the layout of pixels is not known")),
                },
            };
            Some(PixelMap { scale, mean, std, layout })
        }
        _ => return Err(from.fail("pixels are there or they are not")),
    };
    from.end()?;
    Ok(NetworkSignature { answer, classes, pixels })
}

pub(super) fn write_test(test: &NetworkTest) -> Vec<u8> {
    let mut out = Writer::default();
    out.varint(test.seed);
    out.varint(test.n_rows.into());
    out.varint(test.length.into());
    out.raw(&test.digest.to_le_bytes());
    out.count(test.samples.len());
    test.samples.iter().for_each(|&x| out.double(x));
    out.into_bytes()
}

pub(super) fn read_test(from: &mut Reader<'_>) -> Result<NetworkTest, Error> {
    let (seed, n_rows, length) = (from.varint()?, from.small()?, from.small()?);
    let (digest, samples) = (from.word()?, from.doubles()?);
    from.end()?;
    Ok(NetworkTest { seed, n_rows, length, digest, samples })
}

/// An operator with the names of its attributes.
type Form = (&'static str, Vec<&'static str>);

fn form(node: &Node) -> Form {
    let payload = node.op.payload();
    (payload.name(), payload.attrs().into_iter().map(|(name, _)| name).collect())
}

/// The section of nodes, and what [`weights::write`] gives for its constants.
pub(super) fn write(network: &Network) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let graph = network.graph();
    let mut out = Writer::default();
    out.count(graph.inputs().len());
    for &idx in graph.inputs() {
        let value = graph.value(idx);
        out.text(&value.name);
        out.byte(value.dtype.tag());
        write_shape(&mut out, &value.shape);
    }
    out.count(graph.outputs().len());
    for &idx in graph.outputs() {
        out.count(idx.0 as usize);
        let value = graph.value(idx);
        out.text(if matches!(value.origin, Origin::Input(_)) { "" } else { &value.name });
    }
    // A node without outputs does nothing.
    let made: Vec<&Node> = graph.nodes().iter().filter(|n| !n.outputs.is_empty()).collect();
    let mut places: BTreeMap<Form, usize> = BTreeMap::new();
    let mut forms = Vec::new();
    for node in &made {
        let form = form(node);
        if !places.contains_key(&form) {
            places.insert(form.clone(), forms.len());
            forms.push(form);
        }
    }
    out.count(forms.len());
    for (name, attrs) in &forms {
        out.text(name);
        out.count(attrs.len());
        attrs.iter().for_each(|name| out.text(name));
    }
    let constants: Vec<&Tensor> = graph.values().iter().filter_map(constant_of).collect();
    out.count(made.len() + constants.len());
    for (at, value) in graph.values().iter().enumerate() {
        match &value.origin {
            Origin::Input(_) => {}
            Origin::Constant(_) => out.byte(0),
            Origin::Node(idx) => {
                let node = &graph.nodes()[idx.0 as usize];
                // Values of one node stand together, and the first writes it.
                if node.outputs.first() != Some(&ValueIdx(at as u32)) {
                    continue;
                }
                out.count(places.get(&form(node)).map_or(0, |place| place + 1));
                out.count(node.inputs.len());
                node.inputs.iter().for_each(|input| out.count(at - input.0 as usize));
                for (_, attr) in node.op.payload().attrs() {
                    write_attr(&mut out, attr, &mut Vec::new());
                }
            }
        }
    }
    let (small, large) = weights::write(&constants);
    (out.into_bytes(), small, large)
}

fn constant_of(value: &crate::Value) -> Option<&Tensor> {
    match &value.origin {
        Origin::Constant(tensor) => Some(tensor),
        Origin::Input(_) | Origin::Node(_) => None,
    }
}

/// Rank and one, or 0 where it is not known; an axis is 0 if it is not known, 1 and its name, or its length and two.
fn write_shape(out: &mut Writer, shape: &Shape) {
    let Some(axes) = shape.axes() else { return out.count(0) };
    out.count(axes.len() + 1);
    for dim in axes {
        match dim {
            Dim::Fixed(n) => out.varint((*n as u64).saturating_add(2)),
            Dim::Symbol(name) => {
                out.count(1);
                out.text(name);
            }
            Dim::Unknown | Dim::Rest => out.count(0),
        }
    }
}

fn read_shape(from: &mut Reader<'_>) -> Result<Shape, Error> {
    let Some(rank) = from.small::<usize>()?.checked_sub(1) else { return Ok(Shape::any()) };
    if rank > MAX_RANK {
        return Err(from.fail("an input has more than 64 axes"));
    }
    let mut dims = Vec::with_capacity(rank);
    for _ in 0..rank {
        dims.push(match from.varint()? {
            0 => Dim::Unknown,
            1 => {
                let name = from.text()?;
                if name.len() > MAX_SYMBOL {
                    return Err(from.fail("the name of an axis is longer than 64 bytes"));
                }
                Dim::Symbol(name)
            }
            n => match usize::try_from(n - 2) {
                Ok(n) => Dim::Fixed(n),
                Err(_) => return Err(from.fail("a length is too large")),
            },
        });
    }
    Ok(Shape(dims))
}

/// Names that inner values must not take.
struct Reserved(BTreeSet<String>);

impl Reserved {
    /// A name that neither an input, an output nor another value has, with room for `name:1`, `name:2`, ..
    fn free(&self, builder: &GraphBuilder, mut name: String) -> String {
        let is_taken = |name: &str| {
            let parts = alloc::format!("{name}:");
            let after = self.0.range(parts.clone()..).next();
            self.0.contains(name) || !builder.is_free(name) || after.is_some_and(|n| n.starts_with(&parts))
        };
        while is_taken(&name) {
            name.push('_');
        }
        name
    }
}

pub(super) fn read(from: &mut Reader<'_>, constants: Vec<Tensor>) -> Result<Graph, Error> {
    let mut builder = GraphBuilder::new();
    let mut reserved = Reserved(BTreeSet::new());
    let n_inputs = from.count(3)?;
    for _ in 0..n_inputs {
        let name = from.text()?;
        let dtype = DType::from_tag(from.byte()?).filter(|d| *d != DType::Bag);
        let dtype = dtype.ok_or_else(|| from.fail("the dtype of an input is not known"))?;
        let shape = read_shape(from)?;
        builder.input(&name, dtype, shape).map_err(|e| ill_formed(&e))?;
        reserved.0.insert(name);
    }
    let n_outputs = from.count(2)?;
    let mut outputs = Vec::with_capacity(n_outputs);
    let mut names: BTreeMap<ValueIdx, String> = BTreeMap::new();
    for _ in 0..n_outputs {
        let (idx, name) = (ValueIdx(from.small()?), from.text()?);
        outputs.push(idx);
        if name.is_empty() {
            continue;
        }
        match names.get(&idx) {
            None if reserved.0.insert(name.clone()) => drop(names.insert(idx, name)),
            Some(known) if *known == name => {}
            _ => return Err(from.fail("the name of an output is taken")),
        }
    }
    let forms = read_forms(from)?;
    let mut constants = constants.into_iter();
    let (mut n_axes, mut n_looked_at) = (0usize, 0usize);
    let n_items = from.count(1)?;
    for _ in 0..n_items {
        let at = builder.n_values();
        match from.small::<usize>()?.checked_sub(1) {
            None => {
                let tensor = constants.next().ok_or_else(|| from.fail("a constant is missing"))?;
                let name = reserved.free(&builder, constant_name(at));
                builder.constant_named(&name, tensor).map_err(|e| ill_formed(&e))?;
            }
            Some(form) => {
                let form = forms.get(form).ok_or_else(|| from.fail("an operator is missing"))?;
                let (op, inputs) = read_node(from, form, at)?;
                n_looked_at =
                    inputs.iter().map(|&idx| looked_at(&builder, idx)).fold(n_looked_at, |a, b| a + b);
                let name = reserved.free(&builder, node_name(&op, at));
                if n_looked_at > MAX_LOOKED_AT {
                    return Err(Kind::Work { node: name, most: MAX_LOOKED_AT, got: n_looked_at }.into());
                }
                builder.node_named(&name, op, &inputs).map_err(|e| ill_formed(&e))?;
            }
        }
        for idx in (at..builder.n_values()).map(|at| ValueIdx(at as u32)) {
            let rank = builder.rank(idx).unwrap_or(0);
            n_axes += rank + 1;
            if rank > MAX_RANK || n_axes > MAX_AXES {
                return Err(from.fail("values have more axes than are allowed"));
            }
            if let Some(name) = names.remove(&idx) {
                builder.rename(idx, &name).map_err(|e| ill_formed(&e))?;
            }
        }
    }
    if constants.next().is_some() {
        return Err(from.fail("a constant stands behind the last node"));
    }
    if !names.is_empty() {
        return Err(from.fail("an output is an input with another name, or no value"));
    }
    from.end()?;
    builder.finish(&outputs).map_err(|e| ill_formed(&e))
}

/// Operators by name, each with the names of its attributes.
fn read_forms(from: &mut Reader<'_>) -> Result<Vec<(String, Vec<String>)>, Error> {
    let n = from.count(2)?;
    let mut forms = Vec::with_capacity(n);
    for _ in 0..n {
        let name = from.text()?;
        let n_attrs = from.count(1)?;
        forms.push((name, (0..n_attrs).map(|_| from.text()).collect::<Result<_, _>>()?));
    }
    Ok(forms)
}

fn read_node(
    from: &mut Reader<'_>,
    (name, attr_names): &(String, Vec<String>),
    at: usize,
) -> Result<(Op, Vec<ValueIdx>), Error> {
    let n_inputs = from.count(1)?;
    let mut inputs = Vec::with_capacity(n_inputs);
    for _ in 0..n_inputs {
        let back: usize = from.small()?;
        let idx = at.checked_sub(back).ok_or_else(|| from.fail("a value comes before the first"))?;
        inputs.push(ValueIdx(idx as u32));
    }
    let mut attrs = Attrs::default();
    for name in attr_names {
        attrs.0.push((name.to_string(), read_attr(from, &mut Vec::new().into_iter())?));
    }
    let op = TensorOp::parse(name, &attrs).map_err(|e| ill_formed(&e))?;
    Ok((op.into(), inputs))
}

/// Elements of a constant whose numbers an operator's check may look at: lengths, places, pairs, truths.
fn looked_at(builder: &GraphBuilder, idx: ValueIdx) -> usize {
    let constant = builder.value(idx).and_then(constant_of).map(Tensor::data);
    match constant {
        Some(TensorData::I64(v)) => v.len(),
        Some(TensorData::I32(v)) => v.len(),
        Some(TensorData::Bool(v)) => v.len(),
        _ => 0,
    }
}
