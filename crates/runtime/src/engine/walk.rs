//! The walking engine: any forest, a few rows of a block side by side.
//!
//! A node is 16 bytes and a leaf points to itself, so several rows step in lockstep without a branch
//! on their codes; the loads of one row hide behind those of the others.

use alloc::vec;
use alloc::vec::Vec;
use ir::Forest;
use ir::forest::{Child, CodeSet, MISSING, Test};

/// Rows that step together.
const LANES: usize = 8;

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    left: u32,
    right: u32,
    /// Leaf: first of its values. Set: position among the sets.
    value: u32,
    feature: u16,
    /// Codes above it go right; 255 in a leaf, which nothing exceeds.
    above: u8,
    flags: u8,
}

const MISSING_LEFT: u8 = 1;
const SET: u8 = 2;
const LEAF: u8 = 4;

#[derive(Clone, Debug)]
struct Tree {
    root: u32,
    depth: u32,
    first_output: usize,
    width: usize,
}

/// A forest laid out for walking.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    nodes: Vec<Node>,
    sets: Vec<CodeSet>,
    leaves: Vec<i32>,
    trees: Vec<Tree>,
    initial_scores: Vec<i32>,
}

impl Walk {
    pub(crate) fn new(forest: &Forest) -> Walk {
        let mut walk = Walk {
            nodes: Vec::new(),
            sets: Vec::new(),
            leaves: Vec::new(),
            trees: Vec::new(),
            initial_scores: forest.initial_scores().to_vec(),
        };
        for tree in forest.trees() {
            walk.add(tree);
        }
        walk
    }

    fn add(&mut self, tree: &ir::forest::Tree) {
        let root = self.nodes.len() as u32;
        let n_splits = tree.splits.len() as u32;
        let width = tree.width as usize;
        let at = |child: Child| match child {
            Child::Split(i) => root + i,
            Child::Leaf(i) => root + n_splits + i,
        };
        let mut depths = vec![0u32; tree.splits.len()];
        let mut depth = 0;
        for (i, split) in tree.splits.iter().enumerate() {
            let mut node = Node {
                left: at(split.left),
                right: at(split.right),
                feature: split.feature as u16,
                ..Node::default()
            };
            match split.test {
                Test::Greater(t) => node.above = t,
                Test::In(set) => {
                    node.flags |= SET;
                    node.value = self.sets.len() as u32;
                    self.sets.push(set);
                }
            }
            if split.missing_left {
                node.flags |= MISSING_LEFT;
            }
            self.nodes.push(node);
            // Preorder: a parent's depth is known before its children's.
            depth = depth.max(depths[i] + 1);
            for child in [split.left, split.right] {
                if let Child::Split(c) = child {
                    depths[c as usize] = depths[i] + 1;
                }
            }
        }
        for leaf in 0..=n_splits {
            let own = root + n_splits + leaf;
            let value = self.leaves.len() as u32 + leaf * tree.width;
            self.nodes.push(Node { left: own, right: own, value, feature: 0, above: 255, flags: LEAF });
        }
        self.leaves.extend_from_slice(&tree.leaves);
        self.trees.push(Tree { root, depth, first_output: tree.first_output as usize, width });
    }

    /// Scores of a block: `codes` is `[n_features, n_rows]`, `scores` is `[n_rows, n_outputs]`.
    pub(crate) fn scores_into(&self, codes: &[u8], n_rows: usize, scores: &mut [i32]) {
        for row in scores.chunks_exact_mut(self.initial_scores.len()) {
            row.copy_from_slice(&self.initial_scores);
        }
        for tree in &self.trees {
            let mut row = 0;
            while row + LANES <= n_rows {
                self.step::<LANES>(tree, codes, n_rows, row, scores);
                row += LANES;
            }
            while row < n_rows {
                self.step::<1>(tree, codes, n_rows, row, scores);
                row += 1;
            }
        }
    }

    #[inline]
    fn step<const N: usize>(&self, tree: &Tree, codes: &[u8], n_rows: usize, row: usize, scores: &mut [i32]) {
        let mut at = [tree.root; N];
        for _ in 0..tree.depth {
            let mut all_leaves = LEAF;
            for (lane, at) in at.iter_mut().enumerate() {
                let node = &self.nodes[*at as usize];
                let code = codes[usize::from(node.feature) * n_rows + row + lane];
                let mut right = code > node.above;
                if node.flags & SET != 0 {
                    right = self.sets[node.value as usize].contains(code) || code == MISSING;
                }
                right &= code != MISSING || node.flags & MISSING_LEFT == 0;
                *at = if right { node.right } else { node.left };
                all_leaves &= node.flags;
            }
            if all_leaves != 0 {
                break;
            }
        }
        let n_outputs = self.initial_scores.len();
        for (lane, at) in at.iter().enumerate() {
            let first = self.nodes[*at as usize].value as usize;
            let start = (row + lane) * n_outputs + tree.first_output;
            let values = &self.leaves[first..first + tree.width];
            for (score, value) in scores[start..start + tree.width].iter_mut().zip(values) {
                *score += value;
            }
        }
    }
}
