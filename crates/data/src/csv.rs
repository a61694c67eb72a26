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
mod split;

use crate::cell::{is_blank, trim};
use crate::encoding::Encoding;
use crate::error::{Error, Kind, Result};
use crate::markers::Markers;
use crate::source::{Opened, Source};
pub(crate) use ahead::Reading;
use sniff::{Sample, column_name};
use split::{BUFFER_BYTES, Cell, Fault, LONGEST_BYTES, Splitter, take_quotes_out};
use std::collections::HashMap;

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

/// Bytes of rows that are typed together, column by column: few enough to stay in the cache.
const BLOCK_BYTES: usize = 1 << 16;

/// The rows of a CSV source, in order.
struct Rows {
    source: Source,
    splitter: Splitter<Opened>,
    delimiter: u8,
    encoding: Encoding,
    has_header: bool,
    header: Vec<String>,
    /// The first record, while it is read and is a row.
    held: Option<Block>,
    /// Number of the row read last, from 1.
    row: u64,
    /// What went wrong after the rows of the last block.
    failed: Option<Error>,
}

/// Rows that are read together: their bytes as in the file, each row with a line end, and where each cell lies in them.
#[derive(Debug, Default)]
struct Block {
    bytes: Vec<u8>,
    /// Row by row.
    cells: Vec<Cell>,
    /// Cells whose quotes are to be taken out.
    quoted: Vec<usize>,
    /// Where each row begins in the text.
    starts: Vec<u64>,
    n_columns: usize,
    n_rows: usize,
    /// Number of the first row, from 1.
    first_row: u64,
}

impl Block {
    fn clear(&mut self) {
        (self.n_rows, self.n_columns) = (0, 0);
        self.bytes.clear();
        self.cells.clear();
        self.quoted.clear();
        self.starts.clear();
    }

    #[inline(always)]
    fn bytes_of(&self, cell: Cell) -> &[u8] {
        &self.bytes[cell.start as usize..cell.end as usize]
    }

    fn take_quotes_out(&mut self) {
        for at in self.quoted.drain(..) {
            let cell = &mut self.cells[at];
            let len = take_quotes_out(&mut self.bytes[cell.start as usize..cell.end as usize]);
            cell.end = cell.start + len as u32;
        }
    }

    /// Drops the last record, before which there were so many cells and bytes.
    fn drop_record(&mut self, n_cells: usize, n_bytes: usize) {
        self.bytes.truncate(n_bytes);
        self.cells.truncate(n_cells);
        self.quoted.retain(|&at| at < n_cells);
        self.starts.pop();
    }
}

/// Some rows of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowSlice<'a> {
    block: &'a Block,
    start: usize,
    end: usize,
}

impl<'a> RowSlice<'a> {
    pub(crate) fn n_rows(self) -> usize {
        self.end - self.start
    }

    pub(crate) fn is_empty(self) -> bool {
        self.end == self.start
    }

