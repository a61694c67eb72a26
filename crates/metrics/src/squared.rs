//! Squared errors: mean, its root, and the share of the variance explained. Training reports use the mean.

use crate::entry::{Compute, MetricEntry, Task};
use crate::error::{Error, Kind, Why};
use crate::observed::Regressed;

/// See [`rmse`].
pub(crate) static RMSE: MetricEntry = MetricEntry {
    name: "rmse",
    doc: "root of the mean squared error, in the target's unit",
    tasks: &[Task::Regression],
    greater_is_better: false,
    compute: Compute::Regressed(rmse),
};

/// See [`mse`].
pub(crate) static MSE: MetricEntry = MetricEntry {
    name: "mse",
    doc: "mean squared error",
    tasks: &[Task::Regression],
    greater_is_better: false,
    compute: Compute::Regressed(|rows| Ok(mse(rows))),
};

/// See [`r2`].
pub(crate) static R2: MetricEntry = MetricEntry {
    name: "r2",
    doc: "coefficient of determination: 1 minus the squared error over the target's variance",
    tasks: &[Task::Regression],
    greater_is_better: true,
    compute: Compute::Regressed(r2),
};

/// Mean squared error: `sum_i w_i (y_i - f_i)^2 / sum_i w_i`, in the square of the target's unit.
/// Infinite if a square is beyond f64; [`crate::MetricEntry::score`] turns that into an error.
/// # Source
/// scikit-learn `mean_squared_error`.
pub fn mse(rows: &Regressed<'_>) -> f64 {
    rows.weights().mean(|row| {
        let d = rows.residual(row);
        d * d
    })
}

/// Root of the mean squared error, in the target's unit.
/// # Errors
/// None.
/// # Source
/// scikit-learn `root_mean_squared_error`.
fn rmse(rows: &Regressed<'_>) -> Result<f64, Error> {
    Ok(mse(rows).sqrt())
}

/// Coefficient of determination: `1 - sum_i w_i (y_i - f_i)^2 / sum_i w_i (y_i - mean)^2`, at most 1;
/// 0 is the constant mean, below 0 is worse than that.
/// # Errors
/// `Undefined` if the target is constant, so also for a single row; scikit-learn gives 0, 1 or NaN there.
/// # Source
/// scikit-learn `r2_score`.
fn r2(rows: &Regressed<'_>) -> Result<f64, Error> {
    let undefined = |why| Err(Error::new(Kind::Undefined { metric: R2.name, why }));
    let weights = rows.weights();
    let targets = rows.targets();
    // The spread is not asked whether it is 0: for a constant 0.1 it can be a rounding error.
    let mut present = weights.iter().map(|(row, _)| targets[row]);
    if let Some(value) = present.next()
        && present.all(|target| target == value)
    {
        return undefined(Why::ConstantTarget { value });
    }
    let mean = weights.mean(|row| targets[row]);
    let spread = weights.mean(|row| {
        let d = targets[row] - mean;
        d * d
    });
    if spread == 0.0 {
        return undefined(Why::Underflow);
    }
    if !spread.is_finite() {
        return undefined(Why::Overflow);
    }
    Ok(1.0 - mse(rows) / spread)
}

#[cfg(test)]
mod tests {
    use crate::laws::{Rows, assert_close};

    #[test]
    fn hand_computed() {
        // Residuals 0 1 -2 0: 5 / 4. Targets 1 2 3 6, mean 3, squares 4 + 1 + 0 + 9 = 14.
        let rows = Rows::numbers(&[1.0, 2.0, 3.0, 6.0], &[1.0, 1.0, 5.0, 6.0]);
        assert_close("mse", &rows, 1.25);
        assert_close("rmse", &rows, 1.25_f64.sqrt());
        assert_close("r2", &rows, 1.0 - 5.0 / 14.0);
        // Weights 1 2 0 1: 2 / 4. Mean 11 / 4, squares (49 + 2 * 9 + 169) / 16 = 59 / 4.
        let weighted = rows.weighted(&[1.0, 2.0, 0.0, 1.0]);
        assert_close("mse", &weighted, 0.5);
        assert_close("r2", &weighted, 1.0 - 2.0 / (59.0 / 4.0));
    }

    #[test]
    fn the_mean_has_r2_0_and_worse_is_negative() {
        assert_close("r2", &Rows::numbers(&[1.0, 3.0], &[2.0, 2.0]), 0.0);
        assert_close("r2", &Rows::numbers(&[1.0, 3.0], &[3.0, 1.0]), -3.0);
        assert_close("r2", &Rows::numbers(&[1.0, 3.0], &[1.0, 3.0]), 1.0);
        assert_close("mse", &Rows::numbers(&[4.0], &[1.0]), 9.0);
    }

    #[test]
    fn values_that_do_not_exist_are_errors() {
        for (metric, targets, predictions, why) in [
            ("r2", [0.1, 0.1, 0.1], [0.1, 0.2, 0.3], "the target is 0.1 in all rows"),
            ("r2", [0.0, 1e-200, 0.0], [0.0; 3], "the targets differ by less than f64 can square"),
            ("r2", [0.0, 1e300, -1e300], [0.0; 3], "its value is beyond f64"),
            ("mse", [0.0, 1e300, 0.0], [0.0; 3], "its value is beyond f64"),
            ("rmse", [1.7e308, 0.0, 0.0], [-1.7e308, 0.0, 0.0], "its value is beyond f64"),
        ] {
            let error = Rows::numbers(&targets, &predictions).score(metric).unwrap_err();
            assert_eq!(error.to_string(), format!("{metric}: undefined on these rows: {why}"));
        }
        assert!(Rows::numbers(&[1.0], &[1.0]).score("r2").is_err());
    }
}
