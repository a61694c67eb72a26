//! What the integer operators of linear models, tables, neighbours and support vectors mean; part of the
//! reference interpreter.
//!
//! Sums are exact: that none overflows was proven when the node was made.

use crate::error::Error;
use crate::numbers::doubles;
use crate::reference::Inputs;
use alloc::vec;
use alloc::vec::Vec;
use ir::fixed::{Requantize, clamp_i32};
use ir::op::{
    Cascade, Gate, NearestRows, QGemm, QuantizeLinear, RbfParts, RbfSums, ScoreCurve, Tables, Votes,
    WeightedSum,
};
use ir::{Op, Tensor, TensorData};

/// Value of one of these nodes.
pub(crate) fn evaluate(inputs: &Inputs<'_, '_>) -> Result<Tensor, Error> {
    match &inputs.node.op {
        Op::QuantizeLinear(op) => quantize(inputs, *op),
        Op::QGemm(_) => gemm(inputs),
        Op::Tables(op) => tables(inputs, *op),
        Op::Sum(_) => sum(inputs),
        Op::WeightedSum(op) => weighted_sum(inputs, *op),
        Op::Cascade(op) => cascade(inputs, *op),
        Op::Gate(_) => gate(inputs),
        Op::Votes(op) => votes(inputs, *op),
        Op::ScoreCurve(_) => curve(inputs),
        Op::ToScores(op) => {
            let x = doubles(inputs, 0)?;
            let scores = x.values.iter().map(|&x| op.of(x)).collect();
            inputs.finish(x.dims.into_owned(), TensorData::I32(scores))
        }
        Op::NearestRows(op) => nearest(inputs, *op),
        Op::RbfSums(op) => similarities(inputs, *op),
        _ => Err(inputs.fail()),
    }
}

/// 16-bit integers and the length of a row.
fn small<'t>(inputs: &'t Inputs<'_, '_>, position: usize) -> Result<(&'t [i16], usize), Error> {
    let tensor = inputs.tensor(position)?;
    match (tensor.data(), tensor.dims()) {
        (TensorData::I16(v), &[_, width]) => Ok((v, width)),
        _ => Err(inputs.fail()),
    }
}

/// The rows of the table, as 16-bit integers, and their length.
fn small_rows<'t>(inputs: &'t Inputs<'_, '_>) -> Result<(&'t [i16], usize), Error> {
    let (x, width) = small(inputs, 0)?;
    if Some(x.len()) == width.checked_mul(inputs.n_rows) { Ok((x, width)) } else { Err(inputs.fail()) }
}

fn i32s<'t>(inputs: &'t Inputs<'_, '_>, position: usize) -> Result<&'t [i32], Error> {
    inputs.tensor(position)?.data().i32s().ok_or_else(|| inputs.fail())
}

fn i64s<'t>(inputs: &'t Inputs<'_, '_>, position: usize) -> Result<&'t [i64], Error> {
    inputs.tensor(position)?.data().i64s().ok_or_else(|| inputs.fail())
}

/// Multiplier and shift of each output.
fn requantize(inputs: &Inputs<'_, '_>, position: usize) -> Result<Vec<Requantize>, Error> {
    Requantize::pairs(i64s(inputs, position)?).ok_or_else(|| inputs.fail())
}

fn quantize(inputs: &Inputs<'_, '_>, op: QuantizeLinear) -> Result<Tensor, Error> {
    let (x, scale) = (doubles(inputs, 0)?, doubles(inputs, 1)?);
    let mut values = Vec::with_capacity(x.values.len());
    for row in x.values.chunks_exact(scale.values.len().max(1)) {
        values.extend(row.iter().zip(scale.values.iter()).map(|(&x, &s)| op.of(x, s)));
    }
    inputs.finish(x.dims.into_owned(), TensorData::I16(values))
}

fn gemm(inputs: &Inputs<'_, '_>) -> Result<Tensor, Error> {
    let ((x, inner), (w, width)) = (small_rows(inputs)?, small(inputs, 1)?);
    let (bias, pairs) = (i32s(inputs, 2)?, requantize(inputs, 3)?);
    let mut scores = vec![0; inputs.n_rows * width];
    let mut acc = vec![0i32; width];
    for (row, out) in scores.chunks_exact_mut(width).enumerate() {
        QGemm::scores_into(&x[row * inner..(row + 1) * inner], w, bias, &pairs, &mut acc, out);
    }
    inputs.finish(vec![inputs.n_rows, width], TensorData::I32(scores))
}

fn tables(inputs: &Inputs<'_, '_>, op: Tables) -> Result<Tensor, Error> {
    let n_columns = inputs.node.inputs.len().checked_sub(3).ok_or_else(|| inputs.fail())?;
    let codes = inputs.codes_of(n_columns)?;
    let (sizes, terms) = (i64s(inputs, n_columns)?, i64s(inputs, n_columns + 1)?);
    let values = i32s(inputs, n_columns + 2)?;
    let (terms, n_values) = Tables::terms(sizes, terms).ok_or_else(|| inputs.fail())?;
    let width = values.len() / n_values;
    let mut scores = vec![0; inputs.n_rows * width];
    for (row, out) in scores.chunks_exact_mut(width).enumerate() {
        op.scores_into(&terms, values, |column| codes[column][row], out);
    }
    inputs.finish(vec![inputs.n_rows, width], TensorData::I32(scores))
}

