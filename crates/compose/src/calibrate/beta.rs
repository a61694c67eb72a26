//! `beta`: log odds that bend differently near 0 and near 1.
//!
//! Three numbers; the identity is among the curves, which a sigmoid on probabilities does not have.

use super::calibrator::{Calibrator, CalibratorEntry, ScoredRows};
use ir::Task;
use ir::fixed::math;
use params::Params;
use recipe::Curve;

/// The line of the table.
pub(super) static ENTRY: CalibratorEntry = CalibratorEntry {
    name: "beta",
    doc: "log odds that bend differently near 0 and near 1: three numbers",
    tasks: &[Task::Binary],
    spec: &[],
    calibrator: &Beta,
};

/// Beyond it the curve is constant: probabilities there are 0 or 1 to the last bit of a double.
const REACH: f64 = 36.0;
/// Knots of the polygon, an odd number, so that 0 is one.
const N_KNOTS: u32 = 63;
const MAX_STEPS: usize = 60;
/// Added to the diagonal of the Hessian, a share of the sum of weights, so that it can be inverted.
const RIDGE: f64 = 1e-9;

struct Beta;

impl Calibrator for Beta {
    /// Log odds `a ln p - b ln(1 - p) + c` with `a, b >= 0` that minimise the log loss to labels smoothed as Platt's
    /// are; `p` the probability of score `s`, which is kept within -36..=36. As a polygon of 63 knots, nearer to
    /// each other about 0: within `0.03 max(a, b)` of the curve, which a test holds. O(n_rows) a Newton step.
    /// # Source  Kull, Silva Filho & Flach, Beta calibration, AISTATS 2017. Deviations: smoothed labels; of the fits
    /// with one or both of `a`, `b` left out the best is taken, where theirs leaves out the negative one.
    fn fit(&self, rows: &ScoredRows, _: &Params) -> Vec<Curve> {
        let sample = Sample::new(rows);
        let full = sample.minimum([true, true]);
        let best = if full.0[0] >= 0.0 && full.0[1] >= 0.0 {
            full
        } else {
            let mut best = sample.minimum([false, false]);
            for used in [[true, false], [false, true]] {
                let tried = sample.minimum(used);
                if tried.0[0] >= 0.0 && tried.0[1] >= 0.0 && tried.1 < best.1 {
                    best = tried;
                }
            }
            best
        };
        vec![Curve::Polygon(polygon(best.0))]
    }
}

/// `ln(1 + e^s)`.
fn softplus(s: f64) -> f64 {
    s.max(0.0) + math::log(1.0 + math::exp(-s.abs()))
}

/// Log odds of a score: `a ln p = -a softplus(-s)`, `-b ln(1 - p) = b softplus(s)`.
fn log_odds([a, b, c]: [f64; 3], s: f64) -> f64 {
    b * softplus(s) - a * softplus(-s) + c
}

/// The curve as points: of scores `36 t^3`, `t` in equal steps from -1 to 1.
fn polygon(numbers: [f64; 3]) -> Vec<(f64, f64)> {
    let mut points = Vec::with_capacity(N_KNOTS as usize);
    let mut least = f64::NEG_INFINITY;
    for i in 0..N_KNOTS {
        let t = 2.0 * f64::from(i) / f64::from(N_KNOTS - 1) - 1.0;
        let s = REACH * t * t * t;
        // Rounding must not make it fall.
        least = log_odds(numbers, s).max(least);
        points.push((s, least));
    }
    points
}

/// One row: its two features, the smoothed label, the weight.
struct Row {
    x: [f64; 3],
    target: f64,
    weight: f64,
}

struct Sample {
    rows: Vec<Row>,
    weight: f64,
}

impl Sample {
    fn new(scored: &ScoredRows) -> Sample {
        let mut sums = [0.0; 2];
        let each = || scored.labels().iter().zip(scored.row_weights());
        each().for_each(|(&y, w)| sums[y as usize] += w);
        let targets = [1.0 / (sums[0] + 2.0), (sums[1] + 1.0) / (sums[1] + 2.0)];
        let row = |(&s, (&y, &weight)): (&f64, (&u32, &f64))| {
            let s = s.clamp(-REACH, REACH);
            Row { x: [-softplus(-s), softplus(s), 1.0], target: targets[y as usize], weight }
        };
        let rows = scored.scores().iter().zip(each()).map(row).collect();
        Sample { rows, weight: sums[0] + sums[1] }
    }

