//! A study: rounds of trials on an executor, kept on disk, until the budget is spent or nothing gets better.

use crate::error::{Error, Kind};
use crate::schedule::{Asked, Schedule};
use crate::store::Store;
use crate::trial::{Outcome, Trial};
use jobs::{Ctx, Executor};

/// Trials that are asked for at once, whatever the number of workers.
const ROUND: usize = 8;

/// What watches a study.
pub trait View {
    /// A trial was done, here or in a run before.
    fn tried(&mut self, trial: &Trial, outcome: &Outcome, schedule: &Schedule);
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
    let mut left = ctx.budget.units().unwrap_or(u64::MAX);
    let mut n_known = 0;
    let mut unkept: Option<String> = None;
    let go_on = || is_time_left() && !ctx.cancel.is_cancelled();
    while left > 0 {
        let round = schedule.ask(ROUND.min(usize::try_from(left).unwrap_or(ROUND)));
        let known = |asked: &Asked| store.and_then(|store| store.get(&asked.trial));
        let mut outcomes: Vec<Option<Outcome>> = round.iter().map(known).collect();
        n_known += outcomes.iter().flatten().count();
        let open: Vec<usize> = (0..round.len()).filter(|&at| outcomes[at].is_none()).collect();
        let tasks: Vec<Vec<u8>> = open.iter().map(|&at| round[at].trial.bytes()).collect();
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
            view.tried(&round[at].trial, &outcome, schedule);
            outcomes[at] = Some(outcome);
            go_on()
        };
        if !tasks.is_empty() && (go_on() || schedule.best().is_none()) {
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
    Ok(Studied {
        best: best.trial.clone(),
        outcome: best.outcome.clone(),
        n_trials: schedule.told().len(),
        n_known,
        unkept,
    })
}
