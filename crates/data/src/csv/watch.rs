//! Watches the bytes on their way to the CSV reader for a quote that is never closed.
//!
//! A lost quote makes the reader take the rest of the file for one cell: the table loses rows in
//! silence, or memory fills. The watch follows the reader's own rule (a quote opens a cell only at
//! its beginning, a doubled one stays inside) and stops a record after `LONGEST_BYTES`. Who reads records says
//! where the last one ended.

use std::io::{self, Read};

/// Most bytes of one record, line ends inside quoted cells included.
pub(crate) const LONGEST_BYTES: u64 = 64 << 20;

/// Bytes that are searched for a quote at once.
const BLOCK_BYTES: usize = 256;

/// Why reading was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GaveUp {
    /// The quote at `byte` is open for too long.
    OpenQuote { byte: u64 },
    /// The record that begins at `byte` is too long.
    LongRecord { byte: u64 },
}

/// A reader that knows whether it is inside a quoted cell.
pub(crate) struct Watch<R> {
    inner: R,
    delimiter: u8,
    offset: u64,
    last: u8,
    inside: bool,
    opened_at: u64,
    closed_at: Option<u64>,
    record_at: u64,
    at_end: bool,
    gave_up: Option<GaveUp>,
}

impl<R: Read> Watch<R> {
    pub(crate) fn new(inner: R, delimiter: u8) -> Watch<R> {
        Watch {
            inner,
            delimiter,
            offset: 0,
            last: b'\n',
            inside: false,
            opened_at: 0,
            closed_at: None,
            record_at: 0,
            at_end: false,
            gave_up: None,
        }
    }

    pub(crate) fn inner(&self) -> &R {
        &self.inner
    }

    pub(crate) fn gave_up(&self) -> Option<GaveUp> {
        self.gave_up
    }

    /// Says that the next record begins at `byte`.
    #[inline]
    pub(crate) fn record_begins(&mut self, byte: u64) {
        self.record_at = byte;
    }

    /// Where the quote was opened that the end of the input left open.
    pub(crate) fn open_quote(&self) -> Option<u64> {
        (self.at_end && self.inside).then_some(self.opened_at)
    }

    fn follow(&mut self, chunk: &[u8]) {
        let mut start = 0;
        for block in chunk.chunks(BLOCK_BYTES) {
            // Without an early end, which the compiler makes a few wide comparisons of.
            if block.iter().fold(false, |any, &byte| any | (byte == b'"')) {
                self.quotes(chunk, start, block);
            }
            start += block.len();
        }
        self.last = chunk.last().copied().unwrap_or(self.last);
        self.offset += chunk.len() as u64;
    }

    /// Follows each quote of `block`, which is at `start` in `chunk`.
    fn quotes(&mut self, chunk: &[u8], start: usize, block: &[u8]) {
        const ONES: u64 = u64::from_le_bytes([1; 8]);
        const SEVENS: u64 = u64::from_le_bytes([0x7f; 8]);
        let (words, rest) = block.as_chunks::<8>();
        let mut at_quote = |at: usize| {
            let before = if at == 0 { self.last } else { chunk[at - 1] };
            self.quote(before, at as u64);
        };
        for (i, &word) in words.iter().enumerate() {
            let word = u64::from_le_bytes(word) ^ (ONES * u64::from(b'"'));
            // The highest bit of each byte that is zero, and of no other.
            let mut zeros = !((word & SEVENS).wrapping_add(SEVENS) | word | SEVENS);
            while zeros != 0 {
                at_quote(start + 8 * i + (zeros.trailing_zeros() / 8) as usize);
                zeros &= zeros - 1;
            }
        }
        for (i, _) in rest.iter().enumerate().filter(|&(_, &byte)| byte == b'"') {
            at_quote(start + 8 * words.len() + i);
        }
    }

    #[inline]
    fn quote(&mut self, before: u8, at: u64) {
        let at = self.offset + at;
        if self.inside {
            self.inside = false;
            self.closed_at = Some(at);
        } else if self.closed_at.is_some_and(|closed| closed + 1 == at) {
            self.inside = true;
        } else if before == self.delimiter || matches!(before, b'\n' | b'\r') {
            self.inside = true;
            self.opened_at = at;
        }
    }
}

impl<R: Read> Read for Watch<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        if n == 0 {
            self.at_end = !buffer.is_empty();
            return Ok(0);
        }
        self.follow(&buffer[..n]);
        if self.offset - self.record_at > LONGEST_BYTES {
            // A row of many short cells may end within a quoted one just here.
            let is_open = self.inside && self.offset - self.opened_at > LONGEST_BYTES / 2;
            self.gave_up = Some(match is_open {
                true => GaveUp::OpenQuote { byte: self.opened_at },
                false => GaveUp::LongRecord { byte: self.record_at },
            });
        }
        match self.gave_up {
            Some(_) => Err(io::Error::other("a record is too long")),
            None => Ok(n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads in chunks of every small size, so that a quote meets each border.
    fn open_quote(text: &str) -> Option<u64> {
        let mut results = Vec::new();
        for len in 1..=text.len().max(1) {
            let mut watch = Watch::new(text.as_bytes(), b',');
            let mut buffer = vec![0; len];
            while watch.read(&mut buffer).unwrap() > 0 {}
            results.push(watch.open_quote());
        }
        results.dedup();
        assert_eq!(results.len(), 1, "{text:?}");
        results[0]
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
}
