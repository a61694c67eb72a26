//! `Compress`: the slices where a condition holds.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, axis_of, misfit, one, ranked};
use crate::op::Attrs;
use crate::{DType, Dim, Shape, TensorData};
use alloc::vec::Vec;

const NAME: &str = "Compress";

/// ONNX's `Compress`. Inputs: any tensor, and `bool [n]`, `n` at most the length of the axis. Output: the slices
/// along the axis, or the elements if there is none, whose condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compress {
    /// The axis; none stands for the flat tensor.
    pub axis: Option<i64>,
}

impl Payload for Compress {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        self.axis.iter().map(|&axis| ("axis", Attr::Int(axis))).collect()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, condition] = arity(NAME, inputs)?;
        ranked(NAME, "condition", condition, 1)?;
        if condition.dtype != DType::Bool {
            return Err(misfit(NAME, "condition", "bool [n]", &condition.describe()));
        }
        let kept = match condition.constant.map(|c| c.data()) {
            Some(TensorData::Bool(v)) => Dim::Fixed(v.iter().filter(|&&b| b).count()),
            _ => Dim::Unknown,
        };
        let Some(axis) = self.axis else { return one(x.dtype, Shape(alloc::vec![kept])) };
        let Some(axes) = x.shape.axes() else { return one(x.dtype, Shape::any()) };
        let mut dims = axes.to_vec();
        dims[axis_of(NAME, axis, axes.len())?] = kept;
        one(x.dtype, Shape(dims))
    }
}

impl Stored for Compress {
    fn parse(name: &str, attrs: &Attrs) -> Found<Compress> {
        (name == NAME).then(|| Ok(Compress { axis: attrs.maybe("axis", |a| a.int(NAME, "axis"))? }))
    }
}
