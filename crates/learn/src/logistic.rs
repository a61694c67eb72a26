//! `logistic`: logistic regression; softmax for several classes.
//!
//! Minimises `C sum_i v_i loss_i + r sum_j |w_j| + (1 - r) / 2 sum_j w_j^2`, `r` the `l1_ratio`; `C` as in
//! scikit-learn, on columns of deviation 1 unless `standardize` says otherwise.
//! # Source  Cox, J. Royal Statistical Society B 20, 1958.

use crate::error::Kind;
use crate::linear_fit::{
    BATCH_SIZE, C, L1_RATIO, LEARNING_RATE, MAX_ITERATIONS, MOMENTUM, SOLVER, STANDARDIZE, TOLERANCE, Task,
    WEIGHT_BITS, fit,
};
use crate::linear_model::Loss;
use crate::{Error, FitInput, Fitted, Learner, LearnerEntry};
use ir::op::LinkKind;
use jobs::{Ctx, Seed};
use params::{ParamSpec, Params};
use trees::Target;

const SPEC: &[ParamSpec] = &[
    C,
    L1_RATIO,
    SOLVER,
    LEARNING_RATE,
    MOMENTUM,
    BATCH_SIZE,
    MAX_ITERATIONS,
    TOLERANCE,
    STANDARDIZE,
    WEIGHT_BITS,
];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "logistic",
    doc: "logistic regression, softmax for several classes",
    tasks: &[ir::Task::Binary, ir::Task::Multiclass],
    spec: SPEC,
    takes_numbers: true,
    floats_are_free: true,
    takes_bags: true,
    learner: &Logistic,
};

struct Logistic;

impl Learner for Logistic {
    fn max_bins(&self, _: &Params) -> usize {
        254
    }

    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error> {
        let (strength, ratio) = (1.0 / params.real(C.name), params.real(L1_RATIO.name));
        let (loss, link) = match input.target {
            Target::Binary(_) => (Loss::Logistic, LinkKind::Logistic),
            Target::Classes { n_classes, .. } => (Loss::Softmax { n_classes }, LinkKind::Softmax),
            Target::Values(_) => return Err(Kind::NoClasses.into()),
        };
        let task = Task { loss, l1: strength * ratio, l2: strength * (1.0 - ratio), link };
        fit(&input, params, |_, _| task, seed, ctx)
    }
}
