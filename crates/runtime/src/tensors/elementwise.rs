//! Two elements to one, with broadcasting.

use super::args::Args;
use super::each::{Number, moved, narrowed, paired, widened, zip};
use super::wide::wide;
use crate::error::Error;
use alloc::vec::Vec;
use ir::op::tensor::{Binary, Compare};
use ir::{DType, Tensor, TensorData};

/// Each element of the first with its element of the second, which is repeated from stretch to stretch.
fn merge<T: Number>(v: &mut [T], b: &[T], f: impl Fn(T, T) -> T) {
    wide(
        #[inline(always)]
        || match b {
            [b] => v.iter_mut().for_each(|x| *x = f(*x, *b)),
            _ => v.chunks_exact_mut(b.len().max(1)).for_each(|v| {
                v.iter_mut().zip(b).for_each(|(x, &b)| *x = f(*x, b));
            }),
        },
    );
}

/// The first input changed in place, where nobody else needs it and the second is repeated along its first axes: single
/// precision, which networks are in. Without it, each sum would take memory that was just given back.
fn in_place(op: Binary, args: &mut Args<'_, '_>) -> Result<Option<TensorData>, Error> {
    let (a, b) = (args.tensor(0)?, args.tensor(1)?);
    let n_ones = b.dims().iter().take_while(|n| **n == 1).count();
    let is_repeated = b.data().len() == 1 || a.dims().ends_with(&b.dims()[n_ones..]);
    let is_single = a.dtype() == DType::F32 && b.dtype() == DType::F32;
    let is_known =
        matches!(op, Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Min | Binary::Max);
    let fits = is_single && is_known && is_repeated && args.is_own(0) && *a.dims() == *args.made_dims(0)?;
    if !fits || b.data().is_empty() {
        return Ok(None);
    }
    let TensorData::F32(mut v) = args.take(0).into_data() else { return Err(args.refuse(0)) };
    let TensorData::F32(b) = args.data(1)? else { return Err(args.refuse(1)) };
    match op {
        Binary::Add => merge(&mut v, b, Number::plus),
        Binary::Sub => merge(&mut v, b, Number::minus),
        Binary::Mul => merge(&mut v, b, Number::times),
        Binary::Div => merge(&mut v, b, Number::over),
        Binary::Min => merge(&mut v, b, Number::smaller),
        _ => merge(&mut v, b, Number::larger),
    }
    Ok(Some(TensorData::F32(v)))
}

pub(super) fn binary(op: Binary, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    if let Some(made) = in_place(op, args)? {
        return args.only(made);
    }
    let dims = args.made_dims(0)?;
    let (a, b) = (args.tensor(0)?, args.tensor(1)?);
    let (p, q) = (a.dims(), b.dims());
    let made = match op {
        Binary::Pow => {
            let exponents = doubles(b.data()).ok_or_else(|| args.refuse(1))?;
            if exponents == [2.0] {
                numbers(Binary::Mul, &dims, (p, a.data()), (p, a.data()))
            } else {
                super::each::computed!(a.data(), x => zip(&dims, (p, x), (q, &exponents), |x, e| x.power(e)))
            }
        }
        Binary::And | Binary::Or | Binary::Xor => match (a.data(), b.data()) {
            (TensorData::Bool(x), TensorData::Bool(y)) => {
                Some(TensorData::Bool(zip(&dims, (p, x), (q, y), |x, y| match op {
                    Binary::And => x & y,
                    Binary::Or => x | y,
                    _ => x ^ y,
                })))
            }
            _ => None,
        },
        _ => {
            if a.dtype() != b.dtype() {
                return Err(args.refuse(1));
            }
            args.allow_widened(a.dtype(), a.data().len() + b.data().len())?;
            numbers(op, &dims, (p, a.data()), (q, b.data()))
        }
    };
    args.only(made.ok_or_else(|| args.refuse(0))?)
}

/// What is computed alike with numbers of any dtype.
fn numbers(
    op: Binary,
    dims: &[usize],
    (p, a): (&[usize], &TensorData),
    (q, b): (&[usize], &TensorData),
) -> Option<TensorData> {
    let dtype = a.dtype();
    if matches!(dtype, DType::Bool) {
        return None;
    }
    let (a, b) = (widened(a), widened(b));
    macro_rules! each {
        ($f:expr) => {
            paired!(&*a, &*b, x, y => zip(dims, (p, x), (q, y), $f))
        };
    }
    let made = match op {
        Binary::Add => each!(Number::plus),
        Binary::Sub => each!(Number::minus),
        Binary::Mul => each!(Number::times),
        Binary::Div => each!(Number::over),
        Binary::Mod => each!(Number::modulo),
        Binary::FMod => each!(Number::rest),
        Binary::Min => each!(Number::smaller),
        Binary::Max => each!(Number::larger),
        Binary::PRelu => each!(prelu),
        _ => bits(op, dtype, dims, (p, &*a), (q, &*b)),
    };
    made.map(|made| narrowed(dtype, made))
}

/// Numbers of any dtype of 8 bits or more as doubles.
pub(super) fn doubles(data: &TensorData) -> Option<Vec<f64>> {
    macro_rules! all {
        ($($kind:ident),*) => {
            match data {
                $(TensorData::$kind(v) => Some(v.iter().map(|x| x.to_f64()).collect()),)*
                TensorData::Half(half, v) => Some(v.iter().map(|&x| half.to_f32(x).into()).collect()),
                TensorData::Bool(_) | TensorData::Str(_) | TensorData::Narrow(..) | TensorData::Bag(_) => None,
            }
        };
    }
    all!(U8, I8, U16, I16, U32, I32, U64, I64, F32, F64)
}

