//! `categorical_nb`: naive Bayes on categories; numbers are cut into bins.
//!
//! `P(x_j = c | k) = (n_jck + a) / (n_k + a C_j)`.
//! # Source  Manning, Raghavan, Schütze, Introduction to Information Retrieval, 2008, chapter 13.

use crate::additive_tables::TableColumn;
use crate::naive_bayes::{Classes, PRIOR, SMOOTHING, TABLE_BITS};
use crate::{Error, FitInput, Fitted, Grows, Learner, LearnerEntry, Takes, averages};
use ir::Task;
use jobs::{Ctx, Seed};
use params::{ParamSpec, Params, Value};

const SPEC: &[ParamSpec] =
    &[SMOOTHING, PRIOR, ParamSpec { default: Value::Int(20), ..averages::MAX_BINS }, TABLE_BITS];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "categorical_nb",
    doc: "naive Bayes on categories and bins",
    tasks: &[Task::Binary, Task::Multiclass],
    specs: &[SPEC],
    space: &[],
    takes: Takes::CODES,
    floats_are_free: true,
    starts_from_scores: false,
    grows: Grows::Passes,
    learner: &CategoricalNb,
};

struct CategoricalNb;

impl Learner for CategoricalNb {
    fn fit(&self, input: FitInput<'_>, params: &Params, _: Seed, _: &Ctx<'_>) -> Result<Fitted, Error> {
        let classes = Classes::new(&input)?;
        let columns: Vec<TableColumn> =
            (0..input.encoders.len()).map(|f| TableColumn::of_study(&input, f)).collect();
        let term = |(at, column): (usize, &TableColumn)| {
            let counts = classes.counts(column);
            classes.term(at, &classes.log_shares(&counts, params.real("smoothing")))
        };
        let terms = columns.iter().enumerate().map(term).collect();
        Ok(classes.fitted(columns, terms, params))
    }
}
