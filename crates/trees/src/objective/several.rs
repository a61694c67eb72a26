//! Several targets that share trees: each has its own gradients, the trees sum up what all of them gain.
//!
//! A target is one score, so what is known of one holds for each: the same loss, its own starting score. Rows in which it
//! is not known have no gradient of it. Numbers of different sizes are brought to one ([`standardized`]): by a power of
//! two, so that leaves stay whole numbers of the target's own grid, and by what is left of their spreads as weights of
//! gains, so that the choice of a split does not hang on units.

use super::{CHUNK, Loss, Objective, Target};
use crate::packed::Gradient;
use ir::fixed::{exponent, scaled};
use jobs::Threads;

/// One of several targets.
#[derive(Clone, Debug, PartialEq)]
pub struct OneTarget {
    /// Its values in all rows.
    pub values: OneValues,
    /// By row, whether it is known; known in all rows if `None`.
    pub known: Option<Vec<bool>>,
    /// What its loss counts beside those of the others, in the choice of splits and rounds; leaves are its own.
    pub weight: f32,
}

/// The values of one of several targets.
#[derive(Clone, Debug, PartialEq)]
pub enum OneValues {
    /// Class 0 or 1.
    Labels(Vec<u32>),
    /// Numbers.
    Numbers(Vec<f64>),
}

impl OneTarget {
    /// It alone.
    pub fn target(&self) -> Target<'_> {
        match &self.values {
            OneValues::Labels(labels) => Target::Binary(labels),
            OneValues::Numbers(values) => Target::Values(values),
        }
    }

    /// True if it is known in a row.
    pub fn is_known(&self, row: usize) -> bool {
        self.known.as_ref().is_none_or(|known| known[row])
    }

    /// Of these rows, those in which it is known, in their order.
    pub fn known_of(&self, rows: &[u32]) -> Vec<u32> {
        rows.iter().copied().filter(|&row| self.is_known(row as usize)).collect()
    }
}

