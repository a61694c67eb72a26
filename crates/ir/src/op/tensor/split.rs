//! `Split`: a tensor in parts.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, axis_of, between, ints, length, misfit, numbers, whole};
use crate::op::Attrs;
use crate::{Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "Split";

/// ONNX's `Split`. Inputs: any tensor, and the lengths of the parts, `i64 [n_parts]`, which may be left out for equal
/// parts, the last one shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// The axis; negative from the end.
    pub axis: i64,
    /// Number of parts.
    pub n_parts: usize,
}

impl Split {
    /// Lengths of the parts of an axis.
    ///
    /// # Errors
    /// Lengths that are not those of the axis.
    pub fn lengths(&self, size: usize, parts: Option<&[i64]>) -> Result<Vec<usize>, Error> {
        let lengths = match parts {
            Some(parts) => parts.iter().map(|&n| length(NAME, "split", n)).collect::<Result<Vec<_>, _>>()?,
            None => {
                let each = size.div_ceil(self.n_parts.max(1));
                (0..self.n_parts).map(|at| size.saturating_sub(at * each).min(each)).collect()
            }
        };
        let sum = lengths.iter().try_fold(0usize, |sum, &n| sum.checked_add(n));
        if lengths.len() != self.n_parts || sum != Some(size) {
            let expected = alloc::format!("{} parts that sum up to {size}", self.n_parts);
            return Err(misfit(NAME, "split", &expected, &alloc::format!("{lengths:?}")));
        }
        Ok(lengths)
    }
}

impl Payload for Split {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("axis", Attr::Int(self.axis)), ("num_outputs", numbers(&[self.n_parts]))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        between(NAME, inputs, 1, 2)?;
        let x = &inputs[0];
        let parts = match inputs.get(1) {
            None => Some(None),
            Some(parts) => {
                whole(NAME, "split", parts)?;
                ints(parts).map(Some)
            }
        };
        let Some(axes) = x.shape.axes() else { return Ok(vec![(x.dtype, Shape::any()); self.n_parts]) };
        let axis = axis_of(NAME, self.axis, axes.len())?;
        let with = |dim: Dim| {
            let mut dims = axes.to_vec();
            dims[axis] = dim;
            (x.dtype, Shape(dims))
        };
        match (parts, &axes[axis]) {
            (Some(parts), Dim::Fixed(size)) => {
                let lengths = self.lengths(*size, parts.as_deref())?;
                Ok(lengths.into_iter().map(|n| with(Dim::Fixed(n))).collect())
            }
            (Some(Some(parts)), _) if parts.len() == self.n_parts => {
                parts.iter().map(|&n| Ok(with(Dim::Fixed(length(NAME, "split", n)?)))).collect()
            }
            _ => Ok(vec![with(Dim::Unknown); self.n_parts]),
        }
    }
}

impl Stored for Split {
    fn parse(name: &str, attrs: &Attrs) -> Found<Split> {
        (name == NAME)
            .then(|| Ok(Split { axis: attrs.int(NAME, "axis")?, n_parts: attrs.count(NAME, "num_outputs")? }))
    }
}
