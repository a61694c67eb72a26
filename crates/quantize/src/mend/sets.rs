//! Sets of values whose channels may be multiplied together: by a number above 0 each, if what makes them is divided
//! by it and what takes them is multiplied.
//!
//! A set grows through all that passes factors on, and through sums of two values; layers and constants of
//! normalizations end it on either side. A set that reaches anything else is left as it is, and it is known why.

use super::layout::{Along, Layout, across, inputs, outputs, step};
use super::{Constants, Slot};
use crate::error::Error;
use crate::roles::{Layer, Role, Roles, operator, weights};
use ir::op::TensorOp;
use ir::op::tensor::Binary;
use ir::{Graph, Node, NodeIdx, ValueIdx};
use std::collections::BTreeMap;

/// Values whose channels share factors.
#[derive(Debug, Default)]
pub(super) struct Set {
    /// Channels.
    pub n: usize,
    /// Layers that make them, and their output channels in the weights.
    pub makers: Vec<(NodeIdx, Along)>,
    /// Constants that are divided with them: biases, scales of normalizations.
    pub shifts: Vec<(Slot, Along)>,
    /// A normalization makes them, not only layers.
    pub is_normalized: bool,
    /// Layers that take them, and their input channels in the weights.
    pub takers: Vec<(NodeIdx, Along, Layout)>,
    /// Why it cannot be changed.
    pub stopped: Option<String>,
}

/// What stops the last layer.
const OUTPUT: &str = "the network's output";

impl Set {
    /// All sets of a network, with a layer behind them or something that stops them.
    pub(super) fn all(roles: &Roles<'_>) -> Vec<Set> {
        let graph = roles.graph();
        let mut work = Work { graph, sets: Vec::new(), of_value: BTreeMap::new() };
        for (idx, node, role) in roles.nodes() {
            work.visit(roles, idx, node, role);
        }
        for &output in graph.outputs() {
            work.stop(output, OUTPUT);
        }
        // Behind the last layer nothing could be changed.
        let is_told = |s: &Set| !s.takers.is_empty() || s.stopped.as_deref().is_some_and(|why| why != OUTPUT);
        work.sets.into_iter().flatten().filter(is_told).collect()
    }

    /// Divides what makes the values by factors, and multiplies the weights that take them: `factors: [n]`.
    pub(super) fn rescale(&self, constants: &mut Constants<'_>, factors: &[f32]) -> Result<(), Error> {
        let inverse: Vec<f32> = factors.iter().map(|s| 1.0 / s).collect();
        for &(layer, along) in &self.makers {
            along.multiply(constants.changed((layer, 1))?, &inverse)?;
        }
        for &(slot, along) in &self.shifts {
            along.multiply(constants.changed(slot)?, &inverse)?;
        }
        for &(layer, along, _) in &self.takers {
            along.multiply(constants.changed((layer, 1))?, factors)?;
        }
        Ok(())
    }
}

struct Work<'g> {
    graph: &'g Graph,
    /// Sets that were joined to another are gone.
    sets: Vec<Option<Set>>,
    of_value: BTreeMap<ValueIdx, (usize, Layout)>,
}

impl<'g> Work<'g> {
    fn visit(&mut self, roles: &Roles<'g>, idx: NodeIdx, node: &'g Node, role: Role) {
        let Some(&y) = node.outputs.first() else { return };
        if let Role::Layer(layer) = role {
            self.take(idx, node, layer);
            self.make(idx, node, layer);
            for value in roles.activations(node).skip(1) {
                self.stop(value, node.op.payload().name());
            }
            return;
        }
        let values: Vec<ValueIdx> = roles.activations(node).collect();
        let op = operator(node);
        match (&values[..], op) {
            (&[a, b], Some(TensorOp::Binary(Binary::Add))) if self.add(a, b, y) => return,
            (&[x], Some(TensorOp::Binary(Binary::Add))) if self.shift(idx, node, x, y) => return,
            (&[x], Some(op)) => {
                if let Some(&(set, at)) = self.of_value.get(&x)
                    && let Some(at) = step(self.graph, node, at)
                {
                    self.of_value.insert(y, (set, at));
                    return;
                }
                self.normalize(idx, node, op, y);
            }
            _ => {}
        }
        let why = match op {
            Some(TensorOp::Binary(Binary::Min | Binary::Max)) => "Clip",
            _ => node.op.payload().name(),
        };
        values.into_iter().for_each(|value| self.stop(value, why));
    }

    /// A layer takes its first input.
    fn take(&mut self, idx: NodeIdx, node: &Node, layer: Layer) {
        let Some(&x) = node.inputs.first() else { return };
        let Some(&(set, at)) = self.of_value.get(&x) else { return };
        let rank = self.graph.value(x).shape.axes().map_or(0, <[_]>::len);
        let along = weights(self.graph, node.inputs.get(1), |_| true)
            .and_then(|tensor| inputs(layer, node, tensor.dims(), at, rank));
        match (along, &mut self.sets[set]) {
            (Some(along), Some(set)) => set.takers.push((idx, along, at)),
            _ => self.stop(x, node.op.payload().name()),
        }
    }

