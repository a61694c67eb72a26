//! How firmly predictions stand: what a little noise, a few missing cells, and a column in another order change.

use crate::Error;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, UInt32Array};
use arrow_select::concat::concat_batches;
use arrow_select::nullif::nullif;
use arrow_select::take::take;
use ir::digest::SplitMix64;
use ir::{ColumnKind, Input};
use jobs::Seed;
use recipe::Predictions;
use std::sync::Arc;

/// Noise in deviations of a column.
const NOISE: f64 = 0.01;
/// Share of the cells that are taken away.
const MISSING: f64 = 0.05;
/// Rows that are looked at, and cells of all that is made of them.
const MOST_ROWS: usize = 2000;
const MOST_CELLS: usize = 10_000_000;
/// Columns whose order is changed.
const MOST_SHUFFLED: usize = 20;

/// Shares of the predictions that change: another class, or a number that moves by more than a tenth of the
/// deviation of all predictions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stability {
    /// When each number gets noise of a hundredth of its column's deviation; whole numbers stay whole.
    pub noise: f64,
    /// When a twentieth of the cells is missing.
    pub missing: f64,
}

/// The first rows of a batch as they are, with noise, with cells missing, and with one column after the other
/// shuffled, in one batch.
pub(crate) struct Perturbed {
    pub(crate) batch: RecordBatch,
    n_rows: usize,
}

/// What these changes do to predictions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Changes {
    pub(crate) stability: Stability,
    /// How far predictions move on average when a column is shuffled, a column each: probabilities, or the value.
    pub(crate) moved: Vec<f64>,
}

impl Perturbed {
    /// Changes the columns of the batch that are `inputs` of a model; the first of `shuffled` are shuffled. Fewer rows
    /// of wide tables.
    ///
    /// # Errors
    /// Arrow refuses, which is a bug.
    pub(crate) fn new(
        batch: &RecordBatch,
        inputs: &[Input],
        shuffled: &[&str],
        seed: Seed,
    ) -> Result<Perturbed, Error> {
        let bug = |e: arrow_schema::ArrowError| Error::bug(format!("stability: {e}"));
        let shuffled = &shuffled[..shuffled.len().min(MOST_SHUFFLED)];
        let most = MOST_CELLS / (batch.num_columns().max(1) * (3 + shuffled.len()));
        let plain = batch.slice(0, batch.num_rows().min(MOST_ROWS).min(most.max(1)));
        let fields: Vec<_> =
            plain.schema().fields().iter().map(|f| f.as_ref().clone().with_nullable(true)).collect();
        let schema = Arc::new(arrow_schema::Schema::new(fields));
        let changed = |change: &mut dyn FnMut(&Input, &ArrayRef) -> Result<ArrayRef, Error>| {
            let columns = schema.fields().iter().zip(plain.columns()).map(|(field, column)| {
                let input = inputs.iter().find(|input| input.name == *field.name());
                input.map_or_else(|| Ok(column.clone()), |input| change(input, column))
            });
            RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, Error>>()?).map_err(bug)
        };
        let mut random = SplitMix64::new(seed.derive("stability", 0).0);
        let mut blocks = vec![changed(&mut |_, column| Ok(column.clone()))?];
        blocks.push(changed(&mut |input, column| {
            Ok(if input.kind == ColumnKind::Number { noisy(column, &mut random) } else { column.clone() })
        })?);
        blocks.push(changed(&mut |_, column| {
            let taken: BooleanArray = (0..column.len()).map(|_| Some(random.unit() < MISSING)).collect();
            nullif(column, &taken).map_err(bug)
        })?);
        for name in shuffled {
            let mut order: Vec<u32> = (0..plain.num_rows() as u32).collect();
            random.shuffle(&mut order);
            let order = UInt32Array::from(order);
            blocks.push(changed(&mut |input, column| match input.name == *name {
                true => take(column, &order, None).map_err(bug),
                false => Ok(column.clone()),
            })?);
        }
        let batch = concat_batches(&schema, &blocks).map_err(bug)?;
        Ok(Perturbed { batch, n_rows: plain.num_rows() })
    }

    /// What changes in predictions of the batch.
    pub(crate) fn changes(&self, predictions: &Predictions) -> Changes {
        let n_blocks = self.batch.num_rows() / self.n_rows.max(1);
        let block = |at: usize| part(predictions, at * self.n_rows..(at + 1) * self.n_rows);
        let plain = block(0);
        Changes {
            stability: Stability {
                noise: share_changed(&plain, &block(1)),
                missing: share_changed(&plain, &block(2)),
            },
            moved: (3..n_blocks).map(|at| mean_move(&plain, &block(at))).collect(),
        }
    }
}

/// Some of the rows.
fn part(predictions: &Predictions, rows: std::ops::Range<usize>) -> Predictions {
    match predictions {
        Predictions::Values(v) => Predictions::Values(v.get(rows).unwrap_or_default().to_vec()),
        Predictions::Classes { probabilities, labels } => {
            let width = probabilities.len() / labels.len().max(1);
            Predictions::Classes {
                probabilities: probabilities
                    .get(rows.start * width..rows.end * width)
                    .unwrap_or_default()
                    .to_vec(),
                labels: labels.get(rows).unwrap_or_default().to_vec(),
            }
        }
        Predictions::Several(each) => {
            Predictions::Several(each.iter().map(|one| part(one, rows.clone())).collect())
        }
    }
}

