//! Fourier transforms and determinants.

use super::args::Args;
use super::each::{Real, around};
use crate::error::Error;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::tensor::Dft;
use ir::{DType, Tensor};

pub(super) fn dft(op: Dft, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    match args.tensor(0)?.dtype() {
        DType::F64 => transformed::<f64>(op, args),
        _ => transformed::<f32>(op, args),
    }
}

fn transformed<T: Real>(op: Dft, args: &Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let x = args.tensor(0)?;
    let v = T::read(x.data()).ok_or_else(|| args.refuse(0))?;
    let made_dims = args.made_dims(0)?;
    let axis = args.axis(args.int(1)?, x.dims().len())?;
    let (outer, have, rest) = around(x.dims(), axis);
    let parts = x.dims().last().copied().unwrap_or(1);
    let inner = rest / parts.max(1);
    let (_, n_made, made_rest) = around(&made_dims, axis);
    let made_parts = made_rest / inner.max(1);
    let to_reals = op.inverse && op.onesided;
    let n = match args.n() > 2 {
        true => usize::try_from(args.int(2)?).unwrap_or(0),
        false if to_reals => n_made,
        false => have,
    };
    args.allow_tensor(DType::F64, &[n, 4])?;
    let turns: Vec<(f64, f64)> = (0..n)
        .map(|k| {
            let angle = 2.0 * core::f64::consts::PI * k as f64 / n as f64;
            (libm::cos(angle), if op.inverse { libm::sin(angle) } else { -libm::sin(angle) })
        })
        .collect();
    let mut made = vec![T::default(); made_dims.iter().product()];
    let mut signal = vec![(0.0f64, 0.0f64); n];
    for row in 0..outer {
        for column in 0..inner {
            let part = |i: usize, part: usize| match part < parts {
                true => v[((row * have + i) * inner + column) * parts + part].to_f64(),
                false => 0.0,
            };
            for (i, s) in signal.iter_mut().enumerate() {
                // Of a real signal's spectrum the second half mirrors the first.
                *s = match (to_reals && i > n / 2, i < have) {
                    (true, _) if n - i < have => (part(n - i, 0), -part(n - i, 1)),
                    (false, true) => (part(i, 0), part(i, 1)),
                    _ => (0.0, 0.0),
                };
            }
            for k in 0..n_made {
                let (mut re, mut im) = (0.0, 0.0);
                for (i, &(a, b)) in signal.iter().enumerate() {
                    let (cos, sin) = turns[(i as u128 * k as u128 % n as u128) as usize];
                    re += a * cos - b * sin;
                    im += a * sin + b * cos;
                }
                let scale = if op.inverse { 1.0 / n as f64 } else { 1.0 };
                let at = ((row * n_made + k) * inner + column) * made_parts;
                made[at] = T::of_f64(re * scale);
                if made_parts > 1 {
                    made[at + 1] = T::of_f64(im * scale);
                }
            }
        }
    }
    args.only(T::pack(x.dtype(), made))
}

pub(super) fn det(args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    match args.tensor(0)?.dtype() {
        DType::F64 => determinants::<f64>(args),
        _ => determinants::<f32>(args),
    }
}

fn determinants<T: Real>(args: &Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let x = args.tensor(0)?;
    let v = T::read(x.data()).ok_or_else(|| args.refuse(0))?;
    let n = x.dims().last().copied().unwrap_or(1);
    let count: usize = args.made_dims(0)?.iter().product();
    let mut made = Vec::with_capacity(count);
    for at in 0..count {
        let mut m: Vec<f64> = v[at * n * n..(at + 1) * n * n].iter().map(|x| x.to_f64()).collect();
        let mut value = 1.0;
        for k in 0..n {
            let pivot =
                (k..n).max_by(|&a, &b| m[a * n + k].abs().total_cmp(&m[b * n + k].abs())).unwrap_or(k);
            if pivot != k {
                (0..n).for_each(|j| m.swap(k * n + j, pivot * n + j));
                value = -value;
            }
            value *= m[k * n + k];
            if m[k * n + k] == 0.0 {
                break;
            }
            for i in k + 1..n {
                let factor = m[i * n + k] / m[k * n + k];
                (k..n).for_each(|j| m[i * n + j] -= factor * m[k * n + j]);
            }
        }
        made.push(T::of_f64(value));
    }
    args.only(T::pack(x.dtype(), made))
}
