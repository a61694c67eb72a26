//! What additive terms leave of the target, and how much of it cells explain.
//!
//! Sums run in row order. Targets are scaled to at most 1 and weights to 1 on average, so that no sum leaves the
//! range of doubles and smoothing counts rows.

use super::base::Curve;
use super::cells::Codes;
use crate::target_encode::{targets, weights};
use crate::transform::{StepInput, StepTarget};
use ir::fixed::math;
use std::cmp::Reverse;

/// Rows without an effect that are added to each cell of a curve.
const SMOOTHING: f64 = 10.0;
/// Most times that the curves are fitted in turn, and the share of the squares below which one more gains nothing.
const MOST_CYCLES: usize = 20;
const LEAST_GAIN: f64 = 1e-3;
/// Share of the target's squares below which what is left is the coarseness of curves.
const LEAST_LEFT: f64 = 1e-6;
/// Classes of more than two that are looked at, the most frequent ones.
const MOST_CLASSES: usize = 8;

/// What is left of the target for the rows looked at.
pub(super) struct Residual {
    /// Weight of each row.
    pub(super) weights: Vec<f64>,
    /// What is left of the number of a regression, or of 0 and 1 for the second of two classes, or for each class.
    pub(super) parts: Vec<Vec<f64>>,
    /// `sum w`.
    total: f64,
    /// `sum w^2 / sum w`, 1 where all weigh alike.
    uneven: f64,
    /// The squares that shares are of.
    whole: f64,
    /// `sum w r^2` of all parts.
    left: f64,
}

/// What cells explain of squares: of these, and of noise as it would be of variance 1, its mean and half the
/// variance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Gain {
    pub(super) squares: f64,
    pub(super) mean: f64,
    pub(super) spread: f64,
}

impl Residual {
    /// The target less its mean; none where it does not vary or no row weighs anything.
    pub(super) fn new(input: &StepInput<'_>, target: StepTarget<'_>) -> Option<Residual> {
        let mut parts = answers(input, target);
        let mut weights = weights(input, &parts);
        let n_used = weights.iter().filter(|w| **w > 0.0).count() as f64;
        let unit = n_used / weights.iter().sum::<f64>();
        if !unit.is_finite() {
            return None;
        }
        weights.iter_mut().for_each(|w| *w *= unit);
        let total: f64 = weights.iter().sum();
        for part in &mut parts {
            let used = part.iter().zip(&weights).filter(|(_, w)| **w > 0.0);
            let largest = used.fold(0.0f64, |most, (v, _)| most.max(v.abs()));
            // What weighs nothing may be anything, NaN as well.
            let scaled = |v: f64, w: f64| if w > 0.0 && largest > 0.0 { v / largest } else { 0.0 };
            part.iter_mut().zip(&weights).for_each(|(v, &w)| *v = scaled(*v, w));
            let mean = part.iter().zip(&weights).map(|(v, w)| w * v).sum::<f64>() / total;
            part.iter_mut().for_each(|v| *v -= mean);
        }
        let uneven = weights.iter().map(|w| w * w).sum::<f64>() / total;
        let mut residual = Residual { weights, parts, total, uneven, whole: 0.0, left: 0.0 };
        residual.left = residual.squares();
        residual.whole = residual.left;
        (residual.whole > 0.0).then_some(residual)
    }

    fn squares(&self) -> f64 {
        let of = |part: &Vec<f64>| part.iter().zip(&self.weights).map(|(r, w)| w * r * r).sum::<f64>();
        self.parts.iter().map(of).sum()
    }

    /// Shares are of what is left from here on; false where that is next to nothing.
    pub(super) fn restart(&mut self) -> bool {
        let is_much = self.left > LEAST_LEFT * self.whole;
        self.whole = self.left;
        is_much
    }

    /// What means over cells explain: `sum (sum w r)^2 / (sum w + smoothing)`.
    pub(super) fn cells(&self, codes: &Codes, smoothing: f64) -> Gain {
        let mut weights = vec![0.0f64; codes.n];
        codes.iter().zip(&self.weights).for_each(|(cell, w)| weights[cell] += w);
        let mut squares = 0.0f64;
        for part in &self.parts {
            let mut sums = vec![0.0f64; codes.n];
            let rows = codes.iter().zip(&self.weights).zip(part);
            rows.for_each(|((cell, w), r)| sums[cell] += w * r);
            squares += sums.iter().zip(&weights).map(|(s, w)| s * s / (w + smoothing)).sum::<f64>();
        }
        let shares = || weights.iter().map(|w| w / (w + smoothing));
        // The mean of all is gone, which one cell would explain.
        let mean = (shares().sum::<f64>() - 1.0).max(0.0);
        Gain { squares, mean, spread: shares().map(|s| s * s).sum() }
    }

    /// Squares that a cell explains of noise.
    fn noise(&self) -> f64 {
        self.uneven * self.left / self.total
    }

    /// The share that is explained beyond what chance explains on average; not below 0.
    pub(super) fn likely(&self, gain: &Gain) -> f64 {
        ((gain.squares - self.noise() * gain.mean) / self.whole).max(0.0)
    }

