//! The node tests of ONNX, and small models that ONNX Runtime ran, against importer and interpreter.
//!
//! `testdata/onnx/node_tests.txt` lists every test: `pass NAME`, or `fail NAME: why`. It is strict both ways: a listed
//! pass that fails is an error, and so is a listed failure that passes. The tests themselves come from the ONNX package
//! and from ONNX Runtime (`node_tests.py` and `ort_tests.py` put them into one folder, `SMIDGEN_ONNX_NODE_TESTS` names
//! it); without them the skip is counted.
//! `UPDATE_GOLDEN=1` writes the list anew.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "networks/suite.rs"]
mod suite;

use ir::{Card, Graph, NetworkSignature, Tensor, TensorData};
use runtime::tensors::{Limits, run, simplify, watch};
use smidgen_onnx::{NetworkMeta, NoExternal, Options};
use std::path::{Path, PathBuf};
use suite::{manifest, manifest_path, tensors};

/// Numbers as doubles; the dtype is compared apart.
fn doubles(data: &TensorData) -> Option<Vec<f64>> {
    Some(match data {
        TensorData::Bool(v) => v.iter().map(|&x| f64::from(u8::from(x))).collect(),
        TensorData::U8(v) => v.iter().map(|&x| x.into()).collect(),
        TensorData::I8(v) => v.iter().map(|&x| x.into()).collect(),
        TensorData::U16(v) => v.iter().map(|&x| x.into()).collect(),
        TensorData::I16(v) => v.iter().map(|&x| x.into()).collect(),
        TensorData::U32(v) => v.iter().map(|&x| x.into()).collect(),
        TensorData::I32(v) => v.iter().map(|&x| x.into()).collect(),
        TensorData::U64(v) => v.iter().map(|&x| x as f64).collect(),
        TensorData::I64(v) => v.iter().map(|&x| x as f64).collect(),
        TensorData::F32(v) => v.iter().map(|&x| x.into()).collect(),
        TensorData::F64(v) => v.clone(),
        TensorData::Half(half, v) => v.iter().map(|&x| half.to_f32(x).into()).collect(),
        TensorData::Narrow(narrow, v) => v.iter().map(|&x| narrow.to_f32(x).into()).collect(),
        TensorData::Str(_) | TensorData::Bag(_) => return None,
    })
}

/// The tolerance of ONNX's own runner: relative 1e-3, absolute 1e-7. Integers and text are equal.
fn differs(expected: &Tensor, got: &Tensor) -> Option<String> {
    if expected.dtype() != got.dtype() || expected.dims() != got.dims() {
        let shape = |t: &Tensor| format!("{} {:?}", t.dtype(), t.dims());
        return Some(format!("expected {}, got {}", shape(expected), shape(got)));
    }
    let (Some(want), Some(have)) = (doubles(expected.data()), doubles(got.data())) else {
        return (expected.data() != got.data()).then(|| "texts differ".to_string());
    };
    let is_float = expected.dtype().is_float();
    let close = |want: f64, have: f64| match is_float {
        true => {
            want == have
                || (want.is_nan() && have.is_nan())
                || (want - have).abs() <= 1e-7 + 1e-3 * want.abs()
        }
        false => want == have,
    };
    let at = want.iter().zip(&have).position(|(&want, &have)| !close(want, have))?;
    Some(format!("element {at}: expected {}, got {}", want[at], have[at]))
}

fn check(test: &Path) -> Result<(), String> {
    let bytes = std::fs::read(test.join("model.onnx")).map_err(|e| e.to_string())?;
    let graph = smidgen_onnx::import(&bytes, Options { external: &NoExternal }).map_err(|e| e.to_string())?;
    for set in 0.. {
        let folder = test.join(format!("test_data_set_{set}"));
        if !folder.is_dir() {
            break;
        }
        check_set(&graph, &folder)?;
        for (what, blur) in [
            ("lengths", (|shape| ir::Shape::of_rank(shape.rank())) as fn(&ir::Shape) -> ir::Shape),
            ("ranks", |_| ir::Shape::any()),
        ] {
            let less = blurred(&graph, blur).map_err(|e| format!("unknown {what}: {e}"))?;
            check_set(&less, &folder).map_err(|e| format!("unknown {what}: {e}"))?;
        }
        if let Some(stored) = stored(&graph)? {
            check_same(&graph, &stored, &folder).map_err(|e| format!("stored: {e}"))?;
        }
        let simple = simplify(&graph).map_err(|e| format!("simplifying: {e}"))?;
        check_set(&simple, &folder).map_err(|e| format!("simplified: {e}"))?;
    }
    Ok(())
}

/// The graph as it comes back from a file of smidgen; none with a graph inside a node, which no file holds.
fn stored(graph: &Graph) -> Result<Option<Graph>, String> {
    let network = ir::Network::try_new(graph.clone(), NetworkSignature::default(), Card::default());
    let network = match network {
        Err(e) if matches!(e.kind(), ir::Kind::Unstored { .. }) => return Ok(None),
        other => other.map_err(|e| e.to_string())?,
    };
    let bytes = ir::file::write_network(&network);
    let back = ir::file::read_network(&bytes).map_err(|e| e.to_string())?;
    if ir::file::write_network(&back) != bytes {
        return Err("other bytes when it is written again".to_string());
    }
    Ok(Some(back.into_parts().0))
}

