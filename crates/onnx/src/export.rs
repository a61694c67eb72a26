//! A model of tables as ONNX: what others run without smidgen.
//!
//! Operator by operator: [`operator`] is the one visible match. Nothing is approximated. Whole numbers stay whole: codes,
//! scores and their sums are `int64`, sums of trees and of products of whole numbers are kept where floats or doubles hold
//! every whole number, so that each row takes its branch and each label is that of the model. What is computed in doubles
//! here is computed in doubles there, in the same order where ONNX has one. Where it has none (`exp`, sums of many doubles,
//! probabilities in single precision) the bound stands in the file's `doc_string`, for the operators that it has.
//!
//! - [`ends`]: columns, outputs and what the file says of itself;
//! - [`step`] and [`crate::writer`]: one node of the model, and the ONNX graph while it grows;
//! - a file for each kind of operator.

mod categories;
mod codes;
mod curves;
mod decisions;
mod distances;
mod ends;
mod forests;
mod functions;
mod links;
mod neighbours;
mod numbers;
mod products;
mod scores;
mod step;
mod tables;
mod time_texts;
mod times;

use crate::error::Error;
use crate::proto;
use crate::writer::{About, Writer, file};
use ir::{Model, Op};
use step::Step;

/// The set of operators of ONNX that a file is written in.
const OPSET: i64 = 18;
/// The same where text is parted, which older sets cannot.
const OPSET_OF_TEXT: i64 = 20;
/// The set of operators for trees and dictionaries.
const ML_OPSET: i64 = 3;

/// The bytes of an ONNX model, opset 18 (20 where times are text) and ai.onnx.ml 3, that makes of a table what `model` makes
/// of it.
///
/// Inputs are the columns of the signature by name, each `[N]`, as a column of a frame is: numbers `double`, missing NaN
/// (whole numbers too, which are exact up to 2^53); categories and text `string`, missing the empty text, trimmed, numbers
/// as categories in their shortest spelling without exponent (`1`, `0.5`); points in time `string` as written, or `int64`
/// in microseconds since 1970, missing the least `int64` (numpy's `NaT`).
///
/// Outputs, in the order of the signature, are `label` (the class as it was spelt in training: `int64 [N]` if all are whole numbers, else `string [N]`),
/// `probabilities: float [N, n_classes]`, `score: int64 [N, K]`, `value: double [N]`, and made columns by name, `double [N]`;
/// with as many underscores behind a name as it takes to differ from those before it, since inputs and outputs share one
/// space of names.
///
/// The file's `metadata_props` hold the recipe, what each column means (`smidgen.input.NAME`: kind and type at fit) and the
/// cells that were missing in training.
///
/// Labels, values and integer scores are those of `model` wherever the nodes before them are exact; probabilities are
/// within one step of single precision. The `doc_string` names each operator that is not exact, with its bound.
///
/// # Errors
/// `NotExported` names the first node that has no exact form, and what would work: text parted into terms, hashes, other
/// rows of the table (`Past`), a second table (`Related`). Never a file that computes something else. `TooLong` for a file
/// of 2 GiB or more.
pub fn export(model: &Model) -> Result<Vec<u8>, Error> {
    let graph = model.graph();
    let mut w = Writer::default();
    let mut names: Vec<Option<String>> = vec![None; graph.values().len()];
    let ends::Inputs { infos, moments } = ends::inputs(model, &mut names, &mut w);
    let mut bounds = Vec::new();
    for node in needed(model) {
        w.begin(&node.name);
        let mut step = Step { graph, node, names: &names, moments: &moments, w: &mut w };
        let made = operator(&mut step)?;
        bounds.extend(bound(&step).filter(|b| !bounds.contains(b)));
        if let Some(slot) = node.outputs.first().and_then(|o| names.get_mut(o.0 as usize)) {
            *slot = Some(made);
        }
    }
    let outputs = ends::outputs(model, &names, &mut w)?;
    w.drop_unused();
    let opset = if w.needs_text_operators { OPSET_OF_TEXT } else { OPSET };
    let graph = proto::Graph {
        node: w.nodes,
        name: Some("smidgen".to_string()),
        initializer: w.constants,
        input: infos,
        output: outputs,
        ..proto::Graph::default()
    };
    let about = About {
        opsets: vec![("", opset), ("ai.onnx.ml", ML_OPSET)],
        doc: Some(ends::description(&bounds)),
        properties: ends::metadata(model),
    };
    file(graph, about)
}

