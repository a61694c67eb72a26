//! `ReduceSum`, `ReduceMax`, `ReduceL1`, `ReduceL2`: a row to one number.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::fixed::math;
use crate::op::Arithmetic;
use crate::{DType, Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

/// ONNX's operators of these names over axis 1, which is kept: `f64 [N, K]`, K at least 1, to `f64 [N, 1]`.
/// Sums run in rising order from the first element, each addition rounded to double. A NaN (missing) in
/// the row gives NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduce {
    /// `sum_k x_k`
    Sum,
    /// `max_k x_k`
    Max,
    /// `sum_k |x_k|`
    L1,
    /// `sqrt(sum_k x_k^2)`
    L2,
}

impl Reduce {
    /// Every member.
    pub const ALL: &'static [Reduce] = &[Reduce::Sum, Reduce::Max, Reduce::L1, Reduce::L2];

    pub(super) const fn stored(self) -> &'static str {
        match self {
            Reduce::Sum => "ReduceSum",
            Reduce::Max => "ReduceMax",
            Reduce::L1 => "ReduceL1",
            Reduce::L2 => "ReduceL2",
        }
    }

    pub(super) fn parse(self, _: &Attrs) -> Result<Reduce, Error> {
        Ok(self)
    }

    /// The value of a row that is not empty.
    pub fn of(self, row: &[f64]) -> f64 {
        let (&first, rest) = match row.split_first() {
            Some(parts) => parts,
            None => return 0.0,
        };
        let sum = |f: fn(f64) -> f64| rest.iter().fold(f(first), |sum, &x| sum + f(x));
        let result = match self {
            Reduce::Sum => sum(|x| x),
            Reduce::L1 => sum(f64::abs),
            Reduce::L2 => math::sqrt(sum(|x| x * x)),
            Reduce::Max => rest.iter().fold(first, |most, &x| Arithmetic::Max.of(most, x)),
        };
        if result.is_nan() { f64::NAN } else { result }
    }
}

impl Payload for Reduce {
    fn name(&self) -> &'static str {
        self.stored()
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [x] = arity(self.name(), inputs)?;
        match (x.dtype, &x.shape.0[..]) {
            (DType::F64, [rows, Dim::Fixed(1..)]) => {
                Ok(vec![(DType::F64, Shape(vec![rows.clone(), Dim::Fixed(1)]))])
            }
            _ => Err(misfit(self.name(), "rows", "f64 [N, K]", &x.describe())),
        }
    }
}
