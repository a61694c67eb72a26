//! Tests of whether two models differ, each on the numbers that it needs and nothing else.
//!
//! Which of them judges which metric is decided in `paired`. Each is two-sided: a small p-value says that models of
//! equal worth would seldom differ that much on such rows.

use crate::distributions::{chi_square_tail, fair_coin, normal_tails, student_tails};

/// Discordant rows from which the chi-square approximation is used.
const FEW: u64 = 25;

/// McNemar's test: the p-value of "both models are right equally often".
/// `only_a`, `only_b`: rows that only the one model predicts right. Below 25 of both the exact binomial test, else
/// `(|a - b| - 1)^2 / (a + b)` as chi-square with one degree of freedom. 1 if there are none. O(1).
/// # Source
/// McNemar, Psychometrika 12, 1947; correction for continuity: Edwards, Psychometrika 13, 1948.
pub fn mcnemar(only_a: u64, only_b: u64) -> f64 {
    let n = only_a.saturating_add(only_b);
    if n < FEW {
        return fair_coin(only_a, only_b);
    }
    let gap = only_a.abs_diff(only_b).saturating_sub(1) as f64;
    chi_square_tail(gap * gap / n as f64)
}

/// A row with the scores that two models give it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredRow {
    /// Whether it is of the positive class.
    pub is_positive: bool,
    /// Score of the first model, finite.
    pub a: f64,
    /// Score of the second model, finite.
    pub b: f64,
}

/// Two areas under ROC curves on the same rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeLong {
    /// Of the first and the second model.
    pub areas: [f64; 2],
    /// Of the difference of the areas.
    pub standard_error: f64,
    /// Of "both areas are equal".
    pub p_value: f64,
}

/// DeLong's test of two areas under the ROC curve on the same rows.
/// With the placement of a positive row (the share of the negative rows that score below it, ties half) and of a
/// negative row (the share of the positive rows above it), the variance of the difference `d` of the areas is
/// `var+(placement_a - placement_b) / n+` plus the same of the negative rows; `d / sqrt(variance)` is normal.
/// `None` with fewer than two rows of either class, or if the areas differ and placements do not vary.
/// Equal scores give the p-value 1. O(n log n).
/// # Source
/// DeLong, DeLong & Clarke-Pearson, Biometrics 44, 1988; placements from one sort, as midranks: Sun & Xu, IEEE Signal
/// Processing Letters 21, 2014.
pub fn delong(rows: &[ScoredRow]) -> Option<DeLong> {
    let n_positive = rows.iter().filter(|row| row.is_positive).count();
    let n_negative = rows.len() - n_positive;
    if n_positive < 2 || n_negative < 2 {
        return None;
    }
    let a = placements(rows, |row| row.a, n_positive);
    let b = placements(rows, |row| row.b, n_positive);
    let of = |placements: &[f64], class: bool| {
        let pairs = rows.iter().zip(placements);
        pairs.filter(|(row, _)| row.is_positive == class).map(|(_, p)| *p).collect::<Vec<f64>>()
    };
    let gaps: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
    let area = |placements: &[f64]| mean(&of(placements, true));
    let areas = [area(&a), area(&b)];
    let variance =
        variance(&of(&gaps, true)) / n_positive as f64 + variance(&of(&gaps, false)) / n_negative as f64;
    let difference = areas[0] - areas[1];
    let p_value = match (difference == 0.0, variance > 0.0) {
        (true, _) => 1.0,
        (false, true) => normal_tails(difference / variance.sqrt()),
        (false, false) => return None,
    };
    Some(DeLong { areas, standard_error: variance.sqrt(), p_value })
}

/// The placement of each row, in row order.
fn placements(rows: &[ScoredRow], score: fn(&ScoredRow) -> f64, n_positive: usize) -> Vec<f64> {
    let (n_positive, n_negative) = (n_positive as f64, (rows.len() - n_positive) as f64);
    // Tied rows get one placement each kind, so their order does not matter.
    let mut order: Vec<(f64, usize)> = rows.iter().map(score).zip(0..).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut placements = vec![0.0; rows.len()];
    let (mut positive_below, mut negative_below) = (0.0, 0.0);
    // `==` and not the bits, so that 0 and -0 are one score.
    for tied in order.chunk_by(|a, b| a.0 == b.0) {
        let positive = tied.iter().filter(|&&(_, row)| rows[row].is_positive).count() as f64;
        let negative = tied.len() as f64 - positive;
        for &(_, row) in tied {
            placements[row] = if rows[row].is_positive {
                (negative_below + negative / 2.0) / n_negative
            } else {
                (n_positive - positive_below - positive / 2.0) / n_positive
            };
        }
        positive_below += positive;
        negative_below += negative;
    }
    placements
}

