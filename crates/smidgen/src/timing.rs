//! How long a prediction takes, columns in memory to outputs in memory, on one thread.

use crate::Error;
use crate::table::Scorer;
use arrow_array::RecordBatch;
use data::Bound;
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
    /// Median of 1,000 calls with one row (fewer where they would take more than a second), nanoseconds.
    pub ns_single: f64,
}

/// Times the model on the rows of a batch.
pub(crate) fn measure(scorer: &Scorer<'_>, batch: &RecordBatch) -> Result<Speed, Error> {
    let bound = data::bind(batch, scorer.signature)?;
    let second = scorer.bind_second()?;
    let second = second.as_ref().map_or(Vec::new(), Bound::columns);
    measure_columns(scorer, &bound.columns(), &second)
}

/// Times the model on columns of rows, beside those of a second table.
pub(crate) fn measure_columns(
    scorer: &Scorer<'_>,
    columns: &[Column<'_>],
    second: &[Column<'_>],
) -> Result<Speed, Error> {
    let n_rows = columns.first().map_or(0, Column::n_rows).clamp(1, ROWS);
    let columns: Option<Vec<Column<'_>>> = columns.iter().map(|c| c.slice(0, n_rows)).collect();
    let columns = columns.ok_or_else(|| Error::bug("bench: a batch without rows"))?;
    // A slow model is timed on fewer rows: the five passes together stay near a second.
    let few = n_rows.min(256);
    let run = |first: usize, n: usize| -> Result<f64, Error> {
        let rows: Option<Vec<Column<'_>>> = columns.iter().map(|c| c.slice(first, n)).collect();
        let mut rows = rows.ok_or_else(|| Error::bug("bench: a row leaves its column"))?;
        rows.extend_from_slice(second);
        let clock = Clock::start();
        std::hint::black_box(scorer.plan().run(std::hint::black_box(&rows))?);
        Ok(clock.seconds())
    };
    let affordable = (few as f64 * PASS_SECONDS / run(0, few)?.max(1e-9)) as usize;
    let n_rows = if affordable < n_rows { few } else { n_rows };
    let repeats = ROWS.min(affordable.max(few)).div_ceil(n_rows);
    let mut passes = Vec::with_capacity(5);
    for _ in 0..5 {
        let mut seconds = 0.0;
        for _ in 0..repeats {
            seconds += run(0, n_rows)?;
        }
        passes.push(seconds * 1e9 / (repeats * n_rows) as f64);
    }
    let n_calls = (5.0 * PASS_SECONDS / run(0, 1)?.max(1e-9)).clamp(3.0, 1000.0) as usize;
    let calls = (0..n_calls).map(|i| Ok(run(i % n_rows, 1)? * 1e9)).collect::<Result<_, Error>>()?;
    Ok(Speed { ns_per_row: median(passes), ns_single: median(calls) })
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
