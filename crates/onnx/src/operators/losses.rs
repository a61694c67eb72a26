//! Losses, built of elementary operators.

use super::{Operator, Outputs};
use crate::context::Context;
use crate::error::Error;
use ir::ValueIdx;
use ir::op::tensor::{
    Binary, Cast, Compare, Gather, Reduce, ReduceKind, Softmax, SoftmaxKind, Squeeze, Unary, Where,
};

pub(super) const OPERATORS: &[Operator] = &[
    Operator::of("NegativeLogLikelihoodLoss", 12, |c| {
        let x = c.input(0)?;
        loss(c, x)
    }),
    Operator::of("SoftmaxCrossEntropyLoss", 12, |c| {
        let x = c.input(0)?;
        let log = c.emit(Softmax { kind: SoftmaxKind::LogSoft, axis: 1 }, &[x])?;
        let mut outputs = loss(c, log)?;
        outputs.push(log);
        Ok(outputs)
    }),
];

/// `-w[label] * log_p[label]`, 0 where the label is ignored; reduced as asked for, the mean by the sum of weights.
fn loss(c: &mut Context<'_, '_>, log_p: ValueIdx) -> Outputs {
    let (labels, weights) = (c.input(1)?, c.optional(2));
    let dtype = c.dtype(log_p);
    let one = c.list(&[1])?;
    let ignored = match c.int_or("ignore_index")? {
        Some(index) => {
            let index = c.number(c.dtype(labels), f64_of(c, index)?)?;
            Some(c.emit(Compare::Equal, &[labels, index])?)
        }
        None => None,
    };
    let zero = c.zero(c.dtype(labels))?;
    let safe = match ignored {
        Some(ignored) => c.emit(Where, &[ignored, zero, labels])?,
        None => labels,
    };
    let places = c.emit(Squeeze::Add, &[safe, one])?;
    let picked = c.emit(Gather::Elements { axis: 1 }, &[log_p, places])?;
    let picked = c.emit(Squeeze::Remove, &[picked, one])?;
    let mut each = c.emit(Unary::Neg, &[picked])?;
    let real_zero = c.number(dtype, 0.0)?;
    let mut weight = match weights {
        Some(weights) => Some(c.emit(Gather::Slices { axis: 0 }, &[weights, safe])?),
        None => None,
    };
    if let Some(ignored) = ignored {
        let given = match weight {
            Some(weight) => weight,
            None => c.number(dtype, 1.0)?,
        };
        weight = Some(c.emit(Where, &[ignored, real_zero, given])?);
    }
    if let Some(weight) = weight {
        each = c.emit(Binary::Mul, &[each, weight])?;
    }
    let reduce = |kind| Reduce { kind, keep_dims: false, none_without_axes: false };
    match c.word("reduction", "mean")?.as_str() {
        "none" => Ok(vec![each]),
        "sum" => c.emit_all(reduce(ReduceKind::Sum), &[each]),
        "mean" => match weight {
            None => c.emit_all(reduce(ReduceKind::Mean), &[each]),
            Some(weight) => {
                let sum = c.emit(reduce(ReduceKind::Sum), &[each])?;
                let n = c.emit(reduce(ReduceKind::Sum), &[weight])?;
                c.emit_all(Binary::Div, &[sum, n])
            }
        },
        other => Err(c.misfit("attribute \"reduction\"", "none, sum or mean", other)),
    }
}

/// A label as a double, which holds all that are labels.
fn f64_of(c: &Context<'_, '_>, index: i64) -> Result<f64, Error> {
    let index = i32::try_from(index).map_err(|_| c.misfit("ignore_index", "32 bits", &index.to_string()))?;
    Ok(index.into())
}

/// Casts only where dtypes differ.
pub(super) fn cast_to(c: &mut Context<'_, '_>, x: ValueIdx, dtype: ir::DType) -> Result<ValueIdx, Error> {
    if c.dtype(x) == dtype { Ok(x) } else { c.emit(Cast::to(dtype), &[x]) }
}
