//! The engine of symmetric trees: all splits of a level ask one question, so a leaf is the number that the answers spell,
//! the root's in the highest bit.
//!
//! A full tree of six levels has 63 splits, but six questions. Many rows answer them level by level, in loops without a
//! branch on data, and look their leaves up; a row of few answers what all trees ask first, every question once.
//! # Source  Prokhorenkova et al., CatBoost: unbiased boosting with categorical features, NeurIPS 2018, section 3 ("oblivious
//! decision trees"); deviation: leaves above the last level are copied to the places below them.

use super::BLOCK;
use super::leaf;
use super::question::{Question, lefts_of};
use crate::cost::{Counts, Operation, Rows};
use alloc::vec;
use alloc::vec::Vec;
use ir::forest::{Child, CodeSet, Split, Tree};

/// Most levels: the places of leaves are bytes.
const MOST_LEVELS: usize = 8;

/// Places that a leaf may take on the average.
const MOST_COPIES: usize = 4;

/// Answers that count as one operation.
const ANSWERS: usize = 8;

/// Rows answer in groups of this many, so that vectors have no rest; a block's last group may hold rows that nobody reads.
const GROUP: usize = 32;

/// [`Level::add`] of a set.
const SET: u8 = 2;

/// What a level asks.
#[derive(Clone, Copy, Debug)]
struct Level {
    feature: u32,
    /// 1 where missing goes left, so that 255 becomes 0, else 0; [`SET`] instead.
    add: u8,
    /// Place of the set.
    set: u32,
    /// `code + add`, wrapping, above it goes right.
    above: u8,
}

impl Level {
    /// Orders thresholds by feature, side and code; a feature is below 65,536.
    fn key(&self) -> u32 {
        self.feature << 16 | u32::from(self.add) << 8 | u32::from(self.above)
    }
}

/// Questions of a row alone that have all but their threshold in common.
#[derive(Clone, Copy, Debug)]
struct Asked {
    level: Level,
    /// The first of them, and how many there are.
    first: usize,
    n: usize,
}

#[derive(Clone, Debug)]
struct Laid {
    first_level: usize,
    n_levels: usize,
    /// First of the values of its leaves, `[2^n_levels, stride]`.
    first_leaf: usize,
    first_output: usize,
    width: usize,
}

/// Symmetric trees of a forest.
#[derive(Clone, Debug, Default)]
pub(super) struct Symmetric {
    trees: Vec<Laid>,
    levels: Vec<Level>,
    sets: Vec<CodeSet>,
    leaves: Vec<i32>,
    /// Distinct thresholds and all sets: what is asked, the thresholds, and by level the place of its own.
    asked: Vec<Asked>,
    thresholds: Vec<u8>,
    places: Vec<u32>,
}

/// The splits of each level and the leaves of a symmetric tree, by the answers; `None` of any other one.
fn levels(tree: &Tree) -> Option<(Vec<&Split>, Vec<u32>)> {
    let n_leaves = tree.splits.len() + 1;
    let (mut levels, mut places) = (Vec::new(), vec![Child::Split(0)]);
    while let Some(first) = places.iter().find_map(|place| split_of(tree, *place)) {
        if levels.len() == MOST_LEVELS || 2 * places.len() > MOST_COPIES * n_leaves {
            return None;
        }
        let question = |split: &Split| (split.feature, split.test, split.missing_left);
        let mut below = Vec::with_capacity(2 * places.len());
        for place in places {
            match split_of(tree, place) {
                Some(split) if question(split) == question(first) => below.extend([split.left, split.right]),
                Some(_) => return None,
                None => below.extend([place; 2]),
            }
        }
        levels.push(first);
        places = below;
    }
    let leaf = |place| match place {
        Child::Leaf(leaf) => Some(leaf),
        Child::Split(_) => None,
    };
    Some((levels, places.into_iter().filter_map(leaf).collect()))
}

fn split_of(tree: &Tree, child: Child) -> Option<&Split> {
    match child {
        Child::Split(split) => tree.splits.get(split as usize),
        Child::Leaf(_) => None,
    }
}

