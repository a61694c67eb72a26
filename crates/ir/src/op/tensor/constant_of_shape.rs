//! `ConstantOfShape`: one value everywhere.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, ints, length, one, ranked, whole};
use crate::op::Attrs;
use crate::{Dim, Shape, Tensor};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "ConstantOfShape";

/// ONNX's `ConstantOfShape`. Input: `shape: i64 [rank]`. Output: that shape, of the value's dtype.
#[derive(Clone, Debug, PartialEq)]
pub struct ConstantOfShape {
    /// One element.
    pub value: Tensor,
}

/// What is known of a shape that a tensor holds.
pub(super) fn stated(op: &'static str, shape: &Operand<'_>) -> Result<Shape, crate::Error> {
    whole(op, "shape", shape)?;
    let axes = ranked(op, "shape", shape, 1)?;
    if let Some(lengths) = shape.lengths {
        return Ok(Shape(lengths.to_vec()));
    }
    if let Some(lengths) = ints(shape) {
        let dims = lengths.iter().map(|&n| Ok(Dim::Fixed(length(op, "shape", n)?)));
        return Ok(Shape(dims.collect::<Result<_, crate::Error>>()?));
    }
    Ok(match axes {
        Some([Dim::Fixed(rank)]) if *rank <= super::reshape::MAX_RANK => Shape::of_rank(*rank),
        _ => Shape::any(),
    })
}

impl Payload for ConstantOfShape {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("value", Attr::Tensor(self.value.clone()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [shape] = arity(NAME, inputs)?;
        if self.value.data().len() != 1 {
            return Err(super::misfit(NAME, "value", "one element", &self.value.data().len()));
        }
        one(self.value.dtype(), stated(NAME, shape)?)
    }
}

impl Stored for ConstantOfShape {
    fn parse(name: &str, attrs: &Attrs) -> Found<ConstantOfShape> {
        (name == NAME).then(|| Ok(ConstantOfShape { value: attrs.tensor(NAME, "value")?.clone() }))
    }
}
