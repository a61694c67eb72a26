//! What the operators on doubles mean; part of the reference interpreter.
//!
//! Plain loops over whole tensors. Every number is a double, NaN is missing, and each operation is
//! rounded once, in the order that the operator's definition states.

use crate::error::Error;
use crate::reference::{Held, Inputs};
use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::{Arithmetic, Function, HashBucket, Interpolate, OneHot};
use ir::{Column, ColumnData, Op, Tensor, TensorData};

/// Doubles and the lengths of their axes.
pub(crate) struct Doubles<'t> {
    pub(crate) dims: Cow<'t, [usize]>,
    pub(crate) values: Cow<'t, [f64]>,
}

/// A column of doubles, missing as NaN; none for another dtype.
pub(crate) fn of_column(column: &Column<'_>) -> Option<Vec<f64>> {
    let ColumnData::F64(values) = column.data() else { return None };
    let mut made = vec![0.0; values.len()];
    fill(column, &mut made).map(|()| made)
}

/// The numbers of a column as doubles, missing as NaN; none for text and single precision.
pub(crate) fn fill(column: &Column<'_>, out: &mut [f64]) -> Option<()> {
    match column.data() {
        ColumnData::F64(v) => out.copy_from_slice(v.get(..out.len())?),
        ColumnData::I64(v) => out.iter_mut().zip(v).for_each(|(out, &v)| *out = v as f64),
        ColumnData::I32(v) => out.iter_mut().zip(v).for_each(|(out, &v)| *out = v.into()),
        ColumnData::U8(v) => out.iter_mut().zip(v).for_each(|(out, &v)| *out = v.into()),
        ColumnData::Bool(v) => {
            out.iter_mut().enumerate().for_each(|(row, out)| *out = f64::from(u8::from(v.get(row))));
        }
        ColumnData::F32(_) | ColumnData::Str { .. } => return None,
    }
    if !column.all_valid() {
        let rows = out.iter_mut().enumerate().filter(|(row, _)| !column.is_valid(*row));
        rows.for_each(|(_, out)| *out = f64::NAN);
    }
    Some(())
}

/// An input of doubles: a column, a constant, or a computed value.
pub(crate) fn doubles<'t>(inputs: &'t Inputs<'_, '_>, position: usize) -> Result<Doubles<'t>, Error> {
    let tensor = match inputs.held(position)? {
        Held::Column(column) => {
            let values = match column.data() {
                ColumnData::F64(values) if column.all_valid() => Cow::Borrowed(values),
                _ => Cow::Owned(of_column(column).ok_or_else(|| inputs.fail())?),
            };
            return Ok(Doubles { dims: Cow::Owned(vec![values.len()]), values });
        }
        Held::Made(tensor) => tensor,
        Held::Constant(tensor) => *tensor,
        Held::Texts(_) => return Err(inputs.fail()),
    };
    match tensor.data() {
        TensorData::F64(v) => Ok(Doubles { dims: Cow::Borrowed(tensor.dims()), values: Cow::Borrowed(v) }),
        _ => Err(inputs.fail()),
    }
}

/// The columns `at` of a matrix, side by side; none where there is no such column.
fn picked<T: Copy>(values: &[T], dims: &[usize], n_rows: usize, at: &[i64]) -> Option<Vec<T>> {
    let &[_, width] = dims else { return None };
    let mut made = Vec::with_capacity(n_rows * at.len());
    for row in 0..n_rows {
        for &column in at {
            let place = usize::try_from(column).ok().filter(|column| *column < width)?;
            made.push(*values.get(row * width + place)?);
        }
    }
    Some(made)
}

