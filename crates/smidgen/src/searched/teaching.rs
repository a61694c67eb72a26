//! What students of a search learn from: the best model without limits, or what another one says.
//!
//! A teacher of this search is fitted once without each fold and once on all rows, so that the rows that students are
//! judged by were seen neither by them nor by what labels the rows that are made for them.

use super::ensemble::MORE_ROWS;
use super::pool::Pool;
use super::{Chosen, ChosenMember, ROOM, Workshop};
use crate::Error;
use ir::Model;
use ir::digest::Digest;
use jobs::{Clock, Ctx};
use learn::{Decision, Grows};
use recipe::{Generate, Loss, Relations, Scheme, Size, Teacher, TeacherOptions, Truth};
use search::{Facts, Outcome, Schedule, Space, Store, Studied, Told};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// Ways to learn from models: generators of rows that they label.
const FROM_MODELS: &[&str] = &["near_swaps", "leaf_gibbs"];
/// Ways to learn from what was said of the rows: the share that a row's own label keeps.
const FROM_ROWS: &[&str] = &["own_share=0.5", "own_share=0"];
/// Between a way and the teacher.
const OF: &str = " of ";

/// A teacher, and what students make of it.
pub(crate) struct Lessons {
    /// Rows of the table, or nothing of those that nothing is known of.
    targets: Vec<f64>,
    /// What was fitted on which rows.
    models: Vec<(Vec<u32>, Model)>,
    /// The rows that a model of a file was fitted to.
    fitted_to: Option<u64>,
    /// Names this teacher among others.
    digest: u64,
    made: RefCell<Vec<(String, Rc<Teacher>)>>,
}

/// A teacher, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Taught {
    /// What it is; `None` where no candidate was done to its end in time.
    pub recipe: Option<String>,
    /// Its score out of fold; `None` where it is not known.
    pub score: Option<f64>,
    /// Trials that were spent on it.
    pub n_trials: usize,
    /// Those that a run with `--work` gives again.
    pub n_repeated: usize,
    /// Whether so many give the same teacher again.
    pub is_repeated: bool,
    /// Whether students could learn from it.
    pub has_taught: bool,
}

/// The way that a trial was taught in, without the teacher's name.
pub(super) fn way(how: &str) -> &str {
    how.split_once(OF).map_or(how, |(way, _)| way)
}

impl Lessons {
    /// Lessons of a file: what was said of the rows, and the rows that a model was fitted to, where it was a model.
    pub(crate) fn of_file(targets: Vec<f64>, fitted_to: Option<u64>) -> Lessons {
        Lessons { fitted_to, ..Lessons::new(targets, Vec::new()) }
    }

    /// Refuses a model that was fitted to the rows of this fit: it knows their labels by heart.
    ///
    /// # Errors
    /// It was.
    pub(super) fn refuse_rows(&self, fingerprint: u64) -> Result<(), Error> {
        if self.fitted_to != Some(fingerprint) {
            return Ok(());
        }
        Err(Error::input(
            "--teacher: the model was fitted to these rows, so what it says of them is not out of fold; give one that was fitted to others, or predictions out of fold",
        ))
    }

    fn new(targets: Vec<f64>, models: Vec<(Vec<u32>, Model)>) -> Lessons {
        let mut digest = Digest::new();
        // Whatever the sign of a NaN.
        let bits = |target: &f64| if target.is_nan() { f64::NAN.to_bits() } else { target.to_bits() };
        targets.iter().for_each(|target| digest.word(bits(target)));
        models.iter().for_each(|(_, model)| digest.bytes(&ir::file::write(model)));
        Lessons { targets, models, fitted_to: None, digest: digest.finish(), made: RefCell::default() }
    }

    /// The ways to learn from it, as trials name them.
    pub(super) fn ways(&self) -> Vec<String> {
        let ways = if self.models.is_empty() { FROM_ROWS } else { FROM_MODELS };
        ways.iter().map(|way| format!("{way}{OF}{:016x}", self.digest)).collect()
    }

