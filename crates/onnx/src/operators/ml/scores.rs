//! What stands behind scores: transforms, classes, and the columns of two classes that have one score.

use crate::context::Context;
use crate::error::Error;
use ir::op::tensor::{
    Activation, ActivationKind, ArgExtreme, Binary, Cast, Compare, Concat, Gather, Reduce, ReduceKind,
    Softmax, SoftmaxKind, Squeeze, Unary, Where,
};
use ir::{DType, Tensor, TensorData, ValueIdx};

/// What becomes of scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transform {
    None,
    Softmax,
    Logistic,
    SoftmaxZero,
    Probit,
}

/// Names of transforms, in the order of their numbers.
const TRANSFORMS: &[(&str, Transform)] = &[
    ("NONE", Transform::None),
    ("SOFTMAX", Transform::Softmax),
    ("LOGISTIC", Transform::Logistic),
    ("SOFTMAX_ZERO", Transform::SoftmaxZero),
    ("PROBIT", Transform::Probit),
];

const EXPECTED: &str = "NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT";

impl Transform {
    pub(super) fn of(c: &Context<'_, '_>) -> Result<Transform, Error> {
        let word = c.word("post_transform", "NONE")?;
        let found = TRANSFORMS.iter().find(|(name, _)| *name == word);
        found.map(|(_, t)| *t).ok_or_else(|| c.misfit("attribute \"post_transform\"", EXPECTED, &word))
    }

    /// The transform of a number, as `TreeEnsemble` has it.
    pub(super) fn of_number(c: &Context<'_, '_>) -> Result<Transform, Error> {
        let number = c.int("post_transform", 0)?;
        let found = usize::try_from(number).ok().and_then(|at| TRANSFORMS.get(at));
        found
            .map(|(_, t)| *t)
            .ok_or_else(|| c.misfit("attribute \"post_transform\"", "0 to 4", &number.to_string()))
    }

    /// The transformed scores `[n_rows, n]`.
    pub(super) fn apply(self, c: &mut Context<'_, '_>, scores: ValueIdx) -> Result<ValueIdx, Error> {
        match self {
            Transform::None => Ok(scores),
            Transform::Softmax => c.emit(Softmax { kind: SoftmaxKind::Soft, axis: -1 }, &[scores]),
            Transform::Logistic => c.emit(Activation::plain(ActivationKind::Sigmoid), &[scores]),
            Transform::SoftmaxZero => softmax_zero(c, scores),
            Transform::Probit => probit(c, scores),
        }
    }
}

pub(super) fn reduced(c: &mut Context<'_, '_>, kind: ReduceKind, x: ValueIdx) -> Result<ValueIdx, Error> {
    let axes = c.list(&[-1])?;
    c.emit(Reduce { kind, keep_dims: true, none_without_axes: false }, &[x, axes])
}

/// Shares among scores that are not zero; those nearer to zero than 1e-7 are no classes that a tree voted for.
fn softmax_zero(c: &mut Context<'_, '_>, scores: ValueIdx) -> Result<ValueIdx, Error> {
    let dtype = c.dtype(scores);
    let (zero, least) = (c.number(dtype, 0.0)?, c.number(dtype, 1e-7)?);
    let size = c.emit(Unary::Abs, &[scores])?;
    let counts = c.emit(Compare::Greater, &[size, least])?;
    let largest = reduced(c, ReduceKind::Max, scores)?;
    let above = c.emit(Binary::Sub, &[scores, largest])?;
    let power = c.emit(Unary::Exp, &[above])?;
    let power = c.emit(Where, &[counts, power, zero])?;
    let sum = reduced(c, ReduceKind::Sum, power)?;
    c.emit(Binary::Div, &[power, sum])
}

/// `sqrt(2) erfinv(2 p - 1)` with the approximation of the inverse error function that ONNX's reference has (Winitzki,
/// a = 0.147; good to 2e-3): with `l = ln(1 - x^2)`, `v = 2 / (pi a) + l / 2`, it is `sign(x) sqrt(sqrt(v^2 - l / a) - v)`.
fn probit(c: &mut Context<'_, '_>, p: ValueIdx) -> Result<ValueIdx, Error> {
    const A: f64 = 0.147;
    let dtype = c.dtype(p);
    let number = |c: &mut Context<'_, '_>, x| c.number(dtype, x);
    let (one, two) = (number(c, 1.0)?, number(c, 2.0)?);
    let (half, shift) = (number(c, 0.5)?, number(c, 2.0 / (std::f64::consts::PI * A))?);
    let (inverse, root) = (number(c, 1.0 / A)?, number(c, std::f64::consts::SQRT_2)?);
    let twice = c.emit(Binary::Mul, &[p, two])?;
    let x = c.emit(Binary::Sub, &[twice, one])?;
    let square = c.emit(Binary::Mul, &[x, x])?;
    let rest = c.emit(Binary::Sub, &[one, square])?;
    let log = c.emit(Unary::Log, &[rest])?;
    let part = c.emit(Binary::Mul, &[log, half])?;
    let v = c.emit(Binary::Add, &[part, shift])?;
    let scaled = c.emit(Binary::Mul, &[log, inverse])?;
    let v_squared = c.emit(Binary::Mul, &[v, v])?;
    let under = c.emit(Binary::Sub, &[v_squared, scaled])?;
    let outer = c.emit(Unary::Sqrt, &[under])?;
    let left = c.emit(Binary::Sub, &[outer, v])?;
    let size = c.emit(Unary::Sqrt, &[left])?;
    let sign = c.emit(Unary::Sign, &[x])?;
    let signed = c.emit(Binary::Mul, &[sign, size])?;
    c.emit(Binary::Mul, &[signed, root])
}

