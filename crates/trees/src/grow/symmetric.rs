//! Growing one tree level by level, each level by one test.
//!
//! Every leaf of a level is split, also one whose rows all go to one side: the empty side takes the value
//! of the leaf that was split. A path is then as many answers as there are levels, in any order.
//! # Source  Prokhorenkova et al., CatBoost, NeurIPS 2018 (oblivious trees).

use super::part::Spare;
use super::{Grown, Growth, Leaf, RowLists, in_preorder};
use crate::sample::Reuse;
use crate::soil::Soil;
use crate::split::level::best_of_level;

/// Grows a tree from its root until its depth is reached or no test gains anything.
/// Cost: that of as many leaf-wise splits, and `O(leaves * codes)` a level.
pub(super) fn grow(soil: &Soil<'_>, root: Leaf, rows: &mut RowLists, reuse: &mut Reuse) -> Grown {
    let mut growth = Growth::new(root);
    let mut spares: Vec<Spare> = Vec::new();
    loop {
        let may_split = growth.leaves.iter().filter(|leaf| soil.may_split(leaf, 1));
        let view = |leaf| Leaf::view(leaf, &rows.train[leaf.grown.train.clone()], soil.columns.key());
        let views: Vec<_> = may_split.map(view).collect();
        let mut best = best_of_level(soil, &views, reuse);
        if let (true, Some(candidate)) = (reuse.wants_unit(), &best) {
            reuse.set_unit(candidate.gain);
            best = best_of_level(soil, &views, reuse);
        }
        let Some(candidate) = best else { break };
        reuse.mark(candidate.feature, soil.cell_of(&candidate));
        let level: Vec<usize> = (0..growth.leaves.len()).collect();
        growth.leaves.iter_mut().for_each(|leaf| leaf.best = Some(candidate.clone()));
        soil.part_all(&mut growth.leaves, &level, rows, &mut spares, 1, reuse);
        for at in level {
            let Some(sides) = growth.leaves[at].sides.take() else { break };
            growth.split(at, candidate.clone(), *sides);
        }
    }
    in_preorder(&growth.nodes, growth.leaves)
}
