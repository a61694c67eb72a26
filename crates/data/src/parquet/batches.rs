//! The second pass over a Parquet file, and the only one for a model: typed batches.

use super::{Cells, Chunk, Parquet, ParquetRows};
use crate::builders::{BadRow, BatchBuilder, Form, Wanted};
use crate::error::{Error, Kind, Result, short};
use crate::markers::Markers;
use crate::storage::Storage;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use ir::ColumnKind;

/// Batches of a Parquet file.
pub(crate) struct ParquetBatches {
    rows: ParquetRows,
    builder: BatchBuilder,
    /// The column of a chunk that each wanted one is made of.
    places: Vec<usize>,
    wanted: Vec<Wanted>,
    /// Rows that the first pass counted, if there was one.
    n_rows: Option<u64>,
}

impl ParquetBatches {
    /// # Errors  `ColumnType`, `ParquetCodec`, `DamagedParquet`; `WrongType` for a time made of
    /// anything else.
    pub(crate) fn new(
        parquet: Parquet,
        wanted: Vec<Wanted>,
        markers: Markers,
        n_rows: Option<u64>,
    ) -> Result<ParquetBatches> {
        let mut positions: Vec<usize> = wanted.iter().map(|w| w.file_idx).collect();
        positions.sort_unstable();
        positions.dedup();
        for w in wanted.iter().filter(|w| w.form == Form::Time) {
            if !matches!(parquet.storage(w.file_idx)?, Storage::Time | Storage::Null) {
                let (column, got) = (w.name.clone(), parquet.type_name(w.file_idx));
                return Err(Kind::WrongType { column, expected: ColumnKind::Time, got }.into());
            }
        }
        let places = wanted.iter().filter_map(|w| positions.binary_search(&w.file_idx).ok()).collect();
        let rows = parquet.rows(&positions)?;
        Ok(ParquetBatches {
            rows,
            builder: BatchBuilder::new(wanted.clone(), markers),
            places,
            wanted,
            n_rows,
        })
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        self.builder.schema()
    }

    /// The next batch, or `None` at the end.
    pub(crate) fn read(&mut self) -> Result<Option<RecordBatch>> {
        let chunk = self.rows.next()?;
        let (row, at_end) = (self.rows.row(), chunk.is_none());
        if self.n_rows.is_some_and(|n| row > n || (at_end && row < n)) {
            return Err(Kind::Changed { file: self.rows.file(), row }.into());
        }
        let Some(chunk) = chunk else { return Ok(None) };
        for (idx, &place) in self.places.iter().enumerate() {
            let Some(cells) = chunk.columns.get(place) else { continue };
            if let Err(BadRow(row)) = self.builder.push_cells(idx, cells) {
                return Err(self.bad_cell(idx, cells, row, &chunk));
            }
        }
        self.builder.count_rows(chunk.n_rows);
        self.builder.finish().map(Some)
    }

    fn bad_cell(&self, idx: usize, cells: &Cells, at: usize, chunk: &Chunk) -> Error {
        let (file, row) = (self.rows.file(), chunk.first_row + at as u64);
        let (Some(wanted), Some(cell)) = (self.wanted.get(idx), cells.get(at)) else {
            return Kind::Changed { file, row }.into();
        };
        let (column, position) = (wanted.name.clone(), wanted.file_idx + 1);
        match (wanted.form, self.n_rows) {
            (Form::Time, _) => Kind::TimeRange { file, column, position, row }.into(),
            (_, Some(_)) => Kind::Changed { file, row }.into(),
            (_, None) => {
                let cell = short(ir::text::category_key(&cell.spell()));
                Kind::TextInNumber { file, column, position, row, line: None, cell }.into()
            }
        }
    }
}
