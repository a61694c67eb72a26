//! What a search came to, for people.

use super::teaching::Taught;
use crate::front::{self, FrontPoint};
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
    /// Candidates of which none other is better, smaller and faster at once, the smallest first; those that keep rows or
    /// deep trees are weighed only where the size of the model is limited.
    pub front: Vec<FrontPoint>,
    /// The teacher that students learnt from, if there was one.
    pub taught: Option<Taught>,
    /// Why trials could not be kept, if they could not.
    pub unkept: Option<String>,
}

impl Searched {
    pub(super) fn of(
        metric: &MetricEntry,
        (schedule, studied): (&Schedule, &Studied),
        taught: Option<Taught>,
    ) -> Searched {
        let [n_before, n_before_repeated] =
            taught.as_ref().map_or([0; 2], |taught| [taught.n_trials, taught.n_repeated]);
        let is_before_repeated = taught.as_ref().is_none_or(|taught| taught.is_repeated);
        let error = |told: &Told| told.outcome.error.unwrap_or(f64::INFINITY);
        let mut leaders: Vec<&Told> = told_of(schedule, studied, usize::MAX).collect();
        // What is too large stands behind what is not.
        let order = |told: &Told| (told.outcome.excess, error(told));
        leaders.sort_by(|a, b| {
            let (a, b) = (order(a), order(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        let told =
            |told: &&Told| (told.trial.describe(), score_of(metric, error(told)), told.outcome.seconds);
        Searched {
            n_trials: n_before + studied.n_trials,
            n_repeated: n_before_repeated + studied.n_repeated,
            is_repeated: is_before_repeated && studied.is_repeated,
            n_known: studied.n_known,
            front: front::points(metric, &front_of(schedule, studied)),
            leaders: leaders.iter().take(SHOWN).map(told).collect(),
            taught,
            unkept: studied.unkept.clone(),
        }
    }
}

/// Of so many trials, those that came to a score, those that were cut off only where the best one was.
fn told_of<'s>(
    schedule: &'s Schedule,
    studied: &Studied,
    n_trials: usize,
) -> impl Iterator<Item = &'s Told> + use<'s> {
    let is_whole = studied.outcome.is_whole;
    schedule
        .told()
        .iter()
        .take(n_trials)
        .filter(move |t| t.outcome.error.is_some() && t.outcome.is_whole == is_whole)
}

/// The front of the trials that a run of as much work gives again.
pub(super) fn front_of<'s>(schedule: &'s Schedule, studied: &Studied) -> Vec<&'s Told> {
    front::front(told_of(schedule, studied, studied.n_repeated))
}

/// The score of an error: what makes one of a score undoes itself.
pub(super) fn score_of(metric: &MetricEntry, error: f64) -> f64 {
    metric.error(error)
}
