//! `rank_average`: the mean of ranks.
//!
//! Members whose scores lie on scales of their own are alike once each score is replaced by its rank.

use super::ensemble::{Asked, Ensemble, EnsembleEntry, MemberRows, mean_in};
use crate::calibrate::{ScoredRows, rising};
use crate::error::{Error, Kind};
use ir::Task;
use ir::fixed::link::MAX_SHIFT;
use ir::fixed::{math, power_of_two, round_ties_even};
use params::Params;
use recipe::{Combination, Curve, MemberSum, ScoreMap, Space, Truth};

/// The line of the table.
pub(super) static ENTRY: EnsembleEntry = EnsembleEntry {
    name: "rank_average",
    doc: "the mean of ranks, and what share of rows is positive there",
    tasks: &[Task::Binary],
    takes_weights: true,
    asks_columns: false,
    spec: &[],
    ensemble: &RankAverage,
};

/// Knots of the ranks of a member: between two of them lies less than a hundredth of the rows.
const MOST_KNOTS: usize = 128;
/// Most steps from mean ranks to log odds.
const MOST_BLOCKS: usize = 128;

struct RankAverage;

impl Ensemble for RankAverage {
    /// `sum_j w_j r_j(s_j) / sum_j w_j`, `r_j` the share of rows that member `j` scores lower, ties as a half, by
    /// lines between 128 quantiles; `w` the user's weights, or 1. The isotonic regression of labels on that mean
    /// makes log odds of it, since a mean rank is no probability. O(n_members n_rows log n_rows).
    /// # Source  Ho, Hull & Srihari, Decision combination in multiple classifier systems, IEEE TPAMI 16, 1994
    /// (Borda count). Deviations: ranks are of rows among rows, as there are two classes; the regression.
    fn fit(&self, rows: &MemberRows, asked: &Asked<'_>, _: &Params) -> Result<Combination, Error> {
        let Truth::Classes { labels, .. } = rows.truth() else {
            // Not among its tasks.
            return mean_in(Space::Scores, rows, asked);
        };
        let weights = asked.weights_of(rows.n_members())?;
        let mut combination = MemberSum::mean(Space::Scores, &weights, rows.range());
        let curves = asked.threads.map(rows.n_members(), |at| Curve::Polygon(ranks(rows.scores(at))));
        let mut mean = vec![0.0; rows.n_rows()];
        for (at, (curve, weight)) in curves.iter().zip(&combination.weights).enumerate() {
            mean.iter_mut().zip(rows.scores(at)).for_each(|(mean, score)| *mean += weight * curve.of(*score));
        }
        // No grid of scores is finer; rows of one mean rank have it in whatever order members are added up.
        let unit = power_of_two(MAX_SHIFT.cast_signed());
        mean.iter_mut().for_each(|mean| *mean = round_ties_even(*mean * unit) / unit);
        let after = log_odds(mean, labels)?;
        combination.before = curves.into_iter().map(map).collect::<Result<_, _>>()?;
        combination.after = Some(map(after)?);
        Ok(Combination::Sum(combination))
    }
}

fn map(curve: Curve) -> Result<ScoreMap, Error> {
    let refused = || recipe::Error::from(recipe::Kind::Combination { what: "curves of ranks that rise" });
    Ok(ScoreMap::try_new(vec![curve]).ok_or_else(refused)?)
}

/// Points `(score, rank)` at quantiles: ranks are the share of lower scores and half of that of equal ones.
fn ranks(scores: &[f64]) -> Vec<(f64, f64)> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut points: Vec<(f64, f64)> = Vec::new();
    let mut n_lower = 0;
    // -0 and 0 are one score.
    for equal in sorted.chunk_by(|a, b| a == b) {
        points.push((equal[0], (n_lower as f64 + 0.5 * equal.len() as f64) / scores.len() as f64));
        n_lower += equal.len();
    }
    let (Some(&(_, least)), Some(&(_, most))) = (points.first(), points.last()) else { return points };
    if points.len() <= MOST_KNOTS {
        return points;
    }
    let place = |knot: usize| {
        let share = knot as f64 / (MOST_KNOTS - 1) as f64;
        points.partition_point(|(_, rank)| *rank < least + share * (most - least)).min(points.len() - 1)
    };
    let mut places: Vec<usize> = (0..MOST_KNOTS).map(place).collect();
    places.dedup();
    places.into_iter().map(|at| points[at]).collect()
}

