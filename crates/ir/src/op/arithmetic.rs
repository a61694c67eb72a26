//! `Add`, `Sub`, `Mul`, `Div`, `Min`, `Max`: two doubles to one.

use super::{Attr, Attrs, Operand, Payload, arity, broadcast, doubles};
use crate::{DType, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

/// ONNX's operators of these names, on doubles: IEEE 754, each rounded once, never fused.
///
/// Inputs: `f64` tensors that broadcast as numpy's do. Output: `f64` of the common shape. NaN (missing)
/// on either side gives NaN, for `Min` and `Max` too; `Max(-0, 0)` is 0 and `Min(0, -0)` is -0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`
    Div,
    /// The smaller one.
    Min,
    /// The larger one.
    Max,
}

impl Arithmetic {
    /// Every member.
    pub const ALL: &'static [Arithmetic] = &[
        Arithmetic::Add,
        Arithmetic::Sub,
        Arithmetic::Mul,
        Arithmetic::Div,
        Arithmetic::Min,
        Arithmetic::Max,
    ];

    pub(super) const fn stored(self) -> &'static str {
        match self {
            Arithmetic::Add => "Add",
            Arithmetic::Sub => "Sub",
            Arithmetic::Mul => "Mul",
            Arithmetic::Div => "Div",
            Arithmetic::Min => "Min",
            Arithmetic::Max => "Max",
        }
    }

    pub(super) fn parse(self, _: &Attrs) -> Result<Arithmetic, Error> {
        Ok(self)
    }

    /// The value for two numbers; every NaN is the one of [`f64::NAN`].
    #[inline]
    pub fn of(self, a: f64, b: f64) -> f64 {
        let result = match self {
            Arithmetic::Add => a + b,
            Arithmetic::Sub => a - b,
            Arithmetic::Mul => a * b,
            Arithmetic::Div => a / b,
            _ if a.is_nan() || b.is_nan() => f64::NAN,
            Arithmetic::Min if a == b => f64::from_bits(a.to_bits() | b.to_bits()),
            Arithmetic::Max if a == b => f64::from_bits(a.to_bits() & b.to_bits()),
            Arithmetic::Min => {
                if a < b {
                    a
                } else {
                    b
                }
            }
            Arithmetic::Max => {
                if a > b {
                    a
                } else {
                    b
                }
            }
        };
        // Machines differ in the sign and payload of a NaN that they make.
        if result.is_nan() { f64::NAN } else { result }
    }
}

impl Payload for Arithmetic {
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
        Ok(vec![(DType::F64, broadcast(self.name(), a, b)?)])
    }
}
