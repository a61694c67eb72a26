//! CSV: rows as bytes, checked once, so that everything after may believe them.
//!
//! The first row is the header, unless it is data (see `sniff`): then the columns are named
//! `column_1`, `column_2`, .. Every row handed on has as many cells as the first, no zero
//! byte, and valid UTF-8. Quotes follow RFC 4180: a cell that begins with `"` may hold delimiters,
//! line ends and, written twice, quotes; a quote elsewhere in a cell is a character. Lines end
//! with LF, CRLF or CR.
//!
//! Blank lines are skipped and not counted. In a table of one column an empty line is skipped too,
//! since many files end with some: there a missing cell is written `""` (as pandas does), blanks,
//! or a marker.

mod ahead;
mod sniff;
mod watch;

use crate::cell::{is_blank, trim};
use crate::encoding::Encoding;
use crate::error::{Error, Kind, Result};
use crate::markers::Markers;
use crate::source::{Opened, Source};
use ::csv::{ByteRecord, Reader, ReaderBuilder};
pub(crate) use ahead::Reading;
use sniff::{Sample, column_name};
use std::collections::HashMap;
use watch::{GaveUp, Watch};

/// How a file is read; what is not said is found out from its first lines.
pub(crate) struct Layout<'a> {
    pub(crate) delimiter: Option<u8>,
    pub(crate) encoding: Encoding,
    pub(crate) header: Header<'a>,
}

