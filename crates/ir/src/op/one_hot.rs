//! `OneHot`: codes to one column a code.

use super::{Attr, Attrs, Operand, Payload, arity, misfit, wide};
use crate::{DType, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "OneHot";

/// ONNX's `OneHot` with values 0 and 1: `out[n, k] = 1 if code[n] == k else 0`; codes of `depth` or more, and
/// NaN, give a row of zeros.
///
/// Input: `u8 [N]` or `f64 [N]` of whole numbers. Output: `f64 [N, depth]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneHot {
    /// Number of codes, at least 1.
    pub depth: u32,
}

impl OneHot {
    pub(super) fn parse(attrs: &Attrs) -> Result<OneHot, Error> {
        Ok(OneHot { depth: attrs.int(NAME, "depth")? })
    }
}

impl Payload for OneHot {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("depth", Attr::Int(self.depth.into()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [codes] = arity(NAME, inputs)?;
        if !matches!(codes.dtype, DType::U8 | DType::F64) || codes.shape.rank() != 1 {
            return Err(misfit(NAME, "codes", "u8 or f64 [N]", &codes.describe()));
        }
        if self.depth == 0 {
            return Err(misfit(NAME, "depth", "1 or more", &self.depth));
        }
        Ok(vec![(DType::F64, wide(NAME, &codes.shape.0[0], self.depth as usize)?)])
    }
}
