//! `Add`, `Sub`, `Mul`, `Div`, `Pow`, `Mod`, `Min`, `Max`, `PRelu`, logic and bits: two elements to one.

use super::stored::{Found, Stored, named};
use super::{Attr, Made, Operand, Payload, alike, arity, broadcast, misfit, one, word};
use crate::DType;
use crate::op::Attrs;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

/// ONNX's operators of these names on tensors that broadcast as numpy's do. Integers wrap; dividing an integer by 0
/// gives 0. Floats of 16 bits are computed in single precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`; of integers towards 0.
    Div,
    /// `a ^ b`; the exponent may have another dtype.
    Pow,
    /// The rest of a division, with the sign of the divisor.
    Mod,
    /// The rest of a division, with the sign of the dividend.
    FMod,
    /// The smaller one; NaN wins.
    Min,
    /// The larger one; NaN wins.
    Max,
    /// `a < 0 ? b a : a`
    PRelu,
    /// Both hold.
    And,
    /// One holds or both.
    Or,
    /// One holds.
    Xor,
    /// Bits set in both.
    BitwiseAnd,
    /// Bits set in one or both.
    BitwiseOr,
    /// Bits set in one.
    BitwiseXor,
    /// `a << b`; 0 from the width of the type on.
    ShiftLeft,
    /// `a >> b`; 0 from the width of the type on.
    ShiftRight,
}

impl Binary {
    /// Those whose name says all.
    const PLAIN: &'static [Binary] = &[
        Binary::Add,
        Binary::Sub,
        Binary::Mul,
        Binary::Div,
        Binary::Pow,
        Binary::Min,
        Binary::Max,
        Binary::PRelu,
        Binary::And,
        Binary::Or,
        Binary::Xor,
        Binary::BitwiseAnd,
        Binary::BitwiseOr,
        Binary::BitwiseXor,
    ];
}

impl Payload for Binary {
    fn name(&self) -> &'static str {
        match self {
            Binary::Add => "Add",
            Binary::Sub => "Sub",
            Binary::Mul => "Mul",
            Binary::Div => "Div",
            Binary::Pow => "Pow",
            Binary::Mod | Binary::FMod => "Mod",
            Binary::Min => "Min",
            Binary::Max => "Max",
            Binary::PRelu => "PRelu",
            Binary::And => "And",
            Binary::Or => "Or",
            Binary::Xor => "Xor",
            Binary::BitwiseAnd => "BitwiseAnd",
            Binary::BitwiseOr => "BitwiseOr",
            Binary::BitwiseXor => "BitwiseXor",
            Binary::ShiftLeft | Binary::ShiftRight => "BitShift",
        }
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        match self {
            Binary::Mod => vec![("fmod", Attr::Int(0))],
            Binary::FMod => vec![("fmod", Attr::Int(1))],
            Binary::ShiftLeft => vec![("direction", word("LEFT"))],
            Binary::ShiftRight => vec![("direction", word("RIGHT"))],
            _ => Vec::new(),
        }
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let name = self.name();
        let [a, b] = arity(name, inputs)?;
        let is_integer = |d: DType| d.whole_range().is_some() && !matches!(d, DType::Narrow(_));
        let is_number = |d: DType| is_integer(d) || matches!(d, DType::F32 | DType::F64 | DType::Half(_));
        if *self == Binary::Pow {
            if !is_number(b.dtype) {
                return Err(misfit(name, "exponent", "numbers of 8 bits or more", &b.describe()));
            }
        } else {
            alike(name, a, &[*b])?;
        }
        let (fits, expected) = match self {
            Binary::And | Binary::Or | Binary::Xor => (a.dtype == DType::Bool, "bool"),
            Binary::BitwiseAnd | Binary::BitwiseOr | Binary::BitwiseXor => {
                (is_integer(a.dtype), "integers of 8 bits or more")
            }
            Binary::ShiftLeft | Binary::ShiftRight => {
                (is_integer(a.dtype) && a.dtype.whole_range().is_some_and(|r| r.0 == 0), "unsigned integers")
            }
            _ => (is_number(a.dtype), "numbers of 8 bits or more"),
        };
        if !fits {
            return Err(misfit(name, "inputs", expected, &a.dtype.to_string()));
        }
        one(a.dtype, broadcast(name, &[a.shape, b.shape])?)
    }

    fn is_exact(&self) -> bool {
        !matches!(self, Binary::Pow)
    }
}

impl Stored for Binary {
    fn parse(name: &str, attrs: &Attrs) -> Found<Binary> {
        let of_sign = [Binary::Mod, Binary::FMod];
        match name {
            "Mod" => Some(attrs.flag("Mod", "fmod").map(|dividend| of_sign[usize::from(dividend)])),
            "BitShift" => {
                let directions = [Binary::ShiftLeft, Binary::ShiftRight];
                let spelt = |b: &Binary| if *b == Binary::ShiftLeft { "LEFT" } else { "RIGHT" };
                Some(attrs.one_of("BitShift", "direction", &directions, spelt))
            }
            _ => named(Binary::PLAIN, name, Payload::name).map(Ok),
        }
    }
}
