//! Why a network lost accuracy: layer by layer what rounding did, from what cause, and what would mend it.

use crate::alone::{Alone, Variant};
use crate::bias_correction::is_last_of_layer;
use crate::decide::stored;
use crate::decisions::{Decisions, bias_code};
use crate::effect::Effect;
use crate::error::Error;
use crate::grid::{Data, Levels};
use crate::observe::OBSERVERS;
use crate::pipeline::{Observed, Quantized};
use crate::roles::{Layer, Role, operator, weights};
use crate::scheme::{Scheme, Sharing};
use crate::{Channel, Member, ObserverEntry, Statistics};
use ir::op::TensorOp;
use ir::{Node, NodeIdx, Tensor, TensorData};

/// Layers, the worst first, for which remedies are tried.
const N_MENDED: usize = 3;
/// The largest weight of a channel against that of the middle one, from which on it is an outlier.
const OUTLIER: f64 = 8.0;
/// The widest value against the one that 99.9 % lie below.
const TAIL: f64 = 4.0;
/// Weights of a channel, against the largest of the layer, below which it does nothing.
const DEAD: f64 = 1e-6;
/// Share of values beyond the range that shows.
const SATURATED: f64 = 1e-3;
/// How far the ranges of both halves of the rows may be apart.
const DRIFT: f64 = 1.5;
/// Share of zeros of padding in what windows see that shows.
const PADDING: f64 = 0.25;
/// Share of values half-way between two codes that shows.
const TIES: f64 = 0.05;

/// What a quantizer did to a layer.
#[derive(Clone, Debug)]
pub struct LayerReport {
    /// Name of the node.
    pub name: String,
    /// Its operator.
    pub op: &'static str,
    /// Its place among the nodes.
    pub node: NodeIdx,
    /// Number of weights.
    pub n_weights: usize,
    /// Bits of a weight and of what it takes.
    pub bits: (u8, u8),
    /// `10 log10(sum y^2 / sum (y - yq)^2)` of its output, with all before it quantized too; infinite if equal.
    pub signal_to_noise: f64,
    /// The same behind the correction of its bias.
    pub corrected: f64,
    /// What it alone does to the outputs.
    pub alone: Effect,
    /// What is wrong with it.
    pub causes: Vec<Cause>,
    /// The best of what was tried, and its effect; none where nothing was tried.
    pub remedy: Option<(Remedy, Effect)>,
    /// The range of its input, and share of values beyond.
    pub range: (f32, f32),
    /// Share of the values of its input beyond that range.
    pub saturated: f64,
    /// Intervals of the values of its input with their counts.
    pub histogram: Vec<(f64, f64, u64)>,
    /// What every observer would have chosen, and the squared error of rounding with it.
    pub observers: Vec<(&'static str, f32, f32, f64)>,
}

/// What makes a layer lose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cause {
    /// One channel of weights is so many times wider than the middle one, and they share a scale.
    OutlierChannel(f64),
    /// So many channels do nothing.
    DeadChannels(usize),
    /// The widest value is so many times that below which 99.9 % lie: few codes are left for these.
    LongTail(f64),
    /// So large a share of values lies beyond the range.
    Saturation(f64),
    /// Ranges of the first and the second half of the rows are so many times apart.
    Drift(f64),
    /// So many biases lie beyond `i32` on the grid of the product.
    BiasOverflow(usize),
    /// So large a share of values lies half-way between two codes, where engines round apart.
    Ties(f64),
    /// Zeros around the input are so large a share of what its windows see.
    Padding(f64),
}

impl Cause {
    /// In words.
    pub fn describe(self) -> String {
        let percent = |share: f64| format!("{:.2} %", 100.0 * share);
        match self {
            Cause::OutlierChannel(times) => {
                format!(
                    "one channel of weights is {times:.0} times wider than the middle one, and shares their scale"
                )
            }
            Cause::DeadChannels(n) => format!("{n} channels of weights do nothing"),
            Cause::LongTail(times) => {
                format!(
                    "the widest input is {times:.1} times that below which 99.9 % lie: few codes are left for them"
                )
            }
            Cause::Saturation(share) => format!("{} of the inputs lie beyond the range", percent(share)),
            Cause::Drift(times) => {
                format!(
                    "ranges of the first and the second half of the rows are {times:.1} times apart: calibrate on rows of all kinds"
                )
            }
            Cause::BiasOverflow(n) => format!("{n} biases do not fit 32 bits on the grid of the product"),
            Cause::Ties(share) => {
                format!(
                    "{} of the inputs lie half-way between two codes, where engines may round apart",
                    percent(share)
                )
            }
            Cause::Padding(share) => {
                format!("{} of what its windows see are zeros of padding", percent(share))
            }
        }
    }
}

