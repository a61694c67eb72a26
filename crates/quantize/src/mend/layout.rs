//! Where channels stand: in a value, in the constants of a layer, and behind a node that only moves or pools.

use crate::correct::{largest, multiply};
use crate::error::Error;
use crate::roles::{Layer, number, operator};
use ir::op::TensorOp;
use ir::op::tensor::{ActivationKind, Binary, Pool, PoolKind, Reduce, ReduceKind, Transpose};
use ir::{Dim, Graph, Node, TensorData, ValueIdx};

/// Where channels stand in a value: element `at` of `axis` belongs to channel `at / block`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub axis: usize,
    pub block: usize,
    /// Channels.
    pub n: usize,
}

impl Layout {
    /// The same channels in a constant that has one number for each element of the axis.
    pub(super) fn alone(self) -> Along {
        Along { groups: 1, n: self.n, inner: self.block }
    }
}

/// Channels in weights: `groups` blocks, each `[outer, n, inner]`, row-major.
#[derive(Clone, Copy, Debug)]
pub(super) struct Along {
    groups: usize,
    n: usize,
    inner: usize,
}

impl Along {
    /// The largest weight of each channel.
    pub(super) fn largest(self, weights: &[f32]) -> Result<Vec<f32>, Error> {
        let mut sizes = Vec::with_capacity(self.groups * self.n);
        for group in weights.chunks_exact((weights.len() / self.groups.max(1)).max(1)) {
            sizes.extend(largest(group, self.n, self.inner)?);
        }
        Ok(sizes)
    }

    /// Each channel times its factor.
    pub(super) fn multiply(self, weights: &mut [f32], factors: &[f32]) -> Result<(), Error> {
        let n_group = (weights.len() / self.groups.max(1)).max(1);
        for (group, factors) in weights.chunks_exact_mut(n_group).zip(factors.chunks_exact(self.n.max(1))) {
            multiply(group, factors, self.inner)?;
        }
        Ok(())
    }

    /// Groups, channels of a group, elements of a channel that stand together.
    pub(super) fn parts(self) -> (usize, usize, usize) {
        (self.groups, self.n, self.inner)
    }
}

/// Output channels of a layer, in its weights.
pub(super) fn outputs(layer: Layer, node: &Node, dims: &[usize]) -> Option<Along> {
    let taps: usize = dims.get(2..)?.iter().product();
    let &[first, second, ..] = dims else { return None };
    Some(match (layer, operator(node)?) {
        (_, TensorOp::ConvTranspose(conv)) => Along { groups: conv.group, n: second, inner: taps },
        (Layer::Conv, _) => Along { groups: 1, n: first, inner: second * taps },
        _ if layer.output_axis(node) == 0 => Along { groups: 1, n: first, inner: second },
        _ => Along { groups: 1, n: second, inner: 1 },
    })
}

/// Input channels of a layer, in its weights; none if its input does not have them where the layer sums.
pub(super) fn inputs(layer: Layer, node: &Node, dims: &[usize], at: Layout, rank: usize) -> Option<Along> {
    if at.axis != layer.channel_axis(rank) {
        return None;
    }
    let taps: usize = dims.get(2..)?.iter().product();
    let &[first, second, ..] = dims else { return None };
    let along = match (layer, operator(node)?) {
        (_, TensorOp::ConvTranspose(_)) => Along { groups: 1, n: first, inner: second * taps },
        (Layer::Conv, TensorOp::Conv(conv)) => Along { groups: conv.group, n: second, inner: taps },
        _ if layer.output_axis(node) == 0 => Along { groups: 1, n: second / at.block, inner: at.block },
        _ => Along { groups: 1, n: first / at.block, inner: second * at.block },
    };
    let is_product = matches!(layer, Layer::Gemm | Layer::MatMul);
    (along.groups * along.n == at.n && (is_product || at.block == 1)).then_some(along)
}

