//! `CenterCropPad`: a tensor cut and padded around its centre.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, axes_of, ints, length, misfit, one, ranked};
use crate::op::Attrs;
use crate::{Dim, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "CenterCropPad";

/// ONNX's `CenterCropPad`: axes that are too long lose elements at both ends, axes that are too short gain zeros;
/// of an odd difference the end gets more.
///
/// Inputs: any tensor, and `shape: [number of axes]`. Output: the same dtype.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CenterCropPad {
    /// The axes; none stands for all of them in order.
    pub axes: Option<Vec<i64>>,
}

impl CenterCropPad {
    /// The axes from 0.
    ///
    /// # Errors
    /// Axes that a tensor of this rank has not.
    pub fn places(&self, rank: usize) -> Result<Vec<usize>, crate::Error> {
        match &self.axes {
            Some(axes) => axes_of(NAME, axes, rank),
            None => Ok((0..rank).collect()),
        }
    }
}

impl Payload for CenterCropPad {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        self.axes.iter().map(|axes| ("axes", Attr::Ints(axes.clone()))).collect()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, shape] = arity(NAME, inputs)?;
        ranked(NAME, "shape", shape, 1)?;
        let Some(axes) = x.shape.axes() else { return one(x.dtype, Shape::any()) };
        let places = self.places(axes.len())?;
        let mut dims = axes.to_vec();
        match ints(shape) {
            Some(lengths) if lengths.len() != places.len() => {
                return Err(misfit(NAME, "shape", "a length for each axis", &shape.describe()));
            }
            Some(lengths) => {
                for (&axis, &n) in places.iter().zip(&lengths) {
                    dims[axis] = Dim::Fixed(length(NAME, "shape", n)?);
                }
            }
            None => places.iter().for_each(|&axis| dims[axis] = Dim::Unknown),
        }
        Ok(vec![(x.dtype, Shape(dims))])
    }
}

impl Stored for CenterCropPad {
    fn parse(name: &str, attrs: &Attrs) -> Found<CenterCropPad> {
        (name == NAME).then(|| Ok(CenterCropPad { axes: attrs.maybe("axes", |a| a.ints(NAME, "axes"))? }))
    }
}
