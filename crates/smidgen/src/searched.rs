//! The search of a fit: trials on a table, and the best of them.

mod board;
mod cost;
mod ensemble;
mod forerunner;
mod pool;
mod ready;
mod summary;
mod teaching;
mod weighing;

use crate::Error;
use crate::costs::class_weights;
use crate::fit::{FitOptions, Refit, steps};
use crate::start::Start;
use arrow_array::Array;
use board::Board;
use cost::{memory, work, work_before};
pub(crate) use ensemble::Wanted;
use forerunner::Forerunner;
use ir::ColumnKind;
use ir::Task;
use ir::digest::Digest;
use jobs::{Clock, Ctx, InTurn, Seed, Silent, Threads};
use learn::{Decision, Goal, Grows, LearnerEntry, StageRounds};
use metrics::MetricEntry;
use params::{Params, settings_of};
use pool::{Kept, Pool};
pub(crate) use ready::Ready;
use recipe::{
    Aim, BaseScores, Candidate, Combination, Costs, GoOn, Limits, PrepareOptions, Prepared, Relations, Rung,
    Scales, Size, Teacher, Truth, Validated, validate, validate_while, with_floats,
};
use search::{Facts, Outcome, Rungs, Schedule, Space, Store, Studied, Told, Trial, study};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
pub use summary::Searched;
use summary::score_of;
use teaching::Before;
pub(crate) use teaching::Lessons;
pub use teaching::{Distil, Taught};

/// Share of the time left that stays for the last fit, its measurements and, where asked for, the figures.
const LEFT: (f64, f64) = (0.03, 0.25);
const MB: u64 = 1_000_000;
/// The share of what is allowed that fits on a fold may take on average: one on all rows may take more.
const ROOM: f64 = 0.95;
/// The share of the time left that the folds of the first whole trial may take; where they take more, trials are judged by
/// their first fold, so that there is time for several.
const WHOLE: f64 = 0.5;
/// Seconds for measurements.
const MEASURING: f64 = 0.5;

/// A learner and what the user set of it.
pub(crate) type Named = (&'static LearnerEntry, Vec<(String, String)>);

/// What all trials have in common.
pub(crate) struct Workshop<'t> {
    pub(crate) options: &'t FitOptions,
    pub(crate) table: &'t data::Table,
    pub(crate) target: &'t data::Target,
    /// The model that all trials go on from, and its scores.
    pub(crate) start: Option<(&'t Start, &'t BaseScores<'t>)>,
    pub(crate) relations: Relations<'t>,
    pub(crate) metric: &'static MetricEntry,
    pub(crate) costs: Option<&'t Costs>,
    pub(crate) ready: Ready<'t>,
    pub(crate) best: RefCell<Option<Best<'t>>>,
    pub(crate) ensemble: Wanted,
    pub(crate) pool: RefCell<Pool>,
    /// What students learn from.
    pub(crate) lessons: RefCell<Option<Lessons>>,
    /// Whether trials are for a teacher, whose size is not limited, and the time at which they end.
    pub(crate) is_for_teacher: Cell<bool>,
    pub(crate) until: Cell<Option<Duration>>,
    /// Whether time, not work, left members of an ensemble out.
    pub(crate) is_timed_out: Cell<bool>,
    /// Why a named ensemble was not made.
    pub(crate) not_combined: Cell<Option<&'static str>>,
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

/// A candidate that is fitted on all rows.
pub(crate) struct ChosenMember<'t> {
    pub(crate) learner: &'static LearnerEntry,
    pub(crate) params: Params,
    pub(crate) trial: Trial,
    pub(crate) prepared: Rc<Prepared<'t>>,
    pub(crate) rounds: Option<StageRounds>,
    /// Its weight in an ensemble.
    pub(crate) weight: f64,
    /// Rows of fits whose mean it is; all rows unless there are some.
    pub(crate) subsets: Rc<[Vec<u32>]>,
    /// What it learns from beside the labels.
    pub(crate) teacher: Option<Rc<Teacher>>,
    /// What it is added to.
    pub(crate) forerunner: Option<Forerunner<'t>>,
}

/// What is fitted on all rows: one candidate, or several that are combined, the heaviest first.
pub(crate) struct Chosen<'t> {
    pub(crate) members: Vec<ChosenMember<'t>>,
    pub(crate) combination: Option<Combination>,
    pub(crate) validated: Validated,
    pub(crate) searched: Option<Searched>,
    /// Seconds that preparing took, and trials.
    pub(crate) seconds: [f64; 2],
}

