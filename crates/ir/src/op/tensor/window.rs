//! Windows that slide over axes: kernels, strides, dilations and pads of convolutions and pools.

use super::{Attr, misfit, numbers, word};
use crate::op::Attrs;
use crate::{Dim, Error};
use alloc::vec;
use alloc::vec::Vec;

/// How much stands before and after each axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pads {
    /// First all befores, then all afters; none stands for 0 each.
    Explicit(Vec<usize>),
    /// As many outputs as inputs by stride, of an odd pad more at the end.
    SameUpper,
    /// The same, more at the start.
    SameLower,
    /// None.
    Valid,
}

/// A window over the axes behind batch and channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its lengths; none of a convolution, whose weights say them.
    pub kernel_shape: Vec<usize>,
    /// Steps from window to window; none stands for 1 each.
    pub strides: Vec<usize>,
    /// Steps within a window; none stands for 1 each.
    pub dilations: Vec<usize>,
    /// What stands around the axes.
    pub pads: Pads,
}

/// A window along one axis of known length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Length of the axis.
    pub size: usize,
    /// Elements of the window.
    pub taps: usize,
    /// Steps from window to window.
    pub stride: usize,
    /// Steps within the window.
    pub dilation: usize,
    /// What stands before the axis.
    pub before: usize,
    /// What stands behind it.
    pub after: usize,
    /// Number of windows.
    pub out: usize,
}

impl Span {
    /// Place on the axis of an element of a window; none in the pad.
    #[inline]
    pub fn place(&self, window: usize, element: usize) -> Option<usize> {
        (window * self.stride + element * self.dilation).checked_sub(self.before).filter(|&at| at < self.size)
    }
}

