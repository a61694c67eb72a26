//! Which classes get rows, and how many.
//!
//! It stands apart because all members that make rows of rare classes mean the same by "rare" and share the bounds on
//! what is made and what is compared.

use super::{AugmentInput, most_made};
use crate::error::Error;
use crate::neighbours::thinned;
use params::{ParamSpec, Range, Value};

/// How many rows a class should have.
pub(super) const RATIO: ParamSpec = ParamSpec {
    name: "ratio",
    aliases: &["sampling_strategy"],
    default: Value::Real(0.5),
    range: Range::Real { low: 0.0, high: 1.0 },
    doc: "rows that a class should have, as a share of those of the largest",
};

/// Rows of all classes that neighbours are sought for, at most.
const MOST_ASKED: usize = 50_000;

/// A class that has fewer rows than it should.
pub(super) struct RareClass {
    /// Which class.
    pub(super) class: u32,
    /// Its training rows, rising; at least one.
    pub(super) rows: Vec<u32>,
    /// Those that neighbours are sought for: all, or evenly spread ones.
    pub(super) asked: Vec<u32>,
    /// How many rows to make; may be 0 where the bound on made rows cuts it.
    pub(super) wanted: usize,
}

/// The classes that have fewer than `ratio` times the rows of the largest, and how many they lack, rounded up. Rows
/// are counted, not weighed. Where all together lack more than may be made, each gets its part of that. Above
/// 50,000 training rows, neighbours are sought for as many, evenly spread over each class, two of a class at least.
/// O(rows).
///
/// # Errors
/// `Task` for a target of numbers.
pub(super) fn rare_classes(
    input: &AugmentInput<'_>,
    augmentation: &'static str,
    ratio: f64,
) -> Result<Vec<RareClass>, Error> {
    let (labels, n_classes) = input.labels(augmentation)?;
    let training = input.training_rows();
    let mut by_class: Vec<Vec<u32>> = vec![Vec::new(); n_classes];
    for &row in &training {
        if let Some(rows) = by_class.get_mut(labels[row as usize] as usize) {
            rows.push(row);
        }
    }
    let largest = by_class.iter().map(Vec::len).max().unwrap_or(0);
    // A product that is a whole number must not be rounded up for the error of its last bit.
    let target = (ratio * largest as f64 - 1e-6).ceil().max(0.0) as usize;
    let rare = |rows: &Vec<u32>| !rows.is_empty() && rows.len() < target;
    let lacking: usize = by_class.iter().filter(|rows| rare(rows)).map(|rows| target - rows.len()).sum();
    let most = most_made(training.len());
    let mut classes = Vec::new();
    for (class, rows) in (0u32..).zip(by_class) {
        if !rare(&rows) {
            continue;
        }
        let lacks = target - rows.len();
        let part = lacks as u128 * most as u128 / lacking.max(1) as u128;
        let wanted = if lacking > most { part as usize } else { lacks };
        let asked = if training.len() > MOST_ASKED {
            let part = rows.len() as u128 * MOST_ASKED as u128 / training.len() as u128;
            thinned(&rows, (part as usize).max(2), input.seed.derive("asked", u64::from(class)))
        } else {
            rows.clone()
        };
        classes.push(RareClass { class, rows, asked, wanted });
    }
    Ok(classes)
}
