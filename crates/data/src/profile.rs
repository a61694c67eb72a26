//! The first pass: every cell of the file is looked at, and each column gets its kind.

use crate::csv::{Header, Layout, Reading};
use crate::error::{Kind, LISTED, Result};
use crate::facts::{Facts, distinct_cap};
use crate::infer::{Inferred, Place, infer};
use crate::markers::Markers;
use crate::nearest::nearest;
use crate::options::ReadOptions;
use crate::parquet::{self, Parquet};
use crate::source::Source;
use crate::storage::Storage;
use ir::text::time::TimeFormat;
use ir::{ColumnKind, DType};
use std::collections::HashSet;

/// What the first pass found in one column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnProfile {
    /// Name in the header.
    pub name: String,
    /// Position in the file, from 0; dropped columns count.
    pub file_idx: usize,
    /// What the column means.
    pub kind: ColumnKind,
    /// Type of the values: `I64` or `F64` for numbers (and for categories whose cells are all
    /// numbers), `I64` for times (microseconds since 1970-01-01 00:00 UTC), else `Str`.
    pub dtype: DType,
    /// How the times of a column are spelt whose times are text.
    pub time_format: Option<TimeFormat>,
    /// True if the batches hold the column as raw text, whatever its kind.
    pub raw: bool,
    /// Why it has this kind, in a few words.
    pub why: String,
    /// Cells that are missing.
    pub n_missing: u64,
    /// Different values among the others, at most 100,000 (10,000 numbers; fewer in very
    /// wide tables).
    /// Equal numbers count once, however they are spelt.
    pub n_distinct: usize,
    /// True if there are more different values than `n_distinct`.
    pub more_distinct: bool,
    /// Infinite numbers.
    pub n_infinite: u64,
    /// True if all rows hold the same: one value and no missing cell, or no value at all.
    pub constant: bool,
    /// True if no cell has a value; callers may warn.
    pub all_missing: bool,
    /// The first different values as written, at most five.
    pub examples: Vec<String>,
}

/// What the first pass found in a table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableProfile {
    /// Name of the source, as the user typed it.
    pub name: String,
    /// Number of rows, without header and blank lines.
    pub n_rows: u64,
    /// Columns in the order of the file, without dropped ones.
    pub columns: Vec<ColumnProfile>,
    /// The delimiter; `None` for Parquet.
    pub delimiter: Option<u8>,
    /// True if the names are the file's own: the first row of CSV, or Parquet. Otherwise the columns
    /// are named `column_1`, `column_2`, ..
    pub has_header: bool,
}

impl ColumnProfile {
    pub(crate) fn new(
        name: String,
        file_idx: usize,
        raw: bool,
        found: Inferred,
        facts: Facts,
    ) -> ColumnProfile {
        let n_distinct = facts.distinct.count();
        let is_spelt = found.kind == ColumnKind::Time && found.dtype == DType::Str;
        ColumnProfile {
            name,
            file_idx,
            kind: found.kind,
            dtype: found.dtype,
            time_format: facts.times.first().filter(|_| is_spelt),
            raw,
            why: found.why,
            n_missing: facts.n_missing,
            n_distinct,
            more_distinct: facts.distinct.is_capped(),
            n_infinite: facts.n_infinite,
            constant: n_distinct == 0 || (n_distinct == 1 && facts.n_missing == 0),
            all_missing: n_distinct == 0,
            examples: facts.examples,
        }
    }
}

impl TableProfile {
    /// Position in `columns` of the column `name`.
    /// # Errors  `UnknownColumn`, with the most alike name.
    pub fn column_idx(&self, name: &str) -> Result<usize> {
        match self.columns.iter().position(|column| column.name == name) {
            Some(idx) => Ok(idx),
            None => Err(unknown_column(&self.name, name, self.columns.iter().map(|c| c.name.as_str()))),
        }
    }
}

/// Reads the whole source once and decides what its columns are (DESIGN.md section 6, Types).
///
/// A column is a number if every cell that is there is one; an error if at least 99.5 % are;
/// otherwise text if a cell has 5 words or more on average, or if of at least 100 cells more than
/// half are different; else a category. `options.types` overrides, and spares the error.
/// A Parquet column is what its type says; text columns of it follow the rules of text above.
/// Memory: one row (Parquet: one batch), and at most 100,000 hashes a column (4 million in all, or 1,000 a column).
/// # Errors  Anything wrong with the file; `NoRows`, `UnknownColumn`, `MostlyNumbers`,
/// `DeclaredNumber`, `DeclaredTime`; of Parquet also `EmptyTable`, `ColumnType`, `ParquetCodec`,
/// `TimeRange`.
pub fn profile(source: &Source, options: &ReadOptions) -> Result<TableProfile> {
    if source.is_parquet()? {
        return parquet::profile(Parquet::open(source)?, options);
    }
    let markers = Markers::new(&options.missing);
    let header = options.header.map_or(Header::Sniffed(&markers), Header::Given);
    let layout = Layout { delimiter: options.delimiter, encoding: options.encoding, header };
    let mut rows = Reading::open(source, &layout)?;
    check_names(source.name(), rows.header(), options)?;
    let dropped: HashSet<&str> = options.drop.iter().map(String::as_str).collect();
    let cap = distinct_cap(rows.header().len());
    let mut facts: Vec<Option<Facts>> = rows
        .header()
        .iter()
        .map(|name| (!dropped.contains(name.as_str())).then(|| Facts::new(cap)))
        .collect();
    while !rows.advance(usize::MAX)?.is_empty() {
        let (block, first_row) = (rows.rows(), rows.first_row());
        for (idx, facts) in facts.iter_mut().enumerate() {
            let Some(facts) = facts else { continue };
            for (row, cell) in (first_row..).zip(block.column(idx)) {
                facts.see(cell, row, &markers);
            }
        }
    }
    if rows.n_rows() == 0 {
        return Err(Kind::NoRows { file: rows.file() }.into());
    }
    let raw: HashSet<&str> = options.raw.iter().map(String::as_str).collect();
    let mut columns = Vec::with_capacity(facts.len());
    for (file_idx, (name, facts)) in rows.header().iter().zip(facts).enumerate() {
        let Some(facts) = facts else { continue };
        let raw = raw.contains(name.as_str());
        let storage = Storage::Untyped;
        let place = Place { file: source.name(), column: name, position: file_idx + 1, storage };
        let found = infer(&facts, options.types.get(name).copied(), raw, &place)?;
        columns.push(ColumnProfile::new(name.clone(), file_idx, raw, found, facts));
    }
    Ok(TableProfile {
        name: String::from(source.name()),
        n_rows: rows.n_rows(),
        columns,
        delimiter: Some(rows.delimiter()),
        has_header: rows.has_header(),
    })
}

/// Every column that the options name is there.
pub(crate) fn check_names(file: &str, header: &[String], options: &ReadOptions) -> Result<()> {
    let known: HashSet<&str> = header.iter().map(String::as_str).collect();
    for name in options.types.keys().chain(&options.raw).chain(&options.drop) {
        if !known.contains(name.as_str()) {
            return Err(unknown_column(file, name, header.iter().map(String::as_str)));
        }
    }
    Ok(())
}

fn unknown_column<'a, I>(file: &str, name: &str, columns: I) -> crate::Error
where
    I: Iterator<Item = &'a str> + Clone,
{
    Kind::UnknownColumn {
        file: String::from(file),
        name: String::from(name),
        nearest: nearest(name, columns.clone()).map(String::from),
        columns: columns.clone().take(LISTED).map(String::from).collect(),
        n_columns: columns.count(),
    }
    .into()
}
