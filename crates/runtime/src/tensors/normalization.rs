//! Normalisations and shares.

use super::args::Args;
use super::each::{Real, around, zip};
use super::wide::{sum, wide};
use crate::error::Error;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::tensor::{BatchNormalization, LayerNormalization, Lrn, Softmax, SoftmaxKind};
use ir::{DType, Tensor};

pub(super) fn softmax(op: Softmax, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    match args.tensor(0)?.dtype() {
        DType::F64 => shares::<f64>(op, args),
        _ => shares::<f32>(op, args),
    }
}

fn shares<T: Real>(op: Softmax, args: &Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let x = args.tensor(0)?;
    let v = T::read(x.data()).ok_or_else(|| args.refuse(0))?;
    let axis = args.axis(op.axis, x.dims().len())?;
    let (outer, length, inner) = around(x.dims(), axis);
    let mut made = v.to_vec();
    if inner == 1 && op.kind == SoftmaxKind::Soft {
        made.chunks_exact_mut(length.max(1)).for_each(soften);
        return args.only(T::pack(x.dtype(), made));
    }
    for row in 0..outer {
        for column in 0..inner {
            let at = |i: usize| (row * length + i) * inner + column;
            let most = (0..length).fold(T::least(), |most, i| most.larger(v[at(i)]));
            match op.kind {
                SoftmaxKind::Soft | SoftmaxKind::LogSoft => {
                    let mut sum = T::default();
                    for i in 0..length {
                        let e = v[at(i)].minus(most).exp();
                        made[at(i)] = e;
                        sum = sum.plus(e);
                    }
                    let log = sum.ln();
                    for i in 0..length {
                        made[at(i)] = match op.kind {
                            SoftmaxKind::Soft => made[at(i)].over(sum),
                            _ => v[at(i)].minus(most).minus(log),
                        };
                    }
                }
                SoftmaxKind::Hard => {
                    let first = (0..length).position(|i| v[at(i)] == most);
                    (0..length)
                        .for_each(|i| made[at(i)] = if Some(i) == first { T::ONE } else { T::default() });
                }
            }
        }
    }
    args.only(T::pack(x.dtype(), made))
}

/// The shares of elements that stand side by side.
fn soften<T: Real>(row: &mut [T]) {
    let most = row.iter().fold(T::least(), |most, &x| most.larger(x));
    wide(
        #[inline(always)]
        || {
            row.iter_mut().for_each(|x| *x = x.minus(most).exp());
            let sum = sum(row, |e| e);
            row.iter_mut().for_each(|x| *x = x.over(sum));
        },
    );
}

pub(super) fn batch(op: BatchNormalization, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    match args.tensor(0)?.dtype() {
        DType::F64 => by_channel::<f64>(op, args),
        _ => by_channel::<f32>(op, args),
    }
}

fn by_channel<T: Real>(op: BatchNormalization, args: &Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let x = args.tensor(0)?;
    let v = T::read(x.data()).ok_or_else(|| args.refuse(0))?;
    let mut statistics = Vec::with_capacity(4);
    for at in 1..5 {
        statistics.push(super::elementwise::doubles(args.data(at)?).ok_or_else(|| args.refuse(at))?);
    }
    let (_, channels, inner) = around(x.dims(), 1);
    let pair = |c: usize| {
        let factor = statistics[0][c] / libm::sqrt(statistics[3][c] + f64::from(op.epsilon));
        (T::of_f64(factor), T::of_f64(statistics[1][c] - statistics[2][c] * factor))
    };
    let pairs: Vec<(T, T)> = (0..channels).map(pair).collect();
    let mut made = Vec::with_capacity(v.len());
    for (at, block) in v.chunks_exact(inner.max(1)).enumerate() {
        let (factor, offset) = pairs[at % channels.max(1)];
        made.extend(block.iter().map(|&x| x.times(factor).plus(offset)));
    }
    args.only(T::pack(x.dtype(), made))
}

pub(super) fn layer(op: LayerNormalization, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    match args.tensor(0)?.dtype() {
        DType::F64 => over_last::<f64>(op, args),
        _ => over_last::<f32>(op, args),
    }
}

fn over_last<T: Real>(op: LayerNormalization, args: &Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let x = args.tensor(0)?;
    let dims = x.dims();
    let v = T::read(x.data()).ok_or_else(|| args.refuse(0))?;
    let axis = args.axis(op.axis, dims.len())?;
    let n: usize = dims[axis..].iter().product();
    let (mut made, mut means, mut inverses) = (Vec::with_capacity(v.len()), Vec::new(), Vec::new());
    for row in v.chunks_exact(n.max(1)) {
        let (mean, inverse) = wide(
            #[inline(always)]
            || {
                let mean = sum(row, |x| x.to_f64()) / n as f64;
                let variance = sum(row, |x| (x.to_f64() - mean) * (x.to_f64() - mean)) / n as f64;
                (mean, 1.0 / libm::sqrt(variance + f64::from(op.epsilon)))
            },
        );
        made.extend(row.iter().map(|x| T::of_f64((x.to_f64() - mean) * inverse)));
        means.push(T::of_f64(mean));
        inverses.push(T::of_f64(inverse));
    }
    let factor = |made: Vec<T>, at: usize, f: fn(T, T) -> T| -> Result<Vec<T>, Error> {
        let own = T::read(args.data(at)?).ok_or_else(|| args.refuse(at))?;
        Ok(zip(dims, (dims, &made), (args.dims(at)?, &own), f))
    };
    let mut made = factor(made, 1, T::times)?;
    if args.n() > 2 {
        made = factor(made, 2, T::plus)?;
    }
    let of_statistics = args.made_dtype(1);
    Ok(vec![
        args.finish(0, T::pack(x.dtype(), made))?,
        args.finish(1, T::pack(of_statistics, means))?,
        args.finish(2, T::pack(of_statistics, inverses))?,
    ])
}

pub(super) fn lrn(op: Lrn, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    match args.tensor(0)?.dtype() {
        DType::F64 => neighbours::<f64>(op, args),
        _ => neighbours::<f32>(op, args),
    }
}

fn neighbours<T: Real>(op: Lrn, args: &Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let x = args.tensor(0)?;
    let v = T::read(x.data()).ok_or_else(|| args.refuse(0))?;
    let (_, channels, inner) = around(x.dims(), 1);
    let (before, after) = ((op.size - 1) / 2, op.size / 2);
    let (alpha, beta) = (f64::from(op.alpha) / op.size as f64, f64::from(op.beta));
    // 3 / 4, which networks of images have, is two roots.
    let power = |base: f64| match beta == 0.75 {
        true => libm::sqrt(base) * libm::sqrt(libm::sqrt(base)),
        false => libm::pow(base, beta),
    };
    let mut made = Vec::with_capacity(v.len());
    let mut sums = vec![0.0f64; inner];
    for image in v.chunks_exact((channels * inner).max(1)) {
        for c in 0..channels {
            sums.fill(0.0);
            for k in c.saturating_sub(before)..=c.saturating_add(after).min(channels - 1) {
                let pixels = &image[k * inner..(k + 1) * inner];
                sums.iter_mut().zip(pixels).for_each(|(sum, x)| *sum += x.to_f64() * x.to_f64());
            }
            let pixels = image[c * inner..(c + 1) * inner].iter().zip(&sums);
            made.extend(
                pixels.map(|(x, sum)| T::of_f64(x.to_f64() / power(f64::from(op.bias) + alpha * sum))),
            );
        }
    }
    args.only(T::pack(x.dtype(), made))
}
