//! Models written byte by byte: those that nobody should send, and some that few do.
//!
//! A bad one is refused with an error that says what is wrong, and takes little memory; a well-kept writer would refuse
//! to write most of them.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use ir::{Tensor, TensorData};
use runtime::tensors::{Limits, run};
use smidgen_onnx::{External, Folder, NoExternal, Options};

/// A message of protobuf on its way.
#[derive(Clone, Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(mut self, mut n: u64) -> Message {
        while n >= 0x80 {
            self.0.push((n & 0x7f) as u8 | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
        self
    }

    fn number(self, field: u64, n: i64) -> Message {
        self.varint(field << 3).varint(n.cast_unsigned())
    }

    fn bytes(self, field: u64, bytes: &[u8]) -> Message {
        let mut message = self.varint(field << 3 | 2).varint(bytes.len() as u64);
        message.0.extend_from_slice(bytes);
        message
    }

    fn raw(mut self, bytes: &[u8]) -> Message {
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, field: u64, text: &str) -> Message {
        self.bytes(field, text.as_bytes())
    }

    fn of(self, field: u64, message: &Message) -> Message {
        self.bytes(field, &message.0)
    }
}

const F32: i64 = 1;
const I64: i64 = 7;
const BOOL: i64 = 9;

fn value(name: &str, dtype: i64, dims: &[i64]) -> Message {
    let dim = |shape: Message, &n: &i64| shape.of(1, &Message::default().number(1, n));
    let shape = dims.iter().fold(Message::default(), dim);
    let tensor = Message::default().number(1, dtype).of(2, &shape);
    Message::default().text(1, name).of(2, &Message::default().of(1, &tensor))
}

fn tensor(name: &str, dtype: i64, dims: &[i64], raw: &[u8]) -> Message {
    let message = dims.iter().fold(Message::default(), |m, &n| m.number(1, n));
    message.number(2, dtype).text(8, name).bytes(9, raw)
}

fn whole(name: &str, values: &[i64]) -> Message {
    let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    tensor(name, I64, &[values.len() as i64], &raw)
}

fn node(op: &str, inputs: &[&str], outputs: &[&str]) -> Message {
    let message = inputs.iter().fold(Message::default(), |m, i| m.text(1, i));
    outputs.iter().fold(message, |m, o| m.text(2, o)).text(3, &format!("the {op}")).text(4, op)
}

fn int_attribute(name: &str, n: i64) -> Message {
    Message::default().text(1, name).number(3, n).number(20, 2)
}

fn graph_attribute(name: &str, graph: &Message) -> Message {
    Message::default().text(1, name).of(6, graph).number(20, 5)
}

#[derive(Clone, Default)]
struct Graph {
    nodes: Vec<Message>,
    constants: Vec<Message>,
    inputs: Vec<Message>,
    outputs: Vec<Message>,
}

impl Graph {
    fn message(&self) -> Message {
        let add = |field| move |m: Message, part: &Message| m.of(field, part);
        let message = self.nodes.iter().fold(Message::default(), add(1)).text(2, "g");
        let message = self.constants.iter().fold(message, add(5));
        let message = self.inputs.iter().fold(message, add(11));
        self.outputs.iter().fold(message, add(12))
    }

    fn model(&self) -> Vec<u8> {
        self.model_of_opset(21)
    }

    fn model_of_opset(&self, opset: i64) -> Vec<u8> {
        let id = Message::default().text(1, "").number(2, opset);
        Message::default().number(1, 8).of(7, &self.message()).of(8, &id).0
    }
}

/// One node on an input `x: f32 [2, 3]` and constants, giving `y`.
fn one(node: Message, constants: Vec<Message>) -> Graph {
    let (inputs, outputs) = (vec![value("x", F32, &[2, 3])], vec![value("y", F32, &[])]);
    Graph { nodes: vec![node], constants, inputs, outputs }
}

fn refusal(bytes: &[u8], external: &dyn External) -> String {
    match smidgen_onnx::import(bytes, Options { external }) {
        Ok(graph) => panic!("imported:\n{graph}"),
        Err(error) => error.to_string(),
    }
}

