//! Numbers to small integers and floats, and back.

use super::args::Args;
use super::codes;
use super::each::{around, repeated, strides};
use crate::error::Error;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;
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

/// Which scale each element has.
enum Scales {
    /// One for all.
    One,
    /// One for each of `length` slices of `inner` elements, again and again.
    Slices { length: usize, inner: usize },
    /// One for each block of an axis; the tensor's lengths and the scales' steps.
    Blocks { dims: Vec<usize>, steps: Vec<usize>, axis: usize, block: usize },
}

impl Scales {
    fn of(
        dims: &[usize],
        own: &[usize],
        axis: i64,
        block: usize,
        args: &Args<'_, '_>,
    ) -> Result<Scales, Error> {
        if own.iter().product::<usize>() == 1 && block == 0 {
            return Ok(Scales::One);
        }
        let axis = args.axis(axis, dims.len())?;
        if block == 0 {
            let (_, length, inner) = around(dims, axis);
            return Ok(Scales::Slices { length, inner });
        }
        Ok(Scales::Blocks { dims: dims.to_vec(), steps: repeated(own, own), axis, block })
    }

    /// Elements that share a scale, with its place, in order; none of blocks.
    fn runs(&self, n: usize) -> Option<impl Iterator<Item = (Range<usize>, usize)>> {
        let (length, inner) = match self {
            Scales::One => (1, n),
            Scales::Slices { length, inner } => (*length, *inner),
            Scales::Blocks { .. } => return None,
        };
        let n_runs = n.checked_div(inner).unwrap_or(0);
        Some((0..n_runs).map(move |run| (run * inner..(run + 1) * inner, run % length)))
    }

    /// Calls with each element and its scale, in order.
    fn each(&self, n: usize, mut f: impl FnMut(usize, usize)) {
        if let Some(runs) = self.runs(n) {
            runs.for_each(|(run, place)| run.for_each(|at| f(at, place)));
        } else if let Scales::Blocks { dims, steps, axis, block } = self {
            let each = strides(dims);
            for at in 0..n {
                let index = |i: usize| at / each[i] % dims[i] / if i == *axis { *block } else { 1 };
                f(at, (0..dims.len()).map(|i| index(i) * steps[i]).sum());
            }
        }
    }
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
    let places = Scales::of(x.dims(), scale.dims(), op.axis, op.block, args)?;
    let scales = exact(scale.data()).ok_or_else(|| args.refuse(1))?;
    let zeros = zeros(args, scales.len())?;
    // The quotient is rounded once, to the dtype in which it is computed.
    let precision = op.precision.unwrap_or(match (x.dtype(), scale.dtype()) {
        (DType::F64, _) | (_, DType::F64) => DType::F64,
        (DType::Half(Half::F16), DType::Half(Half::F16)) => DType::Half(Half::F16),
        (DType::Half(Half::BF16), DType::Half(Half::BF16)) => DType::Half(Half::BF16),
        _ => DType::F32,
    });
    if let (TensorData::F32(x), TensorData::F32(_), DType::F32) = (x.data(), scale.data(), precision)
        && let Some(runs) = places.runs(x.len())
        && let Some(made) = codes::quantized(op.to, x, runs, (&scales, &zeros))
    {
        return args.only(made);
    }
    let values = exact(x.data()).ok_or_else(|| args.refuse(0))?;
    let n = values.len();
    let made = match (op.to, op.to.whole_range()) {
        (DType::Narrow(narrow), None) => {
            let mut codes = vec![0; n];
            places.each(n, |at, place| {
                let x = rounded(precision, values[at] / scales[place]) + zeros[place];
                codes[at] = narrow.of(x, op.overflow);
            });
            TensorData::Narrow(narrow, codes)
        }
        (_, Some((least, most))) => {
            let (least, most) = (least as f64, most as f64);
            let mut whole = vec![0i64; n];
            places.each(n, |at, place| {
                let q = round_ties_even(rounded(precision, values[at] / scales[place])) + zeros[place];
                whole[at] = if q.is_nan() { 0 } else { q.clamp(least, most) as i64 };
            });
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
    let places = Scales::of(q.dims(), scale.dims(), op.axis, op.block, args)?;
    let scales = exact(scale.data()).ok_or_else(|| args.refuse(1))?;
    let zeros = zeros(args, scales.len())?;
    if let (DType::F32, TensorData::F32(_)) = (op.to, scale.data())
        && let Some(runs) = places.runs(q.data().len())
        && let Some(made) = codes::reals(q.data(), runs, (&scales, &zeros))
    {
        return args.only(made);
    }
    let made = match q.data() {
        TensorData::I8(v) => reals(op.to, v, |&q| q.into(), &places, &scales, &zeros),
        TensorData::U8(v) => reals(op.to, v, |&q| q.into(), &places, &scales, &zeros),
        TensorData::I32(v) => reals(op.to, v, |&q| q.into(), &places, &scales, &zeros),
        data => {
            let v = exact(data).ok_or_else(|| args.refuse(0))?;
            reals(op.to, &v, |&q| q, &places, &scales, &zeros)
        }
    };
    args.only(made)
}

/// `(q - zero_point) * scale`. Double precision holds difference and product of what is stored here, so each is rounded
/// once.
fn reals<T>(
    to: DType,
    v: &[T],
    read: impl Fn(&T) -> f64,
    places: &Scales,
    scales: &[f64],
    zeros: &[f64],
) -> TensorData {
    let n = v.len();
    match to {
        DType::F64 => {
            let mut made = vec![0.0; n];
            places.each(n, |at, place| made[at] = (read(&v[at]) - zeros[place]) * scales[place]);
            TensorData::F64(made)
        }
        DType::Half(half) => {
            let mut made = vec![0; n];
            places.each(n, |at, place| made[at] = half.of((read(&v[at]) - zeros[place]) * scales[place]));
            TensorData::Half(half, made)
        }
        _ => {
            let mut made = vec![0.0; n];
            places.each(n, |at, place| made[at] = ((read(&v[at]) - zeros[place]) * scales[place]) as f32);
            TensorData::F32(made)
        }
    }
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
