//! Forests with real thresholds and real leaves, as other libraries grow them.
//!
//! They stand apart from [`crate::Forest`], which knows codes and integers alone: an importer writes what a file says as a
//! [`RealForest`], whose walk is the meaning of that file, and [`RealForest::lower`] makes of it the codes, splits and
//! integer leaves that a model holds. No row changes its leaf by that. Nothing here recurses, so depth costs no stack.

mod cuts;
mod lower;

pub use lower::{CodedColumn, Grid, Lowered};

use crate::forest::Child;
use crate::{Error, Kind};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// The question of a split about a number `x`, which is not missing; -0 equals +0.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// `x < t`.
    Less(f64),
    /// `x <= t`.
    LessEqual(f64),
    /// `x > t`.
    Greater(f64),
    /// `x >= t`.
    GreaterEqual(f64),
    /// `x == t`.
    Equal(f64),
    /// `x != t`.
    NotEqual(f64),
    /// `a <= x <= b` for one of the ranges `[a, b]`, which rise and do not meet: sets of numbers, categories that are
    /// written as numbers, sides of a zero that counts as missing.
    Within(Vec<[f64; 2]>),
}

impl Rule {
    /// The answer for a number.
    pub fn holds(&self, x: f64) -> bool {
        match self {
            Rule::Less(t) => x < *t,
            Rule::LessEqual(t) => x <= *t,
            Rule::Greater(t) => x > *t,
            Rule::GreaterEqual(t) => x >= *t,
            Rule::Equal(t) => x == *t,
            Rule::NotEqual(t) => x != *t,
            Rule::Within(ranges) => {
                // The first range that does not end below x.
                let at = ranges.partition_point(|[_, last]| *last < x);
                ranges.get(at).is_some_and(|[first, _]| *first <= x)
            }
        }
    }

    /// What is wrong with it; none if its numbers are in order.
    fn fault(&self) -> Option<String> {
        match self {
            Rule::Less(t)
            | Rule::LessEqual(t)
            | Rule::Greater(t)
            | Rule::GreaterEqual(t)
            | Rule::Equal(t)
            | Rule::NotEqual(t) => t.is_nan().then(|| "NaN".to_string()),
            Rule::Within(ranges) => {
                let rise = ranges.iter().all(|[first, last]| first <= last)
                    && ranges.windows(2).all(|pair| pair[0][1] < pair[1][0]);
                (!rise).then(|| "ranges in another order".to_string())
            }
        }
    }
}

/// A split.
#[derive(Clone, Debug, PartialEq)]
pub struct RealSplit {
    /// Index of the feature.
    pub feature: u32,
    /// The question.
    pub rule: Rule,
    /// True when a missing cell goes where yes goes.
    pub missing_is_yes: bool,
    /// Where yes goes.
    pub yes: Child,
    /// Where no goes.
    pub no: Child,
}

/// One tree; its root is its first split, or its only leaf.
#[derive(Clone, Debug, PartialEq)]
pub struct RealTree {
    /// First output that the leaves add to.
    pub first_output: u32,
    /// Number of outputs that the leaves add to.
    pub width: u32,
    /// Splits in any order, the root first.
    pub splits: Vec<RealSplit>,
    /// What leaves add, `[n_splits + 1, width]`.
    pub leaves: Vec<f64>,
    /// The number that the source gives each leaf.
    pub leaf_ids: Vec<u32>,
}

/// A node as a source has it.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceNode {
    /// A split; its children by their numbers in the source.
    Split {
        /// Index of the feature.
        feature: u32,
        /// The question.
        rule: Rule,
        /// True when a missing cell goes where yes goes.
        missing_is_yes: bool,
        /// Where yes goes.
        yes: usize,
        /// Where no goes.
        no: usize,
    },
    /// A leaf.
    Leaf {
        /// The number that the source gives it.
        id: u32,
        /// What it adds to the outputs of the tree.
        values: Vec<f64>,
    },
}

/// In which precision a cell is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// The cell is rounded to the nearest `f32` first, ties to even.
    Single,
    /// The cell as it is.
    Double,
}

