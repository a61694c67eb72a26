//! Fits inside folds, and the out-of-fold scores.

use crate::decide::{Aim, labels_by, predictions_by};
use crate::error::{Error, Kind};
use crate::predictions::{Predictions, Truth};
use crate::prepared::Prepared;
use ir::digest::mix;
use jobs::{Budget, Clock, Ctx, Seed, Silent, Threads};
use learn::{Decision, Exactness, Fitted, LearnerEntry, ScoreLink};
use metrics::MetricEntry;
use params::Params;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use trees::Rows;

/// How rows are held back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scheme {
    /// 8 folds; 5 above 50,000 rows; three times over below 1,000 rows.
    Auto,
    /// This many folds.
    Folds(u32),
    /// One part of this share.
    Holdout(f64),
}

impl Scheme {
    /// Folds, how often rows are dealt anew, and the share that is held back instead, for so many rows.
    fn parts(self, n_rows: usize) -> (u32, usize, Option<f64>) {
        match self {
            Scheme::Auto if n_rows > 50_000 => (5, 1, None),
            Scheme::Auto if n_rows < 1000 => (8, 3, None),
            Scheme::Auto => (8, 1, None),
            Scheme::Folds(n) => (n, 1, None),
            Scheme::Holdout(share) => (2, 1, Some(share)),
        }
    }

    /// Rows that one fold holds back, of so many.
    pub fn n_held_back(self, n_rows: usize) -> usize {
        match self.parts(n_rows) {
            (.., Some(share)) => (n_rows as f64 * share) as usize,
            (n_folds, ..) => n_rows / n_folds.max(1) as usize,
        }
    }
}

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
    pub rounds: Option<u32>,
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
    /// How they become probabilities or values.
    pub link: ScoreLink,
    /// Probabilities `[n_rows, n_classes]` or values.
    pub linked: Vec<f64>,
    /// The same without rounding; empty where it was not computed.
    pub floats: Vec<f64>,
}

/// One held-back part.
pub(crate) struct Fold {
    repetition: usize,
    pub(crate) held_back: Vec<u32>,
    pub(crate) train: Vec<u32>,
    pub(crate) seed: Seed,
}

impl HeldBack {
    fn linked(&self, floats: bool) -> &[f64] {
        if floats { &self.floats } else { &self.linked }
    }
}

