//! The best split of a leaf, from its histogram.
//!
//! Gains are computed in f64 from exact integer sums, in one fixed order, and ties go to the smaller
//! (feature, threshold), so any number of threads finds the same split.

mod categories;
pub(crate) mod drawn;
pub(crate) mod level;

use crate::constraint::Freedom;
use crate::direct::{Direct, FeatureCells};
use crate::histogram::{Cell, Histogram};
use crate::matrix::Feature;
use crate::packed::Packed;
use crate::rules::{SplitRules, soft};
use crate::sample::{Columns, Drawn, Reuse};
use crate::soil::Soil;
use ir::digest::mix;
use ir::forest::Test;

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
    /// Sums by all columns; where it is empty they are taken from the rows.
    pub(crate) histogram: &'a Histogram,
    pub(crate) rows: &'a [u32],
    /// Sums over the leaf, one an output.
    pub(crate) totals: &'a [Cell],
    pub(crate) freedom: &'a Freedom,
    /// Weight of the leaf's rows.
    pub(crate) n_rows: f64,
    /// Seed of what is drawn for this leaf.
    pub(crate) key: u64,
}

impl<'a> LeafView<'a> {
    /// Sums of one feature.
    fn cells<'b>(&self, soil: &Soil<'_>, feature: usize, direct: &'b mut Direct) -> FeatureCells<'b>
    where
        'a: 'b,
    {
        if self.histogram.cells.is_empty() {
            return direct.build(soil.codes, soil.packed, feature, self.rows);
        }
        let Feature { first_cell, n_codes, .. } = soil.codes.features()[feature];
        let width = soil.packed.width;
        let end = first_cell + usize::from(n_codes) + 1;
        FeatureCells { sums: &self.histogram.cells[first_cell * width..end * width], codes: None }
    }
}

/// Cells or rows below which one thread searches alone.
const PARALLEL_WORK: usize = 1 << 13;

/// The split of largest gain, if any satisfies the rules.
pub(crate) fn best_split(soil: &Soil<'_>, leaf: &LeafView<'_>, reuse: &Reuse) -> Option<Candidate> {
    let from_rows = leaf.histogram.cells.is_empty();
    if from_rows && soil.packed.is_pure(leaf.rows) {
        return None;
    }
    let work = if from_rows { leaf.rows.len() } else { soil.codes.n_cells() };
    let is_drawn = from_rows && soil.rules.random_thresholds && !reuse.is_on() && soil.packed.is_narrow();
    let by_feature = |direct: &mut Direct, f: usize| {
        let feature = soil.codes.features()[f];
        if is_drawn && feature.ordered {
            return match soil.packed.width {
                1 => Search::<1>::new(soil, leaf, reuse).drawn(soil.codes, f, &mut direct.drawn),
                _ => Search::<0>::new(soil, leaf, reuse).drawn(soil.codes, f, &mut direct.drawn),
            };
        }
        let cells = leaf.cells(soil, f, direct);
        match soil.packed.width {
            1 => Search::<1>::new(soil, leaf, reuse).feature(f, feature, cells),
            _ => Search::<0>::new(soil, leaf, reuse).feature(f, feature, cells),
        }
    };
    best_feature(soil, leaf.freedom, leaf.key, work * soil.packed.width, by_feature)
}

/// The best candidate of the features that a split may ask; ties go to the first of them.
fn best_feature(
    soil: &Soil<'_>,
    freedom: &Freedom,
    key: u64,
    work: usize,
    by_feature: impl Fn(&mut Direct, usize) -> Option<Candidate> + Sync + Send,
) -> Option<Candidate> {
    let constraints = &soil.rules.constraints;
    let by_feature =
        |direct: &mut Direct, f: usize| constraints.allows(freedom, f).then(|| by_feature(direct, f))?;
    let mut direct = Direct::default();
    let mut best_of = |features: &mut dyn ExactSizeIterator<Item = usize>| {
        let found: Vec<Option<Candidate>> = if work < PARALLEL_WORK || soil.threads.n() == 1 {
            features.map(|f| by_feature(&mut direct, f)).collect()
        } else {
            let features: Vec<usize> = features.collect();
            soil.threads.map(features.len(), |i| by_feature(&mut Direct::default(), features[i]))
        };
        let mut best: Option<Candidate> = None;
        for candidate in found.into_iter().flatten() {
            if best.as_ref().is_none_or(|b| candidate.gain > b.gain) {
                best = Some(candidate);
            }
        }
        best
    };
    match soil.columns {
        Columns::All => best_of(&mut (0..soil.codes.n_features())),
        Columns::Some(features) => best_of(&mut features.iter().copied()),
        Columns::PerSplit { from, n, key: tree_key } => {
            let allowed = constraints.allowed(freedom, from);
            let mut drawn = Drawn::new(allowed.as_ref().unwrap_or(from), *n, tree_key.wrapping_add(key));
            let best = best_of(&mut drawn.first());
            // Of the others, the first one that parts the rows.
            best.or_else(|| drawn.rest().find_map(|f| best_of(&mut std::iter::once(f))))
        }
    }
}

