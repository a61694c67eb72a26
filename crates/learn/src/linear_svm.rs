//! `linear_svm`: support vector machine of straight lines, for classes and for numbers.
//!
//! Minimises `C sum_i v_i max(0, 1 - y_i f_i)^2 + 1/2 sum_j w_j^2`, one class against the rest where there are
//! several; numbers: `C sum_i v_i max(0, |y_i - f_i| - epsilon)^2 + ..`, the target with deviation 1. As in
//! scikit-learn, on columns of deviation 1 unless `standardize` says otherwise. Probabilities: Platt's sigmoid on
//! decisions of rows that three inner fits had not seen.
//! # Source  Fan et al., LIBLINEAR, JMLR 9, 2008; Platt, 1999.

use crate::linear_fit::{C, LinearFit, SCALED, SOLVING, Task};
use crate::linear_model::{Loss, Weights};
use crate::smo::platt::log_odds;
use crate::vectors::moments_of;
use crate::{Error, FitInput, Fitted, Grows, Learner, LearnerEntry, Takes};
use ir::op::LinkKind;
use jobs::{Ctx, Seed};
use params::{Axis, ParamSpec, Params, Range, Scale, Value};
use trees::Target;

const SPEC: &[ParamSpec] = &[
    C,
    ParamSpec {
        name: "epsilon",
        aliases: &[],
        default: Value::Real(0.0),
        range: Range::Real { low: 0.0, high: 1e3 },
        doc: "numbers: errors below it, in standard deviations of the target, cost nothing",
    },
];

/// What a search changes.
const SPACE: &[Axis] = &[Axis { name: "c", scale: Scale::Log(1e-4, 1e3) }];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "linear_svm",
    doc: "linear support vector machine",
    tasks: ir::Task::LEARNT,
    specs: &[SPEC, SOLVING, SCALED],
    space: SPACE,
    takes: Takes::ALL,
    floats_are_free: true,
    starts_from_scores: false,
    grows: Grows::Passes,
    learner: &LinearSvm,
};

struct LinearSvm;

impl Learner for LinearSvm {
    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error> {
        let fit = LinearFit::new(&input, params, seed, ctx)?;
        let targets = fit.targets();
        let l2 = 1.0 / params.real(C.name);
        let (classes, link) = match input.target {
            Target::Binary(_) => (1..2, LinkKind::Logistic),
            Target::Classes { n_classes, .. } => (0..n_classes, LinkKind::Softmax),
            Target::Values(_) | Target::Several(_) => {
                let weights = regression(&fit, &targets, params.real("epsilon"), l2)?;
                return fit.fitted(&weights, LinkKind::Linear);
            }
        };
        let task = Task { loss: Loss::SquaredHinge, l1: 0.0, l2, link };
        let parts = fit.inner_parts();
        let machines: Vec<Weights> = classes
            .map(|class| {
                let labels: Vec<bool> = targets.iter().map(|&y| y == class as f64).collect();
                calibrated(&fit, &task, &parts, &labels)
            })
            .collect::<Result<_, _>>()?;
        fit.fitted(&beside(&machines), link)
    }
}

/// Machines of one output each as one of several.
fn beside(machines: &[Weights]) -> Weights {
    let n_columns = machines[0].coefficients.len();
    Weights {
        coefficients: (0..n_columns).flat_map(|j| machines.iter().map(move |m| m.coefficients[j])).collect(),
        intercepts: machines.iter().map(|m| m.intercepts[0]).collect(),
        n_iterations: machines.iter().map(|m| m.n_iterations).max().unwrap_or(0),
        converged: machines.iter().all(|m| m.converged),
    }
}

/// A machine whose decisions are log odds.
fn calibrated(fit: &LinearFit<'_>, task: &Task, parts: &[usize], labels: &[bool]) -> Result<Weights, Error> {
    let targets: Vec<f64> = labels.iter().map(|&label| f64::from(u8::from(label))).collect();
    let mut whole = fit.solve(task, &targets, &fit.weights)?;
    let (scale, offset) = log_odds(parts, labels, &fit.weights, |held| {
        let kept: Vec<f64> =
            fit.weights.iter().zip(parts).map(|(w, part)| if *part == held { 0.0 } else { *w }).collect();
        if kept.iter().sum::<f64>() <= 0.0 {
            return Ok(None);
        }
        Ok::<_, Error>(Some(fit.scores(&fit.solve(task, &targets, &kept)?)))
    })?;
    whole.coefficients.iter_mut().for_each(|c| *c *= scale);
    whole.intercepts[0] = scale * whole.intercepts[0] + offset;
    Ok(whole)
}

/// A machine for numbers; the target is brought to mean 0 and deviation 1 meanwhile.
fn regression(fit: &LinearFit<'_>, targets: &[f64], epsilon: f64, l2: f64) -> Result<Weights, Error> {
    let (mean, deviation) = moments_of(targets, &fit.weights);
    let deviation = if deviation > 0.0 { deviation } else { 1.0 };
    let standard: Vec<f64> = targets.iter().map(|y| (y - mean) / deviation).collect();
    let loss = Loss::SquaredEpsilonInsensitive { epsilon };
    let task = Task { loss, l1: 0.0, l2, link: LinkKind::Linear };
    let mut weights = fit.solve(&task, &standard, &fit.weights)?;
    weights.coefficients.iter_mut().for_each(|c| *c *= deviation);
    weights.intercepts[0] = mean + deviation * weights.intercepts[0];
    Ok(weights)
}
