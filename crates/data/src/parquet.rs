//! Parquet: opening a file, checking its columns, and its rows as Arrow batches. Arrow batches in memory
//! are read as the file that holds them would be.
//!
//! A file is known by its first bytes. Rows come in batches of at most 65,536 (fewer if the table
//! is wide or its cells are long), page by page, so that memory holds one batch and one page a
//! column, whatever the size of a row group. Only the columns asked for are read.
//!
//! Whatever bytes a file holds, reading it ends with rows or with an input error: the decoder's own
//! errors are passed on, and should it panic on damaged data, that is caught and told as damage.

mod batches;
mod bytes;
mod cells;
mod profile;
mod time;

use crate::builders::{BATCH_BYTES, most_rows};
use crate::error::{Error, Kind, Result};
use crate::source::Source;
use crate::storage::Storage;
use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use ::parquet::basic::Compression;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::ParquetMetaData;
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType, SchemaRef};
use bytes::FileBytes;
use cells::bytes_of_text;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub(crate) use batches::ParquetBatches;
pub(crate) use cells::{Cell, Cells};
pub(crate) use profile::profile;
pub(crate) use time::TimeType;

/// Ways of compression that are compiled in: the cargo features of the `parquet` crate.
fn is_read(codec: Compression) -> bool {
    matches!(codec, Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::ZSTD(_))
}

/// An open Parquet file, or batches in memory, whose names are checked.
pub(crate) struct Parquet {
    file: String,
    schema: SchemaRef,
    names: Vec<String>,
    place: Place,
}

enum Place {
    File { handle: FileBytes, about: ArrowReaderMetadata },
    Memory(Vec<RecordBatch>),
}

impl Parquet {
    /// # Errors  `Unreadable`, `DamagedParquet`, `EmptyFile`, `EmptyName`, `DuplicateName`.
    pub(crate) fn open(source: &Source) -> Result<Parquet> {
        let file = String::from(source.name());
        let handle = FileBytes::new(source.file()?).map_err(|error| read_error(&file, error))?;
        let about = guarded(&file, || ArrowReaderMetadata::load(&handle, ArrowReaderOptions::new()))?;
        let schema = Arc::clone(about.schema());
        Parquet::new(file, schema, Place::File { handle, about })
    }

    /// Batches of one schema, under a name for messages.
    /// # Errors  `EmptyFile`, `EmptyName`, `DuplicateName`; `OtherSchema`.
    pub(crate) fn in_memory(name: &str, batches: &[RecordBatch]) -> Result<Parquet> {
        let file = String::from(name);
        let Some(first) = batches.first() else { return Err(Kind::EmptyTable { file }.into()) };
        let schema = first.schema();
        let alike = |batch: &RecordBatch| batch.schema_ref().fields() == schema.fields();
        if let Some(batch) = batches.iter().position(|batch| !alike(batch)) {
            return Err(Kind::OtherSchema { table: file, batch: batch + 1 }.into());
        }
        Parquet::new(file, schema, Place::Memory(batches.to_vec()))
    }

    fn new(file: String, schema: SchemaRef, place: Place) -> Result<Parquet> {
        let mut names: Vec<String> = Vec::with_capacity(schema.fields().len());
        let mut first_of: HashMap<&str, usize> = HashMap::with_capacity(names.capacity());
        for (idx, field) in schema.fields().iter().enumerate() {
            let name = ir::text::category_key(field.name());
            if name.is_empty() {
                return Err(Kind::EmptyName { file, position: idx + 1 }.into());
            }
            if let Some(first) = first_of.insert(name, idx) {
                let (name, first, second) = (String::from(name), first + 1, idx + 1);
                return Err(Kind::DuplicateName { file, name, first, second }.into());
            }
            names.push(String::from(name));
        }
        if names.is_empty() {
            return Err(Kind::EmptyFile { file }.into());
        }
        drop(first_of);
        Ok(Parquet { file, schema, names, place })
    }

    pub(crate) fn file(&self) -> String {
        self.file.clone()
    }

    /// Names of the columns, trimmed.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// What the type of column `idx` says.
    /// # Errors  `ColumnType`.
    pub(crate) fn storage(&self, idx: usize) -> Result<Storage> {
        let data_type = self.schema.fields().get(idx).map_or(&DataType::Null, |field| field.data_type());
        match Storage::of(data_type) {
            Some(storage) => Ok(storage),
            None => Err(Kind::ColumnType {
                file: self.file(),
                column: self.names.get(idx).cloned().unwrap_or_default(),
                position: idx + 1,
                got: type_name(data_type),
            }
            .into()),
        }
    }

