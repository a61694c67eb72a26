//! Forests over codes: trees whose leaves are integers on one grid.
//!
//! A tree's splits stand in preorder (a child split comes after its parent) and its leaves from
//! left to right, so equal trees have equal bytes. A score is the initial score plus the sum of one
//! leaf a tree, in i32; that no sum can overflow is checked when the forest is made.

use crate::{Error, Kind};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The code of a missing value.
pub const MISSING: u8 = 255;

/// Largest number of codes of a feature, missing not counted: 253 edges make 254 codes.
pub const MAX_CODES: u16 = 254;

/// Most features of a forest; it bounds what a reader allocates for a hostile file.
pub const MAX_FEATURES: usize = 1 << 16;

/// A set of codes, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub struct CodeSet(pub [u64; 4]);

impl CodeSet {
    /// True when `code` is in the set.
    #[inline]
    pub fn contains(&self, code: u8) -> bool {
        self.0[usize::from(code >> 6)] >> (code & 63) & 1 == 1
    }

    /// Puts `code` into the set.
    pub fn insert(&mut self, code: u8) {
        self.0[usize::from(code >> 6)] |= 1 << (code & 63);
    }

    /// Number of codes in the set.
    pub fn len(&self) -> u32 {
        self.0.iter().map(|w| w.count_ones()).sum()
    }

    /// True when no code is in the set.
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }
}

/// The question of a split; yes goes right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// The code is greater than this one.
    Greater(u8),
    /// The code is in this set.
    In(CodeSet),
}

/// What hangs below a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// Index of a split of the same tree.
    Split(u32),
    /// Index of a leaf of the same tree.
    Leaf(u32),
}

/// One split: yes goes right, missing goes to its own side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// Index of the feature, that is of the node's input.
    pub feature: u32,
    /// The question.
    pub test: Test,
    /// True when a missing value goes left.
    pub missing_left: bool,
    /// Where no goes.
    pub left: Child,
    /// Where yes goes.
    pub right: Child,
}

impl Split {
    /// Where a row with this code goes.
    #[inline]
    pub fn next(&self, code: u8) -> Child {
        let right = if code == MISSING {
            !self.missing_left
        } else {
            match self.test {
                Test::Greater(t) => code > t,
                Test::In(set) => set.contains(code),
            }
        };
        if right { self.right } else { self.left }
    }
}

/// One tree; without a split it is a single leaf.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tree {
    /// First output that the leaves add to.
    pub first_output: u32,
    /// Number of outputs that the leaves add to.
    pub width: u32,
    /// Splits in preorder.
    pub splits: Vec<Split>,
    /// Leaves from left to right, `[n_splits + 1, width]`, on the forest's grid.
    pub leaves: Vec<i32>,
}

impl Tree {
    /// Index of the leaf that the codes of a row reach: `codes(feature)` is the code of a feature.
    #[inline]
    pub fn leaf(&self, codes: impl Fn(u32) -> u8) -> u32 {
        let mut at = if self.splits.is_empty() { Child::Leaf(0) } else { Child::Split(0) };
        loop {
            match at {
                Child::Leaf(leaf) => return leaf,
                Child::Split(i) => {
                    let split = &self.splits[i as usize];
                    at = split.next(codes(split.feature));
                }
            }
        }
    }
}

/// What a forest knows of one feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodedFeature {
    /// Codes are `0..n_codes`; [`MISSING`] beside them.
    pub n_codes: u16,
    /// True when codes have an order (`Greater`), false when they are categories (`In`).
    pub ordered: bool,
}

/// Trees over codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forest {
    features: Vec<CodedFeature>,
    n_outputs: u32,
    initial_scores: Vec<i32>,
    trees: Vec<Tree>,
}

impl Forest {
    /// A forest; every invariant is checked, so that a walk needs no check.
    ///
    /// # Errors
    /// A `Node` error that names the tree: a child that is not a later split or not the next leaf, a
    /// feature, code or output out of range, a test that does not fit the feature, or scores that
    /// could leave i32, on the way through the trees in any order too.
    pub fn try_new(
        features: Vec<CodedFeature>,
        initial_scores: Vec<i32>,
        trees: Vec<Tree>,
    ) -> Result<Forest, Error> {
        let n_outputs = u32::try_from(initial_scores.len())
            .ok()
            .filter(|&n| n > 0)
            .ok_or_else(|| fault("outputs", "1 or more", &initial_scores.len()))?;
        if features.len() > MAX_FEATURES {
            return Err(fault("features", &format!("at most {MAX_FEATURES}"), &features.len()));
        }
        for (i, f) in features.iter().enumerate() {
            if f.n_codes > MAX_CODES {
                return Err(fault(
                    &format!("codes of feature {i}"),
                    &format!("at most {MAX_CODES}"),
                    &f.n_codes,
                ));
            }
        }
        for (i, tree) in trees.iter().enumerate() {
            check_tree(tree, &features, n_outputs).map_err(|e| e.in_tree(i))?;
        }
        let forest = Forest { features, n_outputs, initial_scores, trees };
        // Partial sums count too: with these bounds no order of the trees can overflow on its way.
        for (output, (low, high)) in forest.sums(0).into_iter().enumerate() {
            if low < i64::from(i32::MIN) || high > i64::from(i32::MAX) {
                return Err(fault(
                    &format!("scores of output {output}"),
                    "sums within 32 bits",
                    &format!("{low}..={high}"),
                ));
            }
        }
        Ok(forest)
    }

