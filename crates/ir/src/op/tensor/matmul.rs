//! `MatMul`, `MatMulInteger`: products of matrices.

use super::stored::{Found, Stored, named};
use super::{Attr, Made, Operand, Payload, alike, arity, broadcast, met, misfit, one};
use crate::op::Attrs;
use crate::{DType, Dim, Error, Shape};
use alloc::vec::Vec;

/// ONNX's operators of these names, with numpy's rules: the last two axes are matrices, those before them broadcast,
/// and a vector is a row on the left, a column on the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatMul {
    /// Of numbers: floats, or integers that wrap.
    Numbers,
    /// Of `i8` or `u8`, each with a zero point, one for all or one a row of `a`, one a column of `b`; gives `i32`.
    Integers,
}

/// Refuses what cannot be multiplied.
pub(super) fn numbers(op: &'static str, operand: &Operand<'_>) -> Result<(), Error> {
    match operand.dtype {
        DType::F32 | DType::F64 | DType::Half(_) | DType::I32 | DType::I64 | DType::U32 | DType::U64 => {
            Ok(())
        }
        _ => Err(misfit(op, "input", "floats, or integers of 32 or 64 bits", &operand.describe())),
    }
}

/// Shape of a product.
pub(super) fn shape(op: &'static str, a: &Operand<'_>, b: &Operand<'_>) -> Result<Shape, Error> {
    let (Some(left), Some(right)) = (a.shape.axes(), b.shape.axes()) else { return Ok(Shape::any()) };
    let (inner, depth) = match (left, right) {
        ([.., inner], [depth]) => (inner, depth),
        ([.., inner], [.., depth, _]) => (inner, depth),
        _ => {
            return Err(misfit(op, "inputs", "one axis or more", &alloc::format!("{} {}", a.shape, b.shape)));
        }
    };
    if met(inner, depth).is_none() {
        let expected = alloc::format!("equal ones, left {}", a.shape);
        return Err(misfit(op, "inner lengths", &expected, &alloc::format!("right {}", b.shape)));
    }
    let batch = |axes: &[Dim]| Shape(axes[..axes.len().saturating_sub(2)].to_vec());
    let mut dims = broadcast(op, &[&batch(left), &batch(right)])?.0;
    if let [.., rows, _] = left {
        dims.push(rows.clone());
    }
    if let [.., _, columns] = right {
        dims.push(columns.clone());
    }
    Ok(Shape(dims))
}

impl Payload for MatMul {
    fn name(&self) -> &'static str {
        match self {
            MatMul::Numbers => "MatMul",
            MatMul::Integers => "MatMulInteger",
        }
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let name = self.name();
        match self {
            MatMul::Numbers => {
                let [a, b] = arity(name, inputs)?;
                numbers(name, a)?;
                alike(name, a, &[*b])?;
                one(a.dtype, shape(name, a, b)?)
            }
            MatMul::Integers => {
                let [a, b, a_zero, b_zero] = arity(name, inputs)?;
                for (operand, zero) in [(a, a_zero), (b, b_zero)] {
                    if !matches!(operand.dtype, DType::U8 | DType::I8) || zero.dtype != operand.dtype {
                        return Err(misfit(
                            name,
                            "inputs",
                            "u8 or i8, and zero points alike",
                            &zero.describe(),
                        ));
                    }
                }
                let shape = shape(name, a, b)?;
                // A zero point a row is `[M]` or `[.., M, 1]`, one a column `[N]` or `[.., 1, N]`.
                let of_row = match a_zero.shape.axes() {
                    Some([m]) => Shape(alloc::vec![m.clone(), Dim::Fixed(1)]),
                    _ => a_zero.shape.clone(),
                };
                for (operand, zero) in [(a, &of_row), (b, b_zero.shape)] {
                    let lengths = zero.lengths().filter(|z| z.iter().any(|&n| n != 1));
                    if lengths.is_some() && operand.shape.lengths().is_some() {
                        let joint = broadcast(name, &[operand.shape, zero])?;
                        if joint != *operand.shape {
                            let expected = alloc::format!("one a row or column of {}", operand.shape);
                            return Err(misfit(name, "zero points", &expected, zero));
                        }
                    }
                }
                one(DType::I32, shape)
            }
        }
    }

    fn is_exact(&self) -> bool {
        matches!(self, MatMul::Integers)
    }
}

impl Stored for MatMul {
    fn parse(name: &str, _: &Attrs) -> Found<MatMul> {
        named(&[MatMul::Numbers, MatMul::Integers], name, Payload::name).map(Ok)
    }
}
