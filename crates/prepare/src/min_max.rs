//! `min_max`: numbers to the range from 0 to 1.

use crate::error::Error;
use crate::standard::Scaled;
use crate::statistics::extremes;
use crate::transform::{FeatureKind, FittedStep, StepInput, Transform, TransformEntry};
use params::Params;

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "min_max",
    doc: "numbers to the range from 0 to 1",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: false,
    spec: &[],
    transform: &MinMax,
};

/// `(x - min) / (max - min)` over the finite values; a constant column is only shifted to 0. Later rows may
/// lie outside 0 to 1. Missing stays missing, infinities stay. A column without a finite value, or whose range
/// is no double, goes on as it is. O(rows).
/// # Source  scikit-learn's `MinMaxScaler`; deviation: only a range of exactly 0 counts as constant.
struct MinMax;

impl Transform for MinMax {
    fn fit(&self, input: &StepInput<'_>, _: &Params) -> Result<FittedStep, Error> {
        Ok(FittedStep::of_each(input, |at, name| {
            let (low, high) = extremes(&input.numbers(at))?;
            (high - low).is_finite().then(|| Scaled::new(low, high - low).group(at, name))
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
            ("x", &[2.0, nan, 4.0, -inf, 10.0]),
            ("same", &[7.0; 5]),
            ("none", &[nan, inf, nan, nan, -inf]),
            ("wide", &[f64::MAX, -f64::MAX, 0.0, 0.0, 0.0]),
        ]);
        let fitted = table.fit(&ENTRY, &[]);
        assert_eq!(fitted.kept, ["none", "wide"]);
        wine::check_column(&fitted.column(&table, "x"), &[0.0, nan, 0.25, -inf, 1.0], 0.0);
        wine::check_column(&fitted.column(&table, "same"), &[0.0; 5], 0.0);
    }

    #[test]
    fn as_scikit_learn() {
        // MinMaxScaler().fit_transform(X)[[0, 59, 100, 177]].
        let expected = [
            [0.8421052631578951, 0.19169960474308304, 0.5613409415121255],
            [0.3526315789473684, 0.03952569169960474, 0.17261055634807418],
            [0.2763157894736845, 0.2648221343873518, 0.30813124108416545],
            [0.8157894736842106, 0.6640316205533596, 0.20114122681883026],
        ];
        // scikit-learn multiplies by the reciprocal of the range.
        wine::check(&ENTRY, &[], &expected, 1e-15);
    }
}
