//! The graph: values and nodes in SSA form.
//!
//! Fields are private and there is one way in, [`crate::GraphBuilder`], which checks each node as it
//! is added; so a `Graph` that exists is well formed: nodes stand in topological order, every value
//! has one origin, and dtypes and shapes agree.

use crate::{DType, Op, Shape, Tensor};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

/// Index of a value of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueIdx(pub u32);

/// Index of a node of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeIdx(pub u32);

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// The caller gives it; the number is its position among the inputs.
    Input(u32),
    /// It is part of the model; graphs made of one another share it.
    Constant(Arc<Tensor>),
    /// A node computes it.
    Node(NodeIdx),
}

/// A value: what flows along an edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Unique in the graph.
    pub name: String,
    /// Storage type.
    pub dtype: DType,
    /// Shape.
    pub shape: Shape,
    /// Where it comes from.
    pub origin: Origin,
}

/// A node: an operator applied to values.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Unique in the graph.
    pub name: String,
    /// The operator and its attributes.
    pub op: Op,
    /// What it takes.
    pub inputs: Vec<ValueIdx>,
    /// What it makes.
    pub outputs: Vec<ValueIdx>,
}

/// Values and nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    pub(crate) values: Vec<Value>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) inputs: Vec<ValueIdx>,
    pub(crate) outputs: Vec<ValueIdx>,
}

/// What a graph was made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// All values, by index.
    pub values: Vec<Value>,
    /// Nodes in topological order.
    pub nodes: Vec<Node>,
    /// What the caller gave, in order.
    pub inputs: Vec<ValueIdx>,
    /// What the caller got, in order.
    pub outputs: Vec<ValueIdx>,
}

impl Graph {
    /// The graph taken apart, for who makes another one of it and needs no constant twice.
    pub fn into_parts(self) -> Parts {
        let Graph { values, nodes, inputs, outputs } = self;
        Parts { values, nodes, inputs, outputs }
    }

    /// All values, by index.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// A value of this graph.
    pub fn value(&self, idx: ValueIdx) -> &Value {
        &self.values[idx.0 as usize]
    }

    /// The value of a name; names are unique.
    pub fn find(&self, name: &str) -> Option<ValueIdx> {
        self.values.iter().zip(0..).find(|(value, _)| value.name == name).map(|(_, at)| ValueIdx(at))
    }

    /// Nodes in topological order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// What the caller gives, in order.
    pub fn inputs(&self) -> &[ValueIdx] {
        &self.inputs
    }

    /// What the caller gets, in order.
    pub fn outputs(&self) -> &[ValueIdx] {
        &self.outputs
    }

    /// True if every machine computes the same bits.
    pub fn is_exact(&self) -> bool {
        self.nodes.iter().all(|node| node.op.payload().is_exact())
    }

    /// The nodes that some values hang on, in order; none that only values hang on which are given.
    pub fn needed(&self, outputs: &[ValueIdx], is_given: impl Fn(ValueIdx) -> bool) -> Vec<&Node> {
        let mut wanted = vec![false; self.values.len()];
        outputs.iter().for_each(|o| wanted[o.0 as usize] = true);
        let mut nodes = Vec::new();
        for node in self.nodes.iter().rev() {
            if node.outputs.iter().any(|&o| wanted[o.0 as usize] && !is_given(o)) {
                node.inputs.iter().for_each(|i| wanted[i.0 as usize] = true);
                nodes.push(node);
            }
        }
        nodes.reverse();
        nodes
    }

    /// The node that makes a value; none for an input or a constant.
    pub fn maker(&self, idx: ValueIdx) -> Option<&Node> {
        match &self.value(idx).origin {
            Origin::Node(node) => self.nodes.get(node.0 as usize),
            Origin::Input(_) | Origin::Constant(_) => None,
        }
    }

    /// The constant behind a value, if it is one.
    pub fn constant(&self, idx: ValueIdx) -> Option<&Tensor> {
        match &self.value(idx).origin {
            Origin::Constant(tensor) => Some(tensor),
            Origin::Input(_) | Origin::Node(_) => None,
        }
    }
}
