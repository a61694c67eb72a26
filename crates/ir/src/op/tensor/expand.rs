//! `Expand`: a tensor broadcast to a shape.

use super::constant_of_shape::stated;
use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, broadcast, one};
use crate::op::Attrs;
use alloc::vec::Vec;

const NAME: &str = "Expand";

/// ONNX's `Expand`. Inputs: any tensor, and `shape: i64 [rank]`. Output: of the shape to which both broadcast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expand;

impl Payload for Expand {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, shape] = arity(NAME, inputs)?;
        one(x.dtype, broadcast(NAME, &[x.shape, &stated(NAME, shape)?])?)
    }
}

impl Stored for Expand {
    fn parse(name: &str, _: &Attrs) -> Found<Expand> {
        (name == NAME).then_some(Ok(Expand))
    }
}
