//! Numbers: one definition of every rounding, used by learning, quantizer, runtime and emitted code.
//!
//! `link` turns integer scores into probabilities with integers alone, `votes` into probabilities as integers; `math` is
//! the pinned floating-point `exp` and `log` of training and of the float parts that remain.

pub mod link;
pub mod math;
mod narrow;
mod requantize;
pub mod votes;

pub use narrow::{Half, Narrow, Overflow, PowerRounding};
pub use requantize::{Requantize, clamp_i32};

/// Order-preserving integer key of a double: `a < b` exactly when `key(a) < key(b)`.
/// -0 has the key of +0; infinities are ordered; NaN must not come here (it is missing).
#[inline]
pub fn key_f64(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    let key = bits ^ (((bits >> 63).cast_unsigned()) >> 1).cast_signed();
    // Only -0 is -1 here. No float is added, so that no float mode (flushed subnormals) matters.
    key + i64::from(key == -1)
}

/// The double of a key; -1, which no double has, gives -0.
#[inline]
pub fn from_key_f64(key: i64) -> f64 {
    let bits = key ^ (((key >> 63).cast_unsigned()) >> 1).cast_signed();
    f64::from_bits(bits.cast_unsigned())
}

/// Rounds to the nearest whole number, ties to even. NaN and infinities stay.
#[inline]
pub fn round_ties_even(value: f64) -> f64 {
    // Above 2^52 every double is whole; below, adding 2^52 drops the fraction with IEEE rounding.
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    if value.abs() < WHOLE { ((value.abs() + WHOLE) - WHOLE).copysign(value) } else { value }
}

/// Rounds to the nearest integer, ties to even, saturating; NaN gives 0.
#[inline]
pub fn round_i32(value: f64) -> i32 {
    round_ties_even(value) as i32
}

/// Rounds to the nearest integer, ties to even, saturating; NaN gives 0.
#[inline]
pub fn round_i64(value: f64) -> i64 {
    round_ties_even(value) as i64
}

/// `2^n`; exponents beyond those of normal doubles count as the nearest one of these.
#[inline]
pub fn power_of_two(n: i32) -> f64 {
    f64::from_bits(((1023 + n.clamp(-1022, 1023)) as u64) << 52)
}

/// `e` with `2^(e - 1) <= x < 2^e`; 0 where there is none.
pub fn exponent(x: f64) -> i32 {
    if x == 0.0 || !x.is_finite() {
        return 0;
    }
    let (mut exponent, mut rest) = (0, x);
    while rest >= 1.0 {
        rest *= 0.5;
        exponent += 1;
    }
    while rest < 0.5 {
        rest *= 2.0;
        exponent -= 1;
    }
    exponent
}

/// `x 2^e`, in two steps, so that neither factor leaves the range of doubles.
#[inline]
pub fn scaled(x: f64, e: i32) -> f64 {
    x * power_of_two(e / 2) * power_of_two(e - e / 2)
}

/// The number with the fewest mantissa bits in `low..=high`, nearest to zero among these, so that it
/// is short to store. Needs `low <= high`, both finite; equal bounds give that bound, two zeros give +0.
pub fn shortest_between(low: f64, high: f64) -> f64 {
    if low <= 0.0 && high >= 0.0 {
        return 0.0;
    }
    if high < 0.0 {
        return -shortest_between(-high, -low);
    }
    let bits = low.to_bits();
    for kept in 0..52u32 {
        let dropped = 52 - kept;
        let mask = (1u64 << dropped) - 1;
        // Rounding the bit pattern up rounds a positive value up, over exponents too.
        let candidate = f64::from_bits((bits + mask) & !mask);
        if candidate <= high {
            return candidate;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_order() {
        let values = [
            f64::NEG_INFINITY,
            -1e300,
            -1.0,
            -f64::MIN_POSITIVE,
            -5e-324,
            0.0,
            5e-324,
            f64::MIN_POSITIVE,
            1.0,
            1.0 + f64::EPSILON,
            f64::INFINITY,
        ];
        for pair in values.windows(2) {
            assert!(key_f64(pair[0]) < key_f64(pair[1]), "{pair:?}");
        }
        assert_eq!(key_f64(-0.0), key_f64(0.0));
        for v in values {
            assert_eq!(from_key_f64(key_f64(v)), v);
        }
    }

    #[test]
    fn ties_go_to_even() {
        for (v, expected) in
            [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (0.499, 0), (1e300, i32::MAX)]
        {
            assert_eq!(round_i32(v), expected, "{v}");
        }
    }

    #[test]
    fn exponents_and_scales() {
        for (x, e) in [(1.0, 1), (0.5, 0), (0.75, 0), (3.0, 2), (0.0, 0), (f64::INFINITY, 0), (5e-324, -1073)]
        {
            assert_eq!(exponent(x), e, "{x}");
        }
        assert_eq!(scaled(3.0, -2), 0.75);
        assert_eq!(scaled(scaled(1.5, 1023), -1023), 1.5);
        assert_eq!(scaled(5e-324, 1074), 1.0);
    }

    #[test]
    fn shortest_numbers_in_gaps() {
        let cases = [
            (0.3, 0.6, 0.5),
            (-0.6, -0.3, -0.5),
            (-1.0, 1.0, 0.0),
            (3.0, 3.0, 3.0),
            (5.1, 5.9, 5.5),
            (1000.0, 1100.0, 1024.0),
            (0.1, 0.1, 0.1),
        ];
        for (low, high, expected) in cases {
            assert_eq!(shortest_between(low, high), expected, "{low}..{high}");
        }
    }
}
