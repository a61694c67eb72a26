//! The ensemble of a search: chosen among its candidates, taken if rows that it had not seen say that it is better.

use super::pool::{Kept, Pool, ranking, size_of};
use super::weighing::Weighing;
use super::{Chosen, ChosenMember, MEASURING, ROOM, Workshop};
use crate::Error;
use crate::fit::Refit;
use compose::combine::{self, EnsembleEntry};
use ir::Task;
use jobs::{Clock, Ctx};
use learn::{Decision, Grows};
use params::{Params, settings_of};
use recipe::{CodedColumns, Combination, Size, Space, Validated, gather};
use search::{Schedule, Studied, Told, Trial};
use std::rc::Rc;
use std::sync::Arc;

/// Rows of the first fold from which on candidates are combined by it alone, where time was too short for all.
const FEWEST_ROWS: usize = 300;
/// The share that an ensemble must take off the error of the candidate that looks best on other folds: less is not worth
/// its bytes.
const LEAST_GAIN: f64 = 5e-4;
/// What a member costs, as a share of the error, whatever its size.
const PRICE: f64 = 1e-4;
/// Bytes and nanoseconds that cost as much again.
const PRICED: Size = Size { bytes: 100_000, ns: 2000.0 };
/// What one costs whose size is not known: one that compares rows, one of deep trees.
const UNWEIGHED: [f64; 2] = [2e-3, 5e-4];
/// A fit on all rows takes so many times what one on the rows of a fold takes.
pub(super) const MORE_ROWS: f64 = 1.5;
/// Folds of which the mean is taken.
const MOST_FITS: usize = 32;
/// Folds that there usually are.
pub(super) const MOST_FOLDS: f64 = 8.0;
/// Share of the work, or time, of a study that fits on all rows may take.
const SHARE: f64 = 0.2;
/// Share of the time of a run that choosing an ensemble may take.
pub(super) const CHOOSING: f64 = 0.05;

/// What candidates shall be combined by.
pub(crate) struct Wanted {
    /// None for no ensemble.
    by: Option<(&'static EnsembleEntry, Params)>,
    /// One was named: it is taken, whether it helps or not.
    is_named: bool,
}

impl Wanted {
    /// `auto`, `none` or the name of an ensemble, and settings of ensembles.
    ///
    /// # Errors
    /// An unknown name or parameter, a value out of range, a setting of an ensemble that is not used.
    pub(crate) fn parse(text: &str, settings: &[(String, String, String)]) -> Result<Wanted, Error> {
        let entry = match text {
            "none" => None,
            "auto" => Some(combine::named(AUTO)?),
            name => Some(combine::named(name)?),
        };
        if let Some((of, name, value)) = settings.iter().find(|(of, ..)| entry.is_none_or(|e| e.name != of)) {
            return Err(Error::input(format!(
                "--set {of}.{name}={value}: ensemble \"{of}\" is not used by --ensemble {text}; name it there"
            )));
        }
        let by =
            entry.map(|entry| Ok::<_, Error>((entry, entry.params(&settings_of(settings, entry.name))?)));
        Ok(Wanted { by: by.transpose()?, is_named: text != "auto" && text != "none" })
    }

    /// The same for a task: none of several targets, unless one is named.
    ///
    /// # Errors
    /// A named ensemble that does not answer it.
    pub(crate) fn of_task(self, task: Task) -> Result<Wanted, Error> {
        if task.is_several() && !self.is_named {
            return Ok(Wanted { by: None, ..self });
        }
        self.by.as_ref().map_or(Ok(()), |(entry, _)| entry.answers(task))?;
        Ok(self)
    }

