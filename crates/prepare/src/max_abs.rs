//! `max_abs`: numbers divided by the largest size among them.

use crate::error::Error;
use crate::standard::Scaled;
use crate::transform::{FeatureKind, FittedStep, StepInput, Transform, TransformEntry};
use params::Params;

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "max_abs",
    doc: "numbers divided by the largest size among them; zero stays zero",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: false,
    spec: &[],
    transform: &MaxAbs,
};

/// `x / max |x|` over the finite values. Missing stays missing, infinities stay. A column of zeros or without
/// a finite value goes on as it is. O(rows).
/// # Source  scikit-learn's `MaxAbsScaler` has the same definition.
struct MaxAbs;

impl Transform for MaxAbs {
    fn fit(&self, input: &StepInput<'_>, _: &Params) -> Result<FittedStep, Error> {
        Ok(FittedStep::of_each(input, |at, name| {
            let most =
                input.numbers(at).iter().map(|v| v.abs()).filter(|v| v.is_finite()).fold(0.0, f64::max);
            (most > 0.0).then(|| Scaled::new(0.0, most).group(at, name))
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
            ("x", &[2.0, nan, -8.0, -inf, 0.0]),
            ("zero", &[0.0, nan, 0.0, 0.0, 0.0]),
            ("tiny", &[5e-324, 0.0, nan, nan, nan]),
        ]);
        let fitted = table.fit(&ENTRY, &[]);
        assert_eq!(fitted.kept, ["zero"]);
        wine::check_column(&fitted.column(&table, "x"), &[0.25, nan, -1.0, -inf, 0.0], 0.0);
        wine::check_column(&fitted.column(&table, "tiny"), &[1.0, 0.0, nan, nan, nan], 0.0);
    }

    #[test]
    fn as_scikit_learn() {
        // MaxAbsScaler().fit_transform(X)[[0, 59, 100, 177]].
        let expected = [
            [0.959541469993257, 0.29482758620689653, 0.6339285714285714],
            [0.8341200269723533, 0.16206896551724137, 0.30952380952380953],
            [0.8145650708024275, 0.35862068965517246, 0.4226190476190476],
            [0.9527983816587998, 0.7068965517241379, 0.3333333333333333],
        ];
        wine::check(&ENTRY, &[], &expected, 1e-15);
    }
}
