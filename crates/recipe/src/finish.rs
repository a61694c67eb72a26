//! The fit on all rows, and the model that comes of it.

use crate::chain::{Lowering, add_inputs};
use crate::cleaning::{Cleaned, Told};
use crate::combination::Combination;
use crate::error::{Error, Kind};
use crate::features::View;
use crate::predictions::Truth;
use crate::prepared::Prepared;
use crate::score_map::ScoreMap;
use crate::share::share;
use crate::shrink::shrink;
use crate::validate::Candidate;
use ir::{Card, GraphBuilder, Model, OutputRole, Signature, Task, ValueIdx};
use jobs::{Ctx, Seed};
use learn::{Decision, Exactness, Fitted, ScoreLink, StageRounds, Wants};
use prepare::Warning;
use runtime::self_test;
use std::borrow::Borrow;
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
    /// What was fitted, for people.
    pub recipe: String,
    /// Length of the file up to which members are taken.
    pub most_bytes: Option<u64>,
    /// How several members become one score.
    pub combination: Option<&'a Combination>,
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
    /// Weights of the members that it holds, the first ones: all that the length of the file allowed. None of one
    /// without a combination.
    pub weights: Vec<f64>,
    /// Of several members, the length of the file that would hold each alone.
    pub member_bytes: Vec<u64>,
    /// What a person should know.
    pub warnings: Vec<Warning>,
    /// What cleaning changed.
    pub cleaned: Vec<Cleaned>,
}

/// What is fitted on all rows.
pub struct Member<'a> {
    /// The learner with its parameters, on the rows and features of a study.
    pub candidate: Candidate<'a>,
    /// Rounds that the folds found; `None` for learners without rounds.
    pub rounds: Option<StageRounds>,
    /// Rows of fits whose mean it is, as those of folds; one fit on all rows with a target if there are none.
    pub subsets: &'a [Vec<u32>],
}

/// A member that was fitted, not yet a part of a graph.
pub(crate) struct Grown<'a> {
    prepared: &'a Prepared<'a>,
    /// One, or one a subset.
    fits: Vec<(View<'a>, Fitted)>,
}

