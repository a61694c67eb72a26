//! What becomes of models of a batch of 1: each row of a batch is computed as it is alone, or the model is refused.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use ir::op::TensorOp;
use ir::op::tensor::{
    Activation, ActivationKind, ArgExtreme, Binary, Concat, Conv, DynamicQuantizeLinear, Gather, Gemm,
    Identity, LayerNormalization, MatMul, Pad, PadMode, Pads, Pool, PoolKind, Reduce, ReduceKind, Reshape,
    ShapeOf, Slice, Softmax, SoftmaxKind, Squeeze, Tile, Transpose, Window,
};
use ir::{DType, GraphBuilder, Shape, Tensor, TensorData};
use runtime::tensors::{Limits, run};
use smidgen_onnx::rebatch;

/// Another operand of a node: the input itself, whole numbers, or floats of these lengths.
enum With {
    Input,
    Whole(&'static [i64]),
    Floats(&'static [usize]),
}

fn floats(dims: &[usize], seed: usize) -> Tensor {
    let n: usize = dims.iter().product();
    let value = |i: usize| ((i * 7919 + seed * 104_729) % 1009) as f32 / 1009.0 - 0.4;
    Tensor::try_new(dims.to_vec(), TensorData::F32((0..n).map(value).collect())).unwrap()
}

fn doubles(tensor: &Tensor) -> Vec<f64> {
    match tensor.data() {
        TensorData::F32(v) => v.iter().map(|&x| x.into()).collect(),
        TensorData::I64(v) => v.iter().map(|&x| x as f64).collect(),
        other => panic!("{}", other.dtype()),
    }
}

/// The node on `x: [1, 4, 6]`; the message if the model is refused.
fn check(op: impl Into<TensorOp>, others: &[With]) -> Result<(), String> {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F32, Shape::fixed(&[1, 4, 6])).unwrap();
    let mut inputs = vec![x];
    for (seed, other) in others.iter().enumerate() {
        inputs.push(match other {
            With::Input => x,
            With::Whole(v) => b.constant(Tensor::vector(TensorData::I64(v.to_vec()))).unwrap(),
            With::Floats(dims) => b.constant(floats(dims, seed)).unwrap(),
        });
    }
    let y = b.node_named("the node", op.into().into(), &inputs).unwrap()[0];
    let graph = b.finish(&[y]).unwrap();
    let many = rebatch(&graph, "N").map_err(|e| e.to_string())?;
    let feed = |x: Tensor| vec![("x".to_string(), x)];
    let rows: Vec<Tensor> = (1..4).map(|seed| floats(&[1, 4, 6], seed)).collect();
    let all = rows.iter().skip(1).fold(rows[0].clone(), |all, row| all.below(row.clone()).unwrap());
    let made = run(&many, feed(all), Limits::default()).unwrap();
    let alone: Vec<f64> = rows
        .iter()
        .flat_map(|row| doubles(&run(&graph, feed(row.clone()), Limits::default()).unwrap()[0]))
        .collect();
    assert_eq!(made[0].dims()[0], 3);
    for (want, have) in alone.iter().zip(doubles(&made[0])) {
        assert!((want - have).abs() <= 1e-6, "{want} {have}");
    }
    Ok(())
}

fn reduce(none_without_axes: bool) -> Reduce {
    Reduce { kind: ReduceKind::Mean, keep_dims: false, none_without_axes }
}

fn window(kernel: &[usize]) -> Window {
    Window { kernel_shape: kernel.to_vec(), strides: vec![], dilations: vec![], pads: Pads::Explicit(vec![]) }
}

#[test]
fn rows_are_computed_as_they_are_alone() {
    use With::{Floats, Input, Whole};
    let soft = |axis| Softmax { kind: SoftmaxKind::Soft, axis };
    let reshape = Reshape::To { allow_zero: false };
    let gemm = Gemm { alpha: 1.0, beta: 1.0, transpose_a: false, transpose_b: false };
    let fits: Vec<(TensorOp, Vec<With>)> = vec![
        (Identity.into(), vec![]),
        (Activation::plain(ActivationKind::Tanh).into(), vec![]),
        (Binary::Add.into(), vec![Input]),
        (Binary::Add.into(), vec![Floats(&[6])]),
        (Binary::Add.into(), vec![Floats(&[1, 4, 1])]),
        (soft(-1).into(), vec![]),
        (soft(1).into(), vec![]),
        (reduce(false).into(), vec![Whole(&[1, -1])]),
        (ArgExtreme { largest: true, axis: 2, keep_dims: false, last: false }.into(), vec![]),
        (LayerNormalization { axis: -2, epsilon: 1e-5 }.into(), vec![Floats(&[4, 6])]),
        (reshape.into(), vec![Whole(&[1, 24])]),
        (reshape.into(), vec![Whole(&[-1, 3, 8])]),
        (reshape.into(), vec![Whole(&[0, -1])]),
        (Reshape::Flatten { axis: 1 }.into(), vec![]),
        (Transpose { order: Some(vec![0, 2, 1]) }.into(), vec![]),
        (Concat { axis: -1 }.into(), vec![Input]),
        (Squeeze::Add.into(), vec![Whole(&[1, -1])]),
        (MatMul::Numbers.into(), vec![Floats(&[6, 5])]),
        (Slice { has_axes: true, has_steps: false }.into(), vec![Whole(&[1]), Whole(&[3]), Whole(&[-1])]),
        (Slice { has_axes: false, has_steps: false }.into(), vec![Whole(&[0, 1]), Whole(&[i64::MAX, 3])]),
        (Gather::Slices { axis: 2 }.into(), vec![Whole(&[5, 0])]),
        (Pad { mode: PadMode::Constant }.into(), vec![Whole(&[0, 1, 0, 0, 0, 2]), Floats(&[])]),
        (Tile.into(), vec![Whole(&[1, 2, 1])]),
        (
            Conv { window: window(&[]), group: 1, of_integers: false }.into(),
            vec![Floats(&[3, 4, 2]), Floats(&[3])],
        ),
        (
            Pool { kind: PoolKind::Average { with_pads: false }, window: window(&[3]), ceil: false }.into(),
            vec![],
        ),
    ];
    for (op, others) in fits {
        let name = op.payload().name();
        check(op, &others).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    let mixes: Vec<(TensorOp, Vec<With>, &str)> = vec![
        (soft(0).into(), vec![], "mixes"),
        (soft(-3).into(), vec![], "mixes"),
        (reduce(false).into(), vec![], "mixes"),
        (reduce(false).into(), vec![Whole(&[0])], "mixes"),
        (reshape.into(), vec![Whole(&[24])], "mixes"),
        (reshape.into(), vec![Whole(&[4, 6])], "mixes"),
        (Reshape::Flatten { axis: 2 }.into(), vec![], "mixes"),
        (Transpose { order: None }.into(), vec![], "mixes"),
        (Concat { axis: 0 }.into(), vec![Input], "mixes"),
        (Squeeze::Remove.into(), vec![Whole(&[0])], "mixes"),
        (Squeeze::Remove.into(), vec![], "mixes"),
        (
            Slice { has_axes: true, has_steps: false }.into(),
            vec![Whole(&[0]), Whole(&[1]), Whole(&[0])],
            "mixes",
        ),
        (Gather::Slices { axis: 0 }.into(), vec![Whole(&[0])], "mixes"),
        (Tile.into(), vec![Whole(&[2, 1, 1])], "mixes"),
        (Binary::Add.into(), vec![Floats(&[2, 1, 4, 6])], "mixes"),
        (DynamicQuantizeLinear.into(), vec![], "that of all rows"),
        (ShapeOf::Count.into(), vec![], "simplify the model first"),
    ];
    for (op, others, part) in mixes {
        let name = op.payload().name();
        let message = check(op, &others).expect_err(name);
        assert!(message.contains("the node") && message.contains(part), "{message}");
    }
    // A matrix of one row.
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F32, Shape::fixed(&[1, 6])).unwrap();
    let (w, c) = (b.constant(floats(&[6, 2], 1)).unwrap(), b.constant(floats(&[2], 2)).unwrap());
    let y = b.node(TensorOp::Gemm(gemm).into(), &[x, w, c]).unwrap();
    let many = rebatch(&b.finish(&[y]).unwrap(), "N").unwrap();
    assert_eq!(many.value(many.outputs()[0]).shape.to_string(), "[N, 2]");
}
