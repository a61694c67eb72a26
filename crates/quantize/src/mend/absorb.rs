//! `absorb_bias` on a graph: channels that are never near zero behind a ReLU are moved down in front of it, and the
//! layers that take them make up for it.

use super::channels::Channels;
use super::layout::{Along, Layout, inputs, step};
use super::{Constants, Slot, Told, name_of};
use crate::correct::absorb_bias::{amounts, gains};
use crate::error::Error;
use crate::qdq::takes_bias;
use crate::roles::{Layer, Role, Roles, operator, weights};
use ir::op::TensorOp;
use ir::op::tensor::{Pads, PoolKind, ReduceKind};
use ir::{Node, NodeIdx, Tensor, ValueIdx};
use std::collections::BTreeMap;

/// A layer behind a ReLU: its bias gains what its input loses.
struct Taker {
    layer: NodeIdx,
    of: Layer,
    along: Along,
    at: Layout,
    bias: Slot,
    n_outputs: usize,
}

/// A layer, a ReLU and what takes it.
struct Chain {
    bias: Slot,
    /// In front of the ReLU.
    value: ValueIdx,
    at: Layout,
    takers: Vec<Taker>,
}

/// Moves every such channel down by `max(0, mean - k deviation)`, as seen on the sample.
pub(super) fn absorb(
    roles: &Roles<'_>,
    constants: &mut Constants<'_>,
    sample: &[(String, Tensor)],
    k: f64,
) -> Result<Told, Error> {
    let mut chains = Vec::new();
    let mut left = Vec::new();
    for (idx, node, role) in roles.nodes() {
        let Role::Layer(layer) = role else { continue };
        match chain(roles, idx, node, layer) {
            Some(Ok(chain)) => chains.push(chain),
            Some(Err(why)) => left.push((name_of(roles.graph(), idx), why)),
            None => {}
        }
    }
    let wanted: BTreeMap<ValueIdx, Layout> = chains.iter().map(|c| (c.value, c.at)).collect();
    let channels = Channels::of(roles.graph(), sample, &wanted)?;
    let mut n_changed = 0;
    for chain in &chains {
        let (means, deviations) = channels.moments(chain.value);
        let amounts = amounts(&means, &deviations, k)?;
        if amounts.len() != chain.at.n || amounts.iter().all(|a| *a == 0.0) {
            continue;
        }
        n_changed += amounts.iter().filter(|a| **a > 0.0).count();
        let bias = constants.bias(chain.bias, chain.at.n)?;
        bias.iter_mut().zip(&amounts).for_each(|(b, amount)| *b -= amount);
        for taker in &chain.takers {
            let more = gained(roles, constants, taker, &amounts)?;
            let bias = constants.bias(taker.bias, taker.n_outputs)?;
            bias.iter_mut().zip(&more).for_each(|(b, gain)| *b += gain);
        }
    }
    Ok(Told { name: "absorb_bias", n_changed, what: "channels", left })
}

/// The chain that a layer begins, or why it is none; nothing where no ReLU follows.
fn chain(roles: &Roles<'_>, idx: NodeIdx, node: &Node, layer: Layer) -> Option<Result<Chain, String>> {
    let graph = roles.graph();
    let mut value = *node.outputs.first()?;
    let mut next = takers_of(roles, value);
    if let [(_, sum, Role::Bias)] = next[..] {
        value = *sum.outputs.first()?;
        next = takers_of(roles, value);
    }
    let [(_, relu, Role::Curve)] = next[..] else { return None };
    let behind = *relu.outputs.first()?;
    let is_shown = graph.outputs().contains(&value);
    let is_relu = roles.bounds(behind) == Some((0.0, f64::INFINITY)) && roles.root_of(behind) == Some(value);
    if is_shown || !is_relu {
        return None;
    }
    let tensor = weights(graph, node.inputs.get(1), |_| true)?;
    let rank = graph.value(value).shape.axes()?.len();
    let at = Layout { axis: layer.channel_axis(rank), block: 1, n: layer.n_outputs(tensor, node) };
    let is_scaled = matches!(operator(node), Some(TensorOp::Gemm(gemm)) if gemm.beta != 1.0);
    let Some(bias) = bias_of(roles, idx, node, at.n).filter(|_| !is_scaled) else {
        return Some(Err("a bias that is no constant of each channel".to_owned()));
    };
    let mut takers = Vec::new();
    match follow(roles, behind, at, &mut takers) {
        Ok(()) => Some(Ok(Chain { bias, value, at, takers })),
        Err(why) => Some(Err(why)),
    }
}

