//! The contract of the Augmentation family: new training rows, made of training rows.
//!
//! The life of a call: (1) all columns are codes, made once a study; (2) inside a fold, `make` sees the training
//! rows of that fold alone and gives rows that are new; (3) [`extended`] puts them behind the others, and a
//! learner learns from both. A row that is scored is never looked at, and never made.
//!
//! Rows are made in codes, since boosted trees see nothing else: between two codes of a number column lie the
//! codes of its quantiles. Where a learner takes numbers as they are, these are made beside the codes, from the
//! same random numbers. A member is one file and one line in [`AUGMENTATIONS`]; `laws.rs` runs on every member.

mod adasyn;
mod between;
mod borderline_smote;
mod mixup;
mod noise;
mod oversample;
mod rare_classes;
mod smote;

#[cfg(test)]
pub(crate) mod laws;

use crate::coded::Coded;
use crate::error::{Error, Kind};
use ir::Task;
use ir::digest::{SplitMix64, mix};
use jobs::{Seed, Threads};
use params::{ParamSpec, Params};
use std::sync::Arc;
use trees::{CodeMatrix, Encoder, Target};

/// Every augmentation: those of any row, then those of rare classes.
pub static AUGMENTATIONS: &[&AugmentationEntry] = &[
    &noise::ENTRY,
    &mixup::ENTRY,
    &oversample::ENTRY,
    &smote::ENTRY,
    &borderline_smote::ENTRY,
    &adasyn::ENTRY,
];

/// Made rows for each training row, at most.
const MOST_PER_ROW: usize = 4;
/// Made rows, at most.
const MOST_MADE: usize = 1_000_000;

/// The augmentation of a name.
///
/// # Errors
/// `UnknownAugmentation` lists the known ones.
pub fn augmentation(name: &str) -> Result<&'static AugmentationEntry, Error> {
    let found = AUGMENTATIONS.iter().find(|a| a.name == name);
    found.copied().ok_or_else(|| {
        let names = || AUGMENTATIONS.iter().map(|a| a.name);
        Kind::UnknownAugmentation {
            name: name.to_owned(),
            suggestion: params::suggestion(name, names()),
            known: names().collect::<Vec<_>>().join(", "),
        }
        .into()
    })
}

/// What rows are made of.
pub struct AugmentInput<'a> {
    /// How each column became codes.
    pub encoders: &'a [Encoder],
    /// The codes of all rows.
    pub codes: &'a CodeMatrix,
    /// By column: its numbers, missing as NaN; none for categories, and where the learner takes codes alone.
    pub numbers: &'a [Option<Arc<[f64]>>],
    /// The target of all rows.
    pub target: Target<'a>,
    /// Weight of each row; `None` weighs all alike.
    pub row_weights: Option<&'a [f32]>,
    /// The training rows, rising; other rows must not be looked at.
    pub rows: &'a [u32],
    /// Where randomness comes from.
    pub seed: Seed,
    /// Where parallel work runs; the number of threads changes nothing.
    pub threads: &'a Threads,
}

impl<'a> AugmentInput<'a> {
    fn coded(&self) -> Coded<'a> {
        Coded { encoders: self.encoders, codes: self.codes, threads: self.threads }
    }

    fn n_columns(&self) -> usize {
        self.coded().n_columns()
    }

    /// The training rows that weigh something, rising.
    fn training_rows(&self) -> Vec<u32> {
        let weighs = |&r: &u32| self.weight(r) > 0.0 && self.weight(r).is_finite();
        self.rows.iter().copied().filter(weighs).collect()
    }

    fn weight(&self, row: u32) -> f32 {
        self.row_weights.map_or(1.0, |w| w[row as usize])
    }

    fn code(&self, column: usize, row: u32) -> u8 {
        self.coded().code(column, row)
    }

    fn ordered(&self, column: usize) -> bool {
        self.coded().ordered(column)
    }

    fn missing(&self, column: usize) -> u8 {
        self.coded().missing(column)
    }

    fn numbers_of(&self, column: usize) -> Option<&'a [f64]> {
        self.numbers.get(column).and_then(|n| n.as_deref())
    }

    /// The class of each row, and the number of classes.
    ///
    /// # Errors
    /// `Task` for a target of numbers.
    fn labels(&self, augmentation: &'static str) -> Result<(&'a [u32], usize), Error> {
        match self.target {
            Target::Binary(labels) => Ok((labels, 2)),
            Target::Classes { labels, n_classes } => Ok((labels, n_classes)),
            Target::Values(_) | Target::Several(_) => {
                let (expected, got) = ("classes", Task::Regression.name());
                Err(Kind::Task { transform: augmentation, expected, got }.into())
            }
        }
    }
}

/// Rows that are new; none of them is a row of the table.
#[derive(Clone, Debug)]
pub struct MadeRows {
    /// The row that each starts from: cells that are neither codes nor numbers, such as bags, are that row's.
    pub from: Vec<u32>,
    /// The row that each was mixed with; that of `from` where there is none.
    pub other: Vec<u32>,
    /// Codes of each column, `codes[column][made]`; the column's number of codes is missing.
    pub codes: Vec<Vec<u8>>,
    /// Numbers of each column that has them, `numbers[column][made]`; NaN is missing.
    pub numbers: Vec<Option<Vec<f64>>>,
    /// The target of each.
    pub target: MadeTarget,
    /// The weight of each, above zero.
    pub weights: Vec<f32>,
}

