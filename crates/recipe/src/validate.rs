//! Fits inside folds, and the out-of-fold scores.

use crate::decide::{Aim, labels_by, predictions_by};
use crate::error::{Error, Kind};
use crate::features::{Features, View};
use crate::finish::{Fit, Grown, Origin};
use crate::folds::{Fold, MAX_LEFT_OUT, Scheme, plan};
use crate::forerunner::{Ahead, Forerunner};
use crate::predictions::{OneTruth, Predictions, Truth};
use crate::prepared::Prepared;
use crate::size::Size;
use crate::teacher::Teacher;
use ir::Model;
use jobs::{Budget, Clock, Ctx, Seed, Silent, Threads};
use learn::{Decision, Exactness, FitInput, Fitted, LearnerEntry, ScoreLink, StageRounds, Wants};
use metrics::MetricEntry;
use params::Params;
use std::sync::Arc;
use std::time::Duration;
use trees::Rows;

/// What fitting inside folds showed.
#[derive(Clone, Debug)]
pub struct Validated {
    /// Score on rows that the fit had not seen, the mean over repetitions; `None` where undefined.
    pub score: Option<f64>,
    /// The same without rounding; `None` where it was not computed.
    pub score_float: Option<f64>,
    /// How a class is chosen, for the model on all rows.
    pub decision: Decision,
    /// Rounds for a fit on all rows; `None` for learners without rounds.
    pub rounds: Option<StageRounds>,
    /// Fits that were done.
    pub n_fits: u32,
    /// Folds that were planned and left out for lack of time.
    pub n_skipped: u32,
    /// Rows of the first repetition that were predicted out of fold, rising.
    pub rows: Vec<u32>,
    /// Their predictions.
    pub predictions: Predictions,
    /// Every part that was held back, with what was predicted for it.
    pub held: Vec<HeldBack>,
    /// What a model of a fit alone would take, on average of all folds, where that was wanted.
    pub size: Option<Size>,
    /// The model of the first fit alone, where sizes are wanted and limited, and it is within the limits: one that may be a
    /// member of a model of several.
    pub model: Option<Arc<Model>>,
}

/// A part that was held back, and what the fit on the others predicts for it.
#[derive(Clone, Debug)]
pub struct HeldBack {
    /// Folds are drawn anew in each repetition.
    pub repetition: usize,
    /// The rows, rising.
    pub rows: Vec<u32>,
    /// Integer scores `[n_rows, n_outputs]`.
    pub scores: Vec<i32>,
    /// How they become probabilities or values; of several targets those of the first.
    pub link: ScoreLink,
    /// Links of the second target on, where there are several.
    pub further: Vec<ScoreLink>,
    /// Probabilities `[n_rows, n_classes]` or values.
    pub linked: Vec<f64>,
    /// The same without rounding; empty where it was not computed.
    pub floats: Vec<f64>,
}

/// Share of the time left that the first fold may take: there is room for the fit on all rows.
pub const FIRST_SHARE: f64 = 0.33;
/// Share of the time left behind it that the others may take.
pub const OTHERS_SHARE: f64 = 0.6;
/// Folds that tell how many rounds a fit takes where every row is held back alone.
const ROUNDS_FOLDS: u32 = 8;

impl HeldBack {
    /// Of rows, those that it does not hold back, in their order.
    pub fn others(&self, rows: &[u32]) -> Vec<u32> {
        rows.iter().copied().filter(|row| self.rows.binary_search(row).is_err()).collect()
    }

    fn linked(&self, floats: bool) -> &[f64] {
        if floats { &self.floats } else { &self.linked }
    }
}

/// Fits a candidate on each fold and predicts the rows held back.
///
/// The first fold runs alone, on all threads; what it takes decides whether the time left allows the
/// other folds and the fit on all rows. Folds that do not fit in are left out (and counted), the
/// score is then taken on the rows that were held back. With a budget in units nothing is left out.
///
/// # Errors
/// Whatever the learner says.
pub fn validate(
    candidate: &Candidate<'_>,
    scheme: Scheme,
    aim: Aim<'_>,
    seed: Seed,
    ctx: &Ctx<'_>,
) -> Result<Validated, Error> {
    let (prepared, learner) = (candidate.prepared, candidate.learner);
    let folds = candidate.plan(scheme, seed, ctx)?;
    let mut fits = candidate.first_fold(&folds, ctx)?;
    candidate.other_folds(&folds, &mut fits, ctx)?;
    if !learner.floats_are_free && fits.n_skipped == 0 && floats_fit(ctx, fits.clock.elapsed(), folds.len()) {
        // Where floats cost a second training, they come after all folds, if time is left.
        let floats = candidate.floats(&folds, ctx);
        fits.done.iter_mut().zip(floats).for_each(|(done, floats)| done.held.floats = floats);
    }
    fits.validated(prepared, aim)
}

