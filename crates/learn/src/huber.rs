//! `huber`: Huber regression: outliers count linearly.
//!
//! Minimises `sum_i v_i (s + H((y_i - f_i) / s) s) + alpha sum_j w_j^2` over the weights and the scale `s`, `H(z) =
//! z^2` up to `epsilon`, then `2 epsilon |z| - epsilon^2`; as in scikit-learn, on columns of deviation 1 unless
//! `standardize` says otherwise.
//! # Source  Huber, Robust Statistics, 1981, section 7.7; Owen, Contemporary Mathematics 443, 2007.

use crate::linear_fit::{
    ALPHA, BATCH_SIZE, LEARNING_RATE, MAX_ITERATIONS, MOMENTUM, SOLVER, STANDARDIZE, TOLERANCE, Task,
    WEIGHT_BITS, fit,
};
use crate::linear_model::Loss;
use crate::{Error, FitInput, Fitted, Learner, LearnerEntry};
use ir::op::LinkKind;
use jobs::{Ctx, Seed};
use params::{ParamSpec, Params, Range, Value};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "epsilon",
        aliases: &[],
        default: Value::Real(1.35),
        range: Range::Real { low: 1.0, high: 1e3 },
        doc: "errors up to so many scales are squared",
    },
    ParamSpec { default: Value::Real(1e-4), ..ALPHA },
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
    name: "huber",
    doc: "Huber regression: large errors count linearly",
    tasks: &[ir::Task::Regression],
    spec: SPEC,
    takes_numbers: true,
    floats_are_free: true,
    takes_bags: true,
    learner: &Huber,
};

struct Huber;

impl Learner for Huber {
    fn max_bins(&self, _: &Params) -> usize {
        254
    }

    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error> {
        let (epsilon, alpha) = (params.real("epsilon"), params.real(ALPHA.name));
        let task = Task { loss: Loss::Huber { epsilon }, l1: 0.0, l2: 2.0 * alpha, link: LinkKind::Linear };
        fit(&input, params, |_, _| task, seed, ctx)
    }
}
