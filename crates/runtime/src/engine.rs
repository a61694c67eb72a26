//! The engines of a plan: one file each.
//!
//! A forest has two: trees of few leaves are swept wherever there are enough rows, all others are
//! walked. Both give the same leaf, so which one runs changes nothing but the time.

pub(crate) mod bins;
pub(crate) mod dictionary;
pub(crate) mod distances;
pub(crate) mod look_up;
pub(crate) mod nearest;
pub(crate) mod product;
pub(crate) mod quantizer;
pub(crate) mod similarities;
mod sweep;
pub(crate) mod vocabulary;
mod walk;

use crate::cost::Counts;
use alloc::vec::Vec;
use ir::Forest;
use sweep::SweptTree;
use walk::WalkedTree;

/// Rows of a block.
pub(crate) const BLOCK: usize = 256;

/// Fewer rows than this are walked.
const LEAST_SWEPT: usize = 12;

/// A forest laid out for prediction.
#[derive(Clone, Debug)]
pub(crate) struct Trees {
    trees: Vec<(WalkedTree, Option<SweptTree>)>,
    initial_scores: Vec<i32>,
}

impl Trees {
    pub(crate) fn new(forest: &Forest) -> Trees {
        let trees = forest.trees().iter().map(|tree| (WalkedTree::new(tree), SweptTree::new(tree)));
        Trees { trees: trees.collect(), initial_scores: forest.initial_scores().to_vec() }
    }

    /// Of rows in blocks.
    pub(crate) fn count(&self, counts: &mut Counts) {
        for (walk, sweep) in &self.trees {
            match sweep {
                Some(sweep) => sweep.count(counts),
                None => walk.count(counts),
            }
        }
    }

    /// Rows between the columns of codes of a block.
    pub(crate) fn stride(n_rows: usize) -> usize {
        if n_rows < LEAST_SWEPT { n_rows } else { BLOCK }
    }

    /// Scores of the first rows of a block: `codes` is `[n_features, stride]`, `scores` is
    /// `[n_rows, n_outputs]`.
    pub(crate) fn scores_into(&self, codes: &[u8], stride: usize, scores: &mut [i32]) {
        let n_outputs = self.initial_scores.len();
        for row in scores.chunks_exact_mut(n_outputs) {
            row.copy_from_slice(&self.initial_scores);
        }
        let swept = stride == BLOCK && scores.len() >= LEAST_SWEPT * n_outputs;
        for (walk, sweep) in &self.trees {
            match sweep {
                Some(sweep) if swept => sweep.add(codes, scores, n_outputs),
                _ => walk.add(codes, stride, scores, n_outputs),
            }
        }
    }
}
