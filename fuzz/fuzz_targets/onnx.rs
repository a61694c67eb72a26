//! Any bytes as an ONNX model: refused with an error that says why, or run within limits, twice alike.
#![no_main]

use ir::{DType, Dim, Graph, Tensor, TensorData};
use libfuzzer_sys::fuzz_target;
use onnx::{NoExternal, Options};
use runtime::tensors::{Limits, run};
use smidgen_fuzz::guarded;

/// What one input may take; an honest small network needs less.
const LIMITS: Limits = Limits { bytes: 1 << 24, steps: 100 };

/// Ones for every input; an axis of unknown length is 2 long. None where that would be large, or text.
fn ones(graph: &Graph) -> Option<Vec<(String, Tensor)>> {
    let mut inputs = Vec::new();
    for &idx in graph.inputs() {
        let value = graph.value(idx);
        let dims = value.shape.axes().unwrap_or_default().iter();
        let dims: Vec<usize> = dims.map(|d| if let Dim::Fixed(n) = d { *n } else { 2 }).collect();
        let n = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n < 1 << 16)?;
        let data = match value.dtype {
            DType::F32 => TensorData::F32(vec![1.0; n]),
            DType::F64 => TensorData::F64(vec![1.0; n]),
            DType::I64 => TensorData::I64(vec![1; n]),
            DType::I32 => TensorData::I32(vec![1; n]),
            DType::I8 => TensorData::I8(vec![1; n]),
            DType::U8 => TensorData::U8(vec![1; n]),
            DType::Bool => TensorData::Bool(vec![true; n]),
            _ => return None,
        };
        inputs.push((value.name.clone(), Tensor::try_new(dims, data)?));
    }
    Some(inputs)
}

fuzz_target!(|bytes: &[u8]| {
    guarded(|| {
        let graph = match onnx::import(bytes, Options { external: &NoExternal }) {
            Ok(graph) => graph,
            Err(error) => return assert!(error.to_string().starts_with("onnx import: ")),
        };
        let Some(inputs) = ones(&graph) else { return };
        match (run(&graph, inputs.clone(), LIMITS), run(&graph, inputs, LIMITS)) {
            (Ok(first), Ok(again)) => {
                assert!(first == again && first.len() == graph.outputs().len());
            }
            (Err(first), Err(again)) => assert!(first.to_string() == again.to_string()),
            _ => panic!("a network runs once and not again"),
        }
    });
});
