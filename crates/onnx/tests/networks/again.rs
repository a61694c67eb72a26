//! Networks written and read again, and what of them must be the same.

use ir::{Graph, Tensor};
use runtime::tensors::{Limits, run};
use smidgen_onnx::{NetworkMeta, NoExternal, Options, export_network, import_all};
use std::path::Path;

pub const OPTIONS: Options<'static> = Options { external: &NoExternal };

/// Writes a network for `export_network.py`.
pub fn keep(name: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("SMIDGEN_EXPORTED_NETWORKS") {
        std::fs::write(Path::new(&folder).join(format!("{name}.onnx")), bytes).unwrap();
    }
}

/// The network written and read again; says what differs in its names, dtypes and axes.
pub fn again(graph: &Graph) -> Result<(Vec<u8>, Graph), String> {
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
    let shapes =
        |graph: &Graph| graph.inputs().iter().map(|&idx| graph.value(idx).shape.clone()).collect::<Vec<_>>();
    if ends(graph) != ends(&read.graph) || shapes(graph) != shapes(&read.graph) {
        return Err(format!("ends {:?}, again {:?}", ends(graph), ends(&read.graph)));
    }
    // Values keep their names; further outputs of a node may have none of their own.
    let mut names = graph.nodes().iter().flat_map(|node| &node.outputs).map(|&idx| &graph.value(idx).name);
    match names.find(|name| !name.contains(':') && read.graph.find(name).is_none()) {
        Some(name) => Err(format!("no value {name:?} again")),
        None => Ok((bytes, read.graph)),
    }
}

/// Outputs of both, bit for bit.
pub fn compare(graph: &Graph, other: &Graph, inputs: &[(String, Tensor)]) -> Result<(), String> {
    let outputs = |graph: &Graph| run(graph, inputs.to_vec(), Limits::default()).map_err(|e| e.to_string());
    let (first, second) = (outputs(graph)?, outputs(other).map_err(|e| format!("again: {e}"))?);
    match first.iter().zip(&second).position(|(a, b)| a != b) {
        Some(at) => Err(format!("output {at}: {:?} and {:?}", first[at], second[at])),
        None if first.len() != second.len() => Err(format!("{} and {} outputs", first.len(), second.len())),
        None => Ok(()),
    }
}
