//! `logistic`: logistic regression; softmax for several classes.
//!
//! Minimises `C sum_i v_i loss_i + r sum_j |w_j| + (1 - r) / 2 sum_j w_j^2`, `r` the `l1_ratio`; `C` as in
//! scikit-learn, on columns of deviation 1 unless `standardize` says otherwise.
//! # Source  Cox, J. Royal Statistical Society B 20, 1958.

use crate::error::Kind;
use crate::linear_fit::{C, L1_RATIO, Linear, LinearFit, SCALED, SOLVING, Task};
use crate::linear_model::Loss;
use crate::{Error, Grows, LearnerEntry, Takes};
use ir::op::LinkKind;
use params::ParamSpec;
use params::{Axis, Scale};
use trees::Target;

const SPEC: &[ParamSpec] = &[C, L1_RATIO];

/// What a search changes.
const SPACE: &[Axis] = &[Axis { name: "c", scale: Scale::Log(1e-4, 1e4) }];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "logistic",
    doc: "logistic regression, softmax for several classes",
    tasks: &[ir::Task::Binary, ir::Task::Multiclass],
    specs: &[SPEC, SOLVING, SCALED],
    space: SPACE,
    takes: Takes::ALL,
    floats_are_free: true,
    starts_from_scores: false,
    grows: Grows::Passes,
    learner: &Linear { task },
};

fn task(fit: &LinearFit<'_>, _: &[f64]) -> Result<Task, Error> {
    let (strength, ratio) = (1.0 / fit.params.real(C.name), fit.params.real(L1_RATIO.name));
    let (loss, link) = match fit.input.target {
        Target::Binary(_) => (Loss::Logistic, LinkKind::Logistic),
        Target::Classes { n_classes, .. } => (Loss::Softmax { n_classes }, LinkKind::Softmax),
        Target::Values(_) | Target::Several(_) => return Err(Kind::NoClasses.into()),
    };
    Ok(Task { loss, l1: strength * ratio, l2: strength * (1.0 - ratio), link })
}
