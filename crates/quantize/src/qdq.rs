//! The QDQ form: a network with pairs of `QuantizeLinear` and `DequantizeLinear`, as ONNX means them.

use crate::decisions::{Decisions, StoredWeights};
use crate::error::{Error, misfit};
use crate::grid::Levels;
use crate::roles::{Role, Roles};
use ir::fixed::Overflow;
use ir::op::tensor::{Cast, DequantizeLinear, Gather, QuantizeLinear};
use ir::{DType, Graph, Node, NodeIdx, Op, Rewrite, Tensor, TensorData, ValueIdx};
use std::collections::BTreeMap;

/// Writes the pairs that were decided on into a network.
///
/// Values with a pair are rounded where they are made; nodes that compute with integers take the rounded value, nodes
/// that do not take it only if the node that makes it computes with integers, since nobody has the other one then.
/// Weights become codes that are dequantized, biases `int32` on the grid of the product.
///
/// # Errors
/// A graph that is not well formed.
pub fn qdq(roles: &Roles<'_>, decisions: &Decisions) -> Result<Graph, Error> {
    let graph = roles.graph();
    let mut work = Work { graph, decisions, rewrite: Rewrite::new(graph)?, rounded: BTreeMap::new() };
    let mut stored = BTreeMap::new();
    for &input in graph.inputs() {
        work.round(input, false)?;
    }
    for node in work.rewrite.needed() {
        let Some((idx, _, role)) = node.outputs.first().and_then(|&o| roles.maker(o)) else { continue };
        let is_integer = decisions.places.is_integer(idx);
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for (slot, &input) in node.inputs.iter().enumerate() {
            let input = match (role, slot, decisions.weights.get(&idx)) {
                (Role::Layer(_), 1, Some(weights)) => {
                    let key = (input, weights.axis, weights.block);
                    match stored.get(&key) {
                        Some((known, made)) if known == weights => *made,
                        _ => {
                            let made = work.weights(input, weights)?;
                            stored.insert(key, (weights.clone(), made));
                            made
                        }
                    }
                }
                (Role::Layer(_), 2, _) => work.bias(idx, node, input)?,
                (Role::Bias, _, _) if graph.constant(input).is_some() => {
                    work.bias_behind(roles, idx, node, input)?
                }
                _ => work.taken(roles, input, is_integer)?,
            };
            inputs.push(input);
        }
        if let (Role::Layer(_), None, Some(bias)) = (role, node.inputs.get(2), decisions.biases.get(&idx))
            && takes_bias(&node.op)
        {
            let name = format!("{}_bias", graph.value(node.outputs[0]).name);
            inputs.push(work.stored_bias(idx, node, None, &name, bias)?);
        }
        work.rewrite.node(node, node.op.clone(), &inputs)?;
        for &output in &node.outputs {
            work.round(output, is_integer)?;
        }
    }
    Ok(work.rewrite.finish()?)
}

/// True for a layer that may take a bias that it has not.
pub fn takes_bias(op: &Op) -> bool {
    matches!(op.payload().name(), "Conv" | "ConvTranspose" | "Gemm")
}

struct Work<'g, 'd> {
    graph: &'g Graph,
    decisions: &'d Decisions,
    rewrite: Rewrite<'g>,
    /// The rounded value of an old one.
    rounded: BTreeMap<ValueIdx, ValueIdx>,
}

impl Work<'_, '_> {
    /// A value as a node takes it.
    fn taken(&mut self, roles: &Roles<'_>, value: ValueIdx, is_integer: bool) -> Result<ValueIdx, Error> {
        if is_integer && self.graph.constant(value).is_some() {
            self.round(value, false)?;
        }
        let has_no_other = || roles.maker(value).is_some_and(|(m, ..)| self.decisions.places.is_integer(m));
        match self.rounded.get(&value) {
            Some(&rounded) if is_integer || has_no_other() => Ok(rounded),
            _ => Ok(self.rewrite.value(value)?),
        }
    }

