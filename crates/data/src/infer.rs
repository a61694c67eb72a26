//! What a column is, from the facts of all its cells.
//!
//! 1. A kind that the user declares holds. A declared number must hold numbers only.
//! 2. No cell at all: a number, all of it missing.
//! 3. Every cell that is there is a number: a number; 64-bit integers if each is one, else doubles.
//! 4. No cell is a number, and one format of the closed list of [`ir::text::time`] reads all of them:
//!    a time; the first such format counts.
//! 5. At least 99.5 % are numbers, but not all: an error that shows the first others, since a
//!    silent choice either way would spoil the column. Raw columns are spared.
//! 6. Otherwise text, if a cell has 5 blank-separated words or more on average, or if at least
//!    100 cells are there and more than half of them are different from all others before;
//!    else a category. (Where more values differ than are counted, the share is that of the cells
//!    seen until then.)
//!
//! A column of a typed file knows more: what is stored as numbers is a number, true and false are
//! the numbers 1 and 0, what is stored as times is a time. Text is no number there, whatever it
//! spells, unless it is declared one: each of its cells counts as text.
//!
//! A category declared over numbers keeps their dtype: its keys are the numbers' canonical
//! spellings, so that `1` and `1.0` are one category.

use crate::error::{Kind, Result};
use crate::facts::Facts;
use crate::storage::Storage;
use ir::{ColumnKind, DType};

/// Least mean number of words of a text column.
const TEXT_WORDS: u64 = 5;

/// Least number of cells for the rule of different cells.
const TEXT_CELLS: u64 = 100;

/// A column by name, for messages.
pub(crate) struct Place<'a> {
    pub(crate) file: &'a str,
    pub(crate) column: &'a str,
    /// From 1.
    pub(crate) position: usize,
    /// What the type of the column says.
    pub(crate) storage: Storage,
}

/// What a column is and why.
#[derive(Debug, PartialEq)]
pub(crate) struct Inferred {
    pub(crate) kind: ColumnKind,
    pub(crate) dtype: DType,
    pub(crate) why: String,
}

/// Applies the rules above; `raw` spares the column their errors.
/// # Errors  `MostlyNumbers`, `DeclaredNumber`, `DeclaredTime`.
pub(crate) fn infer(
    facts: &Facts,
    declared: Option<ColumnKind>,
    raw: bool,
    place: &Place<'_>,
) -> Result<Inferred> {
    let storage = place.storage;
    if let Some(kind) = declared {
        return infer_declared(facts, kind, raw, place);
    }
    if storage == Storage::Time {
        let why = String::from("stored as times");
        return Ok(Inferred { kind: ColumnKind::Time, dtype: DType::I64, why });
    }
    let (n_cells, n_numbers) = (facts.n_cells(), facts.n_numbers());
    if facts.n_texts == 0 {
        let (kind, dtype) = (ColumnKind::Number, number_dtype(facts));
        return Ok(Inferred { kind, dtype, why: why_number(facts, storage) });
    }
    if n_numbers == 0
        && let Some(format) = facts.times.first()
    {
        let why = format!("all {n_cells} cells that are there are times ({})", format.pattern());
        return Ok(Inferred { kind: ColumnKind::Time, dtype: DType::Str, why });
    }
    // At least 99.5 %, without rounding.
    if !raw && n_numbers * 1000 >= n_cells * 995 {
        return Err(Kind::MostlyNumbers {
            file: String::from(place.file),
            column: String::from(place.column),
            position: place.position,
            n_numbers,
            n_cells,
            n_bad: facts.n_texts,
            cells: facts.texts.clone(),
        }
        .into());
    }
    let (kind, why) = if facts.n_words >= n_cells * TEXT_WORDS {
        let mean = facts.n_words as f64 / n_cells as f64;
        (ColumnKind::Text, format!("cells have {mean:.1} words on average"))
    } else if n_cells >= TEXT_CELLS && facts.distinct.is_most() {
        (ColumnKind::Text, format!("{} of {n_cells} cells are different", distinct(facts)))
    } else {
        let plural = if facts.distinct.count() == 1 { "" } else { "s" };
        let reason = match facts.texts.first() {
            Some(bad) if storage == Storage::Untyped => format!("{:?} is not a number", bad.cell),
            _ => String::from("stored as text"),
        };
        (ColumnKind::Category, format!("{} value{plural}; {reason}", distinct(facts)))
    };
    Ok(Inferred { kind, dtype: DType::Str, why })
}

