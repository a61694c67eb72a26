//! `poisson`: Poisson regression: the log of the mean of a count is linear.
//!
//! Minimises `1 / n sum_i v_i (e^(f_i) - y_i f_i) + alpha / 2 sum_j w_j^2`, `n` the total weight; `alpha` as in
//! scikit-learn, on columns of deviation 1 unless `standardize` says otherwise. Targets are 0 or more.
//! # Source  Nelder & Wedderburn, J. Royal Statistical Society A 135, 1972.

use crate::linear_fit::{ALPHA, Linear, LinearFit, SCALED, SOLVING, Task};
use crate::linear_model::Loss;
use crate::{Error, Grows, LearnerEntry, Takes};
use ir::op::LinkKind;
use params::{Axis, ParamSpec, Scale, Value};

const SPEC: &[ParamSpec] = &[ParamSpec { default: Value::Real(1e-3), ..ALPHA }];

/// What a search changes.
const SPACE: &[Axis] = &[Axis { name: "alpha", scale: Scale::Log(1e-6, 10.0) }];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "poisson",
    doc: "Poisson regression of counts",
    tasks: &[ir::Task::Regression],
    specs: &[SPEC, SOLVING, SCALED],
    space: SPACE,
    takes: Takes::ALL,
    floats_are_free: true,
    starts_from_scores: false,
    grows: Grows::Passes,
    learner: &Linear { task },
};

fn task(fit: &LinearFit<'_>, _: &[f64]) -> Result<Task, Error> {
    let l2 = fit.params.real(ALPHA.name) * fit.total;
    Ok(Task { loss: Loss::Poisson, l1: 0.0, l2, link: LinkKind::Exponential })
}
