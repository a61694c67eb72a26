//! `Shape`, `Size`: lengths of axes, or their product.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, one};
use crate::op::Attrs;
use crate::{DType, Dim, Shape};
use alloc::vec;
use alloc::vec::Vec;

/// ONNX's operators of these names. Output: `i64 [axes]`, or `i64 []`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeOf {
    /// The lengths of axes from `start` to before `end`.
    Lengths {
        /// The first axis; negative from the end, clamped.
        start: i64,
        /// Behind the last axis; negative from the end, clamped; none for all.
        end: Option<i64>,
    },
    /// The number of elements.
    Count,
}

impl ShapeOf {
    /// The axes that are looked at, of so many.
    pub fn axes(self, rank: usize) -> core::ops::Range<usize> {
        let ShapeOf::Lengths { start, end } = self else { return 0..rank };
        let whole = i64::try_from(rank).unwrap_or(i64::MAX);
        let place = |at: i64| {
            let at = if at < 0 { at.saturating_add(whole) } else { at };
            usize::try_from(at.clamp(0, whole)).unwrap_or(rank)
        };
        let (start, end) = (place(start), end.map_or(rank, place));
        start..end.max(start)
    }
}

impl Payload for ShapeOf {
    fn name(&self) -> &'static str {
        match self {
            ShapeOf::Lengths { .. } => "Shape",
            ShapeOf::Count => "Size",
        }
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        match self {
            ShapeOf::Lengths { start, end } => {
                let mut attrs = vec![("start", Attr::Int(*start))];
                attrs.extend(end.map(|end| ("end", Attr::Int(end))));
                attrs
            }
            ShapeOf::Count => Vec::new(),
        }
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity(self.name(), inputs)?;
        match (self, x.shape.axes()) {
            (ShapeOf::Count, _) => one(DType::I64, Shape::default()),
            (ShapeOf::Lengths { .. }, None) => one(DType::I64, Shape(vec![Dim::Unknown])),
            (ShapeOf::Lengths { .. }, Some(axes)) => {
                one(DType::I64, Shape(vec![Dim::Fixed(self.axes(axes.len()).len())]))
            }
        }
    }
}

impl Stored for ShapeOf {
    fn parse(name: &str, attrs: &Attrs) -> Found<ShapeOf> {
        let lengths = || {
            let end = attrs.maybe("end", |a| a.int("Shape", "end"))?;
            Ok(ShapeOf::Lengths { start: attrs.int("Shape", "start")?, end })
        };
        match name {
            "Shape" => Some(lengths()),
            "Size" => Some(Ok(ShapeOf::Count)),
            _ => None,
        }
    }
}
