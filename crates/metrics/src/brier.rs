//! Brier score: the squared distance of the probabilities from the labels.

use crate::entry::{Compute, MetricEntry, Task};
use crate::error::Error;
use crate::observed::Classified;

/// See [`brier`].
pub(crate) static ENTRY: MetricEntry = MetricEntry {
    name: "brier",
    doc: "mean squared distance of the probabilities from the labels",
    tasks: Task::CLASSES,
    greater_is_better: false,
    compute: Compute::Classified(brier),
};

/// Brier score.
/// Binary: the mean of `(p_pos - y)^2`, y in {0, 1}, in 0..=1.
/// Multiclass: the mean of `sum_k (p_k - y_k)^2`, y one-hot, in 0..=2.
/// # Errors
/// None.
/// # Source
/// Brier, Monthly Weather Review 78, 1950; scikit-learn `brier_score_loss(scale_by_half="auto")`.
fn brier(rows: &Classified<'_>) -> Result<f64, Error> {
    let distance = |row: usize, class: usize| {
        let y = f64::from(u8::from(rows.labels()[row] as usize == class));
        let d = rows.probability(row, class) - y;
        d * d
    };
    Ok(match rows.task() {
        Task::Binary => rows.weights().mean(|row| distance(row, rows.positive() as usize)),
        Task::Multiclass | Task::Regression => {
            rows.weights().mean(|row| (0..rows.n_classes()).map(|class| distance(row, class)).sum())
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::laws::{Rows, assert_close};

    #[test]
    fn hand_computed() {
        // 1/4, 9/16 and 49/64: (16 + 36 + 49) / 64 / 3.
        let rows = Rows::binary(&[1, 0, 1], &[0.5, 0.75, 0.125]);
        assert_close("brier", &rows, 101.0 / 192.0);
        assert_close("brier", &rows.clone().positive(0), 101.0 / 192.0);
        // Weights 3 0 1: (48 + 49) / 64 / 4.
        assert_close("brier", &rows.weighted(&[3.0, 0.0, 1.0]), 97.0 / 256.0);
        // (1 + 1 + 4) / 16 and (9 + 4 + 1) / 16.
        let rows = Rows::classes(&[2, 0], &[0.25, 0.25, 0.5, 0.25, 0.5, 0.25], 3);
        assert_close("brier", &rows, 20.0 / 32.0);
    }

    #[test]
    fn best_and_worst() {
        assert_close("brier", &Rows::binary(&[1], &[1.0]), 0.0);
        assert_close("brier", &Rows::binary(&[1], &[0.0]), 1.0);
        assert_close("brier", &Rows::classes(&[0], &[0.0, 1.0, 0.0], 3), 2.0);
    }
}
