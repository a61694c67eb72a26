//! Votes of the nearest known rows: a heap a row, which few distances get into.

use super::BLOCK;
use super::distances::{Distances, Known};
use crate::cost::{Counts, Operation};
use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use ir::op::NearestRows;

/// Voters that are held at once, of all rows together.
const HELD: usize = 1 << 16;

/// Distances that are compared with the farthest voter at once.
const GROUP: usize = 16;

/// A `NearestRows` node.
#[derive(Clone, Debug)]
pub(crate) struct Nearest {
    pub(crate) op: NearestRows,
    pub(crate) known: Known,
    /// `[n_known, width]`.
    pub(crate) votes: Vec<i32>,
    pub(crate) width: usize,
}

impl Nearest {
    pub(crate) fn count(&self, counts: &mut Counts) {
        self.known.count(counts);
        counts.add(Operation::Neighbour, self.op.k as usize);
    }

    /// Scores `[n_rows, width]` of the first rows of a block: `cells` is `[columns, stride]`.
    pub(crate) fn scores_into(&self, cells: &[i16], stride: usize, scores: &mut [i32]) {
        let n_rows = scores.len() / self.width;
        let k = self.op.k as usize;
        let group = (HELD / k.max(1)).clamp(1, BLOCK);
        let mut heaps: Vec<BinaryHeap<(i64, usize)>> = Vec::new();
        for (first, scores) in (0..n_rows).step_by(group).zip(scores.chunks_mut(group * self.width)) {
            heaps.resize_with(scores.len() / self.width, BinaryHeap::new);
            let rows = first..first + heaps.len();
            self.known.each(cells, stride, rows, |row, first, distances| match distances {
                Distances::Narrow(d) => meet(&mut heaps[row], k, d, first),
                Distances::Wide(d) => meet(&mut heaps[row], k, d, first),
            });
            for (heap, out) in heaps.iter_mut().zip(scores.chunks_exact_mut(self.width)) {
                let mut near = core::mem::take(heap).into_vec();
                self.op.vote(&mut near, &self.votes, out);
            }
        }
    }
}

/// Takes in the distances to the known rows from `first` on. They come in rising order of these rows, so an equal
/// distance is farther than those in the heap.
fn meet<D: Copy + Into<i64> + TryFrom<i64> + PartialOrd>(
    heap: &mut BinaryHeap<(i64, usize)>,
    k: usize,
    distances: &[D],
    first: usize,
) {
    let missing = k.saturating_sub(heap.len()).min(distances.len());
    let (taken, rest) = distances.split_at(missing);
    heap.extend(taken.iter().map(|&d| d.into()).zip(first..));
    let Some(mut limit) = farthest(heap) else { return };
    let (groups, last) = rest.as_chunks::<GROUP>();
    let mut at = first + missing;
    for group in groups {
        if group.iter().fold(false, |near, &d| near | (d < limit)) {
            limit = replace(heap, group, at, limit);
        }
        at += GROUP;
    }
    replace(heap, last, at, limit);
}

/// Distance of the farthest voter, which came among distances of this type.
fn farthest<D: TryFrom<i64>>(heap: &BinaryHeap<(i64, usize)>) -> Option<D> {
    heap.peek().and_then(|top| D::try_from(top.0).ok())
}

/// Puts nearer rows, from `first` on, in the place of the farthest voters; gives the new limit.
#[inline(never)]
fn replace<D: Copy + Into<i64> + TryFrom<i64> + PartialOrd>(
    heap: &mut BinaryHeap<(i64, usize)>,
    distances: &[D],
    first: usize,
    mut limit: D,
) -> D {
    for (&d, at) in distances.iter().zip(first..) {
        if d < limit {
            if let Some(mut top) = heap.peek_mut() {
                *top = (d.into(), at);
            }
            limit = farthest(heap).unwrap_or(limit);
        }
    }
    limit
}
