//! A study: rounds of trials on an executor, kept on disk, until the budget is spent or nothing gets better.

use crate::error::{Error, Kind};
use crate::schedule::{Asked, Schedule, Told};
use crate::store::Store;
use crate::trial::{Outcome, Trial};
use jobs::{Ctx, Executor};

/// Trials that are asked for at once, whatever the number of workers; the first rounds are one, two and four trials, so that
/// what is hopeless is known early.
const ROUND: usize = 8;
/// The share of all trials that must stand before the first that was cut off, so that they alone count.
const FEWEST_REPEATED: f64 = 0.5;

/// What watches a study.
pub trait View {
    /// A trial is tried next.
    fn trying(&mut self, asked: &Asked);
    /// A trial was done in this run.
    fn tried(&mut self, trial: &Trial, outcome: &Outcome);
}

/// How a study ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Studied {
    /// The best trial.
    pub best: Trial,
    /// What came of it.
    pub outcome: Outcome,
    /// Trials of this study, those of earlier runs among them.
    pub n_trials: usize,
    /// Trials before the first that was cut off for lack of time: so many, asked for again, come to the same. Where a
    /// trial behind it is better by more than the noise of the rows, or most trials stand behind it, all trials count, and
    /// these are all of them.
    pub n_repeated: usize,
    /// Whether so many trials give the best one again.
    pub is_repeated: bool,
    /// Those of earlier runs.
    pub n_known: usize,
    /// Why trials could not be kept, if they could not.
    pub unkept: Option<String>,
}

