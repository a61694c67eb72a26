//! The bytes of a Parquet file, for a decoder that believes lengths.
//!
//! A piece that is longer than the file is refused before memory is taken. Behind the end of a file there are no
//! more bytes however often they are asked for: the decoder takes that for an empty value, and a damaged
//! header of a few bytes makes it ask for 2^40 of them. After some asking it is an error.

use ::bytes::Bytes;
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// How often a reader may ask behind the end; who reads to the end asks once or twice.
const MOST_ENDS: u32 = 64;

/// A Parquet file of known length.
pub(super) struct FileBytes {
    file: File,
    len: u64,
}

impl FileBytes {
    pub(super) fn new(file: File) -> io::Result<FileBytes> {
        let len = file.metadata()?.len();
        Ok(FileBytes { file, len })
    }

    /// As the decoder expects, all readers share one place in the file.
    fn at(&self, start: u64) -> Result<Ending> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        Ok(Ending { file, n_ends: 0 })
    }
}

impl Length for FileBytes {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for FileBytes {
    type T = BufReader<Ending>;

    fn get_read(&self, start: u64) -> Result<BufReader<Ending>> {
        Ok(BufReader::new(self.at(start)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = start.checked_add(length as u64).filter(|&end| end <= self.len);
        if end.is_none() {
            let what = format!("{length} bytes at {start} reach beyond the file's {}", self.len);
            return Err(ParquetError::EOF(what));
        }
        let mut bytes = vec![0; length];
        self.at(start)?.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// A reader that fails when it is asked too often behind the end.
pub(super) struct Ending {
    file: File,
    n_ends: u32,
}

impl Read for Ending {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        if n == 0 && !buffer.is_empty() {
            self.n_ends += 1;
            if self.n_ends > MOST_ENDS {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a header goes on behind the end"));
            }
        }
        Ok(n)
    }
}