impl Objective<'_> {
    /// The same loss of one of several targets.
    fn of<'t>(&self, one: &'t OneTarget) -> Objective<'t> {
        Objective { target: one.target(), loss: self.loss }
    }

    /// [`Objective::initial`] of each target over the rows in which it is known; 0 where there are none.
    pub(super) fn initial_of_several(
        &self,
        targets: &[OneTarget],
        rows: &[u32],
        weights: &[f32],
    ) -> Vec<f64> {
        let initial = |one: &OneTarget| {
            let known = one.known_of(rows);
            if known.is_empty() { 0.0 } else { self.of(one).initial(&known, weights)[0] }
        };
        targets.iter().map(initial).collect()
    }

    /// [`Objective::gradients`] of several targets.
    pub(super) fn gradients_of_several(
        &self,
        targets: &[OneTarget],
        score: &(impl Fn(usize, usize) -> f64 + Sync + Send),
        weights: &[f32],
        out: &mut [Gradient],
        threads: &Threads,
    ) {
        let width = targets.len();
        let weight = |one: &OneTarget, row: usize| if one.is_known(row) { weights[row] } else { 0.0 };
        let deltas = match self.loss {
            Loss::Huber { .. } => threads.map(width, |k| {
                let own: Vec<f32> = (0..weights.len()).map(|row| weight(&targets[k], row)).collect();
                self.of(&targets[k]).delta(|row| score(row, k), &own)
            }),
            _ => vec![0.0; width],
        };
        threads.chunks(out, CHUNK * width, |first, out| {
            let (first_row, n) = (first / width, out.len() / width);
            let (mut own, mut own_weights) = (vec![[0.0; 2]; n], vec![0.0; n]);
            for (k, (one, &delta)) in targets.iter().zip(&deltas).enumerate() {
                own_weights.iter_mut().enumerate().for_each(|(i, own)| *own = weight(one, first_row + i));
                let rows = (first_row, &own_weights[..]);
                self.of(one).of_block(|row, _| score(row, k), rows, delta, &mut own);
                out.iter_mut().skip(k).step_by(width).zip(&own).for_each(|(out, own)| *out = *own);
            }
        });
    }

    /// What the gain of each of several targets counts; none where all count alike.
    pub(crate) fn output_weights(&self) -> Vec<f64> {
        match self.target {
            Target::Several(targets) if targets.iter().any(|one| one.weight != 1.0) => {
                targets.iter().map(|one| one.weight.into()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The sum of the losses of several targets.
    pub(super) fn loss_of_several(
        &self,
        targets: &[OneTarget],
        (rows, weights): (&[u32], &[f32]),
        score: &(impl Fn(usize, usize) -> f64 + Sync + Send),
        threads: &Threads,
    ) -> f64 {
        let loss = |(k, one): (usize, &OneTarget)| {
            let of_one = |row: usize, _: usize| score(row, k);
            let loss = self.of(one).loss_of_one(&one.known_of(rows), weights, of_one, threads);
            f64::from(one.weight) * loss
        };
        targets.iter().enumerate().map(loss).sum()
    }
}

/// Targets of numbers at one size, and for each the exponent of two that was taken off; others as they are.
///
/// With `d` the standard deviation over the rows, a number is multiplied by `2^-e` so that `d 2^-e` is in `[0.5, 1)`, or,
/// where all are alike, so that the largest is; its weight is multiplied by `(least / (d 2^-e))^2`, `least` the smallest of
/// these: then all targets gain alike, and copies of one target keep the weight 1. Numbers lose nothing by it.
pub(crate) fn standardized(
    targets: &[OneTarget],
    rows: &[u32],
    weights: &[f32],
) -> (Vec<OneTarget>, Vec<i16>) {
    let spreads: Vec<(i32, f64)> = targets.iter().map(|one| spread(one, rows, weights)).collect();
    let least =
        spreads.iter().map(|(_, size)| *size).filter(|size| *size > 0.0).fold(f64::INFINITY, f64::min);
    let made = targets.iter().zip(&spreads).map(|(one, &(exponent, size))| {
        let values = match &one.values {
            OneValues::Labels(labels) => OneValues::Labels(labels.clone()),
            OneValues::Numbers(values) => {
                OneValues::Numbers(values.iter().map(|&value| scaled(value, -exponent)).collect())
            }
        };
        let ratio = if size > 0.0 { least / size } else { 1.0 };
        OneTarget { values, known: one.known.clone(), weight: one.weight * (ratio * ratio) as f32 }
    });
    (made.collect(), spreads.iter().map(|(exponent, _)| *exponent as i16).collect())
}

/// The exponent of a target's size, and the standard deviation without it; 0 where all values are alike.
fn spread(one: &OneTarget, rows: &[u32], weights: &[f32]) -> (i32, f64) {
    let OneValues::Numbers(values) = &one.values else { return (0, 0.0) };
    let known = one.known_of(rows);
    let pair = |&row: &u32| (values[row as usize], f64::from(weights[row as usize]));
    let largest = known.iter().map(|row| pair(row).0.abs()).fold(0.0, f64::max);
    // Numbers of any size have squares, once they are about 1.
    let of_largest = exponent(largest);
    let first = known.first().map_or(0.0, |row| pair(row).0);
    let away = |value: f64| scaled(value, -of_largest) - scaled(first, -of_largest);
    let (mut sum, mut squares, mut total) = (0.0, 0.0, 0.0);
    for (value, weight) in known.iter().map(pair) {
        sum += weight * away(value);
        total += weight;
    }
    let mean = if total > 0.0 { sum / total } else { 0.0 };
    for (value, weight) in known.iter().map(pair) {
        squares += weight * (away(value) - mean) * (away(value) - mean);
    }
    if squares <= 0.0 {
        return (of_largest, 0.0);
    }
    let deviation = (squares / total).sqrt();
    let own = exponent(deviation);
    (of_largest + own, scaled(deviation, -own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(values: &[f64]) -> OneTarget {
        OneTarget { values: OneValues::Numbers(values.to_vec()), known: None, weight: 1.0 }
    }

    #[test]
    fn targets_of_any_unit_weigh_alike() {
        let values = [1.0, 4.0, -2.0, 0.5, 7.0];
        let other = [3.0, -1.0, 0.25, 2.0, 2.5];
        let (rows, weights) = ([0, 1, 2, 3, 4], [1.0f32; 5]);
        let spread_of = |one: &OneTarget| {
            let (exponent, size) = spread(one, &rows, &weights);
            f64::from(one.weight) * (scaled(size, exponent)).powi(2)
        };
        for unit in [1.0, 1e-200, 3e7, 1e150] {
            let targets = [numbers(&values), numbers(&other.map(|v| v * unit + 5.0 * unit))];
            let (made, exponents) = standardized(&targets, &rows, &weights);
            let [a, b] = [spread_of(&made[0]), spread_of(&made[1])];
            assert!((a - b).abs() < 1e-5 * a && (0.25..1.0).contains(&a), "{unit}: {a} {b}");
            let OneValues::Numbers(small) = &made[1].values else { panic!("numbers") };
            let OneValues::Numbers(large) = &targets[1].values else { panic!("numbers") };
            let back: Vec<f64> = small.iter().map(|&v| scaled(v, exponents[1].into())).collect();
            assert_eq!(&back, large, "{unit}");
        }
        // Copies keep their weights; what is constant has no spread.
        let (made, _) = standardized(&[numbers(&values), numbers(&values)], &rows, &weights);
        assert!(made.iter().all(|one| one.weight == 1.0));
        let (made, _) = standardized(&[numbers(&values), numbers(&[1e9; 5])], &rows, &weights);
        assert!(made.iter().all(|one| one.weight == 1.0));
    }

    #[test]
    fn each_target_has_the_gradients_that_it_has_alone() {
        let labels = |labels: &[u32]| OneValues::Labels(labels.to_vec());
        let known = Some(vec![true, false, true, true]);
        let targets = [
            OneTarget { values: labels(&[1, 0, 0, 1]), known: None, weight: 1.0 },
            OneTarget { values: labels(&[0, 1, 1, 1]), known, weight: 0.5 },
        ];
        let objective = Objective { target: Target::Several(&targets), loss: Loss::Usual };
        let (weights, threads) = ([1.0f32, 2.0, 0.5, 1.0], Threads::one());
        let score = |row: usize, k: usize| ((2 * row + k) as f64).sin();
        let mut out = vec![[0.0; 2]; 8];
        objective.gradients(score, &weights, &mut out, &threads);
        let mut losses = 0.0;
        for (k, one) in targets.iter().enumerate() {
            let alone = Objective { target: one.target(), loss: Loss::Usual };
            let mut own = vec![[0.0; 2]; 4];
            alone.gradients(|row, _| score(row, k), &weights, &mut own, &threads);
            for row in 0..4 {
                let factor = if one.is_known(row) { 1.0 } else { 0.0 };
                assert_eq!(out[2 * row + k], own[row].map(|part| part * factor), "{k} {row}");
            }
            let rows = one.known_of(&[0, 1, 2, 3]);
            losses += f64::from(one.weight) * alone.loss(&rows, &weights, |row, _| score(row, k), &threads);
        }
        let loss = objective.loss(&[0, 1, 2, 3], &weights, score, &threads);
        assert!((loss - losses).abs() < 1e-15);
        let initial = objective.initial(&[0, 1, 2, 3], &weights);
        assert_eq!(initial.len(), 2);
    }
}
