//! Lowering of every forest: codes of its columns, then scores.

use crate::lowering::encoded;
use crate::{Error, Part};
use ir::op::ForestOp;
use ir::{GraphBuilder, Op, ValueIdx};
use trees::Compact;

/// A forest ready to become nodes.
pub(crate) struct ScoredForest {
    /// The forest and the columns that it asks.
    pub(crate) compact: Compact,
}

impl Part for ScoredForest {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, Error> {
        let mut codes = Vec::with_capacity(columns.len());
        for (feature, &column) in self.compact.features.iter().zip(columns) {
            codes.push(encoded(&feature.encoder, builder, column)?);
        }
        let forest = self.compact.forest.clone();
        Ok(builder.node(Op::Forest(ForestOp { forest }), &codes)?)
    }
}
