//! `Det`: determinants of square matrices.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, floats, met, misfit, one};
use crate::Shape;
use crate::op::Attrs;
use alloc::vec::Vec;

const NAME: &str = "Det";

/// ONNX's `Det` over the last two axes, by elimination with row pivots. Input: `[.., M, M]`. Output: `[..]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Det;

impl Payload for Det {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity(NAME, inputs)?;
        floats(NAME, "input", x)?;
        match x.shape.axes() {
            None => one(x.dtype, Shape::any()),
            Some([batch @ .., a, b]) if met(a, b).is_some() => one(x.dtype, Shape(batch.to_vec())),
            Some(_) => Err(misfit(NAME, "input", "[.., M, M]", &x.describe())),
        }
    }

    fn is_exact(&self) -> bool {
        false
    }
}

impl Stored for Det {
    fn parse(name: &str, _: &Attrs) -> Found<Det> {
        (name == NAME).then_some(Ok(Det))
    }
}
