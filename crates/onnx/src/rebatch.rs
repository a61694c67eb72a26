//! A model of a fixed batch of 1 for batches of any size.
//!
//! Each node must treat rows apart: that is checked operator by operator, so a model that mixes rows is refused and not
//! computed wrongly. What a model works out of its own batch size must be a constant before (simplifying makes it one).

use crate::error::{Error, Kind};
use crate::import::ill_formed;
use ir::op::TensorOp;
use ir::op::tensor::{
    ArgExtreme, Concat, DequantizeLinear, Expand, Gather, Gemm, LayerNormalization, MatMul, Pad, QMean,
    QuantizeLinear, RecurrentSlot, Reshape, Resize, ResizeBy, ResizePolicy, Slice, Softmax, Split, Squeeze,
    TopK, Transpose,
};
use ir::{Dim, Graph, GraphBuilder, Node, Op, Origin, Shape, Tensor, TensorData, ValueIdx};
use std::collections::BTreeSet;

/// The same model with the first axis of its inputs, where that is 1 and another follows, named `symbol`.
///
/// # Errors
/// `Batch` for a node that mixes rows, or whose way with rows is not known.
pub fn rebatch(graph: &Graph, symbol: &str) -> Result<Graph, Error> {
    let mut work =
        Work { old: graph, builder: GraphBuilder::new(), values: Vec::new(), batched: BTreeSet::new() };
    work.values.resize(graph.values().len(), None);
    for &idx in graph.inputs() {
        let value = graph.value(idx);
        let mut shape = value.shape.clone();
        let is_batched = matches!(shape.axes(), Some([Dim::Fixed(1), _, ..]));
        if is_batched {
            shape.0[0] = Dim::Symbol(symbol.to_string());
        }
        let new = work.builder.input(&value.name, value.dtype, shape).map_err(|e| ill_formed(&e))?;
        work.set(idx, new, is_batched);
    }
    for (at, value) in graph.values().iter().enumerate() {
        if let Origin::Constant(tensor) = &value.origin {
            let new = work.builder.constant_named(&value.name, tensor.clone()).map_err(|e| ill_formed(&e))?;
            work.values[at] = Some(new);
        }
    }
    for node in graph.nodes() {
        work.node(node)?;
    }
    let outputs: Option<Vec<ValueIdx>> = graph.outputs().iter().map(|o| work.values[o.0 as usize]).collect();
    work.builder.finish(&outputs.unwrap_or_default()).map_err(|e| ill_formed(&e))
}

struct Work<'g> {
    old: &'g Graph,
    builder: GraphBuilder,
    values: Vec<Option<ValueIdx>>,
    /// New values whose first axis is the batch.
    batched: BTreeSet<ValueIdx>,
}

/// An input of a node: its axes, whether rows are its first one, and its elements if they are constant.
struct Given {
    axes: Option<Vec<Dim>>,
    is_batched: bool,
    ints: Option<Vec<i64>>,
    /// The first of its elements, if they are constant floats.
    first: Option<f32>,
}

impl Given {
    fn rank(&self) -> Option<usize> {
        self.axes.as_ref().map(Vec::len)
    }

    /// Broadcast to a value of this rank, it is the same for all rows.
    fn is_shared(&self, rank: usize) -> bool {
        let Some(axes) = &self.axes else { return false };
        !self.is_batched && (axes.len() < rank || (axes.len() == rank && axes[0] == Dim::Fixed(1)))
    }

    fn has_one_element(&self) -> bool {
        self.axes.as_ref().is_some_and(|axes| axes.iter().all(|d| *d == Dim::Fixed(1)))
    }
}