    /// Puts a pair behind a value, if it gets one. `is_only`: an output of the graph is the rounded value.
    fn round(&mut self, value: ValueIdx, is_only: bool) -> Result<(), Error> {
        let Some(levels) = self.decisions.levels(value) else { return Ok(()) };
        if self.rounded.contains_key(&value) {
            return Ok(());
        }
        let old = self.graph.value(value);
        let name = old.name.clone();
        let raw = self.rewrite.value(value)?;
        if let Some(tensor) = self.graph.constant(value) {
            let weights = StoredWeights::of_tensor(tensor, levels)?;
            let made = self.weights(value, &weights)?;
            self.rounded.insert(value, made);
            return Ok(());
        }
        let &Levels::Affine(affine) = levels else {
            return Err(misfit("grid of activations", "an affine grid", "a table of levels"));
        };
        let (scale, zero_point, dtype) = (affine.scale(), affine.zero_point(), affine.dtype());
        let scale = self.scalar(&format!("{name}_scale"), TensorData::F32(vec![scale]))?;
        let zero =
            integers(dtype, &[zero_point.into()]).ok_or_else(|| misfit("zero point", dtype, zero_point))?;
        let zero = self.scalar(&format!("{name}_zero_point"), zero)?;
        let op =
            QuantizeLinear { axis: 1, block: 0, to: dtype, precision: None, overflow: Overflow::Saturate };
        let q = self.rewrite.add(&format!("{name}_quantized"), op.into(), &[raw, scale, zero])?;
        let op = DequantizeLinear { axis: 1, block: 0, to: DType::F32 };
        let dq = self.rewrite.add(&format!("{name}_dequantized"), op.into(), &[q, scale, zero])?;
        self.rounded.insert(value, dq);
        if is_only && self.graph.outputs().contains(&value) {
            let free = format!("{name}_unrounded");
            self.rewrite.rename(raw, &free)?;
            self.rewrite.rename(dq, &name)?;
            self.rewrite.replace(value, dq);
        }
        Ok(())
    }

    fn scalar(&mut self, name: &str, data: TensorData) -> Result<ValueIdx, Error> {
        let tensor = Tensor::scalar(data).ok_or_else(|| misfit("constant", "one number", name))?;
        Ok(self.rewrite.fresh(name, tensor)?)
    }

    /// Codes, their scales and their zero points; dequantized. Zero points of 0 may be left out, but ONNX Runtime brings
    /// a `Gemm` to integers only where weights of 8 bits have them.
    fn weights(&mut self, value: ValueIdx, weights: &StoredWeights) -> Result<ValueIdx, Error> {
        let name = &self.graph.value(value).name;
        let codes = self.rewrite.fresh(&format!("{name}_quantized"), weights.codes.clone())?;
        let codes = match &weights.table {
            None => codes,
            Some(table) => {
                let table = self.rewrite.fresh(&format!("{name}_levels"), table.clone())?;
                // Places in a table are whole numbers of 32 bits or more in ONNX.
                let op = Cast::to(DType::I32);
                let places = self.rewrite.add(&format!("{name}_places"), op.into(), &[codes])?;
                let op = Gather::Slices { axis: 0 };
                self.rewrite.add(&format!("{name}_gathered"), op.into(), &[table, places])?
            }
        };
        let mut inputs = vec![codes, self.rewrite.fresh(&format!("{name}_scale"), weights.scales.clone())?];
        let of_8_bits = matches!(weights.codes.dtype(), DType::I8 | DType::U8);
        let zeros = match &weights.zero_points {
            None if of_8_bits && weights.block == 0 && weights.table.is_none() => {
                let zeros = integers(weights.codes.dtype(), &vec![0; weights.scales.data().len()]);
                zeros.and_then(|data| Tensor::try_new(weights.scales.dims().to_vec(), data))
            }
            own => own.clone(),
        };
        if let Some(zeros) = zeros {
            inputs.push(self.rewrite.fresh(&format!("{name}_zero_point"), zeros)?);
        }
        let op = DequantizeLinear { axis: weights.axis as i64, block: weights.block, to: DType::F32 };
        Ok(self.rewrite.add(&format!("{name}_dequantized"), op.into(), &inputs)?)
    }

