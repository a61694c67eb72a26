//! Interpolation: to other lengths, and at given places.

use super::args::Args;
use super::each::{Real, around};
use crate::error::Error;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::tensor::{Beyond, Coordinates, GridSample, NearestMode, Resize, Sampling};
use ir::{DType, Tensor, TensorData};

/// For each place of the output along an axis the elements that count and their shares; none outside the region.
type Taps = Vec<Option<Vec<(usize, f64)>>>;

/// One axis of a resize.
struct Axis {
    have: usize,
    want: usize,
    scale: f64,
    /// Start and end of the region, from 0 to 1.
    region: (f64, f64),
}

impl Axis {
    /// Place in the input of a place in the output.
    fn source(&self, op: &Resize, at: usize) -> f64 {
        let (x, have, want) = (at as f64, self.have as f64, self.want as f64);
        match op.coordinates {
            Coordinates::HalfPixel => (x + 0.5) / self.scale - 0.5,
            Coordinates::PytorchHalfPixel if self.want <= 1 => 0.0,
            Coordinates::PytorchHalfPixel => (x + 0.5) / self.scale - 0.5,
            Coordinates::HalfPixelSymmetric => {
                let adjustment = want / (self.scale * have);
                let centre = have / 2.0;
                let offset = centre * (1.0 - adjustment);
                offset + (x + 0.5) / self.scale - 0.5
            }
            Coordinates::AlignCorners if self.want <= 1 => 0.0,
            Coordinates::AlignCorners => x * (have - 1.0) / (want - 1.0),
            Coordinates::Asymmetric => x / self.scale,
            Coordinates::TfCropAndResize => {
                let (start, end) = self.region;
                match self.want > 1 {
                    true => start * (have - 1.0) + x * (end - start) * (have - 1.0) / (want - 1.0),
                    false => 0.5 * (start + end) * (have - 1.0),
                }
            }
        }
    }

    fn taps(&self, op: &Resize) -> Taps {
        let last = self.have as i64 - 1;
        let mut taps = Vec::with_capacity(self.want);
        for at in 0..self.want {
            let x = self.source(op, at);
            if op.coordinates == Coordinates::TfCropAndResize && (x < 0.0 || x > last as f64) {
                taps.push(None);
                continue;
            }
            let shares = match op.mode.sampling {
                Sampling::Nearest => vec![(nearest(op.mode.nearest, x), 1.0)],
                Sampling::Linear => self.spread(op, x, 1.0, |d| (1.0 - d.abs()).max(0.0)),
                Sampling::Cubic => self.spread(op, x, 2.0, |d| cubic(op.mode.cubic_a.into(), d)),
            };
            let inside = |i: i64| (0..=last).contains(&i);
            let mut kept: Vec<(usize, f64)> = Vec::with_capacity(shares.len());
            for (i, share) in shares {
                if inside(i) || !op.mode.exclude_outside {
                    kept.push((i.clamp(0, last) as usize, share));
                }
            }
            let sum: f64 = kept.iter().map(|k| k.1).sum();
            if (op.mode.exclude_outside || op.mode.antialias) && sum != 0.0 {
                kept.iter_mut().for_each(|k| k.1 /= sum);
            }
            taps.push(Some(kept));
        }
        taps
    }

    /// Elements within `reach` of a place, more where the axis gets shorter and that is asked for.
    fn spread(&self, op: &Resize, x: f64, reach: f64, weight: impl Fn(f64) -> f64) -> Vec<(i64, f64)> {
        let squeeze = if op.mode.antialias { self.scale.min(1.0) } else { 1.0 };
        // An axis has its elements and no more, however wide the window would be.
        let reach = (reach / squeeze).min(2.0 * self.have as f64 + 4.0);
        let (first, last) = (libm::floor(x - reach) as i64 + 1, libm::ceil(x + reach) as i64 - 1);
        let shares = (first..=last).map(|i| (i, weight((x - i as f64) * squeeze)));
        let mut shares: Vec<(i64, f64)> = shares.collect();
        // On an element itself the next one has no share, but stands beside it.
        if shares.is_empty() {
            shares.push((x as i64, 1.0));
        }
        shares
    }
}

/// Keys' cubic of a distance.
fn cubic(a: f64, d: f64) -> f64 {
    let d = d.abs();
    if d <= 1.0 {
        ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0
    } else if d < 2.0 {
        ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a
    } else {
        0.0
    }
}

