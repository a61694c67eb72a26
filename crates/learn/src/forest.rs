//! `forest`: the average of trees, each on rows drawn with replacement, each split on drawn columns.
//!
//! Defaults are scikit-learn's.
//! # Source  Breiman, Random Forests, Machine Learning 45, 2001.

use crate::averages::{
    self, BOOTSTRAP, COLUMN_SHARE, LEAF_BITS, MAX_BINS, MAX_DEPTH, MAX_LEAVES, MIN_LEAF_ROWS, N_TREES,
    SMOOTHING,
};
use crate::{Error, FitInput, Fitted, Grows, Learner, LearnerEntry, Takes};
use ir::Task;
use jobs::{Ctx, Seed};
use params::{Axis, ParamSpec, Params, Scale};

const SPEC: &[ParamSpec] =
    &[N_TREES, BOOTSTRAP, COLUMN_SHARE, MAX_LEAVES, MAX_DEPTH, MIN_LEAF_ROWS, SMOOTHING, MAX_BINS, LEAF_BITS];

/// What a search changes.
const SPACE: &[Axis] = &[
    Axis { name: "max_leaves", scale: Scale::Int(16, 4096) },
    Axis { name: "min_leaf_rows", scale: Scale::Int(1, 32) },
    Axis { name: "column_share", scale: Scale::Even(0.1, 1.0) },
    Axis { name: "smoothing", scale: Scale::Log(0.01, 10.0) },
];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "forest",
    doc: "random forest: the average of trees on drawn rows and columns",
    tasks: Task::LEARNT,
    specs: &[SPEC],
    space: SPACE,
    takes: Takes::CODES,
    floats_are_free: true,
    starts_from_scores: false,
    grows: Grows::Trees,
    learner: &Forest,
};

struct Forest;

impl Learner for Forest {
    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error> {
        averages::fit_many(input, params, false, seed, ctx)
    }
}
