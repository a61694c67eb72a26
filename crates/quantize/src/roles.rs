//! What each node of a network is to a quantizer.

use ir::op::TensorOp;
use ir::op::tensor::{
    ActivationKind, Binary, Gather, Pad, PadMode, Pool, PoolKind, Reduce, ReduceKind, Resize, Sampling, Unary,
};
use ir::{DType, Graph, Node, NodeIdx, Op, Origin, Tensor, TensorData, ValueIdx};
use std::collections::BTreeMap;

/// What a node is to a quantizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A product with constant weights: its input and its weights become integers.
    Layer(Layer),
    /// A constant added to each channel of a layer's output: the layer's bias.
    Bias,
    /// Two values or more to one on a grid of its own: sums, products, joined tensors, means.
    Joint(Joint),
    /// Elements moved or chosen: the output has the grid of the input.
    Passing,
    /// A function of one value, element by element: a table of 256 entries in integers.
    Curve,
    /// What stays as it is: floats that no integer form has, whole numbers, truths.
    Other,
}

/// A product with constant weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// `Conv`: weights `[M, C / group, ..]`.
    Conv,
    /// `ConvTranspose`: weights `[C, M / group, ..]`.
    ConvTranspose,
    /// `Gemm` with a constant `b`, `[K, M]` or transposed.
    Gemm,
    /// `MatMul` with a constant `[K, M]` on the right.
    MatMul,
}

impl Layer {
    /// The axis of the weights that outputs follow.
    pub fn output_axis(self, node: &Node) -> usize {
        match (self, operator(node)) {
            (Layer::Conv, _) => 0,
            (Layer::Gemm, Some(TensorOp::Gemm(gemm))) if gemm.transpose_b => 0,
            _ => 1,
        }
    }

    /// The axis of the output on which channels stand.
    pub fn channel_axis(self, rank: usize) -> usize {
        match self {
            Layer::Conv | Layer::ConvTranspose => 1,
            Layer::Gemm | Layer::MatMul => rank.saturating_sub(1),
        }
    }

    /// Number of outputs, or channels of the output.
    pub fn n_outputs(self, weights: &Tensor, node: &Node) -> usize {
        let own = weights.dims().get(self.output_axis(node)).copied().unwrap_or(0);
        match operator(node) {
            Some(TensorOp::ConvTranspose(op)) => own * op.group,
            _ => own,
        }
    }
}

/// What makes one value of several, or of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// `Add`.
    Add,
    /// `Mul` of two values.
    Mul,
    /// `MatMul` of two values.
    Product,
    /// `Concat`.
    Concat,
    /// The mean of a window.
    AveragePool,
    /// The mean over axes.
    Mean,
}

/// Roles of all nodes, and how often values are taken.
pub struct Roles<'g> {
    graph: &'g Graph,
    roles: Vec<Role>,
    uses: Vec<usize>,
    /// For an output of a curve, the value that it is a function of.
    roots: BTreeMap<ValueIdx, ValueIdx>,
}

impl<'g> Roles<'g> {
    /// Looks at every node once.
    pub fn of(graph: &'g Graph) -> Roles<'g> {
        let mut uses = vec![0; graph.values().len()];
        let taken = graph.nodes().iter().flat_map(|n| &n.inputs).chain(graph.outputs());
        taken.for_each(|idx| uses[idx.0 as usize] += 1);
        let mut roles = Roles { graph, roles: Vec::new(), uses, roots: BTreeMap::new() };
        for node in graph.nodes() {
            let role = role(graph, node);
            if let (Role::Curve, Some(root), [output]) = (role, roles.root(node), &node.outputs[..]) {
                roles.roots.insert(*output, root);
            }
            roles.roles.push(role);
        }
        for (at, node) in graph.nodes().iter().enumerate() {
            if roles.is_bias(node) {
                roles.roles[at] = Role::Bias;
                roles.roots.retain(|value, _| !node.outputs.contains(value));
            }
        }
        // A function of two values, or of a constant alone, is none of one.
        for (role, node) in roles.roles.iter_mut().zip(graph.nodes()) {
            if *role == Role::Curve && !node.outputs.iter().all(|o| roles.roots.contains_key(o)) {
                *role = joint(graph, node).map_or(Role::Other, Role::Joint);
            }
        }
        roles
    }

    /// The graph that was looked at.
    pub fn graph(&self) -> &'g Graph {
        self.graph
    }

    /// Role of a node.
    pub fn role(&self, node: NodeIdx) -> Role {
        self.roles.get(node.0 as usize).copied().unwrap_or(Role::Other)
    }

