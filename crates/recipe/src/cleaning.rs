//! Cleaning: which columns and rows are learnt from, and what a person should know of the others.

use crate::error::{Error, Kind};
use crate::predictions::Truth;
use crate::prepared::PrepareOptions;
use crate::relations::Relations;
use crate::step::Step;
use data::{Table, Target};
use ir::{Column, ColumnKind, Input};
use prepare::Warning;
use prepare::clean;
use std::collections::{HashMap, HashSet};

/// What becomes of rows that stand more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// They are counted; copies share a fold.
    #[default]
    Report,
    /// Copies in all inputs and the target are not learnt from.
    Drop,
}

/// What becomes of cells without a value.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub enum MissingCells {
    /// Learners see that they are missing.
    #[default]
    Leave,
    /// Numbers are filled by the transform `impute`.
    Impute,
    /// Rows with a missing cell are not learnt from.
    DropRows,
    /// Columns with at least this share of missing cells are left out.
    DropColumns(f64),
}

/// Something that cleaning changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleaned {
    /// Stable word for programs.
    pub code: &'static str,
    /// The column; `None` for whole rows.
    pub column: Option<String>,
    /// Cells or rows that changed; 0 where a column was left out.
    pub count: u64,
    /// What was done, for people.
    pub text: String,
}

/// What cleaning found and did.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) warnings: Vec<Warning>,
    pub(crate) cleaned: Vec<Cleaned>,
    /// Columns that have one value and stay for their role.
    only_roles: HashSet<String>,
}

impl Told {
    /// Adds what a frame told.
    pub(crate) fn append(&mut self, mut other: Told) {
        self.warnings.append(&mut other.warnings);
        self.cleaned.append(&mut other.cleaned);
        self.only_roles.extend(other.only_roles);
    }

    /// A column was left out, for a reason that people should know.
    pub(crate) fn left_out(&mut self, code: &'static str, column: &str, text: String) {
        let (cleaned, n) = (Some(column.to_owned()), 0);
        self.cleaned.push(Cleaned { code, column: cleaned, count: n, text: text.clone() });
        self.warnings.push(Warning::column(code, column, text));
    }
}

/// The columns of a table that may be inputs.
pub(crate) fn choose(table: &Table, options: &PrepareOptions<'_>, told: &mut Told) -> Vec<Input> {
    let mut inputs = Vec::new();
    for column in &table.profile().columns {
        let is_target =
            options.targets.contains(&column.name) || options.row_weight == Some(column.name.as_str());
        if is_target || column.raw {
            continue;
        }
        if column.all_missing {
            let text = "no row has a value; the column is left out".to_owned();
            told.left_out("empty_column", &column.name, text);
        } else if column.constant && options.relations.has_role(&column.name) {
            // The same moment or key for all rows is a role all the same.
            told.only_roles.insert(column.name.clone());
            inputs.push(Input { name: column.name.clone(), kind: column.kind, dtype: column.dtype });
        } else if column.constant {
            let text = "all rows have the same value; the column is left out".to_owned();
            told.left_out("constant_column", &column.name, text);
        } else {
            if column.n_infinite > 0 {
                let text = format!("{} infinite values, ordered beyond all others", column.n_infinite);
                told.warnings.push(Warning::column("infinite_values", &column.name, text));
            }
            inputs.push(Input { name: column.name.clone(), kind: column.kind, dtype: column.dtype });
        }
    }
    inputs
}