/// Fits each member on all rows with a target and assembles the model, self-test included: one member, or several that
/// `origin.combination` adds up; so are the fits of subsets. Only columns that members used become inputs.
///
/// # Errors
/// Whatever a learner says; members of several tables, none, or several without a combination: a bug, as a graph that
/// does not hold.
pub fn finish(members: &[Member<'_>], origin: Origin<'_>, ctx: &Ctx<'_>) -> Result<Finished, Error> {
    let (mut warnings, mut cleaned, mut grown) = (Vec::new(), Vec::new(), Vec::with_capacity(members.len()));
    for (at, member) in members.iter().enumerate() {
        let (of_member, told) = member.grown(at, &origin, ctx)?;
        // Members behind the same steps tell the same.
        warnings.extend(told.warnings.into_iter().filter(|w| !warnings.contains(w)).collect::<Vec<_>>());
        cleaned.extend(told.cleaned.into_iter().filter(|c| !cleaned.contains(c)).collect::<Vec<_>>());
        grown.push(of_member);
    }
    let Some(prepared) = grown.first().map(|first| first.prepared) else {
        return Err(Kind::Combination { what: "members" }.into());
    };
    if grown.iter().any(|g| g.prepared.inputs != prepared.inputs) {
        return Err(Kind::Combination { what: "members that take the same columns" }.into());
    }
    let mut member_bytes = Vec::new();
    if grown.len() > 1 {
        for (at, of_member) in grown.iter().enumerate() {
            let alone = origin.combination.map(|combination| combination.of_members(&[at]).alone());
            let model = assembled(vec![of_member], prepared, (&origin, alone.as_ref()))?;
            member_bytes.push(ir::file::write(&model).len() as u64);
        }
    }
    let Some((most, combination)) = origin.most_bytes.zip(origin.combination) else {
        let weights = origin.combination.map_or(Vec::new(), |combination| combination.weights.clone());
        let model = proven(assembled(grown, prepared, (&origin, origin.combination))?, &origin)?;
        return Ok(Finished { model, weights, member_bytes, warnings, cleaned });
    };
    // Members stand by weight: where the file is too long, the last ones go.
    let mut combination = combination.clone();
    let of_all: Vec<&Grown<'_>> = grown.iter().collect();
    loop {
        let of_some = of_all[..combination.weights.len()].to_vec();
        let model = proven(assembled(of_some, prepared, (&origin, Some(&combination)))?, &origin)?;
        let is_short = ir::file::write(&model).len() as u64 <= most;
        let fewer = combination.weights.len().checked_sub(1).filter(|&n| n > 0 && !is_short);
        match fewer.and_then(|n| combination.first(n)) {
            Some(fewer) => combination = fewer,
            None => {
                return Ok(Finished { model, weights: combination.weights, member_bytes, warnings, cleaned });
            }
        }
    }
}

/// With its self-test.
fn proven(mut model: Model, origin: &Origin<'_>) -> Result<Model, Error> {
    model.self_test = Some(self_test(model.graph(), origin.seed)?);
    Ok(model)
}

impl<'a> Grown<'a> {
    pub(crate) fn new(prepared: &'a Prepared<'a>, view: View<'a>, fitted: Fitted) -> Grown<'a> {
        Grown { prepared, fits: vec![(view, fitted)] }
    }

    /// Length of the file that holds it alone.
    ///
    /// # Errors
    /// A graph that does not hold.
    pub(crate) fn length(&self, origin: &Origin<'_>) -> Result<u64, Error> {
        let model = assembled(vec![self], self.prepared, (origin, None))?;
        Ok(ir::file::write(&model).len() as u64 + SELF_TEST)
    }
}

/// About as many bytes as a self-test has in a file.
const SELF_TEST: u64 = 24;

/// One graph of members; those that are handed over are let go once they are nodes.
fn assembled<'g, G: Borrow<Grown<'g>>>(
    grown: Vec<G>,
    prepared: &Prepared<'_>,
    (origin, combination): (&Origin<'_>, Option<&Combination>),
) -> Result<Model, Error> {
    let tables = prepared.tables();
    let mut is_input = vec![false; tables.inputs.len()];
    let n_fits: Vec<usize> = grown.iter().map(|of_member| of_member.borrow().fits.len()).collect();
    for (view, fitted) in grown.iter().flat_map(|of_member| &of_member.borrow().fits) {
        let view = view.get();
        let sources = fitted.uses.iter().map(|&i| view.features[i].source);
        let needs = view.chain.needs(sources, &|_| false, is_input.len());
        is_input.iter_mut().zip(needs.inputs).for_each(|(is, needed)| *is |= needed);
    }
    let (inputs, joined) = tables.taken(&is_input);
    let mut builder = GraphBuilder::new();
    let values = add_inputs(&mut builder, (&tables.inputs, tables.n_main), &is_input)?;
    let n_outputs = prepared.target().n_outputs();
    let (mut scores, mut links) = (Vec::new(), Vec::new());
    for of_member in grown {
        for (view, fitted) in &of_member.borrow().fits {
            let view = view.get();
            let mut lowering = Lowering::new(&view.chain, values.clone());
            let mut columns = Vec::with_capacity(fitted.uses.len());
            for &used in &fitted.uses {
                columns.push(lowering.value(&mut builder, view.features[used].source)?);
            }
            scores.push(fitted.part.lower(&mut builder, &columns)?);
            links.push(fitted.link);
        }
    }
    let (mut score, mut link) = match (combination, &scores[..], &links[..]) {
        (None, &[score], &[link]) => (score, link),
        (None, ..) => return Err(Kind::Combination { what: "a combination of several members" }.into()),
        (Some(combination), ..) => {
            let on_grids = combination.spread(&n_fits).on_grids(&links, n_outputs)?;
            (on_grids.lower(&mut builder, &scores)?, on_grids.link())
        }
    };
    if let Some((map, behind)) = origin.score_map.and_then(|map| map.on_link(&link)) {
        score = map.lower(&mut builder, score)?;
        link = behind;
    }
    let outputs = ends(&mut builder, score, (&link, n_outputs), origin.decision)?;
    let values: Vec<_> = outputs.iter().map(|(_, v)| *v).collect();
    let graph = shrink(&builder.finish(&values)?)?;
    let graph = if combination.is_some() { share(&graph)? } else { graph };
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
        recipe: origin.recipe.clone(),
        metrics: origin.metrics.clone(),
    };
    Ok(Model::try_new(graph, signature, card)?)
}

/// The outputs of a model: its score of `n_outputs` a row, then probabilities and a class, or a value.
///
/// # Errors
/// The graph refuses a node.
pub fn ends(
    builder: &mut GraphBuilder,
    score: ValueIdx,
    (link, n_outputs): (&ScoreLink, usize),
    decision: &Decision,
) -> Result<Vec<(OutputRole, ValueIdx)>, Error> {
    let linked = link.lower(builder, score, n_outputs, decision)?;
    let behind = match linked.label {
        Some(label) => vec![(OutputRole::Probability, linked.linked), (OutputRole::Label, label)],
        None => vec![(OutputRole::Value, linked.linked)],
    };
    Ok([vec![(OutputRole::Score, score)], behind].concat())
}

impl<'a> Member<'a> {
    /// Fits it; `at` is its place among the members, which differ in their seeds.
    fn grown(&self, at: usize, origin: &Origin<'_>, ctx: &Ctx<'_>) -> Result<(Grown<'a>, Told), Error> {
        let prepared = self.candidate.prepared;
        let seed = Seed(origin.seed).derive("finish", at as u64);
        if self.subsets.is_empty() {
            let (fit, told) = self.fit(&prepared.rows, (seed, ctx))?;
            return Ok((Grown { prepared, fits: vec![fit] }, told));
        }
        let (mut fits, mut told) = (Vec::with_capacity(self.subsets.len()), Told::default());
        for (subset, rows) in self.subsets.iter().enumerate() {
            let (fit, of_subset) = self.fit(rows, (seed.derive("subset", subset as u64), ctx))?;
            fits.push(fit);
            // Subsets differ by a few rows and tell nearly the same.
            if subset == 0 {
                told = of_subset;
            }
        }
        Ok((Grown { prepared, fits }, told))
    }

    fn fit(&self, train: &[u32], (seed, ctx): (Seed, &Ctx<'_>)) -> Result<((View<'a>, Fitted), Told), Error> {
        let (view, told) = self.candidate.prepared.view_told(train, ctx.threads)?;
        let rows = Rows { train: train.to_vec(), others: Vec::new() };
        let wanted = (Exactness::Integers, Wants::Model);
        let fitted = self.candidate.fit_on(view.get(), rows, self.rounds, wanted, (seed, ctx))?;
        Ok(((view, fitted), told))
    }
}