    /// The first `n_rows`.
    pub(crate) fn first(self, n_rows: usize) -> RowSlice<'a> {
        RowSlice { end: self.end.min(self.start + n_rows), ..self }
    }

    /// The cells of one column.
    #[inline(always)]
    pub(crate) fn column(self, file_idx: usize) -> impl Iterator<Item = &'a [u8]> {
        let n_columns = self.block.n_columns.max(1);
        let cells = &self.block.cells[self.start * n_columns..self.end * n_columns];
        // A row has a cell for each column of the header.
        cells[file_idx.min(cells.len())..].iter().step_by(n_columns).map(|&cell| self.block.bytes_of(cell))
    }

    /// One cell; empty if there is none.
    pub(crate) fn cell(self, row: usize, file_idx: usize) -> &'a [u8] {
        self.first(row + 1).column(file_idx).nth(row).unwrap_or_default()
    }

    /// Bytes of the rows, as in the file.
    pub(crate) fn n_bytes(self) -> usize {
        let n_columns = self.block.n_columns;
        match (self.block.cells.get(self.start * n_columns), self.block.cells.get(self.end * n_columns)) {
            (Some(first), Some(next)) => (next.start - first.start) as usize,
            (Some(first), None) => self.block.bytes.len() - first.start as usize,
            (None, _) => 0,
        }
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
        let splitter = Splitter::new(source.text(layout.encoding)?, delimiter, BUFFER_BYTES);
        let mut rows = Rows {
            source: source.clone(),
            splitter,
            delimiter,
            encoding: layout.encoding,
            has_header,
            header: Vec::new(),
            held: None,
            row: 0,
            failed: None,
        };
        rows.read_first()?;
        Ok(rows)
    }

    /// Reads the next rows, about `BLOCK_BYTES` of them; none at the end. An error is told once the
    /// rows before it have been given.
    /// # Errors  `Unreadable`, `DamagedGzip`, `Ragged`, `Utf8`, `ZeroByte`, `OpenQuote`, `LongRecord`.
    fn read_block(&mut self, block: &mut Block) -> Result<()> {
        block.clear();
        (block.n_columns, block.first_row) = (self.header.len(), self.row + 1);
        if self.failed.is_none() {
            if let Err(error) = self.read_rows(block) {
                self.failed = Some(error);
            }
            // Rows before the first bad one are good, whatever is wrong behind it.
            if let Err((row, error)) = self.check_bytes(block) {
                (block.n_rows, self.failed) = (row, Some(error));
            }
            block.take_quotes_out();
        }
        match self.failed.take_if(|_| block.n_rows == 0) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn read_rows(&mut self, block: &mut Block) -> Result<()> {
        while block.bytes.len() < BLOCK_BYTES {
            let (n_before, n_bytes) = (block.cells.len(), block.bytes.len());
            match self.held.take() {
                Some(held) => {
                    *block = Block { n_columns: block.n_columns, first_row: block.first_row, ..held }
                }
                None if self.read_record(block)? => {}
                None => break,
            }
            let n_cells = block.cells.len() - n_before;
            if n_cells == 1 && self.header.len() > 1 && is_last_blank(block) {
                block.drop_record(n_before, n_bytes);
                continue;
            }
            self.row += 1;
            if n_cells != self.header.len() {
                let byte = block.starts.last().copied().unwrap_or(0);
                let bad = self.bad_cell(block, n_before, self.row, byte)?;
                block.drop_record(n_before, n_bytes);
                return Err(match bad {
                    Some(error) => error,
                    None => Kind::Ragged {
                        file: self.file(),
                        row: self.row,
                        line: self.source.line_at(byte, self.encoding)?,
                        cells: n_cells,
                        columns: self.header.len(),
                        delimiter: self.delimiter,
                        has_header: self.has_header,
                    }
                    .into(),
                });
            }
            block.n_rows += 1;
        }
        Ok(())
    }

    fn file(&self) -> String {
        String::from(self.source.name())
    }

    /// Adds the next record to a block; false at the end.
    fn read_record(&mut self, block: &mut Block) -> Result<bool> {
        self.splitter.next(block).map_err(|fault| match fault {
            Fault::Read(source) => self.source.read_error(source, self.splitter.inner.packing),
            Fault::OpenQuote { byte } => match self.source.line_at(byte, self.encoding) {
                Ok(line) => Kind::OpenQuote { file: self.file(), line }.into(),
                Err(error) => error,
            },
            Fault::LongRecord { byte } => match self.source.line_at(byte, self.encoding) {
                Ok(line) => Kind::LongRecord { file: self.file(), line, limit: LONGEST_BYTES as u64 }.into(),
                Err(error) => error,
            },
        })
    }

    fn read_first(&mut self) -> Result<()> {
        let mut block = Block::default();
        loop {
            block.clear();
            if !self.read_record(&mut block)? {
                return Err(Kind::EmptyFile { file: self.file() }.into());
            }
            if block.cells.len() > 1 || !is_last_blank(&block) {
                break;
            }
        }
        if !self.has_header {
            self.header = (0..block.cells.len()).map(column_name).collect();
            self.held = Some(block);
            return Ok(());
        }
        if let Some(error) = self.bad_cell(&block, 0, 0, block.starts.first().copied().unwrap_or(0))? {
            return Err(error);
        }
        block.take_quotes_out();
        let mut first_of: HashMap<String, usize> = HashMap::with_capacity(block.cells.len());
        for (idx, &cell) in block.cells.iter().enumerate() {
            // Checked above, so nothing is replaced.
            let name = String::from_utf8_lossy(trim(block.bytes_of(cell))).into_owned();
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

    /// Refuses zero bytes and what is not UTF-8, with the row of the block that holds it. Delimiters stand
    /// between the cells, so that all may be judged at once.
    fn check_bytes(&self, block: &Block) -> std::result::Result<(), (usize, Error)> {
        let is_text = block.bytes.is_ascii() || std::str::from_utf8(&block.bytes).is_ok();
        if is_text && !block.bytes.contains(&0) {
            return Ok(());
        }
        for row in 0..block.n_rows {
            let (first, end) = (row * block.n_columns, (row + 1) * block.n_columns);
            let byte = block.starts.get(row).copied().unwrap_or(0);
            match self.bad_cell_of(block, first, end, block.first_row + row as u64, byte) {
                Ok(None) => {}
                Ok(Some(error)) | Err(error) => return Err((row, error)),
            }
        }
        Ok(())
    }

    /// What is wrong with a cell of the last record of a block, whose cells begin at `first`.
    fn bad_cell(&self, block: &Block, first: usize, row: u64, byte: u64) -> Result<Option<Error>> {
        self.bad_cell_of(block, first, block.cells.len(), row, byte)
    }

    /// What is wrong with the first bad one of some cells, of a row that begins at `byte`.
    fn bad_cell_of(
        &self,
        block: &Block,
        first: usize,
        end: usize,
        row: u64,
        byte: u64,
    ) -> Result<Option<Error>> {
        for (idx, &cell) in block.cells[first..end].iter().enumerate() {
            let cell = block.bytes_of(cell);
            let column = || self.header.get(idx).cloned().unwrap_or_default();
            let (file, position) = (self.file(), idx + 1);
            let line = || self.source.line_at(byte, self.encoding);
            if cell.contains(&0) {
                return Ok(Some(
                    Kind::ZeroByte { file, row, line: line()?, column: column(), position }.into(),
                ));
            }
            if let Err(error) = std::str::from_utf8(cell) {
                let byte = cell.get(error.valid_up_to()).copied().unwrap_or_default();
                let (line, is_latin1) = (line()?, self.source.is_latin1()?);
                let column = column();
                return Ok(Some(Kind::Utf8 { file, row, line, column, position, byte, is_latin1 }.into()));
            }
        }
        Ok(None)
    }
}

/// True if the last cell of a block is blanks; one that was written `""` is none.
fn is_last_blank(block: &Block) -> bool {
    let bytes = block.cells.last().map_or(&[][..], |&cell| block.bytes_of(cell));
    !bytes.is_empty() && bytes.iter().all(|&byte| is_blank(byte))
}

#[cfg(test)]
mod tests;
