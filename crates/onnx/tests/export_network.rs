//! The node tests of ONNX and of ONNX Runtime written as ONNX and read again: outputs are the same bit for bit, under the
//! same names. `ml.rs` and `models.rs` ask the same of models of ONNX-ML and of real ones.
//!
//! What is written goes to the folder `SMIDGEN_EXPORTED_NETWORKS`, if there is one, for `export_network.py`, which asks ONNX's
//! checker and ONNX Runtime. The tests come from where `conformance.rs` has them; without them the skip is counted.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "networks/again.rs"]
mod again;
#[path = "networks/suite.rs"]
#[expect(dead_code, reason = "the list is not written here")]
mod suite;

use again::{OPTIONS, again, compare, keep};
use runtime::tensors::simplify;
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
