//! `poisson`: Poisson regression: the log of the mean of a count is linear.
//!
//! Minimises `1 / n sum_i v_i (e^(f_i) - y_i f_i) + alpha / 2 sum_j w_j^2`, `n` the total weight; `alpha` as in
//! scikit-learn, on columns of deviation 1 unless `standardize` says otherwise. Targets are 0 or more.
//! # Source  Nelder & Wedderburn, J. Royal Statistical Society A 135, 1972.

use crate::linear_fit::{
    ALPHA, BATCH_SIZE, LEARNING_RATE, LinearFit, MAX_ITERATIONS, MOMENTUM, SOLVER, STANDARDIZE, TOLERANCE,
    Task, WEIGHT_BITS, fit,
};
use crate::linear_model::Loss;
use crate::{Error, FitInput, Fitted, Learner, LearnerEntry};
use ir::op::LinkKind;
use jobs::{Ctx, Seed};
use params::{ParamSpec, Params, Value};

const SPEC: &[ParamSpec] = &[
    ParamSpec { default: Value::Real(1e-3), ..ALPHA },
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
    name: "poisson",
    doc: "Poisson regression of counts",
    tasks: &[ir::Task::Regression],
    spec: SPEC,
    takes_numbers: true,
    floats_are_free: true,
    takes_bags: true,
    learner: &Poisson,
};

struct Poisson;

impl Learner for Poisson {
    fn max_bins(&self, _: &Params) -> usize {
        254
    }

    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error> {
        let alpha = params.real(ALPHA.name);
        let task = |fit: &LinearFit<'_>, _: &[f64]| Task {
            loss: Loss::Poisson,
            l1: 0.0,
            l2: alpha * fit.total,
            link: LinkKind::Exponential,
        };
        fit(&input, params, task, seed, ctx)
    }
}
