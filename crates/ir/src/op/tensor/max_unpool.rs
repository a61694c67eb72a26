//! `MaxUnpool`: puts the largest of windows back to their places.

use super::constant_of_shape::stated;
use super::stored::{Found, Stored};
use super::window::Window;
use super::{Attr, Made, Operand, Payload, between, met, misfit, one, whole};
use crate::op::Attrs;
use crate::{Dim, Shape};
use alloc::vec::Vec;

const NAME: &str = "MaxUnpool";

/// ONNX's `MaxUnpool`. Inputs: `x: [N, C, ..]`, its places in the flat tensor that was pooled, `i64` alike, and the
/// output's shape, which may be left out; a longer one gets zeros at its ends. Output: zeros but for the places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaxUnpool {
    /// The window that was pooled.
    pub window: Window,
}

impl MaxUnpool {
    /// The shape that was pooled to these axes; places are those of it.
    pub fn pooled(&self, axes: &[Dim]) -> Vec<Dim> {
        let rank = axes.len().saturating_sub(2);
        let mut dims = axes.to_vec();
        for (axis, size) in dims.iter_mut().skip(2).enumerate() {
            let stride = self.window.strides.get(axis).copied().unwrap_or(1);
            let kernel = self.window.kernel_shape.get(axis).copied().unwrap_or(1);
            *size = match (&*size, self.window.given(axis, rank)) {
                (Dim::Fixed(n), Some((before, after))) => {
                    let whole = n.saturating_sub(1).saturating_mul(stride).saturating_add(kernel);
                    Dim::Fixed(whole.saturating_sub(before.saturating_add(after)))
                }
                _ => Dim::Unknown,
            };
        }
        dims
    }
}

impl Payload for MaxUnpool {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        self.window.attrs()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        between(NAME, inputs, 2, 3)?;
        let (x, places) = (&inputs[0], &inputs[1]);
        whole(NAME, "indices", places)?;
        let (Some(axes), Some(own)) = (x.shape.axes(), places.shape.axes()) else {
            return one(x.dtype, Shape::any());
        };
        let alike = axes.len() == own.len() && axes.iter().zip(own).all(|(a, b)| met(a, b).is_some());
        if !alike || axes.len() < 3 || self.window.kernel_shape.len() != axes.len() - 2 {
            return Err(misfit(NAME, "indices", &x.describe(), &places.describe()));
        }
        self.window.check(NAME, axes.len() - 2)?;
        let Some(shape) = inputs.get(2) else { return one(x.dtype, Shape(self.pooled(axes))) };
        let shape = stated(NAME, shape)?;
        let fits = shape.axes().is_none_or(|wanted| {
            let is_shorter =
                |(have, want): (Dim, &Dim)| matches!((have, want), (Dim::Fixed(h), Dim::Fixed(w)) if *w < h);
            wanted.len() == axes.len() && !self.pooled(axes).into_iter().zip(wanted).any(is_shorter)
        });
        if !fits {
            let expected = alloc::format!("at least {}", Shape(self.pooled(axes)));
            return Err(misfit(NAME, "output_shape", &expected, &shape));
        }
        one(x.dtype, shape)
    }
}

impl Stored for MaxUnpool {
    fn parse(name: &str, attrs: &Attrs) -> Found<MaxUnpool> {
        (name == NAME).then(|| Ok(MaxUnpool { window: Window::parse(NAME, attrs)? }))
    }
}