/// Value of one of these nodes.
pub(crate) fn evaluate(inputs: &Inputs<'_, '_>) -> Result<Tensor, Error> {
    let fail = || inputs.fail();
    let n_rows = inputs.n_rows;
    match &inputs.node.op {
        Op::Cast(_) => cast(inputs),
        Op::Arithmetic(op) => {
            let (a, b) = (doubles(inputs, 0)?, doubles(inputs, 1)?);
            let Alike { dims, n, sides: [a, b] } = alike(&a, &b).ok_or_else(fail)?;
            let mut values = vec![0.0; n];
            combine(*op, (&a, step(&a)), (&b, step(&b)), &mut values);
            inputs.finish(dims, TensorData::F64(values))
        }
        Op::Function(op) => {
            let x = doubles(inputs, 0)?;
            let mut values = vec![0.0; x.values.len()];
            apply(*op, &x.values, &mut values);
            inputs.finish(x.dims.into_owned(), TensorData::F64(values))
        }
        Op::Comparison(op) => {
            let (a, b) = (doubles(inputs, 0)?, doubles(inputs, 1)?);
            let Alike { dims, n, sides: [a, b] } = alike(&a, &b).ok_or_else(fail)?;
            let values = (0..n).map(|i| op.of(a[i * step(&a)], b[i * step(&b)])).collect();
            inputs.finish(dims, TensorData::Bool(values))
        }
        Op::IsNaN(_) => {
            let x = doubles(inputs, 0)?;
            let values = x.values.iter().map(|x| x.is_nan()).collect();
            inputs.finish(x.dims.into_owned(), TensorData::Bool(values))
        }
        Op::Where(_) => {
            let condition = inputs.tensor(0)?;
            let TensorData::Bool(holds) = condition.data() else { return Err(fail()) };
            let (a, b) = (doubles(inputs, 1)?, doubles(inputs, 2)?);
            let (dims, sides) = zip(&a.dims, &a.values, &b.dims, &b.values, pair).ok_or_else(fail)?;
            let choose = |holds: bool, (a, b): (f64, f64)| if holds { a } else { b };
            let (dims, values) = zip(condition.dims(), holds, &dims, &sides, choose).ok_or_else(fail)?;
            inputs.finish(dims, TensorData::F64(values))
        }
        Op::Columns(_) => columns(inputs),
        Op::Gather(_) => {
            let indices = inputs.tensor(1)?;
            let TensorData::I64(at) = indices.data() else { return Err(fail()) };
            let dims = if indices.dims().is_empty() { vec![n_rows] } else { vec![n_rows, at.len()] };
            let data = match inputs.held(0)? {
                Held::Made(scores) if matches!(scores.data(), TensorData::I32(_)) => {
                    let values = scores.data().i32s().ok_or_else(fail)?;
                    TensorData::I32(picked(values, scores.dims(), n_rows, at).ok_or_else(fail)?)
                }
                _ => {
                    let x = doubles(inputs, 0)?;
                    TensorData::F64(picked(&x.values, &x.dims, n_rows, at).ok_or_else(fail)?)
                }
            };
            inputs.finish(dims, data)
        }
        Op::MatMul(_) => {
            let (x, w) = (doubles(inputs, 0)?, doubles(inputs, 1)?);
            let (&[_, inner], &[_, width]) = (&x.dims[..], &w.dims[..]) else { return Err(fail()) };
            let mut values = vec![0.0; n_rows * width];
            if inner > 0 && width > 0 {
                for (row, out) in x.values.chunks_exact(inner).zip(values.chunks_exact_mut(width)) {
                    for (&x, w) in row.iter().zip(w.values.chunks_exact(width)) {
                        out.iter_mut().zip(w).for_each(|(sum, &w)| *sum += x * w);
                    }
                }
            }
            values.iter_mut().filter(|v| v.is_nan()).for_each(|v| *v = f64::NAN);
            inputs.finish(vec![n_rows, width], TensorData::F64(values))
        }
        Op::Reduce(op) => {
            let x = doubles(inputs, 0)?;
            let &[_, width] = &x.dims[..] else { return Err(fail()) };
            let values = x.values.chunks_exact(width.max(1)).map(|row| op.of(row)).collect();
            inputs.finish(vec![n_rows, 1], TensorData::F64(values))
        }
        Op::Interpolate(_) => {
            let (x, knots, values) = (doubles(inputs, 0)?, doubles(inputs, 1)?, doubles(inputs, 2)?);
            let made = x.values.iter().map(|&x| Interpolate::of(x, &knots.values, &values.values));
            Ok(Tensor::vector(TensorData::F64(made.collect())))
        }
        Op::BSpline(op) => {
            let (x, knots) = (doubles(inputs, 0)?, doubles(inputs, 1)?);
            let width = knots.values.len().checked_sub(usize::from(op.degree) + 1).ok_or_else(fail)?;
            let mut values = vec![0.0; n_rows * width];
            for (&x, out) in x.values.iter().zip(values.chunks_exact_mut(width.max(1))) {
                op.of(x, &knots.values, out);
            }
            inputs.finish(vec![n_rows, width], TensorData::F64(values))
        }
        Op::OneHot(op) => one_hot(inputs, *op),
        Op::LabelEncoder(_) => label_encoder(inputs),
        Op::HashBucket(op) => hash_bucket(inputs, *op),
        _ => Err(fail()),
    }
}

