//! Absolute errors: mean and median. The median ignores outliers.

use crate::entry::{Compute, MetricEntry, Task};
use crate::error::Error;
use crate::observed::Regressed;

/// See [`mae`].
pub(crate) static MAE: MetricEntry = MetricEntry {
    name: "mae",
    doc: "mean absolute error, in the target's unit",
    tasks: &[Task::Regression],
    greater_is_better: false,
    compute: Compute::Regressed(mae),
};

/// See [`medae`].
pub(crate) static MEDAE: MetricEntry = MetricEntry {
    name: "medae",
    doc: "median absolute error, in the target's unit",
    tasks: &[Task::Regression],
    greater_is_better: false,
    compute: Compute::Regressed(medae),
};

/// Mean absolute error: `sum_i w_i |y_i - f_i| / sum_i w_i`.
/// # Errors
/// None.
/// # Source
/// scikit-learn `mean_absolute_error`.
fn mae(rows: &Regressed<'_>) -> Result<f64, Error> {
    Ok(rows.weights().mean(|row| rows.residual(row).abs()))
}

/// Median absolute error: the smallest error at which the weight of all errors up to it reaches half of the total;
/// if it is exactly half (within 2^-52), the mean of that error and the next one. Without weights this is the
/// usual median. O(n log n).
/// # Errors
/// None.
/// # Source
/// Hyndman & Fan, The American Statistician 50, 1996, definition 2; scikit-learn 1.9 `median_absolute_error`.
fn medae(rows: &Regressed<'_>) -> Result<f64, Error> {
    let mut errors: Vec<(f64, f64)> =
        rows.weights().iter().map(|(row, weight)| (rows.residual(row).abs(), weight)).collect();
    errors.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Summed in sorted order, so that the last sum is exactly the total.
    let half = 0.5 * errors.iter().map(|(_, weight)| weight).sum::<f64>();
    let mut below = 0.0;
    let mut at = 0;
    for (idx, (_, weight)) in errors.iter().enumerate() {
        below += weight;
        at = idx;
        if below >= half {
            break;
        }
    }
    let error = errors[at].0;
    let next = errors.get(at + 1).map_or(error, |next| next.0);
    Ok(if below - half > f64::EPSILON { error } else { (error + next) / 2.0 })
}

#[cfg(test)]
mod tests {
    use crate::laws::{Rows, assert_close};

    #[test]
    fn hand_computed() {
        // Absolute errors 0 1 2 9: mean 3, median 1.5.
        let rows = Rows::numbers(&[1.0, 2.0, 3.0, 0.0], &[1.0, 1.0, 5.0, 9.0]);
        assert_close("mae", &rows, 3.0);
        assert_close("medae", &rows, 1.5);
        // Weights 1 2 0 5: (2 + 45) / 8; half of the weight, 4, is reached at 9.
        let weighted = rows.clone().weighted(&[1.0, 2.0, 0.0, 5.0]);
        assert_close("mae", &weighted, 47.0 / 8.0);
        assert_close("medae", &weighted, 9.0);
        // Weights 1 2 0 3: exactly half at 1, and the row of weight 0 is not the next one: (1 + 9) / 2.
        assert_close("medae", &rows.weighted(&[1.0, 2.0, 0.0, 3.0]), 5.0);
    }

    #[test]
    fn median_of_odd_even_and_tied() {
        for (errors, expected) in
            [(&[3.0][..], 3.0), (&[5.0, 1.0], 3.0), (&[9.0, 1.0, 2.0], 2.0), (&[2.0, 2.0, 2.0, 7.0], 2.0)]
        {
            assert_close("medae", &Rows::numbers(errors, &vec![0.0; errors.len()]), expected);
        }
    }
}