fn infer_declared(facts: &Facts, kind: ColumnKind, raw: bool, place: &Place<'_>) -> Result<Inferred> {
    let dtype = match kind {
        ColumnKind::Number if facts.n_texts > 0 && !raw => {
            return Err(Kind::DeclaredNumber {
                file: String::from(place.file),
                column: String::from(place.column),
                position: place.position,
                n_bad: facts.n_texts,
                cells: facts.texts.clone(),
            }
            .into());
        }
        ColumnKind::Number => number_dtype(facts),
        ColumnKind::Category if facts.n_texts == 0 && facts.n_cells() > 0 => number_dtype(facts),
        ColumnKind::Category | ColumnKind::Text => DType::Str,
        ColumnKind::Time if place.storage == Storage::Time => DType::I64,
        ColumnKind::Time if facts.n_numbers() == 0 && facts.times.first().is_some() => DType::Str,
        ColumnKind::Time => match &facts.untimed {
            Some(bad) => {
                return Err(Kind::DeclaredTime {
                    file: String::from(place.file),
                    column: String::from(place.column),
                    position: place.position,
                    row: bad.row,
                    cell: bad.cell.clone(),
                }
                .into());
            }
            // No cell has a value.
            None => DType::Str,
        },
    };
    Ok(Inferred { kind, dtype, why: String::from("declared with --types") })
}

fn number_dtype(facts: &Facts) -> DType {
    if facts.n_floats == 0 && facts.n_ints > 0 { DType::I64 } else { DType::F64 }
}

fn why_number(facts: &Facts, storage: Storage) -> String {
    let what = if facts.n_floats == 0 { "whole numbers" } else { "numbers" };
    match (facts.n_cells(), facts.n_missing) {
        (0, _) => String::from("no cell has a value"),
        _ if storage == Storage::Bool => String::from("true and false, as 1 and 0"),
        (n, 0) => format!("all {n} cells are {what}"),
        (n, _) => format!("all {n} cells that are there are {what}"),
    }
}

