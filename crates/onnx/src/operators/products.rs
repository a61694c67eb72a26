//! Products of matrices.

use super::{Operator, Outputs};
use crate::context::Context;
use ir::op::tensor::{Det, Einsum, Gemm, MatMul};

pub(super) const OPERATORS: &[Operator] = &[
    Operator::of("MatMul", 1, |c| {
        let inputs = c.all_inputs()?;
        c.emit_all(MatMul::Numbers, &inputs)
    }),
    Operator::of("Gemm", 7, |c| {
        let op = Gemm {
            alpha: c.float("alpha", 1.0)?,
            beta: c.float("beta", 1.0)?,
            transpose_a: c.flag("transA", false)?,
            transpose_b: c.flag("transB", false)?,
        };
        let mut inputs = vec![c.input(0)?, c.input(1)?];
        inputs.extend(c.optional(2));
        c.emit_all(op, &inputs)
    }),
    Operator::of("Einsum", 12, |c: &mut Context<'_, '_>| -> Outputs {
        let equation = c.word("equation", "")?;
        let inputs = c.all_inputs()?;
        c.emit_all(Einsum { equation }, &inputs)
    }),
    Operator::of("Det", 11, |c| {
        let x = c.input(0)?;
        c.emit_all(Det, &[x])
    }),
];
