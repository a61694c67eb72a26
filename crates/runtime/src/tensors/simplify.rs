//! A network made simpler before any data comes: what is constant is computed, what changes nothing goes, and what is
//! one operation becomes one node.
//!
//! Values that are left keep their names. Dequantized weights are not computed: they would lose what makes them small.

mod merge;
mod rebuild;
mod shapes;

use super::args::Meter;
use super::{Limits, compute};
use crate::error::Error;
use alloc::borrow::Cow;
use alloc::vec::Vec;
use ir::op::TensorOp;
use ir::op::tensor::{Identity, Pad, ShapeOf, Transpose};
use ir::{Dim, Graph, Node, Op, Tensor, TensorData, ValueIdx};
use rebuild::Rebuild;

/// Most bytes of a constant that is made, unless what it is made of has as many.
const MAX_MADE: usize = 1 << 16;

/// The same network with fewer nodes: constants computed, shapes that are known as constants, identities left out,
/// batch normalisations and pads taken into the convolutions beside them, and nothing that no output hangs on.
///
/// Outputs are equal but for rounding: a normalisation that is taken into weights rounds them once more.
///
/// # Errors
/// A graph with nodes that are no operators of networks.
pub fn simplify(graph: &Graph) -> Result<Graph, Error> {
    simplified(graph.clone())
}

/// As [`simplify`], of a graph that nobody else needs: what becomes of a weight takes its place in memory.
///
/// # Errors
/// As [`simplify`].
pub fn simplified(graph: Graph) -> Result<Graph, Error> {
    merge::merged(known(graph)?)
}

/// Constants computed, identities left out.
fn known(graph: Graph) -> Result<Graph, Error> {
    let (mut rebuild, nodes) = Rebuild::new(graph)?;
    for (_, node) in &nodes {
        let Op::Tensor(op) = &node.op else { return Err(rebuild.refuse(node)) };
        let inputs = rebuild.inputs(node)?;
        let is_output = node.outputs.iter().any(|&o| rebuild.is_output(o));
        if let Some(same) = unchanged(op, &inputs, &rebuild).filter(|_| !is_output) {
            rebuild.replace(node.outputs[0], same);
            continue;
        }
        if let Some(made) = constants(node, op, &inputs, &rebuild) {
            for (&idx, tensor) in node.outputs.iter().zip(made) {
                rebuild.constant(idx, tensor)?;
            }
            continue;
        }
        let (op, inputs) = shapes::simpler(op, inputs, &mut rebuild, node)?;
        rebuild.node(node, op, &inputs)?;
    }
    rebuild.finish()
}

/// The input that an operator gives back as it is.
fn unchanged(op: &TensorOp, inputs: &[ValueIdx], rebuild: &Rebuild) -> Option<ValueIdx> {
    let &first = inputs.first()?;
    let is_same = match op {
        TensorOp::Identity(Identity) => true,
        TensorOp::Cast(cast) => rebuild.dtype(first) == cast.to,
        TensorOp::Transpose(Transpose { order: Some(order) }) => {
            order.iter().enumerate().all(|(i, &o)| i == o)
        }
        TensorOp::Concat(_) => inputs.len() == 1,
        TensorOp::Pad(Pad { .. }) => rebuild.ints(*inputs.get(1)?)?.iter().all(|&n| n == 0),
        _ => false,
    };
    is_same.then_some(first)
}

/// Outputs of a node that hang on constants alone, or on lengths that are known.
fn constants(node: &Node, op: &TensorOp, inputs: &[ValueIdx], rebuild: &Rebuild) -> Option<Vec<Tensor>> {
    if let (TensorOp::ShapeOf(op), &[x]) = (op, inputs) {
        return lengths(*op, rebuild, x);
    }
    let is_kept = match op {
        TensorOp::DequantizeLinear(_) | TensorOp::If(_) | TensorOp::Loop(_) | TensorOp::Scan(_) => true,
        _ => inputs.is_empty() && !matches!(op, TensorOp::ConstantOfShape(_)),
    };
    let tensors: Vec<&Tensor> = inputs.iter().map(|&i| rebuild.tensor(i)).collect::<Option<_>>()?;
    let bytes = tensors.iter().map(|t| super::args::bytes(t)).sum::<usize>();
    if is_kept {
        return None;
    }
    let most = bytes.max(MAX_MADE);
    let mut meter = Meter::new(Limits { bytes: most, steps: 0 });
    // An operator that fails here fails again where it runs, with its error.
    let made = compute(node, op, tensors.into_iter().map(Cow::Borrowed).collect(), &mut meter, None).ok()?;
    (made.iter().map(super::args::bytes).sum::<usize>() <= most).then_some(made)
}

fn lengths(op: ShapeOf, rebuild: &Rebuild, x: ValueIdx) -> Option<Vec<Tensor>> {
    let axes = rebuild.axes(x)?;
    let range = op.axes(axes.len());
    let known = |dim: &Dim| if let Dim::Fixed(n) = dim { i64::try_from(*n).ok() } else { None };
    let lengths: Vec<i64> = axes[range].iter().map(known).collect::<Option<_>>()?;
    let tensor = match op {
        ShapeOf::Lengths { .. } => Tensor::vector(TensorData::I64(lengths)),
        ShapeOf::Count => {
            let n = lengths.iter().try_fold(1i64, |n, &d| n.checked_mul(d))?;
            Tensor::scalar(TensorData::I64(alloc::vec![n]))?
        }
    };
    Some(alloc::vec![tensor])
}
