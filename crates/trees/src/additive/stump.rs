//! The small tree that a term gains in one visit, grown on the sums of its cells.
//!
//! One axis: cut greedily where the gain is largest, until there are enough leaves. Two axes: one
//! cut across the first, then one cut of each half across the second, the best of all such pairs, which
//! sees interactions that no single cut gains from. Missing cells go to either side of a cut or stand
//! alone; categories stand in the order of their mean gradients.

use super::grid::{Axis, Grid};

/// Added to the second derivatives of a category whose mean gradient is compared, as in LightGBM.
const CATEGORY_SMOOTHING: f64 = 10.0;
/// Second derivatives that a leaf needs, over all outputs.
const MIN_HESSIAN: f64 = 1e-3;

/// What a tree must satisfy.
pub(super) struct Rules {
    pub(super) max_leaves: usize,
    pub(super) min_leaf_rows: f64,
    pub(super) l2: f64,
    /// Least gain of a tree's cut.
    pub(super) min_gain: f64,
    /// Largest size of a leaf before the learning rate.
    pub(super) most: f64,
    pub(super) learning_rate: f64,
}

/// Sums over rows by cell.
#[derive(Clone, Copy)]
pub(super) struct Sums<'a> {
    /// `g` and `h`, `[n_cells, width]`.
    pub(super) gradients: &'a [[f64; 2]],
    /// Weights, `[n_cells]`.
    pub(super) weights: &'a [f64],
    /// Outputs.
    pub(super) width: usize,
}

/// Where a line of cells is cut: before `at`, once missing was moved to its other end if `moved`.
#[derive(Clone, Copy)]
struct Cut {
    gain: f64,
    at: usize,
    moved: bool,
}

impl Rules {
    /// What a term gains, `[n_cells, width]`; none where no cut is worth it.
    pub(super) fn tree(&self, grid: &Grid, sums: Sums<'_>) -> Option<Vec<f64>> {
        match &grid.second {
            None => self.one_axis(&grid.first, sums),
            Some(second) => self.two_axes(&grid.first, second, sums),
        }
    }

    fn one_axis(&self, axis: &Axis, sums: Sums<'_>) -> Option<Vec<f64>> {
        let missing = axis.n_values as u16;
        let root = line(axis, sums);
        let cut = self.best_cut(&root, missing, axis.ordered, sums);
        let mut leaves = vec![(root, cut)];
        while leaves.len() < self.max_leaves {
            let mut best: Option<(f64, usize)> = None;
            for (i, (_, cut)) in leaves.iter().enumerate() {
                if let Some(cut) = cut
                    && best.is_none_or(|(gain, _)| cut.gain > gain)
                {
                    best = Some((cut.gain, i));
                }
            }
            let Some((_, leaf)) = best else { break };
            let (mut left, cut) = leaves.swap_remove(leaf);
            let Some(cut) = cut else { break };
            let right = part(&mut left, cut, missing);
            for side in [left, right] {
                let cut = self.best_cut(&side, missing, axis.ordered, sums);
                leaves.push((side, cut));
            }
        }
        if leaves.len() == 1 {
            return None;
        }
        let mut update = vec![0.0; sums.gradients.len()];
        for (leaf, _) in &leaves {
            self.fill(leaf, sums, &mut update);
        }
        Some(update)
    }

    fn two_axes(&self, first: &Axis, second: &Axis, sums: Sums<'_>) -> Option<Vec<f64>> {
        let mut best: Option<(f64, bool, usize)> = None;
        for across in [false, true] {
            let halves = Halves::new(first, second, sums, across);
            // Without an order a category is only told from all others; that is left to the other axis
            // where it has one.
            if !halves.cut_axis.ordered && halves.line_axis.ordered {
                continue;
            }
            halves.each(|bin, low, high| {
                let gain = self.gain_of_halves(&halves, low, high);
                if let Some(gain) = gain
                    && best.is_none_or(|(most, ..)| gain > most)
                {
                    best = Some((gain, across, bin));
                }
            });
        }
        let (_, across, chosen) = best?;
        let halves = Halves::new(first, second, sums, across);
        let axis = halves.line_axis;
        let missing = axis.n_values as u16;
        let mut update = vec![0.0; sums.gradients.len()];
        halves.each(|bin, low, high| {
            if bin != chosen {
                return;
            }
            for (half, is_low) in [(low, true), (high, false)] {
                let mut left = line(axis, half);
                let cut = self.best_cut(&left, missing, axis.ordered, half);
                let right = cut.map_or_else(Vec::new, |cut| part(&mut left, cut, missing));
                let mut values = vec![0.0; axis.n_bins() * sums.width];
                for leaf in [left, right] {
                    self.fill(&leaf, half, &mut values);
                }
                for other in (0..halves.cut_axis.n_bins()).filter(|&o| halves.is_low(o, chosen) == is_low) {
                    for (at, value) in values.chunks_exact(sums.width).enumerate() {
                        let cell = halves.cell(other, at) * sums.width;
                        update[cell..cell + sums.width].copy_from_slice(value);
                    }
                }
            }
        });
        Some(update)
    }

