//! `stack_logistic`: a weighted sum of log odds, or of logs of shares, by the log loss.

use super::ensemble::{Asked, Ensemble, EnsembleEntry, MemberRows, mean_in};
use super::stack::{Sign, Stacked, mirror, quadratic_minimum, sums, telling};
use crate::error::Error;
use ir::Task;
use ir::fixed::math;
use jobs::Threads;
use params::{ParamSpec, Params, Range, Value};
use recipe::{Combination, Space, Truth};

/// The line of the table.
pub(super) static ENTRY: EnsembleEntry = EnsembleEntry {
    name: "stack_logistic",
    doc: "a weighted sum of log odds, or of logs of shares, with the least log loss, held near the mean",
    tasks: &[Task::Binary, Task::Multiclass],
    takes_weights: false,
    asks_columns: false,
    spec: SPEC,
    ensemble: &StackLogistic,
};

static SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "l2",
        aliases: &[],
        default: Value::Real(0.01),
        range: Range::Real { low: 1e-6, high: 1e6 },
        doc: "what holds the weights near those of the mean, as a share of the mean loss",
    },
    ParamSpec {
        name: "sign",
        aliases: &[],
        default: Value::Word("non_negative"),
        range: Range::Words(&["any", "non_negative"]),
        doc: "weights that there may be",
    },
];

const MAX_STEPS: usize = 50;
/// A step that gains less, relative to the loss, is the last.
const LEAST_GAIN: f64 = 1e-9;
/// Shares of a step below it are not tried.
const LEAST_SHARE: f64 = 1e-4;

struct StackLogistic;

impl Ensemble for StackLogistic {
    /// `sum_j w_j s_jk + b_k` of the least mean log loss plus `l2 / 2 (sum_j (w_j - 1 / J)^2 + sum_k b_k^2)`, `J`
    /// the members that tell rows apart; others get 0. The penalty leads to the mean of members, the best guess
    /// where rows tell nothing, and keeps all finite where a class has no rows or scores part the classes. Newton
    /// steps, each the minimum within the bounds of `w`, halved until the loss falls. O(n_members^2 n_rows
    /// n_classes + n_rows n_classes^2) a step.
    /// # Source  Ting & Witten, Issues in stacked generalization, JAIR 10, 1999.
    /// Deviations: the log loss of scores, where theirs are squares of probabilities; one weight a member,
    /// where theirs has one for each class; the penalty.
    fn fit(&self, rows: &MemberRows, asked: &Asked<'_>, params: &Params) -> Result<Combination, Error> {
        let sign = if params.word("sign") == "any" { Sign::Any } else { Sign::NonNegative };
        let some = rows.some();
        match some.truth() {
            Truth::Classes { labels, .. } => {
                let fit = Fit::new(&some, labels, params.real("l2"), asked.threads);
                Ok(fit.stacked(sign).combination(rows))
            }
            // Not among its tasks.
            Truth::Values(_) | Truth::Several(_) => mean_in(Space::Scores, rows, asked),
        }
    }
}

/// What is minimised. Unknowns are a weight a member that tells rows apart, then an offset a score.
struct Fit<'a> {
    /// The members that tell rows apart, or all where none does, and their scores.
    members: Vec<(usize, &'a [f64])>,
    rows: &'a MemberRows,
    labels: &'a [u32],
    l2: f64,
    threads: &'a Threads,
}

/// The function at a place.
struct Found {
    loss: f64,
    gradient: Vec<f64>,
    hessian: Vec<f64>,
}

