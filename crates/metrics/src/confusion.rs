//! The confusion matrix and the table per class that reports print beside it.

use crate::class_sums::ClassSums;
use crate::error::{Error, Kind};
use crate::observed::Classified;

/// Counts of rows by true class (rows) and predicted class (columns). Row weights play no part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    n_classes: usize,
    counts: Vec<u64>,
}

impl Confusion {
    /// Counts the rows. O(n_rows + n_classes^2).
    /// # Errors
    /// `TooLarge` if `n_classes^2` counts do not fit in memory.
    pub fn try_new(rows: &Classified<'_>) -> Result<Confusion, Error> {
        let n_classes = rows.n_classes();
        let too_large = || Error::new(Kind::TooLarge { n_rows: n_classes, n_classes });
        let len = n_classes.checked_mul(n_classes).ok_or_else(too_large)?;
        let mut counts = Vec::new();
        counts.try_reserve_exact(len).map_err(|_| too_large())?;
        counts.resize(len, 0);
        for (&label, &predicted) in rows.labels().iter().zip(rows.predicted()) {
            counts[label as usize * n_classes + predicted as usize] += 1;
        }
        Ok(Confusion { n_classes, counts })
    }

    /// Classes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// Rows of class `label` that were predicted as `predicted`; 0 for a class that does not exist.
    pub fn count(&self, label: usize, predicted: usize) -> u64 {
        self.rows().nth(label).and_then(|row| row.get(predicted)).copied().unwrap_or(0)
    }

    /// The matrix row by row: one slice `[n_classes]` for each true class.
    pub fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.counts.chunks_exact(self.n_classes)
    }
}

/// How one class fares; each value 0 where its denominator is 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassRow {
    /// Of the rows predicted as the class, the share that is of it.
    pub precision: f64,
    /// Of the rows of the class, the share that is predicted as it.
    pub recall: f64,
    /// `2 tp / (2 tp + fp + fn)`.
    pub f1: f64,
    /// Weight of the rows of the class: their number if there are no row weights.
    pub support: f64,
}

/// One [`ClassRow`] for each class, in class order.
/// # Source
/// scikit-learn `precision_recall_fscore_support(average=None, zero_division=0)`.
pub fn class_table(rows: &Classified<'_>) -> Vec<ClassRow> {
    let sums = ClassSums::of(rows);
    let row = |class| ClassRow {
        precision: sums.precision(class),
        recall: sums.recall(class),
        f1: sums.f1(class),
        support: sums.labelled[class],
    };
    (0..rows.n_classes()).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Rows;

    #[test]
    fn counts_by_label_then_prediction() {
        let rows = Rows::predicted(&[0, 0, 1, 2, 2, 2], &[0, 1, 1, 0, 2, 2], 3).weighted(&[9.0; 6]);
        let confusion = Confusion::try_new(&rows.classified()).unwrap();
        assert_eq!(confusion.rows().collect::<Vec<_>>(), [[1, 1, 0], [0, 1, 0], [1, 0, 2]]);
        assert_eq!(
            [confusion.count(2, 0), confusion.count(0, 2), confusion.count(3, 0), confusion.count(0, 3)],
            [1, 0, 0, 0]
        );
        assert_eq!(confusion.n_classes(), 3);
    }

    #[test]
    fn table_by_class() {
        // Class 0: 1 of 2 predicted, 1 of 2 labelled. Class 1: 1 of 2, 1 of 1. Class 2: 2 of 2, 2 of 3. Class 3: none.
        let rows = Rows::predicted(&[0, 0, 1, 2, 2, 2], &[0, 1, 1, 0, 2, 2], 4);
        let row = |precision, recall, f1, support| ClassRow { precision, recall, f1, support };
        assert_eq!(
            class_table(&rows.classified()),
            [
                row(0.5, 0.5, 0.5, 2.0),
                row(0.5, 1.0, 2.0 / 3.0, 1.0),
                row(1.0, 2.0 / 3.0, 0.8, 3.0),
                row(0.0, 0.0, 0.0, 0.0)
            ]
        );
    }
}
