//! Elements along axes to one, running sums, places of extremes.

use super::args::Args;
use super::each::{Number, Real, around, computed, strides};
use crate::error::Error;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::tensor::{ArgExtreme, Cumulative, Reduce, ReduceKind};
use ir::{Tensor, TensorData};

/// Axes of a tensor as those that stay and those that go, neighbours of one kind made one.
pub(super) struct Folded {
    /// Length, step in the input, and step in the output (0 where it goes).
    axes: Vec<(usize, usize, usize)>,
    n_made: usize,
    pub(super) n_each: usize,
}

impl Folded {
    pub(super) fn of(dims: &[usize], places: &[usize]) -> Folded {
        let steps = strides(dims);
        let mut merged: Vec<(usize, usize, bool)> = Vec::new();
        for (at, (&n, &step)) in dims.iter().zip(&steps).enumerate() {
            let goes = places.contains(&at);
            match merged.last_mut() {
                Some((length, last, same)) if *same == goes => (*length, *last) = (*length * n, step),
                _ => merged.push((n, step, goes)),
            }
        }
        let mut step = 1;
        let mut axes: Vec<(usize, usize, usize)> = Vec::with_capacity(merged.len());
        for &(n, own, goes) in merged.iter().rev() {
            axes.push((n, own, if goes { 0 } else { step }));
            step *= if goes { 1 } else { n };
        }
        axes.reverse();
        let n_each = merged.iter().filter(|a| a.2).map(|a| a.0).product();
        Folded { axes, n_made: step, n_each }
    }

    /// Calls with the place of each element in the input and in the output, in order.
    fn each(&self, mut f: impl FnMut(usize, usize)) {
        fn go(axes: &[(usize, usize, usize)], from: usize, to: usize, f: &mut impl FnMut(usize, usize)) {
            match axes {
                [] => f(from, to),
                [(n, own, made)] => (0..*n).for_each(|i| f(from + i * own, to + i * made)),
                [(n, own, made), rest @ ..] => {
                    (0..*n).for_each(|i| go(rest, from + i * own, to + i * made, f))
                }
            }
        }
        go(&self.axes, 0, 0, &mut f);
    }

    pub(super) fn fold<T: Copy, A: Clone>(&self, v: &[T], start: A, f: impl Fn(&mut A, T)) -> Vec<A> {
        let mut made = vec![start; self.n_made];
        self.each(|from, to| f(&mut made[to], v[from]));
        made
    }
}

pub(super) fn reduce(op: Reduce, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let axes = if args.n() > 1 { Some(args.ints(1)?) } else { None };
    let dims = args.dims(0)?;
    let places = op.places(axes.as_deref(), dims.len());
    let places = places.map_err(|e| args.fail("axes", &"some that fit", &e))?;
    if places.is_empty() && op.none_without_axes && axes.as_deref().is_none_or(<[i64]>::is_empty) {
        // Nothing is reduced, but each element is still squared, taken the size or the logarithm of.
        if matches!(
            op.kind,
            ReduceKind::Sum | ReduceKind::Mean | ReduceKind::Max | ReduceKind::Min | ReduceKind::Prod
        ) {
            return Ok(vec![args.take(0)]);
        }
    }
    let folded = Folded::of(dims, &places);
    let made = match args.data(0)? {
        TensorData::Bool(v) => Some(TensorData::Bool(match op.kind {
            ReduceKind::Max => folded.fold(v, false, |a, x| *a |= x),
            _ => folded.fold(v, true, |a, x| *a &= x),
        })),
        data @ (TensorData::F32(_) | TensorData::Half(..)) => {
            f32::read(data).map(|v| f32::pack(data.dtype(), floats(op.kind, &folded, &v)))
        }
        TensorData::F64(v) => Some(TensorData::F64(floats(op.kind, &folded, v))),
        data => computed!(data, v => integers(op.kind, &folded, v)),
    };
    args.only(made.ok_or_else(|| args.refuse(0))?)
}

