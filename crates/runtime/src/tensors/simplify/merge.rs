//! Nodes that are one operation: a batch normalisation behind a convolution, a pad before it.

use super::ill_formed;
use crate::error::Error;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::TensorOp;
use ir::op::tensor::{BatchNormalization, Conv, Pad, PadMode, Pads};
use ir::{Graph, Node, Op, Rewrite, Tensor, TensorData, ValueIdx};

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
    New(Tensor, Tensor),
}

pub(super) fn merged(graph: &Graph) -> Result<Graph, Error> {
    let uses = uses(graph);
    let once = |idx: ValueIdx| uses[idx.0 as usize] == 1;
    // Convolutions that a normalisation takes in, and pads that a convolution takes in.
    let mut gone: Vec<&Node> = Vec::new();
    let mut kept: Vec<(&Node, Merged)> = Vec::new();
    for node in graph.nodes() {
        if let Some((conv, merged)) = with_norm(graph, node).filter(|(conv, _)| once(conv.outputs[0])) {
            gone.push(conv);
            kept.retain(|(n, _)| !core::ptr::eq(*n, conv));
            kept.push((node, padded(graph, merged, &once, &mut gone)));
        } else if let Some(conv) = plain(node) {
            let n_gone = gone.len();
            let merged = padded(graph, conv, &once, &mut gone);
            if gone.len() > n_gone {
                kept.push((node, merged));
            }
        }
    }
    rewritten(graph, &gone, &kept).map_err(ill_formed)
}

/// The graph without some nodes, and with others merged.
fn rewritten(graph: &Graph, gone: &[&Node], kept: &[(&Node, Merged)]) -> Result<Graph, ir::Error> {
    let mut rewrite = Rewrite::new(graph)?;
    for node in rewrite.needed() {
        if gone.iter().any(|g| core::ptr::eq(*g, node)) {
            continue;
        }
        let merged = kept.iter().find(|(n, _)| core::ptr::eq(*n, node)).map(|(_, m)| m);
        let Some(merged) = merged else {
            rewrite.copy(node)?;
            continue;
        };
        let mut inputs = vec![rewrite.value(merged.x)?];
        match &merged.weights {
            Merge::Same(values) => {
                for &value in values {
                    inputs.push(rewrite.value(value)?);
                }
            }
            Merge::New(weights, bias) => {
                let name = super::simplified(node);
                inputs.push(rewrite.fresh(&name, weights.clone())?);
                inputs.push(rewrite.fresh(&name, bias.clone())?);
            }
        }
        rewrite.node(node, TensorOp::Conv(merged.op.clone()).into(), &inputs)?;
    }
    rewrite.finish()
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

/// The convolution before a normalisation, and what both are together: `w' = w f`, `b' = (b - mean) f + bias`, with `f =
/// scale / sqrt(variance + epsilon)`, computed in double precision.
fn with_norm<'g>(graph: &'g Graph, node: &'g Node) -> Option<(&'g Node, Merged)> {
    let epsilon = match &node.op {
        Op::Tensor(op) => match **op {
            TensorOp::BatchNormalization(BatchNormalization { epsilon }) => epsilon,
            _ => return None,
        },
        _ => return None,
    };
    let &[y, scale, bias, mean, variance] = &node.inputs[..] else { return None };
    let conv = graph.maker(y)?;
    let op = conv_of(conv)?.clone();
    let (&x, &w) = (conv.inputs.first()?, conv.inputs.get(1)?);
    let (weights, dims) = (singles(graph, w)?, graph.constant(w)?.dims());
    let own = match conv.inputs.get(2) {
        Some(&b) => singles(graph, b)?.to_vec(),
        None => vec![0.0; *dims.first()?],
    };
    let parts = [scale, bias, mean, variance].map(|idx| singles(graph, idx));
    let [Some(scale), Some(bias), Some(mean), Some(variance)] = parts else { return None };
    let each = dims[1..].iter().product::<usize>().max(1);
    let factor = |m: usize| f64::from(scale[m]) / libm::sqrt(f64::from(variance[m]) + f64::from(epsilon));
    if [scale.len(), bias.len(), mean.len(), variance.len(), own.len()].iter().any(|&n| n != dims[0]) {
        return None;
    }
    let new: Vec<f32> =
        weights.iter().enumerate().map(|(at, &w)| (f64::from(w) * factor(at / each)) as f32).collect();
    let moved = |m: usize| ((f64::from(own[m]) - f64::from(mean[m])) * factor(m) + f64::from(bias[m])) as f32;
    let bias = Tensor::vector(TensorData::F32((0..dims[0]).map(moved).collect()));
    let weights = Tensor::try_new(dims.to_vec(), TensorData::F32(new))?;
    Some((conv, Merged { op, x, weights: Merge::New(weights, bias) }))
}

/// A convolution with the pad of zeros before it, if there is one that nobody else takes.
fn padded<'g>(
    graph: &'g Graph,
    merged: Merged,
    once: &impl Fn(ValueIdx) -> bool,
    gone: &mut Vec<&'g Node>,
) -> Merged {
    let found = || {
        let node = graph.maker(merged.x).filter(|_| once(merged.x))?;
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
        Some((node, added.collect::<Option<Vec<_>>>().filter(|_| is_plain)?))
    };
    let Some((node, pads)) = found() else { return merged };
    gone.push(node);
    let mut op = merged.op;
    op.window.pads = Pads::Explicit(pads);
    Merged { op, x: node.inputs[0], weights: merged.weights }
}
