//! Folds: which rows validate which fit.
//!
//! A fold is decided by integers alone (seed, row, class), so it is the same on any machine.

use ir::digest::mix;
use std::collections::HashMap;

/// What keeps the folds alike.
#[derive(Clone, Copy, Debug)]
pub enum Strata<'a> {
    /// Each class is spread evenly; one label a row.
    Classes(&'a [u32]),
    /// Rows are spread by their order of value, so that each fold sees the whole range.
    Values(&'a [f64]),
}

/// The fold of each of `rows`, in `0..n_folds`; without copies, sizes differ by at most two in every
/// class and by at most one overall. `strata` and `first_copy` (for each row the first one that is its
/// copy; copies share a fold) are indexed by row. `n_folds` is at least 2. O(n log n).
pub fn folds(rows: &[u32], strata: Strata<'_>, first_copy: &[u32], n_folds: u32, seed: u64) -> Vec<u32> {
    let n_folds = n_folds.max(2);
    let shuffled = |row: u32| mix(seed ^ mix(u64::from(row)));
    // The first of each set of copies among these rows is dealt, the others follow it.
    let mut leader: HashMap<u32, usize> = HashMap::new();
    let follows: Vec<usize> = rows
        .iter()
        .enumerate()
        .map(|(i, &row)| *leader.entry(first_copy[row as usize]).or_insert(i))
        .collect();
    let mut order: Vec<usize> = (0..rows.len()).filter(|&i| follows[i] == i).collect();
    match strata {
        Strata::Classes(labels) => {
            order.sort_by_key(|&i| (labels[rows[i] as usize], shuffled(rows[i]), rows[i]));
        }
        Strata::Values(values) => {
            order.sort_by(|&a, &b| {
                let (a, b) = (rows[a], rows[b]);
                values[a as usize]
                    .total_cmp(&values[b as usize])
                    .then_with(|| shuffled(a).cmp(&shuffled(b)))
                    .then(a.cmp(&b))
            });
        }
    }
    // Dealing blocks of n_folds neighbours in random order spreads both classes and values.
    let mut fold = vec![0; rows.len()];
    for (block, members) in order.chunks(n_folds as usize).enumerate() {
        let mut hands: Vec<u32> = (0..n_folds).collect();
        hands.sort_by_key(|&h| (mix(seed.wrapping_add(mix(block as u64)) ^ u64::from(h)), h));
        // A last, short block goes to the first hands.
        for (&i, &hand) in members.iter().zip(&hands) {
            fold[i] = hand;
        }
    }
    follows.iter().map(|&i| fold[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_sizes_are_even() {
        let labels: Vec<u32> = (0..103).map(|i| u32::from(i % 5 == 0)).collect();
        let rows: Vec<u32> = (0..103).collect();
        let fold = folds(&rows, Strata::Classes(&labels), &rows, 4, 7);
        for class in 0..2 {
            let mut sizes = [0; 4];
            for (&f, _) in fold.iter().zip(&labels).filter(|(_, l)| **l == class) {
                sizes[f as usize] += 1;
            }
            let spread = sizes.iter().max().unwrap() - sizes.iter().min().unwrap();
            assert!(spread <= 2, "class {class}: {sizes:?}");
        }
        assert_eq!(fold, folds(&rows, Strata::Classes(&labels), &rows, 4, 7));
        assert_ne!(fold, folds(&rows, Strata::Classes(&labels), &rows, 4, 8));
    }

    #[test]
    fn copies_share_a_fold() {
        let labels = vec![0u32; 90];
        let rows: Vec<u32> = (0..90).collect();
        let first_copy: Vec<u32> = (0..90).map(|i| i % 30).collect();
        let fold = folds(&rows, Strata::Classes(&labels), &first_copy, 3, 5);
        for i in 0..30 {
            assert!(fold[i] == fold[i + 30] && fold[i] == fold[i + 60]);
        }
        for k in 0..3 {
            assert_eq!(fold.iter().filter(|f| **f == k).count(), 30);
        }
    }

    #[test]
    fn each_fold_sees_the_range_of_values() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let rows: Vec<u32> = (0..100).collect();
        let fold = folds(&rows, Strata::Values(&values), &rows, 5, 1);
        for k in 0..5 {
            let mean = values.iter().zip(&fold).filter(|(_, f)| **f == k).map(|(v, _)| v).sum::<f64>() / 20.0;
            assert!((mean - 49.5).abs() < 2.5, "fold {k}: {mean}");
        }
    }
}
