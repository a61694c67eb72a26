//! Lengths that flow through a network as numbers, and what is known of the shapes that are made by them.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use smidgen_ir::op::TensorOp;
use smidgen_ir::op::tensor::{Concat, ConstantOfShape, Expand, Gather, Reshape, ShapeOf, Slice, Squeeze};
use smidgen_ir::{DType, Dim, GraphBuilder, Shape, Tensor, TensorData, ValueIdx};

fn list(b: &mut GraphBuilder, values: &[i64]) -> ValueIdx {
    b.constant(Tensor::vector(TensorData::I64(values.to_vec()))).unwrap()
}

#[test]
fn axes_are_known_behind_lengths_that_flow_as_numbers() {
    let symbol = |name: &str| Dim::Symbol(name.into());
    let mut b = GraphBuilder::new();
    let shape = Shape(vec![symbol("batch"), symbol("steps"), Dim::Fixed(12)]);
    let x = b.input("x", DType::F32, shape).unwrap();
    let all = b.node(TensorOp::ShapeOf(ShapeOf::Lengths { start: 0, end: None }).into(), &[x]).unwrap();
    let (first, end) = (list(&mut b, &[0]), list(&mut b, &[-1]));
    let op = TensorOp::Slice(Slice { has_axes: false, has_steps: false });
    let two = b.node(op.into(), &[all, first, end]).unwrap();
    let rest = list(&mut b, &[3, -1]);
    let joined = b.node(TensorOp::Concat(Concat { axis: 0 }).into(), &[two, rest]).unwrap();
    let op = TensorOp::Reshape(Reshape::To { allow_zero: false });
    let parted = b.node(op.into(), &[x, joined]).unwrap();
    let expected = [symbol("batch"), symbol("steps"), Dim::Fixed(3), Dim::Unknown];
    assert_eq!(b.shape(parted).unwrap().axes(), Some(&expected[..]));
    // One length as a number, made a list again.
    let at = b.constant(Tensor::scalar(TensorData::I64(vec![-2])).unwrap()).unwrap();
    let one = b.node(TensorOp::Gather(Gather::Slices { axis: 0 }).into(), &[all, at]).unwrap();
    let axes = list(&mut b, &[0]);
    let one = b.node(TensorOp::Squeeze(Squeeze::Add).into(), &[one, axes]).unwrap();
    let five = list(&mut b, &[5]);
    let joined = b.node(TensorOp::Concat(Concat { axis: 0 }).into(), &[five, one]).unwrap();
    let value = Tensor::vector(TensorData::F32(vec![1.0]));
    let filled = b.node(TensorOp::ConstantOfShape(ConstantOfShape { value }).into(), &[joined]).unwrap();
    assert_eq!(b.shape(filled).unwrap().axes(), Some(&[Dim::Fixed(5), symbol("steps")][..]));
    let wide = b.node(TensorOp::Expand(Expand).into(), &[filled, joined]).unwrap();
    assert_eq!(b.shape(wide).unwrap().axes(), Some(&[Dim::Fixed(5), symbol("steps")][..]));
}