/// What may mend a layer.
#[derive(Clone, Debug, PartialEq)]
pub enum Remedy {
    /// Another observer for its input.
    Observer(&'static str),
    /// A scale for each channel of its weights.
    PerChannel,
    /// 16 bits for its input.
    Wide,
    /// Floats.
    Float,
}

impl Remedy {
    /// As a user would ask for it.
    pub fn describe(&self) -> String {
        match self {
            Remedy::Observer(name) => format!("--observer {name}"),
            Remedy::PerChannel => "--granularity channel".to_owned(),
            Remedy::Wide => "16 bits for its input (--max-drop does so by itself)".to_owned(),
            Remedy::Float => "leave it a float: --keep".to_owned(),
        }
    }
}

/// What a quantizer did to each layer, in order.
///
/// Each layer runs alone on the sample from values that are kept, so the whole costs about half a pass of the sample for
/// each layer, and some more for the worst three, for which remedies are tried.
///
/// # Errors
/// The network does not run on the sample.
pub fn diagnose(
    observed: &Observed<'_>,
    scheme: &Scheme,
    quantized: &Quantized,
    go_on: &mut dyn FnMut() -> Result<(), Error>,
) -> Result<Vec<LayerReport>, Error> {
    let roles = &observed.roles;
    let decisions = &quantized.decisions;
    let layers: Vec<(NodeIdx, &Node, Layer)> = roles
        .nodes()
        .filter_map(|(idx, node, role)| match role {
            Role::Layer(layer) if decisions.places.is_integer(idx) => Some((idx, node, layer)),
            _ => None,
        })
        .collect();
    let mut reports = Vec::with_capacity(layers.len());
    let mut alone = Alone::start(roles, &observed.sample)?;
    for &(idx, node, layer) in &layers {
        go_on()?;
        alone.advance_to(idx)?;
        let effect = alone.effect(idx, decisions, &Variant::default())?;
        if let Some(report) = look(observed, scheme, quantized, (idx, node, layer), &alone, effect)? {
            reports.push(report);
        }
    }
    let mut worst: Vec<usize> = (0..reports.len()).collect();
    worst.sort_by(|&a, &b| reports[b].alone.noise.total_cmp(&reports[a].alone.noise));
    worst.truncate(N_MENDED);
    worst.sort_unstable();
    let mut alone = Alone::start(roles, &observed.sample)?;
    for at in worst {
        go_on()?;
        let idx = reports[at].node;
        alone.advance_to(idx)?;
        if let Some(&(_, node, layer)) = layers.iter().find(|l| l.0 == idx) {
            reports[at].remedy = mend(observed, scheme, decisions, (idx, node, layer), &alone)?;
        }
    }
    Ok(reports)
}

fn look(
    observed: &Observed<'_>,
    scheme: &Scheme,
    quantized: &Quantized,
    (idx, node, layer): (NodeIdx, &Node, Layer),
    alone: &Alone<'_, '_>,
    effect: Effect,
) -> Result<Option<LayerReport>, Error> {
    let (roles, decisions) = (&observed.roles, &quantized.decisions);
    let (Some(&x), Some(tensor)) =
        (node.inputs.first(), weights(roles.graph(), node.inputs.get(1), |_| true))
    else {
        return Ok(None);
    };
    let (Some(Levels::Affine(affine)), Some(group)) = (decisions.levels(x), decisions.places.group(x)) else {
        return Ok(None);
    };
    let Some(statistics) = observed.statistics(group) else { return Ok(None) };
    let Some(seen) = statistics.channels().first() else { return Ok(None) };
    let whole = seen.whole();
    let range = (affine.value(affine.low()), affine.value(affine.high()));
    let pieces: Vec<(f64, f64, u64)> = whole.pieces().map(|p| (p.low, p.high, p.count)).collect();
    let n = pieces.iter().map(|p| p.2).sum::<u64>().max(1) as f64;
    let half = 0.5 * f64::from(affine.scale());
    let beyond = |&&(low, high, _): &&(f64, f64, u64)| {
        let middle = 0.5 * (low + high);
        middle > f64::from(range.1) + half || middle < f64::from(range.0) - half
    };
    let saturated = pieces.iter().filter(beyond).map(|p| p.2).sum::<u64>() as f64 / n;
    let last = last_of(observed, idx);
    let told = quantized.errors.iter().find(|e| e.node == last);
    let decibel = |error: f64| match told {
        Some(told) if error > 0.0 => 10.0 * (told.power / error).log10(),
        _ => f64::INFINITY,
    };
    let mut causes = Vec::new();
    causes.extend(of_weights(tensor, layer.output_axis(node), scheme));
    causes.extend(of_range(statistics, &pieces, n));
    if saturated > SATURATED {
        causes.push(Cause::Saturation(saturated));
    }
    causes.extend(overflow(observed, decisions, idx, node));
    if let Some(TensorData::F32(values)) = alone.value(x).map(Tensor::data) {
        let ties = values.iter().filter(|v| (*v / affine.scale()).abs().fract() == 0.5).count();
        let share = ties as f64 / values.len().max(1) as f64;
        if share > TIES {
            causes.push(Cause::Ties(share));
        }
    }
    causes.extend(alone.value(x).and_then(|seen| padding(node, seen.dims(), tensor.dims())));
    let mut observers = Vec::new();
    for entry in OBSERVERS {
        let member = Member::<ObserverEntry>::parse(entry.name)?;
        let levels = levels_by(scheme, seen, &member)?;
        let (low, high) = match &levels {
            Levels::Affine(a) => (a.value(a.low()), a.value(a.high())),
            Levels::Table(_) => continue,
        };
        let error =
            pieces.iter().map(|&(a, b, count)| count as f64 * error_of(&levels, scheme, a, b)).sum::<f64>()
                / n;
        observers.push((entry.name, low, high, error));
    }
    let bits = decisions.weights.get(&idx).map_or(0, |w| bits_of(w.codes.dtype()));
    Ok(Some(LayerReport {
        name: node.name.clone(),
        op: node.op.payload().name(),
        node: idx,
        n_weights: tensor.data().len(),
        bits: (bits, bits_of(affine.dtype())),
        signal_to_noise: told.map_or(f64::INFINITY, |t| decibel(t.error)),
        corrected: told.map_or(f64::INFINITY, |t| decibel(t.corrected)),
        alone: effect,
        causes,
        remedy: None,
        range,
        saturated,
        histogram: pieces,
        observers,
    }))
}

/// Bits of a code.
fn bits_of(dtype: ir::DType) -> u8 {
    match dtype {
        ir::DType::Narrow(narrow) => narrow.bits() as u8,
        other => 8 * other.bytes() as u8,
    }
}

/// The node whose output is the layer's, bias and all.
fn last_of(observed: &Observed<'_>, layer: NodeIdx) -> NodeIdx {
    let roles = &observed.roles;
    if is_last_of_layer(roles, layer, roles.role(layer)) {
        return layer;
    }
    let outputs = &roles.graph().nodes()[layer.0 as usize].outputs;
    let bias =
        roles.nodes().find(|(_, n, r)| *r == Role::Bias && n.inputs.iter().any(|i| outputs.contains(i)));
    bias.map_or(layer, |(idx, ..)| idx)
}

/// Grid of an input as another observer would have it.
fn levels_by(scheme: &Scheme, seen: &Channel, observer: &Member<ObserverEntry>) -> Result<Levels, Error> {
    let format = scheme.activations.format(scheme.activations.codes.bits)?;
    let range = observer.range(seen, &format)?;
    scheme.activations.grid.levels(&Data::Summary(&seen.whole()), range, &format)
}

/// Squared error of the middle of an interval.
fn error_of(levels: &Levels, scheme: &Scheme, low: f64, high: f64) -> f64 {
    let middle = (0.5 * (low + high)) as f32;
    let rounded = levels.value(levels.code(middle, 0, &scheme.rounding));
    (f64::from(middle) - f64::from(rounded)).powi(2)
}

/// Causes that weights have.
fn of_weights(tensor: &Tensor, axis: usize, scheme: &Scheme) -> Vec<Cause> {
    let TensorData::F32(values) = tensor.data() else { return Vec::new() };
    let dims = tensor.dims();
    let inner = dims.iter().skip(axis + 1).product::<usize>().max(1);
    let n = dims.get(axis).copied().unwrap_or(1).max(1);
    let mut widths = vec![0.0f64; n];
    for (at, v) in values.iter().enumerate() {
        let channel = at / inner % n;
        widths[channel] = widths[channel].max(f64::from(v.abs()));
    }
    let mut sorted = widths.clone();
    sorted.sort_by(f64::total_cmp);
    let (middle, largest) = (sorted[n / 2], sorted[n - 1]);
    let mut causes = Vec::new();
    if scheme.sharing == Sharing::Tensor && middle > 0.0 && largest / middle > OUTLIER {
        causes.push(Cause::OutlierChannel(largest / middle));
    }
    let dead = widths.iter().filter(|w| **w <= DEAD * largest).count();
    if dead > 0 {
        causes.push(Cause::DeadChannels(dead));
    }
    causes
}

/// Causes that the range of an input has.
fn of_range(statistics: &Statistics, pieces: &[(f64, f64, u64)], n: f64) -> Vec<Cause> {
    let mut causes = Vec::new();
    let size = |&(low, high, _): &(f64, f64, u64)| low.abs().max(high.abs());
    let mut sized: Vec<(f64, u64)> = pieces.iter().map(|p| (size(p), p.2)).collect();
    sized.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut below = 0.0;
    let most = sized.last().map_or(0.0, |s| s.0);
    let common = sized.iter().find(|(_, count)| {
        below += *count as f64;
        below >= 0.999 * n
    });
    if let Some(&(common, _)) = common.filter(|c| c.0 > 0.0)
        && most / common > TAIL
    {
        causes.push(Cause::LongTail(most / common));
    }
    let largest = |half: &Statistics| half.channels().first().map_or(0.0, |c| f64::from(c.whole().largest()));
    let [first, second] = statistics.halves().each_ref().map(largest);
    let (low, high) = (first.min(second), first.max(second));
    if low > 0.0 && high / low > DRIFT {
        causes.push(Cause::Drift(high / low));
    }
    causes
}

/// Zeros around an image that windows see.
fn padding(node: &Node, x: &[usize], w: &[usize]) -> Option<Cause> {
    let Some(TensorOp::Conv(conv)) = operator(node) else { return None };
    let rank = x.len().checked_sub(2)?;
    let mut inside = 1.0;
    for axis in 0..rank {
        let span =
            conv.window.span("Conv", (axis, rank), *x.get(2 + axis)?, *w.get(2 + axis)?, false).ok()?;
        let seen = (0..span.out).flat_map(|window| (0..span.taps).map(move |tap| (window, tap)));
        let n = seen.filter(|&(window, tap)| span.place(window, tap).is_some()).count();
        inside *= n as f64 / (span.out * span.taps).max(1) as f64;
    }
    (1.0 - inside > PADDING).then_some(Cause::Padding(1.0 - inside))
}

fn overflow(observed: &Observed<'_>, decisions: &Decisions, idx: NodeIdx, node: &Node) -> Option<Cause> {
    let TensorData::F32(bias) = observed.roles.graph().constant(*node.inputs.get(2)?)?.data() else {
        return None;
    };
    let bias = decisions.biases.get(&idx).unwrap_or(bias);
    let scales = decisions.product_scales(idx, node.inputs[0], bias.len())?;
    let ends = [i32::MIN, i32::MAX];
    let n = bias.iter().zip(&scales).filter(|(b, s)| ends.contains(&bias_code(**b, **s))).count();
    (n > 0).then_some(Cause::BiasOverflow(n))
}

/// The best of what may mend a layer.
fn mend(
    observed: &Observed<'_>,
    scheme: &Scheme,
    decisions: &Decisions,
    (idx, node, layer): (NodeIdx, &Node, Layer),
    alone: &Alone<'_, '_>,
) -> Result<Option<(Remedy, Effect)>, Error> {
    let Some(group) = node.inputs.first().and_then(|x| decisions.places.group(*x)) else { return Ok(None) };
    let Some(seen) = observed.statistics(group).and_then(|s| s.channels().first()) else { return Ok(None) };
    let mut tried: Vec<(Remedy, Variant)> = Vec::new();
    for entry in OBSERVERS.iter().filter(|e| e.name != scheme.activations.observer.entry().name) {
        let levels = levels_by(scheme, seen, &Member::parse(entry.name)?)?;
        tried.push((Remedy::Observer(entry.name), Variant { input: Some(levels), weights: None }));
    }
    if scheme.sharing == Sharing::Tensor
        && let Some(tensor) = weights(observed.roles.graph(), node.inputs.get(1), |_| true)
    {
        let by_channel = Scheme { sharing: Sharing::Channel, ..scheme.clone() };
        let weights = stored(&by_channel, scheme.weights.codes.bits, tensor, layer.output_axis(node))?;
        tried.push((Remedy::PerChannel, Variant { input: None, weights: Some(weights) }));
    }
    let wide = scheme.activations.format(16)?;
    let range = scheme.activations.observer.range(seen, &wide)?;
    let wide = scheme.activations.grid.levels(&Data::Summary(&seen.whole()), range, &wide)?;
    tried.push((Remedy::Wide, Variant { input: Some(wide), weights: None }));
    let mut best: Option<(Remedy, Effect)> = None;
    for (remedy, variant) in tried {
        let effect = alone.effect(idx, decisions, &variant)?;
        // What costs more bits must do more than what costs none.
        let price = if remedy == Remedy::Wide { 4.0 } else { 1.0 };
        if best.as_ref().is_none_or(|(_, known)| effect.noise * price < known.noise) {
            best = Some((remedy, effect));
        }
    }
    Ok(best)
}
