//! Shapes: what is moved, cut, joined, repeated.

use super::step::{Step, counts, flag, trimmed, word};
use crate::error::Error;
use crate::writer::{Attribute, wide};
use ir::op::tensor::{
    CenterCropPad, Concat, DepthSpace, Pad, PadMode, Reshape, ReverseSequence, ShapeOf, Slice, Split,
    Transpose, Trilu,
};
use ir::{DType, Dim};

pub(super) fn shape_of(s: &mut Step<'_>, op: ShapeOf) -> Result<(), Error> {
    let ShapeOf::Lengths { start, end } = op else { return s.plain(Vec::new()) };
    let mut attributes = Vec::new();
    if start != 0 || end.is_some() {
        s.needs(15);
        attributes.push(("start", Attribute::Int(start)));
        attributes.extend(end.map(|end| ("end", Attribute::Int(end))));
    }
    s.plain(attributes)
}

/// The node with its second input, a list that it may be without, in `i64`: `Squeeze`, `Tile`, `Expand` and others.
pub(super) fn with_list(s: &mut Step<'_>, attributes: Vec<(&'static str, Attribute)>) -> Result<(), Error> {
    let mut inputs = vec![s.input(0)?];
    if s.n_inputs() > 1 {
        inputs.push(s.wide(1)?);
    }
    let dtype = s.dtype(0)?;
    s.write(s.op(), &[dtype], inputs, attributes)
}

pub(super) fn reshape(s: &mut Step<'_>, op: Reshape) -> Result<(), Error> {
    match op {
        Reshape::Flatten { axis } => s.plain(vec![("axis", Attribute::Int(axis))]),
        Reshape::To { allow_zero: false } => with_list(s, Vec::new()),
        Reshape::To { allow_zero: true } => {
            s.needs(14);
            with_list(s, vec![("allowzero", flag(true))])
        }
    }
}

pub(super) fn trilu(s: &mut Step<'_>, op: Trilu) -> Result<(), Error> {
    with_list(s, vec![("upper", flag(op.upper))])
}

pub(super) fn reverse_sequence(s: &mut Step<'_>, op: ReverseSequence) -> Result<(), Error> {
    let axis = |n: usize| Attribute::Int(wide(n));
    with_list(s, vec![("batch_axis", axis(op.batch_axis)), ("time_axis", axis(op.time_axis))])
}

pub(super) fn transpose(s: &mut Step<'_>, op: &Transpose) -> Result<(), Error> {
    s.plain(op.order.iter().map(|order| ("perm", counts(order))).collect())
}

pub(super) fn concat(s: &mut Step<'_>, op: Concat) -> Result<(), Error> {
    s.plain(vec![("axis", Attribute::Int(op.axis))])
}

/// Parts without lengths: before version 18 they are equal and as many as there are outputs.
pub(super) fn split(s: &mut Step<'_>, op: Split) -> Result<(), Error> {
    let mut attributes = vec![("axis", Attribute::Int(op.axis))];
    if s.n_inputs() == 1 {
        if s.versions.opset >= 18 {
            attributes.push(("num_outputs", Attribute::Int(wide(op.n_parts))));
        } else {
            let size = s.place(0, op.axis)?.and_then(|at| s.axes(0).ok().flatten()?.get(at));
            let is_even = matches!(size, Some(Dim::Fixed(n)) if n.checked_rem(op.n_parts) == Some(0));
            s.needs(if is_even { 13 } else { 18 });
        }
    }
    with_list(s, attributes)
}

pub(super) fn slice(s: &mut Step<'_>, op: Slice) -> Result<(), Error> {
    let dtypes: Vec<DType> = (1..s.n_inputs()).map(|at| s.dtype(at)).collect::<Result<_, _>>()?;
    let are_alike = dtypes.iter().all(|d| Some(d) == dtypes.first());
    let mut inputs = vec![s.input(0)?];
    for at in 1..s.n_inputs() {
        inputs.push(if are_alike { s.input(at)? } else { s.wide(at)? });
    }
    if op.has_steps && !op.has_axes {
        inputs.insert(3, String::new());
    }
    let dtype = s.dtype(0)?;
    s.write("Slice", &[dtype], inputs, Vec::new())
}

pub(super) fn pad(s: &mut Step<'_>, op: Pad) -> Result<(), Error> {
    let mode = match op.mode {
        PadMode::Constant => "constant",
        PadMode::Edge => "edge",
        PadMode::Reflect => "reflect",
        PadMode::Wrap => {
            s.needs(19);
            "wrap"
        }
    };
    let value = if op.mode == PadMode::Constant { s.input(2)? } else { String::new() };
    let mut inputs = vec![s.input(0)?, s.wide(1)?, value];
    if s.n_inputs() > 3 {
        s.needs(18);
        inputs.push(s.input(3)?);
    }
    let dtype = s.dtype(0)?;
    s.write("Pad", &[dtype], trimmed(inputs), vec![("mode", word(mode))])
}

pub(super) fn center_crop_pad(s: &mut Step<'_>, op: &CenterCropPad) -> Result<(), Error> {
    s.plain(op.axes.iter().map(|axes| ("axes", Attribute::Ints(axes.clone()))).collect())
}

pub(super) fn depth_space(s: &mut Step<'_>, op: DepthSpace) -> Result<(), Error> {
    match op {
        DepthSpace::ToSpace { block, last } => {
            let mode = word(if last { "CRD" } else { "DCR" });
            s.plain(vec![("blocksize", Attribute::Int(wide(block))), ("mode", mode)])
        }
        DepthSpace::ToDepth { block } => s.plain(vec![("blocksize", Attribute::Int(wide(block)))]),
    }
}