/// `out_i = op(a_(i s), b_(i t))` for steps `s` and `t` of 1, or of 0 for one number beside many.
pub(crate) fn combine(
    op: Arithmetic,
    (a, a_step): (&[f64], usize),
    (b, b_step): (&[f64], usize),
    out: &mut [f64],
) {
    for (i, out) in out.iter_mut().enumerate() {
        *out = op.of(a[i * a_step], b[i * b_step]);
    }
}

/// `out_i = op(x_i)`.
pub(crate) fn apply(op: Function, x: &[f64], out: &mut [f64]) {
    out.iter_mut().zip(x).for_each(|(out, &x)| *out = op.of(x));
}

/// Two tensors that broadcast.
struct Alike<'t> {
    /// Axes of their result.
    dims: Vec<usize>,
    /// How long it is.
    n: usize,
    /// Each as long, or one number.
    sides: [Cow<'t, [f64]>; 2],
}

fn alike<'t>(a: &'t Doubles<'_>, b: &'t Doubles<'_>) -> Option<Alike<'t>> {
    let (a_rank, b_rank) = (a.dims.len(), b.dims.len());
    let longer = match (&a.values[..], &b.values[..]) {
        _ if a.dims == b.dims => a,
        (_, [_]) if b_rank <= a_rank => a,
        ([_], _) if a_rank <= b_rank => b,
        _ => {
            let (dims, pairs) = zip(&a.dims, &a.values, &b.dims, &b.values, pair)?;
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            return Some(Alike { dims, n: a.len(), sides: [Cow::Owned(a), Cow::Owned(b)] });
        }
    };
    let sides = [Cow::Borrowed(&a.values[..]), Cow::Borrowed(&b.values[..])];
    Some(Alike { dims: longer.dims.to_vec(), n: longer.values.len(), sides })
}

/// The step between numbers of which there may be one alone.
fn step(numbers: &[f64]) -> usize {
    usize::from(numbers.len() > 1)
}

fn pair(a: f64, b: f64) -> (f64, f64) {
    (a, b)
}

fn cast(inputs: &Inputs<'_, '_>) -> Result<Tensor, Error> {
    let tensor = match inputs.held(0)? {
        Held::Column(column) => {
            let mut values = vec![0.0; column.n_rows()];
            fill(column, &mut values).ok_or_else(|| inputs.fail())?;
            return Ok(Tensor::vector(TensorData::F64(values)));
        }
        Held::Made(tensor) => tensor,
        Held::Constant(tensor) => *tensor,
        Held::Texts(_) => return Err(inputs.fail()),
    };
    let values = match tensor.data() {
        TensorData::Bool(v) => v.iter().map(|&x| f64::from(u8::from(x))).collect(),
        TensorData::U8(v) => v.iter().map(|&x| x.into()).collect(),
        TensorData::I32(v) => v.iter().map(|&x| x.into()).collect(),
        TensorData::I64(v) => v.iter().map(|&x| x as f64).collect(),
        TensorData::F64(v) => v.clone(),
        _ => return Err(inputs.fail()),
    };
    inputs.finish(tensor.dims().to_vec(), TensorData::F64(values))
}

