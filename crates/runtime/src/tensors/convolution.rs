//! Convolutions: windows side by side as a matrix, times the weights.

use super::args::Args;
use super::each::{Number, Real, zip};
use super::gemm::{Matrix, product};
use super::wide::wide;
use super::windows::Windows;
use crate::error::Error;
use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;
use ir::TensorData;
use ir::op::tensor::{Col2Im, Conv, ConvTranspose, Pads, Window};
use ir::{DType, Tensor};

/// Taps of lines that are looked up at one time.
const MAX_TAPS: usize = 1 << 14;

/// Columns of one product beyond which more images in it bring nothing: its weights are packed once for all of them.
const MANY_COLUMNS: usize = 512;

/// Most elements of the matrix of windows at one time: 1 MiB of single precision, which stays in the cache.
const MAX_TILE: usize = 1 << 18;

/// Lengths of a convolution.
struct Sides {
    images: usize,
    groups: usize,
    /// Channels of a group, read and written.
    channels: usize,
    outputs: usize,
}

/// The lines of windows that are computed at one time.
fn tile(windows: &Windows, n_rows: usize) -> usize {
    (MAX_TILE / (n_rows * windows.per_line()).max(1)).max(1)
}

pub(super) fn conv(op: &Conv, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let (x, w) = (args.dims(0)?, args.dims(1)?);
    let rank = x.len() - 2;
    let name = if op.of_integers { "ConvInteger" } else { "Conv" };
    let mut spans = Vec::with_capacity(rank);
    for axis in 0..rank {
        let span = op.window.span(name, (axis, rank), x[2 + axis], w[2 + axis], false);
        spans.push(span.map_err(|e| args.fail("window", &"one that fits", &e))?);
    }
    let windows = Windows::new(spans);
    let sides = Sides { images: x[0], groups: op.group, channels: w[1], outputs: w[0] / op.group };
    args.allow_tensor(DType::F64, &[w[1] * windows.n_taps(), windows.per_line()])?;
    if op.of_integers {
        let read = |at: usize| super::products::small(args.data(at)?).ok_or_else(|| args.refuse(at));
        let zero = read(2)?.first().copied().unwrap_or(0.0);
        let pixels: Vec<f64> = read(0)?.iter().map(|x| x - zero).collect();
        let per_output: Vec<usize> = match args.dims(3)? {
            [n] if *n > 1 => [&[*n], &vec![1; rank + 1][..]].concat(),
            _ => vec![1; rank + 2],
        };
        let weights = zip(w, (w, &read(1)?), (&per_output, &read(3)?), |w, zero| w - zero);
        return args.only(super::products::accumulators(&convolved(
            &sides,
            &windows,
            &pixels,
            &weights,
            &[],
        )));
    }
    match args.tensor(0)?.dtype() {
        DType::F64 => with_bias::<f64>(args, &sides, &windows),
        _ => with_bias::<f32>(args, &sides, &windows),
    }
}

fn with_bias<T: Real>(args: &Args<'_, '_>, sides: &Sides, windows: &Windows) -> Result<Vec<Tensor>, Error> {
    let (x, w) = (T::read(args.data(0)?), T::read(args.data(1)?));
    let (x, w) = (x.ok_or_else(|| args.refuse(0))?, w.ok_or_else(|| args.refuse(1))?);
    let bias =
        if args.n() > 2 { T::read(args.data(2)?).ok_or_else(|| args.refuse(2))? } else { Cow::default() };
    let made = convolved(sides, windows, &x, &w, &bias);
    args.only(T::pack(args.tensor(0)?.dtype(), made))
}

/// Adds the bias, the third input if there is one, to each channel of so many pixels.
fn add_bias<T: Real>(args: &Args<'_, '_>, made: &mut [T], n_pixels: usize) -> Result<(), Error> {
    if args.n() > 2 {
        let bias = T::read(args.data(2)?).ok_or_else(|| args.refuse(2))?;
        for (channel, &bias) in made.chunks_exact_mut(n_pixels.max(1)).zip(bias.iter().cycle()) {
            channel.iter_mut().for_each(|y| *y = y.plus(bias));
        }
    }
    Ok(())
}

