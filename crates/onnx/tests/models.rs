//! Real models of others, imported and run, against outputs that ONNX Runtime made (`model_outputs.py` records them).
//!
//! The models are not part of the repository: `SMIDGEN_MODELS` names their folder, or `SMIDGEN_DATA` a folder beside it;
//! without either the skip is counted.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "networks/again.rs"]
mod again;

use ir::{Graph, Tensor, TensorData, ValueIdx};
use runtime::tensors::{Limits, run, simplify, watch};
use smidgen_onnx::{NoExternal, Options, rebatch};
use std::path::{Path, PathBuf};

const MODELS: &[&str] = &["cifar10_resnet_2b", "mnist_cnn_cntk", "silero_vad_16k"];

/// How far outputs may be from those of ONNX Runtime, relative to them, and beside zero.
const RELATIVE: f64 = 1e-4;
const ABSOLUTE: f64 = 1e-6;

fn models() -> Option<PathBuf> {
    let own = std::env::var_os("SMIDGEN_MODELS").map(PathBuf::from);
    let beside = || std::env::var_os("SMIDGEN_DATA").map(|data| Path::new(&data).join("../models"));
    own.or_else(beside).filter(|folder| folder.is_dir())
}

struct Case {
    inputs: Vec<(String, Tensor)>,
    outputs: Vec<(String, Vec<usize>, Vec<f64>)>,
}

fn lengths(text: &str) -> Vec<usize> {
    if text == "-" { Vec::new() } else { text.split(',').map(|n| n.parse().unwrap()).collect() }
}

/// The formula of `model_outputs.py`.
fn numbers(dtype: &str, dims: Vec<usize>, least: f64, most: f64) -> Tensor {
    let n: usize = dims.iter().product();
    let value = |i: usize| least + (i * 7919 % 10_007) as f64 / 10_007.0 * (most - least);
    let data = match dtype {
        "f32" => TensorData::F32((0..n).map(|i| value(i) as f32).collect()),
        "i64" => TensorData::I64((0..n).map(|i| value(i) as i64).collect()),
        other => panic!("{other}"),
    };
    Tensor::try_new(dims, data).unwrap()
}

fn case(name: &str) -> Case {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../testdata/onnx/{name}.txt"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut case = Case { inputs: Vec::new(), outputs: Vec::new() };
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["input", name, dtype, dims, least, most] => {
                let tensor = numbers(dtype, lengths(dims), least.parse().unwrap(), most.parse().unwrap());
                case.inputs.push((name.to_string(), tensor));
            }
            ["output", name, dims, ref values @ ..] => {
                let values = values.iter().map(|v| v.parse().unwrap()).collect();
                case.outputs.push((name.to_string(), lengths(dims), values));
            }
            _ => panic!("{line}"),
        }
    }
    case
}

fn import(folder: &Path, name: &str) -> Graph {
    let bytes = std::fs::read(folder.join(name).join("model.onnx")).unwrap();
    smidgen_onnx::import(&bytes, Options { external: &NoExternal }).unwrap()
}

fn floats(tensor: &Tensor) -> &[f32] {
    match tensor.data() {
        TensorData::F32(v) => v,
        other => panic!("{}", other.dtype()),
    }
}

#[test]
fn outputs_equal_those_of_onnx_runtime() {
    let Some(folder) = models() else {
        println!(
            "skipped: {} models, because neither SMIDGEN_MODELS nor SMIDGEN_DATA leads to them",
            MODELS.len()
        );
        return;
    };
    for (name, is_simple) in MODELS.iter().flat_map(|name| [(name, false), (name, true)]) {
        let (graph, case) = (import(&folder, name), case(name));
        let graph = if is_simple { simplify(&graph).unwrap() } else { graph };
        let (written, read) = again::again(&graph).unwrap();
        again::compare(&graph, &read, &case.inputs).unwrap();
        again::keep(&format!("{}_{name}", if is_simple { "simple" } else { "model" }), &written);
        let made = run(&graph, case.inputs, Limits::default()).unwrap();
        let names: Vec<&str> = graph.outputs().iter().map(|&o| &graph.value(o).name[..]).collect();
        assert_eq!(names, case.outputs.iter().map(|o| &o.0[..]).collect::<Vec<_>>());
        let mut furthest = 0.0f64;
        for ((output, dims, expected), got) in case.outputs.iter().zip(&made) {
            assert_eq!(got.dims(), dims, "{name}: {output}");
            for (at, (&want, &have)) in expected.iter().zip(floats(got)).enumerate() {
                let distance = (want - f64::from(have)).abs();
                furthest = furthest.max(distance / (want.abs() + ABSOLUTE / RELATIVE));
                assert!(
                    distance <= RELATIVE * want.abs() + ABSOLUTE,
                    "{name}: {output}[{at}]: {want} and {have}"
                );
            }
        }
        println!(
            "{name}, {} nodes: {} values, the furthest {furthest:.1e} away",
            graph.nodes().len(),
            case.outputs.iter().map(|o| o.2.len()).sum::<usize>()
        );
    }
}

#[test]
fn any_value_can_be_watched() {
    let Some(folder) = models() else {
        println!("skipped: watching 1 model, because neither SMIDGEN_MODELS nor SMIDGEN_DATA leads to it");
        return;
    };
    let (graph, case) = (import(&folder, "mnist_cnn_cntk"), case("mnist_cnn_cntk"));
    let find = |name: &str| graph.find(name).unwrap();
    let wanted = [find("ReLU32_Output_0"), find("Pooling66_Output_0"), find("Input3")];
    let mut seen = Vec::new();
    let mut see = |idx: ValueIdx, tensor: &Tensor| {
        let least = floats(tensor).iter().copied().fold(f32::INFINITY, f32::min);
        seen.push((idx, tensor.dims().to_vec(), least));
    };
    watch(&graph, case.inputs, Limits::default(), &wanted, &mut see).unwrap();
    let order: Vec<ValueIdx> = seen.iter().map(|s| s.0).collect();
    assert_eq!(order, [wanted[2], wanted[0], wanted[1]], "each once, in the order in which they are made");
    assert_eq!(seen[1].1, [1, 8, 28, 28]);
    assert_eq!(seen[1].2, 0.0, "what a Relu makes is 0 or more");
}

#[test]
fn models_of_one_image_take_many() {
    let Some(folder) = models() else {
        println!(
            "skipped: batches of 2 models, because neither SMIDGEN_MODELS nor SMIDGEN_DATA leads to them"
        );
        return;
    };
    for name in ["cifar10_resnet_2b", "mnist_cnn_cntk"] {
        let graph = import(&folder, name);
        let many = rebatch(&graph, "N").unwrap();
        let output = many.value(many.outputs()[0]);
        assert_eq!(output.shape.to_string(), "[N, 10]");
        let (input, one) = case(name).inputs.remove(0);
        let turned: Vec<f32> = floats(&one).iter().rev().copied().collect();
        let other = Tensor::try_new(one.dims().to_vec(), TensorData::F32(turned)).unwrap();
        let single =
            |image: &Tensor| run(&graph, vec![(input.clone(), image.clone())], Limits::default()).unwrap();
        let both = one.clone().below(other.clone()).unwrap();
        let made = run(&many, vec![(input.clone(), both)], Limits::default()).unwrap();
        let apart = [single(&one), single(&other)].map(|made| floats(&made[0]).to_vec()).concat();
        for (&want, &have) in apart.iter().zip(floats(&made[0])) {
            assert!((want - have).abs() <= 1e-5 * want.abs() + 1e-5, "{name}: {want} {have}");
        }
    }
}
