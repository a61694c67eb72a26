//! `TextPart`: a text to a number that is counted of it.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::text::parts::TextNumber;
use crate::{DType, Error, Shape};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "TextPart";

/// What is counted of a text ([`TextNumber::of`]); a missing text gives NaN.
///
/// Input: a column `string [N]`. Output: `f64 [N]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextPart {
    /// What is counted.
    pub part: TextNumber,
}

impl TextPart {
    pub(super) fn parse(attrs: &Attrs) -> Result<TextPart, Error> {
        let word = attrs.word(NAME, "part")?;
        let part = TextNumber::parse(word);
        Ok(TextPart { part: part.ok_or_else(|| misfit(NAME, "part", "a number of a text", &word))? })
    }
}

impl Payload for TextPart {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("part", Attr::Word(self.part.name().to_string()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [column] = arity(NAME, inputs)?;
        if column.dtype != DType::Str || column.shape.rank() != 1 || column.constant.is_some() {
            return Err(misfit(NAME, "column", "string [N]", &column.describe()));
        }
        Ok(vec![(DType::F64, column.shape.clone())])
    }
}
