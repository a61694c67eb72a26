//! `ridge`: ridge regression.
//!
//! Minimises `sum_i v_i (y_i - f_i)^2 + alpha sum_j w_j^2`, the intercept free; `alpha` as in scikit-learn. The
//! penalty is on columns as they are unless `standardize` says otherwise.
//! # Source  Hoerl & Kennard, Technometrics 12, 1970.

use crate::linear_fit::{ALPHA, Linear, LinearFit, RAW, SOLVING, Task};
use crate::linear_model::Loss;
use crate::{Error, Grows, LearnerEntry, Takes};
use ir::op::LinkKind;
use params::ParamSpec;
use params::{Axis, Scale};

const SPEC: &[ParamSpec] = &[ALPHA];

/// What a search changes.
const SPACE: &[Axis] = &[Axis { name: "alpha", scale: Scale::Log(1e-4, 1e4) }];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "ridge",
    doc: "ridge regression: squared errors, squared weights",
    tasks: &[ir::Task::Regression],
    specs: &[SPEC, SOLVING, RAW],
    space: SPACE,
    takes: Takes::ALL,
    floats_are_free: true,
    starts_from_scores: false,
    grows: Grows::Passes,
    learner: &Linear { task },
};

fn task(fit: &LinearFit<'_>, _: &[f64]) -> Result<Task, Error> {
    let l2 = fit.params.real(ALPHA.name);
    Ok(Task { loss: Loss::Squared, l1: 0.0, l2, link: LinkKind::Linear })
}
