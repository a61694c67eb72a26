//! The test that gains most over all leaves of a level.
//!
//! The gain of a test is the sum of what it gains in each leaf, in the order of the leaves; a leaf in
//! which it is not admissible, because a side would be too small or go against a direction, adds nothing.

use super::{Candidate, LeafView, Search, add, best_feature};
use crate::direct::{Direct, FeatureCells};
use crate::histogram::{Cell, Histogram};
use crate::matrix::Feature;
use crate::sample::Reuse;
use crate::soil::Soil;
use ir::forest::Test;

/// The test of largest gain over the leaves that may be split, if any gains enough.
///
/// A number is tested by a threshold, with one side for missing values. Sets of categories are ordered
/// by the gradients of the whole level, as in one leaf of all its rows, and each is tried in every leaf.
pub(crate) fn best_of_level(soil: &Soil<'_>, leaves: &[LeafView<'_>], reuse: &Reuse) -> Option<Candidate> {
    let first = leaves.first()?;
    let cells = soil.codes.n_cells() * leaves.len();
    let by_feature = |direct: &mut Direct, f: usize| match soil.packed.width {
        1 => of_feature::<1>(soil, leaves, reuse, direct, f),
        _ => of_feature::<0>(soil, leaves, reuse, direct, f),
    };
    // All leaves have the same features above them.
    best_feature(soil, first.freedom, first.key, cells * soil.packed.width, by_feature)
}

fn of_feature<const W: usize>(
    soil: &Soil<'_>,
    leaves: &[LeafView<'_>],
    reuse: &Reuse,
    direct: &mut Direct,
    idx: usize,
) -> Option<Candidate> {
    let feature = soil.codes.features()[idx];
    let found = if feature.ordered {
        let mut sums = Thresholds::new(feature);
        for leaf in leaves {
            let cells = leaf.cells(soil, idx, direct);
            let direction = soil.rules.constraints.direction(idx);
            Search::<W>::new(soil, leaf, reuse).add_thresholds(cells, direction, &mut sums);
        }
        sums.best(feature, reuse)
    } else {
        best_set::<W>(soil, leaves, reuse, direct, idx)
    };
    let found = found.map(|c| Candidate { feature: idx, gain: c.gain - reuse.of_feature(idx), ..c });
    found.filter(|c| c.gain > soil.rules.min_gain.max(0.0))
}

/// What the thresholds of a feature gain over several leaves.
struct Thresholds {
    /// By code: with missing on the right and on the left.
    gains: Vec<[f64; 2]>,
    /// Sums of `h` by code, over outputs.
    h: Vec<i64>,
    total_h: i64,
    any_missing: bool,
}

impl Thresholds {
    fn new(feature: Feature) -> Thresholds {
        let n = usize::from(feature.n_codes);
        Thresholds { gains: vec![[0.0; 2]; n], h: vec![0; n], total_h: 0, any_missing: false }
    }

    fn best(&self, feature: Feature, reuse: &Reuse) -> Option<Candidate> {
        let mut best: Option<(f64, usize, bool)> = None;
        for (t, gains) in self.gains.iter().enumerate() {
            let penalty = if reuse.is_on() { reuse.of_threshold(feature.first_cell + t) } else { 0.0 };
            for missing_left in [false, true] {
                let gain = gains[usize::from(missing_left)] - penalty;
                if (self.any_missing || !missing_left) && best.is_none_or(|(g, _, _)| gain > g) {
                    best = Some((gain, t, missing_left));
                }
            }
        }
        let (gain, t, missing_left) = best?;
        let left_is_heavier = 2 * self.h[..=t].iter().sum::<i64>() >= self.total_h;
        let missing_left = if self.any_missing { missing_left } else { left_is_heavier };
        let test = Test::Greater(t as u8);
        Some(Candidate { gain, feature: 0, test, missing_left, extra_l2: 0.0 })
    }
}

impl<const W: usize> Search<'_, W> {
    /// Adds what each threshold gains in this leaf.
    fn add_thresholds(&self, cells: FeatureCells<'_>, direction: i8, sums: &mut Thresholds) {
        let width = self.width();
        let n = cells.sums.len() / width - 1;
        let missing = &cells.sums[n * width..];
        let any_missing = missing.iter().any(|m| *m != [0; 2]);
        let parent = self.score(self.leaf.totals, self.rules.l2);
        let mut side = vec![[0i64; 2]; width];
        let mut gain = |left: &[Cell], with: Option<&[Cell]>| {
            side.copy_from_slice(left);
            with.iter().for_each(|missing| add(&mut side, missing));
            self.two_sides(&mut side, self.rules.l2, direction).map_or(0.0, |score| score - parent)
        };
        let mut left = vec![[0i64; 2]; width];
        // Below the first code there may be missing values.
        let mut here = [0.0, if any_missing { gain(&left, Some(missing)) } else { 0.0 }];
        let mut from = 0;
        for at in 0..n {
            let sum = &cells.sums[at * width..(at + 1) * width];
            if sum.iter().all(|s| *s == [0; 2]) {
                continue;
            }
            let code = usize::from(cells.code(at));
            // A threshold at a code without rows parts as the one before it.
            sums.gains[from..code].iter_mut().for_each(|g| *g = [g[0] + here[0], g[1] + here[1]]);
            from = code;
            sums.h[code] += sum.iter().map(|s| s[1]).sum::<i64>();
            add(&mut left, sum);
            let right = gain(&left, None);
            here = [right, if any_missing { gain(&left, Some(missing)) } else { right }];
        }
        sums.gains[from..].iter_mut().for_each(|g| *g = [g[0] + here[0], g[1] + here[1]]);
        sums.total_h += self.total_h;
        sums.any_missing |= any_missing;
    }
}

