//! One element to one.

use super::args::Args;
use super::each::{Number, Real, computed, halves, singles};
use super::single;
use super::wide::wide;
use crate::error::Error;
use alloc::vec::Vec;
use ir::op::tensor::{Activation, ActivationKind, FloatTest, Unary};
use ir::{Tensor, TensorData};

/// Changes floats in place.
fn in_place(
    args: &mut Args<'_, '_>,
    single: impl Fn(f32) -> f32,
    double: impl Fn(f64) -> f64,
) -> Result<Vec<Tensor>, Error> {
    let x = args.take(0);
    let data = match x.into_data() {
        TensorData::F32(mut v) => {
            wide(
                #[inline(always)]
                || v.iter_mut().for_each(|x| *x = single(*x)),
            );
            TensorData::F32(v)
        }
        TensorData::F64(mut v) => {
            v.iter_mut().for_each(|x| *x = double(*x));
            TensorData::F64(v)
        }
        TensorData::Half(half, bits) => {
            let mut v = singles(half, &bits);
            v.iter_mut().for_each(|x| *x = single(*x));
            halves(half, &v)
        }
        _ => return Err(args.refuse(0)),
    };
    args.only(data)
}

pub(super) fn unary(op: Unary, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let whole = |args: &Args<'_, '_>| -> Result<Option<TensorData>, Error> {
        let data = args.data(0)?;
        Ok(match op {
            Unary::Abs => computed!(data, v => v.iter().map(|&x| x.size()).collect::<Vec<_>>()),
            Unary::Neg => computed!(data, v => v.iter().map(|&x| negated(x)).collect::<Vec<_>>()),
            Unary::Sign => computed!(data, v => v.iter().map(|&x| sign(x)).collect::<Vec<_>>()),
            Unary::Not => match data {
                TensorData::Bool(v) => Some(TensorData::Bool(v.iter().map(|x| !x).collect())),
                _ => None,
            },
            Unary::BitwiseNot => turned(data),
            _ => None,
        })
    };
    match op {
        Unary::Abs | Unary::Neg | Unary::Sign | Unary::Not | Unary::BitwiseNot => {
            let made = whole(args)?;
            args.only(made.ok_or_else(|| args.refuse(0))?)
        }
        Unary::Floor => in_place(args, libm::floorf, libm::floor),
        Unary::Ceil => in_place(args, libm::ceilf, libm::ceil),
        Unary::Round => in_place(args, libm::rintf, libm::rint),
        Unary::Reciprocal => in_place(args, |x| 1.0 / x, |x| 1.0 / x),
        Unary::Sqrt => in_place(args, libm::sqrtf, libm::sqrt),
        Unary::Exp => in_place(args, single::exp, libm::exp),
        Unary::Log => in_place(args, libm::logf, libm::log),
        Unary::Sin => in_place(args, libm::sinf, libm::sin),
        Unary::Cos => in_place(args, libm::cosf, libm::cos),
        Unary::Tan => in_place(args, libm::tanf, libm::tan),
        Unary::Asin => in_place(args, libm::asinf, libm::asin),
        Unary::Acos => in_place(args, libm::acosf, libm::acos),
        Unary::Atan => in_place(args, libm::atanf, libm::atan),
        Unary::Sinh => in_place(args, libm::sinhf, libm::sinh),
        Unary::Cosh => in_place(args, libm::coshf, libm::cosh),
        Unary::Asinh => in_place(args, libm::asinhf, libm::asinh),
        Unary::Acosh => in_place(args, libm::acoshf, libm::acosh),
        Unary::Atanh => in_place(args, libm::atanhf, libm::atanh),
        Unary::Erf => in_place(args, single::erf, libm::erf),
    }
}

fn negated<T: Number>(x: T) -> T {
    // Of floats the zero keeps its other sign.
    if x == T::default() && T::ONE.over(x).to_f64().is_infinite() {
        return T::of_f64(-x.to_f64());
    }
    T::default().minus(x)
}

fn sign<T: Number>(x: T) -> T {
    let zero = T::default();
    if x > zero {
        T::ONE
    } else if x < zero {
        zero.minus(T::ONE)
    } else {
        x
    }
}

fn turned(data: &TensorData) -> Option<TensorData> {
    macro_rules! all {
        ($($kind:ident),*) => {
            match data {
                $(TensorData::$kind(v) => Some(TensorData::$kind(v.iter().map(|x| !x).collect())),)*
                _ => None,
            }
        };
    }
    all!(U8, I8, U16, I16, U32, I32, U64, I64)
}

