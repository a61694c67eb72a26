//! Elements moved, not computed with.

use super::args::Args;
use super::each::{around, moved, strided, strides};
use super::elementwise::spread;
use crate::error::Error;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::tensor::{
    CenterCropPad, Concat, ConstantOfShape, DepthSpace, Pad, PadMode, ReverseSequence, ShapeOf, Slice, Split,
    Transpose,
};
use ir::{DType, Tensor, TensorData};

pub(super) fn shape_of(op: ShapeOf, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let dims = args.dims(0)?;
    let long = |n: usize| i64::try_from(n).map_err(|_| args.fail("length", &"below 2^63", &n));
    let lengths = match op {
        ShapeOf::Lengths { .. } => {
            dims[op.axes(dims.len())].iter().map(|&n| long(n)).collect::<Result<Vec<_>, _>>()?
        }
        ShapeOf::Count => vec![long(args.data(0)?.len())?],
    };
    args.only(TensorData::I64(lengths))
}

/// The same elements in the shape that was worked out.
pub(super) fn reshape(args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let data = args.take(0).into_data();
    args.only(data)
}

/// A view by steps of an input, made dense.
fn view(args: &Args<'_, '_>, steps: &[isize], from: isize) -> Result<Vec<Tensor>, Error> {
    let dims = args.made_dims(0)?;
    let made = moved!(args.data(0)?, v => strided(v, &dims, steps, from));
    args.only(made)
}

pub(super) fn transpose(op: &Transpose, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let own = strides(args.dims(0)?);
    let steps: Vec<isize> = match &op.order {
        None => own.iter().rev().map(|&s| s as isize).collect(),
        Some(order) => order.iter().map(|&at| own[at] as isize).collect(),
    };
    view(args, &steps, 0)
}

pub(super) fn expand(args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let dims = args.made_dims(0)?;
    if dims == args.dims(0)? {
        return Ok(vec![args.take(0)]);
    }
    let made = spread(args.tensor(0)?, &dims);
    args.only(made)
}

pub(super) fn slice(op: Slice, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let (starts, ends) = (args.ints(1)?, args.ints(2)?);
    let axes = if op.has_axes { Some(args.ints(3)?) } else { None };
    let steps = if op.has_steps { Some(args.ints(3 + usize::from(op.has_axes))?) } else { None };
    let dims = args.dims(0)?;
    let ranges = op.ranges(dims, &starts, &ends, axes.as_deref(), steps.as_deref());
    let ranges = ranges.map_err(|e| args.fail("ranges", &"some that fit", &e))?;
    let own = strides(dims);
    let from: usize =
        ranges.iter().zip(&own).map(|(&(start, _, n), &s)| if n > 0 { start * s } else { 0 }).sum();
    let steps: Vec<isize> =
        ranges.iter().zip(&own).map(|(&(_, step, _), &s)| step as isize * s as isize).collect();
    view(args, &steps, from as isize)
}

/// Blocks of each input, one after the other.
pub(super) fn concat(op: Concat, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let dims = args.made_dims(0)?;
    let axis = args.axis(op.axis, dims.len())?;
    let (outer, _, inner) = around(&dims, axis);
    let mut parts = Vec::with_capacity(args.n());
    for at in 0..args.n() {
        parts.push((args.data(at)?, args.dims(at)?[axis] * inner));
    }
    macro_rules! all {
        ($($kind:ident),*) => {
            match parts[0].0 {
                $(TensorData::$kind(_) => {
                    let parts: Vec<(&[_], usize)> = parts.iter().filter_map(|(data, n)| match data {
                        TensorData::$kind(v) => Some((&v[..], *n)),
                        _ => None,
                    }).collect();
                    TensorData::$kind(side_by_side(&parts, outer))
                })*
                TensorData::Half(half, _) => {
                    let parts: Vec<(&[u16], usize)> = parts.iter().filter_map(|(data, n)| match data {
                        TensorData::Half(_, v) => Some((&v[..], *n)),
                        _ => None,
                    }).collect();
                    TensorData::Half(*half, side_by_side(&parts, outer))
                }
                TensorData::Narrow(narrow, _) => {
                    let parts: Vec<(&[u8], usize)> = parts.iter().filter_map(|(data, n)| match data {
                        TensorData::Narrow(_, v) => Some((&v[..], *n)),
                        _ => None,
                    }).collect();
                    TensorData::Narrow(*narrow, side_by_side(&parts, outer))
                }
                TensorData::Bag(_) => return Err(args.refuse(0)),
            }
        };
    }
    let made = all!(Bool, U8, I8, U16, I16, U32, I32, U64, I64, F32, F64, Str);
    args.only(made)
}

fn side_by_side<T: Clone>(parts: &[(&[T], usize)], outer: usize) -> Vec<T> {
    let mut made = Vec::with_capacity(parts.iter().map(|(v, _)| v.len()).sum());
    for row in 0..outer {
        for (v, n) in parts {
            made.extend_from_slice(&v[row * n..(row + 1) * n]);
        }
    }
    made
}

