//! `NearestRows`: votes of the nearest known rows.

use super::{Attr, Attrs, Operand, Payload, arity, misfit, of_neighbours, wide};
use crate::fixed::clamp_i32;
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "NearestRows";

/// The votes of the `k` rows of `known` that are nearest to a row, by integer distance.
///
/// `d = sum_j (x_j - r_j)^2` in i64; equal distances: the first row of `known` is nearer. Where there are fewer
/// than `k` rows all vote. Uniform weights: `score = sum of votes`. By distance: where no voter is at distance 0,
/// each weighs `w = floor(2^30 / isqrt(d))`, else those at 0 weigh 1 and the others 0; `score = n * (sum w v) /
/// (sum w)` for `n` voters, rounded half up, so that both are on one grid. All sums are exact.
///
/// Inputs: `x: i16 [N, F]`, F at least 1; constants `known: i16 [M, F]` of 1 to [`NearestRows::MAX_CELLS`]
/// cells, `votes: i32 [M, K]`, K at least 1, each at most `(2^31 - 1) / k` in size. Output: `i32 [N, K]`.
/// # Source  Fix and Hodges, 1951; Cover and Hart, IEEE Trans. Information Theory 13, 1967.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NearestRows {
    /// Rows that vote, 1 to [`NearestRows::MAX_K`].
    pub k: u32,
    /// Whether near rows weigh more.
    pub by_distance: bool,
}

impl NearestRows {
    /// Most cells of the known rows: a hostile file must not ask for much work a row.
    pub const MAX_CELLS: usize = 1 << 24;
    /// Most rows that vote: a hostile file must not ask for much memory a row.
    pub const MAX_K: u32 = 1 << 16;

    pub(super) fn parse(attrs: &Attrs) -> Result<NearestRows, Error> {
        Ok(NearestRows { by_distance: attrs.by_distance(NAME)?, k: attrs.int(NAME, "k")? })
    }

    /// The scores of a row `[F]`, from `known [M, F]` and `votes [M, K]`; `near` is room for distances.
    pub fn scores_into(
        self,
        row: &[i16],
        known: &[i16],
        votes: &[i32],
        near: &mut Vec<(i64, usize)>,
        out: &mut [i32],
    ) {
        near.clear();
        let k = self.k as usize;
        let most = k.saturating_mul(2).max(1024);
        for (at, r) in known.chunks_exact(row.len().max(1)).enumerate() {
            near.push((squared_distance(row, r), at));
            if near.len() == most {
                self.keep_nearest(near);
            }
        }
        self.keep_nearest(near);
        self.vote(near, votes, out);
    }

    /// Drops all but the `k` nearest, in any order.
    fn keep_nearest(self, near: &mut Vec<(i64, usize)>) {
        let k = self.k.max(1) as usize;
        if near.len() > k {
            near.select_nth_unstable(k - 1);
            near.truncate(k);
        }
    }

    /// The scores of the voters `near`: distance and row of `votes [M, K]`, in any order. Distances become
    /// weights.
    pub fn vote(self, near: &mut [(i64, usize)], votes: &[i32], out: &mut [i32]) {
        let width = out.len();
        if !self.by_distance {
            for (k, out) in out.iter_mut().enumerate() {
                let sum = near.iter().map(|&(_, at)| i64::from(votes[at * width + k])).sum();
                *out = clamp_i32(sum);
            }
            return;
        }
        let at_zero = near.iter().any(|(d, _)| *d == 0);
        for (d, _) in near.iter_mut() {
            *d = match *d {
                0 => 1,
                _ if at_zero => 0,
                d => (1 << 30) / d.isqrt(),
            };
        }
        let total: i128 = near.iter().map(|&(w, _)| i128::from(w)).sum();
        for (k, out) in out.iter_mut().enumerate() {
            let product = |&(w, at): &(i64, usize)| i128::from(w) * i128::from(votes[at * width + k]);
            let sum: i128 = near.iter().map(product).sum();
            // n * sum / total, rounded half up; no larger than n times the largest vote.
            let score = (2 * near.len() as i128 * sum + total).div_euclid((2 * total).max(1));
            *out = clamp_i32(score as i64);
        }
    }
}

/// `sum_j (a_j - b_j)^2`; below 2^56 for as many columns as rows may have cells.
pub(super) fn squared_distance(a: &[i16], b: &[i16]) -> i64 {
    let square = |(&a, &b): (&i16, &i16)| {
        let d = i64::from(a) - i64::from(b);
        d * d
    };
    a.iter().zip(b).map(square).sum()
}

impl Payload for NearestRows {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        of_neighbours(self.k, self.by_distance)
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [x, known, votes] = arity(NAME, inputs)?;
        let (DType::I16, [rows, Dim::Fixed(width @ 1..)]) = (x.dtype, &x.shape.0[..]) else {
            return Err(misfit(NAME, "rows", "i16 [N, F]", &x.describe()));
        };
        if !(1..=Self::MAX_K).contains(&self.k) {
            return Err(misfit(NAME, "k", "1..=65536", &self.k));
        }
        let n_known = match (known.constant.map(|c| c.data()), &known.shape.0[..]) {
            (Some(TensorData::I16(v)), [Dim::Fixed(n @ 1..), Dim::Fixed(f)])
                if f == width && v.len() <= Self::MAX_CELLS =>
            {
                *n
            }
            _ => {
                let expected =
                    alloc::format!("a constant i16 [M, {width}] of at most {} cells", Self::MAX_CELLS);
                return Err(misfit(NAME, "known rows", &expected, &known.describe()));
            }
        };
        let (cells, n_outputs) = match (votes.constant.map(|c| c.data()), &votes.shape.0[..]) {
            (Some(TensorData::I32(v)), [Dim::Fixed(n), Dim::Fixed(k @ 1..)]) if *n == n_known => (v, *k),
            _ => {
                let expected = alloc::format!("a constant i32 [{n_known}, K], K at least 1");
                return Err(misfit(NAME, "votes", &expected, &votes.describe()));
            }
        };
        let shape = wide(NAME, rows, n_outputs)?;
        let most = i32::MAX.unsigned_abs() / self.k;
        if let Some(other) = cells.iter().find(|v| v.unsigned_abs() > most) {
            return Err(misfit(NAME, "votes", &alloc::format!("at most {most}"), other));
        }
        Ok(vec![(DType::I32, shape)])
    }
}