    /// The teacher of a trial.
    fn teacher(&self, how: &str, truth: &Truth) -> Result<Rc<Teacher>, Error> {
        let known = self.made.borrow().iter().find(|(known, _)| known == how).map(|(_, made)| made.clone());
        if let Some(known) = known {
            return Ok(known);
        }
        let of_this = format!("{OF}{:016x}", self.digest);
        let Some(way) = how.strip_suffix(&of_this) else {
            return Err(Error::bug(format!("fit: a trial that another teacher taught: {how}")));
        };
        let usual = TeacherOptions {
            own_share: 1.0,
            unlabelled_weight: 1.0,
            loss: Loss::CrossEntropy,
            generate: None,
        };
        let options = match way.strip_prefix("own_share=") {
            Some(share) => {
                let own_share =
                    share.parse().map_err(|_| Error::bug(format!("fit: a trial taught {way}")))?;
                TeacherOptions { own_share, ..usual }
            }
            None => TeacherOptions { generate: Some(Generate::parse(way, &[])?), ..usual },
        };
        let mut teacher = Teacher::try_new(self.targets.clone(), truth, options)?;
        for (rows, model) in &self.models {
            teacher = teacher.with_model(rows, model)?;
        }
        let teacher = Rc::new(teacher);
        self.made.borrow_mut().push((how.to_owned(), teacher.clone()));
        Ok(teacher)
    }
}

/// What a fit distils.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Distil {
    /// Where the size of the model is limited, the best one without limits, if time allows it.
    #[default]
    Auto,
    /// Nothing.
    None,
    /// The best of so many trials without limits.
    Trials(u64),
}

/// Share of the time of a run, or of its trials, that goes into a teacher's trials.
const SHARE: f64 = 0.35;
/// The most of the time where trials are counted.
const MOST: f64 = 0.6;
/// Share of the time of a run that fits of a teacher may take.
const FITS: f64 = 0.15;
/// Seconds, or trials, below which there is no teacher.
const LEAST: f64 = 15.0;

/// What came of looking for a teacher.
pub(super) struct Before {
    pub(super) taught: Taught,
    /// Its study, where that was interrupted: nothing comes behind it.
    pub(super) interrupted: Option<(Schedule, Studied)>,
}

impl<'t> Workshop<'t> {
    /// Whether candidates of a space can learn from rows that are made: folds must leave rows to learn from, rows must hang
    /// on no other rows, and some learner must keep something else than rows.
    fn can_be_taught(&self, space: &Space) -> bool {
        let Relations { order, group, join, .. } = &self.relations;
        let has_folds = !matches!(self.options.scheme, Scheme::Holdout(_) | Scheme::LeaveOneOut);
        has_folds
            && order.is_none()
            && group.is_none()
            && join.is_none()
            && self.options.named_augmentation().is_none()
            // A model that a fit goes on from has no score for rows that are made.
            && self.start.is_none()
            && !self.target.task.is_several()
            && space.learners.iter().any(|(learner, _)| learner.grows != Grows::Rows)
    }

    /// Trials without limits, and the best of them as a teacher: its ways are put into the space, beside what did well.
    ///
    /// # Errors
    /// Not one trial could be fitted.
    pub(super) fn taught(
        &self,
        space: &mut Space,
        store: Option<&Store>,
        ctx: &Ctx<'_>,
    ) -> Result<Option<Before>, Error> {
        if let Some(lessons) = &*self.lessons.borrow() {
            space.teachings = lessons.ways();
            return Ok(None);
        }
        let whole = ctx.budget.left().map(|left| left + ctx.budget.clock().elapsed());
        let size = ctx.budget.units().map(|n| n as f64).or(whole.map(|whole| whole.as_secs_f64()));
        let units = match (self.options.distil, ctx.budget.units()) {
            (Distil::Trials(n), all) => Some(all.map_or(n, |all| n.min(all.saturating_sub(1)))),
            (Distil::Auto, Some(all)) => Some((SHARE * all as f64) as u64),
            (Distil::Auto | Distil::None, _) => None,
        };
        let is_small = self.options.distil == Distil::Auto && size.is_some_and(|size| size < LEAST);
        let is_off = self.options.limits().is_none() || self.options.distil == Distil::None;
        if is_off || is_small || units == Some(0) || !self.can_be_taught(space) {
            return Ok(None);
        }
        self.is_for_teacher.set(true);
        let share = if units.is_some() { MOST } else { SHARE };
        self.until.set(whole.map(|whole| whole.mul_f64(share)));
        let made = self.teacher_of_trials(space, (units, store), whole.map(|whole| whole.mul_f64(FITS)), ctx);
        self.is_for_teacher.set(false);
        self.until.set(None);
        // What it was not combined for says nothing of the students.
        self.not_combined.set(None);
        let made = made?;
        if made.interrupted.is_none() {
            self.ready.clear();
            *self.best.borrow_mut() = None;
            *self.pool.borrow_mut() = Pool::default();
        }
        Ok(Some(made))
    }

