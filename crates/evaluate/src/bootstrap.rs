//! The bootstrap: how far a score would move on other rows of the same kind.
//!
//! Each replicate has a seed of its own and results come back in order, so threads change nothing. A draw is a list of
//! rows with how often each came; that number multiplies the row's weight, which metrics take as repetition.

use ir::digest::SplitMix64;
use jobs::{Seed, Threads};
use metrics::{Classified, ClassifiedParts, Error, Kind, MetricEntry, Observed, Probabilities, Regressed};

/// Replicates: the ends of a 95 % interval are then the fifth values from either side.
pub(crate) const REPLICATES: usize = 200;

/// Rows that a replicate draws at most, so that any table takes seconds.
const MOST_ROWS: usize = 100_000;

/// Probabilities that a replicate holds at most, unless that leaves fewer than `LEAST_ROWS` rows.
const MOST_PROBABILITIES: usize = 400_000;
const LEAST_ROWS: usize = 2_000;

/// The percentile bootstrap interval of a score, 95 %: `[low, high]`.
///
/// 200 times, `m` of the `n` rows are drawn with replacement and scored; the ends are the 2.5 % and 97.5 % quantiles of
/// those scores (interpolated linearly). Up to 100,000 rows `m = n`. Above (and above 400,000 probabilities), `m` stays
/// there, and the quantiles' distances from the score of all rows are shrunk by `sqrt(m / n)`, as errors of a score
/// shrink; this `m`-out-of-`n` form needs no pass over the table a replicate.
/// Replicates without a score (a class that was not drawn) are left out. `None` if the score of all rows is undefined,
/// if fewer than half of the replicates have one, or with fewer than 2 rows or more than `u32` counts.
/// O(200 m log m), on all threads; the same bytes on any number of them.
/// # Errors
/// The metric does not apply to the task.
/// # Source
/// Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13; Bickel, Goetze & van Zwet, Statistica Sinica
/// 7, 1997, for `m < n`.
pub fn score_interval(
    observed: &Observed<'_>,
    metric: &MetricEntry,
    seed: Seed,
    threads: &Threads,
) -> Result<Option<[f64; 2]>, Error> {
    let (Some(score), Some(draws)) = (defined(metric.score(observed))?, Draws::of(observed, seed)) else {
        return Ok(None);
    };
    let scores = draws.replicates(threads, |draw| drawn_score(observed, metric, draw))?;
    Ok(scores.map(|mut scores| {
        scores.iter_mut().for_each(|drawn| *drawn = score + draws.shrink * (*drawn - score));
        scores.sort_by(f64::total_cmp);
        [quantile(&scores, 0.025), quantile(&scores, 0.975)]
    }))
}

/// The score, or `None` where it is undefined.
pub(crate) fn defined(score: Result<f64, Error>) -> Result<Option<f64>, Error> {
    match score {
        Ok(score) => Ok(Some(score)),
        // Only rows of weight 0 were drawn, or weights beyond f64: no score either.
        Err(e) if matches!(e.kind(), Kind::Undefined { .. } | Kind::WeightSum { .. }) => Ok(None),
        Err(e) => Err(e),
    }
}

/// How rows are drawn.
pub(crate) struct Draws {
    n_rows: u32,
    n_drawn: usize,
    /// Rows by falling probability of the positive class: what is drawn in this order needs no long sort.
    order: Option<Vec<u32>>,
    seed: Seed,
    /// What a distance from the score of all rows is multiplied by.
    pub(crate) shrink: f64,
}

impl Draws {
    /// `None` for fewer than 2 rows, or more than `u32` counts.
    pub(crate) fn of(observed: &Observed<'_>, seed: Seed) -> Option<Draws> {
        let n_rows = u32::try_from(observed.n_rows()).ok().filter(|&n| n >= 2)?;
        let (width, order) = match observed {
            Observed::Classified(rows) if rows.n_classes() == 2 => (2, Some(by_probability(rows, n_rows))),
            Observed::Classified(rows) => (rows.n_classes(), None),
            Observed::Regressed(_) => (1, None),
        };
        let most = (MOST_PROBABILITIES / width).clamp(LEAST_ROWS, MOST_ROWS);
        let n_drawn = observed.n_rows().min(most);
        let shrink = (n_drawn as f64 / f64::from(n_rows)).sqrt();
        Some(Draws { n_rows, n_drawn, order, seed, shrink })
    }

