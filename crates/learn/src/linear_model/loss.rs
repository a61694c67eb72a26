//! Losses of one row: value, slope and curvature in the score, and the best constant score.
//!
//! All are convex. The squared hinge and the squared epsilon-insensitive loss have a jump in their curvature,
//! Huber's loss has none beyond its border: the solvers need slopes only to be continuous.

use super::Unfit;
use ir::fixed::math::{exp, log};

/// What a score `f` costs for a target `y`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Loss {
    /// `(f - y)^2 / 2`.
    Squared,
    /// `log(1 + e^-f)` for `y = 1`, `log(1 + e^f)` for `y = 0`.
    Logistic,
    /// `log(sum_k e^(f_k)) - f_y`, one score a class; `y` is a class index. All classes have weights.
    Softmax {
        /// Number of classes, at least 2.
        n_classes: usize,
    },
    /// `e^f - y f`: half the Poisson deviance up to a constant of `y >= 0`.
    Poisson,
    /// `s + s H((f - y) / s)` with `H(z) = z^2` for `|z| < epsilon`, else `2 epsilon |z| - epsilon^2`.
    /// The scale `s > 0`, one for all rows, is minimised over as well.
    /// # Source  Huber, Robust Statistics, 1981, section 7.7; scikit-learn's HuberRegressor, whose
    /// `alpha` is `l2 / 2`; deviation: `s` is at least a millionth of the targets' spread.
    Huber {
        /// Border between squares and absolute values, in units of the scale; at least 1.
        epsilon: f64,
    },
    /// `max(0, 1 - t f)^2`, `t = 2 y - 1`, `y` in {0, 1}.
    SquaredHinge,
    /// `max(0, |f - y| - epsilon)^2`.
    SquaredEpsilonInsensitive {
        /// Errors that cost nothing.
        epsilon: f64,
    },
}

/// A share of rows that is taken for none: an absent class has this probability, a mean of counts is at
/// least this.
const LEAST_SHARE: f64 = f64::EPSILON;

