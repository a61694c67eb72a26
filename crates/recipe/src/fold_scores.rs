//! How far the score differs between folds.

use crate::decide::predictions_by;
use crate::prepared::Prepared;
use crate::validate::{HeldBack, Validated};
use metrics::MetricEntry;

/// The score of each part that was held back, in their order, by the decision of the model; parts on which the metric
/// is not defined are left out.
pub fn fold_scores(prepared: &Prepared<'_>, validated: &Validated, metric: &MetricEntry) -> Vec<f64> {
    let score = |part: &HeldBack| {
        let predictions = predictions_by(&prepared.truth, part.linked.clone(), &validated.decision);
        prepared.truth.select(&part.rows).score(&predictions, metric).ok()?
    };
    validated.held.iter().filter_map(score).collect()
}
