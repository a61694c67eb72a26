//! Bytes to records: where each cell lies, found eight bytes at a time.
//!
//! Quotes follow RFC 4180: a cell that begins with `"` may hold delimiters, line ends and, written
//! twice, quotes; what stands behind its closing quote belongs to it; a quote elsewhere is a character. Lines
//! end with LF, CRLF or CR, and empty ones are passed over. The `csv` crate splits alike, which a test
//! checks; it looks at one byte at a time and copies each cell.
//!
//! A record is handed on whole, so the buffer holds the longest one; it is given up after [`LONGEST_BYTES`].
//! A lost quote would else make a table lose rows in silence, or fill the memory.
//! # Source  Langdale & Lemire, "Parsing gigabytes of JSON per second", VLDB Journal 2019 (candidates as bits of a
//! word); deviation: 64-bit words without vector instructions.

use super::Block;
use std::io::{self, Read};

/// Most bytes of one record, line ends inside quoted cells included.
pub(super) const LONGEST_BYTES: usize = 64 << 20;

/// Bytes that are read at a time.
pub(super) const BUFFER_BYTES: usize = 1 << 17;

/// Why no record was found.
#[derive(Debug)]
pub(super) enum Fault {
    /// The bytes cannot be read.
    Read(io::Error),
    /// The quote at `byte` is never closed, or not for too long.
    OpenQuote { byte: u64 },
    /// The record that begins at `byte` is too long.
    LongRecord { byte: u64 },
}

/// Where a cell lies in the bytes of its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// The records of some bytes, in order.
pub(super) struct Splitter<R> {
    pub(super) inner: R,
    delimiter: u8,
    buffer: Vec<u8>,
    /// The bytes of the buffer that are not handed on yet.
    start: usize,
    end: usize,
    /// Where the buffer begins in the text.
    offset: u64,
    at_end: bool,
}

impl<R: Read> Splitter<R> {
    pub(super) fn new(inner: R, delimiter: u8, buffer_bytes: usize) -> Splitter<R> {
        let buffer = vec![0; buffer_bytes];
        Splitter { inner, delimiter, buffer, start: 0, end: 0, offset: 0, at_end: false }
    }

    /// Adds the next record to the end of a block, whose rows it does not count; false at the end.
    /// Cells whose quotes are to be taken out are noted in the block.
    pub(super) fn next(&mut self, block: &mut Block) -> Result<bool, Fault> {
        loop {
            let text = &self.buffer[self.start..self.end];
            let n_ends = text.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
            self.start += n_ends;
            let text = &text[n_ends..];
            if text.is_empty() {
                if self.at_end {
                    return Ok(false);
                }
                self.fill()?;
                continue;
            }
            let byte = self.offset + self.start as u64;
            let (n_cells, n_quoted) = (block.cells.len(), block.quoted.len());
            match scan(text, self.delimiter, self.at_end, block) {
                Scan::Record(len) => {
                    block.bytes.extend_from_slice(&text[..len]);
                    block.bytes.push(b'\n');
                    block.starts.push(byte);
                    self.start += len;
                    return Ok(true);
                }
                Scan::Cut { quote } => {
                    block.cells.truncate(n_cells);
                    block.quoted.truncate(n_quoted);
                    // A row of many short cells may just be within a quoted one.
                    let open = quote.filter(|at| self.at_end || text.len() - at > LONGEST_BYTES / 2);
                    if self.at_end || text.len() > LONGEST_BYTES {
                        return Err(match open {
                            Some(at) => Fault::OpenQuote { byte: byte + at as u64 },
                            None => Fault::LongRecord { byte },
                        });
                    }
                    self.fill()?;
                }
            }
        }
    }

    /// Fills the buffer, which grows if one record takes all of it.
    fn fill(&mut self) -> Result<(), Fault> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.offset += self.start as u64;
        (self.start, self.end) = (0, self.end - self.start);
        if self.end == self.buffer.len() {
            // Once it is full with more than a record may have, the record is given up.
            self.buffer.resize((2 * self.buffer.len()).min(LONGEST_BYTES + 1), 0);
        }
        while self.end < self.buffer.len() {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.at_end = true;
                    return Ok(());
                }
                Ok(n) => self.end += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::Read(error)),
            }
        }
        Ok(())
    }
}

enum Scan {
    /// A record of so many bytes, its line end left out.
    Record(usize),
    /// The text ends before the record does; `quote` is where a quote is open.
    Cut { quote: Option<usize> },
}

