//! Whether a test table is like the training table: each column alone, and the score.

use crate::Error;
use crate::compare;
use ::evaluate::score_interval;
use arrow_array::RecordBatch;
use data::Table;
use ir::{Column, ColumnData, ColumnKind, Signature};
use jobs::Threads;
use metrics::{MetricEntry, Observed};
use recipe::{Predictions, Truth, Warning};
use std::collections::BTreeMap;

/// Rows of each table that are looked at.
const MOST_ROWS: usize = 50_000;
/// Least distance that is worth a word.
const LEAST: f64 = 0.1;
/// How often chance alone may show a distance, over all columns.
const LEVEL: f64 = 0.001;

/// The cells of a column.
enum Cells {
    /// Sorted; missing ones are left out.
    Numbers(Vec<f64>),
    /// Counts of keys, missing as none.
    Keys(BTreeMap<Option<String>, usize>),
}

/// Columns of some rows of a table, to be compared.
#[derive(Default)]
pub(crate) struct Sample {
    columns: Vec<Option<Cells>>,
    n_rows: usize,
}

impl Sample {
    /// Adds the rows of a batch, as far as they are wanted.
    ///
    /// # Errors
    /// Columns that are not there.
    pub(crate) fn add(&mut self, batch: &RecordBatch, signature: &Signature) -> Result<(), Error> {
        let inputs = &signature.inputs;
        let bound = data::bind_inputs(batch, inputs, &signature.missing)?;
        let n = bound.n_rows().min(MOST_ROWS.saturating_sub(self.n_rows));
        self.columns.resize_with(inputs.len(), || None);
        for ((cells, input), column) in self.columns.iter_mut().zip(inputs).zip(bound.columns()) {
            add(cells, input.kind, &column, n);
        }
        self.n_rows += n;
        Ok(())
    }
}

fn add(cells: &mut Option<Cells>, kind: ColumnKind, column: &Column<'_>, n_rows: usize) {
    match kind {
        ColumnKind::Number => {
            let cells = cells.get_or_insert_with(|| Cells::Numbers(Vec::new()));
            let Cells::Numbers(values) = cells else { return };
            values.extend((0..n_rows).map(|row| column.double(row)).filter(|v| !v.is_nan()));
        }
        ColumnKind::Category if matches!(column.data(), ColumnData::Str { .. }) => {
            let Cells::Keys(counts) = cells.get_or_insert_with(|| Cells::Keys(BTreeMap::new())) else {
                return;
            };
            for row in 0..n_rows {
                *counts.entry(column.text(row).map(str::to_owned)).or_default() += 1;
            }
        }
        // Moments of later rows are later, and texts differ.
        _ => {}
    }
}

/// Columns whose cells in the test table are distributed otherwise than in training: numbers by the largest distance of
/// their distribution functions (Kolmogorov and Smirnov), categories by half the sum of the differences of their shares.
/// Told if it is a tenth or more, and more than chance shows once in a thousand tables. O(rows log rows) a column.
/// # Source  Massart, The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality, Annals of Probability 1990.
fn drift(signature: &Signature, training: Sample, test: Sample) -> Vec<Warning> {
    let n_columns = signature.inputs.len().max(1) as f64;
    let pairs = training.columns.into_iter().zip(test.columns);
    let told = signature.inputs.iter().zip(pairs).filter_map(|(input, (a, b))| {
        let what = match (a?, b?) {
            (Cells::Numbers(a), Cells::Numbers(b)) => of_numbers(a, b, LEVEL / n_columns),
            (Cells::Keys(a), Cells::Keys(b)) => of_keys(&a, &b, LEVEL / n_columns),
            _ => None,
        };
        Some(Warning::column(
            "drift",
            &input.name,
            format!("test rows are not like training rows: {}", what?),
        ))
    });
    told.collect()
}

fn of_numbers(mut a: Vec<f64>, mut b: Vec<f64>, level: f64) -> Option<String> {
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let (middle, other) = (*a.get(a.len() / 2)?, *b.get(b.len() / 2)?);
    let (n, m) = (a.len() as f64, b.len() as f64);
    let (mut i, mut j, mut distance) = (0, 0, 0.0f64);
    while i < a.len() && j < b.len() {
        let at = a[i].min(b[j]);
        while i < a.len() && a[i] <= at {
            i += 1;
        }
        while j < b.len() && b[j] <= at {
            j += 1;
        }
        distance = distance.max((i as f64 / n - j as f64 / m).abs());
    }
    let chance = (-0.5 * (level / 2.0).ln() * (n + m) / (n * m)).sqrt();
    (distance >= LEAST && distance > chance)
        .then(|| format!("median {other} against {middle} (Kolmogorov-Smirnov distance {distance:.2})"))
}

fn share(counts: &BTreeMap<Option<String>, usize>, key: &Option<String>, n: f64) -> f64 {
    counts.get(key).map_or(0.0, |&count| count as f64 / n)
}

