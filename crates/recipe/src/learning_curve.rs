//! Scores by the number of training rows: what more rows would bring.

use crate::decide::Aim;
use crate::folds::{Scheme, plan};
use crate::prepared::Prepared;
use crate::validate::{Candidate, Validated};
use ir::digest::mix;
use jobs::{Ctx, Seed};
use learn::LearnerEntry;
use params::Params;
use trees::Rows;

/// Scores of a fit on some of the rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearningPoint {
    /// Rows that were learnt from.
    pub n_rows: usize,
    /// Score on them; on at most [`MOST_TRAINING`] of them.
    pub training: Option<f64>,
    /// Score on the rows held back.
    pub held_back: Option<f64>,
}

/// Shares of the training rows that are learnt from.
const SHARES: [f64; 5] = [0.1, 0.2, 0.4, 0.7, 1.0];
/// Rows below which nothing is fitted.
const LEAST: usize = 20;
/// Training rows whose score is taken.
const MOST_TRAINING: usize = 20_000;

/// Fits on growing parts of the first fold's training rows, each a part of the next, and scores the same rows held
/// back. Rounds are those of `validated`, so that no part stops early by the rows it is judged on. Fits that fail,
/// for want of a class for example, and those that the time left does not allow are left out.
pub fn learning_curve(
    prepared: &Prepared<'_>,
    learner: &LearnerEntry,
    params: &Params,
    (scheme, aim, seed): (Scheme, Aim<'_>, Seed),
    validated: &Validated,
    ctx: &Ctx<'_>,
) -> Vec<LearningPoint> {
    let Some(fold) = plan(prepared, scheme, seed).into_iter().next() else { return Vec::new() };
    let mut order = fold.train;
    let key = seed.derive("learning curve", 0).0;
    // Rows that must share a fold stay together.
    let place = |row: u32| mix(key ^ mix(prepared.first_copy[row as usize].into()));
    order.sort_by_key(|&row| (place(row), row));
    let sizes = SHARES.map(|share| (order.len() as f64 * share).round() as usize);
    let sizes: Vec<usize> = sizes.into_iter().filter(|&n| n >= LEAST).collect();
    ctx.progress.stage("learning curve", Some(sizes.len() as u64));
    let budget = ctx.budget.share(0.5);
    let candidate = Candidate { prepared, learner, params, teacher: None, onto: None, origin: None };
    let fit = |&n_rows: &usize| -> Option<LearningPoint> {
        let mut train = order[..n_rows].to_vec();
        train.sort_unstable();
        let seen: Vec<u32> = train.iter().copied().take(MOST_TRAINING).collect();
        let others = [&fold.held_back[..], &seen].concat();
        let rows = Rows { train, others };
        let linked = candidate.linked(rows, validated.rounds, (fold.seed, &budget), ctx)?;
        let n_held = fold.held_back.len();
        let (held, of_seen) = linked.split_at(n_held * (linked.len() / (n_held + seen.len())));
        let score = |rows: &[u32], linked: &[f64]| validated.score_of(prepared, rows, linked, aim.metric);
        Some(LearningPoint {
            n_rows,
            training: score(&seen, of_seen),
            held_back: score(&fold.held_back, held),
        })
    };
    ctx.threads.map(sizes.len(), |i| fit(&sizes[i])).into_iter().flatten().collect()
}
