//! Without rows: weights alone as integers, or ranges of activations found at each run.

use crate::decide::{Precision, stored};
use crate::decisions::{Decisions, StoredWeights};
use crate::error::{Error, misfit};
use crate::grid::{Sign, Symmetry};
use crate::pipeline::Quantized;
use crate::qdq::{integers, qdq};
use crate::roles::{Layer, Role, Roles, operator, weights};
use crate::scheme::{Scheme, Sharing};
use ir::op::TensorOp;
use ir::op::tensor::{Binary, Cast, Conv, DynamicQuantizeLinear, MatMul, Transpose};
use ir::{DType, Graph, Node, NodeIdx, Rewrite, Tensor, TensorData, ValueIdx};
use std::collections::BTreeMap;

/// The network with weights as codes that are dequantized where they are used: smaller, not faster.
///
/// # Errors
/// A grid or an observer that does not fit the weights.
pub fn weights_only(
    roles: &Roles<'_>,
    scheme: &Scheme,
    precision: &dyn Fn(NodeIdx) -> Precision,
) -> Result<Quantized, Error> {
    let mut decisions = Decisions::default();
    for (idx, node, role) in roles.nodes() {
        let (Role::Layer(layer), false) = (role, precision(idx) == Precision::Float) else { continue };
        let Some(tensor) = weights(roles.graph(), node.inputs.get(1), |_| true) else { continue };
        let bits = scheme.weights.codes.bits;
        decisions.weights.insert(idx, stored(scheme, bits, tensor, layer.output_axis(node))?);
    }
    Ok(Quantized { graph: qdq(roles, &decisions)?, decisions, errors: Vec::new() })
}

/// The network with `DynamicQuantizeLinear` before its products, which are of integers: `y = (xq - zx) (wq) sx sw + b`,
/// where `sx` and `zx` come from the range of all values of `x` at that run. Weights are symmetric.
///
/// # Errors
/// A grid or an observer that does not fit the weights.
pub fn dynamic(
    roles: &Roles<'_>,
    scheme: &Scheme,
    precision: &dyn Fn(NodeIdx) -> Precision,
) -> Result<Quantized, Error> {
    if scheme.weights.codes.bits != 8 || scheme.weights.symmetry != Symmetry::Symmetric {
        let got = format!("{} {:?}", scheme.weights.codes.describe(), scheme.weights.symmetry);
        return Err(misfit("weights of dynamic quantization", "int8, symmetric", got));
    }
    if matches!(scheme.sharing, Sharing::Group(_)) || scheme.weights.codes.sign == Sign::Unsigned {
        return Err(misfit("weights of dynamic quantization", "int8 by tensor or channel", "others"));
    }
    let graph = roles.graph();
    let mut work = Dynamic { rewrite: Rewrite::new(graph)?, seen: BTreeMap::new() };
    let mut decisions = Decisions::default();
    for node in work.rewrite.needed() {
        let found = node.outputs.first().and_then(|&o| roles.maker(o));
        let Some((idx, _, Role::Layer(layer))) = found.filter(|f| precision(f.0) != Precision::Float) else {
            work.rewrite.copy(node)?;
            continue;
        };
        let tensor = weights(graph, node.inputs.get(1), |_| true).filter(|_| is_product(node));
        let Some(tensor) = tensor else {
            work.rewrite.copy(node)?;
            continue;
        };
        let stored = stored(scheme, 8, tensor, layer.output_axis(node))?;
        if stored.table.is_some() {
            return Err(misfit("weights of dynamic quantization", "an affine grid", "a table of levels"));
        }
        work.layer(graph, node, layer, &stored)?;
        decisions.weights.insert(idx, stored);
    }
    Ok(Quantized { graph: work.rewrite.finish()?, decisions, errors: Vec::new() })
}

/// True for a layer that ONNX has a product of integers for.
fn is_product(node: &Node) -> bool {
    match operator(node) {
        Some(TensorOp::Conv(_) | TensorOp::MatMul(MatMul::Numbers)) => true,
        Some(TensorOp::Gemm(gemm)) => gemm.alpha == 1.0 && gemm.beta == 1.0,
        _ => false,
    }
}