/// Leaves out columns that only name rows, and tells of markers for "missing" and of spellings.
/// Gives the names of inputs that stay for their role alone.
fn look_at_columns(
    inputs: &mut Vec<Input>,
    columns: &mut Vec<Vec<Column<'_>>>,
    options: &PrepareOptions<'_>,
    told: &mut Told,
) -> HashSet<String> {
    let roles = &options.relations;
    let mut unlearnt = told.only_roles.clone();
    let mut at = 0;
    while at < inputs.len() {
        let name = inputs[at].name.clone();
        // Whoever declares a kind knows the column.
        let asked = options.declared.contains_key(&name);
        let may_be = !asked && inputs[at].kind != ColumnKind::Time;
        if let Some(why) = clean::identifier(&name, &columns[at]).filter(|_| may_be) {
            let kind = inputs[at].kind;
            let text = format!("{why}: it names rows and is left out (--types {name}={kind} keeps it)");
            told.left_out("identifier", &name, text);
            if roles.has_role(&name) {
                unlearnt.insert(name);
                at += 1;
                continue;
            }
            inputs.remove(at);
            columns.remove(at);
            continue;
        }
        if roles.is_only_role(&name) {
            unlearnt.insert(name);
            at += 1;
            continue;
        }
        let mut tell = |code, text: String| told.warnings.push(Warning::column(code, &name, text));
        if roles.order.is_none() && roles.group.is_none() {
            if let Some(why) = clean::maybe_group(&name, &columns[at]) {
                tell(
                    "maybe_group",
                    format!(
                        "{why}: if rows of one value belong together, a score out of fold flatters; say --group {name} (--types {name}=category, if it is a number)"
                    ),
                );
            }
            if inputs[at].kind == ColumnKind::Time
                && let Some(why) = clean::maybe_order(&columns[at])
            {
                tell(
                    "maybe_order",
                    format!(
                        "{why}: if later rows are to be predicted from earlier ones, folds at random look ahead; say --order {name}"
                    ),
                );
            }
        }
        if inputs[at].kind == ColumnKind::Number {
            for (value, why) in clean::sentinels(&columns[at]) {
                tell("sentinel", format!("{why}; if it means missing, say --missing {value}"));
            }
        } else if inputs[at].kind == ColumnKind::Category {
            for alike in clean::spellings(&columns[at]).iter().take(3) {
                let shown = alike.iter().map(|k| format!("\"{k}\"")).collect::<Vec<_>>().join(", ");
                tell(
                    "spellings",
                    format!(
                        "{shown} differ by case or blanks alone and count as different; --transforms merge_spellings makes them one"
                    ),
                );
            }
        }
        at += 1;
    }
    unlearnt
}

fn is_missing(column: &Column<'_>, row: usize) -> bool {
    !column.is_valid(row) || matches!(column.data(), ir::ColumnData::F64(v) if v[row].is_nan())
}

/// Leaves out columns with at least a share of missing cells.
fn drop_columns(
    inputs: &mut Vec<Input>,
    columns: &mut Vec<Vec<Column<'_>>>,
    share: f64,
    roles: &Relations<'_>,
    told: &mut Told,
) {
    let mut at = 0;
    while at < inputs.len() {
        let n_rows: usize = columns[at].iter().map(Column::n_rows).sum();
        let missing = |c: &Column<'_>| (0..c.n_rows()).filter(|&row| is_missing(c, row)).count();
        let n_missing: usize = columns[at].iter().map(missing).sum();
        let is = n_missing as f64 / n_rows.max(1) as f64;
        if n_missing > 0 && is >= share && !roles.has_role(&inputs[at].name) {
            let text = format!("{:.1} % of its cells are missing; the column is left out", 100.0 * is);
            told.left_out("missing_column", &inputs[at].name, text);
            inputs.remove(at);
            columns.remove(at);
        } else {
            at += 1;
        }
    }
}

/// Leaves out rows with a missing cell, those without a target uncounted.
fn drop_rows(columns: &[Vec<Column<'_>>], [rows, unlabelled]: [&mut Vec<u32>; 2], told: &mut Told) {
    let n_rows: usize = columns.first().map_or(0, |c| c.iter().map(Column::n_rows).sum());
    let mut has_missing = vec![false; n_rows];
    for chunks in columns {
        let mut first = 0;
        for chunk in chunks {
            for row in (0..chunk.n_rows()).filter(|&row| is_missing(chunk, row)) {
                has_missing[first + row] = true;
            }
            first += chunk.n_rows();
        }
    }
    let before = rows.len();
    rows.retain(|&row| !has_missing[row as usize]);
    unlabelled.retain(|&row| !has_missing[row as usize]);
    let count = (before - rows.len()) as u64;
    if count > 0 {
        let text = format!("{count} rows with a missing cell are not learnt from");
        told.cleaned.push(Cleaned { code: "missing_rows", column: None, count, text });
    }
}

/// Counts copies, and leaves them out if that was asked.
fn about_copies(
    copies: &clean::Copies,
    truth: Option<&Truth>,
    options: &PrepareOptions<'_>,
    rows: &mut Vec<u32>,
    mut row_weights: Option<&mut [f32]>,
    told: &mut Told,
) {
    let target = |row: u32| match truth {
        Some(truth) => truth.key(row),
        None => 0,
    };
    if options.duplicates == Duplicates::Drop {
        let before = rows.len();
        let mut kept: HashMap<(u32, u64), u32> = HashMap::with_capacity(before);
        rows.retain(|&row| {
            let first = *kept.entry((copies.first[row as usize], target(row))).or_insert(row);
            // What a copy weighs goes to the row that stays.
            if let Some(weights) = row_weights.as_deref_mut().filter(|_| first != row) {
                weights[first as usize] += weights[row as usize];
            }
            first == row
        });
        let count = (before - rows.len()) as u64;
        if count > 0 {
            let text =
                format!("{count} rows are copies of others in all inputs and the target and are left out");
            told.cleaned.push(Cleaned { code: "duplicate_rows", column: None, count, text });
        }
    } else if copies.n_copies > 0 && options.relations.order.is_none() && options.relations.group.is_none() {
        let text = format!(
            "{} rows are copies of others in all inputs; copies share a fold (--duplicates drop leaves out those with the same target)",
            copies.n_copies
        );
        told.warnings.push(Warning::table("duplicate_rows", text));
    }
}

/// A table that was looked at.
pub(crate) struct Looked<'b> {
    pub(crate) inputs: Vec<Input>,
    pub(crate) columns: Vec<Vec<Column<'b>>>,
    /// Inputs that have a role and must not be learnt from.
    pub(crate) unlearnt: HashSet<String>,
    /// Rows to learn from.
    pub(crate) rows: Vec<u32>,
    /// Rows without a target.
    pub(crate) unlabelled: Vec<u32>,
    pub(crate) truth: Option<Truth>,
    pub(crate) row_weights: Option<Vec<f32>>,
    pub(crate) first_copy: Vec<u32>,
    pub(crate) steps: Vec<Step>,
}

