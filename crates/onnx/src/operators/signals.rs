//! Fourier transforms and window functions.

use super::losses::cast_to;
use super::{Operator, Outputs};
use crate::context::Context;
use crate::error::Error;
use ir::op::tensor::{Binary, Dft, Gather, Range, ShapeOf, Squeeze, Unary};
use ir::{DType, ValueIdx};

pub(super) const OPERATORS: &[Operator] = &[
    Operator::of("DFT", 17, dft),
    Operator::of("STFT", 17, stft),
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

/// Transforms of frames that begin a step apart: `[batch, length, parts]` to `[batch, frames, frequencies, 2]`.
fn stft(c: &mut Context<'_, '_>) -> Outputs {
    let onesided = c.flag("onesided", true)?;
    let (signal, step, window) = (c.input(0)?, c.input(1)?, c.optional(2));
    let (zero, one) = (c.whole(0)?, c.whole(1)?);
    let length_of = |c: &mut Context<'_, '_>, x: ValueIdx, axis: i64| -> Result<ValueIdx, Error> {
        let lengths = c.emit(ShapeOf::Lengths { start: axis, end: Some(axis + 1) }, &[x])?;
        c.emit(Squeeze::Remove, &[lengths])
    };
    let n = match (c.optional(3), window) {
        (Some(n), _) => cast_to(c, n, DType::I64)?,
        (None, Some(window)) => length_of(c, window, 0)?,
        (None, None) => return Err(c.misfit("inputs", "a window or a frame_length", "neither")),
    };
    let step = cast_to(c, step, DType::I64)?;
    let length = length_of(c, signal, 1)?;
    let room = c.emit(Binary::Sub, &[length, n])?;
    let steps = c.emit(Binary::Div, &[room, step])?;
    let n_frames = c.emit(Binary::Add, &[steps, one])?;
    let frames = c.emit(Range, &[zero, n_frames, one])?;
    let starts = c.emit(Binary::Mul, &[frames, step])?;
    let last = c.list(&[1])?;
    let starts = c.emit(Squeeze::Add, &[starts, last])?;
    let offsets = c.emit(Range, &[zero, n, one])?;
    let places = c.emit(Binary::Add, &[starts, offsets])?;
    let mut framed = c.emit(Gather::Slices { axis: 1 }, &[signal, places])?;
    if let Some(window) = window {
        let window = c.emit(Squeeze::Add, &[window, last])?;
        framed = c.emit(Binary::Mul, &[framed, window])?;
    }
    let axis = c.whole(2)?;
    c.emit_all(Dft { inverse: false, onesided }, &[framed, axis])
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