fn prelu<T: Number>(x: T, slope: T) -> T {
    if x < T::default() { x.times(slope) } else { x }
}

/// Operators on bits, of integers as [`widened`] made them.
fn bits(
    op: Binary,
    dtype: DType,
    dims: &[usize],
    (p, a): (&[usize], &TensorData),
    (q, b): (&[usize], &TensorData),
) -> Option<TensorData> {
    // A shift by as many bits as there are, or more, leaves none.
    let n_bits = 8 * dtype.bytes() as u32;
    macro_rules! all {
        ($($kind:ident),*) => {
            match (a, b) {
                $((TensorData::$kind(x), TensorData::$kind(y)) => {
                    Some(TensorData::$kind(zip(dims, (p, x), (q, y), |x, y| {
                        let by = u32::try_from(y).ok().filter(|n| *n < n_bits);
                        match op {
                            Binary::BitwiseAnd => x & y,
                            Binary::BitwiseOr => x | y,
                            Binary::BitwiseXor => x ^ y,
                            Binary::ShiftLeft => by.map_or(0, |n| x << n),
                            _ => by.map_or(0, |n| x >> n),
                        }
                    })))
                })*
                _ => None,
            }
        };
    }
    all!(U64, I64)
}

pub(super) fn compare(op: Compare, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let dims = args.made_dims(0)?;
    let (a, b) = (args.tensor(0)?, args.tensor(1)?);
    let (p, q) = (a.dims(), b.dims());
    if a.dtype() != b.dtype() {
        return Err(args.refuse(1));
    }
    args.allow_widened(a.dtype(), a.data().len() + b.data().len())?;
    macro_rules! all {
        ($($kind:ident),*) => {
            match (&*widened(a.data()), &*widened(b.data())) {
                $((TensorData::$kind(x), TensorData::$kind(y)) => Some(holds(op, &dims, (p, x), (q, y))),)*
                (TensorData::Half(half, x), TensorData::Half(_, y)) => {
                    let (x, y) = (super::each::singles(*half, x), super::each::singles(*half, y));
                    Some(holds(op, &dims, (p, &x), (q, &y)))
                }
                (TensorData::Str(x), TensorData::Str(y)) => {
                    let (x, y): (Vec<&str>, Vec<&str>) = (x.iter().map(|s| &s[..]).collect(), y.iter().map(|s| &s[..]).collect());
                    Some(holds(op, &dims, (p, &x), (q, &y)))
                }
                _ => None,
            }
        };
    }
    let made = all!(U64, I64, F32, F64);
    args.only(TensorData::Bool(made.ok_or_else(|| args.refuse(0))?))
}

fn holds<T: Copy + PartialOrd>(
    op: Compare,
    dims: &[usize],
    a: (&[usize], &[T]),
    b: (&[usize], &[T]),
) -> Vec<bool> {
    match op {
        Compare::Equal => zip(dims, a, b, |x, y| x == y),
        Compare::Less => zip(dims, a, b, |x, y| x < y),
        Compare::LessOrEqual => zip(dims, a, b, |x, y| x <= y),
        Compare::Greater => zip(dims, a, b, |x, y| x > y),
        Compare::GreaterOrEqual => zip(dims, a, b, |x, y| x >= y),
    }
}

/// `Where`: of both sides broadcast, the one that the condition names.
pub(super) fn choose(args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let dims = args.made_dims(0)?;
    let TensorData::Bool(condition) = args.data(0)? else { return Err(args.refuse(0)) };
    let flat: Vec<usize> = (0..dims.iter().product()).collect();
    let condition = zip(&dims, (args.dims(0)?, condition), (&dims, &flat), |holds, _| holds);
    let sides = (spread(args.tensor(1)?, &dims), spread(args.tensor(2)?, &dims));
    let all = condition.iter().enumerate();
    macro_rules! pick {
        ($($kind:ident),*) => {
            match &sides {
                $((TensorData::$kind(x), TensorData::$kind(y)) => {
                    Some(TensorData::$kind(all.map(|(i, &c)| if c { x[i].clone() } else { y[i].clone() }).collect()))
                })*
                (TensorData::Half(half, x), TensorData::Half(_, y)) => {
                    Some(TensorData::Half(*half, all.map(|(i, &c)| if c { x[i] } else { y[i] }).collect()))
                }
                (TensorData::Narrow(narrow, x), TensorData::Narrow(_, y)) => {
                    Some(TensorData::Narrow(*narrow, all.map(|(i, &c)| if c { x[i] } else { y[i] }).collect()))
                }
                _ => None,
            }
        };
    }
    let made = pick!(Bool, U8, I8, U16, I16, U32, I32, U64, I64, F32, F64, Str);
    args.only(made.ok_or_else(|| args.refuse(1))?)
}

/// A tensor broadcast to `dims`.
pub(super) fn spread(tensor: &Tensor, dims: &[usize]) -> TensorData {
    let steps: Vec<isize> =
        super::each::repeated(tensor.dims(), dims).into_iter().map(|s| s as isize).collect();
    moved!(tensor.data(), v => super::each::strided(v, dims, &steps, 0))
}
