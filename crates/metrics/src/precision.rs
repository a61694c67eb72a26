//! Precision: of the rows predicted as a class, the share that is of it.

use crate::class_sums::ClassSums;
use crate::entry::{Compute, MetricEntry, Task};
use crate::error::Error;
use crate::observed::Classified;

/// See [`precision`].
pub(crate) static PRECISION: MetricEntry = MetricEntry {
    name: "precision",
    doc: "of the rows predicted as positive, the share that is",
    tasks: &[Task::Binary],
    greater_is_better: true,
    compute: Compute::Classified(precision),
};

/// See [`precision_weighted`].
pub(crate) static PRECISION_WEIGHTED: MetricEntry = MetricEntry {
    name: "precision_weighted",
    doc: "mean precision over classes, weighted by their rows",
    tasks: Task::CLASSES,
    greater_is_better: true,
    compute: Compute::Classified(precision_weighted),
};

/// Precision of the positive class: `tp / (tp + fp)`, in 0..=1; 0 if no row is predicted as positive.
/// # Errors
/// None.
/// # Source
/// scikit-learn `precision_score(average="binary", zero_division=0)`.
fn precision(rows: &Classified<'_>) -> Result<f64, Error> {
    Ok(ClassSums::of(rows).precision(rows.positive() as usize))
}

/// Precision of each class, averaged with the weight of its rows; 0 for a class that is never predicted.
/// # Errors
/// None.
/// # Source
/// scikit-learn `precision_score(average="weighted", zero_division=0)`.
fn precision_weighted(rows: &Classified<'_>) -> Result<f64, Error> {
    Ok(ClassSums::of(rows).weighted_by_support(ClassSums::precision))
}

#[cfg(test)]
mod tests {
    use crate::laws::{Rows, assert_close};

    #[test]
    fn hand_computed() {
        // Predicted positive: 3 rows, 2 of them positive. Predicted negative: 2 rows, 1 of them negative.
        let rows = Rows::predicted(&[1, 1, 1, 0, 0], &[1, 1, 0, 1, 0], 2);
        assert_close("precision", &rows, 2.0 / 3.0);
        assert_close("precision", &rows.clone().positive(0), 0.5);
        // Supports 3 and 2: (3 * 2/3 + 2 * 1/2) / 5.
        assert_close("precision_weighted", &rows, 0.6);
        // Weights 1 1 1 2 1: 2 of 4, and 1 of 2.
        assert_close("precision", &rows.weighted(&[1.0, 1.0, 1.0, 2.0, 1.0]), 0.5);
    }

    #[test]
    fn a_class_never_predicted_has_0() {
        assert_close("precision", &Rows::predicted(&[1, 0], &[0, 0], 2), 0.0);
        // Class 0: 1 of 2 right, support 1; class 1: 0, support 1.
        assert_close("precision_weighted", &Rows::predicted(&[1, 0], &[0, 0], 2), 0.25);
    }

    #[test]
    fn multiclass_has_no_positive_class() {
        let error = Rows::predicted(&[0, 1, 2], &[0, 1, 2], 3).score("precision").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("precision: not defined for a multiclass task; use one of roc_auc, ")
        );
    }
}