/// Trees with real thresholds and leaves: `score_k = initial_k + sum over trees of the leaf that the row reaches`.
#[derive(Clone, Debug, PartialEq)]
pub struct RealForest {
    n_features: u32,
    precision: Precision,
    initial_scores: Vec<f64>,
    trees: Vec<RealTree>,
}

fn fault(what: String, expected: &dyn ToString, got: &dyn ToString) -> Error {
    Kind::Forest { what, expected: expected.to_string(), got: got.to_string() }.into()
}

impl RealTree {
    /// The tree below `root`, one of `n_nodes` nodes that `node` tells by their numbers; its leaves add to `outputs`.
    /// Nodes that nothing leads to are left out. O(n log n) for n nodes of the tree.
    ///
    /// # Errors
    /// What `node` says; `Forest` for a number beyond `n_nodes`, a node that two others or itself lead to, and a leaf that
    /// has not one value an output.
    pub fn gather<E: From<Error>>(
        outputs: Range<u32>,
        n_nodes: usize,
        root: usize,
        mut node: impl FnMut(usize) -> Result<SourceNode, E>,
    ) -> Result<RealTree, E> {
        let width = outputs.end.saturating_sub(outputs.start);
        let mut tree = RealTree {
            first_output: outputs.start,
            width,
            splits: Vec::new(),
            leaves: Vec::new(),
            leaf_ids: Vec::new(),
        };
        // Grows with this tree alone, since the nodes may be those of many trees.
        let mut seen = BTreeSet::new();
        // A node and the side of the split that leads to it.
        let mut pending: Vec<(usize, Option<(usize, bool)>)> = vec![(root, None)];
        while let Some((at, parent)) = pending.pop() {
            if at >= n_nodes {
                let expected = format!("below {n_nodes}");
                return Err(fault("number of a child".to_string(), &expected, &at).into());
            }
            if !seen.insert(at) {
                let expected = "one split that leads to it";
                return Err(fault(format!("node {at}"), &expected, &"two, or a cycle").into());
            }
            let child = match node(at)? {
                SourceNode::Leaf { id, values } => {
                    if values.len() != width as usize {
                        let (what, got) = (format!("values of leaf {id}"), values.len());
                        return Err(fault(what, &width, &got).into());
                    }
                    tree.leaves.extend(values);
                    tree.leaf_ids.push(id);
                    Child::Leaf((tree.leaf_ids.len() - 1) as u32)
                }
                SourceNode::Split { feature, rule, missing_is_yes, yes, no } => {
                    let split = tree.splits.len();
                    // Both are filled in when the children come.
                    let (here, later) = (Child::Leaf(0), [(no, false), (yes, true)]);
                    tree.splits.push(RealSplit { feature, rule, missing_is_yes, yes: here, no: here });
                    pending.extend(later.map(|(child, side)| (child, Some((split, side)))));
                    Child::Split(split as u32)
                }
            };
            if let Some((split, is_yes)) = parent {
                let split = &mut tree.splits[split];
                *(if is_yes { &mut split.yes } else { &mut split.no }) = child;
            }
        }
        Ok(tree)
    }

    fn root(&self) -> Child {
        if self.splits.is_empty() { Child::Leaf(0) } else { Child::Split(0) }
    }

    /// Index of the leaf that a row reaches: `cell(feature)` is its number, NaN where it is missing.
    pub fn leaf(&self, precision: Precision, cell: impl Fn(u32) -> f64) -> u32 {
        let mut at = self.root();
        loop {
            match at {
                Child::Leaf(leaf) => return leaf,
                Child::Split(split) => {
                    let split = &self.splits[split as usize];
                    let x = precision.of(cell(split.feature));
                    let is_yes = if x.is_nan() { split.missing_is_yes } else { split.rule.holds(x) };
                    at = if is_yes { split.yes } else { split.no };
                }
            }
        }
    }

    /// What a leaf adds.
    pub fn values(&self, leaf: u32) -> &[f64] {
        let width = self.width as usize;
        &self.leaves[leaf as usize * width..(leaf as usize + 1) * width]
    }

