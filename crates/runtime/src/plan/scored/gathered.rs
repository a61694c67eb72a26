//! Some rows of a column, side by side.

use alloc::vec;
use alloc::vec::Vec;
use ir::{Bits, Column, ColumnData};

/// Rows of a column that were picked out.
pub(super) struct Gathered {
    values: Values,
    /// A bit a row; none where all are there.
    validity: Option<Vec<u8>>,
    n_rows: usize,
}

enum Values {
    F64(Vec<f64>),
    F32(Vec<f32>),
    I64(Vec<i64>),
    I32(Vec<i32>),
    U8(Vec<u8>),
    Bool(Vec<u8>),
    Str { offsets: Vec<i32>, bytes: Vec<u8> },
}

impl Gathered {
    /// Rows of a column, in this order, each below its number of rows; missing text is empty.
    pub(super) fn new(column: &Column<'_>, rows: &[usize]) -> Gathered {
        fn picked<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|&row| values[row]).collect()
        }
        let values = match column.data() {
            ColumnData::F64(v) => Values::F64(picked(v, rows)),
            ColumnData::F32(v) => Values::F32(picked(v, rows)),
            ColumnData::I64(v) => Values::I64(picked(v, rows)),
            ColumnData::I32(v) => Values::I32(picked(v, rows)),
            ColumnData::U8(v) => Values::U8(picked(v, rows)),
            ColumnData::Bool(bits) => Values::Bool(bitmap(rows, |row| bits.get(row))),
            ColumnData::Str { .. } => {
                let (mut offsets, mut bytes) = (Vec::with_capacity(rows.len() + 1), Vec::new());
                offsets.push(0);
                for &row in rows {
                    bytes.extend_from_slice(column.text(row).unwrap_or_default().as_bytes());
                    // The text of some rows is no longer than that of all, whose offsets are of this type.
                    offsets.push(bytes.len() as i32);
                }
                Values::Str { offsets, bytes }
            }
        };
        let validity = (!column.all_valid()).then(|| bitmap(rows, |row| column.is_valid(row)));
        Gathered { values, validity, n_rows: rows.len() }
    }

    pub(super) fn column(&self) -> Option<Column<'_>> {
        let bits = |bytes| Bits::try_new(bytes, 0, self.n_rows);
        let data = match &self.values {
            Values::F64(v) => ColumnData::F64(v),
            Values::F32(v) => ColumnData::F32(v),
            Values::I64(v) => ColumnData::I64(v),
            Values::I32(v) => ColumnData::I32(v),
            Values::U8(v) => ColumnData::U8(v),
            Values::Bool(v) => ColumnData::Bool(bits(v)?),
            Values::Str { offsets, bytes } => ColumnData::Str { offsets, bytes },
        };
        let validity = match &self.validity {
            Some(bytes) => Some(bits(bytes)?),
            None => None,
        };
        Column::try_new(data, validity)
    }
}

fn bitmap(rows: &[usize], is_set: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut bytes = vec![0; rows.len().div_ceil(8)];
    for (at, &row) in rows.iter().enumerate() {
        bytes[at >> 3] |= u8::from(is_set(row)) << (at & 7);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_those_of_the_column() {
        let there = [0b1011_0111u8, 0b1];
        let validity = Bits::try_new(&there, 0, 9);
        let numbers: Vec<i64> = (0..9).collect();
        let reals: Vec<f64> = (0..9).map(f64::from).collect();
        let offsets = [0, 1, 1, 3, 4, 4, 6, 7, 8, 9];
        let data = [
            ColumnData::I64(&numbers),
            ColumnData::F64(&reals),
            ColumnData::Bool(Bits::try_new(&there, 0, 9).unwrap()),
            ColumnData::Str { offsets: &offsets, bytes: b"a\xc3\xa9bcdefg" },
        ];
        let rows = [8, 3, 0, 2, 5];
        for data in data {
            for validity in [None, validity] {
                let column = Column::try_new(data, validity).unwrap().slice(0, 9).unwrap();
                let gathered = Gathered::new(&column, &rows);
                let made = gathered.column().unwrap();
                assert_eq!((made.n_rows(), made.dtype()), (5, column.dtype()));
                for (at, &row) in rows.iter().enumerate() {
                    assert_eq!(made.is_valid(at), column.is_valid(row));
                    assert_eq!(made.text(at), column.text(row));
                    assert_eq!(made.double(at).to_bits(), column.double(row).to_bits());
                }
            }
        }
    }
}
