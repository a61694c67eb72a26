//! Running a network: a graph of operators on tensors of any rank, node by node.
//!
//! The plainest code that is right, but for the products of matrices, which a library computes. A value lives until
//! the last node that takes it. Before a node runs, its operator is asked once more what it makes of the lengths that
//! are now known: this checks the data, and the memory of what is made is counted before it is taken.
//! Floats are equal on every machine but for the order in which products are summed.

mod args;
mod casts;
mod codes;
mod control;
mod convolution;
mod each;
mod elementwise;
mod functions;
mod gemm;
mod indexed;
mod integer;
mod moves;
mod normalization;
mod pools;
mod products;
mod quantization;
mod recurrent;
mod reductions;
mod regions;
mod resample;
mod simplify;
mod single;
mod sorted;
mod spectra;
mod tables;
mod wide;
mod windows;

pub use simplify::{simplified, simplify};

use crate::error::{Error, Kind};
use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use args::Args;
pub(crate) use args::Meter;
pub(crate) use integer::whole;
use ir::op::{Operand, TensorOp};
use ir::{DType, Dim, Graph, Node, Op, Origin, Shape, Tensor, ValueIdx};

/// What a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of all values that live at one time, constants of the graph not among them.
    pub bytes: usize,
    /// Most steps of all loops.
    pub steps: u64,
}

impl Default for Limits {
    /// 4 GiB (on small machines half of what can be addressed), a million steps.
    fn default() -> Limits {
        Limits { bytes: usize::try_from(4u64 << 30).unwrap_or(usize::MAX / 2), steps: 1_000_000 }
    }
}

/// Outputs of the graph, in order, for inputs by name.
///
/// # Errors
/// `Input` for an input that is missing, unknown, or of another dtype or shape; `Node` where data does not fit an
/// operator; `Memory`, `Steps` past the limits; `Unsupported` for a node that is no operator of networks.
pub fn run(graph: &Graph, inputs: Vec<(String, Tensor)>, limits: Limits) -> Result<Vec<Tensor>, Error> {
    let given = bind(graph, inputs)?;
    let mut meter = Meter::new(limits);
    given.iter().for_each(|t| meter.take(t));
    execute(graph, given.into_iter().map(Cow::Owned).collect(), &mut meter, Watch::None)
}

/// Shows any values of the graph while it runs, each once, in the order in which they are made; nothing is kept for
/// it, and only the nodes that these values hang on are computed. Values of graphs inside nodes are shown by
/// [`watch_all`].
///
/// # Errors
/// As [`run`]; a value of no graph.
pub fn watch(
    graph: &Graph,
    inputs: Vec<(String, Tensor)>,
    limits: Limits,
    wanted: &[ValueIdx],
    see: &mut dyn FnMut(ValueIdx, &Tensor),
) -> Result<(), Error> {
    let given = bind(graph, inputs)?;
    if let Some(idx) = wanted.iter().find(|idx| idx.0 as usize >= graph.values().len()) {
        let expected = alloc::format!("a value below {}", graph.values().len());
        return Err(Kind::Input { name: "watched".to_string(), expected, got: idx.0.to_string() }.into());
    }
    let mut meter = Meter::new(limits);
    given.iter().for_each(|t| meter.take(t));
    let given = given.into_iter().map(Cow::Owned).collect();
    execute(graph, given, &mut meter, Watch::Some(wanted, see)).map(drop)
}

/// Shows every value while the graph runs, in the order in which they are made, and those of graphs inside nodes (`If`,
/// `Loop`, `Scan`) as often as these run; nothing is kept for it. A value is told by the graph that holds it and its
/// place there, its name is `graph.value(idx).name`. Gives the outputs.
///
/// # Errors
/// As [`run`].
pub fn watch_all(
    graph: &Graph,
    inputs: Vec<(String, Tensor)>,
    limits: Limits,
    see: &mut dyn FnMut(&Graph, ValueIdx, &Tensor),
) -> Result<Vec<Tensor>, Error> {
    let given = bind(graph, inputs)?;
    let mut meter = Meter::new(limits);
    given.iter().for_each(|t| meter.take(t));
    execute(graph, given.into_iter().map(Cow::Owned).collect(), &mut meter, Watch::All(see))
}

