//! What probability calibration learnt: a curve for each score, and its integers.
//!
//! Curves are on real scores, so one map serves models of different grids: folds and the model on all rows.
//! It stands apart because whoever makes maps stands above this crate, and whoever writes models in it.

use ir::fixed::{math, power_of_two, round_i32};
use ir::op::{LinkKind, ScoreCurve};
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use learn::{ScoreLink, linked};

/// A function of a real score.
#[derive(Clone, Debug, PartialEq)]
pub enum Curve {
    /// `scale s + offset`.
    Line {
        /// The factor, finite and not below 0.
        scale: f64,
        /// What is added, finite.
        offset: f64,
    },
    /// The polygon through points `(score, value)`, both finite, scores strictly rising, values never falling;
    /// beyond the ends their values.
    Polygon(Vec<(f64, f64)>),
}

/// A curve for each score of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreMap(Vec<Curve>);

/// A map on one grid: what a [`ScoreCurve`] takes.
#[derive(Clone, Debug, PartialEq)]
pub struct MapOnGrid {
    sizes: Vec<i64>,
    knots: Vec<i32>,
    values: Vec<i32>,
}

impl Curve {
    fn is_valid(&self) -> bool {
        match self {
            Curve::Line { scale, offset } => scale.is_finite() && *scale >= 0.0 && offset.is_finite(),
            Curve::Polygon(points) => {
                !points.is_empty()
                    && points.iter().all(|(s, v)| s.is_finite() && v.is_finite())
                    && points.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1)
            }
        }
    }

    /// The value of a score.
    pub fn of(&self, score: f64) -> f64 {
        match self {
            Curve::Line { scale, offset } => scale * score + offset,
            Curve::Polygon(points) => {
                let above = points.partition_point(|(s, _)| *s <= score);
                match (above.checked_sub(1).map(|i| points[i]), points.get(above)) {
                    (Some((s0, v0)), Some((s1, v1))) => v0 + (score - s0) / (s1 - s0) * (v1 - v0),
                    (Some((_, v)), None) | (None, Some(&(_, v))) => v,
                    (None, None) => 0.0,
                }
            }
        }
    }

    /// Points `(votes, value)` of the curve behind the log odds, or the log, of a share: on [`SHARE_POINTS`] logs, evenly
    /// spread, and at its own points between them. Values are in units of `2^-SHARE_SHIFT`.
    fn on_votes(&self, votes: f64, is_odds: bool) -> Vec<(i32, i32)> {
        let (from, to) = if is_odds { (-LOG_LIMIT, LOG_LIMIT) } else { (-LOG_LIMIT, 0.0) };
        let step = (to - from) / (SHARE_POINTS - 1) as f64;
        let mut logs: Vec<f64> = (0..SHARE_POINTS).map(|i| from + step * i as f64).collect();
        if let Curve::Polygon(points) = self {
            logs.extend(points.iter().map(|p| p.0).filter(|log| (from..to).contains(log)));
            logs.sort_by(f64::total_cmp);
        }
        let score = |log: f64| votes * if is_odds { 2.0 * math::sigmoid(log) - 1.0 } else { math::exp(log) };
        let value = |log: f64| self.of(log) * power_of_two(SHARE_SHIFT.into());
        apart(logs.into_iter().map(|log| (round_i32(score(log)), round_i32(value(log)))).collect())
    }

    /// Points `(score, value)` of the curve in units of `2^-shift`, scores strictly rising.
    fn on_grid(&self, shift: i32) -> Vec<(i32, i32)> {
        let grid = power_of_two(shift);
        let points: Vec<(i32, i32)> = match self {
            Curve::Line { scale, offset } => {
                // The longest piece on which scores and values stay within 30 bits, so that the slope is exact to
                // that many; beyond it probabilities have reached their ends.
                const REACH: f64 = (1 << 30) as f64;
                let within = |value: f64| ((value - offset * grid) / scale).clamp(-REACH, REACH);
                let ends = if *scale > 0.0 { [within(-REACH), within(REACH)] } else { [0.0, 0.0] };
                let at = |s: i32| round_i32(scale * f64::from(s) + offset * grid);
                ends.map(round_i32).map(|s| (s, at(s))).to_vec()
            }
            Curve::Polygon(points) => {
                points.iter().map(|(s, v)| (round_i32(s * grid), round_i32(v * grid))).collect()
            }
        };
        apart(points)
    }
}

