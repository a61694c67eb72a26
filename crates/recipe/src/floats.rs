//! What a recipe predicts without rounding.

use crate::decide::predictions_by;
use crate::error::Error;
use crate::predictions::Predictions;
use crate::prepared::Prepared;
use crate::score_map::{ScoreMap, mapped_floats, real_scores};
use crate::validate::{Candidate, Validated};
use jobs::{Ctx, Seed};
use learn::{Exactness, LearnerEntry};
use params::Params;
use trees::Rows;

/// Fits on all rows with a target, for the rounds that the folds found, and predicts `others` without rounding: rows
/// of the table that have no target. They weigh nothing, so a learner that stops by rows held back does not look at
/// them. Decision and map are those of the integers. `None` for a learner that computes nothing without rounding. A fit,
/// of learners whose floats are not free a second one.
///
/// # Errors
/// Whatever the learner says.
pub fn float_predictions(
    mut prepared: Prepared<'_>,
    (learner, params): (&LearnerEntry, &Params),
    others: Vec<u32>,
    (validated, map): (&Validated, Option<&ScoreMap>),
    seed: Seed,
    ctx: &Ctx<'_>,
) -> Result<Option<Predictions>, Error> {
    let n_rows = prepared.truth.n_rows();
    let weights = prepared.row_weights.get_or_insert_with(|| vec![1.0; n_rows]);
    for &row in &others {
        if let Some(weight) = weights.get_mut(row as usize) {
            *weight = 0.0;
        }
    }
    let rows = Rows { train: prepared.rows.clone(), others };
    let asked = (seed.derive("finish", 0), ctx);
    let candidate =
        Candidate { prepared: &prepared, learner, params, teacher: None, onto: None, origin: None };
    let fitted = candidate.fit(rows, validated.rounds, Exactness::Floats, asked)?;
    if fitted.other_floats.is_empty() {
        return Ok(None);
    }
    let real = real_scores(&fitted.other_scores, &fitted.link, prepared.target().n_outputs());
    let floats = match (map, real) {
        (Some(map), Some(real)) => mapped_floats(map, fitted.link.kind, &fitted.other_floats, &real),
        _ => fitted.other_floats,
    };
    Ok(Some(predictions_by(&prepared.truth, floats, &validated.decision)))
}
