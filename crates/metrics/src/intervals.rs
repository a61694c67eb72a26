//! Predicted intervals: how often they hold the target, and how wide they are.
//!
//! Apart from the family, because a row has two predicted numbers. The two figures go together: each alone is
//! best for an interval that is useless.

use crate::error::{Error, Field, Kind, Why};
use crate::row_weights::{RowWeights, check_finite, check_len};

/// How intervals do on rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coverage {
    /// Share of the rows whose target lies in the interval, ends included.
    pub share: f64,
    /// Mean of upper minus lower end, in the target's unit.
    pub mean_width: f64,
}

/// Coverage and mean width of intervals.
/// `sum_i w_i [l_i <= y_i <= u_i] / sum_i w_i` and `sum_i w_i (u_i - l_i) / sum_i w_i`.
/// `targets`, `low`, `high`, `row_weights`: `[n_rows]`, finite, `low <= high`; weights as in
/// [`Regressed::try_new`](crate::Regressed::try_new). O(n).
/// # Errors
/// `NoRows`, `Length`, `NotFinite`, `NegativeWeight`, `WeightSum`, `IntervalOrder`; `Undefined` if the width is beyond
/// f64.
pub fn coverage(
    targets: &[f64],
    low: &[f64],
    high: &[f64],
    row_weights: Option<&[f64]>,
) -> Result<Coverage, Error> {
    let weights = RowWeights::try_new(row_weights, targets.len())?;
    check_len(Field::LowerEnds, low.len(), targets.len())?;
    check_len(Field::UpperEnds, high.len(), targets.len())?;
    check_finite(Field::Targets, targets)?;
    check_finite(Field::LowerEnds, low)?;
    check_finite(Field::UpperEnds, high)?;
    if let Some(row) = (0..low.len()).find(|&row| low[row] > high[row]) {
        return Err(Error::new(Kind::IntervalOrder { row, low: low[row], high: high[row] }));
    }
    let share = weights.mean(|row| f64::from(u8::from((low[row]..=high[row]).contains(&targets[row]))));
    let mean_width = weights.mean(|row| high[row] - low[row]);
    if mean_width.is_finite() {
        Ok(Coverage { share, mean_width })
    } else {
        Err(Error::new(Kind::Undefined { metric: "coverage", why: Why::Overflow }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_computed() {
        let (targets, low, high) = ([1.0, 2.0, 3.0, 4.0], [1.0, 0.0, 3.5, 0.0], [1.0, 1.5, 4.0, 4.0]);
        let got = coverage(&targets, &low, &high, None).unwrap();
        assert_eq!(got, Coverage { share: 0.5, mean_width: 1.5 });
        let got = coverage(&targets, &low, &high, Some(&[1.0, 0.0, 3.0, 0.0])).unwrap();
        assert_eq!(got, Coverage { share: 0.25, mean_width: 0.375 });
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (low, high, says) in [
            (
                vec![2.0],
                vec![1.0],
                "metrics: intervals: expected a lower end up to the upper one, got 2 above 1 at row 0",
            ),
            (vec![], vec![1.0], "metrics: lower ends: expected 1 values, got 0"),
            (vec![0.0], vec![f64::NAN], "metrics: upper ends: expected a finite number, got NaN at row 0"),
            (vec![-1.5e308], vec![1.5e308], "coverage: undefined on these rows: its value is beyond f64"),
        ] {
            assert_eq!(coverage(&[1.0], &low, &high, None).unwrap_err().to_string(), says);
        }
    }
}
