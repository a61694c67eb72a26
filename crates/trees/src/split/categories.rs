//! Sets of categories that part a leaf.

use super::{Candidate, Search, add};
use crate::direct::FeatureCells;
use crate::histogram::Cell;
use ir::forest::{CodeSet, Test};

impl<const W: usize> Search<'_, W> {
    /// The best set of categories.
    pub(super) fn categories(&self, cells: FeatureCells<'_>) -> Option<Candidate> {
        let parent = self.score(self.leaf.totals, self.rules.l2);
        let mut best: Option<(f64, Vec<usize>, f64)> = None;
        let mut side = vec![[0i64; 2]; self.width()];
        self.each_set(cells, |sums, set, extra_l2| {
            side.copy_from_slice(sums);
            let Some(score) = self.two_sides(&mut side, self.rules.l2 + extra_l2, 0) else { return };
            if best.as_ref().is_none_or(|(gain, ..)| score - parent > *gain) {
                best = Some((score - parent, set.to_vec(), extra_l2));
            }
        });
        let (gain, set, extra_l2) = best?;
        Some(self.set_candidate(gain, &set, cells, extra_l2))
    }

    /// Sets of categories that may part the leaf: their sums, their places in `cells`, and what is added
    /// to `l2` for them; missing takes part as one more category. Few categories are tried one by one, many
    /// in the order of their mean gradients, from both ends.
    pub(super) fn each_set(&self, cells: FeatureCells<'_>, mut visit: impl FnMut(&[Cell], &[usize], f64)) {
        let width = self.width();
        let n_cells = cells.sums.len() / width;
        let cell = |c: usize| &cells.sums[c * width..(c + 1) * width];
        let present: Vec<usize> = (0..n_cells).filter(|&c| cell(c).iter().any(|s| *s != [0; 2])).collect();
        if present.len() < 2 {
            return;
        }
        if present.len() <= self.rules.max_one_vs_rest {
            present.iter().for_each(|&c| visit(cell(c), &[c], 0.0));
            return;
        }
        let rows = |sums: &[Cell]| sums.iter().map(|s| s[1]).sum::<i64>() as f64 * self.rows_per_h;
        let mut order: Vec<usize> =
            present.iter().copied().filter(|&c| rows(cell(c)) >= self.rules.cat_smooth).collect();
        let most = self.rules.max_cat_set.min(order.len().div_ceil(2));
        let mut left = vec![[0i64; 2]; width];
        for k in self.leading_outputs() {
            let mean = |c: usize| {
                let sum = cell(c)[k];
                let h = sum[1] as f64 * self.packed.h_step[k] + self.rules.cat_smooth;
                sum[0] as f64 * self.packed.g_step[k] / h
            };
            order.sort_by(|&a, &b| mean(a).total_cmp(&mean(b)).then(a.cmp(&b)));
            for from_end in [false, true] {
                left.fill([0; 2]);
                let mut in_group = 0.0;
                for n in 0..most {
                    let c = if from_end { order[order.len() - 1 - n] } else { order[n] };
                    add(&mut left, cell(c));
                    in_group += rows(cell(c));
                    let here = rows(&left);
                    if in_group < self.rules.min_cat_rows || self.leaf.n_rows - here < self.rules.min_cat_rows
                    {
                        continue;
                    }
                    in_group = 0.0;
                    let set = if from_end { &order[order.len() - 1 - n..] } else { &order[..=n] };
                    visit(&left, set, self.rules.cat_l2);
                }
            }
        }
    }

    /// Outputs whose mean gradient orders the categories: the one, or the three of largest |G|.
    fn leading_outputs(&self) -> Vec<usize> {
        let mut outputs: Vec<usize> = (0..self.width()).collect();
        let size = |k: usize| self.leaf.totals[k][1] as f64 * self.packed.h_step[k];
        outputs.sort_by(|&a, &b| size(b).total_cmp(&size(a)).then(a.cmp(&b)));
        outputs.truncate(3);
        outputs
    }

    pub(super) fn set_candidate(
        &self,
        gain: f64,
        set: &[usize],
        cells: FeatureCells<'_>,
        extra_l2: f64,
    ) -> Candidate {
        let missing = cells.sums.len() / self.width() - 1;
        let mut codes = CodeSet::default();
        let mut missing_left = true;
        for &c in set {
            if c == missing {
                missing_left = false;
            } else {
                codes.insert(cells.code(c));
            }
        }
        Candidate { gain, feature: 0, test: Test::In(codes), missing_left, extra_l2 }
    }
}
