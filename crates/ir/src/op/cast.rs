//! `Cast`: a number to a double.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::{DType, Error, Shape};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Cast";

/// ONNX's `Cast` to `f64`: the nearest double, ties to even; a missing cell of a column gives NaN.
///
/// Input: `bool`, `u8`, `i32`, `i64` or `f64`, any shape. Output: `f64` of that shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cast;

impl Cast {
    pub(super) fn parse(attrs: &Attrs) -> Result<Cast, Error> {
        match attrs.word(NAME, "to")? {
            "f64" => Ok(Cast),
            other => Err(misfit(NAME, "to", "f64", &other)),
        }
    }
}

impl Payload for Cast {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("to", Attr::Word("f64".to_string()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [x] = arity(NAME, inputs)?;
        match x.dtype {
            DType::Bool | DType::U8 | DType::I32 | DType::I64 | DType::F64 => {
                Ok(vec![(DType::F64, x.shape.clone())])
            }
            _ => Err(misfit(NAME, "input", "bool, u8, i32, i64 or f64", &x.describe())),
        }
    }
}
