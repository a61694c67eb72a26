//! `QMean`: means over axes of the integer form.

use super::integer::{self, Output, output_of};
use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, axes_of, flag, one};
use crate::op::Attrs;
use crate::{DType, Dim, Error, Shape};
use alloc::vec::Vec;

const NAME: &str = "QMean";

/// `y = clamp(floor((2 sum m + count 2^s) / (2 count 2^s)) + zero_y, low, high)`, where `sum` is that of `x - zero_x` over
/// whole axes and `count` their elements; 1 where there are none.
///
/// Inputs: `x` of `i8`, `u8`, `i16` or `u16`; the pair `(m, s)`, `i64 [2, 1]`. Output: `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QMean {
    /// The axes; negative from the end; none stands for all.
    pub axes: Vec<i64>,
    /// The axes stay, with length 1.
    pub keep: bool,
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

impl QMean {
    /// The axes from 0.
    ///
    /// # Errors
    /// Axes that a tensor of this rank has not.
    pub fn places(&self, rank: usize) -> Result<Vec<usize>, Error> {
        if self.axes.is_empty() { Ok((0..rank).collect()) } else { axes_of(NAME, &self.axes, rank) }
    }
}

impl Payload for QMean {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let mut attrs = alloc::vec![("axes", Attr::Ints(self.axes.clone())), ("keepdims", flag(self.keep))];
        attrs.extend(output_of!(self).attrs(&[("zero_x", self.zero_x)]));
        attrs
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, pair] = arity(NAME, inputs)?;
        integer::codes(NAME, "input", x, self.zero_x)?;
        integer::pairs(NAME, pair, None)?;
        output_of!(self).check(NAME)?;
        let Some(dims) = x.shape.axes() else { return one(self.to, Shape::any()) };
        let places = self.places(dims.len())?;
        let kept = |(at, dim): (usize, &Dim)| match (places.contains(&at), self.keep) {
            (false, _) => Some(dim.clone()),
            (true, true) => Some(Dim::Fixed(1)),
            (true, false) => None,
        };
        one(self.to, Shape(dims.iter().enumerate().filter_map(kept).collect()))
    }
}

impl Stored for QMean {
    fn parse(name: &str, attrs: &Attrs) -> Found<QMean> {
        let read = || {
            let Output { to, zero: zero_y, low, high } = Output::parse(NAME, attrs)?;
            Ok(QMean {
                axes: attrs.ints(NAME, "axes")?,
                keep: attrs.flag(NAME, "keepdims")?,
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
