//! Attention, in its parts: products, a mask, shares.

use super::losses::cast_to;
use super::shapes::scaled;
use super::{Operator, Outputs};
use crate::context::Context;
use crate::error::Error;
use ir::op::tensor::{
    Activation, ActivationKind, Binary, Compare, Concat, Expand, Gather, MatMul, Pad, PadMode, Range,
    Reshape, ShapeOf, Slice, Softmax, SoftmaxKind, Split, Squeeze, Transpose, Where,
};
use ir::{DType, ValueIdx};

pub(super) const OPERATORS: &[Operator] =
    &[Operator::of("Attention", 23, attention), Operator::of("RotaryEmbedding", 23, rotary)];

const COPY: Reshape = Reshape::To { allow_zero: false };

/// `[batch, steps, heads * width]` as `[batch, heads, steps, width]`.
fn heads(c: &mut Context<'_, '_>, x: ValueIdx, n_heads: i64) -> Result<ValueIdx, Error> {
    let shape = c.list(&[0, 0, n_heads, -1])?;
    let split = c.emit(COPY, &[x, shape])?;
    c.emit(Transpose { order: Some(vec![0, 2, 1, 3]) }, &[split])
}

/// A length of a value, as `i64 [1]`.
fn length_of(c: &mut Context<'_, '_>, x: ValueIdx, axis: i64) -> Result<ValueIdx, Error> {
    c.emit(ShapeOf::Lengths { start: axis, end: Some(axis + 1) }, &[x])
}

/// `0, 1, ..` below a length `[1]`, as a row or a column.
fn places(c: &mut Context<'_, '_>, n: ValueIdx, axis: i64) -> Result<ValueIdx, Error> {
    let (zero, one, axes) = (c.whole(0)?, c.whole(1)?, c.list(&[axis])?);
    let n = c.emit(Squeeze::Remove, &[n])?;
    let places = c.emit(Range, &[zero, n, one])?;
    c.emit(Squeeze::Add, &[places, axes])
}

/// Each head of keys or values so many times, one after the other.
fn repeated(c: &mut Context<'_, '_>, x: ValueIdx, times: i64) -> Result<ValueIdx, Error> {
    if times == 1 {
        return Ok(x);
    }
    let axes = c.list(&[2])?;
    let apart = c.emit(Squeeze::Add, &[x, axes])?;
    let shape = c.list(&[1, 1, times, 1, 1])?;
    let wide = c.emit(Expand, &[apart, shape])?;
    let lengths = c.emit(ShapeOf::Lengths { start: 3, end: None }, &[wide])?;
    let (first, joint) = (length_of(c, x, 0)?, c.list(&[-1])?);
    let shape = c.emit(Concat { axis: 0 }, &[first, joint, lengths])?;
    c.emit(COPY, &[wide, shape])
}

/// The mask as numbers to add: minus infinity where a truth does not hold, and behind its last column.
fn mask(c: &mut Context<'_, '_>, mask: ValueIdx, dtype: DType, n_keys: ValueIdx) -> Result<ValueIdx, Error> {
    let (zero, least) = (c.number(dtype, 0.0)?, c.number(dtype, f64::NEG_INFINITY)?);
    let mask = match c.dtype(mask) {
        DType::Bool => c.emit(Where, &[mask, zero, least])?,
        _ => cast_to(c, mask, dtype)?,
    };
    let own = c.emit(ShapeOf::Lengths { start: -1, end: None }, &[mask])?;
    let missing = c.emit(Binary::Sub, &[n_keys, own])?;
    let (none, last) = (c.list(&[0])?, c.list(&[-1])?);
    let pads = c.emit(Concat { axis: 0 }, &[none, missing])?;
    c.emit(Pad { mode: PadMode::Constant }, &[mask, pads, least, last])
}

/// Minus infinity for keys behind the query: query `i` sees keys up to `i` and those of the past.
fn causal(
    c: &mut Context<'_, '_>,
    dtype: DType,
    n_queries: ValueIdx,
    n_keys: ValueIdx,
    n_past: Option<ValueIdx>,
) -> Result<ValueIdx, Error> {
    let (mut queries, keys) = (places(c, n_queries, 1)?, places(c, n_keys, 0)?);
    if let Some(n_past) = n_past {
        queries = c.emit(Binary::Add, &[queries, n_past])?;
    }
    let sees = c.emit(Compare::LessOrEqual, &[keys, queries])?;
    let (zero, least) = (c.number(dtype, 0.0)?, c.number(dtype, f64::NEG_INFINITY)?);
    c.emit(Where, &[sees, zero, least])
}