/// Both graphs make the same bits of the inputs of a test.
fn check_same(graph: &Graph, stored: &Graph, folder: &Path) -> Result<(), String> {
    let inputs = tensors(folder, "input")?;
    let [expected, got] = [graph, stored].map(|graph| {
        let names = graph.inputs().iter().map(|&i| graph.value(i).name.clone());
        let inputs = names.zip(inputs.clone()).map(|(name, (_, tensor))| (name, tensor)).collect();
        run(graph, inputs, Limits::default()).map_err(|e| e.to_string())
    });
    if expected? == got? { Ok(()) } else { Err("other outputs".to_string()) }
}

/// All values have the dtype and the shape that were inferred before there was data.
fn inferred(graph: &Graph, inputs: Vec<(String, Tensor)>) -> Result<(), String> {
    let all: Vec<ir::ValueIdx> = (0..graph.values().len() as u32).map(ir::ValueIdx).collect();
    let mut wrong = None;
    let mut see = |idx: ir::ValueIdx, tensor: &Tensor| {
        let value = graph.value(idx);
        let fits = value.dtype == tensor.dtype()
            && value.shape.axes().is_none_or(|axes| {
                let is_same = |(axis, &n): (&ir::Dim, &usize)| !matches!(axis, ir::Dim::Fixed(k) if *k != n);
                axes.len() == tensor.dims().len() && axes.iter().zip(tensor.dims()).all(is_same)
            });
        if !fits {
            let got = format!("{} {:?}", tensor.dtype(), tensor.dims());
            wrong =
                Some(format!("value {:?}: inferred {} {}, got {got}", value.name, value.dtype, value.shape));
        }
    };
    watch(graph, inputs, Limits::default(), &all, &mut see).map_err(|e| e.to_string())?;
    wrong.map_or(Ok(()), Err)
}

/// The graph again with less known of its inputs.
fn blurred(graph: &Graph, blur: fn(&ir::Shape) -> ir::Shape) -> Result<Graph, String> {
    let mut b = ir::GraphBuilder::new();
    // Inputs stand first, so values keep their places.
    for value in graph.values() {
        let added = match &value.origin {
            ir::Origin::Input(_) => b.input(&value.name, value.dtype, blur(&value.shape)),
            ir::Origin::Constant(tensor) => b.constant_named(&value.name, tensor.clone()),
            ir::Origin::Node(node) => {
                let node = &graph.nodes()[node.0 as usize];
                if node.outputs[0].0 as usize != b.n_values() {
                    continue;
                }
                let names: Vec<String> = node.outputs.iter().map(|&o| graph.value(o).name.clone()).collect();
                b.node_with_outputs(&node.name, node.op.clone(), &node.inputs, &names).map(|o| o[0])
            }
        };
        added.map_err(|e| e.to_string())?;
    }
    b.finish(graph.outputs()).map_err(|e| e.to_string())
}

fn check_set(graph: &Graph, folder: &Path) -> Result<(), String> {
    let inputs = tensors(folder, "input")?;
    let expected = tensors(folder, "output")?;
    // Some tests leave names out, or list inputs in the graph's order under other names.
    let names = graph.inputs().iter().map(|&i| graph.value(i).name.clone());
    let inputs: Vec<(String, Tensor)> = names.zip(inputs).map(|(name, (_, tensor))| (name, tensor)).collect();
    inferred(graph, inputs.clone())?;
    let outputs = run(graph, inputs, Limits::default()).map_err(|e| e.to_string())?;
    if outputs.len() != expected.len() {
        return Err(format!("expected {} outputs, got {}", expected.len(), outputs.len()));
    }
    for (at, ((_, want), have)) in expected.iter().zip(&outputs).enumerate() {
        if let Some(difference) = differs(want, have) {
            return Err(format!("output {at}: {difference}"));
        }
    }
    Ok(())
}

