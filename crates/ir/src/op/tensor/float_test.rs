//! `IsNaN`, `IsInf`: whether a float is of a kind.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, flag, misfit, one};
use crate::DType;
use crate::op::Attrs;
use alloc::vec;
use alloc::vec::Vec;

/// ONNX's operators of these names. Input: floats. Output: `bool`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatTest {
    /// Is it NaN?
    IsNan,
    /// Is it infinite?
    IsInf {
        /// Minus infinity counts.
        negative: bool,
        /// Plus infinity counts.
        positive: bool,
    },
}

impl Payload for FloatTest {
    fn name(&self) -> &'static str {
        match self {
            FloatTest::IsNan => "IsNaN",
            FloatTest::IsInf { .. } => "IsInf",
        }
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        match self {
            FloatTest::IsNan => Vec::new(),
            FloatTest::IsInf { negative, positive } => {
                vec![("detect_negative", flag(*negative)), ("detect_positive", flag(*positive))]
            }
        }
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity(self.name(), inputs)?;
        if !x.dtype.is_float() {
            return Err(misfit(self.name(), "input", "floats", &x.describe()));
        }
        one(DType::Bool, x.shape.clone())
    }
}

impl Stored for FloatTest {
    fn parse(name: &str, attrs: &Attrs) -> Found<FloatTest> {
        let infinite = || {
            let negative = attrs.flag("IsInf", "detect_negative")?;
            Ok(FloatTest::IsInf { negative, positive: attrs.flag("IsInf", "detect_positive")? })
        };
        match name {
            "IsNaN" => Some(Ok(FloatTest::IsNan)),
            "IsInf" => Some(infinite()),
            _ => None,
        }
    }
}
