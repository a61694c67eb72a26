//! Biases that take up the mean error of their layer, one layer after the other.
//!
//! `b'_c = b_c + E[y_c - yq_c]`, where `y` is the output of the float network and `yq` that of the quantized one, whose
//! earlier layers are quantized and corrected already. A bias of 0 does not stop it, and a correction stays only if it
//! lowers the squared error of the layer on rows that it was not computed from.
//! # Source  Nagel et al., Data-free quantization through weight equalization and bias correction, ICCV 2019, appendix
//! D (empirical), sequential.

use crate::decisions::Decisions;
use crate::error::Error;
use crate::qdq::qdq;
use crate::roles::{Role, Roles};
use crate::segments::Frontier;
use ir::{Graph, NodeIdx, Tensor, TensorData, ValueIdx};

/// What a layer did to its signal, before and after the correction of its bias.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerError {
    /// The layer, or the sum of its bias.
    pub node: NodeIdx,
    /// `sum y^2` of the float network's outputs.
    pub power: f64,
    /// `sum (y - yq)^2` before.
    pub error: f64,
    /// The same behind the correction; as before where there was none.
    pub corrected: f64,
}

/// Corrects the biases in `decisions`, if `is_asked`, and says how far each layer's output is from the float network's.
/// Every node of both networks runs once on the sample; memory: the live values of both for these rows.
///
/// # Errors
/// The networks do not run on the sample.
pub fn correct_biases(
    roles: &Roles<'_>,
    decisions: &mut Decisions,
    inputs: &[(String, Tensor)],
    n_rows: usize,
    is_asked: bool,
) -> Result<Vec<LayerError>, Error> {
    let (float, rounded) = (roles.graph(), qdq(roles, decisions)?);
    let mut of_float = Frontier::start(float, inputs)?;
    let mut of_rounded = Frontier::start(&rounded, inputs)?;
    let mut errors = Vec::new();
    for (idx, node, role) in roles.nodes() {
        if !is_last_of_layer(roles, idx, role) || !decisions.places.is_integer(idx) {
            continue;
        }
        let Some((at, value)) = by_name(&rounded, &node.name) else { continue };
        of_float.advance(float, idx)?;
        of_rounded.advance(&rounded, at)?;
        let (Some(y), Some(yq)) = (of_float.get(node.outputs[0]), of_rounded.get(value)) else { continue };
        let (TensorData::F32(y), TensorData::F32(yq), dims) = (y.data(), yq.data(), yq.dims().to_vec())
        else {
            continue;
        };
        let axis = channel_axis(roles, idx, role, dims.len());
        let layout = Layout::of(&dims, axis, n_rows);
        let power = y.iter().map(|&y| f64::from(y) * f64::from(y)).sum();
        let error: f64 = y.iter().zip(yq).map(|(&y, &q)| (f64::from(y) - f64::from(q)).powi(2)).sum();
        let mut told = LayerError { node: idx, power, error, corrected: error };
        if is_asked && let Some(bias) = bias_of(roles, idx) {
            let means = |rows: &dyn Fn(usize) -> bool| layout.means(y, yq, rows);
            let half = means(&|row| row % 2 == 0);
            let (before, after) = layout.errors(y, yq, &half, &|row| row % 2 == 1);
            if after < before && bias.len() == layout.n_channels {
                let delta = means(&|_| true);
                let moved: Vec<f32> = layout.moved(yq, &delta);
                told.corrected = layout.errors(y, yq, &delta, &|_| true).1;
                let bias = bias.iter().zip(&delta).map(|(&b, d)| (f64::from(b) + d) as f32).collect();
                decisions.biases.insert(idx, bias);
                if let Some(tensor) = Tensor::try_new(dims, TensorData::F32(moved)) {
                    of_rounded.set(value, tensor);
                }
            }
        }
        errors.push(told);
    }
    Ok(errors)
}

/// True for the sum of a layer's bias, and for a layer without one behind it.
pub fn is_last_of_layer(roles: &Roles<'_>, idx: NodeIdx, role: Role) -> bool {
    match role {
        Role::Bias => true,
        Role::Layer(_) => {
            let node = &roles.graph().nodes()[idx.0 as usize];
            !roles
                .nodes()
                .any(|(_, n, r)| r == Role::Bias && n.inputs.iter().any(|i| node.outputs.contains(i)))
        }
        _ => false,
    }
}

