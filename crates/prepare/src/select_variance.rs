//! `select_variance`: drops columns that hardly vary.

use crate::error::Error;
use crate::statistics::{deviation, mean};
use crate::transform::{FeatureKind, FittedStep, StepInput, Transform, TransformEntry};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "select_variance",
    doc: "drops columns that hardly vary",
    takes: &[FeatureKind::Number, FeatureKind::Category],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &SelectVariance,
};

const SPEC: &[ParamSpec] = &[ParamSpec {
    name: "threshold",
    aliases: &[],
    default: Value::Real(0.0),
    range: Range::Real { low: 0.0, high: 1e300 },
    doc: "variance that a column of numbers has to exceed; 0 drops those of one value",
}];

/// Drops number columns whose variance (with `1 / n`) is not above the threshold, and category columns of less
/// than two categories. Missing cells do not count; a column in which an infinite number stands beside another
/// number varies without bound. O(rows).
/// # Source  scikit-learn's `VarianceThreshold` has the same definition for numbers.
struct SelectVariance;

impl Transform for SelectVariance {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let threshold = params.real("threshold");
        let varies = |at: &usize| match input.columns[*at].kind {
            FeatureKind::Number => variance(input.numbers(*at)) > threshold,
            _ => {
                let texts = input.texts(*at);
                let mut keys = texts.iter().flatten();
                let first = keys.next();
                keys.any(|key| Some(key) != first)
            }
        };
        let kept = (0..input.columns.len()).filter(varies).collect();
        Ok(FittedStep { kept, groups: Vec::new() })
    }
}

/// Variance of the numbers that are there.
fn variance(mut values: Vec<f64>) -> f64 {
    values.retain(|v| !v.is_nan());
    let first = values.first().copied();
    if values.iter().all(|&v| Some(v) == first) {
        return 0.0;
    }
    if values.iter().any(|v| v.is_infinite()) {
        return f64::INFINITY;
    }
    let deviation = deviation(&values, mean(&values));
    deviation * deviation
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::{Cell, Table};
    use crate::laws::wine;

    #[test]
    fn hand_computed() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let number = |name, v: [f64; 4]| (name, FeatureKind::Number, Cell::Real(v.to_vec()));
        let category = |name, cells: [&str; 4]| (name, FeatureKind::Category, Cell::texts(&cells));
        let table = Table::new(&[
            number("same", [0.1; 4]),
            number("none", [nan; 4]),
            number("holes", [2.0, nan, 2.0, 2.0]),
            number("infinite", [inf; 4]),
            number("far", [inf, 1.0, 1.0, 1.0]),
            number("half", [0.0, 1.0, 0.0, 1.0]),
            number("wide", [1e200, -1e200, 0.0, nan]),
            category("one", ["a", "a", "", "a"]),
            category("two", ["a", "b", "", "a"]),
            category("no", [""; 4]),
        ]);
        assert_eq!(table.fit(&ENTRY, &[]).kept, ["far", "half", "wide", "two"]);
        assert_eq!(table.fit(&ENTRY, &[("threshold", "0.25")]).kept, ["far", "wide", "two"]);
    }

    #[test]
    fn as_scikit_learn() {
        // VarianceThreshold(t).fit(X).variances_ is 0.65536, 1.24100, 98609.6.
        let table = wine::table();
        assert_eq!(table.fit(&ENTRY, &[("threshold", "0.6553")]).kept, wine::NAMES);
        assert_eq!(table.fit(&ENTRY, &[("threshold", "0.6554")]).kept, wine::NAMES[1..]);
        assert_eq!(table.fit(&ENTRY, &[("threshold", "98609")]).kept, wine::NAMES[2..]);
        assert!((variance(wine::column("proline")) - 98609.60096578706).abs() < 1e-8);
    }
}
