//! What every observer must satisfy.

use super::{OBSERVERS, ObserverEntry, Range};
use crate::grid::{IntegerFormat, Sign, Span, Symmetry};
use crate::statistics::{Channel, Statistics};
use crate::{Kind, Member};
use ir::digest::SplitMix64;
use params::outside;

/// Normal numbers of mean 0 and deviation 1.
pub(crate) fn bell(n: usize, seed: u64) -> Vec<f32> {
    let mut random = SplitMix64::new(seed);
    let mut unit = || (f64::from(random.below(1 << 24)) + 0.5) / f64::from(1 << 24);
    (0..n).map(|_| ir::fixed::math::normal_quantile(unit()) as f32).collect()
}

/// The range of an observer as spelled.
pub(crate) fn range(text: &str, seen: &Channel, format: &IntegerFormat) -> Range {
    Member::<ObserverEntry>::parse(text).unwrap().range(seen, format).unwrap()
}

/// Calls `law` with every observer, as it is without settings.
fn each(law: impl Fn(&Member<ObserverEntry>)) {
    OBSERVERS.iter().for_each(|entry| law(&Member::parse(entry.name).unwrap()));
}

fn formats() -> Vec<IntegerFormat> {
    let mut formats = Vec::new();
    for bits in [1, 2, 4, 8, 16] {
        for sign in [Sign::Signed, Sign::Unsigned] {
            for symmetry in [Symmetry::Symmetric, Symmetry::Asymmetric] {
                for span in [Span::Full, Span::Narrow] {
                    formats.push(IntegerFormat::try_new(bits, sign, symmetry, span).unwrap());
                }
            }
        }
    }
    formats
}

/// Hard cases: constants, zeros, one value, tiny, huge, skewed, with NaN, one outlier.
fn cases() -> Vec<Vec<f32>> {
    let mut outlier = bell(500, 1);
    outlier.push(1000.0);
    let skewed = bell(500, 2).into_iter().map(|x| x.max(0.0)).collect();
    vec![
        vec![0.0; 9],
        vec![0.7],
        vec![4.0; 100],
        vec![-5.0; 100],
        vec![1e-44, -1e-45],
        vec![f32::MAX, f32::MIN, 1.0],
        vec![1.0, f32::NAN, f32::INFINITY, -2.0],
        bell(1000, 3),
        skewed,
        outlier,
    ]
}

#[test]
fn ranges_hold_zero_and_are_finite() {
    each(|observer| {
        for case in cases() {
            let seen = Channel::of(&case);
            for format in formats() {
                let range = observer.range(&seen, &format).unwrap();
                assert!(range.low() <= 0.0 && range.high() >= 0.0);
                assert!(range.low().is_finite() && range.high().is_finite());
            }
        }
    });
}

#[test]
fn the_order_of_rows_and_of_merging_changes_nothing() {
    let values = bell(64 * 10, 5);
    let mut whole = Statistics::try_new(1, 64).unwrap();
    whole.push(0, 64, &values, 1).unwrap();
    let mut merged = Statistics::try_new(1, 64).unwrap();
    for at in [3, 1, 0, 2] {
        let mut part = Statistics::try_new(1, 64).unwrap();
        for row in (at * 16..(at + 1) * 16).rev() {
            part.push(row as u64, 1, &values[row * 10..(row + 1) * 10], 1).unwrap();
        }
        merged.merge(&part).unwrap();
    }
    each(|observer| {
        for format in formats() {
            let of = |s: &Statistics| observer.range(&s.channels()[0], &format).unwrap();
            assert_eq!(of(&whole), of(&merged), "{}", observer.describe());
        }
    });
}

#[test]
fn twice_the_values_twice_the_range() {
    each(|observer| {
        for case in [bell(1000, 3), vec![0.7, 0.1], bell(300, 4).into_iter().map(f32::abs).collect()] {
            for format in formats() {
                let of = |factor: f32| {
                    let scaled: Vec<f32> = case.iter().map(|x| x * factor).collect();
                    observer.range(&Channel::of(&scaled), &format).unwrap()
                };
                let (once, twice) = (of(1.0), of(2.0));
                assert_eq!(
                    (2.0 * once.low(), 2.0 * once.high()),
                    (twice.low(), twice.high()),
                    "{}",
                    observer.describe()
                );
            }
        }
    });
}

#[test]
fn nothing_seen_is_refused() {
    each(|observer| {
        for case in [vec![], vec![f32::NAN, f32::INFINITY, f32::NAN]] {
            let error = observer.range(&Channel::of(&case), &IntegerFormat::weights(8).unwrap()).unwrap_err();
            assert!(matches!(error.kind(), Kind::NothingSeen { .. }), "{error}");
        }
    });
}

#[test]
fn parameters_out_of_range_are_refused() {
    for entry in OBSERVERS {
        for param in entry.spec {
            for bad in outside(param.range) {
                let text = format!("{}:{}={bad}", entry.name, param.name);
                let message = Member::<ObserverEntry>::parse(&text).unwrap_err().to_string();
                assert!(message.contains(param.name) && message.contains(&bad), "{message}");
            }
        }
    }
}
