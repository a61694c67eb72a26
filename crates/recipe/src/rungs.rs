//! Validation that stops where a candidate is worse than others: on a sample of the rows, or behind the first fold.

use crate::decide::Aim;
use crate::error::Error;
use crate::folds::{Fold, Scheme};
use crate::predictions::Truth;
use crate::size::Size;
use crate::validate::{Candidate, FIRST_SHARE, HeldBack, Validated, gather};
use ir::digest::mix;
use jobs::{Ctx, Seed};
use learn::{Exactness, StageRounds};
use std::collections::BTreeMap;

/// What a search looks at before all folds are fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// The first fold, with a sample of the rows to learn from: where there are many.
    Sample,
    /// The first fold.
    Fold,
}

/// Whether a candidate is fitted further behind a rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoOn {
    /// It is not worth it, and what was predicted is of no use.
    No,
    /// Behind the first fold there is no time for the others: what it predicted is kept.
    Enough,
    /// On to the next rung, or all folds.
    Yes,
}

/// What is known of a fit behind its first fold, beside its score.
#[derive(Clone, Copy, Debug)]
pub struct FirstFold {
    /// What a model of it alone would take, where that is wanted.
    pub size: Option<Size>,
    /// Its rounds; 0 of learners without rounds.
    pub rounds: StageRounds,
}

/// Rows of a sample to learn from.
const SAMPLE_ROWS: usize = 10_000;
/// A fold has a sample if it learns from so many times its rows.
const SAMPLED: usize = 4;
/// Rows of each class that a sample has at least, as far as there are.
const CLASS_ROWS: usize = 50;

/// As [`validate`](crate::validate()), for a search: without floats that cost another training, and no further than
/// `go_on` wants behind the score of a rung, and what is known of the first fold. The rung of a sample of 10,000 rows is
/// there where a fold learns from 40,000 rows or more. Nothing where the candidate is not worth to go on.
///
/// # Errors
/// Whatever the learner says.
/// # Source  Li et al., ASHA, MLSys 2020: successive halving over rows, then folds.
pub fn validate_while(
    candidate: &Candidate<'_>,
    scheme: Scheme,
    aim: Aim<'_>,
    (seed, ctx): (Seed, &Ctx<'_>),
    go_on: &mut dyn FnMut(Rung, Option<f64>, Option<FirstFold>) -> GoOn,
) -> Result<Option<Validated>, Error> {
    let folds = candidate.plan(scheme, seed, ctx)?;
    let score = |held: &HeldBack| Ok::<_, Error>(gather(candidate.prepared, vec![held.clone()], aim)?.score);
    if let Some(sample) = sample_of(&folds[0], &candidate.prepared.truth) {
        let budget = ctx.budget.share(FIRST_SHARE);
        let done = candidate.fold(&sample, ctx.threads, &budget, Exactness::Integers, ctx)?;
        if go_on(Rung::Sample, score(&done.held)?, None) == GoOn::No {
            return Ok(None);
        }
    }
    let mut fits = candidate.first_fold(&folds, ctx)?;
    let first = &fits.done[0];
    match go_on(Rung::Fold, score(&first.held)?, Some(FirstFold { size: first.size, rounds: first.rounds })) {
        GoOn::No => return Ok(None),
        GoOn::Enough => fits.skip_others(&folds),
        GoOn::Yes => candidate.other_folds(&folds, &mut fits, ctx)?,
    }
    Ok(Some(fits.validated(candidate.prepared, aim)?))
}

/// A fold that learns from a sample of its rows; none where there are few.
fn sample_of(fold: &Fold, truth: &Truth) -> Option<Fold> {
    if fold.train.len() < SAMPLED * SAMPLE_ROWS {
        return None;
    }
    // In random order by row, so that it hangs on no order of the table.
    let mut order = fold.train.clone();
    let key = fold.seed.derive("sample", 0).0;
    order.sort_by_cached_key(|&row| (mix(key ^ mix(row.into())), row));
    let mut n_of_class: BTreeMap<u32, usize> = BTreeMap::new();
    let mut place = 0;
    order.retain(|&row| {
        place += 1;
        let is_rare = match truth {
            Truth::Classes { labels, .. } => {
                let n = n_of_class.entry(labels[row as usize]).or_default();
                *n += 1;
                *n <= CLASS_ROWS
            }
            Truth::Values(_) | Truth::Several(_) => false,
        };
        is_rare || place <= SAMPLE_ROWS
    });
    order.sort_unstable();
    Some(Fold { train: order, ..fold.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(n: u32) -> Fold {
        let (train, held_back) = ((0..n).collect(), Vec::new());
        Fold { repetition: 0, held_back, train, seed: Seed(3), rounds: None }
    }

    #[test]
    fn samples_are_of_large_folds_and_keep_rare_classes() {
        let n = 60_000;
        let labels: Vec<u32> =
            (0..n).map(|row| u32::from(row % 1000 == 7) + 2 * u32::from(row == 5)).collect();
        let truth = Truth::Classes { labels: labels.clone(), n_classes: 3, positive: None };
        assert!(sample_of(&fold(39_999), &truth).is_none());
        let sample = sample_of(&fold(n), &truth).unwrap().train;
        let count = |class| sample.iter().filter(|&&row| labels[row as usize] == class).count();
        assert!((10_000..10_060).contains(&sample.len()), "{}", sample.len());
        assert!(count(1) >= 50 && count(2) == 1, "{} {}", count(1), count(2));
        assert!(sample.windows(2).all(|w| w[0] < w[1]));
        let values = sample_of(&fold(n), &Truth::Values(vec![0.0; n as usize])).unwrap().train;
        assert_eq!(values.len(), 10_000);
        // No block of rows.
        assert!(values.iter().filter(|&&row| row < n / 2).count().abs_diff(5_000) < 250);
    }
}