    /// The share that is explained beyond what chance explains but once in `e^doubt` times:
    /// `mean + 2 sqrt(spread doubt) + 2 doubt` of noise.
    /// # Source  Laurent, Massart, Annals of Statistics 28, 2000, lemma 1, on sums of weighted squares of normals.
    pub(super) fn sure(&self, gain: &Gain, doubt: f64) -> f64 {
        let chance = gain.mean + 2.0 * math::sqrt(gain.spread * doubt) + 2.0 * doubt;
        (gain.squares - self.noise() * chance) / self.whole
    }

    /// Fits curves in turn, each to what the others leave, and subtracts them.
    pub(super) fn backfit(&mut self, curves: &[Curve]) {
        let first = self.squares();
        self.left = first;
        for _ in 0..MOST_CYCLES {
            curves.iter().for_each(|curve| self.subtract(curve));
            let before = self.left;
            self.left = self.squares();
            if before - self.left < LEAST_GAIN * first {
                break;
            }
        }
    }

    /// Fits a mean and a slope in each cell, as if [`SMOOTHING`] rows without an effect were spread over it.
    fn subtract(&mut self, curve: &Curve) {
        let places = || curve.codes.iter().zip(&curve.within);
        // Sums of w, w u and w u^2.
        let mut cells = vec![[0.0f64; 3]; curve.codes.n];
        for ((cell, u), w) in places().zip(&self.weights) {
            let [weight, first, second] = &mut cells[cell];
            *weight += w;
            *first += w * u;
            *second += w * u * u;
        }
        for part in &mut self.parts {
            // Sums of w r and w u r.
            let mut sums = vec![[0.0f64; 2]; curve.codes.n];
            for (((cell, u), w), r) in places().zip(&self.weights).zip(part.iter()) {
                let [sum, along] = &mut sums[cell];
                *sum += w * r;
                *along += w * u * r;
            }
            let line = |(&[weight, first, second], &[sum, along]): (&[f64; 3], &[f64; 2])| {
                let centre = if weight > 0.0 { first / weight } else { 0.0 };
                // A place that is spread evenly over -1..1 has a variance of 1 / 3.
                let slope = (along - centre * sum) / (second - centre * first + SMOOTHING / 3.0);
                [sum / (weight + SMOOTHING), slope, centre]
            };
            let lines: Vec<[f64; 3]> = cells.iter().zip(&sums).map(line).collect();
            for ((cell, u), r) in places().zip(part.iter_mut()) {
                let [mean, slope, centre] = lines[cell];
                *r -= mean + slope * (u - centre);
            }
        }
    }
}

/// What is explained, by row looked at.
fn answers(input: &StepInput<'_>, target: StepTarget<'_>) -> Vec<Vec<f64>> {
    let (labels, n) = match target {
        StepTarget::Classes(labels, n) if n > 2 => (labels, n),
        StepTarget::Classes(..) | StepTarget::Values(_) => return targets(input, target),
    };
    let class = |row: &u32| labels.get(*row as usize).copied();
    let mut counts = vec![0u64; n];
    for class in input.rows.iter().filter_map(class) {
        if let Some(count) = counts.get_mut(class as usize) {
            *count += 1;
        }
    }
    let mut order: Vec<u32> = (0..n as u32).collect();
    // The sort is stable.
    order.sort_by_key(|&class| Reverse(counts[class as usize]));
    order.truncate(MOST_CLASSES);
    let of =
        |asked: u32| input.rows.iter().map(|row| f64::from(u8::from(class(row) == Some(asked)))).collect();
    order.into_iter().map(of).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::cells::even_edges;
    use super::*;
    use jobs::{Seed, Threads};

    pub(in crate::construct) fn residual(values: &[f64]) -> Residual {
        let rows: Vec<u32> = (0..values.len() as u32).collect();
        let (threads, seed) = (Threads::one(), Seed(7));
        let input =
            StepInput { columns: &[], rows: &rows, target: None, row_weights: None, seed, threads: &threads };
        Residual::new(&input, StepTarget::Values(values)).unwrap()
    }

    /// Two cells of two rows with sums 2 and -2: each explains 4 / 3.
    #[test]
    fn gains_hand_computed() {
        let of_four = residual(&[4.0, 4.0, 2.0, 2.0]);
        let unit = 0.25;
        assert_eq!(of_four.parts[0], [unit, unit, -unit, -unit]);
        let codes = Codes::of_numbers(&[0.0, 0.0, 1.0, 1.0], &[0.5]);
        let gain = of_four.cells(&codes, 1.0);
        // 1e-12, because sums and divisions are rounded.
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} for {b}");
        near(gain.squares, 8.0 / 3.0 * unit * unit);
        near(gain.mean, 1.0 / 3.0);
        near(gain.spread, 8.0 / 9.0);
        // Noise of the same size explains a quarter of the squares with each unknown.
        near(of_four.likely(&gain), 8.0 / 12.0 - 1.0 / 12.0);
        let chance = 1.0 / 3.0 + 2.0 * (8.0f64 / 9.0 * 0.25).sqrt() + 0.5;
        near(of_four.sure(&gain, 0.25), 8.0 / 12.0 - chance / 4.0);
    }

    #[test]
    fn lines_in_cells_leave_nothing_of_a_line() {
        let x: Vec<f64> = (0..100).map(f64::from).collect();
        let mut left = residual(&x.iter().map(|x| 3.0 * x + 1.0).collect::<Vec<_>>());
        let before = left.squares();
        left.backfit(&[Curve::of_numbers(&x, &even_edges(&x, 4))]);
        assert!(left.squares() < 1e-3 * before);
        assert!(left.restart());
    }
}
