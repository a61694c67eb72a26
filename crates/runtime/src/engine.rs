//! The engines of a plan: one file each.
//!
//! A forest has four: symmetric trees ask a question a level. Of the others, in blocks of many rows trees of few leaves are
//! swept; the rest, and all of a few rows, are walked row by row, trees side by side; trees that do not fit there are walked
//! one by one, rows side by side. All give the same leaf, so which one runs changes nothing but the time.

pub(crate) mod bins;
pub(crate) mod dictionary;
pub(crate) mod distances;
mod lanes;
mod leaf;
pub(crate) mod look_up;
pub(crate) mod nearest;
pub(crate) mod product;
pub(crate) mod quantizer;
mod question;
pub(crate) mod similarities;
mod sweep;
mod symmetric;
pub(crate) mod vocabulary;
mod walk;

use crate::cost::{Counts, Rows};
use crate::isa::{Machine, Plain};
use alloc::boxed::Box;
use alloc::vec;
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
    symmetric: Box<Symmetric>,
    /// Trees of few leaves, for many rows.
    swept: Vec<SweptTree>,
    /// Trees side by side: of a row alone, and those that many rows do not sweep.
    lanes: Lanes,
    /// Trees that do not fit there, and whether many rows sweep them.
    walked: Vec<(WalkedTree, bool)>,
    initial_scores: Vec<i32>,
    /// Scores of a row where symmetric and swept trees add to many rows: the outputs, and what fills them up.
    n_scores: usize,
    machine: Machine,
}

/// What many rows do in loops that vectors run.
struct Many<'m> {
    trees: &'m Trees,
    codes: &'m [u8],
    /// `[n_rows, n_scores]`.
    scores: &'m mut [i32],
    n_scores: usize,
}

impl Plain for Many<'_> {
    type Made = ();

    #[inline(always)]
    fn run(self) {
        let Many { trees, codes, scores, n_scores } = self;
        trees.symmetric.add_many(codes, scores, n_scores);
        // No closure: it would be compiled for any machine.
        for sweep in &trees.swept {
            sweep.add(codes, scores, n_scores);
        }
    }
}

impl Trees {
    /// For the fastest instructions that there are.
    pub(crate) fn new(forest: &Forest) -> Trees {
        Trees::on(forest, Machine::best())
    }

