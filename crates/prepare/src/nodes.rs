//! Nodes that several members lower to: numbers beside constants, columns as a matrix.

use crate::transform::Lower;
use ir::op::{Arithmetic, Columns, Function, IsNaN, LabelEncoder, Where};
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};

/// `x op values`, for each row; `values` has one number for all columns or one for each.
pub(crate) fn with(
    builder: &mut GraphBuilder,
    op: Arithmetic,
    x: ValueIdx,
    values: &[f64],
) -> Result<ValueIdx, ir::Error> {
    let values = builder.constant(Tensor::vector(TensorData::F64(values.to_vec())))?;
    builder.node(Op::Arithmetic(op), &[x, values])
}

/// A constant that broadcasts over rows.
pub(crate) fn scalar(builder: &mut GraphBuilder, value: f64) -> Result<ValueIdx, ir::Error> {
    builder.constant(Tensor::vector(TensorData::F64(vec![value])))
}

/// `(x - shift) / scale`, the nodes of all scales.
pub(crate) fn shift_and_divide(
    builder: &mut GraphBuilder,
    x: ValueIdx,
    shift: f64,
    scale: f64,
) -> Result<ValueIdx, ir::Error> {
    let shift = scalar(builder, shift)?;
    let scale = scalar(builder, scale)?;
    let centred = builder.node(Op::Arithmetic(Arithmetic::Sub), &[x, shift])?;
    builder.node(Op::Arithmetic(Arithmetic::Div), &[centred, scale])
}

/// `f(x)`.
pub(crate) fn apply(
    builder: &mut GraphBuilder,
    function: Function,
    x: ValueIdx,
) -> Result<ValueIdx, ir::Error> {
    builder.node(Op::Function(function), &[x])
}

/// Columns and matrices side by side, `[N, sum of widths]`.
pub(crate) fn side_by_side(builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
    builder.node(Op::Columns(Columns), columns)
}

/// `x`, and 0 where it is missing.
pub(crate) fn missing_as_zero(builder: &mut GraphBuilder, x: ValueIdx) -> Result<ValueIdx, ir::Error> {
    let zero = scalar(builder, 0.0)?;
    let missing = builder.node(Op::IsNaN(IsNaN), &[x])?;
    builder.node(Op::Where(Where), &[missing, zero, x])
}

/// A constant matrix, row-major.
pub(crate) fn matrix(
    builder: &mut GraphBuilder,
    n_rows: usize,
    values: Vec<f64>,
) -> Result<ValueIdx, ir::Error> {
    let width = values.len() / n_rows.max(1);
    // `values` is a whole number of rows; otherwise the node that takes the vector refuses it.
    let tensor = Tensor::try_new(vec![n_rows, width], TensorData::F64(values));
    builder.constant(tensor.unwrap_or_else(|| Tensor::vector(TensorData::F64(Vec::new()))))
}

/// A number for each key, and two more: for other keys and for missing cells.
pub(crate) struct Labels {
    /// In byte order.
    pub(crate) keys: Vec<String>,
    pub(crate) values: Vec<f64>,
}

impl Lower for Labels {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let keys = builder.constant(Tensor::vector(TensorData::Str(self.keys.clone())))?;
        let values = builder.constant(Tensor::vector(TensorData::F64(self.values.clone())))?;
        builder.node(Op::LabelEncoder(LabelEncoder), &[columns[0], keys, values])
    }
}
