//! Self-tests of networks: what inputs are drawn, and what a verdict says.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use ir::fixed::{Narrow, Overflow};
use ir::op::TensorOp;
use ir::op::tensor::*;
use ir::{
    Card, DType, Dim, GraphBuilder, Layout, Network, NetworkSignature, PixelMap, Shape, Tensor, TensorData,
    ValueIdx,
};
use smidgen_runtime::network::Isa;
use smidgen_runtime::tensors::Limits;
use smidgen_runtime::{Verdict, network_test, verify_network};

/// Inputs of a dtype and a shape, each through operators with constants, all of them outputs.
fn network(
    inputs: &[(DType, Shape)],
    signature: NetworkSignature,
    make: impl Fn(&mut GraphBuilder, &[ValueIdx]) -> Vec<ValueIdx>,
) -> Network {
    let mut b = GraphBuilder::new();
    let given: Vec<ValueIdx> = inputs
        .iter()
        .enumerate()
        .map(|(at, (dtype, shape))| b.input(&format!("x{at}"), *dtype, shape.clone()).unwrap())
        .collect();
    let outputs = make(&mut b, &given);
    Network::try_new(b.finish(&outputs).unwrap(), signature, Card::default()).unwrap()
}

fn node(b: &mut GraphBuilder, op: impl Into<TensorOp>, inputs: &[ValueIdx]) -> ValueIdx {
    let op: TensorOp = op.into();
    b.node(op.into(), inputs).unwrap()
}

fn scalar(b: &mut GraphBuilder, data: TensorData) -> ValueIdx {
    b.constant(Tensor::scalar(data).unwrap()).unwrap()
}

fn shape(dims: &[i64]) -> Shape {
    let dim = |&n: &i64| match n {
        -1 => Dim::Symbol("rows".into()),
        -2 => Dim::Unknown,
        n => Dim::Fixed(n as usize),
    };
    Shape(dims.iter().map(dim).collect())
}

/// The outputs of an input that is handed through.
fn drawn(dtype: DType, dims: &[i64], signature: NetworkSignature) -> Tensor {
    let network = network(&[(dtype, shape(dims))], signature, |_, given| given.to_vec());
    network_test(&network, 7, Limits::default()).unwrap().outputs.remove(0)
}

#[test]
fn pixels_go_through_the_map_of_their_channel() {
    let map = |layout| PixelMap { scale: 2.0, mean: vec![0.0, 1000.0, 2000.0], std: vec![1.0], layout };
    let cases = [
        (Some(Layout::Nchw), [-1, 3, 4, 5]),
        (Some(Layout::Nhwc), [-1, 4, 5, 3]),
        (None, [-1, 3, 4, 5]),
        (None, [-1, 4, 5, 3]),
    ];
    for (layout, dims) in cases {
        let signature = NetworkSignature { pixels: Some(map(layout)), ..NetworkSignature::default() };
        let made = drawn(DType::F32, &dims, signature);
        let lengths: Vec<usize> = [2].into_iter().chain(dims[1..].iter().map(|&n| n as usize)).collect();
        assert_eq!(made.dims(), lengths);
        let TensorData::F32(values) = made.data() else { panic!("{made:?}") };
        let by_last = dims[3] == 3;
        for (at, value) in values.iter().enumerate() {
            let channel = if by_last { at % 3 } else { at / 20 % 3 };
            let pixel = (f64::from(*value) + 1000.0 * channel as f64) / 2.0;
            assert!((0.0..=255.0).contains(&pixel) && pixel.fract() == 0.0, "{layout:?} {at}: {value}");
        }
    }
}

#[test]
fn numbers_lie_where_the_first_node_works() {
    let plain = NetworkSignature::default;
    let to = |to| QuantizeLinear { axis: 1, block: 0, to, precision: None, overflow: Overflow::Saturate };
    let quantized = network(&[(DType::F32, shape(&[-1, 500]))], plain(), |b, given| {
        let scale = scalar(b, TensorData::F32(vec![0.5]));
        let zero = scalar(b, TensorData::U8(vec![200]));
        vec![node(b, to(DType::U8), &[given[0], scale, zero]), given[0]]
    });
    let tested = network_test(&quantized, 1, Limits::default()).unwrap();
    let TensorData::U8(codes) = tested.outputs[0].data() else { panic!() };
    let TensorData::F32(values) = tested.outputs[1].data() else { panic!() };
    assert!(values.iter().all(|x| (-100.0..27.5).contains(x)), "{values:?}");
    assert!(codes.iter().any(|&c| c < 10) && codes.iter().any(|&c| c > 245));
    // Places in a table of five rows.
    let looked_up = network(&[(DType::I64, shape(&[-1, -2]))], plain(), |b, given| {
        let table = Tensor::try_new(vec![5, 2], TensorData::F32((0..10u8).map(f32::from).collect()));
        let table = b.constant(table.unwrap()).unwrap();
        vec![node(b, Gather::Slices { axis: 0 }, &[table, given[0]]), given[0]]
    });
    let tested = network_test(&looked_up, 1, Limits::default()).unwrap();
    let TensorData::I64(places) = tested.outputs[1].data() else { panic!() };
    assert!((0..5).all(|p| places.contains(&p)) && places.iter().all(|p| (0..5).contains(p)), "{places:?}");
    assert_eq!(tested.test.length, 16);
    // Keys of a dictionary.
    let encoded = network(&[(DType::Str, shape(&[-1]))], plain(), |b, given| {
        let keys = TensorData::Str(vec!["a".into(), "b".into()]);
        let keys = b.constant(Tensor::vector(keys)).unwrap();
        let values = b.constant(Tensor::vector(TensorData::I64(vec![10, 20, -1]))).unwrap();
        vec![node(b, LabelEncoder, &[given[0], keys, values])]
    });
    let tested = network_test(&encoded, 3, Limits::default()).unwrap();
    assert!(matches!(tested.outputs[0].data(), TensorData::I64(v) if v.iter().all(|x| [10, 20].contains(x))));
    for &dtype in DType::ALL.iter().filter(|d| **d != DType::Bag) {
        let made = drawn(dtype, &[-1, 700], plain());
        assert_eq!((made.dtype(), made.dims()), (dtype, &[2, 700][..]));
        if let TensorData::Narrow(narrow, codes) = made.data() {
            assert!(codes.iter().all(|&c| narrow.holds(c)), "{dtype}");
            let all = if *narrow == Narrow::I2 { 4 } else { 2 };
            assert!(codes.iter().collect::<std::collections::BTreeSet<_>>().len() >= all, "{dtype}");
        }
    }
}

