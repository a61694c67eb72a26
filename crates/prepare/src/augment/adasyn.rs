//! `adasyn`: as `smote`, but more from rows that other classes surround.

use super::between::{K, by_other_classes, k};
use super::rare_classes::RATIO;
use super::{AugmentInput, Augmentation, AugmentationEntry, CLASSES, MadeRows};
use crate::error::Error;
use params::Params;

/// The line of the table.
pub(super) static ENTRY: AugmentationEntry = AugmentationEntry {
    name: "adasyn",
    doc: "rows of rare classes between near rows, more where other classes are near",
    tasks: CLASSES,
    spec: &[RATIO, K],
    augmentation: &Adasyn,
};

/// As [`super::smote`], but the rows `x` of a class start made rows in proportion to `r = d / k`, where `d` of the `k`
/// nearest training rows of all classes have another class: `g_i = G r_i / sum r`, rounded so that all `G` are
/// made. A class whose rows have no row of another class near gets none; a class of one row is copied.
/// O(asked rows candidates columns): at most 50,000 rows are asked for, with at most 2,000 candidates of all
/// classes, and 2,000 of their own.
/// # Source  He, Bai, Garcia & Li, ADASYN, IJCNN 2008; deviations: those of `smote`; `G` follows from `ratio`, which
/// is their `beta` where it is 1; a row is mixed with one of its `k` nearest rows of its own class.
struct Adasyn;

impl Augmentation for Adasyn {
    fn make(&self, input: &AugmentInput<'_>, params: &Params) -> Result<MadeRows, Error> {
        by_other_classes(input, ENTRY.name, params, k(params), |_, others| others as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::laws::{Making, on_a_line};
    use trees::Target;

    /// The row at 10 has two rows of class 0 near, that at 2 has one, the others none.
    #[test]
    fn hand_computed() {
        let (table, labels) = on_a_line();
        let rows: Vec<u32> = (0..13).collect();
        let making = Making { target: Target::Binary(&labels), rows: &rows, seed: 5, n_threads: 1 };
        let made = table.make(&ENTRY, &[("ratio", "1"), ("k", "2")], making).unwrap();
        assert_eq!(made.from, [5, 5, 9]);
        // The nearest of class 1: 2 and 1 of 10; 1 and 0 of 2.
        assert!(made.other[..2].iter().all(|row| [9, 1].contains(row)), "{:?}", made.other);
        assert!([1, 0].contains(&made.other[2]), "{:?}", made.other);
    }
}
