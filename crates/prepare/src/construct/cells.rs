//! Rows as cells: bins of numbers, keys of categories, both crossed.
//!
//! All that is explained is explained by means over cells, so a column is looked at as one code a row. Codes never
//! see the target.

use crate::nodes::Labels;
use crate::statistics::{counts, quantile_of};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Values that an outer bin has at least after it was halved.
const LEAST_OUTER: usize = 20;

/// The rank of a missing cell.
const MISSING: u32 = u32::MAX;

/// The cell of each row; at most 2^16 of them.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    codes: Vec<u16>,
    /// What all codes are below.
    pub(super) n: usize,
}

impl Codes {
    /// `#{ e in edges : e < x }`; missing is a cell of its own.
    pub(super) fn of_numbers(values: &[f64], edges: &[f64]) -> Codes {
        let missing = edges.len() + 1;
        let code = |x: &f64| if x.is_nan() { missing } else { edges.partition_point(|e| e < x) };
        Codes { codes: values.iter().map(|x| code(x) as u16).collect(), n: missing + 1 }
    }

    /// A cell for each pair of cells.
    pub(super) fn crossed(a: &Codes, b: &Codes) -> Codes {
        let codes = a.iter().zip(b.iter()).map(|(first, second)| (first * b.n + second) as u16).collect();
        Codes { codes, n: a.n * b.n }
    }

    /// The cells, in row order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.codes.iter().map(|&code| usize::from(code))
    }

    pub(super) fn n_rows(&self) -> usize {
        self.codes.len()
    }

    /// True if all rows are in one cell.
    pub(super) fn is_constant(&self) -> bool {
        self.codes.windows(2).all(|pair| pair[0] == pair[1])
    }
}

/// At most so many of some items, evenly spaced in their order.
pub(super) fn spaced<T: Copy>(items: &[T], most: usize) -> Vec<T> {
    if items.len() <= most {
        return items.to_vec();
    }
    (0..most).map(|i| items[(i as u128 * items.len() as u128 / most as u128) as usize]).collect()
}

/// At most so many of the finite numbers, evenly spaced, sorted.
pub(super) fn sorted_some(values: &[f64], most: usize) -> Vec<f64> {
    let finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    let mut some = spaced(&finite, most);
    some.sort_by(f64::total_cmp);
    some
}

/// Edges of bins of equally many of some sorted numbers.
pub(super) fn even_edges(sorted: &[f64], n_bins: usize) -> Vec<f64> {
    let mut edges: Vec<f64> = (1..n_bins).filter_map(|i| quantile_of(sorted, i, n_bins)).collect();
    edges.dedup();
    edges
}

/// Edges of bins of equally many of some sorted numbers, the outer two halved again and again while a half has
/// [`LEAST_OUTER`] of them: there the numbers of a heavy tail differ most.
pub(super) fn edges(sorted: &[f64], n_bins: usize) -> Vec<f64> {
    let mut edges = even_edges(sorted, n_bins);
    let mut parts = 2 * n_bins.max(1);
    while sorted.len() / parts >= LEAST_OUTER {
        edges.extend(quantile_of(sorted, 1, parts));
        edges.extend(quantile_of(sorted, parts - 1, parts));
        parts *= 2;
    }
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    edges
}

/// The keys of a category column by how frequent they are.
pub(super) struct Ranks<'a> {
    /// The most frequent first, of equally frequent ones the first in byte order.
    keys: Vec<&'a str>,
    /// Place of each row's key.
    ranks: Vec<u32>,
}

impl<'a> Ranks<'a> {
    pub(super) fn new(texts: &[Option<&'a str>]) -> Ranks<'a> {
        let mut counted: Vec<(&str, u64)> = counts(texts.iter().copied()).into_iter().collect();
        // The sort is stable.
        counted.sort_by_key(|(_, n)| Reverse(*n));
        let keys: Vec<&str> = counted.into_iter().map(|(key, _)| key).collect();
        let places: BTreeMap<&str, u32> = keys.iter().copied().zip(0..).collect();
        let rank = |text: &Option<&str>| text.and_then(|key| places.get(key).copied()).unwrap_or(MISSING);
        let ranks = texts.iter().map(rank).collect();
        Ranks { keys, ranks }
    }

    /// Keys that have a cell of their own where at most so many may have one.
    fn n_own(&self, most: usize) -> usize {
        most.min(self.keys.len())
    }

    /// A cell for each of the most frequent keys, then one for all others and one for missing.
    pub(super) fn codes(&self, most: usize) -> Codes {
        let others = self.n_own(most);
        let code = |&rank: &u32| if rank == MISSING { others + 1 } else { others.min(rank as usize) };
        Codes { codes: self.ranks.iter().map(|rank| code(rank) as u16).collect(), n: others + 2 }
    }

    /// The map of the graph from a key to the value of its cell in [`Ranks::codes`]; unseen keys are others.
    pub(super) fn labels(&self, most: usize, value: impl Fn(usize) -> f64) -> Labels {
        let others = self.n_own(most);
        let own = self.keys.iter().take(others).enumerate();
        let mut own: Vec<(&str, f64)> = own.map(|(rank, key)| (*key, value(rank))).collect();
        own.sort_by(|a, b| a.0.cmp(b.0));
        let (keys, mut values): (Vec<String>, Vec<f64>) =
            own.into_iter().map(|(key, value)| (key.to_owned(), value)).unzip();
        values.extend([value(others), value(others + 1)]);
        Labels { keys, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_of_equally_many_and_finer_outside() {
        let values: Vec<f64> = (0..=160).map(f64::from).collect();
        assert_eq!(even_edges(&values, 4), [40.0, 80.0, 120.0]);
        // 161 / 8 = 20 values are enough for a half, 161 / 16 = 10 are not.
        assert_eq!(edges(&values, 4), [20.0, 40.0, 80.0, 120.0, 140.0]);
        let codes = Codes::of_numbers(&[-1.0, 20.0, 20.5, f64::NAN, f64::INFINITY], &[20.0, 40.0]);
        assert_eq!((codes.iter().collect::<Vec<_>>(), codes.n), (vec![0, 0, 1, 3, 2], 4));
        assert_eq!((edges(&[], 4), edges(&[3.0, 3.0], 4)), (vec![], vec![3.0]));
        assert_eq!(spaced(&[1, 2, 3, 4, 5], 2), [1, 3]);
        assert_eq!(sorted_some(&[3.0, f64::NAN, -1.0], 9), [-1.0, 3.0]);
    }

    #[test]
    fn keys_beyond_the_most_frequent_share_a_cell() {
        let texts = [Some("b"), Some("c"), None, Some("c"), Some("a")];
        let ranks = Ranks::new(&texts);
        let cells = |most: usize| ranks.codes(most).iter().collect::<Vec<_>>();
        // c is there twice, a comes before b.
        assert_eq!(cells(9), [2, 0, 4, 0, 1]);
        assert_eq!(cells(1), [1, 0, 2, 0, 1]);
        let labels = ranks.labels(2, |cell| cell as f64);
        assert_eq!(
            (labels.keys, labels.values),
            (vec!["a".to_owned(), "c".to_owned()], vec![1.0, 0.0, 2.0, 3.0])
        );
        let crossed = Codes::crossed(&ranks.codes(1), &ranks.codes(9));
        assert_eq!((crossed.iter().collect::<Vec<_>>(), crossed.n), (vec![7, 0, 14, 0, 6], 15));
    }
}