impl ChosenMember<'_> {
    /// For people.
    pub(crate) fn recipe(&self) -> String {
        let recipe = self.prepared.recipe(&self.params);
        let recipe = match &self.trial.taught {
            Some(how) => format!("taught {}; {recipe}", teaching::way(how)),
            None => recipe,
        };
        let recipe = match &self.forerunner {
            Some(forerunner) => format!("{recipe} onto ({})", forerunner.recipe()),
            None => recipe,
        };
        match self.subsets.len() {
            0 => recipe,
            n => format!("mean of {n} folds of {recipe}"),
        }
    }

    /// What is fitted on all rows.
    pub(crate) fn member(&self) -> recipe::Member<'_> {
        let (prepared, learner, params) = (&self.prepared, self.learner, &self.params);
        let teacher = self.teacher.as_deref();
        let onto = self.forerunner.as_ref().map(Forerunner::of_fit);
        let candidate = Candidate { prepared, learner, params, teacher, onto, origin: None };
        recipe::Member { candidate, rounds: self.rounds, subsets: &self.subsets }
    }
}

impl<'t> Workshop<'t> {
    /// How a table is made ready for a trial.
    pub(crate) fn prepare_options(
        &self,
        learner: &LearnerEntry,
        params: &Params,
        trial: &Trial,
    ) -> Result<PrepareOptions<'t>, Error> {
        let options = self.options;
        Ok(PrepareOptions {
            targets: &options.targets,
            row_weight: options.row_weight.as_deref(),
            declared: &options.types,
            steps: steps(&trial.transforms, &options.transform_settings)?,
            augment: trial.augment.as_ref().map(|name| options.augmentation(name)).transpose()?,
            base: self.start.map(|(_, base)| base),
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

    /// The table ready for a trial.
    fn prepared(
        &self,
        (learner, params): (&LearnerEntry, &Params),
        trial: &Trial,
        ctx: &Ctx<'_>,
    ) -> Result<Rc<Prepared<'t>>, Error> {
        self.ready.get(self, &self.prepare_options(learner, params, trial)?, ctx)
    }

    /// A learner as it is set, behind what the user wants before it.
    fn trial_of(&self, (learner, settings): &Named) -> Trial {
        Trial {
            learner: learner.name.to_owned(),
            settings: settings.clone(),
            transforms: self.options.transforms.clone(),
            augment: self.options.named_augmentation().cloned(),
            onto: self.named_forerunner(),
            ..Trial::default()
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
    pub(crate) fn only(&self, named: &Named, ctx: &Ctx<'_>) -> Result<Chosen<'t>, Error> {
        let clock = Clock::start();
        let (learner, trial) = (named.0, self.trial_of(named));
        let params = learner.params(&trial.settings)?;
        let prepared = self.prepared((learner, &params), &trial, ctx)?;
        let encoded = clock.seconds();
        let (seed, aim) = (Seed(self.options.seed), self.aim(&prepared));
        let one = Threads::one();
        let forerunner = self.forerunner_of(&trial, ctx)?;
        let both = std::iter::once((learner, &params, &*prepared));
        let both = both.chain(forerunner.iter().map(|f| (f.learner, &f.params, &*f.prepared)));
        let is_narrow = self.threads_for(both, ctx)? < ctx.threads.n();
        let ctx = &Ctx { threads: if is_narrow { &one } else { ctx.threads }, ..*ctx };
        let onto = forerunner.as_ref().map(Forerunner::of_fit);
        let candidate =
            Candidate { prepared: &prepared, learner, params: &params, teacher: None, onto, origin: None };
        let validated = validate(&candidate, self.options.scheme, aim, seed, ctx)?;
        let seconds = [encoded, clock.seconds() - encoded];
        let rounds = validated.rounds;
        let member = ChosenMember {
            learner,
            params,
            trial,
            prepared,
            rounds,
            weight: 1.0,
            subsets: Rc::default(),
            teacher: None,
            forerunner,
        };
        let chosen = Chosen { members: vec![member], combination: None, validated, searched: None, seconds };
        // One configuration is what was asked for, unless folds were.
        Ok(if self.options.refit == Refit::Folds { self.with_folds(chosen, ctx) } else { chosen })
    }

    /// The best of many configurations.
    ///
    /// # Errors
    /// Not one could be fitted; the folder of trials cannot be written.
    pub(crate) fn best_of(&self, learners: Vec<Named>, ctx: &Ctx<'_>) -> Result<Chosen<'t>, Error> {
        let clock = Clock::start();
        let Some(first) = learners.first() else {
            return Err(Error::bug("fit: a search without learners"));
        };
        let trial = self.trial_of(first);
        let prepared = self.prepared((first.0, &first.0.params(&trial.settings)?), &trial, ctx)?;
        let encoded = clock.seconds();
        let study_of = self.fingerprint(&prepared);
        let store = self.options.resume.as_ref().map(|folder| Store::open(folder, study_of)).transpose()?;
        let facts = facts(&prepared, self.target.task, self.options.limits());
        let prepared_fingerprint = prepared.fingerprint;
        drop(prepared);
        let mut space = Space {
            learners,
            transforms: self.options.transforms.clone(),
            augment: self.options.augment.clone(),
            added: self.added(),
            teachings: Vec::new(),
            first: Vec::new(),
            for_teacher: false,
            for_ensemble: !self.ensemble.is_none(),
            facts,
            n_held_back: self.options.scheme.n_held_back(facts.n_rows),
            seed: Seed(self.options.seed),
        };
        if let Some(lessons) = &*self.lessons.borrow() {
            lessons.refuse_rows(prepared_fingerprint)?;
        }
        let (taught, interrupted) = match self.taught(&mut space, store.as_ref(), ctx)? {
            Some(Before { taught, interrupted }) => (Some(taught), interrupted),
            None => (None, None),
        };
        let n_before = taught.as_ref().map_or(0, |taught| taught.n_trials as u64);
        let units = ctx.budget.units().map(|units| units.saturating_sub(n_before).max(1));
        let (schedule, studied) = match interrupted {
            Some(study) => study,
            None => self.studied(space, units, store.as_ref(), ctx)?,
        };
        let searched = Searched::of(self.metric, (&schedule, &studied), taught);
        let (chosen, took) = match self.at_point((&schedule, &studied))? {
            Some(told) => self.chosen(&told.trial, ctx)?,
            None => {
                let (best, took) = self.chosen(&studied.best, ctx)?;
                (self.with_others(best, (&schedule, &studied), ctx)?, took)
            }
        };
        let chosen = self.with_floats(chosen, took, ctx)?;
        let chosen = self.with_folds(chosen, ctx);
        let seconds = [encoded, clock.seconds() - encoded];
        let is_repeated = searched.is_repeated && !self.is_timed_out.get();
        Ok(Chosen { searched: Some(Searched { is_repeated, ..searched }), seconds, ..chosen })
    }

    /// Trials of a space until the budget is spent, or so many.
    fn studied(
        &self,
        space: Space,
        units: Option<u64>,
        store: Option<&Store>,
        ctx: &Ctx<'_>,
    ) -> Result<(Schedule, Studied), Error> {
        let counted = units.map(|units| ctx.budget.with_units(units));
        let ctx = &Ctx { budget: counted.as_ref().unwrap_or(ctx.budget), ..*ctx };
        let mut schedule = Schedule::new(space)?;
        let mut board = Board::new(self, ctx);
        let work = |task: &[u8]| self.tried(task, ctx).bytes();
        let is_time_left = || self.time_left(ctx).is_none_or(|left| left > Duration::ZERO);
        let studied = study(&mut schedule, &InTurn::new(&work), store, &is_time_left, &mut board, ctx)?;
        Ok((schedule, studied))
    }

    /// The trial of the point of the front that was asked for; `None` for the model itself, which is the last point.
    ///
    /// # Errors
    /// There are fewer points.
    fn at_point<'s>(&self, (schedule, studied): (&'s Schedule, &Studied)) -> Result<Option<&'s Told>, Error> {
        let Some(point) = self.options.point else { return Ok(None) };
        let front = summary::front_of(schedule, studied);
        if point > front.len() + 1 {
            let n = front.len() + 1;
            return Err(Error::input(format!(
                "--point {point}: the front of this run has {n} points; choose 1 to {n}"
            )));
        }
        Ok(point.checked_sub(1).and_then(|at| front.get(at).copied()))
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
        let share = ctx.budget.left().zip(self.time_left(ctx));
        let share = share.map_or(1.0, |(all, left)| left.as_secs_f64() / all.as_secs_f64().max(1e-9));
        let budget = ctx.budget.share(share).anew();
        let quiet = Ctx { progress: &Silent, budget: &budget, ..*ctx };
        let prepared = self.prepared((learner, &params), trial, &quiet)?;
        let forerunner = self.forerunner_of(trial, &quiet)?;
        let both = std::iter::once((learner, &params, &*prepared));
        let both = both.chain(forerunner.iter().map(|f| (f.learner, &f.params, &*f.prepared)));
        let n_threads = match self.threads_for(both, ctx) {
            Ok(n) => n,
            // Another run may have more memory: this one tells nothing of the candidate.
            Err(e) => return Ok(Outcome { failed: Some(e.to_string()), ..Outcome::default() }),
        };
        let one = Threads::one();
        let threads = if n_threads < ctx.threads.n() { &one } else { ctx.threads };
        let quiet = Ctx { threads, ..quiet };
        let (seed, aim) = (Seed(self.options.seed), self.aim(&prepared));
        let decision = Decision::Largest;
        let limits = self.limits();
        // Trees and rows of a fold take much memory, so they are kept only where their size decides.
        let is_weighed = !limits.is_none() || matches!(learner.grows, Grows::Rounds | Grows::Passes);
        let weighed = is_weighed.then(|| self.origin_of(trial, &decision));
        let teacher = self.teacher_of(trial.taught.as_deref(), &prepared.truth)?;
        let (teacher, origin) = (teacher.as_deref(), weighed.as_ref());
        let onto = forerunner.as_ref().map(Forerunner::of_fit);
        let candidate = Candidate { prepared: &prepared, learner, params: &params, teacher, onto, origin };
        let n_others = self.options.scheme.n_folds(prepared.rows.len()).saturating_sub(1);
        let has_whole = self.best.borrow().as_ref().is_some_and(|best| best.outcome.is_whole);
        let (mut rungs, mut fold, mut fits) = (Rungs::default(), Duration::ZERO, true);
        // What keeps rows, or leaves of a few of them, grows with the rows.
        let n_rows = prepared.rows.len();
        let n_train = n_rows - self.options.scheme.n_held_back(n_rows).min(n_rows.saturating_sub(1));
        let grows = || std::iter::once(learner.grows).chain(forerunner.iter().map(|f| f.learner.grows));
        let growth = match grows().any(|grows| matches!(grows, Grows::Rows | Grows::Trees)) {
            true => n_rows as f64 / n_train.max(1) as f64,
            false => 1.0,
        };
        // Deep trees get longer, but hardly deeper.
        let slower = if grows().any(|grows| grows == Grows::Rows) { growth } else { 1.0 };
        let larger = |size: Size| Size { bytes: (size.bytes as f64 * growth) as u64, ns: size.ns * slower };
        let limits = limits.share(ROOM);
        let excess_of = |size: Option<Size>| size.map_or(0.0, |size| limits.excess(size));
        let (mut size, mut first_rounds) = (None, 0);
        let mut started = Clock::start();
        let done = validate_while(
            &candidate,
            self.options.scheme,
            aim,
            (seed, &quiet),
            &mut |rung, score, first| {
                let at = rung as usize;
                rungs[at] = score.map(|score| self.metric.error(score));
                if rung == Rung::Fold {
                    fold = started.elapsed();
                    if let Some(first) = first {
                        (size, first_rounds) = (first.size.map(larger), first.rounds[0]);
                    }
                    let share = if has_whole { 1.0 } else { WHOLE };
                    let others = fold.mul_f64(n_others as f64);
                    fits = budget.left().is_none_or(|left| left.mul_f64(share) > others);
                }
                started = Clock::start();
                let is_behind = rungs[at].zip(trial.bars[at]).is_some_and(|(error, bar)| error > bar);
                let is_hopeless = is_behind || trial.is_sized && excess_of(size) > 0.0;
                match fits {
                    _ if is_hopeless => GoOn::No,
                    true => GoOn::Yes,
                    // Where something is whole already, half a trial is of no use.
                    false if has_whole => GoOn::No,
                    false => GoOn::Enough,
                }
            },
        )?;
        let (n_fits, rounds, is_whole) = match &done {
            Some(done) => (done.n_fits, done.rounds, done.n_skipped == 0),
            None => (1, None, fits),
        };
        let error = done.as_ref().and_then(|done| Some(self.metric.error(done.score?)));
        let before =
            forerunner.as_ref().map_or(0.0, |f| work_before(f.learner, &f.params, (&f.prepared, n_fits)));
        let work = work(learner, &params, (&prepared, n_fits, rounds)) + before;
        // Learners keep what they have when their time is spent.
        let is_whole = is_whole && !budget.was_spent();
        let rounds = rounds.map_or(first_rounds, |rounds| rounds[0]);
        let size = done.as_ref().and_then(|done| done.size).map(larger).or(size);
        let (bytes, cost_ns) = (size.map(|size| size.bytes), size.map(|size| size.ns));
        let (excess, rounds) = (excess_of(size), Some(rounds).filter(|n| *n > 0));
        let taken = size.and_then(|size| limits.taken(size).max_by(f64::total_cmp));
        let bytes_taken = bytes.zip(limits.bytes).map(|(bytes, most)| bytes as f64 / most.max(1) as f64);
        let sizes = Outcome { bytes, cost_ns, excess, taken, bytes_taken, rounds, ..Outcome::default() };
        let outcome = Outcome { error, rungs, work, is_whole, ..sizes };
        if let Some(validated) = done.as_ref().filter(|_| (is_whole || !has_whole) && error.is_some()) {
            let kept = Kept::of(trial.without_bars(), outcome.clone(), validated, fold);
            self.pool.borrow_mut().keep(kept);
        }
        let mut best = self.best.borrow_mut();
        if let Some(validated) = done
            && outcome.is_better(best.as_ref().map(|best| &best.outcome))
        {
            let (trial, took) = (trial.without_bars(), clock.elapsed());
            let (outcome, prepared) = (outcome.clone(), prepared.clone());
            *best = Some(Best { trial, outcome, prepared, validated, took, fold });
        }
        Ok(outcome)
    }

    /// Where a model of a trial alone would come from, with the limits within which it may be a member.
    fn origin_of<'o>(&'o self, trial: &Trial, decision: &'o Decision) -> recipe::Origin<'o> {
        let origin = self.options.origin(self.target, decision);
        recipe::Origin {
            recipe: trial.describe(),
            metrics: vec![(self.metric.name.to_owned(), 0.0)],
            scales: Scales { limits: self.limits(), ..origin.scales },
            ..origin
        }
    }

    /// Threads that memory allows a trial: all, or one fold at a time on one of them.
    ///
    /// # Errors
    /// Not even one fold fits in.
    fn threads_for<'p>(
        &self,
        fits: impl Iterator<Item = (&'p LearnerEntry, &'p Params, &'p Prepared<'t>)>,
        ctx: &Ctx<'_>,
    ) -> Result<usize, Error>
    where
        't: 'p,
    {
        let (Some(limit), mut n_threads) = (self.options.memory, ctx.threads.n()) else {
            return Ok(ctx.threads.n());
        };
        let left = limit.saturating_sub(jobs::memory_in_use().unwrap_or(0));
        // One is fitted after the other.
        for (learner, params, prepared) in fits {
            n_threads = match [n_threads, 1]
                .into_iter()
                .find(|&n| memory(learner, params, prepared, n) <= left)
            {
                Some(n) => n,
                None => {
                    return Err(Error::input(format!(
                        "{} takes about {} MB here, and {} MB are left of --memory {} MB; give more, or fewer rows or columns",
                        learner.name,
                        memory(learner, params, prepared, 1).div_ceil(MB),
                        left / MB,
                        limit / MB
                    )));
                }
            };
        }
        Ok(n_threads)
    }

    /// Time for trials; `None` where it does not matter.
    fn time_left(&self, ctx: &Ctx<'_>) -> Option<Duration> {
        let left = ctx.budget.left()?.saturating_sub(self.reserve(ctx));
        Some(match self.until.get() {
            Some(until) => left.min(until.saturating_sub(ctx.budget.clock().elapsed())),
            None => left,
        })
    }

    /// What a model may take, by what trials are for.
    fn limits(&self) -> Limits {
        if self.is_for_teacher.get() { Limits::default() } else { self.options.limits() }
    }

    /// Time that the last fit takes, and what comes behind it.
    fn reserve(&self, ctx: &Ctx<'_>) -> Duration {
        let fold = self.best.borrow().as_ref().map_or(0.0, |best| best.fold.as_secs_f64());
        let share = if self.options.figures { LEFT.1 } else { LEFT.0 };
        let whole = ctx.budget.left().map_or(0.0, |left| (left + ctx.budget.clock().elapsed()).as_secs_f64());
        // More rows than a fold, and measurements of what is written.
        let studied = ctx.budget.clock().seconds();
        let n_fits = if self.options.refit == Refit::Folds { ensemble::MOST_FOLDS } else { 1.0 };
        let (members, choosing) = match self.ensemble.is_none() {
            true => (0.0, 0.0),
            false => (ensemble::seconds(&self.pool.borrow(), studied), ensemble::CHOOSING),
        };
        let fits = n_fits * (2.0 * fold).max(members);
        Duration::from_secs_f64((fits + MEASURING + (share + choosing) * whole).min(0.5 * whole))
    }

    /// A trial, ready to be fitted on all rows; one of an earlier run is done again. Beside it the time that its
    /// folds took.
    fn chosen(&self, trial: &Trial, ctx: &Ctx<'_>) -> Result<(Chosen<'t>, Duration), Error> {
        let trial = trial.without_bars();
        let learner = learn::learner(&trial.learner)?;
        let params = learner.params(&trial.settings)?;
        let known = self.best.borrow_mut().take().filter(|best| best.trial == trial);
        let (prepared, validated, took) = match known {
            Some(Best { prepared, validated, took, .. }) => (prepared, validated, took),
            None => {
                let prepared = self.prepared((learner, &params), &trial, ctx)?;
                let (validated, took) = match self.pool.borrow().get(&trial) {
                    Some(kept) => {
                        (kept.validated(&prepared, self.aim(&prepared))?, kept.took(ctx.threads.n()))
                    }
                    None => self.folded((learner, &params, &trial), (&prepared, None), ctx)?,
                };
                (prepared, validated, took)
            }
        };
        let member = ChosenMember {
            teacher: self.teacher_of(trial.taught.as_deref(), &prepared.truth)?,
            forerunner: self.forerunner_of(&trial, ctx)?,
            rounds: validated.rounds,
            weight: 1.0,
            subsets: Rc::default(),
            learner,
            params,
            trial,
            prepared,
        };
        let (members, combination) = (vec![member], None);
        Ok((Chosen { members, combination, validated, searched: None, seconds: [0.0; 2] }, took))
    }

    /// All folds of a trial, weighed if it is said where models come from, and the time that they take.
    fn folded(
        &self,
        (learner, params, trial): (&LearnerEntry, &Params, &Trial),
        (prepared, origin): (&Prepared<'t>, Option<&recipe::Origin<'_>>),
        ctx: &Ctx<'_>,
    ) -> Result<(Validated, Duration), Error> {
        let teacher = self.teacher_of(trial.taught.as_deref(), &prepared.truth)?;
        let forerunner = self.forerunner_of(trial, ctx)?;
        let (teacher, onto) = (teacher.as_deref(), forerunner.as_ref().map(Forerunner::of_fit));
        let clock = Clock::start();
        let (seed, scheme, aim) = (Seed(self.options.seed), self.options.scheme, self.aim(prepared));
        let candidate = Candidate { prepared, learner, params, teacher, onto, origin };
        let validated = validate(&candidate, scheme, aim, seed, ctx)?;
        Ok((validated, clock.elapsed()))
    }

    /// What one candidate predicts without rounding beside, as time allows; `took` is the time that its folds took.
    fn with_floats(&self, chosen: Chosen<'t>, took: Duration, ctx: &Ctx<'_>) -> Result<Chosen<'t>, Error> {
        let [only] = &chosen.members[..] else { return Ok(chosen) };
        let candidate = only.member().candidate;
        let asked = (self.options.scheme, self.aim(&only.prepared));
        let seed = Seed(self.options.seed);
        let validated = with_floats(&candidate, chosen.validated, asked, took, (seed, ctx))?;
        Ok(Chosen { validated, ..chosen })
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
            "{} {:?} {} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
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
            o.augment_settings,
            o.limits(),
            o.operation_costs,
        );
        digest.bytes(common.as_bytes());
        if let Some((start, _)) = self.start {
            digest.word(start.digest());
        }
        digest.finish()
    }
}

