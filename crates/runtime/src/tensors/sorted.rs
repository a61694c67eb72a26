//! The largest elements, and distinct ones.

use super::args::Args;
use super::each::{around, computed, moved};
use crate::error::Error;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;
use ir::op::tensor::{TopK, Unique};
use ir::{DType, Tensor, TensorData};

pub(super) fn top_k(op: TopK, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let dims = args.dims(0)?;
    let axis = args.axis(op.axis, dims.len())?;
    let (outer, length, inner) = around(dims, axis);
    let k = args.made_dims(0)?[axis];
    let mut places = vec![0usize; outer * k * inner];
    let mut order: Vec<usize> = Vec::with_capacity(length);
    let made = computed!(args.data(0)?, v => {
        for row in 0..outer {
            for column in 0..inner {
                let at = |i: usize| (row * length + i) * inner + column;
                order.clear();
                order.extend(0..length);
                // Stable, so that the first of equals comes first; NaN counts as the largest.
                order.sort_by(|&a, &b| {
                    let (x, y) = (v[at(a)], v[at(b)]);
                    let rising = x.partial_cmp(&y).unwrap_or_else(|| rank_of_nan(&x).cmp(&rank_of_nan(&y)));
                    if op.largest { rising.reverse() } else { rising }
                });
                for (rank, &i) in order.iter().take(k).enumerate() {
                    places[(row * k + rank) * inner + column] = at(i);
                }
            }
        }
        places.iter().map(|&at| v[at]).collect::<Vec<_>>()
    });
    let values = args.finish(0, made.ok_or_else(|| args.refuse(0))?)?;
    let along = places.iter().map(|&at| (at / inner.max(1) % length.max(1)) as i64).collect();
    Ok(vec![values, args.finish(1, TensorData::I64(along))?])
}

/// 1 for what does not equal itself.
fn rank_of_nan<T: PartialOrd>(x: &T) -> u8 {
    u8::from(x.partial_cmp(x).is_none())
}

pub(super) fn unique(op: Unique, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let whole = [args.data(0)?.len()];
    let (dims, axis) = match op.axis {
        Some(axis) => (args.dims(0)?.to_vec(), args.axis(axis, args.dims(0)?.len())?),
        None => (whole.to_vec(), 0),
    };
    let (outer, length, inner) = around(&dims, axis);
    let order = ordered(
        args.data(0)?,
        length,
        |slice, k| (k / inner * length + slice) * inner + k % inner,
        outer * inner,
    )
    .ok_or_else(|| args.refuse(0))?;
    // Runs of equal slices; within a run the first occurrence comes first.
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (slice, is_new) in order {
        match groups.last_mut() {
            Some(group) if !is_new => group.push(slice),
            _ => groups.push(vec![slice]),
        }
    }
    if !op.sorted {
        groups.sort_by_key(|g| g[0]);
    }
    let n = groups.len();
    args.allow_tensor(DType::I64, &[n, 3])?;
    let mut inverse = vec![0i64; length];
    for (at, group) in groups.iter().enumerate() {
        group.iter().for_each(|&slice| inverse[slice] = at as i64);
    }
    let mut made_dims = dims.clone();
    made_dims[axis] = n;
    let made = moved!(args.data(0)?, v => {
        let mut made = Vec::with_capacity(outer * n * inner);
        for row in 0..outer {
            for group in &groups {
                let at = (row * length + group[0]) * inner;
                made.extend_from_slice(&v[at..at + inner]);
            }
        }
        made
    });
    let list = |v: Vec<i64>| args.tensor_of(vec![v.len()], TensorData::I64(v));
    Ok(vec![
        args.tensor_of(made_dims, made)?,
        list(groups.iter().map(|g| g[0] as i64).collect())?,
        list(inverse)?,
        list(groups.iter().map(|g| g.len() as i64).collect())?,
    ])
}

/// Slices in rising order, each with whether it differs from the one before; none of other dtypes.
fn ordered(
    data: &TensorData,
    n_slices: usize,
    place: impl Fn(usize, usize) -> usize,
    per_slice: usize,
) -> Option<Vec<(usize, bool)>> {
    macro_rules! all {
        ($($kind:ident),*) => {
            match data {
                $(TensorData::$kind(v) => Some(by(v, n_slices, place, per_slice)),)*
                TensorData::Half(half, v) => Some(by(&super::each::singles(*half, v), n_slices, place, per_slice)),
                TensorData::Narrow(..) | TensorData::Bag(_) => None,
            }
        };
    }
    all!(Bool, U8, I8, U16, I16, U32, I32, U64, I64, F32, F64, Str)
}

fn by<T: PartialOrd>(
    v: &[T],
    n_slices: usize,
    place: impl Fn(usize, usize) -> usize,
    per_slice: usize,
) -> Vec<(usize, bool)> {
    let compare = |a: usize, b: usize| {
        let pairs = (0..per_slice).map(|k| (&v[place(a, k)], &v[place(b, k)]));
        let mut all =
            pairs.map(|(x, y)| x.partial_cmp(y).unwrap_or_else(|| rank_of_nan(x).cmp(&rank_of_nan(y))));
        all.find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    };
    let mut order: Vec<usize> = (0..n_slices).collect();
    order.sort_by(|&a, &b| compare(a, b));
    let is_new = |at: usize| at == 0 || compare(order[at - 1], order[at]).is_ne();
    (0..n_slices).map(|at| (order[at], is_new(at))).collect()
}
