//! `Col2Im`: blocks that stand in columns, added up to an image.

use super::stored::{Found, Stored};
use super::window::{Pads, Window};
use super::{Attr, Made, Operand, Payload, arity, ints, length, misfit, numbers, one, ranked};
use crate::op::Attrs;
use crate::{Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "Col2Im";

/// ONNX's `Col2Im`, the inverse of taking windows apart: what several windows hold is summed.
///
/// Inputs: `[N, C * block elements, windows]`, `image_shape: [axes]`, `block_shape: [axes]`. Output: `[N, C,
/// image_shape..]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Col2Im {
    /// Steps of windows, one an axis; none stands for 1 each.
    pub strides: Vec<usize>,
    /// Steps within a window, one an axis; none stands for 1 each.
    pub dilations: Vec<usize>,
    /// Elements before and after each axis, first all befores; none stands for 0 each.
    pub pads: Vec<usize>,
}

impl Payload for Col2Im {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![
            ("dilations", numbers(&self.dilations)),
            ("pads", numbers(&self.pads)),
            ("strides", numbers(&self.strides)),
        ]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, image, block] = arity(NAME, inputs)?;
        ranked(NAME, "image_shape", image, 1)?;
        ranked(NAME, "block_shape", block, 1)?;
        let Some([rows, depth, _]) = ranked(NAME, "input", x, 3)? else {
            return one(x.dtype, Shape::any());
        };
        let (Some(image), Some(block)) = (ints(image), ints(block)) else {
            return one(x.dtype, Shape::any());
        };
        if image.len() != block.len() {
            return Err(misfit(NAME, "block_shape", "as many axes as image_shape", &block.len()));
        }
        let pads = Pads::Explicit(self.pads.clone());
        let (strides, dilations) = (self.strides.clone(), self.dilations.clone());
        Window { kernel_shape: Vec::new(), strides, dilations, pads }.check(NAME, image.len())?;
        let size = |lengths: &[i64]| -> Result<Vec<Dim>, Error> {
            lengths.iter().map(|&n| Ok(Dim::Fixed(length(NAME, "shapes", n)?))).collect()
        };
        let channels = match (depth, super::product(NAME, &size(&block)?)?) {
            (Dim::Fixed(depth), Dim::Fixed(each)) if each > 0 && depth % each == 0 => {
                Dim::Fixed(depth / each)
            }
            (Dim::Fixed(_), _) => return Err(misfit(NAME, "input", "whole blocks", &x.describe())),
            _ => Dim::Unknown,
        };
        let mut dims = vec![rows.clone(), channels];
        dims.extend(size(&image)?);
        one(x.dtype, Shape(dims))
    }
}

impl Stored for Col2Im {
    fn parse(name: &str, attrs: &Attrs) -> Found<Col2Im> {
        (name == NAME).then(|| {
            Ok(Col2Im {
                strides: attrs.ints(NAME, "strides")?,
                dilations: attrs.ints(NAME, "dilations")?,
                pads: attrs.ints(NAME, "pads")?,
            })
        })
    }
}
