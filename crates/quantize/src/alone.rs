//! What one layer alone does to the outputs, while all others stay floats.
//!
//! All that comes before the layer is computed once, for all variants of all layers: a variant costs the layer and what
//! comes behind it, on a few rows.

use crate::Levels;
use crate::decisions::{Decisions, StoredWeights};
use crate::effect::{Effect, effect};
use crate::error::Error;
use crate::places::Places;
use crate::qdq::qdq;
use crate::roles::Roles;
use crate::segments::Frontier;
use ir::{NodeIdx, Tensor, ValueIdx};

/// A network at the layer that is looked at.
pub struct Alone<'r, 'g> {
    roles: &'r Roles<'g>,
    /// What the float network gives.
    outputs: Vec<Tensor>,
    frontier: Frontier,
}

/// What is tried at a layer: its own decisions, with another grid for what it takes, or other weights.
#[derive(Clone, Default)]
pub struct Variant {
    /// The grid of its input; that of the decisions if `None`.
    pub input: Option<Levels>,
    /// Its weights; those of the decisions if `None`.
    pub weights: Option<StoredWeights>,
}

impl<'r, 'g> Alone<'r, 'g> {
    /// At the inputs of the network.
    ///
    /// # Errors
    /// The network does not run on them.
    pub fn start(roles: &'r Roles<'g>, inputs: &[(String, Tensor)]) -> Result<Alone<'r, 'g>, Error> {
        let frontier = Frontier::start(roles.graph(), inputs)?;
        let outputs = frontier.outputs(roles.graph(), roles.graph().outputs())?;
        Ok(Alone { roles, outputs, frontier })
    }

    /// Goes on to the node before a layer.
    ///
    /// # Errors
    /// The network does not run.
    pub fn advance_to(&mut self, layer: NodeIdx) -> Result<(), Error> {
        match layer.0.checked_sub(1) {
            Some(before) => self.frontier.advance(self.roles.graph(), NodeIdx(before)),
            None => Ok(()),
        }
    }

    /// A value that lies before the layer.
    pub fn value(&self, value: ValueIdx) -> Option<&Tensor> {
        self.frontier.get(value)
    }

    /// The outputs with this layer quantized and all others as they were.
    ///
    /// # Errors
    /// The network does not run.
    pub fn effect(&self, layer: NodeIdx, decisions: &Decisions, variant: &Variant) -> Result<Effect, Error> {
        let graph = self.roles.graph();
        let Some(node) = graph.nodes().get(layer.0 as usize) else { return Ok(Effect::default()) };
        let places = Places::of(self.roles, &|idx| idx != layer);
        let mut only = Decisions { places, ..Decisions::default() };
        for (value, group) in only.places.values() {
            let own = decisions.levels(value).or_else(|| decisions.levels(group)).cloned();
            let is_input = node.inputs.first() == Some(&value);
            if let Some(levels) = variant.input.clone().filter(|_| is_input).or(own) {
                only.grids.insert(group, levels);
            }
        }
        let weights = variant.weights.clone().or_else(|| decisions.weights.get(&layer).cloned());
        only.weights.extend(weights.map(|w| (layer, w)));
        if let Some(bias) = decisions.biases.get(&layer) {
            only.biases.insert(layer, bias.clone());
        }
        let rounded = qdq(self.roles, &only)?;
        let outputs = self.frontier.moved(graph, &rounded).outputs(&rounded, rounded.outputs())?;
        Ok(effect(&self.outputs, &outputs))
    }
}