/// Fits `learner` on each fold and predicts the rows held back.
///
/// The first fold runs alone, on all threads; what it takes decides whether the time left allows the
/// other folds and the fit on all rows. Folds that do not fit in are left out (and counted), the
/// score is then taken on the rows that were held back. With a budget in units nothing is left out.
///
/// # Errors
/// Whatever the learner says.
pub fn validate(
    prepared: &Prepared<'_>,
    learner: &LearnerEntry,
    params: &Params,
    scheme: Scheme,
    aim: Aim<'_>,
    seed: Seed,
    ctx: &Ctx<'_>,
) -> Result<Validated, Error> {
    let candidate = Candidate { prepared, learner, params };
    let (folds, mut fits) = candidate.first_fold(scheme, seed, ctx)?;
    candidate.other_folds(&folds, &mut fits, ctx)?;
    if !learner.floats_are_free && fits.n_skipped == 0 && floats_fit(ctx, fits.clock.elapsed(), folds.len()) {
        // Where floats cost a second training, they come after all folds, if time is left.
        let floats = candidate.floats(&folds, ctx);
        fits.done.iter_mut().zip(floats).for_each(|((held, _), floats)| held.floats = floats);
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
    let folds = plan(candidate.prepared, scheme, seed);
    let is_there = validated.held.iter().all(|held| !held.floats.is_empty());
    if is_there || validated.held.len() != folds.len() || !floats_fit(ctx, took, folds.len()) {
        return Ok(validated);
    }
    let floats = candidate.floats(&folds, ctx);
    let linked = validated.held.iter().zip(floats).map(|(held, floats)| (held.linked.clone(), floats));
    relinked(candidate.prepared, &validated, linked.collect(), aim)
}

/// As [`validate`], for a search: without floats that cost another training, and only the first fold where `go_on` does not
/// want more behind its score; then there is nothing.
///
/// # Errors
/// Whatever the learner says.
pub fn validate_while(
    candidate: &Candidate<'_>,
    scheme: Scheme,
    aim: Aim<'_>,
    (seed, ctx): (Seed, &Ctx<'_>),
    go_on: &mut dyn FnMut(Option<f64>) -> bool,
) -> Result<Option<Validated>, Error> {
    let (folds, mut fits) = candidate.first_fold(scheme, seed, ctx)?;
    let first = gather(candidate.prepared, fits.done.iter().map(|(held, _)| held.clone()).collect(), aim)?;
    if !go_on(first.score) {
        return Ok(None);
    }
    candidate.other_folds(&folds, &mut fits, ctx)?;
    Ok(Some(fits.validated(candidate.prepared, aim)?))
}

/// Folds that were done, the first ones in their order, each with its rounds.
struct Fits {
    done: Vec<(HeldBack, u32)>,
    n_skipped: u32,
    clock: Clock,
}

impl Fits {
    fn validated(self, prepared: &Prepared<'_>, aim: Aim<'_>) -> Result<Validated, Error> {
        let n_fits = self.done.len();
        let rounds =
            self.done.iter().map(|(_, rounds)| f64::from(*rounds)).sum::<f64>() / n_fits.max(1) as f64;
        let held = self.done.into_iter().map(|(held, _)| held).collect();
        let gathered = gather(prepared, held, aim)?;
        let rounds = (rounds > 0.0).then(|| rounds.ceil() as u32);
        Ok(Validated { rounds, n_fits: n_fits as u32, n_skipped: self.n_skipped, ..gathered })
    }
}

impl Candidate<'_> {
    /// All folds, and the first of them done on all threads.
    fn first_fold(&self, scheme: Scheme, seed: Seed, ctx: &Ctx<'_>) -> Result<(Vec<Fold>, Fits), Error> {
        let folds = plan(self.prepared, scheme, seed);
        if folds.is_empty() {
            let (table, n_rows) = (self.prepared.table_name(), self.prepared.rows.len());
            return Err(Kind::NoFolds { table, n_rows, n_units: self.prepared.n_fold_units() }.into());
        }
        ctx.progress.stage("validating", Some(folds.len() as u64));
        let clock = Clock::start();
        // A third of the time for the first fold leaves room for the fit on all rows.
        let first = self.fold(&folds[0], ctx.threads, &ctx.budget.share(0.33), self.first_pass(), ctx)?;
        Ok((folds, Fits { done: vec![first], n_skipped: 0, clock }))
    }

    /// The folds behind the first one that the time left allows.
    fn other_folds(&self, folds: &[Fold], fits: &mut Fits, ctx: &Ctx<'_>) -> Result<(), Error> {
        let (one, exact) = (Threads::one(), self.first_pass());
        let rest = affordable(ctx, fits.clock.elapsed(), folds.len() - 1);
        let budget = ctx.budget.share(0.6);
        for result in ctx.threads.map(rest, |i| self.fold(&folds[i + 1], &one, &budget, exact, ctx)) {
            match result {
                Ok(done) => fits.done.push(done),
                // An interrupted run keeps the folds that were done; they come first.
                Err(_) if ctx.cancel.is_cancelled() => break,
                Err(e) => return Err(e),
            }
        }
        fits.n_skipped = (folds.len() - fits.done.len()) as u32;
        Ok(())
    }

    /// Floats come along where they are free.
    fn first_pass(&self) -> Exactness {
        if self.learner.floats_are_free { Exactness::Floats } else { Exactness::Integers }
    }

    /// What the folds predict without rounding; nothing for those that were interrupted.
    fn floats(&self, folds: &[Fold], ctx: &Ctx<'_>) -> Vec<Vec<f64>> {
        ctx.progress.stage("comparing with floats", Some(folds.len() as u64));
        let (one, budget) = (Threads::one(), ctx.budget.share(0.6));
        let fit = |i: usize| self.fold(&folds[i], &one, &budget, Exactness::Floats, ctx);
        let done = ctx.threads.map(folds.len(), fit).into_iter();
        done.map(|fit| fit.map_or(Vec::new(), |(held, _)| held.floats)).collect()
    }

    fn fold(
        &self,
        fold: &Fold,
        threads: &Threads,
        budget: &Budget,
        exact: Exactness,
        ctx: &Ctx<'_>,
    ) -> Result<(HeldBack, u32), Error> {
        let rows = Rows { train: fold.train.clone(), others: fold.held_back.clone() };
        let inner = Ctx { threads, budget, ..*ctx };
        let fitted = self.fit(rows, None, exact, (fold.seed, &inner))?;
        let linked = fitted.link.apply(&fitted.other_scores, self.prepared.target().n_outputs());
        let held = HeldBack {
            repetition: fold.repetition,
            rows: fold.held_back.clone(),
            scores: fitted.other_scores,
            link: fitted.link,
            linked,
            floats: fitted.other_floats,
        };
        Ok((held, fitted.rounds))
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
}

impl Candidate<'_> {
    /// Fits it on the training rows, for so many `rounds` if they are given, and scores the others. It counts as one
    /// step of the stage; its rounds are not told.
    pub(crate) fn fit(
        &self,
        rows: Rows,
        rounds: Option<u32>,
        exact: Exactness,
        (seed, ctx): (Seed, &Ctx<'_>),
    ) -> Result<Fitted, Error> {
        let view = self.prepared.view(&rows.train, ctx.threads)?;
        let view = view.get();
        let names = view.names();
        let input = self.prepared.fit_input(view, &names, rows, rounds, exact);
        let fitted =
            self.learner.learner.fit(input, self.params, seed, &Ctx { progress: &Silent, ..*ctx })?;
        ctx.progress.advance(1);
        Ok(fitted)
    }

    /// What the integers of a fit on one thread say of `rows.others`: probabilities or values. `None` where the budget
    /// is spent, or the fit fails, for want of a class for example.
    pub(crate) fn linked(
        &self,
        rows: Rows,
        rounds: Option<u32>,
        (seed, budget): (Seed, &Budget),
        ctx: &Ctx<'_>,
    ) -> Option<Vec<f64>> {
        if ctx.cancel.is_cancelled() || budget.left().is_some_and(|left| left.is_zero()) {
            return None;
        }
        let one = Threads::one();
        let inner = Ctx { threads: &one, budget, ..*ctx };
        let fitted = self.fit(rows, rounds, Exactness::Integers, (seed, &inner)).ok()?;
        Some(fitted.link.apply(&fitted.other_scores, self.prepared.target().n_outputs()))
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
    let Validated { rounds, n_fits, n_skipped, .. } = *validated;
    Ok(Validated { rounds, n_fits, n_skipped, ..gather(prepared, held, aim)? })
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

/// The parts that are held back, one after the other.
pub(crate) fn plan(prepared: &Prepared<'_>, scheme: Scheme, seed: Seed) -> Vec<Fold> {
    let rows = &prepared.rows;
    let n_rows = rows.len();
    let (n_folds, repetitions, share) = scheme.parts(n_rows);
    if prepared.rank.is_some() {
        return blocks(prepared, n_folds, share, seed);
    }
    let mut folds = Vec::new();
    for repetition in 0..repetitions {
        let seed = seed.derive("folds", repetition as u64);
        let parts = match share {
            // A share is dealt as that many hundredths.
            Some(share) if prepared.is_grouped() => {
                held_groups(prepared, share, seed).into_iter().map(|held| u32::from(!held)).collect()
            }
            Some(share) => {
                let held = (share.clamp(0.01, 0.99) * 100.0) as u32;
                let part = data::folds(rows, prepared.strata(), &prepared.first_copy, 100, seed.0);
                part.into_iter().map(|p| u32::from(p >= held)).collect()
            }
            None => {
                data::folds(rows, prepared.strata(), &prepared.first_copy, n_folds.min(n_rows as u32), seed.0)
            }
        };
        let n_parts = if share.is_some() { 1 } else { n_folds.min(n_rows as u32) };
        for part in 0..n_parts {
            let pick = |held: bool| {
                rows.iter().zip(&parts).filter(|(_, p)| (**p == part) == held).map(|(r, _)| *r).collect()
            };
            let (held_back, train): (Vec<u32>, Vec<u32>) = (pick(true), pick(false));
            if !held_back.is_empty() && !train.is_empty() {
                folds.push(Fold { repetition, held_back, train, seed: seed.derive("fit", part.into()) });
            }
        }
    }
    folds
}

/// Which rows are held back, in whole groups taken in random order until their rows are nearest to the share.
fn held_groups(prepared: &Prepared<'_>, share: f64, seed: Seed) -> Vec<bool> {
    let group = |row: u32| prepared.first_copy[row as usize];
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    prepared.rows.iter().for_each(|&row| *sizes.entry(group(row)).or_default() += 1);
    let mut order: Vec<(u32, usize)> = sizes.into_iter().collect();
    order.sort_by_key(|&(first, _)| (mix(seed.0 ^ mix(first.into())), first));
    let wanted = prepared.rows.len() as f64 * share;
    let mut held = BTreeSet::new();
    let mut n_held = 0;
    // One group stays for learning.
    for &(first, size) in order.iter().skip(1) {
        let nearer = (wanted - (n_held + size) as f64).abs() < (wanted - n_held as f64).abs();
        if nearer || held.is_empty() {
            held.insert(first);
            n_held += size;
        }
    }
    prepared.rows.iter().map(|&row| held.contains(&group(row))).collect()
}

/// Folds of ordered rows: blocks of neighbours, or the last share.
fn blocks(prepared: &Prepared<'_>, n_folds: u32, share: Option<f64>, seed: Seed) -> Vec<Fold> {
    let empty = Vec::new();
    let rank = prepared.rank.as_ref().unwrap_or(&empty);
    let mut ordered = prepared.rows.clone();
    let place = |row: u32| rank.get(row as usize).copied().filter(|r| !r.is_nan()).unwrap_or(-1.0);
    ordered.sort_by(|&a, &b| place(a).total_cmp(&place(b)).then(a.cmp(&b)));
    let n = ordered.len();
    // Rows of one moment stay together: a bound moves to where the next moment begins.
    let moment_start = |mut at: usize| {
        while at > 0 && at < n && place(ordered[at]) == place(ordered[at - 1]) {
            at += 1;
        }
        at
    };
    let bounds: Vec<(usize, usize)> = match share {
        // At least one row on each side.
        Some(share) => {
            let held = ((n as f64 * share).round() as usize).clamp(1, n.saturating_sub(1).max(1));
            let from = match moment_start(n - held) {
                // The last moment has more rows than the share: all of it is held back.
                from if from == n => {
                    (0..n).rev().find(|&at| at == 0 || place(ordered[at]) != place(ordered[at - 1]))
                }
                from => Some(from),
            };
            vec![(from.unwrap_or(0), n)]
        }
        None => {
            let n_folds = (n_folds as usize).clamp(2, n.max(2));
            let bound = |f: usize| moment_start(f * n / n_folds);
            (0..n_folds).map(|f| (bound(f), bound(f + 1))).collect()
        }
    };
    let mut folds = Vec::new();
    for (part, (from, to)) in bounds.into_iter().enumerate() {
        let mut held_back = ordered[from..to].to_vec();
        let mut train = [&ordered[..from], &ordered[to..]].concat();
        held_back.sort_unstable();
        train.sort_unstable();
        if !held_back.is_empty() && !train.is_empty() {
            folds.push(Fold { repetition: 0, held_back, train, seed: seed.derive("fit", part as u64) });
        }
    }
    folds
}

/// The folds of a repetition: for each its rows and what was predicted.
type Held<'f> = Vec<(&'f [u32], &'f [f64])>;

/// The mean score of the repetitions, and the rows and predictions of each.
type Scored = (Option<f64>, Vec<(Vec<u32>, Predictions)>);

/// Puts the folds of each repetition together and scores them; counts of fits and rounds are the caller's.
fn gather(prepared: &Prepared<'_>, parts: Vec<HeldBack>, aim: Aim<'_>) -> Result<Validated, Error> {
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
                let (rows, predictions) = together(prepared, &held, aim)?;
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
    let (truth, linked) = side_by_side(prepared, &everything);
    let decision = aim.decide(&truth, &linked)?;
    let (rows, predictions) = all.into_iter().next().ok_or(Kind::Interrupted)?;
    let (rounds, n_fits, n_skipped) = (None, 0, 0);
    Ok(Validated { score, score_float, decision, rounds, n_fits, n_skipped, rows, predictions, held: parts })
}

/// The truth and the predictions of folds, one after the other.
fn side_by_side(prepared: &Prepared<'_>, held: &Held<'_>) -> (Truth, Vec<f64>) {
    let rows: Vec<u32> = held.iter().flat_map(|(rows, _)| rows.iter().copied()).collect();
    (prepared.truth.select(&rows), held.iter().flat_map(|(_, p)| p.iter().copied()).collect())
}

/// The predictions of one repetition in row order. Classes of a fold are chosen as is best for the rows of the
/// other folds, so that no row chooses for itself; a single fold has no others.
fn together(
    prepared: &Prepared<'_>,
    held: &Held<'_>,
    aim: Aim<'_>,
) -> Result<(Vec<u32>, Predictions), Error> {
    let Truth::Classes { n_classes, .. } = &prepared.truth else {
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
            let (truth, linked) = side_by_side(prepared, &others);
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
