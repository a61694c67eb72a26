//! A candidate that goes before another one: residual boosting of one model by another.
//!
//! The later one learns what the forerunner leaves over, and the model is the sum of both scores. What the forerunner says
//! of rows that it has seen would leave too little over, so the training rows of a fit are dealt once more: of each part it
//! says what a fit on the other parts says. Rows held back hear the fit on all training rows, which is the one that is
//! deployed; neither fit has seen them.

use crate::error::{Error, Kind};
use crate::features::View;
use crate::finish::Fit;
use crate::folds::{Scheme, plan_of};
use crate::prepared::Prepared;
use crate::validate::{Candidate, mean};
use ir::digest::Digest;
use ir::fixed::{clamp_i32, scaled};
use jobs::{Ctx, Seed, Silent};
use learn::{Exactness, Fitted, Grows, LearnerEntry, Offsets, ScoreLink, Wants};
use params::Params;
use std::sync::Arc;
use trees::Rows;

/// What is fitted first.
#[derive(Clone, Copy)]
pub struct Forerunner<'a> {
    /// The same table, ready for its learner.
    pub prepared: &'a Prepared<'a>,
    /// Its learner; its scores must have the link of the later one.
    pub learner: &'a LearnerEntry,
    /// Its parameters.
    pub params: &'a Params,
}

/// Fits on so many parts of the training rows say what it leaves over; one more is deployed.
const N_PARTS: u32 = 4;

/// A forerunner, fitted for a fit.
pub(crate) struct Ahead {
    /// `[n_rows, n_outputs]` of the table, on the grid of `fitted`: out of fold for training rows, the constant alone for
    /// rows that are neither learnt from nor scored.
    scores: Vec<i32>,
    /// The fit on all training rows.
    pub(crate) fitted: Fitted,
}

impl Ahead {
    /// What the later fit goes on from.
    pub(crate) fn offsets(&self) -> Offsets<'_> {
        Offsets { scores: &self.scores, link: self.fitted.link }
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&self.scores[..])
    }
}

