//! Proximal Newton: losses that are not squares, with an absolute penalty, by coordinate descent.

use super::objective::{Evaluation, Objective};
use super::quadratic::{Columns, Quadratic};
use super::{Limits, Loss, Weights};

/// A row's curvature is at least this share of the mean one, so that rows on a flat part of their loss (or
/// beyond the precision of its exponential) leave the quadratic bounded.
const LEAST_CURVATURE: f64 = 1e-3;
/// The quadratic is minimised until a sweep's largest descent is this share of the first sweep's, ..
const SHARE_LEFT: f64 = 1e-4;
/// .. or for this many sweeps.
const MAX_SWEEPS: usize = 200;
/// An error this near to Huber's border, relatively, is beyond it.
const BORDER: f64 = 1e-12;
/// A step must give this share of the descent that its slope and the penalty promise.
const DESCENT: f64 = 1e-4;
/// Values that differ by less, relatively, are equal but for rounding.
const ROUNDING: f64 = 1e-14;
/// Halvings of a step.
const MAX_HALVINGS: usize = 40;

/// Minimises any loss with any penalty. An iteration replaces the loss by its quadratic at the present scores,
/// one output after the other, minimises that by coordinate descent and goes there, or half the way, or a
/// quarter, until the objective falls. Huber's quadratic is that of the weights and the scale together.
/// O(cells) a sweep, on one thread; O(cells n_outputs) an evaluation, on all.
/// # Source  Lee, Sun, Saunders, SIAM J. Optim. 24, 2014; softmax by output: Friedman, Hastie, Tibshirani,
/// J. Stat. Softw. 33, 2010, section 4.1; deviation: a line search in each step.
pub(crate) fn solve(objective: &Objective<'_>, limits: Limits) -> Weights {
    let threshold = objective.threshold(limits.tolerance);
    let coordinates = &objective.coordinates;
    let columns = Columns::new(objective.problem, coordinates.means(), |j| coordinates.factor(j) > 0.0);
    let mut at = objective.start();
    let mut here = objective.evaluate(&at);
    let mut n_iterations = 0;
    loop {
        if objective.stationarity(&at, &here.gradient) <= threshold {
            return objective.weights(&at, n_iterations, true);
        }
        if n_iterations == limits.max_iterations || objective.ctx.is_over() {
            return objective.weights(&at, n_iterations, false);
        }
        n_iterations += 1;
        let mut moved = false;
        for output in 0..objective.n_outputs() {
            let target = minimum_of_quadratic(objective, &columns, &at, &here, output);
            if let Some((point, there)) = search(objective, &at, &here, &target) {
                (at, here) = (point, there);
                moved = true;
            }
        }
        if let Loss::Softmax { .. } = objective.problem.loss {
            take_off_common_parts(objective, &mut at);
            here = objective.evaluate(&at);
        }
        if !moved {
            return objective.weights(&at, n_iterations, false);
        }
    }
}

/// Softmax gives the same loss when a number is added to the weights of all classes: of each column's, takes
/// off the one that makes the penalty least. Class by class, that direction would take long.
/// # Source  Friedman, Hastie, Tibshirani, J. Stat. Softw. 33, 2010, section 4.1.
fn take_off_common_parts(objective: &Objective<'_>, variables: &mut [f64]) {
    let columns =
        variables.chunks_exact_mut(objective.n_outputs()).take(objective.problem.design.n_columns());
    for (column, weights) in columns.enumerate() {
        let common = common_part(weights, objective.l1_factor(column), objective.l2_factor(column));
        weights.iter_mut().for_each(|w| *w -= common);
    }
}

/// The `a` that minimises `sum_k (l1 |w_k - a| + l2 (w_k - a)^2 / 2)`; 0 without a penalty.
/// With `m` weights below it, the slope is 0 at `mean + l1 (n - 2 m) / (l2 n)`; the minimum is the median of
/// the weights and these `n + 1` points.
pub(crate) fn common_part(weights: &[f64], l1: f64, l2: f64) -> f64 {
    let n = weights.len() as f64;
    let mut points = if l1 > 0.0 { weights.to_vec() } else { Vec::new() };
    if l2 > 0.0 {
        let mean = weights.iter().sum::<f64>() / n;
        if l1 == 0.0 {
            return mean;
        }
        points.extend((0..=weights.len()).map(|m| mean + l1 * (n - 2.0 * m as f64) / (l2 * n)));
    }
    points.sort_by(f64::total_cmp);
    points.get(points.len() / 2).copied().unwrap_or(0.0)
}

