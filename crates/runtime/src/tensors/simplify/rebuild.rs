//! A graph written anew: values of the old one and what they are in the new one.

use crate::error::{Error, Kind};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use ir::{DType, Dim, Graph, GraphBuilder, Node, Op, Origin, Shape, Tensor, TensorData, ValueIdx};

pub(super) struct Rebuild {
    /// Names of the old values.
    names: Vec<String>,
    /// The old constants; those that were taken are no more.
    constants: Vec<Option<Arc<Tensor>>>,
    outputs: Vec<ValueIdx>,
    /// Shapes of the outputs, as the old graph knows them.
    declared: Vec<Shape>,
    builder: GraphBuilder,
    /// The new value of an old one.
    values: Vec<Option<ValueIdx>>,
}

impl Rebuild {
    /// A graph with the inputs of another, and of that the nodes that outputs hang on with their places, in order.
    pub(super) fn new(old: Graph) -> Result<(Rebuild, Vec<(usize, Node)>), Error> {
        let ir::Parts { values, nodes, inputs, outputs } = old.into_parts();
        let mut builder = GraphBuilder::new();
        let mut new = vec![None; values.len()];
        for idx in inputs {
            let value = &values[idx.0 as usize];
            let made = builder.input(&value.name, value.dtype, value.shape.clone());
            new[idx.0 as usize] = Some(made.map_err(|e| ill_formed(&value.name, &e))?);
        }
        let declared = outputs.iter().map(|&o| values[o.0 as usize].shape.clone()).collect();
        let mut wanted = vec![false; values.len()];
        outputs.iter().for_each(|o| wanted[o.0 as usize] = true);
        let mut needed = Vec::new();
        for (at, node) in nodes.into_iter().enumerate().rev() {
            if node.outputs.iter().any(|o| wanted[o.0 as usize]) {
                node.inputs.iter().for_each(|i| wanted[i.0 as usize] = true);
                needed.push((at, node));
            }
        }
        needed.reverse();
        let (mut names, mut constants) = (Vec::with_capacity(values.len()), Vec::with_capacity(values.len()));
        for value in values {
            names.push(value.name);
            constants.push(if let Origin::Constant(tensor) = value.origin { Some(tensor) } else { None });
        }
        Ok((Rebuild { names, constants, outputs, declared, builder, values: new }, needed))
    }

    pub(super) fn refuse(&self, node: &Node) -> Error {
        Kind::Unsupported { node: node.name.clone(), op: node.op.payload().name(), engine: "tensors" }.into()
    }

    pub(super) fn is_output(&self, old: ValueIdx) -> bool {
        self.outputs.contains(&old)
    }

    /// The new value of an old one; a constant is written when it is first asked for.
    pub(super) fn value(&mut self, idx: ValueIdx) -> Result<ValueIdx, Error> {
        if let Some(new) = self.values[idx.0 as usize] {
            return Ok(new);
        }
        match self.constants[idx.0 as usize].clone() {
            Some(tensor) => self.constant(idx, tensor),
            None => {
                let name = self.names[idx.0 as usize].clone();
                Err(Kind::Input { name, expected: "a value".into(), got: "none".into() }.into())
            }
        }
    }

    /// An old constant that nothing else takes.
    pub(super) fn take(&mut self, idx: ValueIdx) -> Option<Arc<Tensor>> {
        self.constants[idx.0 as usize].take()
    }

    /// An old constant as it stands.
    pub(super) fn old_constant(&self, idx: ValueIdx) -> Option<Arc<Tensor>> {
        self.constants[idx.0 as usize].clone()
    }

    pub(super) fn inputs(&mut self, node: &Node) -> Result<Vec<ValueIdx>, Error> {
        node.inputs.iter().map(|&i| self.value(i)).collect()
    }

    /// The old value is another new one.
    pub(super) fn replace(&mut self, old: ValueIdx, new: ValueIdx) {
        self.values[old.0 as usize] = Some(new);
    }

    /// The old value is a constant.
    pub(super) fn constant(
        &mut self,
        old: ValueIdx,
        tensor: impl Into<Arc<Tensor>>,
    ) -> Result<ValueIdx, Error> {
        let name = &self.names[old.0 as usize];
        let made = self.builder.constant_named(name, tensor).map_err(|e| ill_formed(name, &e))?;
        self.values[old.0 as usize] = Some(made);
        Ok(made)
    }

    /// A constant that the old graph has not, named after a node of it.
    pub(super) fn fresh(&mut self, node: &Node, tensor: Tensor) -> Result<ValueIdx, Error> {
        let taken = |name: &str| self.names.iter().any(|n| n == name) || !self.builder.is_free(name);
        let mut name = alloc::format!("{}:simplified", node.name);
        while taken(&name) {
            name.push('_');
        }
        self.builder.constant_named(&name, tensor).map_err(|e| ill_formed(&name, &e))
    }

    /// A node with the name and the outputs of an old one.
    pub(super) fn node(&mut self, old: &Node, op: Op, inputs: &[ValueIdx]) -> Result<Vec<ValueIdx>, Error> {
        let names: Vec<String> = old.outputs.iter().map(|&o| self.names[o.0 as usize].clone()).collect();
        let made = self.builder.node_with_outputs(&old.name, op, inputs, &names);
        let made = made.map_err(|e| ill_formed(&old.name, &e))?;
        for (&old, &new) in old.outputs.iter().zip(&made) {
            self.values[old.0 as usize] = Some(new);
        }
        Ok(made)
    }

    pub(super) fn finish(mut self) -> Result<Graph, Error> {
        let outputs = core::mem::take(&mut self.outputs);
        let outputs = outputs.into_iter().map(|o| self.value(o)).collect::<Result<Vec<_>, _>>()?;
        for (&new, shape) in outputs.iter().zip(&self.declared) {
            self.builder.declare_shape(new, shape).map_err(|e| ill_formed("outputs", &e))?;
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

    /// The lengths that a value holds as numbers.
    pub(super) fn lengths(&self, value: ValueIdx) -> Option<&[Dim]> {
        self.builder.lengths(value)
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
