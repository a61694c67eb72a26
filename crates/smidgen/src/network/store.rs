//! Networks as files of smidgen: written whole, with a self-test, and with what their graph cannot say.

use super::feed::{Geometry, numbers};
use super::head::{is_shares, width_of};
use super::{Network, NetworkOptions};
use crate::output::{refuse_same_file, write_whole};
use crate::{Error, Layout};
use ir::op::TensorOp;
use ir::op::tensor::SoftmaxKind;
use ir::{Answer, AnswerKind, Card, Graph, NetworkSignature, Op, PixelMap, Tensor, ValueIdx};
use runtime::tensors::Limits;
use std::path::{Path, PathBuf};

/// Seed of the inputs of a self-test.
const SEED: u64 = 1;

/// What becomes a file of smidgen.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// A network in ONNX, or one that is such a file already.
    pub model: PathBuf,
    /// Where it is written.
    pub output: PathBuf,
    /// How pixels become what it takes; what a file says already need not be said again.
    pub network: NetworkOptions,
    /// Names of the classes, in the order of the outputs; none if they have none.
    pub classes: Vec<String>,
}

/// Writes a network as a `.smidgen` file, its numbers as they are, and gives the length of the file.
///
/// # Errors
/// The network cannot be read; a node has a graph inside (`Unsupported`); classes or pixels do not fit its outputs and
/// inputs; the file cannot be written. Then an existing file stays.
pub fn store_network(options: &StoreOptions) -> Result<u64, Error> {
    refuse_same_file(&options.output, &options.model.display().to_string())?;
    let network = Network::load(&options.model)?;
    let pixels = network.with_signature(&options.network)?;
    let classes =
        if options.classes.is_empty() { network.signature.classes.clone() } else { options.classes.clone() };
    let known = network.signature.answer;
    let card = network.card.clone();
    let made = Made { graph: network.graph, pixels: &pixels, classes, answer: known, card };
    made.store(&options.output)
}

/// A network that is to be written.
pub(crate) struct Made<'o> {
    pub(crate) graph: Graph,
    /// How pixels become its input.
    pub(crate) pixels: &'o NetworkOptions,
    /// Names of the classes, or none.
    pub(crate) classes: Vec<String>,
    /// The output that answers; found by running the network if `None`.
    pub(crate) answer: Option<Answer>,
    /// Where the network comes from.
    pub(crate) card: Card,
}

impl Made<'_> {
    /// Writes the file, and gives its length.
    ///
    /// # Errors
    /// As [`store_network`].
    pub(crate) fn store(self, path: &Path) -> Result<u64, Error> {
        let of_file = |e: ir::Error| Error::of_file(path, e.nature(), &e);
        let pixels = pixel_map(&self.graph, self.pixels)
            .map_err(|what| Error::input(format!("{}: {what}", path.display())))?;
        let plain = NetworkSignature { pixels, ..NetworkSignature::default() };
        let network = ir::Network::try_new(self.graph, plain, Card::default()).map_err(of_file)?;
        let tested = runtime::network_test(&network, SEED, Limits::default());
        let (graph, plain) = network.into_parts();
        let found = tested.as_ref().and_then(|t| {
            let n_rows = super::rows_of(&graph).unwrap_or(t.test.n_rows as usize);
            answer(&graph, &t.outputs, n_rows)
        });
        let answer = self.answer.or(found);
        if !self.classes.is_empty() {
            check_classes(path, &graph, answer, &self.classes)?;
        }
        let signature = NetworkSignature { answer, classes: self.classes, ..plain };
        let mut network = ir::Network::try_new(graph, signature, self.card).map_err(of_file)?;
        network.self_test = tested.map(|t| t.test);
        let bytes = ir::file::write_network(&network);
        // What cannot be read must not replace a file that can.
        ir::file::read_network(&bytes).map_err(|e| Error::bug(format!("store: {e}")))?;
        write_whole(path, |out| {
            let failed =
                |e: std::io::Error| Error::input(format!("{}: cannot be written: {e}", path.display()));
            out.write_all(&bytes).map_err(failed)
        })?;
        Ok(bytes.len() as u64)
    }
}

/// What the flags say of pixels; none if they say nothing.
fn pixel_map(graph: &Graph, options: &NetworkOptions) -> Result<Option<PixelMap>, String> {
    let NetworkOptions { scale, mean, std, layout, .. } = options;
    if scale.is_none() && mean.is_empty() && std.is_empty() && layout.is_none() {
        return Ok(None);
    }
    let &[input] = graph.inputs() else {
        return Err(format!("pixels need a network of one input, got {}", graph.inputs().len()));
    };
    let geometry = Geometry::of(&super::port(graph, input), options)?;
    let layout: Option<Layout> = Some(geometry.layout());
    Ok(Some(PixelMap { scale: scale.unwrap_or(1.0), mean: mean.clone(), std: std.clone(), layout }))
}

/// The first output with one number, or one a class, for each row, and what its numbers are: probabilities if they come
/// from a softmax or if those of each row of the self-test sum up to 1, else what a softmax is taken of.
fn answer(graph: &Graph, outputs: &[Tensor], n_rows: usize) -> Option<Answer> {
    let (place, width) = (0..).zip(outputs).find_map(|(at, tensor)| Some((at, width_of(tensor, n_rows)?)))?;
    let idx = *graph.outputs().get(place as usize)?;
    let values = numbers(outputs.get(place as usize)?.data())?;
    let kind = match width {
        1 => AnswerKind::Value,
        _ if is_softmax(graph, idx) => AnswerKind::Probability,
        _ if values.chunks_exact(width).all(is_shares) => AnswerKind::Probability,
        _ => AnswerKind::Logit,
    };
    Some(Answer { output: place, kind })
}

/// True if a value is a softmax, but for how it is stored or shaped.
fn is_softmax(graph: &Graph, idx: ValueIdx) -> bool {
    let Some(node) = graph.maker(idx) else { return false };
    let Op::Tensor(op) = &node.op else { return false };
    match (&**op, node.inputs.first()) {
        (TensorOp::Softmax(softmax), _) => softmax.kind == SoftmaxKind::Soft,
        (
            TensorOp::Identity(_)
            | TensorOp::Cast(_)
            | TensorOp::Reshape(_)
            | TensorOp::Squeeze(_)
            | TensorOp::QuantizeLinear(_)
            | TensorOp::DequantizeLinear(_),
            Some(&input),
        ) => is_softmax(graph, input),
        _ => false,
    }
}

fn check_classes(
    path: &Path,
    graph: &Graph,
    answer: Option<Answer>,
    classes: &[String],
) -> Result<(), Error> {
    let shown = path.display();
    let Some(answer) = answer else {
        return Err(Error::input(format!(
            "{shown}: {} classes: expected a network with an output of one number a class, got one without; leave the classes out",
            classes.len()
        )));
    };
    let output = graph.outputs().get(answer.output as usize).map(|&idx| super::port(graph, idx));
    let Some(output) = output else { return Err(Error::bug("store: an answer that is no output")) };
    let width = output.shape.numbers_of_row();
    let fits = answer.kind != AnswerKind::Value && width.is_none_or(|n| n == classes.len());
    if fits {
        return Ok(());
    }
    Err(Error::input(format!(
        "{shown}: expected one class a number of output \"{}\" {}, got {} classes",
        output.name,
        output.shape,
        classes.len()
    )))
}