fn nearest(mode: NearestMode, x: f64) -> i64 {
    let (floor, fraction) = (libm::floor(x), x - libm::floor(x));
    let up = match mode {
        NearestMode::RoundPreferFloor => fraction > 0.5,
        NearestMode::RoundPreferCeil => fraction >= 0.5,
        NearestMode::Floor => false,
        NearestMode::Ceil => fraction > 0.0,
    };
    floor as i64 + i64::from(up)
}

pub(super) fn resize(op: &Resize, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let dims = args.dims(0)?.to_vec();
    let lengths =
        op.lengths(&dims, args.data(1)?).map_err(|e| args.fail("scales or sizes", &"some that fit", &e))?;
    let mut region = vec![(0.0, 1.0); dims.len()];
    if args.n() > 2 {
        let given = super::elementwise::doubles(args.data(2)?).ok_or_else(|| args.refuse(2))?;
        let n = given.len() / 2;
        for k in 0..n {
            let axis = match &op.axes {
                Some(axes) => args.axis(axes[k], dims.len())?,
                None => k,
            };
            region[axis] = (given[k], given[n + k]);
        }
    }
    if args.made_dims(0)?.contains(&0) {
        return args.only(super::casts::none(args.made_dtype(0)));
    }
    // Axis by axis, each as its own pass; those that stay are left alone.
    let dtype = args.tensor(0)?.dtype();
    let mut own = dims.clone();
    let v = super::elementwise::doubles(args.data(0)?);
    let mut v = match (v, args.data(0)?) {
        (Some(v), _) => v,
        (None, TensorData::Bool(b)) => b.iter().map(|&b| f64::from(u8::from(b))).collect(),
        (None, _) => return Err(args.refuse(0)),
    };
    let mut outside = Vec::new();
    for (axis, &(want, scale)) in lengths.iter().enumerate() {
        let side = Axis { have: own[axis], want, scale, region: region[axis] };
        let is_same = want == side.have && scale == 1.0 && region[axis] == (0.0, 1.0);
        if is_same && op.coordinates != Coordinates::TfCropAndResize {
            continue;
        }
        args.allow_tensor(DType::F64, &[around(&own, axis).0, want, around(&own, axis).2])?;
        let taps = side.taps(op);
        v = resampled(&v, &own, axis, &taps);
        own[axis] = want;
        let lost: Vec<usize> =
            taps.iter().enumerate().filter(|(_, t)| t.is_none()).map(|(at, _)| at).collect();
        outside.push((axis, lost));
    }
    for (axis, lost) in outside {
        let (outer, length, inner) = around(&own, axis);
        for at in lost {
            for row in 0..outer {
                let first = (row * length + at) * inner;
                v[first..first + inner].fill(op.mode.extrapolation.into());
            }
        }
    }
    args.only(of_doubles(dtype, &v))
}

fn resampled(v: &[f64], own: &[usize], axis: usize, taps: &Taps) -> Vec<f64> {
    let (outer, length, inner) = around(own, axis);
    let mut made = vec![0.0; outer * taps.len() * inner];
    for row in 0..outer {
        for (at, taps) in taps.iter().enumerate() {
            let first = (row * made.len() / outer.max(1)) + at * inner;
            let out = &mut made[first..first + inner];
            for &(i, share) in taps.iter().flatten() {
                let from = (row * length + i) * inner;
                let line = &v[from..from + inner];
                if taps.as_ref().is_some_and(|t| t.len() == 1) && share == 1.0 {
                    out.copy_from_slice(line);
                } else {
                    out.iter_mut().zip(line).for_each(|(y, x)| *y += share * x);
                }
            }
        }
    }
    made
}

/// Doubles as elements of a dtype: floats rounded, integers to the nearest.
fn of_doubles(dtype: DType, v: &[f64]) -> TensorData {
    match dtype {
        DType::F32 => TensorData::F32(v.iter().map(|&x| x as f32).collect()),
        DType::F64 => TensorData::F64(v.to_vec()),
        DType::Half(half) => TensorData::Half(half, v.iter().map(|&x| half.of(x)).collect()),
        _ => {
            let whole: Vec<i64> = v.iter().map(|&x| x as i64).collect();
            super::casts::whole(dtype, &whole)
        }
    }
}

