//! `Range`: rising or falling numbers.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, alike, arity, misfit, one};
use crate::op::Attrs;
use crate::{DType, Dim, Shape, Tensor, TensorData};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "Range";

/// ONNX's `Range`: `start, start + delta, ..` before `limit`. Inputs: three numbers of one dtype. Output: `[n]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range;

impl Range {
    /// Number of elements between two numbers, `max(ceil((limit - start) / delta), 0)`; none for a delta of 0, or
    /// past what can be counted.
    pub fn n_elements(start: &Tensor, limit: &Tensor, delta: &Tensor) -> Option<usize> {
        let whole = |t: &Tensor| match t.data() {
            TensorData::I64(v) => v.first().map(|&x| i128::from(x)),
            TensorData::I32(v) => v.first().map(|&x| x.into()),
            TensorData::I16(v) => v.first().map(|&x| x.into()),
            _ => None,
        };
        if let (Some(start), Some(limit), Some(delta)) = (whole(start), whole(limit), whole(delta)) {
            let (distance, step) = if delta < 0 { (start - limit, -delta) } else { (limit - start, delta) };
            let n = (distance.max(0) + step - 1).checked_div(step)?;
            return usize::try_from(n).ok();
        }
        let real = |t: &Tensor| match t.data() {
            TensorData::F32(v) => v.first().map(|&x| f64::from(x)),
            TensorData::F64(v) => v.first().copied(),
            TensorData::Half(half, v) => v.first().map(|&x| half.to_f32(x).into()),
            _ => None,
        };
        let n = (real(limit)? - real(start)?) / real(delta)?;
        // Above 2^53 doubles cannot count.
        if n.is_nan() || n > 9_007_199_254_740_992.0 {
            return None;
        }
        let floor = n.max(0.0) as usize;
        Some(floor + usize::from((floor as f64) < n))
    }
}

impl Payload for Range {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [start, limit, delta] = arity(NAME, inputs)?;
        alike(NAME, start, &inputs[1..])?;
        if !matches!(
            start.dtype,
            DType::I16 | DType::I32 | DType::I64 | DType::F32 | DType::F64 | DType::Half(_)
        ) {
            return Err(misfit(NAME, "inputs", "i16, i32, i64 or floats", &start.describe()));
        }
        let n = match (start.constant, limit.constant, delta.constant) {
            (Some(start), Some(limit), Some(delta)) => {
                let n = Range::n_elements(start, limit, delta);
                Dim::Fixed(n.ok_or_else(|| misfit(NAME, "delta", "one that leads to limit", &"another"))?)
            }
            _ => Dim::Unknown,
        };
        one(start.dtype, Shape(vec![n]))
    }
}

impl Stored for Range {
    fn parse(name: &str, _: &Attrs) -> Found<Range> {
        (name == NAME).then_some(Ok(Range))
    }
}
