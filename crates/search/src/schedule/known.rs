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

/// Where the best trial stands behind transforms: the other trials of its learner behind them too, as much better as
/// that one is than the best without, if without they come near it. So trees of another growth, which take less, are
/// known when size counts.
fn prepared_alike(whole: &[(f64, Told)]) -> Vec<(f64, Told)> {
    let Some((least, best)) = whole.iter().min_by(|(a, _), (b, _)| a.total_cmp(b)) else { return Vec::new() };
    let best = &best.trial;
    if best.transforms.is_empty() {
        return Vec::new();
    }
    let is_plain = |(_, told): &&(f64, Told)| {
        let trial = &told.trial;
        trial.learner == best.learner && trial.transforms.is_empty() && trial.onto.is_none()
    };
    let plain: Vec<&(f64, Told)> = whole.iter().filter(is_plain).collect();
    let least_plain = plain.iter().map(|(error, _)| *error).fold(f64::INFINITY, f64::min);
    let alike = |(error, told): &&(f64, Told)| {
        let trial = Trial { transforms: best.transforms.clone(), ..told.trial.clone() };
        let is_near = *error <= least_plain + NEAR * least_plain.abs();
        let is_new = whole.iter().all(|(_, known)| known.trial != trial);
        (is_near && is_new)
            .then(|| (error + least - least_plain, Told { trial, outcome: told.outcome.clone() }))
    };
    plain.iter().filter_map(alike).collect()
}

impl Schedule {
    /// Of so many trials that were done to their end, the best of each learner, the best one first, each with what it takes
    /// too much by `excess`; and of those that come near the best one, or would behind its transforms, each that takes less
    /// than all better ones.
    pub fn leaders(&self, n_trials: usize, excess: impl Fn(&Outcome) -> f64) -> Vec<Told> {
        let told = self.told.iter().take(n_trials);
        let mut whole: Vec<(f64, Told)> = told
            .filter(|told| told.outcome.is_whole)
            .filter_map(|Told { trial, outcome }| {
                let outcome = Outcome { excess: excess(outcome), ..outcome.clone() };
                Some((outcome.error?, Told { trial: trial.without_bars(), outcome }))
            })
            .collect();
        whole.extend(prepared_alike(&whole));
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
