//! `tf_idf`: text to a bag of its terms, weighed by how rare they are.

use crate::error::{Error, Kind};
use crate::transform::{FeatureKind, FittedStep, Group, Lower, Made, StepInput, Transform, TransformEntry};
use ir::fixed::math;
use ir::op::{BagNorm, BagWeigh, TermFrequency, Tokens};
use ir::text::tokens::{Analyzer, MAX_TERM, Pieces, Tokenizer};
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use params::{ParamSpec, Params, Range, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "tf_idf",
    doc: "text to a bag of its terms, weighed by how rare they are",
    takes: &[FeatureKind::Text],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &TfIdf,
};

pub(crate) const ANALYZER: ParamSpec = ParamSpec {
    name: "analyzer",
    aliases: &[],
    default: Value::Word("words"),
    range: Range::Words(&["words", "chars"]),
    doc: "whether a term is a run of words or of characters (for which 2 to 5 are usual)",
};

pub(crate) const NGRAM_MIN: ParamSpec = ParamSpec {
    name: "ngram_min",
    aliases: &[],
    default: Value::Int(1),
    range: Range::Int { low: 1, high: 8 },
    doc: "fewest words or characters of a term",
};

pub(crate) const NGRAM_MAX: ParamSpec = ParamSpec {
    name: "ngram_max",
    aliases: &[],
    default: Value::Int(2),
    range: Range::Int { low: 1, high: 8 },
    doc: "most words or characters of a term",
};

pub(crate) const CASE: ParamSpec = ParamSpec {
    name: "case",
    aliases: &[],
    default: Value::Word("fold"),
    range: Range::Words(&["fold", "keep"]),
    doc: "whether the letters A to Z count as a to z",
};

pub(crate) const TERM_FREQUENCY: ParamSpec = ParamSpec {
    name: "term_frequency",
    aliases: &[],
    default: Value::Word("raw"),
    range: Range::Words(&["raw", "sublinear", "binary"]),
    doc: "what a count n of a term in a text becomes: n, 1 + ln n, or 1",
};

pub(crate) const NORM: ParamSpec = ParamSpec {
    name: "norm",
    aliases: &[],
    default: Value::Word("l2"),
    range: Range::Words(&["l2", "l1", "none"]),
    doc: "the norm of each text's weights that becomes 1",
};

const SPEC: &[ParamSpec] = &[
    ANALYZER,
    NGRAM_MIN,
    NGRAM_MAX,
    CASE,
    ParamSpec {
        name: "min_rows",
        aliases: &["min_df"],
        default: Value::Int(2),
        range: Range::Int { low: 1, high: 1_000_000_000 },
        doc: "fewest rows that a term stands in",
    },
    ParamSpec {
        name: "max_share",
        aliases: &["max_df"],
        default: Value::Real(1.0),
        range: Range::Real { low: 0.0, high: 1.0 },
        doc: "largest share of the rows with text that a term stands in",
    },
    ParamSpec {
        name: "max_terms",
        aliases: &["max_features"],
        default: Value::Int(20_000),
        range: Range::Int { low: 1, high: 1_000_000 },
        doc: "most terms; those that stand most often in all rows together are taken",
    },
    TERM_FREQUENCY,
    ParamSpec {
        name: "idf",
        aliases: &["use_idf"],
        default: Value::Word("yes"),
        range: Range::Words(&["yes", "no"]),
        doc: "whether rare terms weigh more",
    },
    NORM,
];

/// `weight = tf(count) * idf(term)`, then each text's weights divided by their norm, with
/// `idf = 1 + ln((1 + n) / (1 + df))`, `n` texts of which `df` hold the term.
///
/// The vocabulary is that of the rows to learn from: the terms that stand in at least `min_rows` of them and
/// in at most `max_share` of those with a text, of these the `max_terms` that stand there most often, equal
/// ones in byte order; ids are places in byte order. A missing text is an empty bag and does not count in
/// `n`. A column without any such term is kept. O(bytes of text * n-grams), memory of all distinct terms.
/// # Source  Salton & Buckley, Information Processing and Management 24, 1988. scikit-learn's
/// `TfidfVectorizer` (smooth_idf) has the same formula; deviations: a word is a run of letters and digits of
/// any length (there two or more, with `_`), only A to Z are folded, the blanks at both ends of a text are no
/// characters and every run of them inside is one, terms of more than 256 bytes are left out, `min_rows` is 2
/// and terms are up to two words.
struct TfIdf;

