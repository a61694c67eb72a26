//! Numbers to small integers and back: what a quantized network is made of.
//!
//! Version 13 has one scale, or one a channel, of `f32`, for 8 bits; 19 brings floats of 8 bits and scales of 16, 21 blocks
//! and integers of 16 and 4 bits, 23 a dtype of the output, 25 integers of 2 bits.

use super::step::{Step, flag};
use crate::error::Error;
use crate::writer::{Attribute, wide};
use ir::fixed::Overflow;
use ir::op::tensor::{DequantizeLinear, QuantizeLinear};
use ir::{DType, Dim};

/// Where scales stand: nothing to say of one scale for all.
fn placed(s: &mut Step<'_>, axis: i64, block: usize) -> Result<Vec<(&'static str, Attribute)>, Error> {
    if block > 0 {
        s.needs(21);
        return Ok(vec![("axis", Attribute::Int(axis)), ("block_size", Attribute::Int(wide(block)))]);
    }
    match s.axes(1)? {
        Some([] | [Dim::Fixed(1)]) => Ok(Vec::new()),
        _ => Ok(vec![("axis", Attribute::Int(axis))]),
    }
}

fn dtype_number(dtype: DType) -> Attribute {
    Attribute::Int(dtype.tag().into())
}

pub(super) fn quantize(s: &mut Step<'_>, op: QuantizeLinear) -> Result<(), Error> {
    let mut attributes = placed(s, op.axis, op.block)?;
    let (x, scale) = (s.dtype(0)?, s.dtype(1)?);
    let mut inputs = s.inputs()?;
    if op.overflow == Overflow::Special {
        s.needs(19);
        attributes.push(("saturate", flag(false)));
    }
    if let Some(precision) = op.precision {
        s.needs(23);
        attributes.push(("precision", dtype_number(precision)));
    }
    // From 19 to 22 the scale has the dtype of the input; before, it is `f32`.
    if x != scale && (s.versions.opset >= 19 || scale != DType::F32) {
        s.needs(23);
    }
    // Without a zero point the output is `u8`, unless version 21 says otherwise or there is one after all.
    if s.n_inputs() == 2 && op.to != DType::U8 {
        match s.versions.opset {
            21.. => attributes.push(("output_dtype", dtype_number(op.to))),
            _ => match s.zeros_like(1, op.to)? {
                Some(zeros) => inputs.push(zeros),
                None => s.needs(21),
            },
        }
    }
    s.write("QuantizeLinear", &[x, scale, op.to], inputs, attributes)
}

pub(super) fn dequantize(s: &mut Step<'_>, op: DequantizeLinear) -> Result<(), Error> {
    let mut attributes = placed(s, op.axis, op.block)?;
    let (q, scale) = (s.dtype(0)?, s.dtype(1)?);
    if op.to != scale {
        if !matches!(op.to, DType::F32 | DType::Half(_)) {
            return Err(s.refuse(&format!("an output of {}", op.to), "use f32 and a cast"));
        }
        s.needs(23);
        attributes.push(("output_dtype", dtype_number(op.to)));
    }
    let inputs = s.inputs()?;
    s.write("DequantizeLinear", &[q, scale], inputs, attributes)
}

pub(super) fn dynamic(s: &mut Step<'_>) -> Result<(), Error> {
    s.plain(Vec::new())
}
