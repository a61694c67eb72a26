//! `LinearRegressor` and `LinearClassifier`: a product, a sum, a transform.

use super::super::Outputs;
use super::scores::{Transform, as_rows, cast, classes, complemented, largest, second_above, singles};
use crate::context::Context;
use crate::error::Error;
use ir::op::tensor::Gemm;
use ir::{DType, ValueIdx};

/// `x w^T + b` with the weights `[n, n_features]` of the node; `f32 [n_rows, n]`.
fn scores(c: &mut Context<'_, '_>, n: usize) -> Result<ValueIdx, Error> {
    let (w, b) = (c.floats("coefficients").unwrap_or_default(), c.floats("intercepts").unwrap_or_default());
    let x = c.input(0)?;
    let x = cast(c, x, DType::F32)?;
    let x = as_rows(c, x)?;
    if n == 0 || w.is_empty() || !w.len().is_multiple_of(n) {
        let expected = format!("a multiple of {n} elements, more than none");
        return Err(c.misfit("attribute \"coefficients\"", &expected, &w.len().to_string()));
    }
    let mut inputs = vec![x, singles(c, vec![n, w.len() / n], w)?];
    if !b.is_empty() {
        inputs.push(singles(c, vec![n], b)?);
    }
    c.emit(Gemm { alpha: 1.0, beta: 1.0, transpose_a: false, transpose_b: true }, &inputs)
}

/// `f32 [n_rows, targets]`.
pub(super) fn regressor(c: &mut Context<'_, '_>) -> Outputs {
    let transform = Transform::of(c)?;
    let n = c.count("attribute \"targets\"", c.int("targets", 1)?)?;
    let scores = scores(c, n)?;
    Ok(vec![transform.apply(c, scores)?])
}

/// Classes, and scores `f32 [n_rows, n_classes]`. Two classes may have one score.
pub(super) fn classifier(c: &mut Context<'_, '_>) -> Outputs {
    let transform = Transform::of(c)?;
    // How scores were trained does not matter here.
    c.int("multi_class", 0)?;
    let labels = classes(c, "classlabels_ints", "classlabels_strings")?;
    let n_scores = c.floats("intercepts").map_or(labels.len(), |b| b.len().max(1));
    let scores = scores(c, n_scores)?;
    if n_scores == labels.len() && n_scores > 1 {
        let label = largest(c, labels, scores)?;
        return Ok(vec![label, transform.apply(c, scores)?]);
    }
    if (n_scores, labels.len()) != (1, 2) {
        let expected = format!("{} scores, as many as classes, or 1 of 2 classes", labels.len());
        return Err(c.misfit("attribute \"intercepts\"", &expected, &n_scores.to_string()));
    }
    let label = second_above(c, labels, scores, 0.0)?;
    match transform {
        Transform::None | Transform::Logistic => {
            let score = transform.apply(c, scores)?;
            Ok(vec![label, complemented(c, score)?])
        }
        _ => {
            let what = format!("this transform of one score of two classes ({transform:?})");
            Err(c.unsupported(&what, "write coefficients for both classes"))
        }
    }
}
