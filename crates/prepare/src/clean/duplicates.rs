//! Rows that stand more than once.

use ir::digest::mix;
use ir::fixed::key_f64;
use ir::text::fnv1a32;
use ir::{Column, ColumnData};
use std::collections::HashMap;

/// Which rows are copies of which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copies {
    /// For each row the first row that has the same cells.
    pub first: Vec<u32>,
    /// Rows that are copies of an earlier one.
    pub n_copies: usize,
}

/// Finds rows with equal cells in all columns; missing equals missing, -0 equals 0.
/// Rows are compared by 64-bit digests of their cells: two different rows count as copies with a
/// probability of about `n_rows^2 / 2^65`. O(cells).
pub fn copies(columns: &[Vec<Column<'_>>], n_rows: usize) -> Copies {
    let mut digests = vec![0x51ed_270b_7a4d_90c5u64; n_rows];
    for chunks in columns {
        let mut start = 0;
        for chunk in chunks {
            let rows = &mut digests[start..start + chunk.n_rows()];
            for (row, digest) in rows.iter_mut().enumerate() {
                *digest = mix(digest.rotate_left(17) ^ cell_word(chunk, row));
            }
            start += chunk.n_rows();
        }
    }
    let mut seen: HashMap<u64, u32> = HashMap::with_capacity(n_rows);
    let first: Vec<u32> =
        digests.iter().enumerate().map(|(row, &d)| *seen.entry(d).or_insert(row as u32)).collect();
    let n_copies = n_rows - seen.len();
    Copies { first, n_copies }
}

/// A word for a cell: equal cells have equal words.
fn cell_word(column: &Column<'_>, row: usize) -> u64 {
    const MISSING: u64 = 0x6d69_7373_696e_6721;
    if !column.is_valid(row) {
        return MISSING;
    }
    match column.data() {
        ColumnData::F64(v) if v[row].is_nan() => MISSING,
        ColumnData::F64(v) => mix(key_f64(v[row]).cast_unsigned()),
        ColumnData::F32(v) if v[row].is_nan() => MISSING,
        ColumnData::F32(v) => mix(key_f64(f64::from(v[row])).cast_unsigned()),
        ColumnData::I64(v) => mix(v[row].cast_unsigned() ^ 1),
        ColumnData::I32(v) => mix(i64::from(v[row]).cast_unsigned() ^ 1),
        ColumnData::U8(v) => mix(u64::from(v[row]) ^ 1),
        ColumnData::Bool(v) => mix(u64::from(v.get(row)) ^ 1),
        ColumnData::Str { .. } => {
            let text = column.text(row).unwrap_or_default().as_bytes();
            // Two 32-bit hashes that see the bytes in different ways.
            let words = text.chunks(7).fold(text.len() as u64, |h, c| {
                mix(c.iter().fold(h, |w, &b| w.rotate_left(8) ^ u64::from(b)))
            });
            words ^ u64::from(fnv1a32(text)) << 32
        }
    }
}
