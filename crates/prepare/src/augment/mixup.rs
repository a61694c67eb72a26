//! `mixup`: rows between two rows of any class, with both targets.

use super::{
    AugmentInput, Augmentation, AugmentationEntry, MadeRows, MadeTarget, Parents, between, most_made,
    words_of_cell,
};
use crate::error::Error;
use crate::random_fourier::unit;
use crate::starts::evenly;
use ir::Task;
use ir::digest::SplitMix64;
use ir::fixed::math;
use params::{ParamSpec, Params, Range, Value};
use trees::Target;

/// The line of the table.
pub(super) static ENTRY: AugmentationEntry = AugmentationEntry {
    name: "mixup",
    doc: "rows between two rows, with both targets",
    tasks: Task::LEARNT,
    spec: SPEC,
    augmentation: &Mixup,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "share",
        aliases: &[],
        default: Value::Real(1.0),
        range: Range::Real { low: 0.0, high: 2.0 },
        doc: "pairs that are mixed, for each training row",
    },
    ParamSpec {
        name: "alpha",
        aliases: &[],
        default: Value::Real(0.2),
        range: Range::Real { low: 0.01, high: 100.0 },
        doc: "how evenly pairs are mixed: both parameters of the beta distribution of the shares",
    },
];

/// The share of a pair's weight below which a label is left out.
const LEAST_SHARE: f64 = 1.0 / 1024.0;
/// Draws of a gamma number that may be refused; each is taken with more than 19 of 20.
const TRIES: usize = 64;

/// Pairs of a row `x` and any training row `y`, mixed as `lambda x + (1 - lambda) y` with `lambda` from
/// `Beta(alpha, alpha)`, or `1 - lambda` where that is larger: either row of a pair may be the first, so the larger
/// share can be that of `x`, and is. A code is rounded, half away from zero; a category is that of `y` with
/// probability `1 - lambda`, for each column by itself. A cell that is missing in either row is that of `x`.
///
/// A number as target is mixed as the cells are. Trees take no mixed labels, so a pair of two classes becomes two rows
/// of the same cells, the label of `x` with weight `lambda w_x` and that of `y` with `(1 - lambda) w_y`, the second
/// left out below 1/1024; the loss of both is the mixed loss of the paper. Other rows weigh
/// `lambda w_x + (1 - lambda) w_y`. At most two pairs for each training row, and 500,000.
/// O(pairs columns).
/// # Source  Zhang, Cisse, Dauphin & Lopez-Paz, ICLR 2018; the larger share first as in MixMatch (Berthelot et al.,
/// NeurIPS 2019, equation 9); deviations: categories are drawn, weighted rows stand for mixed labels.
struct Mixup;

impl Augmentation for Mixup {
    fn make(&self, input: &AugmentInput<'_>, params: &Params) -> Result<MadeRows, Error> {
        let rows = input.training_rows();
        let alpha = params.real("alpha");
        let wanted = (params.real("share") * rows.len() as f64).round() as usize;
        let mut mixed = Mixed::default();
        let mut pair = 0;
        for start in evenly(&rows, wanted.min(most_made(rows.len()) / 2)) {
            for _ in 0..start.n_made {
                let seed = input.seed.derive(ENTRY.name, pair).0;
                pair += 1;
                let mut random = SplitMix64::new(seed);
                let at = random.below(u32::try_from(rows.len()).unwrap_or(u32::MAX));
                let other = rows.get(at as usize).copied().unwrap_or(start.row);
                let lambda = beta(alpha, &mut random);
                mixed.push(input, seed, Pair { from: start.row, other, share: lambda.min(1.0 - lambda) });
            }
        }
        let Mixed { parents, seeds, labels, values } = mixed;
        let code = |column: usize, made: usize| {
            let parents = &parents[made];
            if input.ordered(column) {
                return parents.code(input, column);
            }
            let drawn = words_of_cell(seeds[made], column).unit();
            input.code(column, if drawn < parents.share { parents.other } else { parents.from })
        };
        let made = MadeRows::of(input, &parents, code, |_, values, made| parents[made].number(values));
        let target = match input.target {
            Target::Values(_) | Target::Several(_) => MadeTarget::Values(values),
            Target::Binary(_) | Target::Classes { .. } => MadeTarget::Classes(labels),
        };
        Ok(MadeRows { target, ..made })
    }
}

