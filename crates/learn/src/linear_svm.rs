//! `linear_svm`: support vector machine of straight lines, for classes and for numbers.
//!
//! Minimises `C sum_i v_i max(0, 1 - y_i f_i)^2 + 1/2 sum_j w_j^2`, one class against the rest where there are
//! several; numbers: `C sum_i v_i max(0, |y_i - f_i| - epsilon)^2 + ..`, the target with deviation 1. As in
//! scikit-learn, on columns of deviation 1 unless `standardize` says otherwise. Probabilities: Platt's sigmoid on
//! decisions of rows that three inner fits had not seen.
//! # Source  Fan et al., LIBLINEAR, JMLR 9, 2008; Platt, 1999.

use crate::linear_fit::{
    BATCH_SIZE, C, LEARNING_RATE, LinearFit, MAX_ITERATIONS, MOMENTUM, SOLVER, STANDARDIZE, TOLERANCE, Task,
    WEIGHT_BITS,
};
use crate::linear_model::{Loss, Weights};
use crate::smo::platt::fit_sigmoid;
use crate::{Error, FitInput, Fitted, Learner, LearnerEntry};
use ir::op::LinkKind;
use jobs::{Ctx, Seed};
use params::{ParamSpec, Params, Range, Value};
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
    name: "linear_svm",
    doc: "linear support vector machine",
    tasks: ir::Task::LEARNT,
    spec: SPEC,
    takes_numbers: true,
    floats_are_free: true,
    takes_bags: true,
    learner: &LinearSvm,
};

struct LinearSvm;

/// Inner fits for probabilities.
const INNER: usize = 3;

impl Learner for LinearSvm {
    fn max_bins(&self, _: &Params) -> usize {
        254
    }

    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error> {
        let fit = LinearFit::new(&input, params, seed, ctx)?;
        let targets = fit.targets();
        let l2 = 1.0 / params.real(C.name);
        let (classes, link) = match input.target {
            Target::Binary(_) => (1..2, LinkKind::Logistic),
            Target::Classes { n_classes, .. } => (0..n_classes, LinkKind::Softmax),
            Target::Values(_) => {
                let weights = regression(&fit, &targets, params.real("epsilon"), l2)?;
                return fit.fitted(&weights, LinkKind::Linear);
            }
        };
        let task = Task { loss: Loss::SquaredHinge, l1: 0.0, l2, link };
        let machines: Vec<Weights> = classes
            .map(|class| {
                let labels: Vec<f64> =
                    targets.iter().map(|&y| f64::from(u8::from(y == class as f64))).collect();
                calibrated(&fit, &task, &labels)
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
fn calibrated(fit: &LinearFit<'_>, task: &Task, labels: &[f64]) -> Result<Weights, Error> {
    let mut whole = fit.solve(task, labels, &fit.weights)?;
    let parts = fit.inner_parts(INNER);
    let mut decisions = vec![0.0; labels.len()];
    for held in 0..INNER {
        let kept: Vec<f64> =
            fit.weights.iter().zip(&parts).map(|(w, part)| if *part == held { 0.0 } else { *w }).collect();
        if kept.iter().sum::<f64>() <= 0.0 {
            continue;
        }
        let inner = fit.solve(task, labels, &kept)?;
        let scores = fit.scores(&inner)?;
        let of_part = scores.into_iter().enumerate().filter(|(i, _)| parts[*i] == held);
        of_part.for_each(|(i, score)| decisions[i] = score);
    }
    let labels: Vec<bool> = labels.iter().map(|&y| y == 1.0).collect();
    let (a, b) = fit_sigmoid(&decisions, &labels, Some(&fit.weights));
    // P(y = 1) = 1 / (1 + exp(a f + b)): the log odds are -(a f + b).
    whole.coefficients.iter_mut().for_each(|c| *c *= -a);
    whole.intercepts[0] = -(a * whole.intercepts[0] + b);
    Ok(whole)
}

/// A machine for numbers; the target is brought to mean 0 and deviation 1 meanwhile.
fn regression(fit: &LinearFit<'_>, targets: &[f64], epsilon: f64, l2: f64) -> Result<Weights, Error> {
    let share = |w: &f64| w / fit.total;
    let first = targets[0];
    let mean = first + targets.iter().zip(&fit.weights).map(|(y, w)| (y - first) * share(w)).sum::<f64>();
    let variance =
        targets.iter().zip(&fit.weights).map(|(y, w)| (y - mean) * (y - mean) * share(w)).sum::<f64>();
    let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
    let standard: Vec<f64> = targets.iter().map(|y| (y - mean) / deviation).collect();
    let loss = Loss::SquaredEpsilonInsensitive { epsilon };
    let task = Task { loss, l1: 0.0, l2, link: LinkKind::Linear };
    let mut weights = fit.solve(&task, &standard, &fit.weights)?;
    weights.coefficients.iter_mut().for_each(|c| *c *= deviation);
    weights.intercepts[0] = mean + deviation * weights.intercepts[0];
    Ok(weights)
}
