//! `ebm`: explainable boosting machine: a sum of one table a column and one a pair of columns.
//!
//! Each table is boosted in turn with tiny trees on its own column ([`trees::additive()`]), so a prediction can be
//! read as a sum. Deployed are the tables, rounded, without edges between equal neighbours.
//! # Source  Lou, Caruana, Gehrke & Hooker, KDD 2013; Nori et al., InterpretML, 2019.

use crate::additive_tables::{RealTables, RealTerm, TableColumn};
use crate::naive_bayes::TABLE_BITS;
use crate::{Error, FitInput, Fitted, Grows, Learner, LearnerEntry, Takes, averages};
use ir::Task;
use jobs::{Ctx, Seed};
use params::{Axis, ParamSpec, Params, Range, Scale, Value};
use std::collections::BTreeMap;
use trees::{AdditiveParams, Rounds, Rows, additive};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "n_rounds",
        aliases: &[],
        default: Value::Int(0),
        range: Range::Int { low: 0, high: 100_000 },
        doc: "rounds over all columns, and over all pairs; 0: as many as rows held back ask for",
    },
    ParamSpec {
        name: "max_rounds",
        aliases: &["n_estimators", "max_iter"],
        default: Value::Int(2000),
        range: Range::Int { low: 1, high: 100_000 },
        doc: "most rounds when n_rounds is 0",
    },
    ParamSpec {
        name: "patience",
        aliases: &["early_stopping_rounds"],
        default: Value::Int(50),
        range: Range::Int { low: 1, high: 100_000 },
        doc: "rounds without a better loss of the rows held back before boosting stops, when n_rounds is 0",
    },
    ParamSpec {
        name: "learning_rate",
        aliases: &["eta"],
        default: Value::Real(0.05),
        range: Range::Real { low: 1e-4, high: 1.0 },
        doc: "factor of each leaf",
    },
    ParamSpec {
        name: "max_leaves",
        aliases: &[],
        default: Value::Int(3),
        range: Range::Int { low: 2, high: 64 },
        doc: "leaves of a tree on one column",
    },
    ParamSpec {
        name: "min_leaf_rows",
        aliases: &["min_samples_leaf", "min_data_in_leaf"],
        default: Value::Int(4),
        range: Range::Int { low: 1, high: 1_000_000_000 },
        doc: "rows (weights) in a leaf",
    },
    ParamSpec {
        name: "l2",
        aliases: &["reg_lambda"],
        default: Value::Real(0.0),
        range: Range::Real { low: 0.0, high: 1e9 },
        doc: "added to the sum of second derivatives of a leaf",
    },
    ParamSpec {
        name: "pairs",
        aliases: &["interactions", "n_pairs"],
        default: Value::Int(10),
        range: Range::Int { low: 0, high: 1000 },
        doc: "most tables of pairs of columns",
    },
    ParamSpec {
        name: "bags",
        aliases: &["outer_bags"],
        default: Value::Int(1),
        range: Range::Int { low: 1, high: 100 },
        doc: "fits that are averaged, each on 85 % of the rows; 1: one fit on all of them",
    },
    averages::MAX_BINS,
    ParamSpec { default: Value::Int(12), ..TABLE_BITS },
];

/// What a search changes.
const SPACE: &[Axis] = &[
    Axis { name: "learning_rate", scale: Scale::Log(0.005, 0.2) },
    Axis { name: "max_leaves", scale: Scale::Int(2, 8) },
    Axis { name: "min_leaf_rows", scale: Scale::Int(1, 64) },
    Axis { name: "pairs", scale: Scale::Int(0, 40) },
];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "ebm",
    doc: "explainable boosting machine: tables of columns and of pairs",
    tasks: Task::LEARNT,
    specs: &[SPEC],
    space: SPACE,
    takes: Takes::CODES,
    floats_are_free: true,
    starts_from_scores: false,
    grows: Grows::Rounds,
    learner: &Ebm,
};

struct Ebm;

impl Learner for Ebm {
    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error> {
        let int = |name: &str| u32::try_from(params.int(name)).unwrap_or(0);
        // The rows held back choose the rounds; a fit on all rows has none, and takes those of the folds.
        let [rounds, pair_rounds] = match (int("n_rounds"), input.rounds) {
            (0, Some(found)) => found.map(Rounds::Exactly),
            (0, None) => [Rounds::Until { patience: int("patience"), most: int("max_rounds") }; 2],
            (n, _) => [Rounds::Exactly(n); 2],
        };
        let asked = AdditiveParams {
            rounds,
            pair_rounds,
            learning_rate: params.real("learning_rate"),
            max_leaves: int("max_leaves") as usize,
            min_leaf_rows: f64::from(int("min_leaf_rows")),
            l2: params.real("l2"),
            n_pairs: int("pairs") as usize,
            n_bags: int("bags"),
        };
        let rows = Rows { train: input.rows.train.clone(), others: input.rows.others.clone() };
        let made = additive(input.codes, &input.target, input.row_weights, rows, &asked, seed, ctx)?;
        // A feature has a column for its own table and another for pairs, whose bins are coarser.
        let mut places: BTreeMap<(usize, bool), usize> = BTreeMap::new();
        for term in &made.terms {
            let (a, b) = term.features;
            let features = [Some(a), b].into_iter().flatten();
            features.for_each(|f| _ = places.insert((f, b.is_some()), 0));
        }
        places.values_mut().enumerate().for_each(|(at, place)| *place = at);
        let terms = made.terms.into_iter().map(|term| {
            let (a, b) = term.features;
            RealTerm { a: places[&(a, b.is_some())], b: b.map(|b| places[&(b, true)]), values: term.values }
        });
        let tables = RealTables {
            terms: terms.collect(),
            columns: places.keys().map(|&(feature, _)| TableColumn::of_study(&input, feature)).collect(),
            intercepts: made.intercepts,
        };
        let fitted = tables.fitted(&input, int(TABLE_BITS.name));
        Ok(Fitted { rounds: [made.n_rounds, made.n_pair_rounds], ..fitted })
    }
}
