//! `Where`: one of two elements.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, alike, arity, broadcast, misfit, one};
use crate::DType;
use crate::op::Attrs;
use alloc::vec::Vec;

const NAME: &str = "Where";

/// ONNX's `Where`: `condition ? a : b`. Inputs: `bool` and two of one dtype, which broadcast as numpy's do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Where;

impl Payload for Where {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [condition, a, b] = arity(NAME, inputs)?;
        if condition.dtype != DType::Bool {
            return Err(misfit(NAME, "condition", "bool", &condition.describe()));
        }
        alike(NAME, a, &[*b])?;
        one(a.dtype, broadcast(NAME, &[condition.shape, a.shape, b.shape])?)
    }
}

impl Stored for Where {
    fn parse(name: &str, _: &Attrs) -> Found<Where> {
        (name == NAME).then_some(Ok(Where))
    }
}
