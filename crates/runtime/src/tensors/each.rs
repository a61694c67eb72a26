//! Elements of any dtype: one loop for all, and walks over axes.
//!
//! A loop is written once and stamped for each storage; floats of 16 bits are computed in single precision.

use super::single;
use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;
use ir::{DType, TensorData};

/// Elements moved, not computed with: the same storage, whatever it is.
macro_rules! moved {
    ($data:expr, $v:ident => $made:expr) => {
        match $data {
            TensorData::Bool($v) => TensorData::Bool($made),
            TensorData::U8($v) => TensorData::U8($made),
            TensorData::I8($v) => TensorData::I8($made),
            TensorData::U16($v) => TensorData::U16($made),
            TensorData::I16($v) => TensorData::I16($made),
            TensorData::U32($v) => TensorData::U32($made),
            TensorData::I32($v) => TensorData::I32($made),
            TensorData::U64($v) => TensorData::U64($made),
            TensorData::I64($v) => TensorData::I64($made),
            TensorData::F32($v) => TensorData::F32($made),
            TensorData::F64($v) => TensorData::F64($made),
            TensorData::Str($v) => TensorData::Str($made),
            TensorData::Half(half, $v) => TensorData::Half(*half, $made),
            TensorData::Narrow(narrow, $v) => TensorData::Narrow(*narrow, $made),
            TensorData::Bag(bags) => TensorData::Bag(bags.clone()),
        }
    };
}

/// Elements computed with, to elements of the same dtype; `None` for those that are no numbers of 8 bits or more.
macro_rules! computed {
    ($data:expr, $v:ident => $made:expr) => {
        match $data {
            TensorData::U8($v) => Some(TensorData::U8($made)),
            TensorData::I8($v) => Some(TensorData::I8($made)),
            TensorData::U16($v) => Some(TensorData::U16($made)),
            TensorData::I16($v) => Some(TensorData::I16($made)),
            TensorData::U32($v) => Some(TensorData::U32($made)),
            TensorData::I32($v) => Some(TensorData::I32($made)),
            TensorData::U64($v) => Some(TensorData::U64($made)),
            TensorData::I64($v) => Some(TensorData::I64($made)),
            TensorData::F32($v) => Some(TensorData::F32($made)),
            TensorData::F64($v) => Some(TensorData::F64($made)),
            TensorData::Half(half, bits) => {
                let $v = &crate::tensors::each::singles(*half, bits);
                Some(crate::tensors::each::halves(*half, &$made))
            }
            TensorData::Bool(_) | TensorData::Str(_) | TensorData::Narrow(..) | TensorData::Bag(_) => None,
        }
    };
}

/// Pairs of elements of one dtype computed with, integers of fewer than 64 bits as [`widened`] makes them; `None` for
/// all others, and for different dtypes.
macro_rules! paired {
    ($a:expr, $b:expr, $x:ident, $y:ident => $made:expr) => {
        match ($a, $b) {
            (TensorData::U64($x), TensorData::U64($y)) => Some(TensorData::U64($made)),
            (TensorData::I64($x), TensorData::I64($y)) => Some(TensorData::I64($made)),
            (TensorData::F32($x), TensorData::F32($y)) => Some(TensorData::F32($made)),
            (TensorData::F64($x), TensorData::F64($y)) => Some(TensorData::F64($made)),
            (TensorData::Half(half, a), TensorData::Half(other, b)) if half == other => {
                let $x = &crate::tensors::each::singles(*half, a);
                let $y = &crate::tensors::each::singles(*half, b);
                Some(crate::tensors::each::halves(*half, &$made))
            }
            _ => None,
        }
    };
}

pub(super) use {computed, moved, paired};

/// Integers of less than 64 bits, and truths, as those of 64; all else as it is. What wraps in 64 bits and is cut back
/// has wrapped in fewer, so one loop serves all of them.
pub(super) fn widened(data: &TensorData) -> Cow<'_, TensorData> {
    macro_rules! wide {
        ($($kind:ident),*) => {
            match data {
                $(TensorData::$kind(v) => {
                    Cow::Owned(TensorData::I64(v.iter().map(|&x| x.into()).collect()))
                })*
                _ => Cow::Borrowed(data),
            }
        };
    }
    wide!(Bool, U8, I8, U16, I16, U32, I32)
}

