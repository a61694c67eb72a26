//! What is tried next: asked for trials, told what came of them.
//!
//! First the portfolio, then a walk ([`Flow`]) for each learner from its best trial. A learner is drawn with a chance of
//! one against its estimated cost of improvement: what it cost since it last got better, or what it cost to get there from
//! the time before, whichever is more, and no less than what would catch up with the best learner at the same rate.
//! A learner tries each change of what stands before it once, between the steps of its walk.
//! Trials that are worse than most on a sample of the rows, or behind their first fold, go no further: the bar of a rung is
//! the third of those that were on it before, or behind a fold of many rows about the best of them.
//! An ensemble takes candidates that differ, so where one may come the best of each learner is done to the end, now and
//! then, although a bar had stopped it; where its size is limited, also in forms that take a share of the room.
//! All is decided from what was told in the order of trials, so the same trials come on any machine and any number of
//! workers.
//! # Source  Wang et al., FLAML, MLSys 2021, section 4.2; Li et al., Massively parallel hyperparameter tuning (ASHA),
//! MLSys 2020, with a sample of the rows and the first fold as rungs.

mod known;
mod prepared;
mod shares;

use crate::changes::{Change, FORERUNNERS, Facts, changes};
use crate::error::Error;
use crate::flow::Flow;
use crate::portfolio::portfolio;
use crate::trial::{Outcome, Trial};
use ir::digest::SplitMix64;
use jobs::Seed;
use learn::LearnerEntry;
use params::Axis;
use std::collections::BTreeSet;

/// Rows of a fold from which on one fold says nearly what all say: only what is about the best there goes on.
const ALMOST_SURE: usize = 1000;
/// About the best: worse by this share at most.
const NEAR: f64 = 0.003;
/// Of the trials on a rung, the share that goes on.
const KEPT: f64 = 1.0 / 3.0;
/// Behind the portfolio every so manieth trial is a member that an ensemble lacks.
const MEMBER_EVERY: usize = 4;
/// An ensemble may take what is worse than the best by this share in the first fold.
const NEAR_MEMBER: f64 = 0.1;
/// Behind the portfolio every so manieth trial takes a share of the room, where members of an ensemble have to share it.
const SHARED_EVERY: usize = 3;
/// Why the portfolio is tried.
const GUESS: &str = "a first guess";
/// Why what was too large is tried with less.
const SMALLER: &str = "smaller, since it was too large";
/// Why what came out smaller than it may be is tried with more.
const LARGER: &str = "larger, since there was room";
/// Why larger trees are tried.
const WIDER: &str = "larger trees, since time is short and bytes are not";
/// Why a change is tried.
const PREPARED: &str = "the best of its learner, prepared otherwise";
/// A learner that is worse than the best by this share in the first fold gets no more guesses.
const FAR: f64 = 0.15;
/// Trees may be added to what is worse than the best by this share in the first fold.
const NEAR_FORERUNNER: f64 = 1.0;
/// The noise of an error for a single row: 3 % of it for 300 rows, 0.3 % for 30,000.
const NOISE: f64 = 0.5;
/// The rung of the first fold.
const FOLD: usize = 1;
/// Rows of a fold below which one fold says too little to stop a trial.
const SURE: usize = 150;
/// The share of its error that a walk takes off in about the work that it took so far.
const RATE: f64 = 0.03;
/// Draws of a place that was not tried, before a learner is given up.
const DRAWS: usize = 30;
/// Trials without an improvement after which a study ends, by rows; between them by their logarithm.
const PATIENCE: [(f64, f64); 5] =
    [(100.0, 8.0), (500.0, 12.0), (2500.0, 25.0), (10_000.0, 60.0), (100_000.0, 150.0)];

/// What a user says who wants no augmentation tried.
pub const NO_AUGMENTATION: &str = "none";

/// What candidates are added to.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Added {
    /// The best candidate of a sum of columns, in one trial behind the first guesses; then as is better.
    #[default]
    Auto,
    /// Nothing.
    Never,
    /// This one, in all trials: learners are those that start from scores.
    To(Box<Trial>),
}

