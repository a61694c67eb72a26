//! Rows ranked by score, one class against the rest: what `roc_auc`, `average_precision` and the curves share.
//!
//! Rows of equal score make one step, so ties cannot be split by their order.

use crate::entry::Task;
use crate::error::Why;
use crate::observed::Classified;

/// Weights accepted so far, going down the scores.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Step {
    /// The smallest score accepted.
    pub(crate) score: f64,
    /// Of the class.
    pub(crate) hits: f64,
    /// Of the rest.
    pub(crate) false_alarms: f64,
}

/// Cumulated weights after each distinct score, largest score first. At least one step.
pub(crate) struct Ranking {
    pub(crate) class: u32,
    pub(crate) steps: Vec<Step>,
    /// The last step: all rows.
    pub(crate) total: Step,
}

/// Ranks rows by the probability of a class, below `n_classes`. O(n log n).
pub(crate) fn rank(rows: &Classified<'_>, class: u32) -> Ranking {
    let mut ranked: Vec<(f64, f64, bool)> = rows
        .weights()
        .iter()
        .map(|(row, weight)| (rows.probability(row, class as usize), weight, rows.labels()[row] == class))
        .collect();
    // A stable sort: equal scores stay in row order, and so do their sums.
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut steps = Vec::new();
    let mut total = Step::default();
    // `==` and not the bits, so that 0 and -0 are one score.
    for tied in ranked.chunk_by(|a, b| a.0 == b.0) {
        for &(score, weight, hit) in tied {
            total.score = score;
            *(if hit { &mut total.hits } else { &mut total.false_alarms }) += weight;
        }
        steps.push(total);
    }
    Ranking { class, steps, total }
}

/// A binary task: the value of the positive class. A multiclass one: the plain mean over all classes.
pub(crate) fn macro_average(
    rows: &Classified<'_>,
    value: fn(&Ranking) -> Result<f64, Why>,
) -> Result<f64, Why> {
    match rows.task() {
        Task::Binary => value(&rank(rows, rows.positive())),
        Task::Multiclass | Task::Regression => {
            let mut sum = 0.0;
            for class in (0..).take(rows.n_classes()) {
                sum += value(&rank(rows, class))?;
            }
            Ok(sum / rows.n_classes() as f64)
        }
    }
}
