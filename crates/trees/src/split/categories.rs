//! Sets of categories that part a leaf.

use super::{Candidate, Search, add};
use crate::direct::FeatureCells;
use crate::histogram::Cell;
use ir::forest::{CodeSet, Test};

impl<const W: usize> Search<'_, W> {
    /// Sets of categories; missing takes part as one more category.
    pub(super) fn categories(&self, cells: FeatureCells<'_>) -> Option<Candidate> {
        let width = self.width();
        let n_cells = cells.sums.len() / width;
        let cell = |c: usize| &cells.sums[c * width..(c + 1) * width];
        let present: Vec<usize> = (0..n_cells).filter(|&c| cell(c).iter().any(|s| *s != [0; 2])).collect();
        if present.len() < 2 {
            return None;
        }
        let mut best: Option<(f64, Vec<usize>)> = None;
        let mut side = vec![[0i64; 2]; width];
        if present.len() <= self.rules.max_one_vs_rest {
            let parent = self.score(self.leaf.totals, self.rules.l2);
            for &c in &present {
                side.copy_from_slice(cell(c));
                let Some(score) = self.two_sides(&mut side, self.rules.l2, 0) else { continue };
                if best.as_ref().is_none_or(|(g, _)| score - parent > *g) {
                    best = Some((score - parent, vec![c]));
                }
            }
            let (gain, set) = best?;
            return Some(self.set_candidate(gain, &set, cells, 0.0));
        }

        let l2 = self.rules.l2 + self.rules.cat_l2;
        let parent = self.score(self.leaf.totals, self.rules.l2);
        let rows = |sums: &[Cell]| sums.iter().map(|s| s[1]).sum::<i64>() as f64 * self.rows_per_h;
        let mut order: Vec<usize> =
            present.iter().copied().filter(|&c| rows(cell(c)) >= self.rules.cat_smooth).collect();
        let most = self.rules.max_cat_set.min(order.len().div_ceil(2));
        for k in self.leading_outputs() {
            let mean = |c: usize| {
                let sum = cell(c)[k];
                let h = sum[1] as f64 * self.packed.h_step[k] + self.rules.cat_smooth;
                sum[0] as f64 * self.packed.g_step[k] / h
            };
            order.sort_by(|&a, &b| mean(a).total_cmp(&mean(b)).then(a.cmp(&b)));
            for from_end in [false, true] {
                let mut left = vec![[0i64; 2]; width];
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
                    side.copy_from_slice(&left);
                    let Some(score) = self.two_sides(&mut side, l2, 0) else { continue };
                    if best.as_ref().is_none_or(|(g, _)| score - parent > *g) {
                        let set = if from_end { &order[order.len() - 1 - n..] } else { &order[..=n] };
                        best = Some((score - parent, set.to_vec()));
                    }
                }
            }
        }
        let (gain, set) = best?;
        Some(self.set_candidate(gain, &set, cells, self.rules.cat_l2))
    }

    /// Outputs whose mean gradient orders the categories: the one, or the three of largest |G|.
    fn leading_outputs(&self) -> Vec<usize> {
        let mut outputs: Vec<usize> = (0..self.width()).collect();
        let size = |k: usize| self.leaf.totals[k][1] as f64 * self.packed.h_step[k];
        outputs.sort_by(|&a, &b| size(b).total_cmp(&size(a)).then(a.cmp(&b)));
        outputs.truncate(3);
        outputs
    }

    fn set_candidate(&self, gain: f64, set: &[usize], cells: FeatureCells<'_>, extra_l2: f64) -> Candidate {
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
