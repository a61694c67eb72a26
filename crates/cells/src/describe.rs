//! What a model says of itself, as JSON.
//!
//! Written by hand: a few objects of text, lists and truths do not need a library.

use alloc::format;
use alloc::string::String;
use ir::{Input, Signature};

/// The signature; `whole` is true if rows hang on other rows.
pub fn signature(signature: &Signature, whole: bool) -> String {
    let targets = signature.targets.iter().map(|one| {
        let (name, classes) = (text(&one.name), list(one.classes.iter().map(|c| text(c))));
        format!(
            "{{\"name\":{name},\"classes\":{classes},\"positive\":{}}}",
            class(&one.classes, one.positive)
        )
    });
    let inputs = |inputs: &[Input]| {
        list(inputs.iter().map(|input| {
            let (name, kind, dtype) = (text(&input.name), input.kind.name(), input.dtype.name());
            format!("{{\"name\":{name},\"kind\":\"{kind}\",\"dtype\":\"{dtype}\"}}")
        }))
    };
    let joined = signature.joined.as_ref().map_or(String::from("null"), |j| {
        format!("{{\"table\":{},\"inputs\":{}}}", text(&j.table), inputs(&j.inputs))
    });
    let members = [
        ("task", text(signature.task.name())),
        ("target", text(&signature.target)),
        ("targets", list(targets)),
        ("inputs", inputs(&signature.inputs)),
        ("joined", joined),
        ("outputs", list(signature.outputs.iter().map(|role| text(role.name())))),
        ("classes", list(signature.classes.iter().map(|c| text(c)))),
        ("positive", class(&signature.classes, signature.positive)),
        ("missing", list(signature.missing.iter().map(|m| text(m)))),
        ("columns", list(signature.columns.iter().map(|c| text(c)))),
        ("whole", String::from(if whole { "true" } else { "false" })),
    ];
    let members = members.iter().map(|(name, value)| format!("\"{name}\":{value}"));
    let mut out = joined_by_commas('{', members);
    out.push('}');
    out
}

/// What came of the self-test: the digest of the file, and of each path its name, digest and verdict.
pub fn checked<'a>(digest: Option<u64>, paths: impl Iterator<Item = (&'a str, u64, &'a str)>) -> String {
    let digest = digest.map_or(String::from("null"), |digest| format!("\"{digest:016x}\""));
    let paths = paths.map(|(path, digest, verdict)| {
        format!("{{\"path\":\"{path}\",\"digest\":\"{digest:016x}\",\"verdict\":\"{verdict}\"}}")
    });
    format!("{{\"digest\":{digest},\"paths\":{}}}", list(paths))
}

fn class(classes: &[String], at: Option<u32>) -> String {
    at.and_then(|at| classes.get(at as usize)).map_or(String::from("null"), |c| text(c))
}

fn list(items: impl Iterator<Item = String>) -> String {
    let mut out = joined_by_commas('[', items);
    out.push(']');
    out
}

fn joined_by_commas(first: char, items: impl Iterator<Item = String>) -> String {
    let mut out = String::from(first);
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&item);
    }
    out
}

/// A text in quotes; control characters by their number.
fn text(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\0'..='\x1f' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
