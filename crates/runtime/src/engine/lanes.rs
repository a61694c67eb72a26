//! The engine of large trees, and of all trees where rows are few: trees of one row side by side.
//!
//! A row in a tree is a chain of loads that wait for each other; so [`LANES`] trees of it step in lockstep. What the trees
//! ask is answered first, every distinct question once: a question is a set of codes, and the answers to all questions of
//! a column stand as bits by code, so thresholds, sets of categories and missing cells are the same. A step is two loads
//! then, of a node and of its answer. Of many rows some are answered together, so that nodes are at hand for all of them.

use crate::cost::{Counts, Operation, Rows};
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use ir::forest::{Child, CodeSet, CodedFeature, MISSING, Split, Test, Tree};

/// Trees that step together.
const LANES: usize = 8;

/// Steps until it is asked whether all lanes are at their leaves.
const STRIDE: usize = 4;

/// Rows that are answered together where they are many.
const TOGETHER: usize = 16;

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
    /// Steps that a row is expected to take, all leaves of a tree being equally likely.
    expected: usize,
    /// Whether many rows sweep the trees.
    is_swept: bool,
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

/// Trees of a forest, laid out to step side by side.
#[derive(Clone, Debug, Default)]
pub(super) struct Lanes {
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

impl Lanes {
    /// Of the trees that fit; by tree, whether it is one of them. `is_swept` says by tree whether many rows sweep it.
    pub(super) fn new(
        features: &[CodedFeature],
        trees: &[&Tree],
        is_swept: impl Fn(usize) -> bool,
    ) -> (Lanes, Vec<bool>) {
        let mut questions = Questions::new();
        let leaves: Vec<Vec<usize>> = trees.iter().map(|tree| leaves_by_depth(tree)).collect();
        let depths: Vec<usize> = leaves.iter().map(|n| n.len() - 1).collect();
        let mut n_questions = 0;
        let mut taken = Vec::with_capacity(depths.len());
        for (tree, &depth) in trees.iter().zip(&depths) {
            let n_columns = (questions.len() + tree.splits.len()).min(features.len());
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
        let mut lanes = Lanes::default();
        lanes.ask(features, &mut questions);
        let mut order: Vec<usize> = (0..depths.len()).filter(|&at| taken[at]).collect();
        // Lanes of a group end together.
        order.sort_unstable_by_key(|&at| (is_swept(at), trees[at].width, depths[at], at));
        let mut rest = &order[..];
        while let Some(&first) = rest.first() {
            let (width, swept) = (trees[first].width, is_swept(first));
            let mut n_nodes = 0;
            let fits = |&&at: &&usize| {
                let tree = trees[at];
                n_nodes += 2 * tree.splits.len() + 1;
                tree.width == width && is_swept(at) == swept && n_nodes <= MOST
            };
            let n = rest.iter().take(LANES).take_while(fits).count();
            let (group, others) = rest.split_at(n);
            let of_group: Vec<&[usize]> = group.iter().map(|&at| &leaves[at][..]).collect();
            let (depth, expected) = steps(&of_group);
            lanes.group(group.iter().map(|&at| trees[at]), &questions);
            if let Some(group) = lanes.groups.last_mut() {
                (group.depth, group.expected, group.is_swept) = (depth, expected, swept);
            }
            rest = others;
        }
        (lanes, taken)
    }

    /// Lays the answers out, and gives each question its place.
    fn ask(&mut self, features: &[CodedFeature], questions: &mut Questions) {
        self.n_bytes = 1;
        for (&feature, of_feature) in questions {
            let feature = feature as usize;
            // At most 254.
            let n_codes = features[feature].n_codes as u8;
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

    fn group<'t>(&mut self, trees: impl Iterator<Item = &'t Tree>, questions: &Questions) {
        let first = self.nodes.len();
        let mut group = Group {
            first,
            n_nodes: 0,
            depth: 0,
            expected: 0,
            is_swept: false,
            roots: [0; LANES],
            outputs: Vec::new(),
            width: 0,
        };
        for (lane, tree) in trees.enumerate() {
            group.roots[lane] = (self.nodes.len() - first) as u16;
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

    /// Of a row alone, or of one of many.
    pub(super) fn count(&self, rows: Rows, counts: &mut Counts) {
        if rows == Rows::Many && self.of_many().next().is_none() {
            return;
        }
        if rows == Rows::Single {
            counts.add(Operation::CallColumn, self.columns.len());
        }
        counts.add(Operation::Answers, self.n_bytes);
        for group in self.groups.iter().filter(|group| rows == Rows::Single || !group.is_swept) {
            counts.add(Operation::SingleTree, LANES);
            counts.add(Operation::SingleStep, LANES * group.expected);
            counts.add(Operation::SingleLeafValue, group.outputs.len() * group.width.saturating_sub(1));
        }
    }

    /// Trees that many rows do not sweep.
    fn of_many(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| !group.is_swept)
    }

    /// Adds the leaves that a few rows reach in all trees: `codes` is `[n_features, stride]`, `scores` is
    /// `[n_rows, n_outputs]`.
    pub(super) fn add_few(&self, codes: &[u8], stride: usize, scores: &mut [i32], n_outputs: usize) {
        let mut answers = vec![[0; BYTE]; self.n_bytes];
        for (row, scores) in scores.chunks_exact_mut(n_outputs).enumerate() {
            self.answer(&codes[row..], stride, &mut answers);
            self.groups.iter().for_each(|group| self.step(group, answers.as_flattened(), scores));
        }
    }

    /// The same of many rows, in the trees that these do not sweep.
    pub(super) fn add_many(&self, codes: &[u8], stride: usize, scores: &mut [i32], n_outputs: usize) {
        if self.of_many().next().is_none() {
            return;
        }
        let mut answers = vec![[0; BYTE]; self.n_bytes * TOGETHER];
        for (row, scores) in (0..).step_by(TOGETHER).zip(scores.chunks_mut(TOGETHER * n_outputs)) {
            let n_rows = scores.len() / n_outputs;
            for (row, answers) in (row..row + n_rows).zip(answers.chunks_exact_mut(self.n_bytes)) {
                self.answer(&codes[row..], stride, answers);
            }
            for group in self.of_many() {
                let answers = answers.chunks_exact(self.n_bytes);
                for (scores, answers) in scores.chunks_exact_mut(n_outputs).zip(answers) {
                    self.step(group, answers.as_flattened(), scores);
                }
            }
        }
    }

    /// The answers of a row: `codes` begin with the first one of the row, `stride` before its next one.
    fn answer(&self, codes: &[u8], stride: usize, answers: &mut [[u8; BYTE]]) {
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
    }

    /// Adds the leaves of a group that a row of these answers reaches.
    fn step(&self, group: &Group, answers: &[u8], scores: &mut [i32]) {
        let nodes = &self.nodes[group.first..][..group.n_nodes];
        let ends = &self.ends[group.first..][..group.n_nodes];
        let mut at = group.roots.map(usize::from);
        let step = |at: &mut [usize; LANES]| {
            for at in at {
                let node = nodes[*at];
                *at = usize::from(node.left) + usize::from(answers[usize::from(node.question)]);
            }
        };
        let mut left = group.depth;
        while left > 0 {
            let n = left.min(STRIDE);
            (1..n).for_each(|_| step(&mut at));
            let before = at;
            step(&mut at);
            if at == before {
                break;
            }
            left -= n;
        }
        let width = group.width;
        if width == 1
            && let [score] = scores
        {
            *score = at[..group.outputs.len()].iter().fold(*score, |sum, &at| sum + ends[at]);
            return;
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

/// How many leaves stand at each depth of a tree, the root's own being 0.
fn leaves_by_depth(tree: &Tree) -> Vec<usize> {
    if tree.splits.is_empty() {
        return vec![1];
    }
    // Children come after their parents.
    let mut depths = vec![1; tree.splits.len()];
    let mut n_leaves = Vec::new();
    for (at, split) in tree.splits.iter().enumerate() {
        for child in [split.left, split.right] {
            match child {
                Child::Split(child) => depths[child as usize] = depths[at] + 1,
                Child::Leaf(_) => {
                    n_leaves.resize(n_leaves.len().max(depths[at] + 1), 0);
                    n_leaves[depths[at]] += 1;
                }
            }
        }
    }
    n_leaves
}

/// Steps of the longest way through some trees, and the steps that a row is expected to take through all of them side by
/// side: by depth, the chance that no leaf is deeper is the product of the trees' own.
fn steps(leaves: &[&[usize]]) -> (usize, usize) {
    let depth = leaves.iter().map(|n| n.len() - 1).max().unwrap_or(0);
    let mut below: Vec<usize> = vec![0; leaves.len()];
    let all: Vec<usize> = leaves.iter().map(|n| n.iter().sum()).collect();
    let (mut expected, mut before) = (0.0, 0.0);
    for d in 0..=depth {
        let mut chance = 1.0;
        for ((n_leaves, below), &all) in leaves.iter().zip(&mut below).zip(&all) {
            *below += n_leaves.get(d).copied().unwrap_or(0);
            chance *= *below as f64 / all as f64;
        }
        // Lanes are looked at after each stride, and no step is taken beyond the depth.
        expected += (chance - before) * depth.min(STRIDE * (d / STRIDE + 1)) as f64;
        before = chance;
    }
    (depth, (expected + 0.5) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::Forest;
    use ir::digest::SplitMix64;

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
            let is_swept = |at: usize| at % 4 == 1;
            let (lanes, taken) =
                Lanes::new(forest.features(), &forest.trees().iter().collect::<Vec<_>>(), is_swept);
            let (n_rows, stride) = (40, 64);
            let codes: Vec<u8> = (0..features.len() * stride)
                .map(|_| if random.below(8) == 0 { MISSING } else { random.below(256) as u8 })
                .collect();
            let n = n_outputs as usize;
            let [mut few, mut many, mut of_all, mut of_some] =
                [(); 4].map(|()| initial_scores.repeat(n_rows));
            lanes.add_few(&codes, stride, &mut few, n);
            lanes.add_many(&codes, stride, &mut many, n);
            for (at, tree) in forest.trees().iter().enumerate().filter(|(at, _)| taken[*at]) {
                for row in 0..n_rows {
                    let leaf = tree.leaf(|feature| codes[feature as usize * stride + row]) as usize;
                    let width = tree.width as usize;
                    let values = &tree.leaves[leaf * width..][..width];
                    let first = row * n + tree.first_output as usize;
                    let add = |scores: &mut [i32]| {
                        scores[first..][..width].iter_mut().zip(values).for_each(|(score, v)| *score += v);
                    };
                    add(&mut of_all);
                    if !is_swept(at) {
                        add(&mut of_some);
                    }
                }
            }
            assert_eq!(few, of_all, "{n_trees} trees of up to {most} splits, few rows");
            assert_eq!(many, of_some, "{n_trees} trees of up to {most} splits, many rows");
        }
    }

    #[test]
    fn steps_of_trees_by_hand() {
        // A full tree of three levels; a chain of leaves at 1, 2, .. 9 and 9.
        let full = &[0, 0, 0, 8][..];
        let chain = &[0, 1, 1, 1, 1, 1, 1, 1, 1, 2][..];
        for (leaves, expected) in [
            (&[&[1][..]][..], (0, 0)),
            (&[full], (3, 3)),
            // 3 leaves in the first 4 steps, 4 in the next, 3 in the ninth.
            (&[chain], (9, 7)),
            // Chances of at most 3 and of at most 7 are 0.09 and 0.49: 4 * 0.09 + 8 * 0.4 + 9 * 0.51 = 8.15.
            (&[chain, chain, full], (9, 8)),
        ] {
            assert_eq!(steps(leaves), expected, "{leaves:?}");
        }
        let mut random = SplitMix64::new(3);
        let features = [CodedFeature { n_codes: 9, ordered: true }];
        let mut tree = Tree { width: 1, ..Tree::default() };
        assert_eq!(leaves_by_depth(&tree), [1]);
        grow(&mut random, &features, &mut tree, 50);
        assert_eq!(leaves_by_depth(&tree).iter().sum::<usize>(), 51);
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
        let (lanes, taken) =
            Lanes::new(forest.features(), &forest.trees().iter().collect::<Vec<_>>(), |_| false);
        assert_eq!((taken, lanes.groups.len()), (vec![false, true], 1));
    }
}
