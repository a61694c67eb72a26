//! `exp` and `log` in software, pinned: the same bits on every machine.
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
/// NaN gives NaN. Branch-free in the middle range, so that a loop over it vectorizes.
/// # Source  Cody & Waite, Software Manual for the Elementary Functions, 1980, chapter 6 (range
/// reduction); deviation: Taylor series to degree 13 instead of a rational function.
#[inline]
pub fn exp(x: f64) -> f64 {
    let inside = x.clamp(-708.0, 709.0);
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
    let result = f64::from_bits(bits);
    if x < -708.0 {
        0.0
    } else if x > 709.0 {
        if x > 709.782_712_893_384 { f64::INFINITY } else { exp(x - 1.0) * core::f64::consts::E }
    } else if x.is_nan() {
        x
    } else {
        result
    }
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
    let e = exp(-x.abs());
    let p = 1.0 / (1.0 + e);
    if x < 0.0 { e * p } else { p }
}

#[cfg(test)]
mod tests {
    use super::*;

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
