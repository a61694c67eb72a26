//! How firmly predictions stand: what a little noise and a few missing cells change.

use crate::Error;
use crate::table::Scorer;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch};
use arrow_select::nullif::nullif;
use ir::ColumnKind;
use ir::digest::SplitMix64;
use jobs::{Ctx, Seed};
use recipe::Predictions;
use std::sync::Arc;

/// Noise in deviations of a column.
const NOISE: f64 = 0.01;
/// Share of the cells that are taken away.
const MISSING: f64 = 0.05;
/// Rows that are looked at.
const MOST_ROWS: usize = 5000;

/// Shares of the predictions that change: another class, or a number that moves by more than a tenth of the
/// deviation of all predictions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stability {
    /// When each number gets noise of a hundredth of its column's deviation; whole numbers stay whole.
    pub noise: f64,
    /// When a twentieth of the cells is missing.
    pub missing: f64,
}

/// Predicts the first rows of a batch as they are, with noise, and with cells missing.
///
/// # Errors
/// The model cannot be run on the batch.
pub(crate) fn stability(
    scorer: &Scorer<'_>,
    batch: &RecordBatch,
    seed: Seed,
    ctx: &Ctx<'_>,
) -> Result<Stability, Error> {
    let batch = batch.slice(0, batch.num_rows().min(MOST_ROWS));
    let plain = scorer.predict(&batch, ctx)?;
    let kind = |name: &str| scorer.signature.inputs.iter().find(|i| i.name == name).map(|i| i.kind);
    let changed = |change: &dyn Fn(ColumnKind, &ArrayRef, &mut SplitMix64) -> Result<ArrayRef, Error>| {
        let mut random = SplitMix64::new(seed.derive("stability", 0).0);
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
            kind(field.name()).map_or_else(|| Ok(column.clone()), |kind| change(kind, column, &mut random))
        });
        let columns = columns.collect::<Result<Vec<_>, Error>>()?;
        let fields: Vec<_> = schema.fields().iter().map(|f| f.as_ref().clone().with_nullable(true)).collect();
        let schema = Arc::new(arrow_schema::Schema::new(fields));
        let batch =
            RecordBatch::try_new(schema, columns).map_err(|e| Error::bug(format!("stability: {e}")))?;
        Ok::<f64, Error>(share_changed(&plain, &scorer.predict(&batch, ctx)?))
    };
    Ok(Stability {
        noise: changed(&|kind, column, random| {
            Ok(if kind == ColumnKind::Number { noisy(column, random) } else { column.clone() })
        })?,
        missing: changed(&|_, column, random| {
            let taken: BooleanArray = (0..column.len()).map(|_| Some(uniform(random) < MISSING)).collect();
            nullif(column, &taken).map_err(|e| Error::bug(format!("stability: {e}")))
        })?,
    })
}

/// In [0, 1).
fn uniform(random: &mut SplitMix64) -> f64 {
    (random.next_word() >> 11) as f64 / (1u64 << 53) as f64
}

/// Twelve uniform numbers less their mean: nearly normal, of deviation 1.
fn normal(random: &mut SplitMix64) -> f64 {
    (0..12).map(|_| uniform(random)).sum::<f64>() - 6.0
}

fn noisy(column: &ArrayRef, random: &mut SplitMix64) -> ArrayRef {
    if let Some(numbers) = column.as_primitive_opt::<Float64Type>() {
        let step = NOISE * deviation(numbers.iter().flatten());
        let moved: Float64Array = numbers.iter().map(|v| v.map(|v| v + step * normal(random))).collect();
        return Arc::new(moved);
    }
    if let Some(numbers) = column.as_primitive_opt::<Int64Type>() {
        let step = NOISE * deviation(numbers.iter().flatten().map(|v| v as f64));
        let near = |v: i64, by: f64| v.saturating_add(by.round() as i64);
        let moved: Int64Array = numbers.iter().map(|v| v.map(|v| near(v, step * normal(random)))).collect();
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
    }
}