/// The target of made rows.
#[derive(Clone, Debug, PartialEq)]
pub enum MadeTarget {
    /// Class of each row.
    Classes(Vec<u32>),
    /// Number of each row.
    Values(Vec<f64>),
}

impl MadeRows {
    /// Number of made rows.
    pub fn n_rows(&self) -> usize {
        self.from.len()
    }

    /// The rows of `parents`, whose targets are those that they start from. `code(column, made)` and
    /// `number(column, values of the column, made)` give their cells, column by column on all threads.
    fn of(
        input: &AugmentInput<'_>,
        parents: &[Parents],
        code: impl Fn(usize, usize) -> u8 + Sync + Send,
        number: impl Fn(usize, &[f64], usize) -> f64 + Sync + Send,
    ) -> MadeRows {
        let n_made = parents.len();
        let codes = input
            .threads
            .map(input.n_columns(), |column| (0..n_made).map(|made| code(column, made)).collect::<Vec<u8>>());
        let numbers = input.threads.map(input.n_columns(), |column| {
            let values = input.numbers_of(column)?;
            Some((0..n_made).map(|made| number(column, values, made)).collect::<Vec<f64>>())
        });
        let from = || parents.iter().map(|p| p.from as usize);
        let target = match input.target {
            Target::Binary(labels) | Target::Classes { labels, .. } => {
                MadeTarget::Classes(from().map(|row| labels[row]).collect())
            }
            Target::Values(values) => MadeTarget::Values(from().map(|row| values[row]).collect()),
            // Refused before.
            Target::Several(_) => MadeTarget::Values(vec![0.0; n_made]),
        };
        MadeRows {
            from: parents.iter().map(|p| p.from).collect(),
            other: parents.iter().map(|p| p.other).collect(),
            codes,
            numbers,
            target,
            weights: parents.iter().map(|p| p.weight).collect(),
        }
    }
}

/// What a made row comes of.
#[derive(Clone, Copy)]
struct Parents {
    /// The row that it starts from.
    from: u32,
    /// The row that it goes towards.
    other: u32,
    /// How far it goes, `0..=1`.
    share: f64,
    /// What it weighs.
    weight: f32,
}

impl Parents {
    /// A row alone, as it is.
    fn alone(row: u32, weight: f32) -> Parents {
        Parents { from: row, other: row, share: 0.0, weight }
    }
}

/// An augmentation makes rows.
pub trait Augmentation: Sync {
    /// Makes rows of the training rows. Exact: the same rows, parameters and seed give the same rows on any
    /// machine and any number of threads. Never more than four for each training row, nor than a million.
    ///
    /// # Errors
    /// `Task` for a target that the member does not answer.
    fn make(&self, input: &AugmentInput<'_>, params: &Params) -> Result<MadeRows, Error>;
}

/// One line of the table.
pub struct AugmentationEntry {
    /// Name on the command line.
    pub name: &'static str,
    /// What it is, in one line.
    pub doc: &'static str,
    /// The tasks that it makes rows for.
    pub tasks: &'static [Task],
    /// Its parameters.
    pub spec: &'static [ParamSpec],
    /// The augmentation.
    pub augmentation: &'static dyn Augmentation,
}

impl AugmentationEntry {
    /// Parameters with these settings.
    ///
    /// # Errors
    /// An unknown name or a value out of range.
    pub fn params(&self, settings: &[(String, String)]) -> Result<Params, Error> {
        Ok(Params::parse(self.name, &[self.spec], settings)?)
    }
}

/// Codes with made rows behind them. O(rows columns).
pub fn extended(codes: &CodeMatrix, made: &MadeRows) -> CodeMatrix {
    codes.with_rows(made.n_rows(), &made.codes)
}

/// Numbers, by column, with made rows behind them. A column of which none were made has the cells of the rows
/// that were started from. O(rows columns).
pub fn extended_numbers(numbers: &[Option<Arc<[f64]>>], made: &MadeRows) -> Vec<Option<Arc<[f64]>>> {
    let extend = |(column, values): (usize, &Option<Arc<[f64]>>)| {
        let values = values.as_deref()?;
        Some(match made.numbers.get(column).and_then(Option::as_ref) {
            Some(new) => values.iter().chain(new).copied().collect(),
            None => values.iter().copied().chain(made.from.iter().map(|&row| values[row as usize])).collect(),
        })
    };
    numbers.iter().enumerate().map(extend).collect()
}

/// The tasks of members that look at classes.
const CLASSES: &[Task] = &[Task::Binary, Task::Multiclass];

/// Made rows of `n_rows` training rows, at most.
fn most_made(n_rows: usize) -> usize {
    n_rows.saturating_mul(MOST_PER_ROW).min(MOST_MADE)
}

/// The random words of a cell of a made row, by the row's own seed.
fn words_of_cell(seed: u64, column: usize) -> SplitMix64 {
    SplitMix64::new(mix(seed.wrapping_add(column as u64)))
}