/// Integers of 64 bits cut back to a dtype of fewer; all else as it is.
pub(super) fn narrowed(dtype: DType, data: TensorData) -> TensorData {
    let TensorData::I64(v) = data else { return data };
    macro_rules! cut {
        ($($kind:ident $t:ident),*) => {
            match dtype {
                $(DType::$kind => TensorData::$kind(v.into_iter().map(|x| x as $t).collect()),)*
                _ => TensorData::I64(v),
            }
        };
    }
    cut!(U8 u8, I8 i8, U16 u16, I16 i16, U32 u32, I32 i32)
}

/// Floats of 16 bits in single precision.
pub(super) fn singles(half: ir::fixed::Half, bits: &[u16]) -> Vec<f32> {
    bits.iter().map(|&b| half.to_f32(b)).collect()
}

/// Single precision to floats of 16 bits.
pub(super) fn halves(half: ir::fixed::Half, values: &[f32]) -> TensorData {
    TensorData::Half(half, values.iter().map(|&x| half.of(x.into())).collect())
}

/// A number of any dtype.
pub(super) trait Number: Copy + PartialOrd + Default + 'static {
    const ONE: Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    /// Of integers towards 0, and 0 by 0.
    fn over(self, other: Self) -> Self;
    /// The rest with the sign of the divisor.
    fn modulo(self, other: Self) -> Self;
    /// The rest with the sign of the dividend.
    fn rest(self, other: Self) -> Self;
    fn power(self, exponent: f64) -> Self;
    fn size(self) -> Self;
    fn to_f64(self) -> f64;
    /// Truncated and saturating for integers.
    fn of_f64(x: f64) -> Self;
    fn is_nan(self) -> bool;
    /// The least value that there is.
    fn least() -> Self;
    /// The largest value that there is.
    fn most() -> Self;

    fn larger(self, other: Self) -> Self {
        if other > self || other.is_nan() { other } else { self }
    }

    fn smaller(self, other: Self) -> Self {
        if other < self || other.is_nan() { other } else { self }
    }
}

macro_rules! integers {
    ($($t:ident),*) => {
        $(impl Number for $t {
            const ONE: $t = 1;
            fn plus(self, other: $t) -> $t { self.wrapping_add(other) }
            fn minus(self, other: $t) -> $t { self.wrapping_sub(other) }
            fn times(self, other: $t) -> $t { self.wrapping_mul(other) }
            fn over(self, other: $t) -> $t { if other == 0 { 0 } else { self.wrapping_div(other) } }
            fn modulo(self, other: $t) -> $t {
                let rest = self.rest(other);
                let is_negative = |x: $t| x < <$t>::default();
                if rest != 0 && is_negative(rest) != is_negative(other) { rest.wrapping_add(other) } else { rest }
            }
            fn rest(self, other: $t) -> $t { if other == 0 { 0 } else { self.wrapping_rem(other) } }
            fn power(self, exponent: f64) -> $t {
                match exponent as u32 {
                    n if f64::from(n) == exponent => self.wrapping_pow(n),
                    _ => libm::pow(self as f64, exponent) as $t,
                }
            }
            fn size(self) -> $t {
                let zero = <$t>::default();
                if self < zero { zero.wrapping_sub(self) } else { self }
            }
            fn to_f64(self) -> f64 { self as f64 }
            fn of_f64(x: f64) -> $t { x as $t }
            fn is_nan(self) -> bool { false }
            fn least() -> $t { $t::MIN }
            fn most() -> $t { $t::MAX }
        })*
    };
}

integers!(u8, i8, u16, i16, u32, i32, u64, i64);

/// A float that operators are computed in, with its pinned functions.
pub(super) trait Real: Number {
    fn exp(self) -> Self;
    fn exp_m1(self) -> Self;
    fn ln(self) -> Self;
    fn ln_1p(self) -> Self;
    fn tanh(self) -> Self;
    fn sigmoid(self) -> Self;
    /// The elements, if they are floats that are computed in this one.
    fn read(data: &TensorData) -> Option<Cow<'_, [Self]>>;
    /// Elements of a dtype that is computed in this one.
    fn pack(dtype: DType, values: Vec<Self>) -> TensorData;
}

