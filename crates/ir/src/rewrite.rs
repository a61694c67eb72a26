//! A graph written anew: values of the old one and what they are in the new one.

use crate::{
    DType, Dim, Error, Graph, GraphBuilder, Kind, Node, Op, Origin, Shape, Tensor, TensorData, ValueIdx,
};
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

/// Writes a graph anew, node by node: nodes are copied, replaced, left out or added; names stay.
pub struct Rewrite<'g> {
    old: &'g Graph,
    builder: GraphBuilder,
    /// The new value of an old one.
    values: Vec<Option<ValueIdx>>,
    /// Names of the old graph.
    names: BTreeSet<&'g str>,
}

impl<'g> Rewrite<'g> {
    /// A graph with the inputs of another.
    ///
    /// # Errors
    /// None but those of a graph that is not well formed.
    pub fn new(old: &'g Graph) -> Result<Rewrite<'g>, Error> {
        Rewrite::from_values(old, old.inputs())
    }

    /// The part of a graph that comes behind some of its values, which the caller will give.
    ///
    /// # Errors
    /// A value that is named twice, or of no graph.
    pub fn from_values(old: &'g Graph, inputs: &[ValueIdx]) -> Result<Rewrite<'g>, Error> {
        let names = old.values().iter().map(|v| &v.name[..]).collect();
        let values = vec![None; old.values().len()];
        let mut rewrite = Rewrite { old, builder: GraphBuilder::new(), values, names };
        for &idx in inputs {
            let value = old.values().get(idx.0 as usize).ok_or_else(|| lost("input", &idx.0))?;
            let made = rewrite.builder.input(&value.name, value.dtype, value.shape.clone())?;
            rewrite.replace(idx, made);
        }
        Ok(rewrite)
    }

    /// The nodes that outputs hang on, in order.
    pub fn needed(&self) -> Vec<&'g Node> {
        self.needed_for(self.old.outputs())
    }

    /// The nodes that some values hang on, in order; none that only values hang on which are given.
    pub fn needed_for(&self, outputs: &[ValueIdx]) -> Vec<&'g Node> {
        self.old.needed(outputs, |value| self.values[value.0 as usize].is_some())
    }

    /// The new value of an old one; a constant is written when it is first asked for.
    ///
    /// # Errors
    /// A value whose node has not been written.
    pub fn value(&mut self, idx: ValueIdx) -> Result<ValueIdx, Error> {
        if let Some(new) = self.values[idx.0 as usize] {
            return Ok(new);
        }
        match &self.old.value(idx).origin {
            Origin::Constant(tensor) => self.constant(idx, tensor.clone()),
            Origin::Input(_) | Origin::Node(_) => Err(lost("value", &self.old.value(idx).name)),
        }
    }

    /// The new values of a node's inputs.
    ///
    /// # Errors
    /// As [`Rewrite::value`].
    pub fn inputs(&mut self, node: &Node) -> Result<Vec<ValueIdx>, Error> {
        node.inputs.iter().map(|&i| self.value(i)).collect()
    }

    /// The new value of an old one, if it has one by now.
    pub fn written(&self, old: ValueIdx) -> Option<ValueIdx> {
        self.values.get(old.0 as usize).copied().flatten()
    }

    /// From here on, the old value is another new one.
    pub fn replace(&mut self, old: ValueIdx, new: ValueIdx) {
        self.values[old.0 as usize] = Some(new);
    }

    /// The old value is a constant.
    ///
    /// # Errors
    /// As [`GraphBuilder::constant_named`].
    pub fn constant(&mut self, old: ValueIdx, tensor: impl Into<Arc<Tensor>>) -> Result<ValueIdx, Error> {
        let made = self.builder.constant_named(&self.old.value(old).name, tensor)?;
        self.replace(old, made);
        Ok(made)
    }

    /// A constant that the old graph has not, of this name or one like it.
    ///
    /// # Errors
    /// As [`GraphBuilder::constant_named`].
    pub fn fresh(&mut self, name: &str, tensor: impl Into<Arc<Tensor>>) -> Result<ValueIdx, Error> {
        self.builder.constant_named(&self.free(name), tensor)
    }

