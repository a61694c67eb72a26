//! What each precision of each layer does to the outputs, and what it costs: the rungs that the guard climbs.

use crate::alone::{Alone, Variant};
use crate::decide::Precision;
use crate::diagnose::LayerReport;
use crate::error::Error;
use crate::guard::{Path, Rung};
use crate::pipeline::{Observed, Quantized};
use crate::scheme::BORDER_BITS;
use ir::{Graph, NodeIdx, Op, ValueIdx};

/// A precision, and how many times as long as those of 8 bits its products take: codes of 16 bits fill twice the lanes,
/// floats four times.
const TIMES: [(Precision, f64); 4] =
    [(Precision::Scheme, 1.0), (Precision::Wide, 2.0), (Precision::Widest, 4.0), (Precision::Float, 4.0)];

/// The path from a network as the scheme rounds it to floats; `round` rounds all layers alike.
///
/// Noise is that of each layer alone, on the sample, all others floats; where it is small, that of several layers adds up.
/// A layer costs its share of the bytes of all weights as floats, and of the time of all products as floats. Each
/// precision takes half a pass of the sample a layer.
///
/// # Errors
/// The network does not run on the sample.
pub fn path(
    observed: &Observed<'_>,
    layers: &[LayerReport],
    round: &dyn Fn(Precision) -> Result<Quantized, Error>,
    go_on: &mut dyn FnMut() -> Result<(), Error>,
) -> Result<Path, Error> {
    let (wide, widest) = (round(Precision::Wide)?, round(Precision::Widest)?);
    let graph = observed.roles.graph();
    let n_weights: f64 = layers.iter().map(|l| l.n_weights as f64).sum();
    let products: Vec<f64> = layers.iter().map(|l| multiply_adds(graph, l.node)).collect();
    let n_products: f64 = products.iter().sum();
    let mut alone = Alone::start(&observed.roles, &observed.sample)?;
    let mut found = Vec::with_capacity(layers.len());
    for (layer, products) in layers.iter().zip(products) {
        go_on()?;
        alone.advance_to(layer.node)?;
        let noise = |of: &Quantized| -> Result<f64, Error> {
            Ok(alone.effect(layer.node, &of.decisions, &Variant::default())?.noise)
        };
        let bits = f64::from(layer.bits.0);
        let told = [
            (layer.alone.noise, bits),
            (noise(&wide)?, bits.max(BORDER_BITS.into())),
            (noise(&widest)?, 16.0),
            (0.0, 32.0),
        ];
        let rungs = TIMES.iter().zip(told).map(|(&(precision, times), (noise, bits))| {
            let bytes = bits / 32.0 * layer.n_weights as f64 / n_weights.max(1.0);
            let time = times / 4.0 * products / n_products.max(1.0);
            Rung { precision, noise, cost: bytes + time }
        });
        found.push((layer.node, rungs.collect()));
    }
    Ok(Path::of(&found))
}

/// Multiplications of a node for one row; lengths that are not known count as 1.
fn multiply_adds(graph: &Graph, node: NodeIdx) -> f64 {
    let Some(node) = graph.nodes().get(node.0 as usize) else { return 0.0 };
    let lengths = |values: &[ValueIdx]| -> Vec<Vec<usize>> {
        values.iter().map(|&v| graph.value(v).shape.lengths_or(1)).collect()
    };
    match &node.op {
        Op::Tensor(op) => op.multiply_adds(&lengths(&node.inputs), &lengths(&node.outputs)) as f64,
        _ => 0.0,
    }
}
