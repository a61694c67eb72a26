//! `robust`: numbers to median 0 and interquartile range 1.

use crate::error::Error;
use crate::standard::Scaled;
use crate::statistics::{median, quantile_of};
use crate::transform::{FeatureKind, FittedStep, StepInput, Transform, TransformEntry};
use params::Params;

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "robust",
    doc: "numbers to median 0 and interquartile range 1, so that outliers do not set the scale",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: false,
    spec: &[],
    transform: &Robust,
};

/// `(x - median) / (q75 - q25)` over the finite values, quantiles linear between neighbours; where half of the
/// values are equal, so that the range is 0, the column is only centred. Missing stays missing, infinities
/// stay. A column without a finite value, or whose range is no double, goes on as it is. O(rows log rows).
/// # Source  scikit-learn's `RobustScaler` has the same definition.
struct Robust;

impl Transform for Robust {
    fn fit(&self, input: &StepInput<'_>, _: &Params) -> Result<FittedStep, Error> {
        Ok(FittedStep::of_each(input, |at, name| {
            let sorted = input.sorted_finite(at);
            let (low, high) = (quantile_of(&sorted, 1, 4)?, quantile_of(&sorted, 3, 4)?);
            let middle = median(&sorted)?;
            (high - low).is_finite().then(|| Scaled::new(middle, high - low).group(at, name))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::Table;
    use crate::laws::wine;

    #[test]
    fn hand_computed() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let table = Table::numbers(&[
            // Quarters 2, 3 and 6.
            ("x", &[1.0, 2.0, nan, 3.0, 6.0, inf, 100.0]),
            ("mostly", &[5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 9.0]),
            ("none", &[nan; 7]),
        ]);
        let fitted = table.fit(&ENTRY, &[]);
        assert_eq!(fitted.kept, ["none"]);
        let expected = [-0.5, -0.25, nan, 0.0, 0.75, inf, 24.25];
        wine::check_column(&fitted.column(&table, "x"), &expected, 0.0);
        wine::check_column(&fitted.column(&table, "mostly"), &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 4.0], 0.0);
    }

    #[test]
    fn as_scikit_learn() {
        // RobustScaler().fit_transform(X)[[0, 59, 100, 177]].
        let expected = [
            [0.897338403041824, -0.1047297297297299, 0.8080495356037152],
            [-0.5171102661596965, -0.6250000000000002, -0.31682146542827655],
            [-0.7376425855513306, 0.14527027027027017, 0.07533539731682147],
            [0.8212927756653985, 1.5101351351351349, -0.23426212590299278],
        ];
        wine::check(&ENTRY, &[], &expected, 1e-14);
    }
}
