//! `evaluate`: models against rows whose target is known; several stand beside each other and are compared.

use crate::networks::NetworkArgs;
use crate::rows::RowArgs;
use crate::run::{End, Limit, message, print, with_ctx};
use crate::{figures, look, operation_costs, page, values};
use serde_json::{Value, json};
use smidgen::{
    Comparison, Error, EvaluateOptions, Evaluated, Evaluation, OperationCosts, Shown, evaluate,
    evaluation_page,
};
use std::fmt::Write;
use std::path::PathBuf;

/// Measure models on a table whose target is known; compare several.
#[derive(clap::Args)]
#[command(override_usage = "smidgen evaluate [OPTIONS] <MODEL>... <DATA>")]
pub(crate) struct Args {
    /// The model files, several are compared; then the table: CSV, plain or gzip, or Parquet, - for standard input; for
    /// networks in ONNX: NPY, NPZ, IDX, a folder or zip archive of images by class, a CSV of paths
    #[arg(required = true, value_name = "MODEL.. DATA")]
    files: Vec<PathBuf>,
    /// Column of the target, if it is not named as in training
    #[arg(long, value_name = "COL")]
    target: Option<String>,
    /// The metric that is the score
    #[arg(long, value_name = "M")]
    metric: Option<String>,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// A page for people: one HTML file, on the first model, the others beside it
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Exit with 1 unless the score is at least this (at most, for losses)
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = values::finite)]
    min_score: Option<f64>,
    /// Exit with 1 if the file is longer
    #[arg(long, value_name = "SIZE", value_parser = values::bytes)]
    max_bytes: Option<u64>,
    /// Exit with 1 if a row in a batch takes more microseconds, or a single row more than twice as many, by the table of costs
    #[arg(long, value_name = "US", value_parser = operation_costs::us)]
    max_us: Option<f64>,
    /// A table of costs of another processor, in JSON
    #[arg(long, value_name = "FILE")]
    cost: Option<PathBuf>,
    /// Leave out rows of classes that training had not seen
    #[arg(long)]
    drop_unseen: bool,
    #[command(flatten)]
    rows: RowArgs,
    #[command(flatten)]
    network: NetworkArgs,
    /// Threads; all cores unless given
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

impl Args {
    /// The last of the files is the table. Two positional arguments would not bear a flag between them.
    fn models_and_data(&self) -> Result<(&[PathBuf], String), Error> {
        let (models, data) = match self.files.split_last() {
            Some((data, models)) if !models.is_empty() => (models, data),
            _ => {
                return Err(Error::input(
                    "evaluate: expected a model and a table, got one file; name the table last, behind the models",
                ));
            }
        };
        let text = data.to_str().ok_or_else(|| {
            Error::input(format!("{}: expected the name of a table in UTF-8", data.display()))
        })?;
        Ok((models, text.to_owned()))
    }
}

pub(crate) fn run(args: &Args) -> Result<End, Error> {
    let (models, data) = args.models_and_data()?;
    let options = EvaluateOptions {
        models: models.to_vec(),
        data,
        target: args.target.clone(),
        metric: args.metric.clone(),
        missing: args.rows.missing.clone(),
        join: args.rows.join.clone(),
        encoding: args.rows.encoding,
        drop_unseen: args.drop_unseen,
        network: args.network.options(),
        figures: args.report.is_some(),
    };
    let costs = operation_costs::read(args.cost.as_deref())?;
    if let Some(path) = &args.report {
        let taken = args.files.iter().chain(&args.rows.join).map(PathBuf::as_path);
        page::check(path, &taken.collect::<Vec<_>>())?;
    }
    let (made, _) = with_ctx(args.jobs, Limit::None, args.quiet, |ctx| evaluate(&options, ctx))?;
    let Some(made) = made else { return Ok(End::Interrupted) };
    if args.max_us.is_some() && made.models.iter().any(|model| model.counts.is_none()) {
        return Err(Error::unsupported(
            "--max-us: the table of costs says nothing of networks; time them with `smidgen bench`",
        ));
    }
    let names: Vec<String> = models.iter().map(|path| path.display().to_string()).collect();
    if let Some(path) = &args.report {
        page::write(path, &evaluation_page(&made, &names, &command(args))?)?;
    }
    let mut unmet = Vec::new();
    for (path, model) in models.iter().zip(&made.models) {
        let name = |what: String| match made.models.len() {
            1 => what,
            _ => format!("{}: {what}", path.display()),
        };
        unmet.extend(demands(args, &costs, model).into_iter().map(name));
    }
    if args.json {
        print(&format!("{}\n", whole_object((args, &costs), models, &made, unmet.is_empty())))?;
    } else {
        print(&match &made.models[..] {
            [one] => text(one, made.figures.as_ref().map(|f| &f.shown)),
            _ => side_by_side(&names, &made),
        })?;
        let mut told: Vec<&str> = Vec::new();
        for warning in made.models.iter().flat_map(|model| &model.warnings) {
            if !told.contains(&warning.text.as_str()) {
                told.push(&warning.text);
                message(&format!("warning: {}", warning.text));
            }
        }
    }
    unmet.iter().for_each(|u| message(&format!("not met: {u}")));
    Ok(if unmet.is_empty() { End::Done } else { End::Unmet })
}