/// Where a node of one input with `f(s x) = s f(x)` for `s > 0` leaves channels that stand so in this input; none for
/// another node.
pub(super) fn step(graph: &Graph, node: &Node, at: Layout) -> Option<Layout> {
    let rank = |value: ValueIdx| graph.value(value).shape.axes().map(<[Dim]>::len);
    let (&x, &y) = (node.inputs.first()?, node.outputs.first()?);
    match operator(node)? {
        TensorOp::Identity(_) => Some(at),
        TensorOp::Activation(a) => {
            matches!(a.kind, ActivationKind::Relu | ActivationKind::LeakyRelu).then_some(at)
        }
        TensorOp::Binary(kind) => {
            let &[a, b] = &node.inputs[..] else { return None };
            let passes = match kind {
                Binary::PRelu => graph.constant(b).is_some(),
                Binary::Mul => number(graph, a).or(number(graph, b)).is_some(),
                Binary::Div => number(graph, b).is_some(),
                Binary::Max | Binary::Min => number(graph, a).or(number(graph, b)) == Some(0.0),
                _ => false,
            };
            let taken = if graph.constant(a).is_some() { b } else { a };
            (passes && rank(taken) == rank(y)).then_some(at)
        }
        TensorOp::Pool(Pool { kind: PoolKind::Max { .. } | PoolKind::Average { .. }, .. }) => {
            (node.outputs.len() == 1 && at.axis == 1).then_some(at)
        }
        TensorOp::Reduce(reduce) => reduced(graph, node, *reduce, at),
        TensorOp::Reshape(_) | TensorOp::Squeeze(_) => reshaped(graph, x, y, at),
        TensorOp::Transpose(Transpose { order }) => {
            let axis = match order {
                Some(order) => order.iter().position(|&from| from == at.axis)?,
                None => rank(x)?.checked_sub(at.axis + 1)?,
            };
            Some(Layout { axis, ..at })
        }
        _ => None,
    }
}

fn reduced(graph: &Graph, node: &Node, reduce: Reduce, at: Layout) -> Option<Layout> {
    if !matches!(reduce.kind, ReduceKind::Mean | ReduceKind::Sum | ReduceKind::Max | ReduceKind::Min) {
        return None;
    }
    let rank = graph.value(*node.inputs.first()?).shape.axes()?.len();
    let axes = match node.inputs.get(1) {
        None => None,
        Some(&value) => match graph.constant(value)?.data() {
            TensorData::I64(axes) => Some(axes.clone()),
            _ => return None,
        },
    };
    let gone = reduce.places(axes.as_deref(), rank).ok()?;
    let before = if reduce.keep_dims { 0 } else { gone.iter().filter(|&&a| a < at.axis).count() };
    (!gone.contains(&at.axis)).then_some(Layout { axis: at.axis - before, ..at })
}

/// Channels of the same elements in another shape, found from what stands behind them: their elements stay one block.
fn reshaped(graph: &Graph, x: ValueIdx, y: ValueIdx, at: Layout) -> Option<Layout> {
    let fixed = |dim: &Dim| if let Dim::Fixed(n) = dim { Some(*n) } else { None };
    let behind = |dims: &[Dim]| dims.iter().map(fixed).product::<Option<usize>>();
    let (from, to) = (graph.value(x).shape.axes()?, graph.value(y).shape.axes()?);
    let inner = behind(from.get(at.axis + 1..)?)?;
    let whole = fixed(&from[at.axis])?.checked_mul(inner)?;
    // Axes of length 1 in front of the channels hold as many elements: the last that fits is theirs.
    (0..to.len()).rev().find_map(|axis| {
        let (length, own) = (fixed(&to[axis])?, behind(&to[axis + 1..])?);
        let fits = length.checked_mul(own)? == whole && own > 0 && (at.block * inner).is_multiple_of(own);
        fits.then(|| Layout { axis, block: at.block * inner / own, n: at.n })
    })
}

/// Channels of a constant that is added to a value, with one number for each element of the axis of channels.
pub(super) fn across(graph: &Graph, constant: ValueIdx, value: ValueIdx, at: Layout) -> Option<Along> {
    let dims = graph.constant(constant)?.dims();
    let rank = graph.value(value).shape.axes()?.len();
    let behind = rank.checked_sub(at.axis + 1)?;
    let own = dims.len().checked_sub(behind + 1)?;
    let n: usize = dims.iter().product();
    (dims.len() <= rank && dims[own] == n && n == at.n * at.block).then_some(at.alone())
}
