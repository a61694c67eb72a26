//! `QGemm`: integer rows times an integer matrix.

use super::{Attr, Attrs, Operand, Payload, arity, misfit, requantize, wide};
use crate::fixed::{Requantize, clamp_i32};
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "QGemm";

/// `acc_j = bias_j + sum_k x_k * w_kj` in i32, then requantized: `score_j = clamp((acc_j * m_j + 2^(s_j - 1))
/// >> s_j)` in i64 to i32, half up.
///
/// Inputs: `x: i16 [N, K]`; constants `w: i16 [K, M]`, `bias: i32 [M]` and `requantize: i64 [2, M]`, M at least
/// 1, first all `m` (`2^30 <= m < 2^31`), then all `s` (`1 <= s <= 62`). Output: `i32 [N, M]`. That `acc` stays
/// below 2^31 whatever the row, in any order of the sum, is proven from `w` and `bias`: `2^15 sum_k |w_kj| +
/// |bias_j| < 2^31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct QGemm;

impl QGemm {
    pub(super) fn parse(_: &Attrs) -> Result<QGemm, Error> {
        Ok(QGemm)
    }

    /// The scores of a row `x [K]` from `w [K, M]`; `acc` is room for sums, `[M]`.
    #[inline]
    pub fn scores_into(
        x: &[i16],
        w: &[i16],
        bias: &[i32],
        pairs: &[Requantize],
        acc: &mut [i32],
        out: &mut [i32],
    ) {
        acc.copy_from_slice(bias);
        for (&x, w) in x.iter().zip(w.chunks_exact(bias.len().max(1))) {
            acc.iter_mut().zip(w).for_each(|(acc, &w)| *acc += i32::from(x) * i32::from(w));
        }
        for ((out, &acc), pair) in out.iter_mut().zip(&*acc).zip(pairs) {
            *out = clamp_i32(pair.apply(acc.into()));
        }
    }
}

impl Payload for QGemm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [x, w, bias, pairs] = arity(NAME, inputs)?;
        let (DType::I16, [rows, Dim::Fixed(inner)]) = (x.dtype, &x.shape.0[..]) else {
            return Err(misfit(NAME, "rows", "i16 [N, K]", &x.describe()));
        };
        let (weights, n_outputs) = match (w.constant.map(|c| c.data()), &w.shape.0[..]) {
            (Some(TensorData::I16(v)), [Dim::Fixed(k), Dim::Fixed(m @ 1..)]) if k == inner => (v, *m),
            _ => {
                let expected = alloc::format!("a constant i16 [{inner}, M], M at least 1");
                return Err(misfit(NAME, "weights", &expected, &w.describe()));
            }
        };
        let starts = match (bias.constant.map(|c| c.data()), &bias.shape.0[..]) {
            (Some(TensorData::I32(v)), [Dim::Fixed(m)]) if *m == n_outputs => v,
            _ => {
                let expected = alloc::format!("a constant i32 [{n_outputs}]");
                return Err(misfit(NAME, "bias", &expected, &bias.describe()));
            }
        };
        requantize(NAME, pairs, n_outputs)?;
        for (j, &start) in starts.iter().enumerate() {
            let sizes = weights.iter().skip(j).step_by(n_outputs).map(|w| u64::from(w.unsigned_abs()));
            let most = sizes.sum::<u64>().saturating_mul(1 << 15).saturating_add(start.unsigned_abs().into());
            if most > i32::MAX.unsigned_abs().into() {
                let expected = "weights whose sums stay below 2^31";
                return Err(misfit(NAME, "accumulator", expected, &most));
            }
        }
        Ok(vec![(DType::I32, wide(NAME, rows, n_outputs)?)])
    }
}