impl Window {
    /// Attributes as they are printed.
    pub(super) fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let mut attrs = vec![
            ("kernel_shape", numbers(&self.kernel_shape)),
            ("strides", numbers(&self.strides)),
            ("dilations", numbers(&self.dilations)),
        ];
        attrs.push(match &self.pads {
            Pads::Explicit(pads) => ("pads", numbers(pads)),
            Pads::SameUpper => ("auto_pad", word("SAME_UPPER")),
            Pads::SameLower => ("auto_pad", word("SAME_LOWER")),
            Pads::Valid => ("auto_pad", word("VALID")),
        });
        attrs
    }

    /// Reads the attributes back.
    pub(super) fn parse(op: &'static str, attrs: &Attrs) -> Result<Window, Error> {
        let pads = match attrs.maybe("pads", |a| a.ints(op, "pads"))? {
            Some(pads) => Pads::Explicit(pads),
            None => match attrs.word(op, "auto_pad")? {
                "SAME_UPPER" => Pads::SameUpper,
                "SAME_LOWER" => Pads::SameLower,
                "VALID" => Pads::Valid,
                other => return Err(misfit(op, "auto_pad", "SAME_UPPER, SAME_LOWER or VALID", &other)),
            },
        };
        Ok(Window {
            kernel_shape: attrs.ints(op, "kernel_shape")?,
            strides: attrs.ints(op, "strides")?,
            dilations: attrs.ints(op, "dilations")?,
            pads,
        })
    }

    /// Refuses attributes that do not fit `rank` axes.
    pub(super) fn check(&self, op: &'static str, rank: usize) -> Result<(), Error> {
        let fits = |v: &[usize], n: usize| v.is_empty() || v.len() == n;
        let pads_fit = match &self.pads {
            Pads::Explicit(pads) => fits(pads, 2 * rank),
            Pads::SameUpper | Pads::SameLower | Pads::Valid => true,
        };
        if !(fits(&self.kernel_shape, rank)
            && fits(&self.strides, rank)
            && fits(&self.dilations, rank)
            && pads_fit)
        {
            let expected = alloc::format!("one for each of {rank} axes");
            let got =
                alloc::format!("{} {} {}", self.kernel_shape.len(), self.strides.len(), self.dilations.len());
            return Err(misfit(op, "lengths of kernel_shape, strides, dilations, pads", &expected, &got));
        }
        let all = self.kernel_shape.iter().chain(&self.strides).chain(&self.dilations);
        match all.copied().find(|&n| n == 0 || n > u32::MAX as usize) {
            Some(n) => Err(misfit(op, "kernel_shape, strides, dilations", "1 to 2^32 - 1", &n)),
            None => Ok(()),
        }
    }

    fn stride(&self, axis: usize) -> usize {
        self.strides.get(axis).copied().unwrap_or(1)
    }

    fn dilation(&self, axis: usize) -> usize {
        self.dilations.get(axis).copied().unwrap_or(1)
    }

    /// Given pads of an axis; none where they follow from lengths.
    pub(super) fn given(&self, axis: usize, rank: usize) -> Option<(usize, usize)> {
        match &self.pads {
            Pads::Explicit(pads) if pads.is_empty() => Some((0, 0)),
            Pads::Explicit(pads) => Some((*pads.get(axis)?, *pads.get(axis + rank)?)),
            Pads::Valid => Some((0, 0)),
            Pads::SameUpper | Pads::SameLower => None,
        }
    }

    /// The window along one axis.
    ///
    /// # Errors
    /// Attributes that do not fit the axes; a window that is longer than the padded axis.
    pub fn span(
        &self,
        op: &'static str,
        (axis, rank): (usize, usize),
        size: usize,
        kernel: usize,
        ceil: bool,
    ) -> Result<Span, Error> {
        let (stride, dilation) = (self.stride(axis), self.dilation(axis));
        let too_long = || misfit(op, "lengths", "a window that can be counted", &kernel);
        if kernel == 0 {
            return Err(misfit(op, "kernel_shape", "1 or more", &kernel));
        }
        let reach = (kernel - 1).checked_mul(dilation).and_then(|n| n.checked_add(1)).ok_or_else(too_long)?;
        if let Some((before, after)) = self.given(axis, rank) {
            let padded = size.checked_add(before).and_then(|n| n.checked_add(after)).ok_or_else(too_long)?;
            let Some(room) = padded.checked_sub(reach) else {
                let expected = alloc::format!("an axis of {reach} with its pads");
                return Err(misfit(op, "input", &expected, &padded));
            };
            let mut out = if ceil { room.div_ceil(stride) } else { room / stride } + 1;
            // A window that begins behind the axis does not count.
            if ceil && (out - 1).saturating_mul(stride) >= size + before {
                out -= 1;
            }
            return Ok(Span { size, taps: kernel, stride, dilation, before, after, out });
        }
        let out = size.div_ceil(stride);
        let needed = out.saturating_sub(1).checked_mul(stride).and_then(|n| n.checked_add(reach));
        let pad = needed.ok_or_else(too_long)?.saturating_sub(size);
        let before = if self.pads == Pads::SameLower { pad.div_ceil(2) } else { pad / 2 };
        Ok(Span { size, taps: kernel, stride, dilation, before, after: pad - before, out })
    }

    /// Lengths of the output for axes and a kernel of which some may not be known.
    pub(super) fn dims(
        &self,
        op: &'static str,
        axes: &[Dim],
        kernel: &[Dim],
        ceil: bool,
    ) -> Result<Vec<Dim>, Error> {
        let rank = axes.len();
        let mut dims = Vec::with_capacity(rank);
        for (axis, (size, kernel)) in axes.iter().zip(kernel).enumerate() {
            dims.push(match (size, kernel) {
                (Dim::Fixed(size), Dim::Fixed(kernel)) => {
                    Dim::Fixed(self.span(op, (axis, rank), *size, *kernel, ceil)?.out)
                }
                // The window of one element and stride 1 keeps a length whatever it is.
                (size, Dim::Fixed(1)) if self.stride(axis) == 1 && self.given(axis, rank) == Some((0, 0)) => {
                    size.clone()
                }
                _ => Dim::Unknown,
            });
        }
        Ok(dims)
    }

    /// The kernel's lengths: its own, or else those of weights.
    pub(super) fn kernel_dims(&self, op: &'static str, weights: &[Dim]) -> Result<Vec<Dim>, Error> {
        let own: Vec<Dim> = self.kernel_shape.iter().map(|&n| Dim::Fixed(n)).collect();
        if own.is_empty() {
            return Ok(weights.to_vec());
        }
        let both = own.iter().zip(weights).map(|(a, b)| super::met(a, b));
        both.collect::<Option<_>>().ok_or_else(|| {
            let got = crate::Shape(weights.to_vec());
            misfit(op, "kernel_shape", &alloc::format!("{}", crate::Shape(own.clone())), &got)
        })
    }
}
