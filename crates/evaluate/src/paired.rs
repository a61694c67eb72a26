//! Two models on the same rows: by how much their scores differ, and whether that may be chance.
//!
//! Which test judges a metric stands in one place, [`Pair::compare`].

use crate::bootstrap::{Draws, defined, drawn_score};
use crate::paired_tests::{ScoredRow, delong, mcnemar};
use jobs::{Seed, Threads};
use metrics::{Classified, Error, MetricEntry, Observed};

/// Predictions of two models for the same rows.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    a: Observed<'a>,
    b: Observed<'a>,
}

/// Why two models' predictions cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mismatch {
    /// One predicts classes and the other numbers, or other classes, or the positive class differs.
    Task,
    /// The numbers of rows differ.
    Rows {
        /// Of the first and the second model.
        n_rows: [usize; 2],
    },
    /// The truth, or the weight, of a row differs.
    Truth {
        /// The first such row.
        row: usize,
    },
}

impl std::error::Error for Mismatch {}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Mismatch::Task => f.write_str("expected the same task and classes"),
            Mismatch::Rows { n_rows: [a, b] } => write!(f, "expected the same rows, got {a} and {b}"),
            Mismatch::Truth { row } => {
                write!(f, "expected the same truth in each row, it differs in row {row}")
            }
        }
    }
}

/// A test of whether two models differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// DeLong's, of two areas under ROC curves.
    DeLong,
    /// McNemar's, of two accuracies.
    McNemar,
    /// The paired bootstrap, of any score.
    PairedBootstrap,
}

impl Test {
    /// Name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Test::DeLong => "delong",
            Test::McNemar => "mcnemar",
            Test::PairedBootstrap => "paired_bootstrap",
        }
    }

    /// Name for people.
    pub fn title(self) -> &'static str {
        match self {
            Test::DeLong => "DeLong test",
            Test::McNemar => "McNemar test",
            Test::PairedBootstrap => "paired bootstrap",
        }
    }
}

/// The difference of two scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// Score of the first model minus that of the second; `None` if one is undefined.
    pub difference: Option<f64>,
    /// What tested it.
    pub test: Test,
    /// Of "both are equally good"; `None` where the test has no answer.
    pub p_value: Option<f64>,
}

impl<'a> Pair<'a> {
    /// Checks that both speak of the same rows: task, classes, positive class, truth and row weights. O(n).
    /// # Errors
    /// [`Mismatch`].
    pub fn try_new(a: Observed<'a>, b: Observed<'a>) -> Result<Pair<'a>, Mismatch> {
        if a.n_rows() != b.n_rows() {
            return Err(Mismatch::Rows { n_rows: [a.n_rows(), b.n_rows()] });
        }
        let unlike = match (&a, &b) {
            (Observed::Classified(a), Observed::Classified(b)) => {
                if (a.n_classes(), a.positive()) != (b.n_classes(), b.positive()) {
                    return Err(Mismatch::Task);
                }
                first_unlike(a.labels(), b.labels()).or(unlike_weights(a.row_weights(), b.row_weights()))
            }
            (Observed::Regressed(a), Observed::Regressed(b)) => {
                first_unlike(a.targets(), b.targets()).or(unlike_weights(a.row_weights(), b.row_weights()))
            }
            _ => return Err(Mismatch::Task),
        };
        match unlike {
            Some(row) => Err(Mismatch::Truth { row }),
            None => Ok(Pair { a, b }),
        }
    }

    /// The difference of the two scores and its test: DeLong's for `roc_auc` of two classes, McNemar's for `accuracy`,
    /// the paired bootstrap for all else and wherever rows have weights.
    ///
    /// The bootstrap draws rows as [`score_interval`](crate::score_interval) does and scores both models on each draw;
    /// with `k` of `R` differences on the rarer side of 0 (0 itself on both sides), `p = 2 (k + 1) / (R + 1)`, at most
    /// 1: with 200 draws no p-value is below 0.01. O(n log n), or 400 times O(m log m).
    /// # Errors
    /// The metric does not apply to the task.
    /// # Source
    /// Davison & Hinkley, Bootstrap Methods and their Application, 1997, section 4.2; the tests name their own.
    pub fn compare(&self, metric: &MetricEntry, seed: Seed, threads: &Threads) -> Result<Compared, Error> {
        let scores = [defined(metric.score(&self.a))?, defined(metric.score(&self.b))?];
        let [Some(a), Some(b)] = scores else {
            return Ok(Compared { difference: None, test: self.test(metric), p_value: None });
        };
        let difference = a - b;
        let test = self.test(metric);
        let p_value = match (test, &self.a, &self.b) {
            (Test::DeLong, Observed::Classified(a), Observed::Classified(b)) => {
                delong(&scored_rows(a, b)).map(|found| found.p_value)
            }
            (Test::McNemar, Observed::Classified(a), Observed::Classified(b)) => {
                let (only_a, only_b) = discordant(a, b);
                Some(mcnemar(only_a, only_b))
            }
            _ => self.bootstrap(difference, metric, seed, threads)?,
        };
        Ok(Compared { difference: Some(difference), test, p_value })
    }

    fn test(&self, metric: &MetricEntry) -> Test {
        match (&self.a, metric.name) {
            (Observed::Classified(rows), _) if rows.row_weights().is_some() => Test::PairedBootstrap,
            (Observed::Classified(rows), "roc_auc") if rows.n_classes() == 2 => Test::DeLong,
            (Observed::Classified(_), "accuracy") => Test::McNemar,
            _ => Test::PairedBootstrap,
        }
    }

    fn bootstrap(
        &self,
        difference: f64,
        metric: &MetricEntry,
        seed: Seed,
        threads: &Threads,
    ) -> Result<Option<f64>, Error> {
        let Some(draws) = Draws::of(&self.a, seed) else { return Ok(None) };
        let drawn = draws.replicates(threads, |draw| {
            let (a, b) = (drawn_score(&self.a, metric, draw)?, drawn_score(&self.b, metric, draw)?);
            Ok(a.zip(b).map(|(a, b)| difference + draws.shrink * ((a - b) - difference)))
        })?;
        Ok(drawn.map(|drawn| {
            let n_below = drawn.iter().filter(|&&d| d <= 0.0).count();
            let n_above = drawn.iter().filter(|&&d| d >= 0.0).count();
            (2.0 * (n_below.min(n_above) + 1) as f64 / (drawn.len() + 1) as f64).min(1.0)
        }))
    }
}

