//! A table of costs as a file: what operations take on the processor that a model is for.

use serde_json::{Map, Value};
use smidgen::{Counts, Error, Operation, OperationCosts};
use std::path::Path;

/// The table of a file, `{"cpu": "..", "ns": {"row": 1.5, ..}}`, or the usual one.
///
/// # Errors
/// A file that cannot be read, an operation that is missing, unknown, or costs no finite number of at least 0.
pub(crate) fn read(path: Option<&Path>) -> Result<OperationCosts, Error> {
    let Some(path) = path else { return Ok(OperationCosts::default()) };
    let name = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|e| Error::input(format!("{name}: cannot be read: {e}")))?;
    let whole: Value = serde_json::from_str(&text)
        .map_err(|e| Error::input(format!("{name}: expected a table of costs in JSON: {e}")))?;
    let (Some(cpu), Some(ns)) = (whole["cpu"].as_str(), whole["ns"].as_object()) else {
        return Err(Error::input(format!(
            "{name}: expected an object with \"cpu\", a name, and \"ns\", the nanoseconds of each operation"
        )));
    };
    let known = || Operation::ALL.map(Operation::name);
    if let Some(unknown) = ns.keys().find(|key| !known().contains(&key.as_str())) {
        return Err(Error::input(format!(
            "{name}: unknown operation \"{unknown}\"; known: {}",
            known().join(", ")
        )));
    }
    let cost = |operation: Operation| ns.get(operation.name()).and_then(Value::as_f64);
    let is_cost = |operation: &Operation| cost(*operation).is_some_and(|ns| ns >= 0.0);
    if let Some(missing) = Operation::ALL.into_iter().find(|operation| !is_cost(operation)) {
        let got = ns.get(missing.name()).map_or("none".to_owned(), Value::to_string);
        let operation = missing.name();
        return Err(Error::input(format!(
            "{name}: expected the nanoseconds of \"{operation}\", a number of at least 0, got {got}"
        )));
    }
    OperationCosts::try_new(cpu, |operation| cost(operation).unwrap_or(0.0))
        .ok_or_else(|| Error::input(format!("{name}: expected finite numbers")))
}

/// A time in microseconds, as nanoseconds.
pub(crate) fn us(text: &str) -> Result<f64, String> {
    let us = text.parse::<f64>().ok().filter(|us| us.is_finite() && *us > 0.0);
    us.map(|us| 1e3 * us).ok_or_else(|| format!("expected microseconds above 0, got \"{text}\""))
}

/// Operations of a row by name.
pub(crate) fn object(counts: &Counts) -> Value {
    let each = counts.each().map(|(operation, n)| (operation.name().to_owned(), Value::from(n)));
    Value::Object(each.collect::<Map<_, _>>())
}
