//! Bounded reading and writing of bytes, varints and strings.

use super::damaged;
use crate::Error;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Bytes being written.
#[derive(Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// LEB128: seven bits a byte, least significant first.
    pub(super) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    pub(super) fn count(&mut self, n: usize) {
        self.varint(n as u64);
    }

    /// Zigzag: 0, -1, 1, -2, .. become 0, 1, 2, 3, ..
    pub(super) fn signed(&mut self, value: i64) {
        self.varint(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.raw(text.as_bytes());
    }

    pub(super) fn double(&mut self, x: f64) {
        self.raw(&x.to_bits().to_le_bytes());
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Bytes being read; every step is checked.
pub(super) struct Reader<'a> {
    section: &'static str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(section: &'static str, bytes: &'a [u8]) -> Reader<'a> {
        Reader { section, bytes, at: 0 }
    }

    /// An error at the current byte.
    pub(super) fn fail(&self, what: &str) -> Error {
        damaged(self.section, self.at, what)
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| self.fail("it ends too early"))?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8], Error> {
        if n > self.left() {
            return Err(self.fail("it ends too early"));
        }
        let taken = &self.bytes[self.at..self.at + n];
        self.at += n;
        Ok(taken)
    }

    pub(super) fn varint(&mut self) -> Result<u64, Error> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(self.fail("a number has more than 64 bits"));
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.fail("a number has more than 64 bits"))
    }

    /// A number of things that each take at least `least` bytes of what is left.
    pub(super) fn count(&mut self, least: usize) -> Result<usize, Error> {
        let n = self.varint()?;
        let n = usize::try_from(n).ok().filter(|n| n.checked_mul(least).is_some_and(|b| b <= self.left()));
        n.ok_or_else(|| self.fail("a count is larger than the bytes that are left"))
    }

    pub(super) fn signed(&mut self) -> Result<i64, Error> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    /// A number that must fit a type.
    pub(super) fn small<T: TryFrom<u64>>(&mut self) -> Result<T, Error> {
        T::try_from(self.varint()?).map_err(|_| self.fail("a number is too large"))
    }

    pub(super) fn text(&mut self) -> Result<String, Error> {
        let n = self.count(1)?;
        let bytes = self.take(n)?;
        match core::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_string()),
            Err(_) => Err(self.fail("a name is not UTF-8")),
        }
    }

    /// Eight bytes, little endian.
    pub(super) fn word(&mut self) -> Result<u64, Error> {
        let bytes = self.take(8)?;
        Ok(bytes.iter().rev().fold(0, |word, &b| word << 8 | u64::from(b)))
    }

    pub(super) fn double(&mut self) -> Result<f64, Error> {
        self.word().map(f64::from_bits)
    }

    /// A count, and as many doubles.
    pub(super) fn doubles(&mut self) -> Result<Vec<f64>, Error> {
        let n = self.count(8)?;
        (0..n).map(|_| self.double()).collect()
    }

    pub(super) fn end(&self) -> Result<(), Error> {
        if self.left() == 0 { Ok(()) } else { Err(self.fail("bytes are left over")) }
    }
}
