//! A leaf becomes two: rows, sums, bounds and histograms.

use super::{GrownLeaf, Leaf, RowLists};
use crate::constraint::Freedom;
use crate::histogram::Histogram;
use crate::partition::{GoesLeft, partition};
use crate::sample::Reuse;
use crate::soil::Soil;
use crate::split::Candidate;
use ir::forest::Test;

impl Soil<'_> {
    /// The leaf that all rows are in, with its histogram where it needs one.
    pub(super) fn root(&self, rows: &RowLists) -> Leaf {
        let mut root = Leaf {
            grown: GrownLeaf {
                totals: self.packed.totals(&rows.train),
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
        };
        if self.may_split(&root, 1) && self.is_dense(rows.train.len()) {
            root.histogram.build(self.codes, self.packed, self.columns, &rows.train, self.threads);
        }
        root
    }

    /// Parts a leaf: it becomes its left child, the right one is returned. Both have the histograms that
    /// they need in a tree of `n_leaves`.
    pub(super) fn part(
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
        // Smoothing asks for them, and an empty side takes them.
        let parent_values = if self.rules.path_smoothing > 0.0 || self.limits.symmetric {
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
        small.grown.totals = self.packed.totals(small_rows);
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
        if dense && large_may {
            large.histogram = spare.pop().unwrap_or_default();
            large.histogram.subtract(&parent, &small.histogram);
        }
        if !small_may {
            spare.extend(small.take_histogram());
        }
        if !parent.cells.is_empty() {
            spare.push(parent);
        }
        right
    }
}
