//! The search of a fit: trials on a table, and the best of them.

use crate::Error;
use crate::costs::class_weights;
use crate::fit::FitOptions;
use arrow_array::Array;
use ir::Task;
use ir::digest::Digest;
use jobs::{Clock, Ctx, InTurn, Seed, Silent};
use learn::{Goal, LearnerEntry, StageRounds, Takes};
use metrics::MetricEntry;
use params::Params;
use recipe::{
    Aim, Candidate, ClassWeights, Costs, FIRST_SHARE, OTHERS_SHARE, PrepareOptions, Prepared, Relations,
    Step, Validated, validate, validate_while, with_floats,
};
use search::{Outcome, Schedule, Space, Store, Studied, Told, Trial, View, study};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// Tables that are kept ready, by what learners take.
const KEPT: usize = 2;
/// Trials that a report names.
const SHOWN: usize = 10;
/// Share of the time left that stays for the last fit, its measurements and, where asked for, the figures.
const LEFT: (f64, f64) = (0.03, 0.25);
/// So much of a share of the time is all of it.
const NEARLY: f64 = 0.97;
/// Seconds for measurements.
const MEASURING: f64 = 0.5;

/// A learner and what the user set of it.
pub(crate) type Named = (&'static LearnerEntry, Vec<(String, String)>);

/// What was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Searched {
    /// Trials in all, those of earlier runs among them.
    pub n_trials: usize,
    /// Trials of earlier runs.
    pub n_known: usize,
    /// The best trials: what was tried, its score, the seconds that it took.
    pub leaders: Vec<(String, f64, f64)>,
    /// Why trials could not be kept, if they could not.
    pub unkept: Option<String>,
}

/// What all trials have in common.
pub(crate) struct Workshop<'t> {
    pub(crate) options: &'t FitOptions,
    pub(crate) table: &'t data::Table,
    pub(crate) target: &'t data::Target,
    pub(crate) relations: Relations<'t>,
    pub(crate) steps: &'t [Step],
    pub(crate) metric: &'static MetricEntry,
    pub(crate) costs: Option<&'t Costs>,
    pub(crate) ready: RefCell<Vec<(Key, Rc<Prepared<'t>>)>>,
    pub(crate) best: RefCell<Option<Best<'t>>>,
}

/// What a table is made ready by.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Key {
    takes: Takes,
    max_bins: usize,
    is_balanced: bool,
}

/// The best trial of this run, with what was predicted.
pub(crate) struct Best<'t> {
    trial: Trial,
    outcome: Outcome,
    prepared: Rc<Prepared<'t>>,
    validated: Validated,
    took: Duration,
    /// What one fold took on all threads.
    fold: Duration,
}

/// What is fitted on all rows.
pub(crate) struct Chosen<'t> {
    pub(crate) learner: &'static LearnerEntry,
    pub(crate) params: Params,
    pub(crate) prepared: Rc<Prepared<'t>>,
    pub(crate) validated: Validated,
    pub(crate) searched: Option<Searched>,
    /// Seconds that preparing took, and trials.
    pub(crate) seconds: [f64; 2],
}