/// `softmax(softcap(q k^T scale) + mask) v`, for each head; keys and values of the past come first, and heads of keys
/// and values may be fewer than those of queries.
fn attention(c: &mut Context<'_, '_>) -> Outputs {
    let (mut q, mut k, mut v) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let dtype = c.dtype(q);
    let is_flat = c.rank(q)? == 3;
    let (q_heads, kv_heads) = (c.int_or("q_num_heads")?, c.int_or("kv_num_heads")?);
    if is_flat {
        let missing = |c: &Context<'_, '_>| c.misfit("attributes", "q_num_heads and kv_num_heads", "none");
        let (q_heads, kv_heads) = (q_heads.ok_or_else(|| missing(c))?, kv_heads.ok_or_else(|| missing(c))?);
        (q, k, v) = (heads(c, q, q_heads)?, heads(c, k, kv_heads)?, heads(c, v, kv_heads)?);
    }
    let (past_key, past_value) = (c.optional(4), c.optional(5));
    if let Some(past) = past_key {
        k = c.emit(Concat { axis: 2 }, &[past, k])?;
    }
    if let Some(past) = past_value {
        v = c.emit(Concat { axis: 2 }, &[past, v])?;
    }
    let (present_key, present_value) = (k, v);
    let times = repeats(c, q, k, q_heads, kv_heads)?;
    let (k, v) = (repeated(c, k, times)?, repeated(c, v, times)?);

    let scale = match c.float_or("scale")? {
        Some(scale) => f64::from(scale),
        None => {
            let width = c.length(q, 3).and_then(|n| u32::try_from(n).ok());
            let width = width.ok_or_else(|| {
                c.unsupported("a width of heads that is not known", "give the attribute scale")
            })?;
            1.0 / f64::from(width).sqrt()
        }
    };
    // Half of the scale on each side, as ONNX has it, keeps floats of 16 bits in range.
    let (q_scaled, k_scaled) = (scaled(c, q, scale.sqrt())?, scaled(c, k, scale.sqrt())?);
    let turned = c.emit(Transpose { order: Some(vec![0, 1, 3, 2]) }, &[k_scaled])?;
    let mut scores = c.emit(MatMul::Numbers, &[q_scaled, turned])?;
    let softcap = c.float("softcap", 0.0)?;
    let mut shown = scores;
    if softcap > 0.0 {
        let capped = scaled(c, scores, 1.0 / f64::from(softcap))?;
        let capped = c.emit(Activation::plain(ActivationKind::Tanh), &[capped])?;
        scores = scaled(c, capped, softcap.into())?;
        shown = scores;
    }
    let mode = c.int("qk_matmul_output_mode", 0)?;
    let n_keys = length_of(c, k, 2)?;
    if let Some(given) = c.optional(3) {
        let bias = mask(c, given, dtype, n_keys)?;
        scores = c.emit(Binary::Add, &[scores, bias])?;
    }
    if c.flag("is_causal", false)? {
        let n_queries = length_of(c, q, 2)?;
        let n_past = past_key.map(|past| length_of(c, past, 2)).transpose()?;
        let bias = causal(c, dtype, n_queries, n_keys, n_past)?;
        scores = c.emit(Binary::Add, &[scores, bias])?;
    }
    if let Some(lengths) = c.optional(6) {
        let axes = c.list(&[1, 2, 3])?;
        let lengths = c.emit(Squeeze::Add, &[lengths, axes])?;
        let keys = places(c, n_keys, 0)?;
        let inside = c.emit(Compare::Less, &[keys, lengths])?;
        let (zero, least) = (c.number(dtype, 0.0)?, c.number(dtype, f64::NEG_INFINITY)?);
        let bias = c.emit(Where, &[inside, zero, least])?;
        scores = c.emit(Binary::Add, &[scores, bias])?;
    }
    if mode == 2 {
        shown = scores;
    }
    if let Some(precision) = c.dtype_attribute("softmax_precision")? {
        scores = cast_to(c, scores, precision)?;
    }
    let shares = c.emit(Softmax { kind: SoftmaxKind::Soft, axis: -1 }, &[scores])?;
    let shares = cast_to(c, shares, dtype)?;
    if mode == 3 {
        shown = shares;
    }
    let v_own = cast_to(c, v, dtype)?;
    let mut y = c.emit(MatMul::Numbers, &[shares, v_own])?;
    if is_flat {
        let turned = c.emit(Transpose { order: Some(vec![0, 2, 1, 3]) }, &[y])?;
        let shape = c.list(&[0, 0, -1])?;
        y = c.emit(COPY, &[turned, shape])?;
    }
    Ok(vec![y, present_key, present_value, shown])
}