/// A trial that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// What is tried.
    pub trial: Trial,
    /// Why, in a few words.
    pub why: &'static str,
    arm: usize,
    /// Where it is in the space of its learner; none for the portfolio.
    place: Option<Vec<f64>>,
}

/// What was told of a trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// What was tried.
    pub trial: Trial,
    /// What came of it.
    pub outcome: Outcome,
}

/// A learner.
struct Arm {
    entry: &'static LearnerEntry,
    /// What the user set; the search leaves it.
    fixed: Vec<(String, String)>,
    /// What is searched.
    space: Vec<Axis>,
    flow: Option<Flow>,
    /// The best trial and what came of it.
    best: Option<(Outcome, Trial)>,
    /// Work in all, when it last got better, and the time before.
    spent: f64,
    improved: [f64; 2],
    n_trials: usize,
    /// What was not tried before it, the next one last.
    changes: Vec<Change>,
    /// Trials that were asked for behind the portfolio.
    n_asked: usize,
    /// Shares of the room that it was tried at, or could not be.
    n_shares: usize,
    /// Times that larger trees were tried.
    n_wider: usize,
    /// The first preparation, where it helped.
    helps: Vec<String>,
}

/// What is tried next.
pub struct Schedule {
    arms: Vec<Arm>,
    /// Trials of the portfolio that were not asked for yet, the next one last.
    open: Vec<(usize, Trial, &'static str)>,
    told: Vec<Told>,
    /// Trials of the portfolio.
    n_guesses: usize,
    /// Trials since the best one.
    since_best: usize,
    best: Option<usize>,
    tried: BTreeSet<Vec<u8>>,
    /// Whether members of an ensemble are asked for, and learners that had theirs.
    for_ensemble: bool,
    members: BTreeSet<usize>,
    /// Trials that were asked for behind the portfolio.
    n_walked: usize,
    /// Whether the best trial had its first preparation; while that runs, what it is, and the error of the best trial in the
    /// first fold before it.
    is_prepared: bool,
    prepared: Option<(Vec<u8>, Option<f64>)>,
    facts: Facts,
    n_held_back: usize,
    seed: Seed,
    random: SplitMix64,
}

/// What a study searches.
#[derive(Clone)]
pub struct Space {
    /// Learners, each with the settings that the user gave.
    pub learners: Vec<(&'static LearnerEntry, Vec<(String, String)>)>,
    /// Transforms that the user gave, before all learners; the search leaves them.
    pub transforms: Vec<String>,
    /// The augmentation that the user gave, or `none`; the search leaves it.
    pub augment: Option<String>,
    /// What candidates are added to.
    pub added: Added,
    /// Ways to learn from a teacher, as the worker takes them.
    pub teachings: Vec<String>,
    /// What did well without limits ([`Schedule::leaders`]): tried instead of what the portfolio has of these learners, in a
    /// smaller form where it is known to be too large.
    pub first: Vec<Told>,
    /// Whether trials are for a teacher, whose size is not limited.
    pub for_teacher: bool,
    /// Whether the best of each learner is done to the end, for an ensemble.
    pub for_ensemble: bool,
    /// What the table is like.
    pub facts: Facts,
    /// Rows that a fold holds back.
    pub n_held_back: usize,
    /// Where randomness comes from.
    pub seed: Seed,
}

impl Schedule {
    /// The first trials are those of the portfolio.
    ///
    /// # Errors
    /// Settings that the learner does not take.
    pub fn new(space: Space) -> Result<Schedule, Error> {
        let Space { learners, transforms, augment, facts, n_held_back, seed, .. } = space;
        let Space { added, teachings, first, for_teacher, for_ensemble, .. } = space;
        let names: Vec<&str> = learners.iter().map(|(entry, _)| entry.name).collect();
        let mut arms = Vec::with_capacity(learners.len());
        for (entry, fixed) in learners {
            let given = entry.params(&fixed)?;
            let is_free = |axis: &&Axis| !given.is_given(axis.name);
            let space = entry.space.iter().filter(is_free).copied().collect();
            let mut changes = changes(entry, &facts, (&teachings, &names));
            changes.retain(|change| match change {
                Change::Prepare(_) => transforms.is_empty(),
                Change::Augment(_) => augment.is_none(),
                Change::Teach(_) => augment.as_deref().is_none_or(|name| name == NO_AUGMENTATION),
                Change::Shrink(settings) => settings.iter().all(|(name, _)| !given.is_given(name)),
                Change::Onto => {
                    added == Added::Auto && augment.as_deref().is_none_or(|name| name == NO_AUGMENTATION)
                }
            });
            // What is added to something learns from rows of the table alone.
            if matches!(added, Added::To(_)) {
                changes.retain(|change| !matches!(change, Change::Augment(_) | Change::Teach(_)));
            }
            changes.reverse();
            let (spent, improved, n_trials) = (0.0, [0.0; 2], 0);
            arms.push(Arm {
                entry,
                fixed,
                space,
                flow: None,
                best: None,
                spent,
                improved,
                n_trials,
                changes,
                n_asked: 0,
                n_shares: 0,
                n_wider: 0,
                helps: Vec::new(),
            });
        }
        let mut open: Vec<(usize, Trial, &'static str)> = Vec::new();
        // Learners that did not come to their end without limits may do well within them.
        let mut guesses = portfolio(&names, facts.n_rows);
        guesses.retain(|guess| first.iter().all(|known| known.trial.learner != guess.learner));
        let known = known::within(first, &arms);
        let guesses = guesses.into_iter().map(|mut trial| {
            trial.transforms = transforms.clone();
            trial.augment = augment.clone().filter(|name| name != NO_AUGMENTATION);
            (trial, GUESS)
        });
        for (mut trial, why) in known.into_iter().chain(guesses) {
            let Some(arm) = arms.iter().position(|a| a.entry.name == trial.learner) else { continue };
            trial.settings.retain(|(name, _)| arms[arm].fixed.iter().all(|(given, _)| given != name));
            trial.settings = [arms[arm].fixed.clone(), trial.settings].concat();
            trial.for_teacher = for_teacher;
            if let Added::To(onto) = &added {
                trial.onto = Some(onto.clone());
            }
            if !open.iter().any(|(_, known, _)| *known == trial) {
                open.push((arm, trial, why));
            }
        }
        open.reverse();
        let n_guesses = open.len();
        let random = SplitMix64::new(seed.derive("schedule", 0).0);
        Ok(Schedule {
            arms,
            open,
            told: Vec::new(),
            n_guesses,
            since_best: 0,
            best: None,
            tried: BTreeSet::new(),
            for_ensemble,
            members: BTreeSet::new(),
            n_walked: 0,
            is_prepared: false,
            prepared: None,
            facts,
            n_held_back,
            seed,
            random,
        })
    }

    /// At most `n` trials; none when nothing is left to try, or nothing was better for a while.
    pub fn ask(&mut self, n: usize) -> Vec<Asked> {
        let bars = [0, 1].map(|rung| self.bar(rung));
        let is_sized = self.best().is_some_and(|best| best.outcome.excess <= 0.0);
        let mut asked = Vec::with_capacity(n);
        while asked.len() < n {
            if self.is_done() {
                // What shares the room is small, and an ensemble of it may still be better.
                let Some(shared) = self.shared() else { break };
                asked.push(shared);
                continue;
            }
            if self.open.is_empty() {
                self.n_walked += 1;
                let is_shared = self.n_walked.is_multiple_of(SHARED_EVERY);
                let member = self.member();
                if let Some(member) = member.or_else(|| is_shared.then(|| self.shared()).flatten()) {
                    asked.push(member);
                    continue;
                }
            }
            let next = match self.open.pop() {
                Some((arm, _, why)) if why == GUESS && self.is_far_behind(arm) => continue,
                Some((arm, trial, GUESS)) => {
                    Some(Asked { trial: self.arms[arm].helped(trial), why: GUESS, arm, place: None })
                }
                Some((arm, trial, why)) => Some(Asked { trial, why, arm, place: None }),
                None => self.step(),
            };
            let Some(mut next) = next else { break };
            if !self.tried.insert(next.trial.bytes()) {
                continue;
            }
            (next.trial.bars, next.trial.is_sized) = (bars, is_sized);
            asked.push(next);
        }
        asked
    }

    /// What came of trials that were asked for, in their order.
    pub fn tell(&mut self, asked: Asked, outcome: Outcome) {
        let Asked { trial, arm, place, why } = asked;
        let own = &mut self.arms[arm];
        own.spent += outcome.work;
        own.n_trials += 1;
        let is_better = outcome.is_better(own.best.as_ref().map(|(known, _)| known));
        let is_step = place.is_some();
        if is_better {
            own.best = Some((outcome.clone(), trial.clone()));
            own.improved = [own.spent, own.improved[0]];
        }
        match (&mut own.flow, &place) {
            (Some(flow), Some(place)) => flow.told(place, is_better),
            // Another walk begins where the best trial is.
            (flow, _) if is_better => *flow = None,
            _ => {}
        }
        self.told_prepared(arm, &trial, &outcome);
        let smaller = self.arms[arm].smaller(&trial, &outcome);
        self.open.extend(smaller.map(|trial| (arm, trial, SMALLER)));
        if why == SMALLER && is_better {
            let larger = self.arms[arm].larger(&trial, &outcome);
            self.open.extend(larger.map(|trial| (arm, trial, LARGER)));
        }
        if is_better && !is_step {
            let wider = self.arms[arm].wider(&trial, &outcome);
            self.open.extend(wider.map(|trial| (arm, trial, WIDER)));
        }
        let is_best = outcome.is_better(self.best().map(|told| &told.outcome));
        self.since_best = if is_best { 0 } else { self.since_best + 1 };
        if is_best {
            self.best = Some(self.told.len());
        }
        self.told.push(Told { trial, outcome });
        if self.told.len() == self.n_guesses {
            self.add_onto();
        }
        self.add_prepared();
    }

    /// All that was told.
    pub fn told(&self) -> &[Told] {
        &self.told
    }

    /// The trial with the smallest error.
    pub fn best(&self) -> Option<&Told> {
        self.told.get(self.best?)
    }

    /// The share of an error that one table of so many rows tells nothing of.
    pub(crate) fn noise(&self) -> f64 {
        NOISE / (self.facts.n_rows.max(1) as f64).sqrt()
    }

    /// Nothing was better for so long that more trials would rather fit the folds than the question.
    fn is_done(&self) -> bool {
        self.since_best as f64 >= patience(self.facts.n_rows) && self.best.is_some()
    }

    /// The error on a rung that most trials so far do not reach.
    fn bar(&self, rung: usize) -> Option<f64> {
        if self.n_held_back < SURE {
            return None;
        }
        // What is too large sets no bar for what is not.
        let fits = self.told.iter().filter(|told| told.outcome.excess <= 0.0);
        let mut first: Vec<f64> = fits.filter_map(|told| told.outcome.rungs[rung]).collect();
        first.sort_by(f64::total_cmp);
        if rung == FOLD && self.n_held_back >= ALMOST_SURE {
            return first.first().map(|best| best + NEAR * best.abs());
        }
        let at = (first.len() as f64 * KEPT).floor() as usize;
        (at > 0).then(|| first[at - 1])
    }

    /// Whether a learner that was tried in the first fold is much worse there than the best.
    fn is_far_behind(&self, arm: usize) -> bool {
        let name = self.arms[arm].entry.name;
        let least = |of: &dyn Fn(&Told) -> bool| {
            let errors = self.told.iter().filter(|told| of(told)).filter_map(|told| told.outcome.rungs[FOLD]);
            errors.min_by(f64::total_cmp)
        };
        let ends = least(&|told| told.trial.learner == name).zip(least(&|_| true));
        ends.is_some_and(|(own, best)| own > best + FAR * best.abs())
    }

    /// The best trial in the first fold of a learner of which none came to a score, without bars.
    fn member(&mut self) -> Option<Asked> {
        if !self.for_ensemble || !self.n_walked.is_multiple_of(MEMBER_EVERY) {
            return None;
        }
        let in_fold = |told: &Told| told.outcome.rungs[FOLD];
        let best = self.told.iter().filter_map(in_fold).min_by(f64::total_cmp)?;
        let (error, arm, trial) = (0..self.arms.len())
            .filter(|arm| self.arms[*arm].best.is_none() && !self.members.contains(arm))
            .filter_map(|arm| {
                let own = self.told.iter().filter(|told| told.trial.learner == self.arms[arm].entry.name);
                let fits = own.filter(|told| told.outcome.excess <= 0.0);
                let of_fold = fits.filter_map(|told| Some((in_fold(told)?, &told.trial)));
                let (error, trial) = of_fold.min_by(|a, b| a.0.total_cmp(&b.0))?;
                Some((error, arm, trial.without_bars()))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0))?;
        if error > best + NEAR_MEMBER * best.abs() {
            return None;
        }
        self.members.insert(arm);
        Some(Asked { trial, why: "for an ensemble", arm, place: None })
    }

    /// The best trial of a learner that comes near in a form that takes a share of the room, each learner in turn.
    fn shared(&mut self) -> Option<Asked> {
        if !self.for_ensemble || !self.facts.is_limited {
            return None;
        }
        let fits = |outcome: &Outcome| outcome.error.filter(|_| outcome.excess <= 0.0);
        let best = fits(&self.best()?.outcome)?;
        let most = best + NEAR_MEMBER * best.abs();
        loop {
            let near = |arm: usize| {
                let own = &self.arms[arm];
                let error = own.best.as_ref().and_then(|(outcome, _)| fits(outcome))?;
                (error <= most && own.n_shares < shares::MOST).then_some((own.n_shares, error, arm))
            };
            let in_turn =
                |a: &(usize, f64, usize), b: &(usize, f64, usize)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1));
            let (n_shares, _, arm) = (0..self.arms.len()).filter_map(near).min_by(in_turn)?;
            self.arms[arm].n_shares += 1;
            if let Some(trial) = self.arms[arm].at_share(n_shares)
                && self.tried.insert(trial.bytes())
            {
                let trial = Trial { is_sized: true, ..trial };
                return Some(Asked { trial, why: "a share of the room, for an ensemble", arm, place: None });
            }
        }
    }

