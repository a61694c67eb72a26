//! Log loss: how surprised the probabilities are by the labels. Training reports use it as the loss of classes.

use crate::entry::{Compute, MetricEntry, Task};
use crate::observed::Classified;

/// See [`log_loss`].
pub(crate) static ENTRY: MetricEntry = MetricEntry {
    name: "log_loss",
    doc: "mean of minus the natural logarithm of the true class's probability",
    tasks: Task::CLASSES,
    greater_is_better: false,
    compute: Compute::Classified(|rows| Ok(log_loss(rows))),
};

/// Mean log loss.
/// `-sum_i w_i ln(clip(p_i, eps, 1 - eps)) / sum_i w_i`, `p_i` the probability of the true class of row i,
/// `eps = 2^-52`: the step of f64, also for f32 probabilities. From about 0 to 36.04.
/// Probabilities are not divided by their sum, as scikit-learn 1.9 does not.
/// # Source
/// scikit-learn `log_loss`; deviation: f32 is widened first, where scikit-learn clips it at 2^-23.
pub fn log_loss(rows: &Classified<'_>) -> f64 {
    rows.weights().mean(|row| {
        let p = rows.probability(row, rows.labels()[row] as usize);
        -p.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
    })
}

#[cfg(test)]
mod tests {
    use std::f64::consts::LN_2;

    use crate::laws::{Rows, assert_close};

    #[test]
    fn hand_computed() {
        // The true classes have 1/2, 1/4 and 1/8: (1 + 2 + 3) ln 2 / 3.
        let rows = Rows::binary(&[1, 0, 1], &[0.5, 0.75, 0.125]);
        assert_close("log_loss", &rows, 2.0 * LN_2);
        // Weights 3 0 1: (3 * 1 + 3) / 4.
        assert_close("log_loss", &rows.weighted(&[3.0, 0.0, 1.0]), 1.5 * LN_2);
        let rows = Rows::classes(&[2, 0], &[0.25, 0.25, 0.5, 0.25, 0.5, 0.25], 3);
        assert_close("log_loss", &rows, 1.5 * LN_2);
    }

    #[test]
    fn certainty_is_clipped() {
        // ln 2^-52 = -52 ln 2 when wrong.
        assert_close("log_loss", &Rows::binary(&[1], &[0.0]), 52.0 * LN_2);
        // ln(1 - 2^-52) = -2^-52 when right, to first order.
        assert_close("log_loss", &Rows::binary(&[1], &[1.0]), f64::EPSILON);
    }
}
