//! `hash_text`: text to a bag of buckets, without a vocabulary.

use crate::error::Error;
use crate::tf_idf::{self, tokenizer, weighed, weighing};
use crate::transform::{FeatureKind, FittedStep, Group, Made, StepInput, Transform, TransformEntry};
use ir::op::HashTokens;
use ir::{GraphBuilder, Op, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "hash_text",
    doc: "text to a bag of buckets of terms, without a vocabulary",
    takes: &[FeatureKind::Text],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &HashText,
};

const SPEC: &[ParamSpec] = &[
    tf_idf::ANALYZER,
    tf_idf::NGRAM_MIN,
    tf_idf::NGRAM_MAX,
    tf_idf::CASE,
    ParamSpec {
        name: "bits",
        aliases: &[],
        default: Value::Int(16),
        range: Range::Int { low: 1, high: 20 },
        doc: "binary logarithm of the number of buckets",
    },
    tf_idf::TERM_FREQUENCY,
    tf_idf::NORM,
];

/// `id = FNV-1a 32 of the term mod 2^bits`; the weight of an id is what the counts of its terms become
/// together, each text's weights divided by their norm.
///
/// Nothing is learnt and the model holds no term, so no text is ever unseen, at the price of terms that share
/// a bucket. A missing text is an empty bag. O(1) to fit.
/// # Source  Weinberger et al., Feature Hashing for Large Scale Multitask Learning, ICML 2009; deviation: no
/// second hash gives signs, as in scikit-learn's `HashingVectorizer` with `alternate_sign=False`, which
/// hashes by MurmurHash3.
struct HashText;

impl Transform for HashText {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let bits = u8::try_from(params.int("bits")).unwrap_or(1);
        let op = HashTokens { tokenizer: tokenizer(ENTRY.name, params)?, bits };
        let weigh = weighing(params);
        let mut step = FittedStep::default();
        for (at, column) in input.columns.iter().enumerate() {
            let part = move |b: &mut GraphBuilder, columns: &[ValueIdx]| {
                let counts = b.node(Op::HashTokens(op), columns)?;
                weighed(b, counts, weigh, None)
            };
            step.groups.push(Group {
                uses: vec![at],
                made: Made::Bag { name: column.name.to_owned(), terms: None },
                part: Box::new(part),
                training: None,
            });
        }
        Ok(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bag_columns;
    use crate::laws::table::{Cell, Fitting, Table};
    use ir::text::tokens::hashed;

    /// By row, the buckets that have a weight.
    fn weights(texts: &[&str], settings: &[(&str, &str)]) -> Vec<Vec<(String, f64)>> {
        let table = Table::new(&[("note", FeatureKind::Text, Cell::texts(texts))]);
        let columns = (&bag_columns::ENTRY, &[("how", "frequency"), ("columns", "8192")][..]);
        let fitted = table.fit_chain((&ENTRY, settings), columns, &Fitting::default()).unwrap();
        let values = fitted.run(&table);
        let row = |row: usize| {
            let there = fitted.names.iter().zip(&values).filter(|(_, v)| v[row] != 0.0);
            there.map(|(name, v)| (name.clone(), v[row])).collect()
        };
        (0..texts.len()).map(row).collect()
    }

    #[test]
    fn buckets_by_hand() {
        let name = |term: &str, bits| format!("bucket {} of \"note\"", hashed(term, bits));
        let got = weights(&["b a B", "", "a"], &[("bits", "12"), ("ngram_max", "1"), ("norm", "none")]);
        let mut expected = vec![(hashed("a", 12), 1.0), (hashed("b", 12), 2.0)];
        expected.sort_by_key(|e| e.0);
        let expected: Vec<(String, f64)> =
            expected.into_iter().map(|(id, w)| (format!("bucket {id} of \"note\""), w)).collect();
        assert_eq!(got, [expected, vec![], vec![(name("a", 12), 1.0)]]);
        // Terms that share a bucket are counted together: FNV-1a of one byte differs in the lowest bit as the
        // byte does.
        assert_eq!(hashed("a", 1), hashed("c", 1));
        let got = weights(&["a c"], &[("bits", "1"), ("ngram_max", "1"), ("norm", "none")]);
        assert_eq!(got, [[(name("a", 1), 2.0)]]);
        let got = weights(&["a c"], &[("bits", "1"), ("ngram_max", "1"), ("term_frequency", "binary")]);
        assert_eq!(got, [[(name("a", 1), 1.0)]]);
    }

    /// `HashingVectorizer(n_features=2**20, alternate_sign=False, ngram_range=(1, 2), norm=..,
    /// token_pattern=r"(?u)[0-9A-Za-z\x80-\U0010ffff]+").transform(docs)` of scikit-learn 1.9: the hash is
    /// another, so the weights of each row are compared in rising order; no two terms share a bucket.
    #[test]
    fn weights_are_scikit_learns() {
        let texts = ["The cat sat on the mat, the cat slept.", "A dog chased the cat!", "."];
        let first = |one: f64, two: f64, three: f64| [vec![one; 10], vec![two; 2], vec![three]].concat();
        let l2 = first(0.19245008972987526, 0.3849001794597505, 0.5773502691896257);
        let l1 = first(0.058823529411764705, 0.11764705882352941, 0.17647058823529413);
        for (norm, rows) in [
            ("l2", [l2, vec![0.3333333333333333; 9], vec![]]),
            ("l1", [l1, vec![0.1111111111111111; 9], vec![]]),
        ] {
            let got = weights(&texts, &[("bits", "20"), ("norm", norm)]);
            for (row, (got, expected)) in got.iter().zip(&rows).enumerate() {
                let mut got: Vec<f64> = got.iter().map(|(_, w)| *w).collect();
                got.sort_by(f64::total_cmp);
                assert_eq!(got.len(), expected.len(), "row {row}");
                // One sum, one root, one division.
                assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 3e-16), "row {row}: {got:?}");
            }
        }
    }
}
