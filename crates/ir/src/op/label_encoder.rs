//! `LabelEncoder`: categories to numbers.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "LabelEncoder";

/// ONNX-ML's `LabelEncoder` from text to doubles: the value of the key's position; our deviation is that
/// the values for unseen keys and for missing cells stand behind those of the keys.
///
/// Inputs: a column `string [N]` of category keys, `keys [K]`, a constant in strictly rising byte order, and
/// `values [K + 2]`, a constant of `f64`: of each key, of other keys, of missing cells. Output: `f64 [N]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LabelEncoder;

impl LabelEncoder {
    pub(super) fn parse(_: &Attrs) -> Result<LabelEncoder, Error> {
        Ok(LabelEncoder)
    }
}

impl Payload for LabelEncoder {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [column, keys, values] = arity(NAME, inputs)?;
        if column.dtype != DType::Str || column.shape.rank() != 1 {
            return Err(misfit(NAME, "column", "string [N]", &column.describe()));
        }
        let Some(TensorData::Str(known)) = keys.constant.map(|c| c.data()) else {
            return Err(misfit(NAME, "keys", "a constant of strings", &keys.dtype));
        };
        let behind = known.len() + 2;
        match (values.dtype, values.constant, &values.shape.0[..]) {
            (DType::F64, Some(_), [Dim::Fixed(n)]) if *n == behind => {}
            _ => {
                let expected = alloc::format!("a constant f64 [{behind}]");
                return Err(misfit(NAME, "values", &expected, &values.describe()));
            }
        }
        if !known.is_sorted_by(|a, b| a < b) {
            return Err(misfit(NAME, "keys", "strictly rising keys", &"another order"));
        }
        Ok(vec![(DType::F64, column.shape.clone())])
    }
}
