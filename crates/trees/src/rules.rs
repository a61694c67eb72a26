//! What splits and leaves must satisfy.
//!
//! The search for a split and the value of a leaf share these numbers, and the soft threshold.

use crate::constraint::Constraints;
use crate::grow::GrownLeaf;
use crate::packed::Packed;

/// What a split must satisfy.
#[derive(Clone, Debug)]
pub(crate) struct SplitRules {
    /// Taken off the size of a sum of gradients.
    pub(crate) l1: f64,
    pub(crate) l2: f64,
    /// Rows at which a leaf's value is half its own and half its parent's; 0: its own.
    pub(crate) path_smoothing: f64,
    pub(crate) min_gain: f64,
    pub(crate) min_leaf_rows: f64,
    pub(crate) min_leaf_hessian: f64,
    /// Rows that a category needs to take part, and the smoothing of its mean gradient.
    pub(crate) cat_smooth: f64,
    /// Added to `l2` for sets of categories.
    pub(crate) cat_l2: f64,
    /// Most categories on the smaller side of a set.
    pub(crate) max_cat_set: usize,
    /// Up to this many categories, each is tried against the rest.
    pub(crate) max_one_vs_rest: usize,
    /// One threshold at random a feature, instead of the best.
    pub(crate) random_thresholds: bool,
    /// Rows that each side of a set of categories needs.
    pub(crate) min_cat_rows: f64,
    pub(crate) constraints: Constraints,
    /// What the gain of each output counts beside those of the others; empty: all alike.
    pub(crate) output_weights: Vec<f64>,
}

impl SplitRules {
    /// Real values of a leaf, one an output.
    /// Own value `w = -T(G) / (H + l2)`, `T` the soft threshold at `l1`; smoothed at `a` rows:
    /// `(n w + a parent) / (n + a)`; then clipped to what the leaf may have. A leaf without rows has its
    /// parent's values.
    pub(crate) fn leaf_values(&self, packed: &Packed, leaf: &GrownLeaf) -> Vec<f64> {
        let GrownLeaf { totals, extra_l2, n_rows, parent, freedom, .. } = leaf;
        let own = totals.iter().enumerate().map(|(k, sum)| {
            let g = soft(sum[0] as f64 * packed.g_step[k], self.l1);
            let h = sum[1] as f64 * packed.h_step[k];
            -g / (h + self.l2 + extra_l2).max(f64::MIN_POSITIVE)
        });
        let mut values: Vec<f64> = own.collect();
        if leaf.train.is_empty() && !parent.is_empty() {
            // An empty side of a symmetric tree.
            values.copy_from_slice(parent);
        } else if self.path_smoothing > 0.0 {
            let a = self.path_smoothing;
            for (w, p) in values.iter_mut().zip(parent) {
                *w = (n_rows * *w + a * p) / (n_rows + a);
            }
        }
        if self.constraints.clip() {
            values.iter_mut().for_each(|w| *w = freedom.clip(*w));
        }
        values
    }
}

/// `x` brought nearer to 0 by `by`, at most to 0.
#[inline]
pub(crate) fn soft(x: f64, by: f64) -> f64 {
    if by == 0.0 { x } else { (x.abs() - by).max(0.0).copysign(x) }
}
