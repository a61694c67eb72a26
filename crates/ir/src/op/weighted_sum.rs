//! `WeightedSum`: the scores of several members as one.

use super::{Attr, Attrs, Operand, Payload, misfit};
use crate::fixed::clamp_i32;
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;
use core::slice::ChunksExact;

pub(super) const NAME: &str = "WeightedSum";

/// `score_k = clamp((sum_j w_jk s_jk + b_k + half) >> shift)` in i64 to i32, `half = 2^(shift - 1)`, 0 for a shift of
/// 0: rounded once, half up. What an ensemble makes of its members' scores.
///
/// Inputs: J >= 1 scores `i32 [N, K]` of one shape, K at least 1, then constants `weights: i64 [J, K]`, or `[J, 1]` (one
/// weight for all scores of a member), and `offsets: i64 [K]`. Output: `i32 [N, K]`.
///
/// For each k, `sum_j |w_jk| <= 2^31` and `|b_k| < 2^61` are proven from the constants. Scores are at most 2^31 in size
/// and half is at most 2^61, so no sum, in any order, is larger than `2^62 + (2^61 - 1) + 2^61 = 2^63 - 1`: i64 holds all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightedSum {
    /// Fraction bits that the sum has more than the score, at most [`WeightedSum::MAX_SHIFT`].
    pub shift: u8,
}

impl WeightedSum {
    /// Largest shift.
    pub const MAX_SHIFT: u8 = 62;
    /// Largest sum of the sizes of all weights of a score.
    pub const MAX_WEIGHTS: i64 = 1 << 31;
    /// Largest size of an offset.
    pub const MAX_OFFSET: i64 = (1 << 61) - 1;

    pub(super) fn parse(attrs: &Attrs) -> Result<WeightedSum, Error> {
        Ok(WeightedSum { shift: attrs.int(NAME, "shift")? })
    }

    /// The weights of each of the members in turn: one for each score, or one for all.
    pub fn by_member(weights: &[i64], n_members: usize) -> ChunksExact<'_, i64> {
        weights.chunks_exact(weights.len().checked_div(n_members).unwrap_or(0).max(1))
    }

    /// The weight of score `k` among those of one member.
    #[inline]
    pub fn weight(of_member: &[i64], k: usize) -> i64 {
        of_member.get(k).or(of_member.first()).copied().unwrap_or(0)
    }

    /// The scores of rows, `out: [n, K]`; each of `members` is `[n, K]` or longer, `weights` and `offsets` are as the
    /// operator asks for. O(n J K).
    pub fn apply(self, members: &[&[i32]], weights: &[i64], offsets: &[i64], out: &mut [i32]) {
        let width = offsets.len().max(1);
        let shift = self.shift.min(Self::MAX_SHIFT);
        let half = (1i64 << shift) >> 1;
        let by_member = Self::by_member(weights, members.len());
        for (row, out) in out.chunks_exact_mut(width).enumerate() {
            for (k, (out, offset)) in out.iter_mut().zip(offsets).enumerate() {
                let mut sum = offset + half;
                for (member, of_member) in members.iter().zip(by_member.clone()) {
                    sum += Self::weight(of_member, k) * i64::from(member[row * width + k]);
                }
                *out = clamp_i32(sum >> shift);
            }
        }
    }
}

impl Payload for WeightedSum {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("shift", Attr::Int(self.shift.into()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [members @ .., weights, offsets] = inputs else {
            return Err(misfit(NAME, "inputs", "3 or more", &inputs.len()));
        };
        let Some(first) = members.first() else {
            return Err(misfit(NAME, "inputs", "3 or more", &inputs.len()));
        };
        if self.shift > Self::MAX_SHIFT {
            return Err(misfit(NAME, "shift", "0..=62", &self.shift));
        }
        let mut width = 0;
        for member in members {
            width = match (member.dtype, &member.shape.0[..]) {
                (DType::I32, [_, Dim::Fixed(n @ 1..)]) if member.shape == first.shape => *n,
                _ => {
                    let expected = "i32 [N, K] of one shape, K at least 1";
                    return Err(misfit(NAME, "scores", expected, &member.describe()));
                }
            };
        }
        let n_members = members.len();
        let factors = match (weights.constant.map(|c| c.data()), &weights.shape.0[..]) {
            (Some(TensorData::I64(v)), [Dim::Fixed(j), Dim::Fixed(k)])
                if *j == n_members && (*k == width || *k == 1) =>
            {
                v
            }
            _ => {
                let expected = alloc::format!("a constant i64 [{n_members}, {width}] or [{n_members}, 1]");
                return Err(misfit(NAME, "weights", &expected, &weights.describe()));
            }
        };
        let starts = match (offsets.constant.map(|c| c.data()), &offsets.shape.0[..]) {
            (Some(TensorData::I64(v)), [Dim::Fixed(k)]) if *k == width => v,
            _ => {
                let expected = alloc::format!("a constant i64 [{width}]");
                return Err(misfit(NAME, "offsets", &expected, &offsets.describe()));
            }
        };
        for k in 0..factors.len() / n_members {
            let sizes = factors.iter().skip(k).step_by(factors.len() / n_members).map(|w| w.unsigned_abs());
            let most = sizes.fold(0, u64::saturating_add);
            if most > Self::MAX_WEIGHTS.unsigned_abs() {
                let expected = "sizes of at most 2^31 in all for each score";
                return Err(misfit(NAME, "weights", expected, &most));
            }
        }
        if let Some(b) = starts.iter().find(|b| b.unsigned_abs() > Self::MAX_OFFSET.unsigned_abs()) {
            return Err(misfit(NAME, "offsets", "numbers below 2^61 in size", b));
        }
        Ok(vec![(DType::I32, first.shape.clone())])
    }
}

#[cfg(test)]
mod tests {
    use super::WeightedSum;

