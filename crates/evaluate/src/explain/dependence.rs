//! What is predicted when a column holds one value in all rows.

use super::cell::spelled;
use super::error::{Error, Kind};
use super::taken::{Taken, evenly};
use ir::{Column, ColumnData, ColumnKind, DType, Input, Model, OutputRole, Signature, Tensor, TensorData};
use jobs::Threads;
use runtime::Plan;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Most values of a grid, missing among them.
pub const MAX_GRID: usize = 32;
/// Most rows that predictions are averaged over.
pub const MAX_BACKGROUND: usize = 500;
/// Most rows with a line of their own.
pub const MAX_LINES: usize = 30;

/// A value of a grid: a cell that stands in the table.
#[derive(Clone, Debug, PartialEq)]
pub struct GridPoint {
    /// As a person reads it; none for missing.
    pub text: Option<String>,
    /// Where the value stands on a line of numbers (of times: microseconds since 1970); none for categories and missing.
    pub number: Option<f64>,
}

/// Predictions along the grid of one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependence {
    /// Name of the column.
    pub column: String,
    /// Rising numbers, or categories from the most frequent on; missing last.
    pub grid: Vec<GridPoint>,
    /// Figures of a prediction: one a class, or one.
    pub width: usize,
    /// Mean prediction, `[n_grid, width]`: partial dependence.
    pub mean: Vec<f64>,
    /// Prediction of single rows, `[n_lines, n_grid, width]`: individual conditional expectation.
    pub lines: Vec<f64>,
    /// The row of each line.
    pub rows: Vec<u32>,
}

