//! What other tools publish of their observers, where the definitions coincide.
//!
//! The cases are those of AIMET's tests (DlQuantization/test/Test{Tf,Mse,Percentile,Entropy}EncodingAnalyzer.cpp of
//! github.com/quic/aimet). They draw normal numbers, whose stream is that of one C++ library, so what they state is
//! bounds; ours draw others of the same mean and deviation. What does not coincide: zeros alone, which AIMET gives the
//! range -1 to 1 (128 steps of 2 / 255 below zero) and we the scale 1; and TF-Enhanced, which we do not have.

use super::laws::{bell, range};
use crate::grid::{Affine, IntegerFormat, Sign, Span, Symmetry};
use crate::statistics::Channel;

fn format(sign: Sign, symmetry: Symmetry, span: Span) -> IntegerFormat {
    IntegerFormat::try_new(8, sign, symmetry, span).unwrap()
}

fn normal(n: usize, mean: f32, deviation: f32) -> Vec<f32> {
    bell(n, 1).iter().map(|x| mean + deviation * x).collect()
}

/// Least and largest level of an observer's grid, its step, and the offset: least level over step.
fn encoding(text: &str, values: &[f32], format: &IntegerFormat) -> (f32, f32, f32, i32) {
    let affine = Affine::of_range(range(text, &Channel::of(values), format), format);
    (
        affine.value(affine.low()),
        affine.value(affine.high()),
        affine.scale(),
        affine.low() - affine.zero_point(),
    )
}

const OBSERVERS: [&str; 4] = ["min_max", "mse", "percentile:p=99.9999", "entropy"];

#[test]
fn a_normal_distribution_is_covered_from_two_to_six_deviations() {
    let values = normal(100_000, 2.0, 2.0);
    let (least, most) = Channel::of(&values).whole().extremes().unwrap();
    for text in OBSERVERS {
        let format = format(Sign::Unsigned, Symmetry::Asymmetric, Span::Full);
        let (low, high, step, _) = encoding(text, &values, &format);
        assert!(-10.0 < low && low < -2.0 && 6.0 < high && high < 14.0, "{text}: {low} {high}");
        assert!((step - (high - low) / 255.0).abs() < 1e-6, "{text}");
        match text {
            "min_max" => assert!((low - least).abs() < 0.03 && (high - most).abs() < 0.03, "{low} {high}"),
            "mse" => assert!(low > least && high < most, "{low} {high}"),
            _ => {}
        }
    }
}

#[test]
fn symmetric_grids_of_both_spans() {
    for (mean, deviation, n) in [(2.0, 2.0, 100_000), (-2.0, 1.0, 6000)] {
        let values = normal(n, mean, deviation);
        let largest = Channel::of(&values).whole().largest();
        for text in ["min_max", "mse", "percentile:p=99.9", "entropy"] {
            let full = format(Sign::Signed, Symmetry::Symmetric, Span::Full);
            let (low, high, step, offset) = encoding(text, &values, &full);
            assert!(offset == -128 && (step - (high - low) / 255.0).abs() < 1e-6, "{text}");
            assert!(high < largest, "{text}: {high} {largest}");
            let narrow = format(Sign::Signed, Symmetry::Symmetric, Span::Narrow);
            let (low, high, step, offset) = encoding(text, &values, &narrow);
            assert!(offset == -127 && low == -high && (step - (high - low) / 254.0).abs() < 1e-6, "{text}");
            match text {
                "min_max" => assert!((high - largest).abs() < 1e-5 * largest, "{high} {largest}"),
                // Entropy may keep all.
                "entropy" => assert!(high <= largest * 1.000_001, "{high} {largest}"),
                _ => assert!(high < largest, "{text}: {high} {largest}"),
            }
        }
    }
}

#[test]
fn values_of_one_sign() {
    let values: Vec<f32> = normal(6000, -2.0, 1.0).iter().map(|x| x.max(0.0)).collect();
    let largest = Channel::of(&values).whole().largest();
    // A zero point at the end is what AIMET calls symmetric unsigned.
    let format = format(Sign::Unsigned, Symmetry::Asymmetric, Span::Full);
    for text in OBSERVERS {
        let (low, high, step, offset) = encoding(text, &values, &format);
        assert!(low == 0.0 && offset == 0 && (step - high / 255.0).abs() < 1e-6, "{text}");
        assert!(high <= largest * 1.000_001, "{text}: {high} {largest}");
        if text.starts_with("percentile") || text == "min_max" {
            assert!((high - largest).abs() < 0.015, "{text}: {high} {largest}");
        }
    }
}

#[test]
fn one_value_and_zeros() {
    let format = format(Sign::Unsigned, Symmetry::Asymmetric, Span::Full);
    for text in OBSERVERS {
        let (low, high, _, _) = encoding(text, &[4.0; 6000], &format);
        assert!(low <= 0.0 && high >= 3.990_06, "{text}: {low} {high}");
        let (low, high, _, _) = encoding(text, &[-5.0; 6000], &format);
        assert!(low <= -4.999_92 && high >= 0.0, "{text}: {low} {high}");
        assert_eq!(encoding(text, &[0.0; 6000], &format), (0.0, 255.0, 1.0, 0), "{text}");
    }
}
