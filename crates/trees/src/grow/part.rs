//! A leaf becomes two: rows, sums, bounds and histograms.

use super::rows::LeafRows;
use super::{GrownLeaf, Leaf, RowLists};
use crate::constraint::Freedom;
use crate::histogram::{Cell, Histogram};
use crate::partition::{GoesLeft, partition};
use crate::sample::Reuse;
use crate::soil::Soil;
use crate::split::{Candidate, best_split};
use ir::forest::Test;

/// What one thread uses again for the next leaf.
#[derive(Default)]
pub(super) struct Spare {
    histograms: Vec<Histogram>,
    rows: Vec<u32>,
}

/// A leaf to be parted.
struct Task<'a> {
    leaf: &'a mut Leaf,
    rows: LeafRows<'a>,
    spare: &'a mut Spare,
}

/// The items of some places; what that costs does not hang on how many there are.
fn pick<'a, T>(items: &'a mut [T], places: &[usize]) -> Vec<&'a mut T> {
    let mut places = places.to_vec();
    places.sort_unstable();
    let (mut rest, mut first) = (items, 0);
    let mut picked = Vec::with_capacity(places.len());
    for place in places {
        let Some((item, behind)) = rest.split_at_mut(place - first).1.split_first_mut() else { break };
        picked.push(item);
        (rest, first) = (behind, place + 1);
    }
    picked
}

