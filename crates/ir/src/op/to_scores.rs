//! `ToScores`: real numbers to integer scores.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::fixed::{power_of_two, round_i32};
use crate::{DType, Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "ToScores";

/// `score = round_ties_even(x * 2^shift)`, clamped to i32; missing is 0.
///
/// Input: `f64 [N, K]`. Output: `i32 [N, K]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToScores {
    /// Fraction bits of a score, -1000 to 1000.
    pub shift: i16,
}

impl ToScores {
    pub(super) fn parse(attrs: &Attrs) -> Result<ToScores, Error> {
        Ok(ToScores { shift: attrs.int(NAME, "shift")? })
    }

    /// The score of a number.
    #[inline]
    pub fn of(self, x: f64) -> i32 {
        round_i32(x * power_of_two(self.shift.into()))
    }
}

impl Payload for ToScores {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("shift", Attr::Int(self.shift.into()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [x] = arity(NAME, inputs)?;
        if !(-1000..=1000).contains(&self.shift) {
            return Err(misfit(NAME, "shift", "-1000..=1000", &self.shift));
        }
        match (x.dtype, &x.shape.0[..]) {
            (DType::F64, [_, Dim::Fixed(_)]) => Ok(vec![(DType::I32, x.shape.clone())]),
            _ => Err(misfit(NAME, "numbers", "f64 [N, K]", &x.describe())),
        }
    }
}
