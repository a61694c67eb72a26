//! `Unique`: distinct elements or slices.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, axis_of, flag, misfit};
use crate::op::Attrs;
use crate::{DType, Dim, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "Unique";

/// ONNX's `Unique`. Input: numbers or text. Outputs: the distinct elements, or slices along the axis; where each first
/// stands; which one each element is; how often each occurs (`i64 [n]` each).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unique {
    /// The axis of slices; none for elements of the flat tensor.
    pub axis: Option<i64>,
    /// In rising order, not in order of first occurrence.
    pub sorted: bool,
}

impl Payload for Unique {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let mut attrs = vec![("sorted", flag(self.sorted))];
        attrs.extend(self.axis.map(|axis| ("axis", Attr::Int(axis))));
        attrs
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity(NAME, inputs)?;
        if matches!(x.dtype, DType::Bag | DType::Narrow(_)) {
            return Err(misfit(NAME, "input", "numbers of 8 bits or more, bool or text", &x.describe()));
        }
        let distinct = match (self.axis, x.shape.axes()) {
            (None, _) => Shape(vec![Dim::Unknown]),
            (Some(_), None) => Shape::any(),
            (Some(axis), Some(axes)) => {
                let mut dims = axes.to_vec();
                dims[axis_of(NAME, axis, axes.len())?] = Dim::Unknown;
                Shape(dims)
            }
        };
        let list = (DType::I64, Shape(vec![Dim::Unknown]));
        Ok(vec![(x.dtype, distinct), list.clone(), list.clone(), list])
    }
}

impl Stored for Unique {
    fn parse(name: &str, attrs: &Attrs) -> Found<Unique> {
        (name == NAME).then(|| {
            let axis = attrs.maybe("axis", |a| a.int(NAME, "axis"))?;
            Ok(Unique { axis, sorted: attrs.flag(NAME, "sorted")? })
        })
    }
}
