//! The rows of a leaf, parted by a split.
//!
//! Parting is stable, so the order of rows within a leaf is that of the table, on any number of threads.

use crate::split::Candidate;
use ir::forest::Test;
use jobs::Threads;

/// Where each code goes.
pub(crate) struct GoesLeft {
    pub(crate) table: [bool; 256],
}

impl GoesLeft {
    pub(crate) fn new(candidate: &Candidate, n_codes: u16) -> GoesLeft {
        let mut table = [candidate.missing_left; 256];
        for code in 0..n_codes {
            let code = code as u8;
            table[usize::from(code)] = match candidate.test {
                Test::Greater(t) => code <= t,
                Test::In(set) => !set.contains(code),
            };
        }
        GoesLeft { table }
    }
}

/// Rows below which one thread partitions alone.
const PARALLEL_ROWS: usize = 1 << 15;

/// Stable partition: rows that go left first, both in their old order; gives how many go left.
pub(crate) fn partition(
    rows: &mut [u32],
    buffer: &mut Vec<u32>,
    threads: &Threads,
    is_left: impl Fn(u32) -> bool + Sync + Send,
) -> usize {
    let n = rows.len();
    if n < PARALLEL_ROWS || threads.n() == 1 {
        buffer.resize(buffer.len().max(n), 0);
        return partition_into(rows, &mut buffer[..n], &is_left);
    }
    let parts: Vec<(Vec<u32>, usize)> = {
        let len = n.div_ceil(threads.n());
        let rows = &*rows;
        threads.map(n.div_ceil(len), |i| {
            let mut part = rows[i * len..n.min((i + 1) * len)].to_vec();
            let mut buffer = vec![0; part.len()];
            let n_left = partition_into(&mut part, &mut buffer, &is_left);
            (part, n_left)
        })
    };
    let n_left: usize = parts.iter().map(|p| p.1).sum();
    let (mut left, mut right) = (0, n_left);
    for (part, here) in &parts {
        rows[left..left + here].copy_from_slice(&part[..*here]);
        rows[right..right + part.len() - here].copy_from_slice(&part[*here..]);
        left += here;
        right += part.len() - here;
    }
    n_left
}

fn partition_into(rows: &mut [u32], buffer: &mut [u32], is_left: &impl Fn(u32) -> bool) -> usize {
    let (mut left, mut right) = (0, 0);
    for i in 0..rows.len() {
        let row = rows[i];
        // Both writes happen, only one cursor moves: no branch to mispredict.
        rows[left] = row;
        buffer[right] = row;
        let to_left = usize::from(is_left(row));
        left += to_left;
        right += 1 - to_left;
    }
    rows[left..].copy_from_slice(&buffer[..right]);
    left
}
