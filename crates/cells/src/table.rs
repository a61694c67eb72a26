//! A table as JavaScript hands it over: the columns of a signature, in its order, as one piece of bytes.
//!
//! Little endian, without gaps: number of rows, of the first row (from 1) and of columns (`u32`), then for each column its place in the user's table
//! (`u32`, from 1), which of numbers (1) and text (2) follow (`u32`, added up) and the bytes of text (`u32`), then a kind
//! a row (`u8`, those of [`Cell`]), the numbers (`f64` a row), the ends of the texts (`u32` a row, the first begins at 0)
//! and the text as UTF-8. A second table stands behind the first. Nothing is believed: lengths are checked before use.

use alloc::string::String;
use alloc::vec::Vec;

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Kind 0.
    Missing,
    /// Kind 1; may be NaN, which is missing.
    Number(f64),
    /// Kind 2.
    Text(&'a str),
    /// Kind 3, a number other than 0 is true.
    Truth(bool),
    /// Kind 4: milliseconds since 1970-01-01 00:00 UTC.
    Time(f64),
}

/// The cells of one column.
pub struct Cells<'a> {
    /// Place in the user's table, from 1.
    pub position: usize,
    /// Number of the first row in the user's table, from 1.
    pub first_row: usize,
    kinds: &'a [u8],
    numbers: &'a [u8],
    ends: &'a [u8],
    text: &'a str,
}

/// The cells of some columns.
pub struct Table<'a> {
    /// By column.
    pub columns: Vec<Cells<'a>>,
}

const NUMBERS: usize = 1;
const TEXT: usize = 2;

impl<'a> Table<'a> {
    /// The table that `rest` begins with; what is left of it stands behind.
    ///
    /// # Errors
    /// The bytes end too early, or text is cut within a character.
    pub fn read(rest: &mut &'a [u8]) -> Result<Table<'a>, String> {
        let (n_rows, first_row, n_columns) = (count(rest)?, count(rest)?, count(rest)?);
        let mut columns = Vec::new();
        for _ in 0..n_columns {
            let (position, holds, n_bytes) = (count(rest)?, count(rest)?, count(rest)?);
            let kinds = take(rest, n_rows, 1)?;
            let numbers = take(rest, if holds & NUMBERS == 0 { 0 } else { n_rows }, 8)?;
            let ends = take(rest, if holds & TEXT == 0 { 0 } else { n_rows }, 4)?;
            let text = take(rest, n_bytes, 1)?;
            let text =
                core::str::from_utf8(text).map_err(|_| String::from("table: text that is not UTF-8"))?;
            columns.push(Cells { position, first_row, kinds, numbers, ends, text });
        }
        Ok(Table { columns })
    }
}

impl<'a> Cells<'a> {
    /// How many.
    pub fn n_rows(&self) -> usize {
        self.kinds.len()
    }

    /// Cells in row order; one whose number or text is not there is missing.
    pub fn iter(&self) -> impl Iterator<Item = Cell<'a>> {
        self.kinds.iter().enumerate().map(|(row, &kind)| self.cell(row, kind).unwrap_or(Cell::Missing))
    }

    fn cell(&self, row: usize, kind: u8) -> Option<Cell<'a>> {
        let number = || word(self.numbers, row).map(f64::from_le_bytes);
        let end = |row| word(self.ends, row).map(|bytes| u32::from_le_bytes(bytes) as usize);
        Some(match kind {
            1 => Cell::Number(number()?),
            2 => {
                let start = if row == 0 { 0 } else { end(row - 1)? };
                Cell::Text(self.text.get(start..end(row)?)?)
            }
            3 => Cell::Truth(number()? != 0.0),
            4 => Cell::Time(number()?),
            _ => Cell::Missing,
        })
    }
}

fn word<const N: usize>(words: &[u8], at: usize) -> Option<[u8; N]> {
    words.get(at * N..)?.first_chunk().copied()
}

fn count(rest: &mut &[u8]) -> Result<usize, String> {
    let bytes = take(rest, 1, 4)?;
    Ok(word(bytes, 0).map_or(0, |bytes| u32::from_le_bytes(bytes) as usize))
}

/// The next `n` elements.
fn take<'a>(rest: &mut &'a [u8], n: usize, width: usize) -> Result<&'a [u8], String> {
    let parts = n.checked_mul(width).and_then(|n_bytes| rest.split_at_checked(n_bytes));
    let (taken, left) = parts.ok_or_else(|| String::from("table: its bytes end too early"))?;
    *rest = left;
    Ok(taken)
}
