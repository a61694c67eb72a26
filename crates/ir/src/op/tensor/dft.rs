//! `DFT`: the discrete Fourier transform along an axis.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, axis_of, between, flag, floats, ints, length, misfit, one};
use crate::op::Attrs;
use crate::{Dim, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "DFT";

/// Longest transform, whose work grows with the square.
const MAX_LENGTH: usize = 1 << 16;

/// ONNX's `DFT`: `X[k] = sum_n x[n] e^(-2 pi i k n / length)`, or with the other sign and divided by the length.
/// The last axis is real (1) or real and imaginary (2). Computed in double precision, in time `length^2`.
///
/// Inputs: `x: [.., 1 or 2]`, `axis: i64 []`, and a length that may be left out; the axis is cut or padded with
/// zeros to it. Output: complex; `onesided` the first half only; one-sided and inverse takes half and gives reals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dft {
    /// From frequencies back.
    pub inverse: bool,
    /// Half of the frequencies, which tell all of a real signal.
    pub onesided: bool,
}

impl Payload for Dft {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("inverse", flag(self.inverse)), ("onesided", flag(self.onesided))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        between(NAME, inputs, 2, 3)?;
        let x = &inputs[0];
        floats(NAME, "input", x)?;
        let Some(axes) = x.shape.axes() else { return one(x.dtype, Shape::any()) };
        let Some(last) = axes.len().checked_sub(1).filter(|&l| l > 0) else {
            return Err(misfit(NAME, "input", "[.., 1 or 2]", &x.describe()));
        };
        if matches!(axes[last], Dim::Fixed(n) if n != 1 && n != 2) {
            return Err(misfit(NAME, "input", "[.., 1 or 2]", &x.describe()));
        }
        let mut dims = axes.to_vec();
        dims[last] = Dim::Fixed(if self.inverse && self.onesided { 1 } else { 2 });
        let Some(&[axis]) = ints(&inputs[1]).as_deref() else {
            dims[..last].fill(Dim::Unknown);
            return one(x.dtype, Shape(dims));
        };
        let axis = axis_of(NAME, axis, axes.len())?;
        if axis == last {
            return Err(misfit(NAME, "axis", "one before the last", &axis));
        }
        let n = match (inputs.get(2), &axes[axis]) {
            (None, Dim::Fixed(n)) if self.inverse && self.onesided => Dim::Fixed(n.saturating_sub(1) * 2),
            (None, dim) => dim.clone(),
            (Some(given), _) => match ints(given).as_deref() {
                Some(&[n]) => Dim::Fixed(length(NAME, "dft_length", n)?),
                Some(_) => return Err(misfit(NAME, "dft_length", "one number", &given.describe())),
                None => Dim::Unknown,
            },
        };
        if matches!(n, Dim::Fixed(n) if n > MAX_LENGTH) {
            return Err(misfit(NAME, "dft_length", "at most 65536", &n));
        }
        dims[axis] = match (self.onesided && !self.inverse, n) {
            (true, Dim::Fixed(n)) => Dim::Fixed(n / 2 + 1),
            (true, _) => Dim::Unknown,
            (false, n) => n,
        };
        one(x.dtype, Shape(dims))
    }

    fn is_exact(&self) -> bool {
        false
    }
}

impl Stored for Dft {
    fn parse(name: &str, attrs: &Attrs) -> Found<Dft> {
        (name == NAME).then(|| {
            Ok(Dft { inverse: attrs.flag(NAME, "inverse")?, onesided: attrs.flag(NAME, "onesided")? })
        })
    }
}
