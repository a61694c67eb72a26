//! Convolutions and pools.

use super::step::{Step, counts, flag, word};
use crate::error::Error;
use crate::writer::{Attribute, wide};
use ir::op::tensor::{Col2Im, Conv, ConvTranspose, MaxUnpool, Pads, PlaceOrder, Pool, PoolKind, Window};
use ir::{Dim, Tensor};

/// Lengths of an attribute, where there are some.
fn list(attributes: &mut Vec<(&'static str, Attribute)>, name: &'static str, values: &[usize]) {
    if !values.is_empty() {
        attributes.push((name, counts(values)));
    }
}

/// The attributes that convolutions and pools share.
fn window(window: &Window) -> Vec<(&'static str, Attribute)> {
    let mut attributes = Vec::new();
    list(&mut attributes, "kernel_shape", &window.kernel_shape);
    list(&mut attributes, "strides", &window.strides);
    list(&mut attributes, "dilations", &window.dilations);
    match &window.pads {
        Pads::Explicit(pads) => list(&mut attributes, "pads", pads),
        Pads::SameUpper => attributes.push(("auto_pad", word("SAME_UPPER"))),
        Pads::SameLower => attributes.push(("auto_pad", word("SAME_LOWER"))),
        Pads::Valid => attributes.push(("auto_pad", word("VALID"))),
    }
    attributes
}

pub(super) fn conv(s: &mut Step<'_>, op: &Conv) -> Result<(), Error> {
    let mut attributes = window(&op.window);
    attributes.push(("group", Attribute::Int(wide(op.group))));
    if !op.of_integers {
        return s.plain(attributes);
    }
    let (x, w, mut inputs) = (s.dtype(0)?, s.dtype(1)?, s.inputs()?);
    // ONNX Runtime takes one zero point for all channels, which it mostly is.
    if let (Some(one), Some(slot)) = (one_for_all(s, 3), inputs.get_mut(3)) {
        *slot = s.w.tensor(&one);
    }
    s.write("ConvInteger", &[x, w], inputs, attributes)
}

/// The one number that all elements of a constant vector are.
fn one_for_all(s: &Step<'_>, at: usize) -> Option<Tensor> {
    let constant = s.constant(at).filter(|tensor| tensor.dims().len() == 1)?;
    let first = constant.rows(0..1)?;
    let is_one = (1..constant.data().len()).all(|at| constant.rows(at..at + 1).as_ref() == Some(&first));
    if is_one { Tensor::scalar(first.into_data()) } else { None }
}

pub(super) fn conv_transpose(s: &mut Step<'_>, op: &ConvTranspose) -> Result<(), Error> {
    let mut attributes = window(&op.window);
    attributes.push(("group", Attribute::Int(wide(op.group))));
    list(&mut attributes, "output_padding", &op.output_padding);
    list(&mut attributes, "output_shape", op.output_shape.as_deref().unwrap_or_default());
    s.plain(attributes)
}

pub(super) fn pool(s: &mut Step<'_>, op: &Pool) -> Result<(), Error> {
    let is_dilated = op.window.dilations.iter().any(|&d| d != 1);
    let mut plain = op.window.clone();
    if !is_dilated {
        plain.dilations.clear();
    }
    let mut attributes = window(&plain);
    match op.kind {
        PoolKind::Max { places } => {
            if places == Some(PlaceOrder::Columns) {
                attributes.push(("storage_order", flag(true)));
            }
        }
        PoolKind::Average { with_pads } => {
            s.needs(if is_dilated { 19 } else { 13 });
            attributes.push(("count_include_pad", flag(with_pads)));
        }
        PoolKind::Norm { p } => {
            s.needs(if is_dilated || op.ceil { 18 } else { 13 });
            attributes.push(("p", Attribute::Int(p.into())));
        }
    }
    if op.ceil {
        // Versions before 22 count a last window that begins behind the input.
        if may_begin_behind(s, op)? {
            s.needs(22);
        }
        attributes.push(("ceil_mode", flag(true)));
    }
    s.plain(attributes)?;
    s.optional_outputs(1);
    Ok(())
}

/// Whether a window may begin behind the input, its lengths as far as they are known.
fn may_begin_behind(s: &Step<'_>, op: &Pool) -> Result<bool, Error> {
    let axes = s.axes(0)?.and_then(|axes| axes.get(2..)).unwrap_or_default();
    let window = &op.window;
    let rank = window.kernel_shape.len();
    let or = |list: &[usize], at: usize, default: usize| list.get(at).copied().unwrap_or(default);
    for (axis, &kernel) in window.kernel_shape.iter().enumerate() {
        let (stride, dilation) = (or(&window.strides, axis, 1), or(&window.dilations, axis, 1));
        let reach = kernel.saturating_sub(1).saturating_mul(dilation).saturating_add(1);
        let behind = match (axes.get(axis), &window.pads) {
            (Some(&Dim::Fixed(size)), _) => {
                let floor = window.span(s.op(), (axis, rank), size, kernel, false);
                let ceil = window.span(s.op(), (axis, rank), size, kernel, true);
                let (Ok(floor), Ok(ceil)) = (floor, ceil) else { return Err(s.broken("a window")) };
                // A last window is cut, yet there are as many as without it.
                let padded = size.saturating_add(floor.before).saturating_add(floor.after);
                let rest = padded.saturating_sub(reach).checked_rem(stride);
                ceil.out == floor.out && rest != Some(0)
            }
            // A window that is cut begins less than a stride behind the last whole one.
            (_, Pads::Explicit(pads)) => {
                or(pads, axis.saturating_add(rank), 0).saturating_add(stride) > reach
            }
            (_, Pads::Valid) => stride > reach,
            (_, Pads::SameUpper | Pads::SameLower) => true,
        };
        if behind {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn max_unpool(s: &mut Step<'_>, op: &MaxUnpool) -> Result<(), Error> {
    if !matches!(op.window.pads, Pads::Explicit(_) | Pads::Valid) {
        return Err(s.refuse("pads that follow from lengths", "state the pads"));
    }
    let given = |(name, _): &(&str, Attribute)| matches!(*name, "kernel_shape" | "strides" | "pads");
    let attributes = window(&op.window).into_iter().filter(given).collect();
    let mut inputs = vec![s.input(0)?, s.wide(1)?];
    if s.n_inputs() > 2 {
        inputs.push(s.wide(2)?);
    }
    let dtype = s.dtype(0)?;
    s.write("MaxUnpool", &[dtype], inputs, attributes)
}

pub(super) fn col2im(s: &mut Step<'_>, op: &Col2Im) -> Result<(), Error> {
    let mut attributes = Vec::new();
    list(&mut attributes, "strides", &op.strides);
    list(&mut attributes, "dilations", &op.dilations);
    list(&mut attributes, "pads", &op.pads);
    let (dtype, inputs) = (s.dtype(0)?, vec![s.input(0)?, s.wide(1)?, s.wide(2)?]);
    s.write("Col2Im", &[dtype], inputs, attributes)
}
