//! The receiver operating characteristic: what part of the class is found at what price in false alarms.

use super::{Curves, thinning};
use crate::error::Error;

/// One threshold of the ROC curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RocPoint {
    /// Rows are accepted from this probability on; infinite where none is.
    pub threshold: f64,
    /// Of the rest, the share that is accepted.
    pub false_positive_rate: f64,
    /// Of the class, the share that is accepted.
    pub true_positive_rate: f64,
}

impl Curves {
    /// The ROC curve: from (0, 0) at an infinite threshold, one point a distinct score, to (1, 1).
    /// At most `max_points` (at least 2), thinned so that the area stays; see `thinning.rs`. O(steps).
    /// # Errors
    /// `Undefined` if the class has no rows, or all of them.
    /// # Source
    /// Fawcett, Pattern Recognition Letters 27, 2006, algorithm 1; scikit-learn `roc_curve(drop_intermediate=False)`.
    pub fn roc(&self, max_points: usize) -> Result<Vec<RocPoint>, Error> {
        self.need_both("roc_curve")?;
        let total = self.ranking.total;
        let mut shares = vec![(0.0, 0.0)];
        let steps = &self.ranking.steps;
        shares.extend(steps.iter().map(|s| (s.false_alarms / total.false_alarms, s.hits / total.hits)));
        let point = |idx: usize| RocPoint {
            threshold: if idx == 0 { f64::INFINITY } else { steps[idx - 1].score },
            false_positive_rate: shares[idx].0,
            true_positive_rate: shares[idx].1,
        };
        Ok(thinning::kept(&shares, max_points).into_iter().map(point).collect())
    }
}
