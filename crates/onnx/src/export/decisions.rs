//! `ArgMax`, `Threshold`, `LeastCost`: scores and probabilities to the index of a class, `int64 [N]`.

use super::step::Step;
use crate::error::Error;
use crate::writer::Attribute;
use ir::DType;
use ir::op::Threshold;

pub(super) fn argmax(s: &mut Step<'_>) -> Result<String, Error> {
    // A double holds every score; the first of equals is ONNX's default.
    let scores = s.input(0)?;
    let scores = s.w.cast(&scores, DType::F64);
    Ok(first(s, "ArgMax", &scores))
}

fn first(s: &mut Step<'_>, op: &str, x: &str) -> String {
    s.w.with(op, &[x], vec![("axis", Attribute::Int(1)), ("keepdims", Attribute::Int(0))])
}

pub(super) fn threshold(s: &mut Step<'_>, op: Threshold) -> Result<String, Error> {
    let scores = s.input(0)?;
    let score = s.w.as_rows(&scores);
    let above = s.w.int(op.above.into());
    let is_above = s.w.op("Greater", &[&score, &above]);
    Ok(s.w.cast(&is_above, DType::I64))
}

/// Sums over rising classes, as the model adds them: no `MatMul`, whose order is open.
pub(super) fn least_cost(s: &mut Step<'_>) -> Result<String, Error> {
    let p = s.input(0)?;
    let cost = s.doubles(1)?;
    let n = s.width(0)?;
    // Probabilities are at most 1, so no sum is beyond the sum of sizes.
    if cost.iter().map(|c| c.abs()).sum::<f64>() > f64::MAX / 4.0 {
        return Err(s.refuse("costs near the largest double", "divide all costs by one number"));
    }
    let p = s.w.cast(&p, DType::F64);
    let mut sum: Option<String> = None;
    for (class, costs) in (0i64..).zip(cost.chunks_exact(n.max(1))) {
        let at = s.w.ints(&[1], &[class]);
        let of_class = s.w.gather(&p, &at, 1);
        let costs = s.w.doubles(&[1, n], costs);
        let product = s.w.op("Mul", &[&of_class, &costs]);
        sum = Some(match sum {
            None => product,
            Some(sum) => s.w.op("Add", &[&sum, &product]),
        });
    }
    let sum = sum.unwrap_or(p);
    Ok(first(s, "ArgMin", &sum))
}
