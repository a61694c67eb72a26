//! Files of networks: golden bytes, what is kept, damage, hostile bytes, sizes.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use proptest::prelude::*;
use smidgen_ir::digest::{Digest, SplitMix64};
use smidgen_ir::fixed::{Narrow, Overflow};
use smidgen_ir::op::tensor::*;
use smidgen_ir::{
    Answer, AnswerKind, Card, DType, Dim, GraphBuilder, Kind, Layout, Network, NetworkSignature, NetworkTest,
    PixelMap, Shape, Task, Tensor, TensorData, ValueIdx, file,
};
use std::fmt::Write;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/golden/network.txt");

fn tensor(dims: &[usize], data: TensorData) -> Tensor {
    Tensor::try_new(dims.to_vec(), data).unwrap()
}

/// Images through a quantized convolution and a pool with places; constants of 2, 4, 8 and 32 bits and of text; a large one.
fn network() -> Network {
    let mut b = GraphBuilder::new();
    let dims = [Dim::Symbol("batch".into()), Dim::Fixed(1), Dim::Fixed(4), Dim::Unknown];
    let image = b.input("image", DType::F32, Shape(dims.to_vec())).unwrap();
    let mut constant = |name: &str, dims: &[usize], data| b.constant_named(name, tensor(dims, data)).unwrap();
    let codes = [0x07, 0xf8, 0, 1, 0xff, 2, 3, 4].to_vec();
    let weights = constant("weights", &[2, 1, 2, 2], TensorData::Narrow(Narrow::I4, codes));
    let scale = constant("scale", &[], TensorData::F32(vec![0.125]));
    let zero = constant("zero", &[], TensorData::U8(vec![128]));
    let two_bits = constant("k3", &[5], TensorData::Narrow(Narrow::U2, vec![3, 0, 1, 2, 3]));
    let words = constant("words", &[2], TensorData::Str(vec!["ja".into(), "jein".into()]));
    let large =
        constant("large", &[1500], TensorData::I8((0..1500).map(|i| (i % 251) as u8 as i8).collect()));
    let larger = constant("larger", &[64, 65], TensorData::I8(vec![-3; 64 * 65]));
    let counts = constant("counts", &[3], TensorData::I64(vec![1 << 40, -1, 0]));
    let to =
        QuantizeLinear { axis: 1, block: 0, to: DType::U8, precision: None, overflow: Overflow::Saturate };
    let q = b.node(to.into(), &[image, scale, zero]).unwrap();
    let back = DequantizeLinear { axis: 1, block: 0, to: DType::F32 };
    let x = b.node(back.into(), &[q, scale, zero]).unwrap();
    let w = b.node(back.into(), &[weights, scale]).unwrap();
    let window =
        Window { kernel_shape: vec![], strides: vec![1, 1], dilations: vec![], pads: Pads::SameUpper };
    let conv = Conv { window, group: 1, of_integers: false };
    let y = b.node(conv.into(), &[x, w]).unwrap();
    let window =
        Window { kernel_shape: vec![2, 2], strides: vec![], dilations: vec![], pads: Pads::Explicit(vec![]) };
    let kind = PoolKind::Max { places: Some(PlaceOrder::Rows) };
    let pool = Pool { kind, window, ceil: false };
    let pooled = b.node_named("inner", pool.into(), &[y]).unwrap();
    let all = Reduce { kind: ReduceKind::Mean, keep_dims: false, none_without_axes: false };
    let axes = b.constant(Tensor::vector(TensorData::I64(vec![2, 3]))).unwrap();
    let logits = b.node(all.into(), &[pooled[0], axes]).unwrap();
    b.rename(logits, "logits").unwrap();
    // Named as the builder would name another value.
    b.rename(pooled[1], "maxpool18").unwrap();
    let outputs = [logits, pooled[1], image, words, two_bits, large, larger, counts];
    let signature = NetworkSignature {
        answer: Some(Answer { output: 0, kind: AnswerKind::Logit }),
        classes: vec!["lying".into(), "öde".into()],
        pixels: Some(PixelMap {
            scale: 1.0 / 255.0,
            mean: vec![0.5],
            std: vec![0.25, 0.5, 1.0],
            layout: Some(Layout::Nchw),
        }),
    };
    let card = Card { recipe: "static".into(), seed: 4, ..Card::default() };
    let mut network = Network::try_new(b.finish(&outputs).unwrap(), signature, card).unwrap();
    network.self_test =
        Some(NetworkTest { seed: 1, n_rows: 2, length: 16, digest: 77, samples: vec![0.5, f64::INFINITY] });
    network
}

