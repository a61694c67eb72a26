//! A table ready for learners: typed inputs, codes, target, weights, and what a person should know.

use crate::error::{Error, Kind};
use crate::features::{Feature, derive, feature_columns};
use crate::predictions::Truth;
use arrow_array::RecordBatch;
use data::{Bound, Strata, Table, Target, TargetValues};
use ir::digest::Digest;
use ir::{Column, ColumnKind, Input, OutputRole, Signature, Task};
use jobs::Threads;
use prepare::Warning;
use prepare::clean::{self, LeakTarget};
use std::collections::BTreeMap;
use trees::{CodeMatrix, Encoder};

/// A table ready for learners.
pub struct Prepared {
    /// Name of the table, as the user typed it.
    pub table: String,
    /// Columns that learners may use.
    pub inputs: Vec<Input>,
    /// What learners see: columns as they are, and derived ones.
    pub features: Vec<Feature>,
    /// How each feature becomes codes.
    pub encoders: Vec<Encoder>,
    /// The codes of all rows.
    pub codes: CodeMatrix,
    /// The target of all rows; rows without one hold class 0 or 0.
    pub truth: Truth,
    /// Rows that have a target.
    pub rows: Vec<u32>,
    /// Weight of each row.
    pub row_weights: Option<Vec<f32>>,
    /// For each row the first row with the same inputs; copies share a fold.
    pub first_copy: Vec<u32>,
    /// What a person should know.
    pub warnings: Vec<Warning>,
    /// Digest of the codes and the target.
    pub fingerprint: u64,
}

/// Rows needed to learn and to hold some back.
const FEWEST_ROWS: usize = 4;

/// Classes above which a person is told that there are many.
const MANY_CLASSES: usize = 100;

impl Prepared {
    /// Chooses columns, makes codes of all rows, and spreads the target over them.
    ///
    /// Constant, empty and text columns, and columns that name rows (unless their kind is declared), are left
    /// out with a warning; infinite values are ordered, with a warning.
    ///
    /// # Errors
    /// Too few rows, no column left, weights that are none or all 0.
    pub fn new(
        table: &Table,
        target: &Target,
        target_name: &str,
        weight_column: Option<&str>,
        declared: &BTreeMap<String, ColumnKind>,
        max_bins: usize,
        threads: &Threads,
    ) -> Result<Prepared, Error> {
        let name = table.profile().name.clone();
        let n_rows = target.kept_rows.len();
        if n_rows < FEWEST_ROWS {
            return Err(Kind::TooFewRows { table: name, n_rows, needed: FEWEST_ROWS }.into());
        }
        let mut warnings = Vec::new();
        let mut inputs = Vec::new();
        for column in &table.profile().columns {
            let is_target = column.name == target_name || weight_column == Some(column.name.as_str());
            if is_target || column.raw {
                continue;
            }
            let tell = |code, text: &str| Warning::column(code, &column.name, text.to_owned());
            if column.all_missing {
                warnings.push(tell("empty_column", "no row has a value; the column is left out"));
            } else if column.constant {
                warnings
                    .push(tell("constant_column", "all rows have the same value; the column is left out"));
            } else if column.kind == ColumnKind::Text {
                let text = format!(
                    "text is not learnt from yet; the column is left out (--types {}=category uses it as categories)",
                    column.name
                );
                warnings.push(tell("unused_column", &text));
            } else {
                if column.n_infinite > 0 {
                    let text = format!("{} infinite values, ordered beyond all others", column.n_infinite);
                    warnings.push(tell("infinite_values", &text));
                }
                inputs.push(Input { name: column.name.clone(), kind: column.kind, dtype: column.dtype });
            }
        }
        if target.n_missing > 0 {
            let text = format!("{} rows have no target and are left out", target.n_missing);
            warnings.push(Warning::column("missing_target", target_name, text));
        }

        let bound = bind_all(table.batches(), &inputs)?;
        let mut columns = by_column(&bound, inputs.len());
        look_at_columns(&mut inputs, &mut columns, declared, &mut warnings);
        if inputs.is_empty() {
            let left_out =
                warnings.iter().filter_map(|w| Some(format!("\"{}\" ({})", w.column.as_ref()?, w.code)));
            let left_out = left_out.take(10).collect::<Vec<_>>().join(", ");
            return Err(Kind::NoColumns { table: name, left_out }.into());
        }
        let features = Feature::all(&inputs, &columns);
        let derived = derive(&inputs, &columns, &features)?;
        let feature_columns = feature_columns(&features, &columns, &derived);
        let encoders = threads.map(features.len(), |i| Encoder::fit(&feature_columns[i], max_bins));
        let codes = CodeMatrix::new(&encoders, &feature_columns, threads);
        let copies = clean::copies(&columns, table.n_rows());
        if copies.n_copies > 0 {
            let text =
                format!("{} rows are copies of others in all inputs; copies share a fold", copies.n_copies);
            warnings.push(Warning::table("duplicate_rows", text));
        }
        let row_weights = match weight_column {
            Some(column) => Some(weights(table, column)?),
            None => None,
        };
        let truth = Truth::spread(target, table.n_rows());
        let rows: Vec<u32> = target.kept_rows.iter().map(|&r| r as u32).collect();
        if let Truth::Classes { labels, n_classes, .. } = &truth {
            warnings.extend(about_classes(target, labels, &rows, *n_classes));
        }
        warnings.extend(leaks(&inputs, &features, &codes, &rows, &truth, threads));
        let fingerprint = fingerprint(&codes, &truth);
        Ok(Prepared {
            table: name,
            inputs,
            features,
            encoders,
            codes,
            truth,
            rows,
            row_weights,
            first_copy: copies.first,
            warnings,
            fingerprint,
        })
    }

