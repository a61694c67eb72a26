//! Gradient descent: full batch, mini-batches, or one row at a time.

use super::design::add_scaled;
use super::objective::Objective;
use super::quadratic::soft_threshold;
use super::{Limits, Weights};
use ir::digest::SplitMix64;
use jobs::Seed;

/// Weight of late steps in the average: step `t` counts about as `t^3`, so the last quarter is most of it.
const LATENESS: f64 = 3.0;
/// Epochs on batches that must gain something together.
const PATIENCE: usize = 4;
/// What the rate is divided by when they do not, ..
const CUT: f64 = 2.0;
/// .. and how often.
const MAX_CUTS: i32 = 10;
/// Before the first cut they must gain this share of all that was gained; with each cut, a part of it.
const LEAST_GAIN: f64 = 1e-5;

/// How steps are made; see `Solver::GradientDescent`.
#[derive(Clone, Copy)]
pub(crate) struct Steps {
    pub batch: Option<usize>,
    pub learning_rate: f64,
    pub momentum: f64,
}

/// Minimises any loss with any penalty.
///
/// ```text
/// velocity = momentum velocity - rate gradient;   u = soft_threshold(u + velocity, rate l1)
/// ```
/// `gradient` is that of the mean objective, estimated on the batch, in variables of spread 1.
/// On all rows the last point counts. On batches the average of the steps counts, late ones more. When four
/// epochs gain too little (first 1e-5 of all that was gained, half of that after each cut, at least
/// `tolerance`), the search goes on from the best point at half the rate; after ten cuts it ends.
/// The rows are permuted for each epoch. Huber's scale is found anew for each epoch.
/// An epoch that ends above the constant model, or at no number, is undone and halves the rate.
/// The best point at an epoch's end is the result. A step on batches costs O(cells of the batch n_outputs +
/// n_columns n_outputs) on one thread; an epoch adds one evaluation on all threads.
/// # Source  Polyak, USSR Comput. Math. 4, 1964 (momentum); Shamir & Zhang, ICML 2013, section 4 (the average).
pub(crate) fn solve(objective: &Objective<'_>, steps: Steps, limits: Limits, seed: Seed) -> Weights {
    let threshold = objective.threshold(limits.tolerance);
    let n_rows = objective.problem.design.n_rows();
    let batch = steps.batch.unwrap_or(n_rows).min(n_rows);
    let full = batch == n_rows;
    let start = objective.start();
    let mut here = objective.evaluate(&start);
    let constant = here.value + objective.l1(&start);
    let mut best = (constant, start.clone());
    let mut path = Path::new(start, steps);
    let (mut gains, mut n_cuts) = (Vec::new(), 0);
    for epoch in 0..limits.max_iterations {
        if objective.ctx.is_over() {
            return objective.weights(&best.1, epoch, false);
        }
        if objective.stationarity(path.result(full), &here.gradient) <= threshold {
            return objective.weights(path.result(full), epoch, true);
        }
        if full {
            path.step(objective, &here.gradient);
        } else {
            let order = permutation(n_rows, seed.derive("epoch", epoch as u64));
            path.epoch(objective, &order, batch, here.scale);
        }
        here = objective.evaluate(path.result(full));
        let value = here.value + objective.l1(path.result(full));
        if !value.is_finite() || value > constant {
            path = path.slower(2.0, &best.1);
            here = objective.evaluate(&best.1);
            continue;
        }
        gains.push((best.0 - value).max(0.0));
        if value <= best.0 {
            best = (value, path.result(full).to_vec());
        }
        let late: f64 = gains.iter().rev().take(PATIENCE).sum();
        let least = limits.tolerance.max(LEAST_GAIN / CUT.powi(n_cuts));
        if !full && gains.len() >= PATIENCE && late <= least * (constant - best.0) {
            if n_cuts == MAX_CUTS {
                return objective.weights(&best.1, epoch + 1, true);
            }
            n_cuts += 1;
            gains.clear();
            path = path.slower(CUT, &best.1);
            here = objective.evaluate(&best.1);
        }
    }
    let last = objective.stationarity(path.result(full), &here.gradient) <= threshold;
    let point = if last { path.result(full) } else { &best.1 };
    objective.weights(point, limits.max_iterations, last)
}

