//! Networks built node by node: what a run keeps, what it refuses, and what simplifying makes of them.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use ir::fixed::Overflow;
use ir::op::tensor::{
    Activation, ActivationKind, BatchNormalization, Binary, Concat, Conv, DequantizeLinear, Gather, Identity,
    Loop, MatMul, Pad, PadMode, Pads, QuantizeLinear, Reshape, ShapeOf, Window,
};
use ir::{DType, Dim, Graph, GraphBuilder, Op, Shape, Tensor, TensorData, ValueIdx};
use smidgen_runtime::tensors::{Limits, run, simplify, watch, watch_all};

fn floats(dims: &[usize], seed: usize) -> Tensor {
    let n: usize = dims.iter().product();
    let value = |i: usize| ((i * 7919 + seed * 104_729) % 1009) as f32 / 1009.0 - 0.4;
    Tensor::try_new(dims.to_vec(), TensorData::F32((0..n).map(value).collect())).unwrap()
}

fn whole(values: &[i64]) -> Tensor {
    Tensor::vector(TensorData::I64(values.to_vec()))
}

fn symbols(dims: &[&str]) -> Shape {
    Shape(dims.iter().map(|d| d.parse().map_or_else(|_| Dim::Symbol(d.to_string()), Dim::Fixed)).collect())
}

fn single(tensor: &Tensor) -> &[f32] {
    match tensor.data() {
        TensorData::F32(v) => v,
        other => panic!("{}", other.dtype()),
    }
}

fn ops(graph: &Graph) -> Vec<&'static str> {
    graph.nodes().iter().map(|n| n.op.payload().name()).collect()
}

fn named(name: &str, tensor: Tensor) -> Vec<(String, Tensor)> {
    vec![(name.to_string(), tensor)]
}

/// `x -> Relu -> .. -> Relu -> Abs`-like chain of so many nodes on `[1000]`.
fn chain(n: usize) -> (Graph, Vec<ValueIdx>) {
    let mut b = GraphBuilder::new();
    let mut value = b.input("x", DType::F32, Shape::fixed(&[1000])).unwrap();
    let mut all = Vec::new();
    for i in 0..n {
        let op = Activation::plain(ActivationKind::Softsign);
        value = b.node_named(&format!("n{i}"), op.into(), &[value]).unwrap()[0];
        all.push(value);
    }
    (b.finish(&[value]).unwrap(), all)
}

#[test]
fn a_value_lives_until_it_is_taken_for_the_last_time() {
    let (graph, all) = chain(100);
    // Input and output of one node, and no more.
    let limits = Limits { bytes: 8000, steps: 0 };
    let made = run(&graph, named("x", floats(&[1000], 1)), limits).unwrap();
    assert_eq!(made[0].dims(), [1000]);
    // The same while all values are watched.
    let mut seen = Vec::new();
    watch(&graph, named("x", floats(&[1000], 1)), limits, &all, &mut |idx, _| seen.push(idx)).unwrap();
    assert_eq!(seen, all);
    let error = run(&graph, named("x", floats(&[1000], 1)), Limits { bytes: 7999, steps: 0 }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "predict: node \"n0\" (Softsign) takes 4000 bytes, at most 3999 are left; raise the limit or use a smaller batch"
    );
}

#[test]
fn only_what_is_watched_is_computed() {
    let (graph, all) = chain(10);
    let mut n = 0;
    let inputs = named("x", floats(&[1000], 1));
    watch(&graph, inputs, Limits::default(), &[all[2]], &mut |_, _| n += 1).unwrap();
    assert_eq!(n, 1);
    let none =
        watch(&graph, named("x", floats(&[1000], 1)), Limits::default(), &[ValueIdx(99)], &mut |_, _| {});
    assert!(none.unwrap_err().to_string().contains("expected a value below 11, got 99"));
}