fn check(bytes: &[u8], parts: &[&str]) {
    let message = refusal(bytes, &NoExternal);
    for part in parts {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
}

#[test]
fn what_is_no_model() {
    check(&[], &["no ONNX model", "holds no graph"]);
    check(b"smidgen", &["damaged"]);
    check(&[0x3a, 0xff, 0xff, 0xff, 0xff, 0x7f], &["damaged"]);
    check(&Message::default().of(7, &Graph::default().message()).0, &["names no set of operators"]);
    let good = one(node("Relu", &["x"], &["y"]), vec![]);
    assert!(smidgen_onnx::import(&good.model(), Options { external: &NoExternal }).is_ok());
    check(&good.model_of_opset(3), &["version 3", "export with version 7 to"]);
    check(&good.model_of_opset(1000), &["version 1000", "export with version 7 to"]);
}

#[test]
fn a_model_cut_anywhere_is_refused_or_whole() {
    let graph = one(node("Add", &["x", "k"], &["y"]), vec![tensor("k", F32, &[1], &[0, 0, 128, 63])]);
    let bytes = graph.model();
    let n_refused = (0..bytes.len())
        .filter(|&n| smidgen_onnx::import(&bytes[..n], Options { external: &NoExternal }).is_err())
        .count();
    assert_eq!(n_refused, bytes.len(), "no part of it is a model");
    // With any byte changed it is refused or read, but nothing worse.
    for at in 0..bytes.len() {
        for flip in [1, 0x80, 0xff] {
            let mut other = bytes.clone();
            other[at] ^= flip;
            if let Ok(graph) = smidgen_onnx::import(&other, Options { external: &NoExternal }) {
                assert!(!graph.outputs().is_empty());
            }
        }
    }
}

#[test]
fn values_that_are_not_there() {
    check(
        &one(node("Relu", &["y"], &["y"]), vec![]).model(),
        &["the Relu", "Relu", "opset 21", "input \"y\""],
    );
    let mut crossed = one(node("Relu", &["b"], &["y"]), vec![]);
    crossed.nodes.push(node("Relu", &["y"], &["b"]));
    check(&crossed.model(), &["input \"b\"", "a node before it makes"]);
    let mut twice = one(node("Relu", &["x"], &["y"]), vec![]);
    twice.nodes.push(node("Relu", &["x"], &["y"]));
    check(&twice.model(), &["value \"y\"", "one maker"]);
    let mut lost = one(node("Relu", &["x"], &["z"]), vec![]);
    check(&lost.model(), &["output \"y\""]);
    lost.outputs.clear();
    check(&lost.model(), &["outputs"]);
}

#[test]
fn what_is_not_supported_says_what_would_work() {
    check(&one(node("Relux", &["x"], &["y"]), vec![]).model(), &["the Relux", "not supported", "export"]);
    check(&one(node("RELU", &["x"], &["y"]), vec![]).model(), &["did you mean Relu?"]);
    let odd = node("Relu", &["x"], &["y"]).of(5, &int_attribute("slope", 1));
    check(&one(odd, vec![]).model(), &["attribute \"slope\"", "leave it out"]);
    let mut sequence = one(node("Relu", &["x"], &["y"]), vec![]);
    let kind = Message::default().bytes(4, &[]);
    sequence.inputs = vec![Message::default().text(1, "x").of(2, &kind)];
    check(&sequence.model(), &["value \"x\"", "a sequence"]);
}

#[test]
fn types_that_are_confused() {
    let whole_x = vec![whole("k", &[1])];
    check(&one(node("Add", &["x", "k"], &["y"]), whole_x).model(), &["the Add", "expected f32, got i64"]);
    let word = Message::default().text(1, "axis").text(4, "two").number(20, 3);
    check(
        &one(node("Softmax", &["x"], &["y"]).of(5, &word), vec![]).model(),
        &["\"axis\"", "a whole number"],
    );
    check(&one(node("MatMul", &["x", "x"], &["y"]), vec![]).model(), &["inner lengths"]);
    check(
        &one(node("Relu", &["x", "x"], &["y"]).of(5, &int_attribute("to", 1)), vec![]).model(),
        &["\"to\""],
    );
    check(
        &one(node("Softmax", &["x"], &["y"]).of(5, &int_attribute("axis", 9)), vec![]).model(),
        &["axis", "got 9"],
    );
}

#[test]
fn constants_that_claim_more_than_there_is() {
    let relu = || node("Relu", &["x"], &["y"]);
    for (dims, part) in [
        (vec![1i64 << 60], "bytes of f32"),
        (vec![1 << 40, 1 << 40], "fewer than 2^63 elements"),
        (vec![-1], "0 or more"),
        (vec![3], "12 bytes"),
    ] {
        check(&one(relu(), vec![tensor("k", F32, &dims, &[0; 8])]).model(), &["tensor \"k\"", part]);
    }
    check(&one(relu(), vec![tensor("k", 14, &[1], &[0; 8])]).model(), &["data type", "complex"]);
    let mut negative = one(relu(), vec![]);
    negative.inputs = vec![value("x", F32, &[2, -3])];
    check(&negative.model(), &["value \"x\"", "lengths of 0 or more", "-3"]);
}

#[test]
fn elements_in_other_files() {
    let entry = |key: &str, value: &str| Message::default().text(1, key).text(2, value);
    let model = |location: &str, length: &str| {
        let constant = Message::default().number(1, 2).number(2, F32).text(8, "k").number(14, 1);
        let constant = constant.of(13, &entry("location", location)).of(13, &entry("length", length));
        one(node("Add", &["x", "k"], &["y"]), vec![constant]).model()
    };
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("model");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(folder.path().join("secret"), [0; 8]).unwrap();
    std::fs::write(inside.join("weights"), [0; 8]).unwrap();
    let files = Folder::new(&inside);
    for (location, length, part) in [
        ("../secret", "8", "outside the model's folder"),
        ("/etc/hostname", "8", "outside the model's folder"),
        ("a/../../secret", "8", "outside the model's folder"),
        ("..\\secret", "8", "outside the model's folder"),
        ("", "8", "outside the model's folder"),
        ("missing", "8", "cannot be read"),
        ("weights", "1152921504606846976", "cut short"),
        ("weights", "eight", "no number"),
        ("weights", "4", "8 bytes of f32"),
    ] {
        let message = refusal(&model(location, length), &files);
        assert!(message.contains("\"k\"") && message.contains(part), "{message:?} does not say {part:?}");
    }
    check(&model("weights", "8"), &["is not at hand"]);
    // [2, 3] and [2] do not broadcast; one number does, the second of the file.
    assert!(refusal(&model("weights", "8"), &files).contains("some that broadcast"));
    std::fs::write(inside.join("numbers"), [1.0f32.to_le_bytes(), 2.5f32.to_le_bytes()].concat()).unwrap();
    let constant = Message::default().number(1, 1).number(2, F32).text(8, "k").number(14, 1);
    let constant = constant.of(13, &entry("location", "./numbers")).of(13, &entry("offset", "4"));
    let graph = one(node("Add", &["x", "k"], &["y"]), vec![constant]).model();
    let graph = smidgen_onnx::import(&graph, Options { external: &files }).unwrap();
    let zeros = Tensor::try_new(vec![2, 3], TensorData::F32(vec![0.0; 6])).unwrap();
    let made = run(&graph, vec![("x".to_string(), zeros)], SMALL).unwrap();
    assert_eq!(*made[0].data(), TensorData::F32(vec![2.5; 6]));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path().join("secret"), inside.join("link")).unwrap();
        assert!(refusal(&model("link", "8"), &files).contains("a link that leaves"));
    }
}