/// Cleans: chooses columns and rows, and says what it found.
pub(crate) fn look<'b>(
    table: &Table,
    target: Option<&Target>,
    options: &PrepareOptions<'_>,
    mut inputs: Vec<Input>,
    mut columns: Vec<Vec<Column<'b>>>,
    told: &mut Told,
) -> Result<Looked<'b>, Error> {
    if let Some(n) = target.map(|t| t.n_missing).filter(|&n| n > 0) {
        let text = format!("{n} rows have no target and are left out");
        told.warnings.push(Warning::column("missing_target", &options.targets.join(", "), text));
    }
    let unlearnt = look_at_columns(&mut inputs, &mut columns, options, told);
    if let MissingCells::DropColumns(share) = options.missing_cells {
        drop_columns(&mut inputs, &mut columns, share, &options.relations, told);
    }
    if inputs.is_empty() {
        let left_out =
            told.warnings.iter().filter_map(|w| Some(format!("\"{}\" ({})", w.column.as_ref()?, w.code)));
        let left_out = left_out.take(10).collect::<Vec<_>>().join(", ");
        return Err(Kind::NoColumns { table: table.profile().name.clone(), left_out }.into());
    }
    let truth = target.map(|t| Truth::spread(t, table.n_rows()));
    let mut rows: Vec<u32> = match target {
        Some(target) => target.kept_rows.iter().map(|&r| r as u32).collect(),
        None => (0..table.n_rows() as u32).collect(),
    };
    let mut unlabelled: Vec<u32> = Vec::new();
    if let Some(target) = target {
        let mut has_target = vec![false; table.n_rows()];
        target.kept_rows.iter().for_each(|&row| has_target[row] = true);
        unlabelled.extend((0..table.n_rows() as u32).filter(|&row| !has_target[row as usize]));
    }
    if options.missing_cells == MissingCells::DropRows {
        drop_rows(&columns, [&mut rows, &mut unlabelled], told);
    }
    let copies = clean::copies(&columns, table.n_rows());
    let mut row_weights = match options.row_weight {
        Some(column) => Some(weights(table, column)?),
        None => None,
    };
    about_copies(&copies, truth.as_ref(), options, &mut rows, row_weights.as_deref_mut(), told);
    let mut asked = options.steps.clone();
    if options.missing_cells == MissingCells::Impute {
        asked.insert(0, Step::parse("impute", &[])?);
    }
    let steps = Step::all(&asked, &inputs, options.takes)?;
    let first_copy = copies.first;
    Ok(Looked { inputs, columns, unlearnt, rows, unlabelled, truth, row_weights, first_copy, steps })
}

fn weights(table: &Table, column: &str) -> Result<Vec<f32>, Error> {
    let mut weights = Vec::with_capacity(table.n_rows());
    for (row, cell) in table.raw_cells(column)?.enumerate() {
        let weight = cell.and_then(|c| c.parse::<f32>().ok()).filter(|w| w.is_finite() && *w >= 0.0);
        weights.push(weight.ok_or_else(|| Kind::Weight {
            table: table.profile().name.clone(),
            column: column.to_owned(),
            got: cell.map_or_else(|| "nothing".to_owned(), |c| format!("\"{c}\"")),
            row: row + 1,
        })?);
    }
    if !weights.iter().any(|w| *w > 0.0) {
        let (table, column) = (table.profile().name.clone(), column.to_owned());
        return Err(Kind::NoWeight { table, column }.into());
    }
    Ok(weights)
}
