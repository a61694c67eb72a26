//! `Respell`: categories to other categories.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Respell";

/// ONNX-ML's `LabelEncoder` from text to text: the value of the key's position; our deviation is that other
/// keys pass as they are. A missing cell stays missing, and so does the empty text, which is no key.
///
/// Inputs: a column `string [N]` of category keys, `keys [K]`, a constant in strictly rising byte order, and
/// `values [K]`, a constant of strings of 1 to [`Respell::MAX_VALUE`] bytes; K at most [`Respell::MAX_KEYS`].
/// Output: `string [N]`. Where it is an output of the graph, missing is the empty text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Respell;

impl Respell {
    /// Most bytes of a value: a hostile file must not make much text of little.
    pub const MAX_VALUE: usize = 1024;
    /// Most keys.
    pub const MAX_KEYS: usize = 1 << 16;

    pub(super) fn parse(_: &Attrs) -> Result<Respell, Error> {
        Ok(Respell)
    }
}

impl Payload for Respell {
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
        // Before the order: a hostile file may name one long constant in many nodes.
        if known.len() > Respell::MAX_KEYS {
            return Err(misfit(NAME, "keys", "at most 65536", &known.len()));
        }
        let expected = alloc::format!("a constant string [{}]", known.len());
        match (values.constant.map(|c| c.data()), &values.shape.0[..]) {
            (Some(TensorData::Str(v)), [Dim::Fixed(n)]) if *n == known.len() => {
                if v.iter().any(|v| v.is_empty() || v.len() > Respell::MAX_VALUE) {
                    return Err(misfit(NAME, "values", "1 to 1024 bytes each", &"more or none"));
                }
            }
            _ => return Err(misfit(NAME, "values", &expected, &values.describe())),
        }
        if !known.is_sorted_by(|a, b| a < b) {
            return Err(misfit(NAME, "keys", "strictly rising keys", &"another order"));
        }
        Ok(vec![(DType::Str, column.shape.clone())])
    }
}
