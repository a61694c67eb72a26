//! The engines of a plan: one file each.
//!
//! A forest has three: in blocks of many rows trees of few leaves are swept and all others walked, rows side by side; of
//! a few rows each runs alone, trees side by side. All give the same leaf, so which one runs changes nothing but the time.

pub(crate) mod bins;
pub(crate) mod dictionary;
pub(crate) mod distances;
pub(crate) mod look_up;
pub(crate) mod nearest;
pub(crate) mod product;
pub(crate) mod quantizer;
pub(crate) mod similarities;
mod single;
mod sweep;
pub(crate) mod vocabulary;
mod walk;

use crate::cost::{Counts, Rows};
use alloc::vec::Vec;
use ir::Forest;
use ir::forest::Tree;
use single::SingleRow;
use sweep::SweptTree;
use walk::WalkedTree;

/// Rows of a block.
pub(crate) const BLOCK: usize = 256;

/// Blocks of fewer rows than this run row by row.
pub(crate) const LEAST_MANY: usize = 32;

/// A forest laid out for prediction.
#[derive(Clone, Debug)]
pub(crate) struct Trees {
    trees: Vec<Engines>,
    single: SingleRow,
    initial_scores: Vec<i32>,
}

/// The engines of a tree.
#[derive(Clone, Debug)]
struct Engines {
    /// Of a tree of few leaves, for many rows.
    sweep: Option<SweptTree>,
    /// Of a tree that has no other engine for many rows, or for few.
    walk: Option<WalkedTree>,
    /// Whether it is one of the trees side by side.
    is_single: bool,
}

impl Trees {
    pub(crate) fn new(forest: &Forest) -> Trees {
        let (single, taken) = SingleRow::new(forest);
        let engines = |(tree, is_single): (&Tree, bool)| {
            let sweep = SweptTree::new(tree);
            let walk = (sweep.is_none() || !is_single).then(|| WalkedTree::new(tree));
            Engines { sweep, walk, is_single }
        };
        let trees = forest.trees().iter().zip(taken).map(engines).collect();
        Trees { trees, single, initial_scores: forest.initial_scores().to_vec() }
    }

    /// Of a row, in a block of many or alone.
    pub(crate) fn count(&self, rows: Rows, counts: &mut Counts) {
        if rows == Rows::Single {
            self.single.count(counts);
            self.walked_alone().for_each(|walk| walk.count(rows, counts));
            return;
        }
        for tree in &self.trees {
            match (&tree.sweep, &tree.walk) {
                (Some(sweep), _) => sweep.count(counts),
                (None, Some(walk)) => walk.count(rows, counts),
                (None, None) => {}
            }
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
        if scores.len() < LEAST_MANY * n_outputs {
            let mut answers = self.single.room();
            for (row, scores) in scores.chunks_exact_mut(n_outputs).enumerate() {
                self.single.add(&codes[row..], stride, &mut answers, scores);
            }
            self.walked_alone().for_each(|walk| walk.add(codes, stride, scores, n_outputs));
            return;
        }
        for tree in &self.trees {
            match (&tree.sweep, &tree.walk) {
                (Some(sweep), _) => sweep.add(codes, scores, n_outputs),
                (None, Some(walk)) => walk.add(codes, stride, scores, n_outputs),
                (None, None) => {}
            }
        }
    }

    /// The trees that are walked whatever the rows.
    fn walked_alone(&self) -> impl Iterator<Item = &WalkedTree> {
        self.trees.iter().filter(|tree| !tree.is_single).filter_map(|tree| tree.walk.as_ref())
    }
}
