//! Path-dependent TreeSHAP over integer leaves.
//!
//! The value of a set of features is what a tree gives on average when only these are known: at a split on a known
//! feature the row's own side counts, at any other both sides, by the share of background rows that go there. The
//! attribution of a feature is its Shapley value in that game, so attributions and the expectation sum up to the
//! score.
//!
//! A leaf of value `v` is worth `v` times, over the features of its path, `o` (1 if the row goes this way) for a
//! known and `z` (the product of shares) for an unknown feature. The Shapley weights of the subsets of `d` such
//! features are moments of the unit interval, hence
//! `phi_f = sum over leaves of v * integral from 0 to 1 of (o_f - z_f) * product over g != f of (z_g (1 - t) + o_g t) dt`,
//! a polynomial of degree below `d` in `t`, which Gauss and Legendre's rule of `ceil(d / 2)` points integrates
//! exactly. All factors are positive and nothing is subtracted from a product, so no digits cancel as they do where
//! subsets are taken out of a running sum one by one.

use super::error::{Error, Kind};
use ir::Forest;
use ir::fixed::math::cos;
use ir::forest::{Child, Tree};

/// Most splits on the way to a leaf: the depth of the recursion.
const MAX_DEPTH: usize = 1024;

/// What a forest needs to be explained: for each split the share of background rows that go right.
#[derive(Clone, Debug)]
pub(crate) struct TreeShap {
    trees: Vec<Shares>,
    /// By number of points; those that some tree asks for.
    rules: Vec<Rule>,
    expected: Vec<f64>,
}

#[derive(Clone, Debug)]
struct Shares {
    /// By split.
    right: Vec<f64>,
    depth: usize,
    /// Points of the rule.
    n_points: usize,
}

/// Points and weights of an integral from 0 to 1.
#[derive(Clone, Debug, Default)]
struct Rule {
    points: Vec<f64>,
    weights: Vec<f64>,
}

/// Room for the walk of one row; it may serve any number of rows, one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Walk {
    /// By level: the products of all factors so far, a point.
    products: Vec<f64>,
    /// By level: what the leaves below are worth, a point.
    sums: Vec<f64>,
    /// By feature: `z` and `o`.
    factors: Vec<(f64, f64)>,
}

impl TreeShap {
    /// Counts where background rows go: `codes` are `n_features` columns of `n_rows` codes. A file holds no counts of
    /// training rows, so the expectation is that of these rows. Below a split that none of them reaches, each side
    /// counts a half. O(n_rows trees depth).
    ///
    /// # Errors
    /// `NoRows`; `Misfit` for another number of columns; `Deep` for a tree of more than 1,024 levels.
    pub(crate) fn new(forest: &Forest, codes: &[&[u8]]) -> Result<TreeShap, Error> {
        let n_features = forest.features().len();
        if codes.len() != n_features {
            let (what, expected, got) = ("columns of codes", n_features, codes.len());
            return Err(Kind::Misfit { what, expected, got }.into());
        }
        let n_rows = codes.iter().map(|c| c.len()).min().unwrap_or(0);
        if n_rows == 0 {
            return Err(Kind::NoRows.into());
        }
        let mut sums: Vec<i64> = vec![0; forest.initial_scores().len()];
        let mut trees = Vec::with_capacity(forest.trees().len());
        for (at, tree) in forest.trees().iter().enumerate() {
            let (depth, n_points) = size(tree);
            if depth > MAX_DEPTH {
                return Err(Kind::Deep { tree: at, most: MAX_DEPTH }.into());
            }
            let (counts, at_leaf) = routed(tree, codes, n_rows);
            let width = tree.width as usize;
            for (values, n) in tree.leaves.chunks_exact(width).zip(&at_leaf) {
                let sums = &mut sums[tree.first_output as usize..][..width];
                sums.iter_mut().zip(values).for_each(|(sum, &v)| *sum += n * i64::from(v));
            }
            let share = |[left, right]: &[u32; 2]| match left + right {
                0 => 0.5,
                all => f64::from(*right) / f64::from(all),
            };
            trees.push(Shares { right: counts.iter().map(share).collect(), depth, n_points });
        }
        let most = trees.iter().map(|t| t.n_points).max().unwrap_or(0);
        let asked = |n: usize| trees.iter().any(|t| t.n_points == n);
        let rules = (0..=most).map(|n| if asked(n) { Rule::new(n) } else { Rule::default() }).collect();
        let expected = sums.iter().zip(forest.initial_scores());
        let expected = expected.map(|(&sum, &start)| f64::from(start) + sum as f64 / n_rows as f64).collect();
        Ok(TreeShap { trees, rules, expected })
    }

    /// Mean of each score over the background rows, initial scores included.
    pub(crate) fn expected(&self) -> &[f64] {
        &self.expected
    }

    /// Adds to `out`, by feature, what moved score `output` of a row with these codes away from its expectation.
    /// `forest` is the one of [`TreeShap::new`], and there is a code and a place of `out` for each of its features. A number that no feature moves is 0; missing is a code like others.
    /// The sum of all attributions and the expectation is the integer score up to the rounding of doubles, some
    /// 1e-13 of the sum of the sizes of leaves. O(leaves points) a tree, half as many points as a path has features.
    /// # Source  Lundberg et al., Nature Machine Intelligence 2, 2020, algorithm 2 (the same values in polynomial
    /// time); Yu et al., NeurIPS 2022 (sums over edges). Deviation: the integral above instead of extending and
    /// unwinding paths.
    pub(crate) fn attribute(
        &self,
        forest: &Forest,
        codes: &[u8],
        output: u32,
        walk: &mut Walk,
        out: &mut [f64],
    ) {
        walk.factors.clear();
        walk.factors.resize(forest.features().len(), (1.0, 1.0));
        for (tree, shares) in forest.trees().iter().zip(&self.trees) {
            let Some(value) = output.checked_sub(tree.first_output).filter(|&v| v < tree.width) else {
                continue;
            };
            if tree.splits.is_empty() {
                continue;
            }
            let rule = &self.rules[shares.n_points];
            let room = (shares.depth + 1) * shares.n_points;
            walk.products.clear();
            walk.products.resize(room, 1.0);
            walk.sums.resize(room, 0.0);
            let mut visit = Visit { tree, shares, rule, value: value as usize, codes, walk, out };
            visit.child(Child::Split(0), 0);
        }
    }
}