/// Inputs in the graph's order.
fn bind(graph: &Graph, inputs: Vec<(String, Tensor)>) -> Result<Vec<Tensor>, Error> {
    let mut named: BTreeMap<String, Tensor> = inputs.into_iter().collect();
    let mut symbols: BTreeMap<&str, usize> = BTreeMap::new();
    let mut given = Vec::with_capacity(graph.inputs().len());
    for &idx in graph.inputs() {
        let value = graph.value(idx);
        let expected = || alloc::format!("{} {}", value.dtype, value.shape);
        let fail =
            |got: String| Error::from(Kind::Input { name: value.name.clone(), expected: expected(), got });
        let tensor = named.remove(&value.name).ok_or_else(|| fail("none".to_string()))?;
        let fits = tensor.dtype() == value.dtype
            && value.shape.axes().is_none_or(|axes| {
                axes.len() == tensor.dims().len()
                    && axes.iter().zip(tensor.dims()).all(|(axis, &n)| match axis {
                        Dim::Fixed(k) => *k == n,
                        Dim::Symbol(name) => *symbols.entry(name).or_insert(n) == n,
                        Dim::Unknown | Dim::Rest => true,
                    })
            });
        if !fits {
            return Err(fail(alloc::format!("{} {:?}", tensor.dtype(), tensor.dims())));
        }
        given.push(tensor);
    }
    match named.into_keys().next() {
        None => Ok(given),
        Some(name) => {
            let names: Vec<&str> = graph.inputs().iter().map(|&i| &graph.value(i).name[..]).collect();
            let expected = alloc::format!("one of {}", names.join(", "));
            Err(Kind::Input { name, expected, got: "another".to_string() }.into())
        }
    }
}

/// Who looks at values, and at which.
enum Watch<'w> {
    None,
    /// Some values of a graph itself; nothing else is computed, and there are no outputs.
    Some(&'w [ValueIdx], &'w mut dyn FnMut(ValueIdx, &Tensor)),
    /// All values, and those of graphs inside.
    All(&'w mut See<'w>),
}

/// Who looks at all values, by the graph that holds them.
pub(crate) type See<'s> = dyn FnMut(&Graph, ValueIdx, &Tensor) + 's;

impl Watch<'_> {
    fn show(&mut self, graph: &Graph, idx: ValueIdx, tensor: &Tensor) {
        match self {
            Watch::None => {}
            Watch::Some(wanted, see) if wanted.contains(&idx) => see(idx, tensor),
            Watch::Some(..) => {}
            Watch::All(see) => see(graph, idx, tensor),
        }
    }

    /// Who looks into graphs inside nodes.
    fn inside(&mut self) -> Option<&mut See<'_>> {
        match self {
            Watch::None | Watch::Some(..) => None,
            Watch::All(see) => Some(&mut **see),
        }
    }
}

/// Which nodes run, and how often each value is taken.
struct Schedule {
    runs: Vec<bool>,
    uses: Vec<u32>,
}

impl Schedule {
    /// What `wanted` hangs on, or all that there is; these values themselves are kept to the end only if they are.
    fn of(graph: &Graph, wanted: &[ValueIdx], is_kept: bool, is_all: bool) -> Schedule {
        let mut is_needed = vec![is_all; graph.values().len()];
        let mut uses = vec![0u32; graph.values().len()];
        for idx in wanted {
            is_needed[idx.0 as usize] = true;
            uses[idx.0 as usize] += u32::from(is_kept);
        }
        let mut runs = vec![false; graph.nodes().len()];
        for (at, node) in graph.nodes().iter().enumerate().rev() {
            runs[at] = node.outputs.iter().any(|o| is_needed[o.0 as usize]);
            if runs[at] {
                for input in &node.inputs {
                    is_needed[input.0 as usize] = true;
                    uses[input.0 as usize] += 1;
                }
            }
        }
        Schedule { runs, uses }
    }
}

/// Outputs of the graph, or none where values are watched.
fn execute<'g>(
    graph: &'g Graph,
    given: Vec<Cow<'g, Tensor>>,
    meter: &mut Meter,
    mut watch: Watch<'_>,
) -> Result<Vec<Tensor>, Error> {
    let some = if let Watch::Some(wanted, _) = &watch { Some(*wanted) } else { None };
    let is_all = matches!(watch, Watch::All(_));
    let Schedule { runs, mut uses } =
        Schedule::of(graph, some.unwrap_or(graph.outputs()), some.is_none(), is_all);
    let mut held: Vec<Option<Cow<'g, Tensor>>> = vec![None; graph.values().len()];
    for (&idx, tensor) in graph.inputs().iter().zip(given) {
        watch.show(graph, idx, &tensor);
        held[idx.0 as usize] = Some(tensor);
    }
    for (at, value) in graph.values().iter().enumerate() {
        if let Origin::Constant(tensor) = &value.origin {
            watch.show(graph, ValueIdx(at as u32), tensor);
            held[at] = Some(Cow::Borrowed(tensor));
        }
    }
    for (node, _) in graph.nodes().iter().zip(&runs).filter(|(_, runs)| **runs) {
        let made = step(node, &mut held, &mut uses, meter, watch.inside())?;
        for (&idx, tensor) in node.outputs.iter().zip(made) {
            watch.show(graph, idx, &tensor);
            meter.take(&tensor);
            if uses[idx.0 as usize] > 0 {
                held[idx.0 as usize] = Some(Cow::Owned(tensor));
            } else {
                meter.give_back(&tensor);
            }
        }
    }
    if some.is_some() {
        return Ok(Vec::new());
    }
    let mut outputs = Vec::with_capacity(graph.outputs().len());
    for idx in graph.outputs() {
        let place = idx.0 as usize;
        uses[place] -= 1;
        let tensor = if uses[place] == 0 { held[place].take() } else { held[place].clone() };
        let lost = || Kind::Input {
            name: graph.value(*idx).name.clone(),
            expected: "a value".into(),
            got: "none".into(),
        };
        outputs.push(tensor.ok_or_else(lost)?.into_owned());
    }
    Ok(outputs)
}

