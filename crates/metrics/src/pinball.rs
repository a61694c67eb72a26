//! The loss of a predicted quantile: is the 0.9 quantile above the target in 90 of 100 rows, and no higher than that?
//!
//! Apart from the family, because it needs the level of the quantile.

use crate::error::{Error, Kind, Why};
use crate::observed::Regressed;

/// Quantile loss (pinball loss) at a level.
/// `sum_i w_i max(q (y_i - f_i), (q - 1) (y_i - f_i)) / sum_i w_i`, in the target's unit, at least 0.
/// `level`: the quantile `q` that the predictions stand for, in 0..=1; at 0.5 it is half the mean absolute error. O(n).
/// # Errors
/// `LevelRange`; `Undefined` if the value is beyond f64.
/// # Source
/// Koenker & Bassett, Econometrica 46, 1978; scikit-learn `mean_pinball_loss`.
pub fn pinball_loss(rows: &Regressed<'_>, level: f64) -> Result<f64, Error> {
    if !(0.0..=1.0).contains(&level) {
        return Err(Error::new(Kind::LevelRange { got: level }));
    }
    let loss = rows.weights().mean(|row| {
        let residual = rows.residual(row);
        if residual >= 0.0 { level * residual } else { (level - 1.0) * residual }
    });
    if loss.is_finite() {
        Ok(loss)
    } else {
        Err(Error::new(Kind::Undefined { metric: "pinball_loss", why: Why::Overflow }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_computed() {
        // Residuals 2, -1, 0: 0.9 * 2 + 0.1 * 1 + 0, over 3.
        let (targets, predictions) = ([3.0, 1.0, 5.0], [1.0, 2.0, 5.0]);
        let rows = Regressed::try_new(&targets, &predictions, None).unwrap();
        assert!((pinball_loss(&rows, 0.9).unwrap() - 1.9 / 3.0).abs() < 1e-15);
        assert_eq!(pinball_loss(&rows, 0.5).unwrap(), 0.5);
        let weights = [0.0, 3.0, 1.0];
        let rows = Regressed::try_new(&targets, &predictions, Some(&weights)).unwrap();
        assert_eq!(pinball_loss(&rows, 0.75).unwrap(), 0.1875);
    }

    #[test]
    fn what_has_no_value_is_refused() {
        let rows = Regressed::try_new(&[1e308, 0.0], &[-1e308, 0.0], None).unwrap();
        let error = pinball_loss(&rows, 0.5).unwrap_err();
        assert_eq!(error.to_string(), "pinball_loss: undefined on these rows: its value is beyond f64");
        for level in [-0.1, 1.1, f64::NAN] {
            assert!(matches!(pinball_loss(&rows, level).unwrap_err().kind(), Kind::LevelRange { .. }));
        }
    }
}