    /// Nodes with their roles, in order.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = (NodeIdx, &'g Node, Role)> + '_ {
        let each = (0u32..).map(NodeIdx).take(self.roles.len()).collect::<Vec<_>>();
        each.into_iter().zip(self.graph.nodes()).map(|(idx, node)| (idx, node, self.role(idx)))
    }

    /// The node that makes a value, and its role.
    pub fn maker(&self, value: ValueIdx) -> Option<(NodeIdx, &'g Node, Role)> {
        match &self.graph.value(value).origin {
            Origin::Node(idx) => Some((*idx, &self.graph.nodes()[idx.0 as usize], self.role(*idx))),
            Origin::Input(_) | Origin::Constant(_) => None,
        }
    }

    /// True if a value is taken exactly once; outputs of the graph count as taken.
    pub fn is_taken_once(&self, value: ValueIdx) -> bool {
        self.uses[value.0 as usize] == 1
    }

    /// The value that an output of a curve is a function of.
    pub fn root_of(&self, value: ValueIdx) -> Option<ValueIdx> {
        self.roots.get(&value).copied()
    }

    /// Bounds that a curve puts on its root, if it does no more than that: `Relu`, `Clip`.
    pub fn bounds(&self, output: ValueIdx) -> Option<(f64, f64)> {
        let root = self.root_of(output)?;
        let (mut low, mut high, mut at) = (f64::NEG_INFINITY, f64::INFINITY, output);
        while at != root {
            let (_, node, _) = self.maker(at)?;
            let TensorOp::Activation(a) = operator(node)? else {
                let TensorOp::Binary(kind @ (Binary::Min | Binary::Max)) = operator(node)? else {
                    return None;
                };
                let &[a, b] = &node.inputs[..] else { return None };
                let (x, bound) = match (number(self.graph, a), number(self.graph, b)) {
                    (None, Some(bound)) => (a, bound),
                    (Some(bound), None) => (b, bound),
                    _ => return None,
                };
                // What comes later was noted first, and wins where both bounds cross.
                match kind {
                    Binary::Max => low = low.max(bound.min(high)),
                    _ => high = high.min(bound.max(low)),
                }
                at = x;
                continue;
            };
            if a.kind != ActivationKind::Relu {
                return None;
            }
            low = low.max(0f64.min(high));
            at = *node.inputs.first()?;
        }
        Some((low, high))
    }

    /// The values of a node that are no constants.
    pub fn activations(&self, node: &'g Node) -> impl Iterator<Item = ValueIdx> + '_ {
        node.inputs.iter().copied().filter(|&idx| self.graph.constant(idx).is_none())
    }

    /// True for `layer + [M]` where nobody else takes the layer's output.
    fn is_bias(&self, node: &Node) -> bool {
        let Some(TensorOp::Binary(Binary::Add)) = operator(node) else { return false };
        let &[a, b] = &node.inputs[..] else { return false };
        let (x, bias) = if self.graph.constant(a).is_some() { (b, a) } else { (a, b) };
        let Some(tensor) = weights(self.graph, Some(&bias), |_| true) else { return false };
        let Some((_, layer, Role::Layer(kind))) = self.maker(x) else { return false };
        let n_outputs = weights(self.graph, layer.inputs.get(1), |_| true).map(|w| kind.n_outputs(w, layer));
        // Channels are the last axis of a product of matrices, and the second one of a convolution.
        let dims = tensor.dims();
        let space = match (kind, self.graph.value(x).shape.axes()) {
            (Layer::Gemm | Layer::MatMul, _) => 0,
            (_, Some(axes)) => axes.len().saturating_sub(2),
            (_, None) => return false,
        };
        let own = dims.len().checked_sub(space + 1).map(|at| dims[at]);
        self.is_taken_once(x) && own == n_outputs && own == Some(tensor.data().len())
    }

    /// The one value that a node of one output is a function of.
    fn root(&self, node: &Node) -> Option<ValueIdx> {
        let mut root = None;
        for &input in &node.inputs {
            if self.graph.constant(input).is_some() {
                number(self.graph, input)?;
                continue;
            }
            let own = self.roots.get(&input).copied().unwrap_or(input);
            if root.is_some_and(|r| r != own) {
                return None;
            }
            root = Some(own);
        }
        root
    }
}

/// The operator of a network's node.
pub fn operator(node: &Node) -> Option<&TensorOp> {
    match &node.op {
        Op::Tensor(op) => Some(op),
        _ => None,
    }
}

/// A constant of one element.
pub fn number(graph: &Graph, value: ValueIdx) -> Option<f64> {
    let tensor = graph.constant(value)?;
    match tensor.data() {
        TensorData::F32(v) if v.len() == 1 => Some(f64::from(v[0])),
        TensorData::F64(v) if v.len() == 1 => Some(v[0]),
        _ => None,
    }
}