    /// Features, in the order of the node's inputs.
    pub fn features(&self) -> &[CodedFeature] {
        &self.features
    }

    /// Number of scores a row.
    pub fn n_outputs(&self) -> u32 {
        self.n_outputs
    }

    /// Scores before any tree, one an output.
    pub fn initial_scores(&self) -> &[i32] {
        &self.initial_scores
    }

    /// The trees; their order does not change a score.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Splits of all trees.
    pub fn n_splits(&self) -> usize {
        self.trees.iter().map(|t| t.splits.len()).sum()
    }

    /// A smallest and a largest score that no row leaves, one pair an output.
    pub fn bounds(&self) -> Vec<(i64, i64)> {
        self.sums(i64::MAX)
    }

    /// Initial scores plus, for each tree, its smallest leaf but at most `limit`, and its largest but
    /// at least `-limit`. A limit of 0 bounds the sums of any subset of the trees.
    fn sums(&self, limit: i64) -> Vec<(i64, i64)> {
        let mut bounds: Vec<(i64, i64)> =
            self.initial_scores.iter().map(|&s| (i64::from(s), i64::from(s))).collect();
        for tree in &self.trees {
            for k in 0..tree.width as usize {
                let column =
                    || tree.leaves.iter().skip(k).step_by(tree.width as usize).copied().map(i64::from);
                let bound = &mut bounds[tree.first_output as usize + k];
                bound.0 = bound.0.saturating_add(column().min().unwrap_or(0).min(limit));
                bound.1 = bound.1.saturating_add(column().max().unwrap_or(0).max(-limit));
            }
        }
        bounds
    }
}

fn fault(what: &str, expected: &str, got: &dyn core::fmt::Display) -> Error {
    Kind::Node {
        node: String::new(),
        op: "Forest",
        what: what.to_string(),
        expected: expected.to_string(),
        got: got.to_string(),
    }
    .into()
}

fn check_tree(tree: &Tree, features: &[CodedFeature], n_outputs: u32) -> Result<(), Error> {
    let n_splits = tree.splits.len();
    let last_output = tree.first_output.checked_add(tree.width);
    if tree.width == 0 || last_output.is_none_or(|last| last > n_outputs) {
        let end = u64::from(tree.first_output) + u64::from(tree.width);
        let got = format!("{}..{end}", tree.first_output);
        return Err(fault("outputs of the tree", &format!("one or more within 0..{n_outputs}"), &got));
    }
    let n_leaf_values = (n_splits + 1).checked_mul(tree.width as usize);
    if n_leaf_values != Some(tree.leaves.len()) {
        return Err(fault("leaf values", &format!("{} a leaf", tree.width), &tree.leaves.len()));
    }
    // Preorder with leaves from left to right: a walk meets splits and leaves in index order.
    let mut pending = Vec::new();
    let (mut next_split, mut next_leaf) = (0u32, 0u32);
    pending.push(if n_splits == 0 { Child::Leaf(0) } else { Child::Split(0) });
    while let Some(child) = pending.pop() {
        match child {
            Child::Leaf(leaf) => {
                if leaf != next_leaf {
                    return Err(fault("leaf order", &next_leaf.to_string(), &leaf));
                }
                next_leaf += 1;
            }
            Child::Split(split) => {
                if split as usize >= n_splits {
                    return Err(fault("child split", &format!("below {n_splits}"), &split));
                }
                if split != next_split {
                    return Err(fault("split order", &next_split.to_string(), &split));
                }
                next_split += 1;
                let split = &tree.splits[split as usize];
                check_split(split, features)?;
                pending.push(split.right);
                pending.push(split.left);
            }
        }
    }
    if next_split as usize != n_splits {
        return Err(fault("splits reached", &n_splits.to_string(), &next_split));
    }
    Ok(())
}

fn check_split(split: &Split, features: &[CodedFeature]) -> Result<(), Error> {
    let Some(feature) = features.get(split.feature as usize) else {
        return Err(fault("feature", &format!("below {}", features.len()), &split.feature));
    };
    match split.test {
        // The last code as threshold parts missing from all the rest.
        Test::Greater(t) if feature.ordered && u16::from(t) < feature.n_codes => Ok(()),
        Test::In(set) if !feature.ordered => {
            match (0..=255u8).find(|&c| set.contains(c) && u16::from(c) >= feature.n_codes) {
                None => Ok(()),
                Some(code) => Err(fault("category code", &format!("below {}", feature.n_codes), &code)),
            }
        }
        Test::Greater(t) if feature.ordered => {
            Err(fault("threshold code", &format!("below {}", feature.n_codes), &t))
        }
        Test::Greater(_) => Err(fault("test", "a set of categories", &"a threshold")),
        Test::In(_) => Err(fault("test", "a threshold", &"a set of categories")),
    }
}
