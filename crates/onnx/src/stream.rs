//! A model read from a file piece by piece.
//!
//! A file that is read whole stands in memory beside its tensors. Here only elements that the decoder asks for are held,
//! tensor by tensor; those of single precision are read to where their tensor will have them.

use prost::bytes::{Buf, Bytes};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

/// Bytes that are read at a time.
const PIECE: usize = 1 << 16;

/// Bytes from which on elements are read to words of their own.
const LARGE: usize = 1 << 12;

/// Words of 4 bytes that the decoder sees as bytes.
struct Seen(Arc<Vec<u32>>);

impl AsRef<[u8]> for Seen {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

/// Words that were read, by the address of the bytes that the decoder has of them.
#[derive(Default)]
pub(crate) struct Words(BTreeMap<usize, Arc<Vec<u32>>>);

impl Words {
    /// The words behind some bytes; none if they are no such words. They are told once, and then held by the bytes alone.
    pub(crate) fn take(&mut self, bytes: &Bytes) -> Option<Arc<Vec<u32>>> {
        self.0.remove(&bytes.as_ptr().addr()).filter(|words| 4 * words.len() == bytes.len())
    }
}

/// Words as floats, if nobody else has them; else the bytes that they were.
pub(crate) fn floats(words: Arc<Vec<u32>>) -> Result<Vec<f32>, Bytes> {
    Arc::try_unwrap(words)
        .map(|words| bytemuck::cast_vec(words.into_iter().map(u32::from_le).collect::<Vec<u32>>()))
        .map_err(|words| Bytes::from_owner(Seen(words)))
}

/// So many bytes of a reader. Where it ends early or fails the rest is zeros, and the error is kept.
pub(crate) struct Stream<'r> {
    reader: &'r mut dyn Read,
    /// Bytes that are not consumed yet, those of the piece among them.
    remaining: usize,
    piece: Vec<u8>,
    consumed: usize,
    words: Words,
    error: Option<io::Error>,
}

impl<'r> Stream<'r> {
    pub(crate) fn new(reader: &'r mut dyn Read, length: usize) -> Stream<'r> {
        let mut stream = Stream {
            reader,
            remaining: length,
            piece: Vec::new(),
            consumed: 0,
            words: Words::default(),
            error: None,
        };
        stream.fill();
        stream
    }

    /// What was read to words of its own; the error if bytes were missing.
    pub(crate) fn finish(self) -> Result<Words, io::Error> {
        self.error.map_or(Ok(self.words), Err)
    }

    /// The next `n` bytes, a multiple of 4, of which some stand in the piece.
    fn read_words(&mut self, n: usize, held: usize) -> Bytes {
        let mut words = vec![0u32; n / 4];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        let (first, rest) = bytes.split_at_mut(held);
        first.copy_from_slice(&self.piece[self.consumed..self.consumed + held]);
        if self.error.is_none() {
            self.error = self.reader.read_exact(rest).err();
        }
        let words = Arc::new(words);
        let bytes = Bytes::from_owner(Seen(Arc::clone(&words)));
        self.words.0.insert(bytes.as_ptr().addr(), words);
        bytes
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
        let bytes = if n >= LARGE && n.is_multiple_of(4) {
            self.read_words(n, held)
        } else {
            let mut bytes = Vec::with_capacity(n);
            bytes.extend_from_slice(&self.chunk()[..held]);
            self.read(n - held, &mut bytes);
            bytes.into()
        };
        self.consumed += held;
        self.remaining -= n;
        if self.chunk().is_empty() && self.remaining > 0 {
            self.fill();
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::{floats as floats_of, *};

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
            assert!(stream.finish().is_ok());
        }
    }

    #[test]
    fn what_is_missing_is_zeros_and_an_error() {
        for (length, fails_at) in [(10, None), (4, Some(2))] {
            let mut slow = Slow(&[1, 2, 3, 4], fails_at);
            let mut stream = Stream::new(&mut slow, length);
            assert_eq!(stream.copy_to_bytes(length).len(), length);
            assert!(stream.finish().is_err());
        }
    }

    #[test]
    fn large_pieces_become_floats_without_a_copy() {
        let floats: Vec<f32> = (0..3000).map(|i| i as f32 / 7.0).collect();
        let all: Vec<u8> = [&b"xyz"[..], bytemuck::cast_slice(&floats), &[7; 8]].concat();
        let mut slow = Slow(&all, None);
        let mut stream = Stream::new(&mut slow, all.len());
        stream.advance(3);
        let bytes = stream.copy_to_bytes(4 * floats.len());
        let small = stream.copy_to_bytes(8);
        let place = bytes.as_ptr();
        let mut words = stream.finish().unwrap();
        assert_eq!((words.take(&small), &small[..]), (None, &[7; 8][..]));
        // Not while others look at them.
        let got = floats_of(words.take(&bytes).unwrap()).unwrap_err();
        assert_eq!((&got, got.as_ptr()), (&bytes, place));
        // They are held by the bytes alone then.
        assert_eq!(words.take(&bytes), None);
        let mut slow = Slow(&all[3..], None);
        let mut stream = Stream::new(&mut slow, all.len() - 3);
        let bytes = stream.copy_to_bytes(4 * floats.len());
        let place = bytes.as_ptr();
        let words = stream.finish().unwrap().take(&bytes).unwrap();
        drop(bytes);
        let got = floats_of(words).unwrap();
        assert_eq!((&got, got.as_ptr().cast()), (&floats, place));
    }
}
