//! `QAdd`: sums of the integer form.

use super::integer::{self, Output, output_of};
use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, broadcast, misfit, one};
use crate::op::Attrs;
use crate::{DType, Error, Tensor, TensorData};
use alloc::vec::Vec;

const NAME: &str = "QAdd";

/// `y = clamp((((a - zero_a) m_a + (b - zero_b) m_b + 2^(s - 1)) >> s) + zero_y, low, high)`.
///
/// Inputs: `a` and `b`, which broadcast, each of `i8`, `u8`, `i16` or `u16`; `m_a`, `m_b` and `s`, `i64 [3]`: the larger of
/// `|m_a|` and `|m_b|` from 2^30 below 2^31, `s` from 1 to 62. Output: `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QAdd {
    /// The code of 0 of `a`.
    pub zero_a: i64,
    /// The code of 0 of `b`.
    pub zero_b: i64,
    /// The code of 0 of the output.
    pub zero_y: i64,
    /// The least code of the output.
    pub low: i64,
    /// The largest code of the output.
    pub high: i64,
    /// The dtype of the output.
    pub to: DType,
}

/// Multipliers of two terms and the shift of their sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SumFactors {
    /// Of `a`.
    pub a: i64,
    /// Of `b`.
    pub b: i64,
    /// The shift, from 1 to 62.
    pub shift: u32,
}

impl SumFactors {
    /// Of `m_a`, `m_b` and `s`; `None` where they do not fit.
    pub fn try_new(values: &[i64]) -> Option<SumFactors> {
        let &[a, b, shift] = values else { return None };
        let larger = a.unsigned_abs().max(b.unsigned_abs());
        let fits = (1 << 30..1 << 31).contains(&larger) && (1..=62).contains(&shift);
        fits.then_some(SumFactors { a, b, shift: shift as u32 })
    }

    /// `(a m_a + b m_b + 2^(s - 1)) >> s`; each term is below 2^17 in size, so nothing overflows.
    #[inline]
    pub fn apply(self, a: i64, b: i64) -> i64 {
        (a * self.a + b * self.b + (1i64 << (self.shift - 1))) >> self.shift
    }
}

fn factors(operand: &Operand<'_>) -> Result<(), Error> {
    let fits = operand.dtype == DType::I64 && operand.shape.lengths().is_none_or(|l| l == [3]);
    let values = match operand.constant.map(Tensor::data) {
        Some(TensorData::I64(v)) => Some(v),
        _ => None,
    };
    if !fits {
        return Err(misfit(NAME, "factors", "i64 [3]", &operand.describe()));
    }
    match values {
        Some(v) if SumFactors::try_new(v).is_none() => {
            let expected = "the larger of |m_a| and |m_b| from 2^30 below 2^31, a shift of 1 to 62";
            Err(misfit(NAME, "factors", expected, &alloc::format!("{v:?}")))
        }
        _ => Ok(()),
    }
}

impl Payload for QAdd {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        output_of!(self).attrs(&[("zero_a", self.zero_a), ("zero_b", self.zero_b)])
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [a, b, sum] = arity(NAME, inputs)?;
        integer::codes(NAME, "first input", a, self.zero_a)?;
        integer::codes(NAME, "second input", b, self.zero_b)?;
        factors(sum)?;
        output_of!(self).check(NAME)?;
        one(self.to, broadcast(NAME, &[a.shape, b.shape])?)
    }
}

impl Stored for QAdd {
    fn parse(name: &str, attrs: &Attrs) -> Found<QAdd> {
        let read = || {
            let Output { to, zero: zero_y, low, high } = Output::parse(NAME, attrs)?;
            Ok(QAdd {
                zero_a: attrs.int(NAME, "zero_a")?,
                zero_b: attrs.int(NAME, "zero_b")?,
                zero_y,
                low,
                high,
                to,
            })
        };
        (name == NAME).then(read)
    }
}
