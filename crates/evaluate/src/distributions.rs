//! Two-sided tail probabilities of the few distributions that tests need.
//!
//! Built on `erfc` and `atan` of `libm`, which give the same bits on every machine. Values are in 0..=1.

/// `P(|Z| >= |z|)` of a standard normal `Z`: `erfc(|z| / sqrt 2)`. Relative error below 2^-50 down to 1e-300;
/// 0 for an infinite `z`.
pub(crate) fn normal_tails(z: f64) -> f64 {
    libm::erfc(z.abs() * std::f64::consts::FRAC_1_SQRT_2)
}

/// `P(X >= x)` of a chi-square `X` with one degree of freedom, `x >= 0`: the square of a normal one.
pub(crate) fn chi_square_tail(x: f64) -> f64 {
    normal_tails(x.sqrt())
}

/// `P(|T| >= |t|)` of Student's `T` with `degrees` of freedom, at least 1.
/// A finite sum, since degrees are whole: with `c = cos^2 atan(t / sqrt n)`, for odd `n`
/// `A = 2/pi (theta + sin theta cos theta (1 + 2/3 c + (2 4)/(3 5) c^2 + .. c^((n-3)/2)))`, for even `n`
/// `A = sin theta (1 + 1/2 c + (1 3)/(2 4) c^2 + .. c^((n-2)/2))`; the result is `1 - A`.
/// Absolute error below `(n + 4) 2^-52`: tails beyond that read as about 0. O(n).
/// # Source
/// Abramowitz & Stegun, Handbook of Mathematical Functions, 1964, 26.7.3 and 26.7.4.
pub(crate) fn student_tails(t: f64, degrees: u32) -> f64 {
    let (n, t) = (f64::from(degrees.max(1)), t.abs());
    if t.is_infinite() {
        return 0.0;
    }
    let tangent = t / n.sqrt();
    // The cosine falls with 1 / t, so nothing overflows on the way.
    let cosine = 1.0 / (1.0_f64).hypot(tangent);
    let (sine, square) = (tangent * cosine, cosine * cosine);
    let is_odd = degrees % 2 == 1;
    // Factors j / (j + 1): even j for odd degrees, odd j for even degrees, up to n - 3 or n - 2 powers of two.
    let (mut term, mut sum) = (1.0, 0.0);
    let mut j = if is_odd { 2.0 } else { 1.0 };
    while j < n {
        sum += term;
        term *= square * j / (j + 1.0);
        j += 2.0;
    }
    let within = match is_odd {
        true => (libm::atan(tangent) + sine * cosine * sum) * std::f64::consts::FRAC_2_PI,
        false => sine * sum,
    };
    (1.0 - within).clamp(0.0, 1.0)
}

/// The two-sided p-value of `heads` and `tails` throws of a fair coin, exact: twice the probability of at most
/// `min(heads, tails)`, at most 1. For up to 60 throws.
pub(crate) fn fair_coin(heads: u64, tails: u64) -> f64 {
    let (n, fewer) = (heads + tails, heads.min(tails));
    let (mut ways, mut sum) = (1_u64, 0_u64);
    for i in 0..=fewer {
        sum += ways;
        // `C(n, i + 1) = C(n, i) (n - i) / (i + 1)`, whole at every step.
        ways = ways * (n - i) / (i + 1);
    }
    (2.0 * sum as f64 / 2.0_f64.powi(n as i32)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `bound`: relative.
    #[track_caller]
    fn near(got: f64, expected: f64, bound: f64) {
        assert!((got - expected).abs() <= bound * expected.abs(), "expected {expected}, got {got}");
    }

    #[test]
    fn normal() {
        // Abramowitz & Stegun, table 26.5.
        near(normal_tails(1.959_963_984_540_054), 0.05, 1e-14);
        near(normal_tails(-2.575_829_303_548_901), 0.01, 1e-14);
        assert_eq!((normal_tails(0.0), normal_tails(f64::INFINITY)), (1.0, 0.0));
        // SciPy `chi2.sf(x, 1)`.
        near(chi_square_tail(3969.0 / 236.0), 4.114562281345944e-05, 1e-13);
        near(chi_square_tail(41.6), 1.1199327149542469e-10, 1e-13);
        assert_eq!(chi_square_tail(0.0), 1.0);
    }

    #[test]
    fn student() {
        // SciPy `2 * t.sf(|t|, degrees)`.
        for (t, degrees, expected) in [
            (2.0, 1, 0.2951672353008665),
            (6.0, 2, 0.02667147321542477),
            (2.776445, 4, 0.05000000538209156),
            (-1.5, 7, 0.17729848698997),
            (3.5, 9, 0.006723515763058959),
            (0.1, 30, 0.9210096117902712),
            (2.0, 1000, 0.04577034649325166),
        ] {
            near(student_tails(t, degrees), expected, 1e-11);
        }
        assert!(student_tails(12.0, 100) < 104.0 * f64::EPSILON);
        for degrees in 1..6 {
            assert_eq!(student_tails(0.0, degrees), 1.0);
            assert_eq!(student_tails(f64::INFINITY, degrees), 0.0);
            assert!(student_tails(1e300, degrees) < 1e-15);
        }
    }

    #[test]
    fn coin() {
        // SciPy `binomtest(heads, heads + tails)`.
        for (heads, tails, expected) in [
            (3, 10, 0.09228515625),
            (10, 3, 0.09228515625),
            (0, 1, 1.0),
            (5, 5, 1.0),
            (2, 12, 0.012939453125),
            (12, 12, 1.0),
            (0, 24, 2.0_f64.powi(-23)),
            (0, 0, 1.0),
        ] {
            assert_eq!(fair_coin(heads, tails), expected, "{heads} {tails}");
        }
    }
}