/// The search of one leaf; `W` is the number of outputs, 0 when it is known only at run time.
struct Search<'a, const W: usize> {
    packed: &'a Packed,
    leaf: &'a LeafView<'a>,
    rules: &'a SplitRules,
    reuse: &'a Reuse,
    /// What values of leaves are clipped to, if they are.
    clip: Option<&'a Freedom>,
    /// Smallest sum of `h` on a side, in steps summed over outputs.
    min_h: i64,
    total_h: i64,
    /// Rows for one step of `h`.
    rows_per_h: f64,
}

impl<'a, const W: usize> Search<'a, W> {
    fn new(soil: &Soil<'a>, leaf: &'a LeafView<'a>, reuse: &'a Reuse) -> Search<'a, W> {
        let (packed, rules) = (soil.packed, soil.rules);
        let total_h: i64 = leaf.totals.iter().map(|t| t[1]).sum();
        let rows_per_h = if total_h > 0 { leaf.n_rows / total_h as f64 } else { 0.0 };
        // Rows of a side are estimated from its share of h; half a row is forgiven to rounding.
        let by_rows =
            if rows_per_h > 0.0 { (rules.min_leaf_rows - 0.5).max(0.0) / rows_per_h } else { f64::MAX };
        let h_step = packed.h_step.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let by_hessian = rules.min_leaf_hessian / h_step;
        let min_h = (by_rows.max(by_hessian) as i64).max(1);
        let clip = rules.constraints.clip().then_some(leaf.freedom);
        Search { packed, leaf, rules, reuse, clip, min_h, total_h, rows_per_h }
    }

    #[inline]
    fn width(&self) -> usize {
        if W == 0 { self.packed.width } else { W }
    }

    /// `sum_k T(G_k)^2 / (H_k + l2)` in real units, `T` the soft threshold at `l1`; with clipped values
    /// `w_k` it is `-sum_k (2 T(G_k) w_k + (H_k + l2) w_k^2)`. Outputs that have weights count by them.
    #[inline]
    fn score(&self, sums: &[Cell], l2: f64) -> f64 {
        if self.clip.is_some() || !self.rules.output_weights.is_empty() {
            return self.weighed_score(sums, l2);
        }
        let mut score = 0.0;
        for (k, sum) in sums.iter().enumerate().take(self.width()) {
            let g = soft(sum[0] as f64 * self.packed.g_step[k], self.rules.l1);
            let h = sum[1] as f64 * self.packed.h_step[k];
            score += g * g / (h + l2);
        }
        score
    }

    fn weighed_score(&self, sums: &[Cell], l2: f64) -> f64 {
        let mut score = 0.0;
        for (k, sum) in sums.iter().enumerate().take(self.width()) {
            let g = soft(sum[0] as f64 * self.packed.g_step[k], self.rules.l1);
            let h = sum[1] as f64 * self.packed.h_step[k] + l2;
            let own = match self.clip {
                Some(freedom) => {
                    let w = freedom.clip(-g / h);
                    -(2.0 * g * w + h * w * w)
                }
                None => g * g / h,
            };
            score += self.rules.output_weights.get(k).map_or(own, |weight| weight * own);
        }
        score
    }

    /// Value of a leaf with these sums, of one output.
    fn value(&self, sums: &[Cell], l2: f64) -> f64 {
        let g = soft(sums[0][0] as f64 * self.packed.g_step[0], self.rules.l1);
        self.leaf.freedom.clip(-g / (sums[0][1] as f64 * self.packed.h_step[0] + l2))
    }

    fn feature(&self, idx: usize, feature: Feature, cells: FeatureCells<'_>) -> Option<Candidate> {
        let plain = self.rules.l1 == 0.0
            && !self.reuse.is_on()
            && !self.rules.random_thresholds
            && self.clip.is_none();
        let found = if feature.ordered && W == 1 && plain {
            self.ordered_one(cells)
        } else if feature.ordered {
            self.ordered(cells, feature, self.rules.constraints.direction(idx))
        } else {
            self.categories(cells)
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
    fn ordered_one(&self, feature_cells: FeatureCells<'_>) -> Option<Candidate> {
        let cells = feature_cells.sums;
        let n_codes = cells.len() - 1;
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
        let test = Test::Greater(feature_cells.code(t));
        Some(Candidate { gain, feature: 0, test, missing_left, extra_l2: 0.0 })
    }

    /// Thresholds from low to high, missing tried on both sides where the leaf has any.
    /// `direction`: in which the values of the sides must go, -1 or 1; 0 where it does not matter.
    fn ordered(&self, feature_cells: FeatureCells<'_>, feature: Feature, direction: i8) -> Option<Candidate> {
        let width = self.width();
        let cells = feature_cells.sums;
        let n_codes = cells.len() / width - 1;
        let missing = &cells[n_codes * width..];
        let any_missing = missing.iter().any(|m| *m != [0; 2]);
        if n_codes < 2 && !any_missing {
            return None;
        }
        let l2 = self.rules.l2;
        let parent = self.score(self.leaf.totals, l2);
        let only = self.rules.random_thresholds.then(|| self.random_threshold(feature_cells, feature));
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
            let penalty = if self.reuse.is_on() {
                self.reuse.of_threshold(feature.first_cell + usize::from(feature_cells.code(t)))
            } else {
                0.0
            };
            for missing_left in [false, true] {
                if missing_left && (!any_missing || t + 1 == n_codes) {
                    continue;
                }
                side.copy_from_slice(&left);
                if missing_left {
                    add(&mut side, missing);
                }
                let Some(score) = self.two_sides(&mut side, l2, direction) else { continue };
                let gain = score - parent - penalty;
                if best.is_none_or(|(g, _, _)| gain > g) {
                    best = Some((gain, t, missing_left));
                }
            }
        }
        let (gain, t, missing_left) = best?;
        let missing_left = if any_missing { missing_left } else { self.left_is_heavier(cells, t) };
        let test = Test::Greater(feature_cells.code(t));
        Some(Candidate { gain, feature: 0, test, missing_left, extra_l2: 0.0 })
    }

    /// A threshold that parts the leaf's rows, uniform in codes: where the last code with rows not above a
    /// random one stands.
    fn random_threshold(&self, cells: FeatureCells<'_>, feature: Feature) -> usize {
        let width = self.width();
        let has = |at: usize| cells.sums[at * width..(at + 1) * width].iter().any(|s| *s != [0; 2]);
        let n_codes = cells.sums.len() / width - 1;
        let first = (0..n_codes).find(|&at| has(at)).unwrap_or(0);
        let last = (0..n_codes).rfind(|&at| has(at)).unwrap_or(0);
        let code = |at: usize| if at < n_codes { usize::from(cells.code(at)) } else { 0 };
        let most = self.most_at_random(feature, [code(first), code(last)], has(n_codes));
        (first..=last).rfind(|&at| code(at) <= most && has(at)).unwrap_or(first)
    }

    /// A code between the ends of those that occur, uniform; the upper one only where values are missing, which stand
    /// above it.
    fn most_at_random(&self, feature: Feature, [low, high]: [usize; 2], any_missing: bool) -> usize {
        let n = (high - low + usize::from(any_missing)).max(1);
        let random = mix(!self.leaf.key ^ mix(feature.first_cell as u64));
        low + ((u128::from(random) * n as u128) >> 64) as usize
    }

    /// Score of `side` and of the rest, or `None` if one of them is too small or their values do not go
    /// in the direction. `side` is spent.
    #[inline]
    fn two_sides(&self, side: &mut [Cell], l2: f64, direction: i8) -> Option<f64> {
        let h: i64 = side.iter().map(|s| s[1]).sum();
        if h < self.min_h || self.total_h - h < self.min_h {
            return None;
        }
        let left = self.score(side, l2);
        let value = if direction == 0 { 0.0 } else { self.value(side, l2) };
        for (s, total) in side.iter_mut().zip(self.leaf.totals) {
            *s = [total[0] - s[0], total[1] - s[1]];
        }
        if direction != 0 && f64::from(direction) * (self.value(side, l2) - value) < 0.0 {
            return None;
        }
        Some(left + self.score(side, l2))
    }

    fn left_is_heavier(&self, cells: &[Cell], t: usize) -> bool {
        self.is_heavier(&cells[..(t + 1) * self.width()])
    }

    /// Whether these cells hold half of `h` or more.
    fn is_heavier(&self, cells: &[Cell]) -> bool {
        2 * cells.iter().map(|c| c[1]).sum::<i64>() >= self.total_h
    }
}

#[inline]
fn add(sums: &mut [Cell], cells: &[Cell]) {
    for (s, c) in sums.iter_mut().zip(cells) {
        *s = [s[0] + c[0], s[1] + c[1]];
    }
}
