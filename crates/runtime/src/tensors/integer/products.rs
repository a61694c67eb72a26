//! Convolutions and products of matrices of codes.

use super::super::args::Args;
use super::super::products::whole_products;
use super::super::windows::Windows;
use super::{Codes, centred, made, pairs};
use crate::error::Error;
use alloc::vec::Vec;
use ir::fixed::Requantize as Pair;
use ir::op::tensor::{QConv, QMatMul};
use ir::{DType, Tensor};

/// The pair of a channel; all share one where there is only one.
fn of_channel(pairs: &[Pair], channel: usize) -> Pair {
    if pairs.len() == 1 { pairs[0] } else { pairs[channel] }
}

pub(in super::super) fn conv(op: &QConv, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let (dims, filters) = (args.dims(0)?, args.dims(1)?);
    let rank = dims.len() - 2;
    let mut spans = Vec::with_capacity(rank);
    for axis in 0..rank {
        let span = op.window.span("QConv", (axis, rank), dims[2 + axis], filters[2 + axis], false);
        spans.push(span.map_err(|e| args.fail("window", &"one that fits", &e))?);
    }
    let windows = Windows::new(spans);
    let (images, outputs, channels) = (dims[0], filters[0], filters[1]);
    let (n_pixels, n_taps) = (windows.n_pixels(), windows.n_taps());
    let per_group = outputs / op.group;
    let (x, w) = (centred(args, 0, op.zero_x)?, centred(args, 1, 0)?);
    let bias = args.data(2)?.i32s().ok_or_else(|| args.refuse(2))?;
    let pairs = pairs(args, 3)?;
    args.allow_tensor(DType::I64, &args.made_dims(0)?)?;
    let mut values: Vec<i64> = Vec::with_capacity(args.made_dims(0)?.iter().product());
    for image in 0..images {
        for (channel, &bias) in bias.iter().enumerate() {
            let from = values.len();
            values.resize(from + windows.n_windows(), bias.into());
            let sums = &mut values[from..];
            let first = image * channels * op.group + channel / per_group * channels;
            for (at, &w) in w[channel * channels * n_taps..][..channels * n_taps].iter().enumerate() {
                let x = &x[(first + at / n_taps) * n_pixels..][..n_pixels];
                windows.lines(0..windows.n_lines(), at % n_taps, |line, range, place, step| {
                    let line = &mut sums[line * windows.per_line()..][range];
                    line.iter_mut().zip(x[place..].iter().step_by(step)).for_each(|(sum, &x)| *sum += x * w);
                });
            }
            let pair = of_channel(&pairs, channel);
            sums.iter_mut().for_each(|sum| *sum = pair.apply(*sum));
        }
    }
    let codes = Codes { to: op.to, zero: op.zero_y, low: op.low, high: op.high };
    made(args, codes, values.into_iter())
}

pub(in super::super) fn matmul(op: QMatMul, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let (x, w) = (centred(args, 0, op.zero_x)?, centred(args, 1, op.zero_w)?);
    let pairs = pairs(args, args.n() - 1)?;
    args.allow_tensor(DType::I64, &args.made_dims(0)?)?;
    let mut values = whole_products(args, &x, &w)?;
    let channels = args.made_dims(0)?.last().copied().unwrap_or(1).max(1);
    if args.n() == 4 {
        let bias = args.data(2)?.i32s().ok_or_else(|| args.refuse(2))?;
        for row in values.chunks_exact_mut(channels) {
            row.iter_mut().zip(bias).for_each(|(sum, &bias)| *sum += i64::from(bias));
        }
    }
    let codes = Codes { to: op.to, zero: op.zero_y, low: op.low, high: op.high };
    let requantized = |(at, sum)| of_channel(&pairs, at % channels).apply(sum);
    made(args, codes, values.into_iter().enumerate().map(requantized))
}
