//! `Equal`, `Less`, `LessOrEqual`, `Greater`, `GreaterOrEqual`: two elements to a truth.

use super::stored::{Found, Stored, named};
use super::{Attr, Made, Operand, Payload, alike, arity, broadcast, misfit, one};
use crate::DType;
use crate::op::Attrs;
use alloc::vec::Vec;

/// ONNX's operators of these names on tensors that broadcast as numpy's do; a NaN on either side gives false.
/// `Equal` takes text and `bool` too. Output: `bool`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `a == b`
    Equal,
    /// `a < b`
    Less,
    /// `a <= b`
    LessOrEqual,
    /// `a > b`
    Greater,
    /// `a >= b`
    GreaterOrEqual,
}

impl Payload for Compare {
    fn name(&self) -> &'static str {
        match self {
            Compare::Equal => "Equal",
            Compare::Less => "Less",
            Compare::LessOrEqual => "LessOrEqual",
            Compare::Greater => "Greater",
            Compare::GreaterOrEqual => "GreaterOrEqual",
        }
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [a, b] = arity(self.name(), inputs)?;
        alike(self.name(), a, &[*b])?;
        let fits = match a.dtype {
            DType::Bag | DType::Narrow(_) => false,
            DType::Str | DType::Bool => *self == Compare::Equal,
            _ => true,
        };
        if !fits {
            return Err(misfit(self.name(), "inputs", "numbers of 8 bits or more", &a.describe()));
        }
        one(DType::Bool, broadcast(self.name(), &[a.shape, b.shape])?)
    }
}

impl Stored for Compare {
    fn parse(name: &str, _: &Attrs) -> Found<Compare> {
        let all =
            [Compare::Equal, Compare::Less, Compare::LessOrEqual, Compare::Greater, Compare::GreaterOrEqual];
        named(&all, name, Payload::name).map(Ok)
    }
}
