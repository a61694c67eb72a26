//! Lowering of every forest: codes of its columns, scores, what people read, the label.

use crate::{Error, Lowered, Part, ScoreLink};
use ir::op::{ArgMax, Bin, Codes, ForestOp, Link, LinkKind, Threshold};
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx, forest::MISSING};
use trees::{Compact, Encoder};

/// A forest ready to become nodes.
pub(crate) struct ScoredForest {
    /// The forest and the columns that it asks.
    pub(crate) compact: Compact,
    /// What its scores mean.
    pub(crate) link: ScoreLink,
}

impl Part for ScoredForest {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<Lowered, Error> {
        let mut codes = Vec::with_capacity(columns.len());
        for (feature, &column) in self.compact.features.iter().zip(columns) {
            codes.push(lower_encoder(&feature.encoder, builder, column)?);
        }
        let forest = Box::new(self.compact.forest.clone());
        let score = builder.node(Op::Forest(ForestOp { forest }), &codes)?;
        let ScoreLink { kind, shift, offset } = self.link;
        let linked = builder.node(Op::Link(Link { kind, shift, offset }), &[score])?;
        let single = self.compact.forest.n_outputs() == 1;
        let label = match kind {
            LinkKind::Logistic | LinkKind::Share if single => {
                Some(builder.node(Op::Threshold(Threshold { above: 0 }), &[score])?)
            }
            LinkKind::Logistic | LinkKind::Softmax | LinkKind::Share => {
                Some(builder.node(Op::ArgMax(ArgMax), &[score])?)
            }
            LinkKind::Linear => None,
        };
        Ok(Lowered { score, linked, label })
    }
}

/// The node that makes codes of a column.
fn lower_encoder(encoder: &Encoder, builder: &mut GraphBuilder, column: ValueIdx) -> Result<ValueIdx, Error> {
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
