//! How a class is chosen from probabilities: by the largest, by a threshold that a metric likes best, by costs.
//!
//! What is chosen is chosen on rows that no fit had seen: for the score of a fold on the rows of the other folds,
//! for the model on all of them.

use crate::error::Error;
use crate::predictions::{OneTruth, Predictions, Truth};
use ir::fixed::{math, shortest_between};
use learn::Decision;
use metrics::MetricEntry;

/// What mistakes cost, by true and predicted class; gains are negative costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    /// `[n_classes, n_classes]`, rows true, columns predicted, finite.
    matrix: Vec<f64>,
    n_classes: usize,
}

impl Costs {
    /// `matrix: [n_classes, n_classes]`; `None` for another length or numbers that are not finite.
    pub fn try_new(matrix: Vec<f64>, n_classes: usize) -> Option<Costs> {
        let fits = matrix.len() == n_classes * n_classes && matrix.iter().all(|c| c.is_finite());
        fits.then_some(Costs { matrix, n_classes })
    }

    /// Mean cost of a row.
    pub fn mean(&self, truth: &[u32], predicted: &[u32]) -> f64 {
        let cost = |(&y, &p): (&u32, &u32)| self.matrix[y as usize * self.n_classes + p as usize];
        truth.iter().zip(predicted).map(cost).sum::<f64>() / truth.len().max(1) as f64
    }

    /// Mean cost of the rows that a confusion matrix counts, rows true, columns predicted.
    pub fn mean_of(&self, confusion: &[Vec<u64>]) -> f64 {
        let cells = confusion.iter().flatten().map(|&n| n as f64);
        let n_rows: f64 = cells.clone().sum();
        cells.zip(&self.matrix).map(|(n, c)| n * c).sum::<f64>() / n_rows.max(1.0)
    }

    /// The least mean cost that one answer for all rows of a confusion matrix has.
    pub fn of_constant(&self, confusion: &[Vec<u64>]) -> f64 {
        let of_class: Vec<u64> = confusion.iter().map(|row| row.iter().sum()).collect();
        let n_rows = of_class.iter().sum::<u64>() as f64;
        let all = |k: usize| {
            let costs =
                of_class.iter().enumerate().map(|(j, &n)| n as f64 * self.matrix[j * self.n_classes + k]);
            costs.sum::<f64>() / n_rows.max(1.0)
        };
        (0..self.n_classes).map(all).fold(f64::INFINITY, f64::min)
    }

    /// What a row of each class weighs in training: what it costs to take it for another class, on average.
    fn class_weights(&self) -> Vec<f64> {
        let n = self.n_classes;
        let weight = |j: usize| {
            let row = &self.matrix[j * n..(j + 1) * n];
            let others: f64 = (0..n).filter(|&k| k != j).map(|k| row[k] - row[j]).sum();
            (others / (n - 1).max(1) as f64).max(0.0)
        };
        let weights: Vec<f64> = (0..n).map(weight).collect();
        let largest = weights.iter().fold(0.0f64, |m, w| m.max(*w));
        // A class that costs nothing still says where the others are not.
        weights.iter().map(|w| if largest > 0.0 { w.max(1e-3 * largest) } else { 1.0 }).collect()
    }
}

/// What rows weigh by their class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ClassWeights<'a> {
    /// All alike.
    #[default]
    None,
    /// Every class weighs the same.
    Balanced,
    /// By what its mistakes cost.
    Costs(&'a Costs),
}

impl ClassWeights<'_> {
    /// Factors of the classes; the mean over `rows` is 1. `None` if all are 1.
    pub(crate) fn factors(self, labels: &[u32], rows: &[u32], n_classes: usize) -> Option<Vec<f64>> {
        let mut counts = vec![0.0; n_classes];
        rows.iter().for_each(|&row| counts[labels[row as usize] as usize] += 1.0);
        let n = rows.len() as f64;
        let mut factors = match self {
            ClassWeights::None => return None,
            ClassWeights::Balanced => counts.iter().map(|&c: &f64| n / c.max(1.0)).collect(),
            ClassWeights::Costs(costs) => costs.class_weights(),
        };
        let mean = factors.iter().zip(&counts).map(|(f, c)| f * c).sum::<f64>() / n.max(1.0);
        factors.iter_mut().for_each(|f| *f /= mean.max(f64::MIN_POSITIVE));
        Some(factors)
    }
}

/// What a class is chosen for.
#[derive(Clone, Copy, Debug)]
pub struct Aim<'a> {
    /// The metric.
    pub metric: &'static MetricEntry,
    /// What mistakes cost, if that is known.
    pub costs: Option<&'a Costs>,
    /// Factors of the classes in training, which the probabilities hold.
    pub factors: Option<&'a [f64]>,
}

