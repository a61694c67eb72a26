//! A cell as a person reads it.

use ir::text::time::TimeFormat;
use ir::text::{category_key_f64, category_key_i64};
use ir::{Column, ColumnData, ColumnKind, Input};

/// Characters of a text that are shown.
const MAX_CHARS: usize = 40;
/// How points in time are shown.
const TIME: &str = "Y-m-d H:M:Sfz";

/// The cell of a column that is bound to `input`: numbers in their shortest spelling, times in ISO 8601, text on one
/// line and cut after 40 characters (`..` says so); none where it is missing.
pub fn spelled(column: &Column<'_>, input: &Input, row: usize) -> Option<String> {
    if row >= column.n_rows() || !column.is_valid(row) {
        return None;
    }
    match column.data() {
        ColumnData::F64(v) => (!v[row].is_nan()).then(|| category_key_f64(v[row])),
        ColumnData::I64(v) if input.kind == ColumnKind::Time => Some(spelled_time(v[row])),
        ColumnData::I64(v) => Some(category_key_i64(v[row])),
        _ => column.text(row).map(shown),
    }
}

/// A point in time, in microseconds since 1970, in ISO 8601.
pub(super) fn spelled_time(micros: i64) -> String {
    let format = TimeFormat::all().find(|f| f.pattern() == TIME);
    format.map_or_else(|| category_key_i64(micros), |f| f.write(micros))
}

fn shown(text: &str) -> String {
    let mut line: String =
        text.chars().take(MAX_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(MAX_CHARS).is_some() {
        line.push_str("..");
    }
    line
}