impl Transform for TfIdf {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let tokenizer = tokenizer(ENTRY.name, params)?;
        let min_rows = u64::try_from(params.int("min_rows")).unwrap_or(1);
        let max_terms = usize::try_from(params.int("max_terms")).unwrap_or(1);
        let mut step = FittedStep::default();
        for (at, column) in input.columns.iter().enumerate() {
            let counted = Counted::new(input.texts(at).into_iter(), tokenizer);
            let most = params.real("max_share") * counted.n_texts as f64;
            let mut terms = counted.terms;
            terms.retain(|(_, seen)| seen.rows >= min_rows && seen.rows as f64 <= most);
            terms.sort_unstable_by(|(a, x), (b, y)| y.times.cmp(&x.times).then_with(|| a.cmp(b)));
            terms.truncate(max_terms);
            terms.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            if terms.is_empty() {
                step.kept.push(at);
                continue;
            }
            let n = counted.n_texts as f64;
            let idf = |seen: &Seen| 1.0 + math::log((1.0 + n) / (1.0 + seen.rows as f64));
            let idf =
                (params.word("idf") == "yes").then(|| terms.iter().map(|(_, seen)| idf(seen)).collect());
            let terms: Arc<[String]> = terms.into_iter().map(|(term, _)| term).collect();
            let part = Vocabulary { tokenizer, terms: Arc::clone(&terms), idf, weigh: weighing(params) };
            step.groups.push(Group {
                uses: vec![at],
                made: Made::Bag { name: column.name.to_owned(), terms: Some(terms) },
                part: Box::new(part),
                training: None,
            });
        }
        Ok(step)
    }
}

/// The tokenizer that the parameters ask for.
///
/// # Errors
/// A range of n-grams that is empty.
pub(crate) fn tokenizer(transform: &'static str, params: &Params) -> Result<Tokenizer, Error> {
    let (min, max) = (params.int("ngram_min"), params.int("ngram_max"));
    if min > max {
        return Err(Kind::Columns {
            transform,
            what: "ngram_min".to_owned(),
            expected: format!("at most ngram_max, which is {max}"),
            got: min.to_string(),
            cure: "set both".to_owned(),
        }
        .into());
    }
    Ok(Tokenizer {
        analyzer: Analyzer::parse(params.word("analyzer")).unwrap_or(Analyzer::Words),
        ngram_min: u8::try_from(min).unwrap_or(1),
        ngram_max: u8::try_from(max).unwrap_or(1),
        fold_case: params.word("case") == "fold",
    })
}

/// The weighing that the parameters ask for.
pub(crate) fn weighing(params: &Params) -> BagWeigh {
    BagWeigh {
        term_frequency: TermFrequency::parse(params.word("term_frequency")).unwrap_or(TermFrequency::Raw),
        norm: BagNorm::parse(params.word("norm")).unwrap_or(BagNorm::None),
    }
}

/// The nodes of a weighing; none if it changes nothing.
pub(crate) fn weighed(
    builder: &mut GraphBuilder,
    counts: ValueIdx,
    weigh: BagWeigh,
    idf: Option<&[f64]>,
) -> Result<ValueIdx, ir::Error> {
    if idf.is_none() && weigh.term_frequency == TermFrequency::Raw && weigh.norm == BagNorm::None {
        return Ok(counts);
    }
    let mut inputs = vec![counts];
    if let Some(idf) = idf {
        inputs.push(builder.constant(Tensor::vector(TensorData::F64(idf.to_vec())))?);
    }
    builder.node(Op::BagWeigh(weigh), &inputs)
}

/// How often a term was seen.
struct Seen {
    /// Rows that hold it.
    rows: u64,
    /// Times in all rows together.
    times: u64,
    /// The last row that holds it.
    last: usize,
}

/// All terms of some texts, in no order.
struct Counted {
    terms: Vec<(String, Seen)>,
    n_texts: u64,
}

impl Counted {
    fn new<'t>(texts: impl Iterator<Item = Option<&'t str>>, tokenizer: Tokenizer) -> Counted {
        let mut seen: HashMap<String, Seen> = HashMap::new();
        let mut pieces = Pieces::default();
        let mut n_texts = 0;
        for (row, text) in texts.enumerate() {
            let Some(text) = text else { continue };
            n_texts += 1;
            tokenizer.part(text, &mut pieces);
            for term in tokenizer.terms(&pieces).filter(|term| term.len() <= MAX_TERM) {
                match seen.get_mut(term) {
                    Some(seen) => {
                        seen.times += 1;
                        seen.rows += u64::from(seen.last != row);
                        seen.last = row;
                    }
                    None => {
                        seen.insert(term.to_owned(), Seen { rows: 1, times: 1, last: row });
                    }
                }
            }
        }
        Counted { terms: seen.into_iter().collect(), n_texts }
    }
}

struct Vocabulary {
    tokenizer: Tokenizer,
    terms: Arc<[String]>,
    idf: Option<Vec<f64>>,
    weigh: BagWeigh,
}

impl Lower for Vocabulary {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let terms = builder.constant(Tensor::vector(TensorData::Str(self.terms.to_vec())))?;
        let counts = builder.node(Op::Tokens(Tokens { tokenizer: self.tokenizer }), &[columns[0], terms])?;
        weighed(builder, counts, self.weigh, self.idf.as_deref())
    }
}

#[cfg(test)]
mod tests;