impl Work<'_> {
    fn set(&mut self, old: ValueIdx, new: ValueIdx, is_batched: bool) {
        self.values[old.0 as usize] = Some(new);
        if is_batched {
            self.batched.insert(new);
        }
    }

    fn node(&mut self, node: &Node) -> Result<(), Error> {
        let inputs: Option<Vec<ValueIdx>> = node.inputs.iter().map(|i| self.values[i.0 as usize]).collect();
        let mut inputs = inputs.unwrap_or_default();
        let given: Vec<Given> = inputs.iter().map(|&i| self.given(i)).collect();
        let mut op = node.op.clone();
        let is_batched = given.iter().any(|g| g.is_batched);
        if is_batched {
            let Op::Tensor(own) = &node.op else { return Err(refuse(node, "it is no operator of networks")) };
            match changed(own, &given, self.old.value(node.outputs[0]).shape.axes()) {
                Ok(Change::None) => {}
                Ok(Change::Constant { at, values, op: new }) => {
                    let name = self.free(&format!("{}:rows", node.name));
                    let tensor = Tensor::vector(TensorData::I64(values));
                    inputs[at] = self.builder.constant_named(&name, tensor).map_err(|e| ill_formed(&e))?;
                    op = Op::Tensor(new);
                }
                Err(what) => return Err(refuse(node, what)),
            }
        }
        let names: Vec<String> = node.outputs.iter().map(|&o| self.old.value(o).name.clone()).collect();
        let made = self.builder.node_with_outputs(&node.name, op, &inputs, &names);
        let made = made.map_err(|e| refuse(node, &e.to_string()))?;
        for (&old, &new) in node.outputs.iter().zip(&made) {
            self.set(old, new, is_batched);
        }
        Ok(())
    }

    fn given(&self, value: ValueIdx) -> Given {
        let (ints, first) = match self.builder.value(value).map(|v| &v.origin) {
            Some(Origin::Constant(tensor)) => match tensor.data() {
                TensorData::I64(v) => (Some(v.clone()), None),
                TensorData::I32(v) => (Some(v.iter().map(|&x| x.into()).collect()), None),
                TensorData::F32(v) => (None, v.first().copied()),
                _ => (None, None),
            },
            _ => (None, None),
        };
        let axes = self.builder.shape(value).and_then(Shape::axes).map(<[Dim]>::to_vec);
        Given { axes, is_batched: self.batched.contains(&value), ints, first }
    }

    fn free(&self, name: &str) -> String {
        let mut name = name.to_string();
        while !self.builder.is_free(&name) || self.old.values().iter().any(|v| v.name == name) {
            name.push('_');
        }
        name
    }
}

fn refuse(node: &Node, what: &str) -> Error {
    let (name, op) = (node.name.clone(), node.op.payload().name());
    Kind::Batch { node: name, op, what: what.to_string() }.into()
}

/// What a node needs so that it treats rows apart.
enum Change {
    None,
    /// Another constant in the place of an input, and the operator for it.
    Constant {
        at: usize,
        values: Vec<i64>,
        op: Box<TensorOp>,
    },
}

const MIXES: &str = "it mixes the rows of a batch";
const UNKNOWN: &str = "how it treats the rows of a batch is not known";

/// True if an axis, negative from the end, is not the first.
fn is_inner(axis: i64, rank: Option<usize>) -> bool {
    let rank = rank.and_then(|r| i64::try_from(r).ok());
    axis > 0 || (axis < 0 && rank.is_some_and(|r| axis + r > 0))
}

fn all_inner(axes: Option<&Vec<i64>>, rank: Option<usize>) -> bool {
    axes.is_some_and(|axes| axes.iter().all(|&a| is_inner(a, rank)))
}

fn unless(mixes: bool) -> Result<Change, &'static str> {
    if mixes { Err(MIXES) } else { Ok(Change::None) }
}

/// Only the first input has rows.
fn only_first(given: &[Given]) -> bool {
    given[0].is_batched && given[1..].iter().all(|g| !g.is_batched)
}

