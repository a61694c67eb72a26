//! Growing one tree, leaf by leaf, the leaf of largest gain first.
//!
//! Rows outside the training part travel through the partition with the others, so that their
//! scores are known without a predictor; they take part in nothing else.

use crate::histogram::{Cell, Histogram};
use crate::matrix::CodeMatrix;
use crate::packed::Packed;
use crate::sample::{Columns, Reuse};
use crate::split::{Candidate, LeafView, SplitRules, best_split};
use ir::digest::mix;
use ir::forest::{Child, Split, Test};
use jobs::Threads;
use std::ops::Range;

/// Shape limits of a tree.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) max_leaves: usize,
    /// 0 means no limit.
    pub(crate) max_depth: usize,
}

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
    /// Values of the leaf that was split, where smoothing asks for them.
    pub(crate) parent: Vec<f64>,
    pub(crate) train: Range<usize>,
    pub(crate) others: Range<usize>,
}

/// A grown tree in the matrix's codes; splits and leaves in preorder.
pub(crate) struct Grown {
    pub(crate) splits: Vec<Split>,
    pub(crate) leaves: Vec<GrownLeaf>,
}

/// What a tree is grown from.
pub(crate) struct Soil<'a> {
    pub(crate) codes: &'a CodeMatrix,
    pub(crate) packed: &'a Packed,
    /// Weight of each row; `None` when all weigh 1.
    pub(crate) weights: Option<&'a [f32]>,
    pub(crate) rules: &'a SplitRules,
    pub(crate) limits: &'a Limits,
    pub(crate) columns: &'a Columns,
    pub(crate) threads: &'a Threads,
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
            train: 0..rows.train.len(),
            others: 0..rows.others.len(),
        },
        histogram: Histogram::default(),
        depth: 0,
        best: None,
    };
    if soil.may_split(&root, 1) {
        root.histogram.build(soil.codes, soil.packed, soil.columns, &rows.train, soil.threads);
        root.best = soil.search(&root, reuse);
        if let (true, Some(best)) = (reuse.wants_unit(), &root.best) {
            reuse.set_unit(best.gain);
            root.best = soil.search(&root, reuse);
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
    /// Weight of rows; exact for whole weights.
    fn weight(&self, rows: &[u32]) -> f64 {
        match self.weights {
            None => rows.len() as f64,
            Some(weights) => rows.iter().map(|&r| f64::from(weights[r as usize])).sum(),
        }
    }

    /// False when no split of the leaf can satisfy the limits.
    fn may_split(&self, leaf: &Leaf, n_leaves: usize) -> bool {
        n_leaves < self.limits.max_leaves
            && (self.limits.max_depth == 0 || leaf.depth < self.limits.max_depth)
            && leaf.grown.n_rows >= 2.0 * self.rules.min_leaf_rows
            && leaf.grown.train.len() >= 2
    }

    fn search(&self, leaf: &Leaf, reuse: &Reuse) -> Option<Candidate> {
        let GrownLeaf { totals, n_rows, train, .. } = &leaf.grown;
        // No two leaves of a tree share both ends and the depth.
        let place = (train.start as u64) << 32 ^ (train.end as u64) << 8 ^ leaf.depth as u64;
        let key = mix(place ^ self.columns.key());
        let view = LeafView { histogram: &leaf.histogram, totals, n_rows: *n_rows, key };
        best_split(self.codes, self.packed, &view, self.rules, self.columns, reuse, self.threads)
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
            let GrownLeaf { totals, extra_l2, n_rows, parent, .. } = &leaf.grown;
            self.rules.leaf_values(self.packed, totals, *extra_l2, *n_rows, parent)
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
        leaf.depth += 1;
        leaf.grown.n_rows = self.weight(&train[leaf.grown.train.clone()]);
        right.grown.n_rows = self.weight(&train[right.grown.train.clone()]);

        let left_is_smaller = leaf.grown.train.len() <= right.grown.train.len();
        let (small, large) = if left_is_smaller { (leaf, &mut right) } else { (&mut right, leaf) };
        let small_rows = &train[small.grown.train.clone()];
        small.grown.totals = totals(self.packed, small_rows);
        let pairs = parent_totals.iter().zip(&small.grown.totals);
        large.grown.totals = pairs.map(|(p, s)| [p[0] - s[0], p[1] - s[1]]).collect();
        let (small_may, large_may) = (self.may_split(small, n_leaves), self.may_split(large, n_leaves));
        if small_may || large_may {
            small.histogram = spare.pop().unwrap_or_default();
            small.histogram.build(self.codes, self.packed, self.columns, small_rows, self.threads);
        }
        if large_may {
            large.histogram = spare.pop().unwrap_or_default();
            large.histogram.subtract(&parent, &small.histogram);
            large.best = self.search(large, reuse);
        }
        if small_may {
            small.best = self.search(small, reuse);
        }
        // A leaf that can never be split needs its histogram no more.
        for leaf in [small, large] {
            if leaf.best.is_none() && !leaf.histogram.cells.is_empty() {
                spare.push(std::mem::take(&mut leaf.histogram));
            }
        }
        spare.push(parent);
        right
    }
}

/// Where each code goes.
struct GoesLeft {
    table: [bool; 256],
}

impl GoesLeft {
    fn new(candidate: &Candidate, n_codes: u16) -> GoesLeft {
        let mut table = [candidate.missing_left; 256];
        for code in 0..n_codes {
            let code = code as u8;
            table[usize::from(code)] = match candidate.test {
                Test::Greater(t) => code <= t,
                Test::In(set) => !set.contains(code),
            };
        }
        GoesLeft { table }
    }
}

/// Rows below which one thread partitions alone.
const PARALLEL_ROWS: usize = 1 << 15;

/// Stable partition: rows that go left first, both in their old order; gives how many go left.
fn partition(
    rows: &mut [u32],
    buffer: &mut Vec<u32>,
    threads: &Threads,
    is_left: impl Fn(u32) -> bool + Sync + Send,
) -> usize {
    let n = rows.len();
    if n < PARALLEL_ROWS || threads.n() == 1 {
        buffer.resize(buffer.len().max(n), 0);
        return partition_into(rows, &mut buffer[..n], &is_left);
    }
    let parts: Vec<(Vec<u32>, usize)> = {
        let len = n.div_ceil(threads.n());
        let rows = &*rows;
        threads.map(n.div_ceil(len), |i| {
            let mut part = rows[i * len..n.min((i + 1) * len)].to_vec();
            let mut buffer = vec![0; part.len()];
            let n_left = partition_into(&mut part, &mut buffer, &is_left);
            (part, n_left)
        })
    };
    let n_left: usize = parts.iter().map(|p| p.1).sum();
    let (mut left, mut right) = (0, n_left);
    for (part, here) in &parts {
        rows[left..left + here].copy_from_slice(&part[..*here]);
        rows[right..right + part.len() - here].copy_from_slice(&part[*here..]);
        left += here;
        right += part.len() - here;
    }
    n_left
}

fn partition_into(rows: &mut [u32], buffer: &mut [u32], is_left: &impl Fn(u32) -> bool) -> usize {
    let (mut left, mut right) = (0, 0);
    for i in 0..rows.len() {
        let row = rows[i];
        // Both writes happen, only one cursor moves: no branch to mispredict.
        rows[left] = row;
        buffer[right] = row;
        let to_left = usize::from(is_left(row));
        left += to_left;
        right += 1 - to_left;
    }
    rows[left..].copy_from_slice(&buffer[..right]);
    left
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
