//! How far the score hangs on the seed.

use crate::decide::Aim;
use crate::folds::{Scheme, plan};
use crate::prepared::Prepared;
use crate::validate::{Candidate, Validated};
use jobs::{Ctx, Seed};
use learn::LearnerEntry;
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
    let budget = ctx.budget.share(0.4);
    let candidate = Candidate { prepared, learner, params, teacher: None, onto: None, origin: None };
    let fit = |at: usize| -> Option<f64> {
        let rows = Rows { train: fold.train.clone(), others: fold.held_back.clone() };
        let seed = fold.seed.derive("seeds", at as u64);
        let linked = candidate.linked(rows, validated.rounds, (seed, &budget), ctx)?;
        validated.score_of(prepared, &fold.held_back, &linked, aim.metric)
    };
    ctx.threads.map(SEEDS, fit).into_iter().flatten().collect()
}
