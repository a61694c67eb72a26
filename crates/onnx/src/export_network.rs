//! A network as ONNX: the graph in the lowest version of ONNX's operators that can say it.
//!
//! [`operator`] is the one visible match. It is exhaustive: an operator is written as ONNX has it, or refused by name. The
//! forms of some operators follow from the version (axes that are an attribute or an input), and some operators ask for a
//! version; so a graph is written in the first version, and once more wherever a node turned out to need a later one.
//!
//! - [`versions`]: which version takes what dtypes;
//! - [`step`] one node, [`graphs`] its graph;
//! - a file for each kind of operator, as in [`crate::operators`].

mod constants;
mod control;
mod elementwise;
mod functions;
mod graphs;
mod indexing;
mod integers;
mod ml;
mod normalization;
mod products;
mod recurrent;
mod reductions;
mod regions;
mod shapes;
mod signals;
mod step;
#[cfg(test)]
mod tests;
mod versions;
mod windows;

use crate::error::{Error, Kind};
use crate::proto;
use crate::writer::{About, Writer, checked_length, file, info};
use graphs::Names;
use ir::op::TensorOp;
use ir::{DType, Graph, Op, TensorData};
use std::collections::BTreeSet;
use step::Step;
use versions::Versions;

/// What a file says of a network beside its graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkMeta {
    /// Name of the graph.
    pub name: String,
    /// Keys, each once, and their values: ONNX's `metadata_props`, in order.
    pub properties: Vec<(String, String)>,
}

/// The bytes of an ONNX model that computes what `graph` computes, each node with the operator of the same meaning.
///
/// The version of ONNX's operators is the lowest, from 13 on, that has every operator and dtype of the graph: integers of 4
/// bits and of 16 bits behind `QuantizeLinear` need 21, those of 2 bits 25; so that old runtimes read what they can. Forests
/// and dictionaries are written with ai.onnx.ml, a recurrent layer of integers with ONNX Runtime's operator.
///
/// Names of inputs, outputs, values, nodes and axes are those of the graph; inside a sub-graph a name that stands outside too
/// goes behind the name of its node. Outputs that nobody takes are left out where ONNX lets them, and so are constants.
/// The producer is `smidgen`. The same graph gives the same bytes.
///
/// # Errors
/// `NotExported` names the first node that has no form in ONNX: an operator of tables, a dtype that ONNX's operator never
/// takes; `Property` a key that stands twice. `TooLong` for a file of 2 GiB or more: elements are never written to other files.
pub fn export_network(graph: &Graph, meta: &NetworkMeta) -> Result<Vec<u8>, Error> {
    let mut keys = BTreeSet::new();
    if let Some((key, _)) = meta.properties.iter().find(|(key, _)| !keys.insert(key)) {
        return Err(Kind::Property { key: key.clone() }.into());
    }
    checked_length(constant_bytes(graph))?;
    let mut versions = Versions::first();
    let (names, mut w) = loop {
        let mut w = Writer::default();
        let names = Names::outside(graph, &mut w);
        let mut needed = versions;
        graphs::nodes(graph, &names, &mut w, versions, &mut needed)?;
        if needed == versions {
            break (names, w);
        }
        versions = needed;
    };
    let end = |idx: ir::ValueIdx| {
        let value = graph.value(idx);
        let name = names.values.get(idx.0 as usize).map_or("", String::as_str);
        info(name, value.dtype, &value.shape)
    };
    let input: Vec<proto::ValueInfo> = graph.inputs().iter().map(|&idx| end(idx)).collect();
    let mut given = BTreeSet::new();
    let mut output: Vec<proto::ValueInfo> = Vec::with_capacity(graph.outputs().len());
    for (at, &idx) in graph.outputs().iter().enumerate() {
        let mut made = end(idx);
        // Two outputs need two names.
        if !given.insert(idx) {
            let own = made.name.unwrap_or_default();
            let other = w.take(&format!("{own}:{at}"));
            w.give(&own, &other);
            made.name = Some(other);
        }
        output.push(made);
    }
    graphs::constants(graph, &names, &output, &mut w);
    let name = if meta.name.is_empty() { "smidgen" } else { &meta.name };
    let made = proto::Graph {
        node: w.nodes,
        name: Some(name.to_string()),
        initializer: w.constants,
        input,
        output,
        ..proto::Graph::default()
    };
    let mut opsets = vec![("", versions.opset)];
    opsets.extend((versions.ml > 0).then_some(("ai.onnx.ml", versions.ml)));
    opsets.extend(versions.has_microsoft.then_some(("com.microsoft", 1)));
    let property =
        |(key, value): &(String, String)| proto::Entry { key: Some(key.clone()), value: Some(value.clone()) };
    file(made, About { opsets, doc: None, properties: meta.properties.iter().map(property).collect() })
}

/// Bytes that all constants take in a file.
fn constant_bytes(graph: &Graph) -> usize {
    let tensor = |data: &TensorData| match (data, data.dtype()) {
        (TensorData::Str(texts), _) => texts.iter().map(String::len).sum(),
        (_, DType::Narrow(narrow)) => data.len() / usize::try_from(8 / narrow.bits()).unwrap_or(1),
        (_, dtype) => data.len().saturating_mul(dtype.bytes()),
    };
    let own = graph.values().iter().filter_map(|value| match &value.origin {
        ir::Origin::Constant(constant) => Some(tensor(constant.data())),
        ir::Origin::Input(_) | ir::Origin::Node(_) => None,
    });
    let inside = graph.nodes().iter().filter_map(|node| match &node.op {
        Op::Tensor(op) => Some(op.graphs().into_iter().map(constant_bytes).fold(0, usize::saturating_add)),
        _ => None,
    });
    own.chain(inside).fold(0, usize::saturating_add)
}