    /// A layer makes its output.
    fn make(&mut self, idx: NodeIdx, node: &Node, layer: Layer) {
        let y = node.outputs[0];
        let Some(rank) = self.graph.value(y).shape.axes().map(<[_]>::len) else { return };
        let Some(tensor) = weights(self.graph, node.inputs.get(1), |_| true) else { return };
        let Some(along) = outputs(layer, node, tensor.dims()) else { return };
        let at = Layout { axis: layer.channel_axis(rank), block: 1, n: layer.n_outputs(tensor, node) };
        let mut set = Set { n: at.n, makers: vec![(idx, along)], ..Set::default() };
        match node.inputs.get(2) {
            None => {}
            Some(&bias) => match self.vector(bias, at.n) {
                Some(along) => set.shifts.push(((idx, 2), along)),
                None => set.stopped = Some("a bias that is no constant of each channel".to_owned()),
            },
        }
        self.open(y, set, at);
    }

    fn open(&mut self, value: ValueIdx, set: Set, at: Layout) {
        self.of_value.insert(value, (self.sets.len(), at));
        self.sets.push(Some(set));
    }

    /// A constant of one number a channel.
    fn vector(&self, constant: ValueIdx, n: usize) -> Option<Along> {
        let tensor = weights(self.graph, Some(&constant), |_| true)?;
        let layout = Layout { axis: 0, block: 1, n };
        (tensor.data().len() == n && tensor.dims().last() == Some(&n)).then_some(layout.alone())
    }

    /// A sum of two values makes one set of theirs.
    fn add(&mut self, a: ValueIdx, b: ValueIdx, y: ValueIdx) -> bool {
        let shape = |v: ValueIdx| self.graph.value(v).shape.axes();
        let (Some(&(first, at)), Some(&(second, other))) = (self.of_value.get(&a), self.of_value.get(&b))
        else {
            return false;
        };
        let rank = |v: ValueIdx| shape(v).map(<[_]>::len);
        if at != other || rank(a) != rank(b) || rank(y) != rank(a) || rank(a).is_none() {
            return false;
        }
        if first != second {
            let Some(more) = self.sets[second].take() else { return false };
            self.of_value.values_mut().filter(|v| v.0 == second).for_each(|v| v.0 = first);
            if let Some(set) = &mut self.sets[first] {
                set.makers.extend(more.makers);
                set.shifts.extend(more.shifts);
                set.takers.extend(more.takers);
                set.is_normalized |= more.is_normalized;
                set.stopped = set.stopped.take().or(more.stopped);
            }
        }
        self.of_value.insert(y, (first, at));
        true
    }

    /// A constant of one number a channel is added.
    fn shift(&mut self, idx: NodeIdx, node: &Node, x: ValueIdx, y: ValueIdx) -> bool {
        let Some(&(set, at)) = self.of_value.get(&x) else { return false };
        let constant = node.inputs.iter().position(|&v| v != x);
        let found = constant.and_then(|slot| Some((slot, across(self.graph, node.inputs[slot], x, at)?)));
        let (Some((slot, along)), Some(own)) = (found, &mut self.sets[set]) else { return false };
        own.shifts.push(((idx, slot), along));
        self.of_value.insert(y, (set, at));
        true
    }

    /// Channels that a normalization, or a product with a constant, gives their size.
    fn normalize(&mut self, idx: NodeIdx, node: &Node, op: &TensorOp, y: ValueIdx) {
        let Some(rank) = self.graph.value(y).shape.axes().map(<[_]>::len) else { return };
        let (slots, axis): (Vec<usize>, usize) = match op {
            TensorOp::BatchNormalization(_) => (vec![1, 2], 1),
            TensorOp::LayerNormalization(_) => ((1..node.inputs.len()).collect(), rank.saturating_sub(1)),
            TensorOp::Binary(Binary::Mul) => {
                let constant = node.inputs.iter().position(|&v| self.graph.constant(v).is_some());
                (constant.into_iter().collect(), rank.saturating_sub(1))
            }
            _ => return,
        };
        let Some(&first) = slots.first() else { return };
        let n = self.graph.constant(node.inputs[first]).map_or(0, |t| t.data().len());
        if n < 2 || self.graph.value(node.inputs[first]).dtype != ir::DType::F32 {
            return;
        }
        let at = Layout { axis, block: 1, n };
        let along: Option<Vec<Along>> = slots.iter().map(|&s| self.vector(node.inputs[s], n)).collect();
        let Some(along) = along else { return };
        let shifts = slots.iter().map(|&slot| (idx, slot)).zip(along).collect();
        self.open(y, Set { n, shifts, is_normalized: true, ..Set::default() }, at);
    }

    fn stop(&mut self, value: ValueIdx, why: &str) {
        if let Some(&(set, _)) = self.of_value.get(&value)
            && let Some(set) = &mut self.sets[set]
        {
            set.stopped.get_or_insert_with(|| why.to_owned());
        }
    }
}
