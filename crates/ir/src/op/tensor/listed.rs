//! Lengths that flow through a network as numbers: `Shape`, then `Gather` and `Concat`, at last `Reshape`.
//!
//! With a symbol among them such a list is no constant; what is made by it has known axes all the same. A number that is
//! no length, such as the -1 of `Reshape`, and one that is not known, are [`Dim::Unknown`].

use super::lengths::ints;
use super::{Gather, Operand, ShapeOf, TensorOp};
use crate::Dim;
use alloc::vec::Vec;

/// The lengths that an operand holds: those of a constant, or those that were followed to it.
pub(super) fn list(operand: &Operand<'_>) -> Option<Vec<Dim>> {
    let length = |n: i64| usize::try_from(n).map_or(Dim::Unknown, Dim::Fixed);
    match operand.lengths {
        Some(lengths) => Some(lengths.to_vec()),
        None => Some(ints(operand)?.into_iter().map(length).collect()),
    }
}

impl TensorOp {
    /// The lengths that the first output holds, if it is a list of them, or one of them.
    pub(crate) fn listed(&self, inputs: &[Operand<'_>]) -> Option<Vec<Dim>> {
        let first = inputs.first()?;
        let is_list = first.shape.axes().is_some_and(|axes| axes.len() <= 1);
        match self {
            TensorOp::ShapeOf(op @ ShapeOf::Lengths { .. }) => {
                let axes = first.shape.axes()?;
                Some(axes.get(op.axes(axes.len()))?.to_vec())
            }
            TensorOp::Gather(Gather::Slices { axis: 0 }) if is_list => {
                let dims = list(first)?;
                let place = |at: i64| {
                    let at = if at < 0 { at.checked_add_unsigned(dims.len() as u64)? } else { at };
                    dims.get(usize::try_from(at).ok()?).cloned()
                };
                ints(inputs.get(1)?)?.into_iter().map(place).collect()
            }
            TensorOp::Slice(op) if is_list => {
                let dims = list(first)?;
                let of = |at: usize| ints(inputs.get(at)?);
                let axes = if op.has_axes { Some(of(3)?) } else { None };
                let steps = if op.has_steps { Some(of(inputs.len() - 1)?) } else { None };
                let (starts, ends) = (of(1)?, of(2)?);
                let ranges = op.ranges(&[dims.len()], &starts, &ends, axes.as_deref(), steps.as_deref());
                let &(start, step, n) = ranges.ok()?.first()?;
                let place = |i: usize| {
                    let at = i64::try_from(i).ok()?.checked_mul(step)?.checked_add_unsigned(start as u64)?;
                    dims.get(usize::try_from(at).ok()?).cloned()
                };
                (0..n).map(place).collect()
            }
            TensorOp::Concat(_) if is_list => {
                let parts: Option<Vec<Vec<Dim>>> = inputs.iter().map(list).collect();
                Some(parts?.concat())
            }
            TensorOp::Squeeze(_) | TensorOp::Cast(_) | TensorOp::Identity(_) if is_list => {
                list(first).filter(|_| first.dtype.whole_range().is_some())
            }
            _ => None,
        }
    }
}
