//! Finding the delimiter from the first lines.
//!
//! Each of `,` `;` tab `|` is tried on the first rows, quotes respected. Among those that cut the
//! header into at least two cells, the one wins whose rows most often have as many cells as the
//! header, then the one with most cells, then the first in the order above. If none cuts the
//! header, the table has one column, and the one wins that cuts the fewest rows.

use crate::cell::trim;
use crate::error::Result;
use crate::source::Source;
use ::csv::{ByteRecord, ReaderBuilder};
use std::io::Read;

const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Most bytes that are looked at.
const SAMPLE_BYTES: u64 = 1 << 20;

/// Most rows that are looked at.
const SAMPLE_ROWS: u64 = 200;

pub(crate) fn delimiter(source: &Source) -> Result<u8> {
    let opened = source.open()?;
    let packing = opened.packing;
    let mut sample = Vec::new();
    let mut opened = opened.take(SAMPLE_BYTES);
    opened.read_to_end(&mut sample).map_err(|error| source.read_error(error, packing))?;
    let whole = opened.limit() > 0;
    let mut best = (CANDIDATES[0], None);
    for candidate in CANDIDATES {
        let shape = shape(&sample, candidate, whole);
        if best.1.is_none_or(|least| shape.beats(least)) {
            best = (candidate, Some(shape));
        }
    }
    Ok(best.0)
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

fn shape(sample: &[u8], delimiter: u8, whole: bool) -> Shape {
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(sample);
    let mut record = ByteRecord::new();
    let mut shape = Shape { columns: 0, n_rows: 0, n_alike: 0 };
    let mut n_read = 0;
    // Reading from a slice without UTF-8 checks cannot fail; an error would end the sample.
    while n_read <= SAMPLE_ROWS && reader.read_byte_record(&mut record).unwrap_or(false) {
        if record.len() == 1 && trim(record.as_slice()).is_empty() {
            continue;
        }
        n_read += 1;
        if n_read == 1 {
            shape.columns = record.len();
            continue;
        }
        // The last row of a cut sample may be cut too.
        if !whole && reader.is_done() {
            continue;
        }
        shape.n_rows += 1;
        shape.n_alike += u64::from(record.len() == shape.columns);
    }
    shape
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
            assert_eq!(char::from(delimiter(&source).unwrap()), char::from(expected), "{text:?}");
        }
    }
}
