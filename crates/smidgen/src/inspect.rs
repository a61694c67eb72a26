//! `inspect`: what a table or a model holds.
//!
//! A table is read twice, as `fit` does: once for the types, once for what is in the columns. Whatever
//! `fit` would warn of is looked for in the first rows, as many as fit a bound, since that asks for
//! the values themselves.

use crate::Error;
use crate::model_file::{load, looks_like_model};
use crate::network::is_network;
use crate::network::summary::{NetworkSummary, summary};
use crate::table::{is_exact, is_integer};
use arrow_array::{Array, RecordBatch};
use data::{ColumnProfile, ColumnSummary, ReadOptions, Source, Summaries, TableProfile};
use ir::{Card, Column, ColumnKind, Input, Op, SelfTest, Signature};
use prepare::{Warning, clean};
use std::path::Path;

/// Rows, and bytes of them, that are kept to be looked at for what may be wrong.
const LOOKED_AT_ROWS: usize = 200_000;
const LOOKED_AT_BYTES: usize = 64 << 20;

/// Groups of spellings that are told of a column.
const TOLD_SPELLINGS: usize = 3;

/// What was looked at.
#[derive(Clone, Debug)]
pub enum Inspected {
    /// A table.
    Table(Box<TableSummary>),
    /// A model.
    Model(Box<ModelSummary>),
    /// A network.
    Network(Box<NetworkSummary>),
}

/// What a table holds.
#[derive(Clone, Debug)]
pub struct TableSummary {
    /// Its columns and their types.
    pub profile: TableProfile,
    /// What is in them, in the same order.
    pub columns: Vec<ColumnSummary>,
    /// What a person should know before it is learnt.
    pub warnings: Vec<Warning>,
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
    /// True when every machine computes the same bits.
    pub exact: bool,
    /// True when it does so with integers alone.
    pub integers: bool,
    /// The graph as text.
    pub graph: String,
}

/// Looks at a model file, or else at a table.
///
/// # Errors
/// It can be read as neither.
pub fn inspect(path: &str, options: &ReadOptions) -> Result<Inspected, Error> {
    if is_network(Path::new(path)) {
        return Ok(Inspected::Network(Box::new(summary(Path::new(path))?)));
    }
    if path == "-" || !(looks_like_model(Path::new(path)) || path.ends_with(".smidgen")) {
        let source = Source::parse(path)?;
        return Ok(Inspected::Table(Box::new(inspect_table(&source, options)?)));
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
        integers: is_integer(&model),
        graph: model.graph().to_string(),
    })))
}

fn inspect_table(source: &Source, options: &ReadOptions) -> Result<TableSummary, Error> {
    let profile = data::profile(source, options)?;
    let mut summaries = Summaries::new(&profile);
    let mut kept = Vec::new();
    let (mut n_rows, mut n_bytes) = (0, 0);
    for batch in data::batches(source, options, &profile)? {
        let batch = batch?;
        summaries.see(&batch);
        if n_rows < LOOKED_AT_ROWS && n_bytes < LOOKED_AT_BYTES {
            n_rows += batch.num_rows();
            n_bytes += batch.columns().iter().map(|c| c.get_array_memory_size()).sum::<usize>();
            kept.push(batch);
        }
    }
    let warnings = warnings(&profile, options, &kept)?;
    Ok(TableSummary { profile, columns: summaries.finish(), warnings })
}

/// What `fit` would say of the columns, in their order.
fn warnings(
    profile: &TableProfile,
    options: &ReadOptions,
    batches: &[RecordBatch],
) -> Result<Vec<Warning>, Error> {
    let inputs = profile.columns.iter().filter(|c| !c.raw).map(|c| Input {
        name: c.name.clone(),
        kind: c.kind,
        dtype: c.dtype,
    });
    let inputs: Vec<Input> = inputs.collect();
    let bound = batches.iter().map(|b| data::bind_inputs(b, &inputs, &[])).collect::<Result<Vec<_>, _>>()?;
    let columns = data::by_column(&bound, inputs.len());
    let n_seen: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let is_whole = n_seen as u64 == profile.n_rows;
    let mut warnings = Vec::new();
    for (column, chunks) in profile.columns.iter().filter(|c| !c.raw).zip(&columns) {
        let is_declared = options.types.contains_key(&column.name);
        for (code, text) in about(column, is_declared, chunks, profile.n_rows) {
            let from_values = matches!(code, "identifier" | "sentinel" | "spellings");
            let text =
                if from_values && !is_whole { format!("in the first {n_seen} rows {text}") } else { text };
            warnings.push(Warning::column(code, &column.name, text));
        }
    }
    Ok(warnings)
}

/// Code and text of what is wrong with a column.
fn about(
    column: &ColumnProfile,
    is_declared: bool,
    chunks: &[Column<'_>],
    n_rows: u64,
) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if column.all_missing {
        return vec![("empty_column", "no row has a value".to_owned())];
    }
    if column.constant {
        return vec![("constant_column", "all rows have the same value".to_owned())];
    }
    if column.n_infinite > 0 {
        found.push(("infinite_values", format!("infinite values: {}", column.n_infinite)));
    }
    // Many rows beyond those looked at may repeat them.
    let may_name_rows = column.n_missing == 0 && (column.more_distinct || column.n_distinct as u64 == n_rows);
    if may_name_rows
        && !is_declared
        && matches!(column.kind, ColumnKind::Number | ColumnKind::Category | ColumnKind::Text)
        && let Some(why) = clean::identifier(&column.name, chunks)
    {
        found.push(("identifier", format!("{why}: it names rows")));
    }
    if column.kind == ColumnKind::Number {
        for (value, why) in clean::sentinels(chunks) {
            found.push(("sentinel", format!("{why}; if it means missing, say --missing {value}")));
        }
    } else if column.kind == ColumnKind::Category {
        for alike in clean::spellings(chunks).iter().take(TOLD_SPELLINGS) {
            let shown = alike.iter().map(|key| format!("{key:?}")).collect::<Vec<_>>().join(", ");
            found.push(("spellings", format!("{shown} differ by case or blanks alone")));
        }
    }
    found
}
