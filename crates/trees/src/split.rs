//! The best split of a leaf, from its histogram.
//!
//! Gains are computed in f64 from exact integer sums, in one fixed order, and ties go to the smaller
//! (feature, threshold), so any number of threads finds the same split.

use crate::histogram::{Cell, Histogram};
use crate::matrix::{CodeMatrix, Feature};
use crate::packed::Packed;
use crate::sample::{Columns, Reuse};
use ir::digest::mix;
use ir::forest::{CodeSet, Test};
use jobs::Threads;

/// What a split must satisfy.
#[derive(Clone, Debug)]
pub(crate) struct SplitRules {
    /// Taken off the size of a sum of gradients.
    pub(crate) l1: f64,
    pub(crate) l2: f64,
    /// Rows at which a leaf's value is half its own and half its parent's; 0: its own.
    pub(crate) path_smoothing: f64,
    pub(crate) min_gain: f64,
    pub(crate) min_leaf_rows: f64,
    pub(crate) min_leaf_hessian: f64,
    /// Rows that a category needs to take part, and the smoothing of its mean gradient.
    pub(crate) cat_smooth: f64,
    /// Added to `l2` for sets of categories.
    pub(crate) cat_l2: f64,
    /// Most categories on the smaller side of a set.
    pub(crate) max_cat_set: usize,
    /// Up to this many categories, each is tried against the rest.
    pub(crate) max_one_vs_rest: usize,
    /// One threshold at random a feature, instead of the best.
    pub(crate) random_thresholds: bool,
    /// Rows that each side of a set of categories needs.
    pub(crate) min_cat_rows: f64,
}

impl SplitRules {
    /// Real values of a leaf, one an output. `parent` holds the values of the leaf that was split, and
    /// is empty for the root.
    /// Own value `w = -T(G) / (H + l2)`, `T` the soft threshold at `l1`; smoothed at `a` rows:
    /// `(n w + a parent) / (n + a)`.
    pub(crate) fn leaf_values(
        &self,
        packed: &Packed,
        totals: &[Cell],
        extra_l2: f64,
        n_rows: f64,
        parent: &[f64],
    ) -> Vec<f64> {
        let own = totals.iter().enumerate().map(|(k, sum)| {
            let g = soft(sum[0] as f64 * packed.g_step[k], self.l1);
            let h = sum[1] as f64 * packed.h_step[k];
            -g / (h + self.l2 + extra_l2).max(f64::MIN_POSITIVE)
        });
        if self.path_smoothing == 0.0 || parent.is_empty() {
            return own.collect();
        }
        let a = self.path_smoothing;
        own.zip(parent).map(|(w, p)| (n_rows * w + a * p) / (n_rows + a)).collect()
    }
}

/// `x` brought nearer to 0 by `by`, at most to 0.
#[inline]
fn soft(x: f64, by: f64) -> f64 {
    if by == 0.0 { x } else { (x.abs() - by).max(0.0).copysign(x) }
}

/// A split of a leaf, in the matrix's codes.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// After penalties.
    pub(crate) gain: f64,
    pub(crate) feature: usize,
    pub(crate) test: Test,
    pub(crate) missing_left: bool,
    /// Added to `l2` in the leaves below.
    pub(crate) extra_l2: f64,
}

/// A leaf as the search sees it.
pub(crate) struct LeafView<'a> {
    pub(crate) histogram: &'a Histogram,
    /// Sums over the leaf, one an output.
    pub(crate) totals: &'a [Cell],
    /// Weight of the leaf's rows.
    pub(crate) n_rows: f64,
    /// Seed of what is drawn for this leaf.
    pub(crate) key: u64,
}

/// Cells below which one thread searches alone.
const PARALLEL_CELLS: usize = 1 << 13;

