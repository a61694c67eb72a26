//! How long a prediction takes, columns in memory to outputs in memory, on one thread.

use crate::Error;
use crate::table::Scorer;
use arrow_array::RecordBatch;
use ir::Column;
use jobs::Clock;

/// Rows that a pass predicts at least, unless that takes too long.
const ROWS: usize = 10_000;

/// Seconds that a pass may take.
const PASS_SECONDS: f64 = 0.2;

/// Times of a model on this machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Median of 5 passes over at least 10,000 rows (repeated if fewer; fewer where a pass would take more
    /// than 0.2 s), nanoseconds a row.
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
    // A slow model is timed on fewer rows: the five passes together stay near a second.
    let few = n_rows.min(256);
    let sample: Option<Vec<Column<'_>>> = columns.iter().map(|c| c.slice(0, few)).collect();
    let sample = sample.ok_or_else(|| Error::bug("bench: a batch without rows"))?;
    let clock = Clock::start();
    std::hint::black_box(scorer.plan().run(std::hint::black_box(&sample))?);
    let affordable = (few as f64 * PASS_SECONDS / clock.seconds().max(1e-9)) as usize;
    let (columns, n_rows) = if affordable < n_rows { (sample, few) } else { (columns, n_rows) };
    let repeats = ROWS.min(affordable.max(few)).div_ceil(n_rows);
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
