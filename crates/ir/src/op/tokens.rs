//! `Tokens`: text to a bag of the terms of a vocabulary.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::text::tokens::{Analyzer, MAX_NGRAM, MAX_TERM, MAX_TERMS, Tokenizer};
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Tokens";

/// How often each term of a vocabulary stands in a text; other terms are not counted, and a missing text is
/// an empty bag.
///
/// Inputs: a column `string [N]`, and `terms [V]`, a constant in strictly rising byte order, each of at most
/// [`MAX_TERM`] bytes. Output: `bag [N, V]` of counts; the id of a term is its place in the constant.
///
/// ONNX's `TfIdfVectorizer` takes text that is parted already, skips words inside of a term and makes a
/// dense row; this operator parts text itself ([`crate::text::tokens`]), takes neighbours only and weighs
/// nothing (`BagWeigh` does).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// How text becomes terms.
    pub tokenizer: Tokenizer,
}

impl Tokens {
    pub(super) fn parse(attrs: &Attrs) -> Result<Tokens, Error> {
        Ok(Tokens { tokenizer: parse(NAME, attrs)? })
    }
}

impl Payload for Tokens {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        attrs(self.tokenizer)
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [column, terms] = arity(NAME, inputs)?;
        let rows = text_rows(NAME, column, self.tokenizer)?;
        let (Some(TensorData::Str(known)), 1) = (terms.constant.map(|c| c.data()), terms.shape.rank()) else {
            return Err(misfit(NAME, "terms", "a constant string [V]", &terms.describe()));
        };
        if known.len() > MAX_TERMS {
            return Err(misfit(NAME, "terms", &alloc::format!("at most {MAX_TERMS}"), &known.len()));
        }
        if !known.is_sorted_by(|a, b| a < b) {
            return Err(misfit(NAME, "terms", "strictly rising terms", &"another order"));
        }
        if let Some(long) = known.iter().map(|t| t.len()).find(|&n| n > MAX_TERM) {
            return Err(misfit(NAME, "term", &alloc::format!("at most {MAX_TERM} bytes"), &long));
        }
        Ok(vec![(DType::Bag, Shape(vec![rows.clone(), Dim::Fixed(known.len())]))])
    }
}

/// The attributes of a tokenizer.
pub(super) fn attrs(tokenizer: Tokenizer) -> Vec<(&'static str, Attr)> {
    vec![
        ("analyzer", Attr::Word(tokenizer.analyzer.name().to_string())),
        ("ngram_min", Attr::Int(tokenizer.ngram_min.into())),
        ("ngram_max", Attr::Int(tokenizer.ngram_max.into())),
        ("case", Attr::Word(if tokenizer.fold_case { "fold" } else { "keep" }.to_string())),
    ]
}

/// The tokenizer of these attributes.
pub(super) fn parse(op: &'static str, attrs: &Attrs) -> Result<Tokenizer, Error> {
    let word = attrs.word(op, "analyzer")?;
    let analyzer = Analyzer::parse(word).ok_or_else(|| misfit(op, "analyzer", "words or chars", &word))?;
    let fold_case = match attrs.word(op, "case")? {
        "fold" => true,
        "keep" => false,
        other => return Err(misfit(op, "case", "fold or keep", &other)),
    };
    let (ngram_min, ngram_max) = (attrs.int(op, "ngram_min")?, attrs.int(op, "ngram_max")?);
    Ok(Tokenizer { analyzer, ngram_min, ngram_max, fold_case })
}

/// The rows of a column of text that a tokenizer can read: one that is given. Made text could be long where
/// the rows of a self-test are short, so that a hostile file would take much memory.
pub(super) fn text_rows<'a>(
    op: &'static str,
    column: &Operand<'a>,
    tokenizer: Tokenizer,
) -> Result<&'a Dim, Error> {
    let (DType::Str, [rows], true) = (column.dtype, &column.shape.0[..], column.is_given) else {
        return Err(misfit(op, "column", "string [N], as given", &column.describe()));
    };
    let Tokenizer { ngram_min, ngram_max, .. } = tokenizer;
    if ngram_min < 1 || ngram_min > ngram_max || ngram_max > MAX_NGRAM {
        let expected = alloc::format!("1 <= ngram_min <= ngram_max <= {MAX_NGRAM}");
        return Err(misfit(op, "n-grams", &expected, &alloc::format!("{ngram_min} and {ngram_max}")));
    }
    Ok(rows)
}
