//! What a class's scores are worth at every threshold: points for charts and tables, one class against the rest.
//!
//! [`Curves`] ranks the rows once; each file below reads one kind of figure off the ranking. Rows of equal score are
//! one step, so ties never split. A row is accepted at a threshold if its probability is at least the threshold.
//! Charts take a most number of points; which are left out stands in `thinning.rs`.

mod gain;
mod kolmogorov_smirnov;
mod precision_recall;
mod reliability;
mod roc;
mod thinning;
mod thresholds;

pub use gain::GainPoint;
pub use kolmogorov_smirnov::KolmogorovSmirnov;
pub use precision_recall::PrecisionRecallPoint;
pub use reliability::{Bins, ReliabilityBin};
pub use roc::RocPoint;
pub use thresholds::ThresholdRow;

use crate::error::{Error, Kind, Why};
use crate::observed::Classified;
use crate::ranking::{Ranking, rank};

/// Rows ranked by the probability of one class, for all curves of that class.
pub struct Curves {
    ranking: Ranking,
}

impl Curves {
    /// Ranks the rows by the probability of `class`; `None` is the positive class. O(n log n).
    /// # Errors
    /// `PositiveRange` if the class is not below the number of classes.
    pub fn try_new(rows: &Classified<'_>, class: Option<u32>) -> Result<Curves, Error> {
        let class = class.unwrap_or(rows.positive());
        if class as usize >= rows.n_classes() {
            return Err(Error::new(Kind::PositiveRange { got: class, n_classes: rows.n_classes() }));
        }
        Ok(Curves { ranking: rank(rows, class) })
    }

    /// The class, against the rest.
    pub fn class(&self) -> u32 {
        self.ranking.class
    }

    /// Refuses rows without the class.
    fn need_class(&self, metric: &'static str) -> Result<(), Error> {
        if self.ranking.total.hits > 0.0 {
            return Ok(());
        }
        Err(Error::new(Kind::Undefined { metric, why: Why::NoRows { class: self.ranking.class } }))
    }

    /// Refuses rows without the class, or with nothing else.
    fn need_both(&self, metric: &'static str) -> Result<(), Error> {
        self.need_class(metric)?;
        if self.ranking.total.false_alarms > 0.0 {
            return Ok(());
        }
        Err(Error::new(Kind::Undefined { metric, why: Why::OnlyRows { class: self.ranking.class } }))
    }
}

#[cfg(test)]
mod tests;