fn demands(args: &Args, costs: &OperationCosts, made: &Evaluated) -> Vec<String> {
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
    match (args.max_us, made.counts.map(|counts| costs.row(&counts).limited())) {
        (Some(most), Some(ns)) if ns > most => {
            let [us, most] = [ns, most].map(|ns| ns / 1e3);
            unmet.push(format!("{us:.3} us a row by the table of costs, at most {most} were demanded"));
        }
        _ => {}
    }
    unmet
}

fn text(made: &Evaluated, shown: Option<&Shown>) -> String {
    let mut head = format!("{} rows, model of {}", look::count(made.n_rows as u64), look::size(made.bytes));
    if let Some(speed) = made.speed {
        head.push_str(&format!(", {} a row", look::nanoseconds(speed.ns_per_row)));
    }
    let worth = shown.map_or(String::new(), figures::importance);
    format!("{head}\n\n{}{worth}", figures::text(made))
}

/// A line a model, then what can be said of each two.
fn side_by_side(names: &[String], made: &Evaluation) -> String {
    let mut out = String::new();
    let Some(first) = made.models.first() else { return out };
    let mut table = look::table(&["model", first.metric, "95 % interval", "size", "a row"]);
    for (name, model) in names.iter().zip(&made.models) {
        table.add_row([
            name.clone(),
            model.score.map_or("undefined".to_owned(), look::score),
            model.interval.map_or(String::new(), look::interval),
            look::size(model.bytes),
            model.speed.map_or(String::new(), |s| look::nanoseconds(s.ns_per_row)),
        ]);
    }
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{} rows\n\n{table}\n", look::count(first.n_rows as u64));
    for sentence in made.sentences(names) {
        let _ = writeln!(out, "{sentence}");
    }
    out
}

/// The command that makes the same page again.
fn command(args: &Args) -> String {
    let mut words = vec!["smidgen".to_owned(), "evaluate".to_owned()];
    words.extend(args.files.iter().map(|path| path.display().to_string()));
    // Values that start with a dash are ones only behind the equals sign.
    let mut flag = |name: &str, value: Option<String>| words.extend(value.map(|v| format!("{name}={v}")));
    flag("--target", args.target.clone());
    flag("--metric", args.metric.clone());
    flag("--missing", (!args.rows.missing.is_empty()).then(|| args.rows.missing.join(",")));
    flag("--join", args.rows.join.as_ref().map(|path| path.display().to_string()));
    let is_plain = args.rows.encoding == smidgen::Encoding::default();
    flag("--encoding", (!is_plain).then(|| args.rows.encoding.name().to_owned()));
    flag("--report", args.report.as_ref().map(|path| path.display().to_string()));
    words.extend(args.network.words());
    words.extend(args.drop_unseen.then(|| "--drop-unseen".to_owned()));
    page::command(&words)
}

/// The object of the one model; of several, that of the first with `models` and `comparisons`.
fn whole_object(
    (args, costs): (&Args, &OperationCosts),
    paths: &[PathBuf],
    made: &Evaluation,
    is_met: bool,
) -> Value {
    let Some(first) = made.models.first() else { return Value::Null };
    let mut whole = object(first, costs, is_met);
    if let Some(figures) = &made.figures {
        page::add_shown(&mut whole, Some(&figures.shown));
    }
    if made.models.len() == 1 {
        return whole;
    }
    let path = |idx: usize| paths[idx].display().to_string();
    let model = |(idx, model): (usize, &Evaluated)| {
        let mut object = object(model, costs, demands(args, costs, model).is_empty());
        object["model"] = json!(path(idx));
        object
    };
    let comparison = |two: &Comparison| {
        json!({
            "a": path(two.a),
            "b": path(two.b),
            "difference": figures::number(two.difference),
            "test": two.test.name(),
            "p_value": figures::number(two.p_value),
        })
    };
    whole["models"] = made.models.iter().enumerate().map(model).collect();
    whole["comparisons"] = made.comparisons.iter().map(comparison).collect();
    whole
}

fn object(made: &Evaluated, costs: &OperationCosts, is_met: bool) -> Value {
    let cost = made.counts.map(|counts| costs.row(&counts));
    json!({
        "schema": 1,
        "status": if is_met { "ok" } else { "unmet" },
        "task": made.task.name(),
        "metric": made.metric,
        "score": figures::number(made.score),
        "interval": made.interval,
        "error": figures::number(made.error),
        "score_on": "data",
        "rows": made.n_rows,
        "classes": figures::classes(&made.classes),
        "positive": made.positive,
        "targets": figures::targets(made),
        "bytes": made.bytes,
        "cost_ns": cost.map(|cost| cost.ns),
        "cost_ns_single": cost.map(|cost| cost.ns_single),
        "ns_per_row": figures::number(made.speed.map(|s| s.ns_per_row)),
        "ns_single": figures::number(made.speed.map(|s| s.ns_single)),
        "metrics": figures::metrics(made),
        "averages": figures::averages(made),
        "confusion": figures::confusion(made),
        "warnings": figures::warnings(&made.warnings),
        "exact": made.exact,
    })
}
