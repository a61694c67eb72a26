//! Which columns go on by a score: the `k` best or the best share; how scores of unlike columns compare.
//!
//! Statistics of columns with other numbers of categories have other distributions under chance, so members
//! rank by the normal deviate of the same chance, never by the statistic itself.

use crate::transform::FittedStep;
use ir::fixed::math;
use params::{ParamSpec, Params, Range, Value};

/// Number of columns to keep.
pub(crate) const K: ParamSpec = ParamSpec {
    name: "k",
    aliases: &[],
    default: Value::Int(0),
    range: Range::Int { low: 0, high: 1_000_000 },
    doc: "columns that go on; 0 leaves it to the share",
};

/// Share of columns to keep.
pub(crate) const SHARE: ParamSpec = ParamSpec {
    name: "share",
    aliases: &[],
    default: Value::Real(0.5),
    range: Range::Real { low: 0.0, high: 1.0 },
    doc: "share of the columns that goes on, rounded up, at least one",
};

/// Keeps the columns of the largest scores, of equal ones the first. Columns of no score go on and do not count;
/// NaN is below every score.
pub(crate) fn keep_best(scores: &[Option<f64>], params: &Params) -> FittedStep {
    let mut ranked: Vec<(usize, f64)> =
        scores.iter().enumerate().filter_map(|(at, score)| Some((at, (*score)?))).collect();
    let value = |score: f64| if score.is_nan() { f64::NEG_INFINITY } else { score };
    // The sort is stable: of equal scores the first column comes first.
    ranked.sort_by(|a, b| value(b.1).total_cmp(&value(a.1)));
    let n = match usize::try_from(params.int(K.name)) {
        Ok(k) if k > 0 => k,
        _ => {
            let exact = params.real(SHARE.name) * ranked.len() as f64;
            let down = math::floor(exact);
            (down as usize + usize::from(down < exact)).max(1)
        }
    };
    let unranked = scores.iter().enumerate().filter(|(_, score)| score.is_none()).map(|(at, _)| at);
    let mut kept: Vec<usize> = ranked.iter().take(n).map(|(at, _)| *at).chain(unranked).collect();
    kept.sort_unstable();
    FittedStep { kept, groups: Vec::new() }
}

/// The normal deviate whose upper tail is nearly that of `x` in the chi-square distribution of `df` degrees of
/// freedom, far out as well; rises with `x`. NaN where there is no degree of freedom.
/// # Source  Barndorff-Nielsen, Biometrika 73, 1986 (r*), of the gamma distribution of shape `df / 2`.
pub(crate) fn deviate_of_chi2(x: f64, df: f64) -> f64 {
    if !(df >= 1.0 && x >= 0.0) {
        return f64::NAN;
    }
    if x == 0.0 || x == f64::INFINITY {
        return if x == 0.0 { f64::NEG_INFINITY } else { x };
    }
    let root = math::sqrt(df / 2.0);
    let d = x / df - 1.0;
    if d.abs() < 1e-8 {
        return 1.0 / (3.0 * root);
    }
    // 2 (d - ln(1 + d)) / d^2, by its series where the difference would be of equal numbers.
    let h = if d.abs() < 0.01 {
        (2..=12).rev().fold(0.0, |sum, k| 2.0 / f64::from(k) - d * sum)
    } else {
        2.0 * (d - math::log(x / df)) / (d * d)
    };
    let w = root * d * math::sqrt(h);
    w - math::log(h) / (2.0 * w)
}

