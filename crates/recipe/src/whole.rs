//! Whole columns: chunks of rows put together, for what sees other rows.

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
    /// None for more than 2^31 bytes of text.
    pub(crate) fn new(chunks: &[Column<'_>]) -> Option<WholeColumn> {
        let n_rows = chunks.iter().map(Column::n_rows).sum::<usize>();
        let mut column = WholeColumn {
            dtype: chunks.first().map_or(DType::F64, Column::dtype),
            whole: Vec::new(),
            real: Vec::new(),
            offsets: vec![0],
            bytes: Vec::new(),
            validity: vec![0; n_rows.div_ceil(8)],
            n_rows,
        };
        let mut first = 0;
        for chunk in chunks {
            for row in 0..chunk.n_rows() {
                let at = first + row;
                column.validity[at >> 3] |= u8::from(chunk.is_valid(row)) << (at & 7);
            }
            match chunk.data() {
                ColumnData::I64(v) => column.whole.extend_from_slice(v),
                ColumnData::F64(v) => column.real.extend_from_slice(v),
                _ => {
                    for row in 0..chunk.n_rows() {
                        column.bytes.extend_from_slice(chunk.text(row).unwrap_or("").as_bytes());
                        column.offsets.push(i32::try_from(column.bytes.len()).ok()?);
                    }
                }
            }
            first += chunk.n_rows();
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