/// Runs trials until the budget is spent: so many, or as long as `is_time_left`. Trials that the store knows are not run
/// again. Results count in the order of trials, whoever is first.
///
/// # Errors
/// `Nothing`: not one trial came to a score; a store that cannot be written is told of, and the study goes on.
pub fn study(
    schedule: &mut Schedule,
    executor: &dyn Executor,
    store: Option<&Store>,
    is_time_left: &dyn Fn() -> bool,
    view: &mut dyn View,
    ctx: &Ctx<'_>,
) -> Result<Studied, Error> {
    let mut round_of = 1;
    let mut left = ctx.budget.units().unwrap_or(u64::MAX);
    let mut n_known = 0;
    let mut unkept: Option<String> = None;
    let go_on = || is_time_left() && !ctx.cancel.is_cancelled();
    while left > 0 {
        let round = schedule.ask(round_of.min(usize::try_from(left).unwrap_or(ROUND)));
        round_of = ROUND.min(2 * round_of);
        let known = |asked: &Asked| store.and_then(|store| store.get(&asked.trial));
        let mut outcomes: Vec<Option<Outcome>> = round.iter().map(known).collect();
        n_known += outcomes.iter().flatten().count();
        let open: Vec<usize> = (0..round.len()).filter(|&at| outcomes[at].is_none()).collect();
        let tasks: Vec<Vec<u8>> = open.iter().map(|&at| round[at].trial.bytes()).collect();
        let is_run = !open.is_empty() && (go_on() || schedule.best().is_none());
        if let (true, Some(&first)) = (is_run, open.first()) {
            view.trying(&round[first]);
        }
        let mut heard = |task: usize, bytes: Vec<u8>| {
            let Some(&at) = open.get(task) else { return go_on() };
            let lost = || Outcome {
                failed: Some("the worker's answer is damaged".to_owned()),
                ..Outcome::default()
            };
            let outcome = Outcome::parse(&bytes).unwrap_or_else(lost);
            if let Some(store) = store.filter(|_| outcome.is_whole)
                && let Err(e) = store.put(&round[at].trial, &outcome)
            {
                unkept.get_or_insert(e.to_string());
            }
            view.tried(&round[at].trial, &outcome);
            outcomes[at] = Some(outcome);
            let is_more = go_on();
            if let Some(&next) = open.get(task + 1).filter(|_| is_more) {
                view.trying(&round[next]);
            }
            is_more
        };
        if is_run {
            executor.run(&tasks, &mut heard);
        }
        let is_cut = outcomes.iter().any(Option::is_none);
        if round.is_empty() {
            break;
        }
        for (asked, outcome) in round.into_iter().zip(outcomes) {
            let Some(outcome) = outcome else { continue };
            left = left.saturating_sub(1);
            schedule.tell(asked, outcome);
        }
        if is_cut || !go_on() {
            break;
        }
    }
    let Some(best) = schedule.best() else {
        let first = schedule.told().iter().find_map(|told| told.outcome.failed.clone());
        let what = first.unwrap_or_else(|| "the metric is not defined on the rows held back".to_owned());
        return Err(Kind::Nothing { what }.into());
    };
    let (told, n_trials) = (schedule.told(), schedule.told().len());
    // One that was refused was not cut off.
    let is_cut = |told: &Told| !told.outcome.is_whole && told.outcome.failed.is_none();
    let n_whole = told.iter().position(is_cut).unwrap_or(n_trials);
    let better =
        |best: Option<&'_ Told>, at: usize| told[at].outcome.is_better(best.map(|best| &best.outcome));
    let repeated = (0..n_whole).fold(None, |best, at| if better(best, at) { Some(&told[at]) } else { best });
    let error = |told: &Told| told.outcome.error.unwrap_or(f64::INFINITY);
    let is_near = |told: &&Told| {
        let most = error(best) + schedule.noise() * error(best).abs();
        told.outcome.excess <= best.outcome.excess && error(told) <= most
    };
    // A slow trial that was cut off early must not take those behind it out of an ensemble.
    let is_most = FEWEST_REPEATED * n_trials as f64 <= n_whole as f64;
    let (best, n_repeated, is_repeated) = match repeated.filter(|told| is_most && is_near(told)) {
        Some(repeated) => (repeated, n_whole, true),
        None => (best, n_trials, n_whole == n_trials),
    };
    let (best, outcome) = (best.trial.clone(), best.outcome.clone());
    Ok(Studied { best, outcome, n_trials, n_repeated, is_repeated, n_known, unkept })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::Facts;
    use crate::schedule::Space;
    use ir::Task;
    use jobs::{Budget, Cancel, Clock, Seed, Silent, Threads};
    use std::cell::RefCell;

    /// Tells results from the last one on; a task whose learner is lost is not told of.
    struct Backwards<'a> {
        lost: &'a str,
        ran: RefCell<Vec<String>>,
    }

    impl Executor for Backwards<'_> {
        fn run(&self, tasks: &[Vec<u8>], heard: &mut dyn FnMut(usize, Vec<u8>) -> bool) {
            for (at, task) in tasks.iter().enumerate().rev() {
                let trial = Trial::parse(task).unwrap();
                self.ran.borrow_mut().push(trial.describe());
                let error = Some(1.0 / (2.0 + trial.describe().len() as f64));
                let outcome =
                    Outcome { error, rungs: [None, error], work: 1.0, is_whole: true, ..Outcome::default() };
                let bytes = if trial.learner == "tree" { b"damaged".to_vec() } else { outcome.bytes() };
                if trial.learner != self.lost && !heard(at, bytes) {
                    break;
                }
            }
        }
    }

    #[derive(Default)]
    struct Count(usize);

    impl View for Count {
        fn trying(&mut self, asked: &Asked) {
            assert!(!asked.why.is_empty());
        }

        fn tried(&mut self, _: &Trial, _: &Outcome) {
            self.0 += 1;
        }
    }

    fn schedule(names: &[&str]) -> Schedule {
        let learners = names.iter().map(|name| (learn::learner(name).unwrap(), Vec::new())).collect();
        let (transforms, augment) = (Vec::new(), None);
        let facts = Facts {
            task: Task::Binary,
            n_rows: 200,
            n_numbers: 2,
            n_categories: 1,
            rare: 0.5,
            is_limited: false,
        };
        Schedule::new(Space {
            learners,
            transforms,
            augment,
            added: crate::schedule::Added::Auto,
            teachings: Vec::new(),
            first: Vec::new(),
            for_teacher: false,
            for_ensemble: false,
            facts,
            n_held_back: 25,
            seed: Seed(0),
        })
        .unwrap()
    }

    /// A study of so many trials; what ran, and how it ended.
    fn studied(
        names: &[&str],
        units: u64,
        lost: &str,
        store: Option<&Store>,
    ) -> (Vec<String>, Result<Studied, Error>) {
        let (threads, budget) = (Threads::one(), Budget::work(Clock::start(), units));
        let ctx = Ctx { threads: &threads, budget: &budget, cancel: &Cancel::new(), progress: &Silent };
        let executor = Backwards { lost, ran: RefCell::default() };
        let mut view = Count::default();
        let mut asked = schedule(names);
        let made = study(&mut asked, &executor, store, &|| true, &mut view, &ctx);
        assert_eq!(view.0, asked.told().len() - made.as_ref().map_or(0, |m| m.n_known));
        (executor.ran.into_inner(), made)
    }

    #[test]
    fn so_many_trials_and_the_same_best_in_any_order() {
        for units in [1, 5, 8, 9, 20] {
            let (ran, made) = studied(&["gbdt", "logistic", "tree", "knn"], units, "", None);
            let made = made.unwrap();
            assert_eq!((ran.len() as u64, made.n_trials as u64), (units, units));
        }
        // Forwards.
        let mut forwards = schedule(&["gbdt", "logistic", "tree", "knn"]);
        let work = |task: &[u8]| {
            let error = Some(1.0 / (2.0 + Trial::parse(task).unwrap().describe().len() as f64));
            Outcome { error, rungs: [None, error], work: 1.0, is_whole: true, ..Outcome::default() }.bytes()
        };
        let (threads, budget) = (Threads::one(), Budget::work(Clock::start(), 20));
        let ctx = Ctx { threads: &threads, budget: &budget, cancel: &Cancel::new(), progress: &Silent };
        let in_turn = jobs::InTurn::new(&work);
        study(&mut forwards, &in_turn, None, &|| true, &mut Count::default(), &ctx).unwrap();
        let (_, backwards) = studied(&["gbdt", "logistic", "tree", "knn"], 20, "", None);
        let told: Vec<String> = forwards.told().iter().map(|t| t.trial.describe()).collect();
        assert!(told.contains(&backwards.unwrap().best.describe()));
    }

    #[test]
    fn a_study_goes_on_where_it_was() {
        let place = tempfile::tempdir().unwrap();
        let store = Store::open(place.path(), 3).unwrap();
        let names = ["gbdt", "logistic", "knn"];
        let (first, _) = studied(&names, 6, "", Some(&store));
        let (second, made) = studied(&names, 14, "", Some(&store));
        let made = made.unwrap();
        assert_eq!((made.n_trials, made.n_known, made.unkept.as_ref()), (14, first.len(), None));
        assert!(second.iter().all(|trial| !first.contains(trial)));
        // The same as in one go.
        assert_eq!(studied(&names, 14, "", None).1.unwrap().best, made.best);
        // Where nothing can be kept it is told, and the study goes on.
        let gone = tempfile::tempdir().unwrap();
        let store = Store::open(gone.path(), 3).unwrap();
        gone.close().unwrap();
        let made = studied(&names, 9, "", Some(&store)).1.unwrap();
        assert_eq!(made.n_trials, 9);
        assert!(made.unkept.unwrap().contains("cannot be kept"));
    }

    /// Trials behind an early one that was cut off count; those behind a late one do not, unless one of them is better.
    #[test]
    fn what_was_cut_off_early_takes_nothing_else_out() {
        let (threads, budget) = (Threads::one(), Budget::work(Clock::start(), 10));
        let ctx = Ctx { threads: &threads, budget: &budget, cancel: &Cancel::new(), progress: &Silent };
        // Which trial is cut off, which is the best, and how many count.
        for (cut, best, expected) in [(2, 0, 10), (7, 0, 7), (7, 9, 10), (10, 9, 10), (2, 9, 10)] {
            let at = std::cell::Cell::new(0);
            let work = |_: &[u8]| {
                let place = at.replace(at.get() + 1);
                let error = Some(if place == best { 0.1 } else { 0.5 });
                let is_whole = place != cut;
                Outcome { error, rungs: [None, error], work: 1.0, is_whole, ..Outcome::default() }.bytes()
            };
            let mut asked = schedule(&["gbdt", "logistic", "tree", "knn"]);
            let in_turn = jobs::InTurn::new(&work);
            let made = study(&mut asked, &in_turn, None, &|| true, &mut Count::default(), &ctx).unwrap();
            assert_eq!((made.n_trials, made.n_repeated), (10, expected), "{cut} cut off, {best} best");
            assert_eq!(made.is_repeated, expected < 10 || cut == 10, "{cut} cut off, {best} best");
        }
    }

    #[test]
    fn what_gets_lost_ends_the_study_and_what_fails_is_told() {
        let (_, made) = studied(&["gbdt", "knn"], 30, "knn", None);
        assert!(made.unwrap().n_trials < 10);
        let (_, made) = studied(&["tree"], 3, "", None);
        let told = made.unwrap_err().to_string();
        assert!(told.contains("damaged"), "{told}");
    }
}
