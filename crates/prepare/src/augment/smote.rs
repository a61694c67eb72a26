//! `smote`: rows of rare classes between a row and a near row of its class.

use super::between::{K, between_neighbours, k};
use super::rare_classes::{RATIO, rare_classes};
use super::{AugmentInput, Augmentation, AugmentationEntry, CLASSES, MadeRows};
use crate::error::Error;
use crate::starts::evenly;
use params::Params;

/// The line of the table.
pub(super) static ENTRY: AugmentationEntry = AugmentationEntry {
    name: "smote",
    doc: "rows of rare classes between a row and a near row of its class",
    tasks: CLASSES,
    spec: &[RATIO, K],
    augmentation: &Smote,
};

/// Rows `x + u (y - x)` of each rare class, until it has `ratio` times the rows of the largest: `x` is each row of the
/// class as often as any other, give or take once, `y` one of the `k` rows of its class that are nearest to `x`,
/// and `u` uniform in `0..1`. A code is rounded, half away from zero; a category is the most frequent one of the
/// `k` neighbours (SMOTE-NC). A cell that is missing in either row is that of `x`. A row weighs what `x` weighs; a
/// class of one row is copied.
/// O(asked rows candidates columns): at most 50,000 rows are asked for, each class has at most 2,000 candidates.
/// # Source  Chawla, Bowyer, Hall & Kegelmeyer, JAIR 16, 2002, section 4.2 and, for categories, 6.1; deviations: one
/// `u` for all columns of a row, as in imbalanced-learn's `SMOTE`; distances in codes, so a category that differs
/// counts as the widest gap of a number column, not as the median deviation.
struct Smote;

impl Augmentation for Smote {
    fn make(&self, input: &AugmentInput<'_>, params: &Params) -> Result<MadeRows, Error> {
        let mut classes = Vec::new();
        for class in rare_classes(input, ENTRY.name, params.real(RATIO.name))? {
            let starts = evenly(&class.asked, class.wanted);
            classes.push((class, starts));
        }
        Ok(between_neighbours(input, ENTRY.name, k(params), &classes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::laws::{Making, Table, category, ordered};
    use ir::digest::SplitMix64;
    use jobs::Seed;
    use trees::Target;

    /// Two rows of class 1 are each other's only neighbour.
    #[test]
    fn hand_computed() {
        let nan = f64::NAN;
        let table = Table {
            encoders: vec![ordered(10), category(4), ordered(10)],
            codes: vec![vec![9, 2, 9, 9, 6, 9], vec![0, 1, 0, 0, 3, 0], vec![9, 10, 9, 9, 4, 9]],
            numbers: vec![Some(vec![90.0, 20.0, 90.0, 90.0, 60.0, 90.0]), None, Some(vec![nan; 6])],
            weights: Some(vec![1.0, 2.0, 1.0, 1.0, 3.0, 1.0]),
            n_rows: 6,
        };
        let labels = [0, 1, 0, 0, 1, 0];
        let rows = [0, 1, 2, 3, 4, 5];
        let making = Making { target: Target::Binary(&labels), rows: &rows, seed: 8, n_threads: 1 };
        let made = table.make(&ENTRY, &[("ratio", "1")], making).unwrap();
        assert_eq!((&made.from[..], &made.other[..]), (&[1, 4][..], &[4, 1][..]));
        let u = [0, 1].map(|at| {
            let mut random = SplitMix64::new(Seed(8).derive("smote", at).0);
            random.next_word();
            random.unit()
        });
        let codes = [(2.0 + 4.0 * u[0]).round() as u8, (6.0 - 4.0 * u[1]).round() as u8];
        // The category is the neighbour's; a missing cell stays, and leaves the other's as it is.
        assert_eq!(made.codes, [codes, [3, 1], [10, 4]]);
        let numbers = made.numbers[0].as_ref().unwrap();
        for (number, expected) in numbers.iter().zip([20.0 + 40.0 * u[0], 60.0 - 40.0 * u[1]]) {
            assert!((number - expected).abs() < 1e-12, "{number} for {expected}");
        }
        assert_eq!(made.weights, [2.0, 3.0]);
    }
}
