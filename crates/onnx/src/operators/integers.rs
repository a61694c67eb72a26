//! Quantized operators: in the form of integers and scales (QDQ), whatever form they come in.

use super::{Operator, Outputs};
use crate::context::Context;
use crate::error::Error;
use crate::tensor::unpacked;
use ir::fixed::{Narrow, Overflow};
use ir::op::tensor::{
    Binary, Cast, Conv, DequantizeLinear, DynamicQuantizeLinear, MatMul, QuantizeLinear, Squeeze, Transpose,
};
use ir::{DType, Tensor, TensorData, ValueIdx};

pub(super) const OPERATORS: &[Operator] = &[
    Operator::of("QuantizeLinear", 10, quantize),
    Operator::of("DequantizeLinear", 10, dequantize),
    Operator::microsoft("QuantizeLinear", quantize),
    Operator::microsoft("DequantizeLinear", dequantize),
    Operator::of("DynamicQuantizeLinear", 11, |c| {
        let x = c.input(0)?;
        c.emit_all(DynamicQuantizeLinear, &[x])
    }),
    Operator::of("MatMulInteger", 10, |c| {
        let mut inputs = vec![c.input(0)?, c.input(1)?];
        inputs.extend(zero_points(c, [(0, 2), (1, 3)])?);
        c.emit_all(MatMul::Integers, &inputs)
    }),
    Operator::of("QLinearMatMul", 10, q_matmul),
    Operator::of("QLinearConv", 10, q_conv),
    Operator::microsoft("MatMulNBits", matmul_n_bits),
    Operator::microsoft("DynamicQuantizeMatMul", dynamic_matmul),
    Operator::microsoft("MatMulIntegerToFloat", matmul_to_float),
    Operator::microsoft("QLinearAdd", |c| q_binary(c, Binary::Add)),
    Operator::microsoft("QLinearMul", |c| q_binary(c, Binary::Mul)),
    Operator::microsoft("QLinearSigmoid", q_sigmoid),
    Operator::microsoft("QLinearLeakyRelu", q_leaky_relu),
];

/// Zero points, those that are left out as zeros of their operand's dtype.
pub(super) fn zero_points<const N: usize>(
    c: &mut Context<'_, '_>,
    pairs: [(usize, usize); N],
) -> Result<Vec<ValueIdx>, Error> {
    let mut all = Vec::with_capacity(N);
    for (operand, zero) in pairs {
        all.push(match c.optional(zero) {
            Some(value) => value,
            None => c.zero(c.dtype(c.input(operand)?))?,
        });
    }
    Ok(all)
}

fn quantize(c: &mut Context<'_, '_>) -> Outputs {
    let (x, scale, zero) = (c.input(0)?, c.input(1)?, c.optional(2));
    let wanted = c.dtype_attribute("output_dtype")?;
    let op = QuantizeLinear {
        axis: c.int("axis", 1)?,
        block: c.count("block_size", c.int("block_size", 0)?)?,
        to: zero.map(|z| c.dtype(z)).or(wanted).unwrap_or(DType::U8),
        precision: c.dtype_attribute("precision")?,
        overflow: if c.flag("saturate", true)? { Overflow::Saturate } else { Overflow::Special },
    };
    let inputs: Vec<ValueIdx> = [x, scale].into_iter().chain(zero).collect();
    c.emit_all(op, &inputs)
}

fn dequantize(c: &mut Context<'_, '_>) -> Outputs {
    let (q, scale, zero) = (c.input(0)?, c.input(1)?, c.optional(2));
    let op = DequantizeLinear {
        axis: c.int("axis", 1)?,
        block: c.count("block_size", c.int("block_size", 0)?)?,
        to: c.dtype_attribute("output_dtype")?.unwrap_or(c.dtype(scale)),
    };
    let inputs: Vec<ValueIdx> = [q, scale].into_iter().chain(zero).collect();
    c.emit_all(op, &inputs)
}

fn in_single(c: &mut Context<'_, '_>, value: ValueIdx) -> Result<ValueIdx, Error> {
    if c.dtype(value) == DType::F32 { Ok(value) } else { c.emit(Cast::to(DType::F32), &[value]) }
}

/// A real for each integer: `(q - zero_point) * scale`, one scale for all or one a channel of an axis.
fn real(
    c: &mut Context<'_, '_>,
    q: ValueIdx,
    scale: ValueIdx,
    zero: Option<ValueIdx>,
    axis: i64,
) -> Result<ValueIdx, Error> {
    let inputs: Vec<ValueIdx> = [q, scale].into_iter().chain(zero).collect();
    c.emit(DequantizeLinear { axis, block: 0, to: DType::F32 }, &inputs)
}

fn to_integers(c: &mut Context<'_, '_>, x: ValueIdx, scale: ValueIdx, zero: ValueIdx) -> Outputs {
    let to = c.dtype(zero);
    let op = QuantizeLinear { axis: 1, block: 0, to, precision: None, overflow: Overflow::Saturate };
    c.emit_all(op, &[x, scale, zero])
}