/// Outputs of one node. What it takes for the last time is handed over, so that it can be changed in place.
fn step<'g>(
    node: &'g Node,
    held: &mut [Option<Cow<'g, Tensor>>],
    uses: &mut [u32],
    meter: &mut Meter,
    inside: Option<&mut See<'_>>,
) -> Result<Vec<Tensor>, Error> {
    let name = node.op.payload().name();
    let fail = |engine| Error::from(Kind::Unsupported { node: node.name.clone(), op: name, engine });
    let Op::Tensor(op) = &node.op else { return Err(fail("tensors")) };
    let mut last: Vec<Option<Cow<'g, Tensor>>> = Vec::with_capacity(node.inputs.len());
    for idx in &node.inputs {
        let place = idx.0 as usize;
        uses[place] -= 1;
        last.push(if uses[place] == 0 { held[place].take() } else { None });
    }
    let freed: usize =
        last.iter().flatten().filter(|t| matches!(t, Cow::Owned(_))).map(|t| args::bytes(t)).sum();
    // A value that stands twice among the inputs is lent, all others are handed over at their last use.
    let mut handed: Vec<Option<Cow<'g, Tensor>>> = Vec::with_capacity(last.len());
    for (at, idx) in node.inputs.iter().enumerate() {
        let is_once = node.inputs.iter().filter(|i| *i == idx).count() == 1;
        handed.push(if is_once { last[at].take() } else { None });
    }
    let mut tensors: Vec<Cow<'_, Tensor>> = Vec::with_capacity(last.len());
    for (handed, idx) in handed.into_iter().zip(&node.inputs) {
        let lent = || {
            let mut places = (0..last.len()).filter(|&l| node.inputs[l] == *idx);
            held[idx.0 as usize].as_ref().or_else(|| places.find_map(|l| last[l].as_ref()))
        };
        let tensor = handed.or_else(|| lent().map(|t| Cow::Borrowed(&**t)));
        tensors.push(tensor.ok_or_else(|| fail("tensors"))?);
    }
    let outputs = compute(node, op, tensors, meter, inside)?;
    meter.release(freed);
    Ok(outputs)
}

/// Outputs of one node for its inputs.
pub(crate) fn compute<'t>(
    node: &'t Node,
    op: &TensorOp,
    tensors: Vec<Cow<'t, Tensor>>,
    meter: &mut Meter,
    inside: Option<&mut See<'_>>,
) -> Result<Vec<Tensor>, Error> {
    let shapes: Vec<Shape> = tensors.iter().map(|t| Shape::fixed(t.dims())).collect();
    let operands: Vec<Operand<'_>> = tensors
        .iter()
        .zip(&shapes)
        .map(|(t, shape)| Operand {
            dtype: t.dtype(),
            shape,
            constant: Some(t),
            lengths: None,
            is_given: false,
        })
        .collect();
    let made = op.payload().infer(&operands).map_err(|e| misfit(&node.name, op.payload().name(), &e))?;
    drop(operands);
    let mut args = Args::new(node, tensors, made, (meter, inside))?;
    evaluate(op, &mut args)
}

/// The error of an operator's own check as one of this crate.
pub(crate) fn misfit(node: &str, op: &'static str, error: &ir::Error) -> Error {
    match error.kind().clone() {
        ir::Kind::Node { what, expected, got, .. } => {
            Kind::Node { node: node.into(), op, what, expected, got }
        }
        other => {
            let (what, expected) = ("operator".to_string(), "one that fits".to_string());
            Kind::Node { node: node.into(), op, what, expected, got: other.to_string() }
        }
    }
    .into()
}