#[test]
fn functions_and_graphs_inside_each_other() {
    // A function of its own set that uses itself, and one that doubles at every level.
    let call = |name: &str, output: &str| node(name, &["a"], &[output]).text(7, "mine");
    let function = |name: &str, nodes: &[Message]| {
        let body =
            nodes.iter().fold(Message::default().text(1, name).text(4, "a").text(5, "b"), |m, n| m.of(7, n));
        body.text(10, "mine")
    };
    let model = |functions: &[Message]| {
        let graph = one(node("f0", &["x"], &["y"]).text(7, "mine"), vec![]);
        functions.iter().fold(Message(graph.model()), |m, f| m.of(25, f)).0
    };
    check(&model(&[function("f0", &[call("f0", "b")])]), &["more than 32 functions"]);
    let doubling: Vec<Message> = (0..30)
        .map(|i| {
            function(
                &format!("f{i}"),
                &[call(&format!("f{}", i + 1), "c"), call(&format!("f{}", i + 1), "b")],
            )
        })
        .collect();
    let last = function("f30", &[node("Identity", &["a"], &["b"])]);
    check(&model(&[&doubling[..], &[last]].concat()), &["more than 2^20 nodes"]);
    // Graphs inside graphs, deeper than messages are read.
    let mut inner = Graph { outputs: vec![value("y", F32, &[])], ..Graph::default() };
    for _ in 0..50 {
        let branch = inner.message();
        let both = node("If", &["c"], &["y"])
            .of(5, &graph_attribute("then_branch", &branch))
            .of(5, &graph_attribute("else_branch", &branch));
        inner.nodes = vec![both];
        if inner.message().0.len() > 1 << 20 {
            break;
        }
    }
    inner.inputs = vec![value("c", BOOL, &[])];
    refusal(&inner.model(), &NoExternal);
}

