//! `inspect`: what a table or a model holds.

use crate::Error;
use crate::model_file::{load, looks_like_model};
use crate::table::is_exact;
use data::{ReadOptions, Source, TableProfile};
use ir::{Card, Op, SelfTest, Signature};
use std::path::Path;

/// What was looked at.
#[derive(Clone, Debug)]
pub enum Inspected {
    /// A table.
    Table(TableProfile),
    /// A model.
    Model(Box<ModelSummary>),
}

/// What a model file holds.
#[derive(Clone, Debug)]
pub struct ModelSummary {
    /// Columns and classes.
    pub signature: Signature,
    /// Where it comes from.
    pub card: Card,
    /// How to prove it.
    pub self_test: Option<SelfTest>,
    /// Length of the file.
    pub bytes: u64,
    /// Trees of all forests.
    pub n_trees: usize,
    /// Splits of all forests.
    pub n_splits: usize,
    /// True when every output comes from integers alone.
    pub exact: bool,
    /// The graph as text.
    pub graph: String,
}

/// Looks at a model file, or else at a table.
///
/// # Errors
/// It can be read as neither.
pub fn inspect(path: &str, options: &ReadOptions) -> Result<Inspected, Error> {
    if path == "-" || !(looks_like_model(Path::new(path)) || path.ends_with(".smidgen")) {
        return Ok(Inspected::Table(data::profile(&Source::parse(path)?, options)?));
    }
    let (model, bytes) = load(Path::new(path))?;
    let forests = model.graph().nodes().iter().filter_map(|n| match &n.op {
        Op::Forest(f) => Some((f.forest.trees().len(), f.forest.n_splits())),
        _ => None,
    });
    let (n_trees, n_splits) = forests.fold((0, 0), |a, f| (a.0 + f.0, a.1 + f.1));
    Ok(Inspected::Model(Box::new(ModelSummary {
        signature: model.signature().clone(),
        card: model.card.clone(),
        self_test: model.self_test,
        bytes,
        n_trees,
        n_splits,
        exact: is_exact(&model),
        graph: model.graph().to_string(),
    })))
}