    /// Gain of two halves that are both cut again where that gains.
    fn gain_of_halves(&self, halves: &Halves<'_>, low: Sums<'_>, high: Sums<'_>) -> Option<f64> {
        let axis = halves.line_axis;
        let mut gain = 0.0;
        let mut total = Total::new(low.width);
        for half in [low, high] {
            let line = line(axis, half);
            let mut of_half = Total::new(low.width);
            line.iter().for_each(|&cell| of_half.add(half, cell));
            if !self.holds(&of_half) {
                return None;
            }
            total.merge(&of_half);
            gain += self.score(&of_half);
            let cut = self.best_cut(&line, axis.n_values as u16, axis.ordered, half);
            gain += cut.map_or(0.0, |cut| cut.gain);
        }
        gain -= self.score(&total);
        (gain > self.min_gain).then_some(gain)
    }

    /// The best cut of a line with missing, if it is there, at either end.
    fn best_cut(&self, line: &[u16], missing: u16, ordered: bool, sums: Sums<'_>) -> Option<Cut> {
        let best = self.scan(line, sums);
        if !ordered || line.len() < 3 {
            return best;
        }
        let Some(moved) = with_missing_moved(line, missing) else { return best };
        match (best, self.scan(&moved, sums)) {
            (Some(as_is), Some(other)) if other.gain <= as_is.gain => Some(as_is),
            (_, Some(other)) => Some(Cut { moved: true, ..other }),
            (best, None) => best,
        }
    }

    /// The best cut of a line as it stands; ties go to the first.
    fn scan(&self, line: &[u16], sums: Sums<'_>) -> Option<Cut> {
        let (_, inner) = line.split_last()?;
        let mut total = Total::new(sums.width);
        line.iter().for_each(|&cell| total.add(sums, cell));
        if total.weight < 2.0 * self.min_leaf_rows {
            return None;
        }
        let parent = self.score(&total);
        let mut left = Total::new(sums.width);
        let mut best: Option<Cut> = None;
        for (i, &cell) in inner.iter().enumerate() {
            left.add(sums, cell);
            if left.weight < self.min_leaf_rows || sums.weights[usize::from(cell)] == 0.0 {
                continue;
            }
            if total.weight - left.weight < self.min_leaf_rows {
                break;
            }
            let (mut gain, mut h_left, mut h_right) = (-parent, 0.0, 0.0);
            for (&[g, h], &[g_all, h_all]) in left.sums.iter().zip(&total.sums) {
                let (g_rest, h_rest) = (g_all - g, h_all - h);
                gain += self.share(g, h) + self.share(g_rest, h_rest);
                h_left += h;
                h_right += h_rest;
            }
            let holds = h_left >= MIN_HESSIAN && h_right >= MIN_HESSIAN;
            if holds && gain > best.map_or(self.min_gain, |b| b.gain) {
                best = Some(Cut { gain, at: i + 1, moved: false });
            }
        }
        best
    }

    fn holds(&self, total: &Total) -> bool {
        let h: f64 = total.sums.iter().map(|sum| sum[1]).sum();
        total.weight >= self.min_leaf_rows && h >= MIN_HESSIAN
    }

    /// `G^2 / (H + l2)`, over all outputs.
    fn score(&self, total: &Total) -> f64 {
        total.sums.iter().map(|&[g, h]| self.share(g, h)).sum()
    }

    fn share(&self, g: f64, h: f64) -> f64 {
        g * g / (h + self.l2).max(f64::MIN_POSITIVE)
    }

    /// Writes a leaf's values, `rate * -G / (H + l2)`, to its cells.
    fn fill(&self, leaf: &[u16], sums: Sums<'_>, out: &mut [f64]) {
        let mut total = Total::new(sums.width);
        leaf.iter().for_each(|&cell| total.add(sums, cell));
        for &cell in leaf {
            for (to, &[g, h]) in out[usize::from(cell) * sums.width..].iter_mut().zip(&total.sums) {
                let value = -g / (h + self.l2).max(f64::MIN_POSITIVE);
                *to = value.clamp(-self.most, self.most) * self.learning_rate;
            }
        }
    }
}

/// The order in which the bins of an axis are cut. Bins without rows are left out where they have no
/// place in an order.
fn line(axis: &Axis, sums: Sums<'_>) -> Vec<u16> {
    let missing = axis.n_values as u16;
    if axis.ordered {
        let end = missing + u16::from(sums.weights[axis.n_values] > 0.0);
        return (0..end).collect();
    }
    let of = |bin: u16, k: usize| sums.gradients[usize::from(bin) * sums.width + k];
    let mut bins: Vec<u16> = (0..=missing).filter(|&bin| sums.weights[usize::from(bin)] > 0.0).collect();
    // With several outputs the one that tells the categories apart best gives the order.
    let mut chosen = (f64::NEG_INFINITY, 0);
    for k in 0..sums.width {
        let spread = bins.iter().map(|&bin| of(bin, k)).map(|[g, h]| g * g / (h + CATEGORY_SMOOTHING)).sum();
        if spread > chosen.0 {
            chosen = (spread, k);
        }
    }
    let mean = |bin: u16| {
        let [g, h] = of(bin, chosen.1);
        g / (h + CATEGORY_SMOOTHING)
    };
    bins.sort_by(|&a, &b| mean(a).total_cmp(&mean(b)).then(a.cmp(&b)));
    bins
}

