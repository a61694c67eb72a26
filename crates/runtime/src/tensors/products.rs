//! Products of matrices and sums of products.

use super::args::Args;
use super::each::{Number, Real, strides, zip};
use super::gemm::{Matrix, product};
use crate::error::Error;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::tensor::{Einsum, Gemm, MatMul};
use ir::{DType, Tensor, TensorData};

/// The lengths of a product: `[rows, inner, columns]`, and for each product the places of its sides.
struct Batches {
    sides: [usize; 3],
    places: Vec<(usize, usize)>,
}

impl Batches {
    fn of(a: &[usize], b: &[usize], made: &[usize]) -> Batches {
        // A vector on the left is a row, on the right a column.
        let wide = |dims: &[usize], is_left: bool| match dims {
            [n] if is_left => vec![1, *n],
            [n] => vec![*n, 1],
            dims => dims.to_vec(),
        };
        let n_vectors = usize::from(a.len() == 1) + usize::from(b.len() == 1);
        let outer = &made[..(made.len() + n_vectors).saturating_sub(2).min(made.len())];
        let (a, b) = (wide(a, true), wide(b, false));
        let (rows, inner, columns) = (a[a.len() - 2], a[a.len() - 1], b[b.len() - 1]);
        // A dense stack of matrices times one matrix is one product.
        if b.len() == 2 && a.len() > 2 {
            let rows = a[..a.len() - 1].iter().product();
            return Batches { sides: [rows, inner, columns], places: vec![(0, 0)] };
        }
        let (own_a, own_b) = (&a[..a.len() - 2], &b[..b.len() - 2]);
        let flat_a: Vec<usize> = (0..own_a.iter().product()).collect();
        let flat_b: Vec<usize> = (0..own_b.iter().product()).collect();
        let pair = |i: usize, j: usize| (i * rows * inner, j * inner * columns);
        let places = zip(outer, (own_a, &flat_a), (own_b, &flat_b), pair);
        Batches { sides: [rows, inner, columns], places }
    }
}

fn real_products<T: Real>(args: &Args<'_, '_>, a: &[T], b: &[T]) -> Result<Vec<T>, Error> {
    let dims = args.made_dims(0)?;
    let Batches { sides, places } = Batches::of(args.dims(0)?, args.dims(1)?, &dims);
    let [rows, inner, columns] = sides;
    let mut out = vec![T::default(); dims.iter().product()];
    for (out, (at, bt)) in out.chunks_exact_mut((rows * columns).max(1)).zip(places) {
        let (left, right) = (&a[at..at + rows * inner], &b[bt..bt + inner * columns]);
        product(out, columns, sides, Matrix::dense(left, inner), Matrix::dense(right, columns));
    }
    Ok(out)
}

pub(super) fn whole_products<T: Number>(args: &Args<'_, '_>, a: &[T], b: &[T]) -> Result<Vec<T>, Error> {
    let dims = args.made_dims(0)?;
    let Batches { sides: [rows, inner, columns], places } = Batches::of(args.dims(0)?, args.dims(1)?, &dims);
    let mut out = vec![T::default(); dims.iter().product()];
    for (out, (at, bt)) in out.chunks_exact_mut((rows * columns).max(1)).zip(places) {
        for (i, row) in out.chunks_exact_mut(columns).enumerate() {
            for k in 0..inner {
                let x = a[at + i * inner + k];
                let b = &b[bt + k * columns..bt + (k + 1) * columns];
                row.iter_mut().zip(b).for_each(|(sum, &y)| *sum = sum.plus(x.times(y)));
            }
        }
    }
    Ok(out)
}

pub(super) fn matmul(op: MatMul, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    if op == MatMul::Integers {
        return integers(args);
    }
    let made = match (args.data(0)?, args.data(1)?) {
        (TensorData::F64(a), TensorData::F64(b)) => TensorData::F64(real_products(args, a, b)?),
        (a, b) if matches!(a.dtype(), DType::F32 | DType::Half(_)) => {
            let (x, y) = (f32::read(a), f32::read(b));
            let (x, y) = (x.ok_or_else(|| args.refuse(0))?, y.ok_or_else(|| args.refuse(1))?);
            f32::pack(a.dtype(), real_products(args, &x, &y)?)
        }
        (TensorData::I32(a), TensorData::I32(b)) => TensorData::I32(whole_products(args, a, b)?),
        (TensorData::I64(a), TensorData::I64(b)) => TensorData::I64(whole_products(args, a, b)?),
        (TensorData::U32(a), TensorData::U32(b)) => TensorData::U32(whole_products(args, a, b)?),
        (TensorData::U64(a), TensorData::U64(b)) => TensorData::U64(whole_products(args, a, b)?),
        _ => return Err(args.refuse(0)),
    };
    args.only(made)
}

