//! A model that a fit goes on from: its graph is part of the new one, its scores are where boosting begins.
//!
//! Rows are scored once for the whole table, by whoever runs models. They were not seen by it, so its scores are the same
//! in every fold.

use crate::error::{Error, Kind};
use crate::grafts::Grafts;
use crate::merged::ModelScore;
use crate::relations::Tables;
use ir::op::LinkKind;
use ir::{ColumnKind, DType, GraphBuilder, Input, Model, Op, Shape, Task, ValueIdx};
use learn::Offsets;

/// A model that a fit can go on from.
#[derive(Clone, Copy)]
pub struct Base<'m> {
    model: &'m Model,
    score: ModelScore,
}

/// What it says of the rows of a table.
pub struct BaseScores<'m> {
    base: Base<'m>,
    /// `[n_rows, n_outputs]`.
    scores: Vec<i32>,
}

impl<'m> Base<'m> {
    /// A model whose score is what a link takes: log odds, logs of shares, or a number.
    ///
    /// # Errors
    /// `Base`, which says why it is none: it predicts nothing, its probabilities are calibrated, its scores are votes, it
    /// takes a second table.
    pub fn try_new(model: &'m Model) -> Result<Base<'m>, Error> {
        let refuse = |what, cure| Err(Kind::Base { what, cure }.into());
        let signature = model.signature();
        if signature.task == Task::Transform {
            return refuse("it makes columns and predicts nothing", "name a model that predicts");
        }
        if signature.task.is_several() {
            return refuse("it has several targets", "name a model of one target");
        }
        let n_outputs = if signature.classes.len() > 2 { signature.classes.len() } else { 1 };
        let Some(score) = ModelScore::of(model).filter(|score| score.n_outputs == n_outputs) else {
            return refuse("it has no score that a link takes as it is", "name a model that fit has written");
        };
        let maker = model.graph().maker(score.value).map(|node| &node.op);
        if matches!(maker, Some(Op::ScoreCurve(_))) {
            let cure = "fit it again with --calibrator none";
            return refuse("its probabilities are calibrated, by a curve behind its score", cure);
        }
        if score.link.kind == LinkKind::Share {
            let cure = "name one of log odds, logs of shares or numbers, such as gbdt makes";
            return refuse("its scores are votes, to which no tree can be added", cure);
        }
        if signature.joined.is_some() {
            return refuse("it takes a second table", "name one that takes a single table");
        }
        Ok(Base { model, score })
    }

    /// The columns that it takes.
    pub fn inputs(&self) -> &'m [Input] {
        &self.model.signature().inputs
    }

    /// With integer scores `[n_rows, n_outputs]` of all rows of a table.
    pub fn with_scores(self, scores: Vec<i32>) -> BaseScores<'m> {
        BaseScores { base: self, scores }
    }

    /// Agrees on columns with those of a table. Numbers that are doubles for the model are so for all.
    ///
    /// # Errors
    /// `BaseColumn` for a column of another kind, or whose cells are stored otherwise.
    pub(crate) fn agree(&self, inputs: &mut [Input], table: &str) -> Result<(), Error> {
        for own in self.inputs() {
            let Some(input) = inputs.iter_mut().find(|input| input.name == own.name) else { continue };
            match (own.dtype, input.dtype) {
                (one, other) if own.kind == input.kind && one == other => {}
                (DType::I64, DType::F64) | (DType::F64, DType::I64)
                    if own.kind == ColumnKind::Number && input.kind == ColumnKind::Number =>
                {
                    input.dtype = DType::F64;
                }
                _ => {
                    let described = |input: &Input| format!("a {} stored as {}", input.kind, input.dtype);
                    let (expected, got) = (described(own), described(input));
                    let (table, column) = (table.to_owned(), own.name.clone());
                    return Err(Kind::BaseColumn { table, column, expected, got }.into());
                }
            }
        }
        Ok(())
    }

    /// Marks the columns of the table that it takes; gives those that cleaning has left out.
    pub(crate) fn takes(&self, tables: &Tables<'_>, is_input: &mut [bool]) -> Vec<Input> {
        let mut left_out = Vec::new();
        for own in self.inputs() {
            match tables.place(&own.name) {
                Some(at) => is_input[at] = true,
                None => left_out.push(own.clone()),
            }
        }
        left_out
    }

    /// Writes its nodes; `column` gives the columns that it takes by name.
    ///
    /// # Errors
    /// As [`Grafts::score`].
    pub(crate) fn lower(
        &self,
        builder: &mut GraphBuilder,
        column: &dyn Fn(&str) -> Option<(DType, ValueIdx)>,
    ) -> Result<ValueIdx, Error> {
        Grafts::default().score(builder, (self.model, self.score), &|input, _| column(&input.name))
    }
}

impl<'m> BaseScores<'m> {
    /// The model.
    pub fn base(&self) -> Base<'m> {
        self.base
    }

    /// Scores of rows and outputs.
    pub(crate) fn n_scores(&self) -> usize {
        self.scores.len()
    }

    /// As learners take them.
    pub(crate) fn offsets(&self) -> Offsets<'_> {
        Offsets { scores: &self.scores, link: self.base.score.link }
    }
}

/// Adds columns of the first table that only a base takes.
///
/// # Errors
/// The graph refuses one.
pub(crate) fn add_left_out(
    builder: &mut GraphBuilder,
    left_out: &[Input],
) -> Result<Vec<(DType, ValueIdx)>, Error> {
    let mut add = |input: &Input| {
        let dtype = input.graph_dtype();
        Ok((dtype, builder.input(&input.name, dtype, Shape::rows())?))
    };
    left_out.iter().map(&mut add).collect()
}
