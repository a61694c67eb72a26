//! Which version a network needs, in which form it is written then, what keeps its name, and what is refused.

use super::{NetworkMeta, export_network};
use crate::proto;
use ir::fixed::{Half, Narrow, Overflow};
use ir::op::tensor::{
    Activation, ActivationKind, Binary, DequantizeLinear, Identity, If, QuantizeLinear, Reduce, ReduceKind,
    ShapeOf, Split,
};
use ir::{DType, Dim, Graph, GraphBuilder, Op, Shape, Tensor, TensorData, ValueIdx};
use prost::Message;

fn write(graph: &Graph) -> proto::Model {
    proto::Model::decode(&export_network(graph, &NetworkMeta::default()).unwrap()[..]).unwrap()
}

fn opset(model: &proto::Model) -> (i64, i64) {
    (model.opset_import[0].version.unwrap(), model.ir_version.unwrap())
}

/// A network of one input `x` and the outputs of what `add` adds.
fn network(
    dtype: DType,
    shape: &[usize],
    add: impl FnOnce(&mut GraphBuilder, ValueIdx) -> Vec<ValueIdx>,
) -> Graph {
    let mut b = GraphBuilder::new();
    let x = b.input("x", dtype, Shape::fixed(shape)).unwrap();
    let outputs = add(&mut b, x);
    b.finish(&outputs).unwrap()
}

fn one(b: &mut GraphBuilder, name: &str, op: impl Into<Op>, inputs: &[ValueIdx]) -> ValueIdx {
    b.node_named(name, op.into(), inputs).unwrap()[0]
}

fn ints(b: &mut GraphBuilder, values: &[i64]) -> ValueIdx {
    b.constant(Tensor::vector(TensorData::I64(values.to_vec()))).unwrap()
}

fn quantize(to: DType) -> QuantizeLinear {
    QuantizeLinear { axis: 0, block: 0, to, precision: None, overflow: Overflow::Saturate }
}

/// Zeros of a dtype.
fn zeros(dtype: DType, n: usize) -> TensorData {
    match dtype {
        DType::U8 => TensorData::U8(vec![0; n]),
        DType::I8 => TensorData::I8(vec![0; n]),
        DType::U16 => TensorData::U16(vec![0; n]),
        DType::I16 => TensorData::I16(vec![0; n]),
        DType::Narrow(narrow) => TensorData::Narrow(narrow, vec![0; n]),
        DType::Half(half) => TensorData::Half(half, vec![0; n]),
        DType::F32 => TensorData::F32(vec![0.0; n]),
        other => panic!("{other}"),
    }
}

/// `x: [4]` to integers and back, with `n` scales.
fn pair(to: DType, n: usize) -> Graph {
    network(DType::F32, &[4], |b, x| {
        let scale = b.constant(Tensor::vector(TensorData::F32(vec![0.5; n]))).unwrap();
        let zero = b.constant(Tensor::vector(zeros(to, n))).unwrap();
        let q = one(b, "q", quantize(to), &[x, scale, zero]);
        vec![one(b, "y", DequantizeLinear { axis: 0, block: 0, to: DType::F32 }, &[q, scale, zero])]
    })
}

fn dequantized(stored: DType, scale: DType, to: DType, block: usize) -> Graph {
    network(stored, &[4], |b, x| {
        let n = 4usize.checked_div(block).unwrap_or(1);
        let scale = b.constant(Tensor::vector(zeros(scale, n))).unwrap();
        vec![one(b, "y", DequantizeLinear { axis: 0, block, to }, &[x, scale])]
    })
}

fn mean(shape: &[usize], keep_dims: bool) -> Graph {
    network(DType::F32, shape, |b, x| {
        let axes = ints(b, &[1]);
        let op = Reduce { kind: ReduceKind::Mean, keep_dims, none_without_axes: false };
        vec![one(b, "y", op, &[x, axes])]
    })
}

