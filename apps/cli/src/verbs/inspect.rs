//! `inspect`: what a table or a model holds.

use crate::figures;
use crate::look;
use crate::networks;
use crate::run::{End, print};
use crate::verbs::fit::{self, ReadArgs};
use serde_json::{Value, json};
use smidgen::{
    ColumnProfile, ColumnSummary, Error, Inspected, ModelSummary, Spread, TableSummary, TargetColumn,
    Value as Cell, inspect,
};

/// Most characters of a cell of the tables that are printed; together they fit 120 columns.
const LONGEST_NAME: usize = 24;
const LONGEST_FREQUENT: usize = 36;
const LONGEST_WHY: usize = 44;

/// Characters of a value among the frequent ones.
const LONGEST_VALUE: usize = 14;

/// Show what a table, a model or a network holds.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A model file, a network in ONNX, or a table
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
        Inspected::Network(seen) if args.json => print(&format!("{}\n", networks::object(&seen)))?,
        Inspected::Network(seen) => print(&networks::text(&seen))?,
        Inspected::Model(model) if args.json => print(&format!("{}\n", model_object(&model)))?,
        Inspected::Model(model) => print(&model_text(&model))?,
    }
    Ok(End::Done)
}

fn table_text(seen: &TableSummary) -> String {
    let profile = &seen.profile;
    let n_rows = look::count(profile.n_rows);
    let mut text =
        format!("{}: {n_rows} rows, {} columns{}\n\n", profile.name, profile.columns.len(), layout(seen));
    let mut table = look::table(&["column", "kind", "missing", "distinct"]);
    table.set_header(["column", "kind", "missing", "distinct", "most frequent", "why this kind"]);
    for (column, summary) in profile.columns.iter().zip(&seen.columns) {
        let more = if column.more_distinct { "+" } else { "" };
        table.add_row([
            cut(&column.name, LONGEST_NAME),
            column.kind.to_string(),
            match column.n_missing {
                0 => String::from("0"),
                n => format!("{} {}", look::count(n), share(n, profile.n_rows)),
            },
            format!("{}{more}", look::count(column.n_distinct as u64)),
            frequent(column, summary, profile.n_rows),
            match column.time_format {
                Some(format) => cut(&format!("times spelt {}", format.pattern()), LONGEST_WHY),
                None => cut(&column.why, LONGEST_WHY),
            },
        ]);
    }
    text.push_str(&format!("{table}\n"));
    let spreads: Vec<(&str, &Spread)> = profile
        .columns
        .iter()
        .zip(&seen.columns)
        .filter_map(|(column, summary)| Some((column.name.as_str(), summary.spread.as_ref()?)))
        .collect();
    if !spreads.is_empty() {
        let head = ["column", "min", "25 %", "median", "75 %", "max", "mean"];
        let mut table = look::table(&head);
        for (name, spread) in &spreads {
            let [a, b, c] = &spread.quartiles;
            let about = if spread.exact { "" } else { "~" };
            let quartile = |value| format!("{about}{}", figure(value));
            table.add_row([
                cut(name, LONGEST_NAME),
                figure(&spread.min),
                quartile(a),
                quartile(b),
                quartile(c),
                figure(&spread.max),
                spread.mean.as_ref().map_or_else(String::new, figure),
            ]);
        }
        text.push_str(&format!("\n{table}\n"));
    }
    for (at, warning) in seen.warnings.iter().enumerate() {
        let place = warning.column.as_ref().map_or_else(String::new, |c| format!("column {c:?}: "));
        text.push_str(&format!("{}warning: {place}{}\n", if at == 0 { "\n" } else { "" }, warning.text));
    }
    text
}

/// How the table is written.
fn layout(seen: &TableSummary) -> String {
    match seen.profile.delimiter {
        None => String::from(", Parquet"),
        Some(delimiter) => {
            let name =
                if delimiter == b'\t' { String::from("tab") } else { format!("{:?}", char::from(delimiter)) };
            let header = if seen.profile.has_header { "a header" } else { "no header" };
            format!(", CSV with delimiter {name} and {header}")
        }
    }
}

/// The most frequent values with their shares, as many as fit; `>` before shares that may be too low.
fn frequent(column: &ColumnProfile, summary: &ColumnSummary, n_rows: u64) -> String {
    let mut text = String::new();
    // What hardly any row holds says nothing.
    let says = |count: u64| count > 1 && count * 1000 >= n_rows;
    let told = summary.frequent.iter().filter(|(_, count)| says(*count) || column.n_distinct < 4);
    for (value, count) in told {
        let about = if summary.frequent_exact { "" } else { ">" };
        let next = format!("{} {about}{}", cut(value, LONGEST_VALUE), share(*count, n_rows));
        let gap = if text.is_empty() { "" } else { ", " };
        if text.chars().count() + gap.len() + next.chars().count() > LONGEST_FREQUENT {
            break;
        }
        text.push_str(gap);
        text.push_str(&next);
    }
    text
}

