//! What every metric must satisfy, and the owned rows that the tests are written in.
//!
//! Laws run over the table, so a metric is under them as soon as it is listed.

use crate::entry::{MetricEntry, Task};
use crate::error::{Error, Field, Kind};
use crate::observed::{Classified, ClassifiedParts, Observed, Probabilities, Regressed};
use crate::{METRICS, all_scores, metric};

/// Relative bound of sums that run in another order than the expected ones: a few dozen roundings of 2^-53.
const CLOSE: f64 = 1e-13;

/// Rows that own their slices. Classes if `n_classes > 0`, else numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    labels: Vec<u32>,
    predicted: Vec<u32>,
    probabilities: Vec<f64>,
    n_classes: usize,
    positive: Option<u32>,
    targets: Vec<f64>,
    predictions: Vec<f64>,
    row_weights: Option<Vec<f64>>,
}

impl Rows {
    /// Two classes by the probability of class 1; class 1 is predicted above one half.
    pub(crate) fn binary(labels: &[u32], positive: &[f64]) -> Rows {
        let probabilities: Vec<f64> = positive.iter().flat_map(|&p| [1.0 - p, p]).collect();
        Rows::classes(labels, &probabilities, 2)
    }

    /// Classes by probabilities; the first of the largest is predicted.
    pub(crate) fn classes(labels: &[u32], probabilities: &[f64], n_classes: usize) -> Rows {
        let first_largest = |row: &[f64]| {
            let largest = row.iter().copied().fold(0.0, f64::max);
            row.iter().position(|&p| p == largest).unwrap() as u32
        };
        Rows {
            labels: labels.to_vec(),
            predicted: probabilities.chunks(n_classes).map(first_largest).collect(),
            probabilities: probabilities.to_vec(),
            n_classes,
            ..Rows::default()
        }
    }

    /// Classes by predicted labels, each with probability 1.
    pub(crate) fn predicted(labels: &[u32], predicted: &[u32], n_classes: usize) -> Rows {
        let one_hot = |&p: &u32| (0..n_classes).map(move |class| f64::from(u8::from(class == p as usize)));
        let probabilities: Vec<f64> = predicted.iter().flat_map(one_hot).collect();
        Rows { predicted: predicted.to_vec(), ..Rows::classes(labels, &probabilities, n_classes) }
    }

    pub(crate) fn numbers(targets: &[f64], predictions: &[f64]) -> Rows {
        Rows { targets: targets.to_vec(), predictions: predictions.to_vec(), ..Rows::default() }
    }

    pub(crate) fn weighted(self, weights: &[f64]) -> Rows {
        Rows { row_weights: Some(weights.to_vec()), ..self }
    }

    pub(crate) fn positive(self, class: u32) -> Rows {
        Rows { positive: Some(class), ..self }
    }

    pub(crate) fn observed(&self) -> Result<Observed<'_>, Error> {
        let row_weights = self.row_weights.as_deref();
        if self.n_classes == 0 {
            return Regressed::try_new(&self.targets, &self.predictions, row_weights)
                .map(Observed::Regressed);
        }
        Classified::try_new(ClassifiedParts {
            labels: &self.labels,
            predicted: &self.predicted,
            probabilities: Probabilities::F64(&self.probabilities),
            n_classes: self.n_classes,
            positive: self.positive,
            row_weights,
        })
        .map(Observed::Classified)
    }

    /// The rows, which are classes.
    pub(crate) fn classified(&self) -> Classified<'_> {
        match self.observed().unwrap() {
            Observed::Classified(rows) => rows,
            Observed::Regressed(_) => unreachable!("the rows are classes"),
        }
    }

    pub(crate) fn score(&self, name: &str) -> Result<f64, Error> {
        metric(name)?.score(&self.observed()?)
    }

    /// The rows at these indices, in this order; an index may come twice.
    fn at(&self, idx: &[usize]) -> Rows {
        fn pick<T: Copy>(values: &[T], idx: &[usize]) -> Vec<T> {
            if values.is_empty() { Vec::new() } else { idx.iter().map(|&row| values[row]).collect() }
        }
        let probabilities: Vec<&[f64]> = self.probabilities.chunks(self.n_classes.max(1)).collect();
        Rows {
            labels: pick(&self.labels, idx),
            predicted: pick(&self.predicted, idx),
            probabilities: pick(&probabilities, idx).concat(),
            targets: pick(&self.targets, idx),
            predictions: pick(&self.predictions, idx),
            row_weights: self.row_weights.as_ref().map(|weights| pick(weights, idx)),
            ..self.clone()
        }
    }

    fn n_rows(&self) -> usize {
        self.labels.len().max(self.targets.len())
    }
}

