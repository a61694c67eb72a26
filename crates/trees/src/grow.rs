//! Growing one tree, leaf by leaf, the leaf of largest gain first.
//!
//! Rows outside the training part travel through the partition with the others, so that their
//! scores are known without a predictor; they take part in nothing else.

use crate::constraint::Freedom;
use crate::histogram::{Cell, Histogram};
use crate::packed::Packed;
use crate::partition::{GoesLeft, partition};
use crate::sample::Reuse;
use crate::soil::Soil;
use crate::split::{Candidate, LeafView, best_split};
use ir::digest::mix;
use ir::forest::{Child, Split, Test};
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
    /// Values of the leaf that was split, where smoothing asks for them; empty for the root.
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

/// A node of the growing tree: a leaf by its number, or a split with its children.
#[derive(Clone)]
enum Growing {
    Leaf(usize),
    Split { candidate: Candidate, left: usize, right: usize },
}

/// Grows a tree; the rows are left grouped by its leaves.
pub(crate) fn grow(soil: &Soil<'_>, rows: &mut RowLists, reuse: &mut Reuse) -> Grown {
    let mut root = Leaf {
        grown: GrownLeaf {
            totals: totals(soil.packed, &rows.train),
            extra_l2: 0.0,
            n_rows: soil.weight(&rows.train),
            parent: Vec::new(),
            freedom: soil.rules.constraints.root(),
            train: 0..rows.train.len(),
            others: 0..rows.others.len(),
        },
        histogram: Histogram::default(),
        depth: 0,
        best: None,
    };
    if soil.may_split(&root, 1) {
        if soil.is_dense(rows.train.len()) {
            root.histogram.build(soil.codes, soil.packed, soil.columns, &rows.train, soil.threads);
        }
        root.best = soil.search(&root, &rows.train, reuse);
        if let (true, Some(best)) = (reuse.wants_unit(), &root.best) {
            reuse.set_unit(best.gain);
            root.best = soil.search(&root, &rows.train, reuse);
        }
    }
    let mut leaves = vec![root];
    let mut nodes = vec![Growing::Leaf(0)];
    // The node that each leaf is.
    let mut places = vec![0usize];
    // Without a limit the order of splits changes nothing: the newest leaf first keeps few histograms.
    let any_order = soil.limits.max_leaves == usize::MAX;
    let mut newest = vec![0usize];
    let mut spare: Vec<Histogram> = Vec::new();
    while leaves.len() < soil.limits.max_leaves {
        let mut chosen: Option<(usize, f64)> = None;
        while any_order && chosen.is_none() {
            let Some(i) = newest.pop() else { break };
            chosen = leaves[i].best.as_ref().map(|best| (i, best.gain));
        }
        for (i, leaf) in leaves.iter().enumerate().filter(|_| !any_order) {
            if let Some(best) = &leaf.best
                && chosen.is_none_or(|(_, gain)| best.gain > gain)
            {
                chosen = Some((i, best.gain));
            }
        }
        let Some((at, _)) = chosen else { break };
        let Some(candidate) = leaves[at].best.take() else { break };
        let n_leaves = leaves.len() + 1;
        let right = soil.split(&mut leaves[at], &candidate, rows, &mut spare, n_leaves, reuse);
        let new = leaves.len();
        if any_order {
            newest.extend([at, new]);
        }
        leaves.push(right);
        let (left_node, right_node) = (nodes.len(), nodes.len() + 1);
        nodes.push(Growing::Leaf(at));
        nodes.push(Growing::Leaf(new));
        nodes[places[at]] = Growing::Split { candidate, left: left_node, right: right_node };
        places[at] = left_node;
        places.push(right_node);
    }
    in_preorder(&nodes, leaves)
}

