//! Networks written as ONNX and read again: the node tests of ONNX and of ONNX Runtime, models of ONNX-ML and real models
//! give the same outputs bit for bit, under the same names.
//!
//! What is written goes to the folder `SMIDGEN_EXPORTED_NETWORKS`, if there is one, for `export_network.py`, which asks ONNX's
//! checker and ONNX Runtime. Suites come from where `conformance.rs` and `models.rs` have them; without them the skip is
//! counted.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "networks/suite.rs"]
#[expect(dead_code, reason = "the list is not written here")]
mod suite;

use ir::{Graph, Origin, Tensor, TensorData};
use runtime::tensors::{Limits, run, simplify};
use smidgen_onnx::{NetworkMeta, NoExternal, Options, export_network, import, import_all};
use std::path::{Path, PathBuf};
use suite::{manifest, tensors};

const OPTIONS: Options<'static> = Options { external: &NoExternal };

/// Writes a network for `export_network.py`.
fn keep(name: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("SMIDGEN_EXPORTED_NETWORKS") {
        std::fs::write(Path::new(&folder).join(format!("{name}.onnx")), bytes).unwrap();
    }
}

/// The network written and read again; says what differs in its names, dtypes and axes.
fn again(graph: &Graph) -> Result<(Vec<u8>, Graph), String> {
    let meta = NetworkMeta { name: "net".into(), properties: vec![("recipe".into(), "int8".into())] };
    let bytes = export_network(graph, &meta).map_err(|e| e.to_string())?;
    if export_network(graph, &meta).map_err(|e| e.to_string())? != bytes {
        return Err("other bytes the second time".to_string());
    }
    let read = import_all(&bytes, OPTIONS).map_err(|e| e.to_string())?;
    if read.meta != meta || read.producer.name != "smidgen" {
        return Err(format!("{:?} by {:?}", read.meta, read.producer));
    }
    let ends = |graph: &Graph| {
        let all = graph.inputs().iter().chain(graph.outputs()).map(|&idx| graph.value(idx));
        all.map(|value| (value.name.clone(), value.dtype)).collect::<Vec<_>>()
    };
    let shapes = |graph: &Graph| graph.inputs().iter().map(|&idx| graph.value(idx).shape.clone()).collect::<Vec<_>>();
    if ends(graph) != ends(&read.graph) || shapes(graph) != shapes(&read.graph) {
        return Err(format!("ends {:?}, again {:?}", ends(graph), ends(&read.graph)));
    }
    // What had a name of the graph has it again.
    let lost = graph.nodes().iter().flat_map(|node| &node.outputs).map(|&idx| graph.value(idx)).find(|value| {
        !value.name.contains(':') && read.graph.find(&value.name).is_none()
    });
    match lost {
        Some(value) => Err(format!("no value {:?} again", value.name)),
        None => Ok((bytes, read.graph)),
    }
}

/// Outputs of both, bit for bit.
fn compare(graph: &Graph, other: &Graph, inputs: &[(String, Tensor)]) -> Result<(), String> {
    let outputs = |graph: &Graph| run(graph, inputs.to_vec(), Limits::default()).map_err(|e| e.to_string());
    let (first, second) = (outputs(graph)?, outputs(other).map_err(|e| format!("again: {e}"))?);
    match first.iter().zip(&second).position(|(a, b)| a != b) {
        Some(at) => Err(format!("output {at}: {:?} and {:?}", first[at], second[at])),
        None if first.len() != second.len() => Err(format!("{} and {} outputs", first.len(), second.len())),
        None => Ok(()),
    }
}

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
    let passing: Vec<String> = manifest().into_iter().filter(|(_, why)| why.is_none()).map(|(name, _)| name).collect();
    let Some(folder) = std::env::var_os("SMIDGEN_ONNX_NODE_TESTS").map(PathBuf::from) else {
        println!("skipped: {} node tests, because SMIDGEN_ONNX_NODE_TESTS names no folder of them", passing.len());
        return;
    };
    let outcomes = passing.iter().map(|name| (name, check_node_test(&folder.join(name))));
    let wrong: Vec<_> = outcomes.filter_map(|(name, outcome)| Some((name, outcome.err()?))).collect();
    println!("{} of {} node tests give the same again", passing.len() - wrong.len(), passing.len());
    assert!(wrong.is_empty(), "{}: {wrong:#?}", wrong.len());
}
