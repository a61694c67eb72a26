//! A function of one value of 8 bits: a table.

use super::nodes::has_table;
use super::pairs::Grid;
use super::{Feed, Found, Integer};
use crate::error::Error;
use crate::roles::{is_elementwise, operator};
use ir::op::TensorOp;
use ir::op::tensor::{DequantizeLinear, QLut};
use ir::{DType, GraphBuilder, Node, Shape, Tensor, TensorData, ValueIdx};
use runtime::tensors::{Limits, run};
use std::collections::BTreeMap;

const N_CODES: usize = 256;

impl Found<'_> {
    /// The table of a function of one value between two grids: what the nodes of the QDQ form give for each code.
    pub(super) fn curve(&self, node: &Node, value: ValueIdx, y: &Grid) -> Result<Option<Integer>, Error> {
        let Some(root) = self.roles.root_of(value) else { return Ok(None) };
        let Some(x) = self.grid(root).filter(|x| has_table(x.dtype)) else { return Ok(None) };
        let mut builder = GraphBuilder::new();
        let codes = builder.input("codes", x.dtype, Shape::fixed(&[N_CODES]))?;
        let mut made = BTreeMap::new();
        let mut pair = Vec::with_capacity(2);
        for data in [
            TensorData::F32(vec![x.scale]),
            crate::qdq::integers(x.dtype, &[x.zero]).unwrap_or(TensorData::U8(vec![0])),
        ] {
            let Some(tensor) = Tensor::scalar(data) else { return Ok(None) };
            pair.push(builder.constant(tensor)?);
        }
        let op = DequantizeLinear { axis: 0, block: 0, to: DType::F32 };
        made.insert(root, builder.node(op.into(), &[codes, pair[0], pair[1]])?);
        let Some(last) = self.copy_curve(value, &mut builder, &mut made)? else { return Ok(None) };
        let mut inputs = vec![last];
        for &param in &node.inputs[1..] {
            let Some(tensor) = self.graph.constant(param) else { return Ok(None) };
            inputs.push(builder.constant(tensor.clone())?);
        }
        let rounded = builder.node(node.op.clone(), &inputs)?;
        let graph = builder.finish(&[rounded])?;
        let codes = match x.dtype {
            DType::I8 => TensorData::I8((i8::MIN..=i8::MAX).collect()),
            _ => TensorData::U8((0..=u8::MAX).collect()),
        };
        let outputs = run(&graph, vec![("codes".to_owned(), Tensor::vector(codes))], Limits::default())?;
        let Some(table) = outputs.into_iter().next() else { return Ok(None) };
        let name = self.graph.value(value).name.clone();
        let inputs = vec![Feed::Value(x.codes), Feed::Constant(format!("{name}_table"), table)];
        let op = TensorOp::QLut(QLut { to: y.dtype }).into();
        Ok(Some(Integer { name, op, inputs, outputs: vec![y.codes], then: None }))
    }

    /// The nodes of a function, with one axis in place of those of its value.
    fn copy_curve(
        &self,
        value: ValueIdx,
        builder: &mut GraphBuilder,
        made: &mut BTreeMap<ValueIdx, ValueIdx>,
    ) -> Result<Option<ValueIdx>, Error> {
        if let Some(&known) = made.get(&value) {
            return Ok(Some(known));
        }
        if let Some(tensor) = self.graph.constant(value) {
            let Some(number) = Tensor::scalar(tensor.data().clone()) else { return Ok(None) };
            let new = builder.constant(number)?;
            made.insert(value, new);
            return Ok(Some(new));
        }
        let Some(node) = self.graph.maker(value) else { return Ok(None) };
        if !operator(node).is_some_and(is_elementwise) {
            return Ok(None);
        }
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for &input in &node.inputs {
            let Some(new) = self.copy_curve(input, builder, made)? else { return Ok(None) };
            inputs.push(new);
        }
        let new = builder.node(node.op.clone(), &inputs)?;
        made.insert(value, new);
        Ok(Some(new))
    }
}