/// The split of largest gain, if any satisfies the rules.
pub(crate) fn best_split(
    codes: &CodeMatrix,
    packed: &Packed,
    leaf: &LeafView<'_>,
    rules: &SplitRules,
    columns: &Columns,
    reuse: &Reuse,
    threads: &Threads,
) -> Option<Candidate> {
    let by_feature = |f: usize| match packed.width {
        1 => Search::<1>::new(packed, leaf, rules, reuse).feature(f, codes.features()[f]),
        _ => Search::<0>::new(packed, leaf, rules, reuse).feature(f, codes.features()[f]),
    };
    if let Columns::PerSplit { n, key } = columns {
        return best_of_drawn(codes.n_features(), *n, key.wrapping_add(leaf.key), by_feature);
    }
    let few = codes.n_cells() * packed.width < PARALLEL_CELLS;
    let found = match columns {
        Columns::All if few => (0..codes.n_features()).map(by_feature).collect(),
        Columns::All => threads.map(codes.n_features(), by_feature),
        Columns::Some(features) if few => features.iter().map(|&f| by_feature(f)).collect(),
        Columns::Some(features) => threads.map(features.len(), |i| by_feature(features[i])),
        Columns::PerSplit { .. } => Vec::new(),
    };
    let mut best: Option<Candidate> = None;
    for candidate in found.into_iter().flatten() {
        if best.as_ref().is_none_or(|b| candidate.gain > b.gain) {
            best = Some(candidate);
        }
    }
    best
}

/// The best of the first `n` features of a random order, or of the first one after them that parts the rows.
fn best_of_drawn(
    n_features: usize,
    n: usize,
    key: u64,
    by_feature: impl Fn(usize) -> Option<Candidate>,
) -> Option<Candidate> {
    let mut order: Vec<usize> = (0..n_features).collect();
    if n < n_features {
        order.sort_by_cached_key(|&f| (mix(key.wrapping_add(f as u64)), f));
    }
    let mut best: Option<Candidate> = None;
    for (i, &feature) in order.iter().enumerate() {
        if i >= n && best.is_some() {
            break;
        }
        if let Some(found) = by_feature(feature)
            && best.as_ref().is_none_or(|b| found.gain > b.gain)
        {
            best = Some(found);
        }
    }
    best
}

/// The search of one leaf; `W` is the number of outputs, 0 when it is known only at run time.
struct Search<'a, const W: usize> {
    packed: &'a Packed,
    leaf: &'a LeafView<'a>,
    rules: &'a SplitRules,
    reuse: &'a Reuse,
    /// Smallest sum of `h` on a side, in steps summed over outputs.
    min_h: i64,
    total_h: i64,
    /// Rows for one step of `h`.
    rows_per_h: f64,
}