macro_rules! floats {
    ($($t:ident, $exp:path, $exp_m1:path, $ln:path, $ln_1p:path, $tanh:path, $sigmoid:path, $pow:path, $rest:path;)*) => {
        $(impl Number for $t {
            const ONE: $t = 1.0;
            fn plus(self, other: $t) -> $t { self + other }
            fn minus(self, other: $t) -> $t { self - other }
            fn times(self, other: $t) -> $t { self * other }
            fn over(self, other: $t) -> $t { self / other }
            fn modulo(self, other: $t) -> $t {
                let rest = $rest(self, other);
                if rest != 0.0 && ((rest < 0.0) != (other < 0.0)) { rest + other } else { rest }
            }
            fn rest(self, other: $t) -> $t { $rest(self, other) }
            fn power(self, exponent: f64) -> $t { $pow(self, exponent as $t) }
            fn size(self) -> $t { self.abs() }
            fn to_f64(self) -> f64 { self.into() }
            fn of_f64(x: f64) -> $t { x as $t }
            fn is_nan(self) -> bool { $t::is_nan(self) }
            fn least() -> $t { $t::NEG_INFINITY }
            fn most() -> $t { $t::INFINITY }
        }
        impl Real for $t {
            fn exp(self) -> $t { $exp(self) }
            fn exp_m1(self) -> $t { $exp_m1(self) }
            fn ln(self) -> $t { $ln(self) }
            fn ln_1p(self) -> $t { $ln_1p(self) }
            fn tanh(self) -> $t { $tanh(self) }
            fn sigmoid(self) -> $t { $sigmoid(self) }
            fn read(data: &TensorData) -> Option<Cow<'_, [$t]>> { data.reals() }
            fn pack(dtype: DType, values: Vec<$t>) -> TensorData { <$t as Stored>::stored(dtype, values) }
        })*
    };
}

floats! {
    f32, single::exp, single::exp_m1, libm::logf, libm::log1pf, single::tanh, single::sigmoid, libm::powf, libm::fmodf;
    f64, libm::exp, libm::expm1, libm::log, libm::log1p, libm::tanh, double_sigmoid, libm::pow, libm::fmod;
}

fn double_sigmoid(x: f64) -> f64 {
    let e = libm::exp(-x.abs());
    let share = 1.0 / (1.0 + e);
    if x < 0.0 { e * share } else { share }
}

/// Storage of a float.
trait Stored: Sized {
    fn stored(dtype: DType, values: Vec<Self>) -> TensorData;
}

impl Stored for f32 {
    fn stored(dtype: DType, values: Vec<f32>) -> TensorData {
        match dtype {
            DType::Half(half) => halves(half, &values),
            _ => TensorData::F32(values),
        }
    }
}

impl Stored for f64 {
    fn stored(_: DType, values: Vec<f64>) -> TensorData {
        TensorData::F64(values)
    }
}

/// Elements as one of the floats.
trait Reals<T: Clone> {
    fn reals(&self) -> Option<Cow<'_, [T]>>;
}

impl Reals<f32> for TensorData {
    fn reals(&self) -> Option<Cow<'_, [f32]>> {
        match self {
            TensorData::F32(v) => Some(Cow::Borrowed(v)),
            TensorData::Half(half, v) => Some(Cow::Owned(singles(*half, v))),
            _ => None,
        }
    }
}

impl Reals<f64> for TensorData {
    fn reals(&self) -> Option<Cow<'_, [f64]>> {
        match self {
            TensorData::F64(v) => Some(Cow::Borrowed(v)),
            _ => None,
        }
    }
}

/// Steps between neighbours along each axis of a dense tensor.
pub(super) fn strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![0; dims.len()];
    let mut step = 1usize;
    for (stride, &n) in strides.iter_mut().zip(dims).rev() {
        *stride = step;
        step = step.saturating_mul(n);
    }
    strides
}