/// Sums of floats run in double precision.
fn floats<T: Real>(kind: ReduceKind, folded: &Folded, v: &[T]) -> Vec<T> {
    let sum = |f: fn(f64) -> f64| folded.fold(v, 0.0, |a, x: T| *a += f(x.to_f64()));
    let whole = |sums: Vec<f64>, f: fn(f64) -> f64| sums.into_iter().map(|s| T::of_f64(f(s))).collect();
    match kind {
        ReduceKind::Sum => whole(sum(|x| x), |s| s),
        ReduceKind::Mean => {
            let n = folded.n_each as f64;
            sum(|x| x).into_iter().map(|s| T::of_f64(s / n)).collect()
        }
        ReduceKind::L1 => whole(sum(f64::abs), |s| s),
        ReduceKind::L2 => whole(sum(|x| x * x), libm::sqrt),
        ReduceKind::SumSquare => whole(sum(|x| x * x), |s| s),
        ReduceKind::LogSum => whole(sum(|x| x), libm::log),
        ReduceKind::LogSumExp => {
            let most = folded.fold(v, T::least(), |a, x| *a = a.larger(x));
            let mut sums = vec![0.0; folded.n_made];
            folded.each(|from, to| {
                let most = most[to].to_f64();
                sums[to] += libm::exp(v[from].to_f64() - if most.is_finite() { most } else { 0.0 });
            });
            let shift = |most: f64| if most.is_finite() { most } else { 0.0 };
            sums.iter().zip(&most).map(|(s, m)| T::of_f64(libm::log(*s) + shift(m.to_f64()))).collect()
        }
        ReduceKind::Max => folded.fold(v, T::least(), |a, x| *a = a.larger(x)),
        ReduceKind::Min => folded.fold(v, T::most(), |a, x| *a = a.smaller(x)),
        ReduceKind::Prod => whole(folded.fold(v, 1.0, |a, x: T| *a *= x.to_f64()), |s| s),
    }
}

/// Integers wrap; the mean and logarithms are truncated.
fn integers<T: Number>(kind: ReduceKind, folded: &Folded, v: &[T]) -> Vec<T> {
    let zero = T::default();
    let real = |sums: Vec<f64>, f: fn(f64) -> f64| sums.into_iter().map(|s| T::of_f64(f(s))).collect();
    let squares = || folded.fold(v, 0.0, |a, x: T| *a += x.to_f64() * x.to_f64());
    match kind {
        ReduceKind::Sum => folded.fold(v, zero, |a, x| *a = a.plus(x)),
        ReduceKind::Mean => {
            let sums = folded.fold(v, 0.0, |a, x: T| *a += x.to_f64());
            sums.into_iter().map(|s| T::of_f64(s / folded.n_each as f64)).collect()
        }
        ReduceKind::L1 => folded.fold(v, zero, |a, x| *a = a.plus(x.size())),
        ReduceKind::SumSquare => folded.fold(v, zero, |a, x| *a = a.plus(x.times(x))),
        ReduceKind::L2 => real(squares(), libm::sqrt),
        ReduceKind::LogSum => real(folded.fold(v, 0.0, |a, x: T| *a += x.to_f64()), libm::log),
        ReduceKind::LogSumExp => real(folded.fold(v, 0.0, |a, x: T| *a += libm::exp(x.to_f64())), libm::log),
        ReduceKind::Max => folded.fold(v, T::least(), |a, x| *a = a.larger(x)),
        ReduceKind::Min => folded.fold(v, T::most(), |a, x| *a = a.smaller(x)),
        ReduceKind::Prod => folded.fold(v, T::ONE, |a, x| *a = a.times(x)),
    }
}

pub(super) fn arg_extreme(op: ArgExtreme, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let dims = args.dims(0)?;
    let axis = args.axis(op.axis, dims.len())?;
    let (outer, length, inner) = around(dims, axis);
    let v = super::elementwise::doubles(args.data(0)?).ok_or_else(|| args.refuse(0))?;
    let mut made = Vec::with_capacity(outer * inner);
    for row in 0..outer {
        for column in 0..inner {
            let at = |i: usize| v[(row * length + i) * inner + column];
            let mut best = 0;
            for i in 1..length {
                let (x, y) = (at(i), at(best));
                let is_better = if op.largest { x > y } else { x < y };
                if is_better || (op.last && x == y) {
                    best = i;
                }
            }
            made.push(best as i64);
        }
    }
    args.only(TensorData::I64(made))
}

pub(super) fn cumulative(op: Cumulative, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let dims = args.dims(0)?;
    let axis = args.axis(args.int(1)?, dims.len())?;
    let (outer, length, inner) = around(dims, axis);
    let made = computed!(args.data(0)?, v => running(op, v, outer, length, inner));
    args.only(made.ok_or_else(|| args.refuse(0))?)
}

fn running<T: Number>(op: Cumulative, v: &[T], outer: usize, length: usize, inner: usize) -> Vec<T> {
    let mut made = v.to_vec();
    for row in 0..outer {
        for column in 0..inner {
            let mut so_far = if op.of_products { T::ONE } else { T::default() };
            for i in 0..length {
                let i = if op.reverse { length - 1 - i } else { i };
                let at = (row * length + i) * inner + column;
                let before = so_far;
                so_far = if op.of_products { so_far.times(v[at]) } else { so_far.plus(v[at]) };
                made[at] = if op.exclusive { before } else { so_far };
            }
        }
    }
    made
}
