//! A threshold at random, straight from the rows of a leaf.
//!
//! One threshold needs the sums of its left side and of missing values, not those of every code: two looks at the rows,
//! one for the codes that they lie between, one for the sums. The split is that of [`Search::ordered`] on a histogram.

use super::{Candidate, Search};
use crate::histogram::Cell;
use crate::matrix::CodeMatrix;
use crate::packed::{BLOCK, Words, unpack};
use ir::forest::Test;

/// Packed sums of both sides of a block, used again for the next feature.
#[derive(Default)]
pub(crate) struct DrawnSums {
    /// `[2, width]`: left of the threshold, missing.
    packed: Vec<i64>,
    exact: Vec<Cell>,
    side: Vec<Cell>,
}

impl<const W: usize> Search<'_, W> {
    /// The split of a column of ordered codes at a threshold at random, over the leaf's rows.
    /// Cost: `O(rows * width)`, whatever the number of codes.
    pub(super) fn drawn(&self, codes: &CodeMatrix, idx: usize, sums: &mut DrawnSums) -> Option<Candidate> {
        let Words::Packed(words) = &self.packed.words else { return None };
        let feature = codes.features()[idx];
        let (missing, code, rows) = (feature.n_codes as u8, codes.of_feature(idx), self.leaf.rows);
        let (mut low, mut high, mut any_missing) = (u8::MAX, 0, false);
        for &row in rows {
            let code = code(row);
            if code == missing {
                any_missing = true;
            } else {
                (low, high) = (low.min(code), high.max(code));
            }
        }
        if low > high || low == high && !any_missing {
            return None;
        }
        let ends = [low, high].map(usize::from);
        let most = self.most_at_random(feature, ends, any_missing) as u8;
        let width = self.width();
        let DrawnSums { packed, exact, side } = sums;
        exact.clear();
        exact.resize(2 * width, [0; 2]);
        let mut threshold = low;
        for rows in rows.chunks(BLOCK) {
            packed.clear();
            packed.resize(2 * width, 0);
            for &row in rows {
                let code = code(row);
                if code == missing || code <= most {
                    let at = if code == missing { width } else { 0 };
                    threshold = threshold.max(if code == missing { low } else { code });
                    let words = &words[row as usize * width..][..width];
                    for (sum, &word) in packed[at..at + width].iter_mut().zip(words) {
                        *sum = sum.wrapping_add(word);
                    }
                }
            }
            for (exact, &packed) in exact.iter_mut().zip(packed.iter()) {
                let [g, h] = unpack(packed);
                *exact = [exact[0] + g, exact[1] + h];
            }
        }
        let (l2, direction) = (self.rules.l2, self.rules.constraints.direction(idx));
        let (left, of_missing) = exact.split_at(width);
        let parent = self.score(self.leaf.totals, l2);
        let mut best: Option<(f64, bool)> = None;
        for missing_left in [false, true] {
            // Behind the last code missing values would leave nothing on the right.
            if missing_left && (!any_missing || threshold == high) {
                continue;
            }
            side.clear();
            side.extend_from_slice(left);
            if missing_left {
                super::add(side, of_missing);
            }
            let Some(score) = self.two_sides(side, l2, direction) else { continue };
            if best.is_none_or(|(known, _)| score - parent > known) {
                best = Some((score - parent, missing_left));
            }
        }
        let (gain, missing_left) = best?;
        let missing_left = if any_missing { missing_left } else { self.is_heavier(left) };
        let test = Test::Greater(threshold);
        let found = Candidate { gain, feature: idx, test, missing_left, extra_l2: 0.0 };
        (gain > self.rules.min_gain.max(0.0)).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use crate::constraint::Constraints;
    use crate::histogram::Histogram;
    use crate::packed::{BLOCK, Packed};
    use crate::rules::SplitRules;
    use crate::sample::{Columns, Reuse};
    use crate::soil::{Limits, Soil};
    use crate::split::{LeafView, best_split};
    use crate::tests::{matrix, numbers};
    use jobs::Threads;

    #[test]
    fn a_split_from_rows_is_that_of_the_histogram() {
        let n = 2 * BLOCK + 99;
        // The second column has few codes, the third one.
        let few = |times: f64| numbers(n, 2).iter().map(|v| (v * times).round()).collect();
        let codes = matrix(&[numbers(n, 1), few(3.0), few(0.4)]);
        let rules = SplitRules {
            l1: 0.0,
            l2: 0.0,
            path_smoothing: 0.0,
            min_gain: 1e-9,
            min_leaf_rows: 2.0,
            min_leaf_hessian: 0.0,
            cat_smooth: 1.0,
            cat_l2: 0.0,
            max_cat_set: 128,
            max_one_vs_rest: 4,
            min_cat_rows: 1.0,
            random_thresholds: true,
            constraints: Constraints::default(),
            output_weights: Vec::new(),
        };
        let (limits, threads) = (Limits { max_leaves: 9, max_depth: 0, symmetric: false }, Threads::one());
        for width in [1, 3] {
            let whole = |v: &f64| [(1000.0 * v) as i64, 1 + (7.0 * v.abs()) as i64];
            let words: Vec<[i64; 2]> = numbers(n * width, 3).iter().map(whole).collect();
            let packed = Packed::whole(&words, width, 0.001);
            let mut n_found = 0;
            for (step, key) in [1, 2, 40, 500, 4000].into_iter().flat_map(|s| (0..20).map(move |k| (s, k))) {
                let rows: Vec<u32> = (key as u32..n as u32).step_by(step).collect();
                let of_one = |column: usize| Columns::Some(vec![column]);
                for columns in [Columns::All, of_one(0), of_one(1), of_one(2)] {
                    let soil = Soil {
                        codes: &codes,
                        packed: &packed,
                        weights: None,
                        rules: &rules,
                        limits: &limits,
                        columns: &columns,
                        threads: &threads,
                    };
                    let mut histogram = Histogram::default();
                    histogram.build(&codes, &packed, &columns, &rows, &threads);
                    let (totals, freedom) = (packed.totals(&rows), rules.constraints.root());
                    let split = |histogram: &Histogram| {
                        let n_rows = rows.len() as f64;
                        let leaf = LeafView {
                            histogram,
                            rows: &rows,
                            totals: &totals,
                            freedom: &freedom,
                            n_rows,
                            key,
                        };
                        let found = best_split(&soil, &leaf, &Reuse::default());
                        found.map(|c| (c.gain.to_bits(), c.feature, c.test, c.missing_left))
                    };
                    let (of_rows, of_cells) = (split(&Histogram::default()), split(&histogram));
                    assert_eq!(of_rows, of_cells, "{width} {step} {key}");
                    n_found += usize::from(of_rows.is_some());
                }
            }
            assert!(n_found > 200, "{n_found}");
        }
    }
}
