//! Probabilities as integers, by integers alone: what soft voting adds up.
//!
//! They are those of [`super::link`], in the same 64-bit fixed point, rounded half up to a number of fraction bits
//! instead of to a float. Votes of `bits` fraction bits are `round(p 2^bits)`; a single score stands for two classes
//! and gets `round((2 p - 1) 2^bits)` of the second one, so that none of both means 0. Larger scores never get fewer
//! votes. What is here works in place, on the scores of one row.

use super::link::{MAX_OFFSET, MAX_SHIFT, exp_q62};

/// Most fraction bits of a vote; more are treated as that.
pub const MAX_BITS: u32 = 30;

/// `part / whole * 2^bits`, rounded half up; `part <= whole`, `0 < whole < 2^96`.
#[inline]
fn rounded(part: u128, whole: u128, bits: u32) -> i32 {
    (((part << (bits + 1)) + whole) / (2 * whole)) as i32
}

/// `round((2 p - 1) 2^bits)` of `p = 1 / (1 + exp(-score * 2^-shift))`; of minus the score it is minus that. Shift above
/// [`MAX_SHIFT`] is treated as that.
#[inline]
pub fn logistic(score: i32, shift: u32, bits: u32) -> i32 {
    // 2 p - 1 = (1 - e) / (1 + e). This never lies midway between two votes, so the sign needs no care: e would be a
    // quotient of two odd numbers without a common factor, and it has a power of two as denominator.
    let e = u128::from(exp_q62(score.unsigned_abs(), shift.min(MAX_SHIFT)));
    let one = 1u128 << 62;
    let size = rounded(one - e, one + e, bits.min(MAX_BITS));
    if score < 0 { -size } else { size }
}

/// `round(p_k 2^bits)` of `p_k = exp(s_k) / sum_j exp(s_j)`, `s = scores * 2^-shift`. Shift above [`MAX_SHIFT`] is
/// treated as that.
#[inline]
pub fn softmax(scores: &mut [i32], shift: u32, bits: u32) {
    let Some(&largest) = scores.iter().max() else { return };
    let (shift, bits) = (shift.min(MAX_SHIFT), bits.min(MAX_BITS));
    let power = |score: i32| u128::from(exp_q62(largest.abs_diff(score), shift));
    let sum: u128 = scores.iter().map(|&score| power(score)).sum();
    scores.iter_mut().for_each(|score| *score = rounded(power(*score), sum, bits));
}

/// `round(p_k 2^bits)` of each score's share `p_k` of their sum; negative ones count as 0, and without any vote all
/// classes get the same. A single score stands for the two classes' `offset - score` and `offset + score`, and gets
/// `round(score 2^bits / offset)`.
#[inline]
pub fn share(scores: &mut [i32], offset: i64, bits: u32) {
    let bits = bits.min(MAX_BITS);
    if let [score] = scores {
        let offset = offset.clamp(1, MAX_OFFSET);
        // At most 2^62 in size.
        let twice = i64::from(*score).clamp(-offset, offset) << (bits + 1);
        *score = (twice + offset).div_euclid(2 * offset) as i32;
        return;
    }
    let votes = |score: i32| u128::from(score.max(0).unsigned_abs());
    let all: u128 = scores.iter().map(|&score| votes(score)).sum();
    let n = scores.len() as u128;
    for score in scores {
        *score = if all == 0 { rounded(1, n, bits) } else { rounded(votes(*score), all, bits) };
    }
}

