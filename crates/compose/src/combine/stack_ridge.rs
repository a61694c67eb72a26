//! `stack_ridge`: weights of any sign by least squares, held near the mean.

use super::ensemble::{Asked, Ensemble, EnsembleEntry, MemberRows, mean_in};
use super::stack::{Sign, least_squares};
use crate::error::Error;
use ir::Task;
use params::{ParamSpec, Params, Range, Value};
use recipe::{Combination, Space, Truth};

/// The line of the table.
pub(super) static ENTRY: EnsembleEntry = EnsembleEntry {
    name: "stack_ridge",
    doc: "weights of any sign that come nearest to the target, in squares, held near their mean",
    tasks: &[Task::Regression],
    takes_weights: false,
    asks_columns: false,
    spec: SPEC,
    ensemble: &StackRidge,
};

static SPEC: &[ParamSpec] = &[ParamSpec {
    name: "l2",
    aliases: &["alpha"],
    default: Value::Real(0.01),
    range: Range::Real { low: 1e-6, high: 1e6 },
    doc: "what holds the weights near those of the mean, as a share of the members' mean square",
}];

struct StackRidge;

impl Ensemble for StackRidge {
    /// The least `sum_i (y_i - b - sum_j w_j s_ij)^2 / n + l2 v sum_j (w_j - 1 / J)^2`, `v` the mean square of the `J`
    /// members' centred scores. O(n_members^2 n_rows).
    /// # Source  Wolpert, Stacked generalization, Neural Networks 5, 1992; Breiman, Stacked regressions, Machine
    /// Learning 24, 1996. Deviations: shrinks to the mean of members and not to 0; the intercept.
    fn fit(&self, rows: &MemberRows, asked: &Asked<'_>, params: &Params) -> Result<Combination, Error> {
        let some = rows.some();
        match some.truth() {
            Truth::Values(targets) => {
                let shrink = (params.real("l2"), Sign::Any);
                Ok(least_squares(&some, targets, shrink, asked.threads).combination(rows))
            }
            // Not among its tasks.
            Truth::Classes { .. } | Truth::Several(_) => mean_in(Space::Scores, rows, asked),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobs::Threads;
    use recipe::MemberSum;

    fn fit(scores: [&[f64]; 2], targets: &[f64], l2: &str) -> MemberSum {
        let scores = scores.map(<[f64]>::to_vec).to_vec();
        let rows = MemberRows::try_new(scores, 1, Truth::Values(targets.to_vec())).unwrap();
        let threads = Threads::one();
        let metric = metrics::metric("rmse").unwrap();
        let asked =
            Asked { metric, weights: None, prices: &[0.0; 2], costs: &[], room: None, threads: &threads };
        let params = ENTRY.params(&[("l2".to_owned(), l2.to_owned())]).unwrap();
        ENTRY.fit(&rows, &asked, &params).unwrap().sum().unwrap().clone()
    }

    /// Columns at right angles of mean square 1: the products with the targets are the weights.
    #[test]
    fn hand_computed() {
        let (a, b) = ([1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0]);
        for unit in [1.0, 1e-9, 1e12] {
            let [a, b] = [a, b].map(|column| column.map(|x| x * unit));
            let targets: Vec<f64> = a.iter().zip(&b).map(|(a, b)| 1.5 * a - 0.5 * b + unit).collect();
            // (w + l2 / 2) / (1 + l2).
            let between = [(1.5 + 0.5) / 2.0, (-0.5 + 0.5) / 2.0];
            for (l2, expected) in [("1e-6", [1.5, -0.5]), ("1", between), ("1e6", [0.5, 0.5])] {
                let found = fit([&a, &b], &targets, l2);
                let away = found.weights.iter().zip(expected).map(|(a, b)| (a - b).abs());
                assert!(away.fold(0.0, f64::max) < 1e-5, "{unit} {l2}: {:?}", found.weights);
                assert!((found.offsets[0] / unit - 1.0).abs() < 1e-9, "{unit} {l2}: {:?}", found.offsets);
            }
        }
    }

    #[test]
    fn members_that_say_nothing_are_a_mean() {
        let found = fit([&[3.0; 3], &[5.0; 3]], &[1.0, 2.0, 6.0], "0.01");
        assert_eq!((found.weights, found.offsets), (vec![0.5, 0.5], vec![-1.0]));
        let found = fit([&[3.0; 3], &[1.0, 2.0, 6.0]], &[1.0, 2.0, 6.0], "0.01");
        assert!(found.weights[0] == 0.0 && (found.weights[1] - 1.0).abs() < 1e-9, "{:?}", found.weights);
    }
}
