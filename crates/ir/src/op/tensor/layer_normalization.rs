//! `LayerNormalization`: normalisation over the last axes.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, axis_of, between, floats, one};
use crate::op::Attrs;
use crate::{DType, Dim, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "LayerNormalization";

/// `y = (x - mean) / sqrt(variance + epsilon) * scale + bias`, with mean and variance over the axes from `axis` on.
///
/// Inputs: `x`, `scale` and, if it is there, `bias`, which broadcast to `x`. Outputs: `y` as `x`; mean and
/// `1 / sqrt(variance + epsilon)` in `f32` (`f64` of doubles), the axes of length 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNormalization {
    /// The first axis that is normalised; negative from the end.
    pub axis: i64,
    /// Added to the variance.
    pub epsilon: f32,
}

impl Payload for LayerNormalization {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("axis", Attr::Int(self.axis)), ("epsilon", Attr::Float(self.epsilon))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        between(NAME, inputs, 2, 3)?;
        let x = &inputs[0];
        for input in inputs {
            floats(NAME, "inputs", input)?;
        }
        let of_statistics = if x.dtype == DType::F64 { DType::F64 } else { DType::F32 };
        let Some(axes) = x.shape.axes() else {
            return Ok(vec![
                (x.dtype, Shape::any()),
                (of_statistics, Shape::any()),
                (of_statistics, Shape::any()),
            ]);
        };
        let axis = axis_of(NAME, self.axis, axes.len())?;
        let mut dims = axes.to_vec();
        dims[axis..].fill(Dim::Fixed(1));
        for factor in &inputs[1..] {
            let joint = super::broadcast(NAME, &[x.shape, factor.shape])?;
            if joint.axes().is_some_and(|j| j.len() != axes.len())
                || (joint.lengths().is_some() && x.shape.lengths().is_some() && joint != *x.shape)
            {
                let expected = alloc::format!("one that broadcasts to {}", x.shape);
                return Err(super::misfit(NAME, "scale or bias", &expected, &factor.describe()));
            }
        }
        let statistics = (of_statistics, Shape(dims));
        let mut made = one(x.dtype, x.shape.clone())?;
        made.extend([statistics.clone(), statistics]);
        Ok(made)
    }

    fn is_exact(&self) -> bool {
        false
    }
}

impl Stored for LayerNormalization {
    fn parse(name: &str, attrs: &Attrs) -> Found<LayerNormalization> {
        (name == NAME).then(|| {
            Ok(LayerNormalization { axis: attrs.int(NAME, "axis")?, epsilon: attrs.float(NAME, "epsilon")? })
        })
    }
}
