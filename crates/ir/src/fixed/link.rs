//! Output links with integers alone: scores in, the bits of floats out.
//!
//! A score is `score * 2^-shift` in real units, `0 <= shift <= 20`. `exp(-x)` is computed as
//! `2^-(n + f)`: a table of `2^(-i/16)` and the Taylor series of `e^-r` in 64-bit fixed point, with
//! a relative error below 2^-54. A probability is the float nearest to that, which is the nearest to
//! the exact one too unless the exact one lies almost on a tie. Neighbouring scores differ by at least 2^-20, so wherever f32 can
//! show a difference the order of the scores is kept; equal scores give equal bits on any machine.

/// Largest shift of a score that the links accept.
pub const MAX_SHIFT: u32 = 20;

/// ln 2 in Q64.
const LN_2: u64 = 0xb172_17f7_d1cf_79ac;
/// log2 e in Q62.
const LOG2_E: u64 = 0x5c55_1d94_ae0b_f85e;
/// Degree of the Taylor series: `(ln 2 / 16)^11 / 11!` is below 2^-74.
const DEGREE: u64 = 10;

/// `2^(-i/16)` in Q63, from repeated integer square roots.
const POWERS: [u64; 16] = powers();

const fn isqrt(n: u128) -> u64 {
    let (mut low, mut high) = (0u128, 1u128 << 64);
    while high - low > 1 {
        let middle = (low + high) / 2;
        // `middle` is below 2^64, so the square cannot overflow.
        if middle * middle <= n {
            low = middle;
        } else {
            high = middle;
        }
    }
    low as u64
}

const fn powers() -> [u64; 16] {
    // roots[j] = 2^(-2^-(j+1)) in Q63.
    let mut roots = [0u64; 4];
    let mut last = 1u128 << 62;
    let mut j = 0;
    while j < 4 {
        roots[j] = isqrt(last << 63);
        last = roots[j] as u128;
        j += 1;
    }
    let mut table = [0u64; 16];
    let mut i = 0;
    while i < 16 {
        let mut product = 1u128 << 63;
        let mut j = 0;
        while j < 4 {
            if i >> (3 - j) & 1 == 1 {
                product = (product * roots[j] as u128) >> 63;
            }
            j += 1;
        }
        table[i] = product as u64;
        i += 1;
    }
    table
}

#[inline]
fn mul_high(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}

/// `exp(-distance * 2^-shift) = mantissa * 2^(-63 - exponent)`, mantissa in (2^62, 2^63].
#[inline]
fn exp_neg(distance: u32, shift: u32) -> (u64, u32) {
    // y = distance * log2 e, with 62 + shift fraction bits (at most 82); it fits 95 bits.
    let y = u128::from(distance) * u128::from(LOG2_E);
    let n_fraction = 62 + shift;
    // Far below the smallest float already, so the cut changes nothing.
    let exponent = (y >> n_fraction).min(4096) as u32;
    // The fraction in Q64.
    let fraction = if shift >= 2 { (y >> (shift - 2)) as u64 } else { (y << (2 - shift)) as u64 };
    (power_of_half(fraction), exponent)
}

/// `mantissa * 2^(-63 - exponent)` in Q62.
#[inline]
fn in_q62(mantissa: u64, exponent: u32) -> u64 {
    if exponent < 63 { mantissa >> (exponent + 1) } else { 0 }
}

/// `exp(-distance * 2^-shift)` in Q62; `shift` is at most [`MAX_SHIFT`].
#[inline]
pub(super) fn exp_q62(distance: u32, shift: u32) -> u64 {
    let (mantissa, exponent) = exp_neg(distance, shift);
    in_q62(mantissa, exponent)
}

/// `2^-(fraction / 2^64)` in Q63.
#[inline]
fn power_of_half(fraction: u64) -> u64 {
    let table = POWERS[(fraction >> 60) as usize];
    let r = mul_high(fraction << 4, LN_2) >> 4;
    // Horner in Q63: s = 1 - r/1 (1 - r/2 (1 - r/3 ..)).
    let mut s = 1u64 << 63;
    let mut k = DEGREE;
    while k > 0 {
        s = (1u64 << 63) - mul_high(s, r) / k;
        k -= 1;
    }
    (((u128::from(table) * u128::from(s)) >> 63) as u64).min(1 << 63)
}

