//! What engines that saturate would make of a network: how many labels, and what would cure it.
//!
//! x86 processors without VNNI multiply codes of 8 bits with `vpmaddubsw`, which adds two products in 16 bits and cuts
//! off what does not fit. ONNX Runtime uses it there; integers here are exact everywhere, so the loss is foretold by
//! computing those pairs of products once more. Order of products: that of ONNX Runtime, which puts channels last
//! (all channels of a tap, then the next tap) and pairs the first with the second, the third with the fourth. Other
//! engines may pair otherwise, so all this *can* be.
//! # Source  MLAS of ONNX Runtime, `ReorderFilter` and the kernels U8S8 for AVX2 and AVX-512; codes with a sign are first
//! moved by 128 there, so they saturate as others do. Layers by single channels are computed without such pairs.

mod saturate;

use crate::bias_correction::by_name;
use crate::calibrate::Rows;
use crate::correct::portable::{can_saturate, clipped, most};
use crate::decisions::{Decisions, StoredWeights};
use crate::effect::{Effect, effect};
use crate::error::Error;
use crate::grid::{Affine, Levels, QParams};
use crate::pipeline::{Observed, Quantized};
use crate::roles::{Layer, Role, Roles, operator};
use crate::rounding::Rounding;
use crate::sample::spread;
use crate::scheme::{Corrections, Scheme};
use crate::segments::Frontier;
use ir::op::TensorOp;
use ir::{DType, Node, NodeIdx, Tensor, TensorData};
use jobs::Threads;
use saturate::{Count, Saturating};

/// Rows on which products are computed as they saturate.
const MAX_ROWS: usize = 512;

/// Rows at a time.
const BATCH: usize = 64;

/// Levels of weights that are tried, from as they are to twice as far apart.
const N_STEPS: usize = 16;

/// What engines that saturate would make of a network.
#[derive(Clone, Debug, Default)]
pub struct Portability {
    /// Layers with pairs of weights that can saturate.
    pub layers: Vec<Saturation>,
    /// Rows that were looked at; 0 without such layers.
    pub n_rows: usize,
    /// Share of them whose label would change.
    pub changed: f64,
    /// Against the float network: as it is, and as it saturates.
    pub effects: [Effect; 2],
    /// What would cure it, as a user would ask for it, and its effect against the float network.
    pub cure: Option<(String, Effect)>,
}

/// A layer with pairs of weights that can saturate.
#[derive(Clone, Debug, PartialEq)]
pub struct Saturation {
    /// Its node.
    pub name: String,
    /// Pairs of weights.
    pub n_pairs: usize,
    /// Those that can saturate.
    pub n_risky: usize,
    /// Share of its outputs that would differ.
    pub differing: f64,
}

impl Portability {
    /// In one line.
    pub fn describe(&self) -> String {
        let (n_pairs, n_risky) =
            self.layers.iter().fold((0, 0), |(all, risky), l| (all + l.n_pairs, risky + l.n_risky));
        if n_risky == 0 {
            return "on processors without VNNI, engines that saturate (ONNX Runtime) compute the same"
                .to_owned();
        }
        let cure = match &self.cure {
            Some((what, effect)) => format!(
                "; cure: {what}: noise {:.1e} everywhere instead of {:.1e} with VNNI and {:.1e} without",
                effect.noise, self.effects[0].noise, self.effects[1].noise
            ),
            None => String::new(),
        };
        format!(
            "on processors without VNNI, engines that saturate (ONNX Runtime) would change {:.2} % of labels on {} rows: {n_risky} of {n_pairs} pairs of weights in {} layers can saturate{cure}",
            100.0 * self.changed,
            self.n_rows,
            self.layers.len()
        )
    }
}

/// Weights of a layer in the order in which products are added.
#[derive(Clone, Copy, Debug)]
struct Order {
    n_outputs: usize,
    /// Products of an output.
    depth: usize,
    /// Input channels of an output, and taps of each; of a product of matrices, all and 1.
    channels: usize,
    taps: usize,
    /// Weights stand as `[depth, n_outputs]`.
    is_turned: bool,
}

impl Order {
    /// None for a layer whose engines add no such pairs.
    fn of(layer: Layer, node: &Node, dims: &[usize]) -> Option<Order> {
        let &[first, second, ref window @ ..] = dims else { return None };
        let taps: usize = window.iter().product();
        let is_turned = layer.output_axis(node) == 1;
        let (n_outputs, channels) = if is_turned { (second, first) } else { (first, second) };
        match operator(node)? {
            TensorOp::ConvTranspose(_) => return None,
            TensorOp::Conv(conv) if conv.group == first && second == 1 => return None,
            _ => {}
        }
        Some(Order { n_outputs, depth: channels * taps, channels, taps, is_turned })
    }

    /// Place of the `k`th weight of an output.
    fn place(&self, output: usize, k: usize) -> usize {
        let (channel, tap) = (k % self.channels.max(1), k / self.channels.max(1));
        match self.is_turned {
            true => k * self.n_outputs + output,
            false => output * self.depth + channel * self.taps + tap,
        }
    }

