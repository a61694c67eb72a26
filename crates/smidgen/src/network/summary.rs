//! What a network holds.

use super::{Network, Port};
use crate::Error;
use ir::{DType, Dim, Graph, Op, Origin, Shape, Tensor, ValueIdx};
use std::collections::BTreeMap;
use std::path::Path;

/// What a network holds, as it is read: constants computed, what changes nothing left out.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSummary {
    /// Name of the file.
    pub name: String,
    /// Length of the file.
    pub bytes: u64,
    /// What it takes.
    pub inputs: Vec<Port>,
    /// What it gives.
    pub outputs: Vec<Port>,
    /// Operators, those of most multiplications first, then the most frequent.
    pub operators: Vec<OperatorCount>,
    /// Numbers that it learnt: elements of floats and small integers.
    pub n_parameters: u64,
    /// Those of them that take at most 8 bits.
    pub n_quantized: u64,
    /// Multiplications with an addition of one row; lengths that are not known count as 1.
    pub multiply_adds: u64,
}

/// How often an operator occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorCount {
    /// ONNX's name.
    pub name: &'static str,
    /// Nodes.
    pub count: u64,
    /// Their multiplications with an addition.
    pub multiply_adds: u64,
}

/// Reads a network and counts.
///
/// # Errors
/// The file cannot be read, is damaged, or needs what is not supported.
pub(crate) fn summary(path: &Path) -> Result<NetworkSummary, Error> {
    let network = Network::load(path)?;
    let graph = &network.graph;
    let mut counted: BTreeMap<&'static str, (u64, u64)> = BTreeMap::new();
    count(graph, &mut counted);
    let mut operators: Vec<OperatorCount> = counted
        .into_iter()
        .map(|(name, (count, multiply_adds))| OperatorCount { name, count, multiply_adds })
        .collect();
    operators.sort_by_key(|o| (std::cmp::Reverse((o.multiply_adds, o.count)), o.name));
    let constants = graph.values().iter().filter_map(|value| match &value.origin {
        Origin::Constant(tensor) => Some(tensor),
        _ => None,
    });
    let learnt: Vec<&Tensor> = constants.filter(|t| is_learnt(t.dtype())).collect();
    let all = |tensors: &[&Tensor]| tensors.iter().map(|t| t.data().len() as u64).sum::<u64>();
    let small: Vec<&Tensor> = learnt.iter().copied().filter(|t| is_small(t.dtype())).collect();
    Ok(NetworkSummary {
        name: path.display().to_string(),
        bytes: network.bytes,
        inputs: network.inputs(),
        outputs: network.outputs(),
        multiply_adds: operators.iter().map(|o| o.multiply_adds).sum(),
        operators,
        n_parameters: all(&learnt),
        n_quantized: all(&small),
    })
}

fn is_learnt(dtype: DType) -> bool {
    dtype.is_float() || is_small(dtype)
}

fn is_small(dtype: DType) -> bool {
    matches!(dtype, DType::I8 | DType::U8 | DType::Narrow(_))
}

/// Counts the nodes of a graph; graphs inside nodes are counted with their node.
fn count(graph: &Graph, counted: &mut BTreeMap<&'static str, (u64, u64)>) {
    let lengths = |values: &[ValueIdx]| -> Vec<Vec<usize>> {
        values.iter().map(|&idx| known(&graph.value(idx).shape)).collect()
    };
    for node in graph.nodes() {
        let entry = counted.entry(node.op.payload().name()).or_default();
        entry.0 += 1;
        if let Op::Tensor(op) = &node.op {
            entry.1 += op.multiply_adds(&lengths(&node.inputs), &lengths(&node.outputs));
        }
    }
}

/// Lengths, with 1 where one is not known.
fn known(shape: &Shape) -> Vec<usize> {
    let length = |dim: &Dim| if let Dim::Fixed(n) = dim { *n } else { 1 };
    shape.0.iter().map(length).collect()
}
