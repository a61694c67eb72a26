//! `NearestRows`: votes of the nearest known rows.

use super::{Attr, Attrs, Operand, Payload, arity, misfit, wide};
use crate::fixed::clamp_i32;
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "NearestRows";

/// The votes of the `k` rows of `known` that are nearest to a row, by integer distance.
///
/// `d = sum_j (x_j - r_j)^2` in i64; equal distances: the first row of `known` is nearer. Where there are fewer
/// than `k` rows all vote. Uniform weights: `score = sum of votes`. By distance: a neighbour weighs `w =
/// floor(2^30 / max(1, isqrt(d)))`, only those at distance 0 count where there are any, and `score = n * (sum w
/// v) / (sum w)` for `n` voters, rounded half up, so that both are on one grid.
///
/// Inputs: `x: i16 [N, F]`, F at least 1; constants `known: i16 [M, F]` of 1 to [`NearestRows::MAX_CELLS`]
/// cells, `votes: i32 [M, K]`, K at least 1, each below `2^31 / k`. Output: `i32 [N, K]`.
/// # Source  Fix and Hodges, 1951; Cover and Hart, IEEE Trans. Information Theory 13, 1967.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NearestRows {
    /// Rows that vote, at least 1.
    pub k: u32,
    /// Whether near rows weigh more.
    pub by_distance: bool,
}

impl NearestRows {
    /// Most cells of the known rows: a hostile file must not ask for much work a row.
    pub const MAX_CELLS: usize = 1 << 24;

    pub(super) fn parse(attrs: &Attrs) -> Result<NearestRows, Error> {
        let by_distance = match attrs.word(NAME, "weights")? {
            "uniform" => false,
            "distance" => true,
            other => return Err(misfit(NAME, "weights", "uniform or distance", &other)),
        };
        Ok(NearestRows { k: attrs.int(NAME, "k")?, by_distance })
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
        let width = out.len();
        near.clear();
        near.extend(known.chunks_exact(row.len().max(1)).map(|r| squared_distance(row, r)).zip(0..));
        let k = self.k as usize;
        if near.len() > k {
            near.select_nth_unstable(k - 1);
            near.truncate(k);
        }
        let at_zero = near.iter().any(|(d, _)| *d == 0);
        let weight = |d: i64| match d {
            _ if !self.by_distance => 1,
            0 => 1,
            _ if at_zero => 0,
            _ => i128::from((1i64 << 30) / d.isqrt()),
        };
        for (k, out) in out.iter_mut().enumerate() {
            let sum: i128 = near.iter().map(|&(d, at)| weight(d) * i128::from(votes[at * width + k])).sum();
            let score = if self.by_distance {
                let total: i128 = near.iter().map(|&(d, _)| weight(d)).sum();
                // n * sum / total, rounded half up.
                (2 * near.len() as i128 * sum + total).div_euclid((2 * total).max(1))
            } else {
                sum
            };
            *out = clamp_i32(score as i64);
        }
    }
}

/// `sum_j (a_j - b_j)^2`.
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
        let weights = if self.by_distance { "distance" } else { "uniform" };
        vec![("k", Attr::Int(self.k.into())), ("weights", Attr::Word(weights.to_string()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [x, known, votes] = arity(NAME, inputs)?;
        let (DType::I16, [rows, Dim::Fixed(width @ 1..)]) = (x.dtype, &x.shape.0[..]) else {
            return Err(misfit(NAME, "rows", "i16 [N, F]", &x.describe()));
        };
        if self.k == 0 {
            return Err(misfit(NAME, "k", "1 or more", &self.k));
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
