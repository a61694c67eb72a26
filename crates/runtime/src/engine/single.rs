//! The engine of few rows: trees of one row side by side.
//!
//! A row in a tree is a chain of loads that wait for each other, and a single row has no other rows to hide them behind;
//! so [`LANES`] trees of it step in lockstep. What the trees ask is answered first, every distinct question once: a
//! question is a set of codes, and the answers to all questions of a column stand as bits by code, so thresholds, sets of
//! categories and missing cells are the same. A step is two loads then, of a node and of its answer.

use crate::cost::{Counts, Operation};
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use ir::Forest;
use ir::forest::{Child, CodeSet, MISSING, Split, Test, Tree};

/// Trees that step together.
const LANES: usize = 8;

/// Answers of one byte of bits.
const BYTE: usize = 8;

/// Nodes of a group and answers of a row are counted in 16 bits.
const MOST: usize = 1 << 16;

/// Sets of its own that a tree may ask for each step: an eighth of a byte costs less than what a step gains, but most
/// sets of a deep tree are asked of few rows.
const OWN_SETS: usize = 32;

/// By bits: the answers.
static ANSWERS: [[u8; BYTE]; 256] = {
    let mut answers = [[0; BYTE]; 256];
    let mut bits = 0;
    while bits < 256 {
        let mut at = 0;
        while at < BYTE {
            answers[bits][at] = (bits >> at & 1) as u8;
            at += 1;
        }
        bits += 1;
    }
    answers
};

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// Place of the answer; 0 in a leaf, where it is no.
    question: u16,
    /// Place of the left child in the group; the right one follows. A leaf's own place.
    left: u16,
}

/// Trees that step together.
#[derive(Clone, Debug)]
struct Group {
    /// First of its nodes, and how many there are.
    first: usize,
    n_nodes: usize,
    /// Steps of the longest way through one of the trees.
    depth: usize,
    /// Places of the roots; lanes without a tree repeat the first one.
    roots: [u16; LANES],
    /// By tree: the first output.
    outputs: Vec<usize>,
    /// Values of a leaf.
    width: usize,
}

/// A column that trees ask about.
#[derive(Clone, Debug)]
struct AskedColumn {
    feature: usize,
    /// Codes from here on are answered alike, but for missing.
    n_codes: u8,
    /// First of the bits of code 0; those of the codes follow, then of all larger ones, then of missing.
    first: usize,
    /// Bytes of a code.
    n_bytes: usize,
}

/// Trees of a forest, laid out for a few rows.
#[derive(Clone, Debug, Default)]
pub(super) struct SingleRow {
    columns: Vec<AskedColumn>,
    bits: Vec<u8>,
    /// Bytes of the answers to all questions; the first one holds no question.
    n_bytes: usize,
    nodes: Vec<Node>,
    /// By node: the value of a leaf; where it has several, the place of the first of them.
    ends: Vec<i32>,
    /// Values of leaves that have several.
    leaves: Vec<i32>,
    groups: Vec<Group>,
}

/// The questions of trees by feature, with their places.
type Questions = BTreeMap<u32, BTreeMap<CodeSet, u16>>;

impl SingleRow {
    /// Of the trees of a forest that fit; by tree, whether it is one of them.
    pub(super) fn new(forest: &Forest) -> (SingleRow, Vec<bool>) {
        let mut questions = Questions::new();
        let depths: Vec<usize> = forest.trees().iter().map(depth).collect();
        let mut n_questions = 0;
        let mut taken = Vec::with_capacity(depths.len());
        for (tree, &depth) in forest.trees().iter().zip(&depths) {
            let n_columns = (questions.len() + tree.splits.len()).min(forest.features().len());
            let n_most = n_questions + tree.splits.len() + BYTE * (n_columns + 1);
            let is_taken = 2 * tree.splits.len() < MOST
                && n_most <= MOST
                && own_sets(tree, &questions) <= OWN_SETS * depth;
            if is_taken {
                for split in &tree.splits {
                    let of_feature = questions.entry(split.feature).or_default();
                    n_questions += usize::from(of_feature.insert(question(split), 0).is_none());
                }
            }
            taken.push(is_taken);
        }
        let mut single = SingleRow::default();
        single.ask(forest, &mut questions);
        let mut order: Vec<usize> = (0..depths.len()).filter(|&at| taken[at]).collect();
        // Lanes of a group end together.
        order.sort_by_key(|&at| (forest.trees()[at].width, depths[at]));
        let mut rest = &order[..];
        while let Some(&first) = rest.first() {
            let width = forest.trees()[first].width;
            let mut n_nodes = 0;
            let fits = |&&at: &&usize| {
                let tree = &forest.trees()[at];
                n_nodes += 2 * tree.splits.len() + 1;
                tree.width == width && n_nodes <= MOST
            };
            let n = rest.iter().take(LANES).take_while(fits).count();
            let (group, others) = rest.split_at(n);
            single.group(group.iter().map(|&at| (&forest.trees()[at], depths[at])), &questions);
            rest = others;
        }
        (single, taken)
    }

