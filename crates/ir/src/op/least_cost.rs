//! `LeastCost`: the class whose expected cost is least.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "LeastCost";

/// `label = argmin_k sum_j p_j * cost_jk`, the sum in doubles over rising `j` from 0, each product and sum
/// rounded, never fused; ties go to the first class. A sum that overflowed to NaN is no least one; where no sum
/// is below infinity, the label is 0.
///
/// Inputs: probabilities `f32 [N, K]`, K at least 1, and a constant `cost: f64 [K, K]`, rows true, columns
/// predicted, finite. Output: `i64 [N]`.
/// # Source  Elkan, The Foundations of Cost-Sensitive Learning, IJCAI 2001.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LeastCost;

impl LeastCost {
    pub(super) fn parse(_: &Attrs) -> Result<LeastCost, Error> {
        Ok(LeastCost)
    }

    /// The class of a row; `cost` is `[K, K]` for the `K` probabilities.
    pub fn of(probabilities: impl ExactSizeIterator<Item = f64> + Clone, cost: &[f64]) -> usize {
        let n = probabilities.len();
        let mut best = (0, f64::INFINITY);
        for k in 0..n {
            let column = cost.iter().skip(k).step_by(n.max(1));
            let expected = probabilities.clone().zip(column).fold(0.0, |sum, (p, c)| sum + p * c);
            if expected < best.1 {
                best = (k, expected);
            }
        }
        best.0
    }
}

impl Payload for LeastCost {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [p, cost] = arity(NAME, inputs)?;
        let (DType::F32, [rows, Dim::Fixed(n @ 1..)]) = (p.dtype, &p.shape.0[..]) else {
            return Err(misfit(NAME, "probabilities", "f32 [N, K]", &p.describe()));
        };
        match (cost.constant.map(|c| c.data()), &cost.shape.0[..]) {
            (Some(TensorData::F64(v)), [Dim::Fixed(a), Dim::Fixed(b)]) if a == n && b == n => {
                match v.iter().find(|c| !c.is_finite()) {
                    None => Ok(vec![(DType::I64, Shape(vec![rows.clone()]))]),
                    Some(other) => Err(misfit(NAME, "cost", "finite numbers", other)),
                }
            }
            _ => Err(misfit(NAME, "cost", &alloc::format!("a constant f64 [{n}, {n}]"), &cost.describe())),
        }
    }
}
