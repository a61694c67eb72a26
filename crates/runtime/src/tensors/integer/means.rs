//! Means of codes, over windows and over axes.

use super::super::args::Args;
use super::super::convolution::pooled;
use super::super::reductions::Folded;
use super::{Codes, centred, made, pair};
use crate::error::Error;
use alloc::vec;
use alloc::vec::Vec;
use ir::Tensor;
use ir::op::tensor::{QAveragePool, QMean};

pub(in super::super) fn average_pool(
    op: &QAveragePool,
    args: &mut Args<'_, '_>,
) -> Result<Vec<Tensor>, Error> {
    let windows = pooled(args, &op.window, false)?;
    let pair = pair(args, 1)?;
    let x = centred(args, 0, op.zero_x)?;
    let (n_windows, per_line) = (windows.n_windows(), windows.per_line());
    let each_tap = |f: &mut dyn FnMut(usize, usize)| {
        for tap in 0..windows.n_taps() {
            windows.lines(0..windows.n_lines(), tap, |line, range, place, step| {
                range.enumerate().for_each(|(i, window)| f(line * per_line + window, place + i * step));
            });
        }
    };
    let mut counts = vec![if op.count_pads { windows.n_taps() } else { 0 }; n_windows];
    if !op.count_pads {
        each_tap(&mut |window, _| counts[window] += 1);
    }
    let mut values: Vec<i64> = Vec::with_capacity(args.made_dims(0)?.iter().product());
    for x in x.chunks_exact(windows.n_pixels().max(1)) {
        let from = values.len();
        values.resize(from + n_windows, 0);
        let sums = &mut values[from..];
        each_tap(&mut |window, place| sums[window] += x[place]);
        sums.iter_mut().zip(&counts).for_each(|(sum, &count)| *sum = pair.mean(*sum, count));
    }
    let codes = Codes { to: op.to, zero: op.zero_y, low: op.low, high: op.high };
    made(args, codes, values.into_iter())
}

pub(in super::super) fn mean(op: &QMean, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let dims = args.dims(0)?;
    let places = op.places(dims.len()).map_err(|e| args.fail("axes", &"some that fit", &e))?;
    let folded = Folded::of(dims, &places);
    let pair = pair(args, 1)?;
    let sums = folded.fold(&centred(args, 0, op.zero_x)?, 0i64, |sum, x| *sum += x);
    let codes = Codes { to: op.to, zero: op.zero_y, low: op.low, high: op.high };
    made(args, codes, sums.into_iter().map(|sum| pair.mean(sum, folded.n_each)))
}