/// Points of strictly rising scores. Of those that fall together the first one stays, which ends what comes before it,
/// and the last one stands a unit further, where what comes behind it begins: a step stays a step.
fn apart(points: Vec<(i32, i32)>) -> Vec<(i32, i32)> {
    let mut apart: Vec<(i32, i32)> = Vec::with_capacity(points.len());
    let mut was_moved = false;
    for (score, value) in points {
        match apart.last_mut() {
            Some(last) if score <= last.0 => {
                let next = last.0.saturating_add(1);
                if was_moved || last.1 == value || next == last.0 {
                    last.1 = value;
                } else {
                    apart.push((next, value));
                    was_moved = true;
                }
            }
            _ => {
                apart.push((score, value));
                was_moved = false;
            }
        }
    }
    apart
}

impl ScoreMap {
    /// A curve for each score; `None` without any, or if one is not as [`Curve`] says.
    pub fn try_new(curves: Vec<Curve>) -> Option<ScoreMap> {
        (!curves.is_empty() && curves.iter().all(Curve::is_valid)).then_some(ScoreMap(curves))
    }

    /// The curves.
    pub fn curves(&self) -> &[Curve] {
        &self.0
    }

    /// Scores `[n_rows, n_outputs]` through their curves.
    pub fn apply(&self, scores: &mut [f64]) {
        for row in scores.chunks_exact_mut(self.0.len()) {
            row.iter_mut().zip(&self.0).for_each(|(score, curve)| *score = curve.of(*score));
        }
    }

    /// The map in front of a link, and the link behind it: log odds and logs of shares keep theirs, shares of votes
    /// become log odds, or logs. None for links of numbers.
    pub fn on_link(&self, link: &ScoreLink) -> Option<(MapOnGrid, ScoreLink)> {
        let is_odds = self.0.len() == 1;
        match link.kind {
            LinkKind::Logistic | LinkKind::Softmax => Some((self.on_grid(link.shift), *link)),
            LinkKind::Share => {
                let kind = if is_odds { LinkKind::Logistic } else { LinkKind::Softmax };
                let on_votes = |curve: &Curve| curve.on_votes(link.offset.max(1) as f64, is_odds);
                let map = MapOnGrid::of(self.0.iter().map(on_votes));
                Some((map, ScoreLink { kind, shift: SHARE_SHIFT, offset: 0 }))
            }
            LinkKind::Linear | LinkKind::Exponential => None,
        }
    }

    /// The map on a grid of `shift` fraction bits, scores and values alike. Between knots the integers are within
    /// one unit of the curve; a line ends where its scores or values reach `2^30` units.
    pub fn on_grid(&self, shift: i16) -> MapOnGrid {
        MapOnGrid::of(self.0.iter().map(|curve| curve.on_grid(shift.into())))
    }
}

impl MapOnGrid {
    pub(crate) fn of(curves: impl Iterator<Item = Vec<(i32, i32)>>) -> MapOnGrid {
        let mut map = MapOnGrid { sizes: Vec::new(), knots: Vec::new(), values: Vec::new() };
        for points in curves {
            map.sizes.push(points.len() as i64);
            map.knots.extend(points.iter().map(|p| p.0));
            map.values.extend(points.iter().map(|p| p.1));
        }
        map
    }

    /// Integer scores `[n_rows, n_outputs]` through their curves, as the graph computes them.
    pub fn apply(&self, scores: &mut [i32]) {
        ScoreCurve::apply(&self.sizes, &self.knots, &self.values, scores);
    }

    /// Appends the node behind a score.
    ///
    /// # Errors
    /// The graph refuses it: the score has another number of columns.
    pub fn lower(&self, builder: &mut GraphBuilder, score: ValueIdx) -> Result<ValueIdx, ir::Error> {
        let constants = [
            TensorData::I64(self.sizes.clone()),
            TensorData::I32(self.knots.clone()),
            TensorData::I32(self.values.clone()),
        ];
        let mut inputs = vec![score];
        for data in constants {
            inputs.push(builder.constant(Tensor::vector(data))?);
        }
        builder.node(Op::ScoreCurve(ScoreCurve), &inputs)
    }
}

/// Shares nearer to 0 (or to 1, of two classes) than `2^-10` count as that share: votes have no finer log.
const LOG_LIMIT: f64 = 6.93;
/// Points of a curve behind shares: between two of them the log odds are off by less than a hundredth.
const SHARE_POINTS: usize = 65;
/// Fraction bits of log odds that were shares.
const SHARE_SHIFT: i16 = 14;

