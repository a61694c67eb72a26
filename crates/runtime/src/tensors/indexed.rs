//! Elements by their places.

use super::args::Args;
use super::each::{Number, around, moved, narrowed, strides, widened};
use crate::error::Error;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::tensor::{Compress, EyeLike, Gather, OneHot, Scatter, ScatterReduction, Trilu};
use ir::{DType, Tensor, TensorData};

/// Blocks of `n` elements from the places where they start.
fn blocks<T: Clone>(v: &[T], starts: &[usize], n: usize) -> Vec<T> {
    let mut made = Vec::with_capacity(starts.len() * n);
    starts.iter().for_each(|&at| made.extend_from_slice(&v[at..at + n]));
    made
}

pub(super) fn gather(op: Gather, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let (dims, own) = (args.dims(0)?, args.dims(1)?);
    let places = match args.data(1)? {
        short @ (TensorData::U8(_) | TensorData::Narrow(..)) => {
            super::integer::whole(short).ok_or_else(|| args.refuse(1))?
        }
        _ => args.ints(1)?,
    };
    let (starts, n) = match op {
        Gather::Slices { axis } => {
            let axis = args.axis(axis, dims.len())?;
            let (outer, length, inner) = around(dims, axis);
            let mut starts = Vec::with_capacity(outer.saturating_mul(places.len()));
            for row in 0..outer {
                for &at in &places {
                    starts.push((row * length + args.place(at, length)?) * inner);
                }
            }
            (starts, inner)
        }
        Gather::Elements { axis } => {
            let axis = args.axis(axis, dims.len())?;
            let starts = along(args, axis, dims, own, &places)?;
            (starts, 1)
        }
        Gather::Nd { batch_dims } => {
            let (starts, n) = nd_places(args, dims, own, &places, batch_dims)?;
            (starts, n)
        }
    };
    let made = moved!(args.data(0)?, v => blocks(v, &starts, n));
    args.only(made)
}

/// Where each element stands whose index along `axis` is given by `places`, of shape `own`, and along the other axes by
/// its own place.
fn along(
    args: &Args<'_, '_>,
    axis: usize,
    dims: &[usize],
    own: &[usize],
    places: &[i64],
) -> Result<Vec<usize>, Error> {
    let steps = strides(dims);
    let mut starts = Vec::with_capacity(places.len());
    let mut failed = None;
    each_index(own, |at, index| match args.place(places[at], dims[axis]) {
        Ok(place) => {
            let others = index.iter().zip(&steps).enumerate().filter(|(i, _)| *i != axis);
            starts.push(others.map(|(_, (i, s))| i * s).sum::<usize>() + place * steps[axis]);
        }
        Err(error) => failed = Some(error),
    });
    failed.map_or(Ok(starts), Err)
}

