//! `QConv`: convolution of the integer form.

use super::conv::parts;
use super::integer::{self, Output, output_of};
use super::stored::{Found, Stored};
use super::window::Window;
use super::{Attr, Made, Operand, Payload, arity, misfit, numbers, one};
use crate::op::Attrs;
use crate::{DType, Dim, Shape};
use alloc::vec::Vec;

const NAME: &str = "QConv";

/// `acc[n, m] = bias[m] + sum_c sum_k (x[n, c, window + k] - zero_x) w[m, c, k]` with channels in `group` groups, then
/// `y = clamp(pair_m(acc) + zero_y, low, high)`. Pads count as `zero_x`.
///
/// Inputs: `x: [N, C, ..]` of `i8`, `u8`, `i16` or `u16`; `w: [M, C / group, kernel..]` of `i8`, `u8`, `i16`, `i4`, `u4`,
/// `i2` or `u2`; the bias, `i32 [M]`; pairs, `i64 [2, M]` or `[2, 1]`, first all multipliers, then all shifts. Output:
/// `to [N, M, ..]`. Sums are in i64; a pair is [`crate::fixed::Requantize`], for which a sum beyond 2^32 - 1 counts as that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QConv {
    /// The window.
    pub window: Window,
    /// Groups of channels.
    pub group: usize,
    /// The code of 0 of `x`.
    pub zero_x: i64,
    /// The code of 0 of the output.
    pub zero_y: i64,
    /// The least code of the output.
    pub low: i64,
    /// The largest code of the output.
    pub high: i64,
    /// The dtype of the output: that of codes, or `i32`.
    pub to: DType,
}

impl Payload for QConv {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let mut attrs = self.window.attrs();
        attrs.push(("group", numbers(&[self.group])));
        attrs.extend(output_of!(self).attrs(&[("zero_x", self.zero_x)]));
        attrs
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, w, bias, pairs] = arity(NAME, inputs)?;
        integer::codes(NAME, "input", x, self.zero_x)?;
        integer::weights(NAME, w)?;
        output_of!(self).check_sums(NAME)?;
        if self.group == 0 {
            return Err(misfit(NAME, "group", "1 or more", &self.group));
        }
        let both = parts(NAME, x, w)?;
        let channels = w.shape.axes().and_then(|axes| axes.first());
        integer::bias(NAME, bias, channels)?;
        integer::pairs(NAME, pairs, channels)?;
        let Some((axes, weights)) = both else { return one(self.to, Shape::any()) };
        self.window.check(NAME, axes.len() - 2)?;
        if let (Dim::Fixed(c), Dim::Fixed(each)) = (&axes[1], &weights[1])
            && each.checked_mul(self.group) != Some(*c)
        {
            let expected = alloc::format!("{c} channels in {} groups", self.group);
            return Err(misfit(NAME, "weights", &expected, &w.describe()));
        }
        if matches!(weights[0], Dim::Fixed(m) if m % self.group != 0) {
            return Err(misfit(NAME, "weights", "outputs in whole groups", &w.describe()));
        }
        integer::summed(NAME, &weights[1..])?;
        let kernel = self.window.kernel_dims(NAME, &weights[2..])?;
        let mut dims = alloc::vec![axes[0].clone(), weights[0].clone()];
        dims.extend(self.window.dims(NAME, &axes[2..], &kernel, false)?);
        one(self.to, Shape(dims))
    }
}

impl Stored for QConv {
    fn parse(name: &str, attrs: &Attrs) -> Found<QConv> {
        let read = || {
            let Output { to, zero: zero_y, low, high } = Output::parse(NAME, attrs)?;
            Ok(QConv {
                window: Window::parse(NAME, attrs)?,
                group: attrs.count(NAME, "group")?,
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
