//! Operators of ONNX-ML against what ONNX Runtime makes of the same rows (`ml_models.py` records it), and models that are
//! not well formed.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "networks/again.rs"]
mod again;

use again::{again, compare, keep};
use ir::{Tensor, TensorData};
use runtime::tensors::{Limits, run};
use serde_json::Value;
use smidgen_onnx::{NoExternal, Options, rebatch};
use std::path::{Path, PathBuf};

/// How far scores may be from those of ONNX Runtime, which sums in single precision and approximates powers.
const RELATIVE: f64 = 2e-5;
const ABSOLUTE: f64 = 2e-6;

/// Beside zero for probabilities of pairs: ONNX Runtime solves for them step by step, and stops once its equations hold to
/// 0.0025; here they are exact.
const ABSOLUTE_OF_PAIRS: f64 = 5e-3;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/onnx/ml")
}

fn tensor(dtype: &str, dims: &Value, elements: &Value) -> Tensor {
    let dims = dims.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
    let elements = elements.as_array().unwrap();
    let text = |v: &Value| v.as_str().unwrap().to_string();
    let data = match dtype {
        "f32" => TensorData::F32(elements.iter().map(|v| text(v).parse().unwrap()).collect()),
        "f64" => TensorData::F64(elements.iter().map(|v| text(v).parse().unwrap()).collect()),
        "i64" => TensorData::I64(elements.iter().map(|v| v.as_i64().unwrap()).collect()),
        "string" => TensorData::Str(elements.iter().map(text).collect()),
        other => panic!("{other}"),
    };
    Tensor::try_new(dims, data).unwrap()
}

/// Inputs and expected outputs.
fn recorded(name: &str) -> (Vec<(String, Tensor)>, Vec<Tensor>) {
    let text = std::fs::read_to_string(folder().join(name).with_extension("txt")).unwrap();
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let parts: Vec<Value> = serde_json::from_str(line).unwrap();
        let made = tensor(parts[2].as_str().unwrap(), &parts[3], &parts[4]);
        match parts[0].as_str().unwrap() {
            "input" => inputs.push((parts[1].as_str().unwrap().to_string(), made)),
            _ => outputs.push(made),
        }
    }
    (inputs, outputs)
}

fn differs(want: &Tensor, have: &Tensor, absolute: f64) -> Option<String> {
    if (want.dtype(), want.dims()) != (have.dtype(), have.dims()) {
        let shape = |t: &Tensor| format!("{} {:?}", t.dtype(), t.dims());
        return Some(format!("expected {}, got {}", shape(want), shape(have)));
    }
    let doubles = |t: &Tensor| -> Option<Vec<f64>> {
        match t.data() {
            TensorData::F32(v) => Some(v.iter().map(|&x| x.into()).collect()),
            TensorData::F64(v) => Some(v.clone()),
            _ => None,
        }
    };
    let (Some(wanted), Some(had)) = (doubles(want), doubles(have)) else {
        return (want.data() != have.data())
            .then(|| format!("expected {:?}, got {:?}", want.data(), have.data()));
    };
    let close = |want: f64, have: f64| {
        want == have
            || (want.is_nan() && have.is_nan())
            || (want - have).abs() <= absolute + RELATIVE * want.abs()
    };
    let at = wanted.iter().zip(&had).position(|(&want, &have)| !close(want, have))?;
    Some(format!("element {at}: expected {}, got {}", wanted[at], had[at]))
}

fn outcome(name: &str) -> Result<(), String> {
    let bytes = std::fs::read(folder().join(name)).unwrap();
    let graph = smidgen_onnx::import(&bytes, Options { external: &NoExternal }).map_err(|e| e.to_string())?;
    let (inputs, expected) = recorded(name);
    let (written, read) = again(&graph).map_err(|why| format!("again: {why}"))?;
    compare(&graph, &read, &inputs)?;
    keep(&format!("ml_{}", name.trim_end_matches(".onnx")), &written);
    let outputs = run(&graph, inputs, Limits::default()).map_err(|e| e.to_string())?;
    assert_eq!(outputs.len(), expected.len());
    let absolute = if name.contains("probabilities") { ABSOLUTE_OF_PAIRS } else { ABSOLUTE };
    for (at, (want, have)) in expected.iter().zip(&outputs).enumerate() {
        if let Some(difference) = differs(want, have, absolute) {
            return Err(format!("output {at}: {difference}"));
        }
    }
    Ok(())
}