/// Steps over a tensor that is broadcast to `dims`; 0 along an axis that is repeated.
pub(super) fn repeated(own: &[usize], dims: &[usize]) -> Vec<usize> {
    let lead = dims.len().saturating_sub(own.len());
    let dense = strides(own);
    let step = |at: usize| at.checked_sub(lead).map_or(0, |at| if own[at] == 1 { 0 } else { dense[at] });
    (0..dims.len()).map(step).collect()
}

/// Calls with the index along all axes but the last, and with the place of each of `N` walks there.
pub(super) fn rows<const N: usize>(
    dims: &[usize],
    steps: [&[isize]; N],
    from: [isize; N],
    mut f: impl FnMut([isize; N]),
) {
    let outer = dims.len().saturating_sub(1);
    if dims.contains(&0) {
        return;
    }
    let mut index = vec![0usize; outer];
    let mut at = from;
    loop {
        f(at);
        let mut axis = outer;
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            index[axis] += 1;
            (0..N).for_each(|k| at[k] += steps[k][axis]);
            if index[axis] < dims[axis] {
                break;
            }
            (0..N).for_each(|k| at[k] -= steps[k][axis] * dims[axis] as isize);
            index[axis] = 0;
        }
    }
}

/// Pairs of two tensors that broadcast to `dims`, through `f`.
pub(super) fn zip<A: Copy, B: Copy, T>(
    dims: &[usize],
    (a_dims, a): (&[usize], &[A]),
    (b_dims, b): (&[usize], &[B]),
    f: impl Fn(A, B) -> T,
) -> Vec<T> {
    if a_dims == b_dims {
        return a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect();
    }
    if let (true, &[b]) = (a.len() == dims.iter().product(), b) {
        return a.iter().map(|&a| f(a, b)).collect();
    }
    if let (&[a], true) = (a, b.len() == dims.iter().product()) {
        return b.iter().map(|&b| f(a, b)).collect();
    }
    let signed = |steps: Vec<usize>| -> Vec<isize> { steps.into_iter().map(|s| s as isize).collect() };
    let (a_steps, b_steps) = (signed(repeated(a_dims, dims)), signed(repeated(b_dims, dims)));
    let mut made = Vec::with_capacity(dims.iter().product());
    let last = dims.last().copied().unwrap_or(1);
    let (a_step, b_step) = (a_steps.last().copied().unwrap_or(0), b_steps.last().copied().unwrap_or(0));
    rows(dims, [&a_steps, &b_steps], [0, 0], |[at, bt]| {
        let (at, bt) = (at as usize, bt as usize);
        match (a_step, b_step) {
            (1, 1) => made.extend(a[at..at + last].iter().zip(&b[bt..bt + last]).map(|(&a, &b)| f(a, b))),
            (1, _) => made.extend(a[at..at + last].iter().map(|&a| f(a, b[bt]))),
            (_, 1) => made.extend(b[bt..bt + last].iter().map(|&b| f(a[at], b))),
            _ => made.extend((0..last).map(|_| f(a[at], b[bt]))),
        }
    });
    made
}

/// Elements that stand at regular steps: `dims` of the result, a step along each axis, and the first place.
pub(super) fn strided<T: Clone>(v: &[T], dims: &[usize], steps: &[isize], from: isize) -> Vec<T> {
    let n: usize = dims.iter().product();
    let mut made = Vec::with_capacity(n);
    if n == 0 {
        return made;
    }
    let last = dims.last().copied().unwrap_or(1);
    let step = steps.last().copied().unwrap_or(1);
    rows(dims, [steps], [from], |[at]| {
        if step == 1 {
            made.extend_from_slice(&v[at as usize..at as usize + last]);
        } else {
            made.extend((0..last as isize).map(|i| v[(at + i * step) as usize].clone()));
        }
    });
    made
}

/// Product of lengths before an axis, its own length, and the product behind it.
pub(super) fn around(dims: &[usize], axis: usize) -> (usize, usize, usize) {
    let product = |dims: &[usize]| dims.iter().product::<usize>();
    (product(&dims[..axis]), dims[axis], product(&dims[axis + 1..]))
}
