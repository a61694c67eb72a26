//! Limited-memory BFGS: quasi-Newton steps from the last few gradients.

use super::design::{add_scaled, dot};
use super::objective::{Evaluation, Objective};
use super::{Limits, Weights};
use std::collections::VecDeque;

/// Steps that are remembered.
const HISTORY: usize = 10;
/// A step must give this share of the descent that its slope promises, ..
const DESCENT: f64 = 1e-4;
/// .. and leave at most this share of the slope.
const SLOPE_LEFT: f64 = 0.9;
/// Values that differ by less, relatively, are equal but for rounding; the slope then decides.
const ROUNDING: f64 = 1e-14;
/// Trials of a line search; each halves or doubles the interval.
const MAX_TRIALS: usize = 60;

/// A step, the change of the gradient along it, and `1 / (step . change)`.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    inverse: f64,
}

/// Minimises a smooth objective, from the constant model on.
/// The direction is that of the two-loop recursion on the last ten steps; the step length is bracketed and
/// bisected until it satisfies the weak Wolfe conditions, the first of them in its form for values that
/// rounding makes equal. O(cells n_outputs) for each trial, one trial for most iterations.
/// # Source  Nocedal & Wright, Numerical Optimization, 2006, algorithm 7.4; Lewis & Overton, Math. Program.
/// 141, 2013, algorithm 2.6 (line search); Hager & Zhang, SIAM J. Optim. 16, 2005, equation 4.1 (rounding).
pub(crate) fn solve(objective: &Objective<'_>, limits: Limits) -> Weights {
    let threshold = objective.threshold(limits.tolerance);
    let mut at = objective.start();
    let mut here = objective.evaluate(&at);
    let mut pairs: VecDeque<Pair> = VecDeque::with_capacity(HISTORY);
    let mut n_iterations = 0;
    loop {
        if objective.stationarity(&at, &here.gradient) <= threshold {
            return objective.weights(&at, n_iterations, true);
        }
        if n_iterations == limits.max_iterations || objective.ctx.is_over() {
            return objective.weights(&at, n_iterations, false);
        }
        n_iterations += 1;
        let mut found = search(objective, &at, &here, direction(&here.gradient, &pairs));
        if found.is_none() && !pairs.is_empty() {
            // Rounding may have spoilt the memory: once more, against the gradient.
            pairs.clear();
            found = search(objective, &at, &here, direction(&here.gradient, &pairs));
        }
        let Some((step, there)) = found else {
            return objective.weights(&at, n_iterations, false);
        };
        add_scaled(&mut at, 1.0, &step);
        let change: Vec<f64> = there.gradient.iter().zip(&here.gradient).map(|(a, b)| a - b).collect();
        let product = dot(&step, &change);
        if product > f64::EPSILON * dot(&change, &change) {
            if pairs.len() == HISTORY {
                pairs.pop_front();
            }
            pairs.push_back(Pair { step, change, inverse: 1.0 / product });
        }
        here = there;
    }
}

/// Minus the inverse Hessian, as the pairs know it, times the gradient.
fn direction(gradient: &[f64], pairs: &VecDeque<Pair>) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let share = pair.inverse * dot(&pair.step, &q);
        add_scaled(&mut q, -share, &pair.change);
        shares.push(share);
    }
    if let Some(last) = pairs.back() {
        let scale = 1.0 / (last.inverse * dot(&last.change, &last.change));
        q.iter_mut().for_each(|q| *q *= scale);
    }
    for (pair, share) in pairs.iter().zip(shares.into_iter().rev()) {
        let other = pair.inverse * dot(&pair.change, &q);
        add_scaled(&mut q, share - other, &pair.step);
    }
    q
}

/// A step along `direction` that satisfies the conditions, and what is found there; none if the direction
/// does not lead down or no length does.
fn search(
    objective: &Objective<'_>,
    at: &[f64],
    here: &Evaluation,
    direction: Vec<f64>,
) -> Option<(Vec<f64>, Evaluation)> {
    let slope = dot(&here.gradient, &direction);
    if slope.is_nan() || slope >= 0.0 {
        return None;
    }
    let (mut low, mut high, mut length) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..MAX_TRIALS {
        let step: Vec<f64> = direction.iter().map(|d| d * length).collect();
        let point: Vec<f64> = at.iter().zip(&step).map(|(a, s)| a + s).collect();
        let there = objective.evaluate(&point);
        let slope_there = dot(&there.gradient, &direction);
        let known = there.value.is_finite() && slope_there.is_finite();
        let lower = there.value <= here.value + DESCENT * length * slope;
        let equal = there.value <= here.value + ROUNDING * here.value.abs()
            && slope_there <= (2.0 * DESCENT - 1.0) * slope;
        if !known || !(lower || equal) {
            high = length;
        } else if slope_there < SLOPE_LEFT * slope {
            low = length;
        } else {
            return Some((step, there));
        }
        length = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * length };
    }
    None
}
