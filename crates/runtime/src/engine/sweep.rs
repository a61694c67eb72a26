//! The sweeping engine: trees of at most 64 leaves, a block of rows at once.
//!
//! A row starts with a bit for each leaf, leaves from left to right. A split that sends the row right
//! takes away the leaves below its left side; after all splits, the lowest bit left is the leaf that
//! the walk would reach. Every split is asked for every row, in loops without a branch on data, which
//! compilers turn into vector code; for small trees this costs less than waiting for each step.
//! # Source  Lucchese et al., QuickScorer, SIGIR 2015; deviation: rows side by side, splits not sorted.

use super::BLOCK;
use super::leaf;
use super::question::{Question, lefts_of};
use crate::cost::{Counts, Operation};
use alloc::vec::Vec;
use ir::forest::{Child, Tree};

/// Most leaves of a tree that is swept.
const MAX_LEAVES: usize = 64;

/// Leaves of one word of bits; most splits touch a single word.
const WORD: usize = 16;

/// Rows are swept in groups of this many, so that vectors have no rest; a block's last group may hold rows that nobody reads.
const GROUP: usize = 32;

#[derive(Clone, Debug)]
struct Split {
    /// Leaves that remain when a row goes right, in words.
    keep: [u16; MAX_LEAVES / WORD],
    feature: u32,
    question: Question,
}

/// A tree laid out for sweeping.
#[derive(Clone, Debug)]
pub(super) struct SweptTree {
    splits: Vec<Split>,
    /// `[n_leaves, stride]`.
    leaves: Vec<i32>,
    first_output: usize,
    width: usize,
}

impl SweptTree {
    /// `None` for a tree of too many leaves.
    pub(super) fn new(tree: &Tree) -> Option<SweptTree> {
        let n_splits = tree.splits.len();
        if n_splits + 1 > MAX_LEAVES {
            return None;
        }
        // Leaves below a child, as bits. Children come after their parents, so from the last to the first.
        let mut below = [0u64; MAX_LEAVES];
        let bits = |child: Child, below: &[u64; MAX_LEAVES]| match child {
            Child::Leaf(leaf) => 1 << leaf,
            Child::Split(split) => below[split as usize],
        };
        for (i, split) in tree.splits.iter().enumerate().rev() {
            below[i] = bits(split.left, &below) | bits(split.right, &below);
        }
        let splits = tree.splits.iter().map(|split| Split {
            keep: core::array::from_fn(|word| !(bits(split.left, &below) >> (word * WORD)) as u16),
            feature: split.feature,
            question: Question::of(split),
        });
        Some(SweptTree {
            splits: splits.collect(),
            leaves: leaf::strided(&tree.leaves, tree.width as usize),
            first_output: tree.first_output as usize,
            width: tree.width as usize,
        })
    }

    pub(super) fn count(&self, counts: &mut Counts) {
        let n_sets = self.splits.iter().filter(|split| matches!(split.question, Question::In(_))).count();
        counts.add(Operation::SweptTree, 1);
        counts.add(Operation::SweptSplit, self.splits.len() - n_sets);
        counts.add(Operation::SweptSet, n_sets);
        counts.add(Operation::LeafValue, self.width.saturating_sub(1));
    }

    /// Adds the leaves of the first `n_rows` rows of a block: `codes` is `[n_features, BLOCK]`,
    /// `scores` is `[n_rows, n_scores]`, the outputs of a row first.
    #[inline(always)]
    pub(super) fn add(&self, codes: &[u8], scores: &mut [i32], n_scores: usize) {
        match self.splits.len() / WORD {
            0 => self.sweep::<1>(codes, scores, n_scores),
            1 => self.sweep::<2>(codes, scores, n_scores),
            _ => self.sweep::<4>(codes, scores, n_scores),
        }
    }

    #[inline(always)]
    fn sweep<const WORDS: usize>(&self, codes: &[u8], scores: &mut [i32], n_scores: usize) {
        let n_rows = (scores.len() / n_scores).next_multiple_of(GROUP).min(BLOCK);
        let (columns, _) = codes.as_chunks::<BLOCK>();
        let mut reach = [[u16::MAX; BLOCK]; WORDS];
        let mut left = [0u8; BLOCK];
        for split in &self.splits {
            let column = &columns[split.feature as usize][..n_rows];
            match &split.question {
                &Question::Above { add, above } => {
                    for (left, code) in left.iter_mut().zip(column) {
                        *left = if code.wrapping_add(add) > above { 0 } else { 255 };
                    }
                }
                Question::In(set) => lefts_of(set, column, &mut left),
            }
            for (reach, &keep) in reach.iter_mut().zip(&split.keep).filter(|(_, k)| **k != u16::MAX) {
                for (reach, &left) in reach[..n_rows].iter_mut().zip(&left) {
                    *reach &= keep | i16::from(left.cast_signed()).cast_unsigned();
                }
            }
        }
        let leaf_of = |row: usize| -> usize {
            let word = |w: usize| u64::from(reach[w][row % BLOCK]) << (w * WORD);
            (0..WORDS).fold(0, |bits, w| bits | word(w)).trailing_zeros() as usize
        };
        if n_scores == 1 {
            for (row, score) in scores.iter_mut().enumerate() {
                *score += self.leaves[leaf_of(row)];
            }
            return;
        }
        let n_rows = scores.len() / n_scores;
        let stride = leaf::stride(self.width);
        for row in 0..n_rows {
            let values = &self.leaves[leaf_of(row) * stride..][..stride];
            leaf::add(scores, row * n_scores + self.first_output, values, self.width);
        }
    }
}