/// Two rows and the share of the second.
struct Pair {
    from: u32,
    other: u32,
    share: f64,
}

/// Made rows, each with the seed of its pair and its target.
#[derive(Default)]
struct Mixed {
    parents: Vec<Parents>,
    seeds: Vec<u64>,
    labels: Vec<u32>,
    values: Vec<f64>,
}

impl Mixed {
    fn push(&mut self, input: &AugmentInput<'_>, seed: u64, pair: Pair) {
        let Pair { from, other, share } = pair;
        let [own, others] =
            [(from, 1.0 - share), (other, share)].map(|(row, share)| share * f64::from(input.weight(row)));
        let (first, second) = (from as usize, other as usize);
        let mut add = |weight: f64| {
            let weight = weight as f32;
            if weight > 0.0 {
                self.parents.push(Parents { from, other, share, weight });
                self.seeds.push(seed);
            }
            weight > 0.0
        };
        match input.target {
            Target::Values(values) => {
                if add(own + others) {
                    self.values.push(between::number(values[first], values[second], share));
                }
            }
            Target::Binary(labels) | Target::Classes { labels, .. } => {
                if labels[first] == labels[second] {
                    if add(own + others) {
                        self.labels.push(labels[first]);
                    }
                } else {
                    if add(own) {
                        self.labels.push(labels[first]);
                    }
                    if share >= LEAST_SHARE && add(others) {
                        self.labels.push(labels[second]);
                    }
                }
            }
            // Refused before.
            Target::Several(_) => {}
        }
    }
}

/// A draw from `Beta(alpha, alpha)`, `a / (a + b)` of two gamma draws, from the difference of their
/// logarithms: for small `alpha` both would be too small for a double.
fn beta(alpha: f64, random: &mut SplitMix64) -> f64 {
    let a = log_gamma(alpha, random);
    let b = log_gamma(alpha, random);
    math::sigmoid(a - b)
}

