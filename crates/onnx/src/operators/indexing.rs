//! Elements by their places.

use super::{Operator, Outputs};
use crate::context::Context;
use crate::error::Error;
use ir::op::tensor::{Compress, Gather, NonZero, OneHot, Scatter, ScatterReduction, TopK, Unique};

pub(super) const OPERATORS: &[Operator] = &[
    Operator::of("Gather", 1, |c| {
        let axis = c.int("axis", 0)?;
        gather(c, Gather::Slices { axis })
    }),
    Operator::of("GatherElements", 11, |c| {
        let axis = c.int("axis", 0)?;
        gather(c, Gather::Elements { axis })
    }),
    Operator::of("GatherND", 11, |c| {
        let batch_dims = c.count("batch_dims", c.int("batch_dims", 0)?)?;
        gather(c, Gather::Nd { batch_dims })
    }),
    Operator::of("Scatter", 9, |c| {
        let axis = c.int("axis", 0)?;
        scatter(c, Some(axis))
    }),
    Operator::of("ScatterElements", 11, |c| {
        let axis = c.int("axis", 0)?;
        scatter(c, Some(axis))
    }),
    Operator::of("ScatterND", 11, |c| scatter(c, None)),
    Operator::of("Compress", 9, |c| {
        let axis = c.int_or("axis")?;
        let inputs = c.all_inputs()?;
        c.emit_all(Compress { axis }, &inputs)
    }),
    Operator::of("NonZero", 9, |c| {
        let x = c.input(0)?;
        c.emit_all(NonZero, &[x])
    }),
    Operator::of("OneHot", 9, one_hot),
    Operator::of("TopK", 1, top_k),
    Operator::of("Unique", 11, |c| {
        let (axis, sorted) = (c.int_or("axis")?, c.flag("sorted", true)?);
        let x = c.input(0)?;
        c.emit_all(Unique { axis, sorted }, &[x])
    }),
];

fn gather(c: &mut Context<'_, '_>, op: Gather) -> Outputs {
    let inputs = c.all_inputs()?;
    c.emit_all(op, &inputs)
}

fn reduction(c: &Context<'_, '_>) -> Result<ScatterReduction, Error> {
    match c.word("reduction", "none")?.as_str() {
        "none" => Ok(ScatterReduction::Replace),
        "add" => Ok(ScatterReduction::Add),
        "mul" => Ok(ScatterReduction::Mul),
        "max" => Ok(ScatterReduction::Max),
        "min" => Ok(ScatterReduction::Min),
        other => Err(c.misfit("attribute \"reduction\"", "none, add, mul, max or min", other)),
    }
}

fn scatter(c: &mut Context<'_, '_>, axis: Option<i64>) -> Outputs {
    let reduction = reduction(c)?;
    let inputs = c.all_inputs()?;
    c.emit_all(Scatter { axis, reduction }, &inputs)
}

/// Indices and depths of any dtype of numbers are brought to whole ones.
fn one_hot(c: &mut Context<'_, '_>) -> Outputs {
    use ir::op::tensor::Cast;
    let axis = c.int("axis", -1)?;
    let mut inputs = c.all_inputs()?;
    for input in inputs.iter_mut().take(2) {
        if !matches!(c.dtype(*input), ir::DType::I64 | ir::DType::I32 | ir::DType::F32) {
            *input = c.emit(Cast::to(ir::DType::I64), &[*input])?;
        }
    }
    c.emit_all(OneHot { axis }, &inputs)
}

fn top_k(c: &mut Context<'_, '_>) -> Outputs {
    let op = TopK { axis: c.int("axis", -1)?, largest: c.flag("largest", true)? };
    // Unsorted results may come in any order, also in this one.
    let _ = c.flag("sorted", true)?;
    let x = c.input(0)?;
    let k = match c.int_or("k")? {
        Some(k) if c.opset < 10 => c.list(&[k])?,
        _ => c.input(1)?,
    };
    c.emit_all(op, &[x, k])
}
