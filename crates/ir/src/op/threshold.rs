//! `Threshold`: one score against a threshold.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::{DType, Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Threshold";

/// `label = 1 if score > above else 0`: the class of a binary score. `above = 0` is the larger of
/// the two probabilities, ties to the first class.
///
/// Input: `i32 [N, 1]`. Output: `i64 [N]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// The largest score of class 0, on the score's grid.
    pub above: i32,
}

impl Threshold {
    pub(super) fn parse(attrs: &Attrs) -> Result<Threshold, Error> {
        Ok(Threshold { above: attrs.int(NAME, "above")? })
    }
}

impl Payload for Threshold {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("above", Attr::Int(self.above.into()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [scores] = arity(NAME, inputs)?;
        match &scores.shape.0[..] {
            [rows, Dim::Fixed(1)] if scores.dtype == DType::I32 => {
                Ok(vec![(DType::I64, Shape(vec![rows.clone()]))])
            }
            _ => Err(misfit(NAME, "scores", "i32 [N, 1]", &scores.describe())),
        }
    }
}
