//! F1: the harmonic mean of precision and recall, of the positive class or over all classes.

use crate::class_sums::ClassSums;
use crate::entry::{Compute, MetricEntry, Task};
use crate::error::Error;
use crate::observed::Classified;

/// See [`f1`].
pub(crate) static F1: MetricEntry = MetricEntry {
    name: "f1",
    doc: "harmonic mean of precision and recall of the positive class",
    tasks: &[Task::Binary],
    greater_is_better: true,
    compute: Compute::Classified(f1),
};

/// See [`f1_macro`].
pub(crate) static F1_MACRO: MetricEntry = MetricEntry {
    name: "f1_macro",
    doc: "mean F1 over the classes present in the rows or predicted",
    tasks: Task::CLASSES,
    greater_is_better: true,
    compute: Compute::Classified(f1_macro),
};

/// See [`f1_weighted`].
pub(crate) static F1_WEIGHTED: MetricEntry = MetricEntry {
    name: "f1_weighted",
    doc: "mean F1 over classes, weighted by their rows",
    tasks: Task::CLASSES,
    greater_is_better: true,
    compute: Compute::Classified(f1_weighted),
};

/// F1 of the positive class: `2 tp / (2 tp + fp + fn)`, in 0..=1; 0 if no row is positive or predicted so.
/// # Errors
/// None.
/// # Source
/// van Rijsbergen, Information Retrieval, 1979, ch. 7; scikit-learn `f1_score(average="binary", zero_division=0)`.
fn f1(rows: &Classified<'_>) -> Result<f64, Error> {
    Ok(ClassSums::of(rows).f1(rows.positive() as usize))
}

/// The plain mean of F1 over the classes that are present in the labels or predicted.
/// # Errors
/// None.
/// # Source
/// scikit-learn `f1_score(average="macro", zero_division=0)`; deviation: a class whose rows all weigh 0 is absent.
fn f1_macro(rows: &Classified<'_>) -> Result<f64, Error> {
    let counts = |sums: &ClassSums, class: usize| sums.labelled[class] > 0.0 || sums.predicted[class] > 0.0;
    Ok(ClassSums::of(rows).mean_over(counts, ClassSums::f1))
}

/// F1 of each class, averaged with the weight of its rows.
/// # Errors
/// None.
/// # Source
/// scikit-learn `f1_score(average="weighted", zero_division=0)`.
fn f1_weighted(rows: &Classified<'_>) -> Result<f64, Error> {
    Ok(ClassSums::of(rows).weighted_by_support(ClassSums::f1))
}

#[cfg(test)]
mod tests {
    use crate::laws::{Rows, assert_close};

    #[test]
    fn hand_computed() {
        // Positive: tp 2, fp 1, fn 1: 4/6. Negative: tp 1, fp 1, fn 1: 2/4.
        let rows = Rows::predicted(&[1, 1, 1, 0, 0], &[1, 1, 0, 1, 0], 2);
        assert_close("f1", &rows, 2.0 / 3.0);
        assert_close("f1", &rows.clone().positive(0), 0.5);
        assert_close("f1_macro", &rows, (2.0 / 3.0 + 0.5) / 2.0);
        // Supports 3 and 2.
        assert_close("f1_weighted", &rows, (2.0 + 1.0) / 5.0);
        // Weights 1 1 2 1 1: positive tp 2, fp 1, fn 2: 4/7.
        assert_close("f1", &rows.weighted(&[1.0, 1.0, 2.0, 1.0, 1.0]), 4.0 / 7.0);
    }

    #[test]
    fn absent_classes_are_left_out_of_the_mean() {
        // Class 3 of 4 is neither present nor predicted; class 2 is predicted only: (1 + 0 + 0) / 3.
        assert_close("f1_macro", &Rows::predicted(&[0, 1], &[0, 2], 4), 1.0 / 3.0);
        assert_close("f1_weighted", &Rows::predicted(&[0, 1], &[0, 2], 4), 0.5);
        assert_close("f1", &Rows::predicted(&[0, 0], &[0, 0], 2), 0.0);
    }
}
