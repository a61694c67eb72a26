//! The node tests of ONNX and of ONNX Runtime written as ONNX and read again: outputs are the same bit for bit, under the
//! same names. `ml.rs` and `models.rs` ask the same of models of ONNX-ML and of real ones.
//!
//! What is written goes to the folder `SMIDGEN_EXPORTED_NETWORKS`, if there is one, for `export_network.py`, which asks ONNX's
//! checker and ONNX Runtime. The tests come from where `conformance.rs` has them; without them the skip is counted.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "networks/again.rs"]
mod again;
#[path = "networks/suite.rs"]
mod suite;

use again::{OPTIONS, again, compare, keep};
use ir::fixed::{Narrow, Overflow};
use ir::op::tensor::{Activation, ActivationKind, Cast, DequantizeLinear, Gather, MatMul, QuantizeLinear};
use ir::{DType, Dim, Graph, GraphBuilder, Op, Shape, Tensor, TensorData, ValueIdx};
use runtime::tensors::{Limits, run, simplify};
use smidgen_onnx::import;
use std::path::{Path, PathBuf};
use suite::{manifest, tensors};

fn check_node_test(test: &Path) -> Result<(), String> {
    let bytes = std::fs::read(test.join("model.onnx")).map_err(|e| e.to_string())?;
    let graph = import(&bytes, OPTIONS).map_err(|e| e.to_string())?;
    let (bytes, read) = again(&graph)?;
    let simple = simplify(&graph).map_err(|e| e.to_string())?;
    let (_, simple_again) = again(&simple).map_err(|e| format!("simplified: {e}"))?;
    for set in 0.. {
        let folder = test.join(format!("test_data_set_{set}"));
        if !folder.is_dir() {
            break;
        }
        let names = graph.inputs().iter().map(|&i| graph.value(i).name.clone());
        let inputs = names.zip(tensors(&folder, "input")?).map(|(name, (_, tensor))| (name, tensor));
        let inputs: Vec<_> = inputs.collect();
        compare(&graph, &read, &inputs)?;
        compare(&simple, &simple_again, &inputs).map_err(|e| format!("simplified: {e}"))?;
    }
    keep(&test.file_name().unwrap().to_string_lossy(), &bytes);
    Ok(())
}

#[test]
fn node_tests_give_the_same_again() {
    let passing: Vec<String> =
        manifest().into_iter().filter(|(_, why)| why.is_none()).map(|(name, _)| name).collect();
    let Some(folder) = std::env::var_os("SMIDGEN_ONNX_NODE_TESTS").map(PathBuf::from) else {
        println!(
            "skipped: {} node tests, because SMIDGEN_ONNX_NODE_TESTS names no folder of them",
            passing.len()
        );
        return;
    };
    let outcomes = passing.iter().map(|name| (name, check_node_test(&folder.join(name))));
    let wrong: Vec<_> = outcomes.filter_map(|(name, outcome)| Some((name, outcome.err()?))).collect();
    println!("{} of {} node tests give the same again", passing.len() - wrong.len(), passing.len());
    assert!(wrong.is_empty(), "{}: {wrong:#?}", wrong.len());
}

/// Which weights share a scale.
#[derive(Clone, Copy, Debug)]
enum Shared {
    Tensor,
    Channel,
    /// So many along the first axis.
    Block(usize),
}

const N_FEATURES: usize = 8;
const N_CHANNELS: usize = 3;

fn one(b: &mut GraphBuilder, name: &str, op: impl Into<Op>, inputs: &[ValueIdx]) -> ValueIdx {
    b.node_named(name, op.into(), inputs).unwrap()[0]
}

fn constant(b: &mut GraphBuilder, name: &str, dims: &[usize], data: TensorData) -> ValueIdx {
    b.constant_named(name, Tensor::try_new(dims.to_vec(), data).unwrap()).unwrap()
}

/// Whole numbers of a dtype.
fn whole(dtype: DType, numbers: impl Iterator<Item = i64>) -> TensorData {
    match dtype {
        DType::U8 => TensorData::U8(numbers.map(|x| x as u8).collect()),
        DType::I8 => TensorData::I8(numbers.map(|x| x as i8).collect()),
        DType::U16 => TensorData::U16(numbers.map(|x| x as u16).collect()),
        DType::I16 => TensorData::I16(numbers.map(|x| x as i16).collect()),
        DType::Narrow(narrow) => TensorData::Narrow(narrow, numbers.map(|x| narrow.of_whole(x)).collect()),
        other => panic!("{other}"),
    }
}

fn range(dtype: DType) -> (i64, i64) {
    let (least, most) = dtype.whole_range().unwrap();
    (least as i64, most as i64)
}

/// The number in the middle of the range, 0 of signed ones.
fn middle(dtype: DType, n: usize) -> TensorData {
    let (least, most) = range(dtype);
    whole(dtype, std::iter::repeat_n((least + most + 1) / 2, n))
}

/// To integers and back.
fn pair(b: &mut GraphBuilder, name: &str, x: ValueIdx, to: DType, scale: f32) -> ValueIdx {
    let scale = constant(b, &format!("{name}_scale"), &[], TensorData::F32(vec![scale]));
    let zero = constant(b, &format!("{name}_zero"), &[], middle(to, 1));
    let op = QuantizeLinear { axis: 0, block: 0, to, precision: None, overflow: Overflow::Saturate };
    let q = one(b, &format!("{name}_q"), op, &[x, scale, zero]);
    one(b, &format!("{name}_dq"), DequantizeLinear { axis: 0, block: 0, to: DType::F32 }, &[q, scale, zero])
}