/// Pairs of two tensors that broadcast, through `f`.
fn zip<A: Copy, B: Copy, T>(
    a_dims: &[usize],
    a: &[A],
    b_dims: &[usize],
    b: &[B],
    f: impl Fn(A, B) -> T,
) -> Option<(Vec<usize>, Vec<T>)> {
    if a_dims == b_dims {
        return Some((a_dims.to_vec(), a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()));
    }
    // One number beside many.
    match (a, b) {
        (_, &[b]) if b_dims.len() <= a_dims.len() => {
            return Some((a_dims.to_vec(), a.iter().map(|&a| f(a, b)).collect()));
        }
        (&[a], _) if a_dims.len() <= b_dims.len() => {
            return Some((b_dims.to_vec(), b.iter().map(|&b| f(a, b)).collect()));
        }
        _ => {}
    }
    let rank = a_dims.len().max(b_dims.len());
    let axis = |dims: &[usize], i: usize| (i + dims.len()).checked_sub(rank).map_or(1, |at| dims[at]);
    let mut dims = Vec::with_capacity(rank);
    for i in 0..rank {
        dims.push(match (axis(a_dims, i), axis(b_dims, i)) {
            (x, y) if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            _ => return None,
        });
    }
    // Steps between neighbours along each axis; 0 where the tensor is repeated.
    let steps = |of: &[usize]| {
        let mut steps = vec![0; rank];
        let mut step = 1;
        for i in (0..rank).rev() {
            let length = axis(of, i);
            steps[i] = if length == 1 { 0 } else { step };
            step *= length;
        }
        steps
    };
    let (a_steps, b_steps) = (steps(a_dims), steps(b_dims));
    let n = dims.iter().product();
    let mut values = Vec::with_capacity(n);
    let mut index = vec![0; rank];
    let (mut at, mut bt) = (0, 0);
    for _ in 0..n {
        values.push(f(*a.get(at)?, *b.get(bt)?));
        for i in (0..rank).rev() {
            index[i] += 1;
            at += a_steps[i];
            bt += b_steps[i];
            if index[i] < dims[i] {
                break;
            }
            at -= a_steps[i] * dims[i];
            bt -= b_steps[i] * dims[i];
            index[i] = 0;
        }
    }
    Some((dims, values))
}

fn columns(inputs: &Inputs<'_, '_>) -> Result<Tensor, Error> {
    let n_rows = inputs.n_rows;
    let parts: Vec<Doubles<'_>> =
        (0..inputs.node.inputs.len()).map(|at| doubles(inputs, at)).collect::<Result<_, _>>()?;
    let widths: Vec<usize> = parts.iter().map(|p| p.dims.get(1).copied().unwrap_or(1)).collect();
    let width: usize = widths.iter().sum();
    let mut values = vec![0.0; n_rows * width];
    let mut first = 0;
    for (part, &wide) in parts.iter().zip(&widths) {
        if wide > 0 {
            for (out, row) in values.chunks_exact_mut(width).zip(part.values.chunks_exact(wide)) {
                out[first..first + wide].copy_from_slice(row);
            }
        }
        first += wide;
    }
    inputs.finish(vec![n_rows, width], TensorData::F64(values))
}

fn one_hot(inputs: &Inputs<'_, '_>, op: OneHot) -> Result<Tensor, Error> {
    let depth = op.depth as usize;
    let mut values = vec![0.0; inputs.n_rows * depth];
    let mut set = |row: usize, code: usize| {
        if code < depth {
            values[row * depth + code] = 1.0;
        }
    };
    match inputs.held(0)? {
        Held::Made(tensor) if matches!(tensor.data(), TensorData::U8(_)) => {
            let TensorData::U8(codes) = tensor.data() else { return Err(inputs.fail()) };
            codes.iter().enumerate().for_each(|(row, &code)| set(row, code.into()));
        }
        _ => {
            let codes = doubles(inputs, 0)?;
            for (row, &code) in codes.values.iter().enumerate() {
                let whole = code as usize;
                if code >= 0.0 && whole as f64 == code {
                    set(row, whole);
                }
            }
        }
    }
    inputs.finish(vec![inputs.n_rows, depth], TensorData::F64(values))
}

fn label_encoder(inputs: &Inputs<'_, '_>) -> Result<Tensor, Error> {
    let column = inputs.column(0)?;
    let (TensorData::Str(keys), values) = (inputs.tensor(1)?.data(), doubles(inputs, 2)?) else {
        return Err(inputs.fail());
    };
    let value = |row: usize| {
        let at = match column.text(row) {
            None => keys.len() + 1,
            Some(key) => keys.binary_search_by(|k| k.as_str().cmp(key)).unwrap_or(keys.len()),
        };
        values.values.get(at).copied().ok_or_else(|| inputs.fail())
    };
    let made = (0..inputs.n_rows).map(value).collect::<Result<_, _>>()?;
    Ok(Tensor::vector(TensorData::F64(made)))
}

fn hash_bucket(inputs: &Inputs<'_, '_>, op: HashBucket) -> Result<Tensor, Error> {
    let column = inputs.column(0)?;
    let bucket = |row: usize| column.text(row).map_or(f64::NAN, |key| op.of(key).into());
    Ok(Tensor::vector(TensorData::F64((0..inputs.n_rows).map(bucket).collect())))
}
