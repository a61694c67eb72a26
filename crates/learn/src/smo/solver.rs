//! Sequential minimal optimization: two coefficients move at a time, the others stand still.
//!
//! Rows whose coefficient seems to stay where it is are set aside (*shrinking*): they move behind the
//! active positions, and their residuals are not kept up. Near the end, and at it, those residuals
//! are computed anew and all rows are active again, so the conditions are met by all of them.

use super::pair::{MIN_CURVATURE, extremes, partner};
use super::rows::{Rows, partition};
use super::{Smo, SmoLimits, Solution};
use jobs::Ctx;

/// Steps between two looks at which rows to set aside, at most.
const SHRINK_EVERY: usize = 1000;
/// Rows are set aside when they are at least one in this many of the active ones: moving what is at
/// hand costs as much as several steps.
const SHRINK_SHARE: usize = 10;
/// How many times the tolerance is left when all rows are looked at again (Chang & Lin, section 5.1).
const NEAR_END: f64 = 10.0;
/// Steps between two looks at the clock.
const LOOK_EVERY: usize = 64;

/// The problem, by row.
pub(super) struct Problem {
    pub(super) targets: Vec<f64>,
    pub(super) low: Vec<f64>,
    pub(super) high: Vec<f64>,
    pub(super) epsilon: f64,
}

impl Problem {
    /// What raising a coefficient adds to the rate, beside the residual.
    fn up(&self, row: usize, b: f64) -> f64 {
        if b >= self.high[row] {
            f64::NEG_INFINITY
        } else if b < 0.0 {
            self.epsilon
        } else {
            -self.epsilon
        }
    }

    /// What lowering a coefficient adds to the rate, beside the residual.
    fn down(&self, row: usize, b: f64) -> f64 {
        if b <= self.low[row] {
            f64::INFINITY
        } else if b > 0.0 {
            -self.epsilon
        } else {
            self.epsilon
        }
    }

    /// How far a coefficient may rise until its bound or, where the rate changes, 0; and that end.
    fn room_up(&self, row: usize, b: f64) -> (f64, f64) {
        let end = if b < 0.0 { self.high[row].min(0.0) } else { self.high[row] };
        (end - b, end)
    }

    /// How far a coefficient may fall; and that end.
    fn room_down(&self, row: usize, b: f64) -> (f64, f64) {
        let end = if b > 0.0 { self.low[row].max(0.0) } else { self.low[row] };
        (b - end, end)
    }

    /// The coefficient if it is at a bound other than 0, else 0.
    fn bounded(&self, row: usize, b: f64) -> f64 {
        if b >= self.high[row] || b <= self.low[row] { b } else { 0.0 }
    }
}

/// The state between two steps. The vectors after `coefficients` are by position, the active first.
pub(super) struct Solver<'a> {
    problem: Problem,
    limits: SmoLimits,
    ctx: &'a Ctx<'a>,
    rows: Rows<'a>,
    coefficients: Vec<f64>,
    residual: Vec<f64>,
    up: Vec<f64>,
    down: Vec<f64>,
    diagonal: Vec<f32>,
    /// `sum_j b_j K(k, j)` over the coefficients at a bound.
    bounded: Vec<f64>,
    n_active: usize,
}