    /// What keeps folds alike.
    pub fn strata(&self) -> Strata<'_> {
        match &self.truth {
            Truth::Classes { labels, .. } => Strata::Classes(labels),
            Truth::Values(values) => Strata::Values(values),
        }
    }

    /// The target as learners take it.
    pub fn target(&self) -> trees::Target<'_> {
        match &self.truth {
            Truth::Classes { labels, n_classes: 2, .. } => trees::Target::Binary(labels),
            Truth::Classes { labels, n_classes, .. } => {
                trees::Target::Classes { labels, n_classes: *n_classes }
            }
            Truth::Values(values) => trees::Target::Values(values),
        }
    }
}

/// The input columns of every batch, bound.
fn bind_all<'t>(batches: &'t [RecordBatch], inputs: &[Input]) -> Result<Vec<Bound<'t>>, Error> {
    let signature = Signature {
        task: Task::Regression,
        target: String::new(),
        inputs: inputs.to_vec(),
        outputs: vec![OutputRole::Value],
        classes: Vec::new(),
        positive: None,
        missing: Vec::new(),
    };
    Ok(batches.iter().map(|b| data::bind(b, &signature)).collect::<Result<_, data::Error>>()?)
}

/// The chunks of each column.
fn by_column<'b>(bound: &'b [Bound<'_>], n_columns: usize) -> Vec<Vec<Column<'b>>> {
    let mut columns: Vec<Vec<Column<'b>>> = vec![Vec::with_capacity(bound.len()); n_columns];
    for bound in bound {
        for (chunks, column) in columns.iter_mut().zip(bound.columns()) {
            chunks.push(column);
        }
    }
    columns
}

/// Leaves out columns that only name rows, and tells of markers for "missing" and of spellings.
fn look_at_columns(
    inputs: &mut Vec<Input>,
    columns: &mut Vec<Vec<Column<'_>>>,
    declared: &BTreeMap<String, ColumnKind>,
    warnings: &mut Vec<Warning>,
) {
    let mut at = 0;
    while at < inputs.len() {
        let name = inputs[at].name.clone();
        let mut tell = |code, text: String| warnings.push(Warning::column(code, &name, text));
        // Whoever declares a kind knows the column.
        let asked = declared.contains_key(&name);
        let may_be = !asked && inputs[at].kind != ColumnKind::Time;
        if let Some(why) = clean::identifier(&name, &columns[at]).filter(|_| may_be) {
            let kind = inputs[at].kind;
            tell(
                "identifier",
                format!("{why}: it names rows and is left out (--types {name}={kind} keeps it)"),
            );
            inputs.remove(at);
            columns.remove(at);
            continue;
        }
        if inputs[at].kind == ColumnKind::Number {
            for (value, why) in clean::sentinels(&columns[at]) {
                tell("sentinel", format!("{why}; if it means missing, say --missing {value}"));
            }
        } else if inputs[at].kind == ColumnKind::Category {
            for alike in clean::spellings(&columns[at]).iter().take(3) {
                let shown = alike.iter().map(|k| format!("\"{k}\"")).collect::<Vec<_>>().join(", ");
                tell("spellings", format!("{shown} differ by case or blanks alone and count as different"));
            }
        }
        at += 1;
    }
}

/// Columns that give the target away.
fn leaks(
    inputs: &[Input],
    features: &[Feature],
    codes: &CodeMatrix,
    rows: &[u32],
    truth: &Truth,
    threads: &Threads,
) -> Vec<Warning> {
    let target = match truth {
        Truth::Classes { labels, n_classes, .. } => LeakTarget::Classes(labels, *n_classes),
        Truth::Values(values) => LeakTarget::Values(values),
    };
    let found = threads.map(features.len(), |i| clean::leak(codes, i, rows, target));
    let told = features.iter().zip(found).filter_map(|(feature, why)| Some((feature, why?)));
    told.map(|(feature, why)| Warning::column("leak", feature.name(inputs), why)).collect()
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

fn about_classes(target: &Target, labels: &[u32], rows: &[u32], n_classes: usize) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if n_classes > MANY_CLASSES {
        let text = format!("{n_classes} classes; training time and model size grow with each");
        warnings.push(Warning::table("many_classes", text));
    }
    let mut counts = vec![0usize; n_classes];
    rows.iter().for_each(|&r| counts[labels[r as usize] as usize] += 1);
    let rare: Vec<&str> =
        (0..n_classes).filter(|&k| counts[k] < 5).map(|k| target.classes[k].as_str()).collect();
    if !rare.is_empty() {
        let shown = rare.iter().take(5).copied().collect::<Vec<_>>().join(", ");
        let text = format!("{} classes have fewer than 5 rows ({shown}); they are hardly learnt", rare.len());
        warnings.push(Warning::table("rare_classes", text));
    }
    warnings
}

fn fingerprint(codes: &CodeMatrix, truth: &Truth) -> u64 {
    let mut digest = Digest::new();
    codes.digest(&mut digest);
    match truth {
        Truth::Classes { labels, .. } => labels.iter().for_each(|&l| digest.word(l.into())),
        Truth::Values(values) => values.iter().for_each(|v| digest.word(v.to_bits())),
    }
    digest.finish()
}

impl Truth {
    /// The target of the kept rows, spread over all rows.
    fn spread(target: &Target, n_rows: usize) -> Truth {
        match &target.values {
            TargetValues::Labels(kept) => {
                let mut labels = vec![0; n_rows];
                for (&row, &label) in target.kept_rows.iter().zip(kept) {
                    labels[row] = label;
                }
                Truth::Classes { labels, n_classes: target.classes.len(), positive: target.positive }
            }
            TargetValues::Numbers(kept) => {
                let mut values = vec![0.0; n_rows];
                for (&row, &value) in target.kept_rows.iter().zip(kept) {
                    values[row] = value;
                }
                Truth::Values(values)
            }
        }
    }
}
