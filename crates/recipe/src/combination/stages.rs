//! Two weighted sums of the same members, of which one answers a row.

use super::member_sum::{MemberSum, SumOnGrids};
use ir::{GraphBuilder, ValueIdx};

/// Weights of members, each stage's by the share of the rows that it answers.
pub(super) fn weights([first, second]: [&MemberSum; 2], passed_on: f64) -> Vec<f64> {
    let both = first.weights.iter().zip(&second.weights);
    both.map(|(first, second)| first * (1.0 - passed_on) + second * passed_on).collect()
}

/// Members that either takes, rising.
pub(super) fn used(stages: [&MemberSum; 2]) -> Vec<usize> {
    let mut used = stages.map(MemberSum::used).concat();
    used.sort_unstable();
    used.dedup();
    used
}

/// A stage on the grids of its members, with their places.
#[derive(Clone, Debug)]
pub(super) struct StageOnGrids {
    pub(super) used: Vec<usize>,
    pub(super) sum: SumOnGrids,
}

impl StageOnGrids {
    /// Its scores of the scores of all members.
    pub(super) fn apply(&self, members: &[&[i32]]) -> Vec<i32> {
        self.sum.apply(&self.used.iter().map(|&at| members[at]).collect::<Vec<&[i32]>>())
    }

    /// Its score of the scores of all members, as a node.
    pub(super) fn lower(
        &self,
        builder: &mut GraphBuilder,
        members: &[ValueIdx],
    ) -> Result<ValueIdx, ir::Error> {
        let own: Vec<ValueIdx> = self.used.iter().filter_map(|&at| members.get(at).copied()).collect();
        self.sum.lower_short(builder, &own)
    }
}
