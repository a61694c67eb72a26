//! What models say of the rows of a table, and what is true there.

use super::{ComposeOptions, Member};
use crate::Error;
use crate::evaluate::{add_unseen, unseen_error};
use crate::joined::rows_of_second;
use crate::table::{Scorer, batch_truth, batches_for, rows_for};
use arrow_array::RecordBatch;
use data::Source;
use ir::{OutputRole, Signature, Tensor, TensorData};
use jobs::Ctx;
use recipe::{Predictions, Truth};

/// Rows with a target, and what each model says of them.
pub(super) struct OnRows {
    pub(super) truth: Truth,
    /// In the order of the models.
    pub(super) members: Vec<OfMember>,
}

/// What one model says.
pub(super) struct OfMember {
    /// Integer scores `[n_rows, n_outputs]`.
    pub(super) scores: Vec<i32>,
    pub(super) predictions: Predictions,
}

/// Runs each model over the rows of a table, which is read once, with the columns of all of them.
///
/// # Errors
/// The table cannot be read or lacks a column, no row has a target, a class was not seen in training.
pub(super) fn read(
    members: &[Member],
    signature: &Signature,
    source: &Source,
    options: &ComposeOptions,
    ctx: &Ctx<'_>,
) -> Result<OnRows, Error> {
    let mut scorers = Vec::with_capacity(members.len());
    for Member { model, .. } in members {
        let join = options.join.as_ref().filter(|_| model.signature().joined.is_some());
        scorers.push(Scorer::new(model, rows_of_second(model, join, options.encoding)?)?);
    }
    // One that sees other rows takes the table whole, so all do.
    let wholly = scorers.iter().find(|scorer| scorer.sees_other_rows()).or(scorers.first());
    let Some(wholly) = wholly else { return Err(Error::bug("compose: no model is left")) };
    let name = source.name();
    let (mut truth, mut unseen): (Option<Truth>, Vec<(String, usize)>) = (None, Vec::new());
    let mut all: Vec<Option<OfMember>> = members.iter().map(|_| None).collect();
    let mut first_row = 0;
    let rows = rows_for(source, signature, std::slice::from_ref(&signature.target), options.encoding)?;
    for batch in batches_for(wholly, rows, name)? {
        let batch = batch?;
        if ctx.cancel.is_cancelled() {
            return Err(Error::input(format!("compose: interrupted after {first_row} rows")));
        }
        let found = batch_truth(&batch, signature, name, first_row)?;
        first_row += batch.num_rows();
        add_unseen(&mut unseen, found.unseen);
        ctx.progress.advance(batch.num_rows() as u64);
        if found.rows.is_empty() {
            continue;
        }
        for (scorer, known) in scorers.iter().zip(&mut all) {
            let more = OfMember::of(scorer, &batch, &found.rows, ctx)?;
            match known {
                None => *known = Some(more),
                Some(known) => {
                    known.scores.extend(more.scores);
                    known.predictions.append(more.predictions);
                }
            }
        }
        match &mut truth {
            None => truth = Some(found.truth),
            Some(truth) => truth.append(found.truth),
        }
    }
    if !unseen.is_empty() {
        let cure = "take those rows out of the table";
        return Err(unseen_error(&unseen, name, &signature.target, cure));
    }
    let members = all.into_iter().collect::<Option<Vec<OfMember>>>();
    let Some((truth, members)) = truth.zip(members) else {
        let target = &signature.target;
        return Err(Error::input(format!("{name}: no row to compose on: target \"{target}\" has no value")));
    };
    Ok(OnRows { truth, members })
}

impl OfMember {
    /// What a model says of some rows of a batch.
    fn of(scorer: &Scorer<'_>, batch: &RecordBatch, rows: &[u32], ctx: &Ctx<'_>) -> Result<OfMember, Error> {
        let (outputs, signature) = (scorer.outputs(batch, ctx)?, scorer.signature);
        let score = signature.output(OutputRole::Score).and_then(|at| outputs.get(at));
        let scores = score.and_then(|score| scores_of(score, rows));
        let predictions = Predictions::from_outputs(&outputs, signature);
        let Some((scores, predictions)) = scores.zip(predictions) else {
            return Err(Error::bug("compose: the outputs are not those of the signature"));
        };
        Ok(OfMember { scores, predictions: predictions.select(rows) })
    }
}

/// Scores of some rows; `None` of another tensor.
fn scores_of(score: &Tensor, rows: &[u32]) -> Option<Vec<i32>> {
    let (TensorData::I32(scores), [_, width]) = (score.data(), score.dims()) else { return None };
    Some(rows.iter().flat_map(|&row| &scores[row as usize * width..][..*width]).copied().collect())
}
