//! Averages, curves and quantile losses against the values that scikit-learn gives them.
//!
//! The rows are those of `testdata/sklearn.txt`; `testdata/curves.txt` holds the values, written by
//! `testdata/curves.py`.

#![expect(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/cases.rs"]
mod cases;

use cases::Case;
use smidgen_metrics::{Average, Bins, Classified, Curves, Observed, Regressed, averages, pinball_loss};

/// Bound on values of about 1 or the case's loss: sums of at most 250 terms in f64 in another order.
const BOUND: f64 = 1e-12;

struct Checked<'a> {
    expected: &'a Case,
    wrong: Vec<String>,
}

impl Checked<'_> {
    fn equal(&mut self, name: &str, got: &[f64]) {
        let expected = self.expected.floats(name);
        let near = |(got, expected): (&f64, &f64)| {
            got == expected || (got - expected).abs() <= BOUND * expected.abs().max(1.0)
        };
        if expected.len() != got.len() || !got.iter().zip(expected).all(near) {
            self.wrong.push(format!("{}: {name}: expected {expected:?}, got {got:?}", self.expected.name));
        }
    }

    fn classes(&mut self, rows: &Classified<'_>) {
        let of = averages(rows);
        for (name, Average { precision, recall, f1 }) in
            [("macro", of.macro_average), ("micro", of.micro_average), ("weighted", of.weighted_average)]
        {
            self.equal(name, &[precision, recall, f1]);
        }
        let curves = Curves::try_new(rows, None).unwrap();
        let roc = curves.roc(usize::MAX).unwrap();
        self.equal("fpr", &roc.iter().map(|p| p.false_positive_rate).collect::<Vec<_>>());
        self.equal("tpr", &roc.iter().map(|p| p.true_positive_rate).collect::<Vec<_>>());
        self.equal("roc_thresholds", &roc.iter().map(|p| p.threshold).collect::<Vec<_>>());
        self.equal("ks", &[curves.kolmogorov_smirnov().unwrap().distance]);
        let points = curves.precision_recall(usize::MAX).unwrap();
        self.equal("precision", &points.iter().map(|p| p.precision).collect::<Vec<_>>());
        self.equal("recall", &points.iter().map(|p| p.recall).collect::<Vec<_>>());
        self.equal("pr_thresholds", &points.iter().map(|p| p.threshold).collect::<Vec<_>>());
        for row in curves.at_thresholds(&[0.2, 0.5, 0.625]) {
            let got = [row.precision, row.recall, row.f1, row.balanced_accuracy, row.share_positive];
            self.equal(&format!("at_{}", row.threshold), &got);
        }
        for n in [5, 8].into_iter().filter(|_| rows.row_weights().is_none()) {
            let bins = curves.reliability(Bins::EqualWidth(n));
            let mean = bins.iter().map(|bin| bin.mean_probability);
            let got: Vec<f64> = mean.chain(bins.iter().map(|bin| bin.observed)).collect();
            self.equal(&format!("reliability_{n}"), &got);
        }
    }

    fn numbers(&mut self, rows: &Regressed<'_>) {
        for level in [0.1, 0.5, 0.9] {
            self.equal(&format!("pinball_{level}"), &[pinball_loss(rows, level).unwrap()]);
        }
    }
}

#[test]
fn figures_equal_those_of_scikit_learn() {
    let cases = cases::read(include_str!("../testdata/sklearn.txt"));
    let expected = cases::read(include_str!("../testdata/curves.txt"));
    assert_eq!((cases.len(), expected.len()), (24, 24));
    let mut wrong = Vec::new();
    for (case, expected) in cases.iter().zip(&expected) {
        assert_eq!(case.name, expected.name);
        let mut checked = Checked { expected, wrong: Vec::new() };
        match case.observed() {
            Observed::Classified(rows) => checked.classes(&rows),
            Observed::Regressed(rows) => checked.numbers(&rows),
        }
        wrong.extend(checked.wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