/// A vector of one number a row as a column.
fn of_rows(c: &mut Context<'_, '_>, value: ValueIdx) -> Result<ValueIdx, Error> {
    match c.axes(value).as_deref() {
        Some([n]) if *n != ir::Dim::Fixed(1) => {
            let axes = c.list(&[1])?;
            c.emit(Squeeze::Add, &[value, axes])
        }
        _ => Ok(value),
    }
}

fn q_matmul(c: &mut Context<'_, '_>) -> Outputs {
    let (a, a_scale, a_zero) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let (b, b_scale, b_zero) = (c.input(3)?, c.input(4)?, c.input(5)?);
    let (y_scale, y_zero) = (c.input(6)?, c.input(7)?);
    let sums = c.emit(MatMul::Integers, &[a, b, a_zero, b_zero])?;
    let y = rescaled(c, sums, a_scale, b_scale)?;
    to_integers(c, y, y_scale, y_zero)
}

/// Sums of integers times the scales of both sides, one a row and one a column.
fn rescaled(c: &mut Context<'_, '_>, sums: ValueIdx, a: ValueIdx, b: ValueIdx) -> Result<ValueIdx, Error> {
    let (a, b) = (in_single(c, a)?, in_single(c, b)?);
    let a = of_rows(c, a)?;
    let scale = c.emit(Binary::Mul, &[a, b])?;
    let sums = c.emit(Cast::to(DType::F32), &[sums])?;
    c.emit(Binary::Mul, &[sums, scale])
}

fn q_conv(c: &mut Context<'_, '_>) -> Outputs {
    let window = super::windows::window(c)?;
    let op = Conv { window, group: super::windows::group(c)?, of_integers: true };
    let (x, x_scale, x_zero) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let (w, w_scale, w_zero) = (c.input(3)?, c.input(4)?, c.input(5)?);
    let (y_scale, y_zero) = (c.input(6)?, c.input(7)?);
    let mut sums = c.emit(op, &[x, w, x_zero, w_zero])?;
    if let Some(bias) = c.optional(8) {
        let rank = c.rank(w)?;
        let axes: Vec<i64> =
            (1..rank.saturating_sub(1)).map(|axis| i64::try_from(axis).unwrap_or(i64::MAX)).collect();
        let axes = c.list(&axes)?;
        let bias = c.emit(Squeeze::Add, &[bias, axes])?;
        sums = c.emit(Binary::Add, &[sums, bias])?;
    }
    let (x_scale, w_scale) = (in_single(c, x_scale)?, in_single(c, w_scale)?);
    let scale = c.emit(Binary::Mul, &[x_scale, w_scale])?;
    let y = real(c, sums, scale, None, 1)?;
    to_integers(c, y, y_scale, y_zero)
}

/// Weights of 2, 4 or 8 bits in blocks: unpacked once, then a QDQ product.
fn matmul_n_bits(c: &mut Context<'_, '_>) -> Outputs {
    let (k, n) = (c.count("K", c.int("K", 0)?)?, c.count("N", c.int("N", 0)?)?);
    let (bits, block) = (c.int("bits", 4)?, c.count("block_size", c.int("block_size", 0)?)?);
    // How exactly others compute; here it is always in full.
    let _ = c.int("accuracy_level", 0)?;
    if c.optional(4).is_some() {
        return Err(c.unsupported("an order of rows (g_idx)", "export without act-order"));
    }
    let narrow = match bits {
        2 => Some(Narrow::U2),
        4 => Some(Narrow::U4),
        8 => None,
        other => return Err(c.unsupported(&format!("bits={other}"), "use 2, 4 or 8")),
    };
    if block == 0 || k == 0 || n == 0 {
        return Err(c.misfit("attributes", "K, N and block_size of 1 or more", "0"));
    }
    let n_blocks = k.div_ceil(block);
    let width = n_blocks.checked_mul(block).ok_or_else(|| c.misfit("K", "fewer", "too many"))?;
    let bytes = |c: &Context<'_, '_>, value: ValueIdx| match c.constant(value).map(Tensor::data) {
        Some(TensorData::U8(v)) => Ok(v.clone()),
        _ => Err(c.unsupported("weights that are not constant bytes", "export them as initializers of u8")),
    };
    let stored = |v: Vec<u8>, per_row: usize, kept: usize| {
        // A row starts at a byte of its own.
        let row_bytes = narrow.map_or(per_row, |w| per_row.div_ceil(8 / w.bits() as usize));
        let row = |row: &[u8]| match narrow {
            Some(narrow) => unpacked(narrow, row, per_row)[..kept].to_vec(),
            None => row[..kept].to_vec(),
        };
        let all: Vec<u8> = v.chunks_exact(row_bytes.max(1)).take(n).flat_map(row).collect();
        let data = match narrow {
            Some(narrow) => TensorData::Narrow(narrow, all),
            None => TensorData::U8(all),
        };
        Tensor::try_new(vec![n, kept], data)
    };
    let weights = stored(bytes(c, c.input(1)?)?, width, k);
    let weights =
        weights.ok_or_else(|| c.misfit("B", &format!("{n} rows of {width} numbers"), "another size"))?;
    let zeros = match c.optional(3) {
        Some(zeros) if c.dtype(zeros) == DType::U8 => stored(bytes(c, zeros)?, n_blocks, n_blocks),
        Some(_) => return Err(c.unsupported("zero points that are no bytes", "export packed zero points")),
        None => {
            let middle = 1u8 << (bits - 1);
            let codes = vec![middle; n.saturating_mul(n_blocks)];
            let data = narrow.map_or(TensorData::U8(codes.clone()), |w| TensorData::Narrow(w, codes));
            Tensor::try_new(vec![n, n_blocks], data)
        }
    };
    let zeros =
        zeros.ok_or_else(|| c.misfit("zero_points", &format!("{n} rows of {n_blocks}"), "another size"))?;
    let scales = c.input(2)?;
    let dtype = c.dtype(scales);
    let long = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let shape = c.list(&[long(n), long(n_blocks)])?;
    let scales = c.emit(ir::op::tensor::Reshape::To { allow_zero: false }, &[scales, shape])?;
    let (weights, zeros) = (c.add_constant(weights)?, c.add_constant(zeros)?);
    let op = DequantizeLinear { axis: 1, block, to: dtype };
    let weights = c.emit(op, &[weights, scales, zeros])?;
    let turned = c.emit(Transpose { order: Some(vec![1, 0]) }, &[weights])?;
    let a = c.input(0)?;
    let y = c.emit(MatMul::Numbers, &[a, turned])?;
    match c.optional(5) {
        Some(bias) => c.emit_all(Binary::Add, &[y, bias]),
        None => Ok(vec![y]),
    }
}