/// Learners of a run: those that are named, those that are set, or the usual ones that answer the task; where it goes on
/// from a model, or is added to a learner, those of the usual ones that start from scores.
///
/// # Errors
/// A learner or a setting that there is not, one that does not answer the task, or cannot go on from a model.
pub(crate) fn named(options: &FitOptions, task: Option<Task>) -> Result<Vec<Named>, Error> {
    let mut names: Vec<&str> = options.learners.iter().map(String::as_str).collect();
    // Settings of a learner say that it is meant.
    let forerunner = options.named_forerunner();
    for (of, ..) in options.settings.iter().filter(|_| options.learners.is_empty()) {
        if !names.contains(&&of[..]) && Some(of) != forerunner {
            names.push(of);
        }
    }
    let is_open = names.is_empty();
    if is_open {
        names = search::usual_learners();
    }
    if let Some(name) = forerunner {
        let learner = learn::learner(name)?;
        learner.params(&settings_of(&options.settings, name))?;
        task.map(|task| learner.answers(task)).transpose()?;
    }
    let is_added = options.from.is_some() || forerunner.is_some();
    let mut learners = Vec::with_capacity(names.len());
    for name in names {
        let learner = learn::learner(name)?;
        let settings = settings_of(&options.settings, name);
        learner.params(&settings)?;
        match is_added.then(|| learner.starts()) {
            Some(Err(_)) if is_open => continue,
            Some(starts) => starts?,
            None => {}
        }
        match task.map(|task| learner.answers(task)) {
            Some(Err(_)) if is_open => continue,
            Some(answers) => answers?,
            None => {}
        }
        learners.push((learner, settings));
    }
    Ok(learners)
}

/// What a search knows of a table.
fn facts(prepared: &Prepared<'_>, task: Task, limits: Limits) -> Facts {
    let n_of = |kind| prepared.inputs.iter().filter(|input| input.kind == kind).count();
    let rare = match &prepared.truth {
        Truth::Classes { labels, n_classes, .. } => {
            let mut counts = vec![0usize; *n_classes];
            prepared.rows.iter().for_each(|&row| counts[labels[row as usize] as usize] += 1);
            let ends = counts.iter().min().zip(counts.iter().max());
            ends.map_or(1.0, |(&least, &most)| least as f64 / most.max(1) as f64)
        }
        Truth::Values(_) | Truth::Several(_) => 1.0,
    };
    let (n_numbers, n_categories) = (n_of(ColumnKind::Number), n_of(ColumnKind::Category));
    let is_limited = !limits.is_none();
    Facts { task, n_rows: prepared.rows.len(), n_numbers, n_categories, rare, is_limited }
}

/// What a metric wants of predicted numbers.
pub(crate) fn goal(metric: &MetricEntry) -> Goal {
    if matches!(metric.name, "mae" | "medae") { Goal::Median } else { Goal::Mean }
}