/// Windows times weights, plus the bias of each output if there is one.
fn convolved<T: Real>(sides: &Sides, windows: &Windows, x: &[T], w: &[T], bias: &[T]) -> Vec<T> {
    let Sides { images, groups, channels, outputs } = *sides;
    let (n_pixels, n_windows, n_taps) = (windows.n_pixels(), windows.n_windows(), windows.n_taps());
    let depth = channels * n_taps;
    let mut made = vec![T::default(); images * groups * outputs * n_windows];
    if n_windows == 0 {
        return made;
    }
    // While what it is added to is in the cache.
    let add = |group: usize, out: &mut [T], columns: Range<usize>| {
        let own = bias.iter().skip(group * outputs);
        for (out, &bias) in out.chunks_exact_mut(n_windows).zip(own) {
            out[columns.clone()].iter_mut().for_each(|y| *y = y.plus(bias));
        }
    };
    if channels * n_pixels == 0 {
        let images = made.chunks_exact_mut((outputs * n_windows).max(1)).enumerate();
        images.for_each(|(at, out)| add(at % groups, out, 0..n_windows));
        return made;
    }
    if channels == 1 && outputs == 1 {
        depthwise(windows, groups, (x, w, bias), &mut made);
        return made;
    }
    let lines_at_once = tile(windows, depth);
    let fits = (lines_at_once / windows.n_lines()).min(MAX_TILE / (outputs * n_windows).max(1));
    let at_once = fits.min(MANY_COLUMNS.div_ceil(n_windows)).min(images);
    if at_once > 1 {
        (0..groups).for_each(|group| together(sides, windows, (x, w, bias), (group, at_once), &mut made));
        return made;
    }
    let mut columns = Vec::new();
    for (at, out) in made.chunks_exact_mut((outputs * n_windows).max(1)).enumerate() {
        let group = at % groups;
        let image = &x[at * channels * n_pixels..(at + 1) * channels * n_pixels];
        let weights = &w[group * outputs * depth..(group + 1) * outputs * depth];
        let weights = Matrix::dense(weights, depth);
        if windows.is_plain() {
            product(out, n_windows, [outputs, depth, n_windows], weights, Matrix::dense(image, n_windows));
            add(group, out, 0..n_windows);
            continue;
        }
        let mut line = 0;
        while line < windows.n_lines() {
            let lines = line..(line + lines_at_once).min(windows.n_lines());
            let n = lines.len() * windows.per_line();
            columns.resize(depth * n, T::default());
            for (row, columns) in columns.chunks_exact_mut(n).enumerate() {
                let channel = &image[row / n_taps * n_pixels..(row / n_taps + 1) * n_pixels];
                windows.gather(channel, lines.clone(), row % n_taps, columns);
            }
            let first = line * windows.per_line();
            product(&mut out[first..], n_windows, [outputs, depth, n], weights, Matrix::dense(&columns, n));
            add(group, out, first..first + n);
            line = lines.end;
        }
    }
    made
}

/// One group of several small images at a time: their windows side by side make one product.
fn together<T: Real>(
    sides: &Sides,
    windows: &Windows,
    (x, w, bias): (&[T], &[T], &[T]),
    (group, at_once): (usize, usize),
    made: &mut [T],
) {
    let Sides { images, groups, channels, outputs } = *sides;
    let (n_pixels, n_windows, n_taps) = (windows.n_pixels(), windows.n_windows(), windows.n_taps());
    let depth = channels * n_taps;
    let weights = Matrix::dense(&w[group * outputs * depth..(group + 1) * outputs * depth], depth);
    let (mut columns, mut block) = (Vec::new(), Vec::new());
    for first in (0..images).step_by(at_once) {
        let n_images = at_once.min(images - first);
        let n = n_images * n_windows;
        columns.resize(depth * n, T::default());
        block.resize(outputs * n, T::default());
        for (row, columns) in columns.chunks_exact_mut(n).enumerate() {
            for (k, columns) in columns.chunks_exact_mut(n_windows).enumerate() {
                let channel = ((first + k) * groups + group) * channels + row / n_taps;
                let channel = &x[channel * n_pixels..(channel + 1) * n_pixels];
                windows.gather(channel, 0..windows.n_lines(), row % n_taps, columns);
            }
        }
        product(&mut block, n, [outputs, depth, n], weights, Matrix::dense(&columns, n));
        for (output, row) in block.chunks_exact(n).enumerate() {
            let bias = bias.get(group * outputs + output).copied().unwrap_or_default();
            for (k, values) in row.chunks_exact(n_windows).enumerate() {
                let to = ((first + k) * groups + group) * outputs + output;
                let out = &mut made[to * n_windows..(to + 1) * n_windows];
                out.iter_mut().zip(values).for_each(|(y, &value)| *y = value.plus(bias));
            }
        }
    }
}

/// A tap in a line of windows: which windows, the pixel of the first, and the step from one to the next.
struct Tap {
    tap: usize,
    windows: Range<usize>,
    place: usize,
    step: usize,
}