/// Rows that go left and right at each split, and rows at each leaf.
fn routed(tree: &Tree, codes: &[&[u8]], n_rows: usize) -> (Vec<[u32; 2]>, Vec<i64>) {
    let mut sides = vec![[0u32; 2]; tree.splits.len()];
    let mut at_leaf = vec![0i64; tree.splits.len() + 1];
    (0..n_rows).for_each(|row| {
        let mut child = if tree.splits.is_empty() { Child::Leaf(0) } else { Child::Split(0) };
        loop {
            match child {
                Child::Leaf(leaf) => {
                    at_leaf[leaf as usize] += 1;
                    return;
                }
                Child::Split(at) => {
                    let split = &tree.splits[at as usize];
                    child = split.next(codes[split.feature as usize][row]);
                    sides[at as usize][usize::from(child == split.right)] += 1;
                }
            }
        }
    });
    (sides, at_leaf)
}

/// Splits on the longest way to a leaf, and the points that integrate every path of the tree exactly.
fn size(tree: &Tree) -> (usize, usize) {
    let mut depths = vec![1usize; tree.splits.len()];
    for (i, split) in tree.splits.iter().enumerate() {
        for child in [split.left, split.right] {
            if let Child::Split(j) = child {
                depths[j as usize] = depths[i] + 1;
            }
        }
    }
    let depth = depths.iter().copied().max().unwrap_or(0);
    let mut features: Vec<u32> = tree.splits.iter().map(|s| s.feature).collect();
    features.sort_unstable();
    features.dedup();
    (depth, depth.min(features.len()).div_ceil(2))
}

/// The walk of one row through one tree.
struct Visit<'v> {
    tree: &'v Tree,
    shares: &'v Shares,
    rule: &'v Rule,
    /// Place of the value within a leaf.
    value: usize,
    codes: &'v [u8],
    walk: &'v mut Walk,
    out: &'v mut [f64],
}

impl Visit<'_> {
    /// Leaves in `sums`, at `level`, what the leaves below are worth; gives each edge below its part of `out`.
    fn child(&mut self, child: Child, level: usize) {
        let n = self.rule.points.len();
        let (here, below) = (level * n, (level + 1) * n);
        let at = match child {
            Child::Leaf(leaf) => {
                let v = f64::from(self.tree.leaves[leaf as usize * self.tree.width as usize + self.value]);
                let products = &self.walk.products[here..below];
                let worth = products.iter().zip(&self.rule.weights).map(|(p, w)| v * w * p);
                self.walk.sums[here..below].iter_mut().zip(worth).for_each(|(sum, worth)| *sum = worth);
                return;
            }
            Child::Split(at) => at as usize,
        };
        let split = &self.tree.splits[at];
        let feature = split.feature as usize;
        let own = split.next(self.codes[feature]);
        let right = self.shares.right[at];
        self.walk.sums[here..below].fill(0.0);
        for (child, share) in [(split.left, 1.0 - right), (split.right, right)] {
            let (z0, o0) = self.walk.factors[feature];
            let (z, o) = (z0 * share, if child == own { o0 } else { 0.0 });
            // Neither the row nor any background row goes there.
            if z == 0.0 && o == 0.0 {
                continue;
            }
            for (q, &t) in self.rule.points.iter().enumerate() {
                let ratio = (z * (1.0 - t) + o * t) / (z0 * (1.0 - t) + o0 * t);
                self.walk.products[below + q] = self.walk.products[here + q] * ratio;
            }
            self.walk.factors[feature] = (z, o);
            self.child(child, level + 1);
            self.walk.factors[feature] = (z0, o0);
            // An edge further up asked the same feature: its factor ends where this one begins.
            for (q, &t) in self.rule.points.iter().enumerate() {
                let gained = (o - z) / (z * (1.0 - t) + o * t) - (o0 - z0) / (z0 * (1.0 - t) + o0 * t);
                self.out[feature] += self.walk.sums[below + q] * gained;
                self.walk.sums[here + q] += self.walk.sums[below + q];
            }
        }
    }
}

impl Rule {
    /// Gauss and Legendre's rule of `n` points: exact for polynomials of degree below `2 n`. O(n^2).
    /// # Source  Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 25.4.29; roots by Newton's method.
    fn new(n: usize) -> Rule {
        const STEPS: usize = 20;
        let mut rule = Rule::default();
        for i in 0..n {
            let mut x = cos(core::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5));
            let mut slope = 1.0;
            for _ in 0..STEPS {
                let (mut p, mut before) = (1.0, 0.0);
                for k in 1..=n {
                    let k = k as f64;
                    (p, before) = (((2.0 * k - 1.0) * x * p - (k - 1.0) * before) / k, p);
                }
                slope = n as f64 * (x * p - before) / (x * x - 1.0);
                x -= p / slope;
            }
            rule.points.push((1.0 - x) / 2.0);
            rule.weights.push(1.0 / ((1.0 - x * x) * slope * slope));
        }
        rule
    }
}