    /// Places of both weights of every pair, with its output.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize, [usize; 2])> + '_ {
        (0..self.n_outputs).flat_map(move |m| {
            (0..self.depth / 2).map(move |p| (m, 2 * p, [2 * p, 2 * p + 1].map(|k| self.place(m, k))))
        })
    }
}

/// Codes of weights that are pairs of signed 8 bits times codes of 8 bits.
fn signed<'w>(weights: &'w StoredWeights, x: &Levels) -> Option<(&'w [i8], Affine)> {
    match (weights.codes.data(), x) {
        (TensorData::I8(codes), Levels::Affine(affine))
            if weights.table.is_none()
                && weights.zero_points.is_none()
                && matches!(affine.dtype(), DType::U8 | DType::I8) =>
        {
            Some((codes, *affine))
        }
        _ => None,
    }
}

/// The largest code of what weights are multiplied by, as engines store it: without a sign.
fn largest_code(x: &Affine) -> i64 {
    i64::from(x.high()) + if x.dtype() == DType::I8 { 128 } else { 0 }
}

/// Levels and codes of a layer's weights of which no pair can saturate, and how many could before.
///
/// Levels of a part (a channel, a group, the tensor) are made coarser by up to twice, which halves all codes, and pairs
/// that are still too large come down: by so much that the squared error of the part's weights is least.
pub(crate) fn make_portable(
    params: QParams,
    codes: Vec<i32>,
    (values, rounding): (&[f32], &Rounding),
    x: &Levels,
    (layer, node): (Layer, &Node),
) -> Result<(QParams, Vec<i32>, usize), Error> {
    let order = Order::of(layer, node, params.dims());
    let (Some(order), Some(most), true) = (order, most_of(x), params.levels().iter().all(is_signed)) else {
        return Ok((params, codes, 0));
    };
    let n_risky = clip(&mut codes.clone(), &order, most);
    if n_risky == 0 {
        return Ok((params, codes, 0));
    }
    let mut best = vec![(f64::INFINITY, 1.0f32); params.levels().len()];
    for step in 0..=N_STEPS {
        let times = 1.0 + step as f32 / N_STEPS as f32;
        let tried = coarser(&params, |_| times)?;
        let mut codes = tried.codes(values, rounding)?;
        clip(&mut codes, &order, most);
        let squares: Vec<f32> =
            tried.values(&codes)?.iter().zip(values).map(|(q, w)| (q - w) * (q - w)).collect();
        let parts = params.granularity().split(params.dims(), &squares)?;
        for (best, part) in best.iter_mut().zip(parts) {
            let error = part.iter().map(|&e| f64::from(e)).sum();
            if error < best.0 {
                *best = (error, times);
            }
        }
    }
    let params = coarser(&params, |at| best[at].1)?;
    let mut codes = params.codes(values, rounding)?;
    clip(&mut codes, &order, most);
    Ok((params, codes, n_risky))
}

/// Brings every pair of weights so far down that it cannot saturate; gives how many pairs that were.
fn clip(codes: &mut [i32], order: &Order, most: i64) -> usize {
    let mut n = 0;
    for (_, _, [a, b]) in order.pairs() {
        let (first, second) = (codes[a].into(), codes[b].into());
        if can_saturate(first, second, most) {
            // Both come nearer to 0.
            let (first, second) = clipped(first, second, most);
            (codes[a], codes[b]) = (first as i32, second as i32);
            n += 1;
        }
    }
    n
}

/// The same levels, each so many times as far apart.
fn coarser(params: &QParams, times: impl Fn(usize) -> f32) -> Result<QParams, Error> {
    let wider = |(at, levels): (usize, &Levels)| match levels {
        Levels::Affine(own) => {
            let (scale, zero) = (own.scale() * times(at), own.zero_point());
            Ok(Levels::Affine(Affine::try_new(scale, zero, own.low(), own.high(), own.dtype())?))
        }
        Levels::Table(table) => Ok(Levels::Table(table.clone())),
    };
    let levels = params.levels().iter().enumerate().map(wider).collect::<Result<Vec<_>, Error>>()?;
    QParams::try_new(params.dims().to_vec(), params.granularity(), levels)
}

/// Signed 8 bits about 0.
fn is_signed(levels: &Levels) -> bool {
    matches!(levels, Levels::Affine(own) if own.dtype() == DType::I8 && own.zero_point() == 0)
}

/// The most that two weights may be together, where they are multiplied by codes of 8 bits.
fn most_of(x: &Levels) -> Option<i64> {
    match x {
        Levels::Affine(x) if matches!(x.dtype(), DType::U8 | DType::I8) => Some(most(largest_code(x))),
        _ => None,
    }
}

