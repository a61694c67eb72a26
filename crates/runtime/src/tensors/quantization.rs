//! Numbers to small integers and floats, and back.

use super::args::Args;
use super::each::{repeated, strides};
use crate::error::Error;
use alloc::vec;
use alloc::vec::Vec;
use ir::fixed::{Half, round_ties_even};
use ir::op::tensor::{DequantizeLinear, QuantizeLinear};
use ir::{DType, Tensor, TensorData};

/// Numbers as doubles, those of storage too; exact.
fn exact(data: &TensorData) -> Option<Vec<f64>> {
    match data {
        TensorData::Narrow(narrow, v) => Some(v.iter().map(|&x| narrow.to_f32(x).into()).collect()),
        _ => super::elementwise::doubles(data),
    }
}

/// For each element the place of its scale.
fn places(
    dims: &[usize],
    own: &[usize],
    axis: i64,
    block: usize,
    args: &Args<'_, '_>,
) -> Result<Vec<usize>, Error> {
    let n: usize = dims.iter().product();
    if own.iter().product::<usize>() == 1 && block == 0 {
        return Ok(vec![0; n]);
    }
    let axis = args.axis(axis, dims.len())?;
    let each = strides(dims);
    if block == 0 {
        return Ok((0..n).map(|at| at / each[axis] % dims[axis]).collect());
    }
    let steps = repeated(own, own);
    let place = |at: usize| {
        let index = |i: usize| at / each[i] % dims[i] / if i == axis { block } else { 1 };
        (0..dims.len()).map(|i| index(i) * steps[i]).sum()
    };
    Ok((0..n).map(place).collect())
}

/// Rounds to what a dtype holds.
fn rounded(dtype: DType, x: f64) -> f64 {
    match dtype {
        DType::F64 => x,
        DType::Half(half) => half.to_f32(half.of(x)).into(),
        _ => f64::from(x as f32),
    }
}

pub(super) fn quantize(op: QuantizeLinear, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let (x, scale) = (args.tensor(0)?, args.tensor(1)?);
    let places = places(x.dims(), scale.dims(), op.axis, op.block, args)?;
    let values = exact(x.data()).ok_or_else(|| args.refuse(0))?;
    let scales = exact(scale.data()).ok_or_else(|| args.refuse(1))?;
    let zeros = zeros(args, scales.len())?;
    // The quotient is rounded once, to the dtype in which it is computed.
    let precision = op.precision.unwrap_or(match (x.dtype(), scale.dtype()) {
        (DType::F64, _) | (_, DType::F64) => DType::F64,
        (DType::Half(Half::F16), DType::Half(Half::F16)) => DType::Half(Half::F16),
        (DType::Half(Half::BF16), DType::Half(Half::BF16)) => DType::Half(Half::BF16),
        _ => DType::F32,
    });
    let quotients =
        values.iter().zip(&places).map(|(&x, &at)| (rounded(precision, x / scales[at]), zeros[at]));
    let made = match (op.to, op.to.whole_range()) {
        (DType::Narrow(narrow), None) => {
            TensorData::Narrow(narrow, quotients.map(|(x, zero)| narrow.of(x + zero, op.overflow)).collect())
        }
        (_, Some((least, most))) => {
            let (least, most) = (least as f64, most as f64);
            let whole: Vec<i64> = quotients
                .map(|(x, zero)| {
                    let q = round_ties_even(x) + zero;
                    if q.is_nan() { 0 } else { q.clamp(least, most) as i64 }
                })
                .collect();
            super::casts::whole(op.to, &whole)
        }
        _ => return Err(args.refuse(2)),
    };
    args.only(made)
}

/// Zero points, one a scale; 0 where there are none.
fn zeros(args: &Args<'_, '_>, n: usize) -> Result<Vec<f64>, Error> {
    if args.n() < 3 {
        return Ok(vec![0.0; n]);
    }
    let zeros = exact(args.data(2)?).ok_or_else(|| args.refuse(2))?;
    if zeros.len() != n {
        return Err(args.fail("zero point", &alloc::format!("{n}"), &zeros.len()));
    }
    Ok(zeros)
}

pub(super) fn dequantize(op: DequantizeLinear, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let (q, scale) = (args.tensor(0)?, args.tensor(1)?);
    let places = places(q.dims(), scale.dims(), op.axis, op.block, args)?;
    let values = exact(q.data()).ok_or_else(|| args.refuse(0))?;
    let scales = exact(scale.data()).ok_or_else(|| args.refuse(1))?;
    let zeros = zeros(args, scales.len())?;
    // Double precision holds difference and product of what is stored here, so each is rounded once.
    let reals = values.iter().zip(&places).map(|(&q, &at)| (q - zeros[at]) * scales[at]);
    let made = match op.to {
        DType::F64 => TensorData::F64(reals.collect()),
        DType::Half(half) => TensorData::Half(half, reals.map(|x| half.of(x)).collect()),
        _ => TensorData::F32(reals.map(|x| x as f32).collect()),
    };
    args.only(made)
}

/// `u8` integers of numbers, their scale and their zero point.
pub(super) fn by_range(v: &[f32]) -> (Vec<u8>, f32, u8) {
    let least = v.iter().fold(0.0f32, |a, &x| if x < a { x } else { a });
    let most = v.iter().fold(0.0f32, |a, &x| if x > a { x } else { a });
    let scale = if most == least { 1.0 / 255.0 } else { (most - least) / 255.0 };
    let zero = round_ties_even((-least / scale).clamp(0.0, 255.0).into()) as u8;
    let q = |x: f32| (round_ties_even((x / scale).into()) + f64::from(zero)).clamp(0.0, 255.0) as u8;
    (v.iter().map(|&x| q(x)).collect(), scale, zero)
}

pub(super) fn dynamic(args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let TensorData::F32(v) = args.data(0)? else { return Err(args.refuse(0)) };
    let (q, scale, zero) = by_range(v);
    Ok(vec![
        args.finish(0, TensorData::U8(q))?,
        args.finish(1, TensorData::F32(vec![scale]))?,
        args.finish(2, TensorData::U8(vec![zero]))?,
    ])
}
