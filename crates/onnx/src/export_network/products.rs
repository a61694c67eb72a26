//! Products of matrices.

use super::step::{Step, flag, word};
use crate::error::Error;
use crate::writer::Attribute;
use ir::op::tensor::{Einsum, Gemm, MatMul};

pub(super) fn matmul(s: &mut Step<'_>, op: MatMul) -> Result<(), Error> {
    match op {
        MatMul::Numbers => s.plain(Vec::new()),
        MatMul::Integers => {
            let (a, b, inputs) = (s.dtype(0)?, s.dtype(1)?, s.inputs()?);
            s.write("MatMulInteger", &[a, b], inputs, Vec::new())
        }
    }
}

pub(super) fn gemm(s: &mut Step<'_>, op: Gemm) -> Result<(), Error> {
    s.plain(vec![
        ("alpha", Attribute::Float(op.alpha)),
        ("beta", Attribute::Float(op.beta)),
        ("transA", flag(op.transpose_a)),
        ("transB", flag(op.transpose_b)),
    ])
}

pub(super) fn einsum(s: &mut Step<'_>, op: &Einsum) -> Result<(), Error> {
    s.plain(vec![("equation", word(&op.equation))])
}

pub(super) fn det(s: &mut Step<'_>) -> Result<(), Error> {
    s.plain(Vec::new())
}
