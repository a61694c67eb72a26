//! What a network holds.

use super::{Network, Port};
use crate::Error;
use ir::op::TensorOp;
use ir::{AnswerKind, DType, Graph, Node, Op, Origin, PixelMap, Task, Tensor, TensorData, ValueIdx};
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
    /// Multiplications with an addition of one row; lengths that are not known, and steps of loops that hang on data,
    /// count as 1, and of an `If` the branch with more of them counts.
    pub multiply_adds: u64,
}

/// How often an operator occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorCount {
    /// ONNX's name.
    pub name: &'static str,
    /// Nodes, those of graphs inside nodes too.
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
    let mut operators: Vec<OperatorCount> = counted(graph)
        .into_iter()
        .map(|(name, of)| OperatorCount { name, count: of.nodes, multiply_adds: of.multiply_adds })
        .collect();
    operators.sort_by_key(|o| (std::cmp::Reverse((o.multiply_adds, o.count)), o.name));
    let mut constants: Vec<&Tensor> = Vec::new();
    let mut graphs = vec![graph];
    while let Some(graph) = graphs.pop() {
        constants.extend(graph.values().iter().filter_map(|value| match &value.origin {
            Origin::Constant(tensor) => Some(&**tensor),
            _ => None,
        }));
        graphs.extend(graph.nodes().iter().flat_map(inside));
    }
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

/// Graphs inside a node.
fn inside(node: &Node) -> Vec<&Graph> {
    if let Op::Tensor(op) = &node.op { op.graphs() } else { Vec::new() }
}

/// How much of an operator a network has.
#[derive(Clone, Copy, Default)]
struct Count {
    nodes: u64,
    multiply_adds: u64,
    /// Those of them whose first factor is an integer.
    on_integers: u64,
}

/// Nodes and multiplications by operator, those of graphs inside nodes among them.
type Counts = BTreeMap<&'static str, Count>;

/// Multiplications with an addition of one row, and those of them on integers; counted as
/// [`NetworkSummary::multiply_adds`] are.
pub(crate) fn multiply_adds(graph: &Graph) -> [u64; 2] {
    let all = counted(graph);
    let sum = |of: fn(&Count) -> u64| all.values().map(of).fold(0, u64::saturating_add);
    [sum(|c| c.multiply_adds), sum(|c| c.on_integers)]
}

fn counted(graph: &Graph) -> Counts {
    let lengths = |values: &[ValueIdx]| -> Vec<Vec<usize>> {
        values.iter().map(|&idx| graph.value(idx).shape.lengths_or(1)).collect()
    };
    let mut all = Counts::new();
    for node in graph.nodes() {
        let entry = all.entry(node.op.payload().name()).or_default();
        entry.nodes += 1;
        let Op::Tensor(op) = &node.op else { continue };
        let inputs = lengths(&node.inputs);
        let of_node = op.multiply_adds(&inputs, &lengths(&node.outputs));
        entry.multiply_adds = entry.multiply_adds.saturating_add(of_node);
        if node.inputs.first().is_some_and(|&idx| !graph.value(idx).dtype.is_float()) {
            entry.on_integers = entry.on_integers.saturating_add(of_node);
        }
        let inner: Vec<Counts> = op.graphs().into_iter().map(counted).collect();
        let work = |counts: &Counts| counts.values().map(|c| c.multiply_adds).fold(0, u64::saturating_add);
        // One branch of an `If` runs: that with more work is taken for it.
        let most = inner.iter().map(work).max().unwrap_or(0);
        let mut is_taken = false;
        for counts in inner {
            let runs = !is_taken && work(&counts) == most;
            is_taken |= runs;
            let times = if runs { steps(op, graph, node, &inputs) } else { 0 };
            for (name, of) in counts {
                let entry = all.entry(name).or_default();
                let add = |sum: u64, n: u64| sum.saturating_add(n.saturating_mul(times));
                entry.nodes += of.nodes;
                entry.multiply_adds = add(entry.multiply_adds, of.multiply_adds);
                entry.on_integers = add(entry.on_integers, of.on_integers);
            }
        }
    }
    all
}

/// How often the graph inside a node runs, as far as that is known without data; else 1.
fn steps(op: &TensorOp, graph: &Graph, node: &Node, inputs: &[Vec<usize>]) -> u64 {
    match op {
        TensorOp::Loop(op) if op.has_limit => {
            let limit = node.inputs.first().and_then(|&idx| graph.constant(idx)?.data().whole_numbers());
            // Exporters write the largest number for a loop that a condition ends.
            let limit = limit.and_then(|n| n.first().copied()).filter(|n| *n <= i64::from(i32::MAX) / 2);
            limit.map_or(1, |n| u64::try_from(n).unwrap_or(0))
        }
        TensorOp::Scan(op) => {
            let lengths = inputs.get(op.n_states).zip(op.scanned.first());
            lengths.map_or(1, |(dims, scan)| {
                let at = if scan.axis < 0 {
                    scan.axis.checked_add_unsigned(dims.len() as u64)
                } else {
                    Some(scan.axis)
                };
                at.and_then(|at| dims.get(usize::try_from(at).ok()?)).map_or(1, |&n| n as u64)
            })
        }
        _ => 1,
    }
}
