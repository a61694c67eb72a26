//! Scores of models written into a graph that others write to as well.
//!
//! It stands apart because two write such graphs: [`crate::Merge`] has models alone, [`crate::finish()`] adds a fit to
//! one. Constants that are equal are written once; a column of whole numbers may be doubles in the new graph.

use crate::error::{Error, Kind};
use crate::merged::ModelScore;
use ir::op::{Arithmetic, Function};
use ir::{DType, Graft, GraphBuilder, Input, Model, Node, Op, Origin, Tensor, TensorData, ValueIdx};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A column of the new graph by what a model calls it, of the second table or not: its dtype and its value.
type ColumnOf<'c> = &'c dyn Fn(&Input, bool) -> Option<(DType, ValueIdx)>;

/// Constants that the graph has.
#[derive(Default)]
pub(crate) struct Grafts(Vec<(Arc<Tensor>, ValueIdx)>);

impl Grafts {
    /// Writes the nodes of a model that its score hangs on; gives the score.
    ///
    /// # Errors
    /// `Widened` where no node gives the same for doubles as the model's for whole numbers; columns that the graph does
    /// not have, or of another dtype; more nodes than a graph may have.
    pub(crate) fn score(
        &mut self,
        builder: &mut GraphBuilder,
        (model, score): (&Model, ModelScore),
        column: ColumnOf<'_>,
    ) -> Result<ValueIdx, Error> {
        let (graph, own) = (model.graph(), model.signature());
        let mut graft = Graft::new(graph);
        let mut widened: BTreeMap<ValueIdx, (ValueIdx, &str)> = BTreeMap::new();
        let main = own.inputs.iter().map(|input| (input, false));
        let second = own.joined_inputs().iter().map(|input| (input, true));
        for (&old, (input, is_second)) in graph.inputs().iter().zip(main.chain(second)) {
            match column(input, is_second) {
                Some((dtype, new)) if dtype == input.graph_dtype() => graft.put(old, new),
                Some((DType::F64, new)) if input.graph_dtype() == DType::I64 => {
                    widened.insert(old, (new, input.name.as_str()));
                }
                _ => return Err(Kind::Combination { what: "the columns of all members" }.into()),
            }
        }
        for node in graph.needed(&[score.value], |_| false) {
            for &input in &node.inputs {
                if let Origin::Constant(tensor) = &graph.value(input).origin
                    && graft.written(input).is_none()
                {
                    graft.put(input, self.constant(builder, tensor)?);
                }
            }
            match node.inputs.iter().find_map(|input| widened.get(input)) {
                None => {
                    graft.copy(builder, node)?;
                }
                Some(&column) => {
                    let edges = node.inputs.get(1).and_then(|&edges| graph.constant(edges));
                    let made = self.widened(builder, (node, edges), column)?;
                    node.outputs.iter().for_each(|&output| graft.put(output, made));
                }
            }
        }
        Ok(graft.value(builder, score.value)?)
    }

    /// A constant, written once.
    fn constant(&mut self, builder: &mut GraphBuilder, tensor: &Arc<Tensor>) -> Result<ValueIdx, Error> {
        if let Some((_, known)) = self.0.iter().find(|(known, _)| known == tensor) {
            return Ok(*known);
        }
        let new = builder.constant(tensor.clone())?;
        self.0.push((tensor.clone(), new));
        Ok(new)
    }

    /// What a node makes of a column of whole numbers, made of the same column as doubles. A fraction counts as its
    /// ceiling, as [`Input`] says.
    fn widened(
        &mut self,
        builder: &mut GraphBuilder,
        (node, edges): (&Node, Option<&Tensor>),
        (column, name): (ValueIdx, &str),
    ) -> Result<ValueIdx, Error> {
        let refuse = || Kind::Widened { column: name.to_owned(), op: node.op.payload().name() };
        match &node.op {
            // A number is above a whole edge if its ceiling is. Edges below 2^53 are doubles, and no larger number is
            // rounded to one of them where it is read.
            Op::Bin(bin) => {
                let whole = edges.and_then(|edges| edges.data().i64s());
                let whole = whole.filter(|edges| edges.iter().all(|e| e.unsigned_abs() < 1 << 53));
                let edges = whole.ok_or_else(refuse)?.iter().map(|&e| e as f64).collect();
                let edges = self.constant(builder, &Arc::new(Tensor::vector(TensorData::F64(edges))))?;
                Ok(builder.node(Op::Bin(*bin), &[column, edges])?)
            }
            Op::Cast(_) => self.ceiling(builder, column),
            _ => Err(refuse().into()),
        }
    }

    /// The least whole number of 64 bits that is not below, as a double.
    fn ceiling(&mut self, builder: &mut GraphBuilder, column: ValueIdx) -> Result<ValueIdx, Error> {
        /// 2^63.
        const END: f64 = 9_223_372_036_854_775_808.0;
        let mut value = column;
        for function in [Function::Neg, Function::Floor, Function::Neg] {
            value = builder.node(Op::Function(function), &[value])?;
        }
        // Minus zero becomes zero.
        for (op, with) in [(Arithmetic::Add, 0.0), (Arithmetic::Max, -END), (Arithmetic::Min, END)] {
            let with = self.constant(builder, &Arc::new(Tensor::vector(TensorData::F64(vec![with]))))?;
            value = builder.node(Op::Arithmetic(op), &[value, with])?;
        }
        Ok(value)
    }
}
