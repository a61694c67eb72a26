//! `ArgMax`, `ArgMin`: the place of the largest or least element along an axis.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, axis_of, flag, misfit, one};
use crate::op::Attrs;
use crate::{DType, Dim, Shape};
use alloc::vec;
use alloc::vec::Vec;

/// ONNX's operators of these names. Input: numbers, any rank, at least one along the axis. Output: `i64`, the
/// axis of length 1 or gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArgExtreme {
    /// The largest, not the least.
    pub largest: bool,
    /// The axis; negative from the end.
    pub axis: i64,
    /// The axis stays, with length 1.
    pub keep_dims: bool,
    /// Of equals the last, not the first.
    pub last: bool,
}

impl Payload for ArgExtreme {
    fn name(&self) -> &'static str {
        if self.largest { "ArgMax" } else { "ArgMin" }
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![
            ("axis", Attr::Int(self.axis)),
            ("keepdims", flag(self.keep_dims)),
            ("select_last_index", flag(self.last)),
        ]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity(self.name(), inputs)?;
        let Some(axes) = x.shape.axes() else { return one(DType::I64, Shape::any()) };
        let axis = axis_of(self.name(), self.axis, axes.len())?;
        if axes[axis] == Dim::Fixed(0) {
            return Err(misfit(self.name(), "axis", "one element or more", &x.describe()));
        }
        let mut dims = axes.to_vec();
        if self.keep_dims {
            dims[axis] = Dim::Fixed(1);
        } else {
            dims.remove(axis);
        }
        one(DType::I64, Shape(dims))
    }
}

impl Stored for ArgExtreme {
    fn parse(name: &str, attrs: &Attrs) -> Found<ArgExtreme> {
        let (largest, op) = [(true, "ArgMax"), (false, "ArgMin")].into_iter().find(|(_, op)| *op == name)?;
        let read = || {
            let (axis, keep_dims) = (attrs.int(op, "axis")?, attrs.flag(op, "keepdims")?);
            Ok(ArgExtreme { largest, axis, keep_dims, last: attrs.flag(op, "select_last_index")? })
        };
        Some(read())
    }
}
