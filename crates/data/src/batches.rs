//! The second pass: typed batches, one at a time.
//!
//! A number column is `Int64` or `Float64`, a time `Int64`, everything else `Utf8`; missing is null. A batch has at
//! most 65,536 rows; fewer if the table is wide or its rows are long.

use crate::builders::{BatchBuilder, Form, NotANumber, Wanted};
use crate::csv::{self, Header, Layout};
use crate::error::{Error, Kind, Result, short};
use crate::markers::Markers;
use crate::options::ReadOptions;
use crate::parquet::{Parquet, ParquetBatches};
use crate::profile::TableProfile;
use crate::source::Source;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

/// Batches of a table in row order. After an error there is no more.
pub struct Batches {
    reading: Reading,
    done: bool,
}

enum Reading {
    Csv(Box<CsvBatches>),
    Parquet(Box<ParquetBatches>),
}

/// Reads the rows of a source with the types of its profile. `options` are those of the profile.
/// # Errors  Anything wrong with the file; `Changed` if it is not the one that was profiled.
pub fn batches(source: &Source, options: &ReadOptions, profile: &TableProfile) -> Result<Batches> {
    let Some(delimiter) = profile.delimiter else {
        return typed_batches(Parquet::open(source)?, options, profile);
    };
    let header = Header::Given(profile.has_header);
    let layout = Layout { delimiter: Some(delimiter), encoding: options.encoding, header };
    let rows = csv::Reading::open(source, &layout)?;
    let wanted = wanted(source.name(), rows.header(), profile)?;
    Batches::csv(rows, wanted, Markers::new(&options.missing), Some(profile.n_rows))
}

/// As [`batches`], of a Parquet file or of batches in memory.
pub(crate) fn typed_batches(
    parquet: Parquet,
    options: &ReadOptions,
    profile: &TableProfile,
) -> Result<Batches> {
    let wanted = wanted(&parquet.file(), parquet.names(), profile)?;
    Batches::parquet(parquet, wanted, Markers::new(&options.missing), Some(profile.n_rows))
}

fn wanted(file: &str, names: &[String], profile: &TableProfile) -> Result<Vec<Wanted>> {
    let mut wanted = Vec::with_capacity(profile.columns.len());
    for column in &profile.columns {
        if names.get(column.file_idx) != Some(&column.name) {
            return Err(Kind::Changed { file: String::from(file), row: 0 }.into());
        }
        let form = if column.raw { Form::Raw } else { Form::of(column.kind, column.dtype) };
        wanted.push(Wanted { name: column.name.clone(), file_idx: column.file_idx, form });
    }
    Ok(wanted)
}

impl Batches {
    /// # Errors  `TextTimes`.
    pub(crate) fn csv(
        rows: csv::Reading,
        wanted: Vec<Wanted>,
        markers: Markers,
        n_rows: Option<u64>,
    ) -> Result<Batches> {
        if let Some(time) = wanted.iter().find(|w| w.form == Form::Time) {
            return Err(Kind::TextTimes { file: rows.file(), column: time.name.clone() }.into());
        }
        let reading = CsvBatches { rows, builder: BatchBuilder::new(wanted, markers), n_rows, done: false };
        Ok(Batches { reading: Reading::Csv(Box::new(reading)), done: false })
    }

    /// # Errors  Those of `ParquetBatches::new`.
    pub(crate) fn parquet(
        parquet: Parquet,
        wanted: Vec<Wanted>,
        markers: Markers,
        n_rows: Option<u64>,
    ) -> Result<Batches> {
        let reading = ParquetBatches::new(parquet, wanted, markers, n_rows)?;
        Ok(Batches { reading: Reading::Parquet(Box::new(reading)), done: false })
    }

    /// Names and Arrow types of the columns.
    pub fn schema(&self) -> SchemaRef {
        match &self.reading {
            Reading::Csv(csv) => csv.builder.schema(),
            Reading::Parquet(parquet) => parquet.schema(),
        }
    }
}

/// Batches of a CSV file.
struct CsvBatches {
    rows: csv::Reading,
    builder: BatchBuilder,
    /// Rows that the first pass counted, if there was one.
    n_rows: Option<u64>,
    done: bool,
}

impl CsvBatches {
    fn read(&mut self) -> Result<Option<RecordBatch>> {
        if self.done {
            return Ok(None);
        }
        while let Some(most) = self.builder.room() {
            if self.rows.advance(most)?.is_empty() {
                self.done = true;
                break;
            }
            if let Err(bad) = self.builder.push_block(self.rows.rows()) {
                return Err(self.not_a_number(&bad));
            }
        }
        let row = self.rows.n_rows();
        if self.n_rows.is_some_and(|n| row > n || (self.done && row < n)) {
            return Err(Kind::Changed { file: self.rows.file(), row }.into());
        }
        if self.builder.is_empty() { Ok(None) } else { self.builder.finish().map(Some) }
    }

    fn not_a_number(&self, bad: &NotANumber) -> Error {
        let (file, row) = (self.rows.file(), self.rows.first_row() + bad.row as u64);
        let (None, Some(wanted)) = (self.n_rows, self.builder.wanted(bad.idx)) else {
            return Kind::Changed { file, row }.into();
        };
        let cell = crate::cell::trim(self.rows.rows().cell(bad.row, wanted.file_idx));
        let cell = String::from_utf8_lossy(cell);
        match self.rows.line(bad.row) {
            Ok(line) => Kind::TextInNumber {
                file,
                column: wanted.name.clone(),
                position: wanted.file_idx + 1,
                row,
                line: Some(line),
                cell: short(&cell),
            }
            .into(),
            Err(error) => error,
        }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        if self.done {
            return None;
        }
        let batch = match &mut self.reading {
            Reading::Csv(csv) => csv.read(),
            Reading::Parquet(parquet) => parquet.read(),
        };
        self.done = !matches!(batch, Ok(Some(_)));
        batch.transpose()
    }
}