#[test]
fn values_of_a_loop_are_shown_at_each_step() {
    let mut inner = GraphBuilder::new();
    inner.input("step", DType::I64, Shape::fixed(&[])).unwrap();
    let go_on = inner.input("go_on", DType::Bool, Shape::fixed(&[])).unwrap();
    let x = inner.input("x", DType::F32, Shape::fixed(&[2])).unwrap();
    let doubled = inner.node(Binary::Add.into(), &[x, x]).unwrap();
    // Of this one nothing hangs.
    let squared = inner.node(Binary::Mul.into(), &[doubled, doubled]).unwrap();
    let body = inner.finish(&[go_on, doubled]).unwrap();
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F32, Shape::fixed(&[2])).unwrap();
    let limit = b.constant(Tensor::scalar(TensorData::I64(vec![3])).unwrap()).unwrap();
    let op = Loop { body, has_limit: true, has_condition: false, n_carried: 1 };
    let looped = b.node(op.into(), &[limit, x]).unwrap();
    let graph = b.finish(&[looped]).unwrap();
    let given = || named("x", Tensor::vector(TensorData::F32(vec![1.0, -3.0])));
    let (mut doubles, mut squares, mut outer) = (Vec::new(), Vec::new(), Vec::new());
    let made = watch_all(&graph, given(), Limits::default(), &mut |of, idx, tensor| match (
        std::ptr::eq(of, &graph),
        idx,
    ) {
        (true, idx) => outer.push(idx),
        (false, idx) if idx == doubled => doubles.push(single(tensor)[0]),
        (false, idx) if idx == squared => squares.push(single(tensor)[1]),
        _ => {}
    });
    assert_eq!(made.unwrap(), run(&graph, given(), Limits::default()).unwrap());
    assert_eq!((doubles, squares), (vec![2.0, 4.0, 8.0], vec![36.0, 144.0, 576.0]));
    assert_eq!(outer.len(), graph.values().len());
}

#[test]
fn symbols_are_one_length_each() {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F32, symbols(&["batch", "3"])).unwrap();
    let y = b.input("y", DType::F32, symbols(&["batch", "3"])).unwrap();
    let sum = b.node(Binary::Add.into(), &[x, y]).unwrap();
    let graph = b.finish(&[sum]).unwrap();
    let give = |n: usize, m: usize| {
        let inputs = vec![("x".to_string(), floats(&[n, 3], 1)), ("y".to_string(), floats(&[m, 3], 2))];
        run(&graph, inputs, Limits::default())
    };
    assert_eq!(give(5, 5).unwrap()[0].dims(), [5, 3]);
    let error = give(5, 1).unwrap_err().to_string();
    assert_eq!(error, "predict: input \"y\": expected f32 [batch, 3], got f32 [1, 3]");
}

fn padded_conv_and_norm() -> Graph {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F32, symbols(&["N", "2", "5", "5"])).unwrap();
    let pads = b.constant(whole(&[0, 0, 1, 0, 0, 0, 2, 1])).unwrap();
    let zero = b.constant(Tensor::scalar(TensorData::F32(vec![0.0])).unwrap()).unwrap();
    let padded = b.node(Pad { mode: PadMode::Constant }.into(), &[x, pads, zero]).unwrap();
    let (w, bias) = (b.constant(floats(&[4, 2, 3, 3], 3)).unwrap(), b.constant(floats(&[4], 4)).unwrap());
    let window = Window {
        kernel_shape: vec![],
        strides: vec![2, 1],
        dilations: vec![],
        pads: Pads::Explicit(vec![0, 1, 0, 1]),
    };
    let conv = b.node(Conv { window, group: 1, of_integers: false }.into(), &[padded, w, bias]).unwrap();
    let mut inputs = vec![conv];
    for seed in 5..8 {
        inputs.push(b.constant(floats(&[4], seed)).unwrap());
    }
    inputs.push(b.constant(Tensor::vector(TensorData::F32(vec![0.5, 1.0, 2.0, 0.1]))).unwrap());
    let y = b.node_named("y", BatchNormalization { epsilon: 1e-3 }.into(), &inputs).unwrap()[0];
    b.finish(&[y]).unwrap()
}

