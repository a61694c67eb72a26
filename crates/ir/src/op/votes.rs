//! `Votes`: integer scores to probabilities as integers.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::fixed::link::{MAX_OFFSET, MAX_SHIFT};
use crate::fixed::votes::{self, MAX_BITS};
use crate::{DType, Dim, Error, Shape};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Votes";

/// The probabilities that votes are of; `s = score * 2^-shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VotesKind {
    /// `p = 1 / (1 + e^-s)` of the second class: K = 1.
    Logistic,
    /// `p_k = e^(s_k) / sum_j e^(s_j)`: K at least 2.
    Softmax,
    /// `p_k = score_k / sum_j score_j`, negative scores counting as 0, equal ones without any vote; for K = 1
    /// `2 p - 1 = clamp(score, -offset, offset) / offset`.
    Share,
    /// All for the largest score, the first of equals; for K = 1 for the second class if the score is above 0, else
    /// for the first.
    Largest,
}

impl VotesKind {
    /// All kinds.
    pub const ALL: &[VotesKind] =
        &[VotesKind::Logistic, VotesKind::Softmax, VotesKind::Share, VotesKind::Largest];

    /// Name as printed and stored.
    pub fn name(self) -> &'static str {
        match self {
            VotesKind::Logistic => "logistic",
            VotesKind::Softmax => "softmax",
            VotesKind::Share => "share",
            VotesKind::Largest => "largest",
        }
    }
}

/// The probabilities that [`Link`](super::Link) would give as integers, rounded half up, by integers alone (see
/// [`crate::fixed::votes`]): what soft voting, and hard voting by the largest, adds up.
///
/// For K = 1 `round((2 p - 1) 2^bits)` of the second class's probability `p`, for more classes `round(p_k 2^bits)`: a
/// link of shares, its offset `2^bits` for K = 1, makes probabilities of them again. Larger scores never get fewer votes.
///
/// Input: `i32 [N, K]`, K at least 1. Output: `i32 [N, K]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Votes {
    /// The probabilities.
    pub kind: VotesKind,
    /// Fraction bits of a score; 0 to 20 for `Logistic` and `Softmax`, else 0.
    pub shift: i16,
    /// `Share` of one score: half of all votes, `1..=2^32`. Else 0.
    pub offset: i64,
    /// Fraction bits of a vote, 1 to 30.
    pub bits: u8,
}

impl Votes {
    pub(super) fn parse(attrs: &Attrs) -> Result<Votes, Error> {
        Ok(Votes {
            kind: attrs.one_of(NAME, "kind", VotesKind::ALL, |kind| kind.name())?,
            shift: attrs.int(NAME, "shift")?,
            offset: attrs.int(NAME, "offset")?,
            bits: attrs.int(NAME, "bits")?,
        })
    }

    /// The votes of rows `[n, width]` in the place of their scores.
    pub fn apply(self, width: usize, scores: &mut [i32]) {
        let (shift, bits) = (u32::from(self.shift.unsigned_abs()), u32::from(self.bits));
        for row in scores.chunks_exact_mut(width.max(1)) {
            match self.kind {
                VotesKind::Logistic => row.iter_mut().for_each(|s| *s = votes::logistic(*s, shift, bits)),
                VotesKind::Softmax => votes::softmax(row, shift, bits),
                VotesKind::Share => votes::share(row, self.offset, bits),
                VotesKind::Largest => votes::largest(row, bits),
            }
        }
    }
}

impl Payload for Votes {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![
            ("kind", Attr::Word(self.kind.name().to_string())),
            ("shift", Attr::Int(self.shift.into())),
            ("offset", Attr::Int(self.offset)),
            ("bits", Attr::Int(self.bits.into())),
        ]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [scores] = arity(NAME, inputs)?;
        let ([_, Dim::Fixed(width)], DType::I32) = (&scores.shape.0[..], scores.dtype) else {
            return Err(misfit(NAME, "scores", "i32 [N, K]", &scores.describe()));
        };
        let (fits, expected) = match self.kind {
            VotesKind::Logistic => (*width == 1, "one a row"),
            VotesKind::Softmax => (*width > 1, "two or more a row"),
            VotesKind::Share | VotesKind::Largest => (*width > 0, "one or more a row"),
        };
        if !fits {
            return Err(misfit(NAME, "scores", expected, width));
        }
        let (most, expected) = match self.kind {
            VotesKind::Logistic | VotesKind::Softmax => (MAX_SHIFT, "0..=20"),
            VotesKind::Share | VotesKind::Largest => (0, "0"),
        };
        if !(0..=most.cast_signed()).contains(&i32::from(self.shift)) {
            return Err(misfit(NAME, "shift", expected, &self.shift));
        }
        let has_offset = self.kind == VotesKind::Share && *width == 1;
        let (range, expected) = if has_offset { (1..=MAX_OFFSET, "1..=2^32") } else { (0..=0, "0") };
        if !range.contains(&self.offset) {
            return Err(misfit(NAME, "offset", expected, &self.offset));
        }
        if !(1..=MAX_BITS).contains(&u32::from(self.bits)) {
            return Err(misfit(NAME, "bits", "1..=30", &self.bits));
        }
        Ok(vec![(DType::I32, scores.shape.clone())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_vote_each_by_itself() {
        let votes = |kind, shift, offset, width, mut scores: [i32; 4]| {
            Votes { kind, shift, offset, bits: 4 }.apply(width, &mut scores);
            scores
        };
        // tanh(1 / 2) 16 = 7.39.
        assert_eq!(votes(VotesKind::Logistic, 3, 0, 1, [0, 8, -8, i32::MAX]), [0, 7, -7, 16]);
        // 16 / (1 + e^-1) = 11.70.
        assert_eq!(votes(VotesKind::Softmax, 3, 0, 2, [0, 8, 5, 5]), [4, 12, 8, 8]);
        assert_eq!(votes(VotesKind::Share, 0, 0, 2, [1, 3, -1, 0]), [4, 12, 8, 8]);
        assert_eq!(votes(VotesKind::Share, 0, 32, 1, [8, -16, 99, 1]), [4, -8, 16, 1]);
        assert_eq!(votes(VotesKind::Largest, 0, 0, 2, [1, 3, 7, 7]), [0, 16, 16, 0]);
        assert_eq!(votes(VotesKind::Largest, 0, 0, 1, [1, 0, -3, 2]), [16, -16, -16, 16]);
    }
}
