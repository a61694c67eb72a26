//! Regions of images: pooled, or left out where they overlap better ones.

use super::args::Args;
use super::each::Real;
use crate::error::Error;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::tensor::{NonMaxSuppression, RoiAlign};
use ir::{DType, Tensor, TensorData};

pub(super) fn roi_align(op: RoiAlign, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    match args.tensor(0)?.dtype() {
        DType::F64 => aligned::<f64>(op, args),
        _ => aligned::<f32>(op, args),
    }
}

/// The four pixels around a point and their shares; none outside the image.
fn around(y: f64, x: f64, height: usize, width: usize) -> Option<[(usize, f64); 4]> {
    let (rows, columns) = (height as f64, width as f64);
    if y < -1.0 || y > rows || x < -1.0 || x > columns || height == 0 || width == 0 {
        return None;
    }
    let side = |v: f64, n: usize| {
        let v = v.clamp(0.0, (n - 1) as f64);
        let low = (v as usize).min(n - 1);
        (low, (low + 1).min(n - 1), v - low as f64)
    };
    let ((top, bottom, down), (left, right, across)) = (side(y, height), side(x, width));
    Some([
        (top * width + left, (1.0 - down) * (1.0 - across)),
        (top * width + right, (1.0 - down) * across),
        (bottom * width + left, down * (1.0 - across)),
        (bottom * width + right, down * across),
    ])
}

fn aligned<T: Real>(op: RoiAlign, args: &Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let x = args.tensor(0)?;
    let &[images, channels, height, width] = x.dims() else { return Err(args.refuse(0)) };
    let v = T::read(x.data()).ok_or_else(|| args.refuse(0))?;
    let rois = T::read(args.data(1)?).ok_or_else(|| args.refuse(1))?;
    let scale = f64::from(op.spatial_scale);
    let offset = if op.half_pixel { 0.5 } else { 0.0 };
    let mut made = Vec::with_capacity(args.made_dims(0)?.iter().product());
    for (roi, &image) in rois.chunks_exact(4).zip(&args.ints(2)?) {
        let image = args.place(image, images)?;
        let corner = |at: usize| roi[at].to_f64() * scale - offset;
        let (left, top) = (corner(0), corner(1));
        let least = if op.half_pixel { f64::MIN } else { 1.0 };
        let (across, down) = ((corner(2) - left).max(least), (corner(3) - top).max(least));
        let (bin_height, bin_width) = (down / op.height.max(1) as f64, across / op.width.max(1) as f64);
        // A bin of no sensible size would ask for any number of points.
        let points = |bin: f64| match op.sampling_ratio {
            0 => (libm::ceil(bin).clamp(0.0, 1024.0) as usize).max(usize::from(bin > 0.0)),
            n => n,
        };
        let (n_down, n_across) = (points(bin_height), points(bin_width));
        args.allow_tensor(DType::F64, &[n_down, n_across, 9])?;
        let mut samples = Vec::with_capacity(n_down * n_across);
        let start = made.len();
        made.resize(start + channels * op.height * op.width, T::default());
        let of_roi = &mut made[start..];
        for bin in 0..op.height * op.width {
            let (row, column) = (bin / op.width, bin % op.width);
            samples.clear();
            for i in 0..n_down {
                for j in 0..n_across {
                    let y = top + (row as f64 + (i as f64 + 0.5) / n_down as f64) * bin_height;
                    let x = left + (column as f64 + (j as f64 + 0.5) / n_across as f64) * bin_width;
                    samples.push(around(y, x, height, width));
                }
            }
            for channel in 0..channels {
                let first = (image * channels + channel) * height * width;
                let value = bin_value(op.of_max, &samples, &v[first..first + height * width]);
                of_roi[channel * op.height * op.width + bin] = T::of_f64(value);
            }
        }
    }
    args.only(T::pack(x.dtype(), made))
}

fn bin_value<T: Real>(of_max: bool, samples: &[Option<[(usize, f64); 4]>], pixels: &[T]) -> f64 {
    let parts = |sample: &[(usize, f64); 4]| sample.map(|(at, share)| pixels[at].to_f64() * share);
    if of_max {
        let largest =
            samples.iter().map(|s| s.map_or(0.0, |s| parts(&s).into_iter().fold(f64::MIN, f64::max)));
        return largest.fold(f64::NEG_INFINITY, f64::max);
    }
    let sum: f64 = samples.iter().flatten().map(|s| parts(s).iter().sum::<f64>()).sum();
    sum / samples.len().max(1) as f64
}

pub(super) fn non_max_suppression(
    op: NonMaxSuppression,
    args: &mut Args<'_, '_>,
) -> Result<Vec<Tensor>, Error> {
    let (&[batch, n, _], &[_, classes, _]) = (args.dims(0)?, args.dims(1)?) else {
        return Err(args.refuse(0));
    };
    let (TensorData::F32(boxes), TensorData::F32(scores)) = (args.data(0)?, args.data(1)?) else {
        return Err(args.refuse(0));
    };
    let one = |at: usize| match args.data(at)? {
        TensorData::F32(v) => Ok(v.first().copied().unwrap_or(0.0)),
        _ => Err(args.refuse(at)),
    };
    let (overlap, least) = (one(3)?, one(4)?);
    let most = usize::try_from(args.int(2)?).unwrap_or(0);
    let corners = |b: &[f32]| -> [f32; 4] {
        if op.by_centre {
            [b[1] - b[3] / 2.0, b[0] - b[2] / 2.0, b[1] + b[3] / 2.0, b[0] + b[2] / 2.0]
        } else {
            [b[0].min(b[2]), b[1].min(b[3]), b[0].max(b[2]), b[1].max(b[3])]
        }
    };
    let mut made: Vec<i64> = Vec::new();
    for image in 0..batch {
        let sides: Vec<[f32; 4]> =
            boxes[image * n * 4..(image + 1) * n * 4].chunks_exact(4).map(corners).collect();
        for class in 0..classes {
            let first = (image * classes + class) * n;
            let own = &scores[first..first + n];
            let mut order: Vec<usize> = (0..n).filter(|&i| own[i] > least).collect();
            order.sort_by(|&a, &b| own[b].total_cmp(&own[a]));
            let mut kept: Vec<usize> = Vec::new();
            for i in order {
                if kept.len() >= most {
                    break;
                }
                if kept.iter().all(|&k| joint(&sides[k], &sides[i]) <= overlap) {
                    kept.push(i);
                }
            }
            made.extend(kept.into_iter().flat_map(|i| [image as i64, class as i64, i as i64]));
        }
    }
    Ok(vec![args.tensor_of(vec![made.len() / 3, 3], TensorData::I64(made))?])
}

/// Intersection over union of two boxes.
fn joint(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let area = |s: &[f32; 4]| (s[2] - s[0]).max(0.0) * (s[3] - s[1]).max(0.0);
    let common = area(&[a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
    let union = area(a) + area(b) - common;
    if union > 0.0 { common / union } else { 0.0 }
}
