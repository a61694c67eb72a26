//! Columns to codes: edges and dictionaries, fitted once a study.
//!
//! Neither looks at the target, so one encoder serves all folds and candidates (DESIGN, section 3).

use crate::edges::cuts;
use ir::fixed::{from_key_f64, key_f64, shortest_between};
use ir::forest::MISSING;
use ir::{Column, ColumnData};
use std::collections::BTreeMap;

/// Rows that are looked at to place the edges of a column.
const SAMPLE: usize = 200_000;

/// Turns one column into codes below 255; missing is 255.
#[derive(Clone, Debug, PartialEq)]
pub enum Encoder {
    /// Whole numbers: the code is the number of edges below the value.
    Whole(Vec<i64>),
    /// Numbers: the code is the number of edges below the value.
    Real(Vec<f64>),
    /// Categories: the code is the position of the key among the sorted `keys`; a key outside has
    /// code `keys.len()` if training had a group of rare categories, else it counts as missing.
    Category {
        /// Sorted keys.
        keys: Vec<String>,
        /// True when the training rows had keys outside `keys`.
        rare: bool,
    },
}

impl Encoder {
    /// An encoder with at most `max_bins` codes (2 to 254) for a number or category column that
    /// comes in chunks of rows. A column without any value gets a single code.
    /// Edges are the shortest numbers in the middle half of their gap. O(n log n).
    pub fn fit(chunks: &[Column<'_>], max_bins: usize) -> Encoder {
        let first = chunks.first().map(Column::data);
        match first {
            Some(ColumnData::Str { .. }) => fit_category(chunks, max_bins),
            Some(ColumnData::I64(_)) => {
                let mut keys = sample(chunks);
                keys.sort_unstable();
                Encoder::Whole(cuts(&keys, max_bins).into_iter().map(whole_between).collect())
            }
            _ => {
                let mut keys = sample(chunks);
                keys.sort_unstable();
                let mut edges: Vec<f64> = cuts(&keys, max_bins).into_iter().map(edge_between).collect();
                // Neighbouring gaps of one step could round to one edge; never seen, cheap to exclude.
                edges.dedup();
                Encoder::Real(edges)
            }
        }
    }

    /// Number of codes, missing not counted.
    pub fn n_codes(&self) -> u16 {
        let n = match self {
            Encoder::Whole(edges) => edges.len() + 1,
            Encoder::Real(edges) => edges.len() + 1,
            Encoder::Category { keys, rare } => keys.len() + usize::from(*rare),
        };
        n as u16
    }

    /// True for numbers, whose codes have an order.
    pub fn ordered(&self) -> bool {
        !matches!(self, Encoder::Category { .. })
    }

    /// Codes of a chunk of rows, written to `out` of the same length.
    /// A column of another dtype than the encoder's counts as missing throughout.
    pub fn encode_into(&self, column: &Column<'_>, out: &mut [u8]) {
        match (self, column.data()) {
            (Encoder::Whole(edges), ColumnData::I64(values)) => {
                for (row, (&v, code)) in values.iter().zip(out).enumerate() {
                    let rank = edges.partition_point(|&e| e < v) as u8;
                    *code = if column.is_valid(row) { rank } else { MISSING };
                }
            }
            (Encoder::Real(edges), ColumnData::F64(values)) => {
                let edges: Vec<i64> = edges.iter().map(|&e| key_f64(e)).collect();
                for (row, (&v, code)) in values.iter().zip(out).enumerate() {
                    let key = key_f64(v);
                    let rank = edges.partition_point(|&e| e < key) as u8;
                    *code = if column.is_valid(row) && !v.is_nan() { rank } else { MISSING };
                }
            }
            (Encoder::Category { keys, rare }, ColumnData::Str { .. }) => {
                let unseen = if *rare { keys.len() as u8 } else { MISSING };
                let known: BTreeMap<&str, u8> =
                    keys.iter().enumerate().map(|(i, k)| (k.as_str(), i as u8)).collect();
                for (row, code) in out.iter_mut().enumerate() {
                    *code = match column.text(row) {
                        Some(key) => known.get(key).copied().unwrap_or(unseen),
                        None => MISSING,
                    };
                }
            }
            _ => out.fill(MISSING),
        }
    }
}

/// Keys of the values of at most [`SAMPLE`] rows, evenly spread.
fn sample(chunks: &[Column<'_>]) -> Vec<i64> {
    let n_rows: usize = chunks.iter().map(Column::n_rows).sum();
    let stride = n_rows.div_ceil(SAMPLE).max(1);
    let mut keys = Vec::with_capacity(n_rows / stride + 1);
    let mut first = 0;
    for chunk in chunks {
        let mut row = first;
        while row < chunk.n_rows() {
            if chunk.is_valid(row) {
                match chunk.data() {
                    ColumnData::I64(v) => keys.push(v[row]),
                    ColumnData::F64(v) if !v[row].is_nan() => keys.push(key_f64(v[row])),
                    _ => {}
                }
            }
            row += stride;
        }
        first = row - chunk.n_rows();
    }
    keys
}

/// The whole number with the most trailing zero bits in the middle half of a gap, the smallest of these:
/// it is at least the first key and below the second.
fn whole_between((low, high): (i64, i64)) -> i64 {
    let quarter = high.abs_diff(low).saturating_sub(1) / 4;
    let (low, high) = (low.saturating_add_unsigned(quarter), high.saturating_sub_unsigned(quarter + 1));
    if low <= 0 && high >= 0 {
        return 0;
    }
    for zeros in (1..63).rev() {
        let mask = (1i64 << zeros) - 1;
        let candidate = low.checked_add(mask).map(|up| up & !mask);
        if let Some(candidate) = candidate.filter(|&c| c <= high) {
            return candidate;
        }
    }
    low
}

/// A short number that is at least the first key's and below the second's.
fn edge_between((low, high): (i64, i64)) -> f64 {
    let (a, b) = (from_key_f64(low), from_key_f64(high));
    let quarter = (b - a) / 4.0;
    if !quarter.is_finite() || quarter <= 0.0 {
        return a;
    }
    let edge = shortest_between(a + quarter, b - quarter);
    if edge >= a && edge < b { edge } else { a }
}

/// The most frequent keys, as many as there are codes; ties go to the smaller key.
fn fit_category(chunks: &[Column<'_>], max_bins: usize) -> Encoder {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for chunk in chunks {
        for row in 0..chunk.n_rows() {
            if let Some(key) = chunk.text(row) {
                *counts.entry(key).or_default() += 1;
            }
        }
    }
    let mut by_count: Vec<(&str, u64)> = counts.into_iter().collect();
    let rare = by_count.len() > max_bins;
    if rare {
        by_count.sort_by_key(|&(_, n)| std::cmp::Reverse(n));
        by_count.truncate(max_bins - 1);
        by_count.sort_unstable();
    }
    Encoder::Category { keys: by_count.into_iter().map(|(k, _)| k.to_owned()).collect(), rare }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::Bits;

    fn column(values: &[f64]) -> Column<'_> {
        Column::try_new(ColumnData::F64(values), None).unwrap()
    }

    fn codes(encoder: &Encoder, column: &Column<'_>) -> Vec<u8> {
        let mut out = vec![0; column.n_rows()];
        encoder.encode_into(column, &mut out);
        out
    }

    #[test]
    fn numbers_infinities_and_missing() {
        let mut values = Vec::new();
        for v in [f64::NEG_INFINITY, -1.0, 0.0, 3.5, f64::INFINITY, f64::NAN] {
            values.extend([v; 3]);
        }
        let encoder = Encoder::fit(&[column(&values)], 254);
        assert_eq!(encoder.n_codes(), 5);
        let seen = [f64::NEG_INFINITY, -1.0, -0.0, 3.5, f64::INFINITY, f64::NAN];
        assert_eq!(codes(&encoder, &column(&seen)), [0, 1, 2, 3, 4, MISSING]);
    }

    #[test]
    fn whole_edges_are_short() {
        let cases = [
            ((5, 6), 5),
            ((5, 7), 6),
            ((-7, -5), -6),
            ((100, 200), 128),
            ((1000, 1100), 1024),
            ((-3, 9), 0),
            ((63, 64), 63),
            ((i64::MAX - 1, i64::MAX), i64::MAX - 1),
            ((i64::MIN, i64::MIN + 1), i64::MIN),
            ((i64::MIN, i64::MAX), 0),
        ];
        for (gap, expected) in cases {
            let edge = whole_between(gap);
            assert!(gap.0 <= edge && edge < gap.1, "{gap:?}: {edge}");
            assert_eq!(edge, expected, "{gap:?}");
        }
    }

    #[test]
    fn whole_numbers_beyond_doubles() {
        let values: Vec<i64> = [i64::MIN, (1 << 60) + 1, (1 << 60) + 2, i64::MAX].repeat(3);
        let column = Column::try_new(ColumnData::I64(&values), None).unwrap();
        let encoder = Encoder::fit(&[column], 254);
        assert_eq!(codes(&encoder, &column)[..4], [0, 1, 2, 3]);
    }

    #[test]
    fn frequent_categories_stay_and_rare_ones_share_a_code() {
        let text = "aabbbcd";
        let offsets: Vec<i32> = (0..=7).collect();
        let bits = [0b0111_1111u8];
        let column = Column::try_new(
            ColumnData::Str { offsets: &offsets, bytes: text.as_bytes() },
            Bits::try_new(&bits, 0, 7),
        )
        .unwrap();
        let encoder = Encoder::fit(&[column], 3);
        assert_eq!(encoder, Encoder::Category { keys: vec!["a".into(), "b".into()], rare: true });
        assert_eq!(codes(&encoder, &column), [0, 0, 1, 1, 1, 2, 2]);
        let all = Encoder::fit(&[column], 254);
        assert_eq!(all.n_codes(), 4);
    }

    #[test]
    fn a_column_without_values_has_one_code() {
        let values = [f64::NAN; 4];
        let encoder = Encoder::fit(&[column(&values)], 254);
        assert_eq!(encoder.n_codes(), 1);
        assert_eq!(codes(&encoder, &column(&values)), [MISSING; 4]);
    }
}
