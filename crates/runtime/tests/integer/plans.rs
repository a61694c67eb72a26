//! What a plan makes of a network: its steps, its memory, what it refuses.

use super::made::{Draw, graph_of, half, tensor, unit, window};
use ir::fixed::{Narrow, Overflow};
use ir::op::tensor::{
    Activation, ActivationKind, DequantizeLinear, Gather, NonZero, QAdd, QConv, QMatMul, QMean,
    QuantizeLinear, Reshape,
};
use ir::{DType, Dim, Graph, GraphBuilder, Shape, Tensor, TensorData};
use smidgen_runtime::network::{Isa, Plan};
use smidgen_runtime::tensors::{Limits, run};

const CONV: QConv = QConv {
    window: ir::op::tensor::Window {
        kernel_shape: vec![],
        strides: vec![],
        dilations: vec![],
        pads: ir::op::tensor::Pads::Valid,
    },
    group: 1,
    zero_x: 3,
    zero_y: -7,
    low: -128,
    high: 127,
    to: DType::I8,
};

/// `[N, 4, 8, 8]` floats, a residual block of two convolutions, the mean of each channel, ten scores. The first weights
/// stand in a codebook.
fn residual() -> Graph {
    let mut draw = Draw::new(5);
    let mut b = GraphBuilder::new();
    let batch = Dim::Symbol("N".into());
    let x =
        b.input("x", DType::F32, Shape(vec![batch, Dim::Fixed(4), Dim::Fixed(8), Dim::Fixed(8)])).unwrap();
    let scale = b.constant(Tensor::vector(TensorData::F32(vec![0.02]))).unwrap();
    let zero = b.constant(tensor(DType::I8, &[1], &[3])).unwrap();
    let op =
        QuantizeLinear { axis: 1, block: 0, to: DType::I8, precision: None, overflow: Overflow::Saturate };
    let q = b.node(op.into(), &[x, scale, zero]).unwrap();
    let table = b.constant(draw.codes(DType::I8, &[4])).unwrap();
    let places = b.constant(draw.codes(DType::Narrow(Narrow::U2), &[4, 4, 1, 1])).unwrap();
    let w = b.node(Gather::Slices { axis: 0 }.into(), &[table, places]).unwrap();
    let bias = b.constant(tensor(DType::I32, &[4], &[100, -100, 7, 0])).unwrap();
    let pair = b.constant(draw.pairs(1, 8)).unwrap();
    let first = b.node(CONV.into(), &[q, w, bias, pair]).unwrap();
    let w = b.constant(draw.codes(DType::I8, &[4, 4, 3, 3])).unwrap();
    let op = QConv { window: window(&[], &[], &[], &[1, 1, 1, 1]), zero_x: -7, ..CONV };
    let second = b.node(op.into(), &[first, w, bias, pair]).unwrap();
    let factors = b.constant(tensor(DType::I64, &[3], &[1 << 30, 1 << 29, 30])).unwrap();
    let op = QAdd { zero_a: 3, zero_b: -7, zero_y: 1, low: 1, high: 127, to: DType::I8 };
    let sum = b.node(op.into(), &[q, second, factors]).unwrap();
    let one = b.constant(unit()).unwrap();
    let op =
        QMean { axes: vec![2, 3], keep: true, zero_x: 1, zero_y: 0, low: -128, high: 127, to: DType::I8 };
    let mean = b.node(op.into(), &[sum, one]).unwrap();
    let flat = b.node(Reshape::Flatten { axis: 1 }.into(), &[mean]).unwrap();
    let w = b.constant(draw.codes(DType::I8, &[4, 10])).unwrap();
    let pairs = b.constant(draw.pairs(10, 8)).unwrap();
    let op = QMatMul { zero_x: 0, zero_w: 0, zero_y: 5, low: -128, high: 127, to: DType::I8 };
    let scores = b.node(op.into(), &[flat, w, pairs]).unwrap();
    let zero = b.constant(tensor(DType::I8, &[1], &[5])).unwrap();
    let op = DequantizeLinear { axis: 1, block: 0, to: DType::F32 };
    let y = b.node(op.into(), &[scores, scale, zero]).unwrap();
    b.finish(&[y]).unwrap()
}

