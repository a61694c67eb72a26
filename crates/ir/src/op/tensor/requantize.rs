//! `Requantize`: codes to the grid of the next codes.

use super::integer::{self, Output, output_of};
use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, one};
use crate::DType;
use crate::op::Attrs;
use alloc::vec::Vec;

const NAME: &str = "Requantize";

/// `y = clamp(pair(x - zero_x) + zero_y, low, high)`.
///
/// Inputs: `x` of `i8`, `u8`, `i16`, `u16` or `i32`; the pair, `i64 [2, 1]`. Output: `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requantize {
    /// The code of 0 of `x`.
    pub zero_x: i64,
    /// The code of 0 of the output.
    pub zero_y: i64,
    /// The least code of the output.
    pub low: i64,
    /// The largest code of the output.
    pub high: i64,
    /// The dtype of the output.
    pub to: DType,
}

impl Payload for Requantize {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        output_of!(self).attrs(&[("zero_x", self.zero_x)])
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, pair] = arity(NAME, inputs)?;
        if x.dtype == DType::I32 {
            integer::zero_point(NAME, "zero point of the input", x.dtype, self.zero_x)?;
        } else {
            integer::codes(NAME, "input", x, self.zero_x)?;
        }
        integer::pairs(NAME, pair, None)?;
        output_of!(self).check(NAME)?;
        one(self.to, x.shape.clone())
    }
}

impl Stored for Requantize {
    fn parse(name: &str, attrs: &Attrs) -> Found<Requantize> {
        let read = || {
            let Output { to, zero: zero_y, low, high } = Output::parse(NAME, attrs)?;
            Ok(Requantize { zero_x: attrs.int(NAME, "zero_x")?, zero_y, low, high, to })
        };
        (name == NAME).then(read)
    }
}
