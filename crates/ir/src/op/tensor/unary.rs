//! `Abs`, `Exp`, `Sqrt`, `Not` and others: one element to one.

use super::stored::{Found, Stored, named};
use super::{Attr, Made, Operand, Payload, arity, misfit, one};
use crate::DType;
use crate::op::Attrs;
use alloc::vec::Vec;

/// ONNX's operators of these names. Floats of 16 bits are computed in single precision; functions are pinned ones,
/// the same bits on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// `|x|`
    Abs,
    /// `-x`
    Neg,
    /// -1, 0 or 1.
    Sign,
    /// Largest whole number that is not above.
    Floor,
    /// Smallest whole number that is not below.
    Ceil,
    /// Nearest whole number, ties to even.
    Round,
    /// `1 / x`
    Reciprocal,
    /// Square root.
    Sqrt,
    /// `e^x`
    Exp,
    /// Natural logarithm.
    Log,
    /// Sine of radians.
    Sin,
    /// Cosine of radians.
    Cos,
    /// Tangent of radians.
    Tan,
    /// Inverse sine.
    Asin,
    /// Inverse cosine.
    Acos,
    /// Inverse tangent.
    Atan,
    /// Hyperbolic sine.
    Sinh,
    /// Hyperbolic cosine.
    Cosh,
    /// Inverse hyperbolic sine.
    Asinh,
    /// Inverse hyperbolic cosine.
    Acosh,
    /// Inverse hyperbolic tangent.
    Atanh,
    /// Error function.
    Erf,
    /// Logical negation.
    Not,
    /// Bits turned.
    BitwiseNot,
}

impl Unary {
    /// Every member.
    pub const ALL: &'static [Unary] = &[
        Unary::Abs,
        Unary::Neg,
        Unary::Sign,
        Unary::Floor,
        Unary::Ceil,
        Unary::Round,
        Unary::Reciprocal,
        Unary::Sqrt,
        Unary::Exp,
        Unary::Log,
        Unary::Sin,
        Unary::Cos,
        Unary::Tan,
        Unary::Asin,
        Unary::Acos,
        Unary::Atan,
        Unary::Sinh,
        Unary::Cosh,
        Unary::Asinh,
        Unary::Acosh,
        Unary::Atanh,
        Unary::Erf,
        Unary::Not,
        Unary::BitwiseNot,
    ];
}

impl Payload for Unary {
    fn name(&self) -> &'static str {
        match self {
            Unary::Abs => "Abs",
            Unary::Neg => "Neg",
            Unary::Sign => "Sign",
            Unary::Floor => "Floor",
            Unary::Ceil => "Ceil",
            Unary::Round => "Round",
            Unary::Reciprocal => "Reciprocal",
            Unary::Sqrt => "Sqrt",
            Unary::Exp => "Exp",
            Unary::Log => "Log",
            Unary::Sin => "Sin",
            Unary::Cos => "Cos",
            Unary::Tan => "Tan",
            Unary::Asin => "Asin",
            Unary::Acos => "Acos",
            Unary::Atan => "Atan",
            Unary::Sinh => "Sinh",
            Unary::Cosh => "Cosh",
            Unary::Asinh => "Asinh",
            Unary::Acosh => "Acosh",
            Unary::Atanh => "Atanh",
            Unary::Erf => "Erf",
            Unary::Not => "Not",
            Unary::BitwiseNot => "BitwiseNot",
        }
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity(self.name(), inputs)?;
        let is_float = matches!(x.dtype, DType::F32 | DType::F64 | DType::Half(_));
        let is_integer = x.dtype.whole_range().is_some() && !matches!(x.dtype, DType::Narrow(_));
        let fits = match self {
            Unary::Not => x.dtype == DType::Bool,
            Unary::BitwiseNot => is_integer,
            Unary::Abs | Unary::Neg | Unary::Sign => is_float || is_integer,
            _ => is_float,
        };
        if !fits {
            return Err(misfit(self.name(), "input", "another dtype", &x.describe()));
        }
        one(x.dtype, x.shape.clone())
    }

    fn is_exact(&self) -> bool {
        matches!(self, Unary::Abs | Unary::Neg | Unary::Sign | Unary::Not | Unary::BitwiseNot)
    }
}

impl Stored for Unary {
    fn parse(name: &str, _: &Attrs) -> Found<Unary> {
        named(Unary::ALL, name, Payload::name).map(Ok)
    }
}
