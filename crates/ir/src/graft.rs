//! Nodes of graphs written into one that others write to as well.
//!
//! [`crate::Rewrite`] makes one graph of another and keeps its names; here whoever has the builder adds inputs and nodes
//! too, so nodes are named anew, and the same operator on the same values is not made twice.

use crate::{Error, Graph, GraphBuilder, Kind, Node, Op, Origin, ValueIdx};
use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec::Vec;

/// What the values of a graph are in another one.
pub struct Graft<'g> {
    graph: &'g Graph,
    values: BTreeMap<ValueIdx, ValueIdx>,
}

impl<'g> Graft<'g> {
    /// Nothing is written yet.
    pub fn new(graph: &'g Graph) -> Graft<'g> {
        Graft { graph, values: BTreeMap::new() }
    }

    /// The new value of an old one, if it has one by now.
    pub fn written(&self, old: ValueIdx) -> Option<ValueIdx> {
        self.values.get(&old).copied()
    }

    /// From here on, the old value is this new one.
    pub fn put(&mut self, old: ValueIdx, new: ValueIdx) {
        self.values.insert(old, new);
    }

    /// The new value of an old one; a constant is written when it is first asked for.
    ///
    /// # Errors
    /// An input that was not put, a value whose node has not been written.
    pub fn value(&mut self, builder: &mut GraphBuilder, old: ValueIdx) -> Result<ValueIdx, Error> {
        if let Some(known) = self.written(old) {
            return Ok(known);
        }
        let value = self.graph.value(old);
        let Origin::Constant(tensor) = &value.origin else {
            let (what, got) = (alloc::format!("value \"{}\"", value.name), "none".to_string());
            let expected = "a value that is written by then".to_string();
            return Err(Kind::Graph { what, expected, got }.into());
        };
        let new = builder.constant(tensor.clone())?;
        self.put(old, new);
        Ok(new)
    }

    /// A node of one output, with the operator that it is or another one, on new values.
    ///
    /// # Errors
    /// As [`GraphBuilder::node`].
    pub fn node(
        &mut self,
        builder: &mut GraphBuilder,
        old: &Node,
        op: Op,
        inputs: &[ValueIdx],
    ) -> Result<ValueIdx, Error> {
        let made = builder.node(op, inputs)?;
        if let Some(&output) = old.outputs.first() {
            self.put(output, made);
        }
        Ok(made)
    }

    /// A node as it was.
    ///
    /// # Errors
    /// As [`Graft::node`], [`Graft::value`].
    pub fn copy(&mut self, builder: &mut GraphBuilder, node: &Node) -> Result<ValueIdx, Error> {
        let inputs = node.inputs.iter().map(|&i| self.value(builder, i)).collect::<Result<Vec<_>, _>>()?;
        self.node(builder, node, node.op.clone(), &inputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{Cast, Function};
    use crate::{DType, Shape};

    fn graph(functions: &[Function]) -> Graph {
        let mut b = GraphBuilder::new();
        let x = b.input("x", DType::I64, Shape::rows()).unwrap();
        let mut y = b.node(Op::Cast(Cast), &[x]).unwrap();
        for &function in functions {
            y = b.node(Op::Function(function), &[y]).unwrap();
        }
        b.finish(&[y]).unwrap()
    }

    #[test]
    fn graphs_meet_in_one() {
        let (short, long) = (graph(&[Function::Neg]), graph(&[Function::Neg, Function::Abs]));
        let mut builder = GraphBuilder::new();
        let x = builder.input("x", DType::I64, Shape::rows()).unwrap();
        let outputs = [&short, &long].map(|graph| {
            let mut graft = Graft::new(graph);
            graft.put(graph.inputs()[0], x);
            for node in graph.needed(graph.outputs(), |_| false) {
                graft.copy(&mut builder, node).unwrap();
            }
            graft.value(&mut builder, graph.outputs()[0]).unwrap()
        });
        let both = builder.finish(&outputs).unwrap();
        assert_eq!(both.nodes().len(), 3);
        assert_eq!(both.nodes()[2].inputs, [outputs[0]]);
    }

    #[test]
    fn a_value_that_nobody_wrote_is_told() {
        let graph = graph(&[]);
        let error = Graft::new(&graph).value(&mut GraphBuilder::new(), graph.outputs()[0]).unwrap_err();
        assert!(error.to_string().contains("a value that is written by then"), "{error}");
    }
}
