//! The constant that is best added to scores that are there, before any tree.

use super::{CHUNK, Loss, Objective, Target, softmax, weighted_quantile};
use ir::fixed::math;
use jobs::Threads;

/// Steps of iterative scaling; what they leave over is for the trees.
const STEPS: usize = 30;
/// A step that is shorter is the last one.
const SHORT: f64 = 1e-6;
/// The furthest that log odds, or logs, are moved.
const FURTHEST: f64 = 30.0;
/// The largest power of e that is taken of a difference of logs.
const MOST_LOG: f64 = 700.0;

impl Objective<'_> {
    /// Constants, one an output, that minimise the loss when they are added to the real scores `score(row, output)`; of
    /// focal losses the usual one. Where the scores are the same for all rows: what [`Objective::initial`] gives, less
    /// these scores. `rows` have a positive total weight.
    ///
    /// Numbers: the mean of `y - s`, or its quantile. Logs: `log(sum_i w_i y_i e^((1 - p) s_i) / sum_i w_i e^((2 - p)
    /// s_i))`, `p = 1` for Poisson. Classes: `c_k += log(sum of [y = k] / sum of p_k)` over and over, each sum at least
    /// half a row. Sums go in fixed chunks. O(30 n_rows n_outputs).
    /// # Source  Darroch & Ratcliff, Ann. Math. Statist. 43, 1972 (iterative scaling).
    pub(crate) fn added(
        &self,
        rows: &[u32],
        weights: &[f32],
        score: impl Fn(usize, usize) -> f64 + Sync + Send,
        threads: &Threads,
    ) -> Vec<f64> {
        let width = self.n_outputs();
        let first = rows.first().map_or(0, |&row| row as usize);
        let is_alike =
            |&row: &u32| (0..width).all(|k| score(row as usize, k).total_cmp(&score(first, k)).is_eq());
        if rows.iter().all(is_alike) {
            let initial = self.initial(rows, weights).into_iter().enumerate();
            return initial.map(|(k, constant)| constant - score(first, k)).collect();
        }
        match self.target {
            Target::Values(values) => {
                let of = |&row: &u32| {
                    let row = row as usize;
                    (score(row, 0), values[row], f64::from(weights[row]))
                };
                vec![self.added_to_numbers(&rows.iter().map(of).collect::<Vec<_>>())]
            }
            Target::Binary(labels) => {
                let both = |row: usize, k: usize| if k == 1 { score(row, 0) } else { 0.0 };
                let added = added_to_classes((labels, 2), rows, weights, both, threads);
                vec![(added[1] - added[0]).clamp(-FURTHEST, FURTHEST)]
            }
            Target::Classes { labels, n_classes } => {
                added_to_classes((labels, n_classes), rows, weights, score, threads)
            }
            // Offsets of several targets are refused before.
            Target::Several(targets) => vec![0.0; targets.len()],
        }
    }

    /// `rows`: score, target, weight.
    fn added_to_numbers(&self, rows: &[(f64, f64, f64)]) -> f64 {
        let share = match self.loss {
            Loss::Huber { .. } => Some(0.5),
            loss => loss.leaf_quantile(),
        };
        if let Some(share) = share {
            let mut left: Vec<(f64, f64)> = rows.iter().map(|&(s, y, w)| (y - s, w)).collect();
            return weighted_quantile(&mut left, share);
        }
        let total: f64 = rows.iter().map(|(.., w)| w).sum();
        let power = match self.loss {
            Loss::Poisson => 1.0,
            Loss::Tweedie { power } => power,
            _ => return rows.iter().map(|&(s, y, w)| w * (y - s)).sum::<f64>() / total,
        };
        let highest = rows.iter().fold(f64::NEG_INFINITY, |m, &(s, ..)| m.max(s));
        let power_of = |log: f64| math::exp(log.clamp(-MOST_LOG, MOST_LOG));
        let mut sums = [0.0; 2];
        for &(s, y, w) in rows {
            let below = s - highest;
            sums[0] += w * y * power_of((1.0 - power) * below);
            sums[1] += w * power_of((2.0 - power) * below);
        }
        // As many as half a row would have, where there is nothing at all.
        math::log(sums[0].max(0.5 * total / (total + 1.0)) / sums[1]) - highest
    }
}

