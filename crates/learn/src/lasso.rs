//! `lasso`: lasso.
//!
//! Minimises `1 / (2 n) sum_i v_i (y_i - f_i)^2 + alpha sum_j |w_j|`, `n` the total weight; `alpha` as in
//! scikit-learn, on columns of deviation 1 unless `standardize` says otherwise. Many weights become 0, and their columns are left out of the model.
//! # Source  Tibshirani, J. Royal Statistical Society B 58, 1996.

use crate::linear_fit::{AUTO_ALPHA, Linear, LinearFit, SCALED, SOLVING, Task};
use crate::linear_model::Loss;
use crate::{Error, Grows, LearnerEntry, Takes};
use ir::op::LinkKind;
use params::ParamSpec;

const SPEC: &[ParamSpec] = &[AUTO_ALPHA];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "lasso",
    doc: "lasso: squared errors, absolute weights",
    tasks: &[ir::Task::Regression],
    specs: &[SPEC, SOLVING, SCALED],
    space: &[],
    takes: Takes::ALL,
    floats_are_free: true,
    starts_from_scores: false,
    grows: Grows::Passes,
    learner: &Linear { task },
};

fn task(fit: &LinearFit<'_>, targets: &[f64]) -> Result<Task, Error> {
    let (l1, l2) = fit.strengths(targets, 1.0);
    Ok(Task { loss: Loss::Squared, l1, l2, link: LinkKind::Linear })
}