fn sum(inputs: &Inputs<'_, '_>) -> Result<Tensor, Error> {
    let first = inputs.tensor(0)?;
    let mut sums: Vec<i64> = vec![0; first.data().len()];
    for position in 0..inputs.node.inputs.len() {
        sums.iter_mut().zip(i32s(inputs, position)?).for_each(|(sum, &v)| *sum += i64::from(v));
    }
    let scores = sums.into_iter().map(clamp_i32).collect();
    inputs.finish(first.dims().to_vec(), TensorData::I32(scores))
}

fn weighted_sum(inputs: &Inputs<'_, '_>, op: WeightedSum) -> Result<Tensor, Error> {
    let n_members = inputs.node.inputs.len().checked_sub(2).ok_or_else(|| inputs.fail())?;
    let members: Vec<&[i32]> = (0..n_members).map(|member| i32s(inputs, member)).collect::<Result<_, _>>()?;
    let first = inputs.tensor(0)?;
    let mut scores = vec![0; first.data().len()];
    op.apply(&members, i64s(inputs, n_members)?, i64s(inputs, n_members + 1)?, &mut scores);
    inputs.finish(first.dims().to_vec(), TensorData::I32(scores))
}

fn cascade(inputs: &Inputs<'_, '_>, op: Cascade) -> Result<Tensor, Error> {
    let dims = inputs.tensor(0)?.dims();
    let &[_, width] = dims else { return Err(inputs.fail()) };
    let (mut scores, second) = (i32s(inputs, 0)?.to_vec(), i32s(inputs, 1)?);
    op.apply(width, &mut scores, second);
    inputs.finish(dims.to_vec(), TensorData::I32(scores))
}

fn gate(inputs: &Inputs<'_, '_>) -> Result<Tensor, Error> {
    let dims = inputs.tensor(1)?.dims();
    let &[_, width] = dims else { return Err(inputs.fail()) };
    let (gates, mut scores, second) = (i32s(inputs, 0)?, i32s(inputs, 1)?.to_vec(), i32s(inputs, 2)?);
    Gate::apply(width, gates, &mut scores, second);
    inputs.finish(dims.to_vec(), TensorData::I32(scores))
}

fn votes(inputs: &Inputs<'_, '_>, op: Votes) -> Result<Tensor, Error> {
    let dims = inputs.tensor(0)?.dims();
    let &[_, width] = dims else { return Err(inputs.fail()) };
    let mut scores = i32s(inputs, 0)?.to_vec();
    op.apply(width, &mut scores);
    inputs.finish(dims.to_vec(), TensorData::I32(scores))
}

fn curve(inputs: &Inputs<'_, '_>) -> Result<Tensor, Error> {
    let mut scores = i32s(inputs, 0)?.to_vec();
    ScoreCurve::apply(i64s(inputs, 1)?, i32s(inputs, 2)?, i32s(inputs, 3)?, &mut scores);
    inputs.finish(inputs.tensor(0)?.dims().to_vec(), TensorData::I32(scores))
}

fn nearest(inputs: &Inputs<'_, '_>, op: NearestRows) -> Result<Tensor, Error> {
    let ((x, inner), (known, _)) = (small_rows(inputs)?, small(inputs, 1)?);
    let votes = inputs.tensor(2)?;
    let (TensorData::I32(votes), &[_, width]) = (votes.data(), votes.dims()) else {
        return Err(inputs.fail());
    };
    let mut scores = vec![0; inputs.n_rows * width];
    let mut near = Vec::new();
    for (row, out) in x.chunks_exact(inner.max(1)).zip(scores.chunks_exact_mut(width)) {
        op.scores_into(row, known, votes, &mut near, out);
    }
    inputs.finish(vec![inputs.n_rows, width], TensorData::I32(scores))
}

fn similarities(inputs: &Inputs<'_, '_>, op: RbfSums) -> Result<Tensor, Error> {
    let ((x, inner), (vectors, _), (coefficients, width)) =
        (small_rows(inputs)?, small(inputs, 1)?, small(inputs, 2)?);
    let (table, pairs, start) = (i32s(inputs, 3)?, requantize(inputs, 4)?, i32s(inputs, 5)?);
    let parts = RbfParts { vectors, coefficients, table, pairs: &pairs, start };
    let mut scores = vec![0; inputs.n_rows * width];
    let mut acc = vec![0; width];
    for (row, out) in x.chunks_exact(inner.max(1)).zip(scores.chunks_exact_mut(width)) {
        op.scores_into(row, &parts, &mut acc, out);
    }
    inputs.finish(vec![inputs.n_rows, width], TensorData::I32(scores))
}
