//! Rows that are added to the training rows of a fit.

use crate::error::Error;
use crate::features::Features;
use crate::prepared::Prepared;
use ir::Bags;
use jobs::{Seed, Threads};
use params::Params;
use prepare::augment::{AugmentInput, AugmentationEntry, MadeRows, MadeTarget};
use prepare::augment::{augmentation, extended, extended_numbers};
use std::sync::Arc;
use trees::{CodeMatrix, Rows, Target};

/// How rows are added inside folds.
#[derive(Clone)]
pub struct Augment {
    /// The augmentation.
    pub entry: &'static AugmentationEntry,
    /// Its parameters.
    pub params: Params,
}

impl Augment {
    /// By name, with these settings.
    ///
    /// # Errors
    /// An unknown augmentation or parameter, a value out of range.
    pub fn parse(name: &str, settings: &[(String, String)]) -> Result<Augment, Error> {
        let entry = augmentation(name)?;
        Ok(Augment { entry, params: entry.params(settings)? })
    }
}

/// A table with rows that were made behind its own.
pub(crate) struct Augmented {
    pub(crate) codes: CodeMatrix,
    pub(crate) numbers: Vec<Option<Arc<[f64]>>>,
    pub(crate) bags: Vec<Option<(Arc<Bags>, usize)>>,
    pub(crate) rows: Rows,
    pub(crate) row_weights: Option<Vec<f32>>,
    made: MadeTarget,
    n_classes: usize,
}

impl Augmented {
    /// Adds rows to those that are learnt from; rows held back are never looked at.
    pub(crate) fn new(
        augment: &Augment,
        (prepared, features): (&Prepared<'_>, &Features),
        rows: &Rows,
        (seed, threads): (Seed, &Threads),
    ) -> Result<Augmented, Error> {
        let target = prepared.target();
        let row_weights = prepared.row_weights.as_deref();
        let input = AugmentInput {
            encoders: &features.encoders,
            codes: &features.codes,
            numbers: &features.numbers,
            target,
            row_weights,
            rows: &rows.train,
            seed: seed.derive("augment", 0),
            threads,
        };
        let made = augment.entry.augmentation.make(&input, &augment.params)?;
        let n_rows = features.codes.n_rows();
        let mut train = rows.train.clone();
        train.extend((n_rows..n_rows + made.n_rows()).filter_map(|row| u32::try_from(row).ok()));
        let weights = || {
            let own = row_weights.map_or_else(|| vec![1.0; n_rows], <[f32]>::to_vec);
            [own, made.weights.clone()].concat()
        };
        let is_weighed = row_weights.is_some() || made.weights.iter().any(|&w| w != 1.0);
        Ok(Augmented {
            codes: extended(&features.codes, &made),
            numbers: extended_numbers(&features.numbers, &made),
            bags: features.bags.iter().map(|bags| bags.as_ref().map(|b| with_bags(b, &made))).collect(),
            rows: Rows { train, others: rows.others.clone() },
            row_weights: is_weighed.then(weights),
            n_classes: target.n_outputs().max(2),
            made: match (target, made.target) {
                (Target::Binary(own) | Target::Classes { labels: own, .. }, MadeTarget::Classes(made)) => {
                    MadeTarget::Classes([own, &made[..]].concat())
                }
                (Target::Values(own), MadeTarget::Values(made)) => {
                    MadeTarget::Values([own, &made[..]].concat())
                }
                (_, other) => other,
            },
        })
    }

    /// The target of all rows, made ones behind the others.
    pub(crate) fn target(&self) -> Target<'_> {
        match &self.made {
            MadeTarget::Classes(labels) if self.n_classes == 2 => Target::Binary(labels),
            MadeTarget::Classes(labels) => Target::Classes { labels, n_classes: self.n_classes },
            MadeTarget::Values(values) => Target::Values(values),
        }
    }
}

/// Bags with those of the rows that were started from behind them.
fn with_bags((bags, width): &(Arc<Bags>, usize), made: &MadeRows) -> (Arc<Bags>, usize) {
    let mut all = Bags::clone(bags);
    for &row in &made.from {
        let range = bags.offsets[row as usize]..bags.offsets[row as usize + 1];
        all.push(range.map(|at| (bags.ids[at], bags.weights[at])));
    }
    (Arc::new(all), *width)
}
