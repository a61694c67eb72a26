//! `Codes`: categories to codes.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::forest::{MAX_CODES, MISSING};
use crate::{DType, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Codes";

/// `code = position of the key in the dictionary`; keys outside it give `unseen`, missing gives 255.
///
/// Inputs: a column `string [N]` of category keys (see [`crate::text`]) and `dictionary [K]`, a
/// constant in strictly rising byte order, at most 254 keys. Output: `u8 [N]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes {
    /// Code of keys outside the dictionary: `K` where training had a group of rare categories,
    /// else 255, so that an unseen category goes where a missing one goes.
    pub unseen: u8,
}

impl Codes {
    pub(super) fn parse(attrs: &Attrs) -> Result<Codes, Error> {
        Ok(Codes { unseen: attrs.int(NAME, "unseen")? })
    }
}

impl Payload for Codes {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("unseen", Attr::Int(self.unseen.into()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [column, dictionary] = arity(NAME, inputs)?;
        if column.dtype != DType::Str || column.shape.rank() != 1 {
            return Err(misfit(NAME, "column", "string [N]", &column.describe()));
        }
        let Some(TensorData::Str(keys)) = dictionary.constant.map(|c| c.data()) else {
            return Err(misfit(NAME, "dictionary", "a constant of strings", &dictionary.dtype));
        };
        // Before the order: a hostile file may name one long constant in many nodes.
        if keys.len() > usize::from(MAX_CODES) {
            return Err(misfit(NAME, "dictionary", "at most 254 keys", &keys.len()));
        }
        if !keys.is_sorted_by(|a, b| a < b) {
            return Err(misfit(NAME, "dictionary", "strictly rising keys", &"another order"));
        }
        if self.unseen != MISSING && usize::from(self.unseen) > keys.len() {
            return Err(misfit(
                NAME,
                "unseen",
                "a code of the dictionary, the next one, or 255",
                &self.unseen,
            ));
        }
        Ok(vec![(DType::U8, column.shape.clone())])
    }
}