/// What each operator means.
fn evaluate(op: &TensorOp, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    match op {
        TensorOp::Identity(_) => Ok(vec![args.take(0)]),
        TensorOp::Binary(op) => elementwise::binary(*op, args),
        TensorOp::Compare(op) => elementwise::compare(*op, args),
        TensorOp::Where(_) => elementwise::choose(args),
        TensorOp::Unary(op) => functions::unary(*op, args),
        TensorOp::Activation(op) => functions::activation(*op, args),
        TensorOp::FloatTest(op) => functions::float_test(*op, args),
        TensorOp::Cast(op) => casts::cast(*op, args),
        TensorOp::Reduce(op) => reductions::reduce(*op, args),
        TensorOp::ArgExtreme(op) => reductions::arg_extreme(*op, args),
        TensorOp::Cumulative(op) => reductions::cumulative(*op, args),
        TensorOp::Softmax(op) => normalization::softmax(*op, args),
        TensorOp::TopK(op) => sorted::top_k(*op, args),
        TensorOp::Unique(op) => sorted::unique(*op, args),
        TensorOp::MatMul(op) => products::matmul(*op, args),
        TensorOp::Gemm(op) => products::gemm(*op, args),
        TensorOp::Einsum(op) => products::einsum(op, args),
        TensorOp::Conv(op) => convolution::conv(op, args),
        TensorOp::ConvTranspose(op) => convolution::transposed(op, args),
        TensorOp::Pool(op) => pools::pool(op, args),
        TensorOp::MaxUnpool(op) => pools::max_unpool(op, args),
        TensorOp::Col2Im(op) => convolution::col2im(op, args),
        TensorOp::BatchNormalization(op) => normalization::batch(*op, args),
        TensorOp::LayerNormalization(op) => normalization::layer(*op, args),
        TensorOp::Lrn(op) => normalization::lrn(*op, args),
        TensorOp::Recurrent(op) => recurrent::recurrent(op, args),
        TensorOp::ShapeOf(op) => moves::shape_of(*op, args),
        TensorOp::Reshape(_) | TensorOp::Squeeze(_) => moves::reshape(args),
        TensorOp::Transpose(op) => moves::transpose(op, args),
        TensorOp::Concat(op) => moves::concat(*op, args),
        TensorOp::Split(op) => moves::split(*op, args),
        TensorOp::Slice(op) => moves::slice(*op, args),
        TensorOp::Expand(_) => moves::expand(args),
        TensorOp::Tile(_) => moves::tile(args),
        TensorOp::Pad(op) => moves::pad(*op, args),
        TensorOp::CenterCropPad(op) => moves::center_crop_pad(op, args),
        TensorOp::ConstantOfShape(op) => moves::constant_of_shape(op, args),
        TensorOp::DepthSpace(op) => moves::depth_space(*op, args),
        TensorOp::ReverseSequence(op) => moves::reverse_sequence(*op, args),
        TensorOp::Gather(op) => indexed::gather(*op, args),
        TensorOp::Scatter(op) => indexed::scatter(*op, args),
        TensorOp::Compress(op) => indexed::compress(*op, args),
        TensorOp::NonZero(_) => indexed::non_zero(args),
        TensorOp::OneHot(op) => indexed::one_hot(*op, args),
        TensorOp::EyeLike(op) => indexed::eye_like(*op, args),
        TensorOp::Trilu(op) => indexed::trilu(*op, args),
        TensorOp::Range(_) => indexed::range(args),
        TensorOp::Resize(op) => resample::resize(op, args),
        TensorOp::GridSample(op) => resample::grid_sample(*op, args),
        TensorOp::RoiAlign(op) => regions::roi_align(*op, args),
        TensorOp::NonMaxSuppression(op) => regions::non_max_suppression(*op, args),
        TensorOp::Det(_) => spectra::det(args),
        TensorOp::Dft(op) => spectra::dft(*op, args),
        TensorOp::QuantizeLinear(op) => quantization::quantize(*op, args),
        TensorOp::DequantizeLinear(op) => quantization::dequantize(*op, args),
        TensorOp::DynamicQuantizeLinear(_) => quantization::dynamic(args),
        TensorOp::QConv(op) => integer::conv(op, args),
        TensorOp::QMatMul(op) => integer::matmul(*op, args),
        TensorOp::QAdd(op) => integer::add(*op, args),
        TensorOp::QMul(op) => integer::mul(*op, args),
        TensorOp::QAveragePool(op) => integer::average_pool(op, args),
        TensorOp::QMean(op) => integer::mean(op, args),
        TensorOp::QLut(op) => integer::look_up(*op, args),
        TensorOp::Requantize(op) => integer::requantize(*op, args),
        TensorOp::LabelEncoder(_) => tables::label_encoder(args),
        TensorOp::TreeEnsemble(op) => tables::tree_ensemble(op, args),
        TensorOp::If(op) => control::if_else(op, args),
        TensorOp::Loop(op) => control::repeat(op, args),
        TensorOp::Scan(op) => control::scan(op, args),
    }
}

/// A dtype and lengths as messages show them.
fn describe(dtype: DType, dims: &[usize]) -> String {
    alloc::format!("{dtype} {dims:?}")
}
