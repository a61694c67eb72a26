//! Corrections of float networks: the function stays, rounding costs less, and what is left is told.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/networks.rs"]
mod networks;

use ir::op::TensorOp;
use ir::op::tensor::{
    Activation, ActivationKind, Binary, Conv, Gemm, LayerNormalization, MatMul, Pads, Pool, PoolKind,
    Reshape, Window,
};
use ir::{DType, Dim, Graph, GraphBuilder, Shape, Tensor, TensorData, ValueIdx};
use jobs::Threads;
use networks::{Noise, network, outputs};
use smidgen_quantize::{Corrections, Mended, Observed, Precision, Scheme, Sharing, effect, mend};

/// A network that is built node by node, its constants named in order.
struct Build {
    graph: GraphBuilder,
    x: ValueIdx,
    n: usize,
}

impl Build {
    fn new(dims: &[usize]) -> Build {
        let mut graph = GraphBuilder::new();
        let axes = dims.iter().map(|&n| Dim::Fixed(n));
        let shape = Shape([Dim::Symbol("N".into())].into_iter().chain(axes).collect());
        let x = graph.input("x", DType::F32, shape).unwrap();
        Build { graph, x, n: 0 }
    }

    fn constant(&mut self, dims: &[usize], values: Vec<f32>) -> ValueIdx {
        self.n += 1;
        let tensor = Tensor::try_new(dims.to_vec(), TensorData::F32(values)).unwrap();
        self.graph.constant_named(&format!("c{}", self.n), tensor).unwrap()
    }

    fn node(mut self, op: impl Into<TensorOp>, more: &[ValueIdx]) -> Build {
        self.n += 1;
        let inputs = [&[self.x], more].concat();
        self.x = self.graph.node_named(&format!("n{}", self.n), op.into().into(), &inputs).unwrap()[0];
        self
    }

    fn conv(mut self, dims: [usize; 4], group: usize, pad: usize, w: Vec<f32>, b: Vec<f32>) -> Build {
        let (w, b) = (self.constant(&dims, w), self.constant(&[dims[0]], b));
        let pads = Pads::Explicit(vec![pad; 4]);
        let window = Window { kernel_shape: vec![], strides: vec![], dilations: vec![], pads };
        self.node(Conv { window, group, of_integers: false }, &[w, b])
    }

    fn gemm(mut self, dims: [usize; 2], w: Vec<f32>, b: Vec<f32>) -> Build {
        let (w, b) = (self.constant(&dims, w), self.constant(&[dims[0]], b));
        self.node(Gemm { alpha: 1.0, beta: 1.0, transpose_a: false, transpose_b: true }, &[w, b])
    }

    fn relu(self) -> Build {
        self.node(Activation::plain(ActivationKind::Relu), &[])
    }

    fn done(self) -> Graph {
        self.graph.finish(&[self.x]).unwrap()
    }
}

/// Numbers about -1 to 1 without order.
fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mixed = |i: u64| (i + seed * 1000 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    (0..n as u64).map(|i| mixed(i) as f32 / (1 << 23) as f32 - 1.0).collect()
}

/// Channels `[n]` of `inner` numbers each times powers of two from 2^-4 to 2^4, or divided by them.
fn uneven(values: Vec<f32>, n: usize, inner: usize, sign: i32) -> Vec<f32> {
    let power = |c: usize| 2f32.powi(sign * (c as i32 * 5 % 9 - 4));
    values.iter().enumerate().map(|(i, v)| v * power(i / inner % n)).collect()
}

/// Two convolutions, a pool and a product, the channels of each badly scaled; `is_deep`: a depthwise one between.
fn badly_scaled(is_deep: bool) -> Graph {
    let build = Build::new(&[3, 8, 8]);
    let w = uneven(numbers(6 * 27, 1), 6, 27, 1);
    let mut build = build.conv([6, 3, 3, 3], 1, 1, w, uneven(numbers(6, 2), 6, 1, 1)).relu();
    if is_deep {
        // Channels come in large and leave small.
        let w = uneven(uneven(numbers(6 * 9, 3), 6, 9, -1), 6, 9, -1);
        build = build.conv([6, 1, 3, 3], 6, 1, w, uneven(numbers(6, 4), 6, 1, -1)).relu();
    }
    let w = uneven(numbers(4 * 6, 5), 6, 1, if is_deep { 1 } else { -1 });
    let w = uneven(w, 4, 6, 1);
    let build = build.conv([4, 6, 1, 1], 1, 0, w, uneven(numbers(4, 6), 4, 1, 1)).relu();
    let window =
        Window { kernel_shape: vec![2, 2], strides: vec![2, 2], dilations: vec![], pads: Pads::Valid };
    let pool = Pool { kind: PoolKind::Max { places: None }, window, ceil: false };
    let build = build.node(pool, &[]).node(Reshape::Flatten { axis: 1 }, &[]);
    build.gemm([5, 64], uneven(numbers(5 * 64, 7), 4, 16, -1), numbers(5, 8)).done()
}

