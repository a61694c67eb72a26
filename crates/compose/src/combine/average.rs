//! `average`: the mean of scores.

use super::ensemble::{Asked, Ensemble, EnsembleEntry, MemberRows, mean_in};
use crate::error::Error;
use ir::Task;
use params::Params;
use recipe::{Combination, Space};

/// The line of the table.
pub(super) static ENTRY: EnsembleEntry = EnsembleEntry {
    name: "average",
    doc: "the mean of scores: of log odds, of logs of shares, of values",
    tasks: &[Task::Binary, Task::Multiclass, Task::Regression],
    takes_weights: true,
    asks_columns: false,
    spec: &[],
    ensemble: &Average,
};

struct Average;

impl Ensemble for Average {
    /// `s = sum_j w_j s_j / sum_j w_j`, `w` the user's weights, or 1. Of probabilities that is their geometric mean,
    /// made to sum up to 1. O(1).
    /// # Source  Genest & Zidek, Combining probability distributions, Statistical Science 1986, section 3.
    fn fit(&self, rows: &MemberRows, asked: &Asked<'_>, _: &Params) -> Result<Combination, Error> {
        mean_in(Space::Scores, rows, asked)
    }
}
