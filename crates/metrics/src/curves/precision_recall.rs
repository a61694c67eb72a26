//! Precision against recall: what is found, and how much of what is accepted is right.

use super::{Curves, thinning};
use crate::error::Error;

/// One threshold of the precision-recall curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrecisionRecallPoint {
    /// Rows are accepted from this probability on.
    pub threshold: f64,
    /// Of the accepted rows, the share that is of the class.
    pub precision: f64,
    /// Of the class, the share that is accepted.
    pub recall: f64,
}

impl Curves {
    /// The precision-recall curve: one point a distinct score, largest score and least recall first.
    /// At most `max_points` (at least 2), thinned; see `thinning.rs`. O(steps).
    /// # Errors
    /// `Undefined` if the class has no rows.
    /// # Source
    /// scikit-learn `precision_recall_curve`; deviation: largest threshold first, and no point of recall 0, which has
    /// no precision.
    pub fn precision_recall(&self, max_points: usize) -> Result<Vec<PrecisionRecallPoint>, Error> {
        self.need_class("precision_recall_curve")?;
        let total = self.ranking.total;
        let steps = &self.ranking.steps;
        let shares: Vec<(f64, f64)> =
            steps.iter().map(|s| (s.hits / total.hits, s.hits / (s.hits + s.false_alarms))).collect();
        let point = |idx: usize| PrecisionRecallPoint {
            threshold: steps[idx].score,
            precision: shares[idx].1,
            recall: shares[idx].0,
        };
        Ok(thinning::kept(&shares, max_points).into_iter().map(point).collect())
    }
}