#[test]
fn a_convolution_takes_in_the_pad_before_it_and_the_normalisation_behind_it() {
    let graph = padded_conv_and_norm();
    let simple = simplify(&graph).unwrap();
    assert_eq!(ops(&simple), ["Conv"]);
    assert_eq!(simple.value(simple.outputs()[0]).name, "y");
    assert_eq!(simple.value(simple.outputs()[0]).shape, graph.value(graph.outputs()[0]).shape);
    let limits = Limits::default();
    let (want, have) = (
        run(&graph, named("x", floats(&[3, 2, 5, 5], 9)), limits).unwrap(),
        run(&simple, named("x", floats(&[3, 2, 5, 5], 9)), limits).unwrap(),
    );
    assert_eq!(want[0].dims(), have[0].dims());
    for (&want, &have) in single(&want[0]).iter().zip(single(&have[0])) {
        assert!((want - have).abs() <= 1e-6 * want.abs() + 1e-6, "{want} {have}");
    }
}

#[test]
fn a_convolution_that_others_take_stays() {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F32, symbols(&["N", "2", "5"])).unwrap();
    let w = b.constant(floats(&[2, 2, 1], 3)).unwrap();
    let window = Window { kernel_shape: vec![], strides: vec![], dilations: vec![], pads: Pads::Valid };
    let conv = b.node(Conv { window, group: 1, of_integers: false }.into(), &[x, w]).unwrap();
    let ones = b.constant(Tensor::vector(TensorData::F32(vec![1.0; 2]))).unwrap();
    let y = b.node(BatchNormalization { epsilon: 0.0 }.into(), &[conv, ones, ones, ones, ones]).unwrap();
    let graph = b.finish(&[y, conv]).unwrap();
    assert_eq!(ops(&simplify(&graph).unwrap()), ["Conv", "BatchNormalization"]);
}

#[test]
fn constants_are_computed_and_identities_go() {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F32, symbols(&["N", "4"])).unwrap();
    let same = b.node(Identity.into(), &[x]).unwrap();
    let (k, l) = (b.constant(floats(&[4, 2], 1)).unwrap(), b.constant(floats(&[4, 2], 2)).unwrap());
    let sum = b.node_named("weights", Binary::Add.into(), &[k, l]).unwrap()[0];
    let unused = b.node(Binary::Mul.into(), &[same, same]).unwrap();
    let y = b.node(MatMul::Numbers.into(), &[same, sum]).unwrap();
    assert_ne!(unused, y);
    let simple = simplify(&b.finish(&[y]).unwrap()).unwrap();
    assert_eq!(ops(&simple), ["MatMul"]);
    let weights = simple.nodes()[0].inputs[1];
    assert_eq!(simple.value(weights).name, "weights");
    assert!(simple.constant(weights).is_some());
}

#[test]
fn weights_stay_as_small_as_they_are() {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F32, symbols(&["N", "4"])).unwrap();
    let scale = b.constant(Tensor::vector(TensorData::F32(vec![0.25]))).unwrap();
    let w = b.constant(floats(&[4, 2], 1)).unwrap();
    let q =
        QuantizeLinear { axis: 1, block: 0, to: DType::I8, precision: None, overflow: Overflow::Saturate };
    let q = b.node(q.into(), &[w, scale]).unwrap();
    let real = b.node(DequantizeLinear { axis: 1, block: 0, to: DType::F32 }.into(), &[q, scale]).unwrap();
    let y = b.node(MatMul::Numbers.into(), &[x, real]).unwrap();
    let simple = simplify(&b.finish(&[y]).unwrap()).unwrap();
    assert_eq!(ops(&simple), ["DequantizeLinear", "MatMul"]);
    assert_eq!(simple.value(simple.nodes()[0].inputs[0]).dtype, DType::I8);
}

