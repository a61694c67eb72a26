//! What values do: all that any observer asks, from one pass, in memory that does not grow with the rows.
//!
//! Rows may come in any order, in batches of any size and on any number of threads: what is kept is whole numbers
//! (counts, and sums in fixed point), extremes, and the extremes of the last [`MOVING_ROWS`] rows by their number, so
//! that every order gives the same bits. The first and the second half of the rows are kept apart, which shows whether
//! ranges drift.

mod block;
mod exact_sum;
mod histogram;
mod summary;

#[cfg(test)]
mod tests;

pub use summary::{Piece, Summary};

use crate::error::{Error, misfit};
use std::collections::BTreeMap;

/// Rows, the last ones by number, whose extremes are kept one by one for moving averages. With a share of 0.01 a row,
/// those before them would weigh less than `2^-59`.
pub const MOVING_ROWS: usize = 4096;

/// Channels that statistics are kept for; memory is taken for each.
const MAX_CHANNELS: usize = 1 << 20;

/// Statistics of a tensor, as a whole or channel by channel, over rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    channels: Vec<Channel>,
    n_rows: u64,
}

impl Statistics {
    /// Nothing seen yet of `n_channels` channels (1: the tensor as a whole) in `n_rows` rows.
    ///
    /// # Errors
    /// `Shape` without a channel or with more than `2^20`.
    pub fn try_new(n_channels: usize, n_rows: u64) -> Result<Statistics, Error> {
        if !(1..=MAX_CHANNELS).contains(&n_channels) {
            return Err(misfit("channels of statistics", format!("1..={MAX_CHANNELS}"), n_channels));
        }
        Ok(Statistics { channels: vec![Channel::default(); n_channels], n_rows })
    }

    /// Sees rows `first_row..first_row + n_rows`: `values: [n_rows, outer, n_channels, inner]`, row-major; `outer`
    /// follows from the length. NaN and infinities are counted, and are no values. A row comes once. O(values).
    ///
    /// # Errors
    /// `Shape` for values that are not so many times `n_rows * n_channels * inner`, and for rows beyond those
    /// announced.
    pub fn push(&mut self, first_row: u64, n_rows: usize, values: &[f32], inner: usize) -> Result<(), Error> {
        let end = u64::try_from(n_rows).ok().and_then(|n| first_row.checked_add(n));
        if end.is_none_or(|end| end > self.n_rows) {
            let got = format!("{n_rows} rows from row {first_row}");
            return Err(misfit("rows of statistics", format!("rows below {}", self.n_rows), got));
        }
        if values.is_empty() {
            return Ok(());
        }
        let block = self.channels.len().checked_mul(inner).filter(|b| *b > 0);
        let fits = block
            .and_then(|b| b.checked_mul(n_rows))
            .is_some_and(|b| b > 0 && values.len().is_multiple_of(b));
        if !fits {
            let expected = format!("a multiple of {n_rows} * {} * {inner}", self.channels.len());
            return Err(misfit("values of statistics", expected, values.len()));
        }
        let n_first = self.n_rows.div_ceil(2);
        for (row, values) in (first_row..).zip(values.chunks_exact(values.len() / n_rows)) {
            let n_channels = self.channels.len();
            for (c, channel) in self.channels.iter_mut().enumerate() {
                let runs = values.chunks_exact(inner).skip(c).step_by(n_channels);
                channel.push_row(row, row < n_first, runs);
            }
        }
        Ok(())
    }

    /// Adds what others saw of other rows. Exact: in any order the same bits.
    ///
    /// # Errors
    /// `Shape` for other channels or rows.
    pub fn merge(&mut self, other: &Statistics) -> Result<(), Error> {
        if (self.channels.len(), self.n_rows) != (other.channels.len(), other.n_rows) {
            let shown = |s: &Statistics| format!("{} channels of {} rows", s.channels.len(), s.n_rows);
            return Err(misfit("statistics to merge", shown(self), shown(other)));
        }
        for (own, other) in self.channels.iter_mut().zip(&other.channels) {
            own.merge(other);
        }
        Ok(())
    }

    /// What the first half of the rows holds (the larger one, of an odd number), and what the second: any observer's
    /// ranges for both tell whether they drift.
    pub fn halves(&self) -> [Statistics; 2] {
        let n_first = self.n_rows.div_ceil(2);
        let half = |is_first: bool| {
            let of = |channel: &Channel| Channel {
                first: if is_first { channel.first.clone() } else { channel.second.clone() },
                second: Summary::default(),
                last_rows: channel
                    .last_rows
                    .iter()
                    .filter(|(row, _)| (**row < n_first) == is_first)
                    .map(|(row, extremes)| (*row, *extremes))
                    .collect(),
            };
            Statistics { channels: self.channels.iter().map(of).collect(), n_rows: self.n_rows }
        };
        [half(true), half(false)]
    }

    /// Each channel.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }
}

/// What was seen of one channel, or of a tensor as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Channel {
    first: Summary,
    second: Summary,
    /// Least and largest value of the last rows, by row.
    last_rows: BTreeMap<u64, (f32, f32)>,
}

impl Channel {
    /// All values as one row: what weights are.
    pub fn of(values: &[f32]) -> Channel {
        let mut channel = Channel::default();
        channel.push_row(0, true, std::iter::once(values));
        channel
    }

    fn push_row<'a>(&mut self, row: u64, is_first: bool, runs: impl Iterator<Item = &'a [f32]>) {
        let half = if is_first { &mut self.first } else { &mut self.second };
        if let Some(extremes) = half.push_row(runs) {
            self.last_rows.insert(row, extremes);
            self.forget();
        }
    }

    fn merge(&mut self, other: &Channel) {
        self.first.merge(&other.first);
        self.second.merge(&other.second);
        self.last_rows.extend(&other.last_rows);
        self.forget();
    }

    fn forget(&mut self) {
        while self.last_rows.len() > MOVING_ROWS {
            self.last_rows.pop_first();
        }
    }

    /// What all rows hold.
    pub fn whole(&self) -> Summary {
        let mut whole = self.first.clone();
        whole.merge(&self.second);
        whole
    }

    /// Least and largest value of the last [`MOVING_ROWS`] rows that hold a finite value, in order of rows.
    pub fn last_rows(&self) -> impl ExactSizeIterator<Item = (f32, f32)> + '_ {
        self.last_rows.values().copied()
    }
}