impl Symmetric {
    /// Of the trees that are symmetric and have a split, and all the others.
    pub(super) fn new(trees: &[Tree]) -> (Symmetric, Vec<&Tree>) {
        let mut symmetric = Symmetric::default();
        let others = trees.iter().filter(|tree| !symmetric.take(tree)).collect();
        symmetric.ask();
        (symmetric, others)
    }

    /// Takes a tree; false for one that is not symmetric, or has no split.
    fn take(&mut self, tree: &Tree) -> bool {
        let Some((splits, places)) = levels(tree).filter(|(splits, _)| !splits.is_empty()) else {
            return false;
        };
        let width = tree.width as usize;
        self.trees.push(Laid {
            first_level: self.levels.len(),
            n_levels: splits.len(),
            first_leaf: self.leaves.len(),
            first_output: tree.first_output as usize,
            width,
        });
        for split in splits {
            let feature = split.feature;
            self.levels.push(match Question::of(split) {
                Question::Above { add, above } => Level { feature, add, set: 0, above },
                Question::In(set) => {
                    self.sets.push(set);
                    // 2^32 sets would be 128 GiB.
                    Level { feature, add: SET, set: self.sets.len() as u32 - 1, above: 0 }
                }
            });
        }
        for leaf in places {
            self.leaves.extend(leaf::strided(&tree.leaves[leaf as usize * width..][..width], width));
        }
        true
    }

    /// Gives each distinct question its place.
    fn ask(&mut self) {
        let mut keys: Vec<u32> =
            self.levels.iter().filter(|level| level.add != SET).map(Level::key).collect();
        keys.sort_unstable();
        keys.dedup();
        for (place, &key) in keys.iter().enumerate() {
            let level = Level { feature: key >> 16, add: (key >> 8) as u8, set: 0, above: key as u8 };
            match self.asked.last_mut() {
                Some(last) if last.level.key() >> 8 == key >> 8 => last.n += 1,
                _ => self.asked.push(Asked { level, first: place, n: 1 }),
            }
        }
        self.thresholds = keys.iter().map(|&key| key as u8).collect();
        for level in &self.levels {
            // Every threshold of a level is one of them; each set is a question of its own.
            let mut place = keys.binary_search(&level.key()).unwrap_or_default();
            if level.add == SET {
                place = self.thresholds.len();
                self.asked.push(Asked { level: *level, first: place, n: 1 });
                self.thresholds.push(0);
            }
            self.places.push(place as u32);
        }
    }

    #[inline(always)]
    fn levels_of(&self, tree: &Laid) -> &[Level] {
        &self.levels[tree.first_level..][..tree.n_levels]
    }

    #[inline(always)]
    fn leaves_of(&self, tree: &Laid) -> &[i32] {
        &self.leaves[tree.first_leaf..][..leaf::stride(tree.width) << tree.n_levels]
    }

    /// Of a row, in a block of many or alone.
    pub(super) fn count(&self, rows: Rows, counts: &mut Counts) {
        let leaf_value = if rows == Rows::Single { Operation::SingleLeafValue } else { Operation::LeafValue };
        self.trees.iter().for_each(|tree| counts.add(leaf_value, tree.width.saturating_sub(1)));
        if rows == Rows::Single {
            counts.add(Operation::CallColumn, self.asked.len());
            counts.add(Operation::Answers, self.thresholds.len().div_ceil(ANSWERS));
            counts.add(Operation::SingleSymmetricTree, self.trees.len());
            counts.add(Operation::SingleSymmetricLevel, self.levels.len());
            return;
        }
        let n_sets = self.levels.iter().filter(|level| level.add == SET).count();
        counts.add(Operation::SymmetricTree, self.trees.len());
        counts.add(Operation::SymmetricLevel, self.levels.len() - n_sets);
        // A set takes a look into a table for each row, as a swept one.
        counts.add(Operation::SweptSet, n_sets);
    }

