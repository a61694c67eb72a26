//! Growing one tree, leaf by leaf, the leaf of largest gain first, or level by level.
//!
//! Rows outside the training part travel through the partition with the others, so that their
//! scores are known without a predictor; they take part in nothing else.
//!
//! With several threads the leaves of next largest gain are parted at the same time, since most of them will be
//! split soon. Whether one is, is decided as on one thread, so the tree is the same; what was parted in vain is
//! dropped.

mod part;
mod rows;
mod symmetric;

use crate::constraint::Freedom;
use crate::histogram::{Cell, Histogram};
use crate::sample::Reuse;
use crate::soil::Soil;
use crate::split::{Candidate, LeafView};
use ir::digest::mix;
use ir::forest::{Child, Split};
use part::Spare;
pub(crate) use rows::RowLists;
use std::ops::Range;

/// A leaf of a grown tree.
pub(crate) struct GrownLeaf {
    /// Sums over the training rows of the leaf, one an output of the gradients.
    pub(crate) totals: Vec<Cell>,
    /// Added to `l2` for its value.
    pub(crate) extra_l2: f64,
    /// Weight of the training rows.
    pub(crate) n_rows: f64,
    /// Values of the leaf that was split, where smoothing or an empty side ask for them; empty for the root.
    pub(crate) parent: Vec<f64>,
    /// What the splits above leave it.
    pub(crate) freedom: Freedom,
    pub(crate) train: Range<usize>,
    pub(crate) others: Range<usize>,
}

/// A grown tree in the matrix's codes; splits and leaves in preorder.
pub(crate) struct Grown {
    pub(crate) splits: Vec<Split>,
    pub(crate) leaves: Vec<GrownLeaf>,
}

struct Leaf {
    grown: GrownLeaf,
    histogram: Histogram,
    depth: usize,
    best: Option<Candidate>,
    /// Its sides by `best`, once they are known.
    sides: Option<Box<[Leaf; 2]>>,
}

impl Leaf {
    /// As a search sees it; `rows` are its own, `key` is the seed of the tree's splits.
    fn view<'a>(&'a self, rows: &'a [u32], key: u64) -> LeafView<'a> {
        let GrownLeaf { totals, n_rows, freedom, train: range, .. } = &self.grown;
        // No two leaves of a tree share both ends and the depth.
        let place = (range.start as u64) << 32 ^ (range.end as u64) << 8 ^ self.depth as u64;
        LeafView { histogram: &self.histogram, rows, totals, freedom, n_rows: *n_rows, key: mix(place ^ key) }
    }

    /// Its histogram, if it has one.
    fn take_histogram(&mut self) -> Option<Histogram> {
        (!self.histogram.cells.is_empty()).then(|| std::mem::take(&mut self.histogram))
    }
}

/// A node of the growing tree: a leaf by its number, or a split with its children.
#[derive(Clone)]
enum Growing {
    Leaf(usize),
    Split { candidate: Candidate, left: usize, right: usize },
}

/// A growing tree.
struct Growth {
    leaves: Vec<Leaf>,
    nodes: Vec<Growing>,
    /// The node that each leaf is.
    places: Vec<usize>,
}

impl Growth {
    fn new(root: Leaf) -> Growth {
        Growth { leaves: vec![root], nodes: vec![Growing::Leaf(0)], places: vec![0] }
    }

    /// The leaf `at` becomes its left side; gives the number of the right one.
    fn split(&mut self, at: usize, candidate: Candidate, sides: [Leaf; 2]) -> usize {
        let [left, right] = sides;
        let new = self.leaves.len();
        self.leaves[at] = left;
        self.leaves.push(right);
        let (left_node, right_node) = (self.nodes.len(), self.nodes.len() + 1);
        self.nodes.push(Growing::Leaf(at));
        self.nodes.push(Growing::Leaf(new));
        self.nodes[self.places[at]] = Growing::Split { candidate, left: left_node, right: right_node };
        self.places[at] = left_node;
        self.places.push(right_node);
        new
    }
}

