//! Lowering of every forest: codes of its columns, then scores.

use crate::{Error, Part};
use ir::op::{Bin, Codes, ForestOp};
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx, forest::MISSING};
use trees::{Compact, Encoder};

/// A forest ready to become nodes.
pub(crate) struct ScoredForest {
    /// The forest and the columns that it asks.
    pub(crate) compact: Compact,
}

impl Part for ScoredForest {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, Error> {
        let mut codes = Vec::with_capacity(columns.len());
        for (feature, &column) in self.compact.features.iter().zip(columns) {
            codes.push(lower_encoder(&feature.encoder, builder, column)?);
        }
        let forest = Box::new(self.compact.forest.clone());
        Ok(builder.node(Op::Forest(ForestOp { forest }), &codes)?)
    }
}

/// The node that makes codes of a column.
pub(crate) fn lower_encoder(
    encoder: &Encoder,
    builder: &mut GraphBuilder,
    column: ValueIdx,
) -> Result<ValueIdx, Error> {
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
