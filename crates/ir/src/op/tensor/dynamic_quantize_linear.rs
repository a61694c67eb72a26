//! `DynamicQuantizeLinear`: numbers to `u8` by their own range.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, misfit};
use crate::op::Attrs;
use crate::{DType, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "DynamicQuantizeLinear";

/// ONNX's operator of this name: `scale = (max(x, 0) - min(x, 0)) / 255`, `zero_point = clamp(round(-min / scale))`,
/// `q = clamp(round(x / scale) + zero_point)`, ties to even.
///
/// Input: `f32`. Outputs: `u8` of its shape, `scale: f32 []`, `zero_point: u8 []`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DynamicQuantizeLinear;

impl Payload for DynamicQuantizeLinear {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity(NAME, inputs)?;
        if x.dtype != DType::F32 {
            return Err(misfit(NAME, "input", "f32", &x.describe()));
        }
        let scalar = Shape::default();
        Ok(vec![(DType::U8, x.shape.clone()), (DType::F32, scalar.clone()), (DType::U8, scalar)])
    }
}

impl Stored for DynamicQuantizeLinear {
    fn parse(name: &str, _: &Attrs) -> Found<DynamicQuantizeLinear> {
        (name == NAME).then_some(Ok(DynamicQuantizeLinear))
    }
}