#[track_caller]
pub(crate) fn assert_close(name: &str, rows: &Rows, expected: f64) {
    let got = rows.score(name).unwrap();
    assert!((got - expected).abs() <= CLOSE * expected.abs(), "{name}: expected {expected}, got {got}");
}

/// A fixed set for the laws: binary with ties, three classes, numbers.
fn samples() -> [Rows; 3] {
    [
        Rows::binary(&[0, 1, 1, 0, 1, 0, 0, 1], &[0.1, 0.4, 0.4, 0.4, 0.9, 0.7, 0.2, 0.6]),
        Rows::classes(
            &[0, 1, 2, 2, 1, 0],
            &[
                0.5, 0.25, 0.25, 0.25, 0.25, 0.5, 0.125, 0.375, 0.5, 0.5, 0.25, 0.25, 0.0, 1.0, 0.0, 0.75,
                0.125, 0.125,
            ],
            3,
        ),
        Rows::numbers(&[1.0, -2.0, 3.5, 0.0, 7.0], &[1.5, -2.0, 3.0, 1.0, 4.0]),
    ]
}

/// Runs a check on every sample and each metric of its task.
fn for_each(mut check: impl FnMut(&MetricEntry, &Rows, f64)) {
    for rows in samples() {
        for (entry, score) in all_scores(&rows.observed().unwrap()) {
            check(entry, &rows, score.unwrap());
        }
    }
}