/// What engines that saturate would make of a quantized network; nothing if no layer multiplies codes of 8 bits with
/// weights of 8 signed ones. `round` quantizes by another scheme, with the same layers of other precision.
///
/// Cost: four runs of the network on up to 512 rows, on all threads.
///
/// # Errors
/// The network does not run on the rows.
pub fn portability(
    observed: &Observed<'_>,
    scheme: &Scheme,
    quantized: &Quantized,
    (rows, threads): (&dyn Rows, &Threads),
    round: &dyn Fn(&Scheme) -> Result<Quantized, Error>,
) -> Result<Option<Portability>, Error> {
    let roles = &observed.roles;
    let mut all: Vec<Saturating> = Vec::new();
    for (idx, node, role) in roles.nodes() {
        if let Role::Layer(layer) = role
            && let Some(found) = risky(&quantized.decisions, idx, node, layer)
        {
            all.push(found);
        }
    }
    if all.is_empty() {
        return Ok(None);
    }
    all.retain(|s| s.n_risky() > 0);
    if all.is_empty() {
        return Ok(Some(Portability::default()));
    }
    let n_rows = rows.n_rows().min(MAX_ROWS);
    let (what, other) = cure(scheme)?;
    let cured = round(&other)?;
    let n_batches = n_rows.div_ceil(BATCH);
    let made = threads.map(n_batches, |k| {
        let places = (k * BATCH..n_rows.min((k + 1) * BATCH)).map(|at| at * rows.n_rows() / n_rows);
        let inputs = spread(rows, places)?;
        let (saturating, counts) = saturated(roles, quantized, &all, &inputs)?;
        let [float, exact, mended] =
            [roles.graph(), &quantized.graph, &cured.graph].map(|graph| whole(graph, &inputs));
        Ok::<_, Error>(([float?, exact?, saturating, mended?], counts))
    });
    let mut forms = [const { Vec::new() }; 4];
    let mut counts = vec![Count::default(); all.len()];
    for batch in made {
        let (outputs, more) = batch?;
        for (known, more) in forms.iter_mut().zip(outputs) {
            join(known, more)?;
        }
        counts.iter_mut().zip(more).for_each(|(count, more)| *count = count.plus(more));
    }
    let [float, exact, saturating, mended] = forms;
    Ok(Some(Portability {
        layers: all.iter().zip(counts).map(|(layer, count)| layer.told(count)).collect(),
        n_rows,
        changed: 1.0 - effect(&exact, &saturating).agreement,
        effects: [effect(&float, &exact), effect(&float, &saturating)],
        cure: Some((what, effect(&float, &mended))),
    }))
}

/// What cures it: weights on levels so much coarser that no pair saturates.
fn cure(scheme: &Scheme) -> Result<(String, Scheme), Error> {
    let own = scheme.corrections.members().map(|m| m.describe());
    let asked = own.chain(["portable".to_owned()]).collect::<Vec<_>>().join(",");
    let corrections = Corrections::parse(&asked)?;
    Ok((format!("--corrections {asked}"), Scheme { corrections, ..scheme.clone() }))
}

fn risky(decisions: &Decisions, idx: NodeIdx, node: &Node, layer: Layer) -> Option<Saturating> {
    let weights = decisions.weights.get(&idx)?;
    let x = *node.inputs.first()?;
    let (codes, affine) = signed(weights, decisions.levels(x)?)?;
    let order = Order::of(layer, node, weights.codes.dims())?;
    let scales = decisions.product_scales(idx, x, order.n_outputs)?;
    let kernel = weights.codes.dims().get(2..)?.to_vec();
    Some(Saturating::of((idx, node), order, kernel, codes, affine, scales))
}

/// Outputs of a network as it is.
fn whole(graph: &ir::Graph, inputs: &[(String, Tensor)]) -> Result<Vec<Tensor>, Error> {
    Ok(runtime::tensors::run(graph, inputs.to_vec(), runtime::tensors::Limits::default())?)
}

/// Outputs of a quantized network whose pairs of products saturate.
fn saturated(
    roles: &Roles<'_>,
    quantized: &Quantized,
    layers: &[Saturating],
    inputs: &[(String, Tensor)],
) -> Result<(Vec<Tensor>, Vec<Count>), Error> {
    let graph = &quantized.graph;
    let mut at = Frontier::start(graph, inputs)?;
    let mut counts = vec![Count::default(); layers.len()];
    for (layer, count) in layers.iter().zip(&mut counts) {
        let name = &roles.graph().nodes()[layer.node.0 as usize].name;
        let Some((idx, y)) = by_name(graph, name) else { continue };
        if let Some(before) = idx.0.checked_sub(1) {
            at.advance(graph, NodeIdx(before))?;
        }
        let node = &graph.nodes()[idx.0 as usize];
        let Some(x) = at.get(node.inputs[0]).cloned() else { continue };
        at.advance(graph, idx)?;
        if let Some((moved, found)) = at.get(y).and_then(|y| layer.saturate(node, &x, y)) {
            at.set(y, moved);
            *count = found;
        }
    }
    Ok((at.outputs(graph, graph.outputs())?, counts))
}

/// Puts more rows below those that there are.
fn join(known: &mut Vec<Tensor>, more: Vec<Tensor>) -> Result<(), Error> {
    if known.is_empty() {
        *known = more;
        return Ok(());
    }
    for (above, below) in known.iter_mut().zip(more) {
        let fail = || crate::error::misfit("outputs", "rows of one shape", format!("{:?}", above.dims()));
        *above = above.clone().below(below).ok_or_else(fail)?;
    }
    Ok(())
}
