//! `Equal`, `Less`, `LessOrEqual`, `Greater`, `GreaterOrEqual`: two doubles to a truth.

use super::{Attr, Attrs, Operand, Payload, arity, broadcast, doubles};
use crate::{DType, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

/// ONNX's operators of these names, on doubles; a NaN on either side gives false.
///
/// Inputs: `f64` tensors that broadcast as numpy's do. Output: `bool` of the common shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
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

impl Comparison {
    /// Every member.
    pub const ALL: &'static [Comparison] = &[
        Comparison::Equal,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ];

    pub(super) const fn stored(self) -> &'static str {
        match self {
            Comparison::Equal => "Equal",
            Comparison::Less => "Less",
            Comparison::LessOrEqual => "LessOrEqual",
            Comparison::Greater => "Greater",
            Comparison::GreaterOrEqual => "GreaterOrEqual",
        }
    }

    pub(super) fn parse(self, _: &Attrs) -> Result<Comparison, Error> {
        Ok(self)
    }

    /// Whether it holds for two numbers.
    #[inline]
    pub fn of(self, a: f64, b: f64) -> bool {
        match self {
            Comparison::Equal => a == b,
            Comparison::Less => a < b,
            Comparison::LessOrEqual => a <= b,
            Comparison::Greater => a > b,
            Comparison::GreaterOrEqual => a >= b,
        }
    }
}

impl Payload for Comparison {
    fn name(&self) -> &'static str {
        self.stored()
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [a, b] = arity(self.name(), inputs)?;
        doubles(self.name(), a)?;
        doubles(self.name(), b)?;
        Ok(vec![(DType::Bool, broadcast(self.name(), a, b)?)])
    }
}