    fn teacher_of_trials(
        &self,
        space: &mut Space,
        (units, store): (Option<u64>, Option<&Store>),
        limit: Option<Duration>,
        ctx: &Ctx<'_>,
    ) -> Result<Before, Error> {
        let facts = Facts { is_limited: false, ..space.facts };
        let unlimited = Space { for_teacher: true, facts, ..space.clone() };
        let (schedule, studied) = self.studied(unlimited, units, store, ctx)?;
        let Studied { n_trials, n_repeated, is_repeated, .. } = studied;
        let mut taught =
            Taught { recipe: None, score: None, n_trials, n_repeated, is_repeated, has_taught: false };
        if ctx.cancel.is_cancelled() {
            return Ok(Before { taught, interrupted: Some((schedule, studied)) });
        }
        let limits = self.options.limits().share(ROOM);
        let size = |outcome: &Outcome| Some(Size { bytes: outcome.bytes?, ns: outcome.cost_ns? });
        space.first =
            schedule.leaders(n_repeated, |outcome| size(outcome).map_or(0.0, |size| limits.excess(size)));
        // Folds that were left out say nothing of their rows.
        let is_whole = |told: &&Told| told.outcome.is_whole && told.outcome.error.is_some();
        let error = |told: &Told| told.outcome.error.unwrap_or(f64::INFINITY);
        let repeated = schedule.told().iter().take(n_repeated).filter(is_whole);
        let Some(best) = repeated.min_by(|a, b| error(a).total_cmp(&error(b))) else {
            return Ok(Before { taught, interrupted: None });
        };
        let (trial, outcome) = (best.trial.clone(), best.outcome.clone());
        let studied = Studied { best: trial, outcome, ..studied };
        let (best, _) = self.chosen(&studied.best, ctx)?;
        let chosen = self.with_others(best, (&schedule, &studied), ctx)?;
        taught.recipe = Some(chosen.members.iter().map(ChosenMember::recipe).collect::<Vec<_>>().join(" + "));
        taught.score = chosen.validated.score;
        match self.lessons_of(&chosen, limit, ctx) {
            Ok(Some(lessons)) => {
                taught.has_taught = true;
                space.teachings = lessons.ways();
                *self.lessons.borrow_mut() = Some(lessons);
            }
            Err(e) if !ctx.cancel.is_cancelled() => return Err(e),
            _ if ctx.cancel.is_cancelled() => {
                return Ok(Before { taught, interrupted: Some((schedule, studied)) });
            }
            _ => self.is_timed_out.set(true),
        }
        Ok(Before { taught, interrupted: None })
    }

    /// What a trial learns from beside the labels.
    ///
    /// # Errors
    /// A trial of another teacher; what the teacher cannot teach.
    pub(super) fn teacher_of(
        &self,
        taught: Option<&str>,
        truth: &Truth,
    ) -> Result<Option<Rc<Teacher>>, Error> {
        let Some(how) = taught else { return Ok(None) };
        let lessons = self.lessons.borrow();
        match &*lessons {
            Some(lessons) => Ok(Some(lessons.teacher(how, truth)?)),
            None => Err(Error::bug(format!("fit: a trial without its teacher: {how}"))),
        }
    }