    /// Adds the leaves of a few rows: `codes` is `[n_features, stride]`, `scores` is `[n_rows, n_outputs]`.
    pub(super) fn add_few(&self, codes: &[u8], stride: usize, scores: &mut [i32], n_outputs: usize) {
        let mut answers = vec![0u8; self.thresholds.len()];
        for (row, scores) in scores.chunks_exact_mut(n_outputs).enumerate() {
            for asked in &self.asked {
                let Level { feature, add, set, .. } = asked.level;
                let code = codes[feature as usize * stride + row];
                let answers = &mut answers[asked.first..][..asked.n];
                if add == SET {
                    answers.fill(self.sets[set as usize].contains(code).into());
                    continue;
                }
                let code = code.wrapping_add(add);
                for (answer, &above) in answers.iter_mut().zip(&self.thresholds[asked.first..]) {
                    *answer = u8::from(code > above);
                }
            }
            for tree in &self.trees {
                let places = &self.places[tree.first_level..][..tree.n_levels];
                let spell = |place, &asked: &u32| 2 * place + usize::from(answers[asked as usize]);
                let place = places.iter().fold(0, spell);
                let stride = leaf::stride(tree.width);
                let values = &self.leaves_of(tree)[place * stride..][..tree.width];
                let own = &mut scores[tree.first_output..][..tree.width];
                own.iter_mut().zip(values).for_each(|(score, value)| *score += value);
            }
        }
    }

