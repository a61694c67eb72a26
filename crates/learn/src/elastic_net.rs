//! `elastic_net`: elastic net.
//!
//! Minimises `1 / (2 n) sum_i v_i (y_i - f_i)^2 + alpha (r sum_j |w_j| + (1 - r) / 2 sum_j w_j^2)`, `n` the total
//! weight, `r` the `l1_ratio`; as in scikit-learn, on columns of deviation 1 unless
//! `standardize` says otherwise.
//! # Source  Zou & Hastie, J. Royal Statistical Society B 67, 2005.

use crate::linear_fit::{
    AUTO_ALPHA, BATCH_SIZE, L1_RATIO, LEARNING_RATE, LinearFit, MAX_ITERATIONS, MOMENTUM, SOLVER,
    STANDARDIZE, TOLERANCE, Task, WEIGHT_BITS, fit, strengths,
};
use crate::linear_model::Loss;
use crate::{Error, FitInput, Fitted, Learner, LearnerEntry};
use ir::op::LinkKind;
use jobs::{Ctx, Seed};
use params::{ParamSpec, Params, Value};

const SPEC: &[ParamSpec] = &[
    AUTO_ALPHA,
    ParamSpec { default: Value::Real(0.5), ..L1_RATIO },
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
    name: "elastic_net",
    doc: "elastic net: squared errors, absolute and squared weights",
    tasks: &[ir::Task::Regression],
    spec: SPEC,
    takes_numbers: true,
    floats_are_free: true,
    takes_bags: true,
    learner: &ElasticNet,
};

struct ElasticNet;

impl Learner for ElasticNet {
    fn max_bins(&self, _: &Params) -> usize {
        254
    }

    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error> {
        let ratio = params.real(L1_RATIO.name);
        let task = |fit: &LinearFit<'_>, targets: &[f64]| {
            let (l1, l2) = strengths(fit, targets, params, ratio);
            Task { loss: Loss::Squared, l1, l2, link: LinkKind::Linear }
        };
        fit(&input, params, task, seed, ctx)
    }
}
