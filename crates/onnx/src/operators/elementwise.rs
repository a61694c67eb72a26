//! Elements to elements: arithmetic, comparison, logic, plain functions, casts.

use super::{Operator, Outputs};
use crate::context::Context;
use crate::error::Error;
use ir::fixed::{Overflow, PowerRounding};
use ir::op::tensor::{Binary, Cast, Compare, FloatTest, Unary, Where};
use ir::{DType, ValueIdx};

pub(super) const OPERATORS: &[Operator] = &[
    Operator::of("Add", 7, |c| binary(c, Binary::Add)),
    Operator::of("Sub", 7, |c| binary(c, Binary::Sub)),
    Operator::of("Mul", 7, |c| binary(c, Binary::Mul)),
    Operator::of("Div", 7, |c| binary(c, Binary::Div)),
    Operator::of("Pow", 7, |c| binary(c, Binary::Pow)),
    Operator::of("PRelu", 7, |c| binary(c, Binary::PRelu)),
    Operator::of("And", 7, |c| binary(c, Binary::And)),
    Operator::of("Or", 7, |c| binary(c, Binary::Or)),
    Operator::of("Xor", 7, |c| binary(c, Binary::Xor)),
    Operator::of("BitwiseAnd", 18, |c| binary(c, Binary::BitwiseAnd)),
    Operator::of("BitwiseOr", 18, |c| binary(c, Binary::BitwiseOr)),
    Operator::of("BitwiseXor", 18, |c| binary(c, Binary::BitwiseXor)),
    Operator::of("BitShift", 11, |c| match c.word("direction", "")?.as_str() {
        "LEFT" => binary(c, Binary::ShiftLeft),
        "RIGHT" => binary(c, Binary::ShiftRight),
        other => Err(c.misfit("attribute \"direction\"", "LEFT or RIGHT", other)),
    }),
    Operator::of("Mod", 10, |c| match c.flag("fmod", false)? {
        true => binary(c, Binary::FMod),
        false => binary(c, Binary::Mod),
    }),
    Operator::of("Min", 6, |c| folded(c, Binary::Min)),
    Operator::of("Max", 6, |c| folded(c, Binary::Max)),
    Operator::of("Sum", 6, |c| folded(c, Binary::Add)),
    Operator::of("Mean", 6, mean),
    Operator::of("Equal", 7, |c| compare(c, Compare::Equal)),
    Operator::of("Less", 7, |c| compare(c, Compare::Less)),
    Operator::of("LessOrEqual", 12, |c| compare(c, Compare::LessOrEqual)),
    Operator::of("Greater", 7, |c| compare(c, Compare::Greater)),
    Operator::of("GreaterOrEqual", 12, |c| compare(c, Compare::GreaterOrEqual)),
    Operator::of("Where", 9, |c| {
        let inputs = c.all_inputs()?;
        c.emit_all(Where, &inputs)
    }),
    Operator::of("Abs", 6, |c| unary(c, Unary::Abs)),
    Operator::of("Neg", 6, |c| unary(c, Unary::Neg)),
    Operator::of("Sign", 9, |c| unary(c, Unary::Sign)),
    Operator::of("Floor", 6, |c| unary(c, Unary::Floor)),
    Operator::of("Ceil", 6, |c| unary(c, Unary::Ceil)),
    Operator::of("Round", 11, |c| unary(c, Unary::Round)),
    Operator::of("Reciprocal", 6, |c| unary(c, Unary::Reciprocal)),
    Operator::of("Sqrt", 6, |c| unary(c, Unary::Sqrt)),
    Operator::of("Exp", 6, |c| unary(c, Unary::Exp)),
    Operator::of("Log", 6, |c| unary(c, Unary::Log)),
    Operator::of("Sin", 7, |c| unary(c, Unary::Sin)),
    Operator::of("Cos", 7, |c| unary(c, Unary::Cos)),
    Operator::of("Tan", 7, |c| unary(c, Unary::Tan)),
    Operator::of("Asin", 7, |c| unary(c, Unary::Asin)),
    Operator::of("Acos", 7, |c| unary(c, Unary::Acos)),
    Operator::of("Atan", 7, |c| unary(c, Unary::Atan)),
    Operator::of("Sinh", 9, |c| unary(c, Unary::Sinh)),
    Operator::of("Cosh", 9, |c| unary(c, Unary::Cosh)),
    Operator::of("Asinh", 9, |c| unary(c, Unary::Asinh)),
    Operator::of("Acosh", 9, |c| unary(c, Unary::Acosh)),
    Operator::of("Atanh", 9, |c| unary(c, Unary::Atanh)),
    Operator::of("Erf", 9, |c| unary(c, Unary::Erf)),
    Operator::of("Not", 1, |c| unary(c, Unary::Not)),
    Operator::of("BitwiseNot", 18, |c| unary(c, Unary::BitwiseNot)),
    Operator::of("IsNaN", 9, |c| {
        let x = c.input(0)?;
        c.emit_all(FloatTest::IsNan, &[x])
    }),
    Operator::of("IsInf", 10, |c| {
        let (x, negative, positive) =
            (c.input(0)?, c.flag("detect_negative", true)?, c.flag("detect_positive", true)?);
        c.emit_all(FloatTest::IsInf { negative, positive }, &[x])
    }),
    Operator::of("Clip", 6, clip),
    Operator::of("Cast", 6, cast),
    Operator::of("CastLike", 15, cast),
];

