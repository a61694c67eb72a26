//! `--report`: where a page is written, and what stands on it as JSON.

use crate::figures::number;
use serde_json::{Value, json};
use smidgen::{Dependence, Error, GridPoint, ScoreTable, Shown, same_file, write_whole};
use std::path::Path;

/// Finds out before long work that a report cannot be written where it is wanted; `taken` are the files that are read
/// or written besides.
pub(crate) fn check(path: &Path, taken: &[&Path]) -> Result<(), Error> {
    let shown = path.display();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let folder = folder.display();
        return Err(Error::input(format!("--report {shown}: there is no folder {folder}; make it first")));
    }
    if path.is_dir() {
        return Err(Error::input(format!("--report {shown}: a folder, not a file; name a file")));
    }
    if taken.iter().any(|other| same_file(path, other)) {
        return Err(Error::input(format!(
            "--report {shown}: it is read or written already; name another file"
        )));
    }
    Ok(())
}

/// Writes a page whole.
pub(crate) fn write(path: &Path, page: &str) -> Result<(), Error> {
    write_whole(path, |out| {
        let failed = |e: std::io::Error| Error::input(format!("{}: cannot be written: {e}", path.display()));
        out.write_all(page.as_bytes()).map_err(failed)
    })
}

/// Words as a shell takes them.
pub(crate) fn command<S: AsRef<str>>(words: &[S]) -> String {
    words.iter().map(|word| quoted(word.as_ref())).collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Adds to an object what a page shows of a model.
pub(crate) fn add_shown(object: &mut Value, shown: Option<&Shown>) {
    let of = |f: fn(&Shown) -> Value| shown.map_or(Value::Null, f);
    object["importance"] = of(|shown| shown.importance.iter().map(importance).collect());
    object["importance_metric"] = of(|shown| json!(shown.worth_metric));
    object["dependence"] = of(|shown| shown.dependence.iter().map(dependence).collect());
    object["tables"] = of(|shown| shown.tables.iter().map(table).collect());
}

fn importance(of: &smidgen::Importance) -> Value {
    json!({
        "column": of.column,
        "permutation": number(Some(of.permutation)),
        "deviation": number(Some(of.deviation)),
        "shap": number(Some(of.shap)),
    })
}

/// Mean predictions by value of the column, a list each; null stands for missing.
fn dependence(of: &Dependence) -> Value {
    let value = |point: &GridPoint| point.number.map_or(json!(point.text), |n| number(Some(n)));
    json!({
        "column": of.column,
        "values": of.grid.iter().map(value).collect::<Vec<_>>(),
        "mean": of.mean.chunks(of.width.max(1)).collect::<Vec<_>>(),
    })
}

/// What is added, `[places of the first column, places of the second one, scores]` in one list.
fn table(of: &ScoreTable) -> Value {
    json!({
        "columns": of.sides.iter().map(|side| &side.name).collect::<Vec<_>>(),
        "places": of.sides.iter().map(|side| &side.places).collect::<Vec<_>>(),
        "scores": of.width,
        "adds": of.values,
    })
}