/// What a search knows of a candidate, with what it predicts without rounding beside, where that is not there yet and
/// the time left allows it; `took` is the time that the folds took.
///
/// # Errors
/// Predictions that do not fit together.
pub fn with_floats(
    candidate: &Candidate<'_>,
    validated: Validated,
    (scheme, aim): (Scheme, Aim<'_>),
    took: Duration,
    (seed, ctx): (Seed, &Ctx<'_>),
) -> Result<Validated, Error> {
    let mut folds = plan(candidate.prepared, scheme, seed);
    if scheme == Scheme::LeaveOneOut {
        folds.iter_mut().for_each(|fold| fold.rounds = validated.rounds);
    }
    let is_there = validated.held.iter().all(|held| !held.floats.is_empty());
    if is_there || validated.held.len() != folds.len() || !floats_fit(ctx, took, folds.len()) {
        return Ok(validated);
    }
    let floats = candidate.floats(&folds, ctx);
    let linked = validated.held.iter().zip(floats).map(|(held, floats)| (held.linked.clone(), floats));
    relinked(candidate.prepared, &validated, linked.collect(), aim)
}

/// A fold that was done.
pub(crate) struct Done {
    pub(crate) held: HeldBack,
    pub(crate) rounds: StageRounds,
    /// What a model of the fit alone would take, where that is wanted.
    pub(crate) size: Option<Size>,
    /// That model, where it is within limits.
    model: Option<Model>,
}

/// Folds that were done, the first ones in their order.
pub(crate) struct Fits {
    pub(crate) done: Vec<Done>,
    n_skipped: u32,
    clock: Clock,
}

impl Fits {
    /// The folds behind those that were done are left out.
    pub(crate) fn skip_others(&mut self, folds: &[Fold]) {
        self.n_skipped = (folds.len() - self.done.len()) as u32;
    }

    pub(crate) fn validated(self, prepared: &Prepared<'_>, aim: Aim<'_>) -> Result<Validated, Error> {
        let n_fits = self.done.len();
        let rounds = mean(self.done.iter().map(|done| done.rounds));
        let size = Size::mean(self.done.iter().filter_map(|done| done.size));
        let (held, models): (Vec<HeldBack>, Vec<Option<Model>>) =
            self.done.into_iter().map(|done| (done.held, done.model)).unzip();
        let model = models.into_iter().next().flatten().map(Arc::new);
        let gathered = gather(prepared, held, aim)?;
        Ok(Validated { rounds, n_fits: n_fits as u32, n_skipped: self.n_skipped, size, model, ..gathered })
    }
}

/// The mean of what folds found, rounded up; none where no fold has rounds.
pub(crate) fn mean(found: impl ExactSizeIterator<Item = StageRounds> + Clone) -> Option<StageRounds> {
    let n = found.len().max(1) as f64;
    let of = |stage: usize| (found.clone().map(|r| f64::from(r[stage])).sum::<f64>() / n).ceil() as u32;
    Some([of(0), of(1)]).filter(|mean| *mean != [0; 2])
}

impl Candidate<'_> {
    /// All folds; there is one at least.
    pub(crate) fn plan(&self, scheme: Scheme, seed: Seed, ctx: &Ctx<'_>) -> Result<Vec<Fold>, Error> {
        if scheme == Scheme::LeaveOneOut && self.prepared.rows.len() > MAX_LEFT_OUT {
            let (table, n_rows) = (self.prepared.table_name(), self.prepared.rows.len());
            return Err(Kind::LeaveOneOut { table, n_rows, most: MAX_LEFT_OUT }.into());
        }
        let mut folds = plan(self.prepared, scheme, seed);
        if folds.is_empty() {
            let (table, n_rows) = (self.prepared.table_name(), self.prepared.rows.len());
            return Err(Kind::NoFolds { table, n_rows, n_units: self.prepared.n_fold_units() }.into());
        }
        if scheme == Scheme::LeaveOneOut {
            let rounds = self.rounds(seed, ctx)?;
            folds.iter_mut().for_each(|fold| fold.rounds = rounds);
        }
        Ok(folds)
    }

    /// The first of the folds, done on all threads.
    pub(crate) fn first_fold(&self, folds: &[Fold], ctx: &Ctx<'_>) -> Result<Fits, Error> {
        let clock = Clock::start();
        ctx.progress.stage("validating", Some(folds.len() as u64));
        let budget = ctx.budget.share(FIRST_SHARE);
        let first = self.fold(&folds[0], ctx.threads, &budget, self.first_pass(), ctx)?;
        Ok(Fits { done: vec![first], n_skipped: 0, clock })
    }

    /// Rounds that usual folds ask for; `None` for learners without rounds. One row that is held back would choose those
    /// that predict it best, and its score would be no score of a row that no fit had seen.
    fn rounds(&self, seed: Seed, ctx: &Ctx<'_>) -> Result<Option<StageRounds>, Error> {
        ctx.progress.stage("counting rounds", None);
        let folds = plan(self.prepared, Scheme::Folds(ROUNDS_FOLDS), seed);
        let fit = |fold, threads| self.fold(fold, threads, &ctx.budget.share(0.2), Exactness::Integers, ctx);
        let Some((first, others)) = folds.split_first() else { return Ok(None) };
        let rounds = fit(first, ctx.threads)?.rounds;
        if rounds == [0; 2] {
            return Ok(None);
        }
        let one = Threads::one();
        let rest = ctx.threads.map(others.len(), |i| Ok(fit(&others[i], &one)?.rounds));
        let rest = rest.into_iter().collect::<Result<Vec<StageRounds>, Error>>()?;
        Ok(mean([&[rounds][..], &rest].concat().into_iter()))
    }

    /// The folds behind the first one that the time left allows.
    pub(crate) fn other_folds(&self, folds: &[Fold], fits: &mut Fits, ctx: &Ctx<'_>) -> Result<(), Error> {
        let (one, exact) = (Threads::one(), self.first_pass());
        let rest = affordable(ctx, fits.clock.elapsed(), folds.len() - 1);
        let budget = ctx.budget.share(OTHERS_SHARE);
        for result in ctx.threads.map(rest, |i| self.fold(&folds[i + 1], &one, &budget, exact, ctx)) {
            match result {
                Ok(done) => fits.done.push(done),
                // An interrupted run keeps the folds that were done; they come first.
                Err(_) if ctx.cancel.is_cancelled() => break,
                Err(e) => return Err(e),
            }
        }
        fits.skip_others(folds);
        Ok(())
    }

    /// Floats come along where they are free.
    fn first_pass(&self) -> Exactness {
        if self.learner.floats_are_free { Exactness::Floats } else { Exactness::Integers }
    }

    /// What the folds predict without rounding; nothing for those that were interrupted.
    fn floats(&self, folds: &[Fold], ctx: &Ctx<'_>) -> Vec<Vec<f64>> {
        ctx.progress.stage("comparing with floats", Some(folds.len() as u64));
        let (one, budget) = (Threads::one(), ctx.budget.share(OTHERS_SHARE));
        let fit = |i: usize| self.fold(&folds[i], &one, &budget, Exactness::Floats, ctx);
        let done = ctx.threads.map(folds.len(), fit).into_iter();
        done.map(|fit| fit.map_or(Vec::new(), |done| done.held.floats)).collect()
    }

    pub(crate) fn fold(
        &self,
        fold: &Fold,
        threads: &Threads,
        budget: &Budget,
        exact: Exactness,
        ctx: &Ctx<'_>,
    ) -> Result<Done, Error> {
        let rows = Rows { train: fold.train.clone(), others: fold.held_back.clone() };
        let inner = Ctx { threads, budget, ..*ctx };
        let wants = if self.origin.is_some() { Wants::Model } else { Wants::Scores };
        let mut fit = self.grown(rows, fold.rounds, (exact, wants), (fold.seed, &inner))?;
        let fitted = &mut fit.fitted;
        let (scores, floats) =
            (std::mem::take(&mut fitted.other_scores), std::mem::take(&mut fitted.other_floats));
        let (link, rounds) = (fitted.link, fitted.rounds);
        let further = fitted.further.clone();
        let (mut size, mut model) = (None, None);
        if let Some(origin) = self.origin {
            let (alone, of_alone) = Grown::new(self.prepared, fit).alone(origin)?;
            let limits = origin.scales.limits;
            size = Some(of_alone);
            model = (!limits.is_none() && limits.allow(of_alone)).then_some(alone);
        }
        let linked = link.apply_all(&further, &scores, self.prepared.target().n_outputs());
        let (repetition, rows) = (fold.repetition, fold.held_back.clone());
        let held = HeldBack { repetition, rows, scores, link, further, linked, floats };
        Ok(Done { held, rounds, size, model })
    }
}

/// A learner with its parameters, on the rows and features of a study.
pub struct Candidate<'a> {
    /// The study.
    pub prepared: &'a Prepared<'a>,
    /// The learner.
    pub learner: &'a LearnerEntry,
    /// Its parameters.
    pub params: &'a Params,
    /// What it learns from instead of the labels, or beside them; the labels alone if there is none.
    pub teacher: Option<&'a Teacher>,
    /// What it is added to, if it is.
    pub onto: Option<Forerunner<'a>>,
    /// Where a model of it would come from, if its size is wanted.
    pub origin: Option<&'a Origin<'a>>,
}

