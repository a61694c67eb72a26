//! The parts that messages are made of: places, lists of cells and names, hints.

use super::{BadCell, MissingColumn};
use ir::Task;
use std::fmt;

pub(super) fn needs(task: Task) -> &'static str {
    match task {
        Task::Binary => "exactly 2",
        Task::Multiclass => "at least 3",
        Task::Regression | Task::Transform | Task::MultiRegression => "none",
        Task::Multilabel => "2 of each target",
    }
}

/// `1 row`, `2 rows`.
pub(super) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

pub(super) fn delimiter_name(delimiter: u8) -> String {
    match delimiter {
        b'\t' => String::from("tab"),
        other => format!("{:?}", char::from(other).to_string()),
    }
}

pub(super) fn encoding_cure(is_latin1: bool) -> &'static str {
    if is_latin1 {
        "read it with --encoding latin-1, or write it as UTF-8"
    } else {
        "write the file as UTF-8"
    }
}

/// `row 3, column "age" (2)` or `header, column 2`.
pub(super) struct Place<'a>(pub u64, pub &'a str, pub usize);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place(row, column, position) = self;
        match row {
            0 => write!(f, "header, column {position}"),
            row => write!(f, "row {row}, column {column:?} ({position})"),
        }
    }
}

/// ` (line 3)`, or nothing.
pub(super) struct AtLine(pub Option<u64>);

impl fmt::Display for AtLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(line) => write!(f, " (line {line})"),
            None => Ok(()),
        }
    }
}

/// `"a" at row 3, "b" at row 4 (17 such)`.
pub(super) struct Cells<'a>(pub &'a [BadCell], pub u64);

impl fmt::Display for Cells<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, bad) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{} at row {}", Quoted(&bad.cell), bad.row)?;
        }
        write!(f, " ({} such)", self.1)
    }
}

/// A cell in quotes; its control characters are escaped, so it cannot break the line.
pub(super) struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// A cell as a shell argument: bare if it is plain, else in quotes.
pub(super) struct Shell<'a>(pub &'a str);

impl fmt::Display for Shell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_alphanumeric() || "_-+./:%@".contains(c);
        if !self.0.is_empty() && self.0.chars().all(plain) {
            f.write_str(self.0)
        } else {
            write!(f, "'{}'", self.0.replace('\'', "'\\''"))
        }
    }
}

pub(super) struct FirstCell<'a>(pub &'a [BadCell]);

impl fmt::Display for FirstCell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shell(self.0.first().map_or("CELL", |bad| bad.cell.as_str())).fmt(f)
    }
}

/// `; did you mean "income"?` or `;`.
pub(super) struct Hint<'a>(pub &'a Option<String>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, "; did you mean {name:?}?"),
            None => f.write_str(";"),
        }
    }
}

/// `a, b, c, .. (30 in all)`.
pub(super) struct List<'a>(pub &'a [String], pub usize);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))?;
        if self.1 > self.0.len() {
            write!(f, ", .. ({} in all)", self.1)?;
        }
        Ok(())
    }
}

pub(super) struct MissingList<'a>(pub &'a [MissingColumn]);

impl fmt::Display for MissingList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, column) in self.0.iter().enumerate() {
            f.write_str(if i == 0 { "no column " } else { ", no column " })?;
            write!(f, "{:?}", column.name)?;
            if let Some(nearest) = &column.nearest {
                write!(f, " (did you mean {nearest:?}?)")?;
            }
        }
        Ok(())
    }
}

/// The text of a cell for a message: cut after 40 characters.
pub(crate) fn short(cell: &str) -> String {
    const LONGEST: usize = 40;
    match cell.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}..", &cell[..cut]),
        None => String::from(cell),
    }
}

/// The most names that a message lists.
pub(crate) const LISTED: usize = 20;
