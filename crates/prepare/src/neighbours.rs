//! The rows that are nearest to a row, in codes.
//!
//! It stands apart because members of two families ask for them, and because the cost is here: every row that is asked
//! for is compared with every candidate. So there are at most 2,000 candidates, evenly spread over the rows, and sums
//! are whole numbers, which are the same on any machine in any order.

use crate::coded::Coded;
use ir::digest::SplitMix64;
use jobs::Seed;

/// Candidates, at most.
const MOST_CANDIDATES: usize = 2000;
/// The distance of two cells that could not differ more.
const ONE: u32 = 1 << 30;
/// Rows that a thread asks for in one go.
const CHUNK: usize = 32;

/// Rows among which neighbours are found. The squared distance of rows `a` and `b` is a sum over columns:
/// `((code_a - code_b) / (n_codes - 1))^2` of a number column, 1 where one cell is missing and the other not, 0 where
/// both are; of categories 1 where they differ, missing counted as one of them. Each term is a whole number of
/// steps of `2^-30`, rounded down. A row is no neighbour of itself; of equally near rows the first is nearer.
pub(crate) struct Neighbours<'a> {
    table: Coded<'a>,
    rows: Vec<u32>,
    columns: Vec<Candidates>,
}

/// The candidates' cells of one column.
struct Candidates {
    codes: Vec<u8>,
    missing: u8,
    /// The term of each gap between codes; none for categories.
    terms: Option<[u32; 256]>,
}

