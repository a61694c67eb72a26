//! A table through the steps of a recipe, without a learner.

use crate::chain::{Lowering, add_inputs};
use crate::cleaning::{Cleaned, Looked, Told, choose, look};
use crate::error::{Error, Kind};
use crate::frame::{Fitting, Frame};
use crate::prepared::{PrepareOptions, bind_all, bind_second};
use crate::relations::Tables;
use crate::shrink::shrink;
use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};
use data::{Table, Target};
use ir::{Card, Column, ColumnData, GraphBuilder, Model, OutputRole, Signature, Task};
use jobs::{Ctx, Seed};
use prepare::Warning;
use prepare::transform::{FeatureKind, each_row};
use runtime::self_test;
use std::sync::Arc;

/// A table through the steps of a recipe.
pub struct Transformed {
    /// The columns, by name; those of the rows that are kept, in order.
    pub columns: Vec<(String, ArrayRef)>,
    /// The rows that are kept.
    pub rows: Vec<u32>,
    /// Columns of kinds that a table cannot hold.
    pub left_out: Vec<String>,
    /// Columns of kinds that the model does not make.
    pub not_numbers: Vec<String>,
    /// The steps as a model that makes the number columns of any such table.
    pub model: Model,
    /// What a person should know.
    pub warnings: Vec<Warning>,
    /// What cleaning changed.
    pub cleaned: Vec<Cleaned>,
}

/// Applies the steps of `options` to a table; those that see the target are fitted to all its rows.
///
/// # Errors
/// No column is left, a step cannot be fitted, a step sees the target and there is none.
pub fn transform(
    table: &Table,
    target: Option<&Target>,
    options: &PrepareOptions<'_>,
    missing: &[String],
    ctx: &Ctx<'_>,
) -> Result<Transformed, Error> {
    let mut told = Told::default();
    let inputs = choose(table, options, &mut told);
    let bound = bind_all(table.batches(), &inputs)?;
    let columns = data::by_column(&bound, inputs.len());
    let Looked { inputs, columns, unlearnt, rows, truth, row_weights, steps, .. } =
        look(table, target, options, inputs, columns, &mut told)?;
    if rows.is_empty() {
        return Err(Kind::NoRows { table: table.profile().name.clone() }.into());
    }
    let second = bind_second(&options.relations)?;
    let mut frame = Frame::new(&inputs, columns);
    let fitting = Fitting {
        rows: &rows,
        target: truth.as_ref().and_then(|t| t.step_target()),
        row_weights: row_weights.as_deref(),
        seed: options.seed,
        threads: ctx.threads,
        progress: ctx.progress,
    };
    ctx.progress.stage("transforming", Some(steps.len() as u64));
    frame.features.retain(|f| !unlearnt.contains(&f.name));
    options.relations.apply(&mut frame, second.as_ref(), &fitting)?;
    frame.apply(&steps, 0, &fitting)?;
    told.append(std::mem::take(&mut frame.told));
    let (mut columns, mut left_out) = (Vec::new(), Vec::new());
    for feature in &frame.features {
        match feature.kind {
            FeatureKind::Bag => left_out.push(feature.name.clone()),
            _ => columns.push((feature.name.clone(), array(&frame.store.columns(feature.source), &rows))),
        }
    }
    let not_numbers =
        frame.features.iter().filter(|f| f.kind != FeatureKind::Number).map(|f| f.name.clone()).collect();
    let recipe = steps.iter().map(|s| s.describe()).collect::<Vec<_>>().join("; ");
    let card = Card { n_rows: rows.len() as u64, seed: options.seed.0, recipe, ..Card::default() };
    let tables = Tables::new(&inputs, &options.relations);
    let model = model(&frame, &tables, card, missing, options.seed)?;
    Ok(Transformed {
        columns,
        rows,
        left_out,
        not_numbers,
        model,
        warnings: told.warnings,
        cleaned: told.cleaned,
    })
}

/// The rows of a column as Arrow has them; NaN is null.
fn array(chunks: &[Column<'_>], rows: &[u32]) -> ArrayRef {
    let mut cells = Vec::with_capacity(rows.len());
    each_row(rows, chunks, Column::n_rows, |chunk, row| cells.push((chunk, row)));
    match chunks.first().map(Column::data) {
        Some(ColumnData::Str { .. }) => {
            Arc::new(cells.iter().map(|(c, row)| c.text(*row)).collect::<StringArray>())
        }
        Some(ColumnData::I64(_)) => Arc::new(
            cells
                .iter()
                .map(|(c, row)| match c.data() {
                    ColumnData::I64(v) if c.is_valid(*row) => Some(v[*row]),
                    _ => None,
                })
                .collect::<Int64Array>(),
        ),
        _ => {
            let values = cells.iter().map(|(c, row)| Some(c.double(*row)).filter(|v| !v.is_nan()));
            Arc::new(values.collect::<Float64Array>())
        }
    }
}

/// The steps as a model that makes columns.
fn model(
    frame: &Frame<'_>,
    tables: &Tables<'_>,
    card: Card,
    missing: &[String],
    seed: Seed,
) -> Result<Model, Error> {
    let numbers: Vec<_> = frame.features.iter().filter(|f| f.kind == FeatureKind::Number).collect();
    if numbers.is_empty() {
        return Err(Kind::NoNumbers.into());
    }
    let mut builder = GraphBuilder::new();
    let sources = numbers.iter().map(|f| f.source);
    let used = frame.chain.needs(sources, &|_| false, frame.inputs.len()).inputs;
    let values = add_inputs(&mut builder, (&frame.inputs, frame.n_main), &used)?;
    let mut lowering = Lowering::new(&frame.chain, values);
    let mut outputs = Vec::with_capacity(numbers.len());
    for feature in &numbers {
        outputs.push(lowering.step_value(&mut builder, feature.source, feature.kind)?);
    }
    let graph = shrink(&builder.finish(&outputs)?)?;
    let (inputs, joined) = tables.taken(&used);
    let signature = Signature {
        task: Task::Transform,
        target: String::new(),
        targets: Vec::new(),
        inputs,
        outputs: vec![OutputRole::Column; outputs.len()],
        classes: Vec::new(),
        positive: None,
        missing: missing.to_vec(),
        columns: numbers.iter().map(|f| f.name.clone()).collect(),
        joined,
    };
    let test = self_test(&graph, seed.0)?;
    let mut model = Model::try_new(graph, signature, card)?;
    model.self_test = Some(test);
    Ok(model)
}
