//! How long a prediction takes, columns in memory to outputs in memory, on one thread.

use crate::Error;
use crate::table::Scorer;
use arrow_array::RecordBatch;
use ir::Column;
use jobs::Clock;

/// Rows that a pass predicts at least.
const ROWS: usize = 10_000;

/// Times of a model on this machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Median of 5 passes over at least 10,000 rows (repeated if fewer), nanoseconds a row.
    pub ns_per_row: f64,
    /// Median of 1,000 calls with one row, nanoseconds.
    pub ns_single: f64,
}

/// Times the model on the rows of a batch.
pub(crate) fn measure(scorer: &Scorer<'_>, batch: &RecordBatch) -> Result<Speed, Error> {
    let bound = data::bind(batch, scorer.signature)?;
    let n_rows = bound.n_rows().clamp(1, ROWS);
    let columns: Option<Vec<Column<'_>>> = bound.columns().iter().map(|c| c.slice(0, n_rows)).collect();
    let columns = columns.ok_or_else(|| Error::bug("bench: a batch without rows"))?;
    let repeats = ROWS.div_ceil(n_rows);
    let mut passes = Vec::with_capacity(5);
    for _ in 0..5 {
        let clock = Clock::start();
        for _ in 0..repeats {
            std::hint::black_box(scorer.plan().run(std::hint::black_box(&columns))?);
        }
        passes.push(clock.seconds() * 1e9 / (repeats * n_rows) as f64);
    }
    let mut calls = Vec::with_capacity(1000);
    for i in 0..1000 {
        let row: Option<Vec<Column<'_>>> = columns.iter().map(|c| c.slice(i % n_rows, 1)).collect();
        let row = row.ok_or_else(|| Error::bug("bench: a row leaves its column"))?;
        let clock = Clock::start();
        std::hint::black_box(scorer.plan().run(std::hint::black_box(&row))?);
        calls.push(clock.seconds() * 1e9);
    }
    Ok(Speed { ns_per_row: median(passes), ns_single: median(calls) })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