/// Integers of 8 bits in double precision, which holds their products' sums exactly.
pub(super) fn small(data: &TensorData) -> Option<Vec<f64>> {
    match data {
        TensorData::U8(v) => Some(v.iter().map(|&x| x.into()).collect()),
        TensorData::I8(v) => Some(v.iter().map(|&x| x.into()).collect()),
        _ => None,
    }
}

/// Sums that are whole as `i32`, wrapping.
pub(super) fn accumulators(sums: &[f64]) -> TensorData {
    TensorData::I32(sums.iter().map(|&x| x as i64 as i32).collect())
}

fn integers(args: &Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let read = |at: usize| small(args.data(at)?).ok_or_else(|| args.refuse(at));
    let (a, b) = (args.dims(0)?, args.dims(1)?);
    // One zero point a row of `a`; of `b` one a column, which is how a vector broadcasts.
    let of_rows = match args.dims(2)? {
        [m] if *m > 1 && a.len() >= 2 => vec![*m, 1],
        dims => dims.to_vec(),
    };
    let minus = |x: f64, y: f64| x - y;
    let left = zip(a, (a, &read(0)?), (&of_rows, &read(2)?), minus);
    let right = zip(b, (b, &read(1)?), (args.dims(3)?, &read(3)?), minus);
    let fits = left.len() == args.data(0)?.len() && right.len() == args.data(1)?.len();
    if !fits {
        return Err(args.fail("zero points", &"one for all, one a row, one a column", &"others"));
    }
    args.only(accumulators(&real_products(args, &left, &right)?))
}

pub(super) fn gemm(op: Gemm, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let made = match args.data(0)? {
        data @ (TensorData::F32(_) | TensorData::Half(..)) => {
            f32::pack(data.dtype(), scaled::<f32>(op, args)?)
        }
        TensorData::F64(_) => TensorData::F64(scaled::<f64>(op, args)?),
        data => {
            // Integers of 32 and 64 bits, which double precision holds as far as they are used here.
            let v = scaled_whole(op, args)?;
            super::casts::whole(data.dtype(), &v)
        }
    };
    args.only(made)
}

fn scaled<T: Real>(op: Gemm, args: &Args<'_, '_>) -> Result<Vec<T>, Error> {
    let dims = args.made_dims(0)?;
    let &[m, n] = &dims[..] else { return Err(args.refuse(0)) };
    let (a, b) = (T::read(args.data(0)?), T::read(args.data(1)?));
    let (a, b) = (a.ok_or_else(|| args.refuse(0))?, b.ok_or_else(|| args.refuse(1))?);
    let k = args.dims(0)?[usize::from(!op.transpose_a)];
    let left = if op.transpose_a { Matrix::turned(&a, m) } else { Matrix::dense(&a, k) };
    let right = if op.transpose_b { Matrix::turned(&b, k) } else { Matrix::dense(&b, n) };
    let mut out = vec![T::default(); m * n];
    product(&mut out, n, [m, k, n], left, right);
    let (alpha, beta) = (T::of_f64(op.alpha.into()), T::of_f64(op.beta.into()));
    if op.alpha != 1.0 {
        out.iter_mut().for_each(|x| *x = x.times(alpha));
    }
    if args.n() > 2 && op.beta != 0.0 {
        let c = T::read(args.data(2)?).ok_or_else(|| args.refuse(2))?;
        out = zip(&dims, (&dims, &out), (args.dims(2)?, &c), |x, c| x.plus(beta.times(c)));
    }
    Ok(out)
}