/// A share of rows: `(12 %)`.
fn share(n: u64, n_rows: u64) -> String {
    let percent = 100.0 * n as f64 / n_rows.max(1) as f64;
    match percent {
        p if (99.5..100.0).contains(&p) => String::from("(>99 %)"),
        p if p >= 9.95 => format!("({p:.0} %)"),
        p if p >= 0.095 => format!("({p:.1} %)"),
        _ => String::from("(<0.1 %)"),
    }
}

/// Text of at most `longest` characters; control characters are escaped.
fn cut(text: &str, longest: usize) -> String {
    let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match shown.char_indices().nth(longest) {
        Some(_) => {
            let kept: String = shown.chars().take(longest - 2).collect();
            format!("{kept}..")
        }
        None => shown,
    }
}

/// A number of at most six digits that count, or a time.
fn figure(value: &Cell) -> String {
    match value {
        Cell::Int(value) => value.to_string(),
        Cell::Float(value) if *value == 0.0 => String::from("0"),
        Cell::Float(value) if (1e-4..1e9).contains(&value.abs()) => {
            let digits = (5 - value.abs().log10().floor() as i32).clamp(0, 9) as usize;
            let text = format!("{value:.digits$}");
            if digits > 0 { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
        }
        Cell::Float(value) => format!("{value:.5e}"),
        Cell::Time(text) => text.clone(),
    }
}

fn table_object(seen: &TableSummary) -> Value {
    let column = |(c, s): (&ColumnProfile, &ColumnSummary)| {
        json!({
            "name": c.name, "kind": c.kind.name(), "dtype": c.dtype.name(), "why": c.why,
            "missing": c.n_missing, "distinct": c.n_distinct, "more_distinct": c.more_distinct,
            "infinite": c.n_infinite, "constant": c.constant, "examples": c.examples,
            "time_format": c.time_format.map(|f| f.pattern()),
            "spread": s.spread.as_ref().map(spread_object),
            "frequent": s.frequent.iter().map(|(value, count)| json!({"value": value, "count": count})).collect::<Value>(),
            "frequent_exact": s.frequent_exact,
        })
    };
    let profile = &seen.profile;
    json!({
        "schema": 1,
        "status": "ok",
        "what": "table",
        "name": profile.name,
        "rows": profile.n_rows,
        "delimiter": profile.delimiter.map(|d| char::from(d).to_string()),
        "header": profile.has_header,
        "columns": profile.columns.iter().zip(&seen.columns).map(column).collect::<Value>(),
        "warnings": seen.warnings.iter().map(|w| json!({"code": w.code, "column": w.column, "text": w.text})).collect::<Value>(),
    })
}

fn spread_object(spread: &Spread) -> Value {
    let value = |cell: &Cell| match cell {
        Cell::Int(value) => json!(value),
        Cell::Float(value) => json!(value),
        Cell::Time(text) => json!(text),
    };
    let [a, b, c] = &spread.quartiles;
    json!({
        "min": value(&spread.min), "q25": value(a), "median": value(b), "q75": value(c),
        "max": value(&spread.max), "mean": spread.mean.as_ref().map(value), "exact": spread.exact,
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
        if model.integers { ", integers only" } else { "" }
    );
    if !s.classes.is_empty() {
        text.push_str(&format!("classes: {}\n", s.classes.join(", ")));
    }
    for one in s.targets.iter().filter(|one| !one.classes.is_empty()) {
        text.push_str(&format!("classes of \"{}\": {}\n", one.name, one.classes.join(", ")));
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

/// Several targets; null of one.
fn targets(targets: &[TargetColumn]) -> Value {
    if targets.is_empty() {
        return Value::Null;
    }
    let object = |one: &TargetColumn| {
        let positive = one.positive.and_then(|at| one.classes.get(at as usize));
        json!({"name": one.name, "classes": figures::classes(&one.classes), "positive": positive})
    };
    targets.iter().map(object).collect()
}

fn model_object(model: &ModelSummary) -> Value {
    let s = &model.signature;
    json!({
        "schema": 1,
        "status": "ok",
        "what": "model",
        "task": s.task.name(),
        "target": s.target,
        "targets": targets(&s.targets),
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
