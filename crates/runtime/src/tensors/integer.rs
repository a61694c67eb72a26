//! The integer form of networks: what its operators mean, in the plainest code.
//!
//! Codes become whole numbers of 64 bits without their zero point, are summed in 64 bits and requantized once; every
//! faster path equals this byte for byte. A sum beyond 2^32 - 1 counts as that, as `Requantize` has it.

mod means;
mod products;

pub(super) use means::{average_pool, mean};
pub(super) use products::{conv, matmul};

use super::args::Args;
use super::each::zip;
use crate::error::Error;
use alloc::vec::Vec;
use ir::fixed::Requantize as Pair;
use ir::op::tensor::{QAdd, QLut, QMul, Requantize, SumFactors};
use ir::{DType, Tensor, TensorData};

/// What becomes of a requantized number.
#[derive(Clone, Copy)]
struct Codes {
    to: DType,
    zero: i64,
    low: i64,
    high: i64,
}

impl Codes {
    fn of(self, value: i64) -> i64 {
        (value + self.zero).clamp(self.low, self.high)
    }
}

/// The elements of integers, those of fewer than 8 bits too.
pub(crate) fn whole(data: &TensorData) -> Option<Vec<i64>> {
    match data {
        TensorData::Narrow(narrow, v) => {
            narrow.whole_range().map(|_| v.iter().map(|&code| code.cast_signed().into()).collect())
        }
        _ => data.whole_numbers(),
    }
}

/// An input without its zero point.
fn centred(args: &Args<'_, '_>, at: usize, zero: i64) -> Result<Vec<i64>, Error> {
    args.allow_tensor(DType::I64, args.dims(at)?)?;
    let mut v = whole(args.data(at)?).ok_or_else(|| args.refuse(at))?;
    v.iter_mut().for_each(|x| *x -= zero);
    Ok(v)
}

/// Pairs of multiplier and shift, one a channel or one for all.
fn pairs(args: &Args<'_, '_>, at: usize) -> Result<Vec<Pair>, Error> {
    let pairs = args.data(at)?.i64s().and_then(Pair::pairs).filter(|pairs| !pairs.is_empty());
    pairs.ok_or_else(|| args.refuse(at))
}

/// The one pair of an operator without channels.
fn pair(args: &Args<'_, '_>, at: usize) -> Result<Pair, Error> {
    pairs(args, at)?.first().copied().ok_or_else(|| args.refuse(at))
}

/// The only output.
fn made(args: &Args<'_, '_>, codes: Codes, values: impl Iterator<Item = i64>) -> Result<Vec<Tensor>, Error> {
    let values: Vec<i64> = values.map(|value| codes.of(value)).collect();
    args.only(super::casts::whole(codes.to, &values))
}

pub(super) fn add(op: QAdd, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let factors = args.data(2)?.i64s().and_then(SumFactors::try_new).ok_or_else(|| args.refuse(2))?;
    let (a, b) = (centred(args, 0, op.zero_a)?, centred(args, 1, op.zero_b)?);
    let sums = zip(&args.made_dims(0)?, (args.dims(0)?, &a), (args.dims(1)?, &b), |a, b| factors.apply(a, b));
    let codes = Codes { to: op.to, zero: op.zero_y, low: op.low, high: op.high };
    made(args, codes, sums.into_iter())
}

pub(super) fn mul(op: QMul, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let pair = pair(args, 2)?;
    let (a, b) = (centred(args, 0, op.zero_a)?, centred(args, 1, op.zero_b)?);
    let products =
        zip(&args.made_dims(0)?, (args.dims(0)?, &a), (args.dims(1)?, &b), |a, b| pair.apply(a * b));
    let codes = Codes { to: op.to, zero: op.zero_y, low: op.low, high: op.high };
    made(args, codes, products.into_iter())
}

pub(super) fn look_up(op: QLut, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let table = whole(args.data(1)?).ok_or_else(|| args.refuse(1))?;
    let least = if args.tensor(0)?.dtype() == DType::I8 { -128 } else { 0 };
    let places = centred(args, 0, least)?;
    let found = |at: &i64| usize::try_from(*at).ok().and_then(|at| table.get(at).copied());
    let values: Option<Vec<i64>> = places.iter().map(found).collect();
    args.only(super::casts::whole(op.to, &values.ok_or_else(|| args.refuse(0))?))
}

pub(super) fn requantize(op: Requantize, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let pair = pair(args, 1)?;
    let x = centred(args, 0, op.zero_x)?;
    let codes = Codes { to: op.to, zero: op.zero_y, low: op.low, high: op.high };
    made(args, codes, x.into_iter().map(|x| pair.apply(x)))
}
