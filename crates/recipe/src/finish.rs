//! The fit on all rows, and the model that comes of it.

use crate::chain::{Feature, Lowering};
use crate::cleaning::Cleaned;
use crate::error::Error;
use crate::predictions::Truth;
use crate::prepared::Prepared;
use crate::score_map::ScoreMap;
use crate::shrink::shrink;
use ir::{Card, GraphBuilder, Model, OutputRole, Signature, Task};
use jobs::{Ctx, Seed};
use learn::{Decision, Exactness, LearnerEntry, StageRounds, Wants};
use params::Params;
use prepare::Warning;
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
    /// How a class is chosen.
    pub decision: &'a Decision,
    /// What becomes of scores before their link.
    pub score_map: Option<&'a ScoreMap>,
    /// Figures for the card.
    pub metrics: Vec<(String, f64)>,
}

/// A model, and what the steps that were fitted with it tell.
pub struct Finished {
    /// The model.
    pub model: Model,
    /// What a person should know.
    pub warnings: Vec<Warning>,
    /// What cleaning changed.
    pub cleaned: Vec<Cleaned>,
}

/// Fits on all rows with a target and assembles the model, self-test included.
/// Only columns that the learner used become inputs.
///
/// # Errors
/// Whatever the learner says; a graph that does not hold is a bug.
pub fn finish(
    prepared: &Prepared<'_>,
    learner: &LearnerEntry,
    params: &Params,
    rounds: Option<StageRounds>,
    origin: Origin<'_>,
    ctx: &Ctx<'_>,
) -> Result<Finished, Error> {
    let (view, told) = prepared.view_told(&prepared.rows, ctx.threads)?;
    let view = view.get();
    let rows = Rows { train: prepared.rows.clone(), others: Vec::new() };
    let names = view.names();
    let seed = Seed(origin.seed).derive("finish", 0);
    let augmented = prepared.augmented(view, &rows, (seed, ctx.threads))?;
    let exactness = (Exactness::Integers, Wants::Model);
    let input = prepared.fit_input(view, &names, (rows, augmented.as_ref()), rounds, exactness);
    let fitted = learner.learner.fit(input, params, seed, ctx)?;

    let mut builder = GraphBuilder::new();
    let used: Vec<&Feature> = fitted.uses.iter().map(|&i| &view.features[i]).collect();
    let sources = used.iter().map(|f| f.source);
    let tables = prepared.tables();
    let is_input = view.chain.needs(sources, &|_| false, tables.inputs.len()).inputs;
    let (inputs, joined) = tables.taken(&is_input);
    let mut lowering = Lowering::new(&view.chain, &mut builder, (&tables.inputs, tables.n_main), &is_input)?;
    let mut columns = Vec::with_capacity(used.len());
    for feature in used {
        columns.push(lowering.value(&mut builder, feature.source)?);
    }
    let mut score = fitted.part.lower(&mut builder, &columns)?;
    let mut link = fitted.link;
    // The nodes hold all of it: a large forest once is enough.
    drop(fitted);
    if let Some((map, behind)) = origin.score_map.and_then(|map| map.on_link(&link)) {
        score = map.lower(&mut builder, score)?;
        link = behind;
    }
    let linked = link.lower(&mut builder, score, prepared.target().n_outputs(), origin.decision)?;
    let mut outputs = vec![(OutputRole::Score, score)];
    match linked.label {
        Some(label) => {
            outputs.push((OutputRole::Probability, linked.linked));
            outputs.push((OutputRole::Label, label));
        }
        None => outputs.push((OutputRole::Value, linked.linked)),
    }
    let values: Vec<_> = outputs.iter().map(|(_, v)| *v).collect();
    let graph = shrink(&builder.finish(&values)?)?;
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
        columns: Vec::new(),
        joined,
    };
    let card = Card {
        data_fingerprint: prepared.fingerprint,
        n_rows: prepared.rows.len() as u64,
        seed: origin.seed,
        work: origin.work,
        recipe: prepared.recipe(params),
        metrics: origin.metrics,
    };
    let test = self_test(&graph, origin.seed)?;
    let mut model = Model::try_new(graph, signature, card)?;
    model.self_test = Some(test);
    Ok(Finished { model, warnings: told.warnings, cleaned: told.cleaned })
}