    fn check(&self, n_features: u32, n_outputs: usize) -> Result<(), Error> {
        let last = self.first_output.checked_add(self.width).filter(|_| self.width > 0);
        if last.is_none_or(|last| last as usize > n_outputs) {
            let (expected, got) =
                (format!("within 0..{n_outputs}"), format!("{} from {}", self.width, self.first_output));
            return Err(fault("outputs".to_string(), &expected, &got));
        }
        let n_leaves = self.splits.len() + 1;
        if self.leaf_ids.len() != n_leaves
            || n_leaves.checked_mul(self.width as usize) != Some(self.leaves.len())
        {
            return Err(fault("leaves".to_string(), &n_leaves, &self.leaf_ids.len()));
        }
        if let Some(leaf) = self.leaves.iter().find(|v| !v.is_finite()) {
            return Err(fault("value of a leaf".to_string(), &"a finite number", leaf));
        }
        // As many children as there are nodes below the root; none twice, so each once.
        let (mut splits, mut leaves) = (vec![false; self.splits.len()], vec![false; n_leaves]);
        let mut pending = vec![self.root()];
        while let Some(child) = pending.pop() {
            let (place, seen) = match child {
                Child::Leaf(leaf) => (leaf as usize, &mut leaves),
                Child::Split(split) => (split as usize, &mut splits),
            };
            if !matches!(seen.get(place), Some(false)) {
                return Err(fault("children".to_string(), &"each node once", &format!("{child:?}")));
            }
            seen[place] = true;
            let Child::Split(_) = child else { continue };
            let split = &self.splits[place];
            if split.feature >= n_features {
                return Err(fault(
                    "feature of a split".to_string(),
                    &format!("below {n_features}"),
                    &split.feature,
                ));
            }
            if let Some(got) = split.rule.fault() {
                return Err(fault(format!("threshold of split {place}"), &"numbers in order", &got));
            }
            pending.extend([split.no, split.yes]);
        }
        if splits.contains(&false) || leaves.contains(&false) {
            return Err(fault("children".to_string(), &"each node once", &"a node that nothing leads to"));
        }
        Ok(())
    }
}

impl Precision {
    /// The number that is compared.
    pub fn of(self, x: f64) -> f64 {
        match self {
            Precision::Single => f64::from(x as f32),
            Precision::Double => x,
        }
    }
}

impl RealForest {
    /// A forest; every invariant is checked, so that a walk needs no check. O(nodes).
    ///
    /// # Errors
    /// `Forest`, which names the tree: a child that is not there or is met twice, a feature or an output out of range, a
    /// threshold that is NaN, leaves or initial scores that are not finite.
    pub fn try_new(
        n_features: u32,
        precision: Precision,
        initial_scores: Vec<f64>,
        trees: Vec<RealTree>,
    ) -> Result<RealForest, Error> {
        if n_features == 0 || initial_scores.is_empty() {
            let got = format!("{n_features} and {}", initial_scores.len());
            return Err(fault("features and outputs".to_string(), &"one or more of each", &got));
        }
        if let Some(score) = initial_scores.iter().find(|v| !v.is_finite()) {
            return Err(fault("initial score".to_string(), &"a finite number", score));
        }
        for (at, tree) in trees.iter().enumerate() {
            tree.check(n_features, initial_scores.len()).map_err(|e| e.in_tree(at))?;
        }
        Ok(RealForest { n_features, precision, initial_scores, trees })
    }

    /// Number of features that splits may ask.
    pub fn n_features(&self) -> u32 {
        self.n_features
    }

    /// In which precision cells are compared.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Scores before any tree, one an output.
    pub fn initial_scores(&self) -> &[f64] {
        &self.initial_scores
    }

    /// The trees.
    pub fn trees(&self) -> &[RealTree] {
        &self.trees
    }

    /// Scores of a row in doubles, tree by tree: `cell(feature)` is its number, NaN where it is missing.
    pub fn scores(&self, cell: impl Fn(u32) -> f64) -> Vec<f64> {
        let mut scores = self.initial_scores.clone();
        for tree in &self.trees {
            let values = tree.values(tree.leaf(self.precision, &cell));
            scores[tree.first_output as usize..].iter_mut().zip(values).for_each(|(s, v)| *s += v);
        }
        scores
    }
}
