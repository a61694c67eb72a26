//! Parameters of boosting, with what each of them means to a tree.

use crate::Error;
use crate::constraint::Constraints;
use crate::error::Kind;
use crate::matrix::CodeMatrix;
use crate::objective::Loss;
use crate::rules::SplitRules;
use crate::soil::Limits;

/// How many rounds are boosted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounds {
    /// This many, unless nothing is left to learn.
    Exactly(u32),
    /// Until the loss of the other rows has not fallen for `patience` rounds; the best is kept.
    Until {
        /// Rounds without improvement that are endured.
        patience: u32,
        /// Most rounds.
        most: u32,
    },
}

/// Parameters of boosting; ranges are checked by the learner that owns them.
#[derive(Clone, Debug)]
pub struct BoostParams {
    /// Number of rounds.
    pub rounds: Rounds,
    /// A later round is kept only if it lowers the loss of the other rows by more than this share.
    pub round_tolerance: f64,
    /// What is minimised.
    pub loss: Loss,
    /// Factor of each leaf.
    pub learning_rate: f64,
    /// Every level of a tree asks one test, chosen by what it gains in all leaves of the level.
    pub symmetric: bool,
    /// Leaves of a tree; without effect on symmetric ones.
    pub max_leaves: usize,
    /// Splits on a path; 0 means no limit, and 6 for symmetric trees.
    pub max_depth: usize,
    /// Rows (weights) in a leaf.
    pub min_leaf_rows: f64,
    /// Sum of second derivatives in a leaf.
    pub min_leaf_hessian: f64,
    /// Taken off the size of the sum of gradients.
    pub l1: f64,
    /// Added to the sum of second derivatives.
    pub l2: f64,
    /// Least gain of a split.
    pub min_gain: f64,
    /// Share of the rows that a tree is grown on, drawn anew for each, without replacement.
    pub row_share: f64,
    /// Share of these rows that is drawn by the size of their gradients.
    pub gradient_share: f64,
    /// Share of the features that a tree may ask, drawn anew for each.
    pub column_share: f64,
    /// Share of these features that a split looks at, drawn anew for each.
    pub column_share_by_split: f64,
    /// Rows at which a leaf's value is half its own and half its parent's; 0: its own.
    pub path_smoothing: f64,
    /// Cost of a feature that the forest does not ask yet, as a share of the gain of its first split.
    pub feature_reuse: f64,
    /// The same for a threshold.
    pub threshold_reuse: f64,
    /// Largest size of a leaf's value before the learning rate; 0: no limit.
    pub max_step: f64,
    /// By feature, the direction in which the score must go: -1, 0 or 1; empty: none. Numbers only, and
    /// one output a tree.
    pub monotone: Vec<i8>,
    /// Sets of features that may meet on a path; empty: all may. A feature in none of them meets no other.
    pub interactions: Vec<Vec<usize>>,
    /// Bits of a leaf.
    pub leaf_bits: u32,
    /// Several classes: one tree a class and round instead of one tree with a value a class.
    pub one_tree_per_class: bool,
}

/// Most levels of a symmetric tree, whose leaves double with each.
const MOST_LEVELS: usize = 16;

impl BoostParams {
    /// Whole steps on all rows and columns, without penalties, limits of values or of depth.
    pub fn plain(rounds: Rounds) -> BoostParams {
        BoostParams {
            rounds,
            round_tolerance: 0.0,
            loss: Loss::Usual,
            learning_rate: 1.0,
            symmetric: false,
            max_leaves: 31,
            max_depth: 0,
            min_leaf_rows: 1.0,
            min_leaf_hessian: 1e-3,
            l1: 0.0,
            l2: 0.0,
            min_gain: 0.0,
            row_share: 1.0,
            gradient_share: 1.0,
            column_share: 1.0,
            column_share_by_split: 1.0,
            path_smoothing: 0.0,
            feature_reuse: 0.0,
            threshold_reuse: 0.0,
            max_step: 0.0,
            monotone: Vec::new(),
            interactions: Vec::new(),
            leaf_bits: 16,
            one_tree_per_class: false,
        }
    }

    /// Shape limits of a tree.
    ///
    /// # Errors
    /// `SymmetricDepth`.
    pub(super) fn limits(&self) -> Result<Limits, Error> {
        let Self { symmetric, max_leaves, max_depth, .. } = *self;
        if !symmetric {
            return Ok(Limits { max_leaves, max_depth, symmetric });
        }
        if max_depth > MOST_LEVELS {
            return Err(Kind::SymmetricDepth { got: max_depth, most: MOST_LEVELS }.into());
        }
        let max_depth = if max_depth == 0 { 6 } else { max_depth };
        Ok(Limits { max_leaves: usize::MAX, max_depth, symmetric })
    }

    /// What splits and leaves must satisfy, for so many training rows and outputs in one tree. A score of 1
    /// is `unit` within the trees.
    ///
    /// # Errors
    /// `MonotoneOutputs`, `MonotoneCategory`: directions that trees cannot keep.
    pub(super) fn rules(
        &self,
        codes: &CodeMatrix,
        n_train: f64,
        width: usize,
        unit: f64,
    ) -> Result<SplitRules, Error> {
        if let Some(feature) = self.monotone.iter().position(|&m| m != 0) {
            if width > 1 {
                return Err(Kind::MonotoneOutputs { feature, n_outputs: width }.into());
            }
            let unordered =
                |(f, &m): (usize, &i8)| m != 0 && codes.features().get(f).is_some_and(|f| !f.ordered);
            if let Some(feature) = self.monotone.iter().enumerate().position(unordered) {
                return Err(Kind::MonotoneCategory { feature }.into());
            }
        }
        Ok(SplitRules {
            l1: self.l1,
            l2: self.l2,
            path_smoothing: self.path_smoothing,
            min_gain: self.min_gain,
            min_leaf_rows: self.min_leaf_rows,
            min_leaf_hessian: self.min_leaf_hessian,
            // LightGBM's published defaults for categories, but a side of a set needs 100 rows
            // only where there are 10,000.
            cat_smooth: 10.0,
            cat_l2: 10.0,
            max_cat_set: 32,
            max_one_vs_rest: 4,
            random_thresholds: false,
            min_cat_rows: (n_train * 0.01).clamp(self.min_leaf_rows.min(100.0), 100.0),
            constraints: Constraints::new(
                &self.monotone,
                &self.interactions,
                self.max_step * unit,
                codes.n_features(),
            ),
            output_weights: Vec::new(),
        })
    }
}