    /// The best trial of each learner that starts from scores, added to the best one that it can be added to.
    fn add_onto(&mut self) {
        let forerunner = self.forerunner();
        for (at, arm) in self.arms.iter_mut().enumerate() {
            let n_changes = arm.changes.len();
            arm.changes.retain(|change| *change != Change::Onto);
            if arm.changes.len() < n_changes
                && let Some((_, best)) = &arm.best
                && let Some(trial) = Change::Onto.of(best, forerunner.as_ref())
            {
                self.open.push((at, trial, "the best of its learner, added to the best linear model"));
            }
        }
    }

    /// The candidate that others may be added to: of learners that are, the best in the first fold, if it comes near.
    fn forerunner(&self) -> Option<Trial> {
        let in_all = self.told.iter().filter_map(|told| told.outcome.rungs[FOLD]);
        let least = in_all.min_by(f64::total_cmp)?;
        let is_one = |told: &&Told| FORERUNNERS.contains(&told.trial.learner.as_str());
        let of = self.told.iter().filter(is_one).filter(|told| told.outcome.excess <= 0.0);
        let in_fold = of.filter_map(|told| Some((told.outcome.rungs[FOLD]?, &told.trial)));
        let (error, best) = in_fold.min_by(|a, b| a.0.total_cmp(&b.0))?;
        if error > least + NEAR_FORERUNNER * least.abs() {
            return None;
        }
        Some(Trial { augment: None, taught: None, for_teacher: false, ..best.without_bars() })
    }

