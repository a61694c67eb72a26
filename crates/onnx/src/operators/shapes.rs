//! Shapes: what is moved, cut, joined, repeated.

use super::{Operator, Outputs};
use crate::context::Context;
use crate::error::Error;
use ir::ValueIdx;
use ir::op::tensor::{
    Binary, CenterCropPad, Concat, DepthSpace, Expand, Pad, PadMode, Reshape, ReverseSequence, ShapeOf,
    Slice, Split, Squeeze, Tile, Transpose, Trilu,
};

pub(super) const OPERATORS: &[Operator] = &[
    Operator::of("Shape", 1, |c| {
        let op = ShapeOf::Lengths { start: c.int("start", 0)?, end: c.int_or("end")? };
        let x = c.input(0)?;
        c.emit_all(op, &[x])
    }),
    Operator::of("Size", 1, |c| {
        let x = c.input(0)?;
        c.emit_all(ShapeOf::Count, &[x])
    }),
    Operator::of("Reshape", 5, |c| {
        let allow_zero = c.flag("allowzero", false)?;
        let inputs = c.all_inputs()?;
        c.emit_all(Reshape::To { allow_zero }, &inputs)
    }),
    Operator::of("Flatten", 1, |c| {
        let axis = c.int("axis", 1)?;
        let x = c.input(0)?;
        c.emit_all(Reshape::Flatten { axis }, &[x])
    }),
    Operator::of("Squeeze", 1, |c| squeeze(c, Squeeze::Remove)),
    Operator::of("Unsqueeze", 1, |c| squeeze(c, Squeeze::Add)),
    Operator::of("Transpose", 1, |c| {
        let order = if c.has("perm") { Some(c.counts("perm")?) } else { None };
        let x = c.input(0)?;
        c.emit_all(Transpose { order }, &[x])
    }),
    Operator::of("Concat", 4, |c| {
        let axis = c.int_or("axis")?.ok_or_else(|| c.misfit("attribute \"axis\"", "an axis", "none"))?;
        let inputs = c.all_inputs()?;
        c.emit_all(Concat { axis }, &inputs)
    }),
    Operator::of("Split", 2, split),
    Operator::of("Slice", 1, slice),
    Operator::of("Pad", 2, pad),
    Operator::of("CenterCropPad", 18, |c| {
        let axes = c.ints("axes");
        let inputs = c.all_inputs()?;
        c.emit_all(CenterCropPad { axes }, &inputs)
    }),
    Operator::of("Tile", 6, |c| {
        let inputs = c.all_inputs()?;
        c.emit_all(Tile, &inputs)
    }),
    Operator::of("Expand", 8, |c| {
        let inputs = c.all_inputs()?;
        c.emit_all(Expand, &inputs)
    }),
    Operator::of("Trilu", 14, |c| {
        let upper = c.flag("upper", true)?;
        let x = c.input(0)?;
        let k = match c.optional(1) {
            Some(k) => k,
            None => c.whole(0)?,
        };
        c.emit_all(Trilu { upper }, &[x, k])
    }),
    Operator::of("DepthToSpace", 1, |c| {
        let last = match c.word("mode", "DCR")?.as_str() {
            "DCR" => false,
            "CRD" => true,
            other => return Err(c.misfit("attribute \"mode\"", "DCR or CRD", other)),
        };
        let block = c.count("blocksize", c.int("blocksize", 0)?)?;
        let x = c.input(0)?;
        c.emit_all(DepthSpace::ToSpace { block, last }, &[x])
    }),
    Operator::of("SpaceToDepth", 1, |c| {
        let block = c.count("blocksize", c.int("blocksize", 0)?)?;
        let x = c.input(0)?;
        c.emit_all(DepthSpace::ToDepth { block }, &[x])
    }),
    Operator::of("ReverseSequence", 10, |c| {
        let batch_axis = c.count("batch_axis", c.int("batch_axis", 1)?)?;
        let time_axis = c.count("time_axis", c.int("time_axis", 0)?)?;
        let inputs = c.all_inputs()?;
        c.emit_all(ReverseSequence { batch_axis, time_axis }, &inputs)
    }),
    Operator::of("Dropout", 7, dropout),
];

/// Axes: an attribute before an opset, an input since.
pub(super) fn axes_input(c: &mut Context<'_, '_>, since: i64, at: usize) -> Result<Option<ValueIdx>, Error> {
    if c.opset >= since {
        return Ok(c.optional(at));
    }
    c.ints("axes").map(|axes| c.list(&axes)).transpose()
}

fn squeeze(c: &mut Context<'_, '_>, op: Squeeze) -> Outputs {
    let mut inputs = vec![c.input(0)?];
    inputs.extend(axes_input(c, 13, 1)?);
    c.emit_all(op, &inputs)
}

