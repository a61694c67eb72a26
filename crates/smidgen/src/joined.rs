//! The second table of a fit or a prediction.

use crate::Error;
use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use data::{Encoding, ReadOptions, ReadPlan, Source, Table};
use ir::{ColumnKind, Input, Model};
use params::Params;
use prepare::related_rows;
use recipe::Join;
use std::path::PathBuf;

/// A second table and how its rows belong to those of the first.
#[derive(Clone, Debug, Default)]
pub struct JoinOptions {
    /// The second table: a path.
    pub table: String,
    /// The key: column of the table, column of the second one.
    pub on: (String, String),
    /// The moment: column of the table, column of the second one; only earlier rows count.
    pub before: Option<(String, String)>,
    /// Category of the second table whose shares are features.
    pub by: Option<String>,
    /// Parameters, as text.
    pub settings: Vec<(String, String)>,
}

/// A second table in memory.
pub(crate) struct Second {
    file: String,
    name: String,
    inputs: Vec<Input>,
    batch: RecordBatch,
    time: Option<String>,
    params: Params,
}

impl Second {
    /// Reads the table of a fit.
    ///
    /// # Errors
    /// It cannot be read, a column that was named is not there, an unknown parameter.
    pub(crate) fn read(options: &JoinOptions, read: &ReadOptions) -> Result<Second, Error> {
        let params = Params::parse(related_rows::NAME, &[related_rows::SPEC], &options.settings)
            .map_err(|e| Error::input(e.to_string()))?;
        let source = Source::parse(&options.table)?;
        let mut own =
            ReadOptions { missing: read.missing.clone(), encoding: read.encoding, ..ReadOptions::default() };
        let keys = [Some(&options.on.1), options.by.as_ref()];
        own.types = keys.into_iter().flatten().map(|c| (c.clone(), ColumnKind::Category)).collect();
        let table = Table::read(&source, &own)?;
        let before = options.before.as_ref().map(|b| &b.1);
        for named in [Some(&options.on.1), before, options.by.as_ref()].into_iter().flatten() {
            table.column_idx(named)?;
        }
        let mut inputs = Vec::new();
        let mut time = None;
        for column in &table.profile().columns {
            let named = |name: Option<&String>| name == Some(&column.name);
            let is_named = named(Some(&options.on.1)) || named(before) || named(options.by.as_ref());
            let is_value = column.kind == ColumnKind::Number && !column.all_missing && !column.constant;
            if before.is_none() && time.is_none() && column.kind == ColumnKind::Time {
                time = Some(column.name.clone());
            }
            if is_named || is_value || time.as_ref() == Some(&column.name) {
                inputs.push(Input { name: column.name.clone(), kind: column.kind, dtype: column.dtype });
            }
        }
        let batch = whole(table.batches(), source.name())?;
        let name = stem(&options.table);
        Ok(Second { file: options.table.clone(), name, inputs, batch, time, params })
    }

    /// The second table as a recipe takes it.
    pub(crate) fn join<'a>(&'a self, options: &'a JoinOptions) -> Join<'a> {
        Join {
            name: &self.name,
            file: &self.file,
            inputs: &self.inputs,
            batch: &self.batch,
            on: (&options.on.0, &options.on.1),
            before: options.before.as_ref().map(|(a, b)| (a.as_str(), b.as_str())),
            time: self.time.as_deref(),
            by: options.by.as_deref(),
            params: self.params.clone(),
        }
    }
}

/// The rows of the second table that a model takes, in one batch; none if it takes none. `other` is read instead
/// of the table of the fit.
///
/// # Errors
/// The table cannot be read or lacks a column; a table was given and the model takes none.
pub(crate) fn rows_of_second(
    model: &Model,
    other: Option<&PathBuf>,
    encoding: Encoding,
) -> Result<Option<RecordBatch>, Error> {
    let Some(joined) = &model.signature().joined else {
        return match other {
            None => Ok(None),
            Some(path) => Err(Error::input(format!(
                "--join {}: this model takes no second table; leave it out",
                path.display()
            ))),
        };
    };
    let path = other.map_or_else(|| joined.table.clone(), |p| p.display().to_string());
    // A model comes from elsewhere: it may name a file, nothing that waits or is read but once.
    if other.is_none() && !std::path::Path::new(&path).is_file() {
        return Err(Error::input(format!(
            "{path}: the model was fitted with this second table, and there is no such file; name it with --join FILE"
        )));
    }
    let source = Source::parse(&path).map_err(|e| {
        Error::input(format!("{e}; the model was fitted with this second table: name it with --join FILE"))
    })?;
    let missing = model.signature().missing.clone();
    let plan = ReadPlan { encoding, ..ReadPlan::of(joined.inputs.clone(), missing) };
    let batches = plan.read(&source)?.collect::<Result<Vec<_>, _>>()?;
    whole(&batches, source.name()).map(Some)
}

/// Batches in one.
///
/// # Errors
/// There is no row, or more than 2 GiB of text in a column.
pub(crate) fn whole(batches: &[RecordBatch], name: &str) -> Result<RecordBatch, Error> {
    let Some(first) = batches.first() else {
        return Err(Error::input(format!("{name}: expected one or more rows, got none")));
    };
    concat_batches(&first.schema(), batches).map_err(|e| {
        Error::input(format!("{name}: cannot be held in one piece: {e}; use fewer rows or columns"))
    })
}

/// `trans` of `data/trans.csv.gz`.
fn stem(path: &str) -> String {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let stem = file.split('.').next().unwrap_or(file);
    if stem.is_empty() { file.to_owned() } else { stem.to_owned() }
}
