//! What is known without limits when a search within limits begins.

use super::{Arm, SMALLER, Schedule, Told};
use crate::trial::{Outcome, Trial};
use std::collections::BTreeSet;

/// Why what did well without limits is tried within them.
const KNOWN: &str = "it did well without limits";
/// What is so much too large, as a share of what is allowed, and has no smaller form is not tried.
const HOPELESS: f64 = 4.0;
/// What takes less is tried if it is worse than the best by this share at most.
const NEAR: f64 = 0.03;

/// The trials within limits of what did well without them: in a smaller form what is too large, and nothing of what is
/// hopelessly so, unless nothing else is left.
pub(super) fn within(first: Vec<Told>, arms: &[Arm]) -> Vec<(Trial, &'static str)> {
    let within = |Told { trial, outcome }: &Told| {
        let arm = arms.iter().find(|arm| arm.entry.name == trial.learner)?;
        let smaller = arm.smaller(trial, outcome).map(|smaller| (smaller, SMALLER));
        smaller.or_else(|| (outcome.excess <= HOPELESS).then(|| (trial.clone(), KNOWN)))
    };
    let known: Vec<_> = first.iter().filter_map(within).collect();
    if known.is_empty() { first.into_iter().map(|told| (told.trial, KNOWN)).collect() } else { known }
}

impl Schedule {
    /// Of so many trials that were done to their end, the best of each learner, the best one first, each with what it takes
    /// too much by `excess`; and of those that come near the best one, each that takes less than all better ones.
    pub fn leaders(&self, n_trials: usize, excess: impl Fn(&Outcome) -> f64) -> Vec<Told> {
        let told = self.told.iter().take(n_trials);
        let mut whole: Vec<(f64, Told)> = told
            .filter(|told| told.outcome.is_whole)
            .filter_map(|Told { trial, outcome }| {
                let outcome = Outcome { excess: excess(outcome), ..outcome.clone() };
                Some((outcome.error?, Told { trial: trial.without_bars(), outcome }))
            })
            .collect();
        whole.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let best = whole.first().map_or(f64::INFINITY, |(error, _)| *error);
        let mut least = f64::INFINITY;
        let mut learners = BTreeSet::new();
        whole.retain(|(error, told)| {
            let is_smaller = *error <= best + NEAR * best.abs() && told.outcome.excess < least;
            least = least.min(told.outcome.excess);
            learners.insert(told.trial.learner.clone()) || is_smaller
        });
        whole.into_iter().map(|(_, told)| told).collect()
    }
}
