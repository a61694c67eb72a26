//! Rows of bytes to Arrow batches of typed columns.
//!
//! Values go straight into the buffers of the arrays; no cell is a string of its own on the way.

use crate::cell::{Number, ceil_i64, number_key, parse_f64, trim};
use crate::csv::RowSlice;
use crate::error::{Error, Kind, Result};
use crate::markers::Markers;
use crate::parquet::{Cell, Cells};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use ir::{ColumnKind, DType};
use std::collections::HashMap;
use std::sync::Arc;

/// Most rows of a batch.
const BATCH_ROWS: usize = 65_536;

/// Most cells of a batch, which shortens the batches of wide tables.
const BATCH_CELLS: usize = 1 << 24;

/// Bytes of rows after which a batch ends, which keeps string offsets far below 2^31.
pub(crate) const BATCH_BYTES: usize = 64 << 20;

/// Most rows of a batch of `n_columns` columns.
pub(crate) fn most_rows(n_columns: usize) -> usize {
    (BATCH_CELLS / n_columns.max(1)).clamp(1, BATCH_ROWS)
}

/// How the cells of a column become values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Trimmed text as written, null where blank.
    Raw,
    /// 64-bit integers; a fraction becomes its ceiling, as `ir::Input` defines.
    I64,
    /// Doubles.
    F64,
    /// Trimmed text, null where missing.
    Text,
    /// Canonical spellings of numbers, other text as it is, null where missing.
    Key(DType),
    /// Microseconds since 1970-01-01 00:00 UTC; never made of text.
    Time,
}

impl Form {
    /// The form of a column of a kind.
    pub(crate) fn of(kind: ColumnKind, dtype: DType) -> Form {
        match (kind, dtype) {
            (ColumnKind::Number, DType::I64) => Form::I64,
            (ColumnKind::Number, _) => Form::F64,
            (ColumnKind::Category, DType::I64 | DType::F64) => Form::Key(dtype),
            (ColumnKind::Category | ColumnKind::Text, _) | (ColumnKind::Time, DType::Str) => Form::Text,
            (ColumnKind::Time, _) => Form::Time,
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Form::I64 | Form::Time => DataType::Int64,
            Form::F64 => DataType::Float64,
            Form::Raw | Form::Text | Form::Key(_) => DataType::Utf8,
        }
    }
}

/// A column to be read.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) file_idx: usize,
    pub(crate) form: Form,
}

/// A cell that is no number and should be: the first in row order, then in column order.
#[derive(Debug, PartialEq)]
pub(crate) struct NotANumber {
    /// Its row in the block.
    pub(crate) row: usize,
    /// The position of its column among the wanted ones.
    pub(crate) idx: usize,
}

/// The first row of a chunk whose cell cannot be what its column holds.
#[derive(Debug, PartialEq)]
pub(crate) struct BadRow(pub(crate) usize);

/// Collects rows until a batch is full.
pub(crate) struct BatchBuilder {
    schema: SchemaRef,
    wanted: Vec<Wanted>,
    columns: Vec<ColumnBuilder>,
    markers: Markers,
    most_rows: usize,
    n_rows: usize,
    n_bytes: usize,
}

impl BatchBuilder {
    pub(crate) fn new(wanted: Vec<Wanted>, markers: Markers) -> BatchBuilder {
        let field = |w: &Wanted| Field::new(w.name.as_str(), w.form.data_type(), true);
        let fields: Vec<Field> = wanted.iter().map(field).collect();
        let read = HashMap::from([(String::from(READ), String::new())]);
        let schema = Arc::new(Schema::new_with_metadata(fields, read));
        let most_rows = most_rows(wanted.len());
        let columns = wanted.iter().map(|w| ColumnBuilder::new(w.form)).collect();
        BatchBuilder { schema, wanted, columns, markers, most_rows, n_rows: 0, n_bytes: 0 }
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    pub(crate) fn wanted(&self, idx: usize) -> Option<&Wanted> {
        self.wanted.get(idx)
    }

    /// Rows that the batch may still take; `None` if it is full.
    pub(crate) fn room(&self) -> Option<usize> {
        let room = self.most_rows.saturating_sub(self.n_rows);
        (room > 0 && self.n_bytes < BATCH_BYTES).then_some(room)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.n_rows == 0
    }

    /// Adds rows that have as many cells as the header.
    pub(crate) fn push_block(&mut self, rows: RowSlice<'_>) -> std::result::Result<(), NotANumber> {
        let mut bad = None;
        let mut good = rows;
        for (idx, (wanted, column)) in self.wanted.iter().zip(&mut self.columns).enumerate() {
            if let Err(BadRow(row)) = column.push_block(good, wanted.file_idx, &self.markers) {
                // Later columns matter only where their row is before this one.
                good = good.first(row);
                bad = Some(NotANumber { row, idx });
            }
        }
        if let Some(bad) = bad {
            return Err(bad);
        }
        self.n_rows += rows.n_rows();
        self.n_bytes += rows.n_bytes();
        Ok(())
    }

    /// Adds the cells of a chunk to column `idx`.
    pub(crate) fn push_cells(&mut self, idx: usize, cells: &Cells) -> std::result::Result<(), BadRow> {
        match self.columns.get_mut(idx) {
            Some(column) => column.push_cells(cells, &self.markers),
            None => Ok(()),
        }
    }

    /// Counts the rows of a chunk whose cells were added to every column.
    pub(crate) fn count_rows(&mut self, n_rows: usize) {
        self.n_rows += n_rows;
    }

    /// The batch of the rows since the last one.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch> {
        let arrow = |source| Error::from(Kind::Arrow { source });
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (wanted, column) in self.wanted.iter().zip(&mut self.columns) {
            // The next batch is most likely as long as this one.
            let next =
                if self.n_rows == self.most_rows { column.alike() } else { ColumnBuilder::new(wanted.form) };
            arrays.push(std::mem::replace(column, next).finish().map_err(arrow)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.n_rows));
        (self.n_rows, self.n_bytes) = (0, 0);
        RecordBatch::try_new_with_options(self.schema(), arrays, &options).map_err(arrow)
    }
}

