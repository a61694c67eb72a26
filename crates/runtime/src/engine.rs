//! The engines of a plan: one file each.
//!
//! A forest has four: symmetric trees ask a question a level. Of the others, in blocks of many rows trees of few leaves are
//! swept; the rest, and all of a few rows, are walked row by row, trees side by side; trees that do not fit there are walked
//! one by one, rows side by side. All give the same leaf, so which one runs changes nothing but the time.

pub(crate) mod bins;
pub(crate) mod dictionary;
pub(crate) mod distances;
mod lanes;
pub(crate) mod look_up;
pub(crate) mod nearest;
pub(crate) mod product;
pub(crate) mod quantizer;
pub(crate) mod similarities;
mod sweep;
mod symmetric;
pub(crate) mod vocabulary;
mod walk;

use crate::cost::{Counts, Rows};
use alloc::vec::Vec;
use ir::Forest;
use lanes::Lanes;
use sweep::SweptTree;
use symmetric::Symmetric;
use walk::WalkedTree;

/// Rows of a block.
pub(crate) const BLOCK: usize = 256;

/// Blocks of fewer rows than this run row by row.
pub(crate) const LEAST_MANY: usize = 32;

/// A forest laid out for prediction.
#[derive(Clone, Debug)]
pub(crate) struct Trees {
    symmetric: Symmetric,
    /// Trees of few leaves, for many rows.
    swept: Vec<SweptTree>,
    /// Trees side by side: of a row alone, and those that many rows do not sweep.
    lanes: Lanes,
    /// Trees that do not fit there, and whether many rows sweep them.
    walked: Vec<(WalkedTree, bool)>,
    initial_scores: Vec<i32>,
}

impl Trees {
    pub(crate) fn new(forest: &Forest) -> Trees {
        let (symmetric, trees) = Symmetric::new(forest.trees());
        let swept: Vec<Option<SweptTree>> = trees.iter().map(|tree| SweptTree::new(tree)).collect();
        let (lanes, taken) = Lanes::new(forest.features(), &trees, |at| swept[at].is_some());
        let others = trees.iter().zip(&swept).zip(&taken).filter(|(_, taken)| !**taken);
        let walked = others.map(|((tree, swept), _)| (WalkedTree::new(tree), swept.is_some())).collect();
        let initial_scores = forest.initial_scores().to_vec();
        Trees { symmetric, swept: swept.into_iter().flatten().collect(), lanes, walked, initial_scores }
    }

    /// Of a row, in a block of many or alone.
    pub(crate) fn count(&self, rows: Rows, counts: &mut Counts) {
        self.symmetric.count(rows, counts);
        self.lanes.count(rows, counts);
        self.walked(rows).for_each(|walk| walk.count(rows, counts));
        if rows == Rows::Many {
            self.swept.iter().for_each(|sweep| sweep.count(counts));
        }
    }

    /// Rows between the columns of codes of a block.
    pub(crate) fn stride(n_rows: usize) -> usize {
        if n_rows < LEAST_MANY { n_rows } else { BLOCK }
    }

    /// Scores of the first rows of a block: `codes` is `[n_features, stride]`, `scores` is
    /// `[n_rows, n_outputs]`.
    pub(crate) fn scores_into(&self, codes: &[u8], stride: usize, scores: &mut [i32]) {
        let n_outputs = self.initial_scores.len();
        for row in scores.chunks_exact_mut(n_outputs) {
            row.copy_from_slice(&self.initial_scores);
        }
        let rows = if scores.len() < LEAST_MANY * n_outputs { Rows::Single } else { Rows::Many };
        if rows == Rows::Single {
            self.symmetric.add_few(codes, stride, scores, n_outputs);
            self.lanes.add_few(codes, stride, scores, n_outputs);
        } else {
            self.symmetric.add_many(codes, scores, n_outputs);
            self.swept.iter().for_each(|sweep| sweep.add(codes, scores, n_outputs));
            self.lanes.add_many(codes, stride, scores, n_outputs);
        }
        self.walked(rows).for_each(|walk| walk.add(codes, stride, scores, n_outputs));
    }

    /// The trees that so many rows walk one by one.
    fn walked(&self, rows: Rows) -> impl Iterator<Item = &WalkedTree> {
        let asked = move |(_, is_swept): &&(WalkedTree, bool)| rows == Rows::Single || !is_swept;
        self.walked.iter().filter(asked).map(|(walk, _)| walk)
    }
}