    /// The type of column `idx`, for people.
    pub(crate) fn type_name(&self, idx: usize) -> String {
        self.schema.fields().get(idx).map_or_else(String::new, |field| type_name(field.data_type()))
    }

    /// The rows of the columns `wanted`, by position, increasing, each once.
    /// # Errors  `ColumnType`, `ParquetCodec`, `DamagedParquet`.
    pub(crate) fn rows(self, wanted: &[usize]) -> Result<ParquetRows> {
        for &idx in wanted {
            self.storage(idx)?;
        }
        let Parquet { file, names, place, .. } = self;
        let names: Vec<String> = wanted.iter().filter_map(|&idx| names.get(idx).cloned()).collect();
        let feed = match place {
            Place::Memory(batches) => {
                // Positions are those of a schema that every batch has.
                let columns =
                    batches.iter().filter_map(|batch| batch.project(wanted).ok()).collect::<VecDeque<_>>();
                Feed::Memory(columns, most_rows(wanted.len()))
            }
            Place::File { handle, about } => {
                check_codecs(&file, &about, wanted, &names)?;
                let mask = ProjectionMask::roots(about.parquet_schema(), wanted.iter().copied());
                let n_rows = batch_rows(about.metadata(), &mask, wanted.len());
                Feed::File(guarded(&file, || {
                    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(handle, about);
                    builder.with_projection(mask).with_batch_size(n_rows).build()
                })?)
            }
        };
        Ok(ParquetRows { file, names, positions: wanted.to_vec(), feed, parts: VecDeque::new(), row: 0 })
    }
}

/// `names` are those of the columns `wanted`.
fn check_codecs(file: &str, about: &ArrowReaderMetadata, wanted: &[usize], names: &[String]) -> Result<()> {
    let schema = about.parquet_schema();
    for group in about.metadata().row_groups() {
        for (leaf, column) in group.columns().iter().enumerate() {
            // A damaged file may have more chunks than columns; the reader refuses it.
            if leaf >= schema.num_columns() || is_read(column.compression()) {
                continue;
            }
            let root = schema.get_column_root_idx(leaf);
            if let Some(at) = wanted.iter().position(|&idx| idx == root) {
                return Err(Kind::ParquetCodec {
                    file: String::from(file),
                    column: names.get(at).cloned().unwrap_or_default(),
                    position: root + 1,
                    codec: column.compression().to_string(),
                }
                .into());
            }
        }
    }
    Ok(())
}

/// Rows of a batch: as many as fit, going by the mean size of a row in its largest row group.
fn batch_rows(metadata: &ParquetMetaData, mask: &ProjectionMask, n_columns: usize) -> usize {
    let mut most = most_rows(n_columns);
    for group in metadata.row_groups() {
        let chunks = group.columns().iter().enumerate().filter(|&(leaf, _)| mask.leaf_included(leaf));
        let bytes = chunks.fold(0_u64, |sum, (_, chunk)| {
            sum.saturating_add(u64::try_from(chunk.uncompressed_size()).unwrap_or(0))
        });
        let n_rows = u64::try_from(group.num_rows()).unwrap_or(0).max(1);
        let fit = (BATCH_BYTES as u64).saturating_mul(n_rows) / bytes.max(1);
        most = most.min(usize::try_from(fit).unwrap_or(usize::MAX)).max(1);
    }
    most
}

/// The rows of some columns of a Parquet file, in order.
pub(crate) struct ParquetRows {
    file: String,
    names: Vec<String>,
    positions: Vec<usize>,
    feed: Feed,
    /// Pieces of a batch that held too much text.
    parts: VecDeque<RecordBatch>,
    row: u64,
}

enum Feed {
    File(ParquetRecordBatchReader),
    /// Batches, and the rows that are read at a time.
    Memory(VecDeque<RecordBatch>, usize),
}

impl Feed {
    fn next(&mut self, file: &str) -> Result<Option<RecordBatch>> {
        match self {
            Feed::File(reader) => guarded(file, || reader.next().transpose()),
            Feed::Memory(batches, most) => {
                let Some(batch) = batches.pop_front() else { return Ok(None) };
                if batch.num_rows() > *most {
                    batches.push_front(batch.slice(*most, batch.num_rows() - *most));
                }
                Ok(Some(batch.slice(0, batch.num_rows().min(*most))))
            }
        }
    }
}

impl ParquetRows {
    pub(crate) fn file(&self) -> String {
        self.file.clone()
    }

    /// Rows in the batches read so far.
    pub(crate) fn row(&self) -> u64 {
        self.row
    }

