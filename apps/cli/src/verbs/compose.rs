//! `compose`: several models in one file.

use crate::rows::RowArgs;
use crate::run::{End, Limit, message, print, with_ctx};
use crate::{figures, look, values};
use serde_json::{Value, json};
use smidgen::{ComposeOptions, ComposeReport, ComposedMember, Error, OperationCosts, Status, compose};
use std::fmt::Write;
use std::path::PathBuf;

/// Make one model of several that answer the same question, trained anywhere.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The model files, two or more
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<PathBuf>,
    /// Rows that no model was trained on, which say how to combine them and how good that is: CSV, plain or gzip, or
    /// Parquet; - for standard input
    #[arg(long, value_name = "DATA")]
    data: String,
    /// Column of the target, if it is not named as in training
    #[arg(long, value_name = "COL")]
    target: Option<String>,
    /// How models are combined: an ensemble below, or auto
    #[arg(long, value_name = "M", default_value = "auto", hide_default_value = true)]
    method: String,
    /// A weight for each model, in their order; equal ones unless given
    #[arg(long, value_name = "W,..", value_delimiter = ',', allow_hyphen_values = true, value_parser = values::finite)]
    weights: Vec<f64>,
    /// A parameter of the method
    #[arg(long, value_name = "METHOD.PARAM=VALUE", value_parser = values::pair)]
    set: Vec<(String, String)>,
    /// The metric; roc_auc, log_loss or rmse unless given
    #[arg(long, value_name = "M")]
    metric: Option<String>,
    /// Exit with 1 unless the score is at least this (at most, for losses)
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = values::finite)]
    min_score: Option<f64>,
    /// Exit with 1 if the file is longer
    #[arg(long, value_name = "SIZE", value_parser = values::bytes)]
    max_bytes: Option<u64>,
    #[command(flatten)]
    rows: RowArgs,
    /// Where the model is written
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// Threads; all cores unless given
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(args: &Args) -> Result<End, Error> {
    let options = ComposeOptions {
        models: args.models.clone(),
        data: args.data.clone(),
        target: args.target.clone(),
        method: args.method.clone(),
        settings: settings(args)?,
        weights: (!args.weights.is_empty()).then(|| args.weights.clone()),
        metric: args.metric.clone(),
        min_score: args.min_score,
        max_bytes: args.max_bytes,
        missing: args.rows.missing.clone(),
        encoding: args.rows.encoding,
        join: args.rows.join.clone(),
        output: args.output.clone(),
    };
    let (made, _) = with_ctx(args.jobs, Limit::None, args.quiet, |ctx| compose(&options, ctx))?;
    let Some(made) = made else { return Ok(End::Interrupted) };
    if args.json {
        print(&format!("{}\n", object(&made)))?;
    } else {
        print(&text(&made))?;
        for warning in &made.warnings {
            message(&format!("warning: {}", warning.text));
        }
    }
    match &made.status {
        Status::Ok => Ok(End::Done),
        Status::Unmet(unmet) => {
            unmet.iter().for_each(|u| message(&format!("not met: {u}")));
            Ok(End::Unmet)
        }
    }
}

/// Settings as method, name and value.
fn settings(args: &Args) -> Result<Vec<(String, String, String)>, Error> {
    let split = |(name, value): &(String, String)| match name.split_once('.') {
        Some((of, param)) => Ok((of.to_owned(), param.to_owned(), value.clone())),
        None => Err(Error::input(format!(
            "--set {name}={value}: expected METHOD.PARAM=VALUE, such as greedy.{name}={value}"
        ))),
    };
    args.set.iter().map(split).collect()
}

fn text(made: &ComposeReport) -> String {
    let shown = |score: Option<f64>| score.map_or("undefined".to_owned(), look::score);
    let written = &made.written;
    let mut members = look::table(&["member", "weight", written.metric, "size"]);
    for ComposedMember { model, weight, bytes, score } in &made.members {
        let name = model.display().to_string();
        members.add_row([name, look::score(*weight), shown(*score), look::size(*bytes)]);
    }
    let how = if made.cross_fitted { ", cross-fitted" } else { "" };
    let mut all = look::table(&["together", &format!("{}{how}", written.metric), "size", "a row"]);
    let a_row = written.speed.map_or(String::new(), |speed| look::nanoseconds(speed.ns_per_row));
    all.add_row([made.method.to_owned(), shown(made.score), look::size(written.bytes), a_row]);
    let mut out = String::new();
    let n_rows = look::count(written.n_rows as u64);
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}: {} task, {n_rows} rows\n", made.model.display(), written.task);
    let _ = writeln!(out, "{members}\n\n{all}\n");
    let _ = writeln!(out, "{}, in {:.1} s", made.exactness(), made.seconds);
    out
}

fn object(made: &ComposeReport) -> Value {
    let written = &made.written;
    let member = |member: &ComposedMember| {
        json!({
            "model": member.model.display().to_string(),
            "learner": null,
            "weight": member.weight,
            "bytes": member.bytes,
            "score": figures::number(member.score),
        })
    };
    let cost = written.counts.map(|counts| OperationCosts::default().row(&counts));
    json!({
        "schema": 1,
        "status": if made.status == Status::Ok { "ok" } else { "unmet" },
        "task": written.task.name(),
        "metric": written.metric,
        "score": figures::number(made.score),
        "error": figures::number(made.error()),
        "score_on": "data",
        "cross_fitted": made.cross_fitted,
        "rows": written.n_rows,
        "classes": figures::classes(&written.classes),
        "positive": written.positive,
        "bytes": written.bytes,
        "cost_ns": cost.map(|cost| cost.ns),
        "cost_ns_single": cost.map(|cost| cost.ns_single),
        "ns_per_row": figures::number(written.speed.map(|s| s.ns_per_row)),
        "ns_single": figures::number(written.speed.map(|s| s.ns_single)),
        "seconds": made.seconds,
        "method": made.method,
        "members": made.members.iter().map(member).collect::<Vec<_>>(),
        "warnings": figures::warnings(&made.warnings),
        "exact": written.exact,
        "model": made.model.display().to_string(),
    })
}
