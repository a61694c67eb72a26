//! Candidates of a run that an ensemble may take, with what they predicted out of fold.

use learn::StageRounds;
use recipe::{Aim, HeldBack, Prepared, Size, Validated, gather};
use search::{Outcome, Told, Trial};
use std::time::Duration;

/// Candidates that an ensemble chooses from.
pub(super) const MOST_MEMBERS: usize = 16;
/// Bytes of scores that are kept, the newest candidate not counted.
const KEPT_BYTES: usize = 64 << 20;

/// A candidate whose folds are done: all, or those that time allowed.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(super) trial: Trial,
    pub(super) outcome: Outcome,
    /// Scores of each part that was held back; what people read of them is made again when it is asked for.
    pub(super) held: Vec<HeldBack>,
    pub(super) rounds: Option<StageRounds>,
    /// Folds that were left out for lack of time.
    pub(super) n_skipped: u32,
    /// What one fold took on all threads.
    pub(super) fold: Duration,
}

impl Kept {
    pub(super) fn of(trial: Trial, outcome: Outcome, validated: &Validated, fold: Duration) -> Kept {
        let scores_alone = |part: &HeldBack| HeldBack {
            repetition: part.repetition,
            rows: part.rows.clone(),
            scores: part.scores.clone(),
            link: part.link,
            linked: Vec::new(),
            floats: Vec::new(),
        };
        let held = validated.held.iter().map(scores_alone).collect();
        Kept { trial, outcome, held, rounds: validated.rounds, n_skipped: validated.n_skipped, fold }
    }

    /// What its folds showed, as it was.
    ///
    /// # Errors
    /// Predictions that do not fit together.
    pub(super) fn validated(
        &self,
        prepared: &Prepared<'_>,
        aim: Aim<'_>,
    ) -> Result<Validated, recipe::Error> {
        let n_outputs = prepared.target().n_outputs();
        let read =
            |part: &HeldBack| HeldBack { linked: part.link.apply(&part.scores, n_outputs), ..part.clone() };
        let validated = gather(prepared, self.held.iter().map(read).collect(), aim)?;
        let n_fits = self.held.len() as u32;
        let (rounds, n_skipped) = (self.rounds, self.n_skipped);
        Ok(Validated { rounds, n_fits, n_skipped, size: size_of(&self.outcome), ..validated })
    }

    /// About the time that its folds took on so many threads.
    pub(super) fn took(&self, n_threads: usize) -> Duration {
        self.fold.mul_f64(1.0 + self.held.len().saturating_sub(1) as f64 / n_threads.max(1) as f64)
    }

    fn bytes(&self) -> usize {
        self.held.iter().map(|part| 4 * (part.rows.len() + part.scores.len())).sum()
    }
}

/// What a model of a trial would take, where that was looked at.
pub(super) fn size_of(outcome: &Outcome) -> Option<Size> {
    let (bytes, ns) = outcome.bytes.zip(outcome.cost_ns)?;
    Some(Size { bytes, ns })
}

/// Those that are kept.
#[derive(Default)]
pub(crate) struct Pool(Vec<Kept>);

impl Pool {
    /// Keeps a candidate; where there are too many or they are too large, those that an ensemble would take last go.
    pub(super) fn keep(&mut self, kept: Kept) {
        self.0.push(kept);
        let of: Vec<(&Trial, f64)> =
            self.0.iter().map(|k| (&k.trial, k.outcome.error.unwrap_or(f64::INFINITY))).collect();
        let order = order(&of);
        let (mut bytes, mut stays) = (0, vec![false; self.0.len()]);
        for (place, &at) in order.iter().enumerate() {
            stays[at] = place == 0 || (place < MOST_MEMBERS && bytes <= KEPT_BYTES);
            bytes += self.0[at].bytes();
        }
        let mut stays = stays.into_iter();
        self.0.retain(|_| stays.next().unwrap_or(false));
    }

    /// The candidate of a trial, if it is kept.
    pub(super) fn get(&self, trial: &Trial) -> Option<&Kept> {
        self.0.iter().find(|kept| kept.trial == *trial)
    }

    /// Seconds that fits of all of them on the rows of a fold take.
    pub(super) fn seconds(&self) -> f64 {
        self.0.iter().map(|kept| kept.fold.as_secs_f64()).sum()
    }
}

/// Trials of a study that came to a score in the order in which an ensemble looks at them, those that time cut off
/// among them or not.
pub(super) fn ranking(told: &[Told], with_cut: bool) -> Vec<&Told> {
    let some = |t: &&Told| (t.outcome.is_whole || with_cut) && t.outcome.error.is_some();
    let some: Vec<&Told> = told.iter().filter(some).collect();
    let of: Vec<(&Trial, f64)> =
        some.iter().map(|t| (&t.trial, t.outcome.error.unwrap_or(f64::INFINITY))).collect();
    order(&of).into_iter().take(MOST_MEMBERS).map(|at| some[at]).collect()
}

/// Places of trials: the best of each learner first, since those that differ make up for each other, then the others,
/// each by its error, ties to the earlier one.
fn order(trials: &[(&Trial, f64)]) -> Vec<usize> {
    let mut all: Vec<usize> = (0..trials.len()).collect();
    all.sort_by(|&a, &b| trials[a].1.total_cmp(&trials[b].1).then(a.cmp(&b)));
    let mut learners: Vec<&str> = Vec::new();
    let (first, others): (Vec<usize>, Vec<usize>) = all.into_iter().partition(|&at| {
        let learner = trials[at].0.learner.as_str();
        let is_new = !learners.contains(&learner);
        if is_new {
            learners.push(learner);
        }
        is_new
    });
    [first, others].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_each_learner_comes_first() {
        let trial = |learner: &str| Trial { learner: learner.to_owned(), ..Trial::default() };
        let (gbdt, ebm, knn) = (trial("gbdt"), trial("ebm"), trial("knn"));
        let of = [(&gbdt, 0.3), (&gbdt, 0.1), (&knn, 0.5), (&ebm, 0.2), (&gbdt, 0.1), (&ebm, 0.4)];
        assert_eq!(order(&of), [1, 3, 2, 4, 0, 5]);
    }
}
