//! Accuracy, plain and balanced: how often the predicted class is the true one.

use crate::class_sums::ClassSums;
use crate::entry::{Compute, MetricEntry, Task};
use crate::error::Error;
use crate::observed::Classified;

/// See [`accuracy`].
pub(crate) static ACCURACY: MetricEntry = MetricEntry {
    name: "accuracy",
    doc: "share of rows whose predicted class is right",
    tasks: Task::CLASSES,
    greater_is_better: true,
    compute: Compute::Classified(accuracy),
};

/// See [`balanced_accuracy`].
pub(crate) static BALANCED_ACCURACY: MetricEntry = MetricEntry {
    name: "balanced_accuracy",
    doc: "mean recall over the classes present in the rows",
    tasks: Task::CLASSES,
    greater_is_better: true,
    compute: Compute::Classified(balanced_accuracy),
};

/// Accuracy: `sum_i w_i [predicted_i = label_i] / sum_i w_i`, in 0..=1.
/// # Errors
/// None.
/// # Source
/// scikit-learn `accuracy_score`.
fn accuracy(rows: &Classified<'_>) -> Result<f64, Error> {
    Ok(rows.weights().mean(|row| f64::from(u8::from(rows.labels()[row] == rows.predicted()[row]))))
}

/// Balanced accuracy: the plain mean of recall over the classes present in the labels, in 0..=1.
/// # Errors
/// None.
/// # Source
/// scikit-learn `balanced_accuracy_score(adjusted=False)`.
fn balanced_accuracy(rows: &Classified<'_>) -> Result<f64, Error> {
    Ok(ClassSums::of(rows).mean_over(|sums, class| sums.labelled[class] > 0.0, ClassSums::recall))
}

#[cfg(test)]
mod tests {
    use crate::laws::{Rows, assert_close};

    #[test]
    fn hand_computed() {
        // 3 of 4 right; recall of class 0 is 1, of class 1 is 1/2, of class 2 is 1.
        let rows = Rows::predicted(&[0, 1, 1, 2], &[0, 1, 2, 2], 3);
        assert_close("accuracy", &rows, 0.75);
        assert_close("balanced_accuracy", &rows, 2.5 / 3.0);
        // Weights 1 1 3 5: 7 of 10 right; recall 1, 1/4, 1.
        let weighted = rows.weighted(&[1.0, 1.0, 3.0, 5.0]);
        assert_close("accuracy", &weighted, 0.7);
        assert_close("balanced_accuracy", &weighted, 0.75);
    }

    #[test]
    fn balanced_accuracy_leaves_out_absent_classes() {
        // Class 2 is predicted but has no rows: (1 + 0) / 2.
        assert_close("balanced_accuracy", &Rows::predicted(&[0, 0, 1], &[0, 0, 2], 3), 0.5);
        assert_close("balanced_accuracy", &Rows::predicted(&[1], &[1], 2), 1.0);
        assert_close("balanced_accuracy", &Rows::predicted(&[0, 1], &[1, 0], 2), 0.0);
    }
}
