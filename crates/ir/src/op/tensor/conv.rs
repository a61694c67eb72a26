//! `Conv`, `ConvInteger`: convolution over any number of axes.

use super::stored::{Found, Stored};
use super::window::Window;
use super::{Attr, Made, Operand, Payload, alike, between, floats, met, misfit, one};
use crate::op::Attrs;
use crate::{DType, Dim, Error, Shape};
use alloc::vec::Vec;

/// ONNX's operators of these names: `y[n, m] = sum_c sum_k x[n, c, window + k] * w[m, c, k] + b[m]`, with channels
/// in `group` groups.
///
/// Inputs: `x: [N, C, ..]`, `w: [M, C / group, kernel..]`, and of floats a bias `[M]` that may be left out; integers
/// take `x` and `w` of 8 bits, then their zero points, the second `[]` or `[M]`; pads are zero points, and the
/// output is `i32`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conv {
    /// The window.
    pub window: Window,
    /// Groups of channels.
    pub group: usize,
    /// Integers of 8 bits, not floats.
    pub of_integers: bool,
}

/// Axes of an image and of the weights beside it.
pub(super) type ImageAndWeights<'a> = (&'a [Dim], &'a [Dim]);

/// Batch, channels and axes of an image, and the weights beside it; none while either rank is unknown.
pub(super) fn parts<'a>(
    op: &'static str,
    x: &Operand<'a>,
    w: &Operand<'a>,
) -> Result<Option<ImageAndWeights<'a>>, Error> {
    match (x.shape.axes(), w.shape.axes()) {
        (Some(x), Some(w)) if x.len() == w.len() && x.len() >= 3 => Ok(Some((x, w))),
        (Some(_), Some(_)) => {
            let got = alloc::format!("{} and {}", x.describe(), w.describe());
            Err(misfit(op, "input and weights", "[N, C, ..] and [M, C, ..] of one rank", &got))
        }
        _ => Ok(None),
    }
}

impl Payload for Conv {
    fn name(&self) -> &'static str {
        if self.of_integers { "ConvInteger" } else { "Conv" }
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let mut attrs = self.window.attrs();
        attrs.push(("group", super::numbers(&[self.group])));
        attrs
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let name = self.name();
        let dtype =
            if self.of_integers { DType::I32 } else { inputs.first().map_or(DType::F32, |x| x.dtype) };
        between(name, inputs, if self.of_integers { 4 } else { 2 }, if self.of_integers { 4 } else { 3 })?;
        let (x, w) = (&inputs[0], &inputs[1]);
        if self.of_integers {
            for pair in [[x, &inputs[2]], [w, &inputs[3]]] {
                if !matches!(pair[0].dtype, DType::U8 | DType::I8) || pair[1].dtype != pair[0].dtype {
                    return Err(misfit(
                        name,
                        "inputs",
                        "u8 or i8, and zero points alike",
                        &pair[1].describe(),
                    ));
                }
            }
        } else {
            floats(name, "input", x)?;
            alike(name, x, &inputs[1..])?;
        }
        let Some((axes, weights)) = parts(name, x, w)? else { return one(dtype, Shape::any()) };
        let spatial = axes.len() - 2;
        self.window.check(name, spatial)?;
        if self.group == 0 {
            return Err(misfit(name, "group", "1 or more", &self.group));
        }
        if let (Dim::Fixed(c), Dim::Fixed(each)) = (&axes[1], &weights[1])
            && each.checked_mul(self.group) != Some(*c)
        {
            let expected = alloc::format!("{c} channels in {} groups", self.group);
            return Err(misfit(name, "weights", &expected, &w.describe()));
        }
        if matches!(weights[0], Dim::Fixed(m) if m % self.group != 0) {
            return Err(misfit(name, "weights", "outputs in whole groups", &w.describe()));
        }
        let per_output = if self.of_integers { inputs.get(3) } else { inputs.get(2) };
        match per_output.map(|b| b.shape.axes()) {
            None | Some(None) => {}
            Some(Some([n])) if met(n, &weights[0]).is_some() || *n == Dim::Fixed(1) && self.of_integers => {}
            Some(Some([])) if self.of_integers => {}
            Some(Some(_)) => {
                let expected = alloc::format!("[{}]", weights[0]);
                let got = per_output.map(Operand::describe).unwrap_or_default();
                return Err(misfit(name, "bias or zero point", &expected, &got));
            }
        }
        let kernel = self.window.kernel_dims(name, &weights[2..])?;
        let mut dims = alloc::vec![axes[0].clone(), weights[0].clone()];
        dims.extend(self.window.dims(name, &axes[2..], &kernel, false)?);
        one(dtype, Shape(dims))
    }

    fn is_exact(&self) -> bool {
        self.of_integers
    }
}

impl Stored for Conv {
    fn parse(name: &str, attrs: &Attrs) -> Found<Conv> {
        let (of_integers, op) =
            [(false, "Conv"), (true, "ConvInteger")].into_iter().find(|(_, op)| *op == name)?;
        let read = || {
            let (window, group) = (Window::parse(op, attrs)?, attrs.count(op, "group")?);
            Ok(Conv { window, group, of_integers })
        };
        Some(read())
    }
}