    /// Adds the leaves of the first rows of a block: `codes` is `[n_features, BLOCK]`, `scores` is `[n_rows, n_scores]`,
    /// the outputs of a row first.
    #[inline(always)]
    pub(super) fn add_many(&self, codes: &[u8], scores: &mut [i32], n_scores: usize) {
        let n_rows = (scores.len() / n_scores).next_multiple_of(GROUP).min(BLOCK);
        let (columns, _) = codes.as_chunks::<BLOCK>();
        let mut lefts = [0u8; BLOCK];
        for tree in &self.trees {
            let mut places = [0u8; BLOCK];
            for level in self.levels_of(tree) {
                let column = &columns[level.feature as usize][..n_rows];
                if level.add == SET {
                    lefts_of(&self.sets[level.set as usize], column, &mut lefts);
                    for (place, left) in places[..n_rows].iter_mut().zip(&lefts) {
                        *place = place.wrapping_add(*place).wrapping_add(1 & !left);
                    }
                } else {
                    let Level { add, above, .. } = *level;
                    for (place, code) in places.iter_mut().zip(column) {
                        let is_right = code.wrapping_add(add) > above;
                        *place = place.wrapping_add(*place).wrapping_add(u8::from(is_right));
                    }
                }
            }
            let leaves = self.leaves_of(tree);
            if n_scores > 1 {
                let stride = leaf::stride(tree.width);
                for (row, place) in (0..scores.len() / n_scores).zip(places) {
                    let values = &leaves[usize::from(place) * stride..][..stride];
                    leaf::add(scores, row * n_scores + tree.first_output, values, tree.width);
                }
                continue;
            }
            for (score, &place) in scores.iter_mut().zip(&places) {
                *score += leaves[usize::from(place)];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::Forest;
    use ir::digest::SplitMix64;
    use ir::forest::{CodedFeature, MISSING, Test};

    /// A tree whose levels ask these questions, in which a side ends early now and then.
    fn grow(random: &mut SplitMix64, questions: &[Split], tree: &mut Tree, has_gaps: bool) -> Child {
        let Some((first, rest)) = questions.split_first().filter(|_| !has_gaps || random.below(8) > 0) else {
            tree.leaves.extend((0..tree.width).map(|_| random.below(2001) as i32 - 1000));
            return Child::Leaf(tree.leaves.len() as u32 / tree.width - 1);
        };
        let at = tree.splits.len();
        tree.splits.push(*first);
        tree.splits[at].left = grow(random, rest, tree, has_gaps);
        tree.splits[at].right = grow(random, rest, tree, has_gaps);
        Child::Split(at as u32)
    }

    /// Any code, those that no feature has among them; thresholds, sets, missing on both sides; leaves above the last level.
    #[test]
    fn answers_spell_the_leaf_that_is_walked_to() {
        let mut random = SplitMix64::new(5);
        let features = [(1, true), (3, false), (254, true), (254, false), (20, true)];
        let features = features.map(|(n_codes, ordered)| CodedFeature { n_codes, ordered });
        for (n_outputs, has_gaps) in [(1, false), (1, true), (3, true)] {
            let mut trees = Vec::new();
            for at in 0..40 {
                let question = |_| {
                    let feature = random.below(features.len() as u32);
                    let CodedFeature { n_codes, ordered } = features[feature as usize];
                    let mut set = CodeSet::default();
                    (0..n_codes as u8).filter(|_| random.below(2) == 0).for_each(|code| set.insert(code));
                    let above = random.below(n_codes.into()) as u8;
                    let test = if ordered { Test::Greater(above) } else { Test::In(set) };
                    let (missing_left, unknown) = (random.below(2) == 0, Child::Leaf(0));
                    Split { feature, test, missing_left, left: unknown, right: unknown }
                };
                let questions: Vec<Split> = (0..1 + at % MOST_LEVELS).map(question).collect();
                let width = if n_outputs > 1 && at % 3 == 0 { 2 } else { 1 };
                let first_output = random.below(n_outputs - width + 1);
                let mut tree = Tree { first_output, width, ..Tree::default() };
                grow(&mut random, &questions, &mut tree, has_gaps);
                trees.push(tree);
            }
            let forest = Forest::try_new(features.to_vec(), vec![0; n_outputs as usize], trees).unwrap();
            let (symmetric, others) = Symmetric::new(forest.trees());
            assert!(if has_gaps { others.len() < 25 } else { others.is_empty() }, "{}", others.len());
            let codes: Vec<u8> = (0..features.len() * BLOCK)
                .map(|_| if random.below(8) == 0 { MISSING } else { random.below(256) as u8 })
                .collect();
            let (n_rows, n) = (BLOCK - 3, n_outputs as usize);
            let [mut few, mut many, mut expected] = [(); 3].map(|()| vec![0; n_rows * n]);
            symmetric.add_few(&codes, BLOCK, &mut few, n);
            symmetric.add_many(&codes, &mut many, n);
            let is_taken = |tree: &&Tree| others.iter().all(|other| !core::ptr::eq(*other, *tree));
            for tree in forest.trees().iter().filter(is_taken) {
                for row in 0..n_rows {
                    let leaf = tree.leaf(|feature| codes[feature as usize * BLOCK + row]) as usize;
                    let width = tree.width as usize;
                    let own = &mut expected[row * n + tree.first_output as usize..][..width];
                    own.iter_mut()
                        .zip(&tree.leaves[leaf * width..])
                        .for_each(|(score, value)| *score += value);
                }
            }
            assert_eq!((few, many), (expected.clone(), expected), "{n_outputs} {has_gaps}");
        }
    }

    #[test]
    fn other_trees_are_left() {
        let mut random = SplitMix64::new(1);
        let question = |feature, above| {
            let (test, unknown) = (Test::Greater(above), Child::Leaf(0));
            Split { feature, test, missing_left: false, left: unknown, right: unknown }
        };
        let questions: Vec<Split> = (0..9).map(|level| question(level % 2, level as u8)).collect();
        let of_levels = |n: usize, random: &mut SplitMix64| {
            let mut tree = Tree { width: 1, ..Tree::default() };
            grow(random, &questions[..n], &mut tree, false);
            tree
        };
        let take = |tree: &Tree| Symmetric::default().take(tree);
        assert!(take(&of_levels(8, &mut random)) && !take(&of_levels(9, &mut random)));
        assert!(!take(&Tree { width: 1, leaves: vec![1], ..Tree::default() }));
        // One split of a level differs: in its threshold, or in where missing goes.
        let other = of_levels(4, &mut random);
        for change in [
            |split: &mut Split| split.test = Test::Greater(77),
            |split: &mut Split| split.missing_left = true,
        ] {
            let mut tree = other.clone();
            assert!(take(&tree));
            change(&mut tree.splits[9]);
            assert!(!take(&tree));
        }
    }
}