    /// What `f` gives for each draw, without those where it gives nothing; `None` if that is most of them.
    pub(crate) fn replicates(
        &self,
        threads: &Threads,
        f: impl Fn(&[Drawn]) -> Result<Option<f64>, Error> + Sync + Send,
    ) -> Result<Option<Vec<f64>>, Error> {
        let all = threads.map(REPLICATES, |replicate| f(&self.draw(replicate as u64)));
        let defined = all.into_iter().filter_map(Result::transpose).collect::<Result<Vec<f64>, Error>>()?;
        Ok(Some(defined).filter(|scores| scores.len() * 2 >= REPLICATES))
    }

    fn draw(&self, replicate: u64) -> Vec<Drawn> {
        let mut random = SplitMix64::new(self.seed.derive("bootstrap", replicate).0);
        let mut places: Vec<u32> = (0..self.n_drawn).map(|_| random.below(self.n_rows)).collect();
        places.sort_unstable();
        let drawn = |same: &[u32]| {
            let place = same[0] as usize;
            let row = self.order.as_ref().map_or(place, |order| order[place] as usize);
            Drawn { row, times: same.len() as f64 }
        };
        places.chunk_by(|a, b| a == b).map(drawn).collect()
    }
}

/// A row and how often it was drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Drawn {
    row: usize,
    times: f64,
}

fn by_probability(rows: &Classified<'_>, n_rows: u32) -> Vec<u32> {
    let probability = |row: u32| rows.probability(row as usize, rows.positive() as usize);
    let mut keyed: Vec<(f64, u32)> = (0..n_rows).map(|row| (probability(row), row)).collect();
    keyed.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    keyed.into_iter().map(|(_, row)| row).collect()
}

/// The score of drawn rows; `None` where it is undefined.
pub(crate) fn drawn_score(
    observed: &Observed<'_>,
    metric: &MetricEntry,
    drawn: &[Drawn],
) -> Result<Option<f64>, Error> {
    let row_weights = match observed {
        Observed::Classified(rows) => rows.row_weights(),
        Observed::Regressed(rows) => rows.row_weights(),
    };
    let weight = |d: &Drawn| d.times * row_weights.map_or(1.0, |weights| weights[d.row]);
    let weights: Vec<f64> = drawn.iter().map(weight).collect();
    defined(match observed {
        Observed::Classified(rows) => {
            let labels: Vec<u32> = drawn.iter().map(|d| rows.labels()[d.row]).collect();
            let predicted: Vec<u32> = drawn.iter().map(|d| rows.predicted()[d.row]).collect();
            let classes = |d: &Drawn| {
                let row = d.row;
                (0..rows.n_classes()).map(move |class| rows.probability(row, class))
            };
            let probabilities: Vec<f64> = drawn.iter().flat_map(classes).collect();
            let parts = ClassifiedParts {
                labels: &labels,
                predicted: &predicted,
                probabilities: Probabilities::F64(&probabilities),
                n_classes: rows.n_classes(),
                positive: Some(rows.positive()),
                row_weights: Some(&weights),
            };
            Classified::try_new(parts).and_then(|rows| metric.score(&Observed::Classified(rows)))
        }
        Observed::Regressed(rows) => {
            let targets: Vec<f64> = drawn.iter().map(|d| rows.targets()[d.row]).collect();
            let predictions: Vec<f64> = drawn.iter().map(|d| rows.predictions()[d.row]).collect();
            Regressed::try_new(&targets, &predictions, Some(&weights))
                .and_then(|rows| metric.score(&Observed::Regressed(rows)))
        }
    })
}

/// The quantile of rising values, at least one, interpolated linearly.
/// # Source  Hyndman & Fan, The American Statistician 50, 1996, definition 7.
fn quantile(rising: &[f64], level: f64) -> f64 {
    let at = level * (rising.len() - 1) as f64;
    let (below, above) = (rising[at.floor() as usize], rising[at.ceil() as usize]);
    below + (above - below) * at.fract()
}

#[cfg(test)]
mod tests;
