//! `Identity`: the same value under another name.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, one};
use crate::op::Attrs;
use alloc::vec::Vec;

/// ONNX's `Identity`. Importers leave it out wherever no name of the user hangs on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity;

impl Payload for Identity {
    fn name(&self) -> &'static str {
        "Identity"
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity("Identity", inputs)?;
        one(x.dtype, x.shape.clone())
    }
}

impl Stored for Identity {
    fn parse(name: &str, _: &Attrs) -> Found<Identity> {
        (name == "Identity").then_some(Ok(Identity))
    }
}
