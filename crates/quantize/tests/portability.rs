//! What engines that saturate would make of a network, against sums computed by hand.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/networks.rs"]
mod networks;

use ir::op::TensorOp;
use ir::op::tensor::{Conv, Gemm, Pads, Window};
use ir::{DType, Dim, Graph, GraphBuilder, Shape, Tensor, TensorData};
use jobs::Threads;
use networks::{Noise, network, outputs};
use smidgen_quantize::{
    Corrections, Error, Member, Observed, Portability, Precision, Rows, Scheme, Sharing, effect, portability,
};
use std::ops::Range;

/// Rows of given numbers.
struct Given {
    dims: Vec<usize>,
    values: Vec<f32>,
}

impl Rows for Given {
    fn n_rows(&self) -> usize {
        self.values.len() / self.dims.iter().product::<usize>()
    }

    fn batch(&self) -> usize {
        8
    }

    fn rows(&self, rows: Range<usize>) -> Result<Vec<(String, Tensor)>, Error> {
        let each: usize = self.dims.iter().product();
        let values = self.values[rows.start * each..rows.end * each].to_vec();
        let dims = [&[rows.len()][..], &self.dims].concat();
        Ok(vec![("x".to_owned(), Tensor::try_new(dims, TensorData::F32(values)).unwrap())])
    }
}

fn layer(dims: &[usize], op: impl Into<TensorOp>, w: (&[usize], &[f32])) -> Graph {
    let mut graph = GraphBuilder::new();
    let axes = dims.iter().map(|&n| Dim::Fixed(n));
    let shape = Shape([Dim::Symbol("N".into())].into_iter().chain(axes).collect());
    let x = graph.input("x", DType::F32, shape).unwrap();
    let tensor = Tensor::try_new(w.0.to_vec(), TensorData::F32(w.1.to_vec())).unwrap();
    let w = graph.constant_named("w", tensor).unwrap();
    let y = graph.node_named("layer", op.into().into(), &[x, w]).unwrap();
    graph.finish(&y).unwrap()
}

/// Codes that cover what is there, so that they can be told by hand.
fn plain() -> Scheme {
    let mut scheme = Scheme::standard().unwrap();
    scheme.weights.observer = Member::parse("min_max").unwrap();
    scheme.activations.observer = Member::parse("min_max").unwrap();
    scheme.sharing = Sharing::Tensor;
    scheme.corrections = Corrections::parse("none").unwrap();
    scheme
}

fn told(graph: &Graph, scheme: &Scheme, rows: &dyn Rows) -> Option<Portability> {
    let observed = Observed::of(graph, rows, &Threads::one(), &mut |_| Ok(())).unwrap();
    let round = |scheme: &Scheme| observed.quantize(scheme, &|_| Precision::Scheme);
    portability(&observed, scheme, &round(scheme).unwrap(), (rows, &Threads::one()), &round).unwrap()
}

#[test]
fn a_product_by_hand() {
    let gemm = Gemm { alpha: 1.0, beta: 1.0, transpose_a: false, transpose_b: true };
    // Codes of weights: 127 127 | 13 -127 and 0 64 | 64 64 and -127 -127 | -127 5; the first and third layer's first
    // pairs can saturate, 64 and 64 together just cannot.
    let w = [1.0, 1.0, 0.1, -1.0, 0.0, 0.504, 0.504, 0.504, -1.0, -1.0, -1.0, 0.04];
    let graph = layer(&[4], gemm, (&[3, 4], &w));
    // Codes of inputs are 255 and less: 127 * 255 + 127 * 3 = 32766 fits, 127 * 255 + 127 * 4 does not.
    let code = |c: u8| f32::from(c) / 255.0;
    let values = [255, 3, 255, 255, 255, 4, 0, 0, 255, 255, 255, 255, 0, 0, 255, 255].map(code);
    let rows = Given { dims: vec![4], values: values.to_vec() };
    let told = told(&graph, &plain(), &rows).unwrap();
    assert_eq!((told.layers.len(), told.n_rows), (1, 4));
    let layer = &told.layers[0];
    assert_eq!((&layer.name[..], layer.n_pairs, layer.n_risky), ("layer", 6, 2));
    // Rows 1 and 2, outputs 0 and 2: of row 1 -127 * 259 = -32893 lies below -32768 too.
    assert_eq!(layer.differing, 4.0 / 12.0);
    assert!(told.effects[1].noise > 10.0 * told.effects[0].noise);
    let (what, cured) = told.cure.as_ref().unwrap();
    assert_eq!(what, "--corrections portable");
    assert!(cured.noise < told.effects[1].noise, "{told:?}");
    assert!(told.describe().contains("2 of 6 pairs of weights in 1 layers can saturate; cure: "));
}

#[test]
fn convolutions_pair_channels_of_a_tap() {
    let pads = Pads::Explicit(vec![0, 1, 0, 1]);
    let window = Window { kernel_shape: vec![], strides: vec![], dilations: vec![], pads };
    let conv = Conv { window, group: 1, of_integers: false };
    // [1, 2, 1, 3]: channels of the middle tap are both large, those of the others of other signs.
    let graph = layer(&[2, 1, 3], conv, (&[1, 2, 1, 3], &[1.0, 1.0, -1.0, -1.0, 1.0, 1.0]));
    // Both channels are large at the first place of the second row alone.
    let values = vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
    let rows = Given { dims: vec![2, 1, 3], values };
    let told = told(&graph, &plain(), &rows).unwrap();
    assert_eq!((told.layers[0].n_pairs, told.layers[0].n_risky), (3, 1));
    assert_eq!(told.layers[0].differing, 1.0 / 6.0);
}

#[test]
fn networks_without_such_pairs_say_so() {
    let graph = network("resnet_18_opset_8");
    let rows = Noise::of(&graph);
    let wide = {
        let mut scheme = plain();
        scheme.activations.codes.bits = 16;
        scheme
    };
    assert!(told(&graph, &wide, &rows).is_none());
    let portable = Scheme { corrections: Corrections::parse("portable").unwrap(), ..plain() };
    let cured = told(&graph, &portable, &rows).unwrap();
    assert!(
        cured.layers.is_empty() && cured.cure.is_none() && cured.describe().ends_with("compute the same")
    );
    // As it is, some pairs can, and what is foretold lies between exact and broken.
    let told = told(&graph, &plain(), &rows).unwrap();
    assert!(told.layers.iter().all(|l| l.n_risky > 0 && l.n_risky < l.n_pairs && l.differing < 1.0));
    let observed = Observed::of(&graph, &rows, &Threads::one(), &mut |_| Ok(())).unwrap();
    let quantized = observed.quantize(&portable, &|_| Precision::Scheme).unwrap();
    assert!(quantized.decisions.n_clipped > 0);
    let got = effect(&outputs(&graph, &rows), &outputs(&quantized.graph, &rows));
    assert!((got.noise / told.cure.unwrap().1.noise - 1.0).abs() < 0.5);
}
