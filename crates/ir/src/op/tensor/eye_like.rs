//! `EyeLike`: ones on a diagonal.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, misfit, one, ranked, word};
use crate::op::Attrs;
use crate::{DType, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "EyeLike";

/// ONNX's `EyeLike`: a matrix of the input's shape, 1 where column minus row is `k`, else 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EyeLike {
    /// The diagonal: 0 the main one, above 0 to the right.
    pub k: i64,
    /// The dtype of the output: a number of 8 bits or more, or `bool`.
    pub dtype: DType,
}

impl Payload for EyeLike {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("dtype", word(self.dtype.name())), ("k", Attr::Int(self.k))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity(NAME, inputs)?;
        if matches!(self.dtype, DType::Str | DType::Bag | DType::Narrow(_)) {
            return Err(misfit(NAME, "dtype", "numbers of 8 bits or more, or bool", &self.dtype));
        }
        ranked(NAME, "input", x, 2)?;
        one(self.dtype, if x.shape.axes().is_some() { x.shape.clone() } else { Shape::of_rank(2) })
    }
}

impl Stored for EyeLike {
    fn parse(name: &str, attrs: &Attrs) -> Found<EyeLike> {
        (name == NAME).then(|| Ok(EyeLike { dtype: attrs.dtype(NAME, "dtype")?, k: attrs.int(NAME, "k")? }))
    }
}