fn changed(op: &TensorOp, given: &[Given], made: Option<&[Dim]>) -> Result<Change, &'static str> {
    let rank = given[0].rank();
    match op {
        TensorOp::Identity(_)
        | TensorOp::Unary(_)
        | TensorOp::Activation(_)
        | TensorOp::FloatTest(_)
        | TensorOp::Cast(_) => Ok(Change::None),
        TensorOp::Binary(_) | TensorOp::Compare(_) | TensorOp::Where(_) => {
            let most = given.iter().filter_map(Given::rank).max().unwrap_or(0);
            unless(!given.iter().all(|g| (g.is_batched && g.rank() == Some(most)) || g.is_shared(most)))
        }
        TensorOp::Conv(_)
        | TensorOp::ConvTranspose(_)
        | TensorOp::Pool(_)
        | TensorOp::BatchNormalization(_)
        | TensorOp::Lrn(_)
        | TensorOp::DepthSpace(_)
        | TensorOp::LabelEncoder(_)
        | TensorOp::QConv(_)
        | TensorOp::QMatMul(_)
        | TensorOp::QAveragePool(_)
        | TensorOp::QLut(_)
        | TensorOp::Requantize(_) => unless(!only_first(given)),
        TensorOp::QAdd(_) | TensorOp::QMul(_) => {
            let most = given[..2].iter().filter_map(Given::rank).max().unwrap_or(0);
            unless(!given[..2].iter().all(|g| (g.is_batched && g.rank() == Some(most)) || g.is_shared(most)))
        }
        TensorOp::QMean(QMean { axes, .. }) => {
            unless(axes.is_empty() || !axes.iter().all(|&a| is_inner(a, rank)))
        }
        TensorOp::TreeEnsemble(_) => unless(rank != Some(2)),
        TensorOp::MatMul(op) => matmul(*op, given),
        TensorOp::Gemm(Gemm { transpose_a, .. }) => {
            let is_added = given.get(2).is_none_or(|c| c.is_shared(2));
            unless(*transpose_a || given[1].is_batched || !is_added)
        }
        TensorOp::Softmax(Softmax { axis, .. })
        | TensorOp::ArgExtreme(ArgExtreme { axis, .. })
        | TensorOp::TopK(TopK { axis, .. })
        | TensorOp::Split(Split { axis, .. }) => unless(!is_inner(*axis, rank) || !only_first(given)),
        TensorOp::LayerNormalization(LayerNormalization { axis, .. }) => {
            let is_shared = rank.is_some_and(|r| given[1..].iter().all(|g| g.is_shared(r)));
            unless(!is_inner(*axis, rank) || !is_shared)
        }
        TensorOp::Concat(Concat { axis }) => {
            unless(!is_inner(*axis, rank) || !given.iter().all(|g| g.is_batched))
        }
        TensorOp::Reduce(op) => {
            let axes =
                given.get(1).and_then(|g| g.ints.as_ref()).filter(|a| !a.is_empty() || op.none_without_axes);
            unless(!all_inner(axes, rank))
        }
        TensorOp::Cumulative(_) => unless(!all_inner(given[1].ints.as_ref(), rank)),
        TensorOp::Transpose(Transpose { order }) => {
            unless(order.as_ref().is_none_or(|o| o.first() != Some(&0)))
        }
        TensorOp::Squeeze(op) => {
            let rank = match op {
                Squeeze::Remove => rank,
                Squeeze::Add => made.map(<[Dim]>::len),
            };
            unless(!all_inner(given.get(1).and_then(|g| g.ints.as_ref()), rank))
        }
        TensorOp::Reshape(Reshape::Flatten { axis }) => unless(*axis != 1),
        TensorOp::Reshape(op @ Reshape::To { .. }) => reshape(*op, given, made),
        TensorOp::Slice(op) => slice(*op, given, rank),
        TensorOp::Gather(Gather::Slices { axis }) => match (given[0].is_batched, given[1].is_batched) {
            (true, false) => unless(!is_inner(*axis, rank)),
            // A table of rows: the places come first.
            (false, true) => unless(is_inner(*axis, rank)),
            _ => Err(MIXES),
        },
        TensorOp::Pad(_) => {
            let (pads, axes) = (given[1].ints.as_ref(), given.get(3).map(|g| g.ints.clone()));
            let (Some(pads), Some(rank)) = (pads, rank) else { return Err(UNKNOWN) };
            let axes = match axes {
                None => None,
                Some(Some(axes)) => Some(axes),
                Some(None) => return Err(UNKNOWN),
            };
            let sides = Pad::sides(pads, axes.as_deref(), rank).map_err(|_| UNKNOWN)?;
            unless(sides.first() != Some(&(0, 0)))
        }
        TensorOp::Tile(_) => unless(given[1].ints.as_ref().is_none_or(|t| t.first() != Some(&1))),
        TensorOp::Expand(Expand) => {
            let wanted = given[1].ints.as_ref();
            unless(wanted.is_none_or(|w| w.len() > rank.unwrap_or(0) || (Some(w.len()) == rank && w[0] != 1)))
        }
        TensorOp::Resize(op) => resize(op, given, made),
        TensorOp::GridSample(_) => unless(!given.iter().all(|g| g.is_batched)),
        TensorOp::QuantizeLinear(QuantizeLinear { axis, .. })
        | TensorOp::DequantizeLinear(DequantizeLinear { axis, .. }) => {
            unless(!only_first(given) || !(given[1].has_one_element() || is_inner(*axis, rank)))
        }
        TensorOp::DynamicQuantizeLinear(_) => Err("its range is that of all rows of a batch"),
        TensorOp::Recurrent(op) => {
            let has_states = op.slots.iter().any(|s| *s != RecurrentSlot::Bias);
            unless(!op.batch_first || op.is_quantized() || has_states || !only_first(given))
        }
        TensorOp::ShapeOf(_) => Err("it asks for the size of the batch; simplify the model first"),
        TensorOp::Einsum(_)
        | TensorOp::MaxUnpool(_)
        | TensorOp::Col2Im(_)
        | TensorOp::Gather(_)
        | TensorOp::Scatter(_)
        | TensorOp::CenterCropPad(_)
        | TensorOp::ConstantOfShape(_)
        | TensorOp::Range(_)
        | TensorOp::OneHot(_)
        | TensorOp::EyeLike(_)
        | TensorOp::Trilu(_)
        | TensorOp::ReverseSequence(_)
        | TensorOp::RoiAlign(_)
        | TensorOp::Compress(_)
        | TensorOp::NonZero(_)
        | TensorOp::Unique(_)
        | TensorOp::NonMaxSuppression(_)
        | TensorOp::Det(_)
        | TensorOp::Dft(_)
        | TensorOp::If(_)
        | TensorOp::Loop(_)
        | TensorOp::Scan(_) => Err(UNKNOWN),
    }
}