fn distinct(facts: &Facts) -> String {
    let n = facts.distinct.count();
    if facts.distinct.is_capped() { format!("more than {n}") } else { n.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markers::Markers;

    fn run(cells: &[&str], declared: Option<ColumnKind>, raw: bool) -> Result<Inferred> {
        let mut facts = Facts::new(1_000);
        for (row, cell) in cells.iter().enumerate() {
            facts.see(cell.as_bytes(), row as u64 + 1, &Markers::default());
        }
        infer(
            &facts,
            declared,
            raw,
            &Place { file: "t.csv", column: "x", position: 2, storage: Storage::Untyped },
        )
    }

    fn numbered(n: usize, prefix: &str) -> Vec<String> {
        (0..n).map(|i| format!("{prefix}{i}")).collect()
    }

    #[test]
    fn kinds() {
        use ColumnKind::{Category, Number, Text};
        let of = |cells: &[&str], declared| {
            let inferred = run(cells, declared, false).unwrap();
            (inferred.kind, inferred.dtype, inferred.why)
        };
        for (cells, declared, kind, dtype, why) in [
            (&["1", "2"][..], None, Number, DType::I64, "all 2 cells are whole numbers"),
            (&["1", ""], None, Number, DType::I64, "all 1 cells that are there are whole numbers"),
            (&["1", "2.5"], None, Number, DType::F64, "all 2 cells are numbers"),
            (&["1", "inf"], None, Number, DType::F64, "all 2 cells are numbers"),
            (&["", "?"], None, Number, DType::F64, "no cell has a value"),
            (&["1", "a"], None, Category, DType::Str, "2 values; \"a\" is not a number"),
            (&["one two three four five"], None, Text, DType::Str, "cells have 5.0 words on average"),
            (
                &["one two three four"],
                None,
                Category,
                DType::Str,
                "1 value; \"one two three four\" is not a number",
            ),
            (&["1", "2"], Some(Category), Category, DType::I64, "declared with --types"),
            (&["1", "2.5"], Some(Category), Category, DType::F64, "declared with --types"),
            (&["1", "b"], Some(Category), Category, DType::Str, "declared with --types"),
            (&["", ""], Some(Category), Category, DType::Str, "declared with --types"),
            (&["1", "2"], Some(Text), Text, DType::Str, "declared with --types"),
            (&["1", "2"], Some(Number), Number, DType::I64, "declared with --types"),
        ] {
            assert_eq!(of(cells, declared), (kind, dtype, String::from(why)), "{cells:?}");
        }
    }

    #[test]
    fn different_cells_are_text_from_a_hundred_on() {
        for (n, n_alike, kind) in [
            (99, 0, ColumnKind::Category),
            (100, 0, ColumnKind::Text),
            (100, 99, ColumnKind::Text),
            (100, 100, ColumnKind::Category),
        ] {
            let mut cells = numbered(n, "c");
            cells.extend((0..n_alike).map(|_| String::from("c0")));
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            assert_eq!(run(&cells, None, false).unwrap().kind, kind, "{n} {n_alike}");
        }
    }

    #[test]
    fn nearly_all_numbers_is_an_error() {
        let mut cells = numbered(199, "");
        cells.push(String::from("n/a"));
        let mut cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        assert_eq!(
            run(&cells, None, false).unwrap_err().to_string(),
            "t.csv: column \"x\" (2): expected a number in every cell, as in 199 of 200, got \"n/a\" at row 200 (1 such); \
             declare it missing with --missing n/a, or keep the column as text with --types x=category"
        );
        assert_eq!(run(&cells, None, true).unwrap().kind, ColumnKind::Text);
        assert_eq!(run(&cells, Some(ColumnKind::Category), false).unwrap().dtype, DType::Str);
        cells.push("none");
        assert_eq!(run(&cells, None, false).unwrap().kind, ColumnKind::Text);
    }

    #[test]
    fn declared_kinds_are_checked() {
        assert_eq!(
            run(&["1", "a b", "c", "", "d", "e"], Some(ColumnKind::Number), false).unwrap_err().to_string(),
            "t.csv: column \"x\" (2) is declared number: expected numbers, got \"a b\" at row 2, \"c\" at row 3, \"d\" at row 5 \
             (4 such); declare it missing with --missing 'a b', or leave out --types x=number"
        );
        for (cells, cell, row) in [
            (&["1"][..], "1", 1),
            (&["2023-02-28", "", "2023-02-30", "2023-03-01"], "2023-02-30", 3),
            (&["2023-02-28", "28.2.2023"], "28.2.2023", 2),
            (&["2023-02-28", "20230301"], "20230301", 2),
            (&["", "soon", "2023-02-28"], "soon", 2),
        ] {
            let error = run(cells, Some(ColumnKind::Time), false).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "t.csv: column \"x\" (2) is declared time: no known format of time reads every cell up to \"{cell}\" at row {row}; \
                     mend the cell, declare it missing with --missing {cell}, or leave out --types x=time"
                )
            );
            assert_eq!(error.nature(), crate::Nature::Input);
        }
        // A date that exists in no calendar is no time.
        let found = run(&["2023-02-28", "2023-02-30"], None, false).unwrap();
        assert_eq!((found.kind, found.dtype), (ColumnKind::Category, DType::Str));
        assert_eq!(run(&["", "?"], Some(ColumnKind::Time), false).unwrap().dtype, DType::Str);
    }
}