/// Key in the metadata of a schema whose batches this crate has read.
const READ: &str = "smidgen.read";

/// True if the batches of a schema were read by this crate: every missing cell is null.
pub(crate) fn is_read(schema: &Schema) -> bool {
    schema.metadata().contains_key(READ)
}

/// The cells as one array; `None` if their text is too long for one.
pub(crate) fn column_of(
    form: Form,
    cells: &Cells,
    markers: &Markers,
) -> std::result::Result<Result<Option<ArrayRef>>, BadRow> {
    let mut column = ColumnBuilder::new(form);
    column.push_cells(cells, markers)?;
    if matches!(&column.values, Values::Str { bytes, .. } if i32::try_from(bytes.len()).is_err()) {
        return Ok(Ok(None));
    }
    Ok(column.finish().map(Some).map_err(|source| Kind::Arrow { source }.into()))
}

/// The end of what is written. Rows and batches are cut long before it is too large; a saturated
/// offset is refused by Arrow.
fn offset(bytes: &[u8]) -> i32 {
    i32::try_from(bytes.len()).unwrap_or(i32::MAX)
}

/// A whole number, or the ceiling of another.
#[inline(always)]
fn to_i64(cell: &[u8]) -> Option<i64> {
    match Number::parse(cell)? {
        Number::Int(value) => Some(value),
        Number::Float(value) => ceil_i64(value),
    }
}

struct ColumnBuilder {
    form: Form,
    values: Values,
    nulls: NullBufferBuilder,
}

enum Values {
    I64(Vec<i64>),
    F64(Vec<f64>),
    Str { offsets: Vec<i32>, bytes: Vec<u8> },
}

impl ColumnBuilder {
    fn new(form: Form) -> ColumnBuilder {
        let values = match form {
            Form::I64 | Form::Time => Values::I64(Vec::new()),
            Form::F64 => Values::F64(Vec::new()),
            Form::Raw | Form::Text | Form::Key(_) => Values::Str { offsets: vec![0], bytes: Vec::new() },
        };
        ColumnBuilder { form, values, nulls: NullBufferBuilder::new(0) }
    }

    /// Adds the cells of one column of some rows.
    fn push_block(
        &mut self,
        rows: RowSlice<'_>,
        file_idx: usize,
        markers: &Markers,
    ) -> std::result::Result<(), BadRow> {
        let cells = rows.column(file_idx).map(trim);
        match (&mut self.values, self.form) {
            (Values::I64(values), Form::I64) => {
                for (row, cell) in cells.enumerate() {
                    let missing = markers.is_missing_bytes(cell);
                    let value = if missing { Some(0) } else { to_i64(cell) };
                    values.push(value.ok_or(BadRow(row))?);
                    self.nulls.append(!missing);
                }
            }
            (Values::F64(values), _) => {
                for (row, cell) in cells.enumerate() {
                    let missing = markers.is_missing_bytes(cell);
                    let value = if missing { Some(0.0) } else { parse_f64(cell) };
                    values.push(value.ok_or(BadRow(row))?);
                    self.nulls.append(!missing);
                }
            }
            (Values::Str { offsets, bytes }, Form::Text | Form::Raw) => {
                for cell in cells {
                    let missing =
                        if self.form == Form::Raw { cell.is_empty() } else { markers.is_missing_bytes(cell) };
                    if !missing {
                        bytes.extend_from_slice(cell);
                    }
                    offsets.push(offset(bytes));
                    self.nulls.append(!missing);
                }
            }
            (Values::I64(_), _) | (Values::Str { .. }, _) => {
                for (row, cell) in cells.enumerate() {
                    if !self.push(cell, markers) {
                        return Err(BadRow(row));
                    }
                }
            }
        }
        Ok(())
    }

