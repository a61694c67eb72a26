//! What channels do on a few rows.

use super::layout::Layout;
use crate::error::Error;
use ir::{Graph, Tensor, TensorData, ValueIdx};
use runtime::tensors::{Limits, watch};
use std::collections::BTreeMap;

/// What a channel does.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    n: f64,
    sum: f64,
    squares: f64,
    largest: f32,
}

/// Channels of values on some rows.
pub(super) struct Channels {
    sums: BTreeMap<ValueIdx, Vec<Sums>>,
}

impl Channels {
    /// Runs the network once.
    ///
    /// # Errors
    /// It does not run on these inputs.
    pub(super) fn of(
        graph: &Graph,
        sample: &[(String, Tensor)],
        wanted: &BTreeMap<ValueIdx, Layout>,
    ) -> Result<Channels, Error> {
        let values: Vec<ValueIdx> = wanted.keys().copied().collect();
        let mut sums = BTreeMap::new();
        watch(graph, sample.to_vec(), Limits::default(), &values, &mut |value, tensor| {
            if let (TensorData::F32(numbers), Some(&at)) = (tensor.data(), wanted.get(&value)) {
                let behind: usize = tensor.dims().iter().skip(at.axis + 1).product();
                sums.insert(value, of_tensor(numbers, (at.block * behind).max(1), at.n));
            }
        })?;
        Ok(Channels { sums })
    }

    /// The largest size of each channel of a value.
    pub(super) fn largest(&self, value: ValueIdx) -> Vec<f32> {
        self.sums.get(&value).into_iter().flatten().map(|s| s.largest).collect()
    }

    /// Mean and standard deviation of each channel of a value.
    pub(super) fn moments(&self, value: ValueIdx) -> (Vec<f32>, Vec<f32>) {
        let moments = |s: &Sums| {
            let mean = s.sum / s.n.max(1.0);
            let deviation = ir::fixed::math::sqrt((s.squares / s.n.max(1.0) - mean * mean).max(0.0));
            (mean as f32, deviation as f32)
        };
        self.sums.get(&value).into_iter().flatten().map(moments).unzip()
    }
}

fn of_tensor(numbers: &[f32], inner: usize, n: usize) -> Vec<Sums> {
    let mut sums = vec![Sums::default(); n];
    for (at, run) in numbers.chunks(inner).enumerate() {
        let own = &mut sums[at % n.max(1)];
        for &x in run {
            own.n += 1.0;
            own.sum += f64::from(x);
            own.squares += f64::from(x) * f64::from(x);
            own.largest = own.largest.max(x.abs());
        }
    }
    sums
}
