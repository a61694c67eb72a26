//! A graph written anew: values of the old one and what they are in the new one.

use crate::error::{Error, Kind};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use ir::{DType, Dim, Graph, GraphBuilder, Node, Op, Origin, Tensor, TensorData, ValueIdx};

pub(super) struct Rebuild<'g> {
    old: &'g Graph,
    builder: GraphBuilder,
    /// The new value of an old one.
    values: Vec<Option<ValueIdx>>,
}

impl<'g> Rebuild<'g> {
    /// A graph with the inputs of another.
    pub(super) fn new(old: &'g Graph) -> Result<Rebuild<'g>, Error> {
        let mut rebuild =
            Rebuild { old, builder: GraphBuilder::new(), values: vec![None; old.values().len()] };
        for &idx in old.inputs() {
            let value = old.value(idx);
            let made = rebuild.builder.input(&value.name, value.dtype, value.shape.clone());
            rebuild.values[idx.0 as usize] = Some(made.map_err(|e| ill_formed(&value.name, &e))?);
        }
        Ok(rebuild)
    }

    /// The nodes that outputs hang on, in order.
    pub(super) fn needed(&self) -> Vec<&'g Node> {
        let mut wanted = vec![false; self.old.values().len()];
        self.old.outputs().iter().for_each(|o| wanted[o.0 as usize] = true);
        let mut nodes = Vec::new();
        for node in self.old.nodes().iter().rev() {
            if node.outputs.iter().any(|o| wanted[o.0 as usize]) {
                node.inputs.iter().for_each(|i| wanted[i.0 as usize] = true);
                nodes.push(node);
            }
        }
        nodes.reverse();
        nodes
    }

    pub(super) fn refuse(&self, node: &Node) -> Error {
        Kind::Unsupported { node: node.name.clone(), op: node.op.payload().name(), engine: "tensors" }.into()
    }

    /// The new value of an old one; a constant is written when it is first asked for.
    pub(super) fn value(&mut self, idx: ValueIdx) -> Result<ValueIdx, Error> {
        if let Some(new) = self.values[idx.0 as usize] {
            return Ok(new);
        }
        match &self.old.value(idx).origin {
            Origin::Constant(tensor) => self.constant(idx, tensor.clone()),
            Origin::Input(_) | Origin::Node(_) => {
                let name = self.old.value(idx).name.clone();
                Err(Kind::Input { name, expected: "a value".into(), got: "none".into() }.into())
            }
        }
    }

    pub(super) fn inputs(&mut self, node: &Node) -> Result<Vec<ValueIdx>, Error> {
        node.inputs.iter().map(|&i| self.value(i)).collect()
    }

    /// The old value is another new one.
    pub(super) fn replace(&mut self, old: ValueIdx, new: ValueIdx) {
        self.values[old.0 as usize] = Some(new);
    }

    /// The old value is a constant.
    pub(super) fn constant(&mut self, old: ValueIdx, tensor: Tensor) -> Result<ValueIdx, Error> {
        let name = &self.old.value(old).name;
        let made = self.builder.constant_named(name, tensor).map_err(|e| ill_formed(name, &e))?;
        self.values[old.0 as usize] = Some(made);
        Ok(made)
    }

    /// A constant that the old graph has not, named after a node of it.
    pub(super) fn fresh(&mut self, node: &Node, tensor: Tensor) -> Result<ValueIdx, Error> {
        let taken =
            |name: &str| self.old.values().iter().any(|v| v.name == name) || !self.builder.is_free(name);
        let mut name = alloc::format!("{}:simplified", node.name);
        while taken(&name) {
            name.push('_');
        }
        self.builder.constant_named(&name, tensor).map_err(|e| ill_formed(&name, &e))
    }

    /// A node with the name and the outputs of an old one.
    pub(super) fn node(&mut self, old: &Node, op: Op, inputs: &[ValueIdx]) -> Result<Vec<ValueIdx>, Error> {
        let names: Vec<String> = old.outputs.iter().map(|&o| self.old.value(o).name.clone()).collect();
        let made = self.builder.node_with_outputs(&old.name, op, inputs, &names);
        let made = made.map_err(|e| ill_formed(&old.name, &e))?;
        for (&old, &new) in old.outputs.iter().zip(&made) {
            self.values[old.0 as usize] = Some(new);
        }
        Ok(made)
    }

    pub(super) fn finish(mut self) -> Result<Graph, Error> {
        let outputs = self.old.outputs().iter().map(|&o| self.value(o)).collect::<Result<Vec<_>, _>>()?;
        for (&old, &new) in self.old.outputs().iter().zip(&outputs) {
            let declared = self.builder.declare_shape(new, &self.old.value(old).shape);
            declared.map_err(|e| ill_formed("outputs", &e))?;
        }
        self.builder.finish(&outputs).map_err(|e| ill_formed("outputs", &e))
    }

    // What is known of new values.

    pub(super) fn dtype(&self, value: ValueIdx) -> DType {
        self.builder.dtype(value).unwrap_or(DType::F32)
    }

    pub(super) fn axes(&self, value: ValueIdx) -> Option<Vec<Dim>> {
        self.builder.shape(value)?.axes().map(<[Dim]>::to_vec)
    }

    pub(super) fn tensor(&self, value: ValueIdx) -> Option<&Tensor> {
        match &self.builder.value(value)?.origin {
            Origin::Constant(tensor) => Some(tensor),
            Origin::Input(_) | Origin::Node(_) => None,
        }
    }

    /// The whole numbers of a constant.
    pub(super) fn ints(&self, value: ValueIdx) -> Option<Vec<i64>> {
        match self.tensor(value)?.data() {
            TensorData::I64(v) => Some(v.clone()),
            TensorData::I32(v) => Some(v.iter().map(|&x| x.into()).collect()),
            _ => None,
        }
    }
}

/// A refusal of the builder.
fn ill_formed(name: &str, error: &ir::Error) -> Error {
    match error.kind().clone() {
        ir::Kind::Node { node, op, what, expected, got } => Kind::Node { node, op, what, expected, got },
        other => Kind::Input {
            name: name.into(),
            expected: "a graph that is well formed".into(),
            got: other.to_string(),
        },
    }
    .into()
}