/// Bits of the float nearest to `mantissa * 2^exponent`, ties to even, subnormals and zero included,
/// in a format of `FRACTION` stored mantissa bits whose normal numbers start at `2^LEAST`; too large
/// ones become its largest finite number. `exponent` must stay 64 away from the ends of i32.
#[inline]
fn float_bits<const FRACTION: u32, const LEAST: i32>(mantissa: u64, exponent: i32) -> u64 {
    if mantissa == 0 {
        return 0;
    }
    let lead = 63 - mantissa.leading_zeros().cast_signed();
    // Exponent of the leading bit.
    let top = lead + exponent;
    let kept_low = top.max(LEAST) - FRACTION.cast_signed();
    let drop = kept_low - exponent;
    let kept = if drop <= 0 {
        mantissa << (-drop).min(63)
    } else if drop > 64 {
        0
    } else {
        let wide = u128::from(mantissa);
        let floor = (wide >> drop) as u64;
        let rest = wide & ((1u128 << drop) - 1);
        let half = 1u128 << (drop - 1);
        floor + u64::from(rest > half || (rest == half && floor & 1 == 1))
    };
    // A carry out of the mantissa runs into the exponent, which is what rounding up means.
    let biased = (top - LEAST).max(0).min(2 - 2 * LEAST) as u64;
    let infinity = ((3 - 2 * LEAST) as u64) << FRACTION;
    ((biased << FRACTION) + kept).min(infinity - 1)
}

#[inline]
fn f32_bits(mantissa: u64, exponent: i32) -> u32 {
    float_bits::<23, -126>(mantissa, exponent) as u32
}

/// Probabilities of class 0 and class 1 from one score: `p_1 = 1 / (1 + exp(-score * 2^-shift))`,
/// each within one float step. Shift above [`MAX_SHIFT`] is treated as that.
#[inline]
pub fn logistic(score: i32, shift: u32) -> [f32; 2] {
    let (mantissa, exponent) = exp_neg(score.unsigned_abs(), shift.min(MAX_SHIFT));
    // 1 + e in Q62.
    let sum = u128::from((1u64 << 62) + in_q62(mantissa, exponent));
    // 1 / sum in Q63, e / sum as mantissa * 2^(-63 - exponent).
    let large = ((1u128 << 125) / sum) as u64;
    let small = ((u128::from(mantissa) << 62) / sum) as u64;
    let large = f32::from_bits(f32_bits(large, -63));
    let small = f32::from_bits(f32_bits(small, -63 - exponent.cast_signed()));
    if score < 0 { [large, small] } else { [small, large] }
}

/// Probabilities `p_k = exp(s_k) / sum_j exp(s_j)` of the scores `s = scores * 2^-shift`, each
/// within one float step. Shift above [`MAX_SHIFT`] is treated as that. `out` has the length of `scores`; no score gives nothing.
#[inline]
pub fn softmax(scores: &[i32], shift: u32, out: &mut [f32]) {
    let mut powers = [(0, 0); KEPT];
    let Some(powers) = powers.get_mut(..scores.len()) else {
        out.iter_mut().zip(softmax_of(scores, shift)).for_each(|(out, p)| *out = p);
        return;
    };
    let largest = scores.iter().max().copied().unwrap_or_default();
    let shift = shift.min(MAX_SHIFT);
    let mut sum = 0;
    for (power, &score) in powers.iter_mut().zip(scores) {
        *power = exp_neg(largest.abs_diff(score), shift);
        sum += u128::from(in_q62(power.0, power.1));
    }
    for (out, &power) in out.iter_mut().zip(&*powers) {
        *out = share_of_powers(power, sum);
    }
}

/// Powers that [`softmax`] keeps, so that it need not compute each twice.
const KEPT: usize = 64;