    /// A model as a teacher, fitted without each fold and on all rows; `None` where that takes longer than the limit.
    ///
    /// # Errors
    /// Whatever a learner says.
    pub(super) fn lessons_of(
        &self,
        chosen: &Chosen<'t>,
        limit: Option<Duration>,
        ctx: &Ctx<'_>,
    ) -> Result<Option<Lessons>, Error> {
        let Some(prepared) = chosen.members.first().map(|member| member.prepared.clone()) else {
            return Ok(None);
        };
        let parts = &chosen.validated.held;
        let pool = self.pool.borrow();
        let fold =
            |member: &ChosenMember<'_>| pool.get(&member.trial).map_or(Duration::ZERO, |kept| kept.fold);
        let expected = chosen.members.iter().map(fold).sum::<Duration>();
        if limit.is_some_and(|limit| expected.mul_f64(parts.len() as f64 + MORE_ROWS) > limit) {
            return Ok(None);
        }
        drop(pool);
        ctx.progress.stage("fitting a teacher", Some(parts.len() as u64 + 1));
        let clock = Clock::start();
        let mut models = Vec::with_capacity(parts.len() + 1);
        for (at, part) in parts.iter().enumerate() {
            let rows = part.others(&prepared.rows);
            let model = self.teacher_on(chosen, &rows, ctx)?;
            models.push((rows, model));
            ctx.progress.advance(1);
            let all = clock.elapsed().mul_f64((parts.len() as f64 + MORE_ROWS) / (at + 1) as f64);
            if ctx.cancel.is_cancelled() || limit.is_some_and(|limit| all > limit) {
                return Ok(None);
            }
        }
        models.push((prepared.rows.clone(), self.teacher_on(chosen, &prepared.rows, ctx)?));
        Ok(Some(Lessons::new(targets(chosen, (&prepared.truth, &prepared.unlabelled)), models)))
    }

    /// The members of a teacher, fitted on some rows.
    fn teacher_on(&self, chosen: &Chosen<'t>, rows: &[u32], ctx: &Ctx<'_>) -> Result<Model, Error> {
        let subsets = [rows.to_vec()];
        let members: Vec<recipe::Member<'_>> = chosen
            .members
            .iter()
            .map(|member| recipe::Member { subsets: &subsets, ..ChosenMember::member(member) })
            .collect();
        let decision = Decision::Largest;
        let combination = chosen.combination.as_ref();
        let origin = recipe::Origin { combination, ..self.options.origin(self.target, &decision) };
        Ok(recipe::model_of(&members, &origin, ctx)?)
    }
}

/// What a model says of each row out of fold, the mean over repetitions; nothing of rows that were never held back. Rows
/// without a target get the mean of all, since what a fit learns of them is what its teacher's model says.
fn targets(chosen: &Chosen<'_>, (truth, unlabelled): (&Truth, &[u32])) -> Vec<f64> {
    let n_rows = truth.n_rows();
    let width = truth.n_linked();
    let (mut sums, mut counts) = (vec![0.0; n_rows * width], vec![0.0f64; n_rows]);
    for part in &chosen.validated.held {
        for (&row, said) in part.rows.iter().zip(part.linked.chunks_exact(width)) {
            let row = row as usize;
            counts[row] += 1.0;
            sums[row * width..][..width].iter_mut().zip(said).for_each(|(sum, p)| *sum += p);
        }
    }
    for (sums, count) in sums.chunks_exact_mut(width).zip(counts) {
        // 0 of 0 is what says that nothing is known.
        sums.iter_mut().for_each(|sum| *sum /= count);
    }
    let known: Vec<&[f64]> = sums.chunks_exact(width).filter(|row| row[0].is_finite()).collect();
    let of = |output: usize| known.iter().map(|row| row[output]).sum::<f64>() / known.len().max(1) as f64;
    let mean: Vec<f64> = (0..width).map(of).collect();
    unlabelled.iter().for_each(|&row| sums[row as usize * width..][..width].copy_from_slice(&mean));
    sums
}