fn images(n: usize) -> Tensor {
    let v = (0..n * 256).map(|i| ((i * 37) % 101) as f32 * 0.04 - 2.0).collect();
    Tensor::try_new(vec![n, 4, 8, 8], TensorData::F32(v)).unwrap()
}

#[test]
fn a_residual_block_is_two_steps() {
    let graph = residual();
    let lengths = [vec![1, 4, 8, 8]];
    let plan = Plan::with_isa(&graph, &lengths, Limits::default(), Isa::Scalar).unwrap();
    let steps: Vec<_> = plan.steps().collect();
    let expected = [
        ("quantize", None),
        ("product of quads", None),
        ("product of quads", Some("sum")),
        ("mean of windows", None),
        ("product of quads", None),
        ("dequantize", None),
    ];
    assert_eq!(steps, expected);
    assert_eq!(plan.interpreted().count(), 0);
    // Three values of 256 bytes live at one time; 64 rows of 36 activations, and 4 sums.
    assert_eq!(plan.peak_bytes(), 3 * 256 + 64 * 36 + 4 * 4);
    // 16 outputs a panel: one quad, nine quads, one quad of ten outputs.
    assert_eq!(plan.constant_bytes(), 16 * 4 + 16 * 36 + 16 * 4);
    for n in [1, 3] {
        let given = vec![("x".to_string(), images(n))];
        let expected = run(&graph, given.clone(), Limits::default()).unwrap();
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_here()) {
            let plan = Plan::with_isa(&graph, &[vec![n, 4, 8, 8]], Limits::default(), isa).unwrap();
            assert_eq!((plan.isa(), plan.run(given.clone()).unwrap()), (isa, expected.clone()));
        }
    }
}

#[test]
fn a_node_without_an_engine_is_interpreted() {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F32, Shape::fixed(&[2, 3])).unwrap();
    let y = b.node_named("soft", Activation::plain(ActivationKind::Softsign).into(), &[x]).unwrap()[0];
    let graph = b.finish(&[y, x]).unwrap();
    let plan = Plan::new(&graph, &[vec![2, 3]], Limits::default()).unwrap();
    assert_eq!(plan.interpreted().collect::<Vec<_>>(), ["soft"]);
    let x = Tensor::try_new(vec![2, 3], TensorData::F32(vec![-1.0, 2.0, f32::NAN, 0.5, 0.0, 9.0])).unwrap();
    let given = vec![("x".to_string(), x)];
    assert_eq!(plan.run(given.clone()).unwrap(), run(&graph, given, Limits::default()).unwrap());
}

#[test]
fn sums_are_proven_or_wide() {
    // 127 * 255 * n + bias against 2^31 - 1: the farthest from a zero point of -128 is 255.
    let engine = |n: usize, bias: i64| {
        let x = Tensor::try_new(vec![1, n], TensorData::I8(vec![127; n])).unwrap();
        let w = Tensor::try_new(vec![n, 1], TensorData::I8(vec![-127; n])).unwrap();
        let op = QMatMul { zero_x: -128, zero_w: 0, zero_y: 0, low: -32_768, high: 32_767, to: DType::I16 };
        let pair = super::made::pairs(&[(1 << 30, 46)]);
        let inputs = [x, w, tensor(DType::I32, &[1], &[bias]), pair];
        let graph = graph_of(op.into(), &inputs, 1).unwrap();
        let plan = Plan::with_isa(&graph, &[vec![1, n]], Limits::default(), Isa::Scalar).unwrap();
        let given = vec![("x0".to_string(), inputs[0].clone())];
        assert_eq!(plan.run(given.clone()).unwrap(), run(&graph, given, Limits::default()).unwrap());
        plan.steps().map(|step| step.0).find(|name| name.starts_with("product")).unwrap()
    };
    let most = (1i64 << 31) - 1;
    let n = 66_311;
    let rest = most - 127 * 255 * n as i64;
    assert!((0..127 * 255).contains(&rest));
    assert_eq!(engine(n, -rest), "product of quads");
    assert_eq!(engine(n, -rest - 1), "product of pairs in 64 bits");
    assert_eq!(engine(n + 1, 0), "product of pairs in 64 bits");
}