impl<'a> Fit<'a> {
    fn new(rows: &'a MemberRows, labels: &'a [u32], l2: f64, threads: &'a Threads) -> Fit<'a> {
        let mut members = telling(rows);
        if members.is_empty() {
            members = (0..rows.n_members()).collect();
        }
        let members = members.into_iter().map(|member| (member, rows.scores(member))).collect();
        Fit { members, rows, labels, l2, threads }
    }

    fn prior(&self) -> f64 {
        1.0 / self.members.len() as f64
    }

    fn stacked(&self, sign: Sign) -> Stacked {
        let (n_weights, n_offsets) = (self.members.len(), self.rows.n_outputs());
        let mut at = [vec![self.prior(); n_weights], vec![0.0; n_offsets]].concat();
        let mut here = self.found(&at);
        for _ in 0..MAX_STEPS {
            // The quadratic function that is the same to second order: H x = H at - gradient where it is least.
            let lines = here.hessian.chunks_exact(at.len()).zip(&here.gradient);
            let linear =
                |(line, slope): (&[f64], &f64)| line.iter().zip(&at).map(|(h, x)| h * x).sum::<f64>() - slope;
            let linear: Vec<f64> = lines.map(linear).collect();
            let goal = quadratic_minimum(&here.hessian, &linear, sign.bounded(n_weights), at.clone());
            let mut share = 1.0;
            let better = loop {
                let next: Vec<f64> =
                    at.iter().zip(&goal).map(|(from, to)| from + share * (to - from)).collect();
                let there = self.found(&next);
                if there.loss < here.loss {
                    break Some((next, there));
                }
                share *= 0.5;
                if share < LEAST_SHARE {
                    break None;
                }
            };
            let Some((next, there)) = better else { break };
            let gain = here.loss - there.loss;
            (at, here) = (next, there);
            if gain <= LEAST_GAIN * here.loss {
                break;
            }
        }
        let mut weights = vec![0.0; self.rows.n_members()];
        self.members.iter().zip(&at).for_each(|((member, _), w)| weights[*member] = *w);
        Stacked { weights, offsets: at.split_off(n_weights) }
    }

    /// Mean loss with the penalty, its gradient and its Hessian.
    fn found(&self, at: &[f64]) -> Found {
        let (n, n_rows) = (at.len(), self.labels.len());
        let mut sums = sums(n_rows, 1 + n + n * n, self.threads, |rows, sums| {
            let mut row_sums = RowSums::new(self, at, sums);
            rows.for_each(|row| row_sums.add(row));
        });
        sums.iter_mut().for_each(|sum| *sum /= n_rows.max(1) as f64);
        let mut hessian = sums.split_off(1 + n);
        let mut gradient = sums.split_off(1);
        let mut loss = sums[0];
        mirror(&mut hessian, n);
        for (i, (x, slope)) in at.iter().zip(&mut gradient).enumerate() {
            let away = if i < self.members.len() { x - self.prior() } else { *x };
            loss += 0.5 * self.l2 * away * away;
            *slope += self.l2 * away;
            hessian[i * n + i] += self.l2;
        }
        Found { loss, gradient, hessian }
    }
}

/// Sums over rows at a place: the loss, the gradient, the lower half of the Hessian.
struct RowSums<'s> {
    fit: &'s Fit<'s>,
    at: &'s [f64],
    loss: &'s mut f64,
    gradient: &'s mut [f64],
    hessian: &'s mut [f64],
    /// Scores of the row, by member.
    own: Vec<f64>,
    /// The row's sums, then how the loss falls with each.
    slopes: Vec<f64>,
    /// How much each sum curves the loss.
    curvatures: Vec<f64>,
}

