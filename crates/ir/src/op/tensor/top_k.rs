//! `TopK`: the largest or least elements along an axis.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, axis_of, flag, ints, length, misfit, whole};
use crate::op::Attrs;
use crate::{DType, Dim, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "TopK";

/// ONNX's `TopK`: of equals the first comes first. Inputs: numbers, and how many, `i64 [1]`. Outputs: the elements in
/// order, and their places, `i64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopK {
    /// The axis; negative from the end.
    pub axis: i64,
    /// The largest, not the least.
    pub largest: bool,
}

impl Payload for TopK {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("axis", Attr::Int(self.axis)), ("largest", flag(self.largest))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, k] = arity(NAME, inputs)?;
        whole(NAME, "k", k)?;
        if matches!(x.dtype, DType::Bool | DType::Str | DType::Bag | DType::Narrow(_)) {
            return Err(misfit(NAME, "input", "numbers of 8 bits or more", &x.describe()));
        }
        let shape = match x.shape.axes() {
            None => Shape::any(),
            Some(axes) => {
                let axis = axis_of(NAME, self.axis, axes.len())?;
                let mut dims = axes.to_vec();
                dims[axis] = match (ints(k).as_deref(), &axes[axis]) {
                    (None, _) => Dim::Unknown,
                    (Some(&[n]), size) => {
                        let n = length(NAME, "k", n)?;
                        if matches!(size, Dim::Fixed(size) if n > *size) {
                            return Err(misfit(NAME, "k", &alloc::format!("at most {size}"), &n));
                        }
                        Dim::Fixed(n)
                    }
                    (Some(other), _) => return Err(misfit(NAME, "k", "one number", &other.len())),
                };
                Shape(dims)
            }
        };
        Ok(vec![(x.dtype, shape.clone()), (DType::I64, shape)])
    }
}

impl Stored for TopK {
    fn parse(name: &str, attrs: &Attrs) -> Found<TopK> {
        (name == NAME)
            .then(|| Ok(TopK { axis: attrs.int(NAME, "axis")?, largest: attrs.flag(NAME, "largest")? }))
    }
}
