//! Growing one tree level by level, each level by one test.
//!
//! Every leaf of a level is split, also one whose rows all go to one side: the empty side takes the value
//! of the leaf that was split. A path is then as many answers as there are levels, in any order.
//! # Source  Prokhorenkova et al., CatBoost, NeurIPS 2018 (oblivious trees).

use super::{Grown, Growth, Leaf, RowLists, in_preorder};
use crate::histogram::Histogram;
use crate::sample::Reuse;
use crate::soil::Soil;
use crate::split::level::best_of_level;

/// Grows a tree from its root until its depth is reached or no test gains anything.
/// Cost: that of as many leaf-wise splits, and `O(leaves * codes)` a level.
pub(super) fn grow(soil: &Soil<'_>, root: Leaf, rows: &mut RowLists, reuse: &mut Reuse) -> Grown {
    let mut growth = Growth::new(root);
    let mut spare: Vec<Histogram> = Vec::new();
    loop {
        let may_split = growth.leaves.iter().filter(|leaf| soil.may_split(leaf, 1));
        let views: Vec<_> = may_split.map(|leaf| leaf.view(&rows.train, soil.columns.key())).collect();
        let mut best = best_of_level(soil, &views, reuse);
        if let (true, Some(candidate)) = (reuse.wants_unit(), &best) {
            reuse.set_unit(candidate.gain);
            best = best_of_level(soil, &views, reuse);
        }
        let Some(candidate) = best else { break };
        for at in 0..growth.leaves.len() {
            let right = soil.part(&mut growth.leaves[at], &candidate, rows, &mut spare, 1, reuse);
            growth.push(at, candidate.clone(), right);
        }
    }
    in_preorder(&growth.nodes, growth.leaves)
}
