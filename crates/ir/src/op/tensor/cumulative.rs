//! `CumSum`, `CumProd`: running sums or products along an axis.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, flag, misfit, one, whole};
use crate::DType;
use crate::op::Attrs;
use alloc::vec;
use alloc::vec::Vec;

/// ONNX's operators of these names. Inputs: numbers, and the axis, `i64 []`. Output: as the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cumulative {
    /// Products, not sums.
    pub of_products: bool,
    /// An element does not count for itself.
    pub exclusive: bool,
    /// From the end.
    pub reverse: bool,
}

impl Payload for Cumulative {
    fn name(&self) -> &'static str {
        if self.of_products { "CumProd" } else { "CumSum" }
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("exclusive", flag(self.exclusive)), ("reverse", flag(self.reverse))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, axis] = arity(self.name(), inputs)?;
        whole(self.name(), "axis", axis)?;
        if matches!(x.dtype, DType::Bool | DType::Str | DType::Bag | DType::Narrow(_)) {
            return Err(misfit(self.name(), "input", "numbers of 8 bits or more", &x.describe()));
        }
        one(x.dtype, x.shape.clone())
    }
}

impl Stored for Cumulative {
    fn parse(name: &str, attrs: &Attrs) -> Found<Cumulative> {
        let (of_products, op) =
            [(false, "CumSum"), (true, "CumProd")].into_iter().find(|(_, op)| *op == name)?;
        let read = || {
            let (exclusive, reverse) = (attrs.flag(op, "exclusive")?, attrs.flag(op, "reverse")?);
            Ok(Cumulative { of_products, exclusive, reverse })
        };
        Some(read())
    }
}
