//! `ConvTranspose`: the transpose of a convolution.

use super::conv::parts;
use super::stored::{Found, Stored};
use super::window::{Pads, Span, Window};
use super::{Attr, Made, Operand, Payload, alike, between, floats, misfit, numbers, one};
use crate::op::Attrs;
use crate::{Dim, Error, Shape};
use alloc::vec::Vec;

const NAME: &str = "ConvTranspose";

/// ONNX's `ConvTranspose`: each element of `x`, times the weights, is added to a window of the output.
///
/// Inputs: `x: [N, C, ..]`, `w: [C, M / group, kernel..]`, and a bias `[M]` that may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvTranspose {
    /// The window; its pads are taken off the output.
    pub window: Window,
    /// Groups of channels.
    pub group: usize,
    /// Added to the end of each axis; none stands for 0 each.
    pub output_padding: Vec<usize>,
    /// Lengths of the output, from which pads follow.
    pub output_shape: Option<Vec<usize>>,
}

impl ConvTranspose {
    /// The window along one axis of the output, whose number of windows is the length of the input's axis.
    ///
    /// # Errors
    /// Lengths that cannot be counted, pads longer than the output.
    pub fn span(&self, (axis, rank): (usize, usize), size: usize, kernel: usize) -> Result<Span, Error> {
        let stride = self.window.strides.get(axis).copied().unwrap_or(1);
        let dilation = self.window.dilations.get(axis).copied().unwrap_or(1);
        let extra = self.output_padding.get(axis).copied().unwrap_or(0);
        let whole = || {
            let reach = kernel.checked_sub(1)?.checked_mul(dilation)?.checked_add(1)?;
            size.saturating_sub(1).checked_mul(stride)?.checked_add(reach)?.checked_add(extra)
        };
        let whole = whole().ok_or_else(|| misfit(NAME, "lengths", "an output that can be counted", &size))?;
        let (before, out) = match (&self.output_shape, self.window.given(axis, rank)) {
            (None, Some((before, after))) => {
                let out = before.checked_add(after).and_then(|pads| whole.checked_sub(pads));
                let out =
                    out.ok_or_else(|| misfit(NAME, "pads", &alloc::format!("at most {whole}"), &before))?;
                (before, out)
            }
            (shape, _) => {
                let out = match shape {
                    Some(shape) => shape.get(axis).copied().unwrap_or(whole),
                    None => size.checked_mul(stride).unwrap_or(whole),
                };
                let pad = whole.saturating_sub(out);
                let is_upper = self.window.pads == Pads::SameUpper;
                (if is_upper { pad / 2 } else { pad - pad / 2 }, out)
            }
        };
        let after = whole.saturating_sub(before).saturating_sub(out);
        Ok(Span { size: out, taps: kernel, stride, dilation, before, after, out: size })
    }
}

impl Payload for ConvTranspose {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let mut attrs = self.window.attrs();
        attrs.push(("group", numbers(&[self.group])));
        attrs.push(("output_padding", numbers(&self.output_padding)));
        if let Some(shape) = &self.output_shape {
            attrs.push(("output_shape", numbers(shape)));
        }
        attrs
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        between(NAME, inputs, 2, 3)?;
        let (x, w) = (&inputs[0], &inputs[1]);
        floats(NAME, "input", x)?;
        alike(NAME, x, &inputs[1..])?;
        let Some((axes, weights)) = parts(NAME, x, w)? else { return one(x.dtype, Shape::any()) };
        let rank = axes.len() - 2;
        self.window.check(NAME, rank)?;
        let fits = |v: &[usize]| v.is_empty() || v.len() == rank;
        if !fits(&self.output_padding) || self.output_shape.as_deref().is_some_and(|s| s.len() != rank) {
            let expected = alloc::format!("one for each of {rank} axes");
            return Err(misfit(
                NAME,
                "output_padding or output_shape",
                &expected,
                &self.output_padding.len(),
            ));
        }
        if super::met(&axes[1], &weights[0]).is_none() || self.group == 0 {
            let expected = alloc::format!("[{}, M, ..] in 1 or more groups", axes[1]);
            return Err(misfit(NAME, "weights", &expected, &w.describe()));
        }
        if matches!(axes[1], Dim::Fixed(c) if c % self.group != 0) {
            return Err(misfit(NAME, "group", "whole groups of channels", &self.group));
        }
        let outputs = match &weights[1] {
            Dim::Fixed(m) => Dim::Fixed(m.saturating_mul(self.group)),
            _ => Dim::Unknown,
        };
        if let Some(bias) = inputs.get(2)
            && bias.shape.axes().is_some_and(|b| !matches!(b, [n] if super::met(n, &outputs).is_some()))
        {
            return Err(misfit(NAME, "bias", &alloc::format!("[{outputs}]"), &bias.describe()));
        }
        let kernel = self.window.kernel_dims(NAME, &weights[2..])?;
        let mut dims = alloc::vec![axes[0].clone(), outputs];
        for (axis, (size, kernel)) in axes[2..].iter().zip(&kernel).enumerate() {
            dims.push(match (size, kernel) {
                (Dim::Fixed(size), Dim::Fixed(kernel)) => {
                    Dim::Fixed(self.span((axis, rank), *size, *kernel)?.size)
                }
                _ => Dim::Unknown,
            });
        }
        one(x.dtype, Shape(dims))
    }

    fn is_exact(&self) -> bool {
        false
    }
}

impl Stored for ConvTranspose {
    fn parse(name: &str, attrs: &Attrs) -> Found<ConvTranspose> {
        (name == NAME).then(|| {
            Ok(ConvTranspose {
                window: Window::parse(NAME, attrs)?,
                group: attrs.count(NAME, "group")?,
                output_padding: attrs.ints(NAME, "output_padding")?,
                output_shape: attrs.maybe("output_shape", |a| a.ints(NAME, "output_shape"))?,
            })
        })
    }
}