/// The mean distance of predictions: of probabilities half the sum over the classes.
fn mean_move(plain: &Predictions, other: &Predictions) -> f64 {
    let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>();
    match (plain, other) {
        (Predictions::Values(a), Predictions::Values(b)) => sum(a, b) / a.len().max(1) as f64,
        (
            Predictions::Classes { probabilities: a, labels },
            Predictions::Classes { probabilities: b, .. },
        ) => sum(a, b) / 2.0 / labels.len().max(1) as f64,
        _ => 0.0,
    }
}

fn noisy(column: &ArrayRef, random: &mut SplitMix64) -> ArrayRef {
    if let Some(numbers) = column.as_primitive_opt::<Float64Type>() {
        let step = NOISE * deviation(numbers.iter().flatten());
        let moved: Float64Array = numbers.iter().map(|v| v.map(|v| v + step * random.normal())).collect();
        return Arc::new(moved);
    }
    if let Some(numbers) = column.as_primitive_opt::<Int64Type>() {
        let step = NOISE * deviation(numbers.iter().flatten().map(|v| v as f64));
        let near = |v: i64, by: f64| v.saturating_add(by.round() as i64);
        let moved: Int64Array = numbers.iter().map(|v| v.map(|v| near(v, step * random.normal()))).collect();
        return Arc::new(moved);
    }
    column.clone()
}

/// The root of the mean squared distance from the mean, of finite numbers.
fn deviation(values: impl Iterator<Item = f64>) -> f64 {
    let (mut n, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for value in values.filter(|v| v.is_finite()) {
        n += 1.0;
        let away = value - mean;
        mean += away / n;
        squares += away * (value - mean);
    }
    if n > 0.0 { (squares / n).sqrt() } else { 0.0 }
}

fn share_changed(plain: &Predictions, other: &Predictions) -> f64 {
    let share = |n_changed: usize, n: usize| n_changed as f64 / n.max(1) as f64;
    match (plain, other) {
        (Predictions::Classes { labels, .. }, Predictions::Classes { labels: others, .. }) => {
            share(labels.iter().zip(others).filter(|(a, b)| a != b).count(), labels.len())
        }
        (Predictions::Values(values), Predictions::Values(others)) => {
            let least = 0.1 * deviation(values.iter().copied());
            let moved = values.iter().zip(others).filter(|(a, b)| (**a - **b).abs() > least);
            share(moved.count(), values.len())
        }
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_counted() {
        let values = |v: &[f64]| Predictions::Values(v.to_vec());
        let plain = values(&[0.0, 10.0, 20.0, 30.0]);
        assert_eq!(share_changed(&plain, &plain), 0.0);
        assert_eq!(share_changed(&plain, &values(&[0.0, 10.5, 22.0, 33.0])), 0.5);
        let classes =
            |labels: &[u32]| Predictions::Classes { probabilities: Vec::new(), labels: labels.to_vec() };
        assert_eq!(share_changed(&classes(&[0, 1, 1, 2]), &classes(&[0, 1, 2, 2])), 0.25);
        assert_eq!(deviation([1.0, 3.0, f64::NAN].into_iter()), 1.0);
        assert_eq!(mean_move(&plain, &values(&[0.0, 12.0, 18.0, 30.0])), 1.0);
    }

    #[test]
    fn blocks_hold_what_was_changed() {
        let x: ArrayRef = Arc::new(Float64Array::from_iter((0..200).map(|i| Some(f64::from(i)))));
        let n: ArrayRef = Arc::new(Int64Array::from_iter((0..200).map(|i| Some(i * 1000))));
        let other: ArrayRef = Arc::new(Int64Array::from_iter(0..200));
        let batch = RecordBatch::try_from_iter([("x", x), ("n", n), ("no input", other)]).unwrap();
        let input = |name: &str, dtype| Input { name: name.to_owned(), kind: ColumnKind::Number, dtype };
        let inputs = [input("x", ir::DType::F64), input("n", ir::DType::I64)];
        let made = Perturbed::new(&batch, &inputs, &["n"], Seed(1)).unwrap();
        assert_eq!((made.n_rows, made.batch.num_rows()), (200, 800));
        let numbers = |column: usize, block: usize| made.batch.column(column).slice(block * 200, 200);
        assert_eq!(&numbers(0, 0), batch.column(0));
        assert_ne!(&numbers(0, 1), batch.column(0));
        let missing = numbers(0, 2).null_count();
        assert!((1..40).contains(&missing), "{missing}");
        assert_eq!(&numbers(0, 3), batch.column(0));
        let shuffled = numbers(1, 3);
        let mut sorted: Vec<i64> = shuffled.as_primitive::<Int64Type>().values().to_vec();
        assert_ne!(&shuffled, batch.column(1));
        sorted.sort_unstable();
        assert_eq!(sorted, (0..200).map(|i| i * 1000).collect::<Vec<i64>>());
        for block in 0..4 {
            assert_eq!(&numbers(2, block), batch.column(2), "what is no input stays");
        }
        // Of the value itself: noise and shuffles move it, all of it is there.
        let x = made.batch.column(1).as_primitive::<Int64Type>();
        let predictions = Predictions::Values(x.iter().map(|v| v.unwrap_or(0) as f64).collect());
        let changes = made.changes(&predictions);
        assert_eq!(changes.stability.noise, 0.0);
        assert!(changes.stability.missing > 0.0 && changes.moved.len() == 1 && changes.moved[0] > 1000.0);
    }
}