/// The corrected resampled t test of scores of two models on the same folds: the p-value of "both are equally good".
/// `t = mean(d) / sqrt((1 / J + n_test / n_train) s^2)` with `J - 1` degrees of freedom, `s^2` the sample variance:
/// folds share training rows, so their plain variance is too small.
/// `differences`: score of one model minus that of the other, a fold each; `test_share`: `n_test / n_train`, such as
/// 1/9 for ten folds. `None` with fewer than two folds, numbers that are not finite, a negative share, or differences
/// that are all the same but not 0. O(J).
/// # Source
/// Nadeau & Bengio, Machine Learning 52, 2003, section 3.
pub fn corrected_t_test(differences: &[f64], test_share: f64) -> Option<f64> {
    let degrees = u32::try_from(differences.len()).ok()?.checked_sub(1).filter(|&d| d > 0)?;
    let (mean, variance) = (mean(differences), variance(differences));
    let spread = (1.0 / differences.len() as f64 + test_share) * variance;
    if !(mean.is_finite() && spread.is_finite() && test_share >= 0.0) {
        return None;
    }
    match (mean == 0.0, spread > 0.0) {
        (true, _) => Some(1.0),
        (false, true) => Some(student_tails(mean / spread.sqrt(), degrees)),
        (false, false) => None,
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Sample variance of at least two values.
fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (values.len() as f64 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(got: f64, expected: f64) {
        assert!((got - expected).abs() <= 1e-12 * expected.abs(), "expected {expected}, got {got}");
    }

    #[test]
    fn mcnemar_by_hand() {
        assert_eq!(mcnemar(0, 0), 1.0);
        assert_eq!(mcnemar(2, 12), 0.012939453125);
        // Exact up to 24, chi-square from 25: (|10 - 15| - 1)^2 / 25 = 0.64.
        assert_eq!(mcnemar(0, 24), 2.0_f64.powi(-23));
        near(mcnemar(10, 15), 0.4237107971667936);
        // The approval ratings of Agresti, Categorical Data Analysis: 86 and 150, (64 - 1)^2 / 236 = 16.82.
        near(mcnemar(86, 150), 4.114562281345944e-05);
        assert_eq!((mcnemar(40, 40), mcnemar(u64::MAX, 1)), (1.0, 0.0));
    }

    fn rows(positive: &[(f64, f64)], negative: &[(f64, f64)]) -> Vec<ScoredRow> {
        let of = |is_positive| move |&(a, b): &(f64, f64)| ScoredRow { is_positive, a, b };
        positive.iter().map(of(true)).chain(negative.iter().map(of(false))).collect()
    }

    #[test]
    fn delong_by_hand() {
        // Placements a: positive 1, 1; negative 1, 1. b: positive 1/2, 1; negative 1, 1/2. Differences 1/2, 0 and
        // 0, 1/2: variance 1/8 each, so 1/16 + 1/16; z = 1/4 / sqrt(1/8).
        let got = delong(&rows(&[(0.8, 0.4), (0.9, 0.9)], &[(0.1, 0.1), (0.2, 0.5)])).unwrap();
        assert_eq!((got.areas, got.standard_error), ([1.0, 0.75], 0.125_f64.sqrt()));
        near(got.p_value, libm::erfc(0.5));
    }

    #[test]
    fn delong_against_the_sum_over_all_pairs() {
        // Areas, standard error and p-value from the structural components of all pairs, in NumPy.
        let rows = rows(
            &[(0.9, 0.7), (0.8, 0.6), (0.7, 0.6), (0.55, 0.2), (0.4, 0.5)],
            &[(0.6, 0.6), (0.5, 0.7), (0.4, 0.3), (0.3, 0.1), (0.2, 0.4), (0.1, 0.2)],
        );
        let got = delong(&rows).unwrap();
        near(got.areas[0], 0.8833333333333333);
        near(got.areas[1], 0.6666666666666666);
        near(got.standard_error, 0.15);
        near(got.p_value, 0.1486139964552118);
    }

    #[test]
    fn delong_without_variance() {
        let same = rows(&[(0.8, 0.8), (0.3, 0.3)], &[(0.1, 0.1), (0.5, 0.5)]);
        assert_eq!(delong(&same).unwrap().p_value, 1.0);
        let opposite = rows(&[(0.8, 0.1), (0.9, 0.1)], &[(0.1, 0.8), (0.2, 0.9)]);
        assert_eq!(delong(&opposite), None);
        assert_eq!(delong(&rows(&[(0.8, 0.1)], &[(0.1, 0.8), (0.2, 0.9)])), None);
        assert_eq!(delong(&[]), None);
    }

    #[test]
    fn corrected_t_by_hand() {
        // Mean 0.0155, t 2.837 with nine degrees of freedom, from NumPy and SciPy.
        let differences = [0.01, 0.03, -0.005, 0.02, 0.025, 0.0, 0.015, 0.02, 0.01, 0.03];
        let got = corrected_t_test(&differences, 1.0 / 9.0).unwrap();
        assert!((got - 0.019496471485942406).abs() < 1e-14, "{got}");
        assert_eq!(corrected_t_test(&[0.1, -0.1], 1.0), Some(1.0));
        assert_eq!(corrected_t_test(&[0.0, 0.0], 1.0), Some(1.0));
        for (differences, share) in [
            (&[0.5, 0.5][..], 1.0),
            (&[0.1], 1.0),
            (&[], 1.0),
            (&[0.1, f64::NAN], 1.0),
            (&[0.1, 0.2], -1.0),
            (&[0.1, 0.2], f64::NAN),
        ] {
            assert_eq!(corrected_t_test(differences, share), None, "{differences:?}");
        }
    }
}
