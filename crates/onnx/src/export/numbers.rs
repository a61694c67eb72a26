//! Operators on doubles: ONNX's own of the same names, exact unless `export` states a bound.
//!
//! Where ONNX Runtime ignores NaN (`ReduceMax`) or lacks an operator on doubles in some versions (`Cos`), others of the same
//! value stand instead.

use super::codes::missing;
use super::step::Step;
use super::writer::Element;
use crate::error::Error;
use ir::DType;
use ir::fixed::math;
use ir::op::{Arithmetic, Comparison, Function, Reduce};

pub(super) fn cast(s: &mut Step<'_>) -> Result<String, Error> {
    let dtype = s.dtype(0)?;
    let x = s.input(0)?;
    if s.is_moments(0)? {
        let is_missing = missing(s, &x, true);
        let (number, nan) = (s.w.cast(&x, Element::Double), s.w.double(f64::NAN));
        return Ok(s.w.op("Where", &[&is_missing, &nan, &number]));
    }
    let is_number = dtype == DType::F64 || s.is_given(0)?;
    Ok(if is_number { x } else { s.w.cast(&x, Element::Double) })
}

pub(super) fn arithmetic(s: &mut Step<'_>, op: Arithmetic) -> Result<String, Error> {
    let (a, b) = (s.number(0)?, s.number(1)?);
    let name = match op {
        Arithmetic::Add => "Add",
        Arithmetic::Sub => "Sub",
        Arithmetic::Mul => "Mul",
        Arithmetic::Div => "Div",
        Arithmetic::Min => "Min",
        Arithmetic::Max => "Max",
    };
    Ok(s.w.op(name, &[&a, &b]))
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

pub(super) fn matmul(s: &mut Step<'_>) -> Result<String, Error> {
    let (x, w) = (s.input(0)?, s.number(1)?);
    Ok(s.w.op("MatMul", &[&x, &w]))
}

pub(super) fn reduce(s: &mut Step<'_>, op: Reduce) -> Result<String, Error> {
    let x = s.input(0)?;
    Ok(match op {
        Reduce::Sum => s.w.reduce("ReduceSum", &x, true),
        Reduce::L1 => {
            let sizes = s.w.op("Abs", &[&x]);
            s.w.reduce("ReduceSum", &sizes, true)
        }
        Reduce::L2 => {
            let squares = s.w.op("Mul", &[&x, &x]);
            let sum = s.w.reduce("ReduceSum", &squares, true);
            s.w.op("Sqrt", &[&sum])
        }
        Reduce::Max => {
            let is_missing = s.w.op("IsNaN", &[&x]);
            let is_missing = s.w.cast(&is_missing, Element::Double);
            let any = s.w.reduce("ReduceMax", &is_missing, true);
            let (half, nan) = (s.w.double(0.5), s.w.double(f64::NAN));
            let any = s.w.op("Greater", &[&any, &half]);
            let most = s.w.reduce("ReduceMax", &x, true);
            s.w.op("Where", &[&any, &nan, &most])
        }
    })
}

pub(super) fn function(s: &mut Step<'_>, op: Function) -> Result<String, Error> {
    let x = s.number(0)?;
    let name = match op {
        Function::Abs => "Abs",
        Function::Neg => "Neg",
        Function::Sqrt => "Sqrt",
        Function::Exp => "Exp",
        Function::Log => "Log",
        Function::Sin => "Sin",
        Function::Floor => "Floor",
        Function::Sign => "Sign",
        Function::Cos => return Ok(cosine(s, &x)),
        Function::NormalQuantile => return Ok(normal_quantile(s, &x)),
    };
    Ok(s.w.op(name, &[&x]))
}

/// `1 - 2 sin(x / 2)^2`.
fn cosine(s: &mut Step<'_>, x: &str) -> String {
    let (half, one) = (s.w.double(0.5), s.w.double(1.0));
    let half = s.w.op("Mul", &[x, &half]);
    let sine = s.w.op("Sin", &[&half]);
    let square = s.w.op("Mul", &[&sine, &sine]);
    let twice = s.w.op("Add", &[&square, &square]);
    s.w.op("Sub", &[&one, &twice])
}

/// A polynomial, the coefficient of the highest power first.
fn polynomial(s: &mut Step<'_>, x: &str, coefficients: &[f64]) -> String {
    let mut sum = s.w.double(coefficients.first().copied().unwrap_or(0.0));
    for &c in coefficients.iter().skip(1) {
        let c = s.w.double(c);
        let product = s.w.op("Mul", &[&sum, x]);
        sum = s.w.op("Add", &[&product, &c]);
    }
    sum
}

/// The formula of [`math::normal_quantile`], operation by operation.
fn normal_quantile(s: &mut Step<'_>, p: &str) -> String {
    let [a, b, c, d, e, f] = math::NORMAL_QUANTILE;
    let (zero, half, one) = (s.w.double(0.0), s.w.double(0.5), s.w.double(1.0));
    let q = s.w.op("Sub", &[p, &half]);
    let near = s.w.double(0.180_625);
    let square = s.w.op("Mul", &[&q, &q]);
    let r = s.w.op("Sub", &[&near, &square]);
    let (up, down) = (polynomial(s, &r, &a), polynomial(s, &r, &b));
    let up = s.w.op("Mul", &[&q, &up]);
    let middle = s.w.op("Div", &[&up, &down]);

    let is_low = s.w.op("Less", &[&q, &zero]);
    let other = s.w.op("Sub", &[&one, p]);
    let tail = s.w.op("Where", &[&is_low, p, &other]);
    let log = s.w.op("Log", &[&tail]);
    let minus = s.w.op("Neg", &[&log]);
    let r = s.w.op("Sqrt", &[&minus]);
    let sides = [(1.6, c, d), (5.0, e, f)].map(|(from, up, down)| {
        let from = s.w.double(from);
        let r = s.w.op("Sub", &[&r, &from]);
        let (up, down) = (polynomial(s, &r, &up), polynomial(s, &r, &down));
        s.w.op("Div", &[&up, &down])
    });
    let five = s.w.double(5.0);
    let is_near = s.w.op("LessOrEqual", &[&r, &five]);
    let z = s.w.op("Where", &[&is_near, &sides[0], &sides[1]]);
    let (is_end, infinity) = (s.w.op("Equal", &[&tail, &zero]), s.w.double(f64::INFINITY));
    let z = s.w.op("Where", &[&is_end, &infinity, &z]);
    let minus = s.w.op("Neg", &[&z]);
    let z = s.w.op("Where", &[&is_low, &minus, &z]);

    let size = s.w.op("Abs", &[&q]);
    let middle_most = s.w.double(0.425);
    let is_middle = s.w.op("LessOrEqual", &[&size, &middle_most]);
    s.w.op("Where", &[&is_middle, &middle, &z])
}
