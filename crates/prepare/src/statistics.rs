//! What a column is like: mean, deviation and quantiles of numbers; how often categories are seen.
//!
//! One definition for all members that scale, clip, bin, fill or count. Sums run in row order; where they leave the
//! range of doubles they are taken again in smaller units, so that no statistic of finite numbers is lost.

use ir::fixed::math;
use std::collections::BTreeMap;

/// Units in which squares of the largest and of the smallest doubles are doubles: 2^-520 and 2^520.
const SMALLER: f64 = f64::from_bits((1023 - 520) << 52);
const LARGER: f64 = f64::from_bits((1023 + 520) << 52);

/// Mean of finite numbers; 0 of none. Equal numbers have exactly themselves as mean.
pub(crate) fn mean(values: &[f64]) -> f64 {
    let Some(&first) = values.first() else { return 0.0 };
    if values.iter().all(|&v| v == first) {
        return first;
    }
    let n = values.len() as f64;
    let sum = values.iter().sum::<f64>();
    if sum.is_finite() { sum / n } else { values.iter().map(|v| v / n).sum() }
}

/// `sqrt(sum (v - mean)^2 / n)` of finite numbers with that mean; 0 of numbers that differ by no more than
/// the rounding of their mean.
/// # Source  the bound below which a column is constant is that of scikit-learn's `StandardScaler`.
pub(crate) fn deviation(values: &[f64], mean: f64) -> f64 {
    let n = values.len().max(1) as f64;
    let within = |unit: f64| {
        let square = |v: &f64| (v * unit - mean * unit) * (v * unit - mean * unit);
        let variance = values.iter().map(square).sum::<f64>() / n;
        let rounding = n * (mean * unit) * f64::EPSILON;
        let bound = n * f64::EPSILON * variance + rounding * rounding;
        if variance.is_finite() && variance <= bound { 0.0 } else { variance }
    };
    let variance = within(1.0);
    if variance.is_finite() && variance >= f64::MIN_POSITIVE {
        return math::sqrt(variance);
    }
    let unit = if variance.is_finite() { LARGER } else { SMALLER };
    let other = within(unit);
    if other.is_finite() { math::sqrt(other) / unit } else { 0.0 }
}

/// Smallest and largest of the finite ones among numbers; of two zeros the first.
pub(crate) fn extremes(values: &[f64]) -> Option<(f64, f64)> {
    let mut finite = values.iter().copied().filter(|v| v.is_finite());
    let first = finite.next()?;
    let widen =
        |(low, high): (f64, f64), v: f64| (if v < low { v } else { low }, if v > high { v } else { high });
    Some(finite.fold((first, first), widen))
}

/// True if sorted numbers differ and their range is a double.
pub(crate) fn has_range(sorted: &[f64]) -> bool {
    sorted.first().zip(sorted.last()).is_some_and(|(low, high)| low < high && (high - low).is_finite())
}

/// The quantile of sorted finite numbers at place `q * (n - 1)`, linear between neighbours; `None` of none.
/// # Source  numpy's `quantile` with its default method; Hyndman & Fan 1996, type 7.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = q * last as f64;
    let below = math::floor(place);
    Some(between(sorted, below as usize, place - below))
}

/// The quantile at `numerator / denominator`, whose place is computed with whole numbers, so that it is
/// exactly a value where it falls on one.
pub(crate) fn quantile_of(sorted: &[f64], numerator: usize, denominator: usize) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = numerator as u128 * last as u128;
    let parts = denominator.max(1) as u128;
    Some(between(sorted, (place / parts) as usize, (place % parts) as f64 / parts as f64))
}

/// Middle of sorted finite numbers.
pub(crate) fn median(sorted: &[f64]) -> Option<f64> {
    quantile_of(sorted, 1, 2)
}

/// `a + part * (b - a)` between the value at a place and the next one, from the nearer side.
fn between(sorted: &[f64], at: usize, part: f64) -> f64 {
    let last = sorted.len() - 1;
    let (a, b) = (sorted[at.min(last)], sorted[(at + 1).min(last)]);
    let step = b - a;
    if !step.is_finite() {
        a * (1.0 - part) + b * part
    } else if part < 0.5 {
        a + step * part
    } else {
        b - step * (1.0 - part)
    }
}

/// How often each key is there, in byte order of the keys.
pub(crate) fn counts<K: Ord>(keys: impl IntoIterator<Item = Option<K>>) -> BTreeMap<K, u64> {
    let mut counts: BTreeMap<K, u64> = BTreeMap::new();
    for key in keys.into_iter().flatten() {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

/// The `most` most frequent keys of those that are there `fewest` times or more, in byte order; of equally
/// frequent ones the first in byte order.
pub(crate) fn frequent<'a>(
    keys: impl IntoIterator<Item = Option<&'a str>>,
    fewest: u64,
    most: usize,
) -> Vec<String> {
    let mut keys: Vec<(&str, u64)> = counts(keys).into_iter().filter(|(_, n)| *n >= fewest).collect();
    // The sort is stable.
    keys.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    keys.truncate(most);
    let mut keys: Vec<String> = keys.into_iter().map(|(key, _)| key.to_owned()).collect();
    keys.sort_unstable();
    keys
}

/// Places of the keys in the order in which columns stand: by value if all are numbers, else as they are.
pub(crate) fn by_value(keys: &[String]) -> Vec<usize> {
    let values: Option<Vec<f64>> = keys.iter().map(|k| k.parse().ok()).collect();
    let mut order: Vec<usize> = (0..keys.len()).collect();
    if let Some(values) = values {
        order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_deviations() {
        let cases: &[(&[f64], f64, f64)] = &[
            (&[], 0.0, 0.0),
            (&[3.0], 3.0, 0.0),
            (&[1.0, 2.0, 3.0, 6.0], 3.0, 3.5f64.sqrt()),
            (&[0.1; 7], 0.1, 0.0),
            (&[1e308, 1e308, -1e308, 1e308], 0.5e308, 0.866_025_403_784_438_6e308),
            (&[1e-200, 3e-200], 2e-200, 1e-200),
            (&[f64::MAX, -f64::MAX], 0.0, f64::MAX),
            // Differences that are the rounding of 1 are no deviation.
            (&[1.0, 1.0, 1.0 + f64::EPSILON], 1.0, 0.0),
        ];
        for (values, expected_mean, expected_deviation) in cases {
            let (m, d) = (mean(values), deviation(values, mean(values)));
            // Abs { eps: 1e-15 of the value, because: a few additions are rounded }
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-15 * b.abs();
            assert!(near(m, *expected_mean), "{values:?}: mean {m}");
            assert!(near(d, *expected_deviation), "{values:?}: deviation {d}");
        }
    }

    #[test]
    fn quantiles_are_numpys() {
        // numpy.quantile([1, 2, 4, 8, 16], q).
        let v = [1.0, 2.0, 4.0, 8.0, 16.0];
        for (q, expected) in [(0.0, 1.0), (0.25, 2.0), (0.3, 2.4), (0.5, 4.0), (0.9, 12.8), (1.0, 16.0)] {
            let got = quantile(&v, q).unwrap();
            assert!((got - expected).abs() <= 1e-14, "{q}: {got}");
        }
        assert_eq!(quantile_of(&v, 3, 4), Some(8.0));
        assert_eq!(quantile_of(&v, 3, 8), Some(3.0));
        assert_eq!(median(&[1.0, 2.0]), Some(1.5));
        assert_eq!(median(&[-1e308, 1e308]), Some(0.0));
        assert_eq!((median(&[]), quantile(&[], 0.3)), (None, None));
    }
}
