//! What boosting minimises: gradients, starting scores, losses and leaf values.
//!
//! All arithmetic is [`ir::fixed::math`] and IEEE operations on single rows, so gradients are the
//! same on every machine; sums go in fixed chunks.

mod added;
mod several;

pub(crate) use several::standardized;
pub use several::{OneTarget, OneValues};

use crate::packed::Gradient;
use ir::fixed::math;
use jobs::Threads;

/// Rows in a chunk of a sum; fixed, so that threads cannot change a sum.
const CHUNK: usize = 4096;

/// The target of every row.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// Class 0 or 1, by one score.
    Binary(&'a [u32]),
    /// Classes `0..n_classes`, by one score a class.
    Classes {
        /// Class of each row.
        labels: &'a [u32],
        /// Number of classes.
        n_classes: usize,
    },
    /// Numbers.
    Values(&'a [f64]),
    /// Several targets of one kind, by one score each: trees that they share have a value for each of them.
    Several(&'a [OneTarget]),
}

impl Target<'_> {
    /// Scores a row.
    pub fn n_outputs(&self) -> usize {
        match self {
            Target::Binary(_) | Target::Values(_) => 1,
            Target::Classes { n_classes, .. } => *n_classes,
            Target::Several(targets) => targets.len(),
        }
    }

    /// True for numbers, one target or several.
    pub fn is_of_numbers(&self) -> bool {
        match self {
            Target::Values(_) => true,
            Target::Several(targets) => {
                targets.first().is_some_and(|one| matches!(one.values, OneValues::Numbers(_)))
            }
            Target::Binary(_) | Target::Classes { .. } => false,
        }
    }
}

/// The loss of a row; `s` is its score, `y` its target, `d = s - y`.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub enum Loss {
    /// The usual one of the target: logistic, softmax, or `d^2 / 2`.
    #[default]
    Usual,
    /// `|d|`: leaves are medians.
    Absolute,
    /// `d^2 / 2` up to `delta`, beyond it `delta (|d| - delta / 2)`; `delta` is this quantile of `|d|` over the
    /// training rows, taken anew each round (Friedman 2001, 4.4).
    Huber {
        /// Share of the rows whose error is squared, in (0, 1).
        share: f64,
    },
    /// `level (y - s)` where the score is too low, `(1 - level) d` where it is too high: leaves are quantiles.
    Quantile {
        /// In (0, 1).
        level: f64,
    },
    /// `e^s - y s` for counts: the score is the log of the mean.
    Poisson,
    /// `e^((2 - p) s) / (2 - p) - y e^((1 - p) s) / (1 - p)` for amounts that are often 0: the score is the log
    /// of the mean.
    Tweedie {
        /// `p`, in (1, 2).
        power: f64,
    },
    /// `-(1 - q)^gamma log q` of the true class's probability `q`: easy rows count less (Lin et al., ICCV 2017).
    Focal {
        /// 0 or more; 0 is the usual loss.
        gamma: f64,
    },
}

impl Loss {
    /// True where the score is the log of the mean.
    pub fn is_log(self) -> bool {
        matches!(self, Loss::Poisson | Loss::Tweedie { .. })
    }

    /// The quantile that a leaf's value is, where it is one.
    pub(crate) fn leaf_quantile(self) -> Option<f64> {
        match self {
            Loss::Absolute => Some(0.5),
            Loss::Quantile { level } => Some(level),
            _ => None,
        }
    }
}

/// `e^0.7`: the second derivative of the losses on logs, as if a step went up by that, so that steps stay
/// short (LightGBM's `poisson_max_delta_step`).
const LOG_STEP: f64 = 2.013_752_707_470_476_6;

/// A target and the loss on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Objective<'a> {
    pub(crate) target: Target<'a>,
    pub(crate) loss: Loss,
}

impl<'a> From<Target<'a>> for Objective<'a> {
    fn from(target: Target<'a>) -> Objective<'a> {
        Objective { target, loss: Loss::Usual }
    }
}

