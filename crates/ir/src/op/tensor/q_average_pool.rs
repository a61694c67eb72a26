//! `QAveragePool`: means of windows of the integer form.

use super::integer::{self, Output, output_of};
use super::pool::pooled;
use super::stored::{Found, Stored};
use super::window::Window;
use super::{Attr, Made, Operand, Payload, arity, flag, one};
use crate::DType;
use crate::op::Attrs;
use alloc::vec::Vec;

const NAME: &str = "QAveragePool";

/// `y = clamp(floor((2 sum m + count 2^s) / (2 count 2^s)) + zero_y, low, high)`, where `sum` is that of `x - zero_x` over
/// a window and `count` its elements, those in the pads too where they count; 1 of a window that has none.
///
/// Inputs: `x: [N, C, ..]` of `i8`, `u8`, `i16` or `u16`; the pair `(m, s)`, `i64 [2, 1]`. Output: `to [N, C, windows..]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QAveragePool {
    /// The window; its kernel is given.
    pub window: Window,
    /// Pads count, as `zero_x`.
    pub count_pads: bool,
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

impl Payload for QAveragePool {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let mut attrs = self.window.attrs();
        attrs.push(("count_include_pad", flag(self.count_pads)));
        attrs.extend(output_of!(self).attrs(&[("zero_x", self.zero_x)]));
        attrs
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, pair] = arity(NAME, inputs)?;
        integer::codes(NAME, "input", x, self.zero_x)?;
        integer::pairs(NAME, pair, None)?;
        output_of!(self).check(NAME)?;
        one(self.to, pooled(NAME, &self.window, x, false)?)
    }
}

impl Stored for QAveragePool {
    fn parse(name: &str, attrs: &Attrs) -> Found<QAveragePool> {
        let read = || {
            let Output { to, zero: zero_y, low, high } = Output::parse(NAME, attrs)?;
            Ok(QAveragePool {
                window: Window::parse(NAME, attrs)?,
                count_pads: attrs.flag(NAME, "count_include_pad")?,
                zero_x: attrs.int(NAME, "zero_x")?,
                zero_y,
                low,
                high,
                to,
            })
        };
        (name == NAME).then(read)
    }
}
