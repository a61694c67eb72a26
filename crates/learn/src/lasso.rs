//! `lasso`: lasso.
//!
//! Minimises `1 / (2 n) sum_i v_i (y_i - f_i)^2 + alpha sum_j |w_j|`, `n` the total weight; `alpha` as in
//! scikit-learn, on columns of deviation 1 unless `standardize` says otherwise. Many weights become 0, and their columns are left out of the model.
//! # Source  Tibshirani, J. Royal Statistical Society B 58, 1996.

use crate::linear_fit::{
    AUTO_ALPHA, BATCH_SIZE, LEARNING_RATE, LinearFit, MAX_ITERATIONS, MOMENTUM, SOLVER, STANDARDIZE,
    TOLERANCE, Task, WEIGHT_BITS, fit, strengths,
};
use crate::linear_model::Loss;
use crate::{Error, FitInput, Fitted, Learner, LearnerEntry};
use ir::op::LinkKind;
use jobs::{Ctx, Seed};
use params::{ParamSpec, Params};

const SPEC: &[ParamSpec] = &[
    AUTO_ALPHA,
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
    name: "lasso",
    doc: "lasso: squared errors, absolute weights",
    tasks: &[ir::Task::Regression],
    spec: SPEC,
    takes_numbers: true,
    floats_are_free: true,
    takes_bags: true,
    learner: &Lasso,
};

struct Lasso;

impl Learner for Lasso {
    fn max_bins(&self, _: &Params) -> usize {
        254
    }

    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error> {
        let task = |fit: &LinearFit<'_>, targets: &[f64]| {
            let (l1, l2) = strengths(fit, targets, params, 1.0);
            Task { loss: Loss::Squared, l1, l2, link: LinkKind::Linear }
        };
        fit(&input, params, task, seed, ctx)
    }
}
