//! Normalisations and shares.

use super::{Operator, Outputs};
use crate::context::Context;
use crate::error::Error;
use ir::op::tensor::{
    BatchNormalization, Binary, Cast, Compare, LayerNormalization, Lrn, Reduce, ReduceKind, Reshape, ShapeOf,
    Softmax, SoftmaxKind, Squeeze, Unary, Where,
};
use ir::{DType, ValueIdx};

pub(super) const OPERATORS: &[Operator] = &[
    Operator::of("BatchNormalization", 7, batch),
    Operator::of("InstanceNormalization", 6, instance),
    Operator::of("GroupNormalization", 18, group),
    Operator::of("LayerNormalization", 17, layer),
    Operator::of("RMSNormalization", 23, root_mean_square),
    Operator::of("LpNormalization", 1, norm),
    Operator::of("MeanVarianceNormalization", 9, mean_variance),
    Operator::of("LRN", 1, |c| {
        let op = Lrn {
            alpha: c.float("alpha", 1e-4)?,
            beta: c.float("beta", 0.75)?,
            bias: c.float("bias", 1.0)?,
            size: c.count("size", c.int("size", 0)?)?,
        };
        let x = c.input(0)?;
        c.emit_all(op, &[x])
    }),
    Operator::of("Softmax", 1, |c| shares(c, SoftmaxKind::Soft)),
    Operator::of("LogSoftmax", 1, |c| shares(c, SoftmaxKind::LogSoft)),
    Operator::of("Hardmax", 1, |c| shares(c, SoftmaxKind::Hard)),
];

fn mean(c: &mut Context<'_, '_>, x: ValueIdx, axes: ValueIdx) -> Result<ValueIdx, Error> {
    c.emit(Reduce { kind: ReduceKind::Mean, keep_dims: true, none_without_axes: true }, &[x, axes])
}

/// `x` less its mean over axes, and the mean of the square of that.
fn centred(c: &mut Context<'_, '_>, x: ValueIdx, axes: ValueIdx) -> Result<(ValueIdx, ValueIdx), Error> {
    let mean_of = mean(c, x, axes)?;
    let centred = c.emit(Binary::Sub, &[x, mean_of])?;
    let squares = c.emit(Binary::Mul, &[centred, centred])?;
    Ok((centred, mean(c, squares, axes)?))
}

/// `x / sqrt(variance + epsilon)`
fn standardised(
    c: &mut Context<'_, '_>,
    x: ValueIdx,
    variance: ValueIdx,
    epsilon: f32,
) -> Result<ValueIdx, Error> {
    let epsilon = c.number(c.dtype(x), epsilon.into())?;
    let sum = c.emit(Binary::Add, &[variance, epsilon])?;
    let root = c.emit(Unary::Sqrt, &[sum])?;
    c.emit(Binary::Div, &[x, root])
}

/// A value `[C]` as `[C, 1, ..]`, for channels in front of so many axes.
fn of_channels(c: &mut Context<'_, '_>, value: ValueIdx, n_axes: usize) -> Result<ValueIdx, Error> {
    let axes: Vec<i64> = (1..=n_axes).map(|axis| i64::try_from(axis).unwrap_or(i64::MAX)).collect();
    let axes = c.list(&axes)?;
    c.emit(Squeeze::Add, &[value, axes])
}

fn axes_from(c: &mut Context<'_, '_>, first: usize, rank: usize) -> Result<ValueIdx, Error> {
    let axes: Vec<i64> = (first..rank).map(|axis| i64::try_from(axis).unwrap_or(i64::MAX)).collect();
    c.list(&axes)
}

/// `x * scale + bias`
fn affine(c: &mut Context<'_, '_>, x: ValueIdx, scale: ValueIdx, bias: ValueIdx) -> Outputs {
    let scaled = c.emit(Binary::Mul, &[x, scale])?;
    c.emit_all(Binary::Add, &[scaled, bias])
}

