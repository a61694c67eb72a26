//! Operators on doubles: ONNX's own of the same names, one rounding each, so exact.
//!
//! ONNX leaves the order of sums open. The model's is by rising column, so sums of up to [`MOST_ADDED`] columns are written
//! as additions in this order; longer ones are ONNX's, with the bound that `export` states. Where ONNX Runtime ignores NaN
//! (`ReduceMax`), it is looked for.

use super::codes::missing;
use super::step::Step;
use crate::error::Error;
use crate::writer::wide;
use ir::DType;
use ir::op::{Arithmetic, Comparison, Payload, Reduce};

pub(super) fn cast(s: &mut Step<'_>) -> Result<String, Error> {
    let dtype = s.dtype(0)?;
    let x = s.input(0)?;
    if s.is_moments(0)? {
        let is_missing = missing(s, &x, true);
        let (number, nan) = (s.w.cast(&x, DType::F64), s.w.double(f64::NAN));
        return Ok(s.w.op("Where", &[&is_missing, &nan, &number]));
    }
    let is_number = dtype == DType::F64 || s.is_given(0)?;
    Ok(if is_number { x } else { s.w.cast(&x, DType::F64) })
}

pub(super) fn arithmetic(s: &mut Step<'_>, op: Arithmetic) -> Result<String, Error> {
    let (a, b) = (s.number(0)?, s.number(1)?);
    Ok(s.w.op(op.name(), &[&a, &b]))
}

pub(super) fn comparison(s: &mut Step<'_>, op: Comparison) -> Result<String, Error> {
    let (a, b) = (s.number(0)?, s.number(1)?);
    let name = match op {
        Comparison::Equal => "Equal",
        Comparison::Less => "Less",
        Comparison::LessOrEqual => "LessOrEqual",
        Comparison::Greater => "Greater",
        Comparison::GreaterOrEqual => "GreaterOrEqual",
    };
    Ok(s.w.op(name, &[&a, &b]))
}

pub(super) fn is_nan(s: &mut Step<'_>) -> Result<String, Error> {
    let x = s.number(0)?;
    Ok(s.w.op("IsNaN", &[&x]))
}

pub(super) fn choose(s: &mut Step<'_>) -> Result<String, Error> {
    let condition = s.input(0)?;
    let (a, b) = (s.number(1)?, s.number(2)?);
    Ok(s.w.op("Where", &[&condition, &a, &b]))
}

pub(super) fn columns(s: &mut Step<'_>) -> Result<String, Error> {
    let mut parts = Vec::new();
    for position in 0..s.node.inputs.len() {
        let x = s.input(position)?;
        parts.push(if s.rank(position)? == 1 { s.w.as_column(&x) } else { x });
    }
    Ok(s.w.side_by_side(&parts))
}

pub(super) fn gather(s: &mut Step<'_>) -> Result<String, Error> {
    let x = s.input(0)?;
    let indices = s.i64s(1)?;
    let indices = s.w.ints(s.dims(1)?, indices);
    Ok(s.w.gather(&x, &indices, 1))
}

/// Columns whose sum is written as additions.
pub(super) const MOST_ADDED: usize = 256;

/// The sum over rising columns of what `of` makes of each, `[N, 1]`; none of none.
pub(super) fn added(
    s: &mut Step<'_>,
    x: &str,
    width: usize,
    of: impl Fn(&mut Step<'_>, &str, usize) -> String,
) -> Option<String> {
    let mut sum: Option<String> = None;
    for column in 0..width {
        let at = s.w.ints(&[1], &[wide(column)]);
        let cell = s.w.gather(x, &at, 1);
        let cell = of(s, &cell, column);
        sum = Some(match sum {
            None => cell,
            Some(sum) => s.w.op("Add", &[&sum, &cell]),
        });
    }
    sum
}

pub(super) fn matmul(s: &mut Step<'_>) -> Result<String, Error> {
    let x = s.input(0)?;
    let (weights, dims) = (s.doubles(1)?, s.dims(1)?);
    let &[inner, width] = dims else {
        return Err(s.broken("the shape of the matrix"));
    };
    if inner <= MOST_ADDED {
        let product = |s: &mut Step<'_>, cell: &str, row: usize| {
            let weights = weights.get(row * width..(row + 1) * width).unwrap_or_default();
            let weights = s.w.doubles(&[1, width], weights);
            s.w.op("Mul", &[cell, &weights])
        };
        if let Some(sum) = added(s, &x, inner, product) {
            return Ok(sum);
        }
    }
    let weights = s.w.doubles(dims, weights);
    Ok(s.w.op("MatMul", &[&x, &weights]))
}

pub(super) fn reduce(s: &mut Step<'_>, op: Reduce) -> Result<String, Error> {
    let x = s.input(0)?;
    let width = s.width(0)?;
    let sum = |s: &mut Step<'_>, x: &str| {
        let in_order =
            if width <= MOST_ADDED { added(s, x, width, |_, cell, _| cell.to_string()) } else { None };
        in_order.unwrap_or_else(|| s.w.reduce("ReduceSum", x, true))
    };
    Ok(match op {
        Reduce::Sum => sum(s, &x),
        Reduce::L1 => {
            let sizes = s.w.op("Abs", &[&x]);
            sum(s, &sizes)
        }
        Reduce::L2 => {
            let squares = s.w.op("Mul", &[&x, &x]);
            let sum = sum(s, &squares);
            s.w.op("Sqrt", &[&sum])
        }
        Reduce::Max => {
            let is_missing = s.w.op("IsNaN", &[&x]);
            let is_missing = s.w.cast(&is_missing, DType::F64);
            let any = s.w.reduce("ReduceMax", &is_missing, true);
            let (half, nan) = (s.w.double(0.5), s.w.double(f64::NAN));
            let any = s.w.op("Greater", &[&any, &half]);
            let most = s.w.reduce("ReduceMax", &x, true);
            s.w.op("Where", &[&any, &nan, &most])
        }
    })
}
