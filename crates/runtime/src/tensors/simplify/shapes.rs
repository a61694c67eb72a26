//! Lengths that flow through a network as numbers: `Shape`, then `Gather` and `Concat`, at last `Reshape`.
//!
//! With a symbol among the lengths such a chain is no constant; yet what a `Reshape` makes of it often is: the symbol's
//! axis is copied, or is what is left.

use super::{ill_formed, simplified};
use crate::error::Error;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use ir::op::TensorOp;
use ir::op::tensor::{Gather, Reshape, ShapeOf};
use ir::{Dim, Node, Op, Rewrite, Tensor, TensorData, ValueIdx};

/// Lists of lengths, by the value that holds them.
#[derive(Default)]
pub(super) struct Shapes(BTreeMap<ValueIdx, Vec<Dim>>);

impl Shapes {
    fn of(&self, value: ValueIdx, rewrite: &Rewrite<'_>) -> Option<Vec<Dim>> {
        if let Some(dims) = self.0.get(&value) {
            return Some(dims.clone());
        }
        let lengths = rewrite.ints(value)?;
        lengths.into_iter().map(|n| usize::try_from(n).ok().map(Dim::Fixed)).collect()
    }

    /// Remembers the lengths that a node's output holds.
    pub(super) fn note(
        &mut self,
        node: &Node,
        inputs: &[ValueIdx],
        outputs: &[ValueIdx],
        rewrite: &Rewrite<'_>,
    ) {
        let (Op::Tensor(op), &[output, ..]) = (&node.op, outputs) else { return };
        if let Some(dims) = self.made(op, inputs, rewrite) {
            self.0.insert(output, dims);
        }
    }

    fn made(&self, op: &TensorOp, inputs: &[ValueIdx], rewrite: &Rewrite<'_>) -> Option<Vec<Dim>> {
        let &first = inputs.first()?;
        match op {
            TensorOp::ShapeOf(op @ ShapeOf::Lengths { .. }) => {
                let axes = rewrite.axes(first)?;
                let dims = axes[op.axes(axes.len())].to_vec();
                (!dims.contains(&Dim::Unknown)).then_some(dims)
            }
            TensorOp::Gather(Gather::Slices { axis: 0 }) => {
                let dims = self.of(first, rewrite)?;
                let place = |&at: &i64| {
                    let at = if at < 0 { at.checked_add_unsigned(dims.len() as u64)? } else { at };
                    dims.get(usize::try_from(at).ok()?).cloned()
                };
                rewrite.ints(*inputs.get(1)?)?.iter().map(place).collect()
            }
            TensorOp::Slice(op) => {
                let dims = self.of(first, rewrite)?;
                let ints = |at: usize| rewrite.ints(*inputs.get(at)?);
                let axes = if op.has_axes { Some(ints(3)?) } else { None };
                let steps = if op.has_steps { Some(ints(inputs.len() - 1)?) } else { None };
                let ranges =
                    op.ranges(&[dims.len()], &ints(1)?, &ints(2)?, axes.as_deref(), steps.as_deref()).ok()?;
                let &(start, step, n) = ranges.first()?;
                let place = |i: usize| dims.get((start as i64 + i as i64 * step) as usize).cloned();
                (0..n).map(place).collect()
            }
            TensorOp::Concat(_) => {
                let parts: Option<Vec<Vec<Dim>>> = inputs.iter().map(|&i| self.of(i, rewrite)).collect();
                Some(parts?.concat())
            }
            TensorOp::Squeeze(_) | TensorOp::Cast(_) => {
                let is_list = rewrite.axes(first).is_some_and(|a| a.len() <= 1);
                self.of(first, rewrite).filter(|_| is_list && rewrite.dtype(first).whole_range().is_some())
            }
            _ => None,
        }
    }

    /// A node as it is, or a `Reshape` whose shape has become a constant.
    pub(super) fn simpler(
        &self,
        op: &TensorOp,
        mut inputs: Vec<ValueIdx>,
        rewrite: &mut Rewrite<'_>,
        node: &Node,
    ) -> Result<(Op, Vec<ValueIdx>), Error> {
        if let (TensorOp::Reshape(Reshape::To { allow_zero: false }), &[x, shape]) = (op, &inputs[..]) {
            let wanted = self.0.get(&shape).and_then(|dims| target(dims, &rewrite.axes(x)?));
            if let Some(wanted) = wanted {
                inputs[1] = rewrite
                    .fresh(&simplified(node), Tensor::vector(TensorData::I64(wanted)))
                    .map_err(ill_formed)?;
            }
        }
        Ok((op.clone().into(), inputs))
    }
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
            dim if axes.get(at) == Some(dim) => 0,
            _ => {
                left += 1;
                -1
            }
        });
    }
    (left <= 1).then_some(wanted)
}
