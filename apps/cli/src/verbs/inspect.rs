//! `inspect`: what a table or a model holds.

use crate::look;
use crate::run::{End, print};
use crate::verbs::fit::{self, ReadArgs};
use serde_json::{Value, json};
use smidgen::{Error, Inspected, ModelSummary, TableProfile, inspect};

/// Show what a table or a model holds.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A model file or a table
    path: String,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    read: ReadArgs,
}

pub(crate) fn run(args: &Args) -> Result<End, Error> {
    let options = fit::read_options(&args.read)?;
    match inspect(&args.path, &options)? {
        Inspected::Table(profile) if args.json => print(&format!("{}\n", table_object(&profile)))?,
        Inspected::Table(profile) => print(&table_text(&profile))?,
        Inspected::Model(model) if args.json => print(&format!("{}\n", model_object(&model)))?,
        Inspected::Model(model) => print(&model_text(&model))?,
    }
    Ok(End::Done)
}

fn table_text(profile: &TableProfile) -> String {
    let mut table = look::table(&["column", "kind", "missing", "distinct"]);
    table.set_header(["column", "kind", "missing", "distinct", "examples", "why"]);
    for column in &profile.columns {
        let more = if column.more_distinct { "+" } else { "" };
        table.add_row([
            column.name.clone(),
            column.kind.to_string(),
            look::count(column.n_missing),
            format!("{}{more}", look::count(column.n_distinct as u64)),
            column.examples.join(", ").chars().take(36).collect(),
            column.why.clone(),
        ]);
    }
    let n_rows = look::count(profile.n_rows);
    format!("{}: {n_rows} rows, {} columns\n\n{table}\n", profile.name, profile.columns.len())
}

fn table_object(profile: &TableProfile) -> Value {
    let column = |c: &smidgen::ColumnProfile| {
        json!({
            "name": c.name, "kind": c.kind.name(), "dtype": c.dtype.name(), "why": c.why,
            "missing": c.n_missing, "distinct": c.n_distinct, "more_distinct": c.more_distinct,
            "infinite": c.n_infinite, "constant": c.constant, "examples": c.examples,
        })
    };
    json!({
        "schema": 1,
        "status": "ok",
        "what": "table",
        "name": profile.name,
        "rows": profile.n_rows,
        "columns": profile.columns.iter().map(column).collect::<Value>(),
    })
}

fn model_text(model: &ModelSummary) -> String {
    let s = &model.signature;
    let mut text = format!(
        "{} model of \"{}\": {}, {} trees with {} splits{}\n",
        s.task,
        s.target,
        look::size(model.bytes),
        look::count(model.n_trees as u64),
        look::count(model.n_splits as u64),
        if model.exact { ", integers only" } else { "" }
    );
    if !s.classes.is_empty() {
        text.push_str(&format!("classes: {}\n", s.classes.join(", ")));
    }
    text.push_str(&format!(
        "made by: {}, seed {}, {} rows\n",
        model.card.recipe,
        model.card.seed,
        look::count(model.card.n_rows)
    ));
    for (name, value) in &model.card.metrics {
        text.push_str(&format!("{name}: {}\n", look::score(*value)));
    }
    let mut table = look::table(&["column"]);
    table.set_header(["column", "kind", "dtype"]);
    for input in &s.inputs {
        table.add_row([input.name.clone(), input.kind.to_string(), input.dtype.to_string()]);
    }
    format!("{text}\n{table}\n\n{}", model.graph)
}

fn model_object(model: &ModelSummary) -> Value {
    let s = &model.signature;
    json!({
        "schema": 1,
        "status": "ok",
        "what": "model",
        "task": s.task.name(),
        "target": s.target,
        "columns": s.inputs.iter().map(|i| json!({
            "name": i.name, "kind": i.kind.name(), "dtype": i.dtype.name(),
        })).collect::<Value>(),
        "classes": if s.classes.is_empty() { Value::Null } else { json!(s.classes) },
        "positive": s.positive.map(|p| s.classes[p as usize].clone()),
        "bytes": model.bytes,
        "trees": model.n_trees,
        "splits": model.n_splits,
        "exact": model.exact,
        "recipe": model.card.recipe,
        "seed": model.card.seed,
        "work": model.card.work,
        "rows": model.card.n_rows,
        "metrics": model.card.metrics.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "data_fingerprint": format!("{:016x}", model.card.data_fingerprint),
        "self_test": model.self_test.map(|t| format!("{:016x}", t.digest)),
    })
}