impl Soil<'_> {
    /// The leaf that all rows are in, with its histogram where it needs one.
    pub(super) fn root(&self, rows: &RowLists) -> Leaf {
        let mut root = Leaf {
            grown: GrownLeaf {
                totals: Vec::new(),
                extra_l2: 0.0,
                n_rows: self.weight(&rows.train),
                parent: Vec::new(),
                freedom: self.rules.constraints.root(),
                train: 0..rows.train.len(),
                others: 0..rows.others.len(),
            },
            histogram: Histogram::default(),
            depth: 0,
            best: None,
            sides: None,
        };
        if self.may_split(&root, 1) && self.is_dense(rows.train.len()) {
            root.histogram.build(self.codes, self.packed, self.columns, &rows.train, self.threads);
        }
        root.grown.totals = self.totals(&root.histogram, &rows.train);
        root
    }

    /// Sums over the rows of a leaf, one an output, from its histogram if it has one.
    fn totals(&self, histogram: &Histogram, rows: &[u32]) -> Vec<Cell> {
        let from_histogram = histogram.totals(self.codes, self.columns, self.packed.width);
        from_histogram.unwrap_or_else(|| self.packed.totals(rows))
    }

    /// The cell of a histogram that a threshold stands for; none for a set.
    pub(super) fn cell_of(&self, candidate: &Candidate) -> Option<usize> {
        match candidate.test {
            Test::Greater(t) => Some(self.codes.features()[candidate.feature].first_cell + usize::from(t)),
            Test::In(_) => None,
        }
    }

    /// False when no split of the leaf can satisfy the limits.
    pub(super) fn may_split(&self, leaf: &Leaf, n_leaves: usize) -> bool {
        n_leaves < self.limits.max_leaves
            && (self.limits.max_depth == 0 || leaf.depth < self.limits.max_depth)
            && leaf.grown.n_rows >= 2.0 * self.rules.min_leaf_rows
            && leaf.grown.train.len() >= 2
    }

    /// The best split of a leaf; `rows` are its own.
    pub(super) fn search(&self, leaf: &Leaf, rows: &[u32], reuse: &Reuse) -> Option<Candidate> {
        best_split(self, &leaf.view(rows, self.columns.key()), reuse)
    }

    /// Finds the sides of the leaves `chosen` by their best splits, side by side on all threads, with what they
    /// need in a tree of `n_leaves`.
    pub(super) fn part_all(
        &self,
        leaves: &mut [Leaf],
        chosen: &[usize],
        rows: &mut RowLists,
        spares: &mut Vec<Spare>,
        n_leaves: usize,
        reuse: &Reuse,
    ) {
        let mut chosen = pick(leaves, chosen);
        // From left to right, empty leaves before those that begin where they stand.
        chosen.sort_by_key(|leaf| {
            let GrownLeaf { train, others, .. } = &leaf.grown;
            (train.start, train.end, others.start, others.end)
        });
        spares.resize_with(spares.len().max(chosen.len()), Spare::default);
        let place = |leaf: &&mut Leaf| [leaf.grown.train.clone(), leaf.grown.others.clone()];
        let rows = rows.of_leaves(&chosen.iter().map(place).collect::<Vec<_>>());
        let tasks = chosen.into_iter().zip(rows).zip(spares);
        let mut tasks: Vec<Task<'_>> =
            tasks.map(|((leaf, rows), spare)| Task { leaf, rows, spare }).collect();
        self.threads.each(&mut tasks, |_, Task { leaf, rows, spare }| {
            let Some(candidate) = leaf.best.clone() else { return };
            let mut sides = self.part(leaf, &candidate, rows, spare, n_leaves);
            let n_left = sides[0].grown.train.len();
            // A level is searched as one.
            if !self.limits.symmetric {
                let (left_rows, right_rows) = rows.train.split_at(n_left);
                let best = |side: &Leaf, rows: &[u32]| {
                    self.may_split(side, n_leaves).then(|| self.search(side, rows, reuse))?
                };
                let [left, right] = &mut sides;
                (left.best, right.best) =
                    self.threads.join(|| best(left, left_rows), || best(right, right_rows));
                // A leaf that can never be split needs its histogram no more.
                let done = [left, right].into_iter().filter(|side| side.best.is_none());
                spare.histograms.extend(done.filter_map(Leaf::take_histogram));
            }
            leaf.sides = Some(Box::new(sides));
        });
    }

    /// The sides of a leaf, whose histogram is spent; both have the histograms that they need in a tree of
    /// `n_leaves`.
    fn part(
        &self,
        leaf: &mut Leaf,
        candidate: &Candidate,
        rows: &mut LeafRows<'_>,
        spare: &mut Spare,
        n_leaves: usize,
    ) -> [Leaf; 2] {
        let feature = candidate.feature;
        // Smoothing asks for them, and an empty side takes them.
        let parent_values = if self.rules.path_smoothing > 0.0 || self.limits.symmetric {
            self.rules.leaf_values(self.packed, &leaf.grown)
        } else {
            Vec::new()
        };
        let n_codes = self.codes.features()[feature].n_codes;
        let goes_left = GoesLeft::new(candidate, n_codes);
        let codes = self.codes.of_feature(feature);
        let is_left = |row: u32| goes_left.table[usize::from(codes(row))];
        let n_left = partition(rows.train, &mut spare.rows, self.threads, is_left);
        let n_left_others = partition(rows.others, &mut spare.rows, self.threads, is_left);
        let (left_rows, right_rows) = rows.train.split_at(n_left);
        let middle = leaf.grown.train.start + n_left;
        let middle_other = leaf.grown.others.start + n_left_others;
        let freedom = leaf.grown.freedom.after(&self.rules.constraints, feature);
        let side = |rows: &[u32], train, others| Leaf {
            grown: GrownLeaf {
                totals: Vec::new(),
                extra_l2: candidate.extra_l2,
                n_rows: self.weight(rows),
                parent: parent_values.clone(),
                freedom: freedom.clone(),
                train,
                others,
            },
            histogram: Histogram::default(),
            depth: leaf.depth + 1,
            best: None,
            sides: None,
        };
        let mut left = side(left_rows, leaf.grown.train.start..middle, leaf.grown.others.start..middle_other);
        let mut right = side(right_rows, middle..leaf.grown.train.end, middle_other..leaf.grown.others.end);

        let left_is_smaller = left_rows.len() <= right_rows.len();
        let (small, large) = if left_is_smaller { (&mut left, &mut right) } else { (&mut right, &mut left) };
        let small_rows = if left_is_smaller { left_rows } else { right_rows };
        let mut parent = std::mem::take(&mut leaf.histogram);
        let (small_may, large_may) = (self.may_split(small, n_leaves), self.may_split(large, n_leaves));
        let dense = !parent.cells.is_empty() && self.is_dense(large.grown.train.len());
        if dense && (small_may || large_may) {
            small.histogram = spare.histograms.pop().unwrap_or_default();
            small.histogram.build(self.codes, self.packed, self.columns, small_rows, self.threads);
        }
        small.grown.totals = self.totals(&small.histogram, small_rows);
        let pairs = leaf.grown.totals.iter().zip(&small.grown.totals);
        large.grown.totals = pairs.map(|(p, s)| [p[0] - s[0], p[1] - s[1]]).collect();
        if dense && large_may {
            parent.subtract(&small.histogram);
            large.histogram = std::mem::take(&mut parent);
        }
        if !small_may {
            spare.histograms.extend(small.take_histogram());
        }
        if !parent.cells.is_empty() {
            spare.histograms.push(parent);
        }
        let direction = self.rules.constraints.direction(feature);
        if direction != 0 {
            let value = |leaf: &Leaf| self.rules.leaf_values(self.packed, &leaf.grown)[0];
            let values = [value(&left), value(&right)];
            Freedom::part(&mut left.grown.freedom, &mut right.grown.freedom, direction, values);
        }
        [left, right]
    }
}
