//! Probability calibration of a fit: chosen from what the folds predicted, reported, handed on to the model.

use crate::Error;
use compose::calibrate::{Asked, Calibrated, Figures, choose};
use jobs::Ctx;
use recipe::{Aim, Prepared, Validated, relinked};

/// A calibrator that was taken, and what it does to the rows of the first repetition that were predicted out of fold;
/// figures are by the row weights of training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbabilityCalibration {
    /// Name of the calibrator.
    pub method: &'static str,
    /// Log loss of the learner's own probabilities.
    pub log_loss_before: f64,
    /// Log loss of cross-fitted probabilities.
    pub log_loss_after: f64,
    /// Expected calibration error of the learner's own probabilities.
    pub ece_before: f64,
    /// Expected calibration error of cross-fitted probabilities.
    pub ece_after: f64,
}

impl ProbabilityCalibration {
    pub(crate) fn of(made: &Calibrated) -> ProbabilityCalibration {
        let (Figures { log_loss, ece }, after) = (made.before, made.after);
        ProbabilityCalibration {
            method: made.method,
            log_loss_before: log_loss,
            log_loss_after: after.log_loss,
            ece_before: ece,
            ece_after: after.ece,
        }
    }
}

/// What the folds showed, with the probabilities of a calibrator if one was taken: scores, thresholds and what is
/// reported then follow from those.
///
/// # Errors
/// A named calibrator that cannot be fitted.
pub(crate) fn calibrated(
    asked: &Asked,
    prepared: &Prepared<'_>,
    validated: Validated,
    aim: Aim<'_>,
    ctx: &Ctx<'_>,
) -> Result<(Validated, Option<Calibrated>), Error> {
    let row_weights = prepared.row_weights.as_deref();
    let Some(made) = choose(asked, &prepared.truth, row_weights, &validated.held, ctx)? else {
        return Ok((validated, None));
    };
    Ok((relinked(prepared, &validated, made.linked.clone(), aim)?, Some(made)))
}
