//! A table in codes, as whoever makes rows of rows looks at it.
//!
//! It stands apart because augmentations, generators and neighbours ask the same of a cell.

use jobs::Threads;
use trees::{CodeMatrix, Encoder};

/// The codes of all rows, and where parallel work on them runs.
#[derive(Clone, Copy)]
pub(crate) struct Coded<'a> {
    pub(crate) encoders: &'a [Encoder],
    pub(crate) codes: &'a CodeMatrix,
    pub(crate) threads: &'a Threads,
}

impl Coded<'_> {
    pub(crate) fn n_columns(&self) -> usize {
        self.encoders.len()
    }

    pub(crate) fn code(&self, column: usize, row: u32) -> u8 {
        self.codes.code(column, row)
    }

    /// True for numbers, whose codes have an order.
    pub(crate) fn ordered(&self, column: usize) -> bool {
        self.encoders[column].ordered()
    }

    /// The code of a missing cell, which is the number of codes.
    pub(crate) fn missing(&self, column: usize) -> u8 {
        self.encoders[column].n_codes() as u8
    }
}