    pub(super) fn is_none(&self) -> bool {
        self.by.is_none()
    }
}

/// A learner of codes alone.
const OF_CODES: &str = "gbdt";

/// The ensemble that is tried unless one is named.
const AUTO: &str = "greedy";

impl<'t> Workshop<'t> {
    /// The best candidate, or the ensemble that is better than it.
    ///
    /// # Errors
    /// Candidates that cannot be fitted again.
    pub(super) fn with_others(
        &self,
        best: Chosen<'t>,
        (schedule, studied): (&Schedule, &Studied),
        ctx: &Ctx<'_>,
    ) -> Result<Chosen<'t>, Error> {
        let Some((entry, params)) = &self.ensemble.by else { return Ok(best) };
        let Some(first) = best.members.first() else { return Ok(best) };
        // What rounding costs is known of one candidate.
        if self.options.max_drop.is_some() && !self.ensemble.is_named {
            return Ok(best);
        }
        let alone = |why: &'static str| {
            self.not_combined.set(Some(why).filter(|_| self.ensemble.is_named));
        };
        // Where time was too short for all folds, candidates are combined by the first one.
        let is_whole = studied.outcome.is_whole;
        let parts = match &best.validated.held[..] {
            parts if is_whole => parts,
            [first, ..] if first.rows.len() >= FEWEST_ROWS => std::slice::from_ref(first),
            _ => &[],
        };
        if parts.is_empty() || ctx.cancel.is_cancelled() {
            alone("the best candidate was cut off for lack of time");
            return Ok(best);
        }
        // Those that a run of so many trials gives again.
        let told = schedule.told().get(..studied.n_repeated).unwrap_or_default();
        let mut candidates = self.candidates(told, (is_whole, parts.len()), ctx)?;
        candidates.retain_mut(|kept| {
            if !is_whole {
                kept.held.truncate(parts.len());
            }
            kept.held.len() == parts.len() && kept.held.iter().zip(parts).all(|(a, b)| a.rows == b.rows)
        });
        if candidates.len() < 2 {
            alone("fewer than two candidates were done to their end");
            return Ok(best);
        }
        ctx.progress.stage("choosing an ensemble", None);
        let truth = &first.prepared.truth;
        let members = candidates.iter().map(|kept| &kept.held[..]).collect();
        let columns = if entry.asks_columns { self.coded_columns(ctx)? } else { None };
        let pool = combine::Pool { members, truth, columns };
        let mut prices = Vec::with_capacity(candidates.len());
        for kept in &candidates {
            prices.push(price(learn::learner(&kept.trial.learner)?.grows, size_of(&kept.outcome)));
        }
        let limits = self.limits().share(ROOM);
        let weighing = Weighing::new(&candidates, &self.options.operation_costs)?;
        let weigh = |members: &[usize], combination: &Combination| weighing.size(members, combination);
        let room = match limits.is_none() {
            true => None,
            false => Some(combine::Room::new(limits, candidates.len(), &weigh, ctx.threads)?),
        };
        let asked = combine::Asked {
            metric: self.metric,
            weights: None,
            prices: &prices,
            costs: &costs(&candidates),
            room: room.as_ref(),
            threads: ctx.threads,
        };
        let limit = ctx.budget.left().map(|left| (left + ctx.budget.clock().elapsed()).mul_f64(CHOOSING));
        let clock = Clock::start();
        let Some(made) = combine::choose(entry, params, &pool, &asked, (limit, ctx))? else {
            alone("one candidate had all the weight, or choosing took too long");
            let is_late = limit.is_some_and(|limit| clock.elapsed() > limit / 4);
            self.is_timed_out.set(self.is_timed_out.get() || is_late);
            return Ok(best);
        };
        let aim = self.aim(&first.prepared);
        let validated = gather(&first.prepared, made.held, aim)?;
        let error = |score: Option<f64>| score.map_or(f64::INFINITY, |s| self.metric.error(s));
        let alone = gather(&first.prepared, made.alone, aim)?;
        let (own, known) = (error(validated.score), error(alone.score));
        if !self.ensemble.is_named && own >= known - LEAST_GAIN * known.abs() {
            return Ok(best);
        }
        // Members of a limited ensemble are worse alone, so it must show that it is better than the best one was, although
        // that one was chosen on the rows that say so.
        if !self.ensemble.is_named && room.is_some() && own > error(best.validated.score) {
            return Ok(best);
        }
        let mut members = Vec::with_capacity(made.members.len());
        for (&at, weight) in made.members.iter().zip(made.combination.weights()) {
            let Kept { trial, rounds, .. } = &candidates[at];
            let learner = learn::learner(&trial.learner)?;
            let params = learner.params(&trial.settings)?;
            let prepared = self.prepared((learner, &params), trial, ctx)?;
            members.push(ChosenMember {
                teacher: self.teacher_of(trial.taught.as_deref(), &prepared.truth)?,
                forerunner: self.forerunner_of(trial, ctx)?,
                learner,
                params,
                trial: trial.clone(),
                prepared,
                rounds: *rounds,
                weight,
                subsets: Rc::default(),
            });
        }
        let n_fits = candidates.iter().map(|kept| kept.held.len() as u32).sum();
        let rounds = members.first().and_then(|member| member.rounds);
        let validated = Validated { n_fits, n_skipped: best.validated.n_skipped, rounds, ..validated };
        Ok(Chosen { members, combination: Some(made.combination), validated, ..best })
    }

    /// The columns of the table as they are, as codes.
    fn coded_columns(&self, ctx: &Ctx<'_>) -> Result<Option<Arc<CodedColumns>>, Error> {
        let learner = learn::learner(OF_CODES)?;
        let trial = Trial { learner: learner.name.to_owned(), ..Trial::default() };
        let prepared = self.prepared((learner, &learner.params(&[])?), &trial, ctx)?;
        Ok(prepared.coded_columns(ctx.threads).map(Arc::new))
    }

    /// The members as means of a fit for each fold, where that is wanted.
    pub(super) fn with_folds(&self, chosen: Chosen<'t>, ctx: &Ctx<'_>) -> Chosen<'t> {
        let Some(prepared) = chosen.members.first().map(|member| member.prepared.clone()) else {
            return chosen;
        };
        let parts: Vec<_> = chosen.validated.held.iter().filter(|part| part.repetition == 0).collect();
        // A row that is held back alone leaves nearly the same rows each time.
        let is_wanted = self.options.refit == Refit::Folds && (2..=MOST_FITS).contains(&parts.len());
        if !is_wanted || ctx.cancel.is_cancelled() {
            return chosen;
        }
        let subsets: Rc<[Vec<u32>]> = parts.iter().map(|part| part.others(&prepared.rows)).collect();
        let alone = || {
            let linked = chosen.validated.held.iter().flat_map(|part| &part.linked);
            let ends = |[low, high]: [f64; 2], &value: &f64| [low.min(value), high.max(value)];
            let range = linked.fold([f64::INFINITY, f64::NEG_INFINITY], ends);
            Combination::mean(Space::Scores, &[1.0], range)
        };
        let combination = Some(chosen.combination.clone().unwrap_or_else(alone));
        let bagged = |member| ChosenMember { subsets: subsets.clone(), ..member };
        let members = chosen.members.into_iter().map(bagged).collect();
        Chosen { members, combination, ..chosen }
    }

    /// What the best of these trials predicted out of fold: known, or fitted again, but for those that time cut off.
    /// Those whose fits on all rows would be too much work together, beside that of the
    /// first, are left out, the last ones first: work is counted, so that the same are left out on any machine. Where
    /// they would take too long all the same, the time that a run may take comes first.
    fn candidates(
        &self,
        told: &[Told],
        (is_whole, n_folds): (bool, usize),
        ctx: &Ctx<'_>,
    ) -> Result<Vec<Kept>, Error> {
        let most_work = SHARE * told.iter().map(|told| told.outcome.work).sum::<f64>();
        let (mut candidates, mut work, mut seconds) = (Vec::new(), 0.0, 0.0);
        for told in ranking(told, !is_whole) {
            // The first one is fitted on all rows anyway.
            let own = match candidates.is_empty() {
                true => 0.0,
                false => MORE_ROWS * told.outcome.work / n_folds.max(1) as f64,
            };
            if work + own > most_work {
                continue;
            }
            let left = ctx.budget.left().map(|left| left.as_secs_f64() - MEASURING - seconds);
            let trial = told.trial.without_bars();
            let known = self.pool.borrow().get(&trial).cloned();
            let kept = match known {
                Some(kept) => Some(kept),
                // A run that goes on knows what earlier ones came to, not what they predicted.
                None if is_whole && left.is_none_or(|left| told.outcome.seconds < SHARE * left) => {
                    self.again(told, ctx)?
                }
                None => None,
            };
            let fits = |kept: &Kept| left.is_none_or(|left| MORE_ROWS * kept.fold.as_secs_f64() <= left);
            let Some(kept) = kept.filter(fits) else {
                self.is_timed_out.set(true);
                continue;
            };
            (work, seconds) = (work + own, seconds + MORE_ROWS * kept.fold.as_secs_f64());
            candidates.push(kept);
        }
        Ok(candidates)
    }

    /// A trial of an earlier run, fitted again; `None` if it was interrupted, or time allows no more than some of its folds.
    fn again(&self, told: &Told, ctx: &Ctx<'_>) -> Result<Option<Kept>, Error> {
        let trial = told.trial.without_bars();
        let learner = learn::learner(&trial.learner)?;
        let params = learner.params(&trial.settings)?;
        let prepared = self.prepared((learner, &params), &trial, ctx)?;
        let decision = Decision::Largest;
        let origin = self.origin_of(&trial, &decision);
        let weighed = Some(&origin).filter(|_| !self.limits().is_none());
        let (validated, took) = match self.folded((learner, &params, &trial), (&prepared, weighed), ctx) {
            Err(_) if ctx.cancel.is_cancelled() => return Ok(None),
            folded => folded?,
        };
        let n_folds = validated.held.len().max(1) as u32;
        let kept = || Kept::of(trial, told.outcome.clone(), &validated, took / n_folds);
        Ok((validated.n_skipped == 0).then(kept))
    }
}

/// What a member costs, as a share of the error.
fn price(grows: Grows, size: Option<Size>) -> f64 {
    match (size, grows) {
        (Some(size), _) => PRICE * (1.0 + size.bytes as f64 / PRICED.bytes as f64 + size.ns / PRICED.ns),
        (None, Grows::Rows) => UNWEIGHED[0],
        (None, Grows::Trees) => UNWEIGHED[1],
        (None, Grows::Rounds | Grows::Passes) => PRICE,
    }
}

/// What a row costs by each candidate: nanoseconds by the table of costs if all are known, else the cells that its fits
/// looked at, which grow with rounds, trees or known rows as prediction does.
fn costs(candidates: &[Kept]) -> Vec<f64> {
    let ns = candidates.iter().map(|kept| kept.outcome.cost_ns);
    let by_work = || candidates.iter().map(|kept| kept.outcome.work).collect();
    ns.collect::<Option<Vec<f64>>>().unwrap_or_else(by_work)
}

/// Seconds that stay for fits on all rows, where an ensemble may come, after a study of so many seconds.
pub(super) fn seconds(pool: &Pool, studied: f64) -> f64 {
    (MORE_ROWS * pool.seconds()).min(SHARE * studied)
}