#[test]
fn a_shape_with_a_symbol_flows_into_a_reshape() {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F32, symbols(&["batch", "4", "6"])).unwrap();
    let lengths = b.node(ShapeOf::Lengths { start: 0, end: None }.into(), &[x]).unwrap();
    let (first, last) = (b.constant(whole(&[0])).unwrap(), b.constant(whole(&[24])).unwrap());
    let batch = b.node(Gather::Slices { axis: 0 }.into(), &[lengths, first]).unwrap();
    let shape = b.node(Concat { axis: 0 }.into(), &[batch, last]).unwrap();
    let y = b.node(Reshape::To { allow_zero: false }.into(), &[x, shape]).unwrap();
    let graph = b.finish(&[y]).unwrap();
    assert_eq!(graph.value(y).shape, symbols(&["batch", "24"]));
    let simple = simplify(&graph).unwrap();
    assert_eq!(ops(&simple), ["Reshape"]);
    assert_eq!(simple.value(simple.outputs()[0]).shape, symbols(&["batch", "24"]));
    let made = run(&simple, named("x", floats(&[5, 4, 6], 1)), Limits::default()).unwrap();
    assert_eq!(made[0].dims(), [5, 24]);
}

#[test]
fn a_node_of_tables_is_refused() {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F64, Shape::rows()).unwrap();
    let y = b.node(Op::IsNaN(ir::op::IsNaN), &[x]).unwrap();
    let graph = b.finish(&[y]).unwrap();
    let x = Tensor::vector(TensorData::F64(vec![1.0]));
    let error = run(&graph, named("x", x), Limits::default()).unwrap_err();
    assert!(error.to_string().contains("IsNaN) is not supported by the tensors engine"), "{error}");
    assert!(simplify(&graph).is_err());
}

/// A convolution of a plane, loop by loop.
struct Plain<'c> {
    x: [usize; 4],
    w: [usize; 4],
    groups: usize,
    strides: [usize; 2],
    dilations: [usize; 2],
    pads: [usize; 4],
    pixels: &'c [f32],
    weights: &'c [f32],
    bias: &'c [f32],
}

impl Plain<'_> {
    fn made(&self) -> Vec<f64> {
        let Plain { x: [images, channels, height, width], w: [outputs, own, down, across], .. } = *self;
        let out = |axis: usize, size: usize, taps: usize| {
            (size + self.pads[axis] + self.pads[axis + 2] - self.dilations[axis] * (taps - 1) - 1)
                / self.strides[axis]
                + 1
        };
        let place = |axis: usize, window: usize, tap: usize, size: usize| {
            let at = window * self.strides[axis] + tap * self.dilations[axis];
            at.checked_sub(self.pads[axis]).filter(|&at| at < size)
        };
        let mut made = Vec::new();
        for image in 0..images {
            for output in 0..outputs {
                let first = output / (outputs / self.groups) * own;
                for y in 0..out(0, height, down) {
                    for x in 0..out(1, width, across) {
                        let mut sum = self.bias.get(output).map_or(0.0, |&b| f64::from(b));
                        for c in 0..own {
                            for (i, j) in (0..down * across).map(|tap| (tap / across, tap % across)) {
                                let Some(at) = place(0, y, i, height).zip(place(1, x, j, width)) else {
                                    continue;
                                };
                                let pixel = ((image * channels + first + c) * height + at.0) * width + at.1;
                                let weight = ((output * own + c) * down + i) * across + j;
                                sum += f64::from(self.pixels[pixel]) * f64::from(self.weights[weight]);
                            }
                        }
                        made.push(sum);
                    }
                }
            }
        }
        made
    }
}

