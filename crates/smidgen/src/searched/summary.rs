//! What a search came to, for people.

use metrics::MetricEntry;
use search::{Schedule, Studied, Told};

/// Trials that a report names.
const SHOWN: usize = 10;

/// What was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Searched {
    /// Trials in all, those of earlier runs among them.
    pub n_trials: usize,
    /// Trials that give the same model again, with `--work`.
    pub n_repeated: usize,
    /// Whether they do: candidates that are better may stand behind one that was cut off.
    pub is_repeated: bool,
    /// Trials of earlier runs.
    pub n_known: usize,
    /// The best trials: what was tried, its score, the seconds that it took.
    pub leaders: Vec<(String, f64, f64)>,
    /// Candidates of which none other is both better and smaller, the smallest first: what was tried, its score out of fold,
    /// its bytes. Empty unless bytes were asked for.
    pub front: Vec<(String, f64, u64)>,
    /// Why trials could not be kept, if they could not.
    pub unkept: Option<String>,
}

impl Searched {
    pub(super) fn of(metric: &MetricEntry, schedule: &Schedule, studied: &Studied) -> Searched {
        let is_whole = studied.outcome.is_whole;
        let is_told = |t: &&Told| t.outcome.error.is_some() && t.outcome.is_whole == is_whole;
        let error = |told: &Told| told.outcome.error.unwrap_or(f64::INFINITY);
        let mut leaders: Vec<&Told> = schedule.told().iter().filter(is_told).collect();
        // What is too large stands behind what is not.
        let order = |told: &Told| (told.outcome.excess, error(told));
        leaders.sort_by(|a, b| {
            let (a, b) = (order(a), order(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        let told =
            |told: &&Told| (told.trial.describe(), score_of(metric, error(told)), told.outcome.seconds);
        Searched {
            n_trials: studied.n_trials,
            n_repeated: studied.n_repeated,
            is_repeated: studied.is_repeated,
            n_known: studied.n_known,
            front: front(metric, &leaders),
            leaders: leaders.iter().take(SHOWN).map(told).collect(),
            unkept: studied.unkept.clone(),
        }
    }
}

/// Of trials, the best one first, those that are smaller than all better ones; the smallest first.
fn front(metric: &MetricEntry, leaders: &[&Told]) -> Vec<(String, f64, u64)> {
    let mut front: Vec<(String, f64, u64)> = Vec::new();
    for told in leaders {
        let (Some(error), Some(bytes)) = (told.outcome.error, told.outcome.bytes) else { continue };
        if front.last().is_none_or(|(.., least)| bytes < *least) {
            front.push((told.trial.describe(), score_of(metric, error), bytes));
        }
    }
    front.reverse();
    front
}

/// The score of an error: what makes one of a score undoes itself.
pub(super) fn score_of(metric: &MetricEntry, error: f64) -> f64 {
    metric.error(error)
}
