//! The fit on all rows, and the model that comes of it.

use crate::base::add_left_out;
use crate::chain::{InputValues, Lowering, Source, add_inputs};
use crate::cleaning::{Cleaned, Told};
use crate::combination::Combination;
use crate::error::{Error, Kind};
use crate::features::{Features, View};
use crate::forerunner::Ahead;
use crate::predictions::Truth;
use crate::prepared::Prepared;
use crate::score_map::ScoreMap;
use crate::share::share;
use crate::shrink::shrink;
use crate::size::{Scales, Size};
use crate::validate::Candidate;
use ir::op::Gather;
use ir::{
    Card, GraphBuilder, Model, Op, OutputRole, Signature, TargetColumn, Task, Tensor, TensorData, ValueIdx,
};
use jobs::{Ctx, Seed};
use learn::{Decision, Exactness, Fitted, ScoreLink, StageRounds, Wants};
use prepare::Warning;
use runtime::self_test;
use std::borrow::Borrow;
use std::sync::Arc;
use trees::Rows;

/// Where a model comes from, for its card and its signature.
pub struct Origin<'a> {
    /// Name of the target column; of several targets their names, for people.
    pub target: String,
    /// Several targets, in their order; none of one.
    pub targets: Vec<TargetColumn>,
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
    /// What it costs, and limits within which members are taken.
    pub scales: Scales<'a>,
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
    /// Weights of the members that it holds, the first ones: all that the limits allowed. None of one
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
    fits: Vec<Fit<'a>>,
}

/// A fit with the features that it is fitted on, and the same of what goes before it, if anything does.
pub(crate) struct Fit<'a> {
    pub(crate) view: View<'a>,
    pub(crate) fitted: Fitted,
    pub(crate) ahead: Option<(View<'a>, Arc<Ahead>)>,
}

impl Fit<'_> {
    /// What becomes nodes.
    fn parts(&self) -> impl Iterator<Item = (&Features, &Fitted)> {
        let ahead = self.ahead.iter().map(|(view, ahead)| (view.get(), &ahead.fitted));
        ahead.chain(std::iter::once((self.view.get(), &self.fitted)))
    }
}

/// Fits each member on all rows with a target and assembles the model, self-test included: one member, or several that
/// `origin.combination` adds up; so are the fits of subsets. Only columns that members used become inputs. Fits that go
/// on from a base are added to its nodes, which are there once; then its columns become inputs too.
///
/// # Errors
/// Whatever a learner says; members of several tables, none, or several without a combination: a bug, as a graph that
/// does not hold.
pub fn finish(members: &[Member<'_>], origin: Origin<'_>, ctx: &Ctx<'_>) -> Result<Finished, Error> {
    let AllGrown { grown, prepared, warnings, cleaned } = all_grown(members, &origin, ctx)?;
    let mut member_bytes = Vec::new();
    if grown.len() > 1 {
        for (at, of_member) in grown.iter().enumerate() {
            let alone = origin.combination.map(|combination| combination.alone(at));
            let model = assembled(vec![of_member], prepared, (&origin, alone.as_ref()))?;
            member_bytes.push(ir::file::write(&model).len() as u64);
        }
    }
    let limits = origin.scales.limits;
    let Some(combination) = origin.combination.filter(|_| !limits.is_none()) else {
        let weights = origin.combination.map_or(Vec::new(), Combination::weights);
        let model = proven(assembled(grown, prepared, (&origin, origin.combination))?, &origin)?;
        return Ok(Finished { model, weights, member_bytes, warnings, cleaned });
    };
    // Members stand by rank: where the model is too large, the last ones go.
    let mut combination = combination.clone();
    let of_all: Vec<&Grown<'_>> = grown.iter().collect();
    loop {
        let of_some = of_all[..combination.n_members()].to_vec();
        let model = proven(assembled(of_some, prepared, (&origin, Some(&combination)))?, &origin)?;
        let is_small = limits.allow(Size::of(&model, origin.scales.costs)?);
        let fewer = combination.n_members().checked_sub(1).filter(|&n| n > 0 && !is_small);
        match fewer.and_then(|n| combination.first(n)) {
            Some(fewer) => combination = fewer,
            None => {
                let weights = combination.weights();
                return Ok(Finished { model, weights, member_bytes, warnings, cleaned });
            }
        }
    }
}

/// As [`finish`], but the model alone, of any size and without a self-test: one that is never written.
///
/// # Errors
/// As [`finish`].
pub fn model_of(members: &[Member<'_>], origin: &Origin<'_>, ctx: &Ctx<'_>) -> Result<Model, Error> {
    let AllGrown { grown, prepared, .. } = all_grown(members, origin, ctx)?;
    assembled(grown, prepared, (origin, origin.combination))
}

/// Members that were fitted, and what the steps before them tell.
struct AllGrown<'a> {
    grown: Vec<Grown<'a>>,
    prepared: &'a Prepared<'a>,
    warnings: Vec<Warning>,
    cleaned: Vec<Cleaned>,
}

/// Fits the members; there is one at least, and all take the same columns.
fn all_grown<'a>(members: &[Member<'a>], origin: &Origin<'_>, ctx: &Ctx<'_>) -> Result<AllGrown<'a>, Error> {
    let (mut warnings, mut cleaned, mut grown) = (Vec::new(), Vec::new(), Vec::with_capacity(members.len()));
    for (at, member) in members.iter().enumerate() {
        let (of_member, told) = member.grown(at, origin, ctx)?;
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
    Ok(AllGrown { grown, prepared, warnings, cleaned })
}

