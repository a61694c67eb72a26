//! The ONNX graph while it is written: nodes, constants, and names that are given once.
//!
//! Equal small constants are stored once. Names of values begin with that of the node of the model that they belong to,
//! so that a viewer shows what belongs together.

use crate::proto;
use prost::bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// Element types that an exported graph uses, with their numbers in ONNX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Element {
    Float = 1,
    Int32 = 6,
    Int64 = 7,
    Text = 8,
    Double = 11,
}

impl Element {
    pub(super) fn number(self) -> i32 {
        self as i32
    }
}

/// An attribute of a node.
pub(super) enum Attribute {
    Int(i64),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    Text(String),
    Texts(Vec<String>),
}

/// A count or an index as ONNX has it; no length of memory is beyond `i64`.
pub(super) fn wide(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Constants up to this many bytes are looked up before one is stored again: all powers of two are the largest such.
const SMALL: usize = 1 << 14;

/// The set of operators for trees and dictionaries.
const ML: &str = "ai.onnx.ml";

/// Nodes and constants so far.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) nodes: Vec<proto::Node>,
    pub(super) constants: Vec<proto::Tensor>,
    names: BTreeSet<String>,
    small: BTreeMap<(Element, Vec<usize>, Vec<u8>), String>,
    prefix: String,
    /// True once a node asks for the operators on text of opset 20.
    pub(super) needs_text_operators: bool,
    /// Columns of text that were read as times, by name and format: microseconds, and where they were read.
    pub(super) times_read: BTreeMap<(String, u8), (String, String)>,
}