    /// A change of a learner that is drawn, or a step of its walk.
    fn step(&mut self) -> Option<Asked> {
        for _ in 0..DRAWS {
            let arm = self.draw()?;
            if let Some(trial) = self.arms[arm].changed()
                && !self.tried.contains(&trial.bytes())
            {
                return Some(Asked { trial, why: PREPARED, arm, place: None });
            }
            let seed = self.seed.derive(self.arms[arm].entry.name, self.arms[arm].n_trials as u64).0;
            let own = &mut self.arms[arm];
            let start = own.start();
            let place = own.flow.get_or_insert_with(|| Flow::new(start, seed)).next();
            let trial = own.at(&place);
            if !self.tried.contains(&trial.bytes()) {
                let why = "a step from the best of its learner";
                return Some(Asked { trial, why, arm, place: Some(place) });
            }
            if let Some(flow) = &mut own.flow {
                flow.told(&place, false);
            }
        }
        None
    }

    /// A learner, by the cost of making it better.
    fn draw(&mut self) -> Option<usize> {
        let best = self.best().and_then(|told| told.outcome.error)?;
        let chance = |arm: &Arm| -> f64 {
            let Some(error) = arm.best.as_ref().and_then(|(outcome, _)| outcome.error) else { return 0.0 };
            if arm.space.is_empty() && arm.changes.is_empty() {
                return 0.0;
            }
            let since = (arm.spent - arm.improved[0]).max(arm.improved[0] - arm.improved[1]);
            // At the rate at which it got better so far, to where the best one is.
            let behind = ((error - best) / best.abs().max(1e-12)).max(0.0);
            let catch_up = arm.spent * behind / RATE;
            1.0 / since.max(catch_up).max(1e-9)
        };
        let chances: Vec<f64> = self.arms.iter().map(chance).collect();
        let sum: f64 = chances.iter().sum();
        if sum <= 0.0 {
            return None;
        }
        let mut at = self.random.unit() * sum;
        let drawn = chances.iter().position(|chance| {
            at -= chance;
            at < 0.0
        });
        drawn.or_else(|| chances.iter().rposition(|chance| *chance > 0.0))
    }
}

impl Arm {
    /// The place of the best trial.
    fn start(&self) -> Vec<f64> {
        let empty = Vec::new();
        let settings = self.best.as_ref().map_or(&empty, |(_, trial)| &trial.settings);
        let place = |axis: &Axis| {
            let set = settings.iter().find(|(name, _)| name == axis.name).map(|(_, value)| value.clone());
            let default = self.entry.spec().find(|p| p.name == axis.name).map(|p| p.default.to_string());
            set.or(default).map_or(0.5, |value| axis.place(&value))
        };
        self.space.iter().map(place).collect()
    }

