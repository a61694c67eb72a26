//! `prepare`: a table through transforms, written as a table or as a model that makes the same columns.

use crate::Error;
use crate::fit::asked_steps;
use crate::output::{refuse_same_file, write_whole};
use crate::relation_options::RelationOptions;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{Field, Schema};
use data::{Format, Markers, ReadOptions, Source, Table, TableWriter, Target, TargetOptions};
use jobs::{Ctx, Seed};
use recipe::{Cleaned, Duplicates, MissingCells, PrepareOptions, Warning};
use std::path::PathBuf;
use std::sync::Arc;

/// What is prepared, and how.
#[derive(Clone, Debug)]
pub struct TransformOptions {
    /// The table: a path, or `-`.
    pub data: String,
    /// The target column, for transforms that see it; it is written too.
    pub target: Option<String>,
    /// How the table is read.
    pub read: ReadOptions,
    /// Transforms, in order.
    pub transforms: Vec<String>,
    /// Their parameters: transform, name, value.
    pub transform_settings: Vec<(String, String, String)>,
    /// Columns with a role: order, group, second table.
    pub relations: RelationOptions,
    /// What becomes of copies of rows.
    pub duplicates: Duplicates,
    /// What becomes of missing cells.
    pub missing_cells: MissingCells,
    /// The seed.
    pub seed: u64,
    /// Where it is written: `.smidgen` is a model that makes the columns, `.csv` and `.parquet` a table.
    pub output: PathBuf,
}

/// What was prepared.
#[derive(Clone, Debug)]
pub struct TransformReport {
    /// Rows written, or learnt from.
    pub n_rows: usize,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// What a person should know.
    pub warnings: Vec<Warning>,
    /// What cleaning changed.
    pub cleaned: Vec<Cleaned>,
}

/// Applies transforms to a table and writes what comes out.
///
/// # Errors
/// Any fault of options or data; then nothing is written.
pub fn transform(options: &TransformOptions, ctx: &Ctx<'_>) -> Result<TransformReport, Error> {
    let steps = asked_steps(&options.transforms, &options.transform_settings)?;
    refuse_same_file(&options.output, &options.data)?;
    options.relations.refuse_output(&options.output)?;
    ctx.progress.stage("reading", None);
    let mut read = ReadOptions { raw: options.target.iter().cloned().collect(), ..options.read.clone() };
    options.relations.add_types(&mut read.types);
    let second = options.relations.read_second(&read)?;
    let relations = options.relations.relations(second.as_ref())?;
    let table = Table::read(&Source::parse(&options.data)?, &read)?;
    let target = match &options.target {
        None => None,
        Some(name) => {
            let asked = TargetOptions {
                name,
                task: None,
                classes: None,
                positive: None,
                missing: Markers::new(&options.read.missing),
            };
            Some(Target::resolve(table.raw_cells(name)?, &asked)?)
        }
    };
    let prepare = PrepareOptions {
        targets: options.target.as_slice(),
        row_weight: None,
        declared: &options.read.types,
        steps,
        augment: None,
        base: None,
        relations,
        duplicates: options.duplicates,
        missing_cells: options.missing_cells,
        max_bins: 2,
        takes: learn::Takes::CODES,
        n_batches: None,
        class_weights: recipe::ClassWeights::None,
        goal: learn::Goal::Mean,
        seed: Seed(options.seed),
    };
    let mut made = recipe::transform(&table, target.as_ref(), &prepare, &options.read.missing, ctx)?;
    let mut report = TransformReport {
        n_rows: made.rows.len(),
        columns: Vec::new(),
        warnings: std::mem::take(&mut made.warnings),
        cleaned: std::mem::take(&mut made.cleaned),
    };
    if options.output.extension().is_some_and(|e| e == "smidgen") {
        report.columns.clone_from(&made.model.signature().columns);
        for column in &made.not_numbers {
            let text = "a model makes number columns only; the column is left out".to_owned();
            report.warnings.push(Warning::column("unused_column", column, text));
        }
        let bytes = ir::file::write(&made.model);
        write_whole(&options.output, |out| {
            let path = options.output.display();
            out.write_all(&bytes).map_err(|e| Error::input(format!("{path}: cannot be written: {e}")))
        })?;
        return Ok(report);
    }
    for column in &made.left_out {
        let text = "bags are no column of a table; bag_columns makes columns of them".to_owned();
        report.warnings.push(Warning::column("unused_column", column, text));
    }
    if let Some(name) = options.target.as_ref().filter(|t| made.columns.iter().any(|(c, _)| c == *t)) {
        return Err(Error::input(format!(
            "prepare: a transform makes a column \"{name}\", as the target is called; rename the target"
        )));
    }
    if let Some(name) = &options.target {
        let cells: Vec<Option<&str>> = table.raw_cells(name)?.collect();
        let kept = made.rows.iter().map(|&row| cells.get(row as usize).copied().flatten());
        made.columns.push((name.clone(), Arc::new(kept.collect::<StringArray>()) as ArrayRef));
    }
    report.columns = made.columns.iter().map(|(name, _)| name.clone()).collect();
    let fields: Vec<Field> =
        made.columns.iter().map(|(name, array)| Field::new(name, array.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = made.columns.into_iter().map(|(_, array)| array).collect();
    let batch =
        RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(|e| Error::bug(format!("prepare: {e}")))?;
    let format = Format::of(&options.output.to_string_lossy());
    write_whole(&options.output, |out| {
        let mut writer = TableWriter::new(out, format, schema)?;
        writer.write(&batch)?;
        Ok(writer.finish()?)
    })?;
    Ok(report)
}
