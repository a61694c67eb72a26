//! `ScatterElements`, `ScatterND`: elements put to places.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, alike, arity, axis_of, met, misfit, one, whole, word};
use crate::op::Attrs;
use crate::{Dim, Shape};
use alloc::vec;
use alloc::vec::Vec;

/// What becomes of an element and of what is put there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScatterReduction {
    /// The new one; of several the last.
    Replace,
    /// The sum.
    Add,
    /// The product.
    Mul,
    /// The larger one.
    Max,
    /// The smaller one.
    Min,
}

impl ScatterReduction {
    /// Every member.
    pub const ALL: &'static [ScatterReduction] = &[
        ScatterReduction::Replace,
        ScatterReduction::Add,
        ScatterReduction::Mul,
        ScatterReduction::Max,
        ScatterReduction::Min,
    ];

    /// Name as ONNX writes it.
    pub fn name(self) -> &'static str {
        match self {
            ScatterReduction::Replace => "none",
            ScatterReduction::Add => "add",
            ScatterReduction::Mul => "mul",
            ScatterReduction::Max => "max",
            ScatterReduction::Min => "min",
        }
    }
}

/// ONNX's operators of these names. Inputs: any tensor, `i64` places, and what is put there. Output: as the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scatter {
    /// A place along this axis for each element; none for places along several axes, in the last axis of the places.
    pub axis: Option<i64>,
    /// What becomes of two.
    pub reduction: ScatterReduction,
}

impl Payload for Scatter {
    fn name(&self) -> &'static str {
        if self.axis.is_some() { "ScatterElements" } else { "ScatterND" }
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let mut attrs = vec![("reduction", word(self.reduction.name()))];
        attrs.extend(self.axis.map(|axis| ("axis", Attr::Int(axis))));
        attrs
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let name = self.name();
        let [x, places, updates] = arity(name, inputs)?;
        whole(name, "indices", places)?;
        alike(name, x, &[*updates])?;
        if let (Some(axes), Some(own), Some(new)) =
            (x.shape.axes(), places.shape.axes(), updates.shape.axes())
        {
            let misfits = || misfit(name, "updates", &places.describe(), &updates.describe());
            let expected = match self.axis {
                Some(axis) => {
                    axis_of(name, axis, axes.len())?;
                    let is_longer = |(have, want): (&Dim, &Dim)| match (have, want) {
                        (Dim::Fixed(have), Dim::Fixed(want)) => want > have,
                        _ => false,
                    };
                    let at = axis_of(name, axis, axes.len())?;
                    let others = axes.iter().zip(own).enumerate().filter(|(i, _)| *i != at);
                    if own.len() != axes.len() || others.map(|(_, pair)| pair).any(is_longer) {
                        return Err(misfit(name, "indices", &x.describe(), &places.describe()));
                    }
                    own.to_vec()
                }
                None => {
                    let Some((depth, outer)) = own.split_last() else { return Err(misfits()) };
                    let Dim::Fixed(depth) = depth else { return one(x.dtype, x.shape.clone()) };
                    let inner = axes.get(*depth..).ok_or_else(misfits)?;
                    [outer, inner].concat()
                }
            };
            if expected.len() != new.len() || !expected.iter().zip(new).all(|(a, b)| met(a, b).is_some()) {
                return Err(misfit(
                    name,
                    "updates",
                    &alloc::format!("{}", Shape(expected)),
                    &updates.describe(),
                ));
            }
        }
        one(x.dtype, x.shape.clone())
    }
}

impl Stored for Scatter {
    fn parse(name: &str, attrs: &Attrs) -> Found<Scatter> {
        let op = ["ScatterElements", "ScatterND"].into_iter().find(|op| *op == name)?;
        let read = || {
            Ok(Scatter {
                axis: if op == "ScatterND" { None } else { Some(attrs.int(op, "axis")?) },
                reduction: attrs.one_of(op, "reduction", ScatterReduction::ALL, |r| r.name())?,
            })
        };
        Some(read())
    }
}