#[test]
fn the_version_is_the_lowest() {
    let add = |dtype| network(dtype, &[2], |b, x| vec![one(b, "y", Binary::Add, &[x, x])]);
    let same = |dtype| network(dtype, &[2], |b, x| vec![one(b, "y", Identity, &[x])]);
    let (f32, f16) = (DType::F32, DType::Half(Half::F16));
    let split = |n_parts| {
        network(f32, &[4], |b, x| b.node_named("y", Split { axis: 0, n_parts }.into(), &[x]).unwrap())
    };
    let lengths =
        |start| network(f32, &[2, 3], |b, x| vec![one(b, "y", ShapeOf::Lengths { start, end: None }, &[x])]);
    let [i4, u4, i2, u2] = [Narrow::I4, Narrow::U4, Narrow::I2, Narrow::U2].map(DType::Narrow);
    let cases = [
        ("add f32", add(f32), (13, 7)),
        ("add i8", add(DType::I8), (14, 7)),
        ("u8 a tensor", pair(DType::U8, 1), (13, 7)),
        ("i8 a channel", pair(DType::I8, 4), (13, 7)),
        ("u16", pair(DType::U16, 1), (21, 10)),
        ("i16", pair(DType::I16, 4), (21, 10)),
        ("i4", pair(i4, 1), (21, 10)),
        ("u4", pair(u4, 4), (21, 10)),
        ("i2", pair(i2, 1), (25, 13)),
        ("u2", pair(u2, 4), (25, 13)),
        ("f8", pair(DType::Narrow(Narrow::E4M3FN), 1), (19, 9)),
        ("blocks", dequantized(DType::I8, f32, f32, 2), (21, 10)),
        ("scales of f16", dequantized(DType::I8, f16, f16, 0), (19, 9)),
        ("another output", dequantized(DType::I8, f16, f32, 0), (23, 11)),
        ("powers of two", dequantized(DType::I8, DType::Narrow(Narrow::E8M0), f32, 0), (24, 12)),
        ("i4 as it is", same(i4), (21, 10)),
        ("all lengths", lengths(0), (13, 7)),
        ("some lengths", lengths(1), (15, 8)),
        ("even parts", split(2), (13, 7)),
        ("uneven parts", split(3), (18, 8)),
        ("mean", mean(&[2, 3], true), (13, 7)),
    ];
    for (name, graph, expected) in cases {
        assert_eq!(opset(&write(&graph)), expected, "{name}");
    }
}

#[test]
fn forms_follow_from_the_version() {
    let written = |graph: &Graph| write(graph).graph.unwrap();
    let plain = written(&mean(&[2, 3], false));
    assert_eq!(plain.node[0].input, ["x"]);
    assert_eq!(plain.node[0].attribute[1].ints, [1]);
    assert!(plain.initializer.is_empty(), "axes that became an attribute are no constant");
    // Beside integers of 4 bits the axes are an input.
    let both = network(DType::Narrow(Narrow::I4), &[2, 2], |b, x| {
        let scale = b.constant(Tensor::vector(TensorData::F32(vec![0.5]))).unwrap();
        let real = one(b, "real", DequantizeLinear { axis: 0, block: 0, to: DType::F32 }, &[x, scale]);
        let axes = ints(b, &[1]);
        let op = Reduce { kind: ReduceKind::Mean, keep_dims: true, none_without_axes: false };
        vec![one(b, "y", op, &[real, axes])]
    });
    assert_eq!(written(&both).node[1].input.len(), 2);
    // `i8` without a zero point: one of zeros, since the dtype cannot be said before 21.
    let signed = network(DType::F32, &[4], |b, x| {
        let scale = b.constant(Tensor::vector(TensorData::F32(vec![0.5; 4]))).unwrap();
        vec![one(b, "q", quantize(DType::I8), &[x, scale])]
    });
    let graph = written(&signed);
    assert_eq!(graph.node[0].input.len(), 3);
    assert_eq!((graph.initializer[0].dims.clone(), graph.initializer[0].data_type), (vec![4], Some(3)));
}

#[test]
fn names_axes_and_properties_are_kept() {
    let mut b = GraphBuilder::new();
    let dims = Shape(vec![Dim::Symbol("batch".into()), Dim::Fixed(3), Dim::Unknown]);
    let x = b.input("image in", DType::F32, dims).unwrap();
    let y = b.node_with_outputs("first", Binary::Add.into(), &[x, x], &["sum/0".to_string()]).unwrap()[0];
    let graph = b.finish(&[y, x, y]).unwrap();
    let properties = vec![("recipe".to_string(), "a b".to_string()), ("empty".to_string(), String::new())];
    let meta = NetworkMeta { name: "mine".into(), properties };
    let bytes = export_network(&graph, &meta).unwrap();
    let model = proto::Model::decode(&bytes[..]).unwrap();
    assert_eq!(model.producer_name.as_deref(), Some("smidgen"));
    assert_eq!(model.producer_version.as_deref(), Some(env!("CARGO_PKG_VERSION")));
    let written = model.graph.unwrap();
    assert_eq!(written.name.as_deref(), Some("mine"));
    assert_eq!((written.node[0].name.as_deref(), &written.node[0].output[0][..]), (Some("first"), "sum/0"));
    let outputs: Vec<&str> = written.output.iter().map(|o| o.name.as_deref().unwrap()).collect();
    // A value that leaves twice needs a second name.
    assert_eq!(outputs, ["sum/0", "image in", "sum/0:2"]);
    let read = crate::import_all(&bytes, crate::Options { external: &crate::NoExternal }).unwrap();
    assert_eq!(read.meta, meta);
    let input = read.graph.value(read.graph.inputs()[0]);
    assert_eq!((&input.name[..], input.shape.to_string()), ("image in", "[batch, 3, ?]".to_string()));
    assert_eq!(export_network(&graph, &meta).unwrap(), bytes);
}