    /// A node that the old graph has not, of one output, of this name or one like it.
    ///
    /// # Errors
    /// As [`GraphBuilder::node_named`].
    pub fn add(&mut self, name: &str, op: Op, inputs: &[ValueIdx]) -> Result<ValueIdx, Error> {
        self.add_all(name, op, inputs)?.first().copied().ok_or_else(|| lost("output", &name))
    }

    /// The same of any number of outputs.
    ///
    /// # Errors
    /// As [`Rewrite::add`].
    pub fn add_all(&mut self, name: &str, op: Op, inputs: &[ValueIdx]) -> Result<Vec<ValueIdx>, Error> {
        self.builder.node_named(&self.free(name), op, inputs)
    }

    /// A node with the name and the outputs of an old one.
    ///
    /// # Errors
    /// As [`GraphBuilder::node_with_outputs`].
    pub fn node(&mut self, old: &Node, op: Op, inputs: &[ValueIdx]) -> Result<Vec<ValueIdx>, Error> {
        let names: Vec<String> = old.outputs.iter().map(|&o| self.old.value(o).name.clone()).collect();
        let made = self.builder.node_with_outputs(&old.name, op, inputs, &names)?;
        for (&old, &new) in old.outputs.iter().zip(&made) {
            self.replace(old, new);
        }
        Ok(made)
    }

    /// A node as it was.
    ///
    /// # Errors
    /// As [`Rewrite::node`], [`Rewrite::value`].
    pub fn copy(&mut self, node: &Node) -> Result<Vec<ValueIdx>, Error> {
        let inputs = self.inputs(node)?;
        self.node(node, node.op.clone(), &inputs)
    }

    /// Gives a new value another name.
    ///
    /// # Errors
    /// As [`GraphBuilder::rename`].
    pub fn rename(&mut self, value: ValueIdx, name: &str) -> Result<(), Error> {
        self.builder.rename(value, name)
    }

    /// The graph, with the outputs of the old one.
    ///
    /// # Errors
    /// An output whose node has not been written.
    pub fn finish(self) -> Result<Graph, Error> {
        let outputs = self.old.outputs();
        self.finish_at(outputs)
    }

    /// The graph that gives some values of the old one.
    ///
    /// # Errors
    /// As [`Rewrite::finish`].
    pub fn finish_at(mut self, outputs: &[ValueIdx]) -> Result<Graph, Error> {
        let made = outputs.iter().map(|&o| self.value(o)).collect::<Result<Vec<_>, _>>()?;
        for (&old, &new) in outputs.iter().zip(&made) {
            self.builder.declare_shape(new, &self.old.value(old).shape)?;
        }
        self.builder.finish(&made)
    }

    /// A name that neither graph has.
    fn free(&self, name: &str) -> String {
        let taken = |name: &str| self.names.contains(name) || !self.builder.is_free(name);
        let mut name = name.to_string();
        while taken(&name) {
            name.push('_');
        }
        name
    }

    // What is known of new values.

    /// Storage type.
    pub fn dtype(&self, value: ValueIdx) -> DType {
        self.builder.dtype(value).unwrap_or(DType::F32)
    }

    /// Shape, if the value is one of the new graph.
    pub fn shape(&self, value: ValueIdx) -> Option<&Shape> {
        self.builder.shape(value)
    }

    /// Axes, where their number is known.
    pub fn axes(&self, value: ValueIdx) -> Option<Vec<Dim>> {
        self.builder.shape(value)?.axes().map(<[Dim]>::to_vec)
    }

    /// The constant behind a new value.
    pub fn tensor(&self, value: ValueIdx) -> Option<&Tensor> {
        match &self.builder.value(value)?.origin {
            Origin::Constant(tensor) => Some(tensor),
            Origin::Input(_) | Origin::Node(_) => None,
        }
    }

    /// The whole numbers of a constant.
    pub fn ints(&self, value: ValueIdx) -> Option<Vec<i64>> {
        match self.tensor(value)?.data() {
            TensorData::I64(v) => Some(v.clone()),
            TensorData::I32(v) => Some(v.iter().map(|&x| x.into()).collect()),
            _ => None,
        }
    }
}

fn lost(what: &str, name: &dyn ToString) -> Error {
    let (what, got) = (alloc::format!("{what} \"{}\"", name.to_string()), "none".to_string());
    Kind::Graph { what, expected: "a value that is written by then".to_string(), got }.into()
}
