//! `QuantizeLinear`, `DequantizeLinear`: numbers to small integers or floats, and back.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, axis_of, between, flag, met, misfit, one, word};
use crate::fixed::{Narrow, Overflow};
use crate::op::Attrs;
use crate::{DType, Dim, Error};
use alloc::vec;
use alloc::vec::Vec;

/// `q = clamp(round_ties_even(x / scale) + zero_point)` for integers, `x / scale` rounded for small floats.
///
/// Inputs: `x`; the scale, one number, `[length of the axis]`, or one for each block of the axis; the zero point,
/// shaped alike, which may be left out for 0. Output: `to`, of the shape of `x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuantizeLinear {
    /// The axis that scales follow; negative from the end.
    pub axis: i64,
    /// Elements of the axis that share a scale; 0 where there are no blocks.
    pub block: usize,
    /// The dtype of the output.
    pub to: DType,
    /// The dtype in which the quotient is rounded; none for that of the scale.
    pub precision: Option<DType>,
    /// What a small float does beyond its largest number.
    pub overflow: Overflow,
}

/// `x = (q - zero_point) * scale`.
///
/// Inputs and shapes as those of [`QuantizeLinear`], with `q` an integer or a small float. Output: `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DequantizeLinear {
    /// The axis that scales follow; negative from the end.
    pub axis: i64,
    /// Elements of the axis that share a scale; 0 where there are no blocks.
    pub block: usize,
    /// The dtype of the output.
    pub to: DType,
}

fn is_scale(dtype: DType) -> bool {
    matches!(dtype, DType::F32 | DType::F64 | DType::Half(_) | DType::I32 | DType::Narrow(Narrow::E8M0))
}

fn is_stored(dtype: DType) -> bool {
    match dtype {
        DType::U8 | DType::I8 | DType::U16 | DType::I16 | DType::I32 => true,
        DType::Narrow(narrow) => narrow != Narrow::E8M0,
        _ => false,
    }
}

/// Scales against the tensor that they belong to.
fn scales(op: &'static str, inputs: &[Operand<'_>], axis: i64, block: usize) -> Result<(), Error> {
    let (x, scale) = (&inputs[0], &inputs[1]);
    if !is_scale(scale.dtype) {
        return Err(misfit(op, "scale", "floats", &scale.describe()));
    }
    if let Some(zero) = inputs.get(2) {
        let alike = match (zero.shape.lengths(), scale.shape.lengths()) {
            (Some(zero), Some(scale)) => zero == scale || zero.iter().chain(&scale).all(|&n| n == 1),
            _ => true,
        };
        if !alike {
            return Err(misfit(op, "zero point", &scale.describe(), &zero.describe()));
        }
    }
    let (Some(axes), Some(own)) = (x.shape.axes(), scale.shape.axes()) else { return Ok(()) };
    if block == 0 && (own.is_empty() || own == [Dim::Fixed(1)]) {
        return Ok(());
    }
    let axis = axis_of(op, axis, axes.len())?;
    let fits = if block == 0 {
        matches!(own, [n] if met(n, &axes[axis]).is_some())
    } else {
        own.len() == axes.len()
            && own.iter().zip(axes).enumerate().all(|(at, (have, want))| match (have, want) {
                (Dim::Fixed(n), Dim::Fixed(m)) if at == axis => *n == m.div_ceil(block),
                (Dim::Fixed(_), _) if at == axis => true,
                (have, want) => at == axis || met(have, want).is_some(),
            })
    };
    if fits {
        return Ok(());
    }
    let expected = match block {
        0 => alloc::format!("[] or [{}]", axes[axis]),
        _ => alloc::format!("{} in blocks of {block} along axis {axis}", x.shape),
    };
    Err(misfit(op, "scale", &expected, &scale.describe()))
}

fn placed(axis: i64, block: usize) -> Vec<(&'static str, Attr)> {
    vec![("axis", Attr::Int(axis)), ("block_size", super::numbers(&[block]))]
}

impl Payload for QuantizeLinear {
    fn name(&self) -> &'static str {
        "QuantizeLinear"
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let mut attrs = placed(self.axis, self.block);
        attrs.push(("output_dtype", word(self.to.name())));
        attrs.push(("saturate", flag(self.overflow == Overflow::Saturate)));
        if let Some(precision) = self.precision {
            attrs.push(("precision", word(precision.name())));
        }
        attrs
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let name = self.name();
        between(name, inputs, 2, 3)?;
        let x = &inputs[0];
        if !matches!(x.dtype, DType::F32 | DType::F64 | DType::Half(_) | DType::I32) {
            return Err(misfit(name, "input", "f16, bf16, f32, f64 or i32", &x.describe()));
        }
        if !is_stored(self.to) || inputs.get(2).is_some_and(|zero| zero.dtype != self.to) {
            return Err(misfit(
                name,
                "zero point",
                "an integer of 16 bits or fewer, or a small float",
                &self.to,
            ));
        }
        scales(name, inputs, self.axis, self.block)?;
        one(self.to, x.shape.clone())
    }
}

impl Payload for DequantizeLinear {
    fn name(&self) -> &'static str {
        "DequantizeLinear"
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let mut attrs = placed(self.axis, self.block);
        attrs.push(("output_dtype", word(self.to.name())));
        attrs
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let name = self.name();
        between(name, inputs, 2, 3)?;
        let q = &inputs[0];
        if !is_stored(q.dtype) || inputs.get(2).is_some_and(|zero| zero.dtype != q.dtype) {
            return Err(misfit(
                name,
                "input",
                "integers or small floats, and a zero point alike",
                &q.describe(),
            ));
        }
        if !matches!(self.to, DType::F32 | DType::F64 | DType::Half(_)) {
            return Err(misfit(name, "output_dtype", "f16, bf16, f32 or f64", &self.to));
        }
        scales(name, inputs, self.axis, self.block)?;
        one(self.to, q.shape.clone())
    }
}

impl Stored for QuantizeLinear {
    fn parse(name: &str, attrs: &Attrs) -> Found<QuantizeLinear> {
        let op = "QuantizeLinear";
        (name == op).then(|| {
            Ok(QuantizeLinear {
                axis: attrs.int(op, "axis")?,
                block: attrs.count(op, "block_size")?,
                to: attrs.dtype(op, "output_dtype")?,
                precision: attrs.maybe("precision", |a| a.dtype(op, "precision"))?,
                overflow: attrs.overflow(op)?,
            })
        })
    }
}

impl Stored for DequantizeLinear {
    fn parse(name: &str, attrs: &Attrs) -> Found<DequantizeLinear> {
        let op = "DequantizeLinear";
        (name == op).then(|| {
            Ok(DequantizeLinear {
                axis: attrs.int(op, "axis")?,
                block: attrs.count(op, "block_size")?,
                to: attrs.dtype(op, "output_dtype")?,
            })
        })
    }
}
