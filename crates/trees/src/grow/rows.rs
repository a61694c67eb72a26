//! The rows of a growing tree and those of its leaves.

use std::ops::Range;

/// The rows of the training part and those that only travel along, each grouped by leaf.
#[derive(Clone)]
pub(crate) struct RowLists {
    pub(crate) train: Vec<u32>,
    pub(crate) others: Vec<u32>,
}

/// The rows of one leaf.
pub(super) struct LeafRows<'a> {
    pub(super) train: &'a mut [u32],
    pub(super) others: &'a mut [u32],
}

impl RowLists {
    /// The rows of leaves that stand from left to right, given by where theirs are in both lists.
    pub(super) fn of_leaves(&mut self, places: &[[Range<usize>; 2]]) -> Vec<LeafRows<'_>> {
        let train = slices(&mut self.train, places.iter().map(|place| place[0].clone()));
        let others = slices(&mut self.others, places.iter().map(|place| place[1].clone()));
        train.zip(others).map(|(train, others)| LeafRows { train, others }).collect()
    }
}

/// Slices at rising ranges that do not overlap.
fn slices(
    mut rest: &mut [u32],
    ranges: impl Iterator<Item = Range<usize>>,
) -> impl Iterator<Item = &mut [u32]> {
    let mut first = 0;
    ranges.map(move |range| {
        let (_, from_here) = std::mem::take(&mut rest).split_at_mut(range.start - first);
        let (here, after) = from_here.split_at_mut(range.len());
        (rest, first) = (after, range.end);
        here
    })
}
