//! A network in segments: values that are known, a few more nodes, the values that come next.
//!
//! Whoever changes one layer after the other runs each node once, since all that was computed before it is kept; and
//! whoever asks what one layer alone does to the outputs runs only what comes behind it.

use crate::error::Error;
use ir::{Graph, NodeIdx, Origin, Rewrite, Tensor, ValueIdx};
use runtime::tensors::{Limits, run};
use std::collections::{BTreeMap, BTreeSet};

/// Values of a network for some rows, those that nodes to come will take.
#[derive(Clone)]
pub struct Frontier {
    held: BTreeMap<ValueIdx, Tensor>,
    /// The first node that has not run.
    next: u32,
}

impl Frontier {
    /// Before the first node.
    ///
    /// # Errors
    /// Inputs that are not those of the graph.
    pub fn start(graph: &Graph, inputs: &[(String, Tensor)]) -> Result<Frontier, Error> {
        let mut held = BTreeMap::new();
        for &idx in graph.inputs() {
            let name = &graph.value(idx).name;
            let given = inputs.iter().find(|(n, _)| n == name).map(|(_, t)| t.clone());
            held.insert(
                idx,
                given
                    .ok_or_else(|| crate::error::misfit("inputs", format!("one named \"{name}\""), "none"))?,
            );
        }
        Ok(Frontier { held, next: 0 })
    }

    /// Any values of a network.
    pub fn of(held: BTreeMap<ValueIdx, Tensor>) -> Frontier {
        Frontier { held, next: 0 }
    }

    /// Holds a value no longer.
    pub fn take(&mut self, value: ValueIdx) -> Option<Tensor> {
        self.held.remove(&value)
    }

    /// A value that is held.
    pub fn get(&self, value: ValueIdx) -> Option<&Tensor> {
        self.held.get(&value)
    }

    /// The same values in another form of the network, which knows them by the same names.
    pub fn moved(&self, from: &Graph, to: &Graph) -> Frontier {
        let moved = |(&value, tensor): (&ValueIdx, &Tensor)| {
            to.find(&from.value(value).name).map(|new| (new, tensor.clone()))
        };
        Frontier { held: self.held.iter().filter_map(moved).collect(), next: 0 }
    }

    /// Another tensor for a value that is held.
    pub fn set(&mut self, value: ValueIdx, tensor: Tensor) {
        self.held.insert(value, tensor);
    }

    /// Runs all nodes up to `last` and it too; drops what nobody will take.
    ///
    /// # Errors
    /// As [`run`].
    pub fn advance(&mut self, graph: &Graph, last: NodeIdx) -> Result<(), Error> {
        if last.0 < self.next {
            return Ok(());
        }
        let end = last.0 as usize + 1;
        let mut live: Vec<ValueIdx> = graph.nodes()[end..].iter().flat_map(|n| n.inputs.clone()).collect();
        live.extend(graph.outputs());
        live.extend(&graph.nodes()[last.0 as usize].outputs);
        live.sort_unstable();
        live.dedup();
        let is_made = |v: &ValueIdx| match graph.value(*v).origin {
            Origin::Node(node) => (self.next..=last.0).contains(&node.0),
            Origin::Input(_) | Origin::Constant(_) => false,
        };
        let made: Vec<ValueIdx> = live.iter().copied().filter(is_made).collect();
        let tensors = self.outputs(graph, &made)?;
        self.held.retain(|value, _| live.binary_search(value).is_ok());
        self.held.extend(made.into_iter().zip(tensors));
        self.next = last.0 + 1;
        Ok(())
    }

    /// Some values further on, from what is held; the frontier stays where it is.
    ///
    /// # Errors
    /// As [`run`].
    pub fn outputs(&self, graph: &Graph, wanted: &[ValueIdx]) -> Result<Vec<Tensor>, Error> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let held: Vec<ValueIdx> = self.held.keys().copied().collect();
        let needed = Rewrite::from_values(graph, &held)?.needed_for(wanted);
        // Only what is taken is handed on.
        let taken: BTreeSet<ValueIdx> =
            needed.iter().flat_map(|n| &n.inputs).chain(wanted).copied().collect();
        let given: Vec<ValueIdx> = held.into_iter().filter(|v| taken.contains(v)).collect();
        let mut rewrite = Rewrite::from_values(graph, &given)?;
        for node in needed {
            rewrite.copy(node)?;
        }
        let part = rewrite.finish_at(wanted)?;
        let named = part.inputs().iter().zip(&given);
        let inputs =
            named.map(|(&new, old)| (part.value(new).name.clone(), self.held[old].clone())).collect();
        Ok(run(&part, inputs, Limits::default())?)
    }
}