impl<'s> RowSums<'s> {
    fn new(fit: &'s Fit<'s>, at: &'s [f64], sums: &'s mut [f64]) -> RowSums<'s> {
        let n_offsets = fit.rows.n_outputs();
        let (first, rest) = sums.split_at_mut(1);
        let (gradient, hessian) = rest.split_at_mut(at.len());
        let own = vec![0.0; fit.members.len() * n_offsets];
        let (slopes, curvatures) = (vec![0.0; n_offsets], vec![0.0; n_offsets]);
        RowSums { fit, at, loss: &mut first[0], gradient, hessian, own, slopes, curvatures }
    }

    /// Adds a row. The loss curves by the weighted covariance of what its sums hang on: weights `p_k`, about the
    /// mean, of several classes; weight `p (1 - p)`, about 0, of two.
    fn add(&mut self, row: usize) {
        let (n, n_weights, n_offsets) = (self.at.len(), self.fit.members.len(), self.slopes.len());
        self.sum_up(row);
        self.link(self.fit.labels[row] as usize);
        let (of_weights, of_offsets) = self.gradient.split_at_mut(n_weights);
        of_offsets.iter_mut().zip(&self.slopes).for_each(|(sum, slope)| *sum += slope);
        for (own, sum) in self.own.chunks_exact_mut(n_offsets).zip(of_weights) {
            *sum += own.iter().zip(&self.slopes).map(|(s, slope)| s * slope).sum::<f64>();
            if n_offsets > 1 {
                let mean: f64 = own.iter().zip(&self.curvatures).map(|(s, p)| s * p).sum();
                own.iter_mut().for_each(|s| *s -= mean);
            }
        }
        let (lines, of_offsets) = self.hessian.split_at_mut(n_weights * n);
        for (i, (a, line)) in self.own.chunks_exact(n_offsets).zip(lines.chunks_exact_mut(n)).enumerate() {
            for (b, sum) in self.own.chunks_exact(n_offsets).zip(&mut line[..=i]) {
                *sum += a.iter().zip(b).zip(&self.curvatures).map(|((a, b), p)| a * b * p).sum::<f64>();
            }
        }
        for (k, (line, p)) in of_offsets.chunks_exact_mut(n).zip(&self.curvatures).enumerate() {
            let (of_weights, of_offsets) = line.split_at_mut(n_weights);
            for (own, sum) in self.own.chunks_exact(n_offsets).zip(of_weights) {
                *sum += p * own[k];
            }
            if n_offsets > 1 {
                of_offsets.iter_mut().zip(&self.curvatures[..=k]).for_each(|(sum, q)| *sum -= p * q);
            }
            of_offsets[k] += p;
        }
    }

    /// The members' scores of a row, and their sums as `slopes`.
    fn sum_up(&mut self, row: usize) {
        let (weights, offsets) = self.at.split_at(self.fit.members.len());
        let n_offsets = offsets.len();
        self.slopes.copy_from_slice(offsets);
        let members = self.fit.members.iter().zip(weights).zip(self.own.chunks_exact_mut(n_offsets));
        for (((_, scores), weight), own) in members {
            own.copy_from_slice(&scores[row * n_offsets..(row + 1) * n_offsets]);
            self.slopes.iter_mut().zip(own.iter()).for_each(|(sum, s)| *sum += weight * s);
        }
    }

    /// Adds the loss of a row; its sums become their slopes, and curvatures beside.
    fn link(&mut self, label: usize) {
        if let [sum] = &mut self.slopes[..] {
            let (y, p) = (f64::from(u8::from(label == 1)), math::sigmoid(*sum));
            *self.loss += sum.max(0.0) + math::log(1.0 + math::exp(-sum.abs())) - y * *sum;
            *sum = p - y;
            self.curvatures.fill(p * (1.0 - p));
            return;
        }
        let largest = self.slopes.iter().fold(f64::NEG_INFINITY, |most, sum| most.max(*sum));
        let of_label = self.slopes.get(label).map_or(0.0, |sum| sum - largest);
        self.slopes.iter_mut().for_each(|sum| *sum = math::exp(*sum - largest));
        let all: f64 = self.slopes.iter().sum();
        *self.loss += math::log(all) - of_label;
        for (k, (slope, p)) in self.slopes.iter_mut().zip(&mut self.curvatures).enumerate() {
            *p = *slope / all;
            *slope = if k == label { *p - 1.0 } else { *p };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recipe::MemberSum;

    fn fit(scores: Vec<Vec<f64>>, n_classes: usize, labels: Vec<u32>, settings: [&str; 2]) -> MemberSum {
        let (n_members, n_outputs) = (scores.len(), if n_classes == 2 { 1 } else { n_classes });
        let truth = Truth::Classes { labels, n_classes, positive: None };
        let rows = MemberRows::try_new(scores, n_outputs, truth).unwrap();
        let threads = Threads::one();
        let metric = metrics::metric("log_loss").unwrap();
        let prices = vec![0.0; n_members];
        let asked =
            Asked { metric, weights: None, prices: &prices, costs: &[], room: None, threads: &threads };
        let settings =
            ["l2", "sign"].iter().zip(settings).map(|(name, value)| ((*name).to_owned(), value.to_owned()));
        let params = ENTRY.params(&settings.collect::<Vec<_>>()).unwrap();
        ENTRY.fit(&rows, &asked, &params).unwrap().sum().unwrap().clone()
    }

    /// Two members on a grid, at each place so many rows of each class as probabilities say: shares are off by at
    /// most `1 / 400`, in both directions alike, so what is found is within a few hundredths of what was meant.
    fn drawn(weights: [f64; 2], offsets: &[f64]) -> (Vec<Vec<f64>>, Vec<u32>) {
        let n = offsets.len();
        let (mut scores, mut labels) = (vec![Vec::new(), Vec::new()], Vec::new());
        for place in 0..81u32 {
            let (a, b) = (f64::from(place % 9) - 4.0, f64::from(place / 9) - 4.0);
            let of_class =
                |k: usize, s: f64, t: f64| if k.is_multiple_of(2) { 0.5 * s } else { -0.4 * s + 0.1 * t };
            let pair: Vec<[f64; 2]> = if n == 1 {
                vec![[0.5 * a, 0.5 * b]]
            } else {
                (0..n).map(|k| [of_class(k, a, b), of_class(k + k / 2, b, a)]).collect()
            };
            let sums: Vec<f64> =
                pair.iter().zip(offsets).map(|(s, o)| weights[0] * s[0] + weights[1] * s[1] + o).collect();
            let sums = if n == 1 { vec![0.0, sums[0]] } else { sums };
            let all: f64 = sums.iter().map(|s| s.exp()).sum();
            let mut before = 0;
            let mut share = 0.0;
            for (class, sum) in sums.iter().enumerate() {
                share += sum.exp() / all;
                let until = (200.0 * share).round() as usize;
                for _ in before..until {
                    labels.push(class as u32);
                    scores[0].extend(pair.iter().map(|s| s[0]));
                    scores[1].extend(pair.iter().map(|s| s[1]));
                }
                before = until;
            }
        }
        (scores, labels)
    }

    fn near(found: &[f64], expected: &[f64], most: f64) {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < most), "{found:?}, not {expected:?}");
    }

    #[test]
    fn known_weights_of_two_classes_are_found() {
        let (scores, labels) = drawn([0.8, 1.4], &[-0.3]);
        let found = fit(scores, 2, labels, ["1e-6", "non_negative"]);
        near(&found.weights, &[0.8, 1.4], 0.03);
        near(&found.offsets, &[-0.3], 0.03);
        assert!(found.space == Space::Scores);
    }

    #[test]
    fn known_weights_of_three_classes_are_found() {
        let offsets = [0.4, -0.1, -0.3];
        let (scores, labels) = drawn([0.7, 1.1], &offsets);
        let found = fit(scores, 3, labels, ["1e-6", "any"]);
        near(&found.weights, &[0.7, 1.1], 0.03);
        // A constant for all classes changes nothing; the penalty makes their sum 0.
        near(&found.offsets, &offsets, 0.03);
    }

    #[test]
    fn signs_are_kept() {
        let (scores, labels) = drawn([0.9, -0.5], &[0.2]);
        let any = fit(scores.clone(), 2, labels.clone(), ["1e-6", "any"]);
        near(&any.weights, &[0.9, -0.5], 0.03);
        let bounded = fit(scores, 2, labels, ["1e-6", "non_negative"]);
        assert!(bounded.weights[0] > 0.5 && bounded.weights[1] == 0.0, "{:?}", bounded.weights);
    }

    #[test]
    fn little_said_is_the_mean() {
        let (mut scores, labels) = drawn([0.8, 1.4], &[-0.3]);
        scores.push(vec![0.7; labels.len()]);
        let found = fit(scores, 2, labels, ["1e6", "non_negative"]);
        near(&found.weights, &[0.5, 0.5, 0.0], 1e-3);
        near(&found.offsets, &[0.0], 1e-3);
        // Members that tell nothing, and a class without rows.
        let found = fit(vec![vec![0.0; 12], vec![1.0; 12]], 3, vec![0, 1, 0, 1], ["0.01", "non_negative"]);
        near(&found.weights, &[0.5, 0.5], 1e-6);
        assert!(
            found.offsets.iter().all(|b| b.is_finite()) && found.offsets[2] < -1.0,
            "{:?}",
            found.offsets
        );
        assert!((found.offsets[0] - found.offsets[1]).abs() < 1e-6, "{:?}", found.offsets);
    }

    /// `l2 = 1`, one row of class 1 with score 0 of one member: `p - 1 + b = 0` for `p = 1 / (1 + e^-b)`.
    #[test]
    fn hand_computed() {
        let found = fit(vec![vec![0.0]], 2, vec![1], ["1", "any"]);
        let b = found.offsets[0];
        assert!((1.0 / (1.0 + (-b).exp()) - 1.0 + b).abs() < 1e-9, "{b}");
        assert_eq!(found.weights, [1.0]);
    }

    #[test]
    fn separable_rows_are_finite() {
        for size in [1e-3, 2.0, 1e6] {
            let found = fit(vec![vec![-size, size], vec![size, size]], 2, vec![0, 1], ["1e-6", "any"]);
            assert!(found.weights[0].is_finite() && found.weights[0] > 0.0, "{size}: {:?}", found.weights);
            assert!(found.offsets[0].is_finite(), "{size}: {:?}", found.offsets);
        }
    }
}