/// Writes one node.
fn operator(s: &mut Step<'_>) -> Result<(), Error> {
    let node = s.node;
    let Op::Tensor(op) = &node.op else {
        return Err(s.refuse("an operator of models of tables", "export the model, not its graph"));
    };
    match &**op {
        TensorOp::Identity(_) => constants::identity(s),
        TensorOp::Binary(op) => elementwise::binary(s, *op),
        TensorOp::Compare(_) | TensorOp::Unary(_) => elementwise::plain(s),
        TensorOp::Activation(op) => functions::activation(s, *op),
        TensorOp::FloatTest(op) => elementwise::float_test(s, *op),
        TensorOp::Where(_) => elementwise::choose(s),
        TensorOp::Cast(op) => elementwise::cast(s, *op),
        TensorOp::Reduce(op) => reductions::reduce(s, *op),
        TensorOp::ArgExtreme(op) => reductions::arg_extreme(s, *op),
        TensorOp::Cumulative(op) => reductions::cumulative(s, *op),
        TensorOp::TopK(op) => indexing::top_k(s, *op),
        TensorOp::Softmax(op) => normalization::shares(s, *op),
        TensorOp::MatMul(op) => products::matmul(s, *op),
        TensorOp::Gemm(op) => products::gemm(s, *op),
        TensorOp::Einsum(op) => products::einsum(s, op),
        TensorOp::Conv(op) => windows::conv(s, op),
        TensorOp::ConvTranspose(op) => windows::conv_transpose(s, op),
        TensorOp::Pool(op) => windows::pool(s, op),
        TensorOp::MaxUnpool(op) => windows::max_unpool(s, op),
        TensorOp::Col2Im(op) => windows::col2im(s, op),
        TensorOp::BatchNormalization(op) => normalization::batch(s, *op),
        TensorOp::LayerNormalization(op) => normalization::layer(s, *op),
        TensorOp::Lrn(op) => normalization::lrn(s, *op),
        TensorOp::Recurrent(op) => recurrent::recurrent(s, op),
        TensorOp::ShapeOf(op) => shapes::shape_of(s, *op),
        TensorOp::Reshape(op) => shapes::reshape(s, *op),
        TensorOp::Squeeze(_) | TensorOp::Tile(_) | TensorOp::Expand(_) => shapes::with_list(s, Vec::new()),
        TensorOp::Transpose(op) => shapes::transpose(s, op),
        TensorOp::Concat(op) => shapes::concat(s, *op),
        TensorOp::Split(op) => shapes::split(s, *op),
        TensorOp::Slice(op) => shapes::slice(s, *op),
        TensorOp::Gather(op) => indexing::gather(s, *op),
        TensorOp::Scatter(op) => indexing::scatter(s, *op),
        TensorOp::Pad(op) => shapes::pad(s, *op),
        TensorOp::CenterCropPad(op) => shapes::center_crop_pad(s, op),
        TensorOp::ConstantOfShape(op) => constants::constant_of_shape(s, op),
        TensorOp::Range(_) => constants::range(s),
        TensorOp::OneHot(op) => indexing::one_hot(s, *op),
        TensorOp::EyeLike(op) => constants::eye_like(s, *op),
        TensorOp::Trilu(op) => shapes::trilu(s, *op),
        TensorOp::ReverseSequence(op) => shapes::reverse_sequence(s, *op),
        TensorOp::DepthSpace(op) => shapes::depth_space(s, *op),
        TensorOp::Resize(op) => regions::resize(s, op),
        TensorOp::GridSample(op) => regions::grid_sample(s, *op),
        TensorOp::RoiAlign(op) => regions::roi_align(s, *op),
        TensorOp::Compress(op) => indexing::compress(s, *op),
        TensorOp::NonZero(_) => indexing::non_zero(s),
        TensorOp::Unique(op) => indexing::unique(s, *op),
        TensorOp::NonMaxSuppression(op) => regions::non_max_suppression(s, *op),
        TensorOp::Det(_) => products::det(s),
        TensorOp::Dft(op) => signals::dft(s, *op),
        TensorOp::QuantizeLinear(op) => integers::quantize(s, *op),
        TensorOp::DequantizeLinear(op) => integers::dequantize(s, *op),
        TensorOp::DynamicQuantizeLinear(_) => integers::dynamic(s),
        TensorOp::LabelEncoder(_) => ml::label_encoder(s),
        TensorOp::TreeEnsemble(op) => ml::tree_ensemble(s, op),
        TensorOp::If(op) => control::if_else(s, op),
        TensorOp::Loop(op) => control::repeat(s, op),
        TensorOp::Scan(op) => control::scan(s, op),
        TensorOp::QConv(_)
        | TensorOp::QMatMul(_)
        | TensorOp::QAdd(_)
        | TensorOp::QMul(_)
        | TensorOp::QAveragePool(_)
        | TensorOp::QMean(_)
        | TensorOp::QLut(_)
        | TensorOp::Requantize(_) => {
            Err(s.refuse("an operator of the integer form", "export the network in QDQ form"))
        }
    }
}
