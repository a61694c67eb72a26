//! `Abs`, `Neg`, `Sqrt`, `Exp`, `Log`, `Sin`, `Cos`, `Floor`, `Sign`, `NormalQuantile`: one double to one.

use super::{Attr, Attrs, Operand, Payload, arity, doubles};
use crate::fixed::math;
use crate::{DType, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

/// ONNX's operators of these names on doubles, and `NormalQuantile`, which ONNX has not; functions are
/// the pinned ones of [`crate::fixed::math`].
///
/// Input: `f64`, any shape. Output: `f64` of that shape. NaN (missing) gives NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `|x|`
    Abs,
    /// `-x`
    Neg,
    /// Square root; negatives give NaN.
    Sqrt,
    /// `e^x`
    Exp,
    /// Natural logarithm; negatives give NaN.
    Log,
    /// Sine of radians.
    Sin,
    /// Cosine of radians.
    Cos,
    /// Largest whole number that is not above.
    Floor,
    /// -1, 0 or 1.
    Sign,
    /// The `z` with `P(Z <= z) = x` for a standard normal `Z`; outside `[0, 1]` NaN.
    NormalQuantile,
}

impl Function {
    /// Every member.
    pub const ALL: &'static [Function] = &[
        Function::Abs,
        Function::Neg,
        Function::Sqrt,
        Function::Exp,
        Function::Log,
        Function::Sin,
        Function::Cos,
        Function::Floor,
        Function::Sign,
        Function::NormalQuantile,
    ];

    pub(super) const fn stored(self) -> &'static str {
        match self {
            Function::Abs => "Abs",
            Function::Neg => "Neg",
            Function::Sqrt => "Sqrt",
            Function::Exp => "Exp",
            Function::Log => "Log",
            Function::Sin => "Sin",
            Function::Cos => "Cos",
            Function::Floor => "Floor",
            Function::Sign => "Sign",
            Function::NormalQuantile => "NormalQuantile",
        }
    }

    pub(super) fn parse(self, _: &Attrs) -> Result<Function, Error> {
        Ok(self)
    }

    /// The value for a number; every NaN is the one of [`f64::NAN`].
    #[inline]
    pub fn of(self, x: f64) -> f64 {
        if x.is_nan() {
            return f64::NAN;
        }
        let result = match self {
            Function::Abs => x.abs(),
            Function::Neg => -x,
            Function::Sqrt => math::sqrt(x),
            Function::Exp => math::exp(x),
            Function::Log => math::log(x),
            Function::Sin => math::sin(x),
            Function::Cos => math::cos(x),
            Function::Floor => math::floor(x),
            Function::Sign if x == 0.0 => 0.0,
            Function::Sign => 1.0f64.copysign(x),
            Function::NormalQuantile => math::normal_quantile(x),
        };
        if result.is_nan() { f64::NAN } else { result }
    }
}

impl Payload for Function {
    fn name(&self) -> &'static str {
        self.stored()
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [x] = arity(self.name(), inputs)?;
        doubles(self.name(), x)?;
        Ok(vec![(DType::F64, x.shape.clone())])
    }
}
