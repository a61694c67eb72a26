//! `Bin`: numbers to codes.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::forest::MAX_CODES;
use crate::{DType, Error, Shape, TensorData, fixed};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Bin";

/// `code = #{ e in edges : key(x) > key(e) }` on integer keys of the bits, so that no float mode
/// matters; NaN and missing give 255.
///
/// Inputs: a column `[N]` of `i64` or `f64`, and `edges [E]`, a strictly rising constant of the
/// same dtype, at most 253. Output: `u8 [N]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Bin;

impl Bin {
    pub(super) fn parse(_: &Attrs) -> Result<Bin, Error> {
        Ok(Bin)
    }
}

impl Payload for Bin {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [column, edges] = arity(NAME, inputs)?;
        if !matches!(column.dtype, DType::I64 | DType::F64) || column.shape.rank() != 1 {
            return Err(misfit(NAME, "column", "i64 or f64 [N]", &column.describe()));
        }
        if edges.dtype != column.dtype {
            return Err(misfit(NAME, "edges", column.dtype.name(), &edges.dtype));
        }
        let Some(constant) = edges.constant else {
            return Err(misfit(NAME, "edges", "a constant", &"a computed value"));
        };
        // Before the order: a hostile file may name one long constant in many nodes.
        if constant.data().len() >= usize::from(MAX_CODES) {
            return Err(misfit(NAME, "edges", "at most 253", &constant.data().len()));
        }
        let rising = match constant.data() {
            TensorData::I64(v) => v.is_sorted_by(|a, b| a < b),
            TensorData::F64(v) => {
                v.iter().all(|e| !e.is_nan())
                    && v.is_sorted_by(|a, b| fixed::key_f64(*a) < fixed::key_f64(*b))
            }
            _ => false,
        };
        if !rising {
            return Err(misfit(NAME, "edges", "strictly rising numbers", &"another order"));
        }
        Ok(vec![(DType::U8, column.shape.clone())])
    }
}