/// Weights `[N_FEATURES, N_CHANNELS]` of a dtype that fill its range, as reals.
fn weights(b: &mut GraphBuilder, dtype: DType, shared: Shared) -> ValueIdx {
    let (least, most) = range(dtype);
    let n = (N_FEATURES * N_CHANNELS) as i64;
    let stored = whole(dtype, (0..n).map(|i| least + i * 7919 % (most - least + 1)));
    let w = constant(b, "w", &[N_FEATURES, N_CHANNELS], stored);
    let (dims, axis, block) = match shared {
        Shared::Tensor => (vec![], 0, 0),
        Shared::Channel => (vec![N_CHANNELS], 1, 0),
        Shared::Block(block) => (vec![N_FEATURES / block, N_CHANNELS], 0, block),
    };
    let n = dims.iter().product();
    let unit = 1.0 / (most as f32);
    let scales = (0..n).map(|i| unit * (1.0 + i as f32 / 8.0)).collect();
    let scale = constant(b, "w_scale", &dims, TensorData::F32(scales));
    let zero = constant(b, "w_zero", &dims, middle(dtype, n));
    one(b, "w_dq", DequantizeLinear { axis, block, to: DType::F32 }, &[w, scale, zero])
}

/// Weights by a codebook of 16 numbers, with codes of a dtype.
fn by_codebook(b: &mut GraphBuilder, codes: DType) -> ValueIdx {
    let stored = whole(codes, (0..(N_FEATURES * N_CHANNELS) as i64).map(|i| i * 7919 % 16));
    let codes = constant(b, "codes", &[N_FEATURES, N_CHANNELS], stored);
    let book = (0..16).map(|i| (i as f32 - 7.5).powi(3) / 400.0).collect();
    let book = constant(b, "codebook", &[16], TensorData::F32(book));
    let places = one(b, "places", Cast::to(DType::I32), &[codes]);
    one(b, "w_looked_up", Gather::Slices { axis: 0 }, &[book, places])
}

/// A layer between quantized activations.
fn layer(activations: DType, weights: impl FnOnce(&mut GraphBuilder) -> ValueIdx) -> Graph {
    let mut b = GraphBuilder::new();
    let rows = Shape(vec![Dim::Symbol("batch".into()), Dim::Fixed(N_FEATURES)]);
    let x = b.input("x", DType::F32, rows).unwrap();
    let unit = 2.0 / (range(activations).1 - range(activations).0) as f32;
    let x = pair(&mut b, "x", x, activations, unit);
    let w = weights(&mut b);
    let sums = one(&mut b, "sums", MatMul::Numbers, &[x, w]);
    let relu = one(&mut b, "relu", Activation::plain(ActivationKind::Relu), &[sums]);
    let y = pair(&mut b, "y", relu, activations, unit * 4.0);
    b.finish(&[y]).unwrap()
}

/// Writes inputs and outputs of a network that has no file of others.
fn keep_case(name: &str, inputs: &[(String, Tensor)], outputs: &[Tensor]) {
    let Some(folder) = std::env::var_os("SMIDGEN_EXPORTED_NETWORKS") else { return };
    let line = |kind: &str, name: &str, tensor: &Tensor| match tensor.data() {
        TensorData::F32(v) => {
            let texts: Vec<String> = v.iter().map(f32::to_string).collect();
            format!("{}\n", serde_json::json!([kind, name, "f32", tensor.dims(), texts]))
        }
        other => panic!("{}", other.dtype()),
    };
    let inputs = inputs.iter().map(|(name, tensor)| line("input", name, tensor));
    let outputs = outputs.iter().map(|tensor| line("output", "", tensor));
    let text: String = inputs.chain(outputs).collect();
    std::fs::write(Path::new(&folder).join(format!("{name}.txt")), text).unwrap();
}

#[test]
fn quantized_networks_give_the_same_again() {
    let narrow = [Narrow::I4, Narrow::U4, Narrow::I2, Narrow::U2].map(DType::Narrow);
    let whole = [DType::I8, DType::U8, DType::I16, DType::U16];
    let shared = [Shared::Tensor, Shared::Channel, Shared::Block(4)];
    let mut all = Vec::new();
    for dtype in whole.into_iter().chain(narrow) {
        for shared in shared {
            let name = format!("{dtype}_{shared:?}").to_lowercase().replace(['(', ')'], "");
            // Activations of 2 and 4 bits are rare; weights of these stand beside bytes.
            let activations = if matches!(dtype, DType::Narrow(_)) { DType::U8 } else { dtype };
            all.push((name, layer(activations, |b| weights(b, dtype, shared))));
        }
    }
    for codes in [DType::U8, DType::Narrow(Narrow::U4)] {
        all.push((format!("codebook_{codes}"), layer(DType::U8, |b| by_codebook(b, codes))));
    }
    let rows = (0..5 * N_FEATURES).map(|i| (i * 7919 % 10_007) as f32 / 5_003.5 - 1.0).collect();
    let x = Tensor::try_new(vec![5, N_FEATURES], TensorData::F32(rows)).unwrap();
    let inputs = [("x".to_string(), x)];
    for (name, graph) in all {
        let (bytes, read) = again(&graph).unwrap_or_else(|why| panic!("{name}: {why}"));
        compare(&graph, &read, &inputs).unwrap_or_else(|why| panic!("{name}: {why}"));
        let outputs = run(&graph, inputs.to_vec(), Limits::default()).unwrap();
        keep(&format!("qdq_{name}"), &bytes);
        keep_case(&format!("qdq_{name}"), &inputs, &outputs);
    }
}