fn seal(body: &[u8]) -> Vec<u8> {
    let mut digest = Digest::new();
    digest.bytes(body);
    [body, &digest.finish().to_le_bytes()].concat()
}

#[test]
fn bytes_are_the_golden_ones() {
    let mut text = String::new();
    for line in file::write_network(&network()).chunks(32) {
        line.iter().for_each(|byte| write!(text, "{byte:02x}").unwrap());
        text.push('\n');
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(GOLDEN).unwrap());
}

#[test]
fn what_is_read_is_what_was_written() {
    let network = network();
    let bytes = file::write_network(&network);
    assert!(file::is_network(&bytes[..8]) && !file::is_network(&bytes[..7]));
    let back = file::read_network(&bytes).unwrap();
    assert_eq!(file::write_network(&back), bytes);
    assert_eq!((back.signature(), &back.card), (network.signature(), &network.card));
    assert_eq!(back.self_test, network.self_test);
    assert_eq!(back.signature().answer.unwrap().task(back.graph()), Some(Task::Binary));
    assert!(!back.graph().is_exact());
    let (a, b) = (network.graph(), back.graph());
    for (one, other) in [(a.inputs(), b.inputs()), (a.outputs(), b.outputs())] {
        let values = |g: &smidgen_ir::Graph, all: &[ValueIdx]| -> Vec<smidgen_ir::Value> {
            all.iter().map(|&idx| g.value(idx).clone()).collect()
        };
        assert_eq!(values(a, one), values(b, other));
    }
    for (one, other) in a.values().iter().zip(b.values()) {
        assert_eq!((one.dtype, &one.shape, &one.origin), (other.dtype, &other.shape, &other.origin));
    }
    for (one, other) in a.nodes().iter().zip(b.nodes()) {
        assert_eq!((&one.op, &one.inputs, &one.outputs), (&other.op, &other.inputs, &other.outputs));
    }
    // Inner names are gone, and no name stands twice.
    assert!(b.find("inner").is_none() && b.find("weights").is_none() && b.find("maxpool18").is_some());
    assert!(matches!(file::read(&bytes).unwrap_err().kind(), Kind::Graph { .. }));
}

#[test]
fn large_constants_are_aligned_and_small_ones_packed() {
    let bytes = file::write_network(&network());
    let larger = [253u8; 64 * 65];
    let at = bytes.windows(larger.len()).position(|w| w == larger).unwrap();
    assert_eq!(at % 64, 0);
    // Eight codes of 4 bits, the first in the low bits; 1500 codes as they are.
    assert!(bytes.windows(4).any(|w| w == [0x87, 0x10, 0x2f, 0x43]));
    let large: Vec<u8> = (0..1500).map(|i| (i % 251) as u8).collect();
    assert!(bytes.windows(1500).any(|w| w == large));
}

#[test]
fn damage_at_any_byte_is_seen() {
    let bytes = file::write_network(&network());
    for at in 0..bytes.len() {
        for flip in [1u8, 0x80, 0xff] {
            let mut other = bytes.clone();
            other[at] ^= flip;
            assert!(matches!(file::read_any(&other).unwrap_err().kind(), Kind::Damaged { .. }), "byte {at}");
        }
        let cut = file::read_any(&bytes[..at]).unwrap_err();
        assert!(matches!(cut.kind(), Kind::Damaged { .. }), "cut at {at}");
        // Cut, and sealed again: seen by the counts.
        assert!(at >= bytes.len() - 8 || file::read_any(&seal(&bytes[..at])).is_err(), "sealed at {at}");
    }
}