impl<'a, const W: usize> Search<'a, W> {
    fn new(
        packed: &'a Packed,
        leaf: &'a LeafView<'a>,
        rules: &'a SplitRules,
        reuse: &'a Reuse,
    ) -> Search<'a, W> {
        let total_h: i64 = leaf.totals.iter().map(|t| t[1]).sum();
        let rows_per_h = if total_h > 0 { leaf.n_rows / total_h as f64 } else { 0.0 };
        // Rows of a side are estimated from its share of h; half a row is forgiven to rounding.
        let by_rows =
            if rows_per_h > 0.0 { (rules.min_leaf_rows - 0.5).max(0.0) / rows_per_h } else { f64::MAX };
        let h_step = packed.h_step.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let by_hessian = rules.min_leaf_hessian / h_step;
        let min_h = (by_rows.max(by_hessian) as i64).max(1);
        Search { packed, leaf, rules, reuse, min_h, total_h, rows_per_h }
    }

    #[inline]
    fn width(&self) -> usize {
        if W == 0 { self.packed.width } else { W }
    }

    /// `sum_k T(G_k)^2 / (H_k + l2)` in real units, `T` the soft threshold at `l1`.
    #[inline]
    fn score(&self, sums: &[Cell], l2: f64) -> f64 {
        let mut score = 0.0;
        for (k, sum) in sums.iter().enumerate().take(self.width()) {
            let g = soft(sum[0] as f64 * self.packed.g_step[k], self.rules.l1);
            let h = sum[1] as f64 * self.packed.h_step[k];
            score += g * g / (h + l2);
        }
        score
    }

    fn feature(&self, idx: usize, feature: Feature) -> Option<Candidate> {
        let width = self.width();
        let start = feature.first_cell * width;
        let n_cells = usize::from(feature.n_codes) + 1;
        let cells = &self.leaf.histogram.cells[start..start + n_cells * width];
        let plain = self.rules.l1 == 0.0 && !self.reuse.is_on() && !self.rules.random_thresholds;
        let found = if feature.ordered && W == 1 && plain {
            self.ordered_one(cells, usize::from(feature.n_codes))
        } else if feature.ordered {
            self.ordered(cells, feature)
        } else {
            self.categories(cells, n_cells)
        };
        let found = found.map(|mut c| {
            c.feature = idx;
            if self.reuse.is_on() {
                c.gain -= self.reuse.of_feature(idx);
            }
            c
        });
        found.filter(|c| c.gain > self.rules.min_gain.max(0.0))
    }

    /// As [`Self::ordered`], for one output without `l1` and penalties: sums in registers, one division a threshold.
    fn ordered_one(&self, cells: &[Cell], n_codes: usize) -> Option<Candidate> {
        let [missing_g, missing_h] = cells[n_codes];
        let any_missing = missing_g != 0 || missing_h != 0;
        let [total_g, total_h] = self.leaf.totals[0];
        let (g_step, h_step) = (self.packed.g_step[0], self.packed.h_step[0]);
        let l2 = self.rules.l2;
        // G_l^2 / (H_l + l2) + G_r^2 / (H_r + l2), over the common denominator.
        let score = |left_g: i64, left_h: i64| {
            let (gl, gr) = (left_g as f64 * g_step, (total_g - left_g) as f64 * g_step);
            let (hl, hr) = (left_h as f64 * h_step + l2, (total_h - left_h) as f64 * h_step + l2);
            (gl * gl * hr + gr * gr * hl) / (hl * hr)
        };
        let mut best = (f64::NEG_INFINITY, 0usize, false);
        let (mut left_g, mut left_h) = (0i64, 0i64);
        let n_thresholds = if any_missing { n_codes } else { n_codes.saturating_sub(1) };
        for (t, cell) in cells[..n_thresholds].iter().enumerate() {
            if *cell == [0; 2] {
                continue;
            }
            left_g += cell[0];
            left_h += cell[1];
            // Sums of h only grow: once the right side is too small it stays so.
            if total_h - left_h < self.min_h {
                break;
            }
            if left_h >= self.min_h {
                let score = score(left_g, left_h);
                if score > best.0 {
                    best = (score, t, false);
                }
            }
            let (g, h) = (left_g + missing_g, left_h + missing_h);
            // The last threshold with missing on the left would leave nothing on the right.
            if any_missing && t + 1 < n_codes && h >= self.min_h && total_h - h >= self.min_h {
                let score = score(g, h);
                if score > best.0 {
                    best = (score, t, true);
                }
            }
        }
        let (score, t, missing_left) = best;
        if score == f64::NEG_INFINITY {
            return None;
        }
        let gain = score - self.score(self.leaf.totals, l2);
        let missing_left = if any_missing { missing_left } else { self.left_is_heavier(cells, t) };
        let test = Test::Greater(t as u8);
        Some(Candidate { gain, feature: 0, test, missing_left, extra_l2: 0.0 })
    }

    /// Thresholds from low to high, missing tried on both sides where the leaf has any.
    fn ordered(&self, cells: &[Cell], feature: Feature) -> Option<Candidate> {
        let n_codes = usize::from(feature.n_codes);
        let width = self.width();
        let missing = &cells[n_codes * width..];
        let any_missing = missing.iter().any(|m| *m != [0; 2]);
        if n_codes < 2 && !any_missing {
            return None;
        }
        let l2 = self.rules.l2;
        let parent = self.score(self.leaf.totals, l2);
        let only = self.rules.random_thresholds.then(|| self.random_threshold(cells, feature));
        let mut left = vec![[0i64; 2]; width];
        let mut side = vec![[0i64; 2]; width];
        let mut best: Option<(f64, usize, bool)> = None;
        // The last threshold parts missing from the rest; without missing it parts nothing.
        for t in 0..if any_missing { n_codes } else { n_codes - 1 } {
            let here = &cells[t * width..(t + 1) * width];
            if here.iter().all(|c| *c == [0; 2]) {
                continue;
            }
            add(&mut left, here);
            if only.is_some_and(|only| only != t) {
                continue;
            }
            let penalty =
                if self.reuse.is_on() { self.reuse.of_threshold(feature.first_cell + t) } else { 0.0 };
            for missing_left in [false, true] {
                if missing_left && (!any_missing || t + 1 == n_codes) {
                    continue;
                }
                side.copy_from_slice(&left);
                if missing_left {
                    add(&mut side, missing);
                }
                let Some(score) = self.two_sides(&mut side, l2) else { continue };
                let gain = score - parent - penalty;
                if best.is_none_or(|(g, _, _)| gain > g) {
                    best = Some((gain, t, missing_left));
                }
            }
        }
        let (gain, t, missing_left) = best?;
        let missing_left = if any_missing { missing_left } else { self.left_is_heavier(cells, t) };
        let test = Test::Greater(t as u8);
        Some(Candidate { gain, feature: 0, test, missing_left, extra_l2: 0.0 })
    }

    /// A threshold that parts the leaf's rows, uniform in codes: the last code with rows not above a random one.
    fn random_threshold(&self, cells: &[Cell], feature: Feature) -> usize {
        let width = self.width();
        let has = |c: usize| cells[c * width..(c + 1) * width].iter().any(|s| *s != [0; 2]);
        let n_codes = usize::from(feature.n_codes);
        let low = (0..n_codes).find(|&c| has(c)).unwrap_or(0);
        let high = (0..n_codes).rfind(|&c| has(c)).unwrap_or(0);
        // Above the highest code there may be missing values.
        let n = (high - low + usize::from(has(n_codes))).max(1);
        let random = mix(!self.leaf.key ^ mix(feature.first_cell as u64));
        let at = low + ((u128::from(random) * n as u128) >> 64) as usize;
        (low..=at).rfind(|&c| has(c)).unwrap_or(low)
    }

    /// Score of `side` and of the rest, or `None` if one of them is too small. `side` is spent.
    #[inline]
    fn two_sides(&self, side: &mut [Cell], l2: f64) -> Option<f64> {
        let h: i64 = side.iter().map(|s| s[1]).sum();
        if h < self.min_h || self.total_h - h < self.min_h {
            return None;
        }
        let left = self.score(side, l2);
        for (s, total) in side.iter_mut().zip(self.leaf.totals) {
            *s = [total[0] - s[0], total[1] - s[1]];
        }
        Some(left + self.score(side, l2))
    }

    fn left_is_heavier(&self, cells: &[Cell], t: usize) -> bool {
        let h: i64 = cells[..(t + 1) * self.width()].iter().map(|c| c[1]).sum();
        2 * h >= self.total_h
    }

    /// Sets of categories; missing takes part as one more category.
    fn categories(&self, cells: &[Cell], n_cells: usize) -> Option<Candidate> {
        let width = self.width();
        let cell = |c: usize| &cells[c * width..(c + 1) * width];
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
                let Some(score) = self.two_sides(&mut side, self.rules.l2) else { continue };
                if best.as_ref().is_none_or(|(g, _)| score - parent > *g) {
                    best = Some((score - parent, vec![c]));
                }
            }
            let (gain, set) = best?;
            return Some(self.set_candidate(gain, &set, n_cells, 0.0));
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
                    let Some(score) = self.two_sides(&mut side, l2) else { continue };
                    if best.as_ref().is_none_or(|(g, _)| score - parent > *g) {
                        let set = if from_end { &order[order.len() - 1 - n..] } else { &order[..=n] };
                        best = Some((score - parent, set.to_vec()));
                    }
                }
            }
        }
        let (gain, set) = best?;
        Some(self.set_candidate(gain, &set, n_cells, self.rules.cat_l2))
    }

    /// Outputs whose mean gradient orders the categories: the one, or the three of largest |G|.
    fn leading_outputs(&self) -> Vec<usize> {
        let mut outputs: Vec<usize> = (0..self.width()).collect();
        let size = |k: usize| self.leaf.totals[k][1] as f64 * self.packed.h_step[k];
        outputs.sort_by(|&a, &b| size(b).total_cmp(&size(a)).then(a.cmp(&b)));
        outputs.truncate(3);
        outputs
    }

    fn set_candidate(&self, gain: f64, set: &[usize], n_cells: usize, extra_l2: f64) -> Candidate {
        let mut codes = CodeSet::default();
        let mut missing_left = true;
        for &c in set {
            if c + 1 == n_cells {
                missing_left = false;
            } else {
                codes.insert(c as u8);
            }
        }
        Candidate { gain, feature: 0, test: Test::In(codes), missing_left, extra_l2 }
    }
}

#[inline]
fn add(sums: &mut [Cell], cells: &[Cell]) {
    for (s, c) in sums.iter_mut().zip(cells) {
        *s = [s[0] + c[0], s[1] + c[1]];
    }
}