fn scaled_whole(op: Gemm, args: &Args<'_, '_>) -> Result<Vec<i64>, Error> {
    let dims = args.made_dims(0)?;
    let &[m, n] = &dims[..] else { return Err(args.refuse(0)) };
    let read = |at: usize| super::elementwise::doubles(args.data(at)?).ok_or_else(|| args.refuse(at));
    let (a, b) = (read(0)?, read(1)?);
    let k = args.dims(0)?[usize::from(!op.transpose_a)];
    let mut out = Vec::with_capacity(m * n);
    for i in 0..m {
        for j in 0..n {
            let x = |l: usize| if op.transpose_a { a[l * m + i] } else { a[i * k + l] };
            let y = |l: usize| if op.transpose_b { b[j * k + l] } else { b[l * n + j] };
            out.push((0..k).map(|l| x(l) * y(l)).sum::<f64>() * f64::from(op.alpha));
        }
    }
    if args.n() > 2 {
        let beta = f64::from(op.beta);
        out = zip(&dims, (&dims, &out), (args.dims(2)?, &read(2)?), |x, c| x + beta * c);
    }
    Ok(out.into_iter().map(|x| x as i64).collect())
}

/// Most products of one sum by letters: a few short vectors could else ask for any amount of work.
const MAX_SUMMED: u128 = 1 << 40;

pub(super) fn einsum(op: &Einsum, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let mut ranks = Vec::with_capacity(args.n());
    for at in 0..args.n() {
        ranks.push(args.dims(at)?.len());
    }
    let terms = op.terms(&ranks).map_err(|e| args.fail("equation", &"one that fits", &e))?;
    // Labels of the output first, then those that are summed; each with its length.
    let mut labels = terms.output.clone();
    for &label in terms.inputs.iter().flatten() {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let mut lengths = vec![1usize; labels.len()];
    let mut steps: Vec<Vec<usize>> = Vec::with_capacity(args.n());
    for (at, term) in terms.inputs.iter().enumerate() {
        let dims = args.dims(at)?;
        let mut own = vec![0; labels.len()];
        for ((&label, &n), &step) in term.iter().zip(dims).zip(&strides(dims)) {
            let place = labels.iter().position(|&l| l == label).unwrap_or(0);
            if n != 1 {
                lengths[place] = n;
                own[place] += step;
            }
        }
        steps.push(own);
    }
    let n_summed = labels.len() - terms.output.len();
    let made = match args.data(0)? {
        data @ (TensorData::F32(_) | TensorData::Half(..)) => {
            f32::pack(data.dtype(), summed::<f32>(args, &lengths, &steps, n_summed)?)
        }
        TensorData::F64(_) => TensorData::F64(summed::<f64>(args, &lengths, &steps, n_summed)?),
        _ => return Err(args.refuse(0)),
    };
    args.only(made)
}

fn summed<T: Real>(
    args: &Args<'_, '_>,
    lengths: &[usize],
    steps: &[Vec<usize>],
    n_summed: usize,
) -> Result<Vec<T>, Error> {
    let mut sides = Vec::with_capacity(args.n());
    for at in 0..args.n() {
        sides.push(T::read(args.data(at)?).ok_or_else(|| args.refuse(at))?);
    }
    let (outer, inner) = lengths.split_at(lengths.len() - n_summed);
    let product = |lengths: &[usize]| lengths.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    let all = product(outer).zip(product(inner));
    let all = all.filter(|&(a, b)| a as u128 * b as u128 <= MAX_SUMMED);
    let (n_outer, n_inner) = all.ok_or_else(|| {
        args.fail("equation", &"at most 2^40 products", &alloc::format!("lengths {lengths:?}"))
    })?;
    // Places of a flat index along some labels, for each input.
    let places = |mut flat: usize, lengths: &[usize], first: usize, at: &mut [usize]| {
        for (axis, &n) in lengths.iter().enumerate().rev() {
            let i = flat % n.max(1);
            flat /= n.max(1);
            at.iter_mut().zip(steps).for_each(|(at, steps)| *at += i * steps[first + axis]);
        }
    };
    let mut made = Vec::with_capacity(n_outer);
    let mut base = vec![0usize; sides.len()];
    let mut at = vec![0usize; sides.len()];
    for flat in 0..n_outer {
        base.fill(0);
        places(flat, outer, 0, &mut base);
        let mut sum = 0.0f64;
        for flat in 0..n_inner {
            at.copy_from_slice(&base);
            places(flat, inner, outer.len(), &mut at);
            sum += sides.iter().zip(&at).fold(1.0, |p, (v, &at)| p * v[at].to_f64());
        }
        made.push(T::of_f64(sum));
    }
    Ok(made)
}