fn first_unlike<T: PartialEq>(a: &[T], b: &[T]) -> Option<usize> {
    a.iter().zip(b).position(|(a, b)| a != b)
}

/// The first row whose weights differ; 1 where there are none.
fn unlike_weights(a: Option<&[f64]>, b: Option<&[f64]>) -> Option<usize> {
    match (a, b) {
        (None, None) => None,
        (Some(a), Some(b)) => first_unlike(a, b),
        (Some(some), None) | (None, Some(some)) => some.iter().position(|&weight| weight != 1.0),
    }
}

fn scored_rows(a: &Classified<'_>, b: &Classified<'_>) -> Vec<ScoredRow> {
    let positive = a.positive();
    let row = |row: usize| ScoredRow {
        is_positive: a.labels()[row] == positive,
        a: a.probability(row, positive as usize),
        b: b.probability(row, positive as usize),
    };
    (0..a.n_rows()).map(row).collect()
}

/// Rows that only the one or only the other predicts right.
fn discordant(a: &Classified<'_>, b: &Classified<'_>) -> (u64, u64) {
    let (mut only_a, mut only_b) = (0, 0);
    for ((label, by_a), by_b) in a.labels().iter().zip(a.predicted()).zip(b.predicted()) {
        only_a += u64::from(label == by_a && label != by_b);
        only_b += u64::from(label != by_a && label == by_b);
    }
    (only_a, only_b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::digest::mix;
    use metrics::{ClassifiedParts, Probabilities, Regressed, metric};

    const LABELS: [u32; 6] = [0, 0, 0, 1, 1, 1];

    fn classes<'a>(
        predicted: &'a [u32],
        probabilities: &'a [f64],
        weights: Option<&'a [f64]>,
    ) -> Observed<'a> {
        let parts = ClassifiedParts {
            labels: &LABELS,
            predicted,
            probabilities: Probabilities::F64(probabilities),
            n_classes: 2,
            positive: None,
            row_weights: weights,
        };
        Observed::Classified(Classified::try_new(parts).unwrap())
    }

    fn compare(pair: &Pair<'_>, name: &str) -> Compared {
        pair.compare(metric(name).unwrap(), Seed(0), &Threads::one()).unwrap()
    }

    #[test]
    fn each_metric_has_its_test() {
        let good = [0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.4, 0.6, 0.2, 0.8, 0.1, 0.9];
        let bad = [0.9, 0.1, 0.2, 0.8, 0.7, 0.3, 0.4, 0.6, 0.8, 0.2, 0.1, 0.9];
        let (right, wrong) = ([0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 0, 1]);
        let pair = Pair::try_new(classes(&right, &good, None), classes(&wrong, &bad, None)).unwrap();
        let areas = compare(&pair, "roc_auc");
        assert_eq!(areas.test, Test::DeLong);
        assert!(areas.p_value.is_some_and(|p| (0.0..0.5).contains(&p)), "{areas:?}");
        // Two rows speak for a, none for b: 2 * 2^-2.
        let accuracy = compare(&pair, "accuracy");
        assert_eq!((accuracy.test, accuracy.p_value), (Test::McNemar, Some(0.5)));
        assert!((accuracy.difference.unwrap() - 2.0 / 6.0).abs() < 1e-15);
        assert_eq!(compare(&pair, "log_loss").test, Test::PairedBootstrap);
        // Rows of weight 2 count twice, which the first two tests do not know.
        let weights = [1.0, 1.0, 1.0, 1.0, 1.0, 2.0];
        let (a, b) = (classes(&right, &good, Some(&weights)), classes(&wrong, &bad, Some(&weights)));
        assert_eq!(compare(&Pair::try_new(a, b).unwrap(), "roc_auc").test, Test::PairedBootstrap);
        // The order of the models changes the sign alone.
        let turned = Pair::try_new(classes(&wrong, &bad, None), classes(&right, &good, None)).unwrap();
        for name in ["roc_auc", "accuracy"] {
            let (ahead, behind) = (compare(&pair, name), compare(&turned, name));
            assert_eq!((ahead.p_value, ahead.difference), (behind.p_value, behind.difference.map(|d| -d)));
        }
    }

    fn numbers(n: u64, spread: f64) -> (Vec<f64>, Vec<f64>) {
        let noise = |i: u64| (mix(i) >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
        ((0..n).map(noise).collect(), (0..n).map(|i| noise(i) + spread * noise(i + n)).collect())
    }

    fn regressed<'a>(targets: &'a [f64], predictions: &'a [f64]) -> Observed<'a> {
        Observed::Regressed(Regressed::try_new(targets, predictions, None).unwrap())
    }

    #[test]
    fn a_better_regression_is_told_from_chance() {
        let (targets, near) = numbers(400, 0.5);
        let far = numbers(400, 0.8).1;
        // Errors of the same size, in another order.
        let mut other = near.clone();
        other.iter_mut().zip(&targets).for_each(|(p, t)| *p = 2.0 * t - *p);
        let p = |a: &[f64], b: &[f64]| {
            compare(&Pair::try_new(regressed(&targets, a), regressed(&targets, b)).unwrap(), "rmse")
        };
        let clear = p(&near, &far);
        assert!(clear.difference.unwrap() < 0.0);
        assert_eq!(clear.p_value, Some(2.0 / 201.0));
        assert_eq!(p(&near, &near).p_value, Some(1.0));
        assert!(p(&near, &other).p_value.unwrap() > 0.9);
        let threads = Threads::try_new(3).unwrap();
        let pair = Pair::try_new(regressed(&targets, &near), regressed(&targets, &far)).unwrap();
        assert_eq!(pair.compare(metric("rmse").unwrap(), Seed(0), &threads).unwrap(), clear);
    }

    #[test]
    fn an_undefined_score_has_no_difference() {
        let (targets, predictions) = ([1.0; 4], [1.0, 2.0, 3.0, 4.0]);
        let pair = Pair::try_new(regressed(&targets, &predictions), regressed(&targets, &targets)).unwrap();
        let none = Compared { difference: None, test: Test::PairedBootstrap, p_value: None };
        assert_eq!(compare(&pair, "r2"), none);
    }

    #[test]
    fn unlike_rows_are_refused() {
        let (targets, other) = ([1.0, 2.0, 3.0], [1.0, 2.0, 4.0]);
        let a = regressed(&targets, &targets);
        let unlike = |b| Pair::try_new(a, b).unwrap_err();
        assert_eq!(unlike(regressed(&other, &targets)), Mismatch::Truth { row: 2 });
        assert_eq!(unlike(regressed(&other[..2], &targets[..2])), Mismatch::Rows { n_rows: [3, 2] });
        let weighted = Regressed::try_new(&targets, &targets, Some(&[1.0, 3.0, 1.0])).unwrap();
        assert_eq!(unlike(Observed::Regressed(weighted)), Mismatch::Truth { row: 1 });
        let six = [1.0; 6];
        let probabilities = [0.5; 12];
        let pair = Pair::try_new(regressed(&six, &six), classes(&LABELS, &probabilities, None));
        assert_eq!(pair.unwrap_err(), Mismatch::Task);
    }
}
