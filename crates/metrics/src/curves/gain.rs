//! Gain and lift: what part of the class is reached by taking the best-scored part of the rows.

use super::{Curves, thinning};
use crate::error::Error;

/// What taking rows from the largest score down to a threshold reaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GainPoint {
    /// Rows are taken from this probability on.
    pub threshold: f64,
    /// Share of all rows that is taken, by weight.
    pub share: f64,
    /// Share of the class that is reached.
    pub gain: f64,
    /// `gain / share`: how many times more of the class than among as many rows taken blindly.
    pub lift: f64,
}

impl Curves {
    /// Gain and lift by share of rows: one point a distinct score, smallest share first; the last is (1, 1).
    /// At most `max_points` (at least 2), thinned so that the area under the gain stays; see `thinning.rs`. O(steps).
    /// # Errors
    /// `Undefined` if the class has no rows.
    pub fn gain(&self, max_points: usize) -> Result<Vec<GainPoint>, Error> {
        self.need_class("gain_curve")?;
        let total = self.ranking.total;
        let rows = total.hits + total.false_alarms;
        let steps = &self.ranking.steps;
        let shares: Vec<(f64, f64)> =
            steps.iter().map(|s| ((s.hits + s.false_alarms) / rows, s.hits / total.hits)).collect();
        let point = |idx: usize| {
            let (share, gain) = shares[idx];
            GainPoint { threshold: steps[idx].score, share, gain, lift: gain / share }
        };
        Ok(thinning::kept(&shares, max_points).into_iter().map(point).collect())
    }
}
