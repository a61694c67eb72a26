//! Values that follow from a shape, and the same value under another name.

use super::step::Step;
use crate::error::Error;
use crate::tensor;
use crate::writer::Attribute;
use ir::op::tensor::{ConstantOfShape, EyeLike};
use ir::{DType, Tensor};

pub(super) fn identity(s: &mut Step<'_>) -> Result<(), Error> {
    s.plain(Vec::new())
}

pub(super) fn range(s: &mut Step<'_>) -> Result<(), Error> {
    s.plain(Vec::new())
}

pub(super) fn constant_of_shape(s: &mut Step<'_>, op: &ConstantOfShape) -> Result<(), Error> {
    // ONNX wants one axis.
    let value = Tensor::vector(op.value.data().clone());
    let (dtype, shape) = (value.dtype(), s.wide(0)?);
    let value = Attribute::Tensor(tensor::write("value", &value));
    s.write("ConstantOfShape", &[dtype], vec![shape], vec![("value", value)])
}

pub(super) fn eye_like(s: &mut Step<'_>, op: EyeLike) -> Result<(), Error> {
    let own: DType = s.dtype(0)?;
    let attributes = vec![("dtype", Attribute::Int(op.dtype.tag().into())), ("k", Attribute::Int(op.k))];
    let x = s.input(0)?;
    s.write("EyeLike", &[own, op.dtype], vec![x], attributes)
}