/// Channels one by one, each with weights of its own: each tap times its weight, added up in the order of taps, line by
/// line. Where taps lie is looked up once for all channels.
fn depthwise<T: Real>(windows: &Windows, groups: usize, (x, w, bias): (&[T], &[T], &[T]), made: &mut [T]) {
    let (per_line, n_taps) = (windows.per_line(), windows.n_taps());
    let at_once = (MAX_TAPS / n_taps.max(1)).max(1);
    for first in (0..windows.n_lines()).step_by(at_once) {
        let lines = first..windows.n_lines().min(first + at_once);
        let mut table: Vec<Vec<Tap>> = lines.clone().map(|_| Vec::new()).collect();
        for tap in 0..n_taps {
            windows.lines(lines.clone(), tap, |line, windows, place, step| {
                table[line - first].push(Tap { tap, windows, place, step });
            });
        }
        let channels = x.chunks_exact(windows.n_pixels());
        for (at, (out, image)) in made.chunks_exact_mut(windows.n_windows()).zip(channels).enumerate() {
            let weights = &w[at % groups * n_taps..(at % groups + 1) * n_taps];
            let out = out[first * per_line..].chunks_exact_mut(per_line);
            let bias = bias.get(at % groups);
            wide(
                #[inline(always)]
                || {
                    for (out, taps) in out.zip(&table) {
                        for taps in taps.chunks(3) {
                            add_taps(out, image, weights, taps);
                        }
                        if let Some(&bias) = bias {
                            for y in out {
                                *y = y.plus(bias);
                            }
                        }
                    }
                },
            );
        }
    }
}

/// Adds up to three taps to a line of windows. Three that go by one step are added together, so that the sums are read
/// and written once; what only some of them reach, at the sides, comes one by one. Each sum grows in the order of taps.
#[inline(always)]
fn add_taps<T: Real>(out: &mut [T], image: &[T], weights: &[T], taps: &[Tap]) {
    let mut inner = 0..0;
    if let [a, b, c] = taps
        && matches!(a.step, 1 | 2)
        && taps.iter().all(|t| t.step == a.step)
    {
        let first = a.windows.start.max(b.windows.start).max(c.windows.start);
        let end = a.windows.end.min(b.windows.end).min(c.windows.end);
        if first < end {
            inner = first..end;
            let n = (end - first - 1) * a.step + 1;
            let pixels = [a, b, c].map(|t| &image[t.place + (first - t.windows.start) * t.step..][..n]);
            let weights = [a, b, c].map(|t| weights[t.tap]);
            match a.step {
                1 => add_three::<T, 1>(&mut out[inner.clone()], pixels, weights),
                _ => add_three::<T, 2>(&mut out[inner.clone()], pixels, weights),
            }
        }
    }
    for Tap { tap, windows, place, step } in taps {
        let weight = weights[*tap];
        let mut add = |part: Range<usize>| {
            let mut at = place + (part.start - windows.start) * step;
            for sum in &mut out[part] {
                *sum = sum.plus(weight.times(image[at]));
                at += step;
            }
        };
        if inner.is_empty() {
            add(windows.clone());
            continue;
        }
        for part in [windows.start..inner.start, inner.end..windows.end] {
            if !part.is_empty() {
                add(part);
            }
        }
    }
}

/// `sums[i] += u x[i STEP] + v y[i STEP] + w z[i STEP]`, from left to right.
#[inline(always)]
fn add_three<T: Real, const STEP: usize>(sums: &mut [T], [x, y, z]: [&[T]; 3], [u, v, w]: [T; 3]) {
    let Some((last, sums)) = sums.split_last_mut() else { return };
    // What lies between two pixels is passed over; there is none behind the last one.
    let n = sums.len() * STEP;
    let (steps, ends) = ([x, y, z].map(|p| p[..n].chunks_exact(STEP)), [x[n], y[n], z[n]]);
    let [xs, ys, zs] = steps;
    for (((sum, x), y), z) in sums.iter_mut().zip(xs).zip(ys).zip(zs) {
        *sum = sum.plus(u.times(x[0])).plus(v.times(y[0])).plus(w.times(z[0]));
    }
    *last = last.plus(u.times(ends[0])).plus(v.times(ends[1])).plus(w.times(ends[2]));
}

pub(super) fn transposed(op: &ConvTranspose, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let (x, w) = (args.dims(0)?, args.dims(1)?);
    let rank = x.len() - 2;
    let mut spans = Vec::with_capacity(rank);
    for axis in 0..rank {
        let span = op.span((axis, rank), x[2 + axis], w[2 + axis]);
        spans.push(span.map_err(|e| args.fail("window", &"one that fits", &e))?);
    }
    // Windows lie on the output here, one for each pixel of the input.
    let windows = Windows::new(spans);
    let sides = Sides { images: x[0], groups: op.group, channels: x[1] / op.group, outputs: w[1] };
    args.allow_tensor(DType::F64, &[w[1] * windows.n_taps(), windows.per_line()])?;
    match args.tensor(0)?.dtype() {
        DType::F64 => spread::<f64>(args, &sides, &windows),
        _ => spread::<f32>(args, &sides, &windows),
    }
}