/// With its self-test.
fn proven(mut model: Model, origin: &Origin<'_>) -> Result<Model, Error> {
    model.self_test = Some(self_test(model.graph(), origin.seed)?);
    Ok(model)
}

impl<'a> Grown<'a> {
    pub(crate) fn new(prepared: &'a Prepared<'a>, fit: Fit<'a>) -> Grown<'a> {
        Grown { prepared, fits: vec![fit] }
    }

    /// A model of it alone, without a self-test, and what it takes with one.
    ///
    /// # Errors
    /// A graph that does not hold.
    pub(crate) fn alone(&self, origin: &Origin<'_>) -> Result<(Model, Size), Error> {
        let model = assembled(vec![self], self.prepared, (origin, None))?;
        let size = Size::with_test(&model, origin.scales.costs)?;
        Ok((model, size))
    }
}

/// One graph of members; those that are handed over are let go once they are nodes.
fn assembled<'g, G: Borrow<Grown<'g>>>(
    grown: Vec<G>,
    prepared: &Prepared<'_>,
    (origin, combination): (&Origin<'_>, Option<&Combination>),
) -> Result<Model, Error> {
    let tables = prepared.tables();
    let mut is_input = vec![false; tables.inputs.len()];
    let n_fits: Vec<usize> = grown.iter().map(|of_member| of_member.borrow().fits.len()).collect();
    let fits = || grown.iter().flat_map(|of_member| &of_member.borrow().fits);
    let has_ahead = fits().any(|fit| fit.ahead.is_some());
    for (features, fitted) in fits().flat_map(Fit::parts) {
        let sources = fitted.uses.iter().map(|&i| features.features[i].source);
        let needs = features.chain.needs(sources, &|_| false, is_input.len());
        is_input.iter_mut().zip(needs.inputs).for_each(|(is, needed)| *is |= needed);
    }
    for name in combination.map_or(Vec::new(), Combination::columns) {
        if let Some(at) = tables.place(name) {
            is_input[at] = true;
        }
    }
    let base = prepared.base.map(|scores| scores.base());
    let left_out = base.map_or(Vec::new(), |base| base.takes(&tables, &mut is_input));
    let (mut inputs, joined) = tables.taken(&is_input);
    inputs.extend(left_out.iter().cloned());
    let mut builder = GraphBuilder::new();
    // Columns of the first table, those that a base alone takes, columns of the second table.
    let [main, second] = [false, true].map(|of_second| -> Vec<bool> {
        is_input.iter().enumerate().map(|(at, is)| *is && (at >= tables.n_main) == of_second).collect()
    });
    let columns = (&tables.inputs[..], tables.n_main);
    let mut values = add_inputs(&mut builder, columns, &main)?;
    let of_base = add_left_out(&mut builder, &left_out)?;
    values.extend(add_inputs(&mut builder, columns, &second)?);
    let n_outputs = prepared.target().n_outputs();
    let column = |name: &str| match left_out.iter().position(|input| input.name == name) {
        Some(at) => of_base.get(at).copied(),
        None => {
            let at = tables.place(name)?;
            Some((tables.inputs[at].graph_dtype(), *values.get(&Source::Input(at))?))
        }
    };
    let before = base.map(|base| base.lower(&mut builder, &column)).transpose()?;
    let (mut scores, mut links, mut further) = (Vec::new(), Vec::new(), Vec::new());
    for of_member in grown {
        for fit in &of_member.borrow().fits {
            let ahead = fit.ahead.as_ref();
            let ahead =
                ahead.map(|(view, ahead)| lowered(&mut builder, &values, (view.get(), &ahead.fitted)));
            let before = ahead.transpose()?.or(before);
            let fitted = &fit.fitted;
            let own = lowered(&mut builder, &values, (fit.view.get(), fitted))?;
            scores.push(match (before, fitted.onto) {
                (None, _) => own,
                (Some(before), Some(onto)) => onto.lower(&mut builder, before, own, n_outputs)?,
                (Some(_), None) => {
                    return Err(Kind::Combination { what: "fits that go on from what is before them" }.into());
                }
            });
            links.push(fitted.link);
            further.clone_from(&fitted.further);
        }
    }
    let (mut score, mut link) = match (combination, &scores[..], &links[..]) {
        (Some(_), ..) if origin.task.is_several() => {
            return Err(Kind::SeveralTargets { what: "a combination of fits".to_owned() }.into());
        }
        (None, &[score], &[link]) => (score, link),
        (None, ..) => return Err(Kind::Combination { what: "a combination of several members" }.into()),
        (Some(combination), ..) => {
            let on_grids = combination.spread(&n_fits).on_grids(&links, n_outputs)?;
            (on_grids.lower(&mut builder, &scores, &column)?, on_grids.link())
        }
    };
    if let Some((map, behind)) = origin.score_map.and_then(|map| map.on_link(&link)) {
        score = map.lower(&mut builder, score)?;
        link = behind;
    }
    let outputs = if origin.task.is_several() {
        ends_of_several(&mut builder, score, &[vec![link], further].concat(), origin.decision)?
    } else {
        ends(&mut builder, score, (&link, n_outputs), origin.decision)?
    };
    let values: Vec<_> = outputs.iter().map(|(_, v)| *v).collect();
    let graph = shrink(&builder.finish(&values)?)?;
    let graph = if combination.is_some() || base.is_some() || has_ahead { share(&graph)? } else { graph };
    let positive = match &prepared.truth {
        Truth::Classes { positive, .. } => *positive,
        Truth::Values(_) | Truth::Several(_) => None,
    };
    let signature = Signature {
        task: origin.task,
        target: origin.target.clone(),
        targets: origin.targets.clone(),
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

/// The score of what was fitted on some features, as nodes behind the columns of the table.
fn lowered(
    builder: &mut GraphBuilder,
    values: &InputValues,
    (features, fitted): (&Features, &Fitted),
) -> Result<ValueIdx, Error> {
    let mut lowering = Lowering::new(&features.chain, values.clone());
    let mut columns = Vec::with_capacity(fitted.uses.len());
    for &used in &fitted.uses {
        columns.push(lowering.value(builder, features.features[used].source)?);
    }
    Ok(fitted.part.lower(builder, &columns)?)
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

/// The same of several targets, one score and one link each: the scores of all, then what people read of each.
///
/// # Errors
/// The graph refuses a node.
fn ends_of_several(
    builder: &mut GraphBuilder,
    scores: ValueIdx,
    links: &[ScoreLink],
    decision: &Decision,
) -> Result<Vec<(OutputRole, ValueIdx)>, Error> {
    let mut outputs = vec![(OutputRole::Score, scores)];
    for (k, link) in links.iter().enumerate() {
        let at = builder.constant(Tensor::vector(TensorData::I64(vec![k as i64])))?;
        let score = builder.node(Op::Gather(Gather), &[scores, at])?;
        let of_one = ends(builder, score, (link, 1), &decision.of_target(k))?;
        outputs.extend(of_one.into_iter().filter(|(role, _)| *role != OutputRole::Score));
    }
    Ok(outputs)
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

    fn fit(&self, train: &[u32], (seed, ctx): (Seed, &Ctx<'_>)) -> Result<(Fit<'a>, Told), Error> {
        let (view, told) = self.candidate.prepared.view_told(train, ctx.threads)?;
        let rows = Rows { train: train.to_vec(), others: Vec::new() };
        let wanted = (Exactness::Integers, Wants::Model);
        let ahead = self.candidate.ahead(&rows, Wants::Model, (seed, ctx))?;
        let features = (view.get(), ahead.as_ref().map(|(_, ahead)| &**ahead));
        let fitted = self.candidate.fit_on(features, rows, self.rounds, wanted, (seed, ctx))?;
        Ok((Fit { view, fitted, ahead }, told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Base, BaseScores};
    use crate::decide::ClassWeights;
    use crate::forerunner::Forerunner;
    use crate::prepared::PrepareOptions;
    use crate::relations::Relations;
    use crate::size::Limits;
    use crate::{Duplicates, MissingCells};
    use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
    use data::{Markers, ReadOptions, Table, Target, TargetOptions};
    use ir::DType;
    use ir::digest::SplitMix64;
    use jobs::{Budget, Cancel, Clock, Silent, Threads};
    use learn::{Goal, learner};
    use std::collections::BTreeMap;
    use std::sync::Arc;

    /// 240 rows in two batches. Later tables have fractions where the first has whole numbers, and another column.
    fn table(task: Task, seed: u64, is_later: bool) -> Table {
        let mut random = SplitMix64::new(seed);
        let mut batch = || {
            let mut draw = |most| (0..120).map(|_| i64::from(random.below(most))).collect::<Vec<_>>();
            let (n, x, late) = (draw(40), draw(1000), draw(9));
            let y = n.iter().zip(&x).zip(&late).map(|((n, x), late)| {
                let y = *n as f64 / 10.0
                    + (*x as f64 / 200.0).sin()
                    + if is_later { *late as f64 / 4.0 } else { 0.0 };
                match task {
                    Task::Binary => if y > 2.5 { "yes" } else { "no" }.to_owned(),
                    Task::Multiclass => ["a", "b", "c"][(y.max(0.0) as usize / 2).min(2)].to_owned(),
                    Task::Regression | Task::Transform | Task::MultiRegression | Task::Multilabel => {
                        y.to_string()
                    }
                }
            });
            let y: ArrayRef = Arc::new(StringArray::from_iter_values(y));
            let doubles = |v: &[i64], by: f64| -> ArrayRef {
                Arc::new(Float64Array::from_iter_values(v.iter().map(|v| *v as f64 + by)))
            };
            let whole: ArrayRef = Arc::new(Int64Array::from(n.clone()));
            let n = if is_later { doubles(&n, 0.25) } else { whole };
            let late: ArrayRef = Arc::new(Int64Array::from(late));
            let columns = [("n", n), ("x", doubles(&x, 0.5)), ("late", late), ("y", y)];
            RecordBatch::try_from_iter(columns.into_iter().filter(|c| is_later || c.0 != "late")).unwrap()
        };
        let batches = [batch(), batch()];
        let options = ReadOptions { raw: vec!["y".to_owned()], ..ReadOptions::default() };
        Table::from_batches("t", &batches, &options).unwrap()
    }

    fn on_a_thread<T>(run: impl FnOnce(&Ctx<'_>) -> T) -> T {
        let (budget, cancel, threads) = (Budget::work(Clock::start(), 1), Cancel::new(), Threads::one());
        run(&Ctx { threads: &threads, budget: &budget, cancel: &cancel, progress: &Silent })
    }

    /// The model of a fit on the first 150 rows, and the scores that the fit gives to all.
    fn fitted(
        task: Task,
        table: &Table,
        settings: &[(String, String)],
        base: Option<&BaseScores<'_>>,
    ) -> (Model, Vec<i32>) {
        let (model, scores, _) = fitted_onto((task, table), settings, (base, None), 0..240);
        (model, scores)
    }

    /// The same of rows from another one on, and behind a learner; beside it what that says of training rows.
    fn fitted_onto(
        (task, table): (Task, &Table),
        settings: &[(String, String)],
        (base, onto): (Option<&BaseScores<'_>>, Option<&str>),
        others: std::ops::Range<u32>,
    ) -> (Model, Vec<i32>, Vec<f64>) {
        let asked = TargetOptions {
            name: "y",
            task: Some(task),
            classes: None,
            positive: None,
            missing: Markers::default(),
        };
        let target = Target::resolve(table.raw_cells("y").unwrap(), &asked).unwrap();
        let declared = BTreeMap::new();
        let gbdt = learner("gbdt").unwrap();
        let names = ["y".to_owned()];
        let options = PrepareOptions {
            targets: &names,
            row_weight: None,
            declared: &declared,
            steps: Vec::new(),
            augment: None,
            base,
            relations: Relations::default(),
            duplicates: Duplicates::Report,
            missing_cells: MissingCells::Leave,
            max_bins: 254,
            takes: gbdt.takes,
            n_batches: None,
            class_weights: ClassWeights::None,
            goal: Goal::Mean,
            seed: Seed(1),
        };
        let costs = runtime::cost::OperationCosts::default();
        let origin = Origin {
            target: "y".to_owned(),
            targets: Vec::new(),
            task,
            classes: &target.classes,
            missing: &[],
            seed: 1,
            work: 1,
            recipe: String::new(),
            scales: Scales { costs: &costs, limits: Limits::default() },
            combination: None,
            decision: &Decision::Largest,
            score_map: None,
            metrics: Vec::new(),
        };
        on_a_thread(|ctx| {
            let prepared = Prepared::new(table, &target, &options, ctx).unwrap();
            let params = gbdt.params(settings).unwrap();
            let candidate = Candidate {
                prepared: &prepared,
                learner: gbdt,
                params: &params,
                teacher: None,
                onto: None,
                origin: None,
            };
            let before = onto.map(|name| {
                let learner = learner(name).unwrap();
                let options = PrepareOptions { takes: learner.takes, ..options.clone() };
                let prepared = Prepared::new(table, &target, &options, ctx).unwrap();
                (learner, learner.params(&[]).unwrap(), prepared)
            });
            let onto = before.as_ref();
            let onto = onto.map(|(learner, params, prepared)| Forerunner { prepared, learner, params });
            let candidate = Candidate { onto, ..candidate };
            let rows = Rows { train: (0..150).collect(), others: others.collect() };
            let wanted = (Exactness::Integers, Wants::Model);
            let fit = candidate.grown(rows, None, wanted, (Seed(2), ctx)).unwrap();
            let ahead = fit.ahead.as_ref().map(|(_, ahead)| ahead.offsets());
            let said =
                ahead.map(|said| said.link.apply(&said.scores[..150 * prepared.target().n_outputs()], 1));
            let scores = fit.fitted.other_scores.clone();
            let grown = Grown::new(&prepared, fit);
            let model = assembled(vec![grown], &prepared, (&origin, None)).unwrap();
            (proven(model, &origin).unwrap(), scores, said.unwrap_or_default())
        })
    }

    /// Scores of all rows, by the plan of a model; the reference says the same.
    fn scores(model: &Model, table: &Table) -> Vec<i32> {
        let plan = runtime::Plan::new(model.graph()).unwrap();
        let of = |batch: &RecordBatch| {
            let bound = data::bind(batch, model.signature()).unwrap();
            let outputs = plan.run(&bound.columns()).unwrap();
            assert_eq!(runtime::reference::run(model.graph(), &bound.columns()).unwrap(), outputs);
            outputs.first().and_then(|scores: &Tensor| scores.data().i32s()).unwrap().to_vec()
        };
        table.batches().iter().flat_map(of).collect()
    }

    #[test]
    fn the_graph_of_a_base_and_a_fit_gives_the_scores_of_the_fit() {
        for task in [Task::Binary, Task::Multiclass, Task::Regression] {
            let set = |bits: &str, n: &str| {
                [("leaf_bits", bits), ("n_trees", n), ("min_leaf_rows", "5")]
                    .map(|(n, v)| (n.to_owned(), v.to_owned()))
            };
            for (before, own) in [("8", "8"), ("16", "6"), ("4", "16")] {
                let first = table(task, 1, false);
                let (old, of_old) = fitted(task, &first, &set(before, "6"), None);
                assert_eq!(scores(&old, &first), of_old, "{task} {before}");
                let later = table(task, 2, true);
                let base = Base::try_new(&old).unwrap().with_scores(scores(&old, &later));
                let (new, of_new) = fitted(task, &later, &set(own, "9"), Some(&base));
                assert_eq!(scores(&new, &later), of_new, "{task} {before} {own}");
                // Numbers that are fractions by now are doubles for all of it.
                let dtypes: Vec<(&str, DType)> =
                    new.signature().inputs.iter().map(|input| (input.name.as_str(), input.dtype)).collect();
                assert!(
                    dtypes.contains(&("n", DType::F64)) && dtypes.contains(&("late", DType::I64)),
                    "{dtypes:?}"
                );
                // And on from there.
                let base = Base::try_new(&new).unwrap().with_scores(scores(&new, &later));
                let (last, of_last) = fitted(task, &later, &set("8", "3"), Some(&base));
                assert_eq!(scores(&last, &later), of_last, "{task} {before} {own}: twice");
                let read = ir::file::read(&ir::file::write(&last)).unwrap();
                assert_eq!(scores(&read, &later), of_last, "{task} {before} {own}: read");
            }
        }
    }

    #[test]
    fn the_graph_of_a_forerunner_and_a_fit_gives_the_scores_of_the_fit() {
        let set =
            |n: &str| [("n_trees", n), ("min_leaf_rows", "5")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        let held_back = |scores: &[i32]| scores[scores.len() / 240 * 150..].to_vec();
        for (task, names) in [
            (Task::Binary, &["logistic", "gaussian_nb", "ebm"][..]),
            (Task::Multiclass, &["logistic", "gaussian_nb"]),
            (Task::Regression, &["ridge", "knn", "tree"]),
        ] {
            let table = table(task, 3, true);
            for name in names {
                let behind = (None, Some(*name));
                let (model, of_fit, _) = fitted_onto((task, &table), &set("8"), behind, 150..240);
                assert_eq!(held_back(&scores(&model, &table)), of_fit, "{task} {name}");
                let read = ir::file::read(&ir::file::write(&model)).unwrap();
                assert_eq!(held_back(&scores(&read, &table)), of_fit, "{task} {name}: read");
                // Trees add something.
                let (first, ..) = fitted_onto((task, &table), &set("1"), behind, 150..240);
                assert_ne!(scores(&model, &table), scores(&first, &table), "{task} {name}");
            }
        }
    }

    #[test]
    fn a_forerunner_says_of_training_rows_what_it_says_of_unseen_ones() {
        // Numbers that no column tells: neighbours are nearer to those that they have seen.
        let mut random = SplitMix64::new(7);
        let mut column = || (0..240).map(|_| random.unit()).collect::<Vec<f64>>();
        let (x, y) = (column(), column());
        let of = |values: &[f64]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values(y.iter().map(f64::to_string)));
        let batch = RecordBatch::try_from_iter([("x", of(&x)), ("y", texts)]).unwrap();
        let options = ReadOptions { raw: vec!["y".to_owned()], ..ReadOptions::default() };
        let table = Table::from_batches("t", &[batch], &options).unwrap();
        let settings = [("n_trees".to_owned(), "1".to_owned())];
        let (.., said) = fitted_onto((Task::Regression, &table), &settings, (None, Some("knn")), 150..240);
        let error = |of: &dyn Fn(usize) -> f64| (0..150).map(|i| (y[i] - of(i)).powi(2)).sum::<f64>() / 150.0;
        let mean = y[..150].iter().sum::<f64>() / 150.0;
        assert!(error(&|i| said[i]) > error(&|_| mean), "{} {}", error(&|i| said[i]), error(&|_| mean));
    }
}
