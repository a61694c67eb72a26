//! `frequency`: a category to how often it is seen.

use crate::error::Error;
use crate::nodes::Labels;
use crate::statistics::counts;
use crate::transform::{FeatureKind, FittedStep, Group, StepInput, Transform, TransformEntry};
use ir::fixed::math;
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "frequency",
    doc: "a category to how often it is seen",
    takes: &[FeatureKind::Category],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &Frequency,
};

const SPEC: &[ParamSpec] = &[ParamSpec {
    name: "how",
    aliases: &[],
    default: Value::Word("share"),
    range: Range::Words(&["share", "count", "log_count"]),
    doc: "share of the training rows, their number, or the logarithm of 1 + their number",
}];

/// `n / rows`, `n` or `ln(1 + n)`, where `n` of the training rows have the key; unseen categories give 0.
/// Missing stays missing, but its rows count among all. O(rows log categories); the model holds every key.
/// # Source  category_encoders' `CountEncoder`, `normalize=True` for shares.
struct Frequency;

impl Transform for Frequency {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let n_rows = input.rows.len().max(1) as f64;
        let how = params.word("how");
        let of = |n: u64| match how {
            "count" => n as f64,
            "log_count" => math::log(1.0 + n as f64),
            _ => n as f64 / n_rows,
        };
        Ok(FittedStep::of_each(input, |at, name| {
            let (keys, mut values): (Vec<String>, Vec<f64>) =
                counts(input.texts(at)).into_iter().map(|(key, n)| (key.to_owned(), of(n))).unzip();
            if keys.is_empty() {
                return None;
            }
            values.extend([0.0, f64::NAN]);
            Some(Group::number(vec![at], format!("{how} of \"{name}\""), Labels { keys, values }))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::{Cell, Table};
    use crate::laws::wine::check_column;

    #[test]
    fn hand_computed() {
        let table = |cells: &[&str]| Table::new(&[("c", FeatureKind::Category, Cell::texts(cells))]);
        let fit = table(&["a", "b", "a", "", "a", "b", "c", ""]);
        let cells = table(&["a", "b", "c", "new", ""]);
        let cases = [
            ("share", [0.375, 0.25, 0.125, 0.0, f64::NAN]),
            ("count", [3.0, 2.0, 1.0, 0.0, f64::NAN]),
            ("log_count", [4f64.ln(), 3f64.ln(), 2f64.ln(), 0.0, f64::NAN]),
        ];
        for (how, expected) in cases {
            let fitted = fit.fit(&ENTRY, &[("how", how)]);
            assert_eq!(fitted.names, [format!("{how} of \"c\"")]);
            // 1e-15 of the value, because the pinned logarithm is within 2 steps.
            check_column(&fitted.run(&cells)[0], &expected, 1e-15);
        }
    }
}
