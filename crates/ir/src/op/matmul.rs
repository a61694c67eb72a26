//! `MatMul`: rows times a matrix.

use super::{Attr, Attrs, Operand, Payload, arity, misfit, wide};
use crate::{DType, Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "MatMul";

/// ONNX's `MatMul` of rows and a constant: `out[n, j] = sum_k x[n, k] * w[k, j]`, summed over `k` in rising
/// order from 0, each product and sum rounded to double, never fused.
///
/// Inputs: `f64 [N, K]` and a constant `f64 [K, M]`. Output: `f64 [N, M]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct MatMul;

impl MatMul {
    pub(super) fn parse(_: &Attrs) -> Result<MatMul, Error> {
        Ok(MatMul)
    }
}

impl Payload for MatMul {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [x, w] = arity(NAME, inputs)?;
        let (DType::F64, [rows, Dim::Fixed(inner)]) = (x.dtype, &x.shape.0[..]) else {
            return Err(misfit(NAME, "rows", "f64 [N, K]", &x.describe()));
        };
        match (w.dtype, &w.shape.0[..], w.constant) {
            (DType::F64, [Dim::Fixed(k), Dim::Fixed(m)], Some(_)) if k == inner => {
                Ok(vec![(DType::F64, wide(NAME, rows, *m)?)])
            }
            _ => Err(misfit(NAME, "matrix", &alloc::format!("a constant f64 [{inner}, M]"), &w.describe())),
        }
    }
}