impl Objective<'_> {
    /// Scores a row.
    pub(crate) fn n_outputs(&self) -> usize {
        self.target.n_outputs()
    }

    /// Scores that minimise the loss before any tree: the log odds, the log shares, the mean, its log, the
    /// quantile. A class without rows gets the share of half a row, and so does a mean of 0. `rows` have a
    /// positive total weight.
    pub(crate) fn initial(&self, rows: &[u32], weights: &[f32]) -> Vec<f64> {
        let weight = |r: &u32| f64::from(weights[*r as usize]);
        let total: f64 = rows.iter().map(weight).sum();
        match self.target {
            Target::Binary(labels) => {
                let ones: f64 = rows.iter().filter(|&&r| labels[r as usize] == 1).map(weight).sum();
                let share = (ones / total).clamp(0.5 / (total + 1.0), (total + 0.5) / (total + 1.0));
                vec![math::log(share / (1.0 - share))]
            }
            Target::Classes { labels, n_classes } => {
                let mut sums = vec![0.0; n_classes];
                for r in rows {
                    sums[labels[*r as usize] as usize] += weight(r);
                }
                sums.iter().map(|s| math::log(s.max(0.5) / total)).collect()
            }
            Target::Values(values) => {
                let share = match self.loss {
                    Loss::Huber { .. } => Some(0.5),
                    loss => loss.leaf_quantile(),
                };
                if let Some(share) = share {
                    let mut pairs: Vec<(f64, f64)> =
                        rows.iter().map(|r| (values[*r as usize], weight(r))).collect();
                    return vec![weighted_quantile(&mut pairs, share)];
                }
                let mean = rows.iter().map(|r| values[*r as usize] * weight(r)).sum::<f64>() / total;
                vec![if self.loss.is_log() { math::log(mean.max(0.5 / (total + 1.0))) } else { mean }]
            }
            Target::Several(targets) => self.initial_of_several(targets, rows, weights),
        }
    }

    /// Gradients `[n_rows, n_outputs]` of the weighted loss at real scores `score(row, output)`.
    ///
    /// Logistic: `g = p - y`, `h = p (1 - p)`. Softmax: `g_k = p_k - [y = k]`,
    /// `h_k = K / (K - 1) p_k (1 - p_k)`. Focal: both times `(1 - q)^gamma - gamma (1 - q)^(gamma - 1) q log q`,
    /// which is exact for `g` and above 0 for `h`. Squared: `g = d`, `h = 1`. Absolute, quantile, Huber: the
    /// slope, `h = 1`. Poisson: `g = e^s - y`, `h = e^(s + 0.7)`; Tweedie alike. Several targets: each by itself. Rows of
    /// weight 0 get zeros, and so do targets where they are not known.
    /// # Source  Friedman, Ann. Statist. 29, 2001; the factor of softmax and the 0.7 as in LightGBM.
    pub(crate) fn gradients(
        &self,
        score: impl Fn(usize, usize) -> f64 + Sync + Send,
        weights: &[f32],
        out: &mut [Gradient],
        threads: &Threads,
    ) {
        if let Target::Several(targets) = self.target {
            return self.gradients_of_several(targets, &score, weights, out, threads);
        }
        let width = self.n_outputs();
        let delta = self.delta(|row| score(row, 0), weights);
        threads.chunks(out, CHUNK * width, |first, out| {
            let first_row = first / width;
            let weights = &weights[first_row..first_row + out.len() / width];
            self.of_block(&score, (first_row, weights), delta, out);
        });
    }

    /// Where the square of Huber's loss ends, over rows that weigh something; 0 of other losses.
    fn delta(&self, score: impl Fn(usize) -> f64, weights: &[f32]) -> f64 {
        match (self.loss, self.target) {
            (Loss::Huber { share }, Target::Values(values)) => {
                let weighed = weights.iter().enumerate().filter(|(_, w)| **w > 0.0);
                let away = weighed.map(|(row, &w)| ((score(row) - values[row]).abs(), w.into()));
                weighted_quantile(&mut away.collect::<Vec<_>>(), share)
            }
            _ => 0.0,
        }
    }

    /// Gradients of consecutive rows of one target, from `first_row` on; `weights` are theirs.
    fn of_block(
        &self,
        score: impl Fn(usize, usize) -> f64,
        (first_row, weights): (usize, &[f32]),
        delta: f64,
        out: &mut [Gradient],
    ) {
        match self.target {
            Target::Binary(labels) => {
                let labels = &labels[first_row..first_row + out.len()];
                self.of_two_classes(|i| score(first_row + i, 0), labels, weights, out);
            }
            Target::Classes { labels, .. } => {
                let labels = &labels[first_row..first_row + weights.len()];
                self.of_classes(|i, k| score(first_row + i, k), labels, weights, out);
            }
            Target::Values(values) => {
                let values = &values[first_row..first_row + out.len()];
                if self.loss == Loss::Usual {
                    for (i, ((out, &w), &y)) in out.iter_mut().zip(weights).zip(values).enumerate() {
                        *out = [(score(first_row + i, 0) - y) as f32 * w, w];
                    }
                } else {
                    for (i, ((out, &w), &y)) in out.iter_mut().zip(weights).zip(values).enumerate() {
                        let [g, h] = self.slope(score(first_row + i, 0), y, delta);
                        *out = [g as f32 * w, h as f32 * w];
                    }
                }
                // A number that is not finite may stand where nothing is learnt.
                out.iter_mut().zip(weights).filter(|(_, w)| **w == 0.0).for_each(|(out, _)| *out = [0.0; 2]);
            }
            // Each of them comes here by itself.
            Target::Several(_) => {}
        }
    }

    /// Gradients of consecutive rows of two classes.
    fn of_two_classes(
        &self,
        score: impl Fn(usize) -> f64,
        labels: &[u32],
        weights: &[f32],
        out: &mut [Gradient],
    ) {
        // Few rows at a time, so that the loop of the sigmoid is one of its own.
        let mut p = [0.0; 64];
        let rows = labels.chunks(p.len()).zip(weights.chunks(p.len())).zip(out.chunks_mut(p.len()));
        for (block, ((labels, weights), out)) in rows.enumerate() {
            let p = &mut p[..labels.len()];
            p.iter_mut().enumerate().for_each(|(i, p)| *p = score(block * 64 + i));
            p.iter_mut().for_each(|p| *p = math::sigmoid(*p));
            for (((out, &p), &label), &w) in out.iter_mut().zip(&*p).zip(labels).zip(weights) {
                let focus = self.focus(if label == 1 { p } else { 1.0 - p });
                let g = ((p - f64::from(label)) * focus) as f32;
                *out = [g * w, ((p * (1.0 - p) * focus) as f32).max(1e-16) * w];
            }
        }
    }

    /// Gradients of consecutive rows of several classes, `out [n_rows, n_classes]`.
    fn of_classes(
        &self,
        score: impl Fn(usize, usize) -> f64,
        labels: &[u32],
        weights: &[f32],
        out: &mut [Gradient],
    ) {
        let width = self.n_outputs();
        let mut p = vec![0.0; width];
        for (row, ((out, &label), &w)) in out.chunks_exact_mut(width).zip(labels).zip(weights).enumerate() {
            if w == 0.0 {
                out.fill([0.0; 2]);
                continue;
            }
            softmax(&mut p, |k| score(row, k));
            let focus = self.focus(p[label as usize]);
            let factor = width as f64 / (width as f64 - 1.0) * focus;
            for (out, &p) in out.iter_mut().zip(&p) {
                let h = ((factor * p * (1.0 - p)) as f32).max(1e-16);
                *out = [(p * focus) as f32 * w, h * w];
            }
            let y = label as usize;
            out[y][0] = ((p[y] - 1.0) * focus) as f32 * w;
        }
    }

    /// First and second derivative for a number.
    #[inline]
    fn slope(&self, s: f64, y: f64, delta: f64) -> [f64; 2] {
        let d = s - y;
        match self.loss {
            Loss::Usual | Loss::Focal { .. } => [d, 1.0],
            Loss::Absolute => [sign(d), 1.0],
            Loss::Huber { .. } => [d.clamp(-delta, delta), 1.0],
            Loss::Quantile { level } if d < 0.0 => [-level, 1.0],
            Loss::Quantile { level } => [if d > 0.0 { 1.0 - level } else { 0.0 }, 1.0],
            Loss::Poisson => {
                let mean = math::exp(s);
                [mean - y, (mean * LOG_STEP).max(1e-16)]
            }
            Loss::Tweedie { power } => {
                let (low, high) = (math::exp((1.0 - power) * s), math::exp((2.0 - power) * s));
                let h = (power - 1.0) * y * low + (2.0 - power) * high;
                [high - y * low, h.max(1e-16)]
            }
        }
    }

    /// What focal loss multiplies the gradients of a row by; 1 for the others.
    #[inline]
    fn focus(&self, q: f64) -> f64 {
        match self.loss {
            Loss::Focal { gamma } if gamma > 0.0 => {
                let rest = (1.0 - q).max(1e-12);
                let log_q = math::log(q.max(1e-300));
                math::exp((gamma - 1.0) * math::log(rest)) * (rest - gamma * q * log_q)
            }
            _ => 1.0,
        }
    }

    /// Mean weighted loss over rows, constants of a row left out; of several targets the sum, each over rows in which it
    /// is known and times its weight.
    pub(crate) fn loss(
        &self,
        rows: &[u32],
        weights: &[f32],
        score: impl Fn(usize, usize) -> f64 + Sync + Send,
        threads: &Threads,
    ) -> f64 {
        match self.target {
            Target::Several(targets) => self.loss_of_several(targets, (rows, weights), &score, threads),
            _ => self.loss_of_one(rows, weights, &score, threads),
        }
    }

    /// The loss of one target.
    fn loss_of_one(
        &self,
        rows: &[u32],
        weights: &[f32],
        score: impl Fn(usize, usize) -> f64 + Sync + Send,
        threads: &Threads,
    ) -> f64 {
        let width = self.n_outputs();
        let delta = match (self.loss, self.target) {
            (Loss::Huber { share }, Target::Values(values)) => {
                let away = |&r: &u32| {
                    let row = r as usize;
                    ((score(row, 0) - values[row]).abs(), f64::from(weights[row]))
                };
                weighted_quantile(&mut rows.iter().map(away).collect::<Vec<_>>(), share)
            }
            _ => 0.0,
        };
        let sums = threads.map(rows.len().div_ceil(CHUNK), |c| {
            let mut sum = [0.0; 2];
            let mut p = vec![0.0; width];
            for &r in &rows[c * CHUNK..rows.len().min((c + 1) * CHUNK)] {
                let (row, w) = (r as usize, f64::from(weights[r as usize]));
                let loss = match self.target {
                    Target::Binary(labels) => {
                        let s = score(row, 0);
                        let margin = if labels[row] == 1 { s } else { -s };
                        self.of_log(-log_one_plus_exp(-margin))
                    }
                    Target::Classes { labels, .. } => {
                        let [largest, sum] = softmax(&mut p, |k| score(row, k));
                        self.of_log(score(row, labels[row] as usize) - (largest + math::log(sum)))
                    }
                    Target::Values(values) => self.of_value(score(row, 0), values[row], delta),
                    // Each of them comes here by itself.
                    Target::Several(_) => 0.0,
                };
                sum = [sum[0] + w * loss, sum[1] + w];
            }
            sum
        });
        let [loss, weight] = sums.iter().fold([0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
        if weight > 0.0 { loss / weight } else { 0.0 }
    }

    /// The loss of a row from the log of its true class's probability.
    fn of_log(&self, log_q: f64) -> f64 {
        match self.loss {
            Loss::Focal { gamma } if gamma > 0.0 => {
                let rest = (1.0 - math::exp(log_q)).max(1e-12);
                -math::exp(gamma * math::log(rest)) * log_q
            }
            _ => -log_q,
        }
    }

    /// The loss of a number; the squared one as `d^2`.
    fn of_value(&self, s: f64, y: f64, delta: f64) -> f64 {
        let d = s - y;
        match self.loss {
            Loss::Usual | Loss::Focal { .. } => d * d,
            Loss::Absolute => d.abs(),
            Loss::Huber { .. } if d.abs() <= delta => 0.5 * d * d,
            Loss::Huber { .. } => delta * (d.abs() - 0.5 * delta),
            Loss::Quantile { level } => (-level * d).max((1.0 - level) * d),
            Loss::Poisson => math::exp(s) - y * s,
            Loss::Tweedie { power } => {
                let (low, high) = (math::exp((1.0 - power) * s), math::exp((2.0 - power) * s));
                high / (2.0 - power) - y * low / (1.0 - power)
            }
        }
    }
}

fn sign(d: f64) -> f64 {
    if d > 0.0 {
        1.0
    } else if d < 0.0 {
        -1.0
    } else {
        0.0
    }
}

/// The smallest value at which the weight of the values up to it reaches `share` of all; between two values
/// that part the weights exactly there, their middle. 0 of none. Pairs are (value, weight), which are sorted.
pub(crate) fn weighted_quantile(pairs: &mut [(f64, f64)], share: f64) -> f64 {
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let wanted = pairs.iter().map(|p| p.1).sum::<f64>() * share;
    let mut so_far = 0.0;
    for (i, &(value, weight)) in pairs.iter().enumerate() {
        so_far += weight;
        if so_far >= wanted && weight > 0.0 {
            let next = pairs[i + 1..].iter().find(|p| p.1 > 0.0);
            return match next {
                Some(&(next, _)) if so_far == wanted => value + 0.5 * (next - value),
                _ => value,
            };
        }
    }
    pairs.last().map_or(0.0, |p| p.0)
}

/// `log(1 + e^x)` without overflow.
fn log_one_plus_exp(x: f64) -> f64 {
    x.max(0.0) + math::log(1.0 + math::exp(-x.abs()))
}

/// Probabilities of scores; gives the largest score and the sum of the exponentials of how far all lie below it.
fn softmax(p: &mut [f64], score: impl Fn(usize) -> f64) -> [f64; 2] {
    let mut largest = f64::NEG_INFINITY;
    for (k, p) in p.iter_mut().enumerate() {
        *p = score(k);
        largest = largest.max(*p);
    }
    p.iter_mut().for_each(|p| *p = math::exp_to_709(*p - largest));
    let sum: f64 = p.iter().sum();
    let inverse = 1.0 / sum;
    p.iter_mut().for_each(|p| *p *= inverse);
    [largest, sum]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gradients against differences of the loss.
    #[test]
    fn gradients_are_derivatives() {
        let labels = [0u32, 2, 1];
        let ones = [1u32, 0, 1];
        let values = [0.5, -2.0, 3.0];
        let counts = [0.0, 2.0, 7.0];
        let binary = Target::Binary(&ones);
        let classes = Target::Classes { labels: &labels, n_classes: 3 };
        let (real, count) = (Target::Values(&values), Target::Values(&counts));
        let objectives = [
            (binary, Loss::Usual),
            (classes, Loss::Usual),
            (binary, Loss::Focal { gamma: 2.0 }),
            (classes, Loss::Focal { gamma: 1.5 }),
            (real, Loss::Usual),
            (real, Loss::Absolute),
            (real, Loss::Quantile { level: 0.8 }),
            (count, Loss::Poisson),
            (count, Loss::Tweedie { power: 1.4 }),
        ];
        let weights = [1.0f32, 2.0, 0.5];
        let threads = Threads::one();
        for (target, loss) in objectives {
            let objective = Objective { target, loss };
            let width = target.n_outputs();
            let scores: Vec<f64> = (0..3 * width).map(|i| (i as f64 * 0.7).sin()).collect();
            let mut out = vec![[0.0; 2]; 3 * width];
            objective.gradients(|r, k| scores[r * width + k], &weights, &mut out, &threads);
            for (i, &[g, h]) in out.iter().enumerate() {
                let loss_at = |d: f64| {
                    let shifted =
                        |r: usize, k: usize| scores[r * width + k] + if r * width + k == i { d } else { 0.0 };
                    let row = (i / width) as u32;
                    objective.loss(&[row], &weights, shifted, &threads) * f64::from(weights[i / width])
                };
                let e = 1e-4;
                // The squared loss is d^2, its gradient is taken of d^2 / 2.
                let squared = matches!((target, loss), (Target::Values(_), Loss::Usual));
                let half = if squared { 0.5 } else { 1.0 };
                let slope = half * (loss_at(e) - loss_at(-e)) / (2.0 * e);
                assert!((slope - f64::from(g)).abs() < 1e-5, "{objective:?} {i}: {g} for {slope}");
                assert!(h > 0.0);
            }
        }
    }

    /// Two thirds of the errors are within 1, so 1 is where the square ends.
    #[test]
    fn hubers_slope_ends_at_the_quantile() {
        let values = [0.0, 0.0, 0.0];
        let objective = Objective { target: Target::Values(&values), loss: Loss::Huber { share: 0.6 } };
        let mut out = [[0.0; 2]; 3];
        let scores = [0.5, -1.0, 7.0];
        objective.gradients(|row, _| scores[row], &[1.0; 3], &mut out, &Threads::one());
        assert_eq!(out, [[0.5, 1.0], [-1.0, 1.0], [1.0, 1.0]]);
        let loss = objective.loss(&[0, 1, 2], &[1.0; 3], |row, _| scores[row], &Threads::one());
        assert!((loss - (0.125 + 0.5 + 6.5) / 3.0).abs() < 1e-15);
    }

    #[test]
    fn initial_scores() {
        let of = |target, loss| Objective { target, loss };
        let t = of(Target::Binary(&[1, 0, 0, 0]), Loss::Usual);
        assert!((t.initial(&[0, 1, 2, 3], &[1.0; 4])[0] - (1.0f64 / 3.0).ln()).abs() < 1e-15);
        // One class only stays finite.
        assert!(t.initial(&[1, 2], &[1.0; 4])[0].is_finite());
        let values = Target::Values(&[1.0, 5.0]);
        assert_eq!(of(values, Loss::Usual).initial(&[0, 1], &[3.0, 1.0]), [2.0]);
        assert_eq!(of(values, Loss::Absolute).initial(&[0, 1], &[3.0, 1.0]), [1.0]);
        assert_eq!(of(values, Loss::Absolute).initial(&[0, 1], &[1.0, 1.0]), [3.0]);
        let log = of(values, Loss::Poisson).initial(&[0, 1], &[3.0, 1.0])[0];
        assert!((log - 2.0f64.ln()).abs() < 1e-15);
        assert!(of(Target::Values(&[0.0]), Loss::Poisson).initial(&[0], &[1.0])[0].is_finite());
    }

    #[test]
    fn weighted_quantiles() {
        type Case<'a> = (&'a [(f64, f64)], f64, f64);
        let cases: &[Case<'_>] = &[
            (&[(1.0, 1.0), (2.0, 1.0), (3.0, 1.0)], 0.5, 2.0),
            (&[(1.0, 1.0), (2.0, 1.0)], 0.5, 1.5),
            (&[(3.0, 1.0), (1.0, 3.0)], 0.5, 1.0),
            (&[(1.0, 1.0), (9.0, 0.0), (2.0, 1.0)], 0.9, 2.0),
            (&[(1.0, 1.0), (5.0, 0.0), (7.0, 1.0)], 0.5, 4.0),
            (&[], 0.5, 0.0),
        ];
        for (pairs, share, expected) in cases {
            assert_eq!(weighted_quantile(&mut pairs.to_vec(), *share), *expected, "{pairs:?} {share}");
        }
    }
}