fn batch(c: &mut Context<'_, '_>) -> Outputs {
    let epsilon = c.float("epsilon", 1e-5)?;
    let momentum = c.float("momentum", 0.9)?;
    if !c.flag("spatial", true)? {
        return Err(c.unsupported("spatial=0", "export with opset 9 or later"));
    }
    let inputs = c.all_inputs()?;
    let &[x, scale, bias, old_mean, old_variance] = &inputs[..] else {
        return Err(c.misfit("inputs", "5", &inputs.len().to_string()));
    };
    if !c.flag("training_mode", false)? {
        if (1..5).any(|at| c.makes(at)) {
            return Err(c.unsupported("outputs of training", "export for inference, with one output"));
        }
        return c.emit_all(BatchNormalization { epsilon }, &inputs);
    }
    // In training the statistics are those of the batch, and the old ones move towards them.
    let rank = c.rank(x)?;
    let n_axes =
        rank.checked_sub(2).ok_or_else(|| c.misfit("input", "[N, C, ..]", &c.shape(x).to_string()))?;
    let mut axes: Vec<i64> = vec![0];
    axes.extend((2..rank).map(|axis| i64::try_from(axis).unwrap_or(i64::MAX)));
    let axes = c.list(&axes)?;
    let (centred, variance) = centred(c, x, axes)?;
    let standard = standardised(c, centred, variance, epsilon)?;
    let (scale, bias) = (of_channels(c, scale, n_axes)?, of_channels(c, bias, n_axes)?);
    let y = affine(c, standard, scale, bias)?;
    let mean_of = mean(c, x, axes)?;
    let mut outputs = y;
    for (old, new) in [(old_mean, mean_of), (old_variance, variance)] {
        let new = c.emit(Squeeze::Remove, &[new, axes])?;
        let kept = super::shapes::scaled(c, old, momentum.into())?;
        let moved = super::shapes::scaled(c, new, 1.0 - f64::from(momentum))?;
        outputs.push(c.emit(Binary::Add, &[kept, moved])?);
    }
    Ok(outputs)
}

fn instance(c: &mut Context<'_, '_>) -> Outputs {
    let epsilon = c.float("epsilon", 1e-5)?;
    let (x, scale, bias) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let rank = c.rank(x)?;
    let axes = axes_from(c, 2, rank)?;
    let (centred, variance) = centred(c, x, axes)?;
    let standard = standardised(c, centred, variance, epsilon)?;
    let n_axes = rank.saturating_sub(2);
    let (scale, bias) = (of_channels(c, scale, n_axes)?, of_channels(c, bias, n_axes)?);
    affine(c, standard, scale, bias)
}

/// A float of 16 bits in single precision, where the operator asks for that.
fn stashed(c: &mut Context<'_, '_>, x: ValueIdx) -> Result<ValueIdx, Error> {
    let stash = c.dtype_attribute("stash_type")?.unwrap_or(DType::F32);
    match c.dtype(x) {
        DType::Half(_) if stash == DType::F32 => c.emit(Cast::to(DType::F32), &[x]),
        _ => Ok(x),
    }
}

fn group(c: &mut Context<'_, '_>) -> Outputs {
    let (epsilon, groups) = (c.float("epsilon", 1e-5)?, c.int("num_groups", 1)?);
    let (x, scale, bias) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let dtype = c.dtype(x);
    let wide = stashed(c, x)?;
    let shape = c.emit(ShapeOf::Lengths { start: 0, end: None }, &[x])?;
    let grouped = c.list(&[0, groups, -1])?;
    let rows = c.emit(Reshape::To { allow_zero: false }, &[wide, grouped])?;
    let axes = c.list(&[2])?;
    let (centred, variance) = centred(c, rows, axes)?;
    let mut standard = standardised(c, centred, variance, epsilon)?;
    if c.dtype(standard) != dtype {
        standard = c.emit(Cast::to(dtype), &[standard])?;
    }
    if c.opset < 21 {
        // A scale a group.
        let (scale, bias) = (of_channels(c, scale, 1)?, of_channels(c, bias, 1)?);
        let y = affine(c, standard, scale, bias)?;
        let y = y.first().copied().unwrap_or(standard);
        return c.emit_all(Reshape::To { allow_zero: false }, &[y, shape]);
    }
    let rank = c.rank(x)?;
    let image = c.emit(Reshape::To { allow_zero: false }, &[standard, shape])?;
    let n_axes = rank.saturating_sub(2);
    let (scale, bias) = (of_channels(c, scale, n_axes)?, of_channels(c, bias, n_axes)?);
    affine(c, image, scale, bias)
}

