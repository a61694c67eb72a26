//! `soft_vote`: the mean of probabilities.

use super::ensemble::{Asked, Ensemble, EnsembleEntry, MemberRows, mean_in};
use crate::error::Error;
use ir::Task;
use params::Params;
use recipe::{Combination, Space};

/// The line of the table.
pub(super) static ENTRY: EnsembleEntry = EnsembleEntry {
    name: "soft_vote",
    doc: "the mean of probabilities",
    tasks: &[Task::Binary, Task::Multiclass],
    takes_weights: true,
    asks_columns: false,
    spec: &[],
    ensemble: &SoftVote,
};

struct SoftVote;

impl Ensemble for SoftVote {
    /// `p_k = sum_j w_j p_jk / sum_j w_j`, `w` the user's weights, or 1. O(1).
    /// # Source  Kittler, Hatef, Duin & Matas, On combining classifiers, IEEE TPAMI 1998, section 2 (sum rule).
    fn fit(&self, rows: &MemberRows, asked: &Asked<'_>, _: &Params) -> Result<Combination, Error> {
        mean_in(Space::Probabilities, rows, asked)
    }
}
