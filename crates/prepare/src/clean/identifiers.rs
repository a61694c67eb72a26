//! Columns that only name rows.

use ir::{Column, ColumnData};
use std::collections::HashSet;

/// Rows below which a column of different values may well be a quantity.
const FEWEST_ROWS: usize = 50;

/// Why a column looks like an identifier, or `None`.
///
/// Whole numbers, none missing: each row one more (or one less) than the row before; or all
/// different, in a column called `id`, `..id`, `id..`, `..key`, `uuid`, `index` or without a
/// telling name (`unnamed..`). Text: every row different and nothing but one word each.
pub fn identifier(name: &str, chunks: &[Column<'_>]) -> Option<String> {
    let n_rows: usize = chunks.iter().map(Column::n_rows).sum();
    let n_valid: usize = chunks.iter().map(|c| (0..c.n_rows()).filter(|&r| c.is_valid(r)).count()).sum();
    if n_rows < FEWEST_ROWS || n_valid < n_rows {
        return None;
    }
    if matches!(chunks.first()?.data(), ColumnData::Str { .. }) {
        let cells = chunks.iter().flat_map(|c| (0..c.n_rows()).filter_map(|r| c.text(r)));
        let mut seen = HashSet::with_capacity(n_rows);
        for cell in cells {
            if cell.contains(' ') || !seen.insert(cell) {
                return None;
            }
        }
        return Some(format!("each of the {n_rows} rows has a value of its own"));
    }
    let mut values = Vec::with_capacity(n_rows);
    for chunk in chunks {
        match chunk.data() {
            ColumnData::I64(v) => values.extend_from_slice(v),
            _ => return None,
        }
    }
    for step in [1i64, -1] {
        if values.windows(2).all(|w| w[1].wrapping_sub(w[0]) == step) {
            return Some("it counts the rows".to_owned());
        }
    }
    if !named_like_identifier(name) {
        return None;
    }
    let n_distinct = values.iter().collect::<HashSet<_>>().len();
    (n_distinct == n_rows).then(|| format!("each of the {n_rows} rows has a number of its own"))
}

pub(super) fn named_like_identifier(name: &str) -> bool {
    let lower = name.trim().to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let telling = ["id", "ids", "key", "uuid", "guid", "index", "idx", "rowid", "rownum", "unnamed"];
    words.iter().any(|w| telling.contains(w))
        || lower.is_empty()
        || name.ends_with("Id")
        || name.ends_with("ID")
}
