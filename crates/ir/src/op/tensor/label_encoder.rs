//! `LabelEncoder`: elements by a dictionary.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, alike, arity, misfit, one};
use crate::op::Attrs;
use crate::{DType, Dim};
use alloc::vec::Vec;

const NAME: &str = "LabelEncoder";

/// ONNX-ML's `LabelEncoder`: the value of the first key that equals the element, else the last value. NaN equals NaN, -0
/// equals +0. Our deviation is that the value of what no key equals stands behind the others.
///
/// Inputs: text, `i64`, `f32` or `f64` of any shape; keys of that dtype, `[n]`; values of any dtype, `[n + 1]`. Output:
/// the dtype of the values, the shape of the first. O(log n) an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelEncoder;

impl Payload for LabelEncoder {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, keys, values] = arity(NAME, inputs)?;
        if !matches!(x.dtype, DType::Str | DType::I64 | DType::F32 | DType::F64) {
            return Err(misfit(NAME, "input", "text, i64, f32 or f64", &x.describe()));
        }
        alike(NAME, x, &[*keys])?;
        match (keys.shape.axes(), values.shape.axes()) {
            (Some([Dim::Fixed(n)]), Some([Dim::Fixed(m)])) if n.checked_add(1) != Some(*m) => {
                Err(misfit(NAME, "values", "one more than keys", &values.describe()))
            }
            (Some([_]), Some([_])) | (None, _) | (_, None) => one(values.dtype, x.shape.clone()),
            _ => Err(misfit(NAME, "keys and values", "1 axis each", &keys.describe())),
        }
    }
}

impl Stored for LabelEncoder {
    fn parse(name: &str, _: &Attrs) -> Found<LabelEncoder> {
        (name == NAME).then_some(Ok(LabelEncoder))
    }
}