/// `mantissa * 2^(-63 - exponent)` of a sum in Q62.
#[inline]
fn share_of_powers((mantissa, exponent): (u64, u32), sum: u128) -> f32 {
    let share = ((u128::from(mantissa) << 62) / sum) as u64;
    f32::from_bits(f32_bits(share, -63 - exponent.cast_signed()))
}

/// The probabilities of [`softmax`], one after the other.
#[inline]
pub fn softmax_of(scores: &[i32], shift: u32) -> impl Iterator<Item = f32> + '_ {
    let largest = scores.iter().max().copied().unwrap_or_default();
    let shift = shift.min(MAX_SHIFT);
    let below = move |score: i32| largest.abs_diff(score);
    let sum: u128 = scores.iter().map(|&score| u128::from(exp_q62(below(score), shift))).sum();
    scores.iter().map(move |&score| share_of_powers(exp_neg(below(score), shift), sum))
}

/// `exp(score * 2^-shift)` as a double with a relative error below 2^-52, by integers alone; too large powers
/// saturate to the largest finite double. Larger scores never get smaller values. Shift above [`MAX_SHIFT`] is
/// treated as that.
#[inline]
pub fn exponential(score: i32, shift: u32) -> f64 {
    let shift = shift.min(MAX_SHIFT);
    // -x * log2 e with 62 + shift fraction bits; its floor and what is above it.
    let y = -i128::from(score) * i128::from(LOG2_E);
    let n_fraction = 62 + shift;
    let exponent = (y >> n_fraction).clamp(-4096, 4096) as i32;
    let fraction = if shift >= 2 { (y >> (shift - 2)) as u64 } else { (y << (2 - shift)) as u64 };
    f64::from_bits(float_bits::<52, -1022>(power_of_half(fraction), -63 - exponent))
}

/// Votes as probabilities: each score's share of their sum, every one the float nearest to the exact share.
///
/// `scores` are non-negative votes for each class; negative ones count as 0, and without any vote all classes
/// get the same. A single score `s` stands for the two classes' `offset - s` and `offset + s`. Larger
/// scores never get smaller shares. `out` has the length of `scores`, 2 for a single one.
#[inline]
pub fn share(scores: &[i32], offset: i64, out: &mut [f32]) {
    if let (&[score], [p0, p1]) = (scores, &mut *out) {
        [*p0, *p1] = share_of_two(score, offset);
        return;
    }
    out.iter_mut().zip(share_of(scores)).for_each(|(out, p)| *out = p);
}

/// The shares of [`share`] of a single score.
#[inline]
pub fn share_of_two(score: i32, offset: i64) -> [f32; 2] {
    let offset = offset.clamp(1, MAX_OFFSET);
    let score = i64::from(score).clamp(-offset, offset);
    let votes = (offset + score).unsigned_abs();
    let all = 2 * offset.unsigned_abs();
    [ratio(all - votes, all), ratio(votes, all)]
}

/// The shares of [`share`] of several scores, one after the other.
#[inline]
pub fn share_of(scores: &[i32]) -> impl Iterator<Item = f32> + '_ {
    let votes = |score: i32| u64::from(score.max(0).unsigned_abs());
    let all: u64 = scores.iter().map(|&s| votes(s)).sum();
    let n = scores.len() as u64;
    scores.iter().map(move |&score| if all == 0 { ratio(1, n) } else { ratio(votes(score), all) })
}

/// Largest offset of [`share`].
pub const MAX_OFFSET: i64 = 1 << 32;

/// The float nearest to `part / whole`, ties to even; `part <= whole`, `whole` above 0.
#[inline]
fn ratio(part: u64, whole: u64) -> f32 {
    if part == 0 || whole == 0 {
        return 0.0;
    }
    // Both with their leading bit at 63, so the quotient has at least 62 bits; its last one remembers a rest.
    let (up, down) = (part.leading_zeros(), whole.leading_zeros());
    let (part, whole) = (u128::from(part << up) << 62, u128::from(whole << down));
    let quotient = (part / whole) as u64 | u64::from(part % whole != 0);
    f32::from_bits(f32_bits(quotient, down.cast_signed() - up.cast_signed() - 62))
}

