//! One node of a network while it is written: its inputs by position, what is known of them, and how it is refused.

use super::versions::{self, Versions};
use crate::error::{Error, Kind};
use crate::proto;
use crate::writer::{Attribute, Writer, node};
use ir::{DType, Dim, Graph, Node, Tensor, TensorData, Value, ValueIdx};

/// A node, and where it is written to.
pub(super) struct Step<'e> {
    pub(super) graph: &'e Graph,
    pub(super) node: &'e Node,
    /// Its name in the file.
    pub(super) name: &'e str,
    /// Names in ONNX of the values of the graph, by index.
    pub(super) names: &'e [String],
    /// Which values a node or the caller takes, by index.
    pub(super) used: &'e [bool],
    pub(super) w: &'e mut Writer,
    /// Versions that the file is written in.
    pub(super) versions: Versions,
    /// Versions that its nodes need.
    pub(super) needed: &'e mut Versions,
}

impl<'e> Step<'e> {
    pub(super) fn op(&self) -> &'static str {
        self.node.op.payload().name()
    }

    /// Refuses the node: what of it cannot be said, and what would work.
    pub(super) fn refuse(&self, what: &str, instead: &str) -> Error {
        let (what, instead) = (what.to_string(), instead.to_string());
        Kind::NotExported { node: self.node.name.clone(), op: self.op(), what, instead }.into()
    }

    /// Says that the node is not what its operator promises.
    pub(super) fn broken(&self, what: &'static str) -> Error {
        Kind::NotAsPromised { node: self.node.name.clone(), op: self.op(), what }.into()
    }

    // Versions.

    /// Notes that the node cannot be said in an earlier version.
    pub(super) fn needs(&mut self, opset: i64) {
        self.needed.opset = self.needed.opset.max(opset);
    }

    /// The same of the operators of ai.onnx.ml.
    pub(super) fn needs_ml(&mut self, version: i64) {
        self.needed.ml = self.needed.ml.max(version);
    }

    /// Notes since when an operator takes these dtypes, or refuses one that it never takes.
    pub(super) fn needs_dtypes(&mut self, op: &str, dtypes: &[DType]) -> Result<(), Error> {
        for (place, &dtype) in dtypes.iter().enumerate() {
            let Some(version) = versions::since(op, place, dtype) else {
                return Err(self.refuse(&format!("{op} of {dtype}"), "cast around the node"));
            };
            self.needs(version);
        }
        Ok(())
    }

    // Inputs.

    pub(super) fn n_inputs(&self) -> usize {
        self.node.inputs.len()
    }

    pub(super) fn idx(&self, at: usize) -> Result<ValueIdx, Error> {
        self.node.inputs.get(at).copied().ok_or_else(|| self.broken("the number of inputs"))
    }

    fn value(&self, at: usize) -> Result<&'e Value, Error> {
        let value = self.graph.values().get(self.idx(at)?.0 as usize);
        value.ok_or_else(|| self.broken("an input"))
    }

    pub(super) fn dtype(&self, at: usize) -> Result<DType, Error> {
        Ok(self.value(at)?.dtype)
    }

    /// The axes of an input, if their number is known.
    pub(super) fn axes(&self, at: usize) -> Result<Option<&'e [Dim]>, Error> {
        Ok(self.value(at)?.shape.axes())
    }

    /// The axis of an input from 0, if the number of axes is known.
    pub(super) fn place(&self, at: usize, axis: i64) -> Result<Option<usize>, Error> {
        let Some(axes) = self.axes(at)? else { return Ok(None) };
        let place = if axis < 0 { axis.checked_add_unsigned(axes.len() as u64) } else { Some(axis) };
        Ok(place.and_then(|place| usize::try_from(place).ok()).filter(|&place| place < axes.len()))
    }

    pub(super) fn constant(&self, at: usize) -> Option<&'e Tensor> {
        let graph = self.graph;
        graph.constant(*self.node.inputs.get(at)?)
    }

    /// Whole numbers of an input that is a constant.
    pub(super) fn ints(&self, at: usize) -> Option<Vec<i64>> {
        self.constant(at)?.data().whole_numbers()
    }

    /// Name of an input.
    pub(super) fn input(&self, at: usize) -> Result<String, Error> {
        let name = self.names.get(self.idx(at)?.0 as usize);
        name.cloned().ok_or_else(|| self.broken("an input"))
    }

    /// Names of all inputs.
    pub(super) fn inputs(&self) -> Result<Vec<String>, Error> {
        (0..self.n_inputs()).map(|at| self.input(at)).collect()
    }

    /// Name of an input that ONNX wants in `i64`, brought to that.
    pub(super) fn wide(&mut self, at: usize) -> Result<String, Error> {
        if self.dtype(at)? == DType::I64 {
            return self.input(at);
        }
        if let (Some(values), Some(constant)) = (self.ints(at), self.constant(at)) {
            return Ok(self.w.ints(constant.dims(), &values));
        }
        let name = self.input(at)?;
        Ok(self.w.cast(&name, DType::I64))
    }

    /// A constant of zeros, shaped as an input; none where that shape is not known, or too long to be written for it.
    pub(super) fn zeros_like(&mut self, at: usize, dtype: DType) -> Result<Option<String>, Error> {
        const MOST: usize = 1 << 16;
        let Some(dims) = self.value(at)?.shape.lengths() else { return Ok(None) };
        let n = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        let Some(n) = n.filter(|&n| n <= MOST) else { return Ok(None) };
        let data = match dtype {
            DType::I8 => TensorData::I8(vec![0; n]),
            DType::Narrow(narrow) => TensorData::Narrow(narrow, vec![0; n]),
            _ => return Ok(None),
        };
        Ok(Tensor::try_new(dims, data).map(|tensor| self.w.tensor(&tensor)))
    }

    // What is written.

    /// Writes the node under its own name with the outputs that it has.
    pub(super) fn write(
        &mut self,
        op: &str,
        dtypes: &[DType],
        inputs: Vec<String>,
        attributes: Vec<(&str, Attribute)>,
    ) -> Result<(), Error> {
        self.needs_dtypes(op, dtypes)?;
        self.write_in("", op, inputs, attributes);
        Ok(())
    }

    /// Writes a node of another set, or one whose dtypes are checked already.
    pub(super) fn write_in(
        &mut self,
        domain: &str,
        op: &str,
        inputs: Vec<String>,
        attributes: Vec<(&str, Attribute)>,
    ) {
        let name = Some(self.name.to_string());
        let output = self.outputs();
        self.w.nodes.push(proto::Node { name, output, ..node(domain, op, inputs, attributes) });
    }

    /// Writes the node with all inputs as they stand and the operator's own name; the first input's dtype matters.
    pub(super) fn plain(&mut self, attributes: Vec<(&str, Attribute)>) -> Result<(), Error> {
        let (dtype, inputs) = (self.dtype(0)?, self.inputs()?);
        self.write(self.op(), &[dtype], inputs, attributes)
    }

    pub(super) fn output_dtype(&self, at: usize) -> Result<DType, Error> {
        let value = self.node.outputs.get(at).and_then(|idx| self.graph.values().get(idx.0 as usize));
        value.map(|value| value.dtype).ok_or_else(|| self.broken("the number of outputs"))
    }

    fn outputs(&self) -> Vec<String> {
        let name = |idx: &ValueIdx| self.names.get(idx.0 as usize).cloned().unwrap_or_default();
        self.node.outputs.iter().map(name).collect()
    }

    /// Leaves out those outputs of the node just written that nobody takes, from one on; a node that nobody needs keeps all.
    pub(super) fn optional_outputs(&mut self, first: usize) {
        let is_used = |idx: &ValueIdx| self.used.get(idx.0 as usize) == Some(&true);
        let used: Vec<bool> = self.node.outputs.iter().map(is_used).collect();
        let Some(written) = self.w.nodes.last_mut().filter(|_| used.contains(&true)) else { return };
        for (name, used) in written.output.iter_mut().zip(used).skip(first) {
            if !used {
                name.clear();
            }
        }
        while written.output.len() > first && written.output.last().is_some_and(String::is_empty) {
            written.output.pop();
        }
    }
}

/// Inputs of which the last ones are left out where they are empty.
pub(super) fn trimmed(mut inputs: Vec<String>) -> Vec<String> {
    while inputs.last().is_some_and(String::is_empty) {
        inputs.pop();
    }
    inputs
}

/// Lengths, steps or counts of an attribute.
pub(super) fn counts(values: &[usize]) -> Attribute {
    Attribute::Ints(values.iter().map(|&n| crate::writer::wide(n)).collect())
}

/// A truth of an attribute.
pub(super) fn flag(holds: bool) -> Attribute {
    Attribute::Int(holds.into())
}

/// A word of an attribute.
pub(super) fn word(text: &str) -> Attribute {
    Attribute::Text(text.to_string())
}
