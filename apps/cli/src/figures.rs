//! The figures of an evaluation, for people and for programs.

use crate::look;
use serde_json::{Map, Value, json};
use smidgen::{Average, Averages, Cleaned, Evaluated, Shown, TargetFigures, Warning};
use std::fmt::Write;

/// Classes above which a confusion matrix would not fit a terminal.
const MOST_SHOWN: usize = 12;

/// Metrics that have a column in the table of several targets, beside the one that is the score.
const OF_TARGETS: &[&str] =
    &["r2", "rmse", "mae", "roc_auc", "average_precision", "accuracy", "f1", "log_loss"];

/// A row for each of several targets, and the mean of the score.
fn targets_text(of: &Evaluated) -> String {
    let mut names = vec![of.metric];
    let shown = of.targets.iter().flat_map(|one| &one.figures.metrics).map(|(name, _)| *name);
    for name in shown.filter(|name| OF_TARGETS.contains(name)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut table = look::table(&[&["target", "rows", "95 % interval"][..], &names].concat());
    let mut add = |name: &str, figures: &Evaluated| {
        // Means of what has a unit say nothing.
        let is_mean = !figures.targets.is_empty();
        let value = |name: &&str| {
            let known = figures.metrics.iter().find(|(known, _)| known == name);
            let known = known.filter(|_| !is_mean || *name == of.metric);
            known.map_or(String::new(), |(_, value)| look::score(*value))
        };
        let rows = if is_mean { String::new() } else { look::count(figures.n_rows as u64) };
        let interval = figures.interval.map_or(String::new(), look::interval);
        let mut cells = vec![name.to_owned(), rows, interval];
        cells.extend(names.iter().map(value));
        table.add_row(cells);
    };
    of.targets.iter().for_each(|one| add(&one.name, &one.figures));
    add("(mean)", of);
    format!("{table}\n")
}

/// Metrics, classes and confusion as text.
pub(crate) fn text(of: &Evaluated) -> String {
    if !of.targets.is_empty() {
        return targets_text(of);
    }
    let mut out = String::new();
    let mut head = vec!["metric", "value"];
    head.extend(of.interval.map(|_| "95 % interval"));
    let mut metrics = look::table(&head);
    for (name, value) in &of.metrics {
        let mut cells = vec![(*name).to_owned(), look::score(*value)];
        cells.extend(of.interval.filter(|_| *name == of.metric).map(look::interval));
        metrics.add_row(cells);
    }
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{metrics}");
    if of.classes.is_empty() || of.confusion.is_empty() {
        return out;
    }
    let mut classes = look::table(&["class", "precision", "recall", "f1", "rows"]);
    for (name, row) in of.classes.iter().zip(&of.class_table).take(MOST_SHOWN) {
        let figures = [row.precision, row.recall, row.f1].map(look::score);
        let mut cells = vec![name.clone()];
        cells.extend(figures);
        cells.push(look::count(row.support as u64));
        classes.add_row(cells);
    }
    if let Some(of_all) = &of.averages {
        let n_rows: f64 = of.class_table.iter().map(|row| row.support).sum();
        for (name, average) in named(of_all) {
            let mut cells = vec![format!("{name} average")];
            cells.extend([average.precision, average.recall, average.f1].map(look::score));
            cells.push(look::count(n_rows as u64));
            classes.add_row(cells);
        }
    }
    let _ = writeln!(out, "\n{classes}");
    if of.classes.len() > MOST_SHOWN {
        let _ = writeln!(out, "({} more classes in --json)", of.classes.len() - MOST_SHOWN);
        return out;
    }
    let mut head = vec!["true \\ predicted".to_owned()];
    head.extend(of.classes.iter().cloned());
    let mut confusion = look::table(&head);
    for (name, row) in of.classes.iter().zip(&of.confusion) {
        let mut cells = vec![name.clone()];
        cells.extend(row.iter().map(|n| look::count(*n)));
        confusion.add_row(cells);
    }
    let _ = writeln!(out, "\n{confusion}");
    out
}

/// Averages with the field's names.
fn named(of: &Averages) -> [(&'static str, Average); 3] {
    [("macro", of.macro_average), ("micro", of.micro_average), ("weighted", of.weighted_average)]
}

/// `{macro: {precision, recall, f1}, micro, weighted}`; null for regression.
pub(crate) fn averages(of: &Evaluated) -> Value {
    let object = |(name, average): (&str, Average)| {
        let Average { precision, recall, f1 } = average;
        (name.to_owned(), json!({"precision": precision, "recall": recall, "f1": f1}))
    };
    of.averages.as_ref().map_or(Value::Null, |of| named(of).into_iter().map(object).collect())
}

/// Columns whose worth is shown.
const MOST_COLUMNS: usize = 10;
/// Length of the longest bar.
const BAR: f64 = 24.0;

/// What columns are worth, as bars; nothing where none is worth anything.
pub(crate) fn importance(shown: &Shown) -> String {
    let of = &shown.importance;
    let largest = of.iter().map(|i| i.permutation).fold(0.0, f64::max);
    if largest <= 0.0 {
        return String::new();
    }
    let mut table = look::table(&["column", &format!("{} lost when shuffled", shown.worth_metric), ""]);
    if let Some(bars) = table.column_mut(2) {
        bars.set_cell_alignment(comfy_table::CellAlignment::Left);
    }
    for i in of.iter().take(MOST_COLUMNS) {
        let bar = "█".repeat((BAR * i.permutation / largest).round().max(0.0) as usize);
        table.add_row([i.column.clone(), look::score(i.permutation), bar]);
    }
    format!("{table}\n\n")
}

/// A number of the report; what is not known or not finite is null.
pub(crate) fn number(value: Option<f64>) -> Value {
    value.filter(|v| v.is_finite()).map_or(Value::Null, |v| json!(v))
}

/// Warnings as objects.
pub(crate) fn warnings(warnings: &[Warning]) -> Value {
    let object = |w: &Warning| json!({"code": w.code, "column": w.column, "text": w.text});
    warnings.iter().map(object).collect()
}

/// What cleaning changed, as objects.
pub(crate) fn cleaning(cleaned: &[Cleaned]) -> Value {
    let object = |c: &Cleaned| json!({"code": c.code, "column": c.column, "count": c.count, "text": c.text});
    cleaned.iter().map(object).collect()
}

/// `{name: value}` of the metrics.
pub(crate) fn metrics(of: &Evaluated) -> Value {
    let map: Map<String, Value> =
        of.metrics.iter().map(|(name, value)| ((*name).to_owned(), number(Some(*value)))).collect();
    Value::Object(map)
}

/// The figures of each of several targets; null of one.
pub(crate) fn targets(of: &Evaluated) -> Value {
    if of.targets.is_empty() {
        return Value::Null;
    }
    let object = |one: &TargetFigures| {
        let of = &one.figures;
        json!({
            "target": one.name,
            "task": of.task.name(),
            "metric": of.metric,
            "score": number(of.score),
            "error": number(of.error),
            "interval": of.interval,
            "rows": of.n_rows,
            "classes": classes(&of.classes),
            "positive": of.positive,
            "metrics": metrics(of),
            "confusion": confusion(of),
        })
    };
    of.targets.iter().map(object).collect()
}

/// Rows true, columns predicted; null for regression.
pub(crate) fn confusion(of: &Evaluated) -> Value {
    if of.confusion.is_empty() { Value::Null } else { json!(of.confusion) }
}

/// Classes in `p_` order; null for regression.
pub(crate) fn classes(of: &[String]) -> Value {
    if of.is_empty() { Value::Null } else { json!(of) }
}