/// The number `(score + offset) * 2^-shift` as a double, rounded once, ties to even; results too
/// large saturate to the largest finite double, too small ones go to zero by the same rounding and
/// keep their sign. Integers only.
#[inline]
pub fn linear(score: i32, offset: i64, shift: i16) -> f64 {
    let sum = i128::from(score) + i128::from(offset);
    // At most 2^63 + 2^31.
    let size = sum.unsigned_abs() as u64;
    let bits = float_bits::<52, -1022>(size, -i32::from(shift));
    f64::from_bits(bits | u64::from(sum < 0) << 63)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    /// Powers that are kept and those that are computed twice are the same.
    #[test]
    fn kept_powers_change_nothing() {
        for n in [0, 1, 2, KEPT, KEPT + 1, 3 * KEPT] {
            let scores: Vec<i32> =
                (0..n as i32).map(|k| k.wrapping_mul(-1_640_531_527) >> (k % 20)).collect();
            for shift in [0, 3, MAX_SHIFT] {
                let mut out = vec![0.0f32; n];
                softmax(&scores, shift, &mut out);
                let bits = |all: Vec<f32>| all.into_iter().map(f32::to_bits).collect::<Vec<u32>>();
                assert_eq!(bits(out), bits(softmax_of(&scores, shift).collect()), "{n} {shift}");
            }
        }
    }

    #[test]
    fn logistic_is_the_nearest_float() {
        // The platform's exp in double precision is good to 1e-15, far below half a float step.
        for shift in [0, 1, 2, 7, 12, 20] {
            for i in -20_000i32..20_000 {
                let score = i.wrapping_mul(if shift < 8 { 1 } else { 37 + 100 * shift as i32 });
                let x = f64::from(score) * 2f64.powi(-(shift as i32));
                let [p0, p1] = logistic(score, shift);
                let want0 = 1.0 / (1.0 + x.exp());
                let want1 = 1.0 / (1.0 + (-x).exp());
                assert!(ulps(p1, want1) <= 1, "score {score} shift {shift}: {p1} for {want1}");
                assert!(ulps(p0, want0) <= 1, "score {score} shift {shift}: {p0} for {want0}");
            }
        }
    }

    /// Steps between a float and a double's nearest float.
    fn ulps(got: f32, want: f64) -> u32 {
        let want = want as f32;
        got.to_bits().abs_diff(want.to_bits())
    }

    #[test]
    fn logistic_extremes() {
        assert_eq!(logistic(0, 12), [0.5, 0.5]);
        assert_eq!(logistic(i32::MAX, 0), [0.0, 1.0]);
        assert_eq!(logistic(i32::MIN, 0), [1.0, 0.0]);
        assert_eq!(logistic(-104, 0)[1], 0.0);
        // exp(-103) rounds to the smallest subnormal.
        assert_eq!(logistic(-103, 0)[1], f32::from_bits(1));
    }

    #[test]
    fn distinct_scores_keep_their_order() {
        for shift in [8, 14, 20] {
            let mut last = logistic(-(20 << shift), shift);
            let step = 1 + (1 << shift) / 50_000;
            let mut score = -(20 << shift) + step;
            while score < 20 << shift {
                let p = logistic(score, shift);
                assert!(p[1] >= last[1] && p[0] <= last[0], "score {score} shift {shift}");
                if score < 0 {
                    assert!(p[1] > last[1], "score {score} shift {shift} is not told from its neighbour");
                }
                last = p;
                score += step;
            }
        }
    }

    #[test]
    fn softmax_of_two_is_logistic_and_sums_to_one() {
        for score in [-100_000, -4096, -1, 0, 1, 77, 4096, 50_000] {
            let mut out = [0f32; 2];
            softmax(&[0, score], 12, &mut out);
            let expected = logistic(score, 12);
            for k in 0..2 {
                assert!(out[k].to_bits().abs_diff(expected[k].to_bits()) <= 1);
            }
        }
        let scores: Vec<i32> = (0..1000).map(|i| (i * 7919) % 40_000 - 20_000).collect();
        let mut out = vec![0f32; 1000];
        softmax(&scores, 12, &mut out);
        let sum: f64 = out.iter().map(|&p| f64::from(p)).sum();
        assert!((sum - 1.0).abs() < 1e-6);
    }

    #[test]
    fn shares_are_the_nearest_floats() {
        // Votes and sums below 2^53 divide in double precision with one rounding; a second one to f32 may
        // differ by a step where the first lands on a tie.
        let mut out = [0f32; 3];
        for i in 0..50_000i32 {
            let scores = [i * 7, i.wrapping_mul(48_271) & 0xff_ffff, (i % 13) * 1_000_003];
            share(&scores, 0, &mut out);
            let sum: f64 = scores.iter().map(|&s| f64::from(s)).sum();
            for (p, s) in out.iter().zip(scores) {
                let want = if sum == 0.0 { 1.0 / 3.0 } else { f64::from(s) / sum };
                assert!(ulps(*p, want) <= 1, "{scores:?}: {p} for {want}");
            }
        }
    }

    #[test]
    fn shares_at_the_ends() {
        let two = |score, offset| {
            let mut out = [0f32; 2];
            share(&[score], offset, &mut out);
            out
        };
        assert_eq!(two(0, 100), [0.5, 0.5]);
        assert_eq!(two(100, 100), [0.0, 1.0]);
        assert_eq!(two(-100, 100), [1.0, 0.0]);
        assert_eq!(two(50, 100), [0.25, 0.75]);
        assert_eq!(two(i32::MIN, 1), [1.0, 0.0]);
        let mut out = [0f32; 4];
        share(&[i32::MAX; 4], 0, &mut out);
        assert_eq!(out, [0.25; 4]);
        share(&[-3, 0, i32::MIN, 0], 0, &mut out);
        assert_eq!(out, [0.25; 4]);
        share(&[-3, 0, 5, 15], 0, &mut out);
        assert_eq!(out, [0.0, 0.0, 0.25, 0.75]);
        share(&[], 0, &mut []);
    }

    #[test]
    fn distinct_votes_keep_their_order() {
        for offset in [1i32, 3, 1000, 1 << 22] {
            let step = (offset / 4000).max(1);
            let mut last = [f32::INFINITY, -1.0];
            let mut score = -offset;
            while score <= offset {
                let mut p = [0f32; 2];
                share(&[score], offset.into(), &mut p);
                assert!(p[1] > last[1] && p[0] < last[0], "score {score} offset {offset}");
                last = p;
                score += step;
            }
        }
    }

    #[test]
    fn exponential_is_near_the_exact() {
        assert_eq!(exponential(0, 12), 1.0);
        for shift in [0, 1, 2, 7, 12, 20] {
            let mut last = 0.0;
            for i in -20_000i32..20_000 {
                let score = i * if shift < 8 { 1 } else { 37 };
                let got = exponential(score, shift);
                let want = (f64::from(score) * 2f64.powi(-(shift as i32))).exp();
                let near = (got - want).abs() <= want * 1e-14 || want < 1e-300;
                assert!(near || want > 1e300, "score {score} shift {shift}: {got} for {want}");
                assert!(got >= last, "score {score} shift {shift}");
                last = got;
            }
        }
        assert_eq!(exponential(i32::MAX, 0), f64::MAX);
        assert_eq!(exponential(i32::MIN, 0), 0.0);
    }

    #[test]
    fn linear_cases() {
        let cases = [(0, 0, 0, 0.0), (3, 5, 2, 2.0), (-1, 0, 3, -0.125), (7, 0, -4, 112.0)];
        for (score, offset, shift, expected) in cases {
            assert_eq!(linear(score, offset, shift), expected);
        }
        assert_eq!(linear(1, 0, -2000), f64::MAX);
        assert_eq!(linear(1, 0, 2000), 0.0);
    }
}