/// Metrics of labels alone, whose best threshold is seldom a half.
const OF_LABELS: &[&str] = &["f1", "f1_macro", "f1_weighted", "balanced_accuracy"];

/// Thresholds that are tried.
const MOST_THRESHOLDS: usize = 200;

impl Aim<'_> {
    /// True if labels hang on more than the largest probability.
    pub fn is_tuned(&self) -> bool {
        self.costs.is_some() || OF_LABELS.contains(&self.metric.name)
    }

    /// The decision that is best on these rows. Ties go to the one nearest to the largest probability.
    ///
    /// # Errors
    /// Truth and probabilities do not fit together.
    pub(crate) fn decide(&self, truth: &Truth, probabilities: &[f64]) -> Result<Decision, Error> {
        if let Truth::Several(each) = truth {
            return self.decide_each(truth, each, probabilities);
        }
        let Truth::Classes { n_classes, .. } = truth else { return Ok(Decision::Largest) };
        if !self.is_tuned() {
            return Ok(Decision::Largest);
        }
        let candidates = if *n_classes == 2 {
            let p: Vec<f64> = probabilities.iter().skip(1).step_by(2).copied().collect();
            thresholds(p).into_iter().map(Decision::AtLeast).collect()
        } else {
            self.costs_to_try(truth, *n_classes)
        };
        // Between decisions only the labels differ.
        let mut tried = Predictions::Classes { probabilities: probabilities.to_vec(), labels: Vec::new() };
        let mut best = (Decision::Largest, self.loss(truth, &mut tried, &Decision::Largest)?);
        for decision in candidates {
            let loss = self.loss(truth, &mut tried, &decision)?;
            if loss < best.1 {
                best = (decision, loss);
            }
        }
        Ok(best.0)
    }

    /// Of several targets that of each, on the rows in which it is known.
    fn decide_each(&self, truth: &Truth, each: &[OneTruth], linked: &[f64]) -> Result<Decision, Error> {
        if !self.is_tuned() {
            return Ok(Decision::Largest);
        }
        let decide = |(k, one): (usize, &OneTruth)| {
            let own = predictions_by(&one.truth, truth.linked_of(linked, k), &Decision::Largest);
            match one.known_with(&own) {
                (truth, Predictions::Classes { probabilities, .. }) => self.decide(&truth, &probabilities),
                _ => Ok(Decision::Largest),
            }
        };
        Ok(Decision::Each(each.iter().enumerate().map(decide).collect::<Result<_, _>>()?))
    }

    /// Several classes: the costs that were given, or powers of how rare classes are.
    fn costs_to_try(&self, truth: &Truth, n: usize) -> Vec<Decision> {
        let Truth::Classes { labels, .. } = truth else { return Vec::new() };
        if let Some(costs) = self.costs {
            // The probabilities lean towards heavy classes; that is taken back.
            let factor = |j: usize| self.factors.map_or(1.0, |f| f[j].max(f64::MIN_POSITIVE));
            let cost = costs.matrix.iter().enumerate().map(|(i, c)| c / factor(i / n)).collect();
            return vec![Decision::LeastCost(cost)];
        }
        let mut counts = vec![1.0f64; n];
        labels.iter().for_each(|&y| counts[y as usize] += 1.0);
        let powers = [0.25, 0.5, 0.75, 1.0];
        let with = |power: f64| {
            let cost =
                |i: usize| if i / n == i % n { 0.0 } else { math::exp(-power * math::log(counts[i / n])) };
            Decision::LeastCost((0..n * n).map(cost).collect())
        };
        powers.map(with).to_vec()
    }

    /// Mean cost, or the error of the metric, of predictions by a decision; infinite where it is not defined.
    fn loss(&self, truth: &Truth, tried: &mut Predictions, decision: &Decision) -> Result<f64, Error> {
        let (
            Truth::Classes { labels: of_rows, n_classes, .. },
            Predictions::Classes { probabilities, labels },
        ) = (truth, &mut *tried)
        else {
            return Ok(0.0);
        };
        *labels = labels_by(probabilities, *n_classes, decision);
        if let Some(costs) = self.costs {
            return Ok(costs.mean(of_rows, labels));
        }
        let score = truth.score(tried, self.metric)?;
        Ok(score.map_or(f64::INFINITY, |s| self.metric.error(s)))
    }
}

/// The classes that a decision chooses.
pub(crate) fn labels_by(probabilities: &[f64], n_classes: usize, decision: &Decision) -> Vec<u32> {
    probabilities.chunks_exact(n_classes.max(1)).map(|p| decision.of(p)).collect()
}