/// The normal deviate whose upper tail is nearly that of `f` in the F distribution; rises with `f`. NaN where
/// there is no degree of freedom.
/// # Source  Bartlett, Proceedings of the Royal Society A 160, 1937: `(df2 + df1 / 2 - 1) ln(1 + f df1 / df2)` is
/// nearly chi-square of `df1` degrees of freedom, exactly for two.
pub(crate) fn deviate_of_f(f: f64, df1: f64, df2: f64) -> f64 {
    if !(df1 >= 1.0 && df2 >= 1.0 && f >= 0.0) {
        return f64::NAN;
    }
    deviate_of_chi2((df2 + df1 / 2.0 - 1.0) * math::log(1.0 + f * df1 / df2), df1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(settings: &[(&str, &str)], scores: &[Option<f64>]) -> Vec<usize> {
        let settings: Vec<(String, String)> =
            settings.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        keep_best(scores, &Params::parse("test", &[&[K, SHARE]], &settings).unwrap()).kept
    }

    #[test]
    fn the_best_go_on() {
        let scores = [1.0, 5.0, f64::NAN, 5.0, f64::NEG_INFINITY].map(Some);
        assert_eq!(kept(&[("k", "1")], &scores), [1]);
        assert_eq!(kept(&[("k", "2")], &scores), [1, 3]);
        assert_eq!(kept(&[("k", "4")], &scores), [0, 1, 2, 3]);
        assert_eq!(kept(&[("k", "9")], &scores), [0, 1, 2, 3, 4]);
        // 2.5 columns are 3, none is one.
        assert_eq!(kept(&[], &scores), [0, 1, 3]);
        assert_eq!(kept(&[("share", "0.4")], &scores), [1, 3]);
        assert_eq!(kept(&[("share", "0")], &scores), [1]);
        assert_eq!(kept(&[("k", "1")], &[None, Some(2.0), Some(1.0), None]), [0, 1, 3]);
        assert_eq!(kept(&[], &[]), Vec::<usize>::new());
    }

    #[test]
    fn deviates_are_near_the_exact_ones() {
        // scipy.stats: norm.isf(chi2.sf(x, df)), norm.isf(f.sf(x, df1, df2)).
        for (x, df, exact) in [
            (5.445, 2.0, 1.5085236968390898),
            (28.07, 2.0, 4.797590416819823),
            (40.0, 6.0, 4.909942741325943),
            (1.0, 3.0, -0.8461015678269533),
            (5.001, 5.0, 0.21275724291578227),
            (4.9, 5.0, 0.18094353849179515),
            (900.0, 100.0, 24.124417309675426),
            (900.0, 1.0, 29.97691181623265),
        ] {
            let got = deviate_of_chi2(x, df);
            // Abs { eps: 0.02, because: it is an approximation; ranks are what it is for }
            assert!((got - exact).abs() < 0.02, "{x} {df}: {got} for {exact}");
        }
        for (f, df1, df2, exact) in [
            (3.0, 2.0, 175.0, 1.6224408606578309),
            (1.0, 2.0, 50.0, 0.3183313523884963),
            (6.74, 1.0, 176.0, 2.3180238367789254),
            (12.0, 5.0, 60.0, 5.344262121919774),
            (200.0, 2.0, 175.0, 14.178366332623044),
            (40.0, 1.0, 10.0, 3.75606726048054),
        ] {
            let got = deviate_of_f(f, df1, df2);
            // Abs { eps: 0.04, because: it is an approximation, the worse the fewer degrees }
            assert!((got - exact).abs() < 0.04, "{f} {df1} {df2}: {got} for {exact}");
        }
        let rising = [
            0.0,
            1e-9,
            0.9,
            0.989,
            0.991,
            1.0 - 1e-7,
            1.0,
            1.0 + 1e-7,
            1.009,
            1.011,
            5.0,
            1e3,
            1e9,
            1e12,
            f64::INFINITY,
        ];
        assert!(rising.is_sorted_by(|a, b| deviate_of_f(*a, 2.0, 9.0) < deviate_of_f(*b, 2.0, 9.0)));
        assert!(rising.is_sorted_by(|a, b| deviate_of_chi2(*a, 1.0) < deviate_of_chi2(*b, 1.0)));
        assert!(deviate_of_f(1.0, 0.0, 9.0).is_nan() && deviate_of_chi2(1.0, 0.0).is_nan());
    }
}
