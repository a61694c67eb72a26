//! `IsNaN`: where a number is missing.

use super::{Attr, Attrs, Operand, Payload, arity, doubles};
use crate::{DType, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "IsNaN";

/// ONNX's `IsNaN`. Input: `f64`, any shape. Output: `bool` of that shape; a missing cell of a column is NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct IsNaN;

impl IsNaN {
    pub(super) fn parse(_: &Attrs) -> Result<IsNaN, Error> {
        Ok(IsNaN)
    }
}

impl Payload for IsNaN {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [x] = arity(NAME, inputs)?;
        doubles(NAME, x)?;
        Ok(vec![(DType::Bool, x.shape.clone())])
    }
}
