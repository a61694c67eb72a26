//! `Columns`: columns side by side.

use super::{Attr, Attrs, Operand, Payload, misfit, wide};
use crate::{DType, Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Columns";

/// `out[n] = [x_1[n], x_2[n], ..]`: ONNX's `Concat` over the last axis, in which a column `[N]` counts as
/// `[N, 1]`.
///
/// Inputs: one or more `f64 [N]` or `[N, K]`. Output: `f64 [N, sum of widths]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Columns;

impl Columns {
    pub(super) fn parse(_: &Attrs) -> Result<Columns, Error> {
        Ok(Columns)
    }
}

impl Payload for Columns {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let mut width = 0usize;
        for input in inputs {
            let added = match &input.shape.0[..] {
                [_] => Some(1),
                [_, Dim::Fixed(k)] => Some(*k),
                _ => None,
            };
            let added =
                added.filter(|_| input.dtype == DType::F64 && input.shape.0[0] == inputs[0].shape.0[0]);
            let Some(added) = added else {
                return Err(misfit(NAME, "input", "f64 [N] or [N, K]", &input.describe()));
            };
            width = width.saturating_add(added);
        }
        let Some(first) = inputs.first() else { return Err(misfit(NAME, "inputs", "one or more", &0)) };
        Ok(vec![(DType::F64, wide(NAME, &first.shape.0[0], width)?)])
    }
}
