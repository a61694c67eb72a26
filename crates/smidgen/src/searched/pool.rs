//! Candidates of a run that an ensemble may take, with what they predicted out of fold.

use ir::Model;
use learn::StageRounds;
use recipe::{Aim, HeldBack, Prepared, Size, Validated, gather};
use search::{Outcome, Told, Trial};
use std::sync::Arc;
use std::time::Duration;

/// Candidates that an ensemble chooses from; where size is limited, they have forms of several sizes.
const MOST_MEMBERS: [usize; 2] = [16, 24];
/// Classes of size, each a factor of the square root of a half: from all that is allowed to a sixteenth of it.
const CLASSES: i32 = 8;
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
    /// The model of its first fold, where size is limited.
    pub(super) model: Option<Arc<Model>>,
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
            further: part.further.clone(),
            linked: Vec::new(),
            floats: Vec::new(),
        };
        let held = validated.held.iter().map(scores_alone).collect();
        let (rounds, n_skipped, model) = (validated.rounds, validated.n_skipped, validated.model.clone());
        Kept { trial, outcome, held, rounds, n_skipped, model, fold }
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
        let read = |part: &HeldBack| HeldBack {
            linked: part.link.apply_all(&part.further, &part.scores, n_outputs),
            ..part.clone()
        };
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
        let of: Vec<(&Trial, &Outcome)> = self.0.iter().map(|k| (&k.trial, &k.outcome)).collect();
        let (order, most) = (order(&of), most_members(&of));
        let (mut bytes, mut stays) = (0, vec![false; self.0.len()]);
        for (place, &at) in order.iter().enumerate() {
            stays[at] = place == 0 || (place < most && bytes <= KEPT_BYTES);
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

/// Trials of a study that came to a score and are not too large, in the order in which an ensemble looks at them, those
/// that time cut off among them or not.
pub(super) fn ranking(told: &[Told], with_cut: bool) -> Vec<&Told> {
    let some = |outcome: &Outcome| {
        (outcome.is_whole || with_cut) && outcome.error.is_some() && outcome.excess <= 0.0
    };
    let some: Vec<&Told> = told.iter().filter(|told| some(&told.outcome)).collect();
    let of: Vec<(&Trial, &Outcome)> = some.iter().map(|told| (&told.trial, &told.outcome)).collect();
    order(&of).into_iter().take(most_members(&of)).map(|at| some[at]).collect()
}

/// How many of these an ensemble looks at.
fn most_members(trials: &[(&Trial, &Outcome)]) -> usize {
    MOST_MEMBERS[usize::from(trials.iter().any(|(_, outcome)| outcome.taken.is_some()))]
}

/// Places of trials: the best of each learner first, since those that differ make up for each other, then the best of each
/// class of size of each learner, then the others, each by its error, ties to the earlier one.
fn order(trials: &[(&Trial, &Outcome)]) -> Vec<usize> {
    let error = |at: usize| trials[at].1.error.unwrap_or(f64::INFINITY);
    let mut all: Vec<usize> = (0..trials.len()).collect();
    all.sort_by(|&a, &b| error(a).total_cmp(&error(b)).then(a.cmp(&b)));
    let learner = |at: usize| trials[at].0.learner.as_str();
    let kind = |at: usize| (learner(at), class(trials[at].1));
    let (first, others) = first_of_each(all, Vec::new(), learner);
    let known = first.iter().map(|&at| kind(at)).collect();
    let (of_class, others) = first_of_each(others, known, kind);
    [first, of_class, others].concat()
}

/// Places whose kind was not known before, and the others.
fn first_of_each<K: PartialEq>(
    places: Vec<usize>,
    mut known: Vec<K>,
    kind: impl Fn(usize) -> K,
) -> (Vec<usize>, Vec<usize>) {
    places.into_iter().partition(|&at| {
        let kind = kind(at);
        let is_new = !known.contains(&kind);
        if is_new {
            known.push(kind);
        }
        is_new
    })
}

/// The class of size of a trial, the largest first; one for all where nothing is limited.
fn class(outcome: &Outcome) -> Option<usize> {
    let taken = outcome.taken?;
    Some((1..=CLASSES).take_while(|&class| taken * taken <= 0.5f64.powi(class)).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_each_learner_comes_first_then_of_each_size() {
        let trial = |learner: &str| Trial { learner: learner.to_owned(), ..Trial::default() };
        let [gbdt, ebm, knn] = ["gbdt", "ebm", "knn"].map(trial);
        let places = |of: &[(&Trial, f64, Option<f64>)]| {
            let outcome = |(_, error, taken): &(&Trial, f64, Option<f64>)| Outcome {
                error: Some(*error),
                taken: *taken,
                ..Outcome::default()
            };
            let outcomes: Vec<Outcome> = of.iter().map(outcome).collect();
            order(
                &of.iter().zip(&outcomes).map(|((trial, ..), outcome)| (*trial, outcome)).collect::<Vec<_>>(),
            )
        };
        let of = [(&gbdt, 0.3), (&gbdt, 0.1), (&knn, 0.5), (&ebm, 0.2), (&gbdt, 0.1), (&ebm, 0.4)];
        assert_eq!(places(&of.map(|(trial, error)| (trial, error, None))), [1, 3, 2, 4, 0, 5]);
        let sized = [(0.1, 0.95), (0.11, 0.93), (0.12, 0.91), (0.2, 0.48), (0.3, 0.2), (0.21, 0.45)];
        let sized = sized.map(|(error, taken)| (&gbdt, error, Some(taken)));
        assert_eq!(places(&sized), [0, 3, 4, 1, 2, 5]);
    }
}
