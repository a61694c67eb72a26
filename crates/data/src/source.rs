//! Where a table comes from: a file or standard input, plain or gzip, read as often as needed.
//!
//! What cannot be opened twice (standard input, a pipe) is copied once to a temporary file, which
//! goes away with the last clone of its source. Gzip is known by its first bytes, not by its
//! name, and may have several members. A UTF-8 byte order mark is skipped. The name of a source
//! is the path as the user typed it, so that messages speak of the same file.

use crate::encoding::{Encoding, Latin1, is_latin1_text};
use crate::error::{Kind, Result};
use flate2::read::MultiGzDecoder;
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::NamedTempFile;

/// A table's bytes, to be opened as often as needed.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Path(PathBuf),
    Spooled(Arc<NamedTempFile>),
}

impl Source {
    /// The source that a user names: `-` is standard input (see [`Source::stdin`]), anything else
    /// a path (see [`Source::path`]).
    /// # Errors  As theirs.
    pub fn parse(text: &str) -> Result<Source> {
        if text == "-" { Source::stdin() } else { Source::path(text) }
    }

    /// A file. A pipe or another special file is copied as standard input is.
    /// # Errors  `Unreadable`, `Folder`, `Spool`. Damage shows up when the file is read.
    pub fn path<P: AsRef<Path>>(path: P) -> Result<Source> {
        let path = path.as_ref();
        let name = path.to_string_lossy().into_owned();
        let unreadable = |source| Kind::Unreadable { file: name.clone(), source };
        let about = fs::metadata(path).map_err(unreadable)?;
        if about.is_dir() {
            return Err(Kind::Folder { file: name }.into());
        }
        let file = File::open(path).map_err(unreadable)?;
        if !about.is_file() {
            return Source::spool(name, file);
        }
        Ok(Source { name, place: Place::Path(path.to_path_buf()) })
    }

    /// Standard input, copied once to a temporary file.
    /// # Errors  `Spool`.
    pub fn stdin() -> Result<Source> {
        Source::spool("standard input", io::stdin().lock())
    }

    /// Any bytes under a name for messages, copied once to a temporary file.
    /// # Errors  `Spool`.
    pub fn spool<S: Into<String>, R: Read>(name: S, mut bytes: R) -> Result<Source> {
        let name = name.into();
        let spool = |source| Kind::Spool { file: name.clone(), source };
        let mut kept = NamedTempFile::new().map_err(spool)?;
        io::copy(&mut bytes, kept.as_file_mut()).map_err(spool)?;
        Ok(Source { name, place: Place::Spooled(Arc::new(kept)) })
    }

    /// The name for messages: the path as typed, or `standard input`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bytes as they are, from their start.
    /// # Errors  `Unreadable`.
    pub(crate) fn file(&self) -> Result<File> {
        let file = match &self.place {
            Place::Path(path) => File::open(path),
            Place::Spooled(kept) => kept.reopen(),
        };
        file.map_err(|source| self.read_error(source, Packing::Plain))
    }

    /// True if the first bytes are those of Parquet.
    /// # Errors  `Unreadable`.
    pub(crate) fn is_parquet(&self) -> Result<bool> {
        let (start, len) =
            peek(&mut self.file()?).map_err(|source| self.read_error(source, Packing::Plain))?;
        Ok(start[..len] == *b"PAR1")
    }

    /// The text from its start: unpacked, without byte order mark.
    /// # Errors  `Unreadable`, `DamagedGzip`, and `Format` for known formats that are not CSV.
    pub fn open(&self) -> Result<Opened> {
        let unreadable = |source| self.read_error(source, Packing::Plain);
        let mut file = self.file()?;
        let (start, len) = peek(&mut file).map_err(unreadable)?;
        let start = &start[..len];
        if let Some(format) = known_format(start) {
            return Err(Kind::Format { file: self.name.clone(), format }.into());
        }
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let (mut bytes, packing): (Box<dyn Read + Send>, _) = if start.starts_with(&[0x1f, 0x8b]) {
            (Box::new(MultiGzDecoder::new(file)), Packing::Gzip)
        } else {
            (Box::new(file), Packing::Plain)
        };
        let (start, len) = peek(&mut bytes).map_err(|source| self.read_error(source, packing))?;
        let start = &start[..len];
        if let Some(format) = known_format(start) {
            let packed = packing == Packing::Gzip && start == b"PAR1";
            let format = if packed { "Parquet packed with gzip" } else { format };
            return Err(Kind::Format { file: self.name.clone(), format }.into());
        }
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        Ok(Opened { bytes: Box::new(Cursor::new(text.to_vec()).chain(bytes)), packing })
    }

    /// The text from its start as UTF-8.
    /// # Errors  As [`Source::open`].
    pub(crate) fn text(&self, encoding: Encoding) -> Result<Opened> {
        let opened = self.open()?;
        Ok(match encoding {
            Encoding::Utf8 => opened,
            Encoding::Latin1 => Opened { packing: opened.packing, bytes: Box::new(Latin1::new(opened)) },
        })
    }

