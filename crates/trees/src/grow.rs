//! Growing one tree, leaf by leaf, the leaf of largest gain first, or level by level.
//!
//! Rows outside the training part travel through the partition with the others, so that their
//! scores are known without a predictor; they take part in nothing else.

mod part;
mod symmetric;

use crate::constraint::Freedom;
use crate::histogram::{Cell, Histogram};
use crate::sample::Reuse;
use crate::soil::Soil;
use crate::split::{Candidate, LeafView, best_split};
use ir::digest::mix;
use ir::forest::{Child, Split};
use std::ops::Range;

/// The rows of the training part and those that only travel along, each grouped by leaf.
pub(crate) struct RowLists {
    pub(crate) train: Vec<u32>,
    pub(crate) others: Vec<u32>,
    spare: Vec<u32>,
}

impl RowLists {
    pub(crate) fn new(train: Vec<u32>, others: Vec<u32>) -> RowLists {
        RowLists { train, others, spare: Vec::new() }
    }
}

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
}

impl Leaf {
    /// As a search sees it; `train` are the rows of the whole tree, `key` is the seed of its splits.
    fn view<'a>(&'a self, train: &'a [u32], key: u64) -> LeafView<'a> {
        let GrownLeaf { totals, n_rows, freedom, train: range, .. } = &self.grown;
        // No two leaves of a tree share both ends and the depth.
        let place = (range.start as u64) << 32 ^ (range.end as u64) << 8 ^ self.depth as u64;
        LeafView {
            histogram: &self.histogram,
            rows: &train[range.clone()],
            totals,
            freedom,
            n_rows: *n_rows,
            key: mix(place ^ key),
        }
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

    /// The leaf `at` was split and became its left child; gives the number of the right one.
    fn push(&mut self, at: usize, candidate: Candidate, right: Leaf) -> usize {
        let new = self.leaves.len();
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

/// Grows a tree; the rows are left grouped by its leaves.
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
    let any_order = soil.limits.max_leaves == usize::MAX;
    let mut newest = vec![0usize];
    let mut spare: Vec<Histogram> = Vec::new();
    while growth.leaves.len() < soil.limits.max_leaves {
        let mut chosen: Option<(usize, f64)> = None;
        while any_order && chosen.is_none() {
            let Some(i) = newest.pop() else { break };
            chosen = growth.leaves[i].best.as_ref().map(|best| (i, best.gain));
        }
        for (i, leaf) in growth.leaves.iter().enumerate().filter(|_| !any_order) {
            if let Some(best) = &leaf.best
                && chosen.is_none_or(|(_, gain)| best.gain > gain)
            {
                chosen = Some((i, best.gain));
            }
        }
        let Some((at, _)) = chosen else { break };
        let leaf = &mut growth.leaves[at];
        let Some(candidate) = leaf.best.take() else { break };
        let n_leaves = growth.places.len() + 1;
        let mut right = soil.part(leaf, &candidate, rows, &mut spare, n_leaves, reuse);
        for leaf in [&mut *leaf, &mut right] {
            if soil.may_split(leaf, n_leaves) {
                leaf.best = soil.search(leaf, &rows.train, reuse);
            }
            // A leaf that can never be split needs its histogram no more.
            if leaf.best.is_none() {
                spare.extend(leaf.take_histogram());
            }
        }
        let new = growth.push(at, candidate, right);
        if any_order {
            newest.extend([at, new]);
        }
    }
    in_preorder(&growth.nodes, growth.leaves)
}

impl Soil<'_> {
    /// False when no split of the leaf can satisfy the limits.
    fn may_split(&self, leaf: &Leaf, n_leaves: usize) -> bool {
        n_leaves < self.limits.max_leaves
            && (self.limits.max_depth == 0 || leaf.depth < self.limits.max_depth)
            && leaf.grown.n_rows >= 2.0 * self.rules.min_leaf_rows
            && leaf.grown.train.len() >= 2
    }

    /// The best split of a leaf; `train` are the rows of the whole tree.
    fn search(&self, leaf: &Leaf, train: &[u32], reuse: &Reuse) -> Option<Candidate> {
        best_split(self, &leaf.view(train, self.columns.key()), reuse)
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
