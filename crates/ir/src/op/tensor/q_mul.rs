//! `QMul`: products of elements of the integer form.

use super::integer::{self, Output, output_of};
use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, broadcast, one};
use crate::DType;
use crate::op::Attrs;
use alloc::vec::Vec;

const NAME: &str = "QMul";

/// `y = clamp(pair((a - zero_a) (b - zero_b)) + zero_y, low, high)`.
///
/// Inputs: `a` and `b`, which broadcast, each of `i8`, `u8`, `i16` or `u16`; the pair, `i64 [2, 1]`. Output: `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QMul {
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

impl Payload for QMul {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        output_of!(self).attrs(&[("zero_a", self.zero_a), ("zero_b", self.zero_b)])
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [a, b, pair] = arity(NAME, inputs)?;
        integer::codes(NAME, "first input", a, self.zero_a)?;
        integer::codes(NAME, "second input", b, self.zero_b)?;
        integer::pairs(NAME, pair, None)?;
        output_of!(self).check(NAME)?;
        one(self.to, broadcast(NAME, &[a.shape, b.shape])?)
    }
}

impl Stored for QMul {
    fn parse(name: &str, attrs: &Attrs) -> Found<QMul> {
        let read = || {
            let Output { to, zero: zero_y, low, high } = Output::parse(NAME, attrs)?;
            Ok(QMul {
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
