//! Networks that PyTorch and Keras made, imported and run, against outputs of ONNX Runtime.
//!
//! `testdata/onnx/networks` holds those of few units; `SMIDGEN_NETWORKS` names a folder of the same networks as large as
//! they are used (`torch_networks.py` and `keras_networks.py` make both); without it the skip is counted.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use ir::{Graph, Tensor, TensorData};
use runtime::tensors::{Limits, run, simplify};
use smidgen_onnx::{NoExternal, Options, rebatch};
use std::path::{Path, PathBuf};

/// How far a number may lie from that of ONNX Runtime, relative to the largest of its output.
const RELATIVE: f64 = 1e-4;

fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/onnx/networks")
}

/// Folders of networks, in the order of their names.
fn networks(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut networks: Vec<PathBuf> = entries.filter(|path| path.join("model.onnx").is_file()).collect();
    networks.sort();
    networks
}

fn tensors(folder: &Path, kind: &str) -> Vec<(String, Tensor)> {
    let read = |at: usize| std::fs::read(folder.join(format!("{kind}_{at}.pb"))).ok();
    (0..).map_while(read).map(|bytes| smidgen_onnx::read_tensor(&bytes).unwrap()).collect()
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    match tensor.data() {
        TensorData::F32(v) => v.iter().map(|&x| x.into()).collect(),
        TensorData::I32(v) => v.iter().map(|&x| x.into()).collect(),
        TensorData::I64(v) => v.iter().map(|&x| x as f64).collect(),
        other => panic!("{}", other.dtype()),
    }
}

/// The largest distance of an element, in parts of the largest element; what differs otherwise is an error.
fn distance(want: &Tensor, have: &Tensor) -> Result<f64, String> {
    if want.dtype() != have.dtype() || want.dims() != have.dims() {
        let shape = |t: &Tensor| format!("{} {:?}", t.dtype(), t.dims());
        return Err(format!("expected {}, got {}", shape(want), shape(have)));
    }
    let is_exact = !want.dtype().is_float();
    let (want, have) = (numbers(want), numbers(have));
    let largest = want.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let mut furthest = 0.0f64;
    for (at, (want, have)) in want.iter().zip(&have).enumerate() {
        let distance = if want == have { 0.0 } else { (want - have).abs() / largest };
        if (is_exact && want != have) || distance.is_nan() || distance > RELATIVE {
            return Err(format!("element {at}: expected {want}, got {have}, the largest being {largest}"));
        }
        furthest = furthest.max(distance);
    }
    Ok(furthest)
}

/// The furthest that an output lies away, over all sets of inputs.
fn compare(graph: &Graph, network: &Path) -> Result<f64, String> {
    let mut furthest = 0.0f64;
    for set in (0..).map(|set| network.join(format!("test_data_set_{set}"))).take_while(|set| set.is_dir()) {
        let (inputs, expected) = (tensors(&set, "input"), tensors(&set, "output"));
        assert!(!expected.is_empty(), "{}", set.display());
        let made = run(graph, inputs, Limits::default()).map_err(|e| e.to_string())?;
        let names: Vec<&str> = graph.outputs().iter().map(|&o| &graph.value(o).name[..]).collect();
        if names != expected.iter().map(|(name, _)| &name[..]).collect::<Vec<_>>() {
            return Err(format!("outputs are {names:?}"));
        }
        for ((name, want), have) in expected.iter().zip(&made) {
            furthest = furthest.max(distance(want, have).map_err(|e| format!("{name}: {e}"))?);
        }
    }
    Ok(furthest)
}

fn check(network: &Path) -> Result<String, String> {
    let bytes = std::fs::read(network.join("model.onnx")).unwrap();
    let graph = smidgen_onnx::import(&bytes, Options { external: &NoExternal }).map_err(|e| e.to_string())?;
    let plain = compare(&graph, network)?;
    let simple = simplify(&graph).map_err(|e| format!("simplifying: {e}"))?;
    let simplified = compare(&simple, network).map_err(|e| format!("simplified: {e}"))?;
    let n_nodes = [graph.nodes().len(), simple.nodes().len()];
    // One that was exported for one row gives the same for that row once it takes many.
    let many = match rebatch(&simple, "N") {
        Ok(many) => format!("{:.1e}", compare(&many, network).map_err(|e| format!("of any rows: {e}"))?),
        Err(_) => "-".to_string(),
    };
    let [nodes, fewer] = n_nodes;
    Ok(format!("{plain:.1e} ({nodes} nodes), {simplified:.1e} ({fewer} nodes), of any rows {many}"))
}

/// What is told of each network of a folder.
fn all(folder: &Path) -> String {
    let networks = networks(folder);
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    for network in &networks {
        let name = network.file_name().unwrap().to_string_lossy();
        match check(network) {
            Ok(told) => lines.push(format!("{name}: {told}")),
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {} networks differ: {wrong:#?}", wrong.len(), networks.len());
    lines.join("\n")
}

#[test]
fn networks_of_few_units_give_what_onnx_runtime_gives() {
    let n = networks(&own()).len();
    assert!(n > 0, "testdata/onnx/networks is empty");
    println!("{}", all(&own()));
}

#[test]
fn networks_as_they_are_used_give_what_onnx_runtime_gives() {
    let Some(folder) = std::env::var_os("SMIDGEN_NETWORKS").map(PathBuf::from) else {
        let n = networks(&own()).len();
        println!("skipped: {n} networks, because SMIDGEN_NETWORKS names no folder of them");
        return;
    };
    let names = |folder: &Path| -> Vec<String> {
        networks(folder).iter().map(|n| n.file_name().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(
        names(&folder),
        names(&own()),
        "the folder holds other networks; make it anew by both scripts"
    );
    println!("{}", all(&folder));
}
