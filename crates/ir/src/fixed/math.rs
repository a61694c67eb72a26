//! `exp`, `log`, `sin`, `cos`, `sqrt` and the normal quantile in software, pinned: the same bits on every
//! machine.
//!
//! Only IEEE `+ - * /` in a fixed order, never fused. The bound of each is stated and tested.

// Cody and Waite's split of ln 2: the high part has 32 bits, so `n * LN_2_HIGH` is exact.
const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
const LOG2_E: f64 = core::f64::consts::LOG2_E;

/// `2^n` for `-1022 <= n <= 1023`.
#[inline]
fn pow2(n: i64) -> f64 {
    f64::from_bits(((1023 + n).cast_unsigned()) << 52)
}

/// `e^x`, within 2 steps of the exact result (8 above 709); 0 below -708, so never subnormal;
/// infinity above 709.782712893384.
/// NaN gives NaN.
/// # Source  Cody & Waite, Software Manual for the Elementary Functions, 1980, chapter 6 (range
/// reduction); deviation: Taylor series to degree 13 instead of a rational function.
#[inline]
pub fn exp(x: f64) -> f64 {
    if x <= 709.0 {
        exp_to_709(x)
    } else if x > 709.782_712_893_384 {
        f64::INFINITY
    } else if x.is_nan() {
        x
    } else {
        exp_to_709(x - 1.0) * core::f64::consts::E
    }
}

