//! The ONNX graph while it is written: nodes, constants, and names that are given once.
//!
//! Equal small constants are stored once. Names of values begin with that of the node of the model that they belong to,
//! so that a viewer shows what belongs together.

use crate::error::{Error, Kind};
use crate::proto;
use ir::{DType, Dim, Shape, Tensor};
use prost::Message;
use prost::bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// An attribute of a node.
pub(crate) enum Attribute {
    Float(f32),
    Int(i64),
    Text(String),
    Tensor(proto::Tensor),
    Graph(proto::Graph),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    Texts(Vec<String>),
}

/// A count or an index as ONNX has it; no length of memory is beyond `i64`.
pub(crate) fn wide(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Constants up to this many bytes are looked up before one is stored again: all powers of two are the largest such.
const SMALL: usize = 1 << 14;

/// The set of operators for trees and dictionaries.
const ML: &str = "ai.onnx.ml";

/// Nodes and constants so far.
#[derive(Default)]
pub(crate) struct Writer {
    pub(crate) nodes: Vec<proto::Node>,
    pub(crate) constants: Vec<proto::Tensor>,
    names: BTreeSet<String>,
    names_of_nodes: BTreeSet<String>,
    small: BTreeMap<(DType, Vec<usize>, Vec<u8>), String>,
    prefix: String,
    /// True once a node asks for the operators on text of opset 20.
    pub(crate) needs_text_operators: bool,
    /// Columns of text that were read as times, by name and format: microseconds, and where they were read.
    pub(crate) times_read: BTreeMap<(String, u8), (String, String)>,
}

impl Writer {
    /// The name itself, or with as many underscores as it takes to be the only one of a value; it is taken then.
    pub(crate) fn take(&mut self, name: &str) -> String {
        take(&mut self.names, name)
    }

    /// The same of a node: graphs inside nodes share its space of names.
    pub(crate) fn take_node(&mut self, name: &str) -> String {
        take(&mut self.names_of_nodes, name)
    }

    /// As [`Writer::take`], but first with what is in front: names of many graphs that use the same ones stay short.
    pub(crate) fn take_inside(&mut self, front: &str, name: &str) -> String {
        take_inside(&mut self.names, front, name)
    }

    /// The same of a node.
    pub(crate) fn take_node_inside(&mut self, front: &str, name: &str) -> String {
        take_inside(&mut self.names_of_nodes, front, name)
    }

    /// Names of values that are made from here on begin with this.
    pub(crate) fn begin(&mut self, node: &str) {
        self.prefix = node.to_string();
    }

    fn fresh(&mut self, what: &str) -> String {
        let name = format!("{}/{}", self.prefix, what.to_ascii_lowercase());
        if !self.names.contains(&name) {
            return self.take(&name);
        }
        self.take(&format!("{name}{}", self.names.len()))
    }

    fn push(
        &mut self,
        domain: &str,
        op: &str,
        inputs: &[&str],
        attributes: Vec<(&str, Attribute)>,
        n: usize,
    ) -> Vec<String> {
        let outputs: Vec<String> = (0..n).map(|_| self.fresh(op)).collect();
        let inputs = inputs.iter().map(|&i| i.to_string()).collect();
        let name = outputs.first().map(|output| self.take_node(output));
        let made = node(domain, op, inputs, attributes);
        self.nodes.push(proto::Node { output: outputs.clone(), name, ..made });
        outputs
    }

    /// The value that an operator without attributes makes.
    pub(crate) fn op(&mut self, op: &str, inputs: &[&str]) -> String {
        self.with(op, inputs, Vec::new())
    }

    /// The value that an operator makes.
    pub(crate) fn with(&mut self, op: &str, inputs: &[&str], attributes: Vec<(&str, Attribute)>) -> String {
        self.push("", op, inputs, attributes, 1).remove(0)
    }

    /// The two values that an operator makes.
    pub(crate) fn pair(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: Vec<(&str, Attribute)>,
    ) -> (String, String) {
        let mut both = self.push("", op, inputs, attributes, 2);
        let first = both.remove(0);
        (first, both.remove(0))
    }

    /// The value that an operator of ai.onnx.ml makes.
    pub(crate) fn ml(&mut self, op: &str, inputs: &[&str], attributes: Vec<(&str, Attribute)>) -> String {
        self.push(ML, op, inputs, attributes, 1).remove(0)
    }

    /// Gives a value the name of an output of the graph.
    pub(crate) fn give(&mut self, value: &str, output: &str) {
        let (name, output) = (Some(self.take_node(output)), vec![output.to_string()]);
        let same = node("", "Identity", vec![value.to_string()], Vec::new());
        self.nodes.push(proto::Node { output, name, ..same });
    }

    /// Drops constants that no node takes.
    pub(crate) fn drop_unused(&mut self) {
        let used = taken(&self.nodes);
        self.constants.retain(|c| c.name.as_ref().is_some_and(|name| used.contains(name.as_str())));
    }

    /// Begins a graph inside a node; [`Writer::leave`] ends it.
    pub(crate) fn enter(&mut self) -> Around {
        Around {
            nodes: std::mem::take(&mut self.nodes),
            constants: std::mem::take(&mut self.constants),
            small: std::mem::take(&mut self.small),
            prefix: self.prefix.clone(),
        }
    }

    /// What was written since [`Writer::enter`]: nodes and constants.
    pub(crate) fn leave(&mut self, around: Around) -> (Vec<proto::Node>, Vec<proto::Tensor>) {
        self.small = around.small;
        self.prefix = around.prefix;
        let constants = std::mem::replace(&mut self.constants, around.constants);
        (std::mem::replace(&mut self.nodes, around.nodes), constants)
    }

    /// Elements of another type.
    pub(crate) fn cast(&mut self, x: &str, to: DType) -> String {
        self.with("Cast", &[x], vec![("to", Attribute::Int(to.tag().into()))])
    }

    /// `[N]` as `[N, 1]`.
    pub(crate) fn as_column(&mut self, x: &str) -> String {
        let axes = self.ints(&[1], &[1]);
        self.op("Unsqueeze", &[x, &axes])
    }

    /// `[N, 1]` as `[N]`.
    pub(crate) fn as_rows(&mut self, x: &str) -> String {
        let axes = self.ints(&[1], &[1]);
        self.op("Squeeze", &[x, &axes])
    }

    /// Values side by side along axis 1.
    pub(crate) fn side_by_side(&mut self, parts: &[String]) -> String {
        match parts {
            [one] => one.clone(),
            _ => {
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                self.with("Concat", &parts, vec![("axis", Attribute::Int(1))])
            }
        }
    }

    /// A reduction over axis 1.
    pub(crate) fn reduce(&mut self, op: &str, x: &str, keep: bool) -> String {
        let keep = ("keepdims", Attribute::Int(keep.into()));
        let axes = self.ints(&[1], &[1]);
        self.with(op, &[x, &axes], vec![keep])
    }

    /// `x` divided by a constant of whole numbers above 0 and rounded down; `x` of `i64`.
    pub(crate) fn floor_divide(&mut self, x: &str, by: &str) -> String {
        let rest = self.op("Mod", &[x, by]);
        let whole = self.op("Sub", &[x, &rest]);
        self.op("Div", &[&whole, by])
    }

    /// Rows of a constant, or of a value, by index along an axis.
    pub(crate) fn gather(&mut self, x: &str, indices: &str, axis: i64) -> String {
        self.with("Gather", &[x, indices], vec![("axis", Attribute::Int(axis))])
    }

    fn constant(&mut self, dtype: DType, dims: &[usize], raw: Vec<u8>) -> String {
        let key = (dtype, dims.to_vec(), raw);
        if let Some(known) = self.small.get(&key) {
            return known.clone();
        }
        let name = self.fresh("constant");
        self.constants.push(tensor(&name, dtype, dims, Bytes::copy_from_slice(&key.2)));
        if key.2.len() <= SMALL {
            self.small.insert(key, name.clone());
        }
        name
    }

    /// A constant of doubles; without lengths a scalar.
    pub(crate) fn doubles(&mut self, dims: &[usize], values: &[f64]) -> String {
        self.constant(DType::F64, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// A constant of `i64`.
    pub(crate) fn ints(&mut self, dims: &[usize], values: &[i64]) -> String {
        self.constant(DType::I64, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// A constant of `i32`.
    pub(crate) fn small_ints(&mut self, dims: &[usize], values: &[i32]) -> String {
        self.constant(DType::I32, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// A constant of floats.
    pub(crate) fn floats(&mut self, dims: &[usize], values: &[f32]) -> String {
        self.constant(DType::F32, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// A constant of any dtype.
    pub(crate) fn tensor(&mut self, value: &Tensor) -> String {
        let name = self.fresh("constant");
        self.constants.push(crate::tensor::write(&name, value));
        name
    }

    /// One double.
    pub(crate) fn double(&mut self, value: f64) -> String {
        self.doubles(&[], &[value])
    }

    /// One `i64`.
    pub(crate) fn int(&mut self, value: i64) -> String {
        self.ints(&[], &[value])
    }

    /// A constant of texts, `[K]`, or a scalar.
    pub(crate) fn texts(&mut self, dims: &[usize], values: &[String]) -> String {
        let name = self.fresh("constant");
        self.constants.push(proto::Tensor {
            string_data: values.iter().map(|v| Bytes::copy_from_slice(v.as_bytes())).collect(),
            raw_data: None,
            ..tensor(&name, DType::Str, dims, Bytes::new())
        });
        name
    }
}

fn take(names: &mut BTreeSet<String>, name: &str) -> String {
    let mut name = name.to_string();
    if name.is_empty() {
        name.push('_');
    }
    while !names.insert(name.clone()) {
        name.push('_');
    }
    name
}

fn take_inside(names: &mut BTreeSet<String>, front: &str, name: &str) -> String {
    if names.contains(name) { take(names, &format!("{front}/{name}")) } else { take(names, name) }
}

/// What stands around a graph inside a node while that is written.
pub(crate) struct Around {
    nodes: Vec<proto::Node>,
    constants: Vec<proto::Tensor>,
    small: BTreeMap<(DType, Vec<usize>, Vec<u8>), String>,
    prefix: String,
}

/// Names of values that nodes take, those of graphs inside them too.
pub(crate) fn taken(nodes: &[proto::Node]) -> BTreeSet<&str> {
    let mut names: BTreeSet<&str> = nodes.iter().flat_map(|n| &n.input).map(String::as_str).collect();
    for inner in nodes.iter().flat_map(|n| &n.attribute).filter_map(|a| a.g.as_ref()) {
        names.extend(taken(&inner.node));
        names.extend(inner.output.iter().filter_map(|o| o.name.as_deref()));
    }
    names
}

/// A node without a name and outputs.
pub(crate) fn node(
    domain: &str,
    op: &str,
    inputs: Vec<String>,
    attributes: Vec<(&str, Attribute)>,
) -> proto::Node {
    proto::Node {
        input: inputs,
        op_type: Some(op.to_string()),
        domain: (!domain.is_empty()).then(|| domain.to_string()),
        attribute: attributes.into_iter().map(|(name, a)| attribute(name, a)).collect(),
        ..proto::Node::default()
    }
}

/// A value by name, with its type; without a shape where not even the number of axes is known.
pub(crate) fn info(name: &str, dtype: DType, shape: &Shape) -> proto::ValueInfo {
    let dim = |dim: &Dim| proto::Dimension {
        value: match dim {
            Dim::Fixed(n) => i64::try_from(*n).ok().map(proto::DimensionValue::Value),
            Dim::Symbol(s) => Some(proto::DimensionValue::Param(s.clone())),
            Dim::Unknown | Dim::Rest => None,
        },
    };
    let shape = shape.axes().map(|axes| proto::Shape { dim: axes.iter().map(dim).collect() });
    let tensor = proto::TensorType { elem_type: Some(dtype.tag().into()), shape };
    let kind = proto::Type { value: Some(proto::TypeValue::Tensor(tensor)) };
    proto::ValueInfo { name: Some(name.to_string()), kind: Some(kind) }
}

/// What a file says beside its graph.
pub(crate) struct About {
    /// Versions of ONNX's own operators and, where there are some, of those of other sets.
    pub(crate) opsets: Vec<(&'static str, i64)>,
    pub(crate) doc: Option<String>,
    pub(crate) properties: Vec<proto::Entry>,
}

/// The bytes of a file, of the oldest format that came with the operators.
/// # Errors  `TooLong` for 2 GiB or more.
pub(crate) fn file(graph: proto::Graph, about: About) -> Result<Vec<u8>, Error> {
    let own = about.opsets.iter().find(|(domain, _)| domain.is_empty()).map_or(0, |(_, version)| *version);
    let set = |(domain, version): (&str, i64)| proto::OpsetId {
        domain: Some(domain.to_string()),
        version: Some(version),
    };
    let file = proto::Model {
        ir_version: Some(ir_version(own)),
        producer_name: Some("smidgen".to_string()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_string()),
        doc_string: about.doc,
        graph: Some(graph),
        opset_import: about.opsets.into_iter().map(set).collect(),
        metadata_props: about.properties,
        ..proto::Model::default()
    };
    checked_length(file.encoded_len())?;
    Ok(file.encode_to_vec())
}

/// The version of the format that came with a version of ONNX's operators.
fn ir_version(opset: i64) -> i64 {
    match opset {
        ..15 => 7,
        15..19 => 8,
        19..21 => 9,
        21..23 => 10,
        23 => 11,
        24 => 12,
        25.. => 13,
    }
}

/// Protobuf counts the bytes of a message in 31 bits; readers refuse longer ones.
pub(crate) fn checked_length(n_bytes: usize) -> Result<(), Error> {
    match i32::try_from(n_bytes) {
        Ok(_) => Ok(()),
        Err(_) => Err(Kind::TooLong { n_bytes }.into()),
    }
}

fn tensor(name: &str, dtype: DType, dims: &[usize], raw: Bytes) -> proto::Tensor {
    proto::Tensor {
        dims: dims.iter().map(|&n| wide(n)).collect(),
        data_type: Some(dtype.tag().into()),
        name: Some(name.to_string()),
        raw_data: Some(raw),
        ..proto::Tensor::default()
    }
}

fn attribute(name: &str, value: Attribute) -> proto::Attribute {
    let mut out = proto::Attribute { name: Some(name.to_string()), ..proto::Attribute::default() };
    let kind = match value {
        Attribute::Float(v) => {
            out.f = Some(v);
            1
        }
        Attribute::Int(v) => {
            out.i = Some(v);
            2
        }
        Attribute::Text(v) => {
            out.s = Some(Bytes::from(v));
            3
        }
        Attribute::Tensor(v) => {
            out.t = Some(v);
            4
        }
        Attribute::Graph(v) => {
            out.g = Some(v);
            5
        }
        Attribute::Floats(v) => {
            out.floats = v;
            6
        }
        Attribute::Ints(v) => {
            out.ints = v;
            7
        }
        Attribute::Texts(v) => {
            out.strings = v.into_iter().map(Bytes::from).collect();
            8
        }
    };
    out.kind = Some(kind);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_two_gibibytes_are_refused() {
        assert!(checked_length((1 << 31) - 1).is_ok());
        let message = checked_length(1 << 31).unwrap_err().to_string();
        assert!(message.contains("2147483648 bytes"), "{message}");
    }
}
