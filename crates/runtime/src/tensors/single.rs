//! `exp`, `expm1`, `tanh`, the logistic function and `erf` in single precision.
//!
//! They are made of sums, products and one quotient, without a branch, so that loops over them run on whole vectors; no
//! operation is fused, so every machine gives the same bits. The error is below 2 units in the last place for `exp`,
//! below 8 for `erf`, below 4 for the others (tested).

/// `ln 2` in two parts: the first has 10 bits, so that its product with an exponent is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// 1.5 * 2^23: adding it leaves a whole number in the low bits, rounded to nearest.
const WHOLE: f32 = 12_582_912.0;

/// `x = n ln 2 + r`: `n` and `e^r - 1`, for `x` from -106 to 90.
#[inline]
fn reduced(x: f32) -> (i32, f32) {
    let shifted = x * core::f32::consts::LOG2_E + WHOLE;
    let n = shifted.to_bits().wrapping_sub(WHOLE.to_bits()).cast_signed();
    let whole = shifted - WHOLE;
    let r = (x - whole * LN_2_HIGH) - whole * LN_2_LOW;
    // The series of e^r - 1; |r| is at most ln 2 / 2, where the ninth term is below 2^-31 of the first.
    let series = 1.0 / 5040.0;
    let series = series * r + 1.0 / 720.0;
    let series = series * r + 1.0 / 120.0;
    let series = series * r + 1.0 / 24.0;
    let series = series * r + 1.0 / 6.0;
    let series = series * r + 0.5;
    (n, (series * r) * r + r)
}

/// `2^n` for `n` from -126 to 127.
#[inline]
fn power(n: i32) -> f32 {
    f32::from_bits(((n + 127) << 23).cast_unsigned())
}

/// `e^x`
#[inline]
pub(super) fn exp(x: f32) -> f32 {
    let (n, tail) = reduced(x.clamp(-106.0, 90.0));
    // In two steps, since 2^n may be no normal number where e^x is one.
    let half = n >> 1;
    (tail + 1.0) * power(half) * power(n - half)
}

/// `e^x - 1`, also where it is small.
#[inline]
pub(super) fn exp_m1(x: f32) -> f32 {
    let (n, tail) = reduced(x.clamp(-106.0, 90.0));
    let half = n >> 1;
    let (first, second) = (power(half), power(n - half));
    // From n = 25 on the 1 is lost, and 2^n - 1 would be infinite too early.
    if n > 24 { (tail + 1.0) * first * second } else { (tail * first) * second + (first * second - 1.0) }
}

/// `tanh x`
#[inline]
pub(super) fn tanh(x: f32) -> f32 {
    let t = exp_m1(-2.0 * x.abs());
    (-t / (t + 2.0)).copysign(x)
}

/// `1 / (1 + e^-x)`
#[inline]
pub(super) fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    let share = 1.0 / (1.0 + e);
    if x < 0.0 { e * share } else { share }
}

/// Beyond it `erf` is 1 in single precision.
const LAST_ERF: f32 = 3.93;

/// `erf x`: `x P(x^2) / Q(x^2)`, both of degree 5, fitted to the least relative error below [`LAST_ERF`], 2e-8.
#[inline]
pub(super) fn erf(x: f32) -> f32 {
    let beyond = x.abs() >= LAST_ERF;
    let x = x.clamp(-LAST_ERF, LAST_ERF);
    let t = x * x;
    let p = 2.041_968e-6;
    let p = p * t + 2.848_052e-4;
    let p = p * t + 3.779_518_2e-3;
    let p = p * t + 0.052_79;
    let p = p * t + 0.190_781_9;
    let p = p * t + core::f32::consts::FRAC_2_SQRT_PI;
    let q = 3.800_387e-5;
    let q = q * t + 1.165_188_1e-3;
    let q = q * t + 0.014_997_256;
    let q = q * t + 0.114_256_695;
    let q = q * t + 0.502_408_8;
    let q = q * t + 1.0;
    if beyond { 1f32.copysign(x) } else { (x * p / q).clamp(-1.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distance in units of the last place of the nearest float; of subnormal numbers in their unit.
    fn ulps(got: f32, want: f64) -> f64 {
        let nearest = want as f32;
        if got == nearest {
            return 0.0;
        }
        let unit = f64::from(f32::from_bits(nearest.abs().to_bits() + 1)) - f64::from(nearest.abs());
        (f64::from(got) - want).abs() / unit
    }

    fn worst(f: fn(f32) -> f32, of: fn(f64) -> f64, least: f32, most: f32) -> f64 {
        let n = 200_000;
        let x = |i: u32| least + (most - least) * (i as f32 / n as f32);
        (0..=n).map(|i| ulps(f(x(i)), of(x(i).into()))).fold(0.0, f64::max)
    }

    #[test]
    fn errors_are_below_the_stated_ones() {
        let sigmoid_of = |x: f64| 1.0 / (1.0 + libm::exp(-x));
        for (least, most) in [(-87.0, 88.7), (-1.0, 1.0), (-1e-3, 1e-3)] {
            assert!(worst(exp, libm::exp, least, most) < 2.0);
            assert!(worst(exp_m1, libm::expm1, least, most) < 4.0);
            assert!(worst(tanh, libm::tanh, least, most) < 4.0);
            assert!(worst(sigmoid, sigmoid_of, least.max(-80.0), most) < 4.0);
            assert!(worst(erf, libm::erf, least.max(-5.0), most.min(5.0)) < 8.0);
        }
    }

    #[test]
    fn ends_and_odd_numbers() {
        let inf = f32::INFINITY;
        assert_eq!([exp(inf), exp(-inf), exp(89.0), exp(-104.0), exp(0.0)], [inf, 0.0, inf, 0.0, 1.0]);
        assert_eq!([exp_m1(-inf), exp_m1(0.0), exp_m1(inf)], [-1.0, 0.0, inf]);
        assert_eq!([tanh(inf), tanh(-inf), sigmoid(inf), sigmoid(-inf)], [1.0, -1.0, 1.0, 0.0]);
        assert!(
            [exp(f32::NAN), exp_m1(f32::NAN), tanh(f32::NAN), sigmoid(f32::NAN)].iter().all(|x| x.is_nan())
        );
        assert_eq!(tanh(-0.0).to_bits(), (-0.0f32).to_bits());
        assert_eq!(erf(-0.0).to_bits(), (-0.0f32).to_bits());
        assert_eq!([erf(inf), erf(-inf), erf(4.0)], [1.0, -1.0, 1.0]);
        assert!(erf(f32::NAN).is_nan());
    }
}
