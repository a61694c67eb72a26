//! `Identity`: the same value under another name.

use super::{Attr, Made, Operand, Payload, arity, one};
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
