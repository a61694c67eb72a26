//! One pass of the float network over rows: statistics of every value that becomes integers.

use crate::Statistics;
use crate::error::Error;
use ir::{Graph, Tensor, TensorData, ValueIdx};
use runtime::tensors::{Limits, watch};
use std::collections::BTreeMap;

/// Rows of a network's inputs, a batch at a time.
pub trait Rows {
    /// How many there are.
    fn n_rows(&self) -> usize;

    /// How many the network takes at a time, at most.
    fn batch(&self) -> usize;

    /// Inputs by name for some rows.
    ///
    /// # Errors
    /// Rows that cannot be read.
    fn rows(&self, rows: std::ops::Range<usize>) -> Result<Vec<(String, Tensor)>, Error>;
}

/// Statistics of values as a whole, from all rows. Peak memory: the network's own for one batch, and 2,048 counters a
/// value.
///
/// # Errors
/// Rows that cannot be read, or that the network does not take; interrupted by `go_on`.
pub fn calibrate(
    graph: &Graph,
    rows: &dyn Rows,
    wanted: &[ValueIdx],
    go_on: &mut dyn FnMut(usize) -> Result<(), Error>,
) -> Result<BTreeMap<ValueIdx, Statistics>, Error> {
    let n_rows = rows.n_rows();
    let mut seen = BTreeMap::new();
    for &value in wanted {
        seen.insert(value, Statistics::try_new(1, n_rows as u64)?);
    }
    let mut first = 0;
    while first < n_rows {
        let end = n_rows.min(first + rows.batch().max(1));
        let inputs = rows.rows(first..end)?;
        let mut failed = None;
        watch(graph, inputs, Limits::default(), wanted, &mut |value, tensor| {
            let (TensorData::F32(values), Some(statistics)) = (tensor.data(), seen.get_mut(&value)) else {
                return;
            };
            // A value that is not made row by row counts as one row.
            let n = if tensor.dims().first() == Some(&(end - first)) { end - first } else { 1 };
            let inner = values.len() / n.max(1);
            if let Err(error) = statistics.push(first as u64, n, values, inner) {
                failed = Some(error);
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        go_on(end - first)?;
        first = end;
    }
    Ok(seen)
}