    /// The best trial with the next change; every second time, so that the walk goes on too.
    fn changed(&mut self) -> Option<Trial> {
        self.n_asked += 1;
        if self.n_asked.is_multiple_of(2) && !self.space.is_empty() {
            return None;
        }
        let best = self.best.as_ref().map(|(_, trial)| trial.clone())?;
        // What is added to another one waits until that is known.
        let next = self.changes.iter().rposition(|change| *change != Change::Onto)?;
        self.take_change(next, &best)
    }

    /// A trial with one of the changes, which is not tried again.
    fn take_change(&mut self, at: usize, trial: &Trial) -> Option<Trial> {
        let mut changed = self.changes.remove(at).of(trial, None)?;
        let is_set = |name: &str| changed.settings.iter().any(|(set, _)| set == name);
        let missing: Vec<_> = self.fixed.iter().filter(|(name, _)| !is_set(name)).cloned().collect();
        changed.settings.extend(missing);
        Some(changed)
    }

    /// The trial of a place: as the best one, but for what is searched.
    fn at(&self, place: &[f64]) -> Trial {
        let mut trial = self.best.as_ref().map(|(_, trial)| trial.without_bars()).unwrap_or_default();
        trial.settings.retain(|(name, _)| self.space.iter().all(|axis| axis.name != name));
        trial
            .settings
            .extend(self.space.iter().zip(place).map(|(axis, &at)| (axis.name.to_owned(), axis.text(at))));
        trial
    }
}

/// Trials without an improvement after which a study of so many rows ends.
fn patience(n_rows: usize) -> f64 {
    let rows = n_rows as f64;
    let [first, .., last] = PATIENCE;
    if rows <= first.0 {
        return first.1;
    }
    let piece = PATIENCE.windows(2).find(|pair| rows <= pair[1].0);
    piece.map_or(last.1, |pair| {
        let at = (rows / pair[0].0).ln() / (pair[1].0 / pair[0].0).ln();
        pair[0].1 + at * (pair[1].1 - pair[0].1)
    })
}

#[cfg(test)]
mod tests;
