//! Elements to elements: arithmetic, comparison, logic, plain functions, casts.

use super::step::{Step, flag, word};
use crate::error::Error;
use crate::writer::Attribute;
use ir::fixed::{Overflow, PowerRounding};
use ir::op::tensor::{Binary, Cast, FloatTest};

pub(super) fn binary(s: &mut Step<'_>, op: Binary) -> Result<(), Error> {
    let dtype = s.dtype(0)?;
    match op {
        Binary::Mod if dtype.is_float() => {
            Err(s.refuse("the rest of floats with the divisor's sign", "build it of Div, Floor, Mul, Sub"))
        }
        Binary::Mod => s.plain(vec![("fmod", flag(false))]),
        Binary::FMod => s.plain(vec![("fmod", flag(true))]),
        Binary::ShiftLeft => s.plain(vec![("direction", word("LEFT"))]),
        Binary::ShiftRight => s.plain(vec![("direction", word("RIGHT"))]),
        Binary::Pow => {
            let (exponent, inputs) = (s.dtype(1)?, s.inputs()?);
            s.write("Pow", &[dtype, exponent], inputs, Vec::new())
        }
        Binary::Add
        | Binary::Sub
        | Binary::Mul
        | Binary::Div
        | Binary::Min
        | Binary::Max
        | Binary::PRelu
        | Binary::And
        | Binary::Or
        | Binary::Xor
        | Binary::BitwiseAnd
        | Binary::BitwiseOr
        | Binary::BitwiseXor => s.plain(Vec::new()),
    }
}

/// Comparisons and functions without attributes.
pub(super) fn plain(s: &mut Step<'_>) -> Result<(), Error> {
    s.plain(Vec::new())
}

pub(super) fn float_test(s: &mut Step<'_>, op: FloatTest) -> Result<(), Error> {
    match op {
        FloatTest::IsNan => s.plain(Vec::new()),
        FloatTest::IsInf { negative, positive } => {
            s.plain(vec![("detect_negative", flag(negative)), ("detect_positive", flag(positive))])
        }
    }
}

pub(super) fn choose(s: &mut Step<'_>) -> Result<(), Error> {
    let (dtype, inputs) = (s.dtype(1)?, s.inputs()?);
    s.write("Where", &[dtype], inputs, Vec::new())
}

pub(super) fn cast(s: &mut Step<'_>, op: Cast) -> Result<(), Error> {
    let mut attributes = vec![("to", Attribute::Int(op.to.tag().into()))];
    if op.overflow == Overflow::Special {
        s.needs(19);
        attributes.push(("saturate", flag(false)));
    }
    let rounding = match op.rounding {
        PowerRounding::Up => None,
        PowerRounding::Down => Some("down"),
        PowerRounding::Nearest => Some("nearest"),
    };
    if let Some(rounding) = rounding {
        s.needs(24);
        attributes.push(("round_mode", word(rounding)));
    }
    let (from, x) = (s.dtype(0)?, s.input(0)?);
    s.write("Cast", &[from, op.to], vec![x], attributes)
}
