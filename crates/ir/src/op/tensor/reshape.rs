//! `Reshape`, `Flatten`: the same elements in another shape.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, between, flag, ints, misfit, one, product, ranked, whole};
use crate::op::Attrs;
use crate::{Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

/// Most axes of a tensor.
pub(super) const MAX_RANK: usize = 64;

/// ONNX's operators of these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reshape {
    /// To the shape of the second input, `i64 [rank]`: -1 once for what is left, 0 for the length that the input has
    /// there.
    To {
        /// 0 is a length of 0.
        allow_zero: bool,
    },
    /// To a matrix: axes before `axis`, axes from `axis` on.
    Flatten {
        /// The axis, from 0 to the rank; negative from the end.
        axis: i64,
    },
}

fn target(x: &Shape, wanted: &[i64], allow_zero: bool) -> Result<Shape, Error> {
    let name = "Reshape";
    let misfits = || misfit(name, "shape", &alloc::format!("one for {x}"), &alloc::format!("{wanted:?}"));
    if wanted.len() > MAX_RANK || wanted.iter().filter(|&&n| n == -1).count() > 1 {
        return Err(misfits());
    }
    let mut dims = Vec::with_capacity(wanted.len());
    for (at, &n) in wanted.iter().enumerate() {
        dims.push(match n {
            -1 => Dim::Unknown,
            0 if !allow_zero => match x.axes() {
                Some(axes) => axes.get(at).ok_or_else(misfits)?.clone(),
                None => Dim::Unknown,
            },
            n => Dim::Fixed(usize::try_from(n).map_err(|_| misfits())?),
        });
    }
    let Some(axes) = x.axes() else { return Ok(Shape(dims)) };
    let Some(left) = wanted.iter().position(|&n| n == -1) else {
        return match (product(name, axes)?, product(name, &dims)?) {
            (Dim::Fixed(a), Dim::Fixed(b)) if a != b => Err(misfits()),
            _ => Ok(Shape(dims)),
        };
    };
    // Lengths that stand on both sides, named or not, drop out.
    let mut have = axes.to_vec();
    let mut given: Vec<Dim> = Vec::new();
    for (at, dim) in dims.iter().enumerate().filter(|(at, _)| *at != left) {
        let is_copied = wanted[at] == 0 && !allow_zero;
        let same = have.iter().position(|h| h == dim && *dim != Dim::Unknown && *dim != Dim::Fixed(0));
        match (same, is_copied) {
            (Some(place), _) => drop(have.remove(place)),
            (None, true) if *dim == Dim::Unknown => {
                have[at..].iter().position(|h| h == dim).map_or((), |p| {
                    have.remove(at + p);
                })
            }
            (None, _) => given.push(dim.clone()),
        }
    }
    dims[left] = match (product(name, &have)?, product(name, &given)?) {
        (Dim::Fixed(0), Dim::Fixed(0)) => Dim::Fixed(0),
        (Dim::Fixed(_), Dim::Fixed(0)) => return Err(misfits()),
        (Dim::Fixed(n), Dim::Fixed(k)) if n % k == 0 => Dim::Fixed(n / k),
        (Dim::Fixed(_), Dim::Fixed(_)) => return Err(misfits()),
        (dim, Dim::Fixed(1)) => dim,
        _ => Dim::Unknown,
    };
    Ok(Shape(dims))
}

impl Payload for Reshape {
    fn name(&self) -> &'static str {
        match self {
            Reshape::To { .. } => "Reshape",
            Reshape::Flatten { .. } => "Flatten",
        }
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        match self {
            Reshape::To { allow_zero } => vec![("allowzero", flag(*allow_zero))],
            Reshape::Flatten { axis } => vec![("axis", Attr::Int(*axis))],
        }
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let name = self.name();
        match *self {
            Reshape::To { allow_zero } => {
                between(name, inputs, 2, 2)?;
                let (x, shape) = (&inputs[0], &inputs[1]);
                whole(name, "shape", shape)?;
                let axes = ranked(name, "shape", shape, 1)?;
                let shape = match (ints(shape), shape.lengths, axes) {
                    (Some(wanted), ..) => target(x.shape, &wanted, allow_zero)?,
                    (None, Some(lengths), _) if lengths.len() <= MAX_RANK => {
                        // Of 0 it is not known whether it is one, or stands for a length of the input.
                        let known =
                            |dim: &Dim| if *dim == Dim::Fixed(0) { Dim::Unknown } else { dim.clone() };
                        Shape(lengths.iter().map(known).collect())
                    }
                    (None, _, Some([Dim::Fixed(rank)])) if *rank <= MAX_RANK => Shape::of_rank(*rank),
                    (None, ..) => Shape::any(),
                };
                one(x.dtype, shape)
            }
            Reshape::Flatten { axis } => {
                between(name, inputs, 1, 1)?;
                let x = &inputs[0];
                let Some(axes) = x.shape.axes() else { return one(x.dtype, Shape::of_rank(2)) };
                let at = if axis < 0 { axis.checked_add_unsigned(axes.len() as u64) } else { Some(axis) };
                let at = at.and_then(|at| usize::try_from(at).ok()).filter(|&at| at <= axes.len());
                let expected = alloc::format!("at most {}", axes.len());
                let at = at.ok_or_else(|| misfit(name, "axis", &expected, &axis))?;
                let (before, after) = axes.split_at(at);
                one(x.dtype, Shape(vec![product(name, before)?, product(name, after)?]))
            }
        }
    }
}

impl Stored for Reshape {
    fn parse(name: &str, attrs: &Attrs) -> Found<Reshape> {
        match name {
            "Reshape" => {
                Some(attrs.flag("Reshape", "allowzero").map(|allow_zero| Reshape::To { allow_zero }))
            }
            "Flatten" => Some(attrs.int("Flatten", "axis").map(|axis| Reshape::Flatten { axis })),
            _ => None,
        }
    }
}
