//! Whole columns: chunks of rows put together, for what sees other rows, and some of their rows in any order.

use ir::{Bits, Column, ColumnData, DType};

/// A column in one piece.
pub(crate) struct WholeColumn {
    dtype: DType,
    whole: Vec<i64>,
    real: Vec<f64>,
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    validity: Vec<u8>,
    n_rows: usize,
}

impl WholeColumn {
    /// All rows. None for more than 2^31 bytes of text.
    pub(crate) fn new(chunks: &[Column<'_>]) -> Option<WholeColumn> {
        let rows = chunks.iter().flat_map(|chunk| (0..chunk.n_rows()).map(move |row| (chunk, row)));
        WholeColumn::of(chunks, chunks.iter().map(Column::n_rows).sum(), rows)
    }

    /// Some rows, numbered over all chunks, in this order. None for more than 2^31 bytes of text, or a row that is not
    /// there.
    pub(crate) fn taken(chunks: &[Column<'_>], rows: &[u32]) -> Option<WholeColumn> {
        let mut ends: Vec<usize> = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            ends.push(ends.last().unwrap_or(&0) + chunk.n_rows());
        }
        let find = |&row: &u32| {
            let at = ends.partition_point(|&end| end <= row as usize);
            let first = at.checked_sub(1).map_or(0, |before| ends[before]);
            Some((chunks.get(at)?, row as usize - first))
        };
        let cells: Vec<(&Column<'_>, usize)> = rows.iter().map(find).collect::<Option<_>>()?;
        WholeColumn::of(chunks, rows.len(), cells.into_iter())
    }

    fn of<'c>(
        chunks: &[Column<'c>],
        n_rows: usize,
        cells: impl Iterator<Item = (&'c Column<'c>, usize)>,
    ) -> Option<WholeColumn> {
        let mut column = WholeColumn {
            dtype: chunks.first().map_or(DType::F64, Column::dtype),
            whole: Vec::new(),
            real: Vec::new(),
            offsets: vec![0],
            bytes: Vec::new(),
            validity: vec![0; n_rows.div_ceil(8)],
            n_rows,
        };
        for (at, (chunk, row)) in cells.enumerate() {
            column.validity[at >> 3] |= u8::from(chunk.is_valid(row)) << (at & 7);
            match chunk.data() {
                ColumnData::I64(v) => column.whole.push(v[row]),
                ColumnData::F64(v) => column.real.push(v[row]),
                _ => {
                    column.bytes.extend_from_slice(chunk.text(row).unwrap_or("").as_bytes());
                    column.offsets.push(i32::try_from(column.bytes.len()).ok()?);
                }
            }
        }
        Some(column)
    }

    /// None if the chunks were of different dtypes.
    pub(crate) fn column(&self) -> Option<Column<'_>> {
        let data = match self.dtype {
            DType::I64 => ColumnData::I64(&self.whole),
            DType::F64 => ColumnData::F64(&self.real),
            _ => ColumnData::Str { offsets: &self.offsets, bytes: &self.bytes },
        };
        Column::try_new(data, Some(Bits::try_new(&self.validity, 0, self.n_rows)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_taken_from_their_chunks() {
        let (first, second) = ([1.0, 2.0, f64::NAN], [4.0, 5.0]);
        let validity = [0b001];
        let bits = Bits::try_new(&validity, 0, 3);
        let chunks = [
            Column::try_new(ColumnData::F64(&first), bits).unwrap(),
            Column::try_new(ColumnData::F64(&[]), None).unwrap(),
            Column::try_new(ColumnData::F64(&second), None).unwrap(),
        ];
        let taken = WholeColumn::taken(&chunks, &[4, 0, 1, 3, 2, 4]).unwrap();
        let taken = taken.column().unwrap();
        let cells: Vec<f64> = (0..taken.n_rows()).map(|row| taken.double(row)).collect();
        assert_eq!(cells[..2], [5.0, 1.0]);
        assert!(cells[2].is_nan() && cells[4].is_nan());
        assert_eq!((cells[3], cells[5]), (4.0, 5.0));
        assert!(WholeColumn::taken(&chunks, &[5]).is_none());
        assert_eq!(WholeColumn::taken(&chunks, &[]).unwrap().column().unwrap().n_rows(), 0);

        let (offsets, bytes) = ([0, 1, 1, 4], "abcd");
        let texts = Column::try_new(ColumnData::Str { offsets: &offsets, bytes: bytes.as_bytes() }, None);
        let taken = WholeColumn::taken(&[texts.unwrap()], &[2, 0, 1]).unwrap();
        let taken = taken.column().unwrap();
        assert_eq!([0, 1, 2].map(|row| taken.text(row)), [Some("bcd"), Some("a"), Some("")]);
    }
}
