//! The second pass: typed batches, one at a time.
//!
//! A number column is `Int64` or `Float64`, everything else `Utf8`; missing is null. A batch has at
//! most 65,536 rows; fewer if the table is wide or its rows are long.

use crate::builders::{BatchBuilder, Form, NotANumber, Wanted};
use crate::csv::Rows;
use crate::error::{Error, Kind, Result, short};
use crate::markers::Markers;
use crate::options::ReadOptions;
use crate::profile::TableProfile;
use crate::source::Source;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

/// Batches of a table in row order. After an error there is no more.
pub struct Batches {
    rows: Rows,
    builder: BatchBuilder,
    /// Rows that the first pass counted, if there was one.
    n_rows: Option<u64>,
    done: bool,
}

/// Reads the rows of a source with the types of its profile. `options` are those of the profile.
/// # Errors  Anything wrong with the file; `Changed` if it is not the one that was profiled.
pub fn batches(source: &Source, options: &ReadOptions, profile: &TableProfile) -> Result<Batches> {
    let rows = Rows::open(source, Some(profile.delimiter))?;
    let mut wanted = Vec::with_capacity(profile.columns.len());
    for column in &profile.columns {
        if rows.header().get(column.file_idx) != Some(&column.name) {
            return Err(Kind::Changed { file: rows.file(), row: 0 }.into());
        }
        let form = if column.raw { Some(Form::Raw) } else { Form::of(column.kind, column.dtype) };
        let Some(form) = form else {
            return Err(Kind::TimeKind { column: column.name.clone() }.into());
        };
        wanted.push(Wanted { name: column.name.clone(), file_idx: column.file_idx, form });
    }
    Ok(Batches::new(rows, wanted, Markers::new(&options.missing), Some(profile.n_rows)))
}

impl Batches {
    pub(crate) fn new(rows: Rows, wanted: Vec<Wanted>, markers: Markers, n_rows: Option<u64>) -> Batches {
        Batches { rows, builder: BatchBuilder::new(wanted, markers), n_rows, done: false }
    }

    /// Names and Arrow types of the columns.
    pub fn schema(&self) -> SchemaRef {
        self.builder.schema()
    }

    fn read(&mut self) -> Result<Option<RecordBatch>> {
        while !self.builder.is_full() {
            if !self.rows.advance()? {
                self.done = true;
                break;
            }
            if let Err(NotANumber(idx)) = self.builder.push(self.rows.record()) {
                return Err(self.not_a_number(idx));
            }
        }
        let row = self.rows.row();
        if self.n_rows.is_some_and(|n| row > n || (self.done && row < n)) {
            return Err(Kind::Changed { file: self.rows.file(), row }.into());
        }
        if self.builder.is_empty() { Ok(None) } else { self.builder.finish().map(Some) }
    }

    fn not_a_number(&self, idx: usize) -> Error {
        let (file, row) = (self.rows.file(), self.rows.row());
        let wanted = match (self.n_rows, self.builder.wanted(idx)) {
            (None, Some(wanted)) => wanted,
            _ => return Kind::Changed { file, row }.into(),
        };
        let cell = self.rows.record().get(wanted.file_idx).unwrap_or_default();
        let cell = String::from_utf8_lossy(crate::cell::trim(cell));
        match self.rows.line() {
            Ok(line) => Kind::TextInNumber {
                file,
                column: wanted.name.clone(),
                position: wanted.file_idx + 1,
                row,
                line,
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
        let batch = self.read();
        self.done |= batch.is_err();
        batch.transpose()
    }
}
