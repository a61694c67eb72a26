//! Rows of a column in another order: the one way in which cells change places here.
//!
//! A cell is never made, only taken: a shuffled column, a column of one value and a sample of rows hold cells that
//! stood in the table, missing ones among them.

use super::error::{Error, Kind};
use ir::digest::SplitMix64;
use ir::{Bits, Column, ColumnData};
use jobs::Seed;

/// Cells of a column, owned.
pub(crate) struct Taken {
    values: Values,
    validity: Vec<u8>,
    n_rows: usize,
}

enum Values {
    F64(Vec<f64>),
    I64(Vec<i64>),
    Str { offsets: Vec<i32>, bytes: Vec<u8> },
}

impl Taken {
    /// The cells of these rows, in this order; a row may come several times, one that there is not is missing.
    /// `position` is the column's among the inputs. O(rows).
    ///
    /// # Errors
    /// `TooLong` for more than 2 GiB of text, `Broken` for a storage type that no input of a graph has.
    pub(crate) fn of(column: &Column<'_>, position: usize, rows: &[u32]) -> Result<Taken, Error> {
        let n_rows = rows.len();
        let values = match column.data() {
            ColumnData::F64(v) => Values::F64(rows.iter().map(|&r| cell(v, r)).collect()),
            ColumnData::I64(v) => Values::I64(rows.iter().map(|&r| cell(v, r)).collect()),
            ColumnData::Str { .. } => {
                let mut offsets = Vec::with_capacity(n_rows + 1);
                offsets.push(0);
                let mut bytes = Vec::new();
                for &row in rows {
                    bytes.extend_from_slice(column.text(row as usize).unwrap_or("").as_bytes());
                    let end = i32::try_from(bytes.len()).map_err(|_| Kind::TooLong { position, n_rows })?;
                    offsets.push(end);
                }
                Values::Str { offsets, bytes }
            }
            _ => return Err(Error::broken("a column of the table")),
        };
        let mut validity = vec![0u8; n_rows.div_ceil(8)];
        for (at, &row) in rows.iter().enumerate() {
            let row = row as usize;
            if row < column.n_rows() && column.is_valid(row) {
                validity[at / 8] |= 1 << (at % 8);
            }
        }
        Ok(Taken { values, validity, n_rows })
    }

    /// The cells of these rows of all columns.
    ///
    /// # Errors
    /// As [`Taken::of`].
    pub(crate) fn all(columns: &[Column<'_>], rows: &[u32]) -> Result<Vec<Taken>, Error> {
        columns.iter().enumerate().map(|(position, c)| Taken::of(c, position, rows)).collect()
    }

    /// The cells as a graph takes them.
    ///
    /// # Errors
    /// None that can happen: they were made as a column has them.
    pub(crate) fn column(&self) -> Result<Column<'_>, Error> {
        let data = match &self.values {
            Values::F64(v) => ColumnData::F64(v),
            Values::I64(v) => ColumnData::I64(v),
            Values::Str { offsets, bytes } => ColumnData::Str { offsets, bytes },
        };
        let column = Column::try_new(data, Bits::try_new(&self.validity, 0, self.n_rows));
        column.ok_or_else(|| Error::broken("a column of the table"))
    }
}

fn cell<T: Copy + Default>(values: &[T], row: u32) -> T {
    values.get(row as usize).copied().unwrap_or_default()
}

/// At most `most` of `n` rows, evenly spread, rising.
pub(crate) fn evenly(n: usize, most: usize) -> Vec<u32> {
    let kept = n.min(most);
    (0..kept).map(|i| (i as u64 * n as u64 / kept.max(1) as u64) as u32).collect()
}

/// The numbers below `n` in an order that hangs on the seed alone.
pub(crate) fn shuffled(n: usize, seed: Seed) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n).map(|i| i as u32).collect();
    SplitMix64::new(seed.0).shuffle(&mut order);
    order
}