struct Dynamic<'g> {
    rewrite: Rewrite<'g>,
    /// Codes, scale and zero point of a value.
    seen: BTreeMap<ValueIdx, [ValueIdx; 3]>,
}

impl Dynamic<'_> {
    fn codes(&mut self, graph: &Graph, value: ValueIdx) -> Result<[ValueIdx; 3], Error> {
        if let Some(&known) = self.seen.get(&value) {
            return Ok(known);
        }
        let x = self.rewrite.value(value)?;
        let name = format!("{}_quantized", graph.value(value).name);
        let made = self.rewrite.add_all(&name, TensorOp::from(DynamicQuantizeLinear).into(), &[x])?;
        let &[codes, scale, zero] = &made[..] else {
            return Err(misfit("DynamicQuantizeLinear", "three outputs", made.len()));
        };
        self.seen.insert(value, [codes, scale, zero]);
        Ok([codes, scale, zero])
    }

    fn layer(
        &mut self,
        graph: &Graph,
        node: &Node,
        layer: Layer,
        stored: &StoredWeights,
    ) -> Result<(), Error> {
        let name = &node.name;
        let [x, scale, zero] = self.codes(graph, node.inputs[0])?;
        let of_weights = &graph.value(node.inputs[1]).name;
        let mut w = self.rewrite.fresh(&format!("{of_weights}_quantized"), stored.codes.clone())?;
        let is_turned = layer == Layer::Gemm && layer.output_axis(node) == 0;
        if is_turned {
            let op = TensorOp::from(Transpose { order: None });
            w = self.rewrite.add(&format!("{of_weights}_turned"), op.into(), &[w])?;
        }
        let none = integers(stored.codes.dtype(), &[0]).and_then(Tensor::scalar);
        let none = none.ok_or_else(|| misfit("zero point", "an integer", stored.codes.dtype()))?;
        let none = self.rewrite.fresh(&format!("{of_weights}_zero_point"), none)?;
        let op = match operator(node) {
            Some(TensorOp::Conv(conv)) => TensorOp::Conv(Conv { of_integers: true, ..conv.clone() }),
            _ => TensorOp::MatMul(MatMul::Integers),
        };
        let sums = self.rewrite.add(&format!("{name}_sums"), op.into(), &[x, w, zero, none])?;
        let op = TensorOp::from(Cast::to(DType::F32));
        let sums = self.rewrite.add(&format!("{name}_cast"), op.into(), &[sums])?;
        // One scale an output, where the channels of the output stand.
        let rank = graph.value(node.outputs[0]).shape.axes().map_or(2, <[_]>::len);
        let scales = along(&stored.scales, rank, layer)?;
        let scales = self.rewrite.fresh(&format!("{of_weights}_scale"), scales)?;
        let both = self.rewrite.add(
            &format!("{name}_scales"),
            TensorOp::from(Binary::Mul).into(),
            &[scales, scale],
        )?;
        let Some(&bias) = node.inputs.get(2) else {
            self.rewrite.node(node, TensorOp::from(Binary::Mul).into(), &[sums, both])?;
            return Ok(());
        };
        let scaled =
            self.rewrite.add(&format!("{name}_scaled"), TensorOp::from(Binary::Mul).into(), &[sums, both])?;
        let bias = match graph.constant(bias) {
            Some(tensor) if matches!(layer, Layer::Conv) => {
                let shaped = along(tensor, rank, layer)?;
                self.rewrite.fresh(&graph.value(bias).name, shaped)?
            }
            _ => self.rewrite.value(bias)?,
        };
        self.rewrite.node(node, TensorOp::from(Binary::Add).into(), &[scaled, bias])?;
        Ok(())
    }
}

/// One number, or one a channel, as it broadcasts to an output of some rank.
fn along(tensor: &Tensor, rank: usize, layer: Layer) -> Result<Tensor, Error> {
    let TensorData::F32(values) = tensor.data() else { return Err(misfit("scales", "f32", tensor.dtype())) };
    let dims = match (layer, values.len()) {
        (Layer::Conv, n) if n > 1 => [vec![1, n], vec![1; rank.saturating_sub(2)]].concat(),
        (_, n) => vec![n],
    };
    Tensor::try_new(dims, TensorData::F32(values.clone()))
        .ok_or_else(|| misfit("scales", "one a channel", values.len()))
}