impl Loss {
    /// As errors name it.
    pub fn name(self) -> &'static str {
        match self {
            Loss::Squared => "squared",
            Loss::Logistic => "logistic",
            Loss::Softmax { .. } => "softmax",
            Loss::Poisson => "poisson",
            Loss::Huber { .. } => "huber",
            Loss::SquaredHinge => "squared hinge",
            Loss::SquaredEpsilonInsensitive { .. } => "squared epsilon-insensitive",
        }
    }

    /// Scores of a row.
    pub fn n_outputs(self) -> usize {
        match self {
            Loss::Softmax { n_classes } => n_classes,
            _ => 1,
        }
    }

    /// Checks the loss's own numbers.
    pub fn check(self) -> Result<(), Unfit> {
        let range = |what, expected, got, fits: bool| match fits {
            true => Ok(()),
            false => Err(Unfit::Setting { what, expected, got }),
        };
        match self {
            Loss::Huber { epsilon } => {
                range("epsilon", "finite and at least 1", epsilon, epsilon >= 1.0 && epsilon.is_finite())
            }
            Loss::SquaredEpsilonInsensitive { epsilon } => {
                range("epsilon", "finite and at least 0", epsilon, epsilon >= 0.0 && epsilon.is_finite())
            }
            Loss::Softmax { n_classes } => {
                range("number of classes", "at least 2", n_classes as f64, n_classes >= 2)
            }
            Loss::Squared | Loss::Logistic | Loss::Poisson | Loss::SquaredHinge => Ok(()),
        }
    }

    /// Checks a target.
    pub fn check_target(self, row: usize, got: f64) -> Result<(), Unfit> {
        let (expected, fits) = match self {
            Loss::Squared | Loss::Huber { .. } | Loss::SquaredEpsilonInsensitive { .. } => {
                ("a finite number", got.is_finite())
            }
            Loss::Logistic | Loss::SquaredHinge => ("0 or 1", got == 0.0 || got == 1.0),
            Loss::Softmax { n_classes } => {
                ("the index of a class", got >= 0.0 && got < n_classes as f64 && got.fract() == 0.0)
            }
            Loss::Poisson => ("a finite number, at least 0", got >= 0.0 && got.is_finite()),
        };
        if fits { Ok(()) } else { Err(Unfit::Target { row, loss: self.name(), expected, got }) }
    }

    /// The loss of a row; its slope in each score goes to `slopes`. `scale` is Huber's `s`, others ignore it.
    pub fn at(self, target: f64, scores: &[f64], scale: f64, slopes: &mut [f64]) -> f64 {
        if let Loss::Softmax { .. } = self {
            return softmax(target as usize, scores, slopes);
        }
        let f = scores[0];
        let (value, slope) = match self {
            Loss::Squared | Loss::Softmax { .. } => (0.5 * (f - target) * (f - target), f - target),
            Loss::Logistic => {
                let e = exp(-f.abs());
                let (near, far) = (1.0 / (1.0 + e), e / (1.0 + e));
                let p = if f < 0.0 { far } else { near };
                let wrong = if target > 0.0 { -f } else { f };
                // Of both ways to write the slope, the one that does not cancel.
                (
                    log(1.0 + e) + wrong.max(0.0),
                    if target > 0.0 { -(if f < 0.0 { near } else { far }) } else { p },
                )
            }
            Loss::Poisson => {
                let mean = exp(f);
                (mean - target * f, mean - target)
            }
            Loss::Huber { epsilon } => {
                let z = (f - target) / scale;
                if z.abs() < epsilon {
                    (scale + scale * z * z, 2.0 * z)
                } else {
                    (scale + scale * epsilon * (2.0 * z.abs() - epsilon), (2.0 * epsilon).copysign(z))
                }
            }
            Loss::SquaredHinge => {
                let t = 2.0 * target - 1.0;
                let short = (1.0 - t * f).max(0.0);
                (short * short, -2.0 * t * short)
            }
            Loss::SquaredEpsilonInsensitive { epsilon } => {
                let over = ((f - target).abs() - epsilon).max(0.0);
                (over * over, (2.0 * over).copysign(f - target))
            }
        };
        slopes[0] = slope;
        value
    }

    /// Second derivative of a row's loss in one score, the scale held fixed.
    pub fn curvature(self, target: f64, scores: &[f64], scale: f64, output: usize) -> f64 {
        let f = scores[output];
        match self {
            Loss::Squared => 1.0,
            Loss::Logistic => {
                let e = exp(-f.abs());
                e / ((1.0 + e) * (1.0 + e))
            }
            Loss::Softmax { .. } => {
                let most = scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
                let p = exp(f - most) / scores.iter().map(|&s| exp(s - most)).sum::<f64>();
                p * (1.0 - p)
            }
            Loss::Poisson => exp(f),
            Loss::Huber { epsilon } => {
                if (f - target).abs() < epsilon * scale {
                    2.0 / scale
                } else {
                    0.0
                }
            }
            Loss::SquaredHinge => {
                if (2.0 * target - 1.0) * f < 1.0 {
                    2.0
                } else {
                    0.0
                }
            }
            Loss::SquaredEpsilonInsensitive { epsilon } => {
                if (f - target).abs() > epsilon {
                    2.0
                } else {
                    0.0
                }
            }
        }
    }

    /// Scores of a model without columns: the best ones, or for Huber's and the epsilon-insensitive loss a
    /// start near them, the mean.
    /// `rows` gives target and weight of each row, as often as asked.
    pub fn constant_scores<I: Iterator<Item = (f64, f64)>>(self, rows: impl Fn() -> I) -> Vec<f64> {
        let total: f64 = rows().map(|(_, v)| v).sum();
        let mean = || rows().map(|(y, v)| v * y).sum::<f64>() / total;
        match self {
            Loss::Squared | Loss::Huber { .. } | Loss::SquaredEpsilonInsensitive { .. } => vec![mean()],
            Loss::Logistic => {
                let mean = mean().clamp(LEAST_SHARE, 1.0 - LEAST_SHARE);
                vec![log(mean / (1.0 - mean))]
            }
            Loss::Softmax { n_classes } => {
                let mut shares = vec![0.0; n_classes];
                rows().for_each(|(y, v)| shares[y as usize] += v);
                shares.iter().map(|&s: &f64| log((s / total).max(LEAST_SHARE))).collect()
            }
            Loss::Poisson => vec![log(mean().max(LEAST_SHARE))],
            Loss::SquaredHinge => vec![2.0 * mean() - 1.0],
        }
    }
}

fn softmax(class: usize, scores: &[f64], slopes: &mut [f64]) -> f64 {
    let most = scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    let mut sum = 0.0;
    for (slope, &f) in slopes.iter_mut().zip(scores) {
        *slope = exp(f - most);
        sum += *slope;
    }
    let mut others = 0.0;
    for (k, slope) in slopes.iter_mut().enumerate() {
        *slope /= sum;
        if k != class {
            others += *slope;
        }
    }
    // The class's own slope is minus the sum of the others', which does not cancel.
    slopes[class] = -others;
    log(sum) + (most - scores[class])
}

/// The scale that minimises Huber's loss for these errors: the root of
/// `V - sum_(|r| < epsilon s) v r^2 / s^2 - epsilon^2 sum_(others) v`, which rises with `s`; at least `least`.
/// `errors`: size and weight of each row's error; their order does not matter beyond rounding. O(n log n).
pub(crate) fn huber_scale(mut errors: Vec<(f64, f64)>, epsilon: f64, least: f64) -> f64 {
    errors.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let total: f64 = errors.iter().map(|e| e.1).sum();
    // With the k smallest errors inside, the root is sqrt(inside / free); it is right once it leaves the next
    // error outside.
    let (mut inside, mut free) = (0.0, total * (1.0 - epsilon * epsilon));
    for &(error, weight) in &errors {
        if free > 0.0 && inside <= free * (error / epsilon) * (error / epsilon) {
            break;
        }
        inside += weight * error * error;
        free += weight * epsilon * epsilon;
    }
    if free > 0.0 { (inside / free).sqrt().max(least) } else { least }
}
