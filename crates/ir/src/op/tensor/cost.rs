//! What an operator costs: its multiplications.

use super::TensorOp;
use alloc::vec::Vec;

impl TensorOp {
    /// Multiplications with an addition of one run on inputs and outputs of these lengths, an input that is left out
    /// without any: products of matrices, convolutions and recurrent cells count, all else is 0.
    ///
    /// `MatMul`, `Gemm`: elements of the product times the inner length. Convolution: elements of the output times those
    /// of a filter; transposed, elements of the input times those that each reaches. Recurrent: steps times rows times
    /// the weights of all directions.
    pub fn multiply_adds(&self, inputs: &[Vec<usize>], outputs: &[Vec<usize>]) -> u64 {
        let count = |dims: &[usize]| dims.iter().fold(1u64, |all, &n| all.saturating_mul(n as u64));
        let input = |at: usize| inputs.get(at).map_or(&[][..], Vec::as_slice);
        let out = outputs.first().map_or(0, |dims| count(dims));
        match self {
            TensorOp::MatMul(_) | TensorOp::QMatMul(_) => {
                out.saturating_mul(input(0).last().map_or(0, |&n| n as u64))
            }
            TensorOp::Gemm(op) => {
                let inner = if op.transpose_a { input(0).first() } else { input(0).last() };
                out.saturating_mul(inner.map_or(0, |&n| n as u64))
            }
            TensorOp::Conv(_) | TensorOp::QConv(_) => {
                out.saturating_mul(count(input(1).get(1..).unwrap_or_default()))
            }
            TensorOp::ConvTranspose(_) => {
                count(input(0)).saturating_mul(count(input(1).get(1..).unwrap_or_default()))
            }
            TensorOp::Recurrent(_) => {
                let steps_and_rows = count(input(0).get(..2).unwrap_or_default());
                steps_and_rows.saturating_mul(count(input(1)).saturating_add(count(input(2))))
            }
            _ => 0,
        }
    }
}