/// Where the search is, how fast, and the average of where it was.
struct Path {
    steps: Steps,
    variables: Vec<f64>,
    velocity: Vec<f64>,
    average: Vec<f64>,
    n_steps: f64,
}

impl Path {
    fn new(start: Vec<f64>, steps: Steps) -> Path {
        let velocity = vec![0.0; start.len()];
        Path { steps, average: start.clone(), variables: start, velocity, n_steps: 0.0 }
    }

    /// From another point on, at rest, at a part of the rate.
    fn slower(&self, part: f64, from: &[f64]) -> Path {
        let learning_rate = self.steps.learning_rate / part;
        Path::new(from.to_vec(), Steps { learning_rate, ..self.steps })
    }

    /// The point that counts.
    fn result(&self, full: bool) -> &[f64] {
        if full { &self.variables } else { &self.average }
    }

    /// One step against a gradient.
    fn step(&mut self, objective: &Objective<'_>, gradient: &[f64]) {
        let rate = self.steps.learning_rate;
        let n_outputs = objective.n_outputs();
        let n_penalised = self.variables.len() - n_outputs;
        self.velocity.iter_mut().for_each(|v| *v *= self.steps.momentum);
        add_scaled(&mut self.velocity, -rate, gradient);
        if objective.problem.l1 == 0.0 {
            add_scaled(&mut self.variables, 1.0, &self.velocity);
            return;
        }
        let variables = self.variables.iter_mut().zip(&mut self.velocity).enumerate();
        for (at, (u, velocity)) in variables {
            let l1 = if at < n_penalised { objective.l1_factor(at / n_outputs) } else { 0.0 };
            let new = soft_threshold(*u + *velocity, rate * l1);
            (*velocity, *u) = (new - *u, new);
        }
    }

    /// The steps of an epoch over rows in this order.
    fn epoch(&mut self, objective: &Objective<'_>, order: &[u32], batch: usize, scale: f64) {
        for rows in order.chunks(batch) {
            let gradient = batch_gradient(objective, &self.variables, rows, scale);
            self.step(objective, &gradient);
            self.n_steps += 1.0;
            let share = (LATENESS + 1.0) / (LATENESS + self.n_steps);
            for (mean, &u) in self.average.iter_mut().zip(&self.variables) {
                *mean += share * (u - *mean);
            }
        }
    }
}

/// The gradient of the mean objective's smooth part, estimated on some rows.
fn batch_gradient(objective: &Objective<'_>, variables: &[f64], rows: &[u32], scale: f64) -> Vec<f64> {
    let (problem, n_outputs) = (objective.problem, objective.n_outputs());
    let (coefficients, intercepts) = objective.coordinates.weights(variables);
    let mut gradient = vec![0.0; variables.len()];
    let (of_columns, of_intercepts) = gradient.split_at_mut(coefficients.len());
    let (mut scores, mut slopes) = (vec![0.0; n_outputs], vec![0.0; n_outputs]);
    let share = problem.design.n_rows() as f64 / (rows.len() as f64 * objective.total_weight());
    for row in rows.iter().map(|&row| row as usize) {
        problem.design.scores(row, &coefficients, &intercepts, &mut scores);
        problem.loss.at(problem.targets[row], &scores, scale, &mut slopes);
        let v = share * problem.row_weight(row);
        slopes.iter_mut().for_each(|s| *s *= v);
        problem.design.add_row(row, &slopes, of_columns);
        add_scaled(of_intercepts, 1.0, &slopes);
    }
    objective.coordinates.pull_back(&mut gradient);
    objective.add_l2(variables, &mut gradient);
    gradient
}

/// The numbers below `n`, shuffled by the words of a seed's stream.
fn permutation(n: usize, seed: Seed) -> Vec<u32> {
    let mut order: Vec<u32> = (0u32..).take(n).collect();
    let mut random = SplitMix64::new(seed.0);
    for (left, at) in (1u32..).zip(0..n) {
        let other = random.below(left) as usize;
        order.swap(at, other);
    }
    order
}
