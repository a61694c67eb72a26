//! `temperature`: all scores divided by one number.
//!
//! It moves no class before another, so labels stay as they are.

use super::calibrator::{Calibrator, CalibratorEntry, ScoredRows};
use ir::Task;
use ir::fixed::math;
use params::Params;
use recipe::Curve;

/// The line of the table.
pub(super) static ENTRY: CalibratorEntry = CalibratorEntry {
    name: "temperature",
    doc: "all scores divided by one number",
    tasks: &[Task::Binary, Task::Multiclass],
    spec: &[],
    calibrator: &Temperature,
};

/// Temperatures stay within `1 / MOST..=MOST`: separable rows ask for 0, rows that say nothing for infinity.
const MOST: f64 = 64.0;
const MAX_STEPS: usize = 60;

struct Temperature;

impl Calibrator for Temperature {
    /// `s / T` with the `T` in `1/64..=64` of the least log loss; where all do the same, as for constant scores of two
    /// equal classes, 1. O(n_rows n_classes) a Newton step.
    /// # Source  Guo, Pleiss, Sun & Weinberger, On calibration of modern neural networks, ICML 2017, section 4.2.
    /// Deviation: the range.
    fn fit(&self, rows: &ScoredRows, _: &Params) -> Vec<Curve> {
        let scale = inverse_temperature(rows);
        vec![Curve::Line { scale, offset: 0.0 }; rows.n_outputs()]
    }
}

/// `1 / T`. The loss is convex in it, so its slope rises: Newton steps, halving where they leave the bracket.
pub(super) fn inverse_temperature(rows: &ScoredRows) -> f64 {
    let (mut low, mut high, mut at) = (1.0 / MOST, MOST, 1.0);
    // Beyond an end, Newton steps of a fixed length would only creep there.
    match slopes(rows, at).0 {
        slope if slope < 0.0 && slopes(rows, high).0 <= 0.0 => return high,
        slope if slope > 0.0 && slopes(rows, low).0 >= 0.0 => return low,
        _ => {}
    }
    for _ in 0..MAX_STEPS {
        let (slope, curvature) = slopes(rows, at);
        if slope == 0.0 {
            break;
        }
        *(if slope > 0.0 { &mut high } else { &mut low }) = at;
        let newton = at - slope / curvature;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        let is_near = (next - at).abs() <= 1e-10 * at;
        at = next;
        if is_near {
            break;
        }
    }
    at
}

/// First and second derivative of the log loss by `1 / T`.
fn slopes(rows: &ScoredRows, scale: f64) -> (f64, f64) {
    let (mut slope, mut curvature) = (0.0, 0.0);
    let each = rows.scores().chunks_exact(rows.n_outputs()).zip(rows.labels()).zip(rows.row_weights());
    for ((scores, &label), weight) in each {
        if let &[s] = scores {
            let p = math::sigmoid(scale * s);
            slope += weight * s * (p - f64::from(label));
            curvature += weight * s * s * p * (1.0 - p);
            continue;
        }
        let largest = scores.iter().fold(f64::NEG_INFINITY, |m, s| m.max(*s));
        let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
        for s in scores.iter().map(|s| s - largest) {
            let e = math::exp(scale * s);
            sum += e;
            first += e * s;
            second += e * s * s;
        }
        let (first, second) = (first / sum, second / sum);
        slope += weight * (first - (scores[label as usize] - largest));
        curvature += weight * (second - first * first);
    }
    (slope, curvature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::laws::binary;

    #[test]
    fn known_temperatures_are_found() {
        // Half the weight is right with 3/4: log odds ln 3, said as 2 ln 3.
        let s = 2.0 * 3.0f64.ln();
        let rows = binary(&[s, s, s, s, -s, -s, -s, -s], &[1, 1, 1, 0, 0, 0, 0, 1]);
        assert!((inverse_temperature(&rows) - 0.5).abs() < 1e-9);
        let scores = [[s, 0.0, 0.0]; 5].concat();
        let rows = ScoredRows::try_new(scores, 3, vec![0, 0, 0, 1, 2], vec![1.0; 5]).unwrap();
        // The share of class 0 is 3/5: e^x / (e^x + 2), so x = ln 3.
        assert!((inverse_temperature(&rows) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn the_range_is_kept() {
        // Separable, and turned round.
        assert_eq!(inverse_temperature(&binary(&[-1.0, 1.0], &[0, 1])), MOST);
        assert_eq!(inverse_temperature(&binary(&[-1.0, 1.0], &[1, 0])), 1.0 / MOST);
        assert_eq!(inverse_temperature(&binary(&[0.0, 0.0], &[1, 0])), 1.0);
    }
}
