//! A model read from a file piece by piece.
//!
//! A file that is read whole stands in memory beside its tensors. Here only elements that the decoder asks for are held,
//! tensor by tensor, so that each can go when its tensor is made.

use prost::bytes::{Buf, Bytes};
use std::io::{self, Read};

/// Bytes that are read at a time.
const PIECE: usize = 1 << 16;

/// So many bytes of a reader. Where it ends early or fails the rest is zeros, and the error is kept.
pub(crate) struct Stream<'r> {
    reader: &'r mut dyn Read,
    /// Bytes that are not consumed yet, those of the piece among them.
    remaining: usize,
    piece: Vec<u8>,
    consumed: usize,
    error: Option<io::Error>,
}

impl<'r> Stream<'r> {
    pub(crate) fn new(reader: &'r mut dyn Read, length: usize) -> Stream<'r> {
        let mut stream = Stream { reader, remaining: length, piece: Vec::new(), consumed: 0, error: None };
        stream.fill();
        stream
    }

    /// Why bytes were missing.
    pub(crate) fn error(self) -> Option<io::Error> {
        self.error
    }

    /// The next `n` bytes of the reader.
    fn read(&mut self, n: usize, bytes: &mut Vec<u8>) {
        let wanted = bytes.len() + n;
        if self.error.is_none() {
            let mut part = (&mut *self.reader).take(n as u64);
            self.error = match part.read_to_end(bytes) {
                Ok(_) if bytes.len() == wanted => None,
                Ok(_) => Some(io::ErrorKind::UnexpectedEof.into()),
                Err(error) => Some(error),
            };
        }
        bytes.resize(wanted, 0);
    }

    /// The next piece, once the last one is consumed.
    fn fill(&mut self) {
        let mut piece = core::mem::take(&mut self.piece);
        piece.clear();
        self.consumed = 0;
        self.read(self.remaining.min(PIECE), &mut piece);
        self.piece = piece;
    }
}

impl Buf for Stream<'_> {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        self.piece.get(self.consumed..).unwrap_or_default()
    }

    fn advance(&mut self, n: usize) {
        let mut left = n.min(self.remaining);
        loop {
            let taken = left.min(self.chunk().len());
            self.consumed += taken;
            self.remaining -= taken;
            left -= taken;
            if self.chunk().is_empty() && self.remaining > 0 {
                self.fill();
            }
            if left == 0 {
                return;
            }
        }
    }

    fn copy_to_bytes(&mut self, n: usize) -> Bytes {
        let n = n.min(self.remaining);
        let held = n.min(self.chunk().len());
        let mut bytes = Vec::with_capacity(n);
        bytes.extend_from_slice(&self.chunk()[..held]);
        self.consumed += held;
        self.read(n - held, &mut bytes);
        self.remaining -= n;
        if self.chunk().is_empty() && self.remaining > 0 {
            self.fill();
        }
        bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that gives few bytes at a time, and fails where so many are left.
    struct Slow<'b>(&'b [u8], Option<usize>);

    impl Read for Slow<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            if self.1 == Some(self.0.len()) {
                return Err(io::Error::other("broken"));
            }
            let most = if self.1.is_some() { 1 } else { 1000 };
            let n = to.len().min(self.0.len()).min(most);
            let (now, rest) = self.0.split_at(n);
            to[..n].copy_from_slice(now);
            self.0 = rest;
            Ok(n)
        }
    }

    #[test]
    fn bytes_come_in_order_however_they_are_asked_for() {
        let all: Vec<u8> = (0..3 * PIECE + 17).map(|i| u8::try_from(i * 7 % 251).unwrap()).collect();
        for sizes in [[1, PIECE, 5, 2 * PIECE], [PIECE - 1, 2, 0, 3], [17, 3 * PIECE, 0, 0]] {
            let mut slow = Slow(&all, None);
            let mut stream = Stream::new(&mut slow, all.len());
            let mut got = Vec::new();
            for size in sizes {
                got.extend_from_slice(&stream.copy_to_bytes(size));
                assert!(!stream.chunk().is_empty() || stream.remaining() == 0);
            }
            let skipped = stream.remaining().min(PIECE + 9);
            stream.advance(skipped);
            let rest = stream.copy_to_bytes(stream.remaining());
            assert_eq!((&got[..], &rest[..]), (&all[..got.len()], &all[got.len() + skipped..]));
            assert!(stream.error().is_none());
        }
    }

    #[test]
    fn what_is_missing_is_zeros_and_an_error() {
        for (length, fails_at) in [(10, None), (4, Some(2))] {
            let mut slow = Slow(&[1, 2, 3, 4], fails_at);
            let mut stream = Stream::new(&mut slow, length);
            assert_eq!(stream.copy_to_bytes(length).len(), length);
            assert!(stream.error().is_some());
        }
    }
}
