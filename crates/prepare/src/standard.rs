//! `standard`: numbers to mean 0 and deviation 1.

use crate::error::Error;
use crate::nodes::shift_and_divide;
use crate::statistics::{deviation, mean};
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::{GraphBuilder, ValueIdx};
use params::Params;

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "standard",
    doc: "numbers to mean 0 and deviation 1",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: false,
    spec: &[],
    transform: &Standard,
};

/// `(x - mean) / deviation` over the finite values, the deviation with `1 / n`; a constant column is only
/// centred. Missing stays missing, infinities stay. O(rows).
/// # Source  scikit-learn's `StandardScaler` has the same definition.
struct Standard;

impl Transform for Standard {
    fn fit(&self, input: &StepInput<'_>, _: &Params) -> Result<FittedStep, Error> {
        Ok(FittedStep::of_each(input, |at, name| {
            let mut values = input.numbers(at);
            values.retain(|v| v.is_finite());
            let mean = mean(&values);
            let deviation = deviation(&values, mean);
            Some(Scaled::new(mean, deviation).group(at, name))
        }))
    }
}

/// `(x - shift) / scale`; what all scales lower to.
pub(crate) struct Scaled {
    shift: f64,
    scale: f64,
}

impl Scaled {
    /// A scale of 0, or none that is a number, counts as 1.
    pub(crate) fn new(shift: f64, scale: f64) -> Scaled {
        Scaled { shift, scale: if scale > 0.0 && scale.is_finite() { scale } else { 1.0 } }
    }

    /// The group that makes the column of column `at`.
    pub(crate) fn group(self, at: usize, name: &str) -> Group {
        Group::number(vec![at], name.to_owned(), self)
    }
}

impl Lower for Scaled {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        shift_and_divide(builder, columns[0], self.shift, self.scale)
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
            ("x", &[1.0, nan, 3.0, inf, 5.0]),
            ("same", &[0.1; 5]),
            ("none", &[nan; 5]),
            ("wide", &[1e308, -1e308, 1e308, -1e308, nan]),
        ]);
        let made = table.fit(&ENTRY, &[]).run(&table);
        // Mean 3, deviation sqrt(8 / 3).
        let d = (8.0f64 / 3.0).sqrt();
        wine::check_column(&made[0], &[-2.0 / d, nan, 0.0, inf, 2.0 / d], 1e-15);
        assert_eq!(made[1], [0.0; 5]);
        assert!(made[2].iter().all(|v| v.is_nan()));
        wine::check_column(&made[3], &[1.0, -1.0, 1.0, -1.0, nan], 1e-15);
    }

    #[test]
    fn as_scikit_learn() {
        // StandardScaler().fit_transform(X)[[0, 59, 100, 177]].
        let expected = [
            [1.5186125409891542, -0.562249798328623, 1.013008926747691],
            [-0.7789802939543485, -1.2534504204375216, -0.7225401607925932],
            [-1.13720713381113, -0.23011443445811317, -0.11748635045744828],
            [1.395086044486816, 1.5831651196457506, -0.5951604112483522],
        ];
        wine::check(&ENTRY, &[], &expected, 1e-13);
    }
}
