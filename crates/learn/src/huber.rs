//! `huber`: Huber regression: outliers count linearly.
//!
//! Minimises `sum_i v_i (s + H((y_i - f_i) / s) s) + alpha sum_j w_j^2` over the weights and the scale `s`, `H(z) =
//! z^2` up to `epsilon`, then `2 epsilon |z| - epsilon^2`; as in scikit-learn, on columns of deviation 1 unless
//! `standardize` says otherwise.
//! # Source  Huber, Robust Statistics, 1981, section 7.7; Owen, Contemporary Mathematics 443, 2007.

use crate::linear_fit::{ALPHA, Linear, LinearFit, SCALED, SOLVING, Task};
use crate::linear_model::Loss;
use crate::{Error, Grows, LearnerEntry, Takes};
use ir::op::LinkKind;
use params::{Axis, ParamSpec, Range, Scale, Value};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "epsilon",
        aliases: &[],
        default: Value::Real(1.35),
        range: Range::Real { low: 1.0, high: 1e3 },
        doc: "errors up to so many scales are squared",
    },
    ParamSpec { default: Value::Real(1e-4), ..ALPHA },
];

/// What a search changes.
const SPACE: &[Axis] = &[
    Axis { name: "epsilon", scale: Scale::Even(1.05, 3.0) },
    Axis { name: "alpha", scale: Scale::Log(1e-6, 10.0) },
];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "huber",
    doc: "Huber regression: large errors count linearly",
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
    let (epsilon, alpha) = (fit.params.real("epsilon"), fit.params.real(ALPHA.name));
    Ok(Task { loss: Loss::Huber { epsilon }, l1: 0.0, l2: 2.0 * alpha, link: LinkKind::Linear })
}
