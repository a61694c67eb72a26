//! The node tests of ONNX and of ONNX Runtime as they lie in a folder, and which of them pass.

use ir::Tensor;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub fn manifest_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/onnx/node_tests.txt")
}

/// Why each test that is listed as failing does so; none for one that passes.
pub fn manifest() -> BTreeMap<String, Option<String>> {
    let text = std::fs::read_to_string(manifest_path()).unwrap_or_default();
    let line = |line: &str| match line.split_once(' ') {
        Some(("pass", name)) => (name.to_string(), None),
        Some(("fail", rest)) => {
            let (name, why) = rest.split_once(": ").unwrap_or((rest, "no reason"));
            (name.to_string(), Some(why.to_string()))
        }
        _ => panic!("node_tests.txt: expected pass NAME or fail NAME: WHY, got {line:?}"),
    };
    text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).map(line).collect()
}

/// Inputs or outputs of a test.
pub fn tensors(folder: &Path, kind: &str) -> Result<Vec<(String, Tensor)>, String> {
    let mut all = Vec::new();
    for at in 0.. {
        let path = folder.join(format!("{kind}_{at}.pb"));
        let Ok(bytes) = std::fs::read(&path) else { break };
        all.push(smidgen_onnx::read_tensor(&bytes).map_err(|e| e.to_string())?);
    }
    Ok(all)
}