proptest! {
    /// Bytes altered behind a valid digest: an error, or a network that is written and read again as it is.
    #[test]
    fn hostile_bytes_are_refused_or_well_formed(edits in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..4)) {
        let bytes = file::write_network(&network());
        let mut body = bytes[..bytes.len() - 8].to_vec();
        // Headers and nodes, where lengths and places stand.
        let n = body.len().min(700);
        edits.iter().for_each(|(at, byte)| body[usize::from(*at) % n] = *byte);
        if let Ok(network) = file::read_network(&seal(&body)) {
            let written = file::write_network(&network);
            prop_assert_eq!(file::write_network(&file::read_network(&written).unwrap()), written);
        }
    }
}

#[test]
fn every_dtype_is_kept_at_its_width() {
    let mut random = SplitMix64::new(5);
    for n in [0usize, 1, 7, 5000] {
        for &dtype in DType::ALL {
            let mut word = || random.next_word();
            let data = match dtype {
                DType::Bool => TensorData::Bool((0..n).map(|_| word() % 2 == 1).collect()),
                DType::U8 => TensorData::U8((0..n).map(|_| word() as u8).collect()),
                DType::I8 => TensorData::I8((0..n).map(|_| word() as i8).collect()),
                DType::U16 => TensorData::U16((0..n).map(|_| word() as u16).collect()),
                DType::I16 => TensorData::I16((0..n).map(|_| word() as i16).collect()),
                DType::U32 => TensorData::U32((0..n).map(|_| word() as u32).collect()),
                DType::I32 => TensorData::I32((0..n).map(|_| word() as i32).collect()),
                DType::U64 => TensorData::U64((0..n).map(|_| word()).collect()),
                DType::I64 => TensorData::I64((0..n).map(|_| word() as i64).collect()),
                DType::F32 => TensorData::F32((0..n).map(|_| f32::from_bits(word() as u32)).collect()),
                DType::F64 => TensorData::F64((0..n).map(|_| f64::from_bits(word())).collect()),
                DType::Half(h) => TensorData::Half(h, (0..n).map(|_| word() as u16).collect()),
                DType::Narrow(k) => {
                    let code = |w: u64| if k.bits() < 8 { k.of_whole(w as i64) } else { w as u8 };
                    TensorData::Narrow(k, (0..n).map(|_| code(word())).collect())
                }
                DType::Str => TensorData::Str((0..n).map(|_| format!("{:x}", word() % 99)).collect()),
                DType::Bag => continue,
            };
            let bits = match dtype {
                DType::Str => 0,
                DType::Narrow(k) => k.bits() as usize,
                other => 8 * other.bytes(),
            };
            let made = Tensor::vector(data);
            let mut b = GraphBuilder::new();
            b.input("x", DType::F32, Shape::default()).unwrap();
            let k = b.constant_named("y", made.clone()).unwrap();
            let graph = b.finish(&[k]).unwrap();
            let network = Network::try_new(graph, NetworkSignature::default(), Card::default()).unwrap();
            let bytes = file::write_network(&network);
            let back = file::read_network(&bytes).unwrap();
            assert_eq!(back.graph().constant(ValueIdx(1)), Some(&made), "{dtype} {n}");
            if dtype != DType::Str {
                assert!(bytes.len() <= (n * bits).div_ceil(8) + 200, "{dtype} {n}: {} bytes", bytes.len());
            }
        }
    }
}