pub(super) fn split(op: Split, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let dims = args.dims(0)?.to_vec();
    let axis = args.axis(op.axis, dims.len())?;
    let own: Vec<isize> = strides(&dims).into_iter().map(|s| s as isize).collect();
    let mut from = 0;
    let mut made = Vec::with_capacity(args.n_made());
    for part in 0..args.n_made() {
        let dims = args.made_dims(part)?;
        let data = moved!(args.data(0)?, v => strided(v, &dims, &own, from * own[axis]));
        from += dims[axis] as isize;
        made.push(args.finish(part, data)?);
    }
    Ok(made)
}

pub(super) fn tile(args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let (own, dims) = (args.dims(0)?, args.made_dims(0)?);
    let places: Vec<Vec<usize>> =
        dims.iter().zip(own).map(|(&n, &own)| (0..n).map(|i| i % own.max(1)).collect()).collect();
    let made = moved!(args.data(0)?, v => picked(v, own, &places));
    args.only(made)
}

/// Elements at the given places along each axis.
fn picked<T: Clone>(v: &[T], own: &[usize], places: &[Vec<usize>]) -> Vec<T> {
    let dims: Vec<usize> = places.iter().map(Vec::len).collect();
    let own = strides(own);
    let n: usize = dims.iter().product();
    let mut made = Vec::with_capacity(n);
    let mut index = vec![0usize; dims.len()];
    for _ in 0..n {
        let at: usize = index.iter().zip(places).zip(&own).map(|((&i, places), &s)| places[i] * s).sum();
        made.push(v[at].clone());
        for axis in (0..dims.len()).rev() {
            index[axis] += 1;
            if index[axis] < dims[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    made
}

/// Copies `v` of lengths `own` into `out` of lengths `dims`, its first element to `to`.
fn paste<T: Clone>(v: &[T], own: &[usize], out: &mut [T], dims: &[usize], to: usize) {
    let (from, into) = (strides(own), strides(dims));
    let signed = |s: &[usize]| -> Vec<isize> { s.iter().map(|&s| s as isize).collect() };
    let last = own.last().copied().unwrap_or(1);
    super::each::rows(own, [&signed(&from), &signed(&into)], [0, to as isize], |[at, bt]| {
        out[bt as usize..bt as usize + last].clone_from_slice(&v[at as usize..at as usize + last]);
    });
}

pub(super) fn pad(op: Pad, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let own = args.dims(0)?.to_vec();
    let pads = args.ints(1)?;
    let axes = if args.n() > 3 { Some(args.ints(3)?) } else { None };
    let sides = Pad::sides(&pads, axes.as_deref(), own.len());
    let sides = sides.map_err(|e| args.fail("pads", &"some that fit", &e))?;
    if op.mode == PadMode::Constant {
        let befores: Vec<i64> = sides.iter().map(|s| s.0).collect();
        let value = args.take(2);
        return shifted(args, &own, &befores, value.data());
    }
    let dims = args.made_dims(0)?;
    let mut places = Vec::with_capacity(dims.len());
    for ((&n, &own), &(before, _)) in dims.iter().zip(&own).zip(&sides) {
        let own = own as i64;
        let at = |i: usize| {
            let i = i as i64 - before;
            let i = match op.mode {
                PadMode::Edge | PadMode::Constant => i.clamp(0, own - 1),
                PadMode::Wrap => i.rem_euclid(own),
                PadMode::Reflect => {
                    let period = (2 * (own - 1)).max(1);
                    let i = i.rem_euclid(period);
                    if i < own { i } else { period - i }
                }
            };
            i as usize
        };
        places.push((0..n).map(at).collect());
    }
    let made = moved!(args.data(0)?, v => picked(v, &own, &places));
    args.only(made)
}

/// The output filled with one value, and the input from `befores` on, cut where it does not fit.
fn shifted(
    args: &Args<'_, '_>,
    own: &[usize],
    befores: &[i64],
    value: &TensorData,
) -> Result<Vec<Tensor>, Error> {
    let dims = args.made_dims(0)?;
    let (from, into) = (strides(own), strides(&dims));
    let (mut start, mut to, mut lengths) = (0usize, 0usize, Vec::with_capacity(dims.len()));
    for (axis, &before) in befores.iter().enumerate() {
        let skipped = usize::try_from(-before).unwrap_or(0).min(own[axis]);
        let first = usize::try_from(before).unwrap_or(0).min(dims[axis]);
        let n = (own[axis] - skipped).min(dims[axis] - first);
        lengths.push(n);
        start += skipped * from[axis];
        to += first * into[axis];
    }
    let n: usize = dims.iter().product();
    let steps: Vec<isize> = from.iter().map(|&s| s as isize).collect();
    macro_rules! all {
        ($($kind:ident),*) => {
            match (args.data(0)?, value) {
                $((TensorData::$kind(v), TensorData::$kind(value)) => {
                    let mut out = vec![value.first().cloned().unwrap_or_default(); n];
                    let inner = strided(v, &lengths, &steps, start as isize);
                    paste(&inner, &lengths, &mut out, &dims, to);
                    TensorData::$kind(out)
                })*
                (TensorData::Half(half, v), TensorData::Half(_, value)) => {
                    let mut out = vec![value.first().copied().unwrap_or_default(); n];
                    paste(&strided(v, &lengths, &steps, start as isize), &lengths, &mut out, &dims, to);
                    TensorData::Half(*half, out)
                }
                (TensorData::Narrow(narrow, v), TensorData::Narrow(_, value)) => {
                    let mut out = vec![value.first().copied().unwrap_or_default(); n];
                    paste(&strided(v, &lengths, &steps, start as isize), &lengths, &mut out, &dims, to);
                    TensorData::Narrow(*narrow, out)
                }
                _ => return Err(args.refuse(0)),
            }
        };
    }
    let made = all!(Bool, U8, I8, U16, I16, U32, I32, U64, I64, F32, F64, Str);
    args.only(made)
}

pub(super) fn center_crop_pad(op: &CenterCropPad, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let own = args.dims(0)?.to_vec();
    let dims = args.made_dims(0)?;
    let places = op.places(own.len()).map_err(|e| args.fail("axes", &"some that fit", &e))?;
    let mut befores = vec![0i64; own.len()];
    for axis in places {
        let (have, want) = (own[axis] as i64, dims[axis] as i64);
        // Of an odd difference the end gets more, whether it is cut or padded.
        befores[axis] = if want >= have { (want - have) / 2 } else { -((have - want) / 2) };
    }
    let zero = zero(args.tensor(0)?.dtype());
    shifted(args, &own, &befores, &zero)
}

/// One zero of a dtype.
pub(super) fn zero(dtype: DType) -> TensorData {
    match dtype {
        DType::Bool => TensorData::Bool(vec![false]),
        DType::U8 => TensorData::U8(vec![0]),
        DType::I8 => TensorData::I8(vec![0]),
        DType::U16 => TensorData::U16(vec![0]),
        DType::I16 => TensorData::I16(vec![0]),
        DType::U32 => TensorData::U32(vec![0]),
        DType::I32 => TensorData::I32(vec![0]),
        DType::U64 => TensorData::U64(vec![0]),
        DType::I64 => TensorData::I64(vec![0]),
        DType::F32 => TensorData::F32(vec![0.0]),
        DType::F64 | DType::Bag => TensorData::F64(vec![0.0]),
        DType::Half(half) => TensorData::Half(half, vec![0]),
        DType::Narrow(narrow) => TensorData::Narrow(narrow, vec![0]),
        DType::Str => TensorData::Str(vec![alloc::string::String::new()]),
    }
}

pub(super) fn constant_of_shape(op: &ConstantOfShape, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let n: usize = args.made_dims(0)?.iter().product();
    let made = moved!(op.value.data(), v => filled(v, n));
    args.only(made)
}

/// The first element so many times.
fn filled<T: Clone>(v: &[T], n: usize) -> Vec<T> {
    v.first().map_or_else(Vec::new, |first| vec![first.clone(); n])
}

pub(super) fn depth_space(op: DepthSpace, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let &[n, c, h, w] = args.dims(0)? else { return Err(args.refuse(0)) };
    // The axes in between, and the order in which they follow in the output.
    let (split, order): (Vec<usize>, [usize; 6]) = match op {
        DepthSpace::ToSpace { block, last: false } => {
            (vec![n, block, block, c / (block * block), h, w], [0, 3, 4, 1, 5, 2])
        }
        DepthSpace::ToSpace { block, last: true } => {
            (vec![n, c / (block * block), block, block, h, w], [0, 1, 4, 2, 5, 3])
        }
        DepthSpace::ToDepth { block } => (vec![n, c, h / block, block, w / block, block], [0, 3, 5, 1, 2, 4]),
    };
    let own = strides(&split);
    let dims: Vec<usize> = order.iter().map(|&at| split[at]).collect();
    let steps: Vec<isize> = order.iter().map(|&at| own[at] as isize).collect();
    let made = moved!(args.data(0)?, v => strided(v, &dims, &steps, 0));
    args.only(made)
}

pub(super) fn reverse_sequence(op: ReverseSequence, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let lengths = args.ints(1)?;
    let dims = args.dims(0)?;
    let (rows, steps) = (dims[op.batch_axis], dims[op.time_axis]);
    let inner: usize = dims[2..].iter().product();
    let own = strides(dims);
    let mut order: Vec<usize> = (0..rows * steps).collect();
    for row in 0..rows {
        let n = lengths.get(row).and_then(|&n| usize::try_from(n).ok()).filter(|&n| n <= steps);
        let n =
            n.ok_or_else(|| args.fail("sequence_lens", &alloc::format!("at most {steps}"), &lengths.len()))?;
        for step in 0..n {
            let place = |step: usize| (row * own[op.batch_axis] + step * own[op.time_axis]) / inner.max(1);
            if let (Some(to), from) = (order.get_mut(place(step)), place(n - 1 - step)) {
                *to = from;
            }
        }
    }
    let made = moved!(args.data(0)?, v => {
        let mut out = Vec::with_capacity(v.len());
        order.iter().for_each(|&at| out.extend_from_slice(&v[at * inner..(at + 1) * inner]));
        out
    });
    args.only(made)
}
