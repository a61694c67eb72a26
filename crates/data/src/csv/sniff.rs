//! Finding the delimiter and the header from the first lines.
//!
//! Each of `,` `;` tab `|` is tried on the first rows, quotes respected. Among those that cut the
//! first row into at least two cells, the one wins whose rows most often have as many cells as the
//! first, then the one with most cells, then the first in the order above. If none cuts the
//! first row, the table has one column, and the one wins that cuts the fewest rows.
//!
//! The first row is no header if one of its cells is a number in a column whose other cells, of the
//! next 100 rows, are all numbers (missing ones do not count), unless something speaks for a header:
//! another such column begins with text, or the numbers of the first row are 0, 1, 2, .. (three or
//! more, which libraries write for columns without names). An empty first cell decides nothing:
//! it is what a row index writes above itself, and is then an error of its own.
//!
//! A file that is read for a model has a header if its first row holds a name that the model knows,
//! and none if it holds none while all names have the form `column_1`.

use crate::cell::{Number, trim};
use crate::encoding::Encoding;
use crate::error::Result;
use crate::markers::Markers;
use crate::source::Source;
use ::csv::{ByteRecord, ReaderBuilder};
use std::io::Read;

const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Most bytes that are looked at.
const SAMPLE_BYTES: u64 = 1 << 20;

/// Most rows that are looked at for the delimiter.
const SAMPLE_ROWS: u64 = 200;

/// Most rows after the first that are looked at for the header.
const HEADER_ROWS: u64 = 100;

/// Least numbers 0, 1, 2, .. that are a header.
const LEAST_COUNTED: usize = 3;

/// The name of column `idx` in a file without header.
pub(super) fn column_name(idx: usize) -> String {
    format!("column_{}", idx + 1)
}

fn is_column_name(name: &str) -> bool {
    let number = name.strip_prefix("column_").and_then(|n| n.parse::<usize>().ok());
    number.is_some_and(|n| n > 0 && column_name(n - 1) == name)
}

/// The start of a file.
pub(super) struct Sample {
    bytes: Vec<u8>,
    whole: bool,
}

impl Sample {
    pub(super) fn read(source: &Source, encoding: Encoding) -> Result<Sample> {
        let opened = source.text(encoding)?;
        let packing = opened.packing;
        let mut bytes = Vec::new();
        let mut opened = opened.take(SAMPLE_BYTES);
        opened.read_to_end(&mut bytes).map_err(|error| source.read_error(error, packing))?;
        Ok(Sample { bytes, whole: opened.limit() > 0 })
    }

    pub(super) fn delimiter(&self) -> u8 {
        let mut best = (CANDIDATES[0], None);
        for candidate in CANDIDATES {
            let shape = self.shape(candidate);
            if best.1.is_none_or(|least| shape.beats(least)) {
                best = (candidate, Some(shape));
            }
        }
        best.0
    }

    /// True unless the rule above says that the first row is data.
    pub(super) fn has_header(&self, delimiter: u8, markers: &Markers) -> bool {
        let is_number = |cell: &[u8]| Number::parse(cell).is_some();
        let mut first: Vec<Vec<u8>> = Vec::new();
        let mut n_numbers: Vec<u64> = Vec::new();
        let mut n_texts: Vec<u64> = Vec::new();
        self.rows(delimiter, HEADER_ROWS, |row, record| {
            if row == 0 {
                first = record.iter().map(|cell| trim(cell).to_vec()).collect();
                (n_numbers, n_texts) = (vec![0; first.len()], vec![0; first.len()]);
            } else if record.len() == first.len() {
                for (idx, cell) in record.iter().map(trim).enumerate() {
                    if !markers.is_missing_bytes(cell) {
                        let counts = if is_number(cell) { &mut n_numbers } else { &mut n_texts };
                        counts[idx] += 1;
                    }
                }
            }
        });
        let (mut is_data, mut is_header) = (false, false);
        for (idx, cell) in first.iter().enumerate() {
            if n_numbers[idx] > 0 && n_texts[idx] == 0 && !markers.is_missing_bytes(cell) {
                let number = is_number(cell);
                is_data |= number;
                is_header |= !number;
            }
        }
        !is_data || is_header || is_counted(&first)
    }

    /// True unless the first row holds none of `names`, and these are those of a file without header.
    pub(super) fn has_names(&self, delimiter: u8, names: &[&str]) -> bool {
        let mut found = false;
        self.rows(delimiter, 0, |_, record| {
            found = record.iter().map(trim).any(|cell| names.iter().any(|name| name.as_bytes() == cell));
        });
        found || names.is_empty() || !names.iter().all(|name| is_column_name(name))
    }

    /// Shows the first row, number 0, and at most `most` after it; blank lines are passed over.
    fn rows(&self, delimiter: u8, most: u64, mut show: impl FnMut(u64, &ByteRecord)) {
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(&self.bytes[..]);
        let mut record = ByteRecord::new();
        let mut n_read = 0;
        // Reading from a slice without UTF-8 checks cannot fail; an error would end the sample.
        while n_read <= most && reader.read_byte_record(&mut record).unwrap_or(false) {
            if record.len() == 1 && trim(record.as_slice()).is_empty() {
                continue;
            }
            // The last row of a cut sample may be cut too.
            if n_read == 0 || self.whole || !reader.is_done() {
                show(n_read, &record);
            }
            n_read += 1;
        }
    }