fn layer(c: &mut Context<'_, '_>) -> Outputs {
    let op = LayerNormalization { axis: c.int("axis", -1)?, epsilon: c.float("epsilon", 1e-5)? };
    if c.dtype_attribute("stash_type")?.is_some_and(|d| d != DType::F32 && d != DType::F64) {
        return Err(c.unsupported("a stash_type of 16 bits", "use 1, which is single precision"));
    }
    let mut inputs = vec![c.input(0)?, c.input(1)?];
    inputs.extend(c.optional(2));
    c.emit_all(op, &inputs)
}

fn root_mean_square(c: &mut Context<'_, '_>) -> Outputs {
    let (axis, epsilon) = (c.int("axis", -1)?, c.float("epsilon", 1e-5)?);
    let (x, scale) = (c.input(0)?, c.input(1)?);
    let rank = c.rank(x)?;
    let first = if axis < 0 { axis.checked_add_unsigned(rank as u64) } else { Some(axis) };
    let first = first.and_then(|a| usize::try_from(a).ok()).filter(|&a| a < rank);
    let first =
        first.ok_or_else(|| c.misfit("attribute \"axis\"", "an axis of the input", &axis.to_string()))?;
    let axes = axes_from(c, first, rank)?;
    let wide = stashed(c, x)?;
    let squares = c.emit(Binary::Mul, &[wide, wide])?;
    let square = mean(c, squares, axes)?;
    let mut y = standardised(c, wide, square, epsilon)?;
    if c.dtype(y) != c.dtype(scale) {
        y = c.emit(Cast::to(c.dtype(scale)), &[y])?;
    }
    c.emit_all(Binary::Mul, &[y, scale])
}

fn norm(c: &mut Context<'_, '_>) -> Outputs {
    let kind = match c.int("p", 2)? {
        1 => ReduceKind::L1,
        2 => ReduceKind::L2,
        other => return Err(c.unsupported(&format!("p={other}"), "use 1 or 2")),
    };
    let axis = c.int("axis", -1)?;
    let (x, axes) = (c.input(0)?, c.list(&[axis])?);
    let size = c.emit(Reduce { kind, keep_dims: true, none_without_axes: false }, &[x, axes])?;
    // Of zeros the norm is zero, and they stay.
    let (zero, one) = (c.number(c.dtype(x), 0.0)?, c.number(c.dtype(x), 1.0)?);
    let is_zero = c.emit(Compare::Equal, &[size, zero])?;
    let size = c.emit(Where, &[is_zero, one, size])?;
    c.emit_all(Binary::Div, &[x, size])
}

/// `(x - mean) / (sqrt(E x^2 - mean^2) + 1e-9)`
fn mean_variance(c: &mut Context<'_, '_>) -> Outputs {
    let axes = c.ints("axes").unwrap_or_else(|| vec![0, 2, 3]);
    let (x, axes) = (c.input(0)?, c.list(&axes)?);
    let (centred, variance) = centred(c, x, axes)?;
    let epsilon = c.number(c.dtype(x), 1e-9)?;
    let deviation = c.emit(Unary::Sqrt, &[variance])?;
    let deviation = c.emit(Binary::Add, &[deviation, epsilon])?;
    c.emit_all(Binary::Div, &[centred, deviation])
}

/// Before opset 13 shares are over all axes from one on.
fn shares(c: &mut Context<'_, '_>, kind: SoftmaxKind) -> Outputs {
    let axis = c.int("axis", if c.opset < 13 { 1 } else { -1 })?;
    let x = c.input(0)?;
    if c.opset >= 13 {
        return c.emit_all(Softmax { kind, axis }, &[x]);
    }
    let shape = c.emit(ShapeOf::Lengths { start: 0, end: None }, &[x])?;
    let flat = c.emit(Reshape::Flatten { axis }, &[x])?;
    let y = c.emit(Softmax { kind, axis: 1 }, &[flat])?;
    c.emit_all(Reshape::To { allow_zero: false }, &[y, shape])
}
