//! One pass of the float network over rows: statistics of every value that becomes integers.

use crate::Statistics;
use crate::error::Error;
use ir::{Graph, Tensor, TensorData, ValueIdx};
use jobs::Threads;
use runtime::tensors::{Limits, watch_all};
use std::collections::BTreeMap;
use std::ops::Range;

/// Rows of a network's inputs, a batch at a time.
pub trait Rows: Sync {
    /// How many there are.
    fn n_rows(&self) -> usize;

    /// How many the network takes at a time, at most.
    fn batch(&self) -> usize;

    /// Inputs by name for some rows.
    ///
    /// # Errors
    /// Rows that cannot be read.
    fn rows(&self, rows: Range<usize>) -> Result<Vec<(String, Tensor)>, Error>;

    /// Hears what the float network gives for some rows, while it is observed: from any thread, in any order, each row
    /// once.
    ///
    /// # Errors
    /// Outputs that are not those that were expected.
    fn told(&self, rows: Range<usize>, outputs: Vec<Tensor>) -> Result<(), Error> {
        let _ = (rows, outputs);
        Ok(())
    }
}

/// Batches that a thread takes before all are heard.
const ROUND: usize = 8;

/// Statistics of values as a whole, from all rows; the same bits for any batches and threads. Peak memory: a thread has
/// the network's own for one batch, and 2,048 counters a value.
///
/// # Errors
/// Rows that cannot be read, or that the network does not take; interrupted by `go_on`.
pub fn calibrate(
    graph: &Graph,
    rows: &dyn Rows,
    wanted: &[ValueIdx],
    threads: &Threads,
    go_on: &mut dyn FnMut(usize) -> Result<(), Error>,
) -> Result<BTreeMap<ValueIdx, Statistics>, Error> {
    let n_rows = rows.n_rows();
    let none = || -> Result<BTreeMap<ValueIdx, Statistics>, Error> {
        wanted.iter().map(|&value| Ok((value, Statistics::try_new(1, n_rows as u64)?))).collect()
    };
    let batch = rows.batch().max(1);
    let n_batches = n_rows.div_ceil(batch);
    let mut parts = Vec::with_capacity(threads.n());
    for _ in 0..threads.n().clamp(1, n_batches.max(1)) {
        parts.push((none()?, Ok(())));
    }
    let n_parts = parts.len();
    let mut first = 0;
    while first < n_batches {
        let end = n_batches.min(first + ROUND * n_parts);
        threads.each(&mut parts, |part, (seen, outcome)| {
            let mut own = (first + part..end).step_by(n_parts);
            *outcome =
                own.try_for_each(|at| observe(graph, rows, at * batch..n_rows.min((at + 1) * batch), seen));
        });
        for (_, outcome) in &mut parts {
            std::mem::replace(outcome, Ok(()))?;
        }
        go_on(n_rows.min(end * batch) - first * batch)?;
        first = end;
    }
    let mut parts = parts.into_iter().map(|(seen, _)| seen);
    let mut all = parts.next().map_or_else(none, Ok)?;
    for part in parts {
        for (statistics, other) in all.values_mut().zip(part.values()) {
            statistics.merge(other)?;
        }
    }
    Ok(all)
}

/// One batch.
fn observe(
    graph: &Graph,
    rows: &dyn Rows,
    batch: Range<usize>,
    seen: &mut BTreeMap<ValueIdx, Statistics>,
) -> Result<(), Error> {
    let inputs = rows.rows(batch.clone())?;
    let mut outcome = Ok(());
    let outputs = watch_all(graph, inputs, Limits::default(), &mut |of, value, tensor| {
        // Values of graphs inside nodes have places of their own.
        let seen = if std::ptr::eq(of, graph) { seen.get_mut(&value) } else { None };
        let (TensorData::F32(values), Some(statistics)) = (tensor.data(), seen) else {
            return;
        };
        // A value that is not made row by row counts as one row.
        let n = if tensor.dims().first() == Some(&batch.len()) { batch.len() } else { 1 };
        let inner = values.len() / n.max(1);
        let pushed = statistics.push(batch.start as u64, n, values, inner);
        if outcome.is_ok() {
            outcome = pushed;
        }
    })?;
    outcome?;
    rows.told(batch, outputs)
}
