//! Small networks that are stored, and rows of noise for any network.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use ir::{DType, Dim, Graph, Tensor, TensorData};
use runtime::tensors::{Limits, run, simplify};
use smidgen_quantize::{Error, Rows};
use std::ops::Range;
use std::path::Path;

const NETWORKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/onnx/networks");

/// Rows of noise.
pub const N_ROWS: usize = 24;

/// A network, of any number of rows.
pub fn network(name: &str) -> Graph {
    let folder = Path::new(NETWORKS).join(name);
    let bytes = std::fs::read(folder.join("model.onnx")).unwrap();
    let graph = onnx::import(&bytes, onnx::Options { external: &onnx::Folder::new(&folder) }).unwrap();
    let graph = simplify(&graph).unwrap();
    match graph.value(graph.inputs()[0]).shape.axes().unwrap()[0] {
        Dim::Fixed(1) => onnx::rebatch(&graph, "N").unwrap(),
        _ => graph,
    }
}

/// Rows of noise that differ in size, or of small whole numbers, of the shape that a network takes.
pub struct Noise {
    name: String,
    dtype: DType,
    /// Lengths of a row's axes.
    pub dims: Vec<usize>,
}

impl Noise {
    pub fn of(graph: &Graph) -> Noise {
        let input = graph.value(graph.inputs()[0]);
        let free = if input.dtype == DType::I64 { 8 } else { 16 };
        let length = |dim: &Dim| if let Dim::Fixed(n) = dim { *n } else { free };
        Noise {
            name: input.name.clone(),
            dtype: input.dtype,
            dims: input.shape.axes().unwrap()[1..].iter().map(length).collect(),
        }
    }
}

impl Rows for Noise {
    fn n_rows(&self) -> usize {
        N_ROWS
    }

    fn batch(&self) -> usize {
        8
    }

    fn rows(&self, rows: Range<usize>) -> Result<Vec<(String, Tensor)>, Error> {
        let each: usize = self.dims.iter().product();
        let value = |at: usize| {
            let (row, mixed) = (at / each, (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            ((mixed >> 40) as f32 / (1 << 24) as f32 - 0.4) * (1.0 + (row % 3) as f32)
        };
        let places = rows.start * each..rows.end * each;
        let values = match self.dtype {
            DType::I64 => TensorData::I64(places.map(|at| (at * 7 % 10) as i64).collect()),
            _ => TensorData::F32(places.map(value).collect()),
        };
        let dims = [&[rows.len()][..], &self.dims].concat();
        Ok(vec![(self.name.clone(), Tensor::try_new(dims, values).unwrap())])
    }
}

/// What a network gives for all rows.
pub fn outputs(graph: &Graph, rows: &Noise) -> Vec<Tensor> {
    run(graph, rows.rows(0..N_ROWS).unwrap(), Limits::default()).unwrap()
}