/// Real scores of integer scores `[n_rows, n_outputs]`: log odds, or logs of shares; of votes those of their share of
/// all votes that there can be. None for links of numbers.
pub fn real_scores(scores: &[i32], link: &ScoreLink, n_outputs: usize) -> Option<Vec<f64>> {
    let unit = power_of_two(-i32::from(link.shift));
    let votes = link.offset.max(1) as f64;
    let log =
        |score: i32| math::log((f64::from(score) / votes).max(f64::MIN_POSITIVE)).clamp(-LOG_LIMIT, 0.0);
    let odds = |score: i32| log_odds((1.0 + f64::from(score) / votes) / 2.0);
    match link.kind {
        LinkKind::Logistic | LinkKind::Softmax => Some(scores.iter().map(|&s| f64::from(s) * unit).collect()),
        LinkKind::Share if n_outputs == 1 => Some(scores.iter().map(|&s| odds(s)).collect()),
        LinkKind::Share => Some(scores.iter().map(|&s| log(s)).collect()),
        LinkKind::Linear | LinkKind::Exponential => None,
    }
}

/// What an ensemble takes of integer scores `[n_rows, n_outputs]`: real scores of classes, else the numbers that people
/// read.
pub fn member_scores(scores: &[i32], link: &ScoreLink, n_outputs: usize) -> Vec<f64> {
    real_scores(scores, link, n_outputs).unwrap_or_else(|| link.apply(scores, n_outputs))
}

/// The log odds of a share of votes.
fn log_odds(share: f64) -> f64 {
    let log = |p: f64| math::log(p.max(f64::MIN_POSITIVE));
    (log(share) - log(1.0 - share)).clamp(-LOG_LIMIT, LOG_LIMIT)
}

