//! What a trial costs: work and memory, counted before or behind it, the same on any machine.

use learn::{Grows, LearnerEntry, StageRounds};
use params::Params;
use recipe::Prepared;

/// What fits cost, in cells that are looked at: rough.
pub(super) fn work(
    learner: &LearnerEntry,
    params: &Params,
    (prepared, n_fits, rounds): (&Prepared<'_>, u32, Option<StageRounds>),
) -> f64 {
    let (rows, columns) = (prepared.rows.len() as f64, prepared.inputs.len() as f64);
    let times = match learner.grows {
        Grows::Rounds => rounds.map_or(100.0, |rounds| f64::from(rounds[0] + rounds[1])),
        Grows::Trees => 2.0 * params.int("n_trees") as f64,
        Grows::Rows => 0.05 * rows,
        Grows::Passes => 30.0,
    };
    f64::from(n_fits) * rows * columns * times
}

/// What fits of a forerunner cost beside so many fits: one on all training rows, and one without each quarter of them.
pub(super) fn work_before(
    learner: &LearnerEntry,
    params: &Params,
    (prepared, n_fits): (&Prepared<'_>, u32),
) -> f64 {
    4.0 * work(learner, params, (prepared, n_fits, None))
}

/// Bytes of a cell of a histogram.
const CELL: u64 = 16;
/// Bytes of a split and its leaf, in the forest that is grown and in the one that is written.
const SPLIT: u64 = 200;

/// Bytes that a trial takes beside the table that is ready for it, on so many threads: rows of gradients, scores and
/// designs, histograms of the leaves that may be split, and the trees of the last fit. Rough, rather too many than too few.
pub(super) fn memory(
    learner: &LearnerEntry,
    params: &Params,
    prepared: &Prepared<'_>,
    n_threads: usize,
) -> u64 {
    let (rows, threads) = (prepared.rows.len() as u64, n_threads as u64);
    let outputs = prepared.target().n_outputs().max(1) as u64;
    let setting = |name: &str| u64::try_from(params.int(name)).unwrap_or(0);
    let by_row = match learner.takes.numbers {
        true => 8 * (prepared.n_features() as u64 + 8 * outputs),
        false => 16 + 32 * outputs,
    };
    let leaves = match setting("max_leaves") {
        // Leaves of a forest are split one after the other.
        _ if learner.grows == Grows::Trees => 32,
        0 => 2,
        n => n.min(rows),
    };
    let histograms = prepared.n_cells() as u64 * CELL * outputs * leaves;
    // None of the others has so many.
    let n_trees = if learner.grows == Grows::Trees { setting("n_trees") } else { 0 };
    let trees = n_trees * (rows / setting("min_leaf_rows").max(1)) * (SPLIT + 8 * outputs);
    (threads * (rows * by_row + histograms)).max(trees)
}