#[test]
fn outputs_have_the_axes_that_their_file_declares_where_no_other_are_known() {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F32, Shape::fixed(&[2, 3])).unwrap();
    let axes = b.input("axes", DType::I64, Shape::of_rank(1)).unwrap();
    let op = Reduce { kind: ReduceKind::Sum, keep_dims: false, none_without_axes: false };
    let sum = one(&mut b, "sum", op, &[x, axes]);
    let twice = one(&mut b, "twice", Binary::Add, &[sum, sum]);
    let graph = b.finish(&[twice, x]).unwrap();
    let mut model = write(&graph);
    let declared = Shape(vec![Dim::Symbol("rows".into())]);
    for output in &mut model.graph.as_mut().unwrap().output {
        *output = crate::writer::info(output.name.as_deref().unwrap(), DType::F32, &declared);
    }
    let options = crate::Options { external: &crate::NoExternal };
    let read = crate::import(&model.encode_to_vec(), options).unwrap();
    let shape = |name: &str| read.value(read.find(name).unwrap()).shape.to_string();
    assert_eq!([shape("sum"), shape("twice"), shape("x")], ["[..]", "[rows]", "[2, 3]"]);
}

#[test]
fn graphs_inside_take_what_they_capture_by_its_name_outside() {
    let branch = |gives_captured: bool| {
        let mut b = GraphBuilder::new();
        let seen = b.input("x", DType::F32, Shape::fixed(&[2])).unwrap();
        let own = b.node_named("y", Binary::Mul.into(), &[seen, seen]).unwrap()[0];
        b.finish(&[if gives_captured { seen } else { own }]).unwrap()
    };
    let mut b = GraphBuilder::new();
    let condition = b.input("condition", DType::Bool, Shape::default()).unwrap();
    let x = b.input("x", DType::F32, Shape::fixed(&[2])).unwrap();
    let outside = one(&mut b, "outside", Binary::Add, &[x, x]);
    let op = If { then_branch: branch(false), else_branch: branch(true) };
    let y = one(&mut b, "y", op, &[condition, outside]);
    let written = write(&b.finish(&[y]).unwrap()).graph.unwrap();
    assert_eq!(written.node[1].input, ["condition"]);
    let graphs: Vec<&proto::Graph> = written.node[1].attribute.iter().filter_map(|a| a.g.as_ref()).collect();
    let (then, or) = (graphs[0], graphs[1]);
    assert!(then.input.is_empty() && or.input.is_empty());
    assert_eq!(then.node[0].input, ["outside", "outside"]);
    // No name stands for two values, and no name of a node for two nodes.
    assert_eq!((&then.node[0].output[0][..], then.output[0].name.as_deref()), ("y/y", Some("y/y")));
    assert_eq!(then.node[0].name.as_deref(), Some("y/y"));
    assert_eq!(or.node[0].output, ["y/y_"]);
    // What is given is made inside.
    assert_eq!((or.node[1].op_type.as_deref(), &or.node[1].input[0][..]), (Some("Identity"), "outside"));
}

#[test]
fn what_onnx_cannot_say_is_refused_by_name() {
    let f64_scale = network(DType::F64, &[4], |b, x| {
        let scale = b.constant(Tensor::vector(TensorData::F64(vec![0.5]))).unwrap();
        vec![one(b, "q", quantize(DType::U8), &[x, scale])]
    });
    let affine = Activation { kind: ActivationKind::Affine, alpha: 1.0, beta: 0.0 };
    let function = network(DType::F32, &[4], |b, x| vec![one(b, "f", affine, &[x])]);
    let rest = network(DType::F32, &[4], |b, x| vec![one(b, "rest", Binary::Mod, &[x, x])]);
    let mut b = GraphBuilder::new();
    let column = b.input("age", DType::I64, Shape::rows()).unwrap();
    let cast = b.node(Op::Cast(ir::op::Cast), &[column]).unwrap();
    let table = b.finish(&[cast]).unwrap();
    let mut b = GraphBuilder::new();
    let bag = b.input("words", DType::Bag, Shape::rows_by(8)).unwrap();
    let bags = b.finish(&[bag]).unwrap();
    for (graph, parts) in [
        (f64_scale, ["node \"q\" (QuantizeLinear)", "QuantizeLinear of f64"]),
        (function, ["node \"f\" (Affine)", "recurrent"]),
        (rest, ["node \"rest\" (Mod)", "Floor"]),
        (table, ["(Cast)", "models of tables"]),
        (bags, ["\"words\"", "a value of bag"]),
    ] {
        let message = export_network(&graph, &NetworkMeta::default()).unwrap_err().to_string();
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
    let twice = [("a", "1"), ("b", "2"), ("a", "3")].map(|(k, v)| (k.to_string(), v.to_string()));
    let meta = NetworkMeta { name: String::new(), properties: twice.to_vec() };
    let message = export_network(&pair(DType::U8, 1), &meta).unwrap_err().to_string();
    assert!(message.contains("property \"a\" stands twice"), "{message}");
}
