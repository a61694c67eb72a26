//! `QuantizeLinear`: numbers to small integers.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::fixed::round_i32;
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "QuantizeLinear";

/// ONNX's `QuantizeLinear` by column, to 16 bits around zero: `q = clamp(round_ties_even(x / scale), -32767,
/// 32767)`, so that `real = scale * q`. Missing is 0.
///
/// Inputs: `f64 [N, K]` and a constant `scale: f64 [K]`, finite and above 0. Output: `i16 [N, K]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct QuantizeLinear;

impl QuantizeLinear {
    /// Largest integer.
    pub const MOST: i16 = i16::MAX;

    pub(super) fn parse(_: &Attrs) -> Result<QuantizeLinear, Error> {
        Ok(QuantizeLinear)
    }

    /// The integer of a number.
    #[inline]
    pub fn of(x: f64, scale: f64) -> i16 {
        round_i32(x / scale).clamp(-i32::from(Self::MOST), i32::from(Self::MOST)) as i16
    }
}

impl Payload for QuantizeLinear {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [x, scale] = arity(NAME, inputs)?;
        let (DType::F64, [_, Dim::Fixed(width)]) = (x.dtype, &x.shape.0[..]) else {
            return Err(misfit(NAME, "rows", "f64 [N, K]", &x.describe()));
        };
        match (scale.constant.map(|c| c.data()), &scale.shape.0[..]) {
            (Some(TensorData::F64(v)), [Dim::Fixed(n)]) if n == width => {
                if let Some(other) = v.iter().find(|v| !(v.is_finite() && **v > 0.0)) {
                    return Err(misfit(NAME, "scale", "finite numbers above 0", other));
                }
            }
            _ => {
                let expected = alloc::format!("a constant f64 [{width}]");
                return Err(misfit(NAME, "scale", &expected, &scale.describe()));
            }
        }
        Ok(vec![(DType::I16, x.shape.clone())])
    }
}