impl<'a> Forerunner<'a> {
    /// The forerunner's fit for one of a candidate, with the features that it is fitted on.
    ///
    /// # Errors
    /// `Onto` beside what needs a score of other rows; `NoFolds` where training rows cannot be parted; whatever the learner
    /// says.
    pub(crate) fn ahead_of(
        &self,
        candidate: &Candidate<'_>,
        rows: &Rows,
        wants: Wants,
        (seed, ctx): (Seed, &Ctx<'_>),
    ) -> Result<(View<'a>, Arc<Ahead>), Error> {
        self.check(candidate)?;
        let seed = seed.derive("forerunner", 0);
        let ctx = &Ctx { progress: &Silent, ..*ctx };
        let key = self.key(rows, seed);
        if let Some(known) = self.prepared.known_ahead(key) {
            return Ok((self.prepared.view(&rows.train, ctx.threads)?, known));
        }
        // Models of a few passes are small, so all that a fit may want is kept.
        let is_kept = self.learner.grows == Grows::Passes;
        let wants = if is_kept { Wants::Model } else { wants };
        let (view, ahead) = self.fit(rows, wants, (seed, ctx))?;
        let ahead = Arc::new(ahead);
        if is_kept && !ctx.budget.is_spent() && !ctx.cancel.is_cancelled() {
            self.prepared.keep_ahead(key, &ahead);
        }
        Ok((view, ahead))
    }

    /// Refuses what needs scores of rows that the forerunner has none of.
    fn check(&self, candidate: &Candidate<'_>) -> Result<(), Error> {
        let refuse = |what, cure| Err(Kind::Onto { learner: self.learner.name, what, cure }.into());
        if candidate.teacher.is_some() {
            return refuse("a teacher brings rows of its own", "leave one of both out");
        }
        if candidate.prepared.augmentation().is_some() {
            return refuse("an augmentation makes rows", "give --augment none");
        }
        if candidate.prepared.base.is_some() || self.prepared.base.is_some() {
            return refuse("the fit goes on from a model already", "leave --from out");
        }
        let (own, of_candidate) = (self.prepared, candidate.prepared);
        if own.inputs != of_candidate.inputs || own.truth.n_rows() != of_candidate.truth.n_rows() {
            return Err(Kind::Combination { what: "candidates that take the same columns" }.into());
        }
        Ok(())
    }

    /// Tells fits apart.
    fn key(&self, rows: &Rows, seed: Seed) -> u64 {
        let mut digest = Digest::new();
        digest.word(seed.0);
        digest.bytes(self.params.describe().as_bytes());
        for rows in [&rows.train, &rows.others] {
            digest.word(rows.len() as u64);
            rows.iter().for_each(|&row| digest.word(row.into()));
        }
        digest.finish()
    }

    fn fit(
        &self,
        rows: &Rows,
        wants: Wants,
        (seed, ctx): (Seed, &Ctx<'_>),
    ) -> Result<(View<'a>, Ahead), Error> {
        let &Forerunner { prepared, learner, params } = self;
        let own = Candidate { prepared, learner, params, teacher: None, onto: None, origin: None };
        let n_outputs = prepared.target().n_outputs();
        let folds = plan_of(prepared, &rows.train, Scheme::Folds(N_PARTS), seed);
        let n_held: usize = folds.iter().map(|fold| fold.held_back.len()).sum();
        if n_held != rows.train.len() {
            let (table, n_rows) = (prepared.table_name(), rows.train.len());
            return Err(Kind::NoFolds { table, n_rows, n_units: folds.len() }.into());
        }
        let (mut parts, mut rounds) = (Vec::with_capacity(folds.len()), Vec::with_capacity(folds.len()));
        for fold in folds {
            let of_part = Rows { train: fold.train, others: fold.held_back.clone() };
            let fitted = own.fit(of_part, None, Exactness::Integers, (fold.seed, ctx))?;
            rounds.push(fitted.rounds);
            parts.push((fold.held_back, fitted.other_scores, fitted.link));
        }
        // Rows held back do not choose the rounds of what they are judged by.
        let rounds = mean(rounds.into_iter());
        let asked = (Exactness::Integers, wants);
        let Fit { view, mut fitted, .. } = own.grown(rows.clone(), rounds, asked, (seed, ctx))?;
        let mut scores = vec![0; prepared.truth.n_rows() * n_outputs];
        let mut put = |row: u32, of_row: &[i32], from: ScoreLink| {
            let at = row as usize * n_outputs;
            for (score, &said) in scores[at..at + n_outputs].iter_mut().zip(of_row) {
                *score = on_grid(said, from, fitted.link);
            }
        };
        let of_others = std::mem::take(&mut fitted.other_scores);
        parts.insert(0, (rows.others.clone(), of_others, fitted.link));
        for (rows, said, link) in &parts {
            rows.iter().zip(said.chunks_exact(n_outputs)).for_each(|(&row, said)| put(row, said, *link));
        }
        Ok((view, Ahead { scores, fitted }))
    }
}

/// The score on the grid of `to` that is nearest to one on the grid of `from`, half up.
fn on_grid(score: i32, from: ScoreLink, to: ScoreLink) -> i32 {
    if (from.shift, from.offset) == (to.shift, to.offset) {
        return score;
    }
    let real = (i64::from(score) + from.offset) as f64;
    let on_grid = (scaled(real, i32::from(to.shift) - i32::from(from.shift)) + 0.5).floor();
    // What is no whole number of 64 bits is clamped either way.
    clamp_i32((on_grid as i64).saturating_sub(to.offset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::op::LinkKind;

    #[test]
    fn scores_go_to_the_nearest_of_another_grid() {
        let link = |shift, offset| ScoreLink { kind: LinkKind::Linear, shift, offset };
        for (score, from, to, expected) in [
            (5, link(3, 0), link(3, 0), 5),
            (5, link(3, 0), link(5, 0), 20),
            (5, link(3, 0), link(2, 0), 3),
            (-5, link(3, 0), link(2, 0), -2),
            (-6, link(3, 0), link(2, 0), -3),
            (1, link(0, 100), link(1, 190), 12),
            (7, link(-2, 1), link(0, 0), 32),
            (i32::MAX, link(0, 0), link(10, 0), i32::MAX),
            (i32::MIN, link(-300, 0), link(700, 5), i32::MIN),
        ] {
            assert_eq!(on_grid(score, from, to), expected, "{score} from {from:?} to {to:?}");
        }
    }
}
