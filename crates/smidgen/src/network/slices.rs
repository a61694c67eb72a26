//! How many rows of a network run at a time. They hang on the network and its rows alone, so that the same bytes come
//! from any number of threads.

use super::feed::Feed;
use crate::Error;
use ir::{Dim, Graph, Origin, Tensor};
use runtime::tensors::{Limits, watch_all};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Most rows that run at a time where a network takes any number of them.
pub(crate) const MOST_ROWS: usize = 32;
/// Bytes of the largest value of a network beyond which fewer rows run at a time: what one node makes is still in the
/// cache when the next one takes it.
const CACHED: usize = 2 << 20;

/// Lengths of the inputs of one row.
type Lengths = Vec<Vec<usize>>;

/// Rows that run at a time.
pub(crate) enum Slices {
    /// So many.
    Known(usize),
    /// As many as the values of a row let: their lengths hang on those of the row. Known once a row ran.
    ByLengths(Mutex<BTreeMap<Lengths, usize>>),
}

impl Slices {
    /// Of a network that takes `fixed_rows` at a time, or any number.
    pub(crate) fn of(graph: &Graph, fixed_rows: Option<usize>) -> Slices {
        match fixed_rows {
            Some(n) => Slices::Known(n.max(1)),
            None => {
                largest(graph).map_or_else(|| Slices::ByLengths(Mutex::default()), |n| Slices::Known(rows(n)))
            }
        }
    }

    /// For the rows of a feed.
    ///
    /// # Errors
    /// The first row cannot be read.
    pub(crate) fn of_feed(&self, graph: &Graph, feed: &Feed) -> Result<usize, Error> {
        let known = match self {
            Slices::Known(n) => return Ok(*n),
            Slices::ByLengths(known) => known,
        };
        let row = feed.rows(0..1.min(feed.n_rows()))?;
        let lengths: Lengths = row.iter().map(|(_, tensor)| tensor.dims().to_vec()).collect();
        if let Some(&n) = known.lock().unwrap_or_else(PoisonError::into_inner).get(&lengths) {
            return Ok(n);
        }
        let mut largest = 0;
        let seen = &mut |_: &Graph, _, tensor: &Tensor| {
            largest = largest.max(tensor.dtype().bytes().saturating_mul(tensor.data().len()));
        };
        // What is wrong with a row is told where it runs.
        let n = watch_all(graph, row, Limits::default(), seen).map_or(1, |_| rows(largest));
        known.lock().unwrap_or_else(PoisonError::into_inner).insert(lengths, n);
        Ok(n)
    }
}

/// Rows whose largest value stays in the cache, if it has so many bytes in one of them.
fn rows(bytes: usize) -> usize {
    (CACHED / bytes.max(1)).clamp(1, MOST_ROWS)
}

/// Bytes of one row of the largest value; none where a length is not known before the network runs.
fn largest(graph: &Graph) -> Option<usize> {
    let length = |dim: &Dim| if let Dim::Fixed(n) = dim { Some(*n) } else { None };
    let made = graph.values().iter().filter(|value| !matches!(value.origin, Origin::Constant(_)));
    let bytes = |value: &ir::Value| {
        let mut lengths = value.shape.0.iter().skip(1).map(length);
        lengths.try_fold(value.dtype.bytes(), |bytes, n| Some(bytes.saturating_mul(n?)))
    };
    made.map(bytes).try_fold(0, |most, bytes| Some(most.max(bytes?)))
}

#[cfg(test)]
mod tests {
    use super::super::Network;
    use super::super::head::answers;
    use super::*;
    use ir::op::tensor::{MatMul, Reduce, ReduceKind};
    use ir::{DType, GraphBuilder, Shape, TensorData};
    use jobs::{Budget, Cancel, Clock, Ctx, Silent, Threads};
    use recipe::Predictions;
    use std::path::PathBuf;

    /// Of each row `[steps, 4]`, whose values grow to `[steps, 1024]`, the largest sum.
    fn growing() -> Graph {
        let mut b = GraphBuilder::new();
        let dims = vec![Dim::Symbol("N".into()), Dim::Symbol("steps".into()), Dim::Fixed(4)];
        let x = b.input("x", DType::F32, Shape(dims)).unwrap();
        let ones = Tensor::try_new(vec![4, 1024], TensorData::F32(vec![1.0; 4096])).unwrap();
        let w = b.constant(ones).unwrap();
        let sums = b.node(MatMul::Numbers.into(), &[x, w]).unwrap();
        let axes = b.constant(Tensor::vector(TensorData::I64(vec![1, 2]))).unwrap();
        let most = Reduce { kind: ReduceKind::Max, keep_dims: false, none_without_axes: false };
        let y = b.node(most.into(), &[sums, axes]).unwrap();
        b.finish(&[y]).unwrap()
    }

    #[test]
    fn long_rows_run_fewer_at_a_time_and_all_answer() {
        let graph = growing();
        let slices = Slices::of(&graph, None);
        for (steps, expected) in [(1, 32), (64, 8), (512, 1), (1024, 1)] {
            let n_rows = 37;
            let values = (0..n_rows * steps * 4).map(|at| (at / (steps * 4)) as f32).collect();
            let x = Tensor::try_new(vec![n_rows, steps, 4], TensorData::F32(values)).unwrap();
            let feed = Feed::Rows(vec![("x".to_owned(), x)]);
            assert_eq!(slices.of_feed(&graph, &feed).unwrap(), expected, "{steps}");
            let network = Network::of(PathBuf::new(), graph.clone(), 0);
            let (budget, cancel) = (Budget::work(Clock::start(), 1), Cancel::new());
            let ctx = Ctx { threads: &Threads::one(), budget: &budget, cancel: &cancel, progress: &Silent };
            let found = answers(&network, &feed, &ctx).unwrap();
            let expected = (0..n_rows).map(|row| 4.0 * row as f64).collect();
            assert_eq!(found.predictions, Predictions::Values(expected));
        }
        assert!(matches!(Slices::of(&graph, Some(3)), Slices::Known(3)));
    }
}
