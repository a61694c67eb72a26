//! Rows that are added to the training rows of a fit, and what is learnt of the others.
//!
//! It stands apart because there is one place where rows are added, whoever makes them: an augmentation, or a teacher,
//! whose soft labels are rows that stand once more with another class.

use crate::error::Error;
use crate::features::Features;
use crate::prepared::Prepared;
use ir::Bags;
use jobs::{Seed, Threads};
use learn::FitInput;
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

/// A table as a fit learns it: its rows, those behind them, and what each is and weighs.
pub(crate) struct Augmented {
    /// Cells of all rows; those of the features alone where no row is added.
    cells: Option<Cells>,
    rows: Rows,
    row_weights: Option<Vec<f32>>,
    target: MadeTarget,
    n_classes: usize,
}

/// The cells of a table with those of rows behind it.
struct Cells {
    codes: CodeMatrix,
    numbers: Vec<Option<Arc<[f64]>>>,
    bags: Vec<Option<(Arc<Bags>, usize)>>,
}

/// What is learnt of a table's rows, and of those behind them.
pub(crate) struct Lesson {
    /// What each row is.
    pub(crate) target: MadeTarget,
    /// What each row weighs.
    pub(crate) weights: Vec<f32>,
    /// Rows of the table that are learnt from, rising.
    pub(crate) train: Vec<u32>,
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
        let cells = Cells {
            codes: extended(&features.codes, &made),
            numbers: extended_numbers(&features.numbers, &made),
            bags: with_bags(features, |_| made.from.iter().copied()),
        };
        let n_rows = features.codes.n_rows();
        let own = row_weights.map_or_else(|| vec![1.0; n_rows], <[f32]>::to_vec);
        let MadeRows { weights, target: made, .. } = made;
        let target = match (target, made) {
            (Target::Binary(own) | Target::Classes { labels: own, .. }, MadeTarget::Classes(made)) => {
                MadeTarget::Classes([own, &made[..]].concat())
            }
            (Target::Values(own), MadeTarget::Values(made)) => MadeTarget::Values([own, &made[..]].concat()),
            (_, other) => other,
        };
        let lesson = Lesson { target, weights: [own, weights].concat(), train: rows.train.clone() };
        Ok(Augmented::of(Some(cells), lesson, &rows.others, prepared))
    }

    /// Rows that stand behind the others with cells of rows of the table: `row_of(feature)` are the rows that the cells of
    /// a feature come from, `n_behind` of them.
    pub(crate) fn of_cells<I: Iterator<Item = u32>>(
        (prepared, features): (&Prepared<'_>, &Features),
        (n_behind, rows_of): (usize, impl Fn(usize) -> I + Sync + Send),
        lesson: Lesson,
        others: &[u32],
        threads: &Threads,
    ) -> Augmented {
        if n_behind == 0 {
            return Augmented::of(None, lesson, others, prepared);
        }
        let n_features = features.features.len();
        let codes = threads
            .map(n_features, |at| rows_of(at).map(|row| features.codes.code(at, row)).collect::<Vec<u8>>());
        let numbers = threads.map(n_features, |at| {
            let values = features.numbers.get(at)?.as_deref()?;
            let behind = rows_of(at).map(|row| values[row as usize]);
            Some(values.iter().copied().chain(behind).collect::<Arc<[f64]>>())
        });
        let codes = features.codes.with_rows(n_behind, &codes);
        let cells = Cells { codes, numbers, bags: with_bags(features, rows_of) };
        Augmented::of(Some(cells), lesson, others, prepared)
    }

    fn of(cells: Option<Cells>, lesson: Lesson, others: &[u32], prepared: &Prepared<'_>) -> Augmented {
        let Lesson { target, weights, mut train } = lesson;
        let n_rows = prepared.truth.n_rows();
        train.extend((n_rows..weights.len()).filter_map(|row| u32::try_from(row).ok()));
        let is_weighed = prepared.row_weights.is_some() || weights.iter().any(|&w| w != 1.0);
        Augmented {
            cells,
            rows: Rows { train, others: others.to_vec() },
            row_weights: is_weighed.then_some(weights),
            target,
            n_classes: prepared.target().n_outputs().max(2),
        }
    }

    /// What a learner learns from, in the place of what it would learn from the table alone.
    pub(crate) fn input<'a>(&'a self, input: FitInput<'a>) -> FitInput<'a> {
        let input = FitInput {
            target: self.target(),
            row_weights: self.row_weights.as_deref(),
            rows: self.rows.clone(),
            ..input
        };
        match &self.cells {
            Some(Cells { codes, numbers, bags }) => FitInput { codes, numbers, bags, ..input },
            None => input,
        }
    }

    /// The target of all rows, made ones behind the others.
    fn target(&self) -> Target<'_> {
        match &self.target {
            MadeTarget::Classes(labels) if self.n_classes == 2 => Target::Binary(labels),
            MadeTarget::Classes(labels) => Target::Classes { labels, n_classes: self.n_classes },
            MadeTarget::Values(values) => Target::Values(values),
        }
    }
}

/// Bags with those of the rows that are behind them, by feature.
fn with_bags<I: Iterator<Item = u32>>(
    features: &Features,
    rows_of: impl Fn(usize) -> I,
) -> Vec<Option<(Arc<Bags>, usize)>> {
    let with = |(at, bags): (usize, &Option<(Arc<Bags>, usize)>)| {
        let (bags, width) = bags.as_ref()?;
        let mut all = Bags::clone(bags);
        for row in rows_of(at) {
            let range = bags.offsets[row as usize]..bags.offsets[row as usize + 1];
            all.push(range.map(|place| (bags.ids[place], bags.weights[place])));
        }
        Some((Arc::new(all), *width))
    };
    features.bags.iter().enumerate().map(with).collect()
}