impl<'a> Candidate<'a> {
    /// Fits it on the training rows, for so many `rounds` if they are given, and scores the others. It counts as one
    /// step of the stage; its rounds are not told.
    pub(crate) fn fit(
        &self,
        rows: Rows,
        rounds: Option<StageRounds>,
        exact: Exactness,
        (seed, ctx): (Seed, &Ctx<'_>),
    ) -> Result<Fitted, Error> {
        Ok(self.grown(rows, rounds, (exact, Wants::Scores), (seed, ctx))?.fitted)
    }

    /// The same with the features that it is fitted on, and what goes before it.
    pub(crate) fn grown(
        &self,
        rows: Rows,
        rounds: Option<StageRounds>,
        wanted: (Exactness, Wants),
        (seed, ctx): (Seed, &Ctx<'_>),
    ) -> Result<Fit<'a>, Error> {
        let view = self.prepared.view(&rows.train, ctx.threads)?;
        let quiet = Ctx { progress: &Silent, ..*ctx };
        let ahead = self.ahead(&rows, wanted.1, (seed, &quiet))?;
        let of_ahead = ahead.as_ref().map(|(_, ahead)| &**ahead);
        let fitted = self.fit_on((view.get(), of_ahead), rows, rounds, wanted, (seed, &quiet))?;
        ctx.progress.advance(1);
        Ok(Fit { view, fitted, ahead })
    }

    /// What goes before a fit, if anything does.
    pub(crate) fn ahead(
        &self,
        rows: &Rows,
        wants: Wants,
        asked: (Seed, &Ctx<'_>),
    ) -> Result<Option<(View<'a>, Arc<Ahead>)>, Error> {
        self.onto.map(|forerunner| forerunner.ahead_of(self, rows, wants, asked)).transpose()
    }

    /// Fits it on features that are there, behind what goes before it, with the rows that are added and what its teacher
    /// says.
    pub(crate) fn fit_on(
        &self,
        (features, ahead): (&Features, Option<&Ahead>),
        rows: Rows,
        rounds: Option<StageRounds>,
        wanted: (Exactness, Wants),
        (seed, ctx): (Seed, &Ctx<'_>),
    ) -> Result<Fitted, Error> {
        let names = features.names();
        let augmented = match self.teacher {
            Some(teacher) => {
                Some(teacher.augmented((self.prepared, features), &rows, (seed, ctx.threads))?)
            }
            None => self.prepared.augmented(features, &rows, (seed, ctx.threads))?,
        };
        let input = self.prepared.fit_input(features, &names, (rows, augmented.as_ref()), rounds, wanted);
        let input = FitInput { offsets: ahead.map(Ahead::offsets).or(input.offsets), ..input };
        match self.teacher {
            Some(teacher) => teacher.fit((self.learner, self.params), input, (seed, ctx)),
            None => Ok(self.learner.fit(input, self.params, seed, ctx)?),
        }
    }

    /// What the integers of a fit on one thread say of `rows.others`: probabilities or values. `None` where the budget
    /// is spent, or the fit fails, for want of a class for example.
    pub(crate) fn linked(
        &self,
        rows: Rows,
        rounds: Option<StageRounds>,
        (seed, budget): (Seed, &Budget),
        ctx: &Ctx<'_>,
    ) -> Option<Vec<f64>> {
        if ctx.cancel.is_cancelled() || budget.is_spent() {
            return None;
        }
        let one = Threads::one();
        let inner = Ctx { threads: &one, budget, ..*ctx };
        let fitted = self.fit(rows, rounds, Exactness::Integers, (seed, &inner)).ok()?;
        let n_outputs = self.prepared.target().n_outputs();
        Some(fitted.link.apply_all(&fitted.further, &fitted.other_scores, n_outputs))
    }
}

impl Validated {
    /// The score of probabilities or values for these rows, by the decision of the model; `None` where undefined.
    pub(crate) fn score_of(
        &self,
        prepared: &Prepared<'_>,
        rows: &[u32],
        linked: &[f64],
        metric: &MetricEntry,
    ) -> Option<f64> {
        let predictions = predictions_by(&prepared.truth, linked.to_vec(), &self.decision);
        prepared.truth.select(rows).score(&predictions, metric).ok()?
    }
}

/// The same fits with other probabilities: for each part that was held back those of the integers, and those without
/// rounding where it has such. Scores and decisions follow.
///
/// # Errors
/// Probabilities of another number of rows.
pub fn relinked(
    prepared: &Prepared<'_>,
    validated: &Validated,
    linked: Vec<(Vec<f64>, Vec<f64>)>,
    aim: Aim<'_>,
) -> Result<Validated, Error> {
    let mut held = validated.held.clone();
    for (part, (linked, floats)) in held.iter_mut().zip(linked) {
        (part.linked, part.floats) = (linked, floats);
    }
    let Validated { rounds, n_fits, n_skipped, size, .. } = *validated;
    let model = validated.model.clone();
    Ok(Validated { rounds, n_fits, n_skipped, size, model, ..gather(prepared, held, aim)? })
}

/// True if the time left allows the folds once more, with floats, and the fit on all rows.
fn floats_fit(ctx: &Ctx<'_>, took: Duration, n_folds: usize) -> bool {
    if ctx.cancel.is_cancelled() {
        return false;
    }
    let Some(left) = ctx.budget.left() else { return true };
    // Integers and floats are trained, and the last fit sees more rows than a fold does.
    left.as_secs_f64() * 0.9 > took.as_secs_f64() * (3.0 + 2.0 * ctx.threads.n() as f64 / n_folds as f64)
}

/// Folds beyond the first that the time left allows, the fit on all rows kept back.
fn affordable(ctx: &Ctx<'_>, took: Duration, n: usize) -> usize {
    if ctx.cancel.is_cancelled() {
        return 0;
    }
    let Some(left) = ctx.budget.left() else { return n };
    // The last fit sees more rows than a fold does.
    let for_folds = left.as_secs_f64() * 0.9 - took.as_secs_f64() * 1.5;
    let each = took.as_secs_f64().max(1e-6);
    ((for_folds / each).max(0.0) as usize).min(n)
}

/// The folds of a repetition: for each its rows and what was predicted.
type Held<'f> = Vec<(&'f [u32], &'f [f64])>;

/// The mean score of the repetitions, and the rows and predictions of each.
type Scored = (Option<f64>, Vec<(Vec<u32>, Predictions)>);

/// Puts the folds of each repetition together and scores them; counts of fits and rounds are the caller's.
///
/// # Errors
/// Predictions that do not fit together.
pub fn gather(prepared: &Prepared<'_>, parts: Vec<HeldBack>, aim: Aim<'_>) -> Result<Validated, Error> {
    let n_repetitions = parts.iter().map(|p| p.repetition + 1).max().unwrap_or(0);
    let held = |repetition: usize, floats: bool| -> Held<'_> {
        let of = parts.iter().filter(move |p| p.repetition == repetition);
        of.map(|p| (&p.rows[..], p.linked(floats))).collect()
    };
    let scores = |floats: bool| -> Result<Scored, Error> {
        let mut all = Vec::new();
        let mut scores = Vec::new();
        for repetition in 0..n_repetitions {
            let held = held(repetition, floats);
            if held.iter().any(|(_, p)| !p.is_empty()) {
                let (rows, predictions) = together((&prepared.truth, None), &held, aim)?;
                scores.push(prepared.truth.select(&rows).score(&predictions, aim.metric)?);
                all.push((rows, predictions));
            }
        }
        let known: Option<Vec<f64>> = scores.into_iter().collect();
        let mean = |s: Vec<f64>| s.iter().sum::<f64>() / s.len() as f64;
        Ok((known.filter(|s| !s.is_empty()).map(mean), all))
    };
    let (score, all) = scores(false)?;
    let score_float = if parts.iter().all(|p| !p.floats.is_empty()) { scores(true)?.0 } else { None };
    // The model's own decision is made on the rows of all repetitions.
    let everything: Held<'_> = (0..n_repetitions).flat_map(|r| held(r, false)).collect();
    let (truth, linked) = side_by_side((&prepared.truth, None), &everything);
    let decision = aim.decide(&truth, &linked)?;
    let (rows, predictions) = all.into_iter().next().ok_or(Kind::Interrupted)?;
    let (rounds, n_fits, n_skipped, size, model) = (None, 0, 0, None, None);
    let held = parts;
    Ok(Validated {
        score,
        score_float,
        decision,
        rounds,
        n_fits,
        n_skipped,
        rows,
        predictions,
        held,
        size,
        model,
    })
}

/// A target, and in which rows it is known; in all if there is no list.
type Known<'t> = (&'t Truth, Option<&'t [bool]>);

/// The truth and the predictions of folds, one after the other: the rows in which it is known.
fn side_by_side((truth, known): Known<'_>, held: &Held<'_>) -> (Truth, Vec<f64>) {
    let is_known = |row: u32| known.is_none_or(|known| known[row as usize]);
    let width = truth.n_linked().max(1);
    let (mut of_rows, mut all) = (Vec::new(), Vec::new());
    for (rows, linked) in held {
        let known = rows.iter().zip(linked.chunks_exact(width)).filter(|(row, _)| is_known(**row));
        for (&row, linked) in known {
            of_rows.push(row);
            all.extend_from_slice(linked);
        }
    }
    (truth.select(&of_rows), all)
}

/// The predictions of one repetition in row order. Classes of a fold are chosen as is best for the rows of the
/// other folds, so that no row chooses for itself; a single fold has no others.
fn together(
    (truth, known): Known<'_>,
    held: &Held<'_>,
    aim: Aim<'_>,
) -> Result<(Vec<u32>, Predictions), Error> {
    if let Truth::Several(each) = truth {
        return each_together(truth, each, held, aim);
    }
    let Truth::Classes { n_classes, .. } = truth else {
        let mut all: Vec<(u32, f64)> = Vec::new();
        held.iter().for_each(|(rows, p)| all.extend(rows.iter().copied().zip(p.iter().copied())));
        all.sort_by_key(|(row, _)| *row);
        let (rows, values) = all.into_iter().unzip();
        return Ok((rows, Predictions::Values(values)));
    };
    let mut all: Vec<(u32, &[f64], u32)> = Vec::new();
    for (at, (rows, p)) in held.iter().enumerate() {
        let others: Held<'_> =
            held.iter().enumerate().filter(|(i, _)| *i != at || held.len() == 1).map(|(_, h)| *h).collect();
        let decision = if aim.is_tuned() {
            let (truth, linked) = side_by_side((truth, known), &others);
            aim.decide(&truth, &linked)?
        } else {
            Decision::Largest
        };
        let labels = labels_by(p, *n_classes, &decision);
        let cells = rows.iter().zip(p.chunks_exact(*n_classes)).zip(labels);
        all.extend(cells.map(|((row, p), label)| (*row, p, label)));
    }
    all.sort_by_key(|(row, ..)| *row);
    let rows = all.iter().map(|(row, ..)| *row).collect();
    let probabilities = all.iter().flat_map(|(_, p, _)| p.iter().copied()).collect();
    let labels = all.iter().map(|(.., label)| *label).collect();
    Ok((rows, Predictions::Classes { probabilities, labels }))
}

/// The same of several targets, each by itself: its classes are chosen on rows in which it is known.
fn each_together(
    truth: &Truth,
    each: &[OneTruth],
    held: &Held<'_>,
    aim: Aim<'_>,
) -> Result<(Vec<u32>, Predictions), Error> {
    let (mut rows, mut all) = (Vec::new(), Vec::with_capacity(each.len()));
    for (k, one) in each.iter().enumerate() {
        let own: Vec<Vec<f64>> = held.iter().map(|(_, linked)| truth.linked_of(linked, k)).collect();
        let held: Held<'_> = held.iter().zip(&own).map(|((rows, _), own)| (*rows, &own[..])).collect();
        let (of_one, predictions) = together((&one.truth, one.known.as_deref()), &held, aim)?;
        rows = of_one;
        all.push(predictions);
    }
    Ok((rows, Predictions::Several(all)))
}
