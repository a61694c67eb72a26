//! `RbfSums`: weighted similarities to known rows.

use super::nearest_rows::squared_distance;
use super::{Attr, Attrs, Operand, Payload, arity, misfit, requantize, wide};
use crate::fixed::{Requantize, clamp_i32};
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "RbfSums";

/// What a support vector machine computes: `acc_k = (sum_s coefficient_sk * similarity(d_s) + 2^15) >> 16`,
/// `score_k = start_k + ((acc_k * m_k + 2^(s_k - 1)) >> s_k)` in i64, clamped to i32.
///
/// `d_s = sum_j (x_j - v_sj)^2` in i64 is the distance to the support vector `v_s`. The similarity is read
/// from `table`, whose entries are `2^step` apart, and interpolated: `i = d >> step`, `f = d mod 2^step`,
/// `t_i - (((t_i - t_(i+1)) * f) >> step)`; entries past the table's end are 0.
///
/// Inputs: `x: i16 [N, F]`, F at least 1; constants `vectors: i16 [S, F]` of at most [`RbfSums::MAX_CELLS`]
/// cells, which may be none; `coefficients: i16 [S, K]`, K at least 1; `table: i32 [T]`, T at least 2, not
/// rising, between 0 and 2^16; `requantize: i64 [2, K]` as `QGemm` has it; `start: i32 [K]`. Output: `i32 [N,
/// K]`. That no sum of sizes `sum_s |coefficient_sk|` reaches 2^31, so that `acc` does not either, is proven
/// from the constants.
/// # Source  Cortes and Vapnik, Machine Learning 20, 1995.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RbfSums {
    /// Squared distance of two entries of the table is `2^step`.
    pub step: u8,
}

impl RbfSums {
    /// Most cells of the support vectors: a hostile file must not ask for much work a row.
    pub const MAX_CELLS: usize = 1 << 24;
    /// Largest entry of a table.
    pub const ONE: i32 = 1 << 16;
    /// Largest step; no distance of 65,536 columns is above 2^48.
    const MAX_STEP: u8 = 50;

    pub(super) fn parse(attrs: &Attrs) -> Result<RbfSums, Error> {
        Ok(RbfSums { step: attrs.int(NAME, "step")? })
    }

    /// The similarity at a squared distance.
    #[inline]
    pub fn similarity(self, distance: i64, table: &[i32]) -> i32 {
        let at = usize::try_from(distance >> self.step).unwrap_or(usize::MAX);
        let Some(&here) = table.get(at) else { return 0 };
        let next = table.get(at + 1).copied().unwrap_or(0);
        let part = distance & ((1i64 << self.step) - 1);
        // The product is below 2^(16 + 50).
        here - ((i128::from(here - next) * i128::from(part)) >> self.step) as i32
    }

    /// The similarity of two rows.
    #[inline]
    pub fn of(self, a: &[i16], b: &[i16], table: &[i32]) -> i32 {
        self.similarity(squared_distance(a, b), table)
    }

    /// The scores of a row `[F]`; `parts` are the constants of the node. `acc` is room for sums, `[K]`.
    pub fn scores_into(self, row: &[i16], parts: &RbfParts<'_>, acc: &mut [i64], out: &mut [i32]) {
        acc.fill(0);
        let vectors = parts.vectors.chunks_exact(row.len().max(1));
        for (v, c) in vectors.zip(parts.coefficients.chunks_exact(out.len().max(1))) {
            let similarity = i64::from(self.of(row, v, parts.table));
            acc.iter_mut().zip(c).for_each(|(acc, &c)| *acc += i64::from(c) * similarity);
        }
        parts.finish(acc, out);
    }
}

/// The constants of a node of [`RbfSums`].
#[derive(Clone, Copy, Debug)]
pub struct RbfParts<'a> {
    /// `[S, F]`.
    pub vectors: &'a [i16],
    /// `[S, K]`.
    pub coefficients: &'a [i16],
    /// `[T]`.
    pub table: &'a [i32],
    /// `[K]`.
    pub pairs: &'a [Requantize],
    /// `[K]`.
    pub start: &'a [i32],
}

impl RbfParts<'_> {
    /// The scores of the sums `sum_s coefficient_sk * similarity(d_s)`.
    #[inline]
    pub fn finish(&self, sums: &[i64], out: &mut [i32]) {
        for (((out, &sum), pair), &start) in out.iter_mut().zip(sums).zip(self.pairs).zip(self.start) {
            *out = clamp_i32(pair.apply((sum + (1 << 15)) >> 16) + i64::from(start));
        }
    }
}

impl Payload for RbfSums {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("step", Attr::Int(self.step.into()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [x, vectors, coefficients, table, pairs, start] = arity(NAME, inputs)?;
        let (DType::I16, [rows, Dim::Fixed(width @ 1..)]) = (x.dtype, &x.shape.0[..]) else {
            return Err(misfit(NAME, "rows", "i16 [N, F]", &x.describe()));
        };
        if self.step > Self::MAX_STEP {
            return Err(misfit(NAME, "step", "0..=50", &self.step));
        }
        let n_vectors = match (vectors.constant.map(|c| c.data()), &vectors.shape.0[..]) {
            (Some(TensorData::I16(v)), [Dim::Fixed(n), Dim::Fixed(f)])
                if f == width && v.len() <= Self::MAX_CELLS =>
            {
                *n
            }
            _ => {
                let expected =
                    alloc::format!("a constant i16 [S, {width}] of at most {} cells", Self::MAX_CELLS);
                return Err(misfit(NAME, "vectors", &expected, &vectors.describe()));
            }
        };
        let (weights, n_outputs) = match (coefficients.constant.map(|c| c.data()), &coefficients.shape.0[..])
        {
            (Some(TensorData::I16(v)), [Dim::Fixed(n), Dim::Fixed(k @ 1..)]) if *n == n_vectors => (v, *k),
            _ => {
                let expected = alloc::format!("a constant i16 [{n_vectors}, K], K at least 1");
                return Err(misfit(NAME, "coefficients", &expected, &coefficients.describe()));
            }
        };
        let falls = |t: &[i32]| {
            let ends = t.len() >= 2 && t[0] <= Self::ONE && t[t.len() - 1] >= 0;
            ends && t.windows(2).all(|p| p[0] >= p[1])
        };
        match (table.constant.map(|c| c.data()), table.shape.rank()) {
            (Some(TensorData::I32(t)), 1) if falls(t) => {}
            _ => {
                let expected = "a constant i32 [T] that does not rise, from at most 2^16 to at least 0";
                return Err(misfit(NAME, "table", expected, &table.describe()));
            }
        }
        requantize(NAME, pairs, n_outputs)?;
        match (start.constant.map(|c| c.data()), &start.shape.0[..]) {
            (Some(TensorData::I32(_)), [Dim::Fixed(k)]) if *k == n_outputs => {}
            _ => {
                let expected = alloc::format!("a constant i32 [{n_outputs}]");
                return Err(misfit(NAME, "start", &expected, &start.describe()));
            }
        }
        for k in 0..n_outputs {
            let sizes = weights.iter().skip(k).step_by(n_outputs).map(|w| u64::from(w.unsigned_abs()));
            let most = sizes.sum::<u64>();
            // A similarity is at most 2^16, which is shifted out before the multiplier comes.
            if most > u64::from(u32::MAX >> 1) {
                return Err(misfit(NAME, "accumulator", "coefficients whose sums stay below 2^31", &most));
            }
        }
        Ok(vec![(DType::I32, wide(NAME, rows, n_outputs)?)])
    }
}