/// The nodes that an output hangs on, in order.
fn needed(model: &Model) -> Vec<&ir::Node> {
    let graph = model.graph();
    let mut wanted = vec![false; graph.values().len()];
    let mut want = |idx: &ir::ValueIdx| {
        if let Some(slot) = wanted.get_mut(idx.0 as usize) {
            *slot = true;
        }
    };
    graph.outputs().iter().for_each(&mut want);
    let mut nodes = Vec::new();
    for node in graph.nodes().iter().rev() {
        if node.outputs.iter().any(|o| wanted.get(o.0 as usize) == Some(&true)) {
            for idx in &node.inputs {
                if let Some(slot) = wanted.get_mut(idx.0 as usize) {
                    *slot = true;
                }
            }
            nodes.push(node);
        }
    }
    nodes.reverse();
    nodes
}

/// Writes one node; gives the name of its value.
fn operator(s: &mut Step<'_>) -> Result<String, Error> {
    const ROWS: &str = "export the model without columns of other rows, and make them before it";
    const TEXT: &str = "make columns of the text before the model";
    match &s.node.op {
        Op::Bin(_) => codes::bin(s),
        Op::Codes(op) => codes::codes(s, *op),
        Op::Forest(op) => forests::forest(s, op),
        Op::Link(op) => links::link(s, *op),
        Op::ArgMax(_) => decisions::argmax(s),
        Op::Threshold(op) => decisions::threshold(s, *op),
        Op::LeastCost(_) => decisions::least_cost(s),
        Op::TimePart(op) => times::time_part(s, *op),
        Op::Cast(_) => numbers::cast(s),
        Op::Arithmetic(op) => numbers::arithmetic(s, *op),
        Op::Function(op) => {
            let x = s.number(0)?;
            Ok(functions::function(s, *op, &x))
        }
        Op::Comparison(op) => numbers::comparison(s, *op),
        Op::IsNaN(_) => numbers::is_nan(s),
        Op::Where(_) => numbers::choose(s),
        Op::Columns(_) => numbers::columns(s),
        Op::Gather(_) => numbers::gather(s),
        Op::MatMul(_) => numbers::matmul(s),
        Op::Reduce(op) => numbers::reduce(s, *op),
        Op::Interpolate(_) => curves::interpolate(s),
        Op::BSpline(op) => curves::b_spline(s, *op),
        Op::OneHot(op) => categories::one_hot(s, *op),
        Op::LabelEncoder(_) => categories::label_encoder(s),
        Op::Respell(_) => categories::respell(s),
        Op::QuantizeLinear(op) => products::quantize(s, *op),
        Op::QGemm(_) => products::gemm(s),
        Op::Tables(op) => tables::tables(s, *op),
        Op::Sum(_) => scores::sum(s),
        Op::WeightedSum(op) => scores::weighted_sum(s, *op),
        Op::Cascade(op) => scores::cascade(s, *op),
        Op::Gate(_) => scores::gate(s),
        Op::Votes(op) => scores::votes(s, *op),
        Op::ScoreCurve(_) => scores::curve(s),
        Op::ToScores(op) => scores::to_scores(s, *op),
        Op::NearestRows(op) => distances::nearest_rows(s, *op),
        Op::RbfSums(op) => distances::rbf_sums(s, *op),
        Op::ImputeNeighbours(op) => neighbours::impute(s, *op),
        Op::HashBucket(_) => Err(s.refuse("a hash of text", "use one_hot, ordinal or target_encode")),
        Op::Past(_) => Err(s.refuse("a statistic of earlier rows", ROWS)),
        Op::Related(_) => Err(s.refuse("a statistic of a second table", ROWS)),
        Op::TextPart(_) => Err(s.refuse("a count of a text's characters", TEXT)),
        Op::Tokens(_) => Err(s.refuse("text parted into terms", TEXT)),
        Op::HashTokens(_) => Err(s.refuse("a hash of terms", TEXT)),
        Op::BagWeigh(_) | Op::BagGather(_) | Op::BagGemm(_) => Err(s.refuse("a bag of terms", TEXT)),
        Op::Tensor(_) => Err(s.refuse("an operator of networks", "use the ONNX file that it came from")),
    }
}

/// How far a node may be from the model's, equal inputs given; none where it is exact.
fn bound(s: &Step<'_>) -> Option<&'static str> {
    use ir::op::{LinkKind, Reduce};
    let is_long = s.width(0).is_ok_and(|n| n > numbers::MOST_ADDED);
    match &s.node.op {
        Op::Link(link) => match link.kind {
            LinkKind::Logistic | LinkKind::Softmax | LinkKind::Share => {
                Some("probabilities: one step of single precision (a relative 2^-23)")
            }
            LinkKind::Exponential => Some("e^score: a relative 2^-50, or 2^-1022"),
            LinkKind::Linear => None,
        },
        Op::LeastCost(_) => {
            Some("the class of least cost: exact unless two costs are within 2^-22 of each other")
        }
        Op::MatMul(_) | Op::Reduce(Reduce::Sum | Reduce::L1 | Reduce::L2) if is_long => {
            Some("sums of K > 256 doubles, in any order: K 2^-53 of the sum of sizes")
        }
        _ => None,
    }
}