/// Classes of a classifier: whole numbers or text.
pub(super) fn classes(c: &Context<'_, '_>, ints: &str, strings: &str) -> Result<TensorData, Error> {
    let (ints, strings) = (c.ints(ints).unwrap_or_default(), c.words(strings)?.unwrap_or_default());
    match (ints.is_empty(), strings.is_empty()) {
        (false, true) => Ok(TensorData::I64(ints)),
        (true, false) => Ok(TensorData::Str(strings)),
        _ => Err(c.misfit("class labels", "whole numbers or text", "both or none")),
    }
}

/// The class of each row: that of the largest score, ties to the first.
pub(super) fn largest(
    c: &mut Context<'_, '_>,
    classes: TensorData,
    scores: ValueIdx,
) -> Result<ValueIdx, Error> {
    let first = ArgExtreme { largest: true, axis: 1, keep_dims: false, last: false };
    let place = c.emit(first, &[scores])?;
    class_at(c, classes, place)
}

fn class_at(c: &mut Context<'_, '_>, classes: TensorData, place: ValueIdx) -> Result<ValueIdx, Error> {
    let classes = c.add_constant(Tensor::vector(classes))?;
    c.emit(Gather::Slices { axis: 0 }, &[classes, place])
}

/// The class of each row of one score `[n_rows, 1]`: the second if the score is above `above`.
pub(super) fn second_above(
    c: &mut Context<'_, '_>,
    classes: TensorData,
    score: ValueIdx,
    above: f64,
) -> Result<ValueIdx, Error> {
    let border = c.number(c.dtype(score), above)?;
    let is_second = c.emit(Compare::Greater, &[score, border])?;
    let place = c.emit(Cast::to(DType::I64), &[is_second])?;
    let axes = c.list(&[1])?;
    let place = c.emit(Squeeze::Remove, &[place, axes])?;
    class_at(c, classes, place)
}

/// Two columns of one score `s`: `[1 - s, s]`.
pub(super) fn complemented(c: &mut Context<'_, '_>, score: ValueIdx) -> Result<ValueIdx, Error> {
    let one = c.number(c.dtype(score), 1.0)?;
    let other = c.emit(Binary::Sub, &[one, score])?;
    c.emit(Concat { axis: 1 }, &[other, score])
}

/// Two columns of one score `s`: `[-s, s]`.
pub(super) fn negated(c: &mut Context<'_, '_>, score: ValueIdx) -> Result<ValueIdx, Error> {
    let other = c.emit(Unary::Neg, &[score])?;
    c.emit(Concat { axis: 1 }, &[other, score])
}

/// A value in another dtype.
pub(super) fn cast(c: &mut Context<'_, '_>, x: ValueIdx, to: DType) -> Result<ValueIdx, Error> {
    if c.dtype(x) == to { Ok(x) } else { c.emit(Cast::to(to), &[x]) }
}

/// Rows `[n_rows, n]` of an input that may be a single row `[n]`.
pub(super) fn as_rows(c: &mut Context<'_, '_>, x: ValueIdx) -> Result<ValueIdx, Error> {
    if c.rank(x)? != 1 {
        return Ok(x);
    }
    let axes = c.list(&[0])?;
    c.emit(Squeeze::Add, &[x, axes])
}

/// Numbers of single precision as a constant.
pub(super) fn singles(c: &mut Context<'_, '_>, dims: Vec<usize>, v: Vec<f32>) -> Result<ValueIdx, Error> {
    let n = v.len();
    let tensor = Tensor::try_new(dims.clone(), TensorData::F32(v));
    let tensor =
        tensor.ok_or_else(|| c.misfit("numbers", &format!("as many as {dims:?} holds"), &n.to_string()))?;
    c.add_constant(tensor)
}