/// Calls with each flat place and its index along the axes.
fn each_index(dims: &[usize], mut f: impl FnMut(usize, &[usize])) {
    let n: usize = dims.iter().product();
    let mut index = vec![0usize; dims.len()];
    for at in 0..n {
        f(at, &index);
        for axis in (0..dims.len()).rev() {
            index[axis] += 1;
            if index[axis] < dims[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
}

/// Where the blocks start that the last axis of places names, and their length.
fn nd_places(
    args: &Args<'_, '_>,
    dims: &[usize],
    own: &[usize],
    places: &[i64],
    batch_dims: usize,
) -> Result<(Vec<usize>, usize), Error> {
    let Some((&depth, outer)) = own.split_last() else { return Err(args.refuse(1)) };
    let steps = strides(dims);
    let n: usize = dims[batch_dims + depth..].iter().product();
    let n_places: usize = outer.iter().product();
    let per_batch: usize = outer[batch_dims..].iter().product();
    let batch_step: usize = dims[batch_dims..].iter().product();
    let mut starts = Vec::with_capacity(n_places);
    for at in 0..n_places {
        let mut start = at / per_batch.max(1) * batch_step;
        for k in 0..depth {
            let axis = batch_dims + k;
            start += args.place(places[at * depth + k], dims[axis])? * steps[axis];
        }
        starts.push(start);
    }
    Ok((starts, n))
}

pub(super) fn scatter(op: Scatter, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let places = args.ints(1)?;
    let dims = args.dims(0)?.to_vec();
    let own = args.dims(1)?.to_vec();
    let (starts, n) = match op.axis {
        Some(axis) => {
            let axis = args.axis(axis, dims.len())?;
            let starts = along(args, axis, &dims, &own, &places)?;
            (starts, 1)
        }
        None => nd_places(args, &dims, &own, &places, 0)?,
    };
    let x = args.take(0).into_data();
    let updates = args.data(2)?;
    if op.reduction != ScatterReduction::Replace {
        args.allow_widened(x.dtype(), x.len() + updates.len())?;
    }
    let made = match op.reduction {
        ScatterReduction::Replace => replaced(x, updates, &starts, n),
        ScatterReduction::Add => joined(&x, updates, &starts, n, Joint::Sum),
        ScatterReduction::Mul => joined(&x, updates, &starts, n, Joint::Product),
        ScatterReduction::Max => joined(&x, updates, &starts, n, Joint::Larger),
        ScatterReduction::Min => joined(&x, updates, &starts, n, Joint::Smaller),
    };
    args.only(made.ok_or_else(|| args.refuse(2))?)
}

fn replaced(x: TensorData, updates: &TensorData, starts: &[usize], n: usize) -> Option<TensorData> {
    macro_rules! all {
        ($($kind:ident),*) => {
            match (x, updates) {
                $((TensorData::$kind(mut x), TensorData::$kind(new)) => {
                    for (&at, new) in starts.iter().zip(new.chunks_exact(n.max(1))) {
                        x[at..at + n].clone_from_slice(new);
                    }
                    Some(TensorData::$kind(x))
                })*
                (TensorData::Half(half, mut x), TensorData::Half(_, new)) => {
                    for (&at, new) in starts.iter().zip(new.chunks_exact(n.max(1))) {
                        x[at..at + n].copy_from_slice(new);
                    }
                    Some(TensorData::Half(half, x))
                }
                _ => None,
            }
        };
    }
    all!(Bool, U8, I8, U16, I16, U32, I32, U64, I64, F32, F64, Str)
}

/// What becomes of two numbers.
#[derive(Clone, Copy)]
enum Joint {
    Sum,
    Product,
    Larger,
    Smaller,
}

impl Joint {
    fn of<T: Number>(self, a: T, b: T) -> T {
        match self {
            Joint::Sum => a.plus(b),
            Joint::Product => a.times(b),
            Joint::Larger => a.larger(b),
            Joint::Smaller => a.smaller(b),
        }
    }
}

fn joined(
    x: &TensorData,
    updates: &TensorData,
    starts: &[usize],
    n: usize,
    joint: Joint,
) -> Option<TensorData> {
    let dtype = x.dtype();
    if dtype == DType::Bool {
        return None;
    }
    let made = super::each::paired!(&*widened(x), &*widened(updates), x, new => {
        let mut x = x.to_vec();
        for (&at, new) in starts.iter().zip(new.chunks_exact(n.max(1))) {
            x[at..at + n].iter_mut().zip(new).for_each(|(x, &new)| *x = joint.of(*x, new));
        }
        x
    });
    made.map(|made| narrowed(dtype, made))
}

pub(super) fn compress(op: Compress, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let TensorData::Bool(condition) = args.data(1)? else { return Err(args.refuse(1)) };
    let whole = [args.data(0)?.len()];
    let (dims, axis) = match op.axis {
        Some(axis) => (args.dims(0)?, args.axis(axis, args.dims(0)?.len())?),
        None => (&whole[..], 0),
    };
    let (outer, length, inner) = around(dims, axis);
    if condition.len() > length {
        return Err(args.fail("condition", &alloc::format!("at most {length}"), &condition.len()));
    }
    let mut starts = Vec::new();
    for row in 0..outer {
        let kept = condition.iter().enumerate().filter(|(_, kept)| **kept);
        starts.extend(kept.map(|(at, _)| (row * length + at) * inner));
    }
    let made = moved!(args.data(0)?, v => blocks(v, &starts, inner));
    args.only(made)
}

pub(super) fn non_zero(args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let dims = args.dims(0)?;
    let holds: Vec<bool> = match args.data(0)? {
        TensorData::Bool(v) => v.clone(),
        TensorData::Narrow(narrow, v) => v.iter().map(|&x| narrow.to_f32(x) != 0.0).collect(),
        data => match super::elementwise::doubles(data) {
            Some(v) => v.iter().map(|&x| x != 0.0).collect(),
            None => return Err(args.refuse(0)),
        },
    };
    let n = holds.iter().filter(|h| **h).count();
    args.allow_tensor(DType::I64, &[dims.len(), n])?;
    let mut made = vec![0i64; dims.len() * n];
    let mut found = 0;
    each_index(dims, |at, index| {
        if holds[at] {
            index.iter().enumerate().for_each(|(axis, &i)| made[axis * n + found] = i as i64);
            found += 1;
        }
    });
    Ok(vec![args.tensor_of(vec![dims.len(), n], TensorData::I64(made))?])
}

pub(super) fn one_hot(op: OneHot, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let dims = args.made_dims(0)?;
    let axis = args.axis(op.axis, dims.len())?;
    let (outer, depth, inner) = around(&dims, axis);
    let indices: Vec<i64> = match args.data(0)? {
        TensorData::F32(v) => v.iter().map(|&x| x as i64).collect(),
        _ => args.ints(0)?,
    };
    let signed = depth as i64;
    let mut hot = vec![false; outer * depth * inner];
    for (at, &index) in indices.iter().enumerate() {
        let index = if index < 0 { index.saturating_add(signed) } else { index };
        if (0..signed).contains(&index) {
            hot[(at / inner * depth + index as usize) * inner + at % inner] = true;
        }
    }
    let made = moved!(args.data(2)?, v => chosen(&hot, v).ok_or_else(|| args.refuse(2))?);
    args.only(made)
}

/// The first of two values where nothing is set, the second where something is.
fn chosen<T: Clone>(hot: &[bool], values: &[T]) -> Option<Vec<T>> {
    let [off, on] = values else { return None };
    Some(hot.iter().map(|&hot| if hot { on.clone() } else { off.clone() }).collect())
}

pub(super) fn eye_like(op: EyeLike, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let &[rows, columns] = args.dims(0)? else { return Err(args.refuse(0)) };
    let mut ones = vec![0i64; rows * columns];
    for row in 0..rows {
        let column = op.k.checked_add(row as i64).and_then(|c| usize::try_from(c).ok());
        if let Some(column) = column.filter(|&c| c < columns) {
            ones[row * columns + column] = 1;
        }
    }
    let made = super::casts::whole(op.dtype, &ones);
    args.only(made)
}

pub(super) fn trilu(op: Trilu, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let k = args.int(1)?;
    let dims = args.dims(0)?;
    let (rows, columns) = match dims {
        [.., rows, columns] => (*rows, *columns),
        _ => return Err(args.refuse(0)),
    };
    let kept = |at: usize| {
        let (row, column) = ((at / columns.max(1) % rows.max(1)) as i64, (at % columns.max(1)) as i64);
        if op.upper { column.saturating_sub(row) >= k } else { column.saturating_sub(row) <= k }
    };
    let made = moved!(args.data(0)?, v => cleared(v, kept));
    args.only(made)
}

/// Elements where they are kept, else zeros.
fn cleared<T: Clone + Default>(v: &[T], kept: impl Fn(usize) -> bool) -> Vec<T> {
    v.iter().enumerate().map(|(at, x)| if kept(at) { x.clone() } else { T::default() }).collect()
}

pub(super) fn range(args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let &[n] = &args.made_dims(0)?[..] else { return Err(args.refuse(0)) };
    let dtype = args.data(0)?.dtype();
    args.allow_widened(dtype, n)?;
    let made = super::each::paired!(&*widened(args.data(0)?), &*widened(args.data(2)?), start, delta => {
        let (start, delta) = match (start.first(), delta.first()) {
            (Some(&start), Some(&delta)) => (start, delta),
            _ => return Err(args.refuse(0)),
        };
        (0..n).map(|i| start.plus(delta.times(Number::of_f64(i as f64)))).collect::<Vec<_>>()
    });
    args.only(narrowed(dtype, made.ok_or_else(|| args.refuse(0))?))
}