fn binary(c: &mut Context<'_, '_>, op: Binary) -> Outputs {
    let inputs = c.all_inputs()?;
    c.emit_all(op, &inputs)
}

fn compare(c: &mut Context<'_, '_>, op: Compare) -> Outputs {
    let inputs = c.all_inputs()?;
    c.emit_all(op, &inputs)
}

fn unary(c: &mut Context<'_, '_>, op: Unary) -> Outputs {
    let inputs = c.all_inputs()?;
    c.emit_all(op, &inputs)
}

/// `op` of all inputs, from the first on.
fn fold_inputs(c: &mut Context<'_, '_>, op: Binary) -> Result<ValueIdx, Error> {
    let inputs = c.all_inputs()?;
    let mut all = inputs.iter().copied();
    let mut value = all.next().ok_or_else(|| c.misfit("inputs", "1 or more", "none"))?;
    for input in all {
        value = c.emit(op, &[value, input])?;
    }
    Ok(value)
}

fn folded(c: &mut Context<'_, '_>, op: Binary) -> Outputs {
    Ok(vec![fold_inputs(c, op)?])
}

fn mean(c: &mut Context<'_, '_>) -> Outputs {
    let sum = fold_inputs(c, Binary::Add)?;
    let n = u32::try_from(c.n_inputs()).map_err(|_| c.misfit("inputs", "fewer", "too many"))?;
    let n = c.number(c.dtype(sum), n.into())?;
    c.emit_all(Binary::Div, &[sum, n])
}

/// `min(max(x, least), most)`, each where it is given: attributes before opset 11, inputs since.
fn clip(c: &mut Context<'_, '_>) -> Outputs {
    let x = c.input(0)?;
    let dtype = c.dtype(x);
    let bounds = if c.opset < 11 {
        let (least, most) = (c.float_or("min")?, c.float_or("max")?);
        let least = least.map(|v| c.number(dtype, v.into())).transpose()?;
        (least, most.map(|v| c.number(dtype, v.into())).transpose()?)
    } else {
        (c.optional(1), c.optional(2))
    };
    let mut value = x;
    if let Some(least) = bounds.0 {
        value = c.emit(Binary::Max, &[value, least])?;
    }
    if let Some(most) = bounds.1 {
        value = c.emit(Binary::Min, &[value, most])?;
    }
    Ok(vec![value])
}

fn cast(c: &mut Context<'_, '_>) -> Outputs {
    let x = c.input(0)?;
    let to: DType = match c.op() {
        "CastLike" => c.dtype(c.input(1)?),
        _ => c.dtype_attribute("to")?.ok_or_else(|| c.misfit("attribute \"to\"", "a data type", "none"))?,
    };
    let overflow = if c.flag("saturate", true)? { Overflow::Saturate } else { Overflow::Special };
    let rounding = match c.word("round_mode", "up")?.as_str() {
        "up" => PowerRounding::Up,
        "down" => PowerRounding::Down,
        "nearest" => PowerRounding::Nearest,
        other => return Err(c.misfit("attribute \"round_mode\"", "up, down or nearest", other)),
    };
    c.emit_all(Cast { to, overflow, rounding }, &[x])
}