impl<'a> Solver<'a> {
    /// All coefficients at 0.
    pub(super) fn new(smo: &Smo<'a>, problem: Problem) -> Solver<'a> {
        let n = problem.targets.len();
        let takes_part = |&row: &u32| problem.high[row as usize] > problem.low[row as usize];
        let order: Vec<u32> = (0..u32::try_from(n).unwrap_or(u32::MAX)).filter(takes_part).collect();
        let by_position = |f: &dyn Fn(usize) -> f64| order.iter().map(|&row| f(row as usize)).collect();
        Solver {
            limits: smo.limits,
            ctx: smo.ctx,
            coefficients: vec![0.0; n],
            residual: by_position(&|row| problem.targets[row]),
            up: by_position(&|row| problem.up(row, 0.0)),
            down: by_position(&|row| problem.down(row, 0.0)),
            diagonal: order.iter().map(|&row| smo.similarity.diagonal[row as usize]).collect(),
            bounded: vec![0.0; order.len()],
            n_active: order.len(),
            rows: Rows::new(smo.similarity, smo.ctx.threads, order, smo.limits.cache_bytes),
            problem,
        }
    }

    /// Steps until the conditions hold within the tolerance, or it is time to stop.
    pub(super) fn run(mut self) -> Solution {
        let n = self.residual.len();
        let period = n.clamp(1, SHRINK_EVERY);
        let (mut n_iterations, mut until_shrink, mut looked_again) = (0, period, false);
        let converged = loop {
            let (mut top, mut at, mut bottom) = self.extremes();
            let near = NEAR_END * self.limits.tolerance;
            let ends = self.is_met(top, bottom, self.limits.tolerance);
            if self.n_active < n && (ends || (!looked_again && self.is_met(top, bottom, near))) {
                looked_again = true;
                self.unshrink();
                (top, at, bottom) = self.extremes();
                until_shrink = 1;
            }
            if self.is_met(top, bottom, self.limits.tolerance) {
                break true;
            }
            if n_iterations >= self.limits.max_iterations || self.is_stopped(n_iterations) {
                break false;
            }
            until_shrink -= 1;
            if until_shrink == 0 {
                until_shrink = period;
                if self.shrink(top, bottom) {
                    continue;
                }
            }
            if !self.step(top, at) {
                break true;
            }
            n_iterations += 1;
        };
        Solution { intercept: self.intercept(), coefficients: self.coefficients, n_iterations, converged }
    }

    fn extremes(&self) -> (f64, usize, f64) {
        let n = self.n_active;
        extremes(&self.residual[..n], &self.up[..n], &self.down[..n])
    }

    /// True if nothing can be raised at the cost of something else; also for what is not a number.
    fn is_met(&self, top: f64, bottom: f64, tolerance: f64) -> bool {
        !(top.is_finite() && bottom.is_finite() && top - bottom > tolerance)
    }

    fn is_stopped(&self, n_iterations: usize) -> bool {
        let time_is_up = || self.ctx.budget.is_spent();
        self.ctx.cancel.is_cancelled() || (n_iterations.is_multiple_of(LOOK_EVERY) && time_is_up())
    }

    /// Raises the coefficient at position `i`, whose rate is `top`, and lowers its best partner's.
    /// False if there is none.
    fn step(&mut self, top: f64, i: usize) -> bool {
        let n = self.n_active;
        self.rows.fetch(i, n, n);
        let own = (top, self.diagonal[i], &self.rows.get(i)[..n]);
        let found = partner(own, &self.residual[..n], &self.down[..n], &self.diagonal[..n]);
        let Some(j) = found else { return false };
        self.rows.fetch(j, n, n);
        let (row_i, row_j) = (self.rows.order()[i] as usize, self.rows.order()[j] as usize);
        let (before_i, before_j) = (self.coefficients[row_i], self.coefficients[row_j]);
        let rate = top - (self.residual[j] + self.down[j]);
        let shared = f64::from(self.rows.get(i)[j]);
        let curvature = f64::from(self.diagonal[i]) + f64::from(self.diagonal[j]) - 2.0 * shared;
        let by = rate / curvature.max(MIN_CURVATURE);
        let (room_i, end_i) = self.problem.room_up(row_i, before_i);
        let (room_j, end_j) = self.problem.room_down(row_j, before_j);
        let by = by.min(room_i).min(room_j);
        let after_i = if by >= room_i { end_i } else { before_i + by };
        let after_j = if by >= room_j { end_j } else { before_j - by };
        self.coefficients[row_i] = after_i;
        self.coefficients[row_j] = after_j;

        let (by_i, by_j) = (after_i - before_i, after_j - before_j);
        let similarities = self.rows.get(i)[..n].iter().zip(&self.rows.get(j)[..n]);
        for (r, (&k_i, &k_j)) in self.residual[..n].iter_mut().zip(similarities) {
            *r -= by_i * f64::from(k_i) + by_j * f64::from(k_j);
        }
        for (position, row, before, after) in [(i, row_i, before_i, after_i), (j, row_j, before_j, after_j)] {
            self.up[position] = self.problem.up(row, after);
            self.down[position] = self.problem.down(row, after);
            let by = self.problem.bounded(row, after) - self.problem.bounded(row, before);
            if by != 0.0 && self.limits.shrinking {
                self.rows.fetch(position, self.residual.len(), n);
                for (sum, &k) in self.bounded.iter_mut().zip(self.rows.get(position)) {
                    *sum += by * f64::from(k);
                }
            }
        }
        true
    }

    /// Sets rows aside that can neither be raised nor lowered with gain, if they are many.
    fn shrink(&mut self, top: f64, bottom: f64) -> bool {
        let n = self.n_active;
        if !self.limits.shrinking {
            return false;
        }
        let rates = self.residual[..n].iter().zip(self.up[..n].iter().zip(&self.down[..n]));
        let keep: Vec<bool> = rates.map(|(r, (u, d))| r + u >= bottom || r + d <= top).collect();
        let n_kept = keep.iter().filter(|&&k| k).count();
        if (n - n_kept) * SHRINK_SHARE < n.max(1) {
            return false;
        }
        self.rows.partition(&keep);
        let mut moved = Vec::new();
        for by_position in [&mut self.residual, &mut self.up, &mut self.down, &mut self.bounded] {
            partition(by_position, &keep, &mut moved);
        }
        partition(&mut self.diagonal, &keep, &mut Vec::new());
        self.n_active = n_kept;
        true
    }

    /// Computes the residuals of the rows set aside, and makes all active.
    fn unshrink(&mut self) {
        let (n, from) = (self.residual.len(), self.n_active);
        for position in from..n {
            let row = self.rows.order()[position] as usize;
            self.residual[position] = self.problem.targets[row] - self.bounded[position];
        }
        for position in 0..n {
            let row = self.rows.order()[position] as usize;
            let b = self.coefficients[row];
            if b == 0.0 || self.problem.bounded(row, b) != 0.0 {
                continue;
            }
            self.rows.fetch(position, n, from);
            for (r, &k) in self.residual[from..].iter_mut().zip(&self.rows.get(position)[from..]) {
                *r -= b * f64::from(k);
            }
        }
        self.n_active = n;
    }

    /// The mean rate of the active coefficients between their bounds, else the middle of what is
    /// possible; 0 without rows.
    fn intercept(&self) -> f64 {
        let n = self.n_active;
        let (mut sum, mut n_free) = (0.0, 0u32);
        for position in 0..n {
            let b = self.coefficients[self.rows.order()[position] as usize];
            if b != 0.0 && self.up[position].is_finite() && self.down[position].is_finite() {
                sum += self.residual[position] + self.up[position];
                n_free += 1;
            }
        }
        let (top, _, bottom) = self.extremes();
        match (n_free, top.is_finite(), bottom.is_finite()) {
            (1.., _, _) => sum / f64::from(n_free),
            (0, true, true) => 0.5 * (top + bottom),
            (0, true, false) => top,
            (0, false, true) => bottom,
            (0, false, false) => 0.0,
        }
    }
}
