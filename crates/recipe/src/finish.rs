//! The fit on all rows, and the model that comes of it.

use crate::error::Error;
use crate::features::{Feature, add_inputs};
use crate::predictions::Truth;
use crate::prepared::Prepared;
use ir::{Card, GraphBuilder, Model, OutputRole, Signature, Task};
use jobs::{Ctx, Seed};
use learn::{FitInput, LearnerEntry, Params};
use runtime::self_test;
use trees::Rows;

/// Where a model comes from, for its card and its signature.
pub struct Origin<'a> {
    /// Name of the target column.
    pub target: &'a str,
    /// The question.
    pub task: Task,
    /// Classes in class order.
    pub classes: &'a [String],
    /// Cells that mean missing, beside the usual ones.
    pub missing: &'a [String],
    /// The seed of the run.
    pub seed: u64,
    /// Units of work of the run.
    pub work: u64,
    /// Figures for the card.
    pub metrics: Vec<(String, f64)>,
}

/// Fits on all rows with a target and assembles the model, self-test included.
/// Only columns that the learner used become inputs.
///
/// # Errors
/// Whatever the learner says; a graph that does not hold is a bug.
pub fn finish(
    prepared: &Prepared,
    learner: &LearnerEntry,
    params: &Params,
    rounds: Option<u32>,
    origin: Origin<'_>,
    ctx: &Ctx<'_>,
) -> Result<Model, Error> {
    let input = FitInput {
        encoders: &prepared.encoders,
        codes: &prepared.codes,
        target: prepared.target(),
        row_weights: prepared.row_weights.as_deref(),
        rows: Rows { train: prepared.rows.clone(), others: Vec::new() },
        rounds,
    };
    let fitted = learner.learner.fit(input, params, Seed(origin.seed).derive("finish", 0), ctx)?;

    let mut builder = GraphBuilder::new();
    let used: Vec<&Feature> = fitted.uses.iter().map(|&i| &prepared.features[i]).collect();
    let values = add_inputs(&mut builder, &prepared.inputs, used.iter().copied())?;
    let taken = prepared.inputs.iter().zip(&values).filter(|(_, value)| value.is_some());
    let inputs = taken.map(|(input, _)| input.clone()).collect();
    let mut columns = Vec::with_capacity(used.len());
    for feature in used {
        columns.push(feature.lower(&mut builder, &values)?);
    }
    let lowered = fitted.part.lower(&mut builder, &columns)?;
    let mut outputs = vec![(OutputRole::Score, lowered.score)];
    match lowered.label {
        Some(label) => {
            outputs.push((OutputRole::Probability, lowered.linked));
            outputs.push((OutputRole::Label, label));
        }
        None => outputs.push((OutputRole::Value, lowered.linked)),
    }
    let values: Vec<_> = outputs.iter().map(|(_, v)| *v).collect();
    let graph = builder.finish(&values)?;
    let positive = match &prepared.truth {
        Truth::Classes { positive, .. } => *positive,
        Truth::Values(_) => None,
    };
    let signature = Signature {
        task: origin.task,
        target: origin.target.to_owned(),
        inputs,
        outputs: outputs.iter().map(|(role, _)| *role).collect(),
        classes: origin.classes.to_vec(),
        positive,
        missing: origin.missing.to_vec(),
    };
    let card = Card {
        data_fingerprint: prepared.fingerprint,
        n_rows: prepared.rows.len() as u64,
        seed: origin.seed,
        work: origin.work,
        recipe: params.describe(),
        metrics: origin.metrics,
    };
    let test = self_test(&graph, origin.seed)?;
    let mut model = Model::try_new(graph, signature, card)?;
    model.self_test = Some(test);
    Ok(model)
}
