//! Fixed random cases against the values that scikit-learn gives them.
//!
//! `testdata/sklearn.txt` holds inputs and expected values, written by `testdata/sklearn.py`: ties, tuned
//! thresholds, integer weights with zeros, real weights, probabilities of exactly 0 and 1.

#![expect(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/cases.rs"]
mod cases;

use cases::Case;
use smidgen_metrics::{METRICS, Task, metric};

/// Relative bound. Both sides sum at most 250 terms in f64, in different orders: 250 * 2^-53 is 3e-14; `r2`
/// subtracts two numbers of about 1, and logarithms may differ by an ULP.
const BOUND: f64 = 1e-12;

fn cases() -> Vec<Case> {
    cases::read(include_str!("../testdata/sklearn.txt"))
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
