//! Nodes that are one operation: a batch normalisation behind a convolution, a pad before it.

use super::rebuild::Rebuild;
use crate::error::Error;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::TensorOp;
use ir::op::tensor::{BatchNormalization, Conv, Pad, PadMode, Pads};
use ir::{Graph, Node, Op, Origin, Tensor, TensorData, ValueIdx};

/// How often each value is taken; outputs of the graph count.
fn uses(graph: &Graph) -> Vec<usize> {
    let mut uses = vec![0; graph.values().len()];
    let taken = graph.nodes().iter().flat_map(|n| &n.inputs).chain(graph.outputs());
    taken.for_each(|idx| uses[idx.0 as usize] += 1);
    uses
}

/// What a convolution becomes with its neighbours.
struct Merged {
    op: Conv,
    x: ValueIdx,
    weights: Merge,
}

/// Weights and bias: as they are, or new ones.
enum Merge {
    Same(Vec<ValueIdx>),
    New(Scaled),
}

/// Weights times a factor for each output, and the bias.
struct Scaled {
    weights: ValueIdx,
    factors: Vec<f64>,
    bias: Tensor,
}

pub(super) fn merged(graph: Graph) -> Result<Graph, Error> {
    let uses = uses(&graph);
    let once = |idx: ValueIdx| uses[idx.0 as usize] == 1;
    // Places of nodes: those that others take in, and what becomes of these.
    let mut gone: BTreeSet<usize> = BTreeSet::new();
    let mut kept: BTreeMap<usize, Merged> = BTreeMap::new();
    for (at, node) in graph.nodes().iter().enumerate() {
        let with_norm = with_norm(&graph, node);
        if let Some((conv, merged)) = with_norm.filter(|_| node.inputs.first().is_some_and(|&y| once(y))) {
            gone.insert(conv);
            kept.remove(&conv);
            kept.insert(at, padded(&graph, merged, &once, &mut gone));
        } else if let Some(conv) = plain(node) {
            let n_gone = gone.len();
            let merged = padded(&graph, conv, &once, &mut gone);
            if gone.len() > n_gone {
                kept.insert(at, merged);
            }
        }
    }
    let (mut rebuild, nodes) = Rebuild::new(graph)?;
    for (at, node) in nodes.iter().filter(|(at, _)| !gone.contains(at)) {
        let Some(merged) = kept.remove(at) else {
            let inputs = rebuild.inputs(node)?;
            rebuild.node(node, node.op.clone(), &inputs)?;
            continue;
        };
        let mut inputs = vec![rebuild.value(merged.x)?];
        match merged.weights {
            Merge::Same(values) => {
                for value in values {
                    inputs.push(rebuild.value(value)?);
                }
            }
            Merge::New(Scaled { weights, factors, bias }) => {
                let is_last = once(weights);
                let tensor = if is_last { rebuild.take(weights) } else { rebuild.old_constant(weights) };
                let scaled = tensor.and_then(|tensor| scaled(tensor, &factors));
                inputs.push(rebuild.fresh(node, scaled.ok_or_else(|| rebuild.refuse(node))?)?);
                inputs.push(rebuild.fresh(node, bias)?);
            }
        }
        rebuild.node(node, TensorOp::Conv(merged.op).into(), &inputs)?;
    }
    rebuild.finish()
}

/// Weights `[outputs, ..]` times the factor of their output, in place where nobody else holds them.
fn scaled(weights: Arc<Tensor>, factors: &[f64]) -> Option<Tensor> {
    let tensor = Arc::unwrap_or_clone(weights);
    let dims = tensor.dims().to_vec();
    let TensorData::F32(mut values) = tensor.into_data() else { return None };
    let each = dims.get(1..)?.iter().product::<usize>().max(1);
    for (own, factor) in values.chunks_exact_mut(each).zip(factors) {
        own.iter_mut().for_each(|w| *w = (f64::from(*w) * factor) as f32);
    }
    Tensor::try_new(dims, TensorData::F32(values))
}

fn conv_of(node: &Node) -> Option<&Conv> {
    match &node.op {
        Op::Tensor(op) => match &**op {
            TensorOp::Conv(conv) if !conv.of_integers => Some(conv),
            _ => None,
        },
        _ => None,
    }
}

fn plain(node: &Node) -> Option<Merged> {
    let op = conv_of(node)?.clone();
    Some(Merged { op, x: *node.inputs.first()?, weights: Merge::Same(node.inputs[1..].to_vec()) })
}

