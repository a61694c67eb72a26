//! `Gather`, `GatherElements`, `GatherND`: elements by their places.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, axis_of, met, misfit, numbers, one, whole};
use crate::fixed::Narrow;
use crate::op::Attrs;
use crate::{DType, Dim, Shape};
use alloc::vec;
use alloc::vec::Vec;

/// ONNX's operators of these names. Inputs: any tensor, and `i64` or `i32` places, negative from the end; `Gather` takes
/// places of `u8`, `u4` and `u2` too, which weights in a codebook are stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gather {
    /// Slices along an axis: the axis becomes the axes of the places.
    Slices {
        /// The axis; negative from the end.
        axis: i64,
    },
    /// An element for each place, the other axes alike.
    Elements {
        /// The axis; negative from the end.
        axis: i64,
    },
    /// The last axis of the places is a place along several axes.
    Nd {
        /// Axes at the start that both share.
        batch_dims: usize,
    },
}

impl Payload for Gather {
    fn name(&self) -> &'static str {
        match self {
            Gather::Slices { .. } => "Gather",
            Gather::Elements { .. } => "GatherElements",
            Gather::Nd { .. } => "GatherND",
        }
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        match self {
            Gather::Slices { axis } | Gather::Elements { axis } => vec![("axis", Attr::Int(*axis))],
            Gather::Nd { batch_dims } => vec![("batch_dims", numbers(&[*batch_dims]))],
        }
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let name = self.name();
        let [x, places] = arity(name, inputs)?;
        let is_short = matches!(places.dtype, DType::U8 | DType::Narrow(Narrow::U4 | Narrow::U2));
        if !(is_short && matches!(self, Gather::Slices { .. })) {
            whole(name, "indices", places)?;
        }
        if let Gather::Elements { axis } = self {
            if let (Some(axes), Some(own)) = (x.shape.axes(), places.shape.axes()) {
                if axes.len() != own.len() {
                    let expected = alloc::format!("{} axes", axes.len());
                    return Err(misfit(name, "indices", &expected, &places.describe()));
                }
                let axis = axis_of(name, *axis, axes.len())?;
                let is_longer = |(at, (have, want)): (usize, (&Dim, &Dim))| match (have, want) {
                    (Dim::Fixed(have), Dim::Fixed(want)) => at != axis && want > have,
                    _ => false,
                };
                if axes.iter().zip(own).enumerate().any(is_longer) {
                    return Err(misfit(
                        name,
                        "indices",
                        "axes no longer than the input's",
                        &places.describe(),
                    ));
                }
            }
            return one(x.dtype, places.shape.clone());
        }
        let (Some(axes), Some(own)) = (x.shape.axes(), places.shape.axes()) else {
            return one(x.dtype, Shape::any());
        };
        match *self {
            Gather::Slices { axis } => {
                let axis = axis_of(name, axis, axes.len())?;
                one(x.dtype, Shape([&axes[..axis], own, &axes[axis + 1..]].concat()))
            }
            Gather::Elements { .. } => one(x.dtype, places.shape.clone()),
            Gather::Nd { batch_dims } => {
                let Some((depth, outer)) = own.split_last() else {
                    return Err(misfit(name, "indices", "one axis or more", &places.describe()));
                };
                let Dim::Fixed(depth) = depth else { return one(x.dtype, Shape::any()) };
                let shared = axes.iter().zip(outer).take(batch_dims).all(|(a, b)| met(a, b).is_some());
                let reached = batch_dims.checked_add(*depth).filter(|&n| n <= axes.len());
                match reached {
                    Some(reached) if shared && batch_dims <= outer.len() => {
                        one(x.dtype, Shape([outer, &axes[reached..]].concat()))
                    }
                    _ => Err(misfit(name, "indices", &x.describe(), &places.describe())),
                }
            }
        }
    }
}

impl Stored for Gather {
    fn parse(name: &str, attrs: &Attrs) -> Found<Gather> {
        match name {
            "Gather" => Some(attrs.int("Gather", "axis").map(|axis| Gather::Slices { axis })),
            "GatherElements" => {
                Some(attrs.int("GatherElements", "axis").map(|axis| Gather::Elements { axis }))
            }
            "GatherND" => {
                Some(attrs.count("GatherND", "batch_dims").map(|batch_dims| Gather::Nd { batch_dims }))
            }
            _ => None,
        }
    }
}