pub(super) fn float_test(op: FloatTest, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let test = |x: f32| match op {
        FloatTest::IsNan => x.is_nan(),
        FloatTest::IsInf { negative, positive } => {
            (negative && x == f32::NEG_INFINITY) || (positive && x == f32::INFINITY)
        }
    };
    let made = match args.data(0)? {
        TensorData::F32(v) => v.iter().map(|&x| test(x)).collect(),
        // A finite double may be infinite in single precision.
        TensorData::F64(v) => v.iter().map(|&x| test(if x.is_finite() { 0.0 } else { x as f32 })).collect(),
        TensorData::Half(half, v) => v.iter().map(|&x| test(half.to_f32(x))).collect(),
        TensorData::Narrow(narrow, v) => v.iter().map(|&x| test(narrow.to_f32(x))).collect(),
        _ => return Err(args.refuse(0)),
    };
    args.only(TensorData::Bool(made))
}

pub(super) fn activation(op: Activation, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    match (op.kind, args.tensor(0)?.dtype()) {
        (ActivationKind::Relu | ActivationKind::Shrink, dtype) if dtype.whole_range().is_some() => {
            let made = computed!(args.data(0)?, v => v.iter().map(|&x| of_whole(op, x)).collect::<Vec<_>>());
            args.only(made.ok_or_else(|| args.refuse(0))?)
        }
        (_, dtype) => {
            let data = args.take(0).into_data();
            let made = match data {
                TensorData::F32(mut v) => {
                    apply(op, &mut v);
                    TensorData::F32(v)
                }
                TensorData::F64(mut v) => {
                    apply(op, &mut v);
                    TensorData::F64(v)
                }
                data => {
                    let mut v = f32::read(&data).ok_or_else(|| args.refuse(0))?.into_owned();
                    apply(op, &mut v);
                    f32::pack(dtype, v)
                }
            };
            args.only(made)
        }
    }
}

/// The values of an activation in the place of its arguments: one loop for each kind, that runs on whole vectors.
pub(super) fn apply<T: Real>(op: Activation, v: &mut [T]) {
    let zero = T::default();
    wide(
        #[inline(always)]
        || match op.kind {
            ActivationKind::Sigmoid => v.iter_mut().for_each(|x| *x = x.sigmoid()),
            ActivationKind::Tanh => v.iter_mut().for_each(|x| *x = x.tanh()),
            ActivationKind::Relu => v.iter_mut().for_each(|x| *x = if *x < zero { zero } else { *x }),
            _ => v.iter_mut().for_each(|x| *x = of(op, *x)),
        },
    );
}

fn of_whole<T: Number>(op: Activation, x: T) -> T {
    match op.kind {
        ActivationKind::Relu => x.larger(T::default()),
        _ => T::of_f64(of(op, x.to_f64())),
    }
}

/// The value of an activation.
pub(super) fn of<T: Real>(op: Activation, x: T) -> T {
    let (zero, one) = (T::default(), T::ONE);
    let (a, b) = (T::of_f64(op.alpha.into()), T::of_f64(op.beta.into()));
    let elu = |x: T| if x < zero { a.times(x.exp_m1()) } else { x };
    match op.kind {
        ActivationKind::Relu => x.larger(zero),
        ActivationKind::LeakyRelu => {
            if x < zero {
                a.times(x)
            } else {
                x
            }
        }
        ActivationKind::ThresholdedRelu => {
            if x > a {
                x
            } else {
                zero
            }
        }
        ActivationKind::Elu => elu(x),
        ActivationKind::Selu => b.times(elu(x)),
        ActivationKind::Celu => x.larger(zero).plus(a.times(x.over(a).exp_m1()).smaller(zero)),
        ActivationKind::Sigmoid => x.sigmoid(),
        ActivationKind::HardSigmoid => a.times(x).plus(b).smaller(one).larger(zero),
        ActivationKind::Tanh => x.tanh(),
        ActivationKind::ScaledTanh => a.times(b.times(x).tanh()),
        ActivationKind::Affine => a.times(x).plus(b),
        ActivationKind::Softplus => x.larger(zero).plus(zero.minus(x.size()).exp().ln_1p()),
        ActivationKind::Softsign => x.over(one.plus(x.size())),
        ActivationKind::Shrink => {
            if x < zero.minus(a) {
                x.plus(b)
            } else if x > a {
                x.minus(b)
            } else {
                zero
            }
        }
    }
}
