//! `elastic_net`: elastic net.
//!
//! Minimises `1 / (2 n) sum_i v_i (y_i - f_i)^2 + alpha (r sum_j |w_j| + (1 - r) / 2 sum_j w_j^2)`, `n` the total
//! weight, `r` the `l1_ratio`; as in scikit-learn, on columns of deviation 1 unless
//! `standardize` says otherwise.
//! # Source  Zou & Hastie, J. Royal Statistical Society B 67, 2005.

use crate::linear_fit::{AUTO_ALPHA, L1_RATIO, Linear, LinearFit, SCALED, SOLVING, Task};
use crate::linear_model::Loss;
use crate::{Error, Grows, LearnerEntry, Takes};
use ir::op::LinkKind;
use params::{Axis, ParamSpec, Scale, Value};

const SPEC: &[ParamSpec] = &[AUTO_ALPHA, ParamSpec { default: Value::Real(0.5), ..L1_RATIO }];

/// What a search changes.
const SPACE: &[Axis] = &[Axis { name: "l1_ratio", scale: Scale::Even(0.05, 0.95) }];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "elastic_net",
    doc: "elastic net: squared errors, absolute and squared weights",
    tasks: &[ir::Task::Regression],
    specs: &[SPEC, SOLVING, SCALED],
    space: SPACE,
    takes: Takes::ALL,
    floats_are_free: true,
    starts_from_scores: false,
    grows: Grows::Passes,
    learner: &Linear { task },
};

fn task(fit: &LinearFit<'_>, targets: &[f64]) -> Result<Task, Error> {
    let (l1, l2) = fit.strengths(targets, fit.params.real(L1_RATIO.name));
    Ok(Task { loss: Loss::Squared, l1, l2, link: LinkKind::Linear })
}
