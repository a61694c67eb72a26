//! `BagGemm`: bags times a matrix.

use super::{Attr, Attrs, Operand, Payload, arity, bag, misfit, wide};
use crate::{DType, Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "BagGemm";

/// `out[n, j] = sum over the ids k of row n of weight[n, k] * w[k, j]`, summed over rising ids from 0, each
/// product and sum rounded to double, never fused; an empty bag gives zeros, every NaN is the one of
/// [`f64::NAN`].
///
/// Inputs: a bag `[N, V]` and a constant `f64 [V, M]`. Output: `f64 [N, M]`. ONNX's `MatMul` on the dense
/// matrix has the same value wherever `w` is finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct BagGemm;

impl BagGemm {
    pub(super) fn parse(_: &Attrs) -> Result<BagGemm, Error> {
        Ok(BagGemm)
    }
}

impl Payload for BagGemm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [bags, w] = arity(NAME, inputs)?;
        let (rows, width) = bag(NAME, bags)?;
        match (w.dtype, &w.shape.0[..], w.constant) {
            (DType::F64, [Dim::Fixed(k), Dim::Fixed(m)], Some(_)) if *k == width => {
                Ok(vec![(DType::F64, wide(NAME, rows, *m)?)])
            }
            _ => Err(misfit(NAME, "matrix", &alloc::format!("a constant f64 [{width}, M]"), &w.describe())),
        }
    }
}