#[test]
fn lengths_are_found_that_the_network_takes() {
    let plain = NetworkSignature::default();
    let pooled = network(&[(DType::F32, shape(&[-1, 1, -2, -2]))], plain.clone(), |b, given| {
        let window =
            Window { kernel_shape: vec![40, 40], strides: vec![], dilations: vec![], pads: Pads::Valid };
        vec![node(b, Pool { kind: PoolKind::Max { places: None }, window, ceil: false }, given)]
    });
    assert_eq!(network_test(&pooled, 1, Limits::default()).unwrap().test.length, 64);
    // The rows of one input are those of the other by their name, wherever they stand.
    let named = network(
        &[(DType::F32, shape(&[-1, 3])), (DType::F32, shape(&[3, -1]))],
        plain.clone(),
        |b, given| vec![node(b, MatMul::Numbers, given)],
    );
    assert_eq!(network_test(&named, 1, Limits::default()).unwrap().outputs[0].dims(), [2, 2]);
    let never =
        network(&[(DType::F32, shape(&[-1, -2])), (DType::F32, shape(&[17, 3]))], plain, |b, given| {
            vec![node(b, MatMul::Numbers, given)]
        });
    assert!(network_test(&never, 1, Limits::default()).is_none(), "no length is 17");
}

fn paths(network: &Network) -> Vec<(&'static str, Verdict, Option<u32>)> {
    let checked = verify_network(network, Limits::default()).unwrap();
    checked.iter().map(|c| (c.path, c.verdict, c.within)).collect()
}

#[test]
fn verdicts_of_an_exact_network() {
    let mut exact = network(&[(DType::I8, shape(&[-1, 4]))], NetworkSignature::default(), |b, given| {
        vec![node(b, Unary::Abs, given)]
    });
    assert!(paths(&exact).iter().all(|p| p.1 == Verdict::Skipped), "without a self-test");
    exact.self_test = Some(network_test(&exact, 5, Limits::default()).unwrap().test);
    let told = paths(&exact);
    assert_eq!((told[0], told.len()), (("reference", Verdict::Ok, None), 1 + Isa::ALL.len()));
    assert_eq!((told[1].0, told[1].1), ("scalar", Verdict::Ok));
    for (path, isa) in told[1..].iter().zip(Isa::ALL) {
        assert_eq!(path.1, if isa.is_here() { Verdict::Ok } else { Verdict::Skipped }, "{isa}");
    }
    exact.self_test.as_mut().unwrap().digest ^= 1;
    assert!(paths(&exact).iter().all(|p| p.1 != Verdict::Ok));
    let test = exact.self_test.as_mut().unwrap();
    (test.n_rows, test.length) = (u32::MAX, u32::MAX);
    assert!(verify_network(&exact, Limits::default()).is_err(), "more rows than are drawn");
}

#[test]
fn floats_are_compared_within_a_bound() {
    let mut of_floats = network(&[(DType::F32, shape(&[-1, 4]))], NetworkSignature::default(), |b, given| {
        vec![node(b, Unary::Exp, given)]
    });
    of_floats.self_test = Some(network_test(&of_floats, 5, Limits::default()).unwrap().test);
    assert!(paths(&of_floats).iter().all(|p| p.1 != Verdict::Differs));
    // Another machine's digest.
    of_floats.self_test.as_mut().unwrap().digest ^= 1;
    assert_eq!(paths(&of_floats)[0], ("reference", Verdict::Ok, Some(10)));
    let samples = of_floats.self_test.as_ref().unwrap().samples.clone();
    assert!(samples.len() >= 8);
    let largest = samples[..8].iter().fold(0.0f64, |m, x| m.max(x.abs()));
    for (by, verdict) in [(0.9, Verdict::Ok), (1.1, Verdict::Differs)] {
        let test = of_floats.self_test.as_mut().unwrap();
        test.samples = samples.clone();
        let least = (0..8).min_by(|a, b| samples[*a].abs().total_cmp(&samples[*b].abs())).unwrap();
        test.samples[least] += by * largest / 1024.0;
        assert_eq!(paths(&of_floats)[0].1, verdict, "{by}");
    }
    of_floats.self_test.as_mut().unwrap().samples.pop();
    assert_eq!(paths(&of_floats)[0].1, Verdict::Differs, "too few");
}
