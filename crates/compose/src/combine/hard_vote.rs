//! `hard_vote`: each member has a vote for one class.

use super::ensemble::{Asked, Ensemble, EnsembleEntry, MemberRows, mean_in};
use crate::error::Error;
use ir::Task;
use params::Params;
use recipe::{Combination, Space};

/// The line of the table.
pub(super) static ENTRY: EnsembleEntry = EnsembleEntry {
    name: "hard_vote",
    doc: "a vote of each member for its most probable class; probabilities are shares of votes",
    tasks: &[Task::Binary, Task::Multiclass],
    takes_weights: true,
    asks_columns: false,
    spec: &[],
    ensemble: &HardVote,
};

struct HardVote;

impl Ensemble for HardVote {
    /// `p_k = sum_j w_j [k = argmax_l p_jl] / sum_j w_j`, ties of a member to its first class, of the sum too; `w` the
    /// user's weights, or 1. Codes of classes are never averaged. O(1).
    /// # Source  Kittler, Hatef, Duin & Matas, On combining classifiers, IEEE TPAMI 1998, section 2 (majority vote).
    fn fit(&self, rows: &MemberRows, asked: &Asked<'_>, _: &Params) -> Result<Combination, Error> {
        mean_in(Space::Labels, rows, asked)
    }
}
