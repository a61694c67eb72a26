//! The front: candidates of which none other is better, smaller and faster at once.

use metrics::MetricEntry;
use recipe::Size;
use search::Told;

/// A point of the front.
#[derive(Clone, Debug, PartialEq)]
pub struct FrontPoint {
    /// Its number, as `--point` takes it: the smallest is 1.
    pub point: usize,
    /// What was tried.
    pub recipe: String,
    /// Its score out of fold; `None` where it is not defined.
    pub score: Option<f64>,
    /// Length of the file.
    pub bytes: u64,
    /// Nanoseconds of a row in a batch, by the table of costs, or half of those of a single row, if they are more.
    pub cost_ns: f64,
    /// Whether it is the model that was written, whose size is exact; of others it is that of a fit on a fold.
    pub is_written: bool,
}

/// Points that people are shown of a front that may be long.
const SHOWN: usize = 8;

/// Of a front, some points around the one that was written.
pub fn around_written(front: &[FrontPoint]) -> &[FrontPoint] {
    let at = front.iter().position(|point| point.is_written).unwrap_or(0);
    let end = (at + 1 + SHOWN / 2).min(front.len()).max(SHOWN.min(front.len()));
    &front[end.saturating_sub(SHOWN)..end]
}

/// What is compared: less is better.
type Marks = [f64; 3];

/// Whether one is at least as good in all, and not the same.
fn beats(one: Marks, other: Marks) -> bool {
    one.iter().zip(&other).all(|(a, b)| a <= b) && one != other
}

fn marks(told: &Told) -> Option<Marks> {
    let Told { outcome, .. } = told;
    Some([outcome.error?, outcome.bytes? as f64, outcome.cost_ns?])
}

/// The trials of the front, the smallest first; of those that are alike the first one.
pub(crate) fn front<'s>(told: impl Iterator<Item = &'s Told>) -> Vec<&'s Told> {
    let mut all: Vec<(Marks, &Told)> = told.filter_map(|told| Some((marks(told)?, told))).collect();
    let of: Vec<Marks> = all.iter().map(|(marks, _)| *marks).collect();
    let mut at = 0;
    all.retain(|(own, _)| {
        at += 1;
        !of.iter().any(|other| beats(*other, *own)) && !of[..at - 1].contains(own)
    });
    all.sort_by(|(a, _), (b, _)| a[1].total_cmp(&b[1]).then(a[2].total_cmp(&b[2])));
    all.into_iter().map(|(_, told)| told).collect()
}

/// The points of trials of the front.
pub(crate) fn points(metric: &MetricEntry, front: &[&Told]) -> Vec<FrontPoint> {
    let point = |(at, told): (usize, &&Told)| FrontPoint {
        point: at + 1,
        recipe: told.trial.describe(),
        // What makes an error of a score undoes itself.
        score: told.outcome.error.map(|error| metric.error(error)),
        bytes: told.outcome.bytes.unwrap_or(0),
        cost_ns: told.outcome.cost_ns.unwrap_or(0.0),
        is_written: false,
    };
    front.iter().enumerate().map(point).collect()
}

/// The front with the model that was written: in the place of its trial, if it is one, or as the last point, beside those
/// that are smaller or faster or better.
pub(crate) fn with_written(
    metric: &MetricEntry,
    front: &[FrontPoint],
    (trial, recipe): (Option<&str>, &str),
    (score, size): (Option<f64>, Size),
) -> Vec<FrontPoint> {
    let error = |score: Option<f64>| score.map_or(f64::INFINITY, |score| metric.error(score));
    let own = [error(score), size.bytes as f64, size.ns];
    let known = front.iter().find(|point| Some(point.recipe.as_str()) == trial).map(|point| point.point);
    let written = FrontPoint {
        point: known.unwrap_or(front.len() + 1),
        recipe: trial.filter(|_| known.is_some()).unwrap_or(recipe).to_owned(),
        score,
        bytes: size.bytes,
        cost_ns: size.ns,
        is_written: true,
    };
    let is_beaten = |point: &&FrontPoint| {
        let of_point = [error(point.score), point.bytes as f64, point.cost_ns];
        known.is_none() && beats(own, of_point)
    };
    let others = front.iter().filter(|point| Some(point.point) != known && !is_beaten(point)).cloned();
    let mut all: Vec<FrontPoint> = others.chain([written]).collect();
    all.sort_by_key(|point| point.point);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use search::{Outcome, Trial};

    fn told(learner: &str, error: f64, bytes: u64, ns: f64) -> Told {
        let trial = Trial { learner: learner.to_owned(), ..Trial::default() };
        let (error, bytes, cost_ns) = (Some(error), Some(bytes), Some(ns));
        Told { trial, outcome: Outcome { error, bytes, cost_ns, ..Outcome::default() } }
    }

    #[test]
    fn a_long_front_is_shown_around_the_written_point() {
        let front = |n: usize, written: usize| -> Vec<FrontPoint> {
            let point = |point| FrontPoint {
                point,
                recipe: String::new(),
                score: None,
                bytes: 0,
                cost_ns: 0.0,
                is_written: point == written,
            };
            (1..=n).map(point).collect()
        };
        for (n, written, first, last) in
            [(1, 1, 1, 1), (8, 8, 1, 8), (20, 1, 1, 8), (20, 5, 2, 9), (20, 10, 7, 14), (20, 20, 13, 20)]
        {
            let all = front(n, written);
            let shown: Vec<usize> = around_written(&all).iter().map(|point| point.point).collect();
            assert_eq!(shown, (first..=last).collect::<Vec<_>>(), "{n} {written}");
        }
        assert!(around_written(&[]).is_empty());
    }

    #[test]
    fn a_front_holds_what_nothing_beats() {
        let all = [
            told("best", 0.1, 900, 50.0),
            told("beaten", 0.2, 901, 50.0),
            told("fast", 0.3, 800, 5.0),
            told("small", 0.3, 100, 80.0),
            told("twin", 0.3, 100, 80.0),
            Told {
                outcome: Outcome { bytes: None, ..told("", 0.0, 1, 1.0).outcome },
                ..told("unknown", 0.0, 1, 1.0)
            },
        ];
        let found = front(all.iter());
        let names: Vec<&str> = found.iter().map(|told| told.trial.learner.as_str()).collect();
        assert_eq!(names, ["small", "fast", "best"]);
        let metric = metrics::metric("accuracy").unwrap();
        let points = points(metric, &found);
        assert_eq!(points[2].score, Some(0.9));
        let numbers = |trial: Option<&str>, written: (Option<f64>, Size)| -> Vec<(usize, bool)> {
            with_written(metric, &points, (trial, "a recipe"), written)
                .iter()
                .map(|p| (p.point, p.is_written))
                .collect()
        };
        // In its place, with its own size.
        let size = Size { bytes: 850, ns: 6.0 };
        assert_eq!(numbers(Some("fast"), (Some(0.7), size)), [(1, false), (2, true), (3, false)]);
        // An ensemble that beats one of them.
        assert_eq!(numbers(None, (Some(0.95), size)), [(1, false), (2, false), (4, true)]);
        assert_eq!(numbers(None, (None, Size { bytes: 1, ns: 1.0 })).len(), 4);
    }
}