fn mended(graph: &Graph, corrections: &str) -> Mended {
    mend(graph, &Corrections::parse(corrections).unwrap(), Some(&Noise::of(graph))).unwrap()
}

/// Noise of a network with a scale a tensor, against another network's outputs.
fn noise(graph: &Graph, float: &[Tensor], sharing: Sharing) -> f64 {
    let rows = Noise::of(graph);
    let observed = Observed::of(graph, &rows, &Threads::one(), &mut |_| Ok(())).unwrap();
    let scheme = Scheme { sharing, ..Scheme::standard().unwrap() };
    let quantized = observed.quantize(&scheme, &|_| Precision::Scheme).unwrap();
    effect(float, &outputs(&quantized.graph, &rows)).noise
}

/// The constant behind an input of a node.
fn constant(graph: &Graph, node: usize, slot: usize) -> &[f32] {
    match graph.constant(graph.nodes()[node].inputs[slot]).unwrap().data() {
        TensorData::F32(values) => values,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_published_example() {
    // AIMET, DlEqualization/test/TestDLEqualization.cpp: weights 1, 2, .. and 1, 3, .., the second layer depthwise.
    let counted: Vec<f32> = (1..=12).map(|i| i as f32).collect();
    let odd: Vec<f32> = (0..12).map(|i| (2 * i + 1) as f32).collect();
    let build = Build::new(&[2, 4, 20]).conv([2, 2, 1, 3], 1, 0, counted.clone(), vec![1.0; 2]).relu();
    let build = build.conv([2, 1, 1, 6], 2, 0, odd, vec![1.0; 2]).relu();
    let graph = build.conv([2, 2, 1, 3], 1, 0, counted, vec![1.0; 2]).done();
    let Mended { graph, told } = mended(&graph, "equalize");
    assert_eq!(told[0].describe(), "equalize: 2 sets of neighbouring layers");
    let (s12, s23) = (0.713_765_8, 0.934_013_2);
    for (node, slot, expected) in [(0, 1, 1.0 / s12), (0, 2, 1.0 / s12), (2, 1, s12 / s23), (2, 2, 1.0 / s23)]
    {
        let got = constant(&graph, node, slot)[0];
        assert!((got / expected - 1.0).abs() < 1e-4, "{node} {slot}: {got} {expected}");
    }
    assert!((constant(&graph, 4, 1)[0] / s23 - 1.0).abs() < 1e-4);
    assert_eq!(constant(&graph, 4, 2), [1.0; 2]);
}

#[test]
fn the_function_stays() {
    let named = ["resnet_18_opset_8", "mobilenet_v2_opset_11", "keras_cnn_opset_13", "transformer_opset_17"];
    let graphs = named.iter().map(|name| network(name)).chain([badly_scaled(false), badly_scaled(true)]);
    let mut n_changed = [0, 0];
    for graph in graphs {
        let rows = Noise::of(&graph);
        let before = outputs(&graph, &rows);
        for (at, corrections) in ["equalize", "smooth"].into_iter().enumerate() {
            let mended = mended(&graph, corrections);
            n_changed[at] += mended.told[0].n_changed;
            let got = effect(&before, &outputs(&mended.graph, &rows));
            assert!(got.noise < 1e-10 && got.agreement == 1.0, "{corrections}: {:e}", got.noise);
            let names = |g: &Graph| g.nodes().iter().map(|n| n.name.clone()).collect::<Vec<_>>();
            assert_eq!(names(&graph), names(&mended.graph));
        }
    }
    assert!(n_changed.iter().all(|n| *n > 3), "{n_changed:?}");
}

#[test]
fn equalized_channels_share_a_scale_better() {
    for is_deep in [false, true] {
        let graph = badly_scaled(is_deep);
        let float = outputs(&graph, &Noise::of(&graph));
        let Mended { graph: equal, told } = mended(&graph, "equalize");
        assert_eq!((told[0].n_changed, &told[0].left[..]), (if is_deep { 3 } else { 2 }, &[][..]));
        let [before, after] = [&graph, &equal].map(|g| noise(g, &float, Sharing::Tensor));
        assert!(after < 0.1 * before, "{is_deep}: {before:e} {after:e}");
    }
}

#[test]
fn outliers_of_activations_move_into_weights() {
    let (n, m) = (32, 16);
    let mut build = Build::new(&[6, n]);
    let outlier = |c: usize, v: f32| if c % 11 == 3 { 40.0 * v } else { v };
    let scale: Vec<f32> = (0..n).map(|c| outlier(c, 1.0)).collect();
    let bias: Vec<f32> = numbers(n, 1).iter().enumerate().map(|(c, b)| outlier(c, 0.3 * b)).collect();
    let (scale, bias) = (build.constant(&[n], scale), build.constant(&[n], bias));
    let w: Vec<f32> =
        numbers(n * m, 2).iter().enumerate().map(|(i, w)| w / outlier(i / m, 1.0).sqrt()).collect();
    let w = build.constant(&[n, m], w);
    let b = build.constant(&[m], numbers(m, 3));
    let build = build.node(LayerNormalization { axis: -1, epsilon: 1e-5 }, &[scale, bias]);
    let graph = build.node(MatMul::Numbers, &[w]).node(Binary::Add, &[b]).done();
    let float = outputs(&graph, &Noise::of(&graph));
    let Mended { graph: smooth, told } = mended(&graph, "smooth");
    assert_eq!((told[0].n_changed, &told[0].left[..]), (1, &[][..]));
    let [before, after] = [&graph, &smooth].map(|g| noise(g, &float, Sharing::Channel));
    assert!(after < 0.3 * before, "{before:e} {after:e}");
}

#[test]
fn channels_far_above_zero_are_moved_down() {
    let mut bias = numbers(6, 2);
    bias[2] = 200.0;
    bias[5] = 120.0;
    let build = Build::new(&[3, 8, 8]).conv([6, 3, 3, 3], 1, 1, numbers(6 * 27, 1), bias).relu();
    let graph = build.conv([4, 6, 1, 1], 1, 0, numbers(24, 3), numbers(4, 4)).done();
    let rows = Noise::of(&graph);
    let float = outputs(&graph, &rows);
    let Mended { graph: moved, told } = mended(&graph, "absorb_bias:k=6");
    assert_eq!(told[0].describe(), "absorb_bias: 2 channels");
    assert!(constant(&moved, 0, 2)[2] < 100.0);
    let got = effect(&float, &outputs(&moved, &rows));
    assert!(got.noise < 1e-6, "{:e}", got.noise);
    let [before, after] = [&graph, &moved].map(|g| noise(g, &float, Sharing::Channel));
    assert!(after < 0.5 * before, "{before:e} {after:e}");
}

#[test]
fn padding_is_not_moved() {
    // Zeros of padding would have to be moved too.
    let build = Build::new(&[3, 8, 8]).conv([4, 3, 1, 1], 1, 0, numbers(12, 1), vec![90.0; 4]).relu();
    let graph = build.conv([2, 4, 3, 3], 1, 1, numbers(72, 5), numbers(2, 6)).done();
    let Mended { graph: same, told } = mended(&graph, "absorb_bias");
    assert_eq!(told[0].describe(), "absorb_bias: 0 channels; 1 left: 1 by padding");
    assert_eq!(same, graph);
}

#[test]
fn what_is_left_is_told() {
    let mut build = Build::new(&[3, 8, 8]).conv([4, 3, 1, 1], 1, 0, numbers(12, 1), numbers(4, 2));
    let [zero, six] = [0.0, 6.0].map(|v| build.constant(&[], vec![v]));
    let build = build.node(Binary::Max, &[zero]).node(Binary::Min, &[six]);
    let graph = build.conv([2, 4, 1, 1], 1, 0, numbers(8, 3), numbers(2, 4)).done();
    let told = mended(&graph, "equalize,smooth,bias").told;
    assert_eq!(told[0].describe(), "equalize: 0 sets of neighbouring layers; 1 left: 1 by Clip");
    assert_eq!(told[0].left, [("n3".to_owned(), "Clip".to_owned())]);
    assert_eq!((told.len(), told[1].n_changed), (2, 0));
    let needs_rows = mend(&graph, &Corrections::parse("smooth").unwrap(), None).unwrap_err().to_string();
    assert!(needs_rows.contains("smooth: expected rows"), "{needs_rows}");
    assert_eq!(mend(&graph, &Corrections::parse("equalize").unwrap(), None).unwrap().told[0].n_changed, 0);
}

#[test]
fn corrections_are_spelled() {
    let names = |text: &str| {
        let members = Corrections::parse(text).unwrap();
        members.members().map(|m| m.describe()).collect::<Vec<_>>().join(" ")
    };
    for (text, expected) in [
        ("none", ""),
        ("bias", "bias_mean"),
        ("bias,absorb-bias:k=2,equalize:rounds=5", "equalize:rounds=5 absorb_bias:k=2 bias_mean"),
        ("smooth:alpha=0.4,bias_range:bits=30", "smooth:alpha=0.4 bias_range:bits=30"),
    ] {
        assert_eq!(names(text), expected);
    }
    for (text, message) in [
        ("", "unknown correction \"\""),
        ("equal", "unknown correction \"equal\"; did you mean \"equalize\"?"),
        ("bias,bias_mean", "expected bias_mean once"),
        ("equalize:rounds=0", "equalize: rounds must be a whole number in 1..=1000"),
        ("rounds=3", "unknown correction \"rounds=3\""),
        ("bias:means=normal", "expected means=seen"),
    ] {
        let got = Corrections::parse(text).unwrap_err().to_string();
        assert!(got.contains(message), "{text}: {got}");
    }
}
