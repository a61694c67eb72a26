//! `Gather`: some columns of a matrix.

use super::{Attr, Attrs, Operand, Payload, arity, misfit, wide};
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Gather";

/// ONNX's `Gather` over axis 1: `out[n, j] = x[n, indices[j]]`.
///
/// Inputs: `f64 [N, K]`, or scores, `i32 [N, K]`, and `indices`, a constant of `i64` within `0..K`, `[M]` or a scalar `[]`.
/// Output: the same dtype, `[N, M]`, or `[N]` for a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Gather;

impl Gather {
    pub(super) fn parse(_: &Attrs) -> Result<Gather, Error> {
        Ok(Gather)
    }
}

impl Payload for Gather {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [x, indices] = arity(NAME, inputs)?;
        let (DType::F64 | DType::I32, [rows, Dim::Fixed(width)]) = (x.dtype, &x.shape.0[..]) else {
            return Err(misfit(NAME, "input", "f64 or i32 [N, K]", &x.describe()));
        };
        let Some(constant) = indices.constant else {
            return Err(misfit(NAME, "indices", "a constant", &"a computed value"));
        };
        let TensorData::I64(at) = constant.data() else {
            return Err(misfit(NAME, "indices", "i64", &indices.dtype));
        };
        let shape = match constant.dims() {
            [] => Shape(vec![rows.clone()]),
            [n] => wide(NAME, rows, *n)?,
            _ => return Err(misfit(NAME, "indices", "[M] or []", &indices.describe())),
        };
        match at.iter().find(|&&i| usize::try_from(i).map_or(true, |i| i >= *width)) {
            None => Ok(vec![(x.dtype, shape)]),
            Some(i) => Err(misfit(NAME, "indices", &alloc::format!("positions below {width}"), i)),
        }
    }
}