    /// The bias of a layer, as it was or corrected.
    fn bias(&mut self, idx: NodeIdx, node: &Node, value: ValueIdx) -> Result<ValueIdx, Error> {
        let own = self.graph.constant(value).map(Tensor::data);
        let (name, bias) = match (self.decisions.biases.get(&idx), own) {
            (Some(bias), _) => (self.graph.value(value).name.clone(), bias.clone()),
            (None, Some(TensorData::F32(bias))) => (self.graph.value(value).name.clone(), bias.clone()),
            _ => return Ok(self.rewrite.value(value)?),
        };
        self.stored_bias(idx, node, Some(value), &name, &bias)
    }

    /// A bias that stands behind its layer, as it was or corrected; where the product has a grid, on that grid, as the
    /// integer form has it.
    fn bias_behind(
        &mut self,
        roles: &Roles<'_>,
        idx: NodeIdx,
        node: &Node,
        value: ValueIdx,
    ) -> Result<ValueIdx, Error> {
        let Some(TensorData::F32(own)) = self.graph.constant(value).map(Tensor::data) else {
            return Ok(self.rewrite.value(value)?);
        };
        let mut bias = self.decisions.biases.get(&idx).unwrap_or(own).clone();
        let layer = node.inputs.iter().find_map(|&input| roles.maker(input));
        let scales = layer
            .and_then(|(layer, of, _)| self.decisions.product_scales(layer, *of.inputs.first()?, bias.len()));
        for (b, scale) in bias.iter_mut().zip(scales.iter().flatten()) {
            *b = crate::decisions::bias_code(*b, *scale) as f32 * scale;
        }
        let dims = self.graph.constant(value).map_or(&[][..], Tensor::dims).to_vec();
        let is_changed = bias != *own;
        match Tensor::try_new(dims, TensorData::F32(bias)).filter(|_| is_changed) {
            Some(tensor) => Ok(self.rewrite.fresh(&self.graph.value(value).name, tensor)?),
            None => Ok(self.rewrite.value(value)?),
        }
    }

    /// A bias in `int32` on the grid of the product, where input and weights have scales; else as it is.
    fn stored_bias(
        &mut self,
        idx: NodeIdx,
        node: &Node,
        own: Option<ValueIdx>,
        name: &str,
        bias: &[f32],
    ) -> Result<ValueIdx, Error> {
        let scales = self.decisions.product_scales(idx, node.inputs[0], bias.len());
        let Some(scales) = scales else {
            let is_changed = self.decisions.biases.contains_key(&idx);
            return match own.filter(|_| !is_changed) {
                Some(own) => Ok(self.rewrite.value(own)?),
                None => Ok(self.rewrite.fresh(name, Tensor::vector(TensorData::F32(bias.to_vec())))?),
            };
        };
        let codes = bias.iter().zip(&scales).map(|(&b, &s)| crate::decisions::bias_code(b, s)).collect();
        let codes =
            self.rewrite.fresh(&format!("{name}_quantized"), Tensor::vector(TensorData::I32(codes)))?;
        let scales = self.rewrite.fresh(&format!("{name}_scale"), Tensor::vector(TensorData::F32(scales)))?;
        let op = DequantizeLinear { axis: 0, block: 0, to: DType::F32 };
        Ok(self.rewrite.add(&format!("{name}_dequantized"), op.into(), &[codes, scales])?)
    }
}

/// Whole numbers as elements of an integer dtype; none if one does not fit.
pub fn integers(dtype: DType, values: &[i64]) -> Option<TensorData> {
    fn all<T: TryFrom<i64>>(values: &[i64]) -> Option<Vec<T>> {
        values.iter().map(|&v| T::try_from(v).ok()).collect()
    }
    Some(match dtype {
        DType::U8 => TensorData::U8(all(values)?),
        DType::I8 => TensorData::I8(all(values)?),
        DType::U16 => TensorData::U16(all(values)?),
        DType::I16 => TensorData::I16(all(values)?),
        DType::I32 => TensorData::I32(all(values)?),
        DType::Narrow(narrow) => {
            let (low, high) = narrow.whole_range()?;
            let fits = values.iter().all(|&v| (i64::from(low)..=i64::from(high)).contains(&v));
            TensorData::Narrow(narrow, fits.then(|| values.iter().map(|&v| narrow.of_whole(v)).collect())?)
        }
        _ => return None,
    })
}