fn of_keys(
    a: &BTreeMap<Option<String>, usize>,
    b: &BTreeMap<Option<String>, usize>,
    level: f64,
) -> Option<String> {
    let total = |counts: &BTreeMap<Option<String>, usize>| counts.values().sum::<usize>() as f64;
    let (n, m) = (total(a), total(b));
    if n < 1.0 || m < 1.0 {
        return None;
    }
    let mut keys: Vec<&Option<String>> = a.keys().chain(b.keys()).collect();
    keys.sort();
    keys.dedup();
    let difference = |key: &Option<String>| share(b, key, m) - share(a, key, n);
    let distance = 0.5 * keys.iter().map(|key| difference(key).abs()).sum::<f64>();
    // The mean distance by chance of so many keys, and the bound around it.
    let spread = (n + m) / (n * m);
    let chance = 0.5 * (keys.len() as f64 * spread).sqrt() + (-0.5 * level.ln() * spread).sqrt();
    if distance < LEAST || distance <= chance {
        return None;
    }
    let most = keys.iter().max_by(|x, y| difference(x).abs().total_cmp(&difference(y).abs()))?;
    let shown = most.as_ref().map_or_else(|| "missing".to_owned(), |key| format!("\"{key}\""));
    let [of_test, of_training] = [share(b, most, m), share(a, most, n)].map(|share| 100.0 * share);
    Some(format!("{shown} in {of_test:.1} % against {of_training:.1} % (distance of shares {distance:.2})"))
}

/// The warnings of [`drift`] for a table that a model was fitted to, and rows that it is tested on.
///
/// # Errors
/// Columns that are not there.
pub(crate) fn drift_from(signature: &Signature, table: &Table, test: Sample) -> Result<Vec<Warning>, Error> {
    let mut training = Sample::default();
    for batch in table.batches() {
        training.add(batch, signature)?;
    }
    Ok(drift(signature, training, test))
}

/// A warning where test rows are predicted worse than rows out of fold, by more than their 95 % intervals allow:
/// candidates, or their rounds, may have been chosen by the luck of the folds, or the rows are others.
/// 400 scores on all threads.
///
/// # Errors
/// Truth and predictions do not go together.
pub(crate) fn overfit(
    metric: &MetricEntry,
    out_of_fold: (&Truth, &Predictions),
    test: (&Truth, &Predictions),
    threads: &Threads,
) -> Result<Option<Warning>, Error> {
    let interval = |(truth, predictions): (&Truth, &Predictions)| -> Result<Option<[f64; 2]>, Error> {
        let of = |observed: &Observed<'_>| score_interval(observed, metric, compare::SEED, threads);
        Ok(truth.observe(predictions, of)??)
    };
    let (Some(folds), Some(test)) = (interval(out_of_fold)?, interval(test)?) else { return Ok(None) };
    let is_worse = if metric.greater_is_better { test[1] < folds[0] } else { test[0] > folds[1] };
    let shown = |[low, high]: [f64; 2]| format!("{low:.4} to {high:.4}");
    Ok(is_worse.then(|| {
        let text = format!(
            "{} on test rows is {}, out of fold {}: worse than chance allows; the folds were fitted, or the rows differ",
            metric.name,
            shown(test),
            shown(folds)
        );
        Warning::table("overfit", text)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(counts: &[(&str, usize)]) -> BTreeMap<Option<String>, usize> {
        counts.iter().map(|(key, n)| ((!key.is_empty()).then(|| (*key).to_owned()), *n)).collect()
    }

    #[test]
    fn numbers() {
        let even: Vec<f64> = (0..1000).map(f64::from).collect();
        let odd: Vec<f64> = even.iter().map(|v| v + 0.5).collect();
        assert_eq!(of_numbers(even.clone(), odd, 1e-4), None);
        let moved: Vec<f64> = even.iter().map(|v| v + 300.0).collect();
        let told = of_numbers(even.clone(), moved, 1e-4).unwrap();
        assert_eq!(told, "median 800 against 500 (Kolmogorov-Smirnov distance 0.30)");
        // A few rows say nothing, nor do none.
        assert_eq!(of_numbers(even.clone(), vec![1e9; 3], 1e-4), None);
        assert_eq!(of_numbers(even, Vec::new(), 1e-4), None);
    }

    #[test]
    fn categories() {
        let a = keys(&[("north", 500), ("south", 400), ("", 100)]);
        assert_eq!(of_keys(&a, &keys(&[("north", 48), ("south", 42), ("", 10)]), 1e-4), None);
        let told = of_keys(&a, &keys(&[("north", 100), ("west", 400)]), 1e-4).unwrap();
        assert_eq!(told, "\"west\" in 80.0 % against 0.0 % (distance of shares 0.80)");
        // Many keys that are seen once each differ by chance.
        let names: Vec<String> = (0..400).map(|i| i.to_string()).collect();
        let of = |from: usize| keys(&names[from..from + 200].iter().map(|n| (&n[..], 1)).collect::<Vec<_>>());
        assert_eq!(of_keys(&of(0), &of(20), 1e-4), None);
    }
}