#[test]
fn every_metric_is_in_a_sample() {
    let mut seen = Vec::new();
    for_each(|entry, _, _| seen.push(entry.name));
    let missing: Vec<_> =
        METRICS.iter().map(|entry| entry.name).filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn weight_is_repetition() {
    for_each(|entry, rows, _| {
        let n_rows = rows.n_rows();
        let counts: Vec<usize> = (0..n_rows).map(|row| row % 4).collect();
        let repeated: Vec<usize> = (0..n_rows).flat_map(|row| vec![row; counts[row]]).collect();
        let weights: Vec<f64> = counts.iter().map(|&count| count as f64).collect();
        // Samples are chosen so that no class is left without rows by the weights of 0.
        assert_close(
            entry.name,
            &rows.clone().weighted(&weights),
            rows.at(&repeated).score(entry.name).unwrap(),
        );
    });
}

#[test]
fn weights_of_one_and_scaled_weights_change_nothing() {
    for_each(|entry, rows, score| {
        let ones = vec![1.0; rows.n_rows()];
        assert_eq!(rows.clone().weighted(&ones).score(entry.name).unwrap(), score, "{}", entry.name);
        assert_close(entry.name, &rows.clone().weighted(&vec![0.3; rows.n_rows()]), score);
    });
}

#[test]
fn row_order_does_not_matter() {
    for_each(|entry, rows, score| {
        let reversed: Vec<usize> = (0..rows.n_rows()).rev().collect();
        assert_close(entry.name, &rows.at(&reversed), score);
    });
}

#[test]
fn perfect_predictions_have_the_least_error() {
    for_each(|entry, rows, score| {
        let perfect = if rows.n_classes == 0 {
            Rows::numbers(&rows.targets, &rows.targets)
        } else {
            Rows::predicted(&rows.labels, &rows.labels, rows.n_classes)
        };
        let least = entry.error(perfect.score(entry.name).unwrap());
        // `log_loss` is clipped: -ln(1 - 2^-52), a little above 2^-52.
        assert!((0.0..2.0 * f64::EPSILON).contains(&least), "{}: {least}", entry.name);
        assert!(least < entry.error(score), "{}", entry.name);
    });
}

#[test]
fn f32_probabilities_give_what_their_f64_copy_gives() {
    for rows in samples().iter().filter(|rows| rows.n_classes > 0) {
        let narrow: Vec<f32> = rows.probabilities.iter().map(|&p| p as f32).collect();
        let wide = Rows { probabilities: narrow.iter().map(|&p| f64::from(p)).collect(), ..rows.clone() };
        let parts = ClassifiedParts {
            labels: &rows.labels,
            predicted: &rows.predicted,
            probabilities: Probabilities::F32(&narrow),
            n_classes: rows.n_classes,
            positive: None,
            row_weights: None,
        };
        let observed = Observed::Classified(Classified::try_new(parts).unwrap());
        for (entry, score) in all_scores(&observed) {
            assert_eq!(score, wide.score(entry.name), "{}", entry.name);
        }
    }
}

#[test]
fn one_row_has_a_value_or_a_named_reason() {
    let numbers = Rows::numbers(&[2.0], &[1.0]);
    for rows in [&numbers, &Rows::binary(&[1], &[0.25]), &Rows::classes(&[1], &[0.5, 0.25, 0.25], 3)] {
        for (entry, score) in all_scores(&rows.observed().unwrap()) {
            match score {
                Ok(score) => assert!(score.is_finite(), "{}", entry.name),
                Err(error) => assert!(matches!(error.kind(), Kind::Undefined { .. }), "{error}"),
            }
        }
    }
}

#[test]
fn one_class_is_a_binary_task() {
    let rows = Rows::classes(&[0, 0], &[1.0, 1.0], 1);
    assert_eq!(rows.observed().unwrap().task(), Task::Binary);
    for (name, expected) in [("accuracy", 1.0), ("f1", 1.0), ("brier", 0.0), ("average_precision", 1.0)] {
        assert_close(name, &rows, expected);
    }
    assert!(rows.score("roc_auc").is_err());
}

#[test]
fn a_metric_of_another_task_is_refused() {
    let error = Rows::binary(&[0, 1], &[0.1, 0.9]).score("rmse").unwrap_err();
    assert!(matches!(error.kind(), Kind::Unsupported { metric: "rmse", task: Task::Binary, .. }));
    let error = Rows::numbers(&[1.0], &[1.0]).score("accuracy").unwrap_err();
    assert_eq!(
        error.to_string(),
        "accuracy: not defined for a regression task; use one of rmse, mse, mae, medae, r2"
    );
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let good = Rows::binary(&[0, 1], &[0.25, 0.75]);
    let numbers = Rows::numbers(&[1.0, 2.0], &[1.0, 2.0]);
    let cases: Vec<(Rows, &str)> = vec![
        (good.at(&[]), "expected at least one row, got 0"),
        (Rows { predicted: vec![0], ..good.clone() }, "predicted labels: expected 2 values, got 1"),
        (Rows { probabilities: vec![1.0; 3], ..good.clone() }, "probabilities: expected 4 values, got 3"),
        (Rows { labels: vec![0, 2], ..good.clone() }, "labels: expected a class below 2, got 2 at row 1"),
        (
            Rows { predicted: vec![5, 0], ..good.clone() },
            "predicted labels: expected a class below 2, got 5 at row 0",
        ),
        (good.clone().positive(2), "positive class: expected a class below 2, got 2"),
        (Rows::binary(&[0, 1], &[0.25, 1.5]), "probabilities: expected 0 to 1, got -0.5 at row 1, class 0"),
        (
            Rows { probabilities: vec![0.0, f64::NAN, 0.0, 1.0], ..good.clone() },
            "probabilities: expected 0 to 1, got NaN at row 0, class 1",
        ),
        (
            Rows { probabilities: vec![0.0, 1.0, 1.0, 1.0], ..good.clone() },
            "probabilities: expected a sum of 1 (within 0.00490625), got 2 at row 1",
        ),
        (good.clone().weighted(&[1.0]), "row weights: expected 2 values, got 1"),
        (good.clone().weighted(&[1.0, -1.0]), "row weights: expected 0 or more, got -1 at row 1"),
        (
            good.clone().weighted(&[f64::INFINITY, 1.0]),
            "row weights: expected a finite number, got inf at row 0",
        ),
        (good.clone().weighted(&[0.0, 0.0]), "row weights: expected a finite sum above 0, got 0"),
        (good.clone().weighted(&[1e308, 1e308]), "row weights: expected a finite sum above 0, got inf"),
        (Rows { predictions: vec![1.0], ..numbers.clone() }, "predictions: expected 2 values, got 1"),
        (
            Rows { targets: vec![1.0, f64::NAN], ..numbers.clone() },
            "targets: expected a finite number, got NaN at row 1",
        ),
        (
            Rows { predictions: vec![f64::NEG_INFINITY, 1.0], ..numbers },
            "predictions: expected a finite number, got -inf at row 0",
        ),
    ];
    for (rows, expected) in cases {
        assert_eq!(rows.observed().unwrap_err().to_string(), format!("metrics: {expected}"));
    }
}

#[test]
fn zero_classes_are_refused() {
    let parts = ClassifiedParts {
        labels: &[0],
        predicted: &[0],
        probabilities: Probabilities::F64(&[]),
        n_classes: 0,
        positive: None,
        row_weights: None,
    };
    assert_eq!(Classified::try_new(parts).unwrap_err().kind(), &Kind::NoClasses);
    let parts = ClassifiedParts { n_classes: usize::MAX, labels: &[0, 0], predicted: &[0, 0], ..parts };
    assert!(matches!(Classified::try_new(parts).unwrap_err().kind(), Kind::TooLarge { n_rows: 2, .. }));
    let parts = ClassifiedParts { labels: &[0], ..parts };
    let length = Kind::Length { field: Field::PredictedLabels, expected: 1, got: 2 };
    assert_eq!(Classified::try_new(parts).unwrap_err().kind(), &length);
}
