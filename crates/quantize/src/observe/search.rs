//! The search for the range of the least error of an even grid, for the members that minimise one.

use crate::grid::{Affine, Distortion, IntegerFormat, Symmetry};
use crate::observe::Range;
use crate::statistics::Summary;

/// Shares of an end that are tried.
const N_SHARES: u32 = 100;

/// Times that the search goes on among smaller ranges, or from one end to the other.
const MOST_TURNS: usize = 8;

/// The range of the least `sum |x - level|^power`.
///
/// Ends are hundredths of the extremes. A symmetric grid takes the best of one hundred thresholds; where the smallest
/// wins, a hundred smaller ones are tried. An asymmetric grid starts from the best common share of both ends, then
/// moves one end at a time until none helps. Equal errors keep the wider range. O(shares * bins) a turn.
pub(super) fn least_error(whole: &Summary, format: &IntegerFormat, power: f64) -> (f64, f64) {
    let (low, high) = whole.extremes().unwrap_or_default();
    let (low, high) = (f64::from(low).min(0.0), f64::from(high).max(0.0));
    let largest = f64::from(whole.largest());
    let distortion = Distortion::new(whole.pieces().collect(), power, largest);
    let error = |low: f64, high: f64, most: f64| match Range::try_new(low as f32, high as f32) {
        Some(range) if range.largest() > 0.0 => distortion.of(&Affine::of_range(range, format), most),
        _ => f64::INFINITY,
    };
    let ends = match format.symmetry {
        Symmetry::Symmetric => (-largest, largest),
        Symmetry::Asymmetric => (low, high),
    };
    let (mut factor, mut share) = (1.0, 1.0);
    for _ in 0..MOST_TURNS {
        share = factor * best(1, |share, most| error(share * factor * ends.0, share * factor * ends.1, most));
        if share > factor / f64::from(N_SHARES) {
            break;
        }
        factor = share;
    }
    let (mut low_share, mut high_share) = (share, share);
    if format.symmetry == Symmetry::Asymmetric && ends.0 < 0.0 && ends.1 > 0.0 {
        for _ in 0..MOST_TURNS {
            let before = (low_share, high_share);
            high_share = better(high_share, |share, most| error(low_share * ends.0, share * ends.1, most));
            low_share = better(low_share, |share, most| error(share * ends.0, high_share * ends.1, most));
            if before == (low_share, high_share) {
                break;
            }
        }
    }
    (low_share * ends.0, high_share * ends.1)
}

/// The share, from `least` hundredths on, of the least error; the largest of equals. An error is asked for with the one
/// above which it does not matter.
fn best(least: u32, error: impl Fn(f64, f64) -> f64) -> f64 {
    let mut best = (f64::INFINITY, 1.0);
    for i in (least..=N_SHARES).rev() {
        let share = f64::from(i) / f64::from(N_SHARES);
        let e = error(share, best.0);
        if e < best.0 {
            best = (e, share);
        }
    }
    best.1
}

/// The share of the least error, `current` unless another is better.
fn better(current: f64, error: impl Fn(f64, f64) -> f64) -> f64 {
    let other = best(0, &error);
    let before = error(current, f64::INFINITY);
    if error(other, before) < before { other } else { current }
}
