//! What each threshold would do: the table from which a person picks one.

use super::Curves;
use crate::class_sums::ratio;
use crate::ranking::Step;

/// What predicting the class from a probability on would give.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThresholdRow {
    /// Rows are accepted from this probability on.
    pub threshold: f64,
    /// Of the accepted rows, the share that is of the class; 0 if none is accepted.
    pub precision: f64,
    /// Of the class, the share that is accepted; 0 if the class has no rows.
    pub recall: f64,
    /// `2 tp / (2 tp + fp + fn)`; 0 if that is 0 / 0.
    pub f1: f64,
    /// Mean of the recalls of the class and of the rest, of those that have rows.
    pub balanced_accuracy: f64,
    /// Share of the rows that is accepted.
    pub share_positive: f64,
}

impl Curves {
    /// One row a threshold, in their order. Defined for any rows and any threshold. O(log steps) each.
    /// # Source
    /// scikit-learn's scores of `probability >= threshold`, with `zero_division=0`.
    pub fn at_thresholds(&self, thresholds: &[f64]) -> Vec<ThresholdRow> {
        thresholds.iter().map(|&threshold| self.at_threshold(threshold)).collect()
    }

    fn at_threshold(&self, threshold: f64) -> ThresholdRow {
        let steps = &self.ranking.steps;
        let n_accepted = steps.partition_point(|step| step.score >= threshold);
        let Step { hits, false_alarms, .. } =
            n_accepted.checked_sub(1).map(|last| steps[last]).unwrap_or_default();
        let total = self.ranking.total;
        let recall = ratio(hits, total.hits);
        let rest = ratio(total.false_alarms - false_alarms, total.false_alarms);
        let balanced_accuracy = match (total.hits > 0.0, total.false_alarms > 0.0) {
            (true, true) => (recall + rest) / 2.0,
            (true, false) => recall,
            (false, _) => rest,
        };
        ThresholdRow {
            threshold,
            precision: ratio(hits, hits + false_alarms),
            recall,
            f1: ratio(2.0 * hits, total.hits + hits + false_alarms),
            balanced_accuracy,
            share_positive: ratio(hits + false_alarms, total.hits + total.false_alarms),
        }
    }
}
