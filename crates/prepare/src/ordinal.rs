//! `ordinal`: a category to its place among all categories.

use crate::error::{Error, Kind};
use crate::nodes::Labels;
use crate::statistics::{by_value, counts};
use crate::transform::{FeatureKind, FittedStep, Group, StepInput, Transform, TransformEntry};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "ordinal",
    doc: "a category to its place among all categories",
    takes: &[FeatureKind::Category],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &Ordinal,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "order",
        aliases: &[],
        default: Value::Word("value"),
        range: Range::Words(&["value", "frequency"]),
        doc: "what comes first: the smallest number (or the first text), or the most frequent category",
    },
    ParamSpec {
        name: "categories",
        aliases: &[],
        default: Value::Word(""),
        range: Range::Text,
        doc: "the categories in their order, the lowest first: LOW;MIDDLE;HIGH; none: as order says",
    },
    ParamSpec {
        name: "unknown",
        aliases: &["handle_unknown"],
        default: Value::Word("missing"),
        range: Range::Words(&["missing", "minus_one"]),
        doc: "what unseen categories and missing cells become",
    },
];

/// The place of the key among the keys of the training rows, from 0: by value if all are numbers, else in
/// byte order; or by falling frequency, equal ones by value; or in the order of a list. Unseen and missing cells give NaN, or -1.
/// O(rows log categories); the model holds every key.
/// # Source  scikit-learn's `OrdinalEncoder`; deviation: keys that are numbers are ordered as numbers though
/// they are text.
struct Ordinal;

impl Transform for Ordinal {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let unknown = if params.word("unknown") == "minus_one" { -1.0 } else { f64::NAN };
        let listed = params.text("categories").split(';').map(str::trim).filter(|key| !key.is_empty());
        let listed: Vec<&str> = listed.collect();
        if !listed.is_empty() {
            return in_order(input, &listed, unknown);
        }
        Ok(FittedStep::of_each(input, |at, name| {
            let (keys, counts): (Vec<String>, Vec<u64>) =
                counts(input.texts(at)).into_iter().map(|(key, n)| (key.to_owned(), n)).unzip();
            if keys.is_empty() {
                return None;
            }
            let mut order = by_value(&keys);
            if params.word("order") == "frequency" {
                // The sort is stable: of equal counts the smaller value comes first.
                order.sort_by_key(|&k| std::cmp::Reverse(counts[k]));
            }
            let mut values = vec![0.0; keys.len()];
            order.iter().enumerate().for_each(|(place, &k)| values[k] = place as f64);
            values.extend([unknown; 2]);
            Some(Group::number(vec![at], name.to_owned(), Labels { keys, values }))
        }))
    }
}

/// Places in a list.
///
/// # Errors
/// `Unlisted` for a category of the training rows that is not in the list.
fn in_order(input: &StepInput<'_>, listed: &[&str], unknown: f64) -> Result<FittedStep, Error> {
    let mut order: Vec<(String, f64)> =
        listed.iter().map(|k| (*k).to_owned()).zip((0..).map(f64::from)).collect();
    order.sort_by(|a, b| a.0.cmp(&b.0));
    order.dedup_by(|a, b| a.0 == b.0);
    let (keys, mut values): (Vec<String>, Vec<f64>) = order.into_iter().unzip();
    values.extend([unknown; 2]);
    for (at, column) in input.columns.iter().enumerate() {
        let seen = counts(input.texts(at));
        if let Some((key, _)) =
            seen.iter().find(|(key, _)| keys.binary_search_by(|k| k.as_str().cmp(key)).is_err())
        {
            let (column, category) = (column.name.to_owned(), (*key).to_owned());
            return Err(Kind::Unlisted { transform: "ordinal", column, category }.into());
        }
    }
    Ok(FittedStep::of_each(input, |at, name| {
        let labels = Labels { keys: keys.clone(), values: values.clone() };
        Some(Group::number(vec![at], name.to_owned(), labels))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::{Cell, Table};
    use crate::laws::wine::check_column;

    const NAN: f64 = f64::NAN;

    fn run(settings: &[(&str, &str)], fit: &[&str], cells: &[&str]) -> Vec<f64> {
        let table = |cells| Table::new(&[("c", FeatureKind::Category, Cell::texts(cells))]);
        table(fit).fit(&ENTRY, settings).run(&table(cells)).swap_remove(0)
    }

    #[test]
    fn hand_computed() {
        // Empty cells are missing.
        type Case = (&'static [(&'static str, &'static str)], &'static [&'static str], [f64; 4]);
        let cases: &[Case] = &[
            (&[], &["10", "9", "", "-1"], [2.0, 1.0, NAN, NAN]),
            (&[], &["10", "9", "", "x"], [0.0, 1.0, NAN, NAN]),
            (&[("unknown", "minus_one")], &["10", "9", "", "9"], [1.0, 0.0, -1.0, -1.0]),
            (&[("order", "frequency")], &["10", "10", "9", "8"], [0.0, 2.0, NAN, NAN]),
            (&[("categories", "9; 10;11")], &["10", "9", "", "9"], [1.0, 0.0, NAN, NAN]),
        ];
        for &(settings, fit, expected) in cases {
            check_column(&run(settings, fit, &["10", "9", "", "new"]), &expected, 0.0);
        }
    }

    #[test]
    fn as_scikit_learn() {
        // OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit([["b"], ["a"], ["B"], ["a"]])
        // .transform([["a"], ["b"], ["B"], ["c"]]).
        let made = run(&[("unknown", "minus_one")], &["b", "a", "B", "a"], &["a", "b", "B", "c"]);
        assert_eq!(made, [1.0, 2.0, 0.0, -1.0]);
    }

    #[test]
    fn a_column_without_a_key_stays() {
        let table = Table::new(&[("c", FeatureKind::Category, Cell::texts(&["", ""]))]);
        assert_eq!(table.fit(&ENTRY, &[]).kept, ["c"]);
    }
}