impl<'a> Neighbours<'a> {
    /// Candidates of these rows, rising: all, or evenly spread ones. O(candidates columns).
    pub(crate) fn among(table: Coded<'a>, rows: &[u32], seed: Seed) -> Neighbours<'a> {
        let rows = thinned(rows, MOST_CANDIDATES, seed.derive("candidates", 0));
        let columns = table.threads.map(table.n_columns(), |column| Candidates {
            codes: rows.iter().map(|&row| table.code(column, row)).collect(),
            missing: table.missing(column),
            terms: table.ordered(column).then(|| terms(table.missing(column))),
        });
        Neighbours { table, rows, columns }
    }

    /// The `k` nearest candidates of each row, the nearest first; fewer where there are not so many.
    /// O(rows candidates columns).
    pub(crate) fn nearest(&self, rows: &[u32], k: usize) -> Vec<Vec<u32>> {
        let chunks: Vec<&[u32]> = rows.chunks(CHUNK).collect();
        let found = self.table.threads.map(chunks.len(), |at| {
            chunks[at].iter().map(|&row| self.nearest_to(row, k)).collect::<Vec<_>>()
        });
        found.into_iter().flatten().collect()
    }

    /// Of the `k` nearest candidates of each row: how many there are, and how many of them have another label.
    /// O(rows candidates columns).
    pub(crate) fn of_other_classes(&self, rows: &[u32], k: usize, labels: &[u32]) -> Vec<[usize; 2]> {
        let count = |(&row, near): (&u32, Vec<u32>)| {
            let differs = |&&other: &&u32| labels[other as usize] != labels[row as usize];
            [near.len(), near.iter().filter(differs).count()]
        };
        rows.iter().zip(self.nearest(rows, k)).map(count).collect()
    }

    fn nearest_to(&self, row: u32, k: usize) -> Vec<u32> {
        let mut sums = vec![0u64; self.rows.len()];
        for (column, candidates) in self.columns.iter().enumerate() {
            let own = self.table.code(column, row);
            let cells = sums.iter_mut().zip(&candidates.codes);
            match &candidates.terms {
                Some(terms) if own < candidates.missing => cells.for_each(|(sum, &code)| {
                    let term = terms[usize::from(own.abs_diff(code))];
                    *sum += u64::from(if code < candidates.missing { term } else { ONE });
                }),
                _ => cells.for_each(|(sum, &code)| *sum += u64::from(if code == own { 0 } else { ONE })),
            }
        }
        let others = sums.into_iter().zip(self.rows.iter().copied()).filter(|&(_, other)| other != row);
        let mut near: Vec<(u64, u32)> = others.collect();
        if k < near.len() {
            near.select_nth_unstable(k);
            near.truncate(k);
        }
        near.sort_unstable();
        near.into_iter().map(|(_, row)| row).collect()
    }
}

/// The term of each gap between two of `n_codes` codes.
fn terms(n_codes: u8) -> [u32; 256] {
    let widest = u64::from(n_codes.max(2)) - 1;
    let mut terms = [ONE; 256];
    for (gap, term) in (0u64..).zip(&mut terms) {
        let exact = gap * gap * u64::from(ONE) / (widest * widest);
        *term = u32::try_from(exact).unwrap_or(ONE).min(ONE);
    }
    terms
}

/// All rows, or `most` that are evenly spread over them: one drawn from each of as many stretches. The first of each
/// would do, were there not tables in which every n-th row is of one kind.
pub(crate) fn thinned(rows: &[u32], most: usize, seed: Seed) -> Vec<u32> {
    if rows.len() <= most {
        return rows.to_vec();
    }
    let mut random = SplitMix64::new(seed.0);
    let first = |at: usize| (at as u128 * rows.len() as u128 / most as u128) as usize;
    let draw = |at: usize| {
        let n = u32::try_from(first(at + 1) - first(at)).unwrap_or(u32::MAX);
        rows[first(at) + random.below(n) as usize]
    };
    (0..most).map(draw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::laws::{Table, category, ordered};
    use jobs::{Seed, Threads};

    #[test]
    fn hand_computed() {
        let table = Table {
            encoders: vec![ordered(11), category(3)],
            // The last row is asked for.
            codes: vec![vec![0, 5, 10, 11, 3, 4], vec![1, 1, 1, 1, 2, 1]],
            numbers: vec![None, None],
            weights: None,
            n_rows: 6,
        };
        let (codes, threads) = (table.matrix(), Threads::one());
        let labels = [0, 1, 0, 0, 0, 1];
        let coded = Coded { encoders: &table.encoders, codes: &codes, threads: &threads };
        let all = Neighbours::among(coded, &[0, 1, 2, 3, 4, 5], Seed(1));
        // From 4: 0.16, 0.01, 0.36, 1 for missing, 0.01 + 1 for another category.
        assert_eq!(all.nearest(&[5], 9), [[1, 0, 2, 3, 4]]);
        assert_eq!(all.nearest(&[5, 5], 2), [[1, 0], [1, 0]]);
        assert_eq!(all.of_other_classes(&[5, 3], 3, &labels), [[3, 2], [3, 1]]);
        // From a missing cell all numbers are as far away; the first rows are nearer.
        assert_eq!(all.nearest(&[3], 3), [[0, 1, 2]]);
    }

    #[test]
    fn thinned_rows_are_one_of_each_stretch() {
        let rows: Vec<u32> = (0..100).collect();
        let firsts = [0, 11, 22, 33, 44, 55, 66, 77, 88, 100];
        for seed in 0..20 {
            let thinned = thinned(&rows, 9, Seed(seed));
            assert_eq!(thinned.len(), 9);
            for (row, ends) in thinned.iter().zip(firsts.windows(2)) {
                assert!((ends[0]..ends[1]).contains(row), "{row} of {ends:?}");
            }
        }
        assert_eq!(thinned(&rows, 100, Seed(1)), rows);
    }

    #[test]
    fn the_widest_gap_is_one() {
        for n_codes in [1, 2, 3, 100, 254] {
            let terms = terms(n_codes);
            assert_eq!((terms[0], terms[usize::from(n_codes.max(2)) - 1]), (0, ONE), "{n_codes}");
            assert!(terms.is_sorted(), "{n_codes}");
        }
    }
}