/// Whether the first row names the columns.
pub(crate) enum Header<'a> {
    Given(bool),
    /// Found out from the cells, of which those that mean missing decide nothing.
    Sniffed(&'a Markers),
    /// Found out from the names that a model knows.
    Named(Vec<&'a str>),
}

/// Bytes that are read at a time.
const BUFFER_BYTES: usize = 1 << 17;

/// Bytes of rows that are typed together, column by column: few enough to stay in the cache.
const BLOCK_BYTES: usize = 1 << 13;

/// The rows of a CSV source, in order.
struct Rows {
    source: Source,
    reader: Reader<Watch<Opened>>,
    delimiter: u8,
    encoding: Encoding,
    has_header: bool,
    header: Vec<String>,
    /// The record read last.
    record: ByteRecord,
    /// True while the first record is read and is a row.
    is_held: bool,
    /// Number of the row read last, from 1.
    row: u64,
    /// What went wrong after the rows of the last block.
    failed: Option<Error>,
}

/// Rows that are read together.
#[derive(Default)]
struct Block {
    /// The first `n_rows` are rows, others are kept for their memory.
    records: Vec<ByteRecord>,
    n_rows: usize,
    /// Number of the first row, from 1.
    first_row: u64,
}

impl Block {
    fn rows(&self) -> &[ByteRecord] {
        &self.records[..self.n_rows]
    }
}

impl Rows {
    /// Reads and checks the header.
    /// # Errors  What `Source::open` says, `EmptyFile`, `EmptyName`, `DuplicateName`, `Utf8`,
    /// `ZeroByte`, `OpenQuote`, `Delimiter`.
    fn open(source: &Source, layout: &Layout<'_>) -> Result<Rows> {
        if let Some(byte) = layout.delimiter
            && (!byte.is_ascii() || matches!(byte, b'"' | b'\n' | b'\r' | 0))
        {
            return Err(Kind::Delimiter { byte }.into());
        }
        let (delimiter, has_header) = match (layout.delimiter, &layout.header) {
            (Some(delimiter), Header::Given(has_header)) => (delimiter, *has_header),
            (delimiter, header) => {
                let sample = Sample::read(source, layout.encoding)?;
                let delimiter = delimiter.unwrap_or_else(|| sample.delimiter());
                let has_header = match header {
                    Header::Given(has_header) => *has_header,
                    Header::Sniffed(markers) => sample.has_header(delimiter, markers),
                    Header::Named(names) => sample.has_names(delimiter, names),
                };
                (delimiter, has_header)
            }
        };
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(Watch::new(source.text(layout.encoding)?, delimiter));
        let mut rows = Rows {
            source: source.clone(),
            reader,
            delimiter,
            encoding: layout.encoding,
            has_header,
            header: Vec::new(),
            record: ByteRecord::new(),
            is_held: false,
            row: 0,
            failed: None,
        };
        rows.read_first()?;
        Ok(rows)
    }

    /// Reads the next rows, about `BLOCK_BYTES` of them; none at the end. An error is told once the
    /// rows before it have been given.
    /// # Errors  As `Rows::advance`.
    fn read_block(&mut self, block: &mut Block) -> Result<()> {
        (block.n_rows, block.first_row) = (0, self.row + 1);
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut n_bytes = 0;
        while n_bytes < BLOCK_BYTES {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if block.n_rows == 0 => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
            n_bytes += self.record.as_slice().len();
            if block.records.len() == block.n_rows {
                block.records.push(ByteRecord::new());
            }
            // The record of an old block is written over by the next row.
            std::mem::swap(&mut self.record, &mut block.records[block.n_rows]);
            block.n_rows += 1;
        }
        Ok(())
    }

    /// Reads the next row; false at the end.
    /// # Errors  `Unreadable`, `DamagedGzip`, `Ragged`, `Utf8`, `ZeroByte`, `OpenQuote`, `LongRecord`.
    fn advance(&mut self) -> Result<bool> {
        loop {
            if !std::mem::take(&mut self.is_held) && !self.read_record()? {
                return Ok(false);
            }
            let n_cells = self.record.len();
            if n_cells == 1 && self.header.len() > 1 && is_blank_line(&self.record) {
                continue;
            }
            self.row += 1;
            self.check_bytes()?;
            if n_cells != self.header.len() {
                return Err(Kind::Ragged {
                    file: self.file(),
                    row: self.row,
                    line: self.line()?,
                    cells: n_cells,
                    columns: self.header.len(),
                    delimiter: self.delimiter,
                    has_header: self.has_header,
                }
                .into());
            }
            return Ok(true);
        }
    }

    /// Line of the record read last, from 1.
    fn line(&self) -> Result<u64> {
        line_of(&self.record, &self.source, self.encoding)
    }

    fn file(&self) -> String {
        String::from(self.source.name())
    }

    fn read_record(&mut self) -> Result<bool> {
        let more = match self.reader.read_byte_record(&mut self.record) {
            Ok(more) => more,
            Err(error) => return Err(self.read_error(error)),
        };
        let end = self.reader.position().byte();
        self.reader.get_mut().record_begins(end);
        match self.reader.get_ref().open_quote() {
            Some(byte) => Err(self.open_quote(byte)),
            None => Ok(more),
        }
    }

    fn read_error(&self, error: ::csv::Error) -> Error {
        let watch = self.reader.get_ref();
        let source = match (watch.gave_up(), error.into_kind()) {
            (Some(GaveUp::OpenQuote { byte }), _) => return self.open_quote(byte),
            (Some(GaveUp::LongRecord { byte }), _) => {
                let (file, limit) = (self.file(), watch::LONGEST_BYTES);
                return match self.source.line_at(byte, self.encoding) {
                    Ok(line) => Kind::LongRecord { file, line, limit }.into(),
                    Err(error) => error,
                };
            }
            (None, ::csv::ErrorKind::Io(source)) => source,
            (None, other) => std::io::Error::other(format!("{other:?}")),
        };
        self.source.read_error(source, watch.inner().packing)
    }

    fn open_quote(&self, byte: u64) -> Error {
        match self.source.line_at(byte, self.encoding) {
            Ok(line) => Kind::OpenQuote { file: self.file(), line }.into(),
            Err(error) => error,
        }
    }

    fn read_first(&mut self) -> Result<()> {
        loop {
            if !self.read_record()? {
                return Err(Kind::EmptyFile { file: self.file() }.into());
            }
            if !is_blank_line(&self.record) {
                break;
            }
        }
        if !self.has_header {
            self.header = (0..self.record.len()).map(column_name).collect();
            self.is_held = true;
            return Ok(());
        }
        self.check_bytes()?;
        let mut first_of: HashMap<String, usize> = HashMap::with_capacity(self.record.len());
        for (idx, cell) in self.record.iter().enumerate() {
            // Checked above, so nothing is replaced.
            let name = String::from_utf8_lossy(trim(cell)).into_owned();
            if name.is_empty() {
                return Err(Kind::EmptyName { file: self.file(), position: idx + 1 }.into());
            }
            if let Some(&first) = first_of.get(&name) {
                let (first, second) = (first + 1, idx + 1);
                return Err(Kind::DuplicateName { file: self.file(), name, first, second }.into());
            }
            first_of.insert(name.clone(), idx);
            self.header.push(name);
        }
        Ok(())
    }

    /// Refuses zero bytes and what is not UTF-8. The cells lie end to end without delimiters, so
    /// only a row of ASCII may be judged as a whole.
    #[inline]
    fn check_bytes(&self) -> Result<()> {
        let bytes = self.record.as_slice();
        if bytes.is_ascii() && !bytes.contains(&0) {
            return Ok(());
        }
        for (idx, cell) in self.record.iter().enumerate() {
            let column = || self.header.get(idx).cloned().unwrap_or_default();
            let (file, row, position) = (self.file(), self.row, idx + 1);
            if cell.contains(&0) {
                let line = self.line()?;
                return Err(Kind::ZeroByte { file, row, line, column: column(), position }.into());
            }
            if let Err(error) = std::str::from_utf8(cell) {
                let byte = cell.get(error.valid_up_to()).copied().unwrap_or_default();
                let (line, is_latin1) = (self.line()?, self.source.is_latin1()?);
                return Err(
                    Kind::Utf8 { file, row, line, column: column(), position, byte, is_latin1 }.into()
                );
            }
        }
        Ok(())
    }
}

/// Line of a record, from 1. Reads the source again: for messages only.
fn line_of(record: &ByteRecord, source: &Source, encoding: Encoding) -> Result<u64> {
    source.line_at(record.position().map_or(0, ::csv::Position::byte), encoding)
}

/// A line of blanks; an empty cell that was written `""` is none.
fn is_blank_line(record: &ByteRecord) -> bool {
    record.len() == 1 && !record.as_slice().is_empty() && record.as_slice().iter().all(|&b| is_blank(b))
}

#[cfg(test)]
mod tests;