/// How many heads of queries share one of keys.
fn repeats(
    c: &Context<'_, '_>,
    q: ValueIdx,
    k: ValueIdx,
    q_heads: Option<i64>,
    kv_heads: Option<i64>,
) -> Result<i64, Error> {
    let known = |value, attribute: Option<i64>| {
        attribute.or_else(|| c.length(value, 1).and_then(|n| i64::try_from(n).ok()))
    };
    match (known(q, q_heads), known(k, kv_heads)) {
        (Some(q), Some(kv)) if kv > 0 && q % kv == 0 => Ok(q / kv),
        (None, _) | (_, None) => {
            Err(c.unsupported("a number of heads that is not known", "give q_num_heads and kv_num_heads"))
        }
        (Some(q), Some(kv)) => {
            Err(c.misfit("heads", "those of queries a multiple of those of keys", &format!("{q} and {kv}")))
        }
    }
}

/// Pairs of a head's elements turned by the angle of their place; those past the rotated part stay.
fn rotary(c: &mut Context<'_, '_>) -> Outputs {
    let (x, cos, sin, position) = (c.input(0)?, c.input(1)?, c.input(2)?, c.optional(3));
    let interleaved = c.flag("interleaved", false)?;
    let n_rotated = c.int("rotary_embedding_dim", 0)?;
    let n_heads = c.int("num_heads", 0)?;
    let is_flat = c.rank(x)? == 3;
    let heads = if is_flat { heads(c, x, n_heads)? } else { x };
    let last = |c: &mut Context<'_, '_>, from: i64, to: i64, x: ValueIdx| -> Result<ValueIdx, Error> {
        let inputs = [x, c.list(&[from])?, c.list(&[to])?, c.list(&[-1])?];
        c.emit(Slice { has_axes: true, has_steps: false }, &inputs)
    };
    let (rotated, rest) = match n_rotated {
        0 => (heads, None),
        n => (last(c, 0, n, heads)?, Some(last(c, n, i64::MAX, heads)?)),
    };
    // One row a place, the same for all heads.
    let axes = c.list(&[1])?;
    let mut of_places = |table: ValueIdx| -> Result<ValueIdx, Error> {
        let rows = match position {
            Some(position) => c.emit(Gather::Slices { axis: 0 }, &[table, position])?,
            None => table,
        };
        c.emit(Squeeze::Add, &[rows, axes])
    };
    let (cos, sin) = (of_places(cos)?, of_places(sin)?);
    let (first, second) = if interleaved {
        let pairs = c.list(&[0, 0, 0, -1, 2])?;
        let pairs = c.emit(COPY, &[rotated, pairs])?;
        let parts = c.emit_all(Split { axis: -1, n_parts: 2 }, &[pairs])?;
        let axes = c.list(&[-1])?;
        (c.emit(Squeeze::Remove, &[parts[0], axes])?, c.emit(Squeeze::Remove, &[parts[1], axes])?)
    } else {
        let parts = c.emit_all(Split { axis: -1, n_parts: 2 }, &[rotated])?;
        (parts[0], parts[1])
    };
    let mut products = |a: ValueIdx, b: ValueIdx, op: Binary| -> Result<ValueIdx, Error> {
        let (a, b) = (c.emit(Binary::Mul, &[a, first])?, c.emit(Binary::Mul, &[b, second])?);
        c.emit(op, &[a, b])
    };
    let (real, imaginary) = (products(cos, sin, Binary::Sub)?, products(sin, cos, Binary::Add)?);
    let turned = if interleaved {
        let axes = c.list(&[-1])?;
        let (real, imaginary) =
            (c.emit(Squeeze::Add, &[real, axes])?, c.emit(Squeeze::Add, &[imaginary, axes])?);
        let pairs = c.emit(Concat { axis: -1 }, &[real, imaginary])?;
        let flat = c.list(&[0, 0, 0, -1])?;
        c.emit(COPY, &[pairs, flat])?
    } else {
        c.emit(Concat { axis: -1 }, &[real, imaginary])?
    };
    let mut y = match rest {
        Some(rest) => c.emit(Concat { axis: -1 }, &[turned, rest])?,
        None => turned,
    };
    if is_flat {
        let back = c.emit(Transpose { order: Some(vec![0, 2, 1, 3]) }, &[y])?;
        let shape = c.list(&[0, 0, -1])?;
        y = c.emit(COPY, &[back, shape])?;
    }
    Ok(vec![y])
}
