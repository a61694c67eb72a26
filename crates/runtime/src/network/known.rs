//! What is known of a network whose inputs have known lengths: all lengths, and what is constant, computed once.

use crate::error::{Error, Kind};
use crate::tensors::{Limits, Meter, compute, misfit};
use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::tensor::ShapeOf;
use ir::op::{Operand, TensorOp};
use ir::{DType, Graph, Node, Op, Origin, Shape, Tensor, TensorData, ValueIdx};

/// Lengths and constants, by value.
pub(super) struct Known<'g> {
    dims: Vec<Option<Vec<usize>>>,
    constants: Vec<Option<Cow<'g, Tensor>>>,
    limits: Limits,
    /// Whether an output hangs on a node that is not constant.
    pub(super) runs: Vec<bool>,
}

/// The operator of a network; an error for one of tables.
pub(super) fn tensor_op(node: &Node) -> Result<&TensorOp, Error> {
    match &node.op {
        Op::Tensor(op) => Ok(op),
        other => Err(unsupported(node, other.payload().name())),
    }
}

pub(super) fn unsupported(node: &Node, op: &'static str) -> Error {
    Kind::Unsupported { node: node.name.clone(), op, engine: "plan" }.into()
}

impl<'g> Known<'g> {
    /// `lengths`: of each input.
    ///
    /// # Errors
    /// `Input` for lengths that an input cannot have; `Node` for those that a node cannot take; `Unsupported` for a
    /// node whose lengths hang on data; `Memory` for a value of more bytes than is allowed.
    pub(super) fn of(graph: &'g Graph, lengths: &[Vec<usize>], limits: Limits) -> Result<Known<'g>, Error> {
        let n = graph.values().len();
        let mut known =
            Known { dims: vec![None; n], constants: vec![None; n], limits, runs: needed(graph, |_| false) };
        known.inputs(graph, lengths)?;
        let mut meter = Meter::new(limits);
        for (at, value) in graph.values().iter().enumerate() {
            if let Origin::Constant(tensor) = &value.origin {
                known.dims[at] = Some(tensor.dims().to_vec());
                known.constants[at] = Some(Cow::Borrowed(tensor));
            }
        }
        for (at, node) in graph.nodes().iter().enumerate() {
            if !known.runs[at] {
                continue;
            }
            let op = tensor_op(node)?;
            if let Some(made) = known.shape_of(op, node) {
                known.keep(node, vec![made]);
                continue;
            }
            let shapes: Vec<Shape> = node.inputs.iter().map(|&i| Shape::fixed(known.dims(i))).collect();
            let operands: Vec<Operand<'_>> = node
                .inputs
                .iter()
                .zip(&shapes)
                .map(|(&i, shape)| Operand {
                    dtype: graph.value(i).dtype,
                    shape,
                    constant: known.constant(i),
                    lengths: None,
                    is_given: false,
                })
                .collect();
            let name = op.payload().name();
            let made = op.payload().infer(&operands).map_err(|e| misfit(&node.name, name, &e))?;
            let constants: Option<Vec<_>> =
                node.inputs.iter().map(|i| known.constants[i.0 as usize].clone()).collect();
            if let Some(tensors) = constants {
                let made = compute(node, op, tensors, &mut meter, None)?;
                made.iter().for_each(|tensor| meter.take(tensor));
                known.keep(node, made);
                continue;
            }
            for (&output, (_, shape)) in node.outputs.iter().zip(&made) {
                let dims = shape.lengths().ok_or_else(|| unsupported(node, name))?;
                known.set(output, graph.value(output).dtype, dims, &node.name)?;
            }
        }
        known.runs = needed(graph, |idx| known.constants[idx.0 as usize].is_some());
        Ok(known)
    }

    fn inputs(&mut self, graph: &Graph, lengths: &[Vec<usize>]) -> Result<(), Error> {
        if lengths.len() != graph.inputs().len() {
            return Err(Kind::Columns { expected: graph.inputs().len(), got: lengths.len() }.into());
        }
        for (&idx, dims) in graph.inputs().iter().zip(lengths) {
            let value = graph.value(idx);
            let fits = value.shape.axes().is_none_or(|axes| {
                axes.len() == dims.len()
                    && axes.iter().zip(dims).all(|(axis, &n)| match axis {
                        ir::Dim::Fixed(k) => *k == n,
                        ir::Dim::Symbol(_) | ir::Dim::Unknown | ir::Dim::Rest => true,
                    })
            });
            if !fits {
                let (name, got) = (value.name.clone(), alloc::format!("{} {dims:?}", value.dtype));
                let expected = alloc::format!("{} {}", value.dtype, value.shape);
                return Err(Kind::Input { name, expected, got }.into());
            }
            self.set(idx, value.dtype, dims.clone(), &value.name)?;
        }
        Ok(())
    }

    /// The lengths that a node asks for, which are constant here though its input is not.
    fn shape_of(&self, op: &TensorOp, node: &Node) -> Option<Tensor> {
        let TensorOp::ShapeOf(op) = op else { return None };
        let dims = self.dims(*node.inputs.first()?);
        let long = |n: usize| i64::try_from(n).ok();
        match op {
            ShapeOf::Lengths { .. } => {
                let some = dims.get(op.axes(dims.len()))?.iter().map(|&n| long(n));
                Some(Tensor::vector(TensorData::I64(some.collect::<Option<_>>()?)))
            }
            ShapeOf::Count => Tensor::scalar(TensorData::I64(vec![long(dims.iter().product())?])),
        }
    }

    fn keep(&mut self, node: &Node, made: Vec<Tensor>) {
        for (output, tensor) in node.outputs.iter().zip(made) {
            self.dims[output.0 as usize] = Some(tensor.dims().to_vec());
            self.constants[output.0 as usize] = Some(Cow::Owned(tensor));
        }
    }

    /// Lengths of a value that is needed.
    pub(super) fn dims(&self, idx: ValueIdx) -> &[usize] {
        self.dims[idx.0 as usize].as_deref().unwrap_or(&[])
    }

    /// The constant that a value is.
    pub(super) fn constant(&self, idx: ValueIdx) -> Option<&Tensor> {
        self.constants[idx.0 as usize].as_deref()
    }

    /// Keeps the lengths of a value, if its bytes can be counted and are allowed; lengths of 0 do not count, so that
    /// loops over the others are bounded too.
    fn set(&mut self, idx: ValueIdx, dtype: DType, dims: Vec<usize>, node: &str) -> Result<(), Error> {
        let filled = dims.iter().filter(|&&d| d != 0);
        let needed = filled.fold(dtype.bytes() as u128, |n, &d| n.saturating_mul(d as u128));
        if needed > self.limits.bytes as u128 {
            let limit = self.limits.bytes;
            return Err(Kind::Memory { node: node.to_string(), op: "plan", needed, limit }.into());
        }
        self.dims[idx.0 as usize] = Some(dims);
        Ok(())
    }
}

/// Whether an output hangs on each node, where constants hang on none.
fn needed(graph: &Graph, is_constant: impl Fn(ValueIdx) -> bool) -> Vec<bool> {
    let mut values = vec![false; graph.values().len()];
    graph.outputs().iter().for_each(|idx| values[idx.0 as usize] = true);
    let mut runs = vec![false; graph.nodes().len()];
    for (at, node) in graph.nodes().iter().enumerate().rev() {
        runs[at] = node.outputs.iter().any(|&o| values[o.0 as usize] && !is_constant(o));
        if runs[at] {
            node.inputs.iter().for_each(|i| values[i.0 as usize] = true);
        }
    }
    runs
}
