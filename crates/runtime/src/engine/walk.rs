//! The walking engine: any forest, a few rows of a block side by side.
//!
//! A node is 8 bytes, the right child stands behind the left one and a leaf points to itself, so
//! several rows step in lockstep without a branch on their codes; the loads of one row hide behind
//! those of the others.

use super::question::Question;
use crate::cost::{Counts, Operation, Rows};
use alloc::vec;
use alloc::vec::Vec;
use ir::forest::{Child, CodeSet, Tree};

/// Rows that step together.
const LANES: usize = 8;

/// Rows of a lockstep that a step costs as much as one row alone.
const ALONE: usize = 3;

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// Index of the left child in the tree; the right one follows. A leaf's own index.
    left: u32,
    /// Below 65,536, the most features of a forest.
    feature: u16,
    /// `code + add`, wrapping, above it goes right; 255 in a leaf, which nothing exceeds.
    above: u8,
    /// 1 where missing goes left, so that 255 becomes 0, else 0; [`SET`] instead.
    add: u8,
}

/// The question is a set: the one that `detail` names.
const SET: u8 = 2;

/// A tree laid out for walking.
#[derive(Clone, Debug)]
pub(super) struct WalkedTree {
    nodes: Vec<Node>,
    /// By node. Leaf: first of its values. Set: position among the sets.
    details: Vec<u32>,
    sets: Vec<CodeSet>,
    leaves: Vec<i32>,
    depth: u32,
    first_output: usize,
    width: usize,
}

impl WalkedTree {
    pub(super) fn new(tree: &Tree) -> WalkedTree {
        let n_nodes = 2 * tree.splits.len() + 1;
        let mut nodes = vec![Node::default(); n_nodes];
        let mut details = vec![0u32; n_nodes];
        let mut sets = Vec::new();
        let mut depth = 0;
        let mut used = 1;
        let root = if tree.splits.is_empty() { Child::Leaf(0) } else { Child::Split(0) };
        let mut pending = vec![(root, 0usize, 0u32)];
        while let Some((child, at, above)) = pending.pop() {
            match child {
                Child::Leaf(leaf) => {
                    nodes[at] = Node { left: at as u32, feature: 0, above: 255, add: 0 };
                    details[at] = leaf * tree.width;
                }
                Child::Split(split) => {
                    let split = &tree.splits[split as usize];
                    let (left, feature) = (used as u32, split.feature as u16);
                    nodes[at] = match Question::of(split) {
                        Question::Above { add, above } => Node { left, feature, above, add },
                        Question::In(set) => {
                            details[at] = sets.len() as u32;
                            sets.push(set);
                            Node { left, feature, above: 0, add: SET }
                        }
                    };
                    depth = depth.max(above + 1);
                    pending.push((split.right, used + 1, above + 1));
                    pending.push((split.left, used, above + 1));
                    used += 2;
                }
            }
        }
        WalkedTree {
            nodes,
            details,
            sets,
            leaves: tree.leaves.clone(),
            depth,
            first_output: tree.first_output as usize,
            width: tree.width as usize,
        }
    }

    /// A row that is walked alone waits for each step, which costs it as much as `ALONE` rows side by side.
    pub(super) fn count(&self, rows: Rows, counts: &mut Counts) {
        let n_waits = if rows == Rows::Single { ALONE } else { 1 };
        counts.add(Operation::WalkedTree, 1);
        counts.add(Operation::WalkedStep, n_waits * self.depth as usize);
        counts.add(Operation::SingleLeafValue, self.width.saturating_sub(1));
    }

    /// Adds the leaves that rows reach: `codes` is `[n_features, stride]`, `scores` is
    /// `[n_rows, n_outputs]`, `n_rows` at most `stride`.
    pub(super) fn add(&self, codes: &[u8], stride: usize, scores: &mut [i32], n_outputs: usize) {
        if self.sets.is_empty() {
            self.walk::<false>(codes, stride, scores, n_outputs);
        } else {
            self.walk::<true>(codes, stride, scores, n_outputs);
        }
    }

    fn walk<const SETS: bool>(&self, codes: &[u8], stride: usize, scores: &mut [i32], n_outputs: usize) {
        let groups = scores.chunks_mut(LANES * n_outputs);
        for (row, scores) in (0..).step_by(LANES).zip(groups) {
            // The last lanes may hold rows that nobody reads.
            if row + LANES <= stride {
                self.step::<LANES, SETS>(codes, stride, row, scores, n_outputs);
                continue;
            }
            for (row, scores) in (row..).zip(scores.chunks_exact_mut(n_outputs)) {
                self.step::<1, SETS>(codes, stride, row, scores, n_outputs);
            }
        }
    }

    #[inline(always)]
    fn step<const N: usize, const SETS: bool>(
        &self,
        codes: &[u8],
        stride: usize,
        row: usize,
        scores: &mut [i32],
        n_outputs: usize,
    ) {
        let mut at = [0u32; N];
        for _ in 0..self.depth {
            let mut moved = 0;
            for (lane, at) in at.iter_mut().enumerate() {
                let node = self.nodes[*at as usize];
                let code = codes[usize::from(node.feature) * stride + row + lane];
                let mut right = code.wrapping_add(node.add) > node.above;
                if SETS && node.add == SET {
                    right = self.sets[self.details[*at as usize] as usize].contains(code);
                }
                let next = node.left + u32::from(right);
                moved |= next ^ *at;
                *at = next;
            }
            if moved == 0 {
                break;
            }
        }
        for (scores, at) in scores.chunks_exact_mut(n_outputs).zip(at) {
            let values = &self.leaves[self.details[at as usize] as usize..][..self.width];
            for (score, value) in scores[self.first_output..][..self.width].iter_mut().zip(values) {
                *score += value;
            }
        }
    }
}