    fn shape(&self, delimiter: u8) -> Shape {
        let mut shape = Shape { columns: 0, n_rows: 0, n_alike: 0 };
        self.rows(delimiter, SAMPLE_ROWS, |row, record| {
            if row == 0 {
                shape.columns = record.len();
                return;
            }
            shape.n_rows += 1;
            shape.n_alike += u64::from(record.len() == shape.columns);
        });
        shape
    }
}

/// True for 0, 1, 2, .. with or without an empty cell before.
fn is_counted(first: &[Vec<u8>]) -> bool {
    let counted = match first {
        [index, rest @ ..] if index.is_empty() => rest,
        all => all,
    };
    let mut cells = counted.iter().enumerate();
    counted.len() >= LEAST_COUNTED && cells.all(|(idx, cell)| idx.to_string().as_bytes() == cell.as_slice())
}

/// How a delimiter cuts the sample.
#[derive(Clone, Copy, Debug)]
struct Shape {
    columns: usize,
    n_rows: u64,
    n_alike: u64,
}

impl Shape {
    fn beats(self, other: Shape) -> bool {
        // Shares are compared as products: a / b > c / d.
        let (mine, theirs) = (self.n_alike * other.n_rows.max(1), other.n_alike * self.n_rows.max(1));
        match (self.columns > 1, other.columns > 1) {
            (true, false) => true,
            (false, true) => false,
            _ => mine > theirs || (mine == theirs && self.columns > other.columns),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_delimiter() {
        for (text, expected) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1;2\n", b';'),
            ("a\tb\n1\t2\n", b'\t'),
            ("a|b\n1|2\n", b'|'),
            ("a;b;c\n1,5;2,5;3,5\n1,5;2,5;3,5\n", b';'),
            ("\"a,x\";\"b,y\"\n\"1,2\";3\n", b';'),
            ("price (EUR;USD),qty\n1,2\n", b','),
            ("\"a;b\"\n1\n", b','),
            ("text\nhello; you\nbye; you\n", b','),
            ("text\nhello, you\nbye, you\n", b';'),
            ("a,b\n1,2\n1,2,3\n4,5\n", b','),
            ("", b','),
            ("a", b','),
            ("a;b", b';'),
            ("\n  \na;b\n1;2\n", b';'),
            ("a;b\n\n \n1;2", b';'),
        ] {
            let source = Source::spool("t", text.as_bytes()).unwrap();
            let sample = Sample::read(&source, Encoding::Utf8).unwrap();
            assert_eq!(char::from(sample.delimiter()), char::from(expected), "{text:?}");
        }
    }

    #[test]
    fn finds_the_header() {
        let markers = Markers::new(&["none"]);
        for (text, expected) in [
            ("a,b\n1,2\n", true),
            ("1,2\n3,4\n", false),
            ("5.1,3.5,setosa\n4.9,3.0,setosa\n", false),
            ("1\n2\n3\n", false),
            ("a\nb\nc\n", true),
            ("a,x\nb,y\n", true),
            ("a,1\nb,y\n", true),
            ("a,1\nb,\n", true),
            ("a,1\nb,?\nc,2\n", false),
            ("a,none\nb,1\n", true),
            ("1,none\n2,1\n", false),
            ("1,2\n", true),
            ("", true),
            (",a\n0,1\n1,2\n", true),
            (",a\n0,x\n1,y\n", true),
            ("id,2019,2020\n7,1.5,2\n", true),
            ("0,1,2\n5,6,7\n", true),
            (",0,1,2\n0,5,6,7\n", true),
            ("0,1\n5,6\n", false),
            ("0,1,2,4\n5,6,7,8\n", false),
            ("\n \n1;2\n\n3;4\n", false),
            ("1,2\n3,4,5\n", true),
            ("1,2\n3,4,5\n6,7", false),
            ("1,1\n1,x\n", false),
        ] {
            let source = Source::spool("t", text.as_bytes()).unwrap();
            let sample = Sample::read(&source, Encoding::Utf8).unwrap();
            assert_eq!(sample.has_header(sample.delimiter(), &markers), expected, "{text:?}");
        }
    }

    #[test]
    fn finds_the_names_of_a_model() {
        for (text, names, expected) in [
            ("a,b\n1,2\n", &["b", "a"][..], true),
            ("a,c\n1,2\n", &["a", "b"], true),
            ("c,d\n1,2\n", &["a", "b"], true),
            ("1,2\n3,4\n", &["column_1", "column_2"], false),
            ("x,y\n3,4\n", &["column_2"], false),
            (" column_2 ,y\n3,4\n", &["column_1", "column_2"], true),
            ("1,2\n3,4\n", &["column_1", "y"], true),
            ("1,2\n3,4\n", &["column_01"], true),
            ("1,2\n3,4\n", &["column_0"], true),
            ("1,2\n3,4\n", &[], true),
        ] {
            let source = Source::spool("t", text.as_bytes()).unwrap();
            let sample = Sample::read(&source, Encoding::Utf8).unwrap();
            assert_eq!(sample.has_names(b',', names), expected, "{text:?} {names:?}");
        }
    }
}
