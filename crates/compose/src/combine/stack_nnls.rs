//! `stack_nnls`: weights of at least 0 by least squares.

use super::ensemble::{Asked, Ensemble, EnsembleEntry, MemberRows, mean_in};
use super::stack::{Sign, least_squares, mean_diagonal, mean_products, quadratic_minimum};
use crate::error::Error;
use ir::Task;
use jobs::Threads;
use params::Params;
use recipe::{Combination, Space, Truth};

/// The line of the table.
pub(super) static ENTRY: EnsembleEntry = EnsembleEntry {
    name: "stack_nnls",
    doc: "weights of at least 0 that come nearest to the target, in squares",
    tasks: &[Task::Binary, Task::Multiclass, Task::Regression],
    takes_weights: false,
    asks_columns: false,
    spec: &[],
    ensemble: &StackNnls,
};

/// Added to the diagonal, as a share of its mean, so that copies of a member have one solution: alike.
const RIDGE: f64 = 1e-8;
/// A share of all weights below it changes no probability of single precision; without, members that are never wrong
/// would leave all others with as little as the ridge.
const LEAST_SHARE: f64 = 1e-7;

struct StackNnls;

impl Ensemble for StackNnls {
    /// Of numbers the least `sum_i (y_i - b - sum_j w_j s_ij)^2` over `w_j >= 0`. Of classes that of
    /// `sum_i sum_k (y_ik - sum_j w_j p_ijk)^2`, `y_ik` 1 for the true class and else 0, over `w_j >= 0` that add up
    /// to 1, as the weights of probabilities in a model do; so no member alone is nearer. Where members say nothing,
    /// their mean. O(n_members^2 n_rows n_classes).
    /// # Source  Breiman, Stacked regressions, Machine Learning 24, 1996; Lawson & Hanson, Solving Least Squares
    /// Problems, 1974, chapter 23. Deviations: the intercept; of classes the sum of weights.
    fn fit(&self, rows: &MemberRows, asked: &Asked<'_>, _: &Params) -> Result<Combination, Error> {
        let some = rows.some();
        match some.truth() {
            Truth::Values(targets) => {
                let stacked = least_squares(&some, targets, (RIDGE, Sign::NonNegative), asked.threads);
                Ok(stacked.combination(rows))
            }
            Truth::Classes { labels, .. } => {
                let weights = nearest_mean(&some, labels, asked.threads);
                Ok(Combination::mean(Space::Probabilities, &weights, rows.range()))
            }
            // Not among its tasks.
            Truth::Several(_) => mean_in(Space::Scores, rows, asked),
        }
    }
}

/// Weights in any unit of the mean of probabilities that is nearest to the labels.
///
/// With weights that add up to 1, the squares are `w' G w`, `G` the mean products of the members' errors. Up to a
/// factor its least is that of `u' G u / 2 - sum_j u_j` over `u >= 0`: both ask for `G u` to be one number where
/// `u_j > 0`, and no less elsewhere.
fn nearest_mean(rows: &MemberRows, labels: &[u32], threads: &Threads) -> Vec<f64> {
    let n = rows.n_members();
    let errors = threads.map(n, |member| {
        let mut errors = rows.linked(rows.scores(member).to_vec());
        for (row, &label) in errors.chunks_exact_mut(rows.n_outputs().max(2)).zip(labels) {
            row.iter_mut().skip(label as usize).take(1).for_each(|p| *p -= 1.0);
        }
        errors
    });
    let mut products = mean_products(&errors, threads);
    let unit = mean_diagonal(&products, n, n);
    products.iter_mut().for_each(|product| *product /= unit);
    products.iter_mut().step_by(n + 1).for_each(|square| *square += RIDGE);
    let mut weights = quadratic_minimum(&products, &vec![1.0; n], n, vec![1.0; n]);
    let all: f64 = weights.iter().sum();
    if !(all.is_finite() && all > 0.0) {
        // No member is ever wrong.
        return vec![1.0; n];
    }
    weights.iter_mut().filter(|w| **w < LEAST_SHARE * all).for_each(|w| *w = 0.0);
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use recipe::MemberSum;

    fn weights(scores: &[&[f64]], truth: Truth) -> MemberSum {
        let rows = MemberRows::try_new(scores.iter().map(|s| s.to_vec()).collect(), 1, truth).unwrap();
        let threads = Threads::one();
        let prices = vec![0.0; scores.len()];
        let metric = metrics::metric("rmse").unwrap();
        let asked =
            Asked { metric, weights: None, prices: &prices, costs: &[], room: None, threads: &threads };
        ENTRY.fit(&rows, &asked, &ENTRY.params(&[]).unwrap()).unwrap().sum().unwrap().clone()
    }

    fn near(found: &[f64], expected: &[f64]) {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}, not {expected:?}");
    }

    #[test]
    fn numbers_hand_computed() {
        let (a, b) = ([1.0, -1.0, 1.0, -1.0, 3.0], [1.0, 1.0, -1.0, -1.0, 2.0]);
        let sum =
            |x: f64, y: f64, c: f64| a.iter().zip(&b).map(|(a, b)| x * a + y * b + c).collect::<Vec<f64>>();
        let found = weights(&[&a, &b], Truth::Values(sum(0.3, 0.7, 2.0)));
        near(&found.weights, &[0.3, 0.7]);
        near(&found.offsets, &[2.0]);
        // Without the last row both are at right angles: what b would get below 0 does not change a's.
        let found = weights(&[&a[..4], &b[..4]], Truth::Values(sum(1.0, -0.5, 0.0)[..4].to_vec()));
        assert_eq!(found.weights[1], 0.0);
        near(&found.weights, &[1.0, 0.0]);
        near(&found.offsets, &[0.0]);
        // Members that turn all round say nothing that may be used: their mean, moved.
        let found = weights(&[&a, &a], Truth::Values(sum(-1.0, 0.0, 7.0)));
        assert_eq!(found.weights, [0.5, 0.5]);
        near(&found.offsets, &[7.0 - 2.0 * 3.0 / 5.0]);
        // Copies share, a constant gets nothing.
        let found = weights(&[&a, &[4.0; 5], &a], Truth::Values(sum(1.0, 0.0, 0.0)));
        near(&found.weights, &[0.5, 0.0, 0.5]);
    }

    #[test]
    fn classes_hand_computed() {
        let odds = |p: f64| (p / (1.0 - p)).ln();
        let truth = || Truth::Classes { labels: vec![0, 1], n_classes: 2, positive: None };
        // Errors of the second class (0.1, -0.3) and (0.5, -0.1): squares 0.10 and 0.26, product 0.08, so the first
        // gets (0.26 - 0.08) / (0.10 + 0.26 - 0.16) = 0.9.
        let found = weights(&[&[odds(0.1), odds(0.7)], &[odds(0.5), odds(0.9)]], truth());
        near(&found.weights, &[0.9, 0.1]);
        assert!(found.space == Space::Probabilities && found.offsets.is_empty());
        // (0.1, -0.3) and (0.2, -0.4): the second is worse in both rows.
        let found = weights(&[&[odds(0.1), odds(0.7)], &[odds(0.2), odds(0.6)]], truth());
        assert_eq!(found.weights, [1.0, 0.0]);
        // One that is never wrong leaves nothing to others; two share.
        let (sure, unsure) = ([-800.0, 800.0], [odds(0.2), odds(0.6)]);
        assert_eq!(weights(&[&unsure, &sure], truth()).weights, [0.0, 1.0]);
        assert_eq!(weights(&[&sure, &sure], truth()).weights, [0.5, 0.5]);
    }
}
