//! How far the score hangs on the seed.

use crate::decide::{Aim, predictions_by};
use crate::prepared::Prepared;
use crate::validate::{Candidate, Scheme, Validated, plan};
use jobs::{Ctx, Seed, Threads};
use learn::{Exactness, LearnerEntry};
use params::Params;
use trees::Rows;

/// Seeds that are tried.
const SEEDS: usize = 5;

/// Scores of the first part that is held back, by fits that differ in nothing but their seed. Fits that fail, and
/// those that the time left does not allow, are left out.
pub fn seed_scores(
    prepared: &Prepared<'_>,
    learner: &LearnerEntry,
    params: &Params,
    (scheme, aim, seed): (Scheme, Aim<'_>, Seed),
    validated: &Validated,
    ctx: &Ctx<'_>,
) -> Vec<f64> {
    let Some(fold) = plan(prepared, scheme, seed).into_iter().next() else { return Vec::new() };
    ctx.progress.stage("trying seeds", Some(SEEDS as u64));
    let one = Threads::one();
    let budget = ctx.budget.share(0.4);
    let fit = |at: usize| -> Option<f64> {
        if ctx.cancel.is_cancelled() || budget.left().is_some_and(|left| left.is_zero()) {
            return None;
        }
        let rows = Rows { train: fold.train.clone(), others: fold.held_back.clone() };
        let inner = Ctx { threads: &one, budget: &budget, ..*ctx };
        let seed = fold.seed.derive("seeds", at as u64);
        let fitted = Candidate { prepared, learner, params }
            .fit(rows, validated.rounds, Exactness::Integers, (seed, &inner))
            .ok()?;
        let linked = fitted.link.apply(&fitted.other_scores, prepared.target().n_outputs());
        let predictions = predictions_by(&prepared.truth, linked, &validated.decision);
        prepared.truth.select(&fold.held_back).score(&predictions, aim.metric).ok()?
    };
    ctx.threads.map(SEEDS, fit).into_iter().flatten().collect()
}