/// The logarithm of a draw from `Gamma(shape, 1)`; below a shape of 1 by `Gamma(shape + 1) U^(1 / shape)`.
/// Bits are the same on any machine.
/// # Source  Marsaglia & Tsang, A Simple Method for Generating Gamma Variables, ACM TOMS 26, 2000; deviation: normal
/// numbers are quantiles of uniform ones.
fn log_gamma(shape: f64, random: &mut SplitMix64) -> f64 {
    if shape < 1.0 {
        let larger = log_gamma(shape + 1.0, random);
        return larger + math::log(unit(random)) / shape;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / math::sqrt(9.0 * d);
    for _ in 0..TRIES {
        let x = math::normal_quantile(unit(random));
        let u = unit(random);
        let root = 1.0 + c * x;
        if root <= 0.0 {
            continue;
        }
        let log_v = 3.0 * math::log(root);
        let v = root * root * root;
        if math::log(u) < 0.5 * x * x + d * (1.0 - v + log_v) {
            return math::log(d) + log_v;
        }
    }
    // All refused, about once in 20^64 draws: the middle of the distribution.
    math::log(d)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::laws::{Making, Table, category, ordered};

    /// Mean 1/2 and variance `1 / (4 (2 alpha + 1))`; over 20,000 draws the mean has a deviation of at most
    /// 0.0035, the variance one of at most 1 in 100 of itself: bounds are four of each and more. Seed 7.
    #[test]
    fn beta_has_its_mean_and_variance() {
        for alpha in [0.01, 0.2, 1.0, 3.0, 100.0] {
            let mut random = SplitMix64::new(7);
            let draws: Vec<f64> = (0..20_000).map(|_| beta(alpha, &mut random)).collect();
            assert!(draws.iter().all(|x| (0.0..=1.0).contains(x)), "{alpha}");
            let mean = draws.iter().sum::<f64>() / 20_000.0;
            let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 20_000.0;
            assert!((mean - 0.5).abs() < 0.015, "{alpha}: mean {mean}");
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!(
                (variance - expected).abs() < 0.05 * expected,
                "{alpha}: variance {variance} for {expected}"
            );
        }
    }

    /// Mean and variance of a gamma number are its shape. Over 20,000 draws of shape 4 the mean has a deviation of
    /// 0.014, the variance one of 0.053. Seed 9.
    #[test]
    fn gamma_has_its_mean_and_variance() {
        let mut random = SplitMix64::new(9);
        let draws: Vec<f64> = (0..20_000).map(|_| log_gamma(4.0, &mut random).exp()).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 20_000.0;
        assert!((mean - 4.0).abs() < 0.06, "mean {mean}");
        assert!((variance - 4.0).abs() < 0.22, "variance {variance}");
    }

    fn table() -> Table {
        Table {
            encoders: vec![ordered(10), category(9)],
            codes: vec![(0..8).collect(), (0..8).collect()],
            numbers: vec![Some((0..8).map(f64::from).collect()), None],
            weights: None,
            n_rows: 8,
        }
    }

    #[test]
    fn two_classes_become_two_rows_whose_weights_are_one() {
        let labels = [0, 1, 0, 1, 0, 1, 0, 1];
        let rows: Vec<u32> = (0..8).collect();
        let making = Making { target: Target::Binary(&labels), rows: &rows, seed: 2, n_threads: 1 };
        let made = table().make(&ENTRY, &[("alpha", "100"), ("share", "2")], making).unwrap();
        let MadeTarget::Classes(classes) = &made.target else { panic!("classes in, classes out") };
        let mut at = 0;
        let mut n_split = 0;
        for _ in 0..16 {
            let (from, other) = (made.from[at], made.other[at]);
            assert_eq!(classes[at], labels[from as usize]);
            if labels[from as usize] == labels[other as usize] {
                assert_eq!(made.weights[at], 1.0);
                at += 1;
                continue;
            }
            assert_eq!((made.from[at + 1], made.other[at + 1]), (from, other));
            assert_eq!(classes[at + 1], labels[other as usize]);
            assert!((made.weights[at] + made.weights[at + 1] - 1.0).abs() < 1e-6);
            assert!(made.weights[at] >= made.weights[at + 1]);
            assert!(made.codes.iter().all(|codes| codes[at] == codes[at + 1]));
            (at, n_split) = (at + 2, n_split + 1);
        }
        assert_eq!(at, made.n_rows());
        assert!(n_split > 0);
    }

    /// The target goes as far as the cells.
    #[test]
    fn numbers_are_mixed_as_the_cells_are() {
        let values: Vec<f64> = (0..8).map(|i| 100.0 - 10.0 * f64::from(i)).collect();
        let rows: Vec<u32> = (0..8).collect();
        let making = Making { target: Target::Values(&values), rows: &rows, seed: 2, n_threads: 1 };
        let made = table().make(&ENTRY, &[("alpha", "1")], making).unwrap();
        let MadeTarget::Values(targets) = &made.target else { panic!("numbers in, numbers out") };
        assert_eq!(made.from, [0, 1, 2, 3, 4, 5, 6, 7]);
        for (target, x) in targets.iter().zip(made.numbers[0].as_ref().unwrap()) {
            assert!((target - (100.0 - 10.0 * x)).abs() < 1e-9, "{target} at {x}");
        }
        assert!(made.weights.iter().all(|w| (w - 1.0).abs() < 1e-6));
    }
}
