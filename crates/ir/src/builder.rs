//! Building a graph, and the checks that make one well formed.

use crate::graph::{Graph, Node, NodeIdx, Origin, Value, ValueIdx};
use crate::op::{Operand, Respell};
use crate::{DType, Dim, Error, Kind, Op, Shape, Tensor};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Makes a graph node by node; each is checked as it is added.
#[derive(Clone, Debug, Default)]
pub struct GraphBuilder {
    values: Vec<Value>,
    nodes: Vec<Node>,
    inputs: Vec<ValueIdx>,
    names: BTreeSet<String>,
    cells: usize,
    work: usize,
    /// What values hold that are lists of lengths.
    lengths: BTreeMap<ValueIdx, Vec<Dim>>,
    /// Nodes that [`GraphBuilder::node`] made, by operator and inputs.
    made: BTreeMap<(&'static str, Vec<ValueIdx>), Vec<NodeIdx>>,
}

/// Most numbers that all nodes together compute for one row: a hostile file must not ask for more.
const MAX_CELLS: usize = 1 << 18;

/// Most numbers of the constants of all nodes together, one counted again for each node that takes it: a row may
/// be multiplied by each of them, and a hostile file must not ask for much by naming one constant in many nodes.
const MAX_WORK: usize = 1 << 26;

/// What a bag counts for: it has as many ids as its text has terms, however wide it is.
const CELLS_OF_BAG: usize = 2048;

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
    pub fn constant(&mut self, tensor: impl Into<Arc<Tensor>>) -> Result<ValueIdx, Error> {
        self.constant_named(&self.free(constant_name(self.values.len())), tensor)
    }

    /// A value that is part of the model.
    ///
    /// # Errors
    /// A name that is taken, or empty (the file keeps the empty name for the builder's own); bags.
    pub fn constant_named(&mut self, name: &str, tensor: impl Into<Arc<Tensor>>) -> Result<ValueIdx, Error> {
        let tensor = tensor.into();
        if tensor.dtype() == DType::Bag {
            return Err(Kind::Graph {
                what: alloc::format!("constant \"{name}\""),
                expected: "a dense tensor".to_string(),
                got: "bags".to_string(),
            }
            .into());
        }
        let shape = Shape::fixed(tensor.dims());
        self.add(name, tensor.dtype(), shape, Origin::Constant(tensor))
    }

    /// An operator with one output, named after itself and its position (`bin4`, or `bin4_` where a
    /// column has that name). The same operator on the same values is not made twice: its value is given again.
    ///
    /// # Errors
    /// As [`GraphBuilder::node_named`].
    pub fn node(&mut self, op: Op, inputs: &[ValueIdx]) -> Result<ValueIdx, Error> {
        let key = (op.payload().name(), inputs.to_vec());
        let made = self.made.get(&key).map_or(&[][..], Vec::as_slice);
        let same = made.iter().find(|idx| self.nodes[idx.0 as usize].op == op);
        if let Some(&output) = same.and_then(|idx| self.nodes[idx.0 as usize].outputs.first()) {
            return Ok(output);
        }
        let name = self.free(node_name(&op, self.values.len()));
        let idx = NodeIdx(self.nodes.len() as u32);
        let outputs = self.node_named(&name, op, inputs)?;
        self.made.entry(key).or_default().push(idx);
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
        self.node_with_outputs(name, op, inputs, &[])
    }

