//! Cells as a model takes them: what is missing, numbers, keys of categories, points in time.
//!
//! The twin of `data::bind`, which needs Arrow: text counts as it does in CSV, everything else as a typed file has it. What
//! both say of a cell is tested on the same tables (see `tests/`).

use crate::table::{Cell, Cells};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use ir::text::cells::{Number, is_missing, number_key};
use ir::text::{category_key, category_key_f64};
use ir::{Bits, Column, ColumnData, ColumnKind, DType, Input};

/// Longest text of a cell in a message, in characters.
const LONGEST: usize = 40;

/// A column that owns its values.
pub struct Bound {
    values: Values,
    validity: Vec<u8>,
    n_rows: usize,
}

enum Values {
    I64(Vec<i64>),
    F64(Vec<f64>),
    Str { offsets: Vec<i32>, bytes: Vec<u8> },
}

impl Bound {
    /// As a graph takes it; none if its text is too long for one column.
    pub fn column(&self) -> Option<Column<'_>> {
        let data = match &self.values {
            Values::I64(v) => ColumnData::I64(v),
            Values::F64(v) => ColumnData::F64(v),
            Values::Str { offsets, bytes } => ColumnData::Str { offsets, bytes },
        };
        Column::try_new(data, Some(Bits::try_new(&self.validity, 0, self.n_rows)?))
    }
}

/// The cells of one input; those of `missing` are missing, beside the built-in ones.
///
/// # Errors
/// The first cell that is not what the column takes, with its row, from 1.
pub fn bind(input: &Input, cells: &Cells<'_>, missing: &[String]) -> Result<Bound, String> {
    let markers: Vec<Number> =
        missing.iter().filter_map(|m| Number::parse(category_key(m))).map(Number::whole).collect();
    let n_rows = cells.n_rows();
    let values = match input.graph_dtype() {
        DType::I64 => Values::I64(Vec::with_capacity(n_rows)),
        DType::F64 => Values::F64(Vec::with_capacity(n_rows)),
        _ => {
            let mut offsets = Vec::with_capacity(n_rows + 1);
            offsets.push(0);
            Values::Str { offsets, bytes: Vec::new() }
        }
    };
    let mut bound = Bound { values, validity: alloc::vec![0; n_rows.div_ceil(8)], n_rows };
    for (row, cell) in cells.iter().enumerate() {
        let cell = match cell {
            Cell::Text(text) => Cell::Text(category_key(text)),
            other => other,
        };
        let there = !is_absent(&cell, missing, &markers);
        if there {
            bound.validity[row / 8] |= 1 << (row % 8);
        }
        if !bound.push(input, if there { cell } else { Cell::Missing }) {
            return Err(unfit(input, cells, row, &cell));
        }
    }
    Ok(bound)
}

fn is_absent(cell: &Cell<'_>, missing: &[String], markers: &[Number]) -> bool {
    match *cell {
        Cell::Missing => true,
        Cell::Text(text) => is_missing(text, missing),
        Cell::Number(value) => value.is_nan() || markers.contains(&Number::Float(value).whole()),
        Cell::Truth(truth) => missing.iter().any(|m| category_key(m) == spelt(truth)),
        Cell::Time(millis) => millis.is_nan(),
    }
}

fn spelt(truth: bool) -> &'static str {
    if truth { "true" } else { "false" }
}

impl Bound {
    /// Adds a trimmed cell; false if the column takes none such.
    fn push(&mut self, input: &Input, cell: Cell<'_>) -> bool {
        let is_time = input.kind == ColumnKind::Time;
        match &mut self.values {
            Values::I64(values) => values.push(match cell {
                Cell::Missing => 0,
                // Whole milliseconds within 285,616 years of 1970, as JavaScript has them.
                Cell::Time(millis) if is_time => (millis as i64).saturating_mul(1000),
                _ if is_time => return false,
                cell => match number(&cell) {
                    Some(number) => number.ceil_i64(),
                    None => return false,
                },
            }),
            Values::F64(values) => values.push(match cell {
                Cell::Missing => 0.0,
                cell => match number(&cell) {
                    Some(number) => number.to_f64(),
                    None => return false,
                },
            }),
            Values::Str { offsets, bytes } => {
                let is_number = input.kind == ColumnKind::Category && input.dtype != DType::Str;
                match cell {
                    Cell::Missing => {}
                    Cell::Text(text) if text.contains('\0') => return false,
                    Cell::Text(text) => match number_key(text, input.dtype).filter(|_| is_number) {
                        Some(key) => bytes.extend_from_slice(key.as_bytes()),
                        None => bytes.extend_from_slice(text.as_bytes()),
                    },
                    Cell::Number(value) => bytes.extend_from_slice(category_key_f64(value).as_bytes()),
                    Cell::Truth(truth) if is_number => bytes.push(b'0' + u8::from(truth)),
                    Cell::Truth(truth) => bytes.extend_from_slice(spelt(truth).as_bytes()),
                    Cell::Time(_) => return false,
                }
                // An offset too far makes a column that is none.
                offsets.push(i32::try_from(bytes.len()).unwrap_or(-1));
            }
        }
        true
    }
}

/// The number that a cell is; truth is 1 or 0.
fn number(cell: &Cell<'_>) -> Option<Number> {
    match *cell {
        Cell::Text(text) => Number::parse(text),
        Cell::Number(value) => Some(Number::Float(value)),
        Cell::Truth(truth) => Some(Number::Int(truth.into())),
        Cell::Missing | Cell::Time(_) => None,
    }
}

/// What is wrong with a cell, in the words of the command line.
fn unfit(input: &Input, cells: &Cells<'_>, row: usize, cell: &Cell<'_>) -> String {
    let (name, position, row) = (&input.name, cells.position, cells.first_row + row);
    let got = match cell {
        Cell::Text(text) if text.contains('\0') => String::from("a zero byte"),
        Cell::Text(text) => {
            let short: String = text.chars().take(LONGEST).collect();
            let cut = if short.len() < text.len() { ".." } else { "" };
            format!("\"{short}{cut}\"")
        }
        Cell::Time(_) => String::from("a Date"),
        Cell::Truth(truth) => String::from(spelt(*truth)),
        Cell::Number(value) => category_key_f64(*value),
        Cell::Missing => String::from("nothing"),
    };
    let (expected, cure) = match (input.kind, input.dtype) {
        (ColumnKind::Number, _) => ("a number", "mend the cell, or leave it blank"),
        (ColumnKind::Time, DType::I64) => ("a point in time", "hand over a Date"),
        (ColumnKind::Time, _) => ("a point in time as text", "write it as in the training table"),
        (ColumnKind::Category | ColumnKind::Text, _) => ("text", "take it out"),
    };
    format!("table: column \"{name}\" ({position}): expected {expected}, got {got} at row {row}; {cure}")
}

#[cfg(test)]
mod tests;
