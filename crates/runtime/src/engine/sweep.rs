//! The sweeping engine: trees of at most 64 leaves, a block of rows at once.
//!
//! A row starts with a bit for each leaf, leaves from left to right. A split that sends the row right
//! takes away the leaves below its left side; after all splits, the lowest bit left is the leaf that
//! the walk would reach. Every split is asked for every row, in loops without a branch on data, which
//! compilers turn into vector code; for small trees this costs less than waiting for each step.
//! # Source  Lucchese et al., QuickScorer, SIGIR 2015; deviation: rows side by side, splits not sorted.

use super::BLOCK;
use alloc::vec::Vec;
use ir::forest::{Child, CodeSet, MISSING, Test, Tree};

/// Most leaves of a tree that is swept.
const MAX_LEAVES: usize = 64;

/// Rows are swept in groups of this many; a block's last group may hold rows that nobody reads.
const GROUP: usize = 16;

#[derive(Clone, Debug)]
struct Split {
    /// Leaves that remain when a row goes right.
    keep: u64,
    feature: u32,
    question: Question,
}

#[derive(Clone, Debug)]
enum Question {
    /// `code + add`, wrapping, is above: right. `add` is 1 where missing goes left, so that 255 is 0.
    Above { add: u8, above: u8 },
    /// In the set, to which missing belongs if it goes right.
    In(CodeSet),
}

/// A tree laid out for sweeping.
#[derive(Clone, Debug)]
pub(super) struct SweptTree {
    splits: Vec<Split>,
    leaves: Vec<i32>,
    first_output: usize,
    width: usize,
}

/// Leaves that a row can still reach, one bit each.
trait Leaves: Copy {
    const ALL: Self;
    /// The lowest bits of a word.
    fn of(word: u64) -> Self;
    /// `self & (keep | left)`, `left` being 0 or 255, widened.
    fn narrowed(self, keep: Self, left: u8) -> Self;
    fn lowest(self) -> usize;
}

macro_rules! leaves {
    ($($word:ty, $signed:ty);*) => {$(
        impl Leaves for $word {
            const ALL: $word = <$word>::MAX;
            #[inline(always)]
            fn of(word: u64) -> $word {
                word as $word
            }
            #[inline(always)]
            fn narrowed(self, keep: $word, left: u8) -> $word {
                self & (keep | <$signed>::from(left.cast_signed()).cast_unsigned())
            }
            #[inline(always)]
            fn lowest(self) -> usize {
                self.trailing_zeros() as usize
            }
        }
    )*};
}
leaves!(u16, i16; u32, i32; u64, i64);

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
            keep: !bits(split.left, &below),
            feature: split.feature,
            question: match split.test {
                // A threshold is below 254, so one more fits.
                Test::Greater(t) => {
                    let add = u8::from(split.missing_left);
                    Question::Above { add, above: t + add }
                }
                Test::In(mut set) => {
                    if !split.missing_left {
                        set.insert(MISSING);
                    }
                    Question::In(set)
                }
            },
        });
        Some(SweptTree {
            splits: splits.collect(),
            leaves: tree.leaves.clone(),
            first_output: tree.first_output as usize,
            width: tree.width as usize,
        })
    }

    /// Adds the leaves of the first `n_rows` rows of a block: `codes` is `[n_features, BLOCK]`,
    /// `scores` is `[n_rows, n_outputs]`.
    pub(super) fn add(&self, codes: &[u8], scores: &mut [i32], n_outputs: usize) {
        match self.splits.len() {
            0..16 => self.sweep::<u16>(codes, scores, n_outputs),
            16..32 => self.sweep::<u32>(codes, scores, n_outputs),
            _ => self.sweep::<u64>(codes, scores, n_outputs),
        }
    }

    fn sweep<L: Leaves>(&self, codes: &[u8], scores: &mut [i32], n_outputs: usize) {
        let n_groups = (scores.len() / n_outputs).div_ceil(GROUP);
        let (columns, _) = codes.as_chunks::<BLOCK>();
        let mut reach = [L::ALL; BLOCK];
        let mut left = [0u8; BLOCK];
        for split in &self.splits {
            let column = columns[split.feature as usize].as_chunks::<GROUP>().0;
            let lefts = left.as_chunks_mut::<GROUP>().0.iter_mut();
            match &split.question {
                &Question::Above { add, above } => {
                    for (left, codes) in lefts.zip(column).take(n_groups) {
                        for (left, code) in left.iter_mut().zip(codes) {
                            *left = if code.wrapping_add(add) > above { 0 } else { 255 };
                        }
                    }
                }
                Question::In(set) => {
                    let table = lefts_of(set);
                    for (left, codes) in lefts.zip(column).take(n_groups) {
                        for (left, &code) in left.iter_mut().zip(codes) {
                            *left = table[usize::from(code)];
                        }
                    }
                }
            }
            let keep = L::of(split.keep);
            let groups = reach.as_chunks_mut::<GROUP>().0.iter_mut();
            for (reach, left) in groups.zip(left.as_chunks::<GROUP>().0).take(n_groups) {
                for (reach, &left) in reach.iter_mut().zip(left) {
                    *reach = reach.narrowed(keep, left);
                }
            }
        }
        if n_outputs == 1 {
            for (score, reach) in scores.iter_mut().zip(&reach) {
                *score += self.leaves[reach.lowest()];
            }
            return;
        }
        for (row, reach) in scores.chunks_exact_mut(n_outputs).zip(&reach) {
            let values = &self.leaves[reach.lowest() * self.width..][..self.width];
            for (score, value) in row[self.first_output..][..self.width].iter_mut().zip(values) {
                *score += value;
            }
        }
    }
}

/// By code: 255 where it goes left, 0 where it is in the set.
fn lefts_of(set: &CodeSet) -> [u8; 256] {
    let mut table = [255; 256];
    for (codes, &word) in table.as_chunks_mut::<64>().0.iter_mut().zip(&set.0) {
        if word != 0 {
            for (i, left) in codes.iter_mut().enumerate() {
                *left = (word >> i & 1) as u8 ^ 1;
                *left = left.wrapping_neg();
            }
        }
    }
    table
}