    /// An empty builder with room for as much as this one holds.
    fn alike(&self) -> ColumnBuilder {
        let values = match &self.values {
            Values::I64(values) => Values::I64(Vec::with_capacity(values.len())),
            Values::F64(values) => Values::F64(Vec::with_capacity(values.len())),
            Values::Str { offsets, bytes } => {
                let mut first = Vec::with_capacity(offsets.len());
                first.push(0);
                Values::Str { offsets: first, bytes: Vec::with_capacity(bytes.len()) }
            }
        };
        ColumnBuilder { form: self.form, values, nulls: NullBufferBuilder::new(0) }
    }

    /// Adds a trimmed cell; false if it is no number and should be.
    #[inline]
    fn push(&mut self, cell: &[u8], markers: &Markers) -> bool {
        let missing = match self.form {
            Form::Raw => cell.is_empty(),
            Form::I64 | Form::F64 | Form::Text | Form::Key(_) | Form::Time => markers.is_missing_bytes(cell),
        };
        match &mut self.values {
            Values::I64(values) if missing => values.push(0),
            Values::F64(values) if missing => values.push(0.0),
            Values::I64(_) if self.form == Form::Time => return false,
            Values::I64(values) => match to_i64(cell) {
                Some(value) => values.push(value),
                None => return false,
            },
            Values::F64(values) => match parse_f64(cell) {
                Some(value) => values.push(value),
                None => return false,
            },
            Values::Str { offsets, bytes } => {
                if !missing {
                    match self.form {
                        Form::Key(dtype) => match number_key(cell, dtype) {
                            Some(key) => bytes.extend_from_slice(key.as_bytes()),
                            None => bytes.extend_from_slice(cell),
                        },
                        _ => bytes.extend_from_slice(cell),
                    }
                }
                offsets.push(offset(bytes));
            }
        }
        self.nulls.append(!missing);
        true
    }

    /// Adds typed cells. Text counts as it does in CSV, everything else by its value or its
    /// canonical spelling.
    fn push_cells(&mut self, cells: &Cells, markers: &Markers) -> std::result::Result<(), BadRow> {
        if let (Form::I64, Values::I64(values), Some((ints, nulls)), false) =
            (self.form, &mut self.values, cells.ints(), markers.has_extra())
        {
            values.extend_from_slice(ints);
            match nulls {
                Some(nulls) => self.nulls.append_buffer(nulls),
                None => self.nulls.append_n_non_nulls(ints.len()),
            }
            return Ok(());
        }
        for row in 0..cells.n_rows() {
            let cell = cells.get(row).filter(|cell| self.form == Form::Raw || !cell.is_missing(markers));
            let done = match (self.form, cell, &mut self.values) {
                (_, None, _) => self.push(b"", markers),
                (Form::Key(_), Some(Cell::Bool(value)), _) => {
                    self.push(if value { b"1" } else { b"0" }, markers)
                }
                (_, Some(Cell::Text(text)), _) => self.push(trim(text.as_bytes()), markers),
                (Form::Time, Some(cell @ Cell::Time(..)), Values::I64(values))
                | (Form::I64, Some(cell), Values::I64(values))
                    if cell.is_time() == (self.form == Form::Time) =>
                {
                    let value = cell.to_i64();
                    values.push(value.unwrap_or_default());
                    self.nulls.append_non_null();
                    value.is_some()
                }
                (Form::F64, Some(cell), Values::F64(values)) if !cell.is_time() => {
                    let value = cell.number().map(Number::to_f64);
                    values.push(value.unwrap_or_default());
                    self.nulls.append_non_null();
                    value.is_some()
                }
                (_, Some(_), Values::I64(_) | Values::F64(_)) => false,
                (_, Some(cell), Values::Str { .. }) => self.push(cell.spell().as_bytes(), markers),
            };
            if !done {
                return Err(BadRow(row));
            }
        }
        Ok(())
    }

    /// What a table keeps is cut to its length: the room of a last, short batch would be kept too.
    fn finish(mut self) -> std::result::Result<ArrayRef, arrow_schema::ArrowError> {
        let nulls = self.nulls.finish();
        Ok(match self.values {
            Values::I64(mut values) => {
                values.shrink_to_fit();
                Arc::new(Int64Array::try_new(values.into(), nulls)?)
            }
            Values::F64(mut values) => {
                values.shrink_to_fit();
                Arc::new(Float64Array::try_new(values.into(), nulls)?)
            }
            Values::Str { mut offsets, mut bytes } => {
                offsets.shrink_to_fit();
                bytes.shrink_to_fit();
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                Arc::new(StringArray::try_new(offsets, Buffer::from_vec(bytes), nulls)?)
            }
        })
    }
}