#[test]
fn convolutions_are_what_plain_loops_make() {
    let cases = [
        // Images, channels, height, width; outputs, channels of a group, taps; groups, strides, dilations, pads.
        ([1, 3, 9, 8], [4, 3, 3, 3], 1, [1, 1], [1, 1], [1, 1, 1, 1]),
        ([20, 3, 6, 5], [4, 3, 3, 3], 1, [1, 1], [1, 1], [1, 1, 1, 1]),
        ([20, 4, 6, 5], [6, 2, 5, 3], 2, [1, 1], [1, 1], [2, 1, 2, 1]),
        ([3, 2, 7, 7], [2, 2, 5, 5], 1, [1, 1], [1, 1], [4, 0, 0, 4]),
        ([2, 2, 9, 9], [3, 2, 3, 3], 1, [1, 1], [2, 3], [2, 3, 2, 3]),
        ([2, 2, 9, 9], [3, 2, 3, 3], 1, [2, 2], [1, 1], [1, 1, 1, 1]),
        ([2, 2, 2, 3], [3, 2, 7, 7], 1, [1, 1], [1, 1], [3, 3, 3, 3]),
        ([3, 5, 4, 4], [7, 5, 1, 1], 1, [1, 1], [1, 1], [0, 0, 0, 0]),
        ([3, 5, 4, 4], [7, 5, 1, 1], 1, [2, 2], [1, 1], [0, 0, 0, 0]),
        ([2, 4, 9, 8], [4, 1, 3, 3], 4, [1, 1], [1, 1], [1, 1, 1, 1]),
        ([2, 4, 9, 8], [4, 1, 3, 3], 4, [2, 2], [1, 1], [0, 1, 1, 0]),
        ([2, 4, 9, 8], [4, 1, 5, 4], 4, [1, 1], [2, 1], [4, 3, 4, 0]),
        ([1, 3, 2, 2], [3, 1, 3, 5], 3, [1, 1], [1, 2], [2, 4, 2, 4]),
        ([2, 3, 60, 700], [2, 3, 3, 3], 1, [1, 1], [1, 1], [1, 1, 1, 1]),
        ([2, 4, 5, 6], [8, 1, 3, 3], 4, [1, 1], [1, 1], [1, 1, 1, 1]),
    ];
    for (at, (x, w, groups, strides, dilations, pads)) in cases.into_iter().enumerate() {
        for has_bias in [false, true] {
            let window = Window {
                kernel_shape: Vec::new(),
                strides: strides.to_vec(),
                dilations: dilations.to_vec(),
                pads: Pads::Explicit(pads.to_vec()),
            };
            let (weights, bias) = (floats(&w, at + 1), floats(&[w[0]], at + 2));
            let mut b = GraphBuilder::new();
            let input = b.input("x", DType::F32, symbols(&["N", "C", "H", "W"])).unwrap();
            let mut inputs = vec![input, b.constant(weights.clone()).unwrap()];
            if has_bias {
                inputs.push(b.constant(bias.clone()).unwrap());
            }
            let op = ir::op::TensorOp::Conv(Conv { window, group: groups, of_integers: false });
            let y = b.node(op.into(), &inputs).unwrap();
            let pixels = floats(&x, at);
            let graph = b.finish(&[y]).unwrap();
            let made = run(&graph, named("x", pixels.clone()), Limits::default()).unwrap();
            let (pixels, weights) = (single(&pixels), single(&weights));
            let bias = if has_bias { single(&bias) } else { &[] };
            let expected = Plain { x, w, groups, strides, dilations, pads, pixels, weights, bias }.made();
            assert_eq!(made[0].data().len(), expected.len(), "case {at}");
            for (k, (&got, want)) in single(&made[0]).iter().zip(expected).enumerate() {
                assert!((f64::from(got) - want).abs() < 1e-4, "case {at}, element {k}: {want} and {got}");
            }
        }
    }
}

#[test]
fn sums_in_place_are_those_of_copies() {
    let ops = [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Min, Binary::Max];
    for (op, dims) in
        ops.iter().flat_map(|op| [&[2, 3, 4][..], &[4], &[3, 4], &[1, 4], &[1], &[3, 1]].map(|d| (*op, d)))
    {
        let made = |is_kept: bool| {
            let mut b = GraphBuilder::new();
            let x = b.input("x", DType::F32, symbols(&["N", "3", "4"])).unwrap();
            let other = b.constant(floats(dims, 5)).unwrap();
            let own = b.node(ir::op::TensorOp::Unary(ir::op::tensor::Unary::Neg).into(), &[x]).unwrap();
            let y = b.node(ir::op::TensorOp::Binary(op).into(), &[own, other]).unwrap();
            let outputs = if is_kept { vec![y, own] } else { vec![y] };
            let graph = b.finish(&outputs).unwrap();
            run(&graph, named("x", floats(&[2, 3, 4], 3)), Limits::default()).unwrap().remove(0)
        };
        assert_eq!(made(false), made(true), "{op:?} {dims:?}");
    }
}