/// Finds the cells of the record that `text` begins with; they are counted from the end of the block's bytes.
fn scan(text: &[u8], delimiter: u8, at_end: bool, block: &mut Block) -> Scan {
    let base = block.bytes.len();
    // A block ends long before 2^32 bytes: it has one record beyond its length at most.
    let cell = |start: usize, end: usize| Cell { start: (base + start) as u32, end: (base + end) as u32 };
    let every = u64::from_le_bytes([delimiter; 8]);
    let (mut at, mut start) = (0, 0);
    'words: while at < text.len() {
        let mut found = candidates(word_at(text, at), every);
        while found != 0 {
            let place = at + (found.trailing_zeros() / 8) as usize;
            found &= found - 1;
            let byte = text[place];
            if byte == delimiter {
                block.cells.push(cell(start, place));
                start = place + 1;
            } else if matches!(byte, b'\n' | b'\r') {
                block.cells.push(cell(start, place));
                return Scan::Record(place);
            } else if byte == b'"' && place == start {
                let Some(quoted) = quoted(text, place, delimiter, at_end) else {
                    return Scan::Cut { quote: Some(place) };
                };
                if quoted.is_written_over {
                    block.quoted.push(block.cells.len());
                }
                block.cells.push(cell(quoted.start, quoted.end));
                if text.get(quoted.after) != Some(&delimiter) {
                    return Scan::Record(quoted.after);
                }
                (at, start) = (quoted.after + 1, quoted.after + 1);
                continue 'words;
            }
        }
        at += 8;
    }
    if !at_end {
        return Scan::Cut { quote: None };
    }
    block.cells.push(cell(start, text.len()));
    Scan::Record(text.len())
}

/// Eight bytes, with ones behind the end of the text.
#[inline(always)]
fn word_at(text: &[u8], at: usize) -> u64 {
    match text[at..].first_chunk::<8>() {
        Some(&chunk) => u64::from_le_bytes(chunk),
        None => {
            let mut chunk = [0xff; 8];
            chunk[..text.len() - at].copy_from_slice(&text[at..]);
            u64::from_le_bytes(chunk)
        }
    }
}

/// The highest bit of each byte that is the delimiter (repeated in `every`) or at most `"`, which line ends are too.
#[inline(always)]
fn candidates(word: u64, every: u64) -> u64 {
    const TOPS: u64 = u64::from_le_bytes([0x80; 8]);
    const SEVENS: u64 = u64::from_le_bytes([0x7f; 8]);
    // A byte of `#` or more reaches its highest bit with this added.
    const TO_TOP: u64 = u64::from_le_bytes([0x80 - b'#'; 8]);
    let low = !((word & SEVENS).wrapping_add(TO_TOP) | word);
    let other = word ^ every;
    let same = !((other & SEVENS).wrapping_add(SEVENS) | other);
    (low | same) & TOPS
}

struct Quoted {
    /// The text of the cell; with its quotes where they are to be taken out.
    start: usize,
    end: usize,
    is_written_over: bool,
    /// The delimiter, line end or end of the text behind it.
    after: usize,
}

/// The cell whose opening quote is at `open`; `None` if the text ends before it does.
fn quoted(text: &[u8], open: usize, delimiter: u8, at_end: bool) -> Option<Quoted> {
    let (mut at, mut is_doubled) = (open + 1, false);
    let is_after = |byte: u8| byte == delimiter || matches!(byte, b'\n' | b'\r');
    loop {
        let close = at + find_quote(&text[at..])?;
        match text.get(close + 1) {
            None if !at_end => return None,
            Some(b'"') => (at, is_doubled) = (close + 2, true),
            Some(&byte) if !is_after(byte) => {
                let more = text[close + 1..].iter().position(|&byte| is_after(byte));
                let after = match more {
                    Some(more) => close + 1 + more,
                    None if at_end => text.len(),
                    None => return None,
                };
                return Some(Quoted { start: open, end: after, is_written_over: true, after });
            }
            None | Some(_) if is_doubled => {
                let after = close + 1;
                return Some(Quoted { start: open, end: after, is_written_over: true, after });
            }
            None | Some(_) => {
                return Some(Quoted {
                    start: open + 1,
                    end: close,
                    is_written_over: false,
                    after: close + 1,
                });
            }
        }
    }
}

