//! Trees as bytes that are walked in place.
//!
//! A tree is its length, where asked for the first output that it adds to, and its root. A node is a head (the place of what
//! it asks for, and whether its left and its right child are leaves), its question (a threshold, or a set of codes as bits)
//! and what is below it: a leaf stands before nodes, which follow without a word; of two sides of nodes the left one stands
//! behind its length. A leaf is its values. So a split of a small forest takes 2 bytes, a third of them 3, beside leaves of
//! one byte or less.

use ir::forest::{Child, CodeSet, Split, Test, Tree};

/// Bytes of each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Of a head, 1 or 2; its highest two bits say whether the right and the left child are leaves.
    pub(crate) head: usize,
    /// Of a threshold, 1 or 2.
    pub(crate) threshold: usize,
    /// Of a length: 1, 2 or 4.
    pub(crate) length: usize,
    /// Of a value of a leaf, in bits: 4, 8, 16 or 32.
    pub(crate) bits: usize,
    /// Of the first output: 0, 1 or 2.
    pub(crate) first: usize,
    /// What values are multiplied by.
    pub(crate) unit: i32,
}

/// What splits ask for.
pub(crate) trait Places {
    /// Where it stands.
    fn sides(&self) -> &Sides;
    /// Bytes of a threshold, 1 or 2.
    fn threshold_bytes(&self) -> usize;
    /// What stands in the place is above this where a split that asks for codes above `above` goes right.
    fn threshold(&self, split: &Split, above: u8) -> usize;
    /// Bytes of its set; 0 for a threshold.
    fn set_bytes(&self, split: &Split) -> usize;
    /// The code that stands for missing in its set.
    fn missing(&self, split: &Split) -> usize;
}

/// By feature: the places of what a row has of it, with missing on the right (or in sets) and on the left.
pub(crate) struct Sides {
    pub(crate) right: Vec<usize>,
    pub(crate) left: Vec<usize>,
    /// How many places there are.
    pub(crate) n: usize,
}

impl Sides {
    /// The place that a split asks.
    pub(crate) fn place(&self, split: &Split) -> usize {
        let of_side = if goes_left(split) { &self.left } else { &self.right };
        of_side[split.feature as usize]
    }
}

/// Whether a threshold has what is missing on its left.
pub(crate) fn goes_left(split: &Split) -> bool {
    split.missing_left && matches!(split.test, Test::Greater(_))
}

impl Layout {
    /// The shortest layout of trees of one width.
    pub(crate) fn of(trees: &[&Tree], places: &impl Places) -> Layout {
        let unit = trees.iter().flat_map(|t| &t.leaves).fold(0u32, |unit, &v| gcd(unit, v.unsigned_abs()));
        // A unit of 2^31 would be of leaves that are all -2^31 or 0.
        let unit = i32::try_from(unit.max(1)).unwrap_or(1);
        let most = trees
            .iter()
            .flat_map(|t| &t.leaves)
            .map(|&v| v / unit)
            .fold(0, |most, v| most.max(if v < 0 { -(v + 1) } else { v }));
        let bits = [4, 8, 16].into_iter().find(|bits| most < 1 << (bits - 1)).unwrap_or(32);
        let one_output = trees.windows(2).all(|pair| pair[0].first_output == pair[1].first_output);
        let largest = trees.iter().map(|t| t.first_output).max().unwrap_or(0);
        let first = if one_output {
            0
        } else if largest < 256 {
            1
        } else {
            2
        };
        let head = if places.sides().n <= 1 << 6 { 1 } else { 2 };
        let threshold = places.threshold_bytes();
        let mut layout = Layout { head, threshold, length: 1, bits, first, unit };
        for length in [1, 2, 4] {
            layout.length = length;
            let longest = trees.iter().map(|tree| layout.tree_bytes(tree, places)).max().unwrap_or(0);
            if longest < 1usize.checked_shl(8 * length as u32).unwrap_or(usize::MAX) {
                break;
            }
        }
        layout
    }