impl<'t> Workshop<'t> {
    /// How a table is made ready for a learner.
    pub(crate) fn prepare_options(
        &self,
        learner: &LearnerEntry,
        params: &Params,
    ) -> Result<PrepareOptions<'t>, Error> {
        let options = self.options;
        Ok(PrepareOptions {
            target: &options.target,
            row_weight: options.row_weight.as_deref(),
            declared: &options.types,
            steps: self.steps,
            relations: self.relations.clone(),
            duplicates: options.duplicates,
            missing_cells: options.missing_cells,
            max_bins: learner.max_bins(params),
            takes: learner.takes,
            n_batches: None,
            class_weights: class_weights(learner, params, self.costs, self.target.task)?,
            goal: goal(self.metric),
            seed: Seed(options.seed),
        })
    }

    /// The table ready for a learner, made if it is not there.
    fn prepared(
        &self,
        learner: &LearnerEntry,
        params: &Params,
        ctx: &Ctx<'_>,
    ) -> Result<Rc<Prepared<'t>>, Error> {
        let options = self.prepare_options(learner, params)?;
        let is_balanced = options.class_weights == ClassWeights::Balanced;
        let key = Key { takes: options.takes, max_bins: options.max_bins, is_balanced };
        let mut ready = self.ready.borrow_mut();
        if let Some(at) = ready.iter().position(|(known, _)| *known == key) {
            // Those asked for last stay longest.
            let found = ready.remove(at);
            ready.push(found);
        } else {
            let made = Rc::new(Prepared::new(self.table, self.target, &options, ctx)?);
            if ready.len() == KEPT {
                ready.remove(0);
            }
            ready.push((key, made));
        }
        match ready.last() {
            Some((_, made)) => Ok(made.clone()),
            None => Err(Error::bug("fit: a table that was made ready is not there")),
        }
    }

    fn aim<'p>(&self, prepared: &'p Prepared<'_>) -> Aim<'p>
    where
        't: 'p,
    {
        Aim { metric: self.metric, costs: self.costs, factors: prepared.class_factors.as_deref() }
    }

    /// The one configuration of a learner, validated.
    ///
    /// # Errors
    /// Whatever the learner says.
    pub(crate) fn only(&self, (learner, settings): &Named, ctx: &Ctx<'_>) -> Result<Chosen<'t>, Error> {
        let clock = Clock::start();
        let params = learner.params(settings)?;
        let prepared = self.prepared(learner, &params, ctx)?;
        let encoded = clock.seconds();
        let (seed, aim) = (Seed(self.options.seed), self.aim(&prepared));
        let validated = validate(&prepared, learner, &params, self.options.scheme, aim, seed, ctx)?;
        let seconds = [encoded, clock.seconds() - encoded];
        Ok(Chosen { learner, params, prepared, validated, searched: None, seconds })
    }

    /// The best of many configurations.
    ///
    /// # Errors
    /// Not one could be fitted; the folder of trials cannot be written.
    pub(crate) fn best_of(&self, learners: Vec<Named>, ctx: &Ctx<'_>) -> Result<Chosen<'t>, Error> {
        let clock = Clock::start();
        let Some((first, settings)) = learners.first() else {
            return Err(Error::bug("fit: a search without learners"));
        };
        let prepared = self.prepared(first, &first.params(settings)?, ctx)?;
        let encoded = clock.seconds();
        let n_rows = prepared.rows.len();
        let study_of = self.fingerprint(&prepared);
        let store = self.options.resume.as_ref().map(|folder| Store::open(folder, study_of)).transpose()?;
        drop(prepared);
        let mut schedule = Schedule::new(Space {
            learners,
            transforms: self.options.transforms.clone(),
            n_rows,
            n_held_back: self.options.scheme.n_held_back(n_rows),
            seed: Seed(self.options.seed),
        })?;
        let mut board = Board::new(self, ctx);
        let work = |task: &[u8]| self.tried(task, ctx).bytes();
        let is_time_left = || ctx.budget.left().is_none_or(|left| left > self.reserve(ctx));
        let studied =
            study(&mut schedule, &InTurn::new(&work), store.as_ref(), &is_time_left, &mut board, ctx)?;
        let searched = self.searched(&schedule, &studied);
        let chosen = self.chosen(&studied, ctx)?;
        let seconds = [encoded, clock.seconds() - encoded];
        Ok(Chosen { searched: Some(searched), seconds, ..chosen })
    }

    /// What a trial comes to. It never fails: what went wrong is part of the outcome.
    fn tried(&self, task: &[u8], ctx: &Ctx<'_>) -> Outcome {
        let clock = Clock::start();
        let made = match Trial::parse(task) {
            Some(trial) => self.validated(&trial, ctx).map_err(|e| e.to_string()),
            None => Err("a trial that cannot be read".to_owned()),
        };
        let outcome = match made {
            Ok(outcome) => outcome,
            Err(what) => {
                let is_whole = !ctx.cancel.is_cancelled();
                Outcome { failed: Some(what), is_whole, ..Outcome::default() }
            }
        };
        Outcome { seconds: clock.seconds(), ..outcome }
    }

    fn validated(&self, trial: &Trial, ctx: &Ctx<'_>) -> Result<Outcome, Error> {
        let clock = Clock::start();
        let learner = learn::learner(&trial.learner)?;
        let params = learner.params(&trial.settings)?;
        // The last fit keeps its time.
        let share = ctx
            .budget
            .left()
            .map_or(1.0, |left| 1.0 - self.reserve(ctx).as_secs_f64() / left.as_secs_f64().max(1e-9));
        let budget = ctx.budget.share(share);
        let quiet = Ctx { progress: &Silent, budget: &budget, ..*ctx };
        let prepared = self.prepared(learner, &params, &quiet)?;
        let (seed, aim) = (Seed(self.options.seed), self.aim(&prepared));
        let candidate = Candidate { prepared: &prepared, learner, params: &params };
        let n_others = self.options.scheme.n_folds(prepared.rows.len()).saturating_sub(1);
        let has_whole = self.best.borrow().as_ref().is_some_and(|best| best.outcome.is_whole);
        let (mut first, mut fold, mut fits) = (None, Duration::ZERO, true);
        let started = Clock::start();
        let at_first = budget.left();
        let mut at_others = None;
        let done = validate_while(&candidate, self.options.scheme, aim, (seed, &quiet), &mut |score| {
            first = score.map(|score| self.metric.error(score));
            fold = started.elapsed();
            // Where something is whole already, half a trial is of no use.
            let rest = fold.mul_f64(n_others as f64);
            at_others = budget.left();
            fits = !has_whole || at_others.is_none_or(|left| left > rest);
            fits && first.zip(trial.bar).is_none_or(|(error, bar)| error <= bar)
        })?;
        // Learners keep what they have when their share of the time is spent.
        let is_cut = |left: Option<Duration>, share: f64, took: Duration| {
            left.is_some_and(|left| took >= left.mul_f64(NEARLY * share))
        };
        let took_others = started.elapsed().saturating_sub(fold);
        let was_cut = is_cut(at_first, FIRST_SHARE, fold) || is_cut(at_others, OTHERS_SHARE, took_others);
        let (n_fits, rounds, is_whole) = match &done {
            Some(done) => (done.n_fits, done.rounds, done.n_skipped == 0 && !was_cut),
            None => (1, None, fits),
        };
        let error = done.as_ref().and_then(|done| Some(self.metric.error(done.score?)));
        let work = work(learner, &params, (&prepared, n_fits, rounds));
        let outcome = Outcome { error, first, work, is_whole, ..Outcome::default() };
        let mut best = self.best.borrow_mut();
        if let Some(validated) = done
            && outcome.is_better(best.as_ref().map(|best| &best.outcome))
        {
            let (trial, took) = (Trial { bar: None, ..trial.clone() }, clock.elapsed());
            let (outcome, prepared) = (outcome.clone(), prepared.clone());
            *best = Some(Best { trial, outcome, prepared, validated, took, fold });
        }
        Ok(outcome)
    }

    /// Time that the last fit takes, and what comes behind it.
    fn reserve(&self, ctx: &Ctx<'_>) -> Duration {
        let fold = self.best.borrow().as_ref().map_or(0.0, |best| best.fold.as_secs_f64());
        let share = if self.options.figures { LEFT.1 } else { LEFT.0 };
        let whole = ctx.budget.left().map_or(0.0, |left| (left + ctx.budget.clock().elapsed()).as_secs_f64());
        // More rows than a fold, and measurements of what is written.
        Duration::from_secs_f64((2.0 * fold + MEASURING + share * whole).min(0.5 * whole))
    }

    /// The best trial, ready to be fitted on all rows; one of an earlier run is done again.
    fn chosen(&self, studied: &Studied, ctx: &Ctx<'_>) -> Result<Chosen<'t>, Error> {
        let trial = Trial { bar: None, ..studied.best.clone() };
        let learner = learn::learner(&trial.learner)?;
        let params = learner.params(&trial.settings)?;
        let known = self.best.borrow_mut().take().filter(|best| best.trial == trial);
        let (seed, scheme) = (Seed(self.options.seed), self.options.scheme);
        let (prepared, validated, took) = match known {
            Some(Best { prepared, validated, took, .. }) => (prepared, validated, took),
            None => {
                let prepared = self.prepared(learner, &params, ctx)?;
                let aim = self.aim(&prepared);
                let validated = validate(&prepared, learner, &params, scheme, aim, seed, ctx)?;
                (prepared, validated, Duration::ZERO)
            }
        };
        let candidate = Candidate { prepared: &prepared, learner, params: &params };
        let aim = self.aim(&prepared);
        let validated = with_floats(&candidate, validated, (scheme, aim), took, (seed, ctx))?;
        Ok(Chosen { learner, params, prepared, validated, searched: None, seconds: [0.0; 2] })
    }

    fn searched(&self, schedule: &Schedule, studied: &Studied) -> Searched {
        let is_whole = studied.outcome.is_whole;
        let is_told = |t: &&Told| t.outcome.error.is_some() && t.outcome.is_whole == is_whole;
        let error = |told: &&Told| told.outcome.error.unwrap_or(f64::INFINITY);
        let mut leaders: Vec<&Told> = schedule.told().iter().filter(is_told).collect();
        leaders.sort_by(|a, b| error(a).total_cmp(&error(b)));
        let told =
            |told: &&Told| (told.trial.describe(), score_of(self.metric, error(told)), told.outcome.seconds);
        Searched {
            n_trials: studied.n_trials,
            n_known: studied.n_known,
            leaders: leaders.iter().take(SHOWN).map(told).collect(),
            unkept: studied.unkept.clone(),
        }
    }

    /// A digest of the rows and of all that trials have in common: those of another study are others.
    fn fingerprint(&self, prepared: &Prepared<'_>) -> u64 {
        let o = self.options;
        let mut digest = Digest::new();
        // Codes say nothing of a column that was scaled; its cells do.
        digest.word(prepared.fingerprint);
        for column in self.table.batches().iter().flat_map(|batch| batch.columns()) {
            column.to_data().buffers().iter().for_each(|buffer| digest.bytes(buffer.as_slice()));
        }
        let common = format!(
            "{} {:?} {} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            self.metric.name,
            o.scheme,
            o.seed,
            o.transform_settings,
            o.relations,
            o.row_weight,
            o.positive,
            o.missing_cells,
            o.duplicates,
            self.costs,
            o.types,
        );
        digest.bytes(common.as_bytes());
        digest.finish()
    }
}

/// Learners of a run: those that are named, those that are set, or the usual ones that answer the task.
///
/// # Errors
/// A learner or a setting that there is not, one that does not answer the task.
pub(crate) fn named(options: &FitOptions, task: Option<Task>) -> Result<Vec<Named>, Error> {
    let mut names: Vec<&str> = options.learners.iter().map(String::as_str).collect();
    // Settings of a learner say that it is meant.
    for (of, ..) in options.settings.iter().filter(|_| options.learners.is_empty()) {
        if !names.contains(&&of[..]) {
            names.push(of);
        }
    }
    let is_open = names.is_empty();
    if is_open {
        names = search::usual_learners();
    }
    let mut learners = Vec::with_capacity(names.len());
    for name in names {
        let learner = learn::learner(name)?;
        let own = options.settings.iter().filter(|(of, ..)| of == name);
        let settings: Vec<(String, String)> = own.map(|(_, n, v)| (n.clone(), v.clone())).collect();
        learner.params(&settings)?;
        match task.map(|task| learner.answers(task)) {
            Some(Err(_)) if is_open => continue,
            Some(answers) => answers?,
            None => {}
        }
        learners.push((learner, settings));
    }
    Ok(learners)
}

/// The score of an error: what makes one of a score undoes itself.
fn score_of(metric: &MetricEntry, error: f64) -> f64 {
    metric.error(error)
}

/// What a metric wants of predicted numbers.
pub(crate) fn goal(metric: &MetricEntry) -> Goal {
    if matches!(metric.name, "mae" | "medae") { Goal::Median } else { Goal::Mean }
}

/// What fits cost, in cells that are looked at: rough, but the same on any machine.
fn work(
    learner: &LearnerEntry,
    params: &Params,
    (prepared, n_fits, rounds): (&Prepared<'_>, u32, Option<StageRounds>),
) -> f64 {
    let (rows, columns) = (prepared.rows.len() as f64, prepared.inputs.len() as f64);
    let times = match learner.name {
        "gbdt" | "ebm" => rounds.map_or(100.0, |rounds| f64::from(rounds[0] + rounds[1])),
        "forest" | "extra_trees" => 2.0 * params.int("n_trees") as f64,
        "svm" | "knn" => 0.05 * rows,
        _ => 30.0,
    };
    f64::from(n_fits) * rows * columns * times
}

/// What people see while trials go on.
struct Board<'b, 't> {
    of: &'b Workshop<'t>,
    ctx: &'b Ctx<'b>,
    n_tried: usize,
    /// The best so far.
    best: Option<Outcome>,
    told: u64,
}

impl<'b, 't> Board<'b, 't> {
    fn new(of: &'b Workshop<'t>, ctx: &'b Ctx<'b>) -> Board<'b, 't> {
        // In trials, or in seconds.
        let total = ctx.budget.units().or(ctx.budget.left().map(|left| left.as_secs()));
        ctx.progress.stage("searching", total.filter(|n| *n < u64::MAX));
        Board { of, ctx, n_tried: 0, best: None, told: ctx.budget.clock().elapsed().as_secs() }
    }
}

impl View for Board<'_, '_> {
    fn tried(&mut self, trial: &Trial, outcome: &Outcome) {
        self.n_tried += 1;
        let now = self.ctx.budget.clock().elapsed().as_secs();
        let steps = if self.ctx.budget.left().is_none() { 1 } else { now - self.told };
        self.told = now;
        self.ctx.progress.advance(steps);
        if let (Some(error), true) = (outcome.error, outcome.is_better(self.best.as_ref())) {
            let (metric, score) = (self.of.metric.name, score_of(self.of.metric, error));
            let what = trial.describe();
            self.ctx.progress.note(&format!("{metric} {score:.5} by trial {}: {what}", self.n_tried));
            self.best = Some(outcome.clone());
        }
    }
}
