//! `platt`: a line on log odds.
//!
//! The sigmoid that support vector machines use for their decisions, on the scores of any learner.

use super::calibrator::{Calibrator, CalibratorEntry, ScoredRows};
use ir::Task;
use learn::fit_sigmoid;
use params::Params;
use recipe::Curve;

/// The line of the table.
pub(super) static ENTRY: CalibratorEntry = CalibratorEntry {
    name: "platt",
    doc: "a line on log odds: scale and offset",
    tasks: &[Task::Binary],
    spec: &[],
    calibrator: &Platt,
};

struct Platt;

impl Calibrator for Platt {
    /// Log odds `a s + b` that minimise the log loss to smoothed labels, `(n_1 + 1) / (n_1 + 2)` and `1 / (n_0 + 2)`,
    /// `n` sums of weights: finite where a threshold separates the classes. Constant scores give the share of the
    /// classes. A falling line becomes the constant. O(n_rows) a Newton step.
    /// # Source  Platt, Probabilistic outputs for support vector machines, 1999; the solver: Lin, Lin & Weng, Machine
    /// Learning 68, 2007. Deviation: `a >= 0`.
    fn fit(&self, rows: &ScoredRows, _: &Params) -> Vec<Curve> {
        let labels: Vec<bool> = rows.labels().iter().map(|&y| y == 1).collect();
        // The sigmoid falls with its numbers: log odds are -(a s + b).
        let (mut a, mut b) = fit_sigmoid(rows.scores(), &labels, Some(rows.row_weights()));
        if a > 0.0 {
            (a, b) = fit_sigmoid(&vec![0.0; labels.len()], &labels, Some(rows.row_weights()));
            a = a.min(0.0);
        }
        vec![Curve::Line { scale: -a, offset: -b }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::laws::{binary, fit};

    #[test]
    fn a_known_line_is_found() {
        // At each score as much weight of both labels as the line says.
        let (mut scores, mut labels, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for k in -40..=40 {
            let s = f64::from(k) / 10.0;
            let p = 1.0 / (1.0 + (-(0.5 * s - 0.7)).exp());
            for (label, weight) in [(1, p), (0, 1.0 - p)] {
                scores.push(s);
                labels.push(label);
                weights.push(1e5 * weight);
            }
        }
        let curves = fit(&ENTRY, &ScoredRows::try_new(scores, 1, labels, weights).unwrap());
        let [Curve::Line { scale, offset }] = curves[..] else { panic!("{curves:?}") };
        assert!((scale - 0.5).abs() < 1e-3 && (offset + 0.7).abs() < 1e-3, "{scale} {offset}");
    }

    #[test]
    fn a_falling_line_becomes_the_share() {
        let curves =
            fit(&ENTRY, &binary(&[3.0, 2.0, 1.0, -1.0, -2.0, -3.0, 0.5, 0.2], &[0, 0, 0, 1, 1, 1, 1, 1]));
        let [Curve::Line { scale, offset }] = curves[..] else { panic!("{curves:?}") };
        // Smoothed labels: 5 of 6/7 and 3 of 1/5, over 8.
        let share: f64 = (5.0 * 6.0 / 7.0 + 3.0 / 5.0) / 8.0;
        assert!(scale == 0.0 && (offset - (share / (1.0 - share)).ln()).abs() < 1e-4, "{scale} {offset}");
    }
}
