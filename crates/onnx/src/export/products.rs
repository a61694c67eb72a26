//! `QuantizeLinear` and `QGemm`: rows of small integers and their products, exact.
//!
//! Small integers stand as doubles, whose products and sums below 2^53 are exact in any order. Requantizing needs 63 bits,
//! so it is done in `int64`.

use super::scores::{clamped, rounded};
use super::step::Step;
use crate::error::Error;
use ir::DType;
use ir::op::QuantizeLinear;

pub(super) fn quantize(s: &mut Step<'_>, op: QuantizeLinear) -> Result<String, Error> {
    let x = s.number(0)?;
    let scale = s.doubles(1)?;
    let scale = s.w.doubles(&[1, scale.len()], scale);
    let ratio = s.w.op("Div", &[&x, &scale]);
    let most = f64::from(op.most());
    Ok(rounded(s, &ratio, -most, most))
}

/// A constant of small integers as doubles.
pub(super) fn small(s: &mut Step<'_>, dims: &[usize], values: &[i16]) -> String {
    let values: Vec<f64> = values.iter().map(|&v| v.into()).collect();
    s.w.doubles(dims, &values)
}

pub(super) fn gemm(s: &mut Step<'_>) -> Result<String, Error> {
    let x = s.input(0)?;
    let (weights, dims, bias) = (s.i16s(1)?, s.dims(1)?, s.i32s(2)?);
    let weights = small(s, dims, weights);
    let bias: Vec<f64> = bias.iter().map(|&v| v.into()).collect();
    let bias = s.w.doubles(&[1, bias.len()], &bias);
    let product = s.w.op("MatMul", &[&x, &weights]);
    let acc = s.w.op("Add", &[&product, &bias]);
    let acc = s.w.cast(&acc, DType::I64);
    let scores = requantized(s, &acc, 3)?;
    Ok(clamped(s, &scores))
}

/// `(acc * m + 2^(shift - 1)) >> shift` by column; `acc` is at most 2^31 + 1 in size, so nothing leaves 63 bits.
pub(super) fn requantized(s: &mut Step<'_>, acc: &str, pairs: usize) -> Result<String, Error> {
    let pairs = s.i64s(pairs)?;
    let (multipliers, shifts) = pairs.split_at(pairs.len() / 2);
    let n = multipliers.len();
    let power = |shift: i64| 1i64 << shift.clamp(0, 62);
    let halves: Vec<i64> = shifts.iter().map(|&shift| power(shift - 1)).collect();
    let units: Vec<i64> = shifts.iter().map(|&shift| power(shift)).collect();
    let multipliers = s.w.ints(&[1, n], multipliers);
    let halves = s.w.ints(&[1, n], &halves);
    let units = s.w.ints(&[1, n], &units);
    let product = s.w.op("Mul", &[acc, &multipliers]);
    let sum = s.w.op("Add", &[&product, &halves]);
    Ok(s.w.floor_divide(&sum, &units))
}
