//! `Where`: one of two numbers.

use super::{Attr, Attrs, Operand, Payload, arity, broadcast, doubles, misfit};
use crate::{DType, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Where";

/// ONNX's `Where`: `condition ? a : b`.
///
/// Inputs: `bool`, `f64`, `f64`, which broadcast as numpy's do. Output: `f64` of the common shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Where;

impl Where {
    pub(super) fn parse(_: &Attrs) -> Result<Where, Error> {
        Ok(Where)
    }
}

impl Payload for Where {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [condition, a, b] = arity(NAME, inputs)?;
        if condition.dtype != DType::Bool {
            return Err(misfit(NAME, "condition", "bool", &condition.describe()));
        }
        doubles(NAME, a)?;
        doubles(NAME, b)?;
        let shape = broadcast(NAME, a, b)?;
        let sides =
            Operand { dtype: DType::F64, shape: &shape, constant: None, lengths: None, is_given: false };
        Ok(vec![(DType::F64, broadcast(NAME, condition, &sides)?)])
    }
}