    /// One score of each member, with its weight.
    fn one(shift: u8, members: &[(i32, i64)], offset: i64) -> i32 {
        let scores: std::vec::Vec<[i32; 1]> = members.iter().map(|m| [m.0]).collect();
        let scores: std::vec::Vec<&[i32]> = scores.iter().map(|s| &s[..]).collect();
        let weights: std::vec::Vec<i64> = members.iter().map(|m| m.1).collect();
        let mut out = [77];
        WeightedSum { shift }.apply(&scores, &weights, &[offset], &mut out);
        out[0]
    }

    #[test]
    fn a_sum_is_rounded_once_half_up() {
        let cases = [
            (7, 0, 7),
            (-7, 0, -7),
            (1, 1, 1),
            (-1, 1, 0),
            (3, 1, 2),
            (-3, 1, -1),
            (-4, 1, -2),
            (5, 2, 1),
            (6, 2, 2),
            (-6, 2, -1),
            (-7, 2, -2),
        ];
        for (sum, shift, expected) in cases {
            assert_eq!(one(shift, &[(sum, 1)], 0), expected, "{sum} / 2^{shift}");
            assert_eq!(one(shift, &[(-sum, -1)], 0), expected, "{sum} / 2^{shift}");
            assert_eq!(one(shift, &[(0, 1)], sum.into()), expected, "{sum} / 2^{shift}");
            // Each member alone would round to something else.
            assert_eq!(one(shift, &[(sum - 100, 1), (50, 2)], 0), expected, "{sum} / 2^{shift}");
        }
        // 3 * 5 - 2 * 4 + 10 = 17.
        assert_eq!(one(1, &[(5, 3), (4, -2)], 10), 9);
    }

    #[test]
    fn the_ends_are_clamped_and_nothing_overflows() {
        let most = WeightedSum::MAX_OFFSET;
        let cases = [
            (0, i32::MAX, 2, 0, i32::MAX),
            (0, i32::MIN, 2, 0, i32::MIN),
            (0, i32::MIN, -1, 0, i32::MAX),
            (0, i32::MAX, 1, 1, i32::MAX),
            (0, i32::MIN, 1, -1, i32::MIN),
            (0, i32::MIN, -(1 << 31), most, i32::MAX),
            (0, i32::MIN, 1 << 31, -most, i32::MIN),
            // 2^63 - 1 and 1 - 2^62, the ends of all sums.
            (62, i32::MIN, -(1 << 31), most, 1),
            (62, i32::MIN, 1 << 31, -most, -1),
            (31, i32::MIN, 1 << 31, 0, i32::MIN),
            (31, i32::MAX, 1 << 31, 0, i32::MAX),
        ];
        for (shift, score, weight, offset, expected) in cases {
            assert_eq!(one(shift, &[(score, weight)], offset), expected, "{score} * {weight} + {offset}");
        }
    }

    #[test]
    fn one_weight_a_member_is_the_same_for_all_its_scores() {
        let (a, b) = ([1, -2, 3, 1000, -5, 60], [7, 8, -9, 0, 11, 1 << 20]);
        let op = WeightedSum { shift: 3 };
        let (mut short, mut long) = ([0; 6], [0; 6]);
        op.apply(&[&a, &b], &[5, -3], &[100, 0, -1], &mut short);
        op.apply(&[&a, &b], &[5, 5, 5, -3, -3, -3], &[100, 0, -1], &mut long);
        assert_eq!(short, long);
        // Rows behind the last one asked for are not looked at.
        op.apply(&[&a, &b], &[5, 6, 7, -3, 2, 1], &[100, 0, -1], &mut long[..3]);
        // (5 - 21 + 100 + 4) / 8, (-12 + 16 + 0 + 4) / 8, (21 - 9 - 1 + 4) / 8.
        assert_eq!(long[..3], [11, 1, 1]);
        assert_eq!(long[3..], short[3..]);
    }
}
