//! `merge_spellings`: categories that differ by case or blanks alone become one.

use crate::clean::alike;
use crate::error::Error;
use crate::statistics::counts;
use crate::transform::{FeatureKind, FittedStep, Group, Lower, Made, MadeColumn, StepInput};
use crate::transform::{Transform, TransformEntry};
use ir::op::Respell;
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use params::Params;
use std::collections::BTreeMap;

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "merge_spellings",
    doc: "categories that differ by case or blanks alone become one",
    takes: &[FeatureKind::Category],
    sees_target: false,
    cleans: true,
    spec: &[],
    transform: &MergeSpellings,
};

/// Keys that are equal once ASCII letters are lower case and blanks, `_` and `-` are alike become the one that
/// most of the training rows have, of equal ones the first in byte order. The made column is a category;
/// missing stays missing, and so do unseen keys stay as they are, even where another spelling of them was seen.
/// A column without such keys goes on as it is. O(rows log categories); the model holds the keys that change,
/// of which there may be 65,536, and of the others none.
struct MergeSpellings;

impl Transform for MergeSpellings {
    fn fit(&self, input: &StepInput<'_>, _: &Params) -> Result<FittedStep, Error> {
        let mut step = FittedStep::default();
        for (at, column) in input.columns.iter().enumerate() {
            let counts = counts(input.texts(at));
            let mut changed: BTreeMap<&str, &str> = BTreeMap::new();
            for group in alike(counts.keys().copied()).into_values() {
                // The first of the largest, in byte order: `max_by_key` gives the last.
                let Some(&best) = group.iter().rev().max_by_key(|key| counts.get(**key)) else { continue };
                // The operator takes no longer ones.
                if best.len() <= Respell::MAX_VALUE {
                    changed.extend(group.into_iter().filter(|&key| key != best).map(|key| (key, best)));
                }
            }
            let n = changed.len().min(Respell::MAX_KEYS);
            if n == 0 {
                step.kept.push(at);
                continue;
            }
            let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
            let (keys, values) = changed.into_iter().take(n).map(own).unzip();
            let made = MadeColumn { name: column.name.to_owned(), kind: FeatureKind::Category };
            step.groups.push(Group {
                uses: vec![at],
                made: Made::Column(made),
                part: Box::new(Merged { keys, values }),
                training: None,
            });
        }
        Ok(step)
    }
}

struct Merged {
    keys: Vec<String>,
    values: Vec<String>,
}

impl Lower for Merged {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let keys = builder.constant(Tensor::vector(TensorData::Str(self.keys.clone())))?;
        let values = builder.constant(Tensor::vector(TensorData::Str(self.values.clone())))?;
        builder.node(Op::Respell(Respell), &[columns[0], keys, values])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::{Cell, HASH, Table};

    fn table(cells: &[&str]) -> Table {
        Table::new(&[("c", FeatureKind::Category, Cell::texts(cells))])
    }

    /// What cells become after a fit on others; a hash of each key, NaN for missing.
    fn check(fit: &[&str], cells: &[&str], expected: &[&str]) {
        let hash = |key: &&str| if key.is_empty() { f64::NAN } else { HASH.of(key).into() };
        let expected: Vec<f64> = expected.iter().map(hash).collect();
        let made = table(fit).fit(&ENTRY, &[]).run(&table(cells)).swap_remove(0);
        crate::laws::wine::check_column(&made, &expected, 0.0);
    }

    #[test]
    fn the_most_frequent_spelling_wins() {
        let fit = ["New York", "new-york", "new-york", "NEW_YORK", "Boston", "", "boston", "b oston"];
        check(
            &fit,
            &["NEW_YORK", "New York", "new-york", "Boston", "boston", "b oston", "", "nEW york", "Oslo"],
            &["new-york", "new-york", "new-york", "Boston", "Boston", "b oston", "", "nEW york", "Oslo"],
        );
        // Equal counts: the first in byte order.
        check(&["b", "B", "-", "_"], &["b", "B", "-", "_"], &["B", "B", "-", "_"]);
    }

    #[test]
    fn a_column_without_such_keys_stays() {
        for cells in [&["a", "b", "", "a b"][..], &["", ""]] {
            let fitted = table(cells).fit(&ENTRY, &[]);
            assert_eq!((fitted.kept, fitted.names), (vec!["c".to_owned()], vec![]), "{cells:?}");
        }
        // A spelling that the operator cannot hold is not merged.
        let long = "x".repeat(1025);
        assert_eq!(table(&[&long, &long, &long.to_uppercase()]).fit(&ENTRY, &[]).kept, ["c"]);
    }
}
