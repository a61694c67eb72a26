//! One number of each window, and back.

use super::args::Args;
use super::convolution::pooled;
use super::each::{Number, Real, computed, strides};
use super::windows::Windows;
use crate::error::Error;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::tensor::{MaxUnpool, PlaceOrder, Pool, PoolKind};
use ir::{DType, Dim, Shape, Tensor, TensorData};

pub(super) fn pool(op: &Pool, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let windows = pooled(args, &op.window, op.ceil)?;
    let x = args.tensor(0)?;
    match op.kind {
        PoolKind::Max { places: None } => {
            let made = computed!(x.data(), v => largest_alone(&windows, v));
            args.only(made.ok_or_else(|| args.refuse(0))?)
        }
        PoolKind::Max { places: Some(order) } => {
            let mut places = Vec::new();
            let made = computed!(x.data(), v => largest(&windows, v, &mut places));
            let values = args.finish(0, made.ok_or_else(|| args.refuse(0))?)?;
            if order == PlaceOrder::Columns {
                places.iter_mut().for_each(|at| *at = by_column(&windows, *at));
            }
            Ok(vec![values, args.finish(1, TensorData::I64(places))?])
        }
        PoolKind::Average { .. } | PoolKind::Norm { .. } => match x.dtype() {
            DType::F64 => args.only(f64::pack(x.dtype(), summed::<f64>(op.kind, &windows, args)?)),
            _ => args.only(f32::pack(x.dtype(), summed::<f32>(op.kind, &windows, args)?)),
        },
    }
}

/// Calls with each window and each of its pixels, tap by tap.
fn pixels(windows: &Windows, mut f: impl FnMut(usize, usize)) {
    let per_line = windows.per_line();
    for tap in 0..windows.n_taps() {
        windows.lines(0..windows.n_lines(), tap, |line, range, place, step| {
            let first = line * per_line + range.start;
            (0..range.len()).for_each(|i| f(first + i, place + i * step));
        });
    }
}

fn largest<T: Number>(windows: &Windows, v: &[T], places: &mut Vec<i64>) -> Vec<T> {
    let (n_pixels, n_windows) = (windows.n_pixels(), windows.n_windows());
    let mut made = Vec::new();
    for (at, image) in v.chunks_exact(n_pixels.max(1)).enumerate() {
        let start = made.len();
        made.resize(start + n_windows, T::least());
        places.resize(start + n_windows, -1);
        let (made, places) = (&mut made[start..], &mut places[start..]);
        let first = (at * n_pixels) as i64;
        pixels(windows, |window, place| {
            let x = image[place];
            if x > made[window] || places[window] < 0 || (x.is_nan() && !made[window].is_nan()) {
                (made[window], places[window]) = (x, first + place as i64);
            }
        });
    }
    made
}

/// The largest of each window, without where it stands: whole lines at a time.
fn largest_alone<T: Number>(windows: &Windows, v: &[T]) -> Vec<T> {
    let per_line = windows.per_line();
    let n_images = v.len() / windows.n_pixels().max(1);
    let mut made = Vec::with_capacity(n_images * windows.n_windows());
    for image in v.chunks_exact(windows.n_pixels().max(1)) {
        let start = made.len();
        made.resize(start + windows.n_windows(), T::least());
        let made = &mut made[start..];
        for tap in 0..windows.n_taps() {
            windows.lines(0..windows.n_lines(), tap, |line, range, place, step| {
                let line = &mut made[line * per_line + range.start..line * per_line + range.end];
                let pixels = &image[place..];
                if step == 1 {
                    line.iter_mut().zip(pixels).for_each(|(most, &x)| *most = most.larger(x));
                } else {
                    line.iter_mut()
                        .zip(pixels.iter().step_by(step))
                        .for_each(|(most, &x)| *most = most.larger(x));
                }
            });
        }
    }
    made
}

/// A place counted along rows, counted along columns: the first axis runs fastest.
fn by_column(windows: &Windows, at: i64) -> i64 {
    let Ok(at) = usize::try_from(at) else { return at };
    let n_pixels = windows.n_pixels().max(1);
    let (channel, mut rest) = (at / n_pixels, at % n_pixels);
    let mut index: Vec<usize> = Vec::new();
    for span in windows.spans().iter().rev() {
        index.push(rest % span.size);
        rest /= span.size;
    }
    // The last axis first, so the first axis ends up with the step 1.
    let place =
        index.iter().zip(windows.spans().iter().rev()).fold(0, |place, (&i, span)| place * span.size + i);
    (channel * n_pixels + place) as i64
}

fn summed<T: Real>(kind: PoolKind, windows: &Windows, args: &Args<'_, '_>) -> Result<Vec<T>, Error> {
    let v = T::read(args.data(0)?).ok_or_else(|| args.refuse(0))?;
    let n_windows = windows.n_windows();
    let mut counts = vec![0.0f64; n_windows];
    match kind {
        PoolKind::Average { with_pads: true } => padded_counts(windows, &mut counts),
        _ => pixels(windows, |window, _| counts[window] += 1.0),
    }
    let mut made = Vec::with_capacity(args.made_dims(0)?.iter().product());
    let mut sums = vec![0.0f64; n_windows];
    for image in v.chunks_exact(windows.n_pixels().max(1)) {
        sums.fill(0.0);
        match kind {
            PoolKind::Norm { p } => {
                pixels(windows, |window, place| {
                    sums[window] += libm::pow(image[place].to_f64().abs(), p.into())
                });
                made.extend(sums.iter().map(|&s| T::of_f64(libm::pow(s, 1.0 / f64::from(p)))));
            }
            _ => {
                pixels(windows, |window, place| sums[window] += image[place].to_f64());
                made.extend(sums.iter().zip(&counts).map(|(s, n)| T::of_f64(s / n)));
            }
        }
    }
    Ok(made)
}

/// Taps of each window that lie on the image or in its pads.
fn padded_counts(windows: &Windows, counts: &mut [f64]) {
    let spans = windows.spans();
    for (window, count) in counts.iter_mut().enumerate() {
        let mut rest = window;
        *count = 1.0;
        for span in spans.iter().rev() {
            let at = rest % span.out.max(1) * span.stride;
            rest /= span.out.max(1);
            let end = span.before + span.size + span.after;
            *count *= (0..span.taps).filter(|k| at + k * span.dilation < end).count() as f64;
        }
    }
}

pub(super) fn max_unpool(op: &MaxUnpool, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let dims = args.made_dims(0)?;
    let n: usize = dims.iter().product();
    let axes: Vec<Dim> = args.dims(0)?.iter().map(|&n| Dim::Fixed(n)).collect();
    // Places count along the tensor that was pooled, which the output may be longer than.
    let pooled = Shape(op.pooled(&axes)).lengths().unwrap_or_else(|| dims.clone());
    let n_pooled: usize = pooled.iter().product();
    let steps = strides(&dims);
    let mut at = Vec::new();
    for place in args.ints(1)? {
        let mut rest = args.place(place, n_pooled)?;
        let mut to = 0;
        for (&length, &step) in pooled.iter().zip(&steps).rev() {
            to += rest % length * step;
            rest /= length;
        }
        at.push(to);
    }
    let made = computed!(args.data(0)?, v => {
        let mut made = vec![Default::default(); n];
        at.iter().zip(v.iter()).for_each(|(&at, &x)| made[at] = x);
        made
    });
    args.only(made.ok_or_else(|| args.refuse(0))?)
}