/// `a` quantized by its own range, times integers.
fn dynamic_matmul(c: &mut Context<'_, '_>) -> Outputs {
    let (a, b, b_scale) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let b_zero = match c.optional(3) {
        Some(zero) => zero,
        None => c.zero(c.dtype(b))?,
    };
    let quantized = c.emit_all(DynamicQuantizeLinear, &[a])?;
    let &[q, scale, zero] = &quantized[..] else { return Err(c.misfit("outputs", "3", "others")) };
    let sums = c.emit(MatMul::Integers, &[q, b, zero, b_zero])?;
    let y = rescaled(c, sums, scale, b_scale)?;
    match c.optional(4) {
        Some(bias) => c.emit_all(Binary::Add, &[y, bias]),
        None => Ok(vec![y]),
    }
}

fn matmul_to_float(c: &mut Context<'_, '_>) -> Outputs {
    let (a, b, a_scale, b_scale) = (c.input(0)?, c.input(1)?, c.input(2)?, c.input(3)?);
    let zeros = zero_points(c, [(0, 4), (1, 5)])?;
    let sums = c.emit(MatMul::Integers, &[a, b, zeros[0], zeros[1]])?;
    let y = rescaled(c, sums, a_scale, b_scale)?;
    match c.optional(6) {
        Some(bias) => c.emit_all(Binary::Add, &[y, bias]),
        None => Ok(vec![y]),
    }
}

/// Inputs are `(a, scale, zero point)`, `(b, scale, zero point)`, then scale and zero point of the output.
fn q_binary(c: &mut Context<'_, '_>, op: Binary) -> Outputs {
    let (a, a_scale, a_zero) = (c.input(0)?, c.input(1)?, c.optional(2));
    let (b, b_scale, b_zero) = (c.input(3)?, c.input(4)?, c.optional(5));
    let y_zero = zero_points(c, [(0, 7)])?[0];
    let y_scale = c.input(6)?;
    let (a, b) = (real(c, a, a_scale, a_zero, 1)?, real(c, b, b_scale, b_zero, 1)?);
    let y = c.emit(op, &[a, b])?;
    to_integers(c, y, y_scale, y_zero)
}

fn q_unary(c: &mut Context<'_, '_>, op: ir::op::tensor::Activation) -> Outputs {
    let (x, x_scale, x_zero, y_scale) = (c.input(0)?, c.input(1)?, c.optional(2), c.input(3)?);
    let y_zero = zero_points(c, [(0, 4)])?[0];
    let x = real(c, x, x_scale, x_zero, 1)?;
    let y = c.emit(op, &[x])?;
    to_integers(c, y, y_scale, y_zero)
}

fn q_sigmoid(c: &mut Context<'_, '_>) -> Outputs {
    q_unary(c, ir::op::tensor::Activation::plain(ir::op::tensor::ActivationKind::Sigmoid))
}

fn q_leaky_relu(c: &mut Context<'_, '_>) -> Outputs {
    let alpha = c.float("alpha", 0.01)?;
    let kind = ir::op::tensor::ActivationKind::LeakyRelu;
    q_unary(c, ir::op::tensor::Activation { kind, alpha, beta: 0.0 })
}
