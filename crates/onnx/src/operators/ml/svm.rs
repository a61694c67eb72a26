//! `SVMRegressor` and `SVMClassifier`: similarities to support vectors, weighted and summed.
//!
//! Similarities are computed in double precision: squared distances as `|x|^2 + |v|^2 - 2 x v` lose half of the bits.

use super::super::Outputs;
use super::scores::{Transform, as_rows, cast, classes, largest, negated, reduced};
use crate::context::Context;
use crate::error::Error;
use ir::op::tensor::{
    Activation, ActivationKind, Binary, Cast, Compare, Concat, MatMul, ReduceKind, Unary, Where,
};
use ir::{DType, Tensor, TensorData, ValueIdx};

/// Most classes that are compared in pairs: votes take memory by their cube.
const MAX_CLASSES: usize = 256;

/// Most weights of vectors for pairs of classes, which are more than the file holds.
const MAX_PAIR_WEIGHTS: usize = 1 << 26;

/// Numbers of double precision as a constant.
fn constant(c: &mut Context<'_, '_>, dims: Vec<usize>, v: Vec<f64>) -> Result<ValueIdx, Error> {
    let n = v.len();
    let tensor = Tensor::try_new(dims.clone(), TensorData::F64(v));
    let tensor =
        tensor.ok_or_else(|| c.misfit("numbers", &format!("as many as {dims:?} holds"), &n.to_string()))?;
    c.add_constant(tensor)
}

fn doubles(c: &Context<'_, '_>, name: &str) -> Vec<f64> {
    c.floats(name).unwrap_or_default().into_iter().map(f64::from).collect()
}

/// `[n, m]` as `[m, n]`.
fn turned(v: &[f64], m: usize) -> Vec<f64> {
    (0..m).flat_map(|column| v.iter().skip(column).step_by(m.max(1)).copied()).collect()
}

fn rows(c: &mut Context<'_, '_>) -> Result<ValueIdx, Error> {
    let x = c.input(0)?;
    let x = cast(c, x, DType::F64)?;
    as_rows(c, x)
}

/// How alike rows `x` and vectors `v: [n_vectors, n_features]` are, `[n_rows, n_vectors]`: `x v` (LINEAR), `(gamma x v +
/// coef0)^degree` (POLY), `tanh(gamma x v + coef0)` (SIGMOID), `e^(-gamma |x - v|^2)` (RBF).
fn similarities(c: &mut Context<'_, '_>, x: ValueIdx, v: &[f64], n: usize) -> Result<ValueIdx, Error> {
    let kind = c.word("kernel_type", "LINEAR")?;
    let params = doubles(c, "kernel_params");
    let param = |at: usize| params.get(at).copied().unwrap_or(0.0);
    if n == 0 || v.is_empty() || !v.len().is_multiple_of(n) {
        let expected = format!("a multiple of {n} elements, more than none");
        return Err(c.misfit("attribute \"support_vectors\"", &expected, &v.len().to_string()));
    }
    let width = v.len() / n;
    let vectors = constant(c, vec![width, n], turned(v, width))?;
    let product = c.emit(MatMul::Numbers, &[x, vectors])?;
    if kind == "LINEAR" {
        return Ok(product);
    }
    let gamma = c.number(DType::F64, param(0))?;
    if kind == "RBF" {
        let squares: Vec<f64> = v.chunks_exact(width).map(|v| v.iter().map(|x| x * x).sum()).collect();
        let (squares, two) = (constant(c, vec![1, n], squares)?, c.number(DType::F64, 2.0)?);
        let own = reduced(c, ReduceKind::SumSquare, x)?;
        let sum = c.emit(Binary::Add, &[own, squares])?;
        let twice = c.emit(Binary::Mul, &[product, two])?;
        let distance = c.emit(Binary::Sub, &[sum, twice])?;
        let scaled = c.emit(Binary::Mul, &[distance, gamma])?;
        let negative = c.emit(Unary::Neg, &[scaled])?;
        return c.emit(Unary::Exp, &[negative]);
    }
    let (start, degree) = (c.number(DType::F64, param(1))?, c.number(DType::F64, param(2))?);
    let scaled = c.emit(Binary::Mul, &[product, gamma])?;
    let shifted = c.emit(Binary::Add, &[scaled, start])?;
    match kind.as_str() {
        "POLY" => c.emit(Binary::Pow, &[shifted, degree]),
        "SIGMOID" => c.emit(Activation::plain(ActivationKind::Tanh), &[shifted]),
        other => Err(c.misfit("attribute \"kernel_type\"", "LINEAR, POLY, RBF or SIGMOID", other)),
    }
}

