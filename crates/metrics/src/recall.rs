//! Recall: of the rows of a class, the share that is predicted as it.

use crate::class_sums::ClassSums;
use crate::entry::{Compute, MetricEntry, Task};
use crate::error::Error;
use crate::observed::Classified;

/// See [`recall`].
pub(crate) static RECALL: MetricEntry = MetricEntry {
    name: "recall",
    doc: "of the positive rows, the share that is predicted as positive",
    tasks: &[Task::Binary],
    greater_is_better: true,
    compute: Compute::Classified(recall),
};

/// See [`recall_weighted`].
pub(crate) static RECALL_WEIGHTED: MetricEntry = MetricEntry {
    name: "recall_weighted",
    doc: "mean recall over classes, weighted by their rows; equals accuracy",
    tasks: Task::CLASSES,
    greater_is_better: true,
    compute: Compute::Classified(recall_weighted),
};

/// Recall of the positive class: `tp / (tp + fn)`, in 0..=1; 0 if no row is positive.
/// # Errors
/// None.
/// # Source
/// scikit-learn `recall_score(average="binary", zero_division=0)`.
fn recall(rows: &Classified<'_>) -> Result<f64, Error> {
    Ok(ClassSums::of(rows).recall(rows.positive() as usize))
}

/// Recall of each class, averaged with the weight of its rows. Equals accuracy up to rounding.
/// # Errors
/// None.
/// # Source
/// scikit-learn `recall_score(average="weighted", zero_division=0)`.
fn recall_weighted(rows: &Classified<'_>) -> Result<f64, Error> {
    Ok(ClassSums::of(rows).weighted_by_support(ClassSums::recall))
}

#[cfg(test)]
mod tests {
    use crate::laws::{Rows, assert_close};

    #[test]
    fn hand_computed() {
        // 2 of 3 positive rows and 1 of 2 negative rows are found.
        let rows = Rows::predicted(&[1, 1, 1, 0, 0], &[1, 1, 0, 1, 0], 2);
        assert_close("recall", &rows, 2.0 / 3.0);
        assert_close("recall", &rows.clone().positive(0), 0.5);
        assert_close("recall_weighted", &rows, 0.6);
        // Weights 1 1 2 1 1: 2 of 4.
        assert_close("recall", &rows.weighted(&[1.0, 1.0, 2.0, 1.0, 1.0]), 0.5);
    }

    #[test]
    fn without_positive_rows_it_is_0() {
        assert_close("recall", &Rows::predicted(&[0, 0], &[1, 0], 2), 0.0);
        assert_close("recall_weighted", &Rows::predicted(&[0, 0], &[1, 0], 2), 0.5);
    }
}
