//! How far the score differs between folds.

use crate::prepared::Prepared;
use crate::validate::{HeldBack, Validated};
use metrics::MetricEntry;

/// The score of a part that was held back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FoldScore {
    /// Of the integers.
    pub integer: f64,
    /// Without rounding; `None` where that was not computed.
    pub float: Option<f64>,
    /// Rows held back, as a share of those learnt from.
    pub test_share: f64,
}

/// The scores of each part that was held back, in their order, by the decision of the model; parts on which the metric
/// is not defined are left out.
pub fn fold_scores(prepared: &Prepared<'_>, validated: &Validated, metric: &MetricEntry) -> Vec<FoldScore> {
    let score = |part: &HeldBack, linked: &[f64]| validated.score_of(prepared, &part.rows, linked, metric);
    let both = |part: &HeldBack| {
        let held = part.rows.len();
        Some(FoldScore {
            integer: score(part, &part.linked)?,
            float: if part.floats.is_empty() { None } else { score(part, &part.floats) },
            test_share: held as f64 / prepared.rows.len().saturating_sub(held).max(1) as f64,
        })
    };
    validated.held.iter().filter_map(both).collect()
}