    /// An operator applied to values, whose outputs have names of their own; those past the list are named after the
    /// node.
    ///
    /// # Errors
    /// As [`GraphBuilder::node_named`].
    pub fn node_with_outputs(
        &mut self,
        name: &str,
        op: Op,
        inputs: &[ValueIdx],
        names: &[String],
    ) -> Result<Vec<ValueIdx>, Error> {
        let mut operands = Vec::with_capacity(inputs.len());
        for idx in inputs {
            let value = self.values.get(idx.0 as usize).ok_or_else(|| Kind::Graph {
                what: alloc::format!("input of node \"{name}\""),
                expected: alloc::format!("a value before it (below {})", self.values.len()),
                got: idx.0.to_string(),
            })?;
            let constant = match &value.origin {
                Origin::Constant(tensor) => Some(&**tensor),
                Origin::Input(_) | Origin::Node(_) => None,
            };
            let is_given = matches!(value.origin, Origin::Input(_));
            let lengths = self.lengths.get(idx).map(Vec::as_slice);
            operands.push(Operand { dtype: value.dtype, shape: &value.shape, constant, lengths, is_given });
        }
        // What a network may take is limited where it runs, by its lengths then.
        let is_of_rows = !matches!(op, Op::Tensor(_));
        let numbers = operands.iter().filter(|_| is_of_rows).filter_map(|o| o.constant);
        self.work = numbers.map(|c| c.data().len()).fold(self.work, usize::saturating_add);
        // Before the operator looks at them.
        if self.work > MAX_WORK {
            let (node, most, got) = (name.to_string(), MAX_WORK, self.work);
            return Err(Kind::Work { node, most, got }.into());
        }
        let made = op.payload().infer(&operands).map_err(|e| e.at_node(name))?;
        let listed = if let Op::Tensor(op) = &op { op.listed(&operands) } else { None };
        let node = NodeIdx(self.nodes.len() as u32);
        let mut outputs = Vec::with_capacity(made.len());
        for (dtype, shape) in made.iter().filter(|_| is_of_rows) {
            let cells = match dtype {
                DType::Bag => CELLS_OF_BAG,
                // Made text is as long as the longest that its operator may hold, in units of a double.
                DType::Str => shape.cells_of_row().saturating_mul(Respell::MAX_VALUE / 8),
                _ => shape.cells_of_row(),
            };
            self.cells = self.cells.saturating_add(cells);
        }
        if self.cells > MAX_CELLS {
            let (node, most, got) = (name.to_string(), MAX_CELLS, self.cells);
            return Err(Kind::Wide { node, most, got }.into());
        }
        for (i, (dtype, shape)) in made.into_iter().enumerate() {
            let own = match names.get(i) {
                Some(own) => own.clone(),
                None if i == 0 => name.to_string(),
                None => alloc::format!("{name}:{i}"),
            };
            outputs.push(self.add(&own, dtype, shape, Origin::Node(node))?);
        }
        if let (Some(lengths), Some(&output)) = (listed, outputs.first()) {
            self.lengths.insert(output, lengths);
        }
        self.nodes.push(Node {
            name: name.to_string(),
            op,
            inputs: inputs.to_vec(),
            outputs: outputs.clone(),
        });
        Ok(outputs)
    }

    /// Gives a value another name, such as the one that it has where the graph comes from.
    ///
    /// # Errors
    /// A name that is taken or empty, a value of no graph.
    pub fn rename(&mut self, value: ValueIdx, name: &str) -> Result<(), Error> {
        let n_values = self.values.len();
        let fail = |expected: &str, got: String| {
            let what = alloc::format!("name \"{name}\"");
            Error::from(Kind::Graph { what, expected: expected.to_string(), got })
        };
        let Some(value) = self.values.get_mut(value.0 as usize) else {
            return Err(fail("a value of the graph", alloc::format!("{} of {n_values}", value.0)));
        };
        if value.name == name {
            return Ok(());
        }
        if name.is_empty() || !self.names.insert(name.to_string()) {
            return Err(fail("one of its own", "one that is taken or empty".to_string()));
        }
        self.names.remove(&value.name);
        value.name = name.to_string();
        Ok(())
    }

    /// Gives a value the shape that is known of it from elsewhere, such as from the file that the graph comes from. It counts
    /// only where not even the number of axes is known otherwise; nothing that was added before is looked at again.
    ///
    /// # Errors
    /// A value of no graph.
    pub fn declare_shape(&mut self, value: ValueIdx, shape: &Shape) -> Result<(), Error> {
        let n_values = self.values.len();
        let Some(value) = self.values.get_mut(value.0 as usize) else {
            return Err(Kind::Graph {
                what: "declared shape".to_string(),
                expected: alloc::format!("a value below {n_values}"),
                got: value.0.to_string(),
            }
            .into());
        };
        if value.shape.axes().is_none() {
            value.shape = shape.clone();
        }
        Ok(())
    }

    /// True if no value has this name.
    pub fn is_free(&self, name: &str) -> bool {
        !self.names.contains(name)
    }

    /// A value as it stands; none of a value of no graph.
    pub fn value(&self, value: ValueIdx) -> Option<&Value> {
        self.values.get(value.0 as usize)
    }

    /// Storage type of a value; none of a value of no graph.
    pub fn dtype(&self, value: ValueIdx) -> Option<DType> {
        self.values.get(value.0 as usize).map(|v| v.dtype)
    }

    /// Shape of a value; none of a value of no graph.
    pub fn shape(&self, value: ValueIdx) -> Option<&Shape> {
        self.values.get(value.0 as usize).map(|v| &v.shape)
    }

    /// The lengths that a value holds as numbers, if a node made it of lengths of other values.
    pub fn lengths(&self, value: ValueIdx) -> Option<&[Dim]> {
        self.lengths.get(&value).map(Vec::as_slice)
    }

    /// Number of axes of a value; none of a value of no graph.
    pub fn rank(&self, value: ValueIdx) -> Option<usize> {
        self.values.get(value.0 as usize).map(|v| v.shape.rank())
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
    pub fn free(&self, mut name: String) -> String {
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