    /// Bytes of a tree behind its length, a little more than there are.
    fn tree_bytes(&self, tree: &Tree, places: &impl Places) -> usize {
        let of_split = |split: &Split| self.head + places.set_bytes(split).max(self.threshold) + self.length;
        let leaves = tree.leaves.len() / (tree.width as usize).max(1) * self.leaf_bytes(tree);
        tree.splits.iter().map(of_split).sum::<usize>() + leaves + self.first
    }

    /// Bytes of a leaf.
    fn leaf_bytes(&self, tree: &Tree) -> usize {
        (tree.width as usize * self.bits).div_ceil(8)
    }

    /// Trees one after the other. Each has a split.
    pub(crate) fn bytes(&self, trees: &[&Tree], places: &impl Places) -> Vec<u8> {
        let mut bytes = Vec::new();
        for tree in trees {
            let mut of_tree = Vec::new();
            number(&mut of_tree, tree.first_output as usize, self.first);
            self.node(tree, 0, places, &mut of_tree);
            number(&mut bytes, of_tree.len(), self.length);
            bytes.extend(of_tree);
        }
        bytes
    }

    /// The bytes of a split and of what is below it; deep trees take no more of the stack than their lists of lengths.
    fn node(&self, tree: &Tree, root: usize, places: &impl Places, bytes: &mut Vec<u8>) {
        /// What is to be written next.
        enum Next {
            Side(Child),
            /// The length of a left side that began behind this place.
            Length(usize),
        }
        let mut pending = vec![Next::Side(Child::Split(root as u32))];
        while let Some(next) = pending.pop() {
            match next {
                Next::Side(Child::Leaf(leaf)) => {
                    let width = tree.width as usize;
                    let values = &tree.leaves[leaf as usize * width..][..width];
                    let of = |value: i32| (value / self.unit).to_le_bytes();
                    if self.bits == 4 {
                        let pair =
                            |two: &[i32]| two.iter().rev().fold(0, |byte: u8, &v| byte << 4 | of(v)[0] & 15);
                        bytes.extend(values.chunks(2).map(pair));
                    } else {
                        values.iter().for_each(|&value| bytes.extend(&of(value)[..self.bits / 8]));
                    }
                }
                Next::Side(Child::Split(split)) => {
                    let split = &tree.splits[split as usize];
                    let (left, right) =
                        (matches!(split.left, Child::Leaf(_)), matches!(split.right, Child::Leaf(_)));
                    let bits = 8 * self.head - 2;
                    let head = places.sides().place(split)
                        | usize::from(left) << bits
                        | usize::from(right) << (bits + 1);
                    number(bytes, head, self.head);
                    match split.test {
                        Test::Greater(above) => {
                            number(bytes, places.threshold(split, above), self.threshold);
                        }
                        Test::In(set) => self.set(split, set, places, bytes),
                    }
                    let mut sides = [split.left, split.right];
                    if right && !left {
                        sides.reverse();
                    }
                    pending.push(Next::Side(sides[1]));
                    if !left && !right {
                        pending.push(Next::Length(bytes.len()));
                        number(bytes, 0, self.length);
                    }
                    pending.push(Next::Side(sides[0]));
                }
                Next::Length(at) => {
                    let length = bytes.len() - at - self.length;
                    bytes[at..at + self.length].copy_from_slice(&length.to_le_bytes()[..self.length]);
                }
            }
        }
    }

    fn set(&self, split: &Split, set: CodeSet, places: &impl Places, bytes: &mut Vec<u8>) {
        let at = bytes.len();
        bytes.resize(at + places.set_bytes(split), 0);
        let mut insert = |code: usize| {
            if let Some(byte) = bytes.get_mut(at + code / 8) {
                *byte |= 1 << (code % 8);
            }
        };
        (0..places.missing(split)).filter(|&code| set.contains(code as u8)).for_each(&mut insert);
        if !split.missing_left {
            insert(places.missing(split));
        }
    }
}

/// A number in so many bytes, the lowest first.
fn number(bytes: &mut Vec<u8>, number: usize, n_bytes: usize) {
    bytes.extend(&number.to_le_bytes()[..n_bytes]);
}

fn gcd(a: u32, b: u32) -> u32 {
    let (mut a, mut b) = (a, b);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}
