//! Nodes and constants that several learners append: codes, small integers of numbers, requantizing pairs.

use crate::Error;
use ir::fixed::Requantize;
use ir::forest::MISSING;
use ir::op::{Arithmetic, Bin, Codes, Columns, QuantizeLinear};
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use trees::Encoder;

/// The node that makes codes of a column.
///
/// # Errors
/// The graph refuses it: a column of another dtype.
pub fn encoded(encoder: &Encoder, builder: &mut GraphBuilder, column: ValueIdx) -> Result<ValueIdx, Error> {
    let (op, constant) = match encoder {
        Encoder::Whole(edges) => (Op::Bin(Bin), TensorData::I64(edges.clone())),
        Encoder::Real(edges) => (Op::Bin(Bin), TensorData::F64(edges.clone())),
        Encoder::Category { keys, rare } => {
            let unseen = if *rare { keys.len() as u8 } else { MISSING };
            (Op::Codes(Codes { unseen }), TensorData::Str(keys.clone()))
        }
    };
    let constant = builder.constant(Tensor::vector(constant))?;
    Ok(builder.node(op, &[column, constant])?)
}

/// The nodes that make small integers of doubles side by side: `(cell - center) / scale`, rounded.
pub(crate) fn quantized(
    builder: &mut GraphBuilder,
    cells: &[ValueIdx],
    centers: &[f64],
    scales: &[f64],
    op: QuantizeLinear,
) -> Result<ValueIdx, Error> {
    let rows = builder.node(Op::Columns(Columns), cells)?;
    let centers = builder.constant(Tensor::vector(TensorData::F64(centers.to_vec())))?;
    let away = builder.node(Op::Arithmetic(Arithmetic::Sub), &[rows, centers])?;
    let scales = builder.constant(Tensor::vector(TensorData::F64(scales.to_vec())))?;
    Ok(builder.node(Op::QuantizeLinear(op), &[away, scales])?)
}

/// The constant of multipliers and shifts, one an output.
pub(crate) fn requantize(pairs: &[Requantize]) -> Result<Tensor, Error> {
    let all = pairs.iter().map(|p| p.multiplier()).chain(pairs.iter().map(|p| p.shift()));
    matrix(2, pairs.len(), TensorData::I64(all.collect()))
}

/// A matrix of constants.
pub(crate) fn matrix(n_rows: usize, n_columns: usize, data: TensorData) -> Result<Tensor, Error> {
    let got = data.len();
    Tensor::try_new(vec![n_rows, n_columns], data).ok_or_else(|| {
        let (what, expected) = ("constants of a learner".to_owned(), format!("{n_rows} x {n_columns}"));
        ir::Error::from(ir::Kind::Graph { what, expected, got: got.to_string() }).into()
    })
}

/// A part that is given fewer columns than it uses.
pub(crate) fn missing_column(feature: usize) -> Error {
    let (what, expected) = ("columns of a part".to_owned(), format!("column {feature}"));
    ir::Error::from(ir::Kind::Graph { what, expected, got: "fewer".to_owned() }).into()
}