#[test]
fn node_tests() {
    let listed = manifest();
    let n_listed = listed.values().filter(|why| why.is_none()).count();
    let Some(folder) = std::env::var_os("SMIDGEN_ONNX_NODE_TESTS") else {
        println!("skipped: {n_listed} node tests, because SMIDGEN_ONNX_NODE_TESTS names no folder of them");
        return;
    };
    let mut tests: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("SMIDGEN_ONNX_NODE_TESTS is a folder")
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.join("model.onnx").is_file())
        .collect();
    tests.sort();
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut lines = Vec::new();
    let (mut wrong, mut n_passed, mut n_panics) = (Vec::new(), 0, 0);
    for test in &tests {
        let name = test.file_name().unwrap().to_string_lossy().into_owned();
        let result = std::panic::catch_unwind(|| check(test)).unwrap_or_else(|_| {
            n_panics += 1;
            Err("it panics".to_string())
        });
        n_passed += usize::from(result.is_ok());
        match (&result, listed.get(&name)) {
            (Ok(()), Some(None)) | (Err(_), Some(Some(_))) => {}
            (Ok(()), _) => wrong.push(format!("{name} passes, but is listed as failing or not at all")),
            (Err(why), _) => wrong.push(format!("{name} fails: {why}")),
        }
        lines.push(match (result, listed.get(&name)) {
            (Ok(()), _) => format!("pass {name}"),
            // A reason that somebody wrote down stays.
            (Err(_), Some(Some(why))) => format!("fail {name}: {why}"),
            (Err(why), _) => format!("fail {name}: {}", why.replace('\n', " ")),
        });
    }
    println!("{n_passed} of {} node tests pass", tests.len());
    assert_eq!(n_panics, 0, "a model must not make the interpreter panic: {wrong:#?}");
    if update {
        let head = "# Node tests of the Python package onnx 1.22.0 and models that ONNX Runtime 1.32.0 ran (ort_..); written by the runner with UPDATE_GOLDEN=1.\n";
        std::fs::write(manifest_path(), format!("{head}{}\n", lines.join("\n"))).unwrap();
        return;
    }
    let missing: Vec<&String> =
        listed.keys().filter(|name| !tests.iter().any(|t| t.ends_with(name.as_str()))).collect();
    let cure = "run node_tests.py and ort_tests.py for the folder";
    assert!(missing.is_empty(), "listed, but not in the folder: {missing:?}; {cure}");
    assert!(wrong.is_empty(), "{} tests are not as listed: {wrong:#?}", wrong.len());
}

/// Inputs of zeros; an axis of unknown length is 2 long.
fn zeros(graph: &Graph) -> Option<Vec<(String, Tensor)>> {
    let mut inputs = Vec::new();
    for &idx in graph.inputs() {
        let value = graph.value(idx);
        let dims = value.shape.axes().unwrap_or_default().iter();
        let dims: Vec<usize> = dims.map(|d| if let ir::Dim::Fixed(n) = d { *n } else { 2 }).collect();
        let n = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n < 1 << 16)?;
        let data = match value.dtype {
            ir::DType::F32 => TensorData::F32(vec![0.0; n]),
            ir::DType::I64 => TensorData::I64(vec![1; n]),
            ir::DType::I32 => TensorData::I32(vec![1; n]),
            ir::DType::U8 => TensorData::U8(vec![1; n]),
            ir::DType::I8 => TensorData::I8(vec![1; n]),
            ir::DType::Bool => TensorData::Bool(vec![true; n]),
            ir::DType::F64 => TensorData::F64(vec![0.0; n]),
            _ => return None,
        };
        inputs.push((value.name.clone(), Tensor::try_new(dims, data)?));
    }
    Some(inputs)
}

#[test]
fn changed_models_are_refused_or_run() {
    let n_changes: u64 = std::env::var("SMIDGEN_CHANGES").ok().and_then(|n| n.parse().ok()).unwrap_or(4);
    let Some(folder) = std::env::var_os("SMIDGEN_ONNX_NODE_TESTS") else {
        println!(
            "skipped: {} changed models, because SMIDGEN_ONNX_NODE_TESTS names no folder",
            manifest().len()
        );
        return;
    };
    let mut tests: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    tests.sort();
    let (mut random, mut panicked, mut n_run, mut n_tried) =
        (ir::digest::SplitMix64::new(7), Vec::new(), 0, 0);
    let limits = Limits { bytes: 1 << 24, steps: 100 };
    for test in tests {
        let Ok(bytes) = std::fs::read(test.join("model.onnx")) else { continue };
        if bytes.len() > 1 << 16 {
            continue;
        }
        for _ in 0..n_changes {
            let mut changed = bytes.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(changed.len() as u32) as usize;
                changed[at] = match random.below(3) {
                    0 => random.below(256) as u8,
                    1 => changed[at] ^ (1 << random.below(8)),
                    _ => [0, 1, 0x7f, 0x80, 0xff][random.below(5) as usize],
                };
            }
            n_tried += 1;
            let result = std::panic::catch_unwind(|| {
                let Ok(graph) = smidgen_onnx::import(&changed, Options { external: &NoExternal }) else {
                    return false;
                };
                let _ = simplify(&graph);
                if let Ok(written) = smidgen_onnx::export_network(&graph, &NetworkMeta::default()) {
                    smidgen_onnx::import(&written, Options { external: &NoExternal })
                        .expect("what is written is read");
                }
                let given = tensors(&test.join("test_data_set_0"), "input").unwrap_or_default();
                let names = graph.inputs().iter().map(|&i| graph.value(i).name.clone());
                let own = names.zip(given).map(|(name, (_, tensor))| (name, tensor)).collect();
                let runs = run(&graph, own, limits).is_ok();
                runs | zeros(&graph).is_some_and(|inputs| run(&graph, inputs, limits).is_ok())
            });
            match result {
                Ok(runs) => n_run += usize::from(runs),
                Err(_) => panicked.push((test.clone(), changed)),
            }
        }
    }
    println!("{n_run} of {n_tried} changed models run");
    if let Some((test, bytes)) = panicked.first() {
        panic!("{} models make it panic, the first {}: {bytes:?}", panicked.len(), test.display());
    }
}
