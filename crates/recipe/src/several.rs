//! Several targets as learners and folds take them.
//!
//! Learners take owned columns, folds one order of all rows, so both are made once a study. What belongs to one target
//! alone is refused here by its name.

use crate::decide::ClassWeights;
use crate::error::{Error, Kind};
use crate::predictions::{OneTruth, Truth};
use crate::prepared::PrepareOptions;
use crate::step::Step;
use data::Strata;
use trees::{OneTarget, OneValues};

/// Several targets of a study.
pub(crate) struct SeveralTargets {
    /// As learners take them.
    pub(crate) targets: Vec<OneTarget>,
    strata: OwnedStrata,
}

/// What keeps folds alike.
enum OwnedStrata {
    Classes(Vec<u32>),
    Values(Vec<f64>),
}

/// Targets whose classes folds keep alike: each doubles the sets of classes.
const MOST_LABELS: usize = 16;

impl SeveralTargets {
    /// Folds keep the sets of classes alike, or the mean of the numbers, each in deviations from its mean; targets that are
    /// not known in a row do not count.
    pub(crate) fn of(each: &[OneTruth], rows: &[u32]) -> SeveralTargets {
        let n_rows = each.first().map_or(0, |one| one.truth.n_rows());
        let (mut targets, mut labels) = (Vec::with_capacity(each.len()), vec![0u32; n_rows]);
        let (mut sums, mut counts) = (vec![0.0; n_rows], vec![0.0f64; n_rows]);
        for (k, one) in each.iter().enumerate() {
            let values = match &one.truth {
                Truth::Classes { labels: own, .. } => {
                    let place = k.min(MOST_LABELS) as u32;
                    if k < MOST_LABELS {
                        labels.iter_mut().zip(own).for_each(|(label, own)| *label |= own << place);
                    }
                    OneValues::Labels(own.clone())
                }
                Truth::Values(own) => {
                    add_deviations(one, own, rows, (&mut sums, &mut counts));
                    OneValues::Numbers(own.clone())
                }
                // There is none within another.
                Truth::Several(_) => OneValues::Numbers(vec![0.0; n_rows]),
            };
            targets.push(OneTarget { values, known: one.known.clone(), weight: 1.0 });
        }
        let of_classes = each.iter().any(|one| matches!(one.truth, Truth::Classes { .. }));
        let strata = if of_classes {
            OwnedStrata::Classes(labels)
        } else {
            OwnedStrata::Values(sums.iter().zip(&counts).map(|(sum, n)| sum / n.max(1.0)).collect())
        };
        SeveralTargets { targets, strata }
    }

    pub(crate) fn strata(&self) -> Strata<'_> {
        match &self.strata {
            OwnedStrata::Classes(labels) => Strata::Classes(labels),
            OwnedStrata::Values(values) => Strata::Values(values),
        }
    }
}

/// Adds how many deviations each row lies from the mean, where the target is known.
fn add_deviations(one: &OneTruth, values: &[f64], rows: &[u32], (sums, counts): (&mut [f64], &mut [f64])) {
    let known: Vec<u32> = rows.iter().copied().filter(|&row| one.is_known(row)).collect();
    let n = known.len().max(1) as f64;
    let mean = known.iter().map(|&row| values[row as usize] / n).sum::<f64>();
    let variance = known.iter().map(|&row| (values[row as usize] - mean).powi(2) / n).sum::<f64>();
    if !(variance > 0.0 && variance.is_finite()) {
        return;
    }
    for row in known {
        sums[row as usize] += (values[row as usize] - mean) / variance.sqrt();
        counts[row as usize] += 1.0;
    }
}

/// Refuses what a study of several targets cannot do: steps that see the target, rows that are added, weights of classes, a
/// base.
///
/// # Errors
/// `SeveralTargets`.
pub(crate) fn refuse_of_one(options: &PrepareOptions<'_>, steps: &[Step]) -> Result<(), Error> {
    let refuse = |what: String| Err(Kind::SeveralTargets { what }.into());
    if let Some(step) = steps.iter().find(|step| step.entry.sees_target) {
        return refuse(format!("the transform {}, which sees the target,", step.entry.name));
    }
    if let Some(augment) = &options.augment {
        return refuse(format!("the augmentation {}", augment.entry.name));
    }
    if options.class_weights != ClassWeights::None {
        return refuse("a weight of classes".to_owned());
    }
    match options.base {
        Some(_) => refuse("a model to go on from".to_owned()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(truth: Truth, known: Option<Vec<bool>>) -> OneTruth {
        OneTruth { name: "y".to_owned(), truth, known }
    }

    #[test]
    fn folds_keep_all_targets_alike() {
        let labels =
            |labels: &[u32]| Truth::Classes { labels: labels.to_vec(), n_classes: 2, positive: None };
        let each = [one(labels(&[0, 1, 1, 0]), None), one(labels(&[0, 0, 1, 1]), None)];
        let made = SeveralTargets::of(&each, &[0, 1, 2, 3]);
        let Strata::Classes(sets) = made.strata() else { panic!("classes") };
        assert_eq!(sets, [0, 1, 3, 2]);
        let numbers = |values: &[f64]| Truth::Values(values.to_vec());
        let known = Some(vec![true, true, false]);
        let each = [one(numbers(&[1e6, 3e6, 0.0]), known), one(numbers(&[1.0, 1.0, 4.0]), None)];
        let made = SeveralTargets::of(&each, &[0, 1, 2]);
        let Strata::Values(means) = made.strata() else { panic!("numbers") };
        assert!(means[0] < means[1] && means[1] < means[2], "{means:?}");
    }
}