/// The variables, with those of one output at the minimum of its quadratic.
fn minimum_of_quadratic(
    objective: &Objective<'_>,
    columns: &Columns<'_>,
    at: &[f64],
    here: &Evaluation,
    output: usize,
) -> Vec<f64> {
    let (coordinates, n_outputs) = (&objective.coordinates, objective.n_outputs());
    let n_columns = objective.problem.design.n_columns();
    let curvatures = curvatures(objective, at, here.scale, output);
    let slopes = here.slopes.iter().skip(output).step_by(n_outputs);
    let residuals = slopes.zip(&curvatures).map(|(s, &h)| if h > 0.0 { -s / h } else { 0.0 }).collect();
    let place = |column: usize| column * n_outputs + output;
    let weights = (0..n_columns).map(|column| at[place(column)] * coordinates.factor(column)).collect();
    let start = (weights, at[place(n_columns)]);
    let mut quadratic = Quadratic::new(columns, &curvatures, residuals, start, objective.ctx.threads);
    if let Some(directions) = scale_directions(objective, here) {
        quadratic = quadratic.with_companion(directions);
    }
    let first = quadratic.sweep(&columns.moving);
    for _ in 1..MAX_SWEEPS {
        let active: Vec<usize> =
            columns.moving.iter().copied().filter(|&column| quadratic.coefficients[column] != 0.0).collect();
        let most = quadratic.sweep(&active);
        // A column at 0 may have to leave it: a sweep over all decides.
        if most <= SHARE_LEFT * first && quadratic.sweep(&columns.moving) <= SHARE_LEFT * first {
            break;
        }
    }
    let mut target = at.to_vec();
    for &column in &columns.moving {
        target[place(column)] = quadratic.coefficients[column] / coordinates.factor(column);
    }
    target[place(n_columns)] = quadratic.intercept;
    target
}

/// How Huber's scale moves the rows of its quadratic, `v / s (change of f - z change of s)^2` for
/// `|z| < epsilon`; none for other losses, or when the scale is the least allowed.
fn scale_directions(objective: &Objective<'_>, here: &Evaluation) -> Option<Vec<f64>> {
    let Loss::Huber { epsilon } = objective.problem.loss else { return None };
    let direction = |(row, slope): (usize, &f64)| {
        let v = objective.problem.row_weight(row);
        let z = if v > 0.0 { 0.5 * slope / v } else { 0.0 };
        if z.abs() < epsilon * (1.0 - BORDER) { z } else { 0.0 }
    };
    objective.scale_is_free(here.scale).then(|| here.slopes.iter().enumerate().map(direction).collect())
}

/// `v_i loss''` in one output for each row, not below a share of the mean.
fn curvatures(objective: &Objective<'_>, at: &[f64], scale: f64, output: usize) -> Vec<f64> {
    let problem = objective.problem;
    let (coefficients, intercepts) = objective.coordinates.weights(at);
    let chunks = objective.ctx.threads.map(problem.design.n_chunks(), |chunk| {
        let mut scores = vec![0.0; intercepts.len()];
        let curvature = |row| {
            problem.design.scores(row, &coefficients, &intercepts, &mut scores);
            problem.row_weight(row) * problem.loss.curvature(problem.targets[row], &scores, scale, output)
        };
        problem.design.chunk(chunk).map(curvature).collect::<Vec<_>>()
    });
    let mut curvatures = chunks.concat();
    let mean = curvatures.iter().sum::<f64>() / objective.total_weight();
    let least = if mean > 0.0 { LEAST_CURVATURE * mean } else { 1.0 };
    for (row, h) in curvatures.iter_mut().enumerate() {
        *h = h.max(least * problem.row_weight(row));
    }
    curvatures
}

/// A point between `at` and `target` where the objective is lower, nearest to `target` by halving; none if
/// `target` is not below or no point is.
fn search(
    objective: &Objective<'_>,
    at: &[f64],
    here: &Evaluation,
    target: &[f64],
) -> Option<(Vec<f64>, Evaluation)> {
    let l1 = objective.l1(at);
    let value = here.value + l1;
    let slope: f64 = here.gradient.iter().zip(target).zip(at).map(|((g, b), a)| g * (b - a)).sum();
    let promise = slope + objective.l1(target) - l1;
    if promise.is_nan() || promise >= 0.0 {
        return None;
    }
    let mut length = 1.0;
    for _ in 0..MAX_HALVINGS {
        let point: Vec<f64> = at.iter().zip(target).map(|(a, b)| a + length * (b - a)).collect();
        // The full step lands on the target, so that its zeros are zeros.
        let point = if length == 1.0 { target.to_vec() } else { point };
        let there = objective.evaluate(&point);
        let reached = there.value + objective.l1(&point);
        let lower = reached <= value + DESCENT * length * promise;
        let equal = -promise <= ROUNDING * value.abs() && reached <= value + ROUNDING * value.abs();
        if reached.is_finite() && (lower || equal) {
            return Some((point, there));
        }
        length *= 0.5;
    }
    None
}
