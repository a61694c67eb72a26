//! `ArgMax`: index of the largest score.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::{DType, Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "ArgMax";

/// ONNX's `ArgMax` over the last axis, without keeping it; ties go to the first.
///
/// Input: `i32 [N, K]`, K at least 1. Output: `i64 [N]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ArgMax;

impl ArgMax {
    pub(super) fn parse(_: &Attrs) -> Result<ArgMax, Error> {
        Ok(ArgMax)
    }
}

impl Payload for ArgMax {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [scores] = arity(NAME, inputs)?;
        match &scores.shape.0[..] {
            [rows, Dim::Fixed(1..)] if scores.dtype == DType::I32 => {
                Ok(vec![(DType::I64, Shape(vec![rows.clone()]))])
            }
            _ => Err(misfit(NAME, "scores", "i32 [N, K]", &scores.describe())),
        }
    }
}
