//! Building a graph, and the checks that make one well formed.

use crate::graph::{Graph, Node, NodeIdx, Origin, Value, ValueIdx};
use crate::op::Operand;
use crate::{DType, Error, Kind, Op, Shape, Tensor};
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Makes a graph node by node; each is checked as it is added.
#[derive(Clone, Debug, Default)]
pub struct GraphBuilder {
    values: Vec<Value>,
    nodes: Vec<Node>,
    inputs: Vec<ValueIdx>,
    names: BTreeSet<String>,
}

impl GraphBuilder {
    /// A graph without anything.
    pub fn new() -> GraphBuilder {
        GraphBuilder::default()
    }

    /// A value that the caller will give. Inputs come before all other values, as in the file.
    ///
    /// # Errors
    /// A name that is taken, or a constant or a node before it.
    pub fn input(&mut self, name: &str, dtype: DType, shape: Shape) -> Result<ValueIdx, Error> {
        if self.values.len() > self.inputs.len() {
            return Err(Kind::Graph {
                what: alloc::format!("input \"{name}\""),
                expected: "inputs before constants and nodes".to_string(),
                got: alloc::format!("{} of these before it", self.values.len() - self.inputs.len()),
            }
            .into());
        }
        let position = self.inputs.len() as u32;
        let idx = self.add(name, dtype, shape, Origin::Input(position))?;
        self.inputs.push(idx);
        Ok(idx)
    }

    /// A value that is part of the model, named after its position (`k3`, or `k3_` where a column
    /// has that name).
    ///
    /// # Errors
    /// As [`GraphBuilder::constant_named`].
    pub fn constant(&mut self, tensor: Tensor) -> Result<ValueIdx, Error> {
        self.constant_named(&self.free(constant_name(self.values.len())), tensor)
    }

    /// A value that is part of the model.
    ///
    /// # Errors
    /// A name that is taken, or empty (the file keeps the empty name for the builder's own).
    pub fn constant_named(&mut self, name: &str, tensor: Tensor) -> Result<ValueIdx, Error> {
        let shape = Shape::fixed(tensor.dims());
        self.add(name, tensor.dtype(), shape, Origin::Constant(tensor))
    }

    /// An operator with one output, named after itself and its position (`bin4`, or `bin4_` where a
    /// column has that name).
    ///
    /// # Errors
    /// As [`GraphBuilder::node_named`].
    pub fn node(&mut self, op: Op, inputs: &[ValueIdx]) -> Result<ValueIdx, Error> {
        let name = self.free(node_name(&op, self.values.len()));
        let outputs = self.node_named(&name, op, inputs)?;
        outputs.first().copied().ok_or_else(|| {
            let (expected, got) = ("one".to_string(), "none".to_string());
            Kind::Graph { what: alloc::format!("outputs of node \"{name}\""), expected, got }.into()
        })
    }

    /// An operator applied to values; gives its outputs, named `name` (or `name:1`, .. beyond the first).
    ///
    /// # Errors
    /// A name that is taken or empty, a value of no graph, or inputs that the operator does not take.
    pub fn node_named(&mut self, name: &str, op: Op, inputs: &[ValueIdx]) -> Result<Vec<ValueIdx>, Error> {
        let mut operands = Vec::with_capacity(inputs.len());
        for idx in inputs {
            let value = self.values.get(idx.0 as usize).ok_or_else(|| Kind::Graph {
                what: alloc::format!("input of node \"{name}\""),
                expected: alloc::format!("a value before it (below {})", self.values.len()),
                got: idx.0.to_string(),
            })?;
            let constant = match &value.origin {
                Origin::Constant(tensor) => Some(tensor),
                Origin::Input(_) | Origin::Node(_) => None,
            };
            operands.push(Operand { dtype: value.dtype, shape: &value.shape, constant });
        }
        let made = op.payload().infer(&operands).map_err(|e| e.at_node(name))?;
        let node = NodeIdx(self.nodes.len() as u32);
        let mut outputs = Vec::with_capacity(made.len());
        for (i, (dtype, shape)) in made.into_iter().enumerate() {
            let name = if i == 0 { name.to_string() } else { alloc::format!("{name}:{i}") };
            outputs.push(self.add(&name, dtype, shape, Origin::Node(node))?);
        }
        self.nodes.push(Node {
            name: name.to_string(),
            op,
            inputs: inputs.to_vec(),
            outputs: outputs.clone(),
        });
        Ok(outputs)
    }

    /// Number of values so far.
    pub fn n_values(&self) -> usize {
        self.values.len()
    }

    /// The graph that gives `outputs`.
    ///
    /// # Errors
    /// An output that is no value, or no output at all.
    pub fn finish(self, outputs: &[ValueIdx]) -> Result<Graph, Error> {
        if outputs.is_empty() || outputs.iter().any(|o| o.0 as usize >= self.values.len()) {
            return Err(Kind::Graph {
                what: "outputs".to_string(),
                expected: alloc::format!("one or more values below {}", self.values.len()),
                got: alloc::format!("{outputs:?}"),
            }
            .into());
        }
        let GraphBuilder { values, nodes, inputs, .. } = self;
        Ok(Graph { values, nodes, inputs, outputs: outputs.to_vec() })
    }

    /// The name, with as many underscores as it takes to be the only one.
    fn free(&self, mut name: String) -> String {
        while self.names.contains(&name) {
            name.push('_');
        }
        name
    }

    fn add(&mut self, name: &str, dtype: DType, shape: Shape, origin: Origin) -> Result<ValueIdx, Error> {
        if name.is_empty() && !matches!(origin, Origin::Input(_)) {
            return Err(Kind::Graph {
                what: "value name".to_string(),
                expected: "one or more characters".to_string(),
                got: "none".to_string(),
            }
            .into());
        }
        if !self.names.insert(name.to_string()) {
            return Err(Kind::Graph {
                what: "value name".to_string(),
                expected: "one of its own".to_string(),
                got: alloc::format!("\"{name}\" twice"),
            }
            .into());
        }
        let idx = ValueIdx(self.values.len() as u32);
        self.values.push(Value { name: name.to_string(), dtype, shape, origin });
        Ok(idx)
    }
}

/// Name of a constant that was given none; the file stores no such name.
pub(crate) fn constant_name(position: usize) -> String {
    alloc::format!("k{position}")
}

/// Name of a node that was given none; the file stores no such name.
pub(crate) fn node_name(op: &Op, position: usize) -> String {
    alloc::format!("{}{position}", op.payload().name().to_ascii_lowercase())
}