fn with_missing_moved(line: &[u16], missing: u16) -> Option<Vec<u16>> {
    let mut moved = line.to_vec();
    if line.last() == Some(&missing) {
        moved.rotate_right(1);
    } else if line.first() == Some(&missing) {
        moved.rotate_left(1);
    } else {
        return None;
    }
    Some(moved)
}

/// Leaves the cells before the cut in `line` and gives those after it.
fn part(line: &mut Vec<u16>, cut: Cut, missing: u16) -> Vec<u16> {
    if cut.moved
        && let Some(moved) = with_missing_moved(line, missing)
    {
        *line = moved;
    }
    line.split_off(cut.at)
}

/// Sums over some cells.
struct Total {
    /// One an output.
    sums: Vec<[f64; 2]>,
    weight: f64,
}

impl Total {
    fn new(width: usize) -> Total {
        Total { sums: vec![[0.0; 2]; width], weight: 0.0 }
    }

    fn add(&mut self, sums: Sums<'_>, cell: u16) {
        let cell = usize::from(cell);
        let start = cell * self.sums.len();
        for (sum, add) in self.sums.iter_mut().zip(&sums.gradients[start..]) {
            *sum = [sum[0] + add[0], sum[1] + add[1]];
        }
        self.weight += sums.weights[cell];
    }

    fn merge(&mut self, other: &Total) {
        for (sum, add) in self.sums.iter_mut().zip(&other.sums) {
            *sum = [sum[0] + add[0], sum[1] + add[1]];
        }
        self.weight += other.weight;
    }
}

/// Sums and weights of the cells of a line.
type OwnSums = (Vec<[f64; 2]>, Vec<f64>);

/// The ways to part a grid across one of its axes, each half summed to a line along the other.
struct Halves<'a> {
    /// The axis that is cut.
    cut_axis: &'a Axis,
    /// The axis that is left.
    line_axis: &'a Axis,
    sums: Sums<'a>,
    /// The cut axis is the second one.
    across: bool,
}

impl<'a> Halves<'a> {
    fn new(first: &'a Axis, second: &'a Axis, sums: Sums<'a>, across: bool) -> Halves<'a> {
        let (cut_axis, line_axis) = if across { (second, first) } else { (first, second) };
        Halves { cut_axis, line_axis, sums, across }
    }

    fn cell(&self, cut_bin: usize, line_bin: usize) -> usize {
        if self.across {
            line_bin * self.cut_axis.n_bins() + cut_bin
        } else {
            cut_bin * self.line_axis.n_bins() + line_bin
        }
    }

    /// Numbers: bins up to the chosen one are low, so missing is high, and alone after the last value.
    /// Categories: the chosen one is low.
    fn is_low(&self, bin: usize, chosen: usize) -> bool {
        if self.cut_axis.ordered { bin <= chosen } else { bin == chosen }
    }

    /// Visits each cut: its bin and the sums of both halves.
    fn each(&self, mut visit: impl FnMut(usize, Sums<'_>, Sums<'_>)) {
        let (n, bins) = (self.line_axis.n_bins(), self.cut_axis.n_bins());
        let mut low: OwnSums = (vec![[0.0; 2]; n * self.sums.width], vec![0.0; n]);
        let (mut all, mut high) = (low.clone(), low.clone());
        (0..bins).for_each(|bin| self.add(bin, &mut all));
        let last = if self.cut_axis.ordered { bins - 1 } else { bins };
        for bin in 0..last {
            if !self.cut_axis.ordered {
                low.0.fill([0.0; 2]);
                low.1.fill(0.0);
            }
            self.add(bin, &mut low);
            for (high, (all, low)) in high.0.iter_mut().zip(all.0.iter().zip(&low.0)) {
                *high = [all[0] - low[0], all[1] - low[1]];
            }
            for (high, (all, low)) in high.1.iter_mut().zip(all.1.iter().zip(&low.1)) {
                *high = all - low;
            }
            visit(bin, self.half(&low), self.half(&high));
        }
    }

    fn half<'b>(&self, (gradients, weights): &'b OwnSums) -> Sums<'b> {
        Sums { gradients, weights, width: self.sums.width }
    }

    fn add(&self, bin: usize, (gradients, weights): &mut OwnSums) {
        for (at, (sums, weight)) in gradients.chunks_exact_mut(self.sums.width).zip(weights).enumerate() {
            let cell = self.cell(bin, at);
            for (sum, add) in sums.iter_mut().zip(&self.sums.gradients[cell * self.sums.width..]) {
                *sum = [sum[0] + add[0], sum[1] + add[1]];
            }
            *weight += self.sums.weights[cell];
        }
    }
}