/// What is predicted where a learner gives these probabilities or values.
pub fn predictions_by(truth: &Truth, linked: Vec<f64>, decision: &Decision) -> Predictions {
    match truth {
        Truth::Values(_) => Predictions::Values(linked),
        Truth::Several(each) => {
            let own = |(k, one): (usize, &OneTruth)| {
                predictions_by(&one.truth, truth.linked_of(&linked, k), &decision.of_target(k))
            };
            Predictions::Several(each.iter().enumerate().map(own).collect())
        }
        Truth::Classes { n_classes, .. } => {
            Predictions::Classes { labels: labels_by(&linked, *n_classes, decision), probabilities: linked }
        }
    }
}

/// Short numbers between probabilities that occur, those in the middle first.
fn thresholds(mut p: Vec<f64>) -> Vec<f64> {
    p.sort_unstable_by(f64::total_cmp);
    p.dedup();
    let n = p.len();
    let step = n.div_ceil(MOST_THRESHOLDS).max(1);
    let between = |at: usize| {
        let (low, high) = (p[at - 1], p[at]);
        let quarter = 0.25 * (high - low);
        shortest_between(low + quarter, high - quarter)
    };
    let mut all: Vec<f64> = (1..n).step_by(step).map(between).collect();
    all.sort_by(|a, b| (a - 0.5).abs().total_cmp(&(b - 0.5).abs()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two(labels: &[u32]) -> Truth {
        Truth::Classes { labels: labels.to_vec(), n_classes: 2, positive: Some(1) }
    }

    fn both(p: &[f64]) -> Vec<f64> {
        p.iter().flat_map(|p| [1.0 - p, *p]).collect()
    }

    #[test]
    fn a_threshold_follows_costs_and_metrics() {
        let truth = two(&[0, 0, 0, 0, 1, 0, 1]);
        let p = both(&[0.05, 0.1, 0.12, 0.15, 0.2, 0.3, 0.4]);
        // A missed 1 costs five, a false one 1: both 1s are taken, and one 0 with them.
        let costs = Costs::try_new(vec![0.0, 1.0, 5.0, 0.0], 2).unwrap();
        let metric = metrics::metric("roc_auc").unwrap();
        let aim = Aim { metric, costs: Some(&costs), factors: None };
        let Decision::AtLeast(t) = aim.decide(&truth, &p).unwrap() else { panic!("no threshold") };
        assert!(t > 0.15 && t <= 0.2, "{t}");
        let labels = labels_by(&p, 2, &Decision::AtLeast(t));
        assert_eq!(costs.mean(&[0, 0, 0, 0, 1, 0, 1], &labels), 1.0 / 7.0);
        assert_eq!(costs.of_constant(&[vec![3, 2], vec![0, 2]]), 5.0 / 7.0);
        // F1 likes the same; the area under the curve asks for no threshold.
        let f1 = Aim { metric: metrics::metric("f1").unwrap(), costs: None, factors: None };
        let Decision::AtLeast(t) = f1.decide(&truth, &p).unwrap() else { panic!("no threshold") };
        assert!(t > 0.15 && t <= 0.2, "{t}");
        let auc = Aim { metric, costs: None, factors: None };
        assert_eq!(auc.decide(&truth, &p).unwrap(), Decision::Largest);
    }

    #[test]
    fn rare_classes_are_chosen_for_balanced_accuracy() {
        let labels = vec![0, 0, 0, 0, 0, 0, 1, 2];
        let truth = Truth::Classes { labels: labels.clone(), n_classes: 3, positive: None };
        let p: Vec<f64> =
            [[0.7, 0.2, 0.1]; 6].concat().into_iter().chain([0.5, 0.4, 0.1, 0.5, 0.1, 0.4]).collect();
        let aim = Aim { metric: metrics::metric("balanced_accuracy").unwrap(), costs: None, factors: None };
        let decision = aim.decide(&truth, &p).unwrap();
        assert_eq!(labels_by(&p, 3, &decision), labels);
    }

    #[test]
    fn weights_of_classes() {
        let labels = [0, 0, 0, 1];
        let rows = [0, 1, 2, 3];
        assert_eq!(ClassWeights::None.factors(&labels, &rows, 2), None);
        assert_eq!(ClassWeights::Balanced.factors(&labels, &rows, 2).unwrap(), [4.0 / 6.0, 2.0]);
        let costs = Costs::try_new(vec![0.0, 1.0, 5.0, 0.0], 2).unwrap();
        assert_eq!(ClassWeights::Costs(&costs).factors(&labels, &rows, 2).unwrap(), [0.5, 2.5]);
        assert!(Costs::try_new(vec![0.0, f64::NAN, 5.0, 0.0], 2).is_none());
    }
}
