//! A `Reshape` to lengths that flow through the network as numbers: with a symbol among them they are no constant, yet
//! what the `Reshape` is told often is: the symbol's axis is copied, or is what is left.

use super::rebuild::Rebuild;
use crate::error::Error;
use alloc::vec::Vec;
use ir::op::TensorOp;
use ir::op::tensor::Reshape;
use ir::{Dim, Node, Op, Tensor, TensorData, ValueIdx};

/// A node as it is, or a `Reshape` whose shape has become a constant.
pub(super) fn simpler(
    op: &TensorOp,
    mut inputs: Vec<ValueIdx>,
    rebuild: &mut Rebuild,
    node: &Node,
) -> Result<(Op, Vec<ValueIdx>), Error> {
    if let (TensorOp::Reshape(Reshape::To { allow_zero: false }), &[x, shape]) = (op, &inputs[..]) {
        let wanted = rebuild.lengths(shape).and_then(|dims| target(dims, &rebuild.axes(x)?));
        if let Some(wanted) = wanted {
            inputs[1] = rebuild.fresh(node, Tensor::vector(TensorData::I64(wanted)))?;
        }
    }
    Ok((op.clone().into(), inputs))
}

/// The shape to which an input of these axes is brought: 0 copies a length, -1 once stands for what is left.
fn target(dims: &[Dim], axes: &[Dim]) -> Option<Vec<i64>> {
    let mut left = 0;
    let mut wanted = Vec::with_capacity(dims.len());
    for (at, dim) in dims.iter().enumerate() {
        wanted.push(match dim {
            // 0 would copy a length, whatever it was meant for.
            Dim::Fixed(0) => return None,
            Dim::Fixed(n) => i64::try_from(*n).ok()?,
            Dim::Symbol(_) if axes.get(at) == Some(dim) => 0,
            _ => {
                left += 1;
                -1
            }
        });
    }
    (left <= 1).then_some(wanted)
}
