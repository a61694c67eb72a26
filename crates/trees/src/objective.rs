//! What boosting minimises: gradients, starting scores and losses.
//!
//! All arithmetic is [`ir::fixed::math`] and IEEE operations on single rows, so gradients are the
//! same on every machine; sums go in fixed chunks.

use crate::packed::Gradient;
use ir::fixed::math;
use jobs::Threads;

/// Rows in a chunk of a sum; fixed, so that threads cannot change a sum.
const CHUNK: usize = 4096;

/// The target of every row; the objective follows from it.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// Class 0 or 1; logistic loss of one score.
    Binary(&'a [u32]),
    /// Classes `0..n_classes`; softmax loss of one score a class.
    Classes {
        /// Class of each row.
        labels: &'a [u32],
        /// Number of classes.
        n_classes: usize,
    },
    /// Numbers; squared loss.
    Values(&'a [f64]),
}

impl Target<'_> {
    /// Scores a row.
    pub fn n_outputs(&self) -> usize {
        match self {
            Target::Binary(_) | Target::Values(_) => 1,
            Target::Classes { n_classes, .. } => *n_classes,
        }
    }

    /// Scores that minimise the loss before any tree: the log odds, the log shares, the mean.
    /// A class without rows gets the share of half a row. `rows` have a positive total weight.
    pub(crate) fn initial(&self, rows: &[u32], weights: &[f32]) -> Vec<f64> {
        let weight = |r: &u32| f64::from(weights[*r as usize]);
        let total: f64 = rows.iter().map(weight).sum();
        match *self {
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
                vec![rows.iter().map(|r| values[*r as usize] * weight(r)).sum::<f64>() / total]
            }
        }
    }

    /// Gradients `[n_rows, n_outputs]` of the weighted loss at real scores `score(row, output)`.
    ///
    /// Logistic: `g = p - y`, `h = p (1 - p)`. Softmax: `g_k = p_k - [y = k]`,
    /// `h_k = K / (K - 1) p_k (1 - p_k)`. Squared: `g = s - y`, `h = 1`. Rows of weight 0 get zeros.
    /// # Source  Friedman, Ann. Statist. 29, 2001; the factor of softmax as in LightGBM.
    pub(crate) fn gradients(
        &self,
        score: impl Fn(usize, usize) -> f64 + Sync + Send,
        weights: &[f32],
        out: &mut [Gradient],
        threads: &Threads,
    ) {
        let width = self.n_outputs();
        threads.chunks(out, CHUNK * width, |first, out| {
            let first_row = first / width;
            let mut p = vec![0.0; width];
            for (i, out) in out.chunks_exact_mut(width).enumerate() {
                let row = first_row + i;
                let w = weights[row];
                if w == 0.0 {
                    out.fill([0.0; 2]);
                    continue;
                }
                match *self {
                    Target::Binary(labels) => {
                        let p = math::sigmoid(score(row, 0));
                        let g = (p - f64::from(labels[row])) as f32;
                        out[0] = [g * w, ((p * (1.0 - p)) as f32).max(1e-16) * w];
                    }
                    Target::Classes { labels, n_classes } => {
                        softmax(&mut p, |k| score(row, k));
                        let factor = n_classes as f64 / (n_classes as f64 - 1.0);
                        for (k, (out, &p)) in out.iter_mut().zip(&p).enumerate() {
                            let y = if labels[row] as usize == k { 1.0 } else { 0.0 };
                            let h = ((factor * p * (1.0 - p)) as f32).max(1e-16);
                            *out = [(p - y) as f32 * w, h * w];
                        }
                    }
                    Target::Values(values) => {
                        out[0] = [(score(row, 0) - values[row]) as f32 * w, w];
                    }
                }
            }
        });
    }

    /// Mean weighted loss over rows: log loss, or squared error.
    pub(crate) fn loss(
        &self,
        rows: &[u32],
        weights: &[f32],
        score: impl Fn(usize, usize) -> f64 + Sync + Send,
        threads: &Threads,
    ) -> f64 {
        let width = self.n_outputs();
        let sums = threads.map(rows.len().div_ceil(CHUNK), |c| {
            let mut sum = [0.0; 2];
            let mut p = vec![0.0; width];
            for &r in &rows[c * CHUNK..rows.len().min((c + 1) * CHUNK)] {
                let (row, w) = (r as usize, f64::from(weights[r as usize]));
                let loss = match *self {
                    Target::Binary(labels) => {
                        let s = score(row, 0);
                        let margin = if labels[row] == 1 { s } else { -s };
                        log_one_plus_exp(-margin)
                    }
                    Target::Classes { labels, .. } => {
                        let log_sum = softmax(&mut p, |k| score(row, k));
                        log_sum - score(row, labels[row] as usize)
                    }
                    Target::Values(values) => {
                        let d = score(row, 0) - values[row];
                        d * d
                    }
                };
                sum = [sum[0] + w * loss, sum[1] + w];
            }
            sum
        });
        let [loss, weight] = sums.iter().fold([0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
        if weight > 0.0 { loss / weight } else { 0.0 }
    }
}

/// `log(1 + e^x)` without overflow.
fn log_one_plus_exp(x: f64) -> f64 {
    x.max(0.0) + math::log(1.0 + math::exp(-x.abs()))
}

/// Probabilities of scores; gives the log of the sum of their exponentials.
fn softmax(p: &mut [f64], score: impl Fn(usize) -> f64) -> f64 {
    let mut largest = f64::NEG_INFINITY;
    for (k, p) in p.iter_mut().enumerate() {
        *p = score(k);
        largest = largest.max(*p);
    }
    let mut sum = 0.0;
    for p in p.iter_mut() {
        *p = math::exp(*p - largest);
        sum += *p;
    }
    let inverse = 1.0 / sum;
    p.iter_mut().for_each(|p| *p *= inverse);
    largest + math::log(sum)
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
        let targets = [
            Target::Binary(&ones),
            Target::Classes { labels: &labels, n_classes: 3 },
            Target::Values(&values),
        ];
        let weights = [1.0f32, 2.0, 0.5];
        let threads = Threads::one();
        for target in targets {
            let width = target.n_outputs();
            let scores: Vec<f64> = (0..3 * width).map(|i| (i as f64 * 0.7).sin()).collect();
            let mut out = vec![[0.0; 2]; 3 * width];
            target.gradients(|r, k| scores[r * width + k], &weights, &mut out, &threads);
            for (i, &[g, h]) in out.iter().enumerate() {
                let loss_at = |d: f64| {
                    let shifted =
                        |r: usize, k: usize| scores[r * width + k] + if r * width + k == i { d } else { 0.0 };
                    let row = (i / width) as u32;
                    target.loss(&[row], &weights, shifted, &threads) * f64::from(weights[i / width])
                };
                let e = 1e-4;
                // The squared loss is d^2, its gradient is taken of d^2 / 2.
                let half = if matches!(target, Target::Values(_)) { 0.5 } else { 1.0 };
                let slope = half * (loss_at(e) - loss_at(-e)) / (2.0 * e);
                assert!((slope - f64::from(g)).abs() < 1e-5, "{target:?} {i}: {g} for {slope}");
                assert!(h > 0.0);
            }
        }
    }

    #[test]
    fn initial_scores() {
        let t = Target::Binary(&[1, 0, 0, 0]);
        assert!((t.initial(&[0, 1, 2, 3], &[1.0; 4])[0] - (1.0f64 / 3.0).ln()).abs() < 1e-15);
        // One class only stays finite.
        assert!(t.initial(&[1, 2], &[1.0; 4])[0].is_finite());
        let t = Target::Values(&[1.0, 5.0]);
        assert_eq!(t.initial(&[0, 1], &[3.0, 1.0]), [2.0]);
    }
}