fn singles(graph: &Graph, idx: ValueIdx) -> Option<&[f32]> {
    match graph.constant(idx)?.data() {
        TensorData::F32(v) => Some(v),
        _ => None,
    }
}

/// The place of the node that makes a value.
fn place_of(graph: &Graph, idx: ValueIdx) -> Option<usize> {
    match graph.value(idx).origin {
        Origin::Node(node) => usize::try_from(node.0).ok(),
        Origin::Input(_) | Origin::Constant(_) => None,
    }
}

/// The place of the convolution before a normalisation, and what both are together: `w' = w f`, `b' = (b - mean) f +
/// bias`, with `f = scale / sqrt(variance + epsilon)`, computed in double precision.
fn with_norm(graph: &Graph, node: &Node) -> Option<(usize, Merged)> {
    let epsilon = match &node.op {
        Op::Tensor(op) => match **op {
            TensorOp::BatchNormalization(BatchNormalization { epsilon }) => epsilon,
            _ => return None,
        },
        _ => return None,
    };
    let &[y, scale, bias, mean, variance] = &node.inputs[..] else { return None };
    let (at, conv) = (place_of(graph, y)?, graph.maker(y)?);
    let op = conv_of(conv)?.clone();
    let (&x, &weights) = (conv.inputs.first()?, conv.inputs.get(1)?);
    let (_, dims) = (singles(graph, weights)?, graph.constant(weights)?.dims());
    let &n = dims.first()?;
    let own = match conv.inputs.get(2) {
        Some(&b) => singles(graph, b)?.to_vec(),
        None => vec![0.0; n],
    };
    let parts = [scale, bias, mean, variance].map(|idx| singles(graph, idx));
    let [Some(scale), Some(bias), Some(mean), Some(variance)] = parts else { return None };
    if [scale.len(), bias.len(), mean.len(), variance.len(), own.len()].iter().any(|&len| len != n) {
        return None;
    }
    let factor = |m: usize| f64::from(scale[m]) / libm::sqrt(f64::from(variance[m]) + f64::from(epsilon));
    let factors: Vec<f64> = (0..n).map(factor).collect();
    let moved =
        |m: usize| ((f64::from(own[m]) - f64::from(mean[m])) * factors[m] + f64::from(bias[m])) as f32;
    let bias = Tensor::vector(TensorData::F32((0..n).map(moved).collect()));
    Some((at, Merged { op, x, weights: Merge::New(Scaled { weights, factors, bias }) }))
}

/// A convolution with the pad of zeros before it, if there is one that nobody else takes.
fn padded(
    graph: &Graph,
    merged: Merged,
    once: &impl Fn(ValueIdx) -> bool,
    gone: &mut BTreeSet<usize>,
) -> Merged {
    let found = || {
        let at = place_of(graph, merged.x).filter(|_| once(merged.x))?;
        let node = graph.nodes().get(at)?;
        let is_constant = match &node.op {
            Op::Tensor(op) => matches!(**op, TensorOp::Pad(Pad { mode: PadMode::Constant })),
            _ => false,
        };
        let Pads::Explicit(own) = &merged.op.window.pads else { return None };
        let ints = |at: usize| match graph.constant(*node.inputs.get(at)?)?.data() {
            TensorData::I64(v) => Some(v.clone()),
            _ => None,
        };
        let zero = singles(graph, *node.inputs.get(2)?)?.iter().all(|&v| v == 0.0);
        let rank = graph.value(node.inputs[0]).shape.axes()?.len();
        let axes = if node.inputs.len() > 3 { Some(ints(3)?) } else { None };
        let sides = Pad::sides(&ints(1)?, axes.as_deref(), rank).ok()?;
        let (outer, space) = sides.split_at_checked(2)?;
        let is_plain = is_constant && zero && outer.iter().all(|s| *s == (0, 0));
        let both = space.iter().map(|s| s.0).chain(space.iter().map(|s| s.1));
        let added = both.enumerate().map(|(at, n)| {
            let own = own.get(at).copied().unwrap_or(0);
            usize::try_from(n).ok()?.checked_add(own)
        });
        Some((at, *node.inputs.first()?, added.collect::<Option<Vec<_>>>().filter(|_| is_plain)?))
    };
    let Some((at, x, pads)) = found() else { return merged };
    gone.insert(at);
    let mut op = merged.op;
    op.window.pads = Pads::Explicit(pads);
    Merged { op, x, weights: merged.weights }
}
