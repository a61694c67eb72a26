//! `ridge`: ridge regression.
//!
//! Minimises `sum_i v_i (y_i - f_i)^2 + alpha sum_j w_j^2`, the intercept free; `alpha` as in scikit-learn. The
//! penalty is on columns as they are unless `standardize` says otherwise.
//! # Source  Hoerl & Kennard, Technometrics 12, 1970.

use crate::linear_fit::{
    ALPHA, BATCH_SIZE, LEARNING_RATE, MAX_ITERATIONS, MOMENTUM, SOLVER, STANDARDIZE, TOLERANCE, Task,
    WEIGHT_BITS, fit,
};
use crate::linear_model::Loss;
use crate::{Error, FitInput, Fitted, Learner, LearnerEntry};
use ir::op::LinkKind;
use jobs::{Ctx, Seed};
use params::{ParamSpec, Params, Value};

const SPEC: &[ParamSpec] = &[
    ALPHA,
    SOLVER,
    LEARNING_RATE,
    MOMENTUM,
    BATCH_SIZE,
    MAX_ITERATIONS,
    TOLERANCE,
    ParamSpec { default: Value::Word("no"), ..STANDARDIZE },
    WEIGHT_BITS,
];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "ridge",
    doc: "ridge regression: squared errors, squared weights",
    tasks: &[ir::Task::Regression],
    spec: SPEC,
    takes_numbers: true,
    floats_are_free: true,
    takes_bags: true,
    learner: &Ridge,
};

struct Ridge;

impl Learner for Ridge {
    fn max_bins(&self, _: &Params) -> usize {
        254
    }

    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error> {
        let alpha = params.real(ALPHA.name);
        let task = Task { loss: Loss::Squared, l1: 0.0, l2: alpha, link: LinkKind::Linear };
        fit(&input, params, |_, _| task, seed, ctx)
    }
}