fn added_to_classes(
    (labels, n_classes): (&[u32], usize),
    rows: &[u32],
    weights: &[f32],
    score: impl Fn(usize, usize) -> f64 + Sync + Send,
    threads: &Threads,
) -> Vec<f64> {
    let weight = |row: usize| f64::from(weights[row]);
    let mut wanted = vec![0.0; n_classes];
    rows.iter().for_each(|&row| wanted[labels[row as usize] as usize] += weight(row as usize));
    let mut added = vec![0.0; n_classes];
    for _ in 0..STEPS {
        let chunks = threads.map(rows.len().div_ceil(CHUNK), |chunk| {
            let mut sums = vec![0.0; n_classes];
            let mut p = vec![0.0; n_classes];
            for &row in &rows[chunk * CHUNK..rows.len().min((chunk + 1) * CHUNK)] {
                let row = row as usize;
                softmax(&mut p, |k| score(row, k) + added[k]);
                sums.iter_mut().zip(&p).for_each(|(sum, p)| *sum += weight(row) * p);
            }
            sums
        });
        let mut longest = 0.0f64;
        for k in 0..n_classes {
            let sum: f64 = chunks.iter().map(|sums| sums[k]).sum();
            let before = added[k];
            let step = math::log(f64::max(wanted[k], 0.5) / sum.max(0.5));
            added[k] = (before + step).clamp(-FURTHEST, FURTHEST);
            longest = longest.max((added[k] - before).abs());
        }
        if longest < SHORT {
            break;
        }
    }
    added
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No constant beside it has a smaller loss.
    #[test]
    fn what_is_added_minimises_the_loss() {
        let labels = [0u32, 2, 1, 1, 2, 0, 1];
        let ones = labels.map(|label| label.min(1));
        let values = [0.5, -2.0, 3.0, 7.5, 0.25, -1.0, 2.0];
        let counts = [0.0, 2.0, 7.0, 1.0, 0.0, 3.0, 4.0];
        let cases = [
            (Target::Binary(&ones), Loss::Usual),
            (Target::Classes { labels: &labels, n_classes: 3 }, Loss::Usual),
            (Target::Values(&values), Loss::Usual),
            (Target::Values(&values), Loss::Absolute),
            (Target::Values(&values), Loss::Quantile { level: 0.8 }),
            (Target::Values(&counts), Loss::Poisson),
            (Target::Values(&counts), Loss::Tweedie { power: 1.4 }),
        ];
        let (rows, weights) = ([0, 1, 2, 3, 4, 5, 6], [1.0f32, 2.0, 0.5, 1.0, 3.0, 1.0, 1.0]);
        let threads = Threads::one();
        for (target, loss) in cases {
            let (objective, width) = (Objective { target, loss }, target.n_outputs());
            let score = |row: usize, k: usize| ((row * width + k) as f64 * 1.7).sin() * 2.0;
            let added = objective.added(&rows, &weights, score, &threads);
            let loss_at = |k: usize, by: f64| {
                let moved = |row: usize, output: usize| {
                    score(row, output) + added[output] + if output == k { by } else { 0.0 }
                };
                objective.loss(&rows, &weights, moved, &threads)
            };
            for k in 0..width {
                let least = loss_at(k, 0.0);
                assert!([-0.01, 0.01].into_iter().all(|by| loss_at(k, by) >= least), "{objective:?} {k}");
            }
        }
    }

    #[test]
    fn equal_scores_take_themselves_off_what_there_would_be_without_them() {
        let labels = [1u32, 0, 0, 0];
        let objective = Objective::from(Target::Binary(&labels));
        let initial = objective.initial(&[0, 1, 2, 3], &[1.0; 4]);
        for (score, expected) in [(0.0, initial[0]), (0.75, initial[0] - 0.75)] {
            assert_eq!(objective.added(&[0, 1, 2, 3], &[1.0; 4], |_, _| score, &Threads::one()), [expected]);
        }
    }

    /// A class that no row has, and counts that are all 0, stay finite.
    #[test]
    fn what_is_not_there_stays_finite() {
        let rows = [0, 1, 2];
        let score = |row: usize, k: usize| row as f64 + k as f64 * 50.0;
        let classes = Objective::from(Target::Classes { labels: &[0, 1, 1], n_classes: 3 });
        let counts = Objective { target: Target::Values(&[0.0; 3]), loss: Loss::Poisson };
        for objective in [classes, counts] {
            let added = objective.added(&rows, &[1.0; 3], score, &Threads::one());
            assert!(added.iter().all(|c| c.is_finite()), "{added:?}");
        }
    }
}
