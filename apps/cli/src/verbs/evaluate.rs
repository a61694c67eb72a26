//! `evaluate`: a model against rows whose target is known.

use crate::run::{End, Limit, message, print, with_ctx};
use crate::{figures, look, values};
use serde_json::json;
use smidgen::{Error, EvaluateOptions, Evaluated, evaluate};
use std::path::PathBuf;

/// Measure a model on a table whose target is known.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The model file
    model: PathBuf,
    /// The table: CSV, plain or gzip; - for standard input
    data: String,
    /// Column of the target, if it is not named as in training
    #[arg(long, value_name = "COL")]
    target: Option<String>,
    /// The metric that is the score
    #[arg(long, value_name = "M")]
    metric: Option<String>,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// Exit with 1 unless the score is at least this (at most, for losses)
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = values::finite)]
    min_score: Option<f64>,
    /// Exit with 1 if the file is longer
    #[arg(long, value_name = "SIZE", value_parser = values::bytes)]
    max_bytes: Option<u64>,
    /// Leave out rows of classes that training had not seen
    #[arg(long)]
    drop_unseen: bool,
    /// The second table, instead of that of the fit
    #[arg(long, value_name = "FILE")]
    join: Option<PathBuf>,
    /// How the bytes of CSV spell text: utf-8 or latin-1
    #[arg(long, value_name = "NAME", default_value = "utf-8", hide_default_value = true, value_parser = values::encoding)]
    encoding: smidgen::Encoding,
    /// Cells that mean missing, beside those of training
    #[arg(long, value_name = "CELL,..", value_delimiter = ',', allow_hyphen_values = true)]
    missing: Vec<String>,
    /// Threads; all cores unless given
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(args: &Args) -> Result<End, Error> {
    let options = EvaluateOptions {
        model: args.model.clone(),
        data: args.data.clone(),
        target: args.target.clone(),
        metric: args.metric.clone(),
        missing: args.missing.clone(),
        join: args.join.clone(),
        encoding: args.encoding,
        drop_unseen: args.drop_unseen,
    };
    let (made, _) = with_ctx(args.jobs, Limit::None, args.quiet, |ctx| evaluate(&options, ctx))?;
    let Some(made) = made else { return Ok(End::Interrupted) };
    let unmet = demands(args, &made);
    if args.json {
        print(&format!("{}\n", object(&made, &unmet)))?;
    } else {
        print(&text(&made))?;
        made.warnings.iter().for_each(|w| message(&format!("warning: {}", w.text)));
    }
    unmet.iter().for_each(|u| message(&format!("not met: {u}")));
    Ok(if unmet.is_empty() { End::Done } else { End::Unmet })
}

fn demands(args: &Args, made: &Evaluated) -> Vec<String> {
    let mut unmet = Vec::new();
    if let Some(least) = args.min_score {
        let met = made.score.is_some_and(|s| if made.greater_is_better { s >= least } else { s <= least });
        if !met {
            let got = made.score.map_or("undefined".to_owned(), |s| s.to_string());
            unmet.push(format!("{} {got}, {least} was demanded", made.metric));
        }
    }
    if let Some(most) = args.max_bytes
        && made.bytes > most
    {
        unmet.push(format!("{} bytes, at most {most} were demanded", made.bytes));
    }
    unmet
}

fn text(made: &Evaluated) -> String {
    let mut head = format!("{} rows, model of {}", look::count(made.n_rows as u64), look::size(made.bytes));
    if let Some(speed) = made.speed {
        head.push_str(&format!(", {} a row", look::nanoseconds(speed.ns_per_row)));
    }
    format!("{head}\n\n{}", figures::text(made))
}

fn object(made: &Evaluated, unmet: &[String]) -> serde_json::Value {
    json!({
        "schema": 1,
        "status": if unmet.is_empty() { "ok" } else { "unmet" },
        "task": made.task.name(),
        "metric": made.metric,
        "score": figures::number(made.score),
        "error": figures::number(made.error),
        "score_on": "data",
        "rows": made.n_rows,
        "classes": figures::classes(&made.classes),
        "positive": made.positive,
        "bytes": made.bytes,
        "cost_ns": null,
        "ns_per_row": figures::number(made.speed.map(|s| s.ns_per_row)),
        "ns_single": figures::number(made.speed.map(|s| s.ns_single)),
        "metrics": figures::metrics(made),
        "confusion": figures::confusion(made),
        "warnings": figures::warnings(&made.warnings),
        "exact": made.exact,
    })
}
