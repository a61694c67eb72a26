//! What a tree is grown from.

use crate::matrix::CodeMatrix;
use crate::packed::Packed;
use crate::rules::SplitRules;
use crate::sample::Columns;
use jobs::Threads;

/// Shape limits of a tree.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) max_leaves: usize,
    /// 0 means no limit.
    pub(crate) max_depth: usize,
    /// Every level asks one test; leaves are then limited by the depth alone.
    pub(crate) symmetric: bool,
}

/// Rows and columns, gradients, and what holds for every split.
pub(crate) struct Soil<'a> {
    pub(crate) codes: &'a CodeMatrix,
    pub(crate) packed: &'a Packed,
    /// Weight of each row; `None` when all weigh 1.
    pub(crate) weights: Option<&'a [f32]>,
    pub(crate) rules: &'a SplitRules,
    pub(crate) limits: &'a Limits,
    pub(crate) columns: &'a Columns,
    pub(crate) threads: &'a Threads,
}

/// Rows from which a leaf of drawn columns, or one of very many, has a histogram of all of them.
const DENSE_ROWS: usize = 1024;

impl Soil<'_> {
    /// Weight of rows; exact for whole weights.
    pub(crate) fn weight(&self, rows: &[u32]) -> f64 {
        match self.weights {
            None => rows.len() as f64,
            Some(weights) => rows.iter().map(|&r| f64::from(weights[r as usize])).sum(),
        }
    }

    /// True if a leaf of so many rows has a histogram of all columns. Where each split looks at a few
    /// drawn ones, the sums of these are taken from the rows; a parent minus its child costs less only
    /// for many rows and columns. In a symmetric tree all leaves of a level have theirs at once.
    pub(crate) fn is_dense(&self, n_rows: usize) -> bool {
        match self.columns {
            Columns::All | Columns::Some(_) => !self.limits.symmetric || n_rows >= DENSE_ROWS,
            // One threshold a column needs no sums by code.
            Columns::PerSplit { .. } if self.rules.random_thresholds => false,
            Columns::PerSplit { n, .. } => n_rows >= DENSE_ROWS && 4 * n >= self.codes.n_features(),
        }
    }
}
