//! Precision, recall and F1 of all classes as one number each, in the field's three ways of averaging.
//!
//! Apart from the family, because reports show the three beside each other below the table per class.

use crate::class_sums::ClassSums;
use crate::observed::Classified;

/// Precision, recall and F1, averaged over classes in one way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Average {
    /// Of the rows predicted as a class, the share that is of it.
    pub precision: f64,
    /// Of the rows of a class, the share that is predicted as it.
    pub recall: f64,
    /// `2 tp / (2 tp + fp + fn)`.
    pub f1: f64,
}

/// The three ways of averaging over classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Averages {
    /// Every class counts alike.
    pub macro_average: Average,
    /// Every row counts alike; where each row has one class, all three are the accuracy.
    pub micro_average: Average,
    /// Every class counts with its support.
    pub weighted_average: Average,
}

/// Averages of precision, recall and F1 over classes, each in 0..=1.
/// Macro: the plain mean over the classes that are present in the labels or predicted. Weighted:
/// `sum_k support_k x_k / sum_k support_k`. Micro: from the sums of `tp`, `fp` and `fn` over classes.
/// A class whose denominator is 0 has the value 0; rows of weight 0 are absent. O(n_rows + n_classes).
/// # Source
/// scikit-learn `precision_recall_fscore_support(zero_division=0)`; deviation: a class whose rows all weigh 0 is
/// absent.
pub fn averages(rows: &Classified<'_>) -> Averages {
    let sums = ClassSums::of(rows);
    let present = |sums: &ClassSums, class: usize| sums.labelled[class] > 0.0 || sums.predicted[class] > 0.0;
    let hits: f64 = sums.hits.iter().sum();
    // Each row has one label and one prediction, so a miss of one class is a false alarm of another.
    let micro = hits / sums.labelled.iter().sum::<f64>();
    Averages {
        macro_average: Average {
            precision: sums.mean_over(present, ClassSums::precision),
            recall: sums.mean_over(present, ClassSums::recall),
            f1: sums.mean_over(present, ClassSums::f1),
        },
        micro_average: Average { precision: micro, recall: micro, f1: micro },
        weighted_average: Average {
            precision: sums.weighted_by_support(ClassSums::precision),
            recall: sums.weighted_by_support(ClassSums::recall),
            f1: sums.weighted_by_support(ClassSums::f1),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Rows;

    fn of(rows: &Rows) -> Averages {
        averages(&rows.classified())
    }

    #[test]
    fn hand_computed() {
        // Class 0: precision 1/2, recall 1/2. Class 1: 1/2, 1. Class 2: 1, 2/3. Class 3 is absent.
        let got = of(&Rows::predicted(&[0, 0, 1, 2, 2, 2], &[0, 1, 1, 0, 2, 2], 4));
        let near = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-15, "{got}, {expected}");
        near(got.macro_average.precision, 2.0 / 3.0);
        near(got.macro_average.recall, (0.5 + 1.0 + 2.0 / 3.0) / 3.0);
        near(got.macro_average.f1, (0.5 + 2.0 / 3.0 + 0.8) / 3.0);
        let micro = 4.0 / 6.0;
        assert_eq!(got.micro_average, Average { precision: micro, recall: micro, f1: micro });
        near(got.weighted_average.precision, (2.0 * 0.5 + 0.5 + 3.0) / 6.0);
        near(got.weighted_average.recall, (2.0 * 0.5 + 1.0 + 2.0) / 6.0);
        near(got.weighted_average.f1, (2.0 * 0.5 + 2.0 / 3.0 + 2.4) / 6.0);
    }

    #[test]
    fn one_class_and_no_hit() {
        let all = |x| Average { precision: x, recall: x, f1: x };
        let right = of(&Rows::predicted(&[0, 0], &[0, 0], 1));
        assert_eq!([right.macro_average, right.micro_average, right.weighted_average], [all(1.0); 3]);
        let wrong = of(&Rows::predicted(&[0, 1], &[1, 0], 2));
        assert_eq!([wrong.macro_average, wrong.micro_average, wrong.weighted_average], [all(0.0); 3]);
    }
}
