//! `Trilu`: one triangle of matrices.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, flag, misfit, one, whole};
use crate::op::Attrs;
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "Trilu";

/// ONNX's `Trilu`: elements outside the triangle become 0. Inputs: matrices in the last two axes, and the diagonal,
/// `i64 []`: 0 the main one, above 0 to the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trilu {
    /// The upper triangle, not the lower.
    pub upper: bool,
}

impl Payload for Trilu {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("upper", flag(self.upper))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, k] = arity(NAME, inputs)?;
        whole(NAME, "k", k)?;
        if x.shape.axes().is_some_and(|a| a.len() < 2) {
            return Err(misfit(NAME, "input", "[.., M, N]", &x.describe()));
        }
        one(x.dtype, x.shape.clone())
    }
}

impl Stored for Trilu {
    fn parse(name: &str, attrs: &Attrs) -> Found<Trilu> {
        (name == NAME).then(|| Ok(Trilu { upper: attrs.flag(NAME, "upper")? }))
    }
}