    /// True if no byte speaks against Windows-1252. Reads the source: for messages only.
    pub(crate) fn is_latin1(&self) -> Result<bool> {
        let mut opened = self.open()?;
        let mut block = vec![0; 1 << 16];
        loop {
            match opened.read(&mut block) {
                Ok(0) => return Ok(true),
                Ok(n) if block[..n].iter().all(|&byte| is_latin1_text(byte)) => {}
                Ok(_) => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.read_error(error, opened.packing)),
            }
        }
    }

    /// The error for what went wrong while bytes of this source were read.
    pub(crate) fn read_error(&self, source: io::Error, packing: Packing) -> crate::Error {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        let file = self.name.clone();
        let damaged = matches!(source.kind(), InvalidData | InvalidInput | UnexpectedEof);
        match packing {
            Packing::Gzip if damaged => Kind::DamagedGzip { file, source }.into(),
            Packing::Gzip | Packing::Plain => Kind::Unreadable { file, source }.into(),
        }
    }

    /// The line, from 1, of the byte at `byte` of the UTF-8 text or, if it begins a line end, of what follows it.
    /// Reads the source again up to there: for messages only.
    pub(crate) fn line_at(&self, byte: u64, encoding: Encoding) -> Result<u64> {
        let opened = self.text(encoding)?;
        let packing = opened.packing;
        let mut line = 1;
        for (at, next) in (0_u64..).zip(io::BufReader::new(opened).bytes()) {
            let next = next.map_err(|source| self.read_error(source, packing))?;
            if at >= byte && !matches!(next, b'\n' | b'\r') {
                break;
            }
            line += u64::from(next == b'\n');
        }
        Ok(line)
    }
}

/// How the bytes of a source are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
}

/// The text of a source, from its start.
pub struct Opened {
    bytes: Box<dyn Read + Send>,
    pub(crate) packing: Packing,
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
    }
}

const PEEKED: usize = 4;

/// The first bytes, as many as there are up to `PEEKED`.
fn peek<R: Read>(bytes: &mut R) -> io::Result<([u8; PEEKED], usize)> {
    let mut start = [0; PEEKED];
    let mut len = 0;
    while len < PEEKED {
        match bytes.read(&mut start[len..]) {
            Ok(0) => break,
            Ok(n) => len += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((start, len))
}

/// Formats that people pass for a table and that are not CSV.
fn known_format(start: &[u8]) -> Option<&'static str> {
    match start {
        b"PAR1" => Some("Parquet"),
        b"PARE" => Some("encrypted Parquet"),
        b"PK\x03\x04" => Some("a zip archive (or a spreadsheet)"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16 text"),
        [0x28, 0xb5, 0x2f, 0xfd] => Some("zstd data"),
        [b'B', b'Z', b'h', _] => Some("bzip2 data"),
        [0xfd, b'7', b'z', b'X'] => Some("xz data"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn text_of(bytes: &[u8]) -> Result<String> {
        let source = Source::spool("t.csv", bytes)?;
        let mut opened = source.open()?;
        let packing = opened.packing;
        let mut text = String::new();
        opened.read_to_string(&mut text).map_err(|e| source.read_error(e, packing))?;
        Ok(text)
    }

    #[test]
    fn plain_and_packed() {
        for text in ["", "a", "a,b\n1,2\n", "\u{feff}a,b\n", "\u{feff}"] {
            let expected = text.trim_start_matches('\u{feff}');
            assert_eq!(text_of(text.as_bytes()).unwrap(), expected);
            assert_eq!(text_of(&gzip(text.as_bytes())).unwrap(), expected);
        }
        let members = [gzip(b"a,b\n1,"), gzip(b"2\n"), gzip(b"3,4\n")].concat();
        assert_eq!(text_of(&members).unwrap(), "a,b\n1,2\n3,4\n");
    }

    #[test]
    fn opens_again_and_counts_lines() {
        let source = Source::spool("t.csv", &b"a\r\nb\n\nc\n"[..]).unwrap();
        for _ in 0..2 {
            let mut text = String::new();
            source.open().unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "a\r\nb\n\nc\n");
        }
        for (byte, line) in [(0, 1), (1, 2), (2, 2), (3, 2), (4, 4), (6, 4)] {
            assert_eq!(source.line_at(byte, Encoding::Utf8).unwrap(), line, "{byte}");
        }
    }

    #[test]
    fn messages() {
        let message = |bytes: &[u8]| text_of(bytes).unwrap_err().to_string();
        assert_eq!(
            message(&gzip(b"PAR1....")),
            "t.csv: expected a CSV file, got Parquet packed with gzip; write the table as CSV, plain or gzip, or as Parquet"
        );
        assert_eq!(
            message(b"\xff\xfea\0"),
            "t.csv: expected a CSV file, got UTF-16 text; write the table as CSV, plain or gzip, or as Parquet"
        );
        let packed = gzip(&[b'a'; 5000]);
        let cut = message(&packed[..packed.len() - 6]);
        assert!(cut.starts_with("t.csv: the gzip data is damaged: "), "{cut}");
        assert!(cut.ends_with("; copy or download the file again"), "{cut}");
        let mut wrong = packed.clone();
        let at = wrong.len() - 8;
        wrong[at] ^= 1;
        assert!(message(&wrong).starts_with("t.csv: the gzip data is damaged: "));
        let gone = Source::parse("/nowhere/t.csv").unwrap_err();
        assert_eq!(
            gone.to_string(),
            "/nowhere/t.csv: cannot be read: No such file or directory (os error 2); check the path and its permissions"
        );
        assert_eq!(gone.nature(), crate::Nature::Input);
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().to_str().unwrap();
        assert_eq!(
            Source::parse(folder).unwrap_err().to_string(),
            format!("{folder}: expected a CSV file, got a folder; name a file in it")
        );
    }
}