/// The axis of the output on which channels stand.
fn channel_axis(roles: &Roles<'_>, idx: NodeIdx, role: Role, rank: usize) -> usize {
    let node = &roles.graph().nodes()[idx.0 as usize];
    let layer = match role {
        Role::Layer(layer) => Some(layer),
        _ => roles.activations(node).find_map(|v| match roles.maker(v) {
            Some((_, _, Role::Layer(layer))) => Some(layer),
            _ => None,
        }),
    };
    layer.map_or(1, |layer| layer.channel_axis(rank))
}

/// The bias of a node; zeros for a layer that may have one and has none.
fn bias_of(roles: &Roles<'_>, idx: NodeIdx) -> Option<Vec<f32>> {
    let (graph, node) = (roles.graph(), &roles.graph().nodes()[idx.0 as usize]);
    let constant = |value: ValueIdx| match graph.constant(value)?.data() {
        TensorData::F32(v) => Some(v.clone()),
        _ => None,
    };
    match roles.role(idx) {
        Role::Bias => node.inputs.iter().find_map(|&v| constant(v)),
        Role::Layer(layer) => match node.inputs.get(2) {
            Some(&value) => constant(value),
            None if crate::qdq::takes_bias(&node.op) => {
                let weights = graph.constant(*node.inputs.get(1)?)?;
                Some(vec![0.0; layer.n_outputs(weights, node)])
            }
            None => None,
        },
        _ => None,
    }
}

/// A node of another form of the network, and its first output.
pub fn by_name(graph: &Graph, name: &str) -> Option<(NodeIdx, ValueIdx)> {
    let at = graph.nodes().iter().position(|n| n.name == name)?;
    Some((NodeIdx(u32::try_from(at).ok()?), *graph.nodes()[at].outputs.first()?))
}

/// Where rows and channels stand in a tensor.
struct Layout {
    n_channels: usize,
    inner: usize,
    /// Elements of a row.
    row: usize,
}

impl Layout {
    fn of(dims: &[usize], axis: usize, n_rows: usize) -> Layout {
        let n: usize = dims.iter().product();
        let inner = dims.iter().skip(axis + 1).product::<usize>().max(1);
        Layout {
            n_channels: dims.get(axis).copied().unwrap_or(1).max(1),
            inner,
            row: (n / n_rows.max(1)).max(1),
        }
    }

    fn channel(&self, at: usize) -> usize {
        at / self.inner % self.n_channels
    }

    fn means(&self, y: &[f32], yq: &[f32], rows: &dyn Fn(usize) -> bool) -> Vec<f64> {
        let (mut sums, mut counts) = (vec![0.0; self.n_channels], vec![0usize; self.n_channels]);
        for (at, (&y, &q)) in y.iter().zip(yq).enumerate().filter(|(at, _)| rows(at / self.row)) {
            sums[self.channel(at)] += f64::from(y) - f64::from(q);
            counts[self.channel(at)] += 1;
        }
        sums.into_iter().zip(counts).map(|(sum, n)| sum / n.max(1) as f64).collect()
    }

    /// Squared errors of some rows, as they are and moved.
    fn errors(&self, y: &[f32], yq: &[f32], delta: &[f64], rows: &dyn Fn(usize) -> bool) -> (f64, f64) {
        let (mut before, mut after) = (0.0, 0.0);
        for (at, (&y, &q)) in y.iter().zip(yq).enumerate().filter(|(at, _)| rows(at / self.row)) {
            let error = f64::from(y) - f64::from(q);
            before += error * error;
            after += (error - delta[self.channel(at)]).powi(2);
        }
        (before, after)
    }

    fn moved(&self, yq: &[f32], delta: &[f64]) -> Vec<f32> {
        let moved = |(at, &q): (usize, &f32)| (f64::from(q) + delta[self.channel(at)]) as f32;
        yq.iter().enumerate().map(moved).collect()
    }
}