/// [`exp`] of a number of at most 709 or NaN: without a branch, so that a loop over it vectorizes.
#[inline]
pub fn exp_to_709(x: f64) -> f64 {
    let inside = if x < -708.0 { -708.0 } else { x };
    // Adding 1.5 * 2^52 rounds to a whole number, ties to even, in the low bits of the sum.
    let shifted = inside * LOG2_E + 6_755_399_441_055_744.0;
    let n = shifted - 6_755_399_441_055_744.0;
    let r = (inside - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut p = 1.0 / 6_227_020_800.0;
    p = p * r + 1.0 / 479_001_600.0;
    p = p * r + 1.0 / 39_916_800.0;
    p = p * r + 1.0 / 3_628_800.0;
    p = p * r + 1.0 / 362_880.0;
    p = p * r + 1.0 / 40_320.0;
    p = p * r + 1.0 / 5_040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    // The whole number sits in the low mantissa bits of `shifted`.
    let bits = (shifted.to_bits() << 52).wrapping_add(p.to_bits());
    let result = if x < -708.0 { 0.0 } else { f64::from_bits(bits) };
    if x.is_nan() { x } else { result }
}

/// Natural logarithm, within 2 steps of the exact result. Zero gives minus infinity, negatives and
/// NaN give NaN, infinity gives infinity.
/// # Source  the series `ln m = 2 (s + s^3/3 + s^5/5 + ..)`, `s = (m - 1) / (m + 1)`.
pub fn log(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x == f64::INFINITY {
        return x;
    }
    // Subnormals are scaled into the normal range first.
    let (x, bias) = if x < f64::MIN_POSITIVE { (x * pow2(54), 54) } else { (x, 0) };
    let bits = x.to_bits();
    let mut n = (bits >> 52).cast_signed() - 1023 - bias;
    let mut m = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if m > core::f64::consts::SQRT_2 {
        m *= 0.5;
        n += 1;
    }
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    // s <= 0.1716: the first term left out is below 2^-60 of the sum.
    let mut p = 1.0 / 23.0;
    for k in [21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        p = p * z + 1.0 / k;
    }
    let n = n as f64;
    n * LN_2_HIGH + (2.0 * s + (2.0 * s * z * p + n * LN_2_LOW))
}

/// `1 / (1 + e^-x)`, without overflow for any x.
#[inline]
pub fn sigmoid(x: f64) -> f64 {
    let e = exp_to_709(-x.abs());
    let p = 1.0 / (1.0 + e);
    if x < 0.0 { e * p } else { p }
}

/// Square root, correctly rounded as IEEE 754 asks. Negatives and NaN give NaN; -0 stays.
pub fn sqrt(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 || x == f64::INFINITY {
        return x;
    }
    // Subnormals are scaled by an even power of two first.
    let (x, bias) = if x < f64::MIN_POSITIVE { (x * pow2(54), 27) } else { (x, 0) };
    let bits = x.to_bits();
    let exponent = (bits >> 52).cast_signed() - 1075;
    let mantissa = u128::from((bits & ((1 << 52) - 1)) | (1 << 52));
    // An even exponent and 107 or 108 bits, so that the root has 54: one more than the result.
    let odd = exponent & 1;
    let square = mantissa << (54 + odd);
    let root = square.isqrt();
    let exact = root * root == square;
    let root = root as u64;
    // The root lies between two doubles or on one of them; it is never half-way unless exact.
    let kept = root >> 1;
    let up = root & 1 == 1 && (!exact || kept & 1 == 1);
    let half = (exponent - odd - 54) / 2 + 1 - bias;
    (kept + u64::from(up)) as f64 * pow2(half)
}

/// Largest whole number that is not above `x`; NaN, infinities and -0 stay.
pub fn floor(x: f64) -> f64 {
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    if x.is_nan() || x.abs() >= WHOLE {
        return x;
    }
    let cut = x as i64 as f64;
    if cut == x {
        x
    } else if cut > x {
        cut - 1.0
    } else {
        cut
    }
}

// The first 33 bits of pi / 2, the next 33, and the rest: products with a whole number below 2^20 are exact.
const HALF_PI_1: f64 = 1.570_796_326_734_125_6;
const HALF_PI_2: f64 = 6.077_100_506_303_966e-11;
const HALF_PI_3: f64 = 2.022_266_248_795_950_6e-21;
/// Angles up to here are reduced to within a rounding of the exact remainder.
const FAR: f64 = 1e6;

/// The quadrant of an angle (modulo 4) and what is left of it, within pi / 4 of 0.
fn reduce(x: f64) -> (i64, f64) {
    let x = if x.abs() > FAR { x % core::f64::consts::TAU } else { x };
    let n = super::round_ties_even(x * core::f64::consts::FRAC_2_PI);
    let r = ((x - n * HALF_PI_1) - n * HALF_PI_2) - n * HALF_PI_3;
    (n as i64 & 3, r)
}

/// `sin r` for `|r| <= pi / 4`: Taylor series to degree 17.
fn sin_near(r: f64) -> f64 {
    let z = r * r;
    let mut p = 1.0 / 355_687_428_096_000.0;
    p = p * z - 1.0 / 1_307_674_368_000.0;
    p = p * z + 1.0 / 6_227_020_800.0;
    p = p * z - 1.0 / 39_916_800.0;
    p = p * z + 1.0 / 362_880.0;
    p = p * z - 1.0 / 5_040.0;
    p = p * z + 1.0 / 120.0;
    p = p * z - 1.0 / 6.0;
    r + r * z * p
}

/// `cos r` for `|r| <= pi / 4`: Taylor series to degree 18.
fn cos_near(r: f64) -> f64 {
    let z = r * r;
    let mut p = -1.0 / 6_402_373_705_728_000.0;
    p = p * z + 1.0 / 20_922_789_888_000.0;
    p = p * z - 1.0 / 87_178_291_200.0;
    p = p * z + 1.0 / 479_001_600.0;
    p = p * z - 1.0 / 3_628_800.0;
    p = p * z + 1.0 / 40_320.0;
    p = p * z - 1.0 / 720.0;
    p = p * z + 1.0 / 24.0;
    (1.0 - 0.5 * z) + z * z * p
}

/// Sine of radians, within 4e-16 of the exact value for `|x| <= 10^6`. Beyond, the angle is first reduced by the
/// double nearest to 2 pi, so the value is the same everywhere but drifts from the sine. Infinities and NaN
/// give NaN.
pub fn sin(x: f64) -> f64 {
    if !x.is_finite() {
        return f64::NAN;
    }
    let (quadrant, r) = reduce(x);
    match quadrant {
        0 => sin_near(r),
        1 => cos_near(r),
        2 => -sin_near(r),
        _ => -cos_near(r),
    }
}

/// Cosine of radians, as [`sin`].
pub fn cos(x: f64) -> f64 {
    if !x.is_finite() {
        return f64::NAN;
    }
    let (quadrant, r) = reduce(x);
    match quadrant {
        0 => cos_near(r),
        1 => -sin_near(r),
        2 => -cos_near(r),
        _ => sin_near(r),
    }
}

/// A polynomial, the coefficient of the highest power first.
fn polynomial(x: f64, coefficients: &[f64; 8]) -> f64 {
    coefficients.iter().fold(0.0, |sum, &c| sum * x + c)
}

/// Coefficients of [`normal_quantile`], the highest power first: numerators and denominators near the middle, further out,
/// and in the tails.
pub const NORMAL_QUANTILE: [[f64; 8]; 6] = [
    [
        2.509_080_928_730_122_7e3,
        3.343_057_558_358_813e4,
        6.726_577_092_700_87e4,
        4.592_195_393_154_987e4,
        1.373_169_376_550_946e4,
        1.971_590_950_306_551_3e3,
        1.331_416_678_917_843_8e2,
        3.387_132_872_796_366_5,
    ],
    [
        5.226_495_278_852_854e3,
        2.872_908_573_572_194_3e4,
        3.930_789_580_009_271e4,
        2.121_379_430_158_659_7e4,
        5.394_196_021_424_751e3,
        6.871_870_074_920_579e2,
        4.231_333_070_160_091e1,
        1.0,
    ],
    [
        7.745_450_142_783_414e-4,
        2.272_384_498_926_918_4e-2,
        2.417_807_251_774_506e-1,
        1.270_458_252_452_368_4,
        3.647_848_324_763_204_5,
        5.769_497_221_460_691,
        4.630_337_846_156_546,
        1.423_437_110_749_683_5,
    ],
    [
        1.050_750_071_644_416_9e-9,
        5.475_938_084_995_345e-4,
        1.519_866_656_361_645_7e-2,
        1.481_039_764_274_800_8e-1,
        6.897_673_349_851e-1,
        1.676_384_830_183_803_8,
        2.053_191_626_637_759,
        1.0,
    ],
    [
        2.010_334_399_292_288_1e-7,
        2.711_555_568_743_487_6e-5,
        1.242_660_947_388_078_4e-3,
        2.653_218_952_657_612_4e-2,
        2.965_605_718_285_048_7e-1,
        1.784_826_539_917_291_3,
        5.463_784_911_164_114,
        6.657_904_643_501_103,
    ],
    [
        2.044_263_103_389_939_7e-15,
        1.421_511_758_316_446e-7,
        1.846_318_317_510_054_8e-5,
        7.868_691_311_456_133e-4,
        1.487_536_129_085_061_5e-2,
        1.369_298_809_227_358e-1,
        5.998_322_065_558_88e-1,
        1.0,
    ],
];

/// The `z` with `P(Z <= z) = p` for a standard normal `Z`, within 1e-15 of it relatively; 0 and 1 give the
/// infinities, anything outside `[0, 1]` and NaN give NaN.
/// # Source  Wichura, Algorithm AS 241, Applied Statistics 37, 1988 (PPND16).
pub fn normal_quantile(p: f64) -> f64 {
    let [a, b, c, d, e, f] = &NORMAL_QUANTILE;
    if p.is_nan() || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(r, a) / polynomial(r, b);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail == 0.0 {
        return f64::INFINITY.copysign(q);
    }
    let r = sqrt(-log(tail));
    let z = if r <= 5.0 {
        polynomial(r - 1.6, c) / polynomial(r - 1.6, d)
    } else {
        polynomial(r - 5.0, e) / polynomial(r - 5.0, f)
    };
    z.copysign(q)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::SplitMix64;

    #[test]
    fn sqrt_is_correctly_rounded() {
        let mut random = SplitMix64::new(5);
        for _ in 0..200_000 {
            let x = f64::from_bits(random.next_word() >> 1);
            assert!(sqrt(x).to_bits() == x.sqrt().to_bits() || x.is_nan(), "{x:e}: {:e}", sqrt(x));
        }
        for x in [0.0, -0.0, 1.0, 2.0, 4.0, 5e-324, f64::MIN_POSITIVE, f64::MAX, f64::INFINITY] {
            assert_eq!(sqrt(x).to_bits(), x.sqrt().to_bits(), "{x:e}");
        }
        assert!(sqrt(-1.0).is_nan() && sqrt(f64::NAN).is_nan());
    }

    #[test]
    fn floor_is_the_whole_number_below() {
        for x in [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.999, -3.001, 1e15 + 0.5, -1e300, f64::INFINITY] {
            assert_eq!(floor(x).to_bits(), x.floor().to_bits(), "{x}");
        }
    }

    #[test]
    fn sines_are_near_the_exact_ones() {
        for i in -100_000..=100_000 {
            let x = f64::from(i) * 0.013 + 1e-5;
            assert!((sin(x) - x.sin()).abs() <= 4e-16, "sin {x}: {} for {}", sin(x), x.sin());
            assert!((cos(x) - x.cos()).abs() <= 4e-16, "cos {x}: {} for {}", cos(x), x.cos());
        }
        assert!((sin(999_999.5) - 999_999.5f64.sin()).abs() <= 4e-16);
        assert!(sin(1e300).abs() <= 1.0 && sin(f64::INFINITY).is_nan() && cos(f64::NAN).is_nan());
    }

    #[test]
    fn normal_quantiles() {
        // Values of the paper and of a table to 16 digits.
        for (p, z) in [
            (0.25, -0.674_489_750_196_081_7),
            (0.001, -3.090_232_306_167_813_5),
            (1e-20, -9.262_340_089_798_408),
            (0.975, 1.959_963_984_540_054),
            (0.5, 0.0),
        ] {
            assert!((normal_quantile(p) - z).abs() <= 2e-15 * z.abs(), "{p}: {}", normal_quantile(p));
        }
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert!(normal_quantile(-0.1).is_nan() && normal_quantile(1.1).is_nan());
    }

    fn steps(a: f64, b: f64) -> u64 {
        a.to_bits().abs_diff(b.to_bits())
    }

    #[test]
    fn exp_is_within_two_steps() {
        for i in -70_800..=70_900 {
            let x = f64::from(i) / 100.0 + 0.000_3;
            // The platform's exp is itself off by up to one step.
            assert!(steps(exp(x), x.exp()) <= 3, "{x}: {} for {}", exp(x), x.exp());
        }
        for (x, expected) in [(0.0, 1.0), (-1000.0, 0.0), (1000.0, f64::INFINITY)] {
            assert_eq!(exp(x), expected);
        }
        assert!(exp(f64::NAN).is_nan());
        assert!(steps(exp(709.5), 709.5f64.exp()) <= 8);
    }

    #[test]
    fn log_is_within_two_steps() {
        for i in 1..200_000 {
            let x = f64::from(i) * 0.01 + 1e-7;
            assert!(steps(log(x), x.ln()) <= 3 || (x - 1.0).abs() < 1e-3, "{x}: {} for {}", log(x), x.ln());
        }
        for (x, expected) in [(1.0, 0.0), (0.0, f64::NEG_INFINITY), (f64::INFINITY, f64::INFINITY)] {
            assert_eq!(log(x), expected);
        }
        assert!(log(-1.0).is_nan());
        assert!((log(5e-324) - 5e-324f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn sigmoid_cases() {
        for (x, expected) in [(0.0, 0.5), (-1000.0, 0.0), (1000.0, 1.0)] {
            assert_eq!(sigmoid(x), expected);
        }
        assert!((sigmoid(-1.5) - (1.0 / (1.0 + 1.5f64.exp()))).abs() < 1e-16);
    }
}