#[test]
fn what_does_not_fit_is_refused() {
    let graph = residual();
    let error = |lengths: &[Vec<usize>], bytes: usize| {
        Plan::with_isa(&graph, lengths, Limits { bytes, steps: 0 }, Isa::Scalar).unwrap_err().to_string()
    };
    let fits = [vec![1, 4, 8, 8]];
    assert_eq!(
        error(&fits, 3087),
        "predict: node \"all nodes\" (plan) takes 3088 bytes, at most 3087 are left; raise the limit or use a smaller batch"
    );
    assert!(Plan::with_isa(&graph, &fits, Limits { bytes: 3088, steps: 0 }, Isa::Scalar).is_ok());
    assert_eq!(
        error(&[vec![1, 5, 8, 8]], 1 << 20),
        "predict: input \"x\": expected f32 [N, 4, 8, 8], got f32 [1, 5, 8, 8]"
    );
    assert_eq!(error(&[], 1 << 20), "predict: the model takes 1 columns, got 0");
    // More than can be counted, before any memory is taken.
    assert!(
        error(&[vec![usize::MAX / 2, 4, 8, 8]], 1 << 30)
            .contains("\"x\" (plan) takes 9444732965739290426368 bytes")
    );

    let plan = Plan::new(&graph, &fits, Limits::default()).unwrap();
    let run =
        |name: &str, tensor: Tensor| plan.run(vec![(name.to_string(), tensor)]).unwrap_err().to_string();
    assert_eq!(run("z", images(1)), "predict: input \"z\": expected one of x, got another");
    assert_eq!(run("x", images(2)), "predict: input \"x\": expected f32 [1, 4, 8, 8], got f32 [2, 4, 8, 8]");
    assert_eq!(
        plan.run(vec![]).unwrap_err().to_string(),
        "predict: input \"x\": expected f32 [1, 4, 8, 8], got none"
    );
    let (mut memory, mut outputs) = (plan.memory(), plan.outputs());
    let wrong = TensorData::I8(vec![0; 256]);
    assert_eq!(
        plan.run_into(&mut memory, &[&wrong], &mut outputs).unwrap_err().to_string(),
        "predict: input \"x\": expected f32 [1, 4, 8, 8], got 256 elements of i8"
    );
    for isa in Isa::ALL.into_iter().filter(|isa| !isa.is_here()) {
        let error = Plan::with_isa(&graph, &fits, Limits::default(), isa).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("plan: this machine has no {isa}; leave the choice to the plan, or take scalar")
        );
    }

    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::I64, Shape::fixed(&[4])).unwrap();
    let y = b.node_named("where", NonZero.into(), &[x]).unwrap()[0];
    let graph = b.finish(&[y]).unwrap();
    let error = Plan::new(&graph, &[vec![4]], Limits::default()).unwrap_err().to_string();
    assert_eq!(error, "predict: node \"where\" (NonZero) is not supported by the plan engine");
}

#[test]
fn inputs_and_constants_may_be_outputs() {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::U16, Shape::fixed(&[1, 2, 2])).unwrap();
    let k = b.constant(half()).unwrap();
    let graph = b.finish(&[x, k, x]).unwrap();
    let plan = Plan::new(&graph, &[vec![1, 2, 2]], Limits::default()).unwrap();
    let given = vec![("x".to_string(), tensor(DType::U16, &[1, 2, 2], &[0, 1, 40_000, 65_535]))];
    assert_eq!(plan.run(given.clone()).unwrap(), run(&graph, given, Limits::default()).unwrap());
}
