//! What a network holds.

use super::{Network, Port};
use crate::Error;
use ir::{AnswerKind, DType, Dim, Graph, Op, Origin, PixelMap, Shape, Task, Tensor, TensorData, ValueIdx};
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
    /// What its constants take, by dtype, the most bytes first.
    pub weights: Vec<WeightCount>,
    /// Names of its classes; empty if its file says none.
    pub classes: Vec<String>,
    /// The question that it answers, if its file says so.
    pub task: Option<Task>,
    /// Name of the output that answers, and what its numbers are, if its file says so.
    pub answer: Option<(String, AnswerKind)>,
    /// How pixels become its input, if its file says so.
    pub pixels: Option<PixelMap>,
    /// True if every machine computes the same bits: no float product is left.
    pub exact: bool,
    /// Where it comes from, of a file of smidgen.
    pub recipe: String,
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

/// Constants of one dtype.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightCount {
    /// The dtype.
    pub dtype: DType,
    /// How many constants have it.
    pub count: u64,
    /// Their elements.
    pub elements: u64,
    /// Bytes of these at their bit width; a text counts for its bytes.
    pub bytes: u64,
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
    let constants: Vec<&Tensor> = constants.map(AsRef::as_ref).collect();
    let learnt: Vec<&Tensor> = constants.iter().copied().filter(|t| is_learnt(t.dtype())).collect();
    let all = |tensors: &[&Tensor]| tensors.iter().map(|t| t.data().len() as u64).sum::<u64>();
    let small: Vec<&Tensor> = learnt.iter().copied().filter(|t| is_small(t.dtype())).collect();
    let outputs = network.outputs();
    let answer = network.signature.answer;
    let answer = answer.and_then(|a| Some((outputs.get(a.output as usize)?.name.clone(), a.kind)));
    let (inputs, weights) = (network.inputs(), weights(&constants));
    let bytes = network.bytes;
    let (exact, recipe, classes) =
        (graph.is_exact(), network.card.recipe.clone(), network.signature.classes.clone());
    let (n_parameters, n_quantized) = (all(&learnt), all(&small));
    let pixels = network.signature.pixels.clone();
    Ok(NetworkSummary {
        name: path.display().to_string(),
        bytes,
        inputs,
        outputs,
        multiply_adds: operators.iter().map(|o| o.multiply_adds).sum(),
        operators,
        weights,
        classes,
        task: network.task(),
        answer,
        pixels,
        exact,
        recipe,
        n_parameters,
        n_quantized,
    })
}

/// Constants by dtype.
fn weights(constants: &[&Tensor]) -> Vec<WeightCount> {
    let mut counted: BTreeMap<DType, WeightCount> = BTreeMap::new();
    for tensor in constants {
        let dtype = tensor.dtype();
        let elements = tensor.data().len() as u64;
        let bytes = match (tensor.data(), dtype) {
            (TensorData::Str(v), _) => v.iter().map(|text| text.len() as u64).sum(),
            (_, DType::Narrow(narrow)) => (elements * u64::from(narrow.bits())).div_ceil(8),
            _ => elements * dtype.bytes() as u64,
        };
        let entry = counted.entry(dtype).or_insert(WeightCount { dtype, count: 0, elements: 0, bytes: 0 });
        entry.count += 1;
        entry.elements += elements;
        entry.bytes += bytes;
    }
    let mut all: Vec<WeightCount> = counted.into_values().collect();
    all.sort_by_key(|w| (std::cmp::Reverse(w.bytes), w.dtype));
    all
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