/// Grows a tree; the rows, which rise, are left grouped by its leaves and rise within each.
pub(crate) fn grow(soil: &Soil<'_>, rows: &mut RowLists, reuse: &mut Reuse) -> Grown {
    let mut root = soil.root(rows);
    if soil.limits.symmetric {
        return symmetric::grow(soil, root, rows, reuse);
    }
    if soil.may_split(&root, 1) {
        root.best = soil.search(&root, &rows.train, reuse);
        if let (true, Some(best)) = (reuse.wants_unit(), &root.best) {
            reuse.set_unit(best.gain);
            root.best = soil.search(&root, &rows.train, reuse);
        }
    }
    let mut growth = Growth::new(root);
    // Without a limit the order of splits changes nothing: the newest leaf first keeps few histograms.
    let mut newest = (soil.limits.max_leaves == usize::MAX).then(|| vec![0usize]);
    let mut spares: Vec<Spare> = Vec::new();
    while growth.leaves.len() < soil.limits.max_leaves {
        // What a split costs may hang on those before it.
        let n_ahead = if reuse.is_on() { 1 } else { soil.threads.n() };
        let next = match &mut newest {
            Some(newest) => growth.newest(newest, n_ahead),
            None => growth.of_largest_gain(n_ahead.min(soil.limits.max_leaves - growth.leaves.len())),
        };
        let Some(&at) = next.first() else { break };
        if let Some(best) = &growth.leaves[at].best {
            reuse.mark(best.feature, soil.cell_of(best));
        }
        if growth.leaves[at].sides.is_none() {
            let n_leaves = growth.leaves.len() + 1;
            soil.part_all(&mut growth.leaves, &next, rows, &mut spares, n_leaves, reuse);
        }
        let leaf = &mut growth.leaves[at];
        let (Some(candidate), Some(sides)) = (leaf.best.take(), leaf.sides.take()) else { break };
        let new = growth.split(at, candidate, *sides);
        if let Some(newest) = &mut newest {
            newest.extend([at, new]);
        }
    }
    // Rows that were parted in vain: two rising runs.
    for leaf in growth.leaves.iter().filter(|leaf| leaf.sides.is_some()) {
        rows.train[leaf.grown.train.clone()].sort();
    }
    in_preorder(&growth.nodes, growth.leaves)
}

impl Growth {
    /// The leaf that gains most by a split and, if its sides are not known, up to `n - 1` next ones of those
    /// whose sides are not known either.
    fn of_largest_gain(&self, n: usize) -> Vec<usize> {
        let gain = |i: usize| self.leaves[i].best.as_ref().map_or(f64::NEG_INFINITY, |best| best.gain);
        let larger_first = |a: &usize, b: &usize| gain(*b).total_cmp(&gain(*a)).then(a.cmp(b));
        let leaves = (0..self.leaves.len()).filter(|&i| self.leaves[i].best.is_some());
        let Some(first) = leaves.clone().min_by(larger_first) else { return Vec::new() };
        if n == 1 || self.leaves[first].sides.is_some() {
            return vec![first];
        }
        let mut unknown: Vec<usize> = leaves.filter(|&i| self.leaves[i].sides.is_none()).collect();
        unknown.sort_unstable_by(larger_first);
        unknown.truncate(n);
        unknown
    }

    /// The newest leaf that gains by a split, taken from the list, and up to `n - 1` before it whose sides are
    /// not known.
    fn newest(&self, newest: &mut Vec<usize>, n: usize) -> Vec<usize> {
        newest.retain(|&i| self.leaves[i].best.is_some());
        let Some(at) = newest.pop() else { return Vec::new() };
        let before = newest.iter().rev().copied().filter(|&i| self.leaves[i].sides.is_none());
        std::iter::once(at).chain(before.take(n - 1)).collect()
    }
}

/// Numbers splits in preorder and leaves from left to right.
fn in_preorder(nodes: &[Growing], leaves: Vec<Leaf>) -> Grown {
    let mut splits: Vec<Split> = Vec::new();
    let mut order: Vec<usize> = Vec::with_capacity(leaves.len());
    let mut pending: Vec<(usize, Option<(usize, bool)>)> = vec![(0, None)];
    while let Some((node, place)) = pending.pop() {
        let child = match &nodes[node] {
            Growing::Leaf(leaf) => {
                order.push(*leaf);
                Child::Leaf(order.len() as u32 - 1)
            }
            Growing::Split { candidate, left, right } => {
                let at = splits.len();
                splits.push(Split {
                    feature: candidate.feature as u32,
                    test: candidate.test,
                    missing_left: candidate.missing_left,
                    left: Child::Leaf(0),
                    right: Child::Leaf(0),
                });
                pending.push((*right, Some((at, true))));
                pending.push((*left, Some((at, false))));
                Child::Split(at as u32)
            }
        };
        match place {
            Some((at, true)) => splits[at].right = child,
            Some((at, false)) => splits[at].left = child,
            None => {}
        }
    }
    let mut slots: Vec<Option<GrownLeaf>> = leaves.into_iter().map(|l| Some(l.grown)).collect();
    let leaves = order.into_iter().filter_map(|i| slots[i].take()).collect();
    Grown { splits, leaves }
}
