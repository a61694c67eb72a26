//! Fourier transforms and window functions.

use super::losses::cast_to;
use super::{Operator, Outputs};
use crate::context::Context;
use crate::error::Error;
use ir::op::tensor::{Binary, Dft, Range, Unary};
use ir::{DType, ValueIdx};

pub(super) const OPERATORS: &[Operator] = &[
    Operator::of("DFT", 17, dft),
    Operator::of("HannWindow", 17, |c| cosines(c, [0.5, 0.5, 0.0])),
    Operator::of("HammingWindow", 17, |c| cosines(c, [25.0 / 46.0, 1.0 - 25.0 / 46.0, 0.0])),
    Operator::of("BlackmanWindow", 17, |c| cosines(c, [0.42, 0.5, 0.08])),
];

fn dft(c: &mut Context<'_, '_>) -> Outputs {
    let op = Dft { inverse: c.flag("inverse", false)?, onesided: c.flag("onesided", false)? };
    let x = c.input(0)?;
    let axis = match c.opset {
        ..20 => Some(c.int("axis", 1)?),
        20.. => None,
    };
    let axis = match (axis, c.optional(2)) {
        (Some(axis), _) => c.whole(axis)?,
        (None, Some(axis)) => axis,
        (None, None) => c.whole(-2)?,
    };
    let inputs: Vec<ValueIdx> = [x, axis].into_iter().chain(c.optional(1)).collect();
    c.emit_all(op, &inputs)
}

/// `a0 - a1 cos(2 pi n / N) + a2 cos(4 pi n / N)`, with `N` the size, or one less.
fn cosines(c: &mut Context<'_, '_>, [a0, a1, a2]: [f64; 3]) -> Outputs {
    let dtype = c.dtype_attribute("output_datatype")?.unwrap_or(DType::F32);
    let periodic = c.flag("periodic", true)?;
    let size = c.input(0)?;
    let size = cast_to(c, size, DType::F64)?;
    let (zero, one) = (c.number(DType::F64, 0.0)?, c.number(DType::F64, 1.0)?);
    let n = c.emit(Range, &[zero, size, one])?;
    let period = if periodic { size } else { c.emit(Binary::Sub, &[size, one])? };
    let mut sum = c.number(DType::F64, a0)?;
    for (turns, factor) in [(2.0, -a1), (4.0, a2)] {
        let wave = wave(c, n, period, turns * std::f64::consts::PI)?;
        let scaled = super::shapes::scaled(c, wave, factor)?;
        sum = c.emit(Binary::Add, &[sum, scaled])?;
    }
    Ok(vec![cast_to(c, sum, dtype)?])
}

/// `cos(angle * n / period)`
fn wave(c: &mut Context<'_, '_>, n: ValueIdx, period: ValueIdx, angle: f64) -> Result<ValueIdx, Error> {
    let angles = super::shapes::scaled(c, n, angle)?;
    let angles = c.emit(Binary::Div, &[angles, period])?;
    c.emit(Unary::Cos, &[angles])
}
