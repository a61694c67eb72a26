//! `OneHot`: indices to one place each.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, axis_of, misfit, one};
use crate::op::Attrs;
use crate::{DType, Dim, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "OneHot";

/// ONNX's `OneHot`. Inputs: indices of any numbers, negative from the end; the depth, one number; two values, the
/// first for all places, the second for the index's. Output: as the values, with a new axis of the depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneHot {
    /// Where the new axis stands; negative from the end.
    pub axis: i64,
}

impl OneHot {
    /// The depth that a constant holds.
    pub fn depth(data: &TensorData) -> Option<usize> {
        match data {
            TensorData::I64(v) => usize::try_from(*v.first()?).ok(),
            TensorData::I32(v) => usize::try_from(*v.first()?).ok(),
            TensorData::F32(v) => v.first().filter(|x| **x >= 0.0 && **x < 9e18).map(|x| *x as usize),
            _ => None,
        }
    }
}

impl Payload for OneHot {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("axis", Attr::Int(self.axis))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [indices, depth, values] = arity(NAME, inputs)?;
        let fits = |d: DType| matches!(d, DType::I64 | DType::I32 | DType::F32);
        if !fits(indices.dtype) || !fits(depth.dtype) {
            return Err(misfit(NAME, "indices and depth", "i64, i32 or f32", &depth.describe()));
        }
        if values.shape.lengths().is_some_and(|l| l != [2]) {
            return Err(misfit(NAME, "values", "[2]", &values.describe()));
        }
        let Some(axes) = indices.shape.axes() else { return one(values.dtype, Shape::any()) };
        let new = match depth.constant {
            None => Dim::Unknown,
            Some(constant) => match OneHot::depth(constant.data()) {
                Some(n) => Dim::Fixed(n),
                None => return Err(misfit(NAME, "depth", "a number of 0 or more", &depth.describe())),
            },
        };
        let mut dims = axes.to_vec();
        dims.insert(axis_of(NAME, self.axis, axes.len() + 1)?, new);
        one(values.dtype, Shape(dims))
    }
}

impl Stored for OneHot {
    fn parse(name: &str, attrs: &Attrs) -> Found<OneHot> {
        (name == NAME).then(|| Ok(OneHot { axis: attrs.int(NAME, "axis")? }))
    }
}