#[test]
fn models_compute_what_onnx_runtime_computes() {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".onnx"))
        .collect();
    names.sort();
    assert!(names.len() > 60, "{}", names.len());
    let wrong: Vec<String> =
        names.iter().filter_map(|name| outcome(name).err().map(|why| format!("{name}: {why}"))).collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), names.len());
}

fn varint(mut n: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (n & 0x7f) as u8;
        n >>= 7;
        bytes.push(if n == 0 { low } else { low | 0x80 });
        if n == 0 {
            return bytes;
        }
    }
}

/// A field of protobuf with bytes in it.
fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn whole(number: u64, value: i64) -> Vec<u8> {
    [varint(number << 3), varint(value.cast_unsigned())].concat()
}

/// What an attribute holds.
#[derive(Clone)]
enum Held {
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    Words(Vec<&'static str>),
    Int(i64),
    Word(&'static str),
    /// Elements of `f32` or, for modes, of `u8`.
    Reals(Vec<f32>),
    Bytes(Vec<u8>),
}

fn attribute(name: &str, held: &Held) -> Vec<u8> {
    let named = field(1, name.as_bytes());
    let numbers = |v: &[f32]| v.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let tensor = |dtype, n: usize, raw: &[u8]| {
        field(5, &[whole(1, n as i64), whole(2, dtype), field(9, raw)].concat())
    };
    let rest = match held {
        Held::Ints(v) => v.iter().flat_map(|&i| whole(8, i)).collect(),
        Held::Floats(v) => field(7, &numbers(v)),
        Held::Words(v) => v.iter().flat_map(|w| field(9, w.as_bytes())).collect(),
        Held::Int(i) => whole(3, *i),
        Held::Word(w) => field(4, w.as_bytes()),
        Held::Reals(v) => tensor(1, v.len(), &numbers(v)),
        Held::Bytes(v) => tensor(2, v.len(), v),
    };
    [named, rest].concat()
}

/// A model of one node from `x: f32 [1, 3]` to `outputs`, with other nodes behind it.
fn model(op: &str, attributes: &[(&str, Held)], outputs: &[&str], behind: &[Vec<u8>]) -> Vec<u8> {
    let mut node = [field(1, b"x"), field(4, op.as_bytes()), field(7, b"ai.onnx.ml")].concat();
    outputs.iter().for_each(|o| node.extend(field(2, o.as_bytes())));
    attributes.iter().for_each(|(name, held)| node.extend(field(5, &attribute(name, held))));
    let dims = [field(1, &whole(1, 1)), field(1, &whole(1, 3))].concat();
    let kind = field(1, &[whole(1, 1), field(2, &dims)].concat());
    let input = [field(1, b"x"), field(2, &kind)].concat();
    let mut graph = [field(1, &node), field(11, &input)].concat();
    behind.iter().for_each(|node| graph.extend(field(1, node)));
    outputs.iter().for_each(|o| graph.extend(field(12, &field(1, o.as_bytes()))));
    let opset = [field(1, b"ai.onnx.ml"), whole(2, 5)].concat();
    let plain = [field(1, b""), whole(2, 17)].concat();
    [field(7, &graph), field(8, &opset), field(8, &plain)].concat()
}

type Attributes = Vec<(&'static str, Held)>;

fn stump() -> Attributes {
    use Held::{Floats, Int, Ints, Words};
    vec![
        ("nodes_treeids", Ints(vec![0, 0, 0])),
        ("nodes_nodeids", Ints(vec![0, 1, 2])),
        ("nodes_featureids", Ints(vec![2, 0, 0])),
        ("nodes_values", Floats(vec![0.5, 0.0, 0.0])),
        ("nodes_modes", Words(vec!["BRANCH_LT", "LEAF", "LEAF"])),
        ("nodes_truenodeids", Ints(vec![1, 0, 0])),
        ("nodes_falsenodeids", Ints(vec![2, 0, 0])),
        ("target_treeids", Ints(vec![0, 0])),
        ("target_nodeids", Ints(vec![1, 2])),
        ("target_ids", Ints(vec![0, 0])),
        ("target_weights", Floats(vec![1.0, 2.0])),
        ("n_targets", Int(1)),
    ]
}

fn flat() -> Attributes {
    use Held::{Bytes, Int, Ints, Reals};
    vec![
        ("tree_roots", Ints(vec![0])),
        ("nodes_featureids", Ints(vec![0, 1])),
        ("nodes_modes", Bytes(vec![0, 6])),
        ("nodes_splits", Reals(vec![0.5, 0.0])),
        ("nodes_truenodeids", Ints(vec![1, 0])),
        ("nodes_trueleafs", Ints(vec![0, 1])),
        ("nodes_falsenodeids", Ints(vec![1, 0])),
        ("nodes_falseleafs", Ints(vec![1, 1])),
        ("leaf_targetids", Ints(vec![0, 0])),
        ("leaf_weights", Reals(vec![1.0, 2.0])),
        ("membership_values", Reals(vec![1.0, 1.0, 3.0, f32::NAN])),
        ("n_targets", Int(1)),
    ]
}

fn with(mut attributes: Attributes, name: &'static str, held: Held) -> Attributes {
    attributes.retain(|(own, _)| *own != name);
    attributes.push((name, held));
    attributes
}

fn import(bytes: &[u8]) -> Result<ir::Graph, smidgen_onnx::Error> {
    smidgen_onnx::import(bytes, Options { external: &NoExternal })
}

#[test]
fn forests_that_are_not_well_formed() {
    use Held::{Bytes, Floats, Int, Ints, Reals, Word, Words};
    const REGRESSOR: &str = "TreeEnsembleRegressor";
    const FLAT: &str = "TreeEnsemble";
    assert!(import(&model(REGRESSOR, &stump(), &["y"], &[])).is_ok());
    // The same for a batch of any size.
    let graph = rebatch(&import(&model(FLAT, &flat(), &["y"], &[])).unwrap(), "n").unwrap();
    // One leaf may stand on several sides, and members twice in a set.
    let x = Tensor::try_new(vec![2, 3], TensorData::F32(vec![0.0, 3.0, 0.0, 0.0, 2.0, 0.0])).unwrap();
    let y = run(&graph, vec![("x".to_string(), x)], Limits::default()).unwrap();
    assert_eq!(*y[0].data(), TensorData::F32(vec![1.0, 1.0]));

    let many = 1i64 << 60;
    let cases: Vec<(&str, Attributes, &str)> = vec![
        (
            REGRESSOR,
            with(stump(), "nodes_values", Floats(vec![f32::NAN, 0.0, 0.0])),
            "threshold of split 0: expected numbers in order, got NaN",
        ),
        (
            REGRESSOR,
            with(stump(), "nodes_values", Floats(vec![0.5])),
            "attribute \"nodes_values\": expected 3 elements, got 1",
        ),
        (
            REGRESSOR,
            with(stump(), "nodes_modes", Words(vec!["BRANCH", "LEAF", "LEAF"])),
            "attribute \"nodes_modes\": expected BRANCH_LEQ, BRANCH_LT, .. or LEAF, got BRANCH",
        ),
        (
            REGRESSOR,
            with(stump(), "nodes_truenodeids", Ints(vec![0, 0, 0])),
            "node 0: expected one split that leads to it, got two, or a cycle",
        ),
        (
            REGRESSOR,
            with(stump(), "nodes_truenodeids", Ints(vec![7, 0, 0])),
            "children of node 0 of tree 0: expected nodes of the tree, got 7",
        ),
        (
            REGRESSOR,
            with(stump(), "nodes_nodeids", Ints(vec![0, 1, 1])),
            "attribute \"nodes_nodeids\": expected each node of a tree once, got 1",
        ),
        (
            REGRESSOR,
            with(stump(), "nodes_featureids", Ints(vec![-1, 0, 0])),
            "attribute \"nodes_featureids\": expected 0 or more, got -1",
        ),
        (
            REGRESSOR,
            with(stump(), "nodes_featureids", Ints(vec![3, 0, 0])),
            "features of the input: expected 4 or more, got 3",
        ),
        (
            REGRESSOR,
            with(stump(), "target_nodeids", Ints(vec![0, 2])),
            "attribute \"target_nodeids\": expected leaves, got node 0 of tree 0",
        ),
        (
            REGRESSOR,
            with(stump(), "target_ids", Ints(vec![0, 1])),
            "outputs of leaves: expected below 1, got 1",
        ),
        (
            REGRESSOR,
            with(stump(), "target_ids", Ints(vec![0, many])),
            "outputs of leaves: expected below 1, got 1152921504606846976",
        ),
        (
            REGRESSOR,
            with(stump(), "target_weights", Floats(vec![1.0, f32::INFINITY])),
            "value of a leaf: expected a finite number, got inf",
        ),
        (
            REGRESSOR,
            with(stump(), "n_targets", Int(many)),
            "attribute \"n_targets\": expected 1 to 65536, got 1152921504606846976",
        ),
        (
            REGRESSOR,
            with(stump(), "base_values", Floats(vec![1.0, 2.0])),
            "attribute \"base_values\": expected 1 elements, got 2",
        ),
        (
            REGRESSOR,
            with(stump(), "aggregate_function", Word("MEAN")),
            "attribute \"aggregate_function\": expected SUM, AVERAGE, MIN or MAX, got MEAN",
        ),
        (
            REGRESSOR,
            with(stump(), "post_transform", Word("TANH")),
            "attribute \"post_transform\": expected NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT, got TANH",
        ),
        (
            FLAT,
            with(flat(), "tree_roots", Ints(vec![0, 0])),
            "nodes of trees: expected each node in one tree, got one twice, or a cycle",
        ),
        (FLAT, with(flat(), "tree_roots", Ints(vec![5])), "nodes of trees: expected each node in one tree"),
        (FLAT, with(flat(), "tree_roots", Ints(vec![-1])), "tree_roots: expected 0 or more, got -1"),
        (
            FLAT,
            with(flat(), "nodes_truenodeids", Ints(vec![0, 0])),
            "nodes of trees: expected each node in one tree, got one twice, or a cycle",
        ),
        (
            FLAT,
            with(flat(), "nodes_truenodeids", Ints(vec![1, many])),
            "numbers of leaves: expected below 2, got 1152921504606846976",
        ),
        (
            FLAT,
            with(flat(), "nodes_modes", Bytes(vec![9, 6])),
            "attribute \"nodes_modes\": expected 0 to 6, got 9",
        ),
        (
            FLAT,
            with(flat(), "nodes_modes", Bytes(vec![6, 6])),
            "sets of \"membership_values\": expected 2 elements, got 1",
        ),
        (
            FLAT,
            with(flat(), "nodes_modes", Bytes(vec![0])),
            "attribute \"nodes_featureids\": expected 1 elements, got 2",
        ),
        (
            FLAT,
            with(flat(), "leaf_targetids", Ints(vec![0, many])),
            "attribute \"leaf_targetids\": expected below 1, got 1152921504606846976",
        ),
        (
            FLAT,
            with(flat(), "leaf_weights", Reals(vec![1.0])),
            "attribute \"leaf_weights\": expected 2 elements, got 1",
        ),
        (
            FLAT,
            with(flat(), "post_transform", Int(7)),
            "attribute \"post_transform\": expected 0 to 4, got 7",
        ),
    ];
    let mut wrong = Vec::new();
    for (op, attributes, expected) in cases {
        match import(&model(op, &attributes, &["y"], &[])) {
            Ok(_) => wrong.push(format!("imported: {expected}")),
            Err(error) => {
                let start = format!("onnx import: node \"y\" ({op}, opset 5): ");
                let told = error.to_string();
                if !told.strip_prefix(&start).is_some_and(|rest| rest.contains(expected)) {
                    wrong.push(told);
                }
                assert_eq!(error.nature(), ir::Nature::Input, "{error}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_not_supported_is_named() {
    use Held::{Floats, Int, Ints, Word};
    let rename = |attributes: Attributes| -> Attributes {
        let name = |n: &'static str| match n {
            "target_treeids" => "class_treeids",
            "target_nodeids" => "class_nodeids",
            "target_ids" => "class_ids",
            "target_weights" => "class_weights",
            other => other,
        };
        let own = attributes.into_iter().filter(|(n, _)| *n != "n_targets");
        own.map(|(n, held)| (name(n), held)).chain([("classlabels_int64s", Ints(vec![0, 1]))]).collect()
    };
    let far = with(with(stump(), "target_ids", Ints(vec![0, 60_000])), "n_targets", Int(60_001));
    let svm = |prob: bool| {
        let mut all = vec![
            ("classlabels_ints", Ints(vec![0, 1, 2])),
            ("vectors_per_class", Ints(vec![1, 1, 1])),
            ("support_vectors", Floats(vec![0.0; 9])),
            ("coefficients", Floats(vec![0.0; 6])),
            ("rho", Floats(vec![0.0; 3])),
        ];
        if prob {
            all.extend([("prob_a", Floats(vec![0.0; 3])), ("prob_b", Floats(vec![0.0; 3]))]);
        }
        all
    };
    assert!(import(&model("SVMClassifier", &svm(false), &["l", "s"], &[])).is_ok());
    let cases: Vec<(&str, Attributes, &str)> = vec![
        (
            "TreeEnsembleRegressor",
            far,
            "tree 0 whose leaves add to few of many outputs is not supported; write a tree for each output",
        ),
        (
            "TreeEnsembleRegressor",
            with(
                with(with(stump(), "target_ids", Ints(vec![0, 1])), "n_targets", Int(2)),
                "aggregate_function",
                Word("MIN"),
            ),
            "MIN over tree 0, of which not every leaf has every output is not supported",
        ),
        (
            "TreeEnsembleClassifier",
            with(rename(stump()), "post_transform", Word("SOFTMAX")),
            "this transform of one score of two classes (Softmax) is not supported; write weights for both classes",
        ),
        (
            "TreeEnsembleClassifier",
            with(rename(stump()), "classlabels_int64s", Ints(vec![1])),
            "one class is not supported",
        ),
        (
            "SVMClassifier",
            svm(true),
            "probabilities of more than two classes by pairs (prob_a, prob_b) is not supported; export the model without probabilities",
        ),
        (
            "SVMClassifier",
            vec![
                ("classlabels_ints", Ints((0..300).collect())),
                ("vectors_per_class", Ints(vec![1; 300])),
                ("rho", Floats(vec![0.0; 44_850])),
            ],
            "a classifier of 300 classes by 300 vectors, compared in pairs, is not supported; use at most 256 classes",
        ),
        (
            "OneHotEncoder",
            vec![("cats_int64s", Ints(vec![1])), ("zeros", Int(0))],
            "zeros=0, which fails for other categories, is not supported",
        ),
        ("DictVectorizer", vec![], "this operator of \"ai.onnx.ml\" is not supported"),
    ];
    for (op, attributes, expected) in cases {
        let error = import(&model(op, &attributes, &["y", "s"], &[])).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.nature(), ir::Nature::Unsupported, "{error}");
    }
}

/// Maps are no tensors: scores pass through at the end, and nothing may come behind.
#[test]
fn zip_map_ends_a_model() {
    let attributes = vec![("classlabels_int64s", Held::Ints(vec![0, 1, 2]))];
    let graph = import(&model("ZipMap", &attributes, &["y"], &[])).unwrap();
    assert_eq!(graph.value(graph.outputs()[0]).name, "y");
    let behind = [field(1, b"y"), field(2, b"z"), field(4, b"Identity")].concat();
    let error = import(&model("ZipMap", &attributes, &["y"], &[behind])).unwrap_err();
    let expected =
        "a node behind the maps of classes to scores \"y\" is not supported; export without ZipMap";
    assert!(error.to_string().contains(expected), "{error}");
}
