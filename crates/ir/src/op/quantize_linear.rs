//! `QuantizeLinear`: numbers to small integers.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::fixed::round_i32;
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "QuantizeLinear";

/// ONNX's `QuantizeLinear` by column, symmetric: `q = clamp(round_ties_even(x / scale), -most, most)` with `most =
/// 2^(bits - 1) - 1`, so that `real = scale * q`. Missing is 0.
///
/// Inputs: `f64 [N, K]` and a constant `scale: f64 [K]`, finite and above 0. Output: `i16 [N, K]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuantizeLinear {
    /// Bits of an integer, 2 to 16.
    pub bits: u8,
}

impl QuantizeLinear {
    pub(super) fn parse(attrs: &Attrs) -> Result<QuantizeLinear, Error> {
        Ok(QuantizeLinear { bits: attrs.int(NAME, "bits")? })
    }

    /// The largest integer.
    #[inline]
    pub fn most(self) -> i32 {
        (1 << (self.bits.clamp(2, 16) - 1)) - 1
    }

    /// The integer of a number.
    #[inline]
    pub fn of(self, x: f64, scale: f64) -> i16 {
        round_i32(x / scale).clamp(-self.most(), self.most()) as i16
    }
}

impl Payload for QuantizeLinear {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("bits", Attr::Int(self.bits.into()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [x, scale] = arity(NAME, inputs)?;
        if !(2..=16).contains(&self.bits) {
            return Err(misfit(NAME, "bits", "2..=16", &self.bits));
        }
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