    /// Lays the answers out, and gives each question its place.
    fn ask(&mut self, forest: &Forest, questions: &mut Questions) {
        self.n_bytes = 1;
        for (&feature, of_feature) in questions {
            let feature = feature as usize;
            // At most 254.
            let n_codes = forest.features()[feature].n_codes as u8;
            let n_bytes = of_feature.len().div_ceil(BYTE);
            self.columns.push(AskedColumn { feature, n_codes, first: self.bits.len(), n_bytes });
            for code in (0..=n_codes).chain([MISSING]) {
                let row = self.bits.len();
                self.bits.resize(row + n_bytes, 0);
                for (at, set) in of_feature.keys().enumerate() {
                    self.bits[row + at / BYTE] |= u8::from(set.contains(code)) << (at % BYTE);
                }
            }
            for (place, at) in of_feature.values_mut().zip(self.n_bytes * BYTE..) {
                // Below the most that was allowed.
                *place = at as u16;
            }
            self.n_bytes += n_bytes;
        }
    }

    fn group<'t>(&mut self, trees: impl Iterator<Item = (&'t Tree, usize)>, questions: &Questions) {
        let first = self.nodes.len();
        let mut group =
            Group { first, n_nodes: 0, depth: 0, roots: [0; LANES], outputs: Vec::new(), width: 0 };
        for (lane, (tree, depth)) in trees.enumerate() {
            group.roots[lane] = (self.nodes.len() - first) as u16;
            group.depth = group.depth.max(depth);
            group.width = tree.width as usize;
            group.outputs.push(tree.first_output as usize);
            self.tree(tree, first, questions);
        }
        group.n_nodes = self.nodes.len() - first;
        self.groups.push(group);
    }

    /// Nodes level by level, so that those near the root, which every row meets, are near each other.
    fn tree(&mut self, tree: &Tree, first: usize, questions: &Questions) {
        let width = tree.width as usize;
        let root = if tree.splits.is_empty() { Child::Leaf(0) } else { Child::Split(0) };
        let mut children = vec![root];
        let base = self.nodes.len();
        let mut at = 0;
        while at < children.len() {
            let place = (base - first + at) as u16;
            let (node, end) = match children[at] {
                Child::Leaf(leaf) if width == 1 => {
                    (Node { question: 0, left: place }, tree.leaves[leaf as usize])
                }
                Child::Leaf(leaf) => {
                    // 2^31 of them would be 8 GiB.
                    let end = self.leaves.len() as i32;
                    self.leaves.extend(&tree.leaves[leaf as usize * width..][..width]);
                    (Node { question: 0, left: place }, end)
                }
                Child::Split(split) => {
                    let split = &tree.splits[split as usize];
                    let known = questions.get(&split.feature).and_then(|q| q.get(&question(split)));
                    let left = (base - first + children.len()) as u16;
                    children.extend([split.left, split.right]);
                    // Every question of the trees has its place.
                    (Node { question: known.copied().unwrap_or(0), left }, 0)
                }
            };
            self.nodes.push(node);
            self.ends.push(end);
            at += 1;
        }
    }

    /// Of a row alone.
    pub(super) fn count(&self, counts: &mut Counts) {
        counts.add(Operation::CallColumn, self.columns.len());
        counts.add(Operation::Answers, self.n_bytes);
        for group in &self.groups {
            counts.add(Operation::SingleTree, LANES);
            counts.add(Operation::SingleStep, LANES * group.depth);
            counts.add(Operation::LeafValue, group.outputs.len() * group.width.saturating_sub(1));
        }
    }

    /// Room for the answers of a row.
    pub(super) fn room(&self) -> Vec<[u8; BYTE]> {
        vec![[0; BYTE]; self.n_bytes]
    }

    /// Adds the leaves that a row reaches: `codes` begin with the first one of the row, `stride` before its next one;
    /// `scores` are those of the row.
    pub(super) fn add(&self, codes: &[u8], stride: usize, answers: &mut [[u8; BYTE]], scores: &mut [i32]) {
        // The first byte holds no question.
        let mut rest = answers.iter_mut().skip(1);
        for column in &self.columns {
            let code = codes[column.feature * stride];
            let n_codes = usize::from(column.n_codes);
            let place = if code == MISSING { n_codes + 1 } else { n_codes.min(code.into()) };
            let bits = &self.bits[column.first + place * column.n_bytes..][..column.n_bytes];
            for (&bits, answers) in bits.iter().zip(rest.by_ref()) {
                *answers = ANSWERS[usize::from(bits)];
            }
        }
        let answers = answers.as_flattened();
        for group in &self.groups {
            let nodes = &self.nodes[group.first..][..group.n_nodes];
            let ends = &self.ends[group.first..][..group.n_nodes];
            let mut at = group.roots.map(usize::from);
            for _ in 0..group.depth {
                for at in &mut at {
                    let node = nodes[*at];
                    *at = usize::from(node.left) + usize::from(answers[usize::from(node.question)]);
                }
            }
            let width = group.width;
            if width == 1
                && let [score] = scores
            {
                *score = at[..group.outputs.len()].iter().fold(*score, |sum, &at| sum + ends[at]);
                continue;
            }
            for (&output, at) in group.outputs.iter().zip(at) {
                if width == 1 {
                    scores[output] += ends[at];
                    continue;
                }
                let values = &self.leaves[ends[at] as usize..][..width];
                scores[output..][..width].iter_mut().zip(values).for_each(|(score, value)| *score += value);
            }
        }
    }
}