/// Gathers the layers behind a value whose channels are moved down; or says what stands in the way.
fn follow(roles: &Roles<'_>, value: ValueIdx, at: Layout, found: &mut Vec<Taker>) -> Result<(), String> {
    let graph = roles.graph();
    if graph.outputs().contains(&value) {
        return Err("the network's output".to_owned());
    }
    for (idx, node, role) in takers_of(roles, value) {
        let other = || node.op.payload().name().to_owned();
        if node.inputs.first() != Some(&value) || roles.activations(node).count() != 1 {
            return Err(other());
        }
        if let Role::Layer(layer) = role {
            found.push(taker(roles, idx, node, layer, at)?);
            continue;
        }
        let Some(next) = step(graph, node, at).filter(|_| keeps_shifts(node)) else {
            return Err(other());
        };
        follow(roles, *node.outputs.first().ok_or_else(other)?, next, found)?;
    }
    Ok(())
}

fn taker(
    roles: &Roles<'_>,
    layer_idx: NodeIdx,
    node: &Node,
    layer: Layer,
    at: Layout,
) -> Result<Taker, String> {
    let graph = roles.graph();
    let name = || node.op.payload().name().to_owned();
    let is_plain = match operator(node) {
        Some(TensorOp::Conv(conv)) => match &conv.window.pads {
            Pads::Explicit(pads) if pads.iter().all(|p| *p == 0) => true,
            Pads::Valid => true,
            Pads::Explicit(_) | Pads::SameUpper | Pads::SameLower => return Err("padding".to_owned()),
        },
        Some(TensorOp::Gemm(gemm)) => gemm.alpha == 1.0 && gemm.beta == 1.0,
        Some(TensorOp::MatMul(_)) => true,
        _ => false,
    };
    let rank = graph.value(node.inputs[0]).shape.axes().map_or(0, <[_]>::len);
    let found = weights(graph, node.inputs.get(1), |_| true).and_then(|tensor| {
        let n_outputs = layer.n_outputs(tensor, node);
        let along = inputs(layer, node, tensor.dims(), at, rank)?;
        let bias = bias_of(roles, layer_idx, node, n_outputs)?;
        Some(Taker { layer: layer_idx, of: layer, along, at, bias, n_outputs })
    });
    found.filter(|_| is_plain).ok_or_else(name)
}

/// Where the bias of a layer stands or may stand: in the node, or in a sum behind it.
fn bias_of(roles: &Roles<'_>, idx: NodeIdx, node: &Node, n: usize) -> Option<Slot> {
    let graph = roles.graph();
    if let Some(bias) = node.inputs.get(2) {
        return (weights(graph, Some(bias), |_| true)?.data().len() == n).then_some((idx, 2));
    }
    match takers_of(roles, *node.outputs.first()?)[..] {
        [(sum, of_sum, Role::Bias)] => {
            let slot = of_sum.inputs.iter().position(|&v| graph.constant(v).is_some())?;
            Some((sum, slot))
        }
        _ => takes_bias(&node.op).then_some((idx, 2)),
    }
}

/// Nodes that take a value.
fn takers_of<'g>(roles: &Roles<'g>, value: ValueIdx) -> Vec<(NodeIdx, &'g Node, Role)> {
    roles.nodes().filter(|(_, node, _)| node.inputs.contains(&value)).collect()
}

/// True where `f(x - c) = f(x) - c` for a number a channel.
fn keeps_shifts(node: &Node) -> bool {
    match operator(node) {
        Some(
            TensorOp::Identity(_) | TensorOp::Reshape(_) | TensorOp::Squeeze(_) | TensorOp::Transpose(_),
        ) => true,
        Some(TensorOp::Pool(pool)) => match pool.kind {
            PoolKind::Max { .. } => true,
            PoolKind::Average { with_pads } => !with_pads,
            PoolKind::Norm { .. } => false,
        },
        Some(TensorOp::Reduce(reduce)) => {
            matches!(reduce.kind, ReduceKind::Mean | ReduceKind::Max | ReduceKind::Min)
        }
        _ => false,
    }
}

/// What the bias of a layer gains where its input is lower by `amounts`.
fn gained(
    roles: &Roles<'_>,
    constants: &Constants<'_>,
    taker: &Taker,
    amounts: &[f32],
) -> Result<Vec<f32>, Error> {
    let node = &roles.graph().nodes()[taker.layer.0 as usize];
    let values = constants.get((taker.layer, 1))?;
    let is_turned = match roles.role(taker.layer) {
        Role::Layer(Layer::Gemm | Layer::MatMul) => taker.of.output_axis(node) == 1,
        _ => false,
    };
    if is_turned {
        // [n_in, n_out] to [n_out, n_in].
        let turned = (0..taker.n_outputs).flat_map(|m| values.iter().skip(m).step_by(taker.n_outputs));
        let turned: Vec<f32> = turned.copied().collect();
        return gains(&turned, amounts, taker.at.block);
    }
    let (groups, n, taps) = taker.along.parts();
    let n_group = (values.len() / groups.max(1)).max(1);
    let mut all = Vec::with_capacity(taker.n_outputs);
    for (group, amounts) in values.chunks_exact(n_group).zip(amounts.chunks_exact(n.max(1))) {
        all.extend(gains(group, amounts, taps)?);
    }
    Ok(all)
}
