//! What another system, or a model file, says of the rows of a fit: a teacher from outside.

use crate::Error;
use crate::model_file::load;
use crate::table::Scorer;
use arrow_array::{Array, Float64Array, Int64Array};
use data::{Encoding, ReadOptions, Source, Table, Target};
use ir::{ColumnKind, Signature, Task};
use jobs::Ctx;
use recipe::{Predictions, Teacher};
use std::path::Path;

/// What a teacher says of each row of the table: probabilities `[n_rows, n_classes]`, or values; and the rows that it was
/// fitted to, where it is a model.
///
/// # Errors
/// A file that cannot be read; other classes, columns or numbers of rows than those of the table; a model that takes a
/// second table.
pub(crate) fn said(
    path: &Path,
    (table, target, encoding): (&Table, &Target, Encoding),
    own_target: &str,
    ctx: &Ctx<'_>,
) -> Result<(Vec<f64>, Option<u64>), Error> {
    let is = |extension: &str| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension));
    if is("onnx") {
        return Err(Error::unsupported(format!(
            "--teacher {}: a network is no teacher by itself; give what it predicts, by `smidgen predict --proba`",
            path.display()
        )));
    }
    if is("smidgen") {
        by_model(path, (table, target, own_target), ctx)
    } else {
        Ok((by_predictions(path, (table, target, encoding))?, None))
    }
}

fn by_model(
    path: &Path,
    (table, target, own_target): (&Table, &Target, &str),
    ctx: &Ctx<'_>,
) -> Result<(Vec<f64>, Option<u64>), Error> {
    let name = path.display();
    let (model, _) = load(path)?;
    let Signature { task, classes, joined, .. } = model.signature();
    if (*task, classes) != (target.task, &target.classes) {
        let shown = |task: Task, classes: &[String]| match classes {
            [] => task.to_string(),
            some => format!("{task} of {}", some.join(", ")),
        };
        let (expected, got) = (shown(target.task, &target.classes), shown(*task, classes));
        return Err(Error::input(format!("--teacher {name}: expected {expected}, got {got}")));
    }
    if let Some(input) = model.signature().inputs.iter().find(|input| input.name == own_target) {
        return Err(Error::input(format!(
            "--teacher {name}: it takes the target \"{}\" as a column; give a model that predicts it",
            input.name
        )));
    }
    let scorer = Scorer::new(&model, None)?;
    if joined.is_some() || scorer.sees_other_rows() {
        return Err(Error::unsupported(format!(
            "--teacher {name}: it looks at other rows than the one it predicts; give what it predicts instead"
        )));
    }
    let mut all = Vec::with_capacity(table.n_rows() * classes.len().max(1));
    for batch in table.batches() {
        match scorer.predict(batch, ctx)? {
            Predictions::Classes { probabilities, .. } => all.extend(probabilities),
            Predictions::Values(values) => all.extend(values),
            Predictions::Several(_) => return Err(Error::bug("--teacher: a model of several targets")),
        }
    }
    Ok((all, Some(model.card.data_fingerprint)))
}

fn by_predictions(
    path: &Path,
    (table, target, encoding): (&Table, &Target, Encoding),
) -> Result<Vec<f64>, Error> {
    let name = path.display();
    let names: Vec<String> = match &target.classes[..] {
        [] => vec!["prediction".to_owned()],
        classes => classes.iter().map(|class| format!("p_{class}")).collect(),
    };
    let types = names.iter().map(|name| (name.clone(), ColumnKind::Number)).collect();
    let source =
        Source::parse(path.to_str().ok_or_else(|| {
            Error::input(format!("--teacher {name}: expected the name of a table in UTF-8"))
        })?)?;
    let said = Table::read(&source, &ReadOptions { types, encoding, ..ReadOptions::default() })?;
    if said.n_rows() != table.n_rows() {
        return Err(Error::input(format!(
            "--teacher {name}: expected a line for each of the {} rows of {}, in their order, got {}",
            table.n_rows(),
            table.profile().name,
            said.n_rows()
        )));
    }
    let places = names.iter().map(|name| said.column_idx(name)).collect::<Result<Vec<usize>, _>>()?;
    let mut all = Vec::with_capacity(said.n_rows() * names.len());
    for batch in said.batches() {
        for row in 0..batch.num_rows() {
            for (&place, column) in places.iter().zip(&names) {
                let value = number(batch.column(place).as_ref(), row);
                let is_said = |v: &f64| target.classes.is_empty() || (0.0..=1.0).contains(v);
                if let Some(value) = value.filter(|v| !is_said(v)) {
                    let row = all.len() / names.len() + 1;
                    return Err(Error::input(format!(
                        "--teacher {name}: column \"{column}\": expected a probability in row {row}, got {value}"
                    )));
                }
                all.push(value.ok_or_else(|| {
                    let row = all.len() / names.len() + 1;
                    Error::input(format!("--teacher {name}: column \"{column}\" has no number in row {row}"))
                })?);
            }
        }
    }
    if let Some((row, sum)) = (!target.classes.is_empty())
        .then(|| all.chunks_exact(names.len()).map(|row| row.iter().sum::<f64>()))
        .and_then(|mut sums| {
            sums.by_ref().enumerate().find(|(_, sum)| (sum - 1.0).abs() > Teacher::SUM_TOLERANCE)
        })
    {
        return Err(Error::input(format!(
            "--teacher {name}: expected probabilities that add up to 1 in row {}, got {sum}",
            row + 1
        )));
    }
    Ok(all)
}

/// A cell of a column of numbers; none where it is missing.
fn number(cells: &dyn Array, row: usize) -> Option<f64> {
    if cells.is_null(row) {
        return None;
    }
    let any = cells.as_any();
    let double = any.downcast_ref::<Float64Array>().map(|cells| cells.value(row));
    double.or_else(|| any.downcast_ref::<Int64Array>().map(|cells| cells.value(row) as f64))
}
