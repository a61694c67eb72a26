//! `tree`: one decision tree.
//!
//! Leaves have five rows and lean on the whole table's mean by one, so that no share is 0 or 1: a tree alone
//! has no others to correct it.
//! # Source  Breiman et al., Classification and Regression Trees, 1984.

use crate::averages::{self, LEAF_BITS, MAX_BINS, MAX_DEPTH, MAX_LEAVES, MIN_LEAF_ROWS, SMOOTHING};
use crate::{Error, FitInput, Fitted, Grows, Learner, LearnerEntry, Takes};
use ir::Task;
use jobs::{Ctx, Seed};
use params::{Axis, ParamSpec, Params, Scale, Value};

const SPEC: &[ParamSpec] = &[
    MAX_LEAVES,
    MAX_DEPTH,
    ParamSpec { default: Value::Int(5), ..MIN_LEAF_ROWS },
    ParamSpec { default: Value::Real(1.0), ..SMOOTHING },
    MAX_BINS,
    LEAF_BITS,
];

/// What a search changes.
const SPACE: &[Axis] = &[
    Axis { name: "max_leaves", scale: Scale::Int(4, 512) },
    Axis { name: "min_leaf_rows", scale: Scale::Int(1, 64) },
];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "tree",
    doc: "a single decision tree",
    tasks: Task::LEARNT,
    specs: &[SPEC],
    space: SPACE,
    takes: Takes::CODES,
    floats_are_free: true,
    starts_from_scores: false,
    grows: Grows::Passes,
    learner: &SingleTree,
};

struct SingleTree;

impl Learner for SingleTree {
    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error> {
        let average = averages::read(params);
        averages::fit(input, &average, seed, ctx)
    }
}