impl Writer {
    /// The name itself, or with as many underscores as it takes to be the only one; it is taken then.
    pub(super) fn take(&mut self, name: &str) -> String {
        let mut name = name.to_string();
        if name.is_empty() {
            name.push('_');
        }
        while !self.names.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    /// Names of values that are made from here on begin with this.
    pub(super) fn begin(&mut self, node: &str) {
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
        self.nodes.push(proto::Node {
            input: inputs.iter().map(|&i| i.to_string()).collect(),
            output: outputs.clone(),
            name: outputs.first().cloned(),
            op_type: Some(op.to_string()),
            domain: (!domain.is_empty()).then(|| domain.to_string()),
            overload: None,
            attribute: attributes.into_iter().map(|(name, a)| attribute(name, a)).collect(),
        });
        outputs
    }

    /// The value that an operator without attributes makes.
    pub(super) fn op(&mut self, op: &str, inputs: &[&str]) -> String {
        self.with(op, inputs, Vec::new())
    }

    /// The value that an operator makes.
    pub(super) fn with(&mut self, op: &str, inputs: &[&str], attributes: Vec<(&str, Attribute)>) -> String {
        self.push("", op, inputs, attributes, 1).remove(0)
    }

    /// The two values that an operator makes.
    pub(super) fn pair(
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
    pub(super) fn ml(&mut self, op: &str, inputs: &[&str], attributes: Vec<(&str, Attribute)>) -> String {
        self.push(ML, op, inputs, attributes, 1).remove(0)
    }

    /// Gives a value the name of an output of the graph.
    pub(super) fn give(&mut self, value: &str, output: &str) {
        self.nodes.push(proto::Node {
            input: vec![value.to_string()],
            output: vec![output.to_string()],
            name: Some(output.to_string()),
            op_type: Some("Identity".to_string()),
            ..proto::Node::default()
        });
    }

    /// Drops constants that no node takes.
    pub(super) fn drop_unused(&mut self) {
        let used: BTreeSet<&String> = self.nodes.iter().flat_map(|n| &n.input).collect();
        self.constants.retain(|c| c.name.as_ref().is_some_and(|name| used.contains(name)));
    }

    /// Elements of another type.
    pub(super) fn cast(&mut self, x: &str, to: Element) -> String {
        self.with("Cast", &[x], vec![("to", Attribute::Int(to.number().into()))])
    }

    /// `[N]` as `[N, 1]`.
    pub(super) fn as_column(&mut self, x: &str) -> String {
        let axes = self.ints(&[1], &[1]);
        self.op("Unsqueeze", &[x, &axes])
    }

    /// `[N, 1]` as `[N]`.
    pub(super) fn as_rows(&mut self, x: &str) -> String {
        let axes = self.ints(&[1], &[1]);
        self.op("Squeeze", &[x, &axes])
    }

    /// Values side by side along axis 1.
    pub(super) fn side_by_side(&mut self, parts: &[String]) -> String {
        match parts {
            [one] => one.clone(),
            _ => {
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                self.with("Concat", &parts, vec![("axis", Attribute::Int(1))])
            }
        }
    }

    /// A reduction over axis 1.
    pub(super) fn reduce(&mut self, op: &str, x: &str, keep: bool) -> String {
        let keep = ("keepdims", Attribute::Int(keep.into()));
        let axes = self.ints(&[1], &[1]);
        self.with(op, &[x, &axes], vec![keep])
    }

    /// `x` divided by a constant of whole numbers above 0 and rounded down; `x` of `i64`.
    pub(super) fn floor_divide(&mut self, x: &str, by: &str) -> String {
        let rest = self.op("Mod", &[x, by]);
        let whole = self.op("Sub", &[x, &rest]);
        self.op("Div", &[&whole, by])
    }

    /// Rows of a constant, or of a value, by index along an axis.
    pub(super) fn gather(&mut self, x: &str, indices: &str, axis: i64) -> String {
        self.with("Gather", &[x, indices], vec![("axis", Attribute::Int(axis))])
    }

    fn constant(&mut self, element: Element, dims: &[usize], raw: Vec<u8>) -> String {
        let key = (element, dims.to_vec(), raw);
        if let Some(known) = self.small.get(&key) {
            return known.clone();
        }
        let name = self.fresh("constant");
        self.constants.push(tensor(&name, element, dims, Bytes::copy_from_slice(&key.2)));
        if key.2.len() <= SMALL {
            self.small.insert(key, name.clone());
        }
        name
    }

    /// A constant of doubles; without lengths a scalar.
    pub(super) fn doubles(&mut self, dims: &[usize], values: &[f64]) -> String {
        self.constant(Element::Double, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// A constant of `i64`.
    pub(super) fn ints(&mut self, dims: &[usize], values: &[i64]) -> String {
        self.constant(Element::Int64, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// A constant of `i32`.
    pub(super) fn small_ints(&mut self, dims: &[usize], values: &[i32]) -> String {
        self.constant(Element::Int32, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// A constant of floats.
    pub(super) fn floats(&mut self, dims: &[usize], values: &[f32]) -> String {
        self.constant(Element::Float, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// One double.
    pub(super) fn double(&mut self, value: f64) -> String {
        self.doubles(&[], &[value])
    }

    /// One `i64`.
    pub(super) fn int(&mut self, value: i64) -> String {
        self.ints(&[], &[value])
    }

    /// A constant of texts, `[K]`, or a scalar.
    pub(super) fn texts(&mut self, dims: &[usize], values: &[String]) -> String {
        let name = self.fresh("constant");
        self.constants.push(proto::Tensor {
            string_data: values.iter().map(|v| Bytes::copy_from_slice(v.as_bytes())).collect(),
            raw_data: None,
            ..tensor(&name, Element::Text, dims, Bytes::new())
        });
        name
    }
}

fn tensor(name: &str, element: Element, dims: &[usize], raw: Bytes) -> proto::Tensor {
    proto::Tensor {
        dims: dims.iter().map(|&n| wide(n)).collect(),
        data_type: Some(element.number()),
        name: Some(name.to_string()),
        raw_data: Some(raw),
        ..proto::Tensor::default()
    }
}

fn attribute(name: &str, value: Attribute) -> proto::Attribute {
    let mut out = proto::Attribute { name: Some(name.to_string()), ..proto::Attribute::default() };
    let kind = match value {
        Attribute::Int(v) => {
            out.i = Some(v);
            2
        }
        Attribute::Text(v) => {
            out.s = Some(Bytes::from(v));
            3
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