/// Sums over rows, one an output.
fn totals(packed: &Packed, rows: &[u32]) -> Vec<Cell> {
    let width = packed.width;
    let mut totals = vec![[0i64; 2]; width];
    for &row in rows {
        for (total, &word) in totals.iter_mut().zip(&packed.words[row as usize * width..][..width]) {
            let [g, h] = crate::packed::unpack(word);
            *total = [total[0] + g, total[1] + h];
        }
    }
    totals
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
        let GrownLeaf { totals, n_rows, freedom, train: range, .. } = &leaf.grown;
        // No two leaves of a tree share both ends and the depth.
        let place = (range.start as u64) << 32 ^ (range.end as u64) << 8 ^ leaf.depth as u64;
        let key = mix(place ^ self.columns.key());
        let rows = &train[range.clone()];
        let view = LeafView { histogram: &leaf.histogram, rows, totals, freedom, n_rows: *n_rows, key };
        best_split(self, &view, reuse)
    }

    /// Splits a leaf: it becomes its left child, the right one is returned.
    fn split(
        &self,
        leaf: &mut Leaf,
        candidate: &Candidate,
        rows: &mut RowLists,
        spare: &mut Vec<Histogram>,
        n_leaves: usize,
        reuse: &mut Reuse,
    ) -> Leaf {
        let feature = candidate.feature;
        let threshold = match candidate.test {
            Test::Greater(t) => Some(self.codes.features()[feature].first_cell + usize::from(t)),
            Test::In(_) => None,
        };
        reuse.mark(feature, threshold);
        let parent_values = if self.rules.path_smoothing > 0.0 {
            self.rules.leaf_values(self.packed, &leaf.grown)
        } else {
            Vec::new()
        };
        let n_codes = self.codes.features()[feature].n_codes;
        let goes_left = GoesLeft::new(candidate, n_codes);
        let codes = self.codes;
        let is_left = |row: u32| goes_left.table[usize::from(codes.code(feature, row))];
        let RowLists { train, others, spare: buffer } = rows;
        let n_left = partition(&mut train[leaf.grown.train.clone()], buffer, self.threads, is_left);
        let n_left_others = partition(&mut others[leaf.grown.others.clone()], buffer, self.threads, is_left);
        let (train_range, others_range) = (leaf.grown.train.clone(), leaf.grown.others.clone());
        let middle = train_range.start + n_left;
        let middle_others = others_range.start + n_left_others;
        let mut right = Leaf {
            grown: GrownLeaf {
                totals: Vec::new(),
                extra_l2: candidate.extra_l2,
                n_rows: 0.0,
                parent: parent_values.clone(),
                freedom: leaf.grown.freedom.after(&self.rules.constraints, feature),
                train: middle..train_range.end,
                others: middle_others..others_range.end,
            },
            histogram: Histogram::default(),
            depth: leaf.depth + 1,
            best: None,
        };
        let parent = std::mem::take(&mut leaf.histogram);
        let parent_totals = std::mem::take(&mut leaf.grown.totals);
        leaf.grown.train = train_range.start..middle;
        leaf.grown.others = others_range.start..middle_others;
        leaf.grown.extra_l2 = candidate.extra_l2;
        leaf.grown.parent = parent_values;
        leaf.grown.freedom = right.grown.freedom.clone();
        leaf.depth += 1;
        leaf.grown.n_rows = self.weight(&train[leaf.grown.train.clone()]);
        right.grown.n_rows = self.weight(&train[right.grown.train.clone()]);

        let left_is_smaller = leaf.grown.train.len() <= right.grown.train.len();
        let (small, large) = if left_is_smaller { (leaf, &mut right) } else { (&mut right, leaf) };
        let small_rows = &train[small.grown.train.clone()];
        small.grown.totals = totals(self.packed, small_rows);
        let pairs = parent_totals.iter().zip(&small.grown.totals);
        large.grown.totals = pairs.map(|(p, s)| [p[0] - s[0], p[1] - s[1]]).collect();
        let direction = self.rules.constraints.direction(feature);
        if direction != 0 {
            let (left, right) =
                if left_is_smaller { (&mut *small, &mut *large) } else { (&mut *large, &mut *small) };
            let value = |leaf: &Leaf| self.rules.leaf_values(self.packed, &leaf.grown)[0];
            let values = [value(left), value(right)];
            Freedom::part(&mut left.grown.freedom, &mut right.grown.freedom, direction, values);
        }
        let (small_may, large_may) = (self.may_split(small, n_leaves), self.may_split(large, n_leaves));
        let dense = !parent.cells.is_empty() && self.is_dense(large.grown.train.len());
        if dense && (small_may || large_may) {
            small.histogram = spare.pop().unwrap_or_default();
            small.histogram.build(self.codes, self.packed, self.columns, small_rows, self.threads);
        }
        if large_may {
            if dense {
                large.histogram = spare.pop().unwrap_or_default();
                large.histogram.subtract(&parent, &small.histogram);
            }
            large.best = self.search(large, train, reuse);
        }
        if small_may {
            small.best = self.search(small, train, reuse);
        }
        // A leaf that can never be split needs its histogram no more.
        for leaf in [small, large] {
            if leaf.best.is_none() && !leaf.histogram.cells.is_empty() {
                spare.push(std::mem::take(&mut leaf.histogram));
            }
        }
        if !parent.cells.is_empty() {
            spare.push(parent);
        }
        right
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