fn spread<T: Real>(args: &Args<'_, '_>, sides: &Sides, windows: &Windows) -> Result<Vec<Tensor>, Error> {
    let Sides { images, groups, channels, outputs } = *sides;
    let (x, w) = (T::read(args.data(0)?), T::read(args.data(1)?));
    let (x, w) = (x.ok_or_else(|| args.refuse(0))?, w.ok_or_else(|| args.refuse(1))?);
    let (n_pixels, n_windows, n_taps) = (windows.n_pixels(), windows.n_windows(), windows.n_taps());
    let depth = outputs * n_taps;
    let mut made = vec![T::default(); images * groups * outputs * n_pixels];
    let lines_at_once = tile(windows, depth);
    let mut columns = Vec::new();
    for (at, out) in made.chunks_exact_mut((outputs * n_pixels).max(1)).enumerate() {
        let group = at % groups;
        let image = &x[at * channels * n_windows..(at + 1) * channels * n_windows];
        let weights = Matrix::turned(&w[group * channels * depth..(group + 1) * channels * depth], depth);
        let mut line = 0;
        while line < windows.n_lines() && n_windows > 0 {
            let lines = line..(line + lines_at_once).min(windows.n_lines());
            let n = lines.len() * windows.per_line();
            columns.resize(depth * n, T::default());
            let pixels =
                Matrix { values: &image[line * windows.per_line()..], row_step: n_windows, column_step: 1 };
            product(&mut columns, n, [depth, channels, n], weights, pixels);
            for (row, columns) in columns.chunks_exact(n.max(1)).enumerate() {
                let channel = &mut out[row / n_taps * n_pixels..(row / n_taps + 1) * n_pixels];
                windows.scatter(columns, lines.clone(), row % n_taps, channel);
            }
            line = lines.end;
        }
    }
    add_bias(args, &mut made, n_pixels)?;
    args.only(T::pack(args.tensor(0)?.dtype(), made))
}

pub(super) fn col2im(op: &Col2Im, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let (image, block) = (args.ints(1)?, args.ints(2)?);
    let rank = image.len();
    let kernel: Vec<usize> = block.iter().map(|&n| n as usize).collect();
    let window = Window {
        kernel_shape: kernel,
        strides: op.strides.clone(),
        dilations: op.dilations.clone(),
        pads: Pads::Explicit(op.pads.clone()),
    };
    let mut spans = Vec::with_capacity(rank);
    for (axis, &size) in image.iter().enumerate() {
        let span = window.span("Col2Im", (axis, rank), size as usize, window.kernel_shape[axis], false);
        spans.push(span.map_err(|e| args.fail("window", &"one that fits", &e))?);
    }
    let windows = Windows::new(spans);
    let &[_, _, n_windows] = args.dims(0)? else { return Err(args.refuse(0)) };
    if n_windows != windows.n_windows() {
        return Err(args.fail("input", &alloc::format!("{} windows", windows.n_windows()), &n_windows));
    }
    let n: usize = args.made_dims(0)?.iter().product();
    let made = super::each::computed!(args.data(0)?, v => stacked(&windows, v, n));
    args.only(made.ok_or_else(|| args.refuse(0))?)
}

fn stacked<T: Number>(windows: &Windows, v: &[T], n: usize) -> Vec<T> {
    let mut made = vec![T::default(); n];
    let (n_taps, n_pixels) = (windows.n_taps(), windows.n_pixels());
    for (row, columns) in v.chunks_exact(windows.n_windows().max(1)).enumerate() {
        let channel = &mut made[row / n_taps * n_pixels..(row / n_taps + 1) * n_pixels];
        windows.scatter(columns, 0..windows.n_lines(), row % n_taps, channel);
    }
    made
}

/// Windows of a pool along the axes behind batch and channel.
pub(super) fn pooled(args: &Args<'_, '_>, window: &Window, ceil: bool) -> Result<Windows, Error> {
    let dims = args.dims(0)?;
    let rank = dims.len() - 2;
    let mut spans = Vec::with_capacity(rank);
    for axis in 0..rank {
        let span = window.span("pool", (axis, rank), dims[2 + axis], window.kernel_shape[axis], ceil);
        spans.push(span.map_err(|e| args.fail("window", &"one that fits", &e))?);
    }
    Ok(Windows::new(spans))
}
