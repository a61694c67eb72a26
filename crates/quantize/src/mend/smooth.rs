//! `smooth` on a graph: outliers of what products take move into their weights, where a normalization or a layer before
//! them can give it up.

use super::channels::Channels;
use super::sets::Set;
use super::{Constants, Told, name_of, widen};
use crate::correct::smooth::scales;
use crate::error::Error;
use crate::roles::{Layer, Role, Roles};
use ir::{NodeIdx, Tensor};
use std::collections::{BTreeMap, BTreeSet};

/// Smooths what every product with constant weights takes (`Gemm`, `MatMul`). Convolutions are left: their weights have
/// fewer scales to give than channels that they take.
pub(super) fn smooth(
    roles: &Roles<'_>,
    constants: &mut Constants<'_>,
    sample: &[(String, Tensor)],
    alpha: f64,
) -> Result<Told, Error> {
    let graph = roles.graph();
    let sets = Set::all(roles);
    let is_product = |idx: NodeIdx| matches!(roles.role(idx), Role::Layer(Layer::Gemm | Layer::MatMul));
    let fits = |set: &&Set| set.stopped.is_none() && set.takers.iter().all(|t| is_product(t.0));
    let input = |idx: NodeIdx| graph.nodes()[idx.0 as usize].inputs[0];
    let takers = sets.iter().filter(fits).flat_map(|set| &set.takers);
    let wanted: BTreeMap<_, _> = takers.map(|&(idx, _, at)| (input(idx), at)).collect();
    let channels = Channels::of(graph, sample, &wanted)?;
    let mut done = BTreeSet::new();
    for set in sets.iter().filter(fits) {
        let (mut activations, mut weights) = (vec![0.0f32; set.n], vec![0.0f32; set.n]);
        for &(idx, along, _) in &set.takers {
            widen(&mut activations, &channels.largest(input(idx)));
            widen(&mut weights, &along.largest(constants.get((idx, 1))?)?);
            done.insert(idx);
        }
        set.rescale(constants, &scales(&activations, &weights, alpha)?)?;
    }
    let why = |idx: NodeIdx| {
        let takes = |set: &&Set| set.takers.iter().any(|t| t.0 == idx);
        let own = sets.iter().find(takes);
        let maker = || {
            let mut at = roles.maker(input(idx));
            while let Some((_, node, Role::Passing)) = at {
                at = node.inputs.first().and_then(|&x| roles.maker(x));
            }
            at.map(|(_, node, _)| node.op.payload().name().to_owned())
        };
        match own.map(|set| set.stopped.clone()) {
            Some(Some(stopped)) => stopped,
            Some(None) => "a convolution beside it".to_owned(),
            None => maker().unwrap_or_else(|| "the network's input".to_owned()),
        }
    };
    let all = roles.nodes().filter(|(idx, ..)| is_product(*idx) && !done.contains(idx));
    let left = all.map(|(idx, ..)| (name_of(graph, idx), why(idx))).collect();
    Ok(Told { name: "smooth", n_changed: done.len(), what: "products", left })
}