/// The set of categories that gains most over all leaves.
fn best_set<const W: usize>(
    soil: &Soil<'_>,
    leaves: &[LeafView<'_>],
    reuse: &Reuse,
    direct: &mut Direct,
    idx: usize,
) -> Option<Candidate> {
    let width = soil.packed.width;
    let n_cells = usize::from(soil.codes.features()[idx].n_codes) + 1;
    let mut whole = vec![[0i64; 2]; n_cells * width];
    let mut totals = vec![[0i64; 2]; width];
    let mut by_leaf = Vec::with_capacity(leaves.len());
    for leaf in leaves {
        let cells = leaf.cells(soil, idx, direct);
        let mut sums = vec![[0i64; 2]; n_cells * width];
        let n = cells.sums.len() / width;
        for (at, sum) in cells.sums.chunks_exact(width).enumerate() {
            let code = if at + 1 == n { n_cells - 1 } else { usize::from(cells.code(at)) };
            sums[code * width..(code + 1) * width].copy_from_slice(sum);
        }
        add(&mut whole, &sums);
        add(&mut totals, leaf.totals);
        by_leaf.push((Search::<W>::new(soil, leaf, reuse), sums));
    }
    let level = LeafView {
        histogram: &Histogram::default(),
        rows: &[],
        totals: &totals,
        freedom: leaves.first()?.freedom,
        n_rows: leaves.iter().map(|leaf| leaf.n_rows).sum(),
        key: 0,
    };
    let level = Search::<W>::new(soil, &level, reuse);
    let cells = FeatureCells { sums: &whole, codes: None };
    let mut best: Option<(f64, Vec<usize>, f64)> = None;
    let mut side = vec![[0i64; 2]; width];
    level.each_set(cells, |_, set, extra_l2| {
        let mut total = 0.0;
        for (leaf, sums) in &by_leaf {
            side.fill([0; 2]);
            set.iter().for_each(|&c| add(&mut side, &sums[c * width..(c + 1) * width]));
            if let Some(score) = leaf.two_sides(&mut side, soil.rules.l2 + extra_l2, 0) {
                total += score - leaf.score(leaf.leaf.totals, soil.rules.l2);
            }
        }
        if best.as_ref().is_none_or(|(gain, ..)| total > *gain) {
            best = Some((total, set.to_vec(), extra_l2));
        }
    });
    let (gain, set, extra_l2) = best?;
    Some(level.set_candidate(gain, &set, cells, extra_l2))
}
