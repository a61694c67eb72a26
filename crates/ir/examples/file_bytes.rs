//! What the forests of model files cost: bytes a split, and the time to read them.
//!
//! `cargo run --release -p smidgen-ir --example file_bytes -- model.smidgen ..` prints a line of CSV a
//! file. Edges are counted as the section of constants of a model that has only them, so that
//! dictionaries of categories stay outside. `packed_bytes` is what the trees would take as packed bits.
//! Times are the median of 50 reads of the whole file, of 5 where the file is large.
#![allow(clippy::print_stdout, reason = "it prints its table")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use smidgen_ir::forest::{CodedFeature, Test};
use smidgen_ir::op::{Bin, ForestOp};
use smidgen_ir::{Card, ColumnKind, Forest, GraphBuilder, Input, Model, Op, Origin, OutputRole};
use smidgen_ir::{Shape, Signature, Task, Tensor, file};
use std::error::Error;
use std::time::Instant;

const CONSTANTS: u8 = 3;
const FORESTS: u8 = 4;

fn main() -> Result<(), Box<dyn Error>> {
    println!(
        "file,trees,splits,values,file_bytes,forest_bytes,packed_bytes,edges,edge_bytes,bytes_a_split,bits_a_value,ms_of_15000"
    );
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path)?;
        let model = file::read(&bytes)?;
        let forests = || {
            model.graph().nodes().iter().filter_map(|n| match &n.op {
                Op::Forest(f) => Some(&f.forest),
                _ => None,
            })
        };
        let n_splits: usize = forests().map(|f| f.n_splits()).sum();
        let n_trees: usize = forests().map(|f| f.trees().len()).sum();
        let n_values: usize = forests().flat_map(|f| f.trees()).map(|t| t.leaves.len()).sum();
        let forest_bytes = section(&bytes, FORESTS);
        let packed_bytes: usize = forests().map(|f| packed_bits(f).div_ceil(8)).sum();
        let edges = edges(&model);
        let n_edges: usize = edges.iter().map(|t| t.data().len()).sum();
        let edge_bytes = if edges.is_empty() { 0 } else { section(&file::write(&only(&edges)?), CONSTANTS) };
        let mut times = Vec::new();
        for _ in 0..if n_splits > 100_000 { 5 } else { 50 } {
            let start = Instant::now();
            let read = file::read(&bytes)?;
            times.push(start.elapsed().as_secs_f64());
            drop(read);
        }
        times.sort_by(f64::total_cmp);
        let splits = n_splits.max(1) as f64;
        let name = path.rsplit('/').next().unwrap_or(&path).trim_end_matches(".smidgen");
        println!(
            "{name},{n_trees},{n_splits},{n_values},{},{forest_bytes},{packed_bytes},{n_edges},{edge_bytes},{:.3},{:.2},{:.3}",
            bytes.len(),
            (forest_bytes + edge_bytes) as f64 / splits,
            8.0 * (forest_bytes + edge_bytes) as f64 / n_values.max(1) as f64,
            times[times.len() / 2] * 1e3 * 15_000.0 / splits,
        );
    }
    Ok(())
}

/// Bits of the trees without any coder: two for the shape of each split, its feature, its threshold or set
/// and its missing side, and leaves as wide as the widest.
fn packed_bits(forest: &Forest) -> usize {
    let width = |n: usize| usize::BITS.saturating_sub(n.saturating_sub(1).leading_zeros()) as usize;
    let of_feature = width(forest.features().len());
    let splits = forest.trees().iter().flat_map(|t| &t.splits);
    let tests = splits.map(|s| match (s.test, forest.features().get(s.feature as usize)) {
        (Test::Greater(_), Some(f)) => width(f.n_codes.into()),
        (_, f) => f.map_or(0, |f| f.n_codes.into()),
    });
    let values = || forest.trees().iter().flat_map(|t| &t.leaves);
    let largest = values().map(|v| v.unsigned_abs()).max().unwrap_or(0);
    let of_value = (u32::BITS - largest.leading_zeros() + 1) as usize;
    forest.n_splits() * (3 + of_feature) + tests.sum::<usize>() + values().count() * of_value
}

/// The constants that bin a number column.
fn edges(model: &Model) -> Vec<Tensor> {
    let graph = model.graph();
    let mut found = Vec::new();
    for node in graph.nodes().iter().filter(|n| matches!(n.op, Op::Bin(_))) {
        if let Some(Origin::Constant(tensor)) = node.inputs.get(1).map(|&i| &graph.value(i).origin) {
            found.push(Tensor::clone(tensor));
        }
    }
    found
}

/// A model that bins a column by each of these, for a forest without trees.
fn only(edges: &[Tensor]) -> Result<Model, Box<dyn Error>> {
    let mut b = GraphBuilder::new();
    let mut inputs = Vec::new();
    let mut columns = Vec::new();
    for (i, tensor) in edges.iter().enumerate() {
        let name = format!("x{i}");
        columns.push(b.input(&name, tensor.dtype(), Shape::rows())?);
        inputs.push(Input { name, kind: ColumnKind::Number, dtype: tensor.dtype() });
    }
    let mut codes = Vec::new();
    let mut features = Vec::new();
    for (tensor, column) in edges.iter().zip(columns) {
        let constant = b.constant(tensor.clone())?;
        codes.push(b.node(Op::Bin(Bin), &[column, constant])?);
        features.push(CodedFeature { n_codes: u16::try_from(tensor.data().len() + 1)?, ordered: true });
    }
    let forest = Forest::try_new(features, vec![0], Vec::new())?.into();
    let score = b.node(Op::Forest(ForestOp { forest }), &codes)?;
    let signature = Signature {
        task: Task::Regression,
        target: String::new(),
        targets: Vec::new(),
        outputs: vec![OutputRole::Score],
        inputs,
        classes: Vec::new(),
        positive: None,
        missing: Vec::new(),
        columns: Vec::new(),
        joined: None,
    };
    Ok(Model::try_new(b.finish(&[score])?, signature, Card::default())?)
}

/// The length of a section; the layout stands in `ir::file`.
fn section(bytes: &[u8], wanted: u8) -> usize {
    let mut at = 7;
    for _ in 0..bytes.get(6).copied().unwrap_or(0) {
        let tag = bytes.get(at).copied().unwrap_or(0);
        let mut length = 0;
        for shift in (0..).step_by(7) {
            at += 1;
            let byte = bytes.get(at).copied().unwrap_or(0);
            length |= usize::from(byte & 127) << shift;
            if byte < 128 {
                break;
            }
        }
        at += 1;
        if tag == wanted {
            return length;
        }
    }
    0
}
