//! Convolutions, pools, and interpolation over windows.

use super::{Operator, Outputs};
use crate::context::Context;
use crate::error::Error;
use ir::op::tensor::{
    Binary, Col2Im, Conv, ConvTranspose, MaxUnpool, Pads, PlaceOrder, Pool, PoolKind, Reduce, ReduceKind,
    Unary, Window,
};

pub(super) const OPERATORS: &[Operator] = &[
    Operator::of("Conv", 1, |c| conv(c, false)),
    Operator::of("ConvInteger", 10, |c| conv(c, true)),
    Operator::of("ConvTranspose", 1, conv_transpose),
    Operator::of("MaxPool", 1, |c| {
        let order = if c.flag("storage_order", false)? { PlaceOrder::Columns } else { PlaceOrder::Rows };
        let places = c.makes(1).then_some(order);
        pool(c, PoolKind::Max { places })
    }),
    Operator::of("AveragePool", 1, |c| {
        let with_pads = c.flag("count_include_pad", false)?;
        pool(c, PoolKind::Average { with_pads })
    }),
    Operator::of("LpPool", 2, |c| {
        let p = c.int("p", 2)?;
        let p = u32::try_from(p).map_err(|_| c.misfit("attribute \"p\"", "1 or more", &p.to_string()))?;
        pool(c, PoolKind::Norm { p })
    }),
    Operator::of("GlobalMaxPool", 1, |c| global(c, ReduceKind::Max)),
    Operator::of("GlobalAveragePool", 1, |c| global(c, ReduceKind::Mean)),
    Operator::of("GlobalLpPool", 2, global_norm),
    Operator::of("MaxUnpool", 9, |c: &mut Context<'_, '_>| -> Outputs {
        let window = window(c)?;
        let inputs = c.all_inputs()?;
        c.emit_all(MaxUnpool { window }, &inputs)
    }),
    Operator::of("Col2Im", 18, |c: &mut Context<'_, '_>| -> Outputs {
        let op = Col2Im {
            strides: c.counts("strides")?,
            dilations: c.counts("dilations")?,
            pads: c.counts("pads")?,
        };
        let inputs = c.all_inputs()?;
        c.emit_all(op, &inputs)
    }),
];

/// The attributes that convolutions and pools share.
pub(super) fn window(c: &Context<'_, '_>) -> Result<Window, Error> {
    let pads = match c.word("auto_pad", "NOTSET")?.as_str() {
        "NOTSET" | "" => Pads::Explicit(c.counts("pads")?),
        "SAME_UPPER" => Pads::SameUpper,
        "SAME_LOWER" => Pads::SameLower,
        "VALID" => Pads::Valid,
        other => {
            return Err(c.misfit("attribute \"auto_pad\"", "NOTSET, SAME_UPPER, SAME_LOWER or VALID", other));
        }
    };
    // With other pads the attribute says nothing.
    let _ = c.ints("pads");
    Ok(Window {
        kernel_shape: c.counts("kernel_shape")?,
        strides: c.counts("strides")?,
        dilations: c.counts("dilations")?,
        pads,
    })
}

pub(super) fn group(c: &Context<'_, '_>) -> Result<usize, Error> {
    c.count("group", c.int("group", 1)?)
}

fn conv(c: &mut Context<'_, '_>, of_integers: bool) -> Outputs {
    let op = Conv { window: window(c)?, group: group(c)?, of_integers };
    let mut inputs = vec![c.input(0)?, c.input(1)?];
    if of_integers {
        inputs.extend(super::integers::zero_points(c, [(0, 2), (1, 3)])?);
    } else {
        inputs.extend(c.optional(2));
    }
    c.emit_all(op, &inputs)
}

fn conv_transpose(c: &mut Context<'_, '_>) -> Outputs {
    let output_shape = if c.has("output_shape") { Some(c.counts("output_shape")?) } else { None };
    let op = ConvTranspose {
        window: window(c)?,
        group: group(c)?,
        output_padding: c.counts("output_padding")?,
        output_shape: output_shape.filter(|s| !s.is_empty()),
    };
    let mut inputs = vec![c.input(0)?, c.input(1)?];
    inputs.extend(c.optional(2));
    c.emit_all(op, &inputs)
}

fn pool(c: &mut Context<'_, '_>, kind: PoolKind) -> Outputs {
    let op = Pool { kind, window: window(c)?, ceil: c.flag("ceil_mode", false)? };
    let x = c.input(0)?;
    c.emit_all(op, &[x])
}

/// All axes behind batch and channel, as a constant.
fn spatial(c: &mut Context<'_, '_>) -> Result<ir::ValueIdx, Error> {
    let rank = c.rank(c.input(0)?)?;
    let axes: Vec<i64> = (2..rank).map(|axis| i64::try_from(axis).unwrap_or(i64::MAX)).collect();
    c.list(&axes)
}

fn global(c: &mut Context<'_, '_>, kind: ReduceKind) -> Outputs {
    let (x, axes) = (c.input(0)?, spatial(c)?);
    c.emit_all(Reduce { kind, keep_dims: true, none_without_axes: true }, &[x, axes])
}

/// `(sum |x|^p)^(1 / p)`
fn global_norm(c: &mut Context<'_, '_>) -> Outputs {
    let p = c.int("p", 2)?;
    let (x, axes) = (c.input(0)?, spatial(c)?);
    let kind = |kind| Reduce { kind, keep_dims: true, none_without_axes: true };
    match p {
        1 => c.emit_all(kind(ReduceKind::L1), &[x, axes]),
        2 => c.emit_all(kind(ReduceKind::L2), &[x, axes]),
        p => {
            let exponent = f64::from(
                i32::try_from(p)
                    .ok()
                    .filter(|p| *p > 0)
                    .ok_or_else(|| c.misfit("attribute \"p\"", "1 or more", &p.to_string()))?,
            );
            let (power, root) = (c.number(c.dtype(x), exponent)?, c.number(c.dtype(x), 1.0 / exponent)?);
            let size = c.emit(Unary::Abs, &[x])?;
            let raised = c.emit(Binary::Pow, &[size, power])?;
            let sum = c.emit(kind(ReduceKind::Sum), &[raised, axes])?;
            c.emit_all(Binary::Pow, &[sum, root])
        }
    }
}