    fn on(forest: &Forest, machine: Machine) -> Trees {
        let (symmetric, trees) = Symmetric::new(forest.trees());
        let symmetric = Box::new(symmetric);
        let swept: Vec<Option<SweptTree>> = trees.iter().map(|tree| SweptTree::new(tree)).collect();
        let (lanes, taken) = Lanes::new(forest.features(), &trees, |at| swept[at].is_some());
        let others = trees.iter().zip(&swept).zip(&taken).filter(|(_, taken)| !**taken);
        let walked = others.map(|((tree, swept), _)| (WalkedTree::new(tree), swept.is_some())).collect();
        let initial_scores = forest.initial_scores().to_vec();
        let has_several = forest.trees().iter().any(|tree| tree.width > 1);
        let n_scores = if has_several { leaf::stride(initial_scores.len()) } else { initial_scores.len() };
        Trees {
            symmetric,
            swept: swept.into_iter().flatten().collect(),
            lanes,
            walked,
            initial_scores,
            n_scores,
            machine,
        }
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
            self.add_many(codes, scores);
            self.lanes.add_many(codes, stride, scores, n_outputs);
        }
        self.walked(rows).for_each(|walk| walk.add(codes, stride, scores, n_outputs));
    }

    /// Adds the leaves of symmetric and swept trees.
    fn add_many(&self, codes: &[u8], scores: &mut [i32]) {
        let (n_outputs, n_scores) = (self.initial_scores.len(), self.n_scores);
        if leaf::WIDE == 1 || n_scores == n_outputs {
            self.machine.run(Many { trees: self, codes, scores, n_scores });
            return;
        }
        // Rows apart: a leaf that ends in the next row would make that one wait for it.
        let mut apart = vec![0; scores.len() / n_outputs * n_scores];
        for (apart, scores) in apart.chunks_exact_mut(n_scores).zip(scores.chunks_exact(n_outputs)) {
            apart[..n_outputs].copy_from_slice(scores);
        }
        self.machine.run(Many { trees: self, codes, scores: &mut apart, n_scores });
        for (scores, apart) in scores.chunks_exact_mut(n_outputs).zip(apart.chunks_exact(n_scores)) {
            scores.copy_from_slice(&apart[..n_outputs]);
        }
    }

    /// The trees that so many rows walk one by one.
    fn walked(&self, rows: Rows) -> impl Iterator<Item = &WalkedTree> {
        let asked = move |(_, is_swept): &&(WalkedTree, bool)| rows == Rows::Single || !is_swept;
        self.walked.iter().filter(asked).map(|(walk, _)| walk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::Isa;
    use ir::digest::SplitMix64;
    use ir::forest::{Child, CodeSet, CodedFeature, Split, Test, Tree};

    /// What a split asks: one of the thresholds, or a set.
    fn question(random: &mut SplitMix64) -> Split {
        let (feature, unknown) = (random.below(4), Child::Leaf(0));
        let set = CodeSet([random.next_word(), 0, 0, 0]);
        let test = if feature == 3 { Test::In(set) } else { Test::Greater(random.below(40) as u8) };
        Split { feature, test, missing_left: random.below(2) == 0, left: unknown, right: unknown }
    }

    /// A full tree below a level: all splits of a level ask its question, if there are such, else each its own.
    fn full(random: &mut SplitMix64, tree: &mut Tree, levels: u32, questions: &[Split]) -> Child {
        if levels == 0 {
            tree.leaves.extend((0..tree.width).map(|_| random.below(2001) as i32 - 1000));
            return Child::Leaf(tree.leaves.len() as u32 / tree.width - 1);
        }
        let at = tree.splits.len();
        let of_level = questions.get(levels as usize - 1).copied();
        tree.splits.push(of_level.unwrap_or_else(|| question(random)));
        tree.splits[at].left = full(random, tree, levels - 1, questions);
        tree.splits[at].right = full(random, tree, levels - 1, questions);
        Child::Split(at as u32)
    }

    #[test]
    fn every_instruction_set_gives_the_same_scores() {
        let mut random = SplitMix64::new(9);
        for width in [1, 5] {
            let mut trees = Vec::new();
            for at in 0..24 {
                let n_questions = if at % 3 > 0 { 8 } else { 0 };
                let questions: Vec<Split> = (0..n_questions).map(|_| question(&mut random)).collect();
                let mut tree = Tree { width, ..Tree::default() };
                full(&mut random, &mut tree, 1 + at % 8, &questions);
                trees.push(tree);
            }
            let features = [41, 41, 41, 64].map(|n_codes| CodedFeature { n_codes, ordered: n_codes == 41 });
            let forest = Forest::try_new(features.to_vec(), vec![7; width as usize], trees).unwrap();
            let codes: Vec<u8> =
                (0..4 * BLOCK).map(|_| random.below(66) as u8).map(|c| c.wrapping_sub(1)).collect();
            for n_rows in [LEAST_MANY, BLOCK - 1, BLOCK] {
                let mut expected = None;
                for isa in Isa::ALL.into_iter().filter(|isa| isa.is_here()) {
                    let trees = Trees::on(&forest, Machine::try_new(isa).unwrap());
                    let mut scores = vec![0; n_rows * width as usize];
                    trees.scores_into(&codes, BLOCK, &mut scores);
                    let expected = expected.get_or_insert_with(|| {
                        let of_row = |row: usize| {
                            let mut scores = vec![7; width as usize];
                            for tree in forest.trees() {
                                let leaf =
                                    tree.leaf(|feature| codes[feature as usize * BLOCK + row]) as usize;
                                let values = &tree.leaves[leaf * width as usize..];
                                scores.iter_mut().zip(values).for_each(|(score, value)| *score += value);
                            }
                            scores
                        };
                        (0..n_rows).flat_map(of_row).collect::<Vec<i32>>()
                    });
                    assert_eq!(&scores, expected, "{isa}, {n_rows} rows, leaves of {width}");
                }
            }
        }
    }
}
