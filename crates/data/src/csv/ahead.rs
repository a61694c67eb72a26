//! Blocks of rows for who types them, split ahead by another thread.
//!
//! Splitting costs about as much as typing, and neither needs the other's state, so a file longer
//! than a few blocks is split by a thread of its own, some blocks ahead. What is read, and which
//! error is told, is the same; a small file never starts the thread.

use super::{Block, Layout, RowSlice, Rows};
use crate::encoding::Encoding;
use crate::error::Result;
use crate::source::Source;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

/// Blocks that are read before a thread is started.
const BLOCKS_HERE: usize = 16;

/// Blocks that wait at most, which bounds the memory.
const BLOCKS_AHEAD: usize = 8;

/// The rows of a CSV source, some at a time.
pub(crate) struct Reading {
    source: Source,
    encoding: Encoding,
    delimiter: u8,
    has_header: bool,
    header: Vec<String>,
    feed: Feed,
    n_blocks: usize,
    block: Block,
    /// The rows of the block that are given.
    start: usize,
    end: usize,
}

enum Feed {
    Here(Box<Rows>),
    Thread(Splitter),
    Done,
}

/// The thread and the ways to it and back.
struct Splitter {
    full: Receiver<Result<Block>>,
    empty: Sender<Block>,
    thread: JoinHandle<()>,
}

impl Reading {
    /// Reads and checks the first row.
    /// # Errors  What `Source::open` says, `EmptyFile`, `EmptyName`, `DuplicateName`, `Utf8`,
    /// `ZeroByte`, `OpenQuote`, `Delimiter`.
    pub(crate) fn open(source: &Source, layout: &Layout<'_>) -> Result<Reading> {
        let rows = Rows::open(source, layout)?;
        Ok(Reading {
            source: source.clone(),
            encoding: rows.encoding,
            delimiter: rows.delimiter,
            has_header: rows.has_header,
            header: rows.header.clone(),
            feed: Feed::Here(Box::new(rows)),
            n_blocks: 0,
            block: Block { first_row: 1, ..Block::default() },
            start: 0,
            end: 0,
        })
    }

    pub(crate) fn file(&self) -> String {
        String::from(self.source.name())
    }

    pub(crate) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// True if the names are those of the first row.
    pub(crate) fn has_header(&self) -> bool {
        self.has_header
    }

    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// Gives the next rows, at least one and at most `most`; none at the end. Each has as many cells
    /// as the header.
    /// # Errors  `Unreadable`, `DamagedGzip`, `Ragged`, `Utf8`, `ZeroByte`, `OpenQuote`, `LongRecord`.
    pub(crate) fn advance(&mut self, most: usize) -> Result<RowSlice<'_>> {
        if self.end == self.block.n_rows {
            let used = std::mem::take(&mut self.block);
            self.block.first_row = used.first_row + used.n_rows as u64;
            (self.start, self.end) = (0, 0);
            if let Some(block) = self.next_block(used)? {
                self.block = block;
            }
        }
        self.start = self.end;
        self.end = self.block.n_rows.min(self.start.saturating_add(most));
        Ok(self.rows())
    }

    /// The rows given last.
    pub(crate) fn rows(&self) -> RowSlice<'_> {
        RowSlice { block: &self.block, start: self.start, end: self.end }
    }

    /// Number of the first of them, from 1.
    pub(crate) fn first_row(&self) -> u64 {
        self.block.first_row + self.start as u64
    }

    /// Rows given so far.
    pub(crate) fn n_rows(&self) -> u64 {
        self.block.first_row + self.end as u64 - 1
    }

    /// Line, from 1, of row `at` of those given last. Reads the source again: for messages only.
    pub(crate) fn line(&self, at: usize) -> Result<u64> {
        match self.block.starts.get(self.start + at) {
            Some(&byte) => self.source.line_at(byte, self.encoding),
            None => Ok(0),
        }
    }

    fn next_block(&mut self, mut used: Block) -> Result<Option<Block>> {
        self.n_blocks += 1;
        if self.n_blocks > BLOCKS_HERE && matches!(self.feed, Feed::Here(_)) {
            self.feed = match std::mem::replace(&mut self.feed, Feed::Done) {
                Feed::Here(rows) => Splitter::start(rows),
                other => other,
            };
        }
        match &mut self.feed {
            Feed::Here(rows) => rows.read_block(&mut used).map(|()| Some(used)),
            Feed::Thread(splitter) => {
                // A splitter that has ended needs no more blocks.
                let _ = splitter.empty.send(used);
                match splitter.full.recv() {
                    Ok(block) => block.map(Some),
                    Err(_) => {
                        self.join();
                        Ok(None)
                    }
                }
            }
            Feed::Done => Ok(None),
        }
    }

    /// Waits for the end of the thread, and passes on its panic.
    fn join(&mut self) {
        if let Feed::Thread(Splitter { full, empty, thread }) = std::mem::replace(&mut self.feed, Feed::Done)
        {
            // Without a receiver the thread ends with its next block.
            drop((full, empty));
            if let Err(panic) = thread.join()
                && !thread::panicking()
            {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

impl Drop for Reading {
    /// The thread holds the source, whose temporary file must not outlive the reading.
    fn drop(&mut self) {
        self.join();
    }
}

impl Splitter {
    /// Without a thread the rows are split where they are typed.
    fn start(rows: Box<Rows>) -> Feed {
        let (send_full, full) = sync_channel(BLOCKS_AHEAD);
        let (empty, used) = channel();
        let (hand_over, take) = sync_channel(1);
        let spawned = jobs::background("smidgen-split", move || {
            if let Ok(rows) = take.recv() {
                split(rows, &send_full, &used);
            }
        });
        match spawned {
            Ok(thread) => match hand_over.send(rows) {
                Ok(()) => Feed::Thread(Splitter { full, empty, thread }),
                Err(unsent) => Feed::Here(unsent.0),
            },
            Err(_) => Feed::Here(rows),
        }
    }
}

/// Splits until the end, an error, or until nobody takes the blocks; the last block has no rows.
fn split(mut rows: Box<Rows>, full: &SyncSender<Result<Block>>, used: &Receiver<Block>) {
    loop {
        let mut block = used.try_recv().unwrap_or_default();
        let result = rows.read_block(&mut block);
        let is_last = result.is_err() || block.n_rows == 0;
        if full.send(result.map(|()| block)).is_err() || is_last {
            return;
        }
    }
}