    fn loss(&self, at: [f64; 3]) -> f64 {
        let of = |row: &Row| {
            let z = dot(row.x, at);
            row.weight * (softplus(z) - row.target * z)
        };
        self.rows.iter().map(of).sum()
    }

    /// The numbers of the least loss, and the loss, with `a` and `b` 0 where they are not used. Newton steps, each
    /// halved until the loss falls.
    fn minimum(&self, used: [bool; 2]) -> ([f64; 3], f64) {
        let free = [used[0], used[1], true];
        // The identity, or what is left of it.
        let mut at = [f64::from(u8::from(used[0])), f64::from(u8::from(used[1])), 0.0];
        let mut loss = self.loss(at);
        for _ in 0..MAX_STEPS {
            let (mut gradient, mut hessian) = ([0.0; 3], [[0.0; 3]; 3]);
            for row in &self.rows {
                let p = math::sigmoid(dot(row.x, at));
                let (first, second) = (row.weight * (p - row.target), row.weight * p * (1.0 - p));
                for i in 0..3 {
                    gradient[i] += first * row.x[i];
                    (0..3).for_each(|j| hessian[i][j] += second * row.x[i] * row.x[j]);
                }
            }
            for i in 0..3 {
                hessian[i][i] += RIDGE * self.weight;
                if !free[i] {
                    gradient[i] = 0.0;
                    (0..3).for_each(|j| (hessian[i][j], hessian[j][i]) = (0.0, 0.0));
                    hessian[i][i] = 1.0;
                }
            }
            let step = solve(hessian, gradient);
            let mut share = 1.0;
            let better = loop {
                let next = [0, 1, 2].map(|i| at[i] - share * step[i]);
                let there = self.loss(next);
                if there < loss {
                    break Some((next, there));
                }
                share *= 0.5;
                if share < 1e-6 {
                    break None;
                }
            };
            let Some((next, there)) = better else { break };
            let gain = loss - there;
            (at, loss) = (next, there);
            if gain <= 1e-12 * self.weight {
                break;
            }
        }
        (at, loss)
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// `m^-1 v` of a symmetric, positive definite matrix, by elimination; such a one needs no pivots.
fn solve(mut m: [[f64; 3]; 3], mut v: [f64; 3]) -> [f64; 3] {
    for i in 0..3 {
        for j in i + 1..3 {
            let factor = m[j][i] / m[i][i];
            (i..3).for_each(|k| m[j][k] -= factor * m[i][k]);
            v[j] -= factor * v[i];
        }
    }
    for i in (0..3).rev() {
        let rest: f64 = (i + 1..3).map(|k| m[i][k] * v[k]).sum();
        v[i] = (v[i] - rest) / m[i][i];
    }
    v
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers_are_found() {
        for numbers in [[1.0, 1.0, 0.0], [0.5, 2.0, 0.3], [2.0, 0.0, -0.4], [0.0, 0.7, 0.1]] {
            let (mut scores, mut labels, mut weights) = (Vec::new(), Vec::new(), Vec::new());
            for k in -40..=40 {
                let s = f64::from(k) / 8.0;
                let p = math::sigmoid(log_odds(numbers, s));
                for (label, weight) in [(1, p), (0, 1.0 - p)] {
                    scores.push(s);
                    labels.push(label);
                    weights.push(1e6 * weight);
                }
            }
            let sample = Sample::new(&ScoredRows::try_new(scores, 1, labels, weights).unwrap());
            let (found, _) = sample.minimum([true, true]);
            assert!((0..3).all(|i| (found[i] - numbers[i]).abs() < 2e-3), "{numbers:?}: {found:?}");
        }
    }

    #[test]
    fn the_polygon_is_near_the_curve() {
        for (a, b) in [(1.0, 1.0), (0.0, 3.0), (5.0, 0.2), (0.3, 0.7)] {
            let curve = Curve::Polygon(polygon([a, b, 0.5]));
            let mut most = 0.0f64;
            for k in -36_000..=36_000 {
                let s = f64::from(k) / 1000.0;
                most = most.max((curve.of(s) - log_odds([a, b, 0.5], s)).abs());
            }
            assert!(most <= 0.03 * f64::max(a, b), "{a} {b}: {most}");
        }
    }

    #[test]
    fn a_system_of_three() {
        let x = solve([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]], [7.5, 7.6, 6.9]);
        assert!((0..3).all(|i| (x[i] - [1.0, 2.0, 3.0][i]).abs() < 1e-12), "{x:?}");
    }
}