    /// Name and position in the file, from 1, of the column that is `at` in the batches.
    pub(crate) fn column(&self, at: usize) -> (String, usize) {
        let name = self.names.get(at).cloned().unwrap_or_default();
        (name, self.positions.get(at).map_or(0, |idx| idx + 1))
    }

    /// The next rows, or `None` at the end.
    /// # Errors  `Unreadable`, `DamagedParquet`, `ZeroText`.
    pub(crate) fn next(&mut self) -> Result<Option<Chunk>> {
        while self.parts.is_empty() {
            let Some(batch) = self.feed.next(&self.file)? else { return Ok(None) };
            split(batch, &mut self.parts);
        }
        let Some(batch) = self.parts.pop_front() else { return Ok(None) };
        let damaged = || damage(&self.file, Box::from("a column does not hold what its type says"));
        if batch.num_columns() != self.positions.len() {
            return Err(damaged());
        }
        let columns: Option<Vec<Cells>> = batch.columns().iter().map(Cells::new).collect();
        let columns = columns.ok_or_else(damaged)?;
        for (at, cells) in columns.iter().enumerate() {
            if let Some(row) = cells.zero_byte() {
                let (column, position) = self.column(at);
                let (file, row) = (self.file(), self.row + row as u64 + 1);
                return Err(Kind::ZeroText { file, row, column, position }.into());
            }
        }
        let first_row = self.row + 1;
        self.row += batch.num_rows() as u64;
        Ok(Some(Chunk { columns, first_row, n_rows: batch.num_rows() }))
    }
}

/// Some rows of a file.
pub(crate) struct Chunk {
    /// The columns asked for, in their order in the file.
    pub(crate) columns: Vec<Cells>,
    /// Number of the first row, from 1.
    pub(crate) first_row: u64,
    pub(crate) n_rows: usize,
}

/// Halves a batch until each part holds at most `BATCH_BYTES` of text, or one row. No copy.
fn split(batch: RecordBatch, parts: &mut VecDeque<RecordBatch>) {
    let n_rows = batch.num_rows();
    let bytes: usize = batch.columns().iter().map(bytes_of_text).sum();
    if bytes <= BATCH_BYTES || n_rows <= 1 {
        if n_rows > 0 {
            parts.push_back(batch);
        }
        return;
    }
    split(batch.slice(0, n_rows / 2), parts);
    split(batch.slice(n_rows / 2, n_rows - n_rows / 2), parts);
}

/// Errors of the decoder.
trait Decoding {
    fn told(self, file: &str) -> Error;
}

impl Decoding for ParquetError {
    fn told(self, file: &str) -> Error {
        match self {
            ParquetError::External(source) => match source.downcast::<io::Error>() {
                Ok(source) => read_error(file, *source),
                Err(source) => damage(file, source),
            },
            ParquetError::NYI(what) => Kind::ParquetPart { file: String::from(file), what }.into(),
            other => damage(file, Box::new(other)),
        }
    }
}

impl Decoding for ArrowError {
    fn told(self, file: &str) -> Error {
        match self {
            ArrowError::IoError(_, source) => read_error(file, source),
            ArrowError::ExternalError(source) => match source.downcast::<ParquetError>() {
                Ok(source) => source.told(file),
                Err(source) => damage(file, source),
            },
            other => damage(file, Box::new(other)),
        }
    }
}

fn read_error(file: &str, source: io::Error) -> Error {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match source.kind() {
        InvalidData | InvalidInput | UnexpectedEof => damage(file, Box::new(source)),
        _ => Kind::Unreadable { file: String::from(file), source }.into(),
    }
}

fn damage(file: &str, source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Kind::DamagedParquet { file: String::from(file), source }.into()
}

/// Runs the decoder. What it leaves behind after a panic is not used again: readers end with the
/// first error.
fn guarded<T, E: Decoding>(file: &str, decode: impl FnOnce() -> std::result::Result<T, E>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(done) => done.map_err(|error| error.told(file)),
        Err(_) => Err(damage(file, Box::from("the decoder gave up"))),
    }
}

/// The name of a type for people: nested types without their fields.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => String::from("list"),
        DataType::ListView(_) | DataType::LargeListView(_) => String::from("list"),
        DataType::Struct(_) => String::from("struct"),
        DataType::Map(..) => String::from("map"),
        DataType::Union(..) => String::from("union"),
        DataType::Interval(_) => String::from("interval"),
        DataType::Duration(_) => String::from("duration"),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => String::from("binary"),
        DataType::FixedSizeBinary(n) => format!("binary of {n} bytes"),
        other => other.to_string(),
    }
}