pub(super) fn grid_sample(op: GridSample, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    match args.tensor(0)?.dtype() {
        DType::F64 => sampled::<f64>(op, args),
        _ => sampled::<f32>(op, args),
    }
}

fn sampled<T: Real>(op: GridSample, args: &Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let (x, grid) = (args.tensor(0)?, args.tensor(1)?);
    let (images, channels) = (x.dims()[0], x.dims()[1]);
    let space = &x.dims()[2..];
    let rank = space.len();
    let v = T::read(x.data()).ok_or_else(|| args.refuse(0))?;
    let places = super::elementwise::doubles(grid.data()).ok_or_else(|| args.refuse(1))?;
    let n_pixels: usize = space.iter().product();
    let n_out: usize = grid.dims()[1..=rank].iter().product();
    let mut made = vec![T::default(); images * channels * n_out];
    for image in 0..images {
        for out in 0..n_out {
            let place = &places[(image * n_out + out) * rank..(image * n_out + out + 1) * rank];
            // The grid names the last axis first.
            let axes: Vec<Vec<(Option<usize>, f64)>> =
                (0..rank).map(|axis| sides(op, place[rank - 1 - axis], space[axis])).collect();
            let taps = combined(&axes, space);
            for channel in 0..channels {
                let first = (image * channels + channel) * n_pixels;
                let sum: f64 = taps.iter().map(|&(at, share)| v[first + at].to_f64() * share).sum();
                made[(image * channels + channel) * n_out + out] = T::of_f64(sum);
            }
        }
    }
    args.only(T::pack(x.dtype(), made))
}

/// Elements along one axis that count for a place from -1 to 1; none for a zero beyond the border.
fn sides(op: GridSample, place: f64, n: usize) -> Vec<(Option<usize>, f64)> {
    let length = n as f64;
    let (least, most) = if op.align_corners { (0.0, length - 1.0) } else { (-0.5, length - 0.5) };
    let mut x = match op.align_corners {
        true => (place + 1.0) / 2.0 * (length - 1.0),
        false => ((place + 1.0) * length - 1.0) / 2.0,
    };
    if n == 0 || x.is_nan() {
        return Vec::new();
    }
    match (op.beyond, op.sampling) {
        (Beyond::Border, Sampling::Nearest | Sampling::Linear) => x = x.clamp(0.0, length - 1.0),
        (Beyond::Reflection, Sampling::Nearest | Sampling::Linear) => x = mirrored(x, least, most),
        _ => {}
    }
    // Beyond these bounds nothing of the image counts, and a place may be no number of an element.
    let x = x.clamp(-4.0e9, 4.0e9);
    let element = |i: i64| {
        let inside = usize::try_from(i).ok().filter(|&i| i < n);
        match op.beyond {
            Beyond::Zeros => inside,
            Beyond::Border => Some(i.clamp(0, n as i64 - 1) as usize),
            Beyond::Reflection => Some((mirrored(i as f64, least, most).clamp(0.0, length - 1.0)) as usize),
        }
    };
    let floor = libm::floor(x);
    let (at, fraction) = (floor as i64, x - floor);
    match op.sampling {
        Sampling::Nearest => vec![(element(libm::rint(x) as i64), 1.0)],
        Sampling::Linear => vec![(element(at), 1.0 - fraction), (element(at + 1), fraction)],
        Sampling::Cubic => (-1..=2).map(|k| (element(at + k), cubic(-0.75, fraction - k as f64))).collect(),
    }
}

/// A place mirrored at both borders until it lies between them.
fn mirrored(x: f64, least: f64, most: f64) -> f64 {
    let range = most - least;
    if range <= 0.0 {
        return least.max(0.0);
    }
    let rest = libm::fmod((x - least).abs(), 2.0 * range);
    least + if rest > range { 2.0 * range - rest } else { rest }
}

/// Flat places and shares of all combinations along the axes; zeros left out.
fn combined(axes: &[Vec<(Option<usize>, f64)>], space: &[usize]) -> Vec<(usize, f64)> {
    let mut taps = vec![(0usize, 1.0f64)];
    for (sides, &n) in axes.iter().zip(space) {
        let mut next = Vec::with_capacity(taps.len() * sides.len());
        for &(at, share) in &taps {
            next.extend(sides.iter().filter_map(|&(i, own)| i.map(|i| (at * n + i, share * own))));
        }
        taps = next;
    }
    taps
}