/// `sum_i coefficient_i K(x, v_i) + rho`, or with one class 1 where that is above 0 and -1 elsewhere; `f32 [n_rows, 1]`.
/// Without support vectors it is a linear model.
pub(super) fn regressor(c: &mut Context<'_, '_>) -> Outputs {
    let transform = Transform::of(c)?;
    let (weights, rho) = (doubles(c, "coefficients"), doubles(c, "rho"));
    let vectors = doubles(c, "support_vectors");
    let n = c.count("attribute \"n_supports\"", c.int("n_supports", 0)?)?;
    let one_class = c.flag("one_class", false)?;
    let x = rows(c)?;
    let features = match n {
        0 => {
            // They say nothing here, but stand there.
            c.word("kernel_type", "LINEAR")?;
            c.floats("kernel_params");
            x
        }
        n => similarities(c, x, &vectors, n)?,
    };
    let weights = constant(c, vec![weights.len(), 1], weights)?;
    let sum = c.emit(MatMul::Numbers, &[features, weights])?;
    let start = c.number(DType::F64, rho.first().copied().unwrap_or(0.0))?;
    let mut score = c.emit(Binary::Add, &[sum, start])?;
    if one_class {
        let (zero, one, other) =
            (c.number(DType::F64, 0.0)?, c.number(DType::F64, 1.0)?, c.number(DType::F64, -1.0)?);
        let inside = c.emit(Compare::Greater, &[score, zero])?;
        score = c.emit(Where, &[inside, one, other])?;
    }
    let score = cast(c, score, DType::F32)?;
    Ok(vec![transform.apply(c, score)?])
}

/// What the pairs of classes are decided by, `[n_vectors, n_pairs]`: LIBSVM keeps a weight of each vector against each
/// other class.
fn pair_weights(c: &Context<'_, '_>, counts: &[usize], weights: &[f64]) -> Result<Vec<f64>, Error> {
    let n_classes = counts.len();
    let n = counts.iter().fold(0usize, |sum, &k| sum.saturating_add(k));
    if weights.len() != n.saturating_mul(n_classes - 1) {
        let expected = format!("{n} for each of {} other classes", n_classes - 1);
        return Err(c.misfit("attribute \"coefficients\"", &expected, &weights.len().to_string()));
    }
    let mut classes = Vec::with_capacity(n);
    counts.iter().enumerate().for_each(|(class, &k)| classes.extend(std::iter::repeat_n(class, k)));
    let mut made = Vec::with_capacity(n * n_classes * (n_classes - 1) / 2);
    for (vector, &class) in classes.iter().enumerate() {
        for (i, j) in pairs(n_classes) {
            made.push(match class {
                class if class == i => weights[(j - 1) * n + vector],
                class if class == j => weights[i * n + vector],
                _ => 0.0,
            });
        }
    }
    Ok(made)
}

fn pairs(n_classes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n_classes).flat_map(move |i| (i + 1..n_classes).map(move |j| (i, j)))
}

