//! `borderline_smote`: as `smote`, but only from rows at the border of their class.

use super::between::{K, by_other_classes, k};
use super::rare_classes::RATIO;
use super::{AugmentInput, Augmentation, AugmentationEntry, CLASSES, MadeRows};
use crate::error::Error;
use params::Params;

/// The line of the table.
pub(super) static ENTRY: AugmentationEntry = AugmentationEntry {
    name: "borderline_smote",
    doc: "rows of rare classes between a row at the border of its class and a near row of it",
    tasks: CLASSES,
    spec: &[RATIO, K],
    augmentation: &BorderlineSmote,
};

/// As [`super::smote`], but only rows `x` in danger start made rows: of their `m = 2k` nearest training rows of all
/// classes, `m'` have another class and `m / 2 <= m' < m`. Rows with `m' = m` count as noise. With fewer rows than
/// `m`, `m` is their number. A class of which no row is in danger gets none; a class of one row is copied.
/// O(asked rows candidates columns): at most 50,000 rows are asked for, with at most 2,000 candidates of all
/// classes, and 2,000 of their own.
/// # Source  Han, Wang & Mao, Borderline-SMOTE, ICIC 2005 (Borderline-SMOTE1); deviations: those of `smote`,
/// `m = 2k` as in imbalanced-learn's `BorderlineSMOTE`.
struct BorderlineSmote;

impl Augmentation for BorderlineSmote {
    fn make(&self, input: &AugmentInput<'_>, params: &Params) -> Result<MadeRows, Error> {
        let in_danger = |n: usize, others: usize| u64::from(2 * others >= n && others < n);
        by_other_classes(input, ENTRY.name, params, 2 * k(params), in_danger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::laws::{Making, on_a_line};
    use trees::Target;

    /// Of the five rows of class 1, at 0, 1, 10, 0 and 2, only the last has one of its two nearest rows, 1 and 3, in
    /// class 0: 0 and 1 have none, 10 has 9 and 8, so it is noise.
    #[test]
    fn hand_computed() {
        let (table, labels) = on_a_line();
        let rows: Vec<u32> = (0..13).collect();
        let making = Making { target: Target::Binary(&labels), rows: &rows, seed: 5, n_threads: 1 };
        let made = table.make(&ENTRY, &[("ratio", "1"), ("k", "1")], making).unwrap();
        assert_eq!((&made.from[..], &made.other[..]), (&[9, 9, 9][..], &[1, 1, 1][..]));
        assert!(made.codes[0].iter().all(|c| (1..=2).contains(c)), "{:?}", made.codes);
    }
}
