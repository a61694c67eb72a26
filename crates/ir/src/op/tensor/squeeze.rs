//! `Squeeze`, `Unsqueeze`: axes of length 1 removed or added.

use super::stored::{Found, Stored, named};
use super::{Attr, Made, Operand, Payload, axes_of, between, ints, misfit, one, whole};
use crate::op::Attrs;
use crate::{Dim, Shape};
use alloc::vec::Vec;

/// ONNX's operators of these names. Inputs: any tensor, and the axes, `i64 [n]`, which `Squeeze` may be without, for
/// all of length 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Squeeze {
    /// Removes axes.
    Remove,
    /// Adds axes; places are those of the output.
    Add,
}

impl Payload for Squeeze {
    fn name(&self) -> &'static str {
        match self {
            Squeeze::Remove => "Squeeze",
            Squeeze::Add => "Unsqueeze",
        }
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let name = self.name();
        between(name, inputs, if *self == Squeeze::Add { 2 } else { 1 }, 2)?;
        let x = &inputs[0];
        if let Some(axes) = inputs.get(1) {
            whole(name, "axes", axes)?;
        }
        let Some(dims) = x.shape.axes() else { return one(x.dtype, Shape::any()) };
        match (self, inputs.get(1)) {
            (Squeeze::Add, Some(axes)) => {
                let Some(axes) = ints(axes) else {
                    return one(
                        x.dtype,
                        match axes.shape.lengths().as_deref() {
                            Some(&[n]) if n <= super::reshape::MAX_RANK => Shape::of_rank(dims.len() + n),
                            _ => Shape::any(),
                        },
                    );
                };
                let rank = dims.len() + axes.len();
                if rank > super::reshape::MAX_RANK {
                    return Err(misfit(name, "axes", "at most 64 in all", &rank));
                }
                let places = axes_of(name, &axes, rank)?;
                let mut own = dims.iter();
                let dim = |at| if places.contains(&at) { Some(Dim::Fixed(1)) } else { own.next().cloned() };
                one(x.dtype, Shape((0..rank).filter_map(dim).collect()))
            }
            (_, None) => {
                if dims.iter().any(|d| !matches!(d, Dim::Fixed(_))) {
                    return one(x.dtype, Shape::any());
                }
                one(x.dtype, Shape(dims.iter().filter(|d| **d != Dim::Fixed(1)).cloned().collect()))
            }
            (Squeeze::Remove, Some(axes)) => {
                let Some(axes) = ints(axes) else {
                    return one(
                        x.dtype,
                        match axes.shape.lengths().as_deref() {
                            Some(&[n]) if n <= dims.len() => Shape::of_rank(dims.len() - n),
                            _ => Shape::any(),
                        },
                    );
                };
                let places = axes_of(name, &axes, dims.len())?;
                for &at in &places {
                    if matches!(dims[at], Dim::Fixed(n) if n != 1) {
                        return Err(misfit(name, "axes", "axes of length 1", &x.describe()));
                    }
                }
                let kept = dims.iter().enumerate().filter(|(at, _)| !places.contains(at));
                one(x.dtype, Shape(kept.map(|(_, d)| d.clone()).collect()))
            }
        }
    }
}

impl Stored for Squeeze {
    fn parse(name: &str, _: &Attrs) -> Found<Squeeze> {
        named(&[Squeeze::Remove, Squeeze::Add], name, Payload::name).map(Ok)
    }
}
