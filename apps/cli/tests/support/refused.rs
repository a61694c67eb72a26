//! Input that must be refused: the exit code, a message with names, rows and a cure, nothing written.
//!
//! Each case runs twice. First without the output file: none must appear. Then with an older file in
//! its place and, where the verb knows it, with `--json`: the file must stay, and stdout must hold one
//! error object. Both times the folder must hold the same files with the same bytes as before. A flag
//! that a message speaks of must be one of the verb.

use crate::run::{Place, Ran};
use crate::tables::{Asks, table};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::OnceLock;

pub struct Case {
    name: &'static str,
    /// Bytes of `t.csv`; not there if `None`.
    table: Option<Vec<u8>>,
    line: &'static str,
    code: i32,
    says: &'static [&'static str],
}

/// A case with a table of its own.
pub fn on<T: Into<Vec<u8>>>(
    name: &'static str,
    table: T,
    line: &'static str,
    code: i32,
    says: &'static [&'static str],
) -> Case {
    Case { name, table: Some(table.into()), line, code, says }
}

/// A case on the files that every folder has: tables `good.csv` and `regression.csv`, their models
/// `m.smidgen` and `r.smidgen`.
pub fn args(name: &'static str, line: &'static str, code: i32, says: &'static [&'static str]) -> Case {
    Case { name, table: None, line, code, says }
}

/// The files that every folder has.
pub fn files() -> &'static [(&'static str, Vec<u8>)] {
    static FILES: OnceLock<Vec<(&str, Vec<u8>)>> = OnceLock::new();
    FILES.get_or_init(|| {
        let place = Place::new();
        place.write("good.csv", table(Asks::Binary, 0..800));
        place.write("regression.csv", table(Asks::Regression, 0..800));
        place.write("three.csv", table(Asks::Multiclass, 0..200));
        let rest = "--target y --drop w --work 1 --folds 2 --set gbdt.n_trees=10";
        place.good(&format!("fit good.csv {rest} -o m.smidgen"));
        place.good(&format!("fit regression.csv {rest} -o r.smidgen"));
        let names = ["good.csv", "regression.csv", "three.csv", "m.smidgen", "r.smidgen"];
        names.into_iter().map(|name| (name, bytes(&place, name))).collect()
    })
}

pub fn bytes(place: &Place, name: &str) -> Vec<u8> {
    std::fs::read(place.path(name)).expect("a file of the case can be read")
}

pub fn check(cases: &[Case]) {
    let faults: Vec<String> = cases.iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// What a case does wrong.
fn faults(case: &Case) -> Vec<String> {
    let place = Place::new();
    files().iter().for_each(|(name, bytes)| place.write(name, bytes));
    if let Some(table) = &case.table {
        place.write("t.csv", table);
    }
    let verb = case.line.split(' ').next().unwrap_or("");
    let mut line = case.line.to_owned();
    if verb == "fit" && !line.contains(" -o ") {
        line.push_str(" -o out.smidgen");
    }
    let mut faults = Vec::new();
    let mut tell = |what: String| faults.push(format!("{}: smidgen {}\n    {what}", case.name, case.line));

    let before = snapshot(&place);
    let ran = place.run(&line);
    if ran.code != case.code {
        tell(format!("exit code {}, expected {}: {}", ran.code, case.code, ran.err));
    }
    for part in case.says {
        if !ran.err.contains(part) {
            tell(format!("stderr lacks {part:?}: {}", ran.err));
        }
    }
    if ran.err.contains("panicked") {
        tell(format!("a panic: {}", ran.err));
    }
    let help = place.run(&format!("{verb} --help")).out + "--help";
    for flag in flags(&ran.err).filter(|flag| !case.line.contains(flag) && !help.contains(flag)) {
        tell(format!("{verb} has no {flag}: {}", ran.err));
    }
    if !ran.out.is_empty() && verb != "predict" {
        tell(format!("stdout: {:?}", ran.out));
    }
    if snapshot(&place) != before {
        tell(format!("files before and after: {:?}, {:?}", before.keys(), snapshot(&place).keys()));
    }

    let output = line.split_once(" -o ").and_then(|(_, rest)| rest.split(' ').next());
    if let Some(output) = output.filter(|o| !o.contains('/')) {
        place.write(output, "old");
    }
    let before = snapshot(&place);
    if matches!(verb, "fit" | "evaluate" | "inspect") {
        line.push_str(" --json");
    }
    let ran = place.run(&line);
    if ran.code != case.code {
        tell(format!("with an older output: exit code {}: {}", ran.code, ran.err));
    }
    if line.ends_with(" --json") {
        json_faults(&ran, case.code).into_iter().for_each(&mut tell);
    }
    if snapshot(&place) != before {
        tell(format!("older files: {:?}, {:?}", before.keys(), snapshot(&place).keys()));
    }
    faults
}

/// The flags that a message speaks of.
fn flags(message: &str) -> impl Iterator<Item = &str> {
    let words = message.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.filter(|word| word.len() > 2 && word.starts_with("--"))
}

fn json_faults(ran: &Ran, code: i32) -> Vec<String> {
    let object = match ran.json() {
        Ok(object) => object,
        Err(fault) => return vec![format!("--json: {fault}")],
    };
    let kind = if code == 3 { "unsupported" } else { "input" };
    let mut faults = Vec::new();
    for (key, expected) in [("schema", json!(1)), ("status", json!("error")), ("kind", json!(kind))] {
        if object[key] != expected {
            faults.push(format!("--json: {key} is {}, expected {expected}", object[key]));
        }
    }
    let message = object["message"].as_str().unwrap_or("");
    if message.is_empty() || !ran.err.contains(message) {
        faults.push(format!("--json: message {message:?} is not the one on stderr: {}", ran.err));
    }
    faults
}

/// Every file of the folder, whole.
pub fn snapshot(place: &Place) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(place.path(".")).expect("the folder can be listed");
    let names =
        entries.map(|e| e.expect("the folder can be listed").file_name().to_string_lossy().into_owned());
    names.map(|name| (name.clone(), bytes(place, &name))).collect()
}

/// 45,000 rows of two columns; `cell` says what stands in the first.
pub fn long(cell: impl Fn(u32) -> String, header: &str) -> String {
    let mut text = header.to_owned();
    for row in 1..=45_000 {
        text.push_str(&format!("{},{},{}\n", cell(row), row % 7, if row % 3 == 0 { "no" } else { "yes" }));
    }
    text
}