fn split(c: &mut Context<'_, '_>) -> Outputs {
    let axis = c.int("axis", 0)?;
    let x = c.input(0)?;
    let parts = match c.opset {
        ..13 => c.ints("split").map(|parts| c.list(&parts)).transpose()?,
        13.. => c.optional(1),
    };
    let n_parts = match c.int_or("num_outputs")? {
        Some(n) => c.count("num_outputs", n)?,
        None => c.node.output.len(),
    };
    if n_parts < c.node.output.len() {
        return Err(c.misfit("outputs", &n_parts.to_string(), &c.node.output.len().to_string()));
    }
    let inputs: Vec<ValueIdx> = std::iter::once(x).chain(parts).collect();
    c.emit_all(Split { axis, n_parts }, &inputs)
}

fn slice(c: &mut Context<'_, '_>) -> Outputs {
    let x = c.input(0)?;
    if c.opset < 10 {
        let (starts, ends) = (c.ints("starts").unwrap_or_default(), c.ints("ends").unwrap_or_default());
        let axes = c.ints("axes");
        let mut inputs = vec![x, c.list(&starts)?, c.list(&ends)?];
        let has_axes = axes.is_some();
        inputs.extend(axes.map(|axes| c.list(&axes)).transpose()?);
        return c.emit_all(Slice { has_axes, has_steps: false }, &inputs);
    }
    let (axes, steps) = (c.optional(3), c.optional(4));
    let mut inputs = vec![x, c.input(1)?, c.input(2)?];
    inputs.extend(axes);
    inputs.extend(steps);
    c.emit_all(Slice { has_axes: axes.is_some(), has_steps: steps.is_some() }, &inputs)
}

fn pad(c: &mut Context<'_, '_>) -> Outputs {
    let mode = match c.word("mode", "constant")?.as_str() {
        "constant" => PadMode::Constant,
        "edge" => PadMode::Edge,
        "reflect" => PadMode::Reflect,
        "wrap" => PadMode::Wrap,
        other => return Err(c.misfit("attribute \"mode\"", "constant, edge, reflect or wrap", other)),
    };
    let x = c.input(0)?;
    let dtype = c.dtype(x);
    let (pads, value) = if c.opset < 11 {
        let pads = c.ints("pads").unwrap_or_default();
        let value = c.float("value", 0.0)?;
        (c.list(&pads)?, Some(c.number(dtype, value.into())?))
    } else {
        (c.input(1)?, c.optional(2))
    };
    let value = match value {
        Some(value) => value,
        None => c.zero(dtype)?,
    };
    let inputs: Vec<ValueIdx> = [x, pads, value].into_iter().chain(c.optional(3)).collect();
    c.emit_all(Pad { mode }, &inputs)
}

/// What is predicted passes through; the mask says that nothing was dropped.
fn dropout(c: &mut Context<'_, '_>) -> Outputs {
    let x = c.input(0)?;
    let is_training = match c.optional(2) {
        Some(flag) => match c.constant(flag).map(ir::Tensor::data) {
            Some(ir::TensorData::Bool(v)) => v.first().copied().unwrap_or(false),
            _ => return Err(c.unsupported("a training mode that is not a constant", "export for inference")),
        },
        None => false,
    };
    // A ratio and a seed do not matter where nothing is dropped.
    let _ = (c.float_or("ratio")?, c.int_or("seed")?);
    let drops_none = match c.optional(1).map(|r| c.constant(r).map(ir::Tensor::data)) {
        Some(Some(ir::TensorData::F32(v))) => v.first() == Some(&0.0),
        _ => false,
    };
    if is_training && !drops_none {
        return Err(c.unsupported("training", "export for inference, with training_mode false"));
    }
    let mut outputs = vec![x];
    if c.makes(1) {
        let shape = c.emit(ShapeOf::Lengths { start: 0, end: None }, &[x])?;
        let value = ir::Tensor::vector(ir::TensorData::Bool(vec![true]));
        let mask = c.emit(ir::op::tensor::ConstantOfShape { value }, &[shape])?;
        // Before opset 10 the mask has the dtype of the input.
        let to = if c.opset < 10 { c.dtype(x) } else { ir::DType::Bool };
        outputs.push(c.emit(ir::op::tensor::Cast::to(to), &[mask])?);
    }
    Ok(outputs)
}

/// A value times another, for those that only rescale.
pub(super) fn scaled(c: &mut Context<'_, '_>, x: ValueIdx, factor: f64) -> Result<ValueIdx, Error> {
    let factor = c.number(c.dtype(x), factor)?;
    c.emit(Binary::Mul, &[x, factor])
}
