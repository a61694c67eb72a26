//! Values that are written down, or follow from a shape.

use super::{Operator, Outputs};
use crate::context::Context;
use ir::op::tensor::{ConstantOfShape, EyeLike, Identity, Range};
use ir::{DType, Tensor, TensorData};

pub(super) const OPERATORS: &[Operator] = &[
    Operator::of("Constant", 1, constant),
    Operator::of("ConstantOfShape", 9, constant_of_shape),
    Operator::of("EyeLike", 9, eye_like),
    Operator::of("Identity", 1, identity),
    Operator::of("Range", 11, |c| {
        let inputs = c.all_inputs()?;
        c.emit_all(Range, &inputs)
    }),
];

fn constant(c: &mut Context<'_, '_>) -> Outputs {
    if c.has("sparse_value") {
        return Err(c.unsupported("a sparse value", "export it dense"));
    }
    let vector = |data| Some(Tensor::vector(data));
    let tensor = if let Some(tensor) = c.tensor("value")? {
        Some(tensor)
    } else if let Some(x) = c.float_or("value_float")? {
        Tensor::scalar(TensorData::F32(vec![x]))
    } else if let Some(x) = c.int_or("value_int")? {
        Tensor::scalar(TensorData::I64(vec![x]))
    } else if let Some(v) = c.floats("value_floats") {
        vector(TensorData::F32(v))
    } else if let Some(v) = c.ints("value_ints") {
        vector(TensorData::I64(v))
    } else if let Some(v) = c.words("value_strings")? {
        vector(TensorData::Str(v))
    } else if c.has("value_string") {
        Tensor::scalar(TensorData::Str(vec![c.word("value_string", "")?]))
    } else {
        None
    };
    let tensor = tensor.ok_or_else(|| c.misfit("attributes", "a value", "none"))?;
    Ok(vec![c.add_constant(tensor)?])
}

fn constant_of_shape(c: &mut Context<'_, '_>) -> Outputs {
    let value = match c.tensor("value")? {
        Some(tensor) => tensor,
        None => Tensor::vector(TensorData::F32(vec![0.0])),
    };
    let shape = c.input(0)?;
    c.emit_all(ConstantOfShape { value }, &[shape])
}

fn eye_like(c: &mut Context<'_, '_>) -> Outputs {
    let x = c.input(0)?;
    let dtype: DType = c.dtype_attribute("dtype")?.unwrap_or(c.dtype(x));
    let k = c.int("k", 0)?;
    c.emit_all(EyeLike { k, dtype }, &[x])
}

/// The value itself; a node is written only where an output of the graph needs a name of its own.
fn identity(c: &mut Context<'_, '_>) -> Outputs {
    let x = c.input(0)?;
    match c.constant(x).is_some() {
        true => c.emit_all(Identity, &[x]),
        false => Ok(vec![x]),
    }
}
