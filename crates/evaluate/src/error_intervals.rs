//! How wide an interval around a predicted number must be to hold the truth.

use metrics::{Coverage, Regressed, coverage, pinball_loss};

/// Shares of the rows that intervals are made for.
const LEVELS: [f64; 4] = [0.5, 0.8, 0.9, 0.95];

/// Intervals `prediction - half_width ..= prediction + half_width`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorInterval {
    /// Share of the rows that they should hold.
    pub level: f64,
    /// Half of their width, in the target's unit, of all rows.
    pub half_width: f64,
    /// What they hold of rows that did not choose their width.
    pub held: Coverage,
    /// Mean pinball loss of their two ends on these rows, as quantiles `(1 - level) / 2` and `(1 + level) / 2`.
    pub pinball: f64,
}

/// Intervals by absolute errors on rows that the model had not seen (split conformal prediction): the half width is
/// the `ceil((n + 1) level)`-th smallest of `n` absolute errors. Rows of even number choose the width for those of odd
/// number, and the other way round; coverage and loss are means of both. None of fewer than 40 rows. O(n log n).
/// # Source  Lei et al., JASA 113, 2018, section 2.2.
pub fn error_intervals(rows: &Regressed<'_>) -> Vec<ErrorInterval> {
    let (targets, predictions) = (rows.targets(), rows.predictions());
    if targets.len() < 40 {
        return Vec::new();
    }
    let halves = [0, 1].map(|first| Half::of(targets, predictions, first, 2));
    let all = Half::of(targets, predictions, 0, 1);
    let interval = |&level: &f64| {
        let [even, odd] = &halves;
        let (a, b) = (odd.told_by(even, level)?, even.told_by(odd, level)?);
        let mean = |f: fn(&(Coverage, f64)) -> f64| (f(&a) + f(&b)) / 2.0;
        let held = Coverage { share: mean(|h| h.0.share), mean_width: mean(|h| h.0.mean_width) };
        Some(ErrorInterval { level, half_width: all.quantile(level), held, pinball: mean(|h| h.1) })
    };
    LEVELS.iter().filter_map(interval).collect()
}

/// Some of the rows, with their absolute errors rising.
struct Half {
    targets: Vec<f64>,
    predictions: Vec<f64>,
    errors: Vec<f64>,
}

impl Half {
    fn of(targets: &[f64], predictions: &[f64], first: usize, step: usize) -> Half {
        let pick = |values: &[f64]| values.iter().skip(first).step_by(step).copied().collect::<Vec<f64>>();
        let (targets, predictions) = (pick(targets), pick(predictions));
        let mut errors: Vec<f64> = targets.iter().zip(&predictions).map(|(t, p)| (t - p).abs()).collect();
        errors.sort_by(f64::total_cmp);
        Half { targets, predictions, errors }
    }

    fn quantile(&self, level: f64) -> f64 {
        let rank = ((self.errors.len() + 1) as f64 * level).ceil() as usize;
        self.errors[rank.clamp(1, self.errors.len()) - 1]
    }

    /// How these rows do with the width that others chose; `None` where widths are beyond f64.
    fn told_by(&self, others: &Half, level: f64) -> Option<(Coverage, f64)> {
        let width = others.quantile(level);
        let ends = |sign: f64| self.predictions.iter().map(|p| p + sign * width).collect::<Vec<f64>>();
        let (low, high) = (ends(-1.0), ends(1.0));
        let loss = |ends: &[f64], quantile: f64| {
            pinball_loss(&Regressed::try_new(&self.targets, ends, None).ok()?, quantile).ok()
        };
        let pinball = (loss(&low, (1.0 - level) / 2.0)? + loss(&high, (1.0 + level) / 2.0)?) / 2.0;
        Some((coverage(&self.targets, &low, &high, None).ok()?, pinball))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_are_evenly_spread_need_their_share() {
        // Errors 1, 1, 2, 2, .. of both halves, with changing signs.
        let n = 200;
        let predictions: Vec<f64> = (0..n).map(|i| f64::from(i % 7)).collect();
        let error = |i: i32| f64::from(i / 2 + 1) * if i / 2 % 2 == 0 { 1.0 } else { -1.0 };
        let targets: Vec<f64> = (0..n).map(|i| predictions[i as usize] + error(i)).collect();
        let made = error_intervals(&Regressed::try_new(&targets, &predictions, None).unwrap());
        assert_eq!(made.iter().map(|i| i.level).collect::<Vec<_>>(), LEVELS);
        // The ceil(201 * 0.9) = 181st of 1, 1, 2, 2, .. is 91; a half's ceil(101 * 0.9) = 91st is 91 too.
        assert_eq!(made[2].half_width, 91.0);
        assert_eq!(made[2].held, Coverage { share: 0.91, mean_width: 182.0 });
        assert!(made.windows(2).all(|two| two[0].half_width < two[1].half_width));
        assert!(made.iter().all(|i| i.pinball > 0.0));
    }

    #[test]
    fn few_rows_and_huge_errors_have_none() {
        let zeros = vec![0.0; 60];
        let few = error_intervals(&Regressed::try_new(&zeros[..39], &zeros[..39], None).unwrap());
        assert_eq!(few, []);
        let huge = vec![1e308; 60];
        assert_eq!(error_intervals(&Regressed::try_new(&huge, &zeros, None).unwrap()), []);
        let exact = error_intervals(&Regressed::try_new(&zeros, &zeros, None).unwrap());
        assert!(exact.iter().all(|i| i.half_width == 0.0 && i.held.share == 1.0));
    }
}
