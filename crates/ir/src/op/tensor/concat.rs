//! `Concat`: tensors one after the other along an axis.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, alike, axis_of, met, misfit, one};
use crate::op::Attrs;
use crate::{Dim, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "Concat";

/// ONNX's `Concat`. Inputs: one or more tensors of one dtype, alike but for the axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concat {
    /// The axis; negative from the end.
    pub axis: i64,
}

impl Payload for Concat {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("axis", Attr::Int(self.axis))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let Some((first, others)) = inputs.split_first() else {
            return Err(misfit(NAME, "inputs", "1 or more", &0));
        };
        alike(NAME, first, others)?;
        let Some(rank) = inputs.iter().find_map(|i| i.shape.axes()).map(<[Dim]>::len) else {
            return one(first.dtype, Shape::any());
        };
        let axis = axis_of(NAME, self.axis, rank)?;
        let mut dims: Vec<Dim> = vec![Dim::Unknown; rank];
        dims[axis] = Dim::Fixed(0);
        for input in inputs {
            let Some(own) = input.shape.axes() else {
                dims[axis] = Dim::Unknown;
                continue;
            };
            let misfits = || misfit(NAME, "inputs", "shapes alike but for the axis", &input.describe());
            if own.len() != rank {
                return Err(misfits());
            }
            for (at, (dim, own)) in dims.iter_mut().zip(own).enumerate() {
                *dim = match (at == axis, &*dim, own) {
                    (true, Dim::Fixed(a), Dim::Fixed(b)) => {
                        Dim::Fixed(a.checked_add(*b).ok_or_else(misfits)?)
                    }
                    (true, _, _) => Dim::Unknown,
                    (false, dim, own) => met(dim, own).ok_or_else(misfits)?,
                };
            }
        }
        one(first.dtype, Shape(dims))
    }
}

impl Stored for Concat {
    fn parse(name: &str, attrs: &Attrs) -> Found<Concat> {
        (name == NAME).then(|| Ok(Concat { axis: attrs.int(NAME, "axis")? }))
    }
}
