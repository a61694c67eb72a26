//! Fixed random cases against the values that scikit-learn gives them.
//!
//! `testdata/sklearn.txt` holds inputs and expected values, written by `testdata/sklearn.py`: ties, tuned
//! thresholds, integer weights with zeros, real weights, probabilities of exactly 0 and 1.

#![expect(clippy::unwrap_used, reason = "tests may unwrap")]

use std::collections::BTreeMap;

use smidgen_metrics::{
    Classified, ClassifiedParts, METRICS, Observed, Probabilities, Regressed, Task, metric,
};

/// Relative bound. Both sides sum at most 250 terms in f64, in different orders: 250 * 2^-53 is 3e-14; `r2`
/// subtracts two numbers of about 1, and logarithms may differ by an ULP.
const BOUND: f64 = 1e-12;

#[derive(Default)]
struct Case {
    name: String,
    n_classes: usize,
    positive: u32,
    labels: Vec<u32>,
    predicted: Vec<u32>,
    floats: BTreeMap<String, Vec<f64>>,
    expected: Vec<(String, f64)>,
}

impl Case {
    fn floats(&self, name: &str) -> &[f64] {
        self.floats.get(name).map_or(&[], Vec::as_slice)
    }

    fn observed(&self) -> Observed<'_> {
        let row_weights = self.floats.get("weights").map(Vec::as_slice);
        if self.n_classes == 0 {
            let rows = Regressed::try_new(self.floats("targets"), self.floats("predictions"), row_weights);
            return Observed::Regressed(rows.unwrap());
        }
        let parts = ClassifiedParts {
            labels: &self.labels,
            predicted: &self.predicted,
            probabilities: Probabilities::F64(self.floats("probabilities")),
            n_classes: self.n_classes,
            positive: Some(self.positive),
            row_weights,
        };
        Observed::Classified(Classified::try_new(parts).unwrap())
    }
}

fn classes(values: &str) -> Vec<u32> {
    values.split(' ').map(|value| value.parse().unwrap()).collect()
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in include_str!("../testdata/sklearn.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, rest) = line.split_once(' ').unwrap();
        if key == "case" {
            cases.push(Case { name: rest.to_owned(), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().unwrap();
        match key {
            "n_classes" => case.n_classes = rest.parse().unwrap(),
            "positive" => case.positive = rest.parse().unwrap(),
            "labels" => case.labels = classes(rest),
            "predicted" => case.predicted = classes(rest),
            "expect" => {
                let (name, value) = rest.split_once(' ').unwrap();
                case.expected.push((name.to_owned(), value.parse().unwrap()));
            }
            _ => {
                let values = rest.split(' ').map(|value| value.parse().unwrap()).collect();
                case.floats.insert(key.to_owned(), values);
            }
        }
    }
    cases
}

#[test]
fn scores_equal_those_of_scikit_learn() {
    let cases = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let observed = case.observed();
        for (name, expected) in &case.expected {
            let got = metric(name).unwrap().score(&observed).unwrap();
            if (got - expected).abs() > BOUND * expected.abs() {
                wrong.push(format!("{}: {name}: expected {expected}, got {got}", case.name));
            }
        }
    }
    assert_eq!(cases.len(), 24);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_metric_of_every_task_is_compared() {
    let cases = cases();
    for &task in Task::ALL {
        for case in cases.iter().filter(|case| case.observed().task() == task) {
            let mut names: Vec<_> = case.expected.iter().map(|(name, _)| name.as_str()).collect();
            let mut known: Vec<_> =
                METRICS.iter().filter(|entry| entry.applies_to(task)).map(|entry| entry.name).collect();
            names.sort_unstable();
            known.sort_unstable();
            assert_eq!(names, known, "{}", case.name);
        }
    }
}