/// `2^bits` for the largest score, the first of equals, 0 for others. A single score above 0 gets `2^bits`, any other
/// `-2^bits`.
#[inline]
pub fn largest(scores: &mut [i32], bits: u32) {
    let all = 1i32 << bits.min(MAX_BITS);
    if let [score] = scores {
        *score = if *score > 0 { all } else { -all };
        return;
    }
    let most = scores.iter().max().copied();
    let first = scores.iter().position(|&score| Some(score) == most);
    for (k, score) in scores.iter_mut().enumerate() {
        *score = if Some(k) == first { all } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::SplitMix64;

    /// Half a vote, and what doubles are off at 2^30.
    const NEAR: f64 = 0.500_01;

    #[test]
    fn logistic_votes_are_the_nearest_and_odd() {
        for shift in [0, 1, 2, 7, 12, 20] {
            let step = if shift < 8 { 1 } else { 37 + 100 * shift as i32 };
            for bits in [1, 8, 15, 30] {
                let mut last = i32::MIN;
                for score in (-1500..1500).map(|i: i32| i * step) {
                    let got = logistic(score, shift, bits);
                    let want = (f64::from(score) * 2f64.powi(-(shift as i32)) / 2.0).tanh();
                    let distance = (f64::from(got) - want * 2f64.powi(bits as i32)).abs();
                    assert!(distance <= NEAR, "score {score} shift {shift} bits {bits}: {got} for {want}");
                    assert_eq!(logistic(-score, shift, bits), -got, "score {score} shift {shift}");
                    assert!(got >= last, "score {score} shift {shift} bits {bits}");
                    last = got;
                }
            }
        }
    }

    #[test]
    fn logistic_votes_at_the_ends() {
        for bits in [1, 12, 30] {
            assert_eq!(logistic(0, 12, bits), 0);
            assert_eq!(logistic(i32::MAX, 0, bits), 1 << bits);
            assert_eq!(logistic(i32::MIN, 0, bits), -(1 << bits));
            assert_eq!(logistic(i32::MAX, 20, bits), 1 << bits);
        }
        // A difference of 2^-20 is 2^9 votes of 30 bits.
        assert_eq!(logistic(1, 20, 30), 1 << 9);
    }

    #[test]
    fn softmax_votes_are_the_nearest() {
        let mut random = SplitMix64::new(1);
        for round in 0..2000 {
            let (shift, bits) = (random.below(21), 1 + random.below(30));
            let n = 2 + round % 4;
            let mut scores = [0; 5];
            let reach = 1 << (shift + 5).min(24);
            scores.iter_mut().for_each(|s| *s = random.below(2 * reach) as i32 - reach as i32);
            let mut votes = scores;
            softmax(&mut votes[..n], shift, bits);
            let largest = scores[..n].iter().max().copied().unwrap();
            let power = |s: i32| (f64::from(s - largest) * 2f64.powi(-(shift as i32))).exp();
            let sum: f64 = scores[..n].iter().map(|&s| power(s)).sum();
            for k in 0..n {
                let want = power(scores[k]) / sum * 2f64.powi(bits as i32);
                assert!((f64::from(votes[k]) - want).abs() <= NEAR, "{scores:?} {shift} {bits}: {votes:?}");
                let is_in_order = (0..n).all(|j| scores[j] > scores[k] || votes[j] <= votes[k]);
                assert!(is_in_order, "{scores:?} {votes:?}");
            }
        }
        let mut far = [i32::MIN, i32::MAX, 0];
        softmax(&mut far, 0, 30);
        assert_eq!(far, [0, 1 << 30, 0]);
        let mut alike = [-7; 4];
        softmax(&mut alike, 20, 10);
        assert_eq!(alike, [256; 4]);
        softmax(&mut [], 3, 10);
    }

    #[test]
    fn shares_of_two_classes() {
        let of = |score, offset, bits| {
            let mut scores = [score];
            share(&mut scores, offset, bits);
            scores[0]
        };
        let cases = [
            (0, 100, 8, 0),
            (100, 100, 8, 256),
            (-100, 100, 8, -256),
            (50, 100, 8, 128),
            (i32::MIN, 1, 30, -(1 << 30)),
            (i32::MAX, 1, 30, 1 << 30),
            // Half up: 0.5, 1.5, -0.5, -1.5.
            (1, 4, 1, 1),
            (3, 4, 1, 2),
            (-1, 4, 1, 0),
            (-3, 4, 1, -1),
            // (2^31 - 1) / 4 and -2^31 / 4.
            (i32::MAX, MAX_OFFSET, 30, 1 << 29),
            (i32::MIN, MAX_OFFSET, 30, -(1 << 29)),
        ];
        for (score, offset, bits, expected) in cases {
            assert_eq!(of(score, offset, bits), expected, "{score} of {offset}, {bits} bits");
        }
        for offset in [1, 3, 1000, 1 << 22] {
            let votes = (-2000..2000).map(|score| of(score, offset, 12));
            assert!(votes.is_sorted(), "{offset}");
        }
    }

    #[test]
    fn shares_of_several_classes() {
        let of = |mut scores: [i32; 4], bits| {
            share(&mut scores, 0, bits);
            scores
        };
        assert_eq!(of([-3, 0, 5, 15], 2), [0, 0, 1, 3]);
        assert_eq!(of([i32::MAX; 4], 30), [1 << 28; 4]);
        assert_eq!(of([-3, 0, i32::MIN, 0], 8), [64; 4]);
        // Half up: 0.5 and 1.5.
        assert_eq!(of([1, 3, 0, 0], 1), [1, 2, 0, 0]);
        let mut three = [0, -1, 0];
        share(&mut three, 0, 8);
        assert_eq!(three, [85; 3]);
        let mut random = SplitMix64::new(2);
        for _ in 0..2000 {
            let scores = [0; 4].map(|_: i32| {
                let reach = 1 << random.below(31);
                random.below(reach) as i32
            });
            let all: f64 = scores.iter().map(|&s| f64::from(s)).sum();
            for (votes, s) in of(scores, 30).into_iter().zip(scores) {
                let want = if all == 0.0 { 0.25 } else { f64::from(s) / all } * 2f64.powi(30);
                assert!((f64::from(votes) - want).abs() <= NEAR, "{scores:?}: {votes} for {want}");
            }
        }
        share(&mut [], 0, 8);
    }

    #[test]
    fn the_largest_takes_all() {
        let mut scores = [3, 7, 7, -1];
        largest(&mut scores, 8);
        assert_eq!(scores, [0, 256, 0, 0]);
        let mut scores = [i32::MIN; 2];
        largest(&mut scores, 30);
        assert_eq!(scores, [1 << 30, 0]);
        for (score, expected) in [(1, 2), (0, -2), (-5, -2), (i32::MAX, 2), (i32::MIN, -2)] {
            let mut scores = [score];
            largest(&mut scores, 1);
            assert_eq!(scores, [expected], "{score}");
        }
        largest(&mut [], 8);
    }
}