/// Rows are the rows of the left matrix, or a stack of matrices on either side.
fn matmul(op: MatMul, given: &[Given]) -> Result<Change, &'static str> {
    let (Some(left), Some(right)) = (given[0].rank(), given[1].rank()) else { return Err(UNKNOWN) };
    let is_plain = match op {
        MatMul::Numbers => true,
        MatMul::Integers => given[2].has_one_element() && !given[3].is_batched,
    };
    let apart = match (given[0].is_batched, given[1].is_batched) {
        (true, false) => left >= 2 && (right <= 2 || given[1].is_shared(left)),
        (true, true) => left >= 3 && left == right,
        _ => right >= 3 && given[0].is_shared(right),
    };
    unless(!apart || !is_plain)
}

/// A shape whose first length was 1 copies the batch in its place.
fn reshape(op: Reshape, given: &[Given], made: Option<&[Dim]>) -> Result<Change, &'static str> {
    let Some(mut values) = given[1].ints.clone() else { return Err(UNKNOWN) };
    if !matches!(made, Some([Dim::Fixed(1), ..])) || values.is_empty() || !given[0].is_batched {
        return Err(MIXES);
    }
    let allow_zero = matches!(op, Reshape::To { allow_zero: true });
    if allow_zero && values.contains(&0) {
        return Err(UNKNOWN);
    }
    values[0] = 0;
    Ok(Change::Constant { at: 1, values, op: Box::new(Reshape::To { allow_zero: false }.into()) })
}

fn slice(op: Slice, given: &[Given], rank: Option<usize>) -> Result<Change, &'static str> {
    let ints = |at: usize| given.get(at).and_then(|g| g.ints.as_ref());
    let (Some(starts), Some(ends)) = (ints(1), ints(2)) else { return Err(UNKNOWN) };
    let axes: Vec<i64> = match op.has_axes {
        true => ints(3).cloned().ok_or(UNKNOWN)?,
        false => (0..).take(starts.len()).collect(),
    };
    let steps = if op.has_steps { Some(ints(given.len() - 1).ok_or(UNKNOWN)?) } else { None };
    let is_whole = |at: usize| {
        let step = steps.and_then(|s| s.get(at)).copied().unwrap_or(1);
        starts.get(at) == Some(&0) && ends.get(at) == Some(&i64::MAX) && step == 1
    };
    unless(!axes.iter().enumerate().all(|(at, &axis)| is_inner(axis, rank) || is_whole(at)))
}

/// Lengths that are asked for leave the batch out.
fn resize(op: &Resize, given: &[Given], made: Option<&[Dim]>) -> Result<Change, &'static str> {
    if given.len() > 2 || !only_first(given) {
        return Err(UNKNOWN);
    }
    if !matches!(made, Some([Dim::Fixed(1), ..])) {
        return Err(MIXES);
    }
    match (&op.axes, op.by, given[1].ints.as_ref()) {
        (Some(axes), _, _) => unless(!all_inner(Some(axes), given[0].rank())),
        (None, ResizeBy::Sizes, Some(sizes))
            if sizes.first() == Some(&1) && op.policy == ResizePolicy::Stretch =>
        {
            let axes = (1..).take(sizes.len() - 1).collect();
            let op = Resize { axes: Some(axes), ..op.clone() };
            Ok(Change::Constant { at: 1, values: sizes[1..].to_vec(), op: Box::new(op.into()) })
        }
        (None, ResizeBy::Scales, _) => unless(given[1].first != Some(1.0)),
        _ => Err(UNKNOWN),
    }
}
