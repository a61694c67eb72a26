//! Rows of the similarity matrix, kept within a limit of memory.
//!
//! The solver works on *positions*: those of the active rows come first, and rows that are set
//! aside move behind them. A kept row holds the similarities to the positions `0..len`, where `len`
//! is at least the number of active rows when it was fetched; [`Rows::partition`] reorders what is
//! kept, so that it stays true. When memory ends, the tails behind the active rows go first, then
//! the rows that were not used for longest.

use super::Similarity;
use jobs::Threads;
use std::collections::BTreeMap;

/// Similarities that one task computes; a task must outweigh its start.
const CHUNK: usize = 2048;

/// The rows that are kept, by position.
pub(super) struct Rows<'a> {
    similarity: Similarity<'a>,
    threads: &'a Threads,
    /// Which row is at each position.
    order: Vec<u32>,
    /// What is kept, by row; empty where nothing is.
    kept: Vec<Vec<f32>>,
    /// When each row was used last, by row; 0: not kept.
    used: Vec<u64>,
    /// The kept rows by last use.
    by_use: BTreeMap<u64, u32>,
    clock: u64,
    n_kept: usize,
    limit: usize,
}

impl<'a> Rows<'a> {
    /// Nothing kept yet; `order` are the rows that take part, `bytes` the memory for what is kept.
    pub(super) fn new(
        similarity: Similarity<'a>,
        threads: &'a Threads,
        order: Vec<u32>,
        bytes: usize,
    ) -> Self {
        let n = similarity.diagonal.len();
        Rows {
            similarity,
            threads,
            order,
            kept: vec![Vec::new(); n],
            used: vec![0; n],
            by_use: BTreeMap::new(),
            clock: 0,
            n_kept: 0,
            limit: bytes / size_of::<f32>(),
        }
    }

    /// The row at each position.
    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    /// Makes sure that the row at `position` is kept with the similarities to the positions `0..len`.
    /// `n_active`: the positions that other rows need. The last row fetched before stays, too.
    pub(super) fn fetch(&mut self, position: usize, len: usize, n_active: usize) {
        let row = self.order[position];
        let slot = row as usize;
        self.by_use.remove(&self.used[slot]);
        self.clock += 1;
        self.used[slot] = self.clock;
        self.by_use.insert(self.clock, row);
        let have = self.kept[slot].len();
        if have >= len {
            return;
        }
        // Taken out first, so that making room does not cut it.
        let mut values = std::mem::take(&mut self.kept[slot]);
        self.make_room(len - have, n_active);
        values.reserve_exact(len - have);
        values.resize(len, 0.0);
        let others = &self.order[have..len];
        let row_into = self.similarity.row_into;
        self.threads.chunks(&mut values[have..], CHUNK, |first, out| {
            row_into(row, &others[first..first + out.len()], out);
        });
        self.kept[slot] = values;
        self.n_kept += len - have;
    }

    /// The similarities of the row at `position`, as far as they are kept.
    pub(super) fn get(&self, position: usize) -> &[f32] {
        &self.kept[self.order[position] as usize]
    }

    /// Moves the positions below `keep.len()` that are not kept behind those that are; both parts stay
    /// in order. Time O(keep.len()) for each row at hand.
    pub(super) fn partition(&mut self, keep: &[bool]) {
        let mut moved = Vec::new();
        partition(&mut self.order, keep, &mut moved);
        let mut moved = Vec::new();
        for &row in self.by_use.values() {
            let values = &mut self.kept[row as usize];
            let n_stay = partition(values, keep, &mut moved);
            // What moved behind positions that this row does not have is lost.
            if values.len() < keep.len() {
                self.n_kept -= values.len() - n_stay;
                values.truncate(n_stay);
            }
        }
    }

    /// Makes room for `n` more similarities, if anything but the two rows used last can go.
    fn make_room(&mut self, n: usize, n_active: usize) {
        if self.n_kept + n > self.limit {
            for row in self.by_use.values() {
                let values = &mut self.kept[*row as usize];
                if values.len() > n_active {
                    self.n_kept -= values.len() - n_active;
                    values.truncate(n_active);
                    values.shrink_to_fit();
                }
            }
        }
        while self.n_kept + n > self.limit && self.by_use.len() > 2 {
            let Some((_, row)) = self.by_use.pop_first() else { break };
            self.used[row as usize] = 0;
            self.n_kept -= std::mem::take(&mut self.kept[row as usize]).len();
        }
    }
}

/// Moves the items whose `keep` is false behind those where it is true, among the first `keep.len()`;
/// both parts stay in order. Returns how many stay in front; `moved` is scratch.
pub(super) fn partition<T: Copy>(items: &mut [T], keep: &[bool], moved: &mut Vec<T>) -> usize {
    moved.clear();
    let mut n = 0;
    for (at, &keep) in keep.iter().enumerate().take(items.len()) {
        let item = items[at];
        if keep {
            items[n] = item;
            n += 1;
        } else {
            moved.push(item);
        }
    }
    items[n..n + moved.len()].copy_from_slice(moved);
    n
}
