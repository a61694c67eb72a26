//! `NonZero`: places of what is not zero.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, misfit, one};
use crate::op::Attrs;
use crate::{DType, Dim, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "NonZero";

/// ONNX's `NonZero`. Input: numbers or `bool`. Output: `i64 [rank, n]`, a column a place, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonZero;

impl Payload for NonZero {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity(NAME, inputs)?;
        if matches!(x.dtype, DType::Str | DType::Bag) {
            return Err(misfit(NAME, "input", "numbers or bool", &x.describe()));
        }
        let rank = x.shape.axes().map_or(Dim::Unknown, |axes| Dim::Fixed(axes.len()));
        one(DType::I64, Shape(vec![rank, Dim::Unknown]))
    }
}

impl Stored for NonZero {
    fn parse(name: &str, _: &Attrs) -> Found<NonZero> {
        (name == NAME).then_some(Ok(NonZero))
    }
}
