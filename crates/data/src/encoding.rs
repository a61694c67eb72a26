//! How the bytes of a CSV file spell text.

use std::io::{self, Read};

/// How the bytes of a CSV file spell text. Never guessed: another one is an error that says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// Each byte is its code point (ISO-8859-1), but for 0x80 to 0x9f, which are those of
    /// Windows-1252 where it has one.
    Latin1,
}

impl Encoding {
    /// Every encoding.
    pub const ALL: &'static [Encoding] = &[Encoding::Utf8, Encoding::Latin1];

    /// Name as users write it in `--encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Latin1 => "latin-1",
        }
    }

    /// The encoding of a name.
    pub fn parse(name: &str) -> Option<Encoding> {
        Encoding::ALL.iter().copied().find(|e| e.name() == name)
    }
}

/// Windows-1252 from 0x80 on; zero where it has no character.
/// # Source  WHATWG Encoding, index windows-1252.
const FROM_80: [u16; 32] = [
    0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
    0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
    0x0153, 0, 0x017e, 0x0178,
];

/// True if the byte may occur in a text file of Windows-1252.
pub(crate) fn is_latin1_text(byte: u8) -> bool {
    match byte {
        0 => false,
        0x80..=0x9f => FROM_80[usize::from(byte - 0x80)] != 0,
        _ => true,
    }
}

fn character(byte: u8) -> char {
    match byte {
        0x80..=0x9f => match char::from_u32(u32::from(FROM_80[usize::from(byte - 0x80)])) {
            Some('\0') | None => char::from(byte),
            Some(known) => known,
        },
        _ => char::from(byte),
    }
}

/// Bytes that are read at a time.
const BLOCK_BYTES: usize = 1 << 15;

/// Latin-1 on its way to UTF-8.
pub(crate) struct Latin1<R> {
    inner: R,
    /// UTF-8 that did not fit the caller's buffer.
    ready: Vec<u8>,
    given: usize,
    block: Vec<u8>,
}

impl<R: Read> Latin1<R> {
    pub(crate) fn new(inner: R) -> Latin1<R> {
        Latin1 { inner, ready: Vec::new(), given: 0, block: vec![0; BLOCK_BYTES] }
    }
}

impl<R: Read> Read for Latin1<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len() {
            self.ready.clear();
            self.given = 0;
            let n = self.inner.read(&mut self.block)?;
            for piece in self.block[..n].chunk_by(|a, b| a.is_ascii() == b.is_ascii()) {
                if piece.is_ascii() {
                    self.ready.extend_from_slice(piece);
                    continue;
                }
                for &byte in piece {
                    let mut utf8 = [0; 4];
                    self.ready.extend_from_slice(character(byte).encode_utf8(&mut utf8).as_bytes());
                }
            }
        }
        let n = buffer.len().min(self.ready.len() - self.given);
        buffer[..n].copy_from_slice(&self.ready[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut text = String::new();
        Latin1::new(&bytes[..]).read_to_string(&mut text).unwrap();
        let characters: Vec<char> = text.chars().collect();
        assert_eq!(characters.len(), 256);
        for (byte, expected) in [
            (0x41, 'A'),
            (0x80, '€'),
            (0x81, '\u{81}'),
            (0x9f, 'Ÿ'),
            (0xa0, '\u{a0}'),
            (0xe9, 'é'),
            (0xff, 'ÿ'),
        ] {
            assert_eq!(characters[byte], expected);
        }
        let mut one_by_one = Vec::new();
        let mut latin1 = Latin1::new(&bytes[..]);
        let mut buffer = [0];
        while latin1.read(&mut buffer).unwrap() > 0 {
            one_by_one.push(buffer[0]);
        }
        assert_eq!(one_by_one, text.as_bytes());
        for &encoding in Encoding::ALL {
            assert_eq!(Encoding::parse(encoding.name()), Some(encoding));
        }
        assert!(is_latin1_text(b'a') && is_latin1_text(0x80) && !is_latin1_text(0x81) && !is_latin1_text(0));
    }
}