/// The curve from mean ranks to log odds.
fn log_odds(mean: Vec<f64>, labels: &[u32]) -> Result<Curve, Error> {
    let n_rows = labels.len();
    match ScoredRows::try_new(mean, 1, labels.to_vec(), vec![1.0; n_rows]) {
        Ok(rows) => Ok(rising(&rows, MOST_BLOCKS)),
        Err(error) if matches!(error.kind(), Kind::OneClass { .. }) => {
            // The end of a curve that has one: a share of 1 / (n + 2), or all but that.
            let odds = math::log(n_rows as f64 + 1.0);
            let is_second = labels.first() == Some(&1);
            Ok(Curve::Line { scale: 0.0, offset: if is_second { odds } else { -odds } })
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobs::Threads;

    fn fit(scores: &[&[f64]], labels: &[u32], weights: Option<&[f64]>) -> MemberSum {
        let truth = Truth::Classes { labels: labels.to_vec(), n_classes: 2, positive: None };
        let rows = MemberRows::try_new(scores.iter().map(|s| s.to_vec()).collect(), 1, truth).unwrap();
        let threads = Threads::one();
        let prices = vec![0.0; scores.len()];
        let metric = metrics::metric("roc_auc").unwrap();
        let asked = Asked { metric, weights, prices: &prices, costs: &[], room: None, threads: &threads };
        ENTRY.fit(&rows, &asked, &ENTRY.params(&[]).unwrap()).unwrap().sum().unwrap().clone()
    }

    #[test]
    fn ranks_hand_computed() {
        assert_eq!(ranks(&[3.0, 1.0, 2.0, 2.0]), [(1.0, 0.125), (2.0, 0.5), (3.0, 0.875)]);
        assert_eq!(ranks(&[7.0; 5]), [(7.0, 0.5)]);
        assert_eq!(ranks(&[0.0, -0.0]).len(), 1);
    }

    #[test]
    fn many_ranks_are_some_quantiles() {
        let scores: Vec<f64> = (0..10_000).map(|i| f64::from(i * 7919 % 10_000)).collect();
        let points = ranks(&scores);
        assert!(points.len() <= MOST_KNOTS && points.len() > 100, "{}", points.len());
        assert!(points[0] == (0.0, 0.00005) && points[points.len() - 1] == (9999.0, 0.99995), "{points:?}");
        assert!(points.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
        let curve = Curve::Polygon(points);
        assert!((0..10_000).all(|i| (curve.of(f64::from(i)) - (f64::from(i) + 0.5) / 10_000.0).abs() < 1e-9));
        // Most rows have one score: few quantiles are left, both ends among them.
        let scores: Vec<f64> = (0..10_000).map(|i| f64::from((i - 9_000).max(0))).collect();
        let points = ranks(&scores);
        assert!(points[0] == (0.0, 0.45005) && points[points.len() - 1].0 == 999.0, "{points:?}");
    }

    #[test]
    fn hand_computed() {
        // Ranks 1/8, 3/8, 5/8, 7/8; the 1 of the second row is pooled with the 0 of the third.
        let found = fit(&[&[1.0, 2.0, 3.0, 4.0]], &[0, 1, 0, 1], None);
        assert_eq!(found.weights, [1.0]);
        let [Curve::Polygon(points)] = found.after.as_ref().unwrap().curves() else { panic!("no polygon") };
        // Shares are kept 1/6 away from 0 and 1.
        let most = 5f64.ln();
        let expected = [(0.125, -most), (0.375, 0.0), (0.625, 0.0), (0.875, most)];
        assert!(
            points.iter().zip(expected).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 1e-12),
            "{points:?}"
        );
        assert_eq!(points.len(), 4);
    }

    #[test]
    fn scales_do_not_matter_and_weights_do() {
        let a = [-3.0, 0.5, 0.7, 2.0, -1.0, 4.0];
        let b: Vec<f64> = a.iter().map(|x: &f64| 1e3 * x.exp() - 7.0).collect();
        let labels = [0, 0, 1, 1, 0, 1];
        let both = fit(&[&a, &b], &labels, None);
        assert_eq!(both.weights, [0.5, 0.5]);
        assert_eq!(both.after, fit(&[&a], &labels, None).after);
        // A member without weight changes nothing.
        let turned: Vec<f64> = a.iter().map(|x| -x).collect();
        let found = fit(&[&a, &turned], &labels, Some(&[3.0, 0.0]));
        assert_eq!((found.weights, found.after), (vec![1.0, 0.0], both.after));
    }

    #[test]
    fn one_class_alone_is_a_constant() {
        let found = fit(&[&[1.0, 2.0, 3.0]], &[1, 1, 1], None);
        let curve = found.after.unwrap().curves()[0].clone();
        assert!((curve.of(0.2) - 4f64.ln()).abs() < 1e-12 && curve.of(0.9) == curve.of(0.1), "{curve:?}");
    }
}
