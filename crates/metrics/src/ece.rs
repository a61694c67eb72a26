//! Expected calibration error: is a class that is said with 80 % right in 80 of 100 rows?

use crate::entry::{Compute, MetricEntry, Task};
use crate::error::Error;
use crate::observed::Classified;

/// Bins of equal width: the paper's number.
const N_BINS: u8 = 15;

/// See [`ece`].
pub(crate) static ENTRY: MetricEntry = MetricEntry {
    name: "ece",
    doc: "expected calibration error: mean gap between confidence and accuracy, 15 equal-width bins",
    tasks: Task::CLASSES,
    greater_is_better: false,
    compute: Compute::Classified(ece),
};

/// Expected calibration error of the top class.
/// `sum_b |hits_b - confidence_b| / sum_i w_i`: per bin b, the weight of the rows whose top class is the label and
/// the sum of weight times confidence. Confidence is the largest probability of the row; its class is the first of
/// the largest, whatever label a tuned threshold predicts. Bin b of 15 holds confidences in (b/15, (b+1)/15], the
/// first also 0. In 0..=1; empty bins add nothing.
/// # Errors
/// None.
/// # Source
/// Guo, Pleiss, Sun & Weinberger, ICML 2017, section 2, with M = 15. scikit-learn has none.
fn ece(rows: &Classified<'_>) -> Result<f64, Error> {
    // Per bin: weight of right rows minus weighted confidence.
    let mut gaps = [0.0_f64; N_BINS as usize];
    for (row, weight) in rows.weights().iter() {
        let mut top = 0;
        for class in 1..rows.n_classes() {
            if rows.probability(row, class) > rows.probability(row, top) {
                top = class;
            }
        }
        let confidence = rows.probability(row, top);
        let right = f64::from(u8::from(rows.labels()[row] as usize == top));
        gaps[bin(confidence)] += weight * (right - confidence);
    }
    Ok(gaps.iter().map(|gap| gap.abs()).sum::<f64>() / rows.weights().total())
}

/// The number of inner edges below the confidence. Edges are quotients in f64, not multiples of a rounded width.
fn bin(confidence: f64) -> usize {
    (1..N_BINS).filter(|&edge| confidence > f64::from(edge) / f64::from(N_BINS)).count()
}

#[cfg(test)]
mod tests {
    use super::bin;
    use crate::laws::{Rows, assert_close};

    #[test]
    fn hand_computed() {
        // Confidences .75 right, .75 wrong (one bin: |1 - 1.5|), 1 right (|1 - 1|), .5 right: |1 - .5|; over 4.
        let rows = Rows::binary(&[1, 0, 1, 0], &[0.75, 0.75, 1.0, 0.5]);
        assert_close("ece", &rows, (0.5 + 0.0 + 0.5) / 4.0);
        // Weights 3 1 1 0: |3 - 3| + 0, over 5.
        assert_close("ece", &rows.weighted(&[3.0, 1.0, 1.0, 0.0]), 0.0);
        // A tie of the largest goes to the first class: right with .5.
        assert_close("ece", &Rows::classes(&[0], &[0.5, 0.5, 0.0], 3), 0.5);
        assert_close("ece", &Rows::classes(&[1], &[0.5, 0.5, 0.0], 3), 0.5);
    }

    #[test]
    fn best_and_worst() {
        assert_close("ece", &Rows::binary(&[1, 0], &[1.0, 0.0]), 0.0);
        assert_close("ece", &Rows::binary(&[1, 0], &[0.0, 1.0]), 1.0);
    }

    #[test]
    fn bins_are_closed_on_the_right() {
        for edge in 1..=15_u8 {
            let at = f64::from(edge) / 15.0;
            assert_eq!(bin(at), usize::from(edge) - 1, "at {at}");
            assert_eq!(bin(at.next_up()), usize::from(edge).min(14), "above {at}");
        }
        assert_eq!(bin(0.0), 0);
    }
}
