//! `HashTokens`: text to a bag without a vocabulary.

use super::{Attr, Attrs, Operand, Payload, arity, misfit, tokens};
use crate::text::tokens::{MAX_TERMS, Tokenizer};
use crate::{DType, Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "HashTokens";

/// How often each bucket of terms stands in a text: `id = FNV-1a 32 of the term mod 2^bits`; a missing text
/// is an empty bag.
///
/// Input: a column `string [N]`. Output: `bag [N, 2^bits]` of counts. ONNX has no such operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashTokens {
    /// How text becomes terms.
    pub tokenizer: Tokenizer,
    /// Binary logarithm of the number of ids, 1 to 20.
    pub bits: u8,
}

impl HashTokens {
    pub(super) fn parse(attrs: &Attrs) -> Result<HashTokens, Error> {
        Ok(HashTokens { tokenizer: tokens::parse(NAME, attrs)?, bits: attrs.int(NAME, "bits")? })
    }
}

impl Payload for HashTokens {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let mut attrs = tokens::attrs(self.tokenizer);
        attrs.push(("bits", Attr::Int(self.bits.into())));
        attrs
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [column] = arity(NAME, inputs)?;
        let rows = tokens::text_rows(NAME, column, self.tokenizer)?;
        let width = 1usize.checked_shl(self.bits.into()).unwrap_or(usize::MAX);
        if self.bits == 0 || width > MAX_TERMS {
            return Err(misfit(NAME, "bits", "1 to 20", &self.bits));
        }
        Ok(vec![(DType::Bag, Shape(vec![rows.clone(), Dim::Fixed(width)]))])
    }
}
