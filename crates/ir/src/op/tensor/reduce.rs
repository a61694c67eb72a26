//! `ReduceSum`, `ReduceMean`, `ReduceMax` and others: elements along axes to one.

use super::stored::{Found, Stored, named};
use super::{Attr, Made, Operand, Payload, axes_of, between, flag, ints, misfit, one, whole};
use crate::op::Attrs;
use crate::{DType, Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

/// What becomes of the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReduceKind {
    /// `sum x`
    Sum,
    /// `sum x / n`
    Mean,
    /// The largest.
    Max,
    /// The least.
    Min,
    /// The product.
    Prod,
    /// `sum |x|`
    L1,
    /// `sqrt(sum x^2)`
    L2,
    /// `ln(sum x)`
    LogSum,
    /// `ln(sum e^x)`
    LogSumExp,
    /// `sum x^2`
    SumSquare,
}

impl ReduceKind {
    /// Every member.
    pub const ALL: &'static [ReduceKind] = &[
        ReduceKind::Sum,
        ReduceKind::Mean,
        ReduceKind::Max,
        ReduceKind::Min,
        ReduceKind::Prod,
        ReduceKind::L1,
        ReduceKind::L2,
        ReduceKind::LogSum,
        ReduceKind::LogSumExp,
        ReduceKind::SumSquare,
    ];

    /// Name as ONNX writes it.
    pub fn name(self) -> &'static str {
        match self {
            ReduceKind::Sum => "ReduceSum",
            ReduceKind::Mean => "ReduceMean",
            ReduceKind::Max => "ReduceMax",
            ReduceKind::Min => "ReduceMin",
            ReduceKind::Prod => "ReduceProd",
            ReduceKind::L1 => "ReduceL1",
            ReduceKind::L2 => "ReduceL2",
            ReduceKind::LogSum => "ReduceLogSum",
            ReduceKind::LogSumExp => "ReduceLogSumExp",
            ReduceKind::SumSquare => "ReduceSumSquare",
        }
    }
}

/// ONNX's operators of these names. Inputs: numbers (`bool` too for `Max` and `Min`), and the axes, which may be left
/// out. Of no element the sum is 0, the product 1, the largest minus infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reduce {
    /// What becomes of the elements.
    pub kind: ReduceKind,
    /// Axes stay, with length 1.
    pub keep_dims: bool,
    /// No axes stand for none, not for all.
    pub none_without_axes: bool,
}

impl Reduce {
    /// The axes from 0 that are reduced.
    ///
    /// # Errors
    /// Axes that a tensor of this rank has not.
    pub fn places(&self, axes: Option<&[i64]>, rank: usize) -> Result<Vec<usize>, Error> {
        match axes {
            Some(axes) if !axes.is_empty() => axes_of(self.name(), axes, rank),
            _ if self.none_without_axes => Ok(Vec::new()),
            _ => Ok((0..rank).collect()),
        }
    }
}

impl Payload for Reduce {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("keepdims", flag(self.keep_dims)), ("noop_with_empty_axes", flag(self.none_without_axes))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let name = self.name();
        between(name, inputs, 1, 2)?;
        let x = &inputs[0];
        let is_extreme = matches!(self.kind, ReduceKind::Max | ReduceKind::Min);
        let fits = match x.dtype {
            DType::Str | DType::Bag | DType::Narrow(_) => false,
            DType::Bool => is_extreme,
            _ => true,
        };
        if !fits {
            return Err(misfit(name, "input", "numbers of 8 bits or more", &x.describe()));
        }
        let known = match inputs.get(1) {
            None => Some(None),
            Some(axes) => {
                whole(name, "axes", axes)?;
                ints(axes).map(Some)
            }
        };
        let Some(dims) = x.shape.axes() else { return one(x.dtype, Shape::any()) };
        match known {
            Some(axes) => {
                let places = self.places(axes.as_deref(), dims.len())?;
                let kept = |(at, dim): (usize, &Dim)| match (places.contains(&at), self.keep_dims) {
                    (false, _) => Some(dim.clone()),
                    (true, true) => Some(Dim::Fixed(1)),
                    (true, false) => None,
                };
                one(x.dtype, Shape(dims.iter().enumerate().filter_map(kept).collect()))
            }
            None if self.keep_dims => one(x.dtype, Shape::of_rank(dims.len())),
            None => one(x.dtype, Shape::any()),
        }
    }

    fn is_exact(&self) -> bool {
        matches!(self.kind, ReduceKind::Max | ReduceKind::Min)
    }
}

impl Stored for Reduce {
    fn parse(name: &str, attrs: &Attrs) -> Found<Reduce> {
        let kind = named(ReduceKind::ALL, name, |k| k.name())?;
        let read = || {
            Ok(Reduce {
                kind,
                keep_dims: attrs.flag(kind.name(), "keepdims")?,
                none_without_axes: attrs.flag(kind.name(), "noop_with_empty_axes")?,
            })
        };
        Some(read())
    }
}
