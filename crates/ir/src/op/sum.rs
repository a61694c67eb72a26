//! `Sum`: scores of several parts added up.

use super::{Attr, Attrs, Operand, Payload, misfit};
use crate::{DType, Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Sum";

/// ONNX's `Sum` of integer scores of one shape: added in i64, then clamped to i32.
///
/// Inputs: one or more `i32 [N, K]`. Output: `i32 [N, K]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sum;

impl Sum {
    pub(super) fn parse(_: &Attrs) -> Result<Sum, Error> {
        Ok(Sum)
    }
}

impl Payload for Sum {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let Some(first) = inputs.first() else {
            return Err(misfit(NAME, "inputs", "1 or more", &0));
        };
        for input in inputs {
            let is_matrix = matches!(input.shape.0[..], [_, Dim::Fixed(_)]);
            if input.dtype != DType::I32 || input.shape != first.shape || !is_matrix {
                return Err(misfit(NAME, "scores", "i32 [N, K] of one shape", &input.describe()));
            }
        }
        Ok(vec![(DType::I32, first.shape.clone())])
    }
}
