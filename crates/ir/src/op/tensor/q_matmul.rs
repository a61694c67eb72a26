//! `QMatMul`: products of matrices of the integer form.

use super::integer::{self, Output, output_of};
use super::matmul::shape;
use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, between, misfit, one};
use crate::DType;
use crate::op::Attrs;
use alloc::vec::Vec;

const NAME: &str = "QMatMul";

/// `acc[.., m] = bias[m] + sum_k (x[.., k] - zero_x) (w[.., k, m] - zero_w)`, then
/// `y = clamp(pair_m(acc) + zero_y, low, high)`.
///
/// Inputs: `x: [.., K]` of `i8`, `u8`, `i16` or `u16`; `w: [K, M]` or `[.., K, M]`, of these or of `i4`, `u4`, `i2`, `u2`;
/// the bias, `i32 [M]`, which may be left out; pairs, `i64 [2, M]` or `[2, 1]`. Axes before matrices broadcast as those
/// of `MatMul`. Output: `to`. Sums are in i64, and a pair takes them as in [`super::QConv`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QMatMul {
    /// The code of 0 of `x`.
    pub zero_x: i64,
    /// The code of 0 of `w`.
    pub zero_w: i64,
    /// The code of 0 of the output.
    pub zero_y: i64,
    /// The least code of the output.
    pub low: i64,
    /// The largest code of the output.
    pub high: i64,
    /// The dtype of the output: that of codes, or `i32`.
    pub to: DType,
}

impl Payload for QMatMul {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        output_of!(self).attrs(&[("zero_x", self.zero_x), ("zero_w", self.zero_w)])
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        between(NAME, inputs, 3, 4)?;
        let (x, w) = (&inputs[0], &inputs[1]);
        integer::codes(NAME, "input", x, self.zero_x)?;
        if w.dtype != DType::U16 {
            integer::weights(NAME, w)?;
        }
        integer::zero_point(NAME, "zero point of the weights", w.dtype, self.zero_w)?;
        output_of!(self).check_sums(NAME)?;
        let axes = w.shape.axes();
        if axes.is_some_and(|axes| axes.len() < 2) {
            return Err(misfit(NAME, "weights", "[K, M] or [.., K, M]", &w.describe()));
        }
        let channels = axes.and_then(|axes| axes.last());
        if inputs.len() == 4 {
            integer::bias(NAME, &inputs[2], channels)?;
        }
        integer::pairs(NAME, &inputs[inputs.len() - 1], channels)?;
        let made = shape(NAME, x, w)?;
        if let Some([.., depth, _]) = axes {
            integer::summed(NAME, core::slice::from_ref(depth))?;
        }
        one(self.to, made)
    }
}

impl Stored for QMatMul {
    fn parse(name: &str, attrs: &Attrs) -> Found<QMatMul> {
        let read = || {
            let Output { to, zero: zero_y, low, high } = Output::parse(NAME, attrs)?;
            Ok(QMatMul {
                zero_x: attrs.int(NAME, "zero_x")?,
                zero_w: attrs.int(NAME, "zero_w")?,
                zero_y,
                low,
                high,
                to,
            })
        };
        (name == NAME).then(read)
    }
}