/// Probabilities `[n_rows, n_classes]` after a map, computed without rounding; for links of classes. `scores` are the
/// real scores of the integers, `[n_rows, n_outputs]`.
///
/// Probabilities of several classes know the scores of a row only up to a constant, which matters where classes have
/// curves of their own: it is taken from `scores`, whose rounding it is off by.
pub fn mapped_floats(map: &ScoreMap, kind: LinkKind, probabilities: &[f64], scores: &[f64]) -> Vec<f64> {
    let log = |p: f64| math::log(p.clamp(f64::MIN_POSITIVE, 1.0));
    let n = map.0.len();
    if n == 1 {
        let odds = |p: &[f64]| if kind == LinkKind::Share { log_odds(p[1]) } else { log(p[1]) - log(p[0]) };
        let mut odds: Vec<f64> = probabilities.chunks_exact(2).map(odds).collect();
        map.apply(&mut odds);
        return linked(LinkKind::Logistic, odds, 1);
    }
    let least = if kind == LinkKind::Share { -LOG_LIMIT } else { f64::NEG_INFINITY };
    let mut logs: Vec<f64> = probabilities.iter().map(|&p| log(p)).collect();
    for (row, scores) in logs.chunks_exact_mut(n).zip(scores.chunks_exact(n)) {
        let largest = scores.iter().fold(f64::NEG_INFINITY, |m, s| m.max(*s));
        let sum: f64 = scores.iter().map(|s| math::exp(s - largest)).sum();
        let constant = largest + math::log(sum);
        row.iter_mut().for_each(|log| *log = (*log + constant).max(least));
    }
    map.apply(&mut logs);
    linked(LinkKind::Softmax, logs, n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_follow_the_curve() {
        let curves = [
            Curve::Line { scale: 0.37, offset: -1.25 },
            Curve::Line { scale: 250.0, offset: 3.0 },
            Curve::Line { scale: 1.0, offset: 0.0 },
            Curve::Line { scale: 0.0, offset: 0.75 },
            Curve::Polygon(vec![(-2.0, -1.0), (0.0, -0.5), (0.125, 2.0), (3.0, 2.5)]),
        ];
        for curve in curves {
            let map = ScoreMap::try_new(vec![curve.clone()]).unwrap();
            for shift in [8, 14, 20] {
                let grid = power_of_two(shift.into());
                let on_grid = map.on_grid(shift);
                for k in -400..=400 {
                    let real = f64::from(k) * 0.0123;
                    let mut score = [round_i32(real * grid)];
                    let meant = curve.of(f64::from(score[0]) / grid) * grid;
                    if meant.abs() > f64::from(1 << 30) {
                        // Beyond the end of a line.
                        continue;
                    }
                    on_grid.apply(&mut score);
                    let away = (f64::from(score[0]) - meant).abs();
                    assert!(away <= 1.01, "{curve:?} {shift} {real}: {away}");
                }
            }
        }
    }

    #[test]
    fn an_identity_changes_nothing() {
        let map = ScoreMap::try_new(vec![Curve::Line { scale: 1.0, offset: 0.0 }]).unwrap();
        let mut scores = [-1_000_000, -1, 0, 1, 77, 1 << 29];
        map.on_grid(16).apply(&mut scores);
        assert_eq!(scores, [-1_000_000, -1, 0, 1, 77, 1 << 29]);
    }

    #[test]
    fn votes_become_log_odds_and_logs() {
        let curves = [
            Curve::Line { scale: 1.0, offset: 0.0 },
            Curve::Line { scale: 0.6, offset: 0.3 },
            Curve::Polygon(vec![(-3.0, -2.0), (0.5, 0.0), (2.0, 4.0)]),
        ];
        let votes = 12_700;
        for curve in curves {
            let link = ScoreLink { kind: LinkKind::Share, shift: 0, offset: votes };
            let two = ScoreMap::try_new(vec![curve.clone()]).unwrap();
            let scores: Vec<i32> = (-40..=40).map(|i| i * votes as i32 / 40).collect();
            let real = real_scores(&scores, &link, 1).unwrap();
            let (map, behind) = two.on_link(&link).unwrap();
            let mut mapped = scores.clone();
            map.apply(&mut mapped);
            let integers = behind.apply(&mapped, 1);
            let plain = link.apply(&scores, 1);
            let floats = mapped_floats(&two, LinkKind::Share, &plain, &real);
            for (i, (a, b)) in integers.iter().zip(&floats).enumerate() {
                assert!((a - b).abs() < 2e-3, "{curve:?}: {} {a} {b}", scores[i / 2]);
            }
            // Three classes whose votes need not sum up to all that there can be.
            let three = ScoreMap::try_new(vec![curve.clone(); 3]).unwrap();
            let scores = [9000, 3000, 600, 0, 12_700, 0, 4000, 4000, 4000, 1, 2, 12_000];
            let real = real_scores(&scores, &link, 3).unwrap();
            let (map, behind) = three.on_link(&link).unwrap();
            let mut mapped = scores.to_vec();
            map.apply(&mut mapped);
            let integers = behind.apply(&mapped, 3);
            let floats = mapped_floats(&three, LinkKind::Share, &link.apply(&scores, 3), &real);
            for (i, (a, b)) in integers.iter().zip(&floats).enumerate() {
                assert!((a - b).abs() < 5e-3, "{curve:?}: {} {a} {b}", scores[i]);
            }
        }
        let number = ScoreLink { kind: LinkKind::Linear, shift: 3, offset: 0 };
        assert_eq!(real_scores(&[1], &number, 1), None);
    }

    #[test]
    fn points_that_fall_together_stay_a_step() {
        type Points = &'static [(i32, i32)];
        let cases: [(Points, Points); 6] = [
            (&[(0, 0), (0, 5), (9, 9)], &[(0, 0), (1, 5), (9, 9)]),
            // The middle of three goes, and what the next one takes.
            (&[(0, 0), (0, 2), (0, 5), (9, 9)], &[(0, 0), (1, 5), (9, 9)]),
            (&[(0, 0), (0, 2), (1, 5), (9, 9)], &[(0, 0), (1, 5), (9, 9)]),
            (&[(0, 0), (0, 2), (1, 5), (1, 7), (2, 9)], &[(0, 0), (1, 7), (2, 9)]),
            (&[(0, 3), (0, 3), (4, 9)], &[(0, 3), (4, 9)]),
            (&[(i32::MAX, 1), (i32::MAX, 2)], &[(i32::MAX, 2)]),
        ];
        for (points, expected) in cases {
            assert_eq!(apart(points.to_vec()), expected, "{points:?}");
        }
        // Steps as isotonic regression makes them: no value is off by more than a unit of score moves it.
        let points =
            vec![(-1.0, -2.0), (0.3, -2.0), (0.3 + 1e-6, 1.0), (0.9, 1.0), (0.9 + 1e-6, 1.5), (2.0, 1.5)];
        let curve = Curve::Polygon(points);
        let map = ScoreMap::try_new(vec![curve.clone()]).unwrap().on_grid(10);
        for score in -1500..2500 {
            let mut got = [score];
            map.apply(&mut got);
            let real = |score: i32| (curve.of(f64::from(score) / 1024.0) * 1024.0).round() as i32;
            assert!((real(score - 2) - 1..=real(score + 2) + 1).contains(&got[0]), "{score}: {got:?}");
        }
    }

    #[test]
    fn curves_are_checked() {
        let refused = [
            Curve::Line { scale: -0.1, offset: 0.0 },
            Curve::Line { scale: 1.0, offset: f64::NAN },
            Curve::Polygon(Vec::new()),
            Curve::Polygon(vec![(0.0, 1.0), (0.0, 2.0)]),
            Curve::Polygon(vec![(0.0, 1.0), (1.0, 0.5)]),
            Curve::Polygon(vec![(0.0, f64::INFINITY)]),
        ];
        for curve in refused {
            assert_eq!(ScoreMap::try_new(vec![curve.clone()]), None, "{curve:?}");
        }
        assert_eq!(ScoreMap::try_new(Vec::new()), None);
    }
}
