//! The Kolmogorov-Smirnov statistic: how far apart the scores of the class and of the rest lie.

use super::Curves;
use crate::error::Error;

/// The largest distance between two distributions of scores, and where it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KolmogorovSmirnov {
    /// In 0..=1; 0 if the class and the rest have the same scores, 1 if no threshold mixes them.
    pub distance: f64,
    /// The largest threshold at which the distance is reached: rows are accepted from this probability on.
    pub threshold: f64,
}

impl Curves {
    /// The Kolmogorov-Smirnov statistic of the two classes' scores: `max_t |TPR(t) - FPR(t)|`. O(steps).
    /// Constant predictions give 0 at their score.
    /// # Errors
    /// `Undefined` if the class has no rows, or all of them.
    /// # Source
    /// Smirnov, Annals of Mathematical Statistics 19, 1948; SciPy `ks_2samp(alternative="two-sided").statistic`.
    pub fn kolmogorov_smirnov(&self) -> Result<KolmogorovSmirnov, Error> {
        self.need_both("kolmogorov_smirnov")?;
        let total = self.ranking.total;
        let mut best = KolmogorovSmirnov { distance: 0.0, threshold: total.score };
        for step in &self.ranking.steps {
            let distance = (step.hits / total.hits - step.false_alarms / total.false_alarms).abs();
            if distance > best.distance {
                best = KolmogorovSmirnov { distance, threshold: step.score };
            }
        }
        Ok(best)
    }
}
