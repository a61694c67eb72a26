//! `extra_trees`: the average of trees with random thresholds, each on all rows.
//!
//! Thresholds are uniform in codes; sets of categories are searched as in `forest`. Defaults are
//! scikit-learn's.
//! # Source  Geurts, Ernst, Wehenkel, Extremely Randomized Trees, Machine Learning 63, 2006.

use crate::averages::{
    self, BOOTSTRAP, COLUMN_SHARE, LEAF_BITS, MAX_BINS, MAX_DEPTH, MAX_LEAVES, MIN_LEAF_ROWS, N_TREES,
    SMOOTHING,
};
use crate::{Error, FitInput, Fitted, Grows, Learner, LearnerEntry, Takes};
use ir::Task;
use jobs::{Ctx, Seed};
use params::{Axis, ParamSpec, Params, Scale, Value};

const SPEC: &[ParamSpec] = &[
    N_TREES,
    ParamSpec { default: Value::Word("no"), ..BOOTSTRAP },
    COLUMN_SHARE,
    MAX_LEAVES,
    MAX_DEPTH,
    MIN_LEAF_ROWS,
    SMOOTHING,
    MAX_BINS,
    LEAF_BITS,
];

/// What a search changes.
const SPACE: &[Axis] = &[
    Axis { name: "max_leaves", scale: Scale::Int(16, 4096) },
    Axis { name: "min_leaf_rows", scale: Scale::Int(1, 32) },
    Axis { name: "column_share", scale: Scale::Even(0.1, 1.0) },
    Axis { name: "smoothing", scale: Scale::Log(0.01, 10.0) },
];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "extra_trees",
    doc: "extremely randomized trees: as forest, with thresholds at random",
    tasks: Task::LEARNT,
    specs: &[SPEC],
    space: SPACE,
    takes: Takes::CODES,
    floats_are_free: true,
    starts_from_scores: false,
    grows: Grows::Trees,
    learner: &ExtraTrees,
};

struct ExtraTrees;

impl Learner for ExtraTrees {
    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error> {
        averages::fit_many(input, params, true, seed, ctx)
    }
}
