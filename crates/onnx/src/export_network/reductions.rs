//! Reductions and running sums.

use super::step::{Step, flag};
use crate::error::Error;
use crate::writer::Attribute;
use ir::op::tensor::{ArgExtreme, Cumulative, Reduce, ReduceKind};

/// Axes are an attribute before version 18 (of sums before 13), an input since.
pub(super) fn reduce(s: &mut Step<'_>, op: Reduce) -> Result<(), Error> {
    let dtype = s.dtype(0)?;
    let mut inputs = vec![s.input(0)?];
    let mut attributes = vec![("keepdims", flag(op.keep_dims))];
    let has_axes = s.n_inputs() > 1;
    let takes_axes = op.kind == ReduceKind::Sum || s.versions.opset >= 18;
    if takes_axes {
        if has_axes {
            inputs.push(s.wide(1)?);
        }
        attributes.push(("noop_with_empty_axes", flag(op.none_without_axes)));
    } else {
        let axes = if has_axes { s.ints(1) } else { Some(Vec::new()) };
        match axes {
            Some(axes) if !axes.is_empty() => attributes.push(("axes", Attribute::Ints(axes))),
            Some(_) if !op.none_without_axes => {}
            _ => s.needs(18),
        }
    }
    s.write(s.op(), &[dtype], inputs, attributes)
}

pub(super) fn arg_extreme(s: &mut Step<'_>, op: ArgExtreme) -> Result<(), Error> {
    s.plain(vec![
        ("axis", Attribute::Int(op.axis)),
        ("keepdims", flag(op.keep_dims)),
        ("select_last_index", flag(op.last)),
    ])
}

pub(super) fn cumulative(s: &mut Step<'_>, op: Cumulative) -> Result<(), Error> {
    s.plain(vec![("exclusive", flag(op.exclusive)), ("reverse", flag(op.reverse))])
}