fn is_single(graph: &Graph, value: Option<&ValueIdx>) -> bool {
    value.is_some_and(|&v| graph.value(v).dtype == DType::F32)
}

/// A constant of single precision and some rank.
pub fn weights<'g>(
    graph: &'g Graph,
    value: Option<&ValueIdx>,
    rank: impl Fn(usize) -> bool,
) -> Option<&'g Tensor> {
    let tensor = graph.constant(*value?)?;
    (tensor.dtype() == DType::F32 && rank(tensor.dims().len()) && !tensor.data().is_empty()).then_some(tensor)
}

fn role(graph: &Graph, node: &Node) -> Role {
    let Some(op) = operator(node) else { return Role::Other };
    if !node.outputs.iter().all(|&o| graph.value(o).dtype == DType::F32)
        || !is_single(graph, node.inputs.first())
    {
        return Role::Other;
    }
    let second = node.inputs.get(1);
    match op {
        TensorOp::Conv(conv) if !conv.of_integers && weights(graph, second, |rank| rank >= 3).is_some() => {
            Role::Layer(Layer::Conv)
        }
        TensorOp::ConvTranspose(_) if weights(graph, second, |rank| rank >= 3).is_some() => {
            Role::Layer(Layer::ConvTranspose)
        }
        TensorOp::Gemm(gemm) if !gemm.transpose_a && weights(graph, second, |rank| rank == 2).is_some() => {
            Role::Layer(Layer::Gemm)
        }
        TensorOp::MatMul(_) if weights(graph, second, |rank| rank == 2).is_some() => {
            Role::Layer(Layer::MatMul)
        }
        TensorOp::Activation(_) | TensorOp::Unary(_) => Role::Curve,
        // A function of one value unless that turns out to be wrong.
        TensorOp::Binary(kind) if is_of_reals(*kind) => Role::Curve,
        _ if is_passing(graph, node, op) => Role::Passing,
        _ => joint(graph, node).map_or(Role::Other, Role::Joint),
    }
}

fn is_of_reals(kind: Binary) -> bool {
    matches!(
        kind,
        Binary::Add
            | Binary::Sub
            | Binary::Mul
            | Binary::Div
            | Binary::Pow
            | Binary::Min
            | Binary::Max
            | Binary::PRelu
    )
}

fn joint(graph: &Graph, node: &Node) -> Option<Joint> {
    let of_values = || node.inputs.iter().all(|&i| graph.value(i).dtype == DType::F32);
    match operator(node)? {
        TensorOp::Binary(Binary::Add) if of_values() => Some(Joint::Add),
        TensorOp::Binary(Binary::Mul) if of_values() => Some(Joint::Mul),
        TensorOp::MatMul(_) if of_values() => Some(Joint::Product),
        TensorOp::Concat(_) if of_values() => Some(Joint::Concat),
        TensorOp::Pool(Pool { kind: PoolKind::Average { .. }, .. }) => Some(Joint::AveragePool),
        TensorOp::Reduce(Reduce { kind: ReduceKind::Mean, .. }) => Some(Joint::Mean),
        _ => None,
    }
}

/// Operators whose outputs are elements of their first input, or zeros.
fn is_passing(graph: &Graph, node: &Node, op: &TensorOp) -> bool {
    match op {
        TensorOp::Identity(_)
        | TensorOp::Reshape(_)
        | TensorOp::Squeeze(_)
        | TensorOp::Transpose(_)
        | TensorOp::Slice(_)
        | TensorOp::Split(_)
        | TensorOp::Tile(_)
        | TensorOp::Expand(_)
        | TensorOp::DepthSpace(_)
        | TensorOp::ReverseSequence(_) => true,
        TensorOp::Gather(Gather::Slices { .. }) => true,
        TensorOp::Pool(Pool { kind: PoolKind::Max { .. }, .. }) => node.outputs.len() == 1,
        TensorOp::Reduce(Reduce { kind: ReduceKind::Max | ReduceKind::Min, .. }) => true,
        TensorOp::Pad(Pad { mode }) => match mode {
            PadMode::Constant => node.inputs.get(2).is_none_or(|&v| number(graph, v) == Some(0.0)),
            _ => true,
        },
        TensorOp::Resize(Resize { mode, .. }) => mode.sampling == Sampling::Nearest,
        _ => false,
    }
}

/// True for a function whose value at an element hangs on nothing else.
pub fn is_elementwise(op: &TensorOp) -> bool {
    match op {
        TensorOp::Activation(_) => true,
        TensorOp::Unary(kind) => !matches!(kind, Unary::Not | Unary::BitwiseNot),
        TensorOp::Binary(kind) => is_of_reals(*kind),
        _ => false,
    }
}