/// A limit that every honest test here fits in.
const SMALL: Limits = Limits { bytes: 1 << 20, steps: 1000 };

/// The error of running a graph on `x = 0`.
fn run_refusal(graph: &Graph) -> String {
    let graph = match smidgen_onnx::import(&graph.model(), Options { external: &NoExternal }) {
        Ok(graph) => graph,
        Err(error) => return error.to_string(),
    };
    let zeros = Tensor::try_new(vec![2, 3], TensorData::F32(vec![0.0; 6])).unwrap();
    let inputs = if graph.inputs().is_empty() { vec![] } else { vec![("x".to_string(), zeros)] };
    match run(&graph, inputs, SMALL) {
        Ok(outputs) => panic!("it runs: {:?}", outputs.iter().map(Tensor::dims).collect::<Vec<_>>()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn outputs_larger_than_the_memory_that_is_allowed() {
    let n = 1i64 << 60;
    let cases: Vec<(Message, Vec<Message>)> = vec![
        (node("ConstantOfShape", &["k"], &["y"]), vec![whole("k", &[n])]),
        (node("ConstantOfShape", &["k"], &["y"]), vec![whole("k", &[0, n, n])]),
        (node("Expand", &["x", "k"], &["y"]), vec![whole("k", &[n, 1, 1])]),
        (node("Tile", &["x", "k"], &["y"]), vec![whole("k", &[n, 1])]),
        (node("Pad", &["x", "k"], &["y"]), vec![whole("k", &[n, 0, 0, n])]),
        (node("Range", &["a", "b", "c"], &["y"]), vec![scalar("a", 0), scalar("b", n), scalar("c", 1)]),
        (node("Range", &["a", "b", "c"], &["y"]), vec![scalar("a", 0), scalar("b", n), scalar("c", 0)]),
        (
            node("OneHot", &["k", "b", "v"], &["y"]),
            vec![whole("k", &[1]), scalar("b", n), whole("v", &[0, 1])],
        ),
        (node("Resize", &["x", "", "", "k"], &["y"]), vec![whole("k", &[n, 3])]),
        (node("CenterCropPad", &["x", "k"], &["y"]), vec![whole("k", &[n, n])]),
    ];
    for (node, constants) in cases {
        let graph = one(node, constants);
        let message = run_refusal(&graph);
        assert!(message.contains("the ") && !message.contains("Bug"), "{message}");
    }
}

fn scalar(name: &str, n: i64) -> Message {
    tensor(name, I64, &[], &n.to_le_bytes())
}

#[test]
fn places_and_lengths_that_are_none() {
    let zero_strides = Message::default().text(1, "strides").number(8, 0).number(8, 0).number(20, 7);
    let cases: Vec<(Message, Vec<Message>, &str)> = vec![
        (node("Gather", &["x", "k"], &["y"]), vec![whole("k", &[2])], "places on an axis of 2"),
        (node("Gather", &["x", "k"], &["y"]), vec![whole("k", &[i64::MIN])], "places on an axis of 2"),
        (
            node("Slice", &["x", "k", "l", "m", "n"], &["y"]),
            ["k", "l", "m", "n"].map(|n| whole(n, &[0])).into(),
            "steps",
        ),
        (node("Reshape", &["x", "k"], &["y"]), vec![whole("k", &[4, -1])], "shape"),
        (node("Reshape", &["x", "k"], &["y"]), vec![whole("k", &[-1, -1])], "shape"),
        (node("Reshape", &["x", "k"], &["y"]), vec![whole("k", &[i64::MAX, i64::MAX])], "elements"),
        (node("TopK", &["x", "k"], &["y"]), vec![whole("k", &[4])], "at most 3"),
        (node("TopK", &["x", "k"], &["y"]), vec![whole("k", &[-4])], "0 or more"),
        (node("Squeeze", &["x", "k"], &["y"]), vec![whole("k", &[0])], "axes of length 1"),
        (node("Unsqueeze", &["x", "k"], &["y"]), vec![whole("k", &[0, 0])], "each axis once"),
        (node("Split", &["x", "k"], &["y"]), vec![whole("k", &[5])], "split"),
        (node("ScatterND", &["x", "k", "x"], &["y"]), vec![whole("k", &[9])], "x"),
        (node("Compress", &["x", "k"], &["y"]), vec![tensor("k", BOOL, &[7], &[1; 7])], "at most 6"),
        (node("Pad", &["x", "k"], &["y"]), vec![whole("k", &[0, i64::MIN, 0, i64::MAX])], "-2^40 to 2^40"),
        (
            node("Col2Im", &["k", "l", "m"], &["y"]).of(5, &zero_strides),
            vec![tensor("k", F32, &[1, 1, 1], &[0; 4]), whole("l", &[1, 1]), whole("m", &[1, 1])],
            "1 to 2^32 - 1",
        ),
        (node("MaxPool", &["x"], &["y"]), vec![], "axes"),
        (
            node("Einsum", &["x"], &["y"]).of(5, &Message::default().text(1, "equation").text(4, "ii->i")),
            vec![],
            "Einsum",
        ),
        (
            node("Einsum", &["x"], &["y"]).of(5, &Message::default().text(1, "equation").text(4, "a...b...")),
            vec![],
            "Einsum",
        ),
    ];
    for (node, constants, part) in cases {
        let message = run_refusal(&one(node, constants));
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
}

#[test]
fn images_without_channels() {
    // Found by fuzzing: statistics of a batch need channels.
    let node = node("BatchNormalization", &["x", "k", "k", "k", "k"], &["y"]);
    let node = node.of(5, &int_attribute("training_mode", 1));
    let mut graph = one(node, vec![tensor("k", F32, &[1], &[0; 4])]);
    graph.inputs = vec![value("x", F32, &[5])];
    check(&graph.model(), &["the BatchNormalization", "expected [N, C, ..], got [5]"]);
}

#[test]
fn zero_points_belong_to_rows_and_columns() {
    // Found by fuzzing: one a row of the product is none of the right side.
    let bytes = |name: &str, dims: &[i64]| {
        let n: i64 = dims.iter().product();
        tensor(name, 2, dims, &vec![1; n as usize])
    };
    for (a_zero, b_zero, is_right) in [
        (vec![2], vec![4], true),
        (vec![2, 1], vec![1, 4], true),
        (vec![1], vec![1, 1], true),
        (vec![], vec![2, 1], false),
        (vec![], vec![2, 4], false),
        (vec![2, 4], vec![], false),
        (vec![3], vec![], false),
    ] {
        let node = node("MatMulInteger", &["a", "b", "az", "bz"], &["y"]);
        let constants =
            vec![bytes("a", &[2, 3]), bytes("b", &[3, 4]), bytes("az", &a_zero), bytes("bz", &b_zero)];
        let graph = Graph { nodes: vec![node], constants, inputs: vec![], outputs: vec![value("y", 6, &[])] };
        match smidgen_onnx::import(&graph.model(), Options { external: &NoExternal }) {
            Ok(graph) => {
                assert!(is_right, "{a_zero:?} {b_zero:?}");
                let made = run(&graph, vec![], SMALL).unwrap();
                assert_eq!(*made[0].data(), TensorData::I32(vec![0; 8]));
            }
            Err(error) => assert!(!is_right, "{error}"),
        }
    }
}

#[test]
fn a_loop_that_never_ends_is_stopped() {
    let body = |collects: bool| {
        let mut outputs = vec![value("again", BOOL, &[]), value("next", F32, &[2, 3])];
        let nodes = vec![node("Identity", &["go"], &["again"]), node("Add", &["v", "v"], &["next"])];
        outputs.extend(collects.then(|| value("next", F32, &[2, 3])));
        let inputs = vec![value("i", I64, &[]), value("go", BOOL, &[]), value("v", F32, &[2, 3])];
        Graph { nodes, constants: vec![], inputs, outputs }.message()
    };
    let endless = |collects| {
        let mut node = node("Loop", &["", "", "x"], &["y"]).of(5, &graph_attribute("body", &body(collects)));
        node = if collects { node.text(2, "all") } else { node };
        one(node, vec![])
    };
    assert!(run_refusal(&endless(false)).contains("still running after 1000 steps"));
    // What a step collects counts too.
    let graph = smidgen_onnx::import(&endless(true).model(), Options { external: &NoExternal }).unwrap();
    let zeros = Tensor::try_new(vec![2, 3], TensorData::F32(vec![0.0; 6])).unwrap();
    let tight = Limits { bytes: 10_000, steps: u64::MAX };
    let error = run(&graph, vec![("x".to_string(), zeros)], tight).unwrap_err().to_string();
    assert!(error.contains("takes 24 bytes"), "{error}");
}

#[test]
fn inputs_that_are_not_those_of_the_model() {
    let graph = one(node("Relu", &["x"], &["y"]), vec![]);
    let graph = smidgen_onnx::import(&graph.model(), Options { external: &NoExternal }).unwrap();
    let given =
        |name: &str, tensor| run(&graph, vec![(name.to_string(), tensor)], SMALL).unwrap_err().to_string();
    let floats = |n: usize| Tensor::vector(TensorData::F32(vec![0.0; n]));
    assert!(given("x", floats(6)).contains("input \"x\": expected f32 [2, 3], got f32 [6]"));
    assert!(given("z", floats(6)).contains("input \"x\": expected f32 [2, 3], got none"));
    assert!(given("x", Tensor::vector(TensorData::I64(vec![1]))).contains("got i64 [1]"));
}

fn runs(bytes: &[u8], x: &[f32]) -> Vec<Tensor> {
    let graph = smidgen_onnx::import(bytes, Options { external: &NoExternal }).unwrap();
    let x = Tensor::try_new(vec![2, 3], TensorData::F32(x.to_vec())).unwrap();
    run(&graph, vec![("x".to_string(), x)], SMALL).unwrap()
}

#[test]
fn functions_of_a_model_are_put_in_place() {
    // f(a, b?) {slope = 0.5}: LeakyRelu(a) with the slope, clipped from below by b if it is given.
    let referred = Message::default().text(1, "alpha").text(21, "slope").number(20, 1);
    let default =
        Message::default().text(1, "slope").varint(2 << 3 | 5).raw(&0.5f32.to_le_bytes()).number(20, 1);
    let body = [node("LeakyRelu", &["a"], &["t"]).of(5, &referred), node("Clip", &["t", "b"], &["r"])];
    let function = Message::default().text(1, "Soft").text(4, "a").text(4, "b").text(5, "r");
    let function = body.iter().fold(function, |m, n| m.of(7, n)).of(11, &default).text(10, "mine");
    let with = |call: Message, constants: Vec<Message>| {
        Message(one(call.text(7, "mine"), constants).model()).of(25, &function).0
    };
    let x = [-4.0, -1.0, 0.0, 1.0, 2.0, 3.0];
    let plain = runs(&with(node("Soft", &["x"], &["y"]), vec![]), &x);
    assert_eq!(*plain[0].data(), TensorData::F32(vec![-2.0, -0.5, 0.0, 1.0, 2.0, 3.0]));
    let slope =
        Message::default().text(1, "slope").varint(2 << 3 | 5).raw(&0.25f32.to_le_bytes()).number(20, 1);
    let least = tensor("k", F32, &[], &(-0.5f32).to_le_bytes());
    let both = runs(&with(node("Soft", &["x", "k"], &["y"]).of(5, &slope), vec![least]), &x);
    assert_eq!(*both[0].data(), TensorData::F32(vec![-0.5, -0.25, 0.0, 1.0, 2.0, 3.0]));
}

#[test]
fn values_keep_their_names() {
    // Old models list constants among their inputs; an output may be an input, or another output, as it stands.
    let mut graph = one(node("Relu", &["x"], &["the Relu"]), vec![tensor("k", F32, &[1], &[0; 4])]);
    graph.inputs.push(value("k", F32, &[1]));
    graph.nodes.push(node("Add", &["the Relu", "k"], &["sum"]));
    graph.nodes.push(node("Identity", &["sum"], &["y"]));
    graph.nodes.push(node("Identity", &["x"], &["z"]));
    graph.outputs = ["sum", "y", "z"].map(|name| value(name, F32, &[])).into();
    let graph = smidgen_onnx::import(&graph.model(), Options { external: &NoExternal }).unwrap();
    let names =
        |values: &[ir::ValueIdx]| values.iter().map(|&v| graph.value(v).name.clone()).collect::<Vec<_>>();
    assert_eq!(names(graph.inputs()), ["x"]);
    assert_eq!(names(graph.outputs()), ["sum", "y", "z"]);
    assert!(graph.values().iter().any(|v| v.name == "the Relu"));
    assert_eq!(graph.value(graph.outputs()[1]).shape.to_string(), "[2, 3]");
}
