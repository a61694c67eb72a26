//! Weights per class: labelled, predicted, and both. All that precision, recall and F1 need.

use crate::observed::Classified;

/// Sums of row weights, `[n_classes]` each.
pub(crate) struct ClassSums {
    /// Rows of the class: its support.
    pub(crate) labelled: Vec<f64>,
    /// Rows predicted as the class.
    pub(crate) predicted: Vec<f64>,
    /// Rows of the class, predicted as the class.
    pub(crate) hits: Vec<f64>,
}

impl ClassSums {
    pub(crate) fn of(rows: &Classified<'_>) -> ClassSums {
        let zeros = vec![0.0; rows.n_classes()];
        let mut sums = ClassSums { labelled: zeros.clone(), predicted: zeros.clone(), hits: zeros };
        for (row, weight) in rows.weights().iter() {
            let label = rows.labels()[row] as usize;
            let predicted = rows.predicted()[row] as usize;
            sums.labelled[label] += weight;
            sums.predicted[predicted] += weight;
            if label == predicted {
                sums.hits[label] += weight;
            }
        }
        sums
    }

    pub(crate) fn precision(&self, class: usize) -> f64 {
        ratio(self.hits[class], self.predicted[class])
    }

    pub(crate) fn recall(&self, class: usize) -> f64 {
        ratio(self.hits[class], self.labelled[class])
    }

    pub(crate) fn f1(&self, class: usize) -> f64 {
        ratio(2.0 * self.hits[class], self.labelled[class] + self.predicted[class])
    }

    /// `sum_k support_k x_k / sum_k support_k`.
    pub(crate) fn weighted_by_support(&self, x: fn(&ClassSums, usize) -> f64) -> f64 {
        let sum: f64 =
            self.labelled.iter().enumerate().map(|(class, support)| support * x(self, class)).sum();
        // The total is above 0, because the weights' sum is.
        sum / self.labelled.iter().sum::<f64>()
    }

    /// The plain mean over the classes that `counts` tells to count; 0 if there are none.
    pub(crate) fn mean_over(
        &self,
        counts: fn(&ClassSums, usize) -> bool,
        x: fn(&ClassSums, usize) -> f64,
    ) -> f64 {
        let mut sum = 0.0;
        let mut n = 0_u32;
        for class in (0..self.labelled.len()).filter(|&class| counts(self, class)) {
            sum += x(self, class);
            n += 1;
        }
        ratio(sum, f64::from(n))
    }
}

/// 0 where the denominator is 0: scikit-learn's `zero_division=0`.
pub(crate) fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 { 0.0 } else { numerator / denominator }
}