/// The codes of which a split says yes.
fn question(split: &Split) -> CodeSet {
    let mut set = match split.test {
        Test::Greater(t) => {
            // Bits above a place, word by word.
            let above = |word: usize| match (usize::from(t) + 1).saturating_sub(64 * word) {
                n @ 0..64 => u64::MAX << n,
                _ => 0,
            };
            CodeSet(core::array::from_fn(above))
        }
        Test::In(set) => set,
    };
    let last = 1 << (MISSING & 63);
    set.0[3] = if split.missing_left { set.0[3] & !last } else { set.0[3] | last };
    set
}

/// Sets that nothing before the tree asks.
fn own_sets(tree: &Tree, questions: &Questions) -> usize {
    let is_own = |split: &&Split| {
        let is_known = |of_feature: &BTreeMap<CodeSet, u16>| of_feature.contains_key(&question(split));
        matches!(split.test, Test::In(_)) && !questions.get(&split.feature).is_some_and(is_known)
    };
    tree.splits.iter().filter(is_own).count()
}

/// Steps of the longest way through a tree.
fn depth(tree: &Tree) -> usize {
    // Children come after their parents.
    let mut depths = vec![1; tree.splits.len()];
    for (at, split) in tree.splits.iter().enumerate() {
        for child in [split.left, split.right] {
            if let Child::Split(child) = child {
                depths[child as usize] = depths[at] + 1;
            }
        }
    }
    depths.into_iter().max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::digest::SplitMix64;
    use ir::forest::CodedFeature;

    /// A tree of random shape; the first splits go to the left child more often than not, so that some trees are deep.
    fn grow(random: &mut SplitMix64, features: &[CodedFeature], tree: &mut Tree, n_splits: u32) -> Child {
        if n_splits == 0 {
            let leaf = tree.leaves.len() as u32 / tree.width;
            tree.leaves.extend((0..tree.width).map(|_| random.below(2001) as i32 - 1000));
            return Child::Leaf(leaf);
        }
        let at = tree.splits.len();
        let feature = random.below(features.len() as u32);
        let CodedFeature { n_codes, ordered } = features[feature as usize];
        let test = if ordered {
            Test::Greater(random.below(n_codes.into()) as u8)
        } else {
            let mut set = CodeSet::default();
            (0..n_codes as u8).filter(|_| random.below(2) == 0).for_each(|code| set.insert(code));
            Test::In(set)
        };
        let missing_left = random.below(2) == 0;
        let unknown = Child::Leaf(0);
        tree.splits.push(Split { feature, test, missing_left, left: unknown, right: unknown });
        let of_left = if random.below(3) == 0 { random.below(n_splits) } else { n_splits - 1 };
        tree.splits[at].left = grow(random, features, tree, of_left);
        tree.splits[at].right = grow(random, features, tree, n_splits - 1 - of_left);
        Child::Split(at as u32)
    }

    /// Any code, those that no feature has among them; leaves of one and of several values; trees that are left out.
    #[test]
    fn trees_side_by_side_are_the_trees() {
        let mut random = SplitMix64::new(7);
        let features = [(1, true), (3, false), (254, true), (254, false), (20, true), (9, false), (0, true)];
        let features = features.map(|(n_codes, ordered)| CodedFeature { n_codes, ordered });
        for (n_trees, most, n_outputs) in
            [(0, 1, 1), (1, 1, 1), (3, 4, 1), (8, 16, 3), (9, 16, 1), (50, 40, 2), (20, 300, 1)]
        {
            let mut trees = Vec::new();
            for at in 0..n_trees {
                let width = if n_outputs > 1 && at % 3 == 0 { 2 } else { 1 };
                let mut tree = Tree { first_output: 0, width, ..Tree::default() };
                tree.first_output = random.below(n_outputs - width + 1);
                let n_splits = random.below(most);
                grow(&mut random, &features[..6], &mut tree, n_splits);
                trees.push(tree);
            }
            let initial_scores: Vec<i32> = (0..n_outputs as i32).collect();
            let forest = Forest::try_new(features.to_vec(), initial_scores.clone(), trees).unwrap();
            let (single, taken) = SingleRow::new(&forest);
            let (n_rows, stride) = (40, 64);
            let codes: Vec<u8> = (0..features.len() * stride)
                .map(|_| if random.below(8) == 0 { MISSING } else { random.below(256) as u8 })
                .collect();
            let mut answers = single.room();
            for row in 0..n_rows {
                let mut scores = initial_scores.clone();
                single.add(&codes[row..], stride, &mut answers, &mut scores);
                let mut expected = initial_scores.clone();
                for (tree, _) in forest.trees().iter().zip(&taken).filter(|(_, taken)| **taken) {
                    let leaf = tree.leaf(|feature| codes[feature as usize * stride + row]) as usize;
                    let width = tree.width as usize;
                    let values = &tree.leaves[leaf * width..][..width];
                    let own = &mut expected[tree.first_output as usize..][..width];
                    own.iter_mut().zip(values).for_each(|(score, value)| *score += value);
                }
                assert_eq!(scores, expected, "{n_trees} trees of up to {most} splits, row {row}");
            }
        }
    }

    /// A full tree of sets that are all different.
    fn full(random: &mut SplitMix64, tree: &mut Tree, levels: u32) -> Child {
        if levels == 0 {
            tree.leaves.push(1);
            return Child::Leaf(tree.leaves.len() as u32 - 1);
        }
        let (at, unknown) = (tree.splits.len(), Child::Leaf(0));
        let test = Test::In(CodeSet([random.next_word(), random.next_word(), random.next_word(), 0]));
        tree.splits.push(Split { feature: 0, test, missing_left: true, left: unknown, right: unknown });
        tree.splits[at].left = full(random, tree, levels - 1);
        tree.splits[at].right = full(random, tree, levels - 1);
        Child::Split(at as u32)
    }

    #[test]
    fn trees_of_sets_of_their_own_are_left_out() {
        let mut random = SplitMix64::new(1);
        let features = [CodedFeature { n_codes: 200, ordered: false }];
        let mut tree = Tree { width: 1, ..Tree::default() };
        full(&mut random, &mut tree, 10);
        let small = Tree { width: 1, leaves: vec![3], ..Tree::default() };
        let forest = Forest::try_new(features.to_vec(), vec![0], vec![tree, small]).unwrap();
        let (single, taken) = SingleRow::new(&forest);
        assert_eq!((taken, single.groups.len()), (vec![false, true], 1));
    }
}