/// A chain of convolutions, their weights in single precision or in 8 bits behind a scale a channel.
fn chain(in_bits: bool) -> Network {
    let mut random = SplitMix64::new(9);
    let mut b = GraphBuilder::new();
    let mut x = b.input("x", DType::F32, Shape::fixed(&[1, 32, 8, 8])).unwrap();
    for layer in 0..12 {
        let (dims, n) = ([32, 32, 3, 3], 32 * 32 * 9);
        let mut floats =
            |n: usize| -> Vec<f32> { (0..n).map(|_| random.below(1 << 24) as f32 / 1e7).collect() };
        let w = if in_bits {
            let scales = floats(32);
            let codes = TensorData::I8((0..n).map(|i| (i * 37 % 255) as u8 as i8).collect());
            let codes =
                b.constant_named(&format!("layer{layer}.weight.codes"), tensor(&dims, codes)).unwrap();
            let scales = b.constant(Tensor::vector(TensorData::F32(scales))).unwrap();
            let back = DequantizeLinear { axis: 0, block: 0, to: DType::F32 };
            b.node(back.into(), &[codes, scales]).unwrap()
        } else {
            let w = TensorData::F32(floats(n));
            b.constant_named(&format!("layer{layer}.weight"), tensor(&dims, w)).unwrap()
        };
        let bias = b.constant(Tensor::vector(TensorData::F32(floats(32)))).unwrap();
        let pads = Pads::Explicit(vec![1; 4]);
        let window = Window { kernel_shape: vec![3, 3], strides: vec![1, 1], dilations: vec![1, 1], pads };
        let conv = Conv { window, group: 1, of_integers: false };
        x = b.node_named(&format!("layer{layer}/Conv_output"), conv.into(), &[x, w, bias]).unwrap()[0];
        x = b.node(Activation::plain(ActivationKind::Relu).into(), &[x]).unwrap();
    }
    let graph = b.finish(&[x]).unwrap();
    Network::try_new(graph, NetworkSignature::default(), Card::default()).unwrap()
}

#[test]
fn weights_of_8_bits_make_a_quarter_of_the_file() {
    let [small, large] = [true, false].map(|in_bits| file::write_network(&chain(in_bits)).len());
    assert!((small as f64) < 0.27 * large as f64, "{small} of {large} bytes");
    // Beyond its 110,592 weights, 768 numbers and pads of alignment: about 20 bytes a node.
    assert!(small - 110_592 - 768 * 4 < 2000, "{small} bytes");
}

#[test]
fn what_cannot_be_stored_is_refused_by_name() {
    let mut inner = GraphBuilder::new();
    let x = inner.input("x", DType::F32, Shape::default()).unwrap();
    let graph = inner.finish(&[x]).unwrap();
    let mut b = GraphBuilder::new();
    let c = b.input("c", DType::Bool, Shape::default()).unwrap();
    let x = b.input("x", DType::F32, Shape::default()).unwrap();
    let op = If { then_branch: graph.clone(), else_branch: graph };
    let y = b.node_named("choice", op.into(), &[c, x]).unwrap();
    let graph = b.finish(&y).unwrap();
    let error = Network::try_new(graph, NetworkSignature::default(), Card::default()).unwrap_err();
    assert!(error.to_string().contains("node \"choice\" (If): a graph inside a node"), "{error}");
}

#[test]
fn signatures_fit_their_graph() {
    let fine = network();
    let signature = fine.signature().clone();
    let mut pixels = signature.pixels.clone().unwrap();
    pixels.std = vec![0.0];
    let bad = [
        (
            "one of 8 outputs",
            NetworkSignature {
                answer: Some(Answer { output: 8, kind: AnswerKind::Logit }),
                ..signature.clone()
            },
        ),
        (
            "floats",
            NetworkSignature {
                answer: Some(Answer { output: 1, kind: AnswerKind::Logit }),
                ..signature.clone()
            },
        ),
        ("as many classes", NetworkSignature { classes: vec!["a".into(); 3], ..signature.clone() }),
        (
            "no classes",
            NetworkSignature {
                answer: Some(Answer { output: 0, kind: AnswerKind::Value }),
                ..signature.clone()
            },
        ),
        ("none without an output", NetworkSignature { answer: None, ..signature.clone() }),
        ("no std of 0", NetworkSignature { pixels: Some(pixels), ..signature }),
    ];
    for (message, signature) in bad {
        let error = Network::try_new(fine.graph().clone(), signature, Card::default()).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}