/// The first quote.
fn find_quote(text: &[u8]) -> Option<usize> {
    const SEVENS: u64 = u64::from_le_bytes([0x7f; 8]);
    let mut at = 0;
    while at < text.len() {
        let word = word_at(text, at) ^ u64::from_le_bytes([b'"'; 8]);
        let zeros = !((word & SEVENS).wrapping_add(SEVENS) | word | SEVENS);
        if zeros != 0 {
            return Some(at + (zeros.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    None
}

/// Takes the quotes out of a quoted cell: the first, the closing one, and one of each pair between. The
/// length of what is left, at the start of `cell`.
pub(super) fn take_quotes_out(cell: &mut [u8]) -> usize {
    let (mut from, mut to, mut inside) = (1, 0, true);
    while from < cell.len() {
        let byte = cell[from];
        if inside && byte == b'"' {
            from += 1;
            // The closing one, unless another follows.
            if cell.get(from) != Some(&b'"') {
                inside = false;
                continue;
            }
        }
        cell[to] = byte;
        (from, to) = (from + 1, to + 1);
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::csv::{ByteRecord, ReaderBuilder};
    use ir::digest::SplitMix64;

    /// The records of a text, read through a buffer of some bytes.
    fn records(text: &[u8], delimiter: u8, buffer_bytes: usize) -> Result<Vec<Vec<Vec<u8>>>, Fault> {
        let mut splitter = Splitter::new(text, delimiter, buffer_bytes);
        let mut records = Vec::new();
        loop {
            let mut block = Block::default();
            if !splitter.next(&mut block)? {
                return Ok(records);
            }
            block.take_quotes_out();
            records.push(block.cells.iter().map(|c| block.bytes_of(*c).to_vec()).collect());
        }
    }

    fn reference(text: &[u8], delimiter: u8) -> Vec<Vec<Vec<u8>>> {
        let mut builder = ReaderBuilder::new();
        let mut reader = builder.delimiter(delimiter).has_headers(false).flexible(true).from_reader(text);
        let mut record = ByteRecord::new();
        let mut records = Vec::new();
        while reader.read_byte_record(&mut record).unwrap() {
            records.push(record.iter().map(<[u8]>::to_vec).collect());
        }
        records
    }

    fn open_quote(text: &str) -> Option<u64> {
        let mut found = Vec::new();
        for buffer_bytes in 1..=text.len() + 1 {
            found.push(match records(text.as_bytes(), b',', buffer_bytes) {
                Ok(_) => None,
                Err(Fault::OpenQuote { byte }) => Some(byte),
                Err(other) => panic!("{text:?}: {other:?}"),
            });
        }
        found.dedup();
        assert_eq!(found.len(), 1, "{text:?}");
        found[0]
    }

    #[test]
    fn finds_the_open_quote() {
        for (text, expected) in [
            ("", None),
            ("a,b\n", None),
            ("\"a\"", None),
            ("\"a", Some(0)),
            ("a,\"b\n1,2\n", Some(2)),
            ("a,\"b\"\"\n", Some(2)),
            ("a,\"b\"\"\"\n", None),
            ("a,\"\"\n", None),
            ("5\" pipe,a\n", None),
            ("a, \"b\n", None),
            ("\"a\"x\"y\n\"b", Some(7)),
            ("a\r\n\"b", Some(3)),
            ("\"a,\n\"\"b\"\"\n", Some(0)),
        ] {
            assert_eq!(open_quote(text), expected, "{text:?}");
        }
    }

    /// Random texts of the characters that matter: the same cells as the csv crate, through any buffer.
    #[test]
    fn splits_as_the_csv_crate_does() {
        let mut random = SplitMix64::new(1);
        let mut n_compared = 0;
        for round in 0..60_000_u64 {
            let alphabet: &[u8] = match round % 4 {
                0 => b"a,\"\n",
                1 => b"ab,,\"\"\n\r ",
                2 => b"abcdefgh,,;\n\r\"\t \x00\xff#!",
                _ => b"0123456789,,..-\n",
            };
            let delimiter = if round % 5 == 0 { b';' } else { b',' };
            let len = random.next_word() % 40;
            let text: Vec<u8> =
                (0..len).map(|_| alphabet[(random.next_word() % alphabet.len() as u64) as usize]).collect();
            // A byte order mark is skipped where the source is opened, so here it is text.
            let expected = reference(&text, delimiter);
            let buffer_bytes = 1 + (random.next_word() % 50) as usize;
            match records(&text, delimiter, buffer_bytes) {
                Ok(found) => {
                    n_compared += 1;
                    assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(&text));
                }
                Err(Fault::OpenQuote { byte }) => assert_eq!(text[byte as usize], b'"'),
                Err(other) => panic!("{other:?}"),
            }
        }
        assert!(n_compared > 40_000, "{n_compared}");
    }
}