/// Classes, and scores as ONNX Runtime has them: probabilities of two classes where the node has their parameters, `[-s,
/// s]` of two classes, else a score for each pair of classes; `f32`. A class is the one that most pairs are decided for,
/// the first of equals; a pair is decided for its first class above 0.
pub(super) fn classifier(c: &mut Context<'_, '_>) -> Outputs {
    let transform = Transform::of(c)?;
    let labels = classes(c, "classlabels_ints", "classlabels_strings")?;
    let (weights, rho) = (doubles(c, "coefficients"), doubles(c, "rho"));
    let (vectors, counts) = (doubles(c, "support_vectors"), c.counts("vectors_per_class")?);
    let (prob_a, prob_b) = (doubles(c, "prob_a"), doubles(c, "prob_b"));
    let n_classes = labels.len();
    if n_classes < 2 || counts.len() != n_classes {
        let instead = "write LinearClassifier for a linear model, or vectors_per_class for each class";
        return Err(c.unsupported("a classifier without support vectors for each of its classes", instead));
    }
    let n_pairs = n_classes * (n_classes - 1) / 2;
    if rho.len() != n_pairs {
        return Err(c.misfit("attribute \"rho\"", &format!("{n_pairs} elements"), &rho.len().to_string()));
    }
    let n = counts.iter().fold(0usize, |sum, &k| sum.saturating_add(k));
    if n_classes > MAX_CLASSES || n.saturating_mul(n_pairs) > MAX_PAIR_WEIGHTS {
        let what = format!("a classifier of {n_classes} classes by {n} vectors, compared in pairs,");
        return Err(c.unsupported(&what, &format!("use at most {MAX_CLASSES} classes, or fewer vectors")));
    }
    let pair_weights = pair_weights(c, &counts, &weights)?;
    let x = rows(c)?;
    let features = similarities(c, x, &vectors, n)?;
    let pair_weights = constant(c, vec![n, n_pairs], pair_weights)?;
    let rho = constant(c, vec![1, n_pairs], rho)?;
    let sums = c.emit(MatMul::Numbers, &[features, pair_weights])?;
    let decisions = c.emit(Binary::Add, &[sums, rho])?;
    let label = voted(c, labels, decisions)?;
    let scores = match (prob_a.first(), prob_b.first()) {
        (Some(&a), Some(&b)) if n_classes == 2 => probabilities(c, decisions, a, b)?,
        (None, None) if n_classes == 2 => match transform {
            Transform::None | Transform::Logistic => negated(c, decisions)?,
            _ => {
                let what = format!("this transform of one score of two classes ({transform:?})");
                return Err(c.unsupported(&what, "write NONE or LOGISTIC"));
            }
        },
        (None, None) => decisions,
        _ => {
            let what = "probabilities of more than two classes by pairs (prob_a, prob_b)";
            return Err(c.unsupported(what, "export the model without probabilities"));
        }
    };
    let scores = cast(c, scores, DType::F32)?;
    Ok(vec![label, transform.apply(c, scores)?])
}

/// `p = 1 / (1 + e^(a s + b))` of the first of two classes, and its rest.
fn probabilities(c: &mut Context<'_, '_>, s: ValueIdx, a: f64, b: f64) -> Result<ValueIdx, Error> {
    let (a, b, one) = (c.number(DType::F64, -a)?, c.number(DType::F64, -b)?, c.number(DType::F64, 1.0)?);
    let scaled = c.emit(Binary::Mul, &[s, a])?;
    let shifted = c.emit(Binary::Add, &[scaled, b])?;
    let p = c.emit(Activation::plain(ActivationKind::Sigmoid), &[shifted])?;
    let rest = c.emit(Binary::Sub, &[one, p])?;
    c.emit(Concat { axis: 1 }, &[p, rest])
}

fn voted(c: &mut Context<'_, '_>, labels: TensorData, decisions: ValueIdx) -> Result<ValueIdx, Error> {
    let n_classes = labels.len();
    let n_pairs = n_classes * (n_classes - 1) / 2;
    // A vote for the second class of each pair, and what a decision for the first one changes.
    let mut start = vec![0.0; n_classes];
    let mut change = vec![0.0; n_pairs * n_classes];
    for (pair, (i, j)) in pairs(n_classes).enumerate() {
        start[j] += 1.0;
        change[pair * n_classes + i] = 1.0;
        change[pair * n_classes + j] = -1.0;
    }
    let zero = c.number(DType::F64, 0.0)?;
    let is_first = c.emit(Compare::Greater, &[decisions, zero])?;
    let is_first = c.emit(Cast::to(DType::F64), &[is_first])?;
    let change = constant(c, vec![n_pairs, n_classes], change)?;
    let start = constant(c, vec![1, n_classes], start)?;
    let moved = c.emit(MatMul::Numbers, &[is_first, change])?;
    let votes = c.emit(Binary::Add, &[moved, start])?;
    largest(c, labels, votes)
}