/// Partial dependence of the predictions on the column at `position` of the signature, and lines of single rows.
///
/// `mean[v] = 1 / n * sum over rows of prediction(row with the column set to v)`: probabilities of all classes, or
/// the value. The grid has at most 32 values: of numbers quantiles of those present and of those that differ, half of
/// each, of categories the most frequent (ties by bytes), and missing where a cell is. At most 500 rows are averaged and 30 have lines, evenly
/// spread over the table; of a model that sees other rows, the first ones. A constant column has one value, of one
/// row the mean is its line. O(32 * 500) predictions, and memory for lines of 32 * 30 times the classes.
///
/// # Errors
/// `NoGrid` for text and for times that are written as text; `NoRows`; `NoScore` for a model that predicts nothing;
/// `Misfit` for a position that there is not; columns that do not fit.
/// # Source  Friedman, Annals of Statistics 29, 2001, section 8.2; Goldstein et al., JCGS 24, 2015.
pub fn dependence(
    model: &Model,
    plan: &Plan,
    columns: &[Column<'_>],
    position: usize,
    threads: &Threads,
) -> Result<Dependence, Error> {
    let signature = model.signature();
    let (Some(input), Some(column)) = (signature.inputs.get(position), columns.get(position)) else {
        let (what, expected) = ("position of the column, below", signature.inputs.len());
        return Err(Kind::Misfit { what, expected, got: position }.into());
    };
    let n_rows = column.n_rows();
    if n_rows == 0 {
        return Err(Kind::NoRows.into());
    }
    let (at, grid) = grid(column, input)?;
    let background = if plan.sees_other_rows() {
        (0..n_rows.min(MAX_BACKGROUND) as u32).collect()
    } else {
        evenly(n_rows, MAX_BACKGROUND)
    };
    let n_first = signature.inputs.len().min(columns.len());
    let taken = Taken::all(&columns[..n_first], &background)?;
    let mut held: Vec<Column<'_>> = taken.iter().map(Taken::column).collect::<Result<_, _>>()?;
    held.extend_from_slice(&columns[n_first..]);
    let lines = evenly(background.len(), MAX_LINES);
    let points = threads.map(at.len(), |point| {
        let filled = Taken::of(column, position, &vec![at[point]; background.len()])?;
        let mut set = held.clone();
        set[position] = filled.column()?;
        let outputs = plan.run(&set)?;
        let (predicted, width) = predictions(&outputs, signature)?;
        let mut mean = vec![0.0; width];
        for row in predicted.chunks_exact(width) {
            mean.iter_mut().zip(row).for_each(|(sum, p)| *sum += p);
        }
        mean.iter_mut().for_each(|sum| *sum /= background.len() as f64);
        let of_lines: Vec<f64> =
            lines.iter().flat_map(|&l| &predicted[l as usize * width..][..width]).copied().collect();
        Ok((mean, of_lines))
    });
    let points: Vec<(Vec<f64>, Vec<f64>)> = points.into_iter().collect::<Result<_, Error>>()?;
    let width = points.first().map_or(0, |(mean, _)| mean.len());
    let line = |l: usize| points.iter().flat_map(move |(_, lines)| lines[l * width..(l + 1) * width].iter());
    Ok(Dependence {
        column: input.name.clone(),
        grid,
        width,
        mean: points.iter().flat_map(|(mean, _)| mean.iter().copied()).collect(),
        lines: (0..lines.len()).flat_map(line).copied().collect(),
        rows: lines.iter().map(|&l| background[l as usize]).collect(),
    })
}

/// Predictions of rows and their number a row, which is not 0.
fn predictions(outputs: &[Tensor], signature: &Signature) -> Result<(Vec<f64>, usize), Error> {
    let data = |role| signature.output(role).and_then(|at| outputs.get(at)).map(Tensor::data);
    match (data(OutputRole::Probability), data(OutputRole::Value)) {
        (Some(TensorData::F32(p)), _) if !signature.classes.is_empty() => {
            Ok((p.iter().map(|&p| f64::from(p)).collect(), signature.classes.len()))
        }
        (_, Some(TensorData::F64(v))) => Ok((v.clone(), 1)),
        _ => Err(Kind::NoScore { got: format!("a model of task {}", signature.task) }.into()),
    }
}

/// The rows that hold the values of the grid, and the values.
fn grid(column: &Column<'_>, input: &Input) -> Result<(Vec<u32>, Vec<GridPoint>), Error> {
    let refuse = |what| Err(Kind::NoGrid { column: input.name.clone(), what }.into());
    match (input.kind, input.dtype) {
        (ColumnKind::Text, _) => return refuse("text"),
        (ColumnKind::Time, DType::Str) => return refuse("time that is written as text"),
        _ => {}
    }
    let rows = 0..column.n_rows() as u32;
    let is_text = matches!(column.data(), ColumnData::Str { .. });
    let is_missing = |row: u32| {
        let row = row as usize;
        !column.is_valid(row) || (!is_text && column.double(row).is_nan())
    };
    let missing = rows.clone().find(|&row| is_missing(row));
    let most = MAX_GRID - usize::from(missing.is_some());
    let present = rows.filter(|&row| !is_missing(row));
    let mut at =
        if is_text { most_frequent(column, present, most) } else { quantiles(column, present, most) };
    at.extend(missing);
    let point = |&row: &u32| {
        let number = Some(column.double(row as usize)).filter(|v| !v.is_nan());
        GridPoint { text: spelled(column, input, row as usize), number }
    };
    let points = at.iter().map(point).collect();
    Ok((at, points))
}

/// Rows of different numbers, rising: all of them, or quantiles.
fn quantiles(column: &Column<'_>, present: impl Iterator<Item = u32>, most: usize) -> Vec<u32> {
    let value = |row: &u32| column.double(*row as usize);
    let mut sorted: Vec<u32> = present.collect();
    sorted.sort_by(|a, b| value(a).total_cmp(&value(b)).then(a.cmp(b)));
    let mut distinct = sorted.clone();
    distinct.dedup_by(|a, b| value(a) == value(b));
    if distinct.len() <= most {
        return distinct;
    }
    let spread = |of: &[u32], n: usize| -> Vec<u32> {
        (0..n).map(|i| of[i * (of.len() - 1) / (n - 1).max(1)]).collect()
    };
    // One frequent value would leave little of the quantiles of rows.
    let mut at = [spread(&sorted, most / 2), spread(&distinct, most - most / 2)].concat();
    at.sort_by(|a, b| value(a).total_cmp(&value(b)).then(a.cmp(b)));
    at.dedup_by(|a, b| value(a) == value(b));
    at
}

/// Rows of different texts, the most frequent first.
fn most_frequent(column: &Column<'_>, present: impl Iterator<Item = u32>, most: usize) -> Vec<u32> {
    let mut counts: BTreeMap<&str, (usize, u32)> = BTreeMap::new();
    for row in present {
        let count = counts.entry(column.text(row as usize).unwrap_or("")).or_insert((0, row));
        count.0 += 1;
    }
    let mut all: Vec<(usize, u32)> = counts.into_values().collect();
    // Stable: texts of one frequency keep the order of their bytes.
    all.sort_by_key(|&(count, _)| Reverse(count));
    all.into_iter().take(most).map(|(_, row)| row).collect()
}
