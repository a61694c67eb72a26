//! The self-test and the refusals of a small model written by hand.
//!
//! The golden digests pin the rows of a seed, the arithmetic of every operator and the digest itself:
//! a change here is a change of what every stored model verifies against.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use ir::forest::{Child, CodeSet, CodedFeature, Split, Test, Tree};
use ir::op::{Bin, Codes, ForestOp, Link, LinkKind, QGemm, Threshold};
use ir::{Bits, Card, Column, ColumnData, ColumnKind, DType, Forest, GraphBuilder, Input, Model, Op};
use ir::{OutputRole, SelfTest, Shape, Signature, Task, Tensor, TensorData};
use smidgen_runtime::{Plan, SELF_TEST_ROWS, Verdict, reference, self_test, verify};
use std::fmt::Write;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/golden/selftest.txt");

/// Age in years and a colour: two trees, one leaf of which is `last_leaf`.
fn model(last_leaf: i32) -> Model {
    let mut b = GraphBuilder::new();
    let age = b.input("age", DType::I64, Shape::rows()).unwrap();
    let size = b.input("size", DType::F64, Shape::rows()).unwrap();
    let color = b.input("color", DType::Str, Shape::rows()).unwrap();
    let edges = b.constant(Tensor::vector(TensorData::I64(vec![17, 64]))).unwrap();
    let sizes = b.constant(Tensor::vector(TensorData::F64(vec![-0.5, 0.0, 2.5]))).unwrap();
    let keys = TensorData::Str(["blue", "green", "red"].map(String::from).to_vec());
    let keys = b.constant(Tensor::vector(keys)).unwrap();
    let age = b.node(Op::Bin(Bin), &[age, edges]).unwrap();
    let size = b.node(Op::Bin(Bin), &[size, sizes]).unwrap();
    let color = b.node(Op::Codes(Codes { unseen: 3 }), &[color, keys]).unwrap();
    let split = |feature, test, missing_left, left, right| Split { feature, test, missing_left, left, right };
    let mut blue_or_red = CodeSet::default();
    blue_or_red.insert(0);
    blue_or_red.insert(2);
    let trees = vec![
        Tree {
            first_output: 0,
            width: 1,
            splits: vec![
                split(0, Test::Greater(0), true, Child::Leaf(0), Child::Split(1)),
                split(2, Test::In(blue_or_red), false, Child::Leaf(1), Child::Leaf(2)),
            ],
            leaves: vec![-3000, 500, 2200],
        },
        Tree {
            first_output: 0,
            width: 1,
            splits: vec![
                split(1, Test::Greater(1), false, Child::Split(1), Child::Leaf(2)),
                split(0, Test::Greater(1), true, Child::Leaf(0), Child::Leaf(1)),
            ],
            leaves: vec![-70, 15, last_leaf],
        },
    ];
    let feature = |n_codes, ordered| CodedFeature { n_codes, ordered };
    let features = vec![feature(3, true), feature(4, true), feature(4, false)];
    let forest = Forest::try_new(features, vec![-100], trees).unwrap().into();
    let score = b.node(Op::Forest(ForestOp { forest }), &[age, size, color]).unwrap();
    let link = Link { kind: LinkKind::Logistic, shift: 10, offset: 0 };
    let probability = b.node(Op::Link(link), &[score]).unwrap();
    let label = b.node(Op::Threshold(Threshold { above: -20 }), &[score]).unwrap();
    let input = |name: &str, kind, dtype| Input { name: name.into(), kind, dtype };
    let signature = Signature {
        task: Task::Binary,
        target: "bought".into(),
        targets: Vec::new(),
        inputs: vec![
            input("age", ColumnKind::Number, DType::I64),
            input("size", ColumnKind::Number, DType::F64),
            input("color", ColumnKind::Category, DType::Str),
        ],
        outputs: vec![OutputRole::Score, OutputRole::Probability, OutputRole::Label],
        classes: vec!["no".into(), "yes".into()],
        positive: Some(1),
        missing: Vec::new(),
        columns: Vec::new(),
        joined: None,
    };
    let graph = b.finish(&[score, probability, label]).unwrap();
    Model::try_new(graph, signature, Card::default()).unwrap()
}

/// The scores of four rows, by hand; their probabilities and labels.
#[test]
fn rows_by_hand() {
    let ages = [17, 18, 65, 0];
    let sizes = [0.0, 2.5, f64::NAN, -1.0];
    let (offsets, bytes) = ([0, 4, 7, 9, 12], b"bluered??red");
    let age_bits = [0b0111];
    let columns = [
        Column::try_new(ColumnData::I64(&ages), Bits::try_new(&age_bits, 0, 4)).unwrap(),
        Column::try_new(ColumnData::F64(&sizes), None).unwrap(),
        Column::try_new(ColumnData::Str { offsets: &offsets, bytes }, None).unwrap(),
    ];
    // -100, first tree, second tree.
    let scores = vec![-100 - 3000 - 70, -100 + 2200 + 900, -100 + 500 + 900, -100 - 3000 - 70];
    let graph = model(900).graph().clone();
    let outputs = reference::run(&graph, &columns).unwrap();
    assert_eq!(outputs, Plan::new(&graph).unwrap().run(&columns).unwrap());
    assert_eq!(outputs[0].dims(), [4, 1]);
    assert_eq!(outputs[0].data(), &TensorData::I32(scores.clone()));
    assert_eq!(outputs[2].data(), &TensorData::I64(vec![0, 1, 1, 0]));
    let TensorData::F32(p) = outputs[1].data() else { panic!("{:?}", outputs[1]) };
    for (row, &score) in scores.iter().enumerate() {
        let expected = 1.0 / (1.0 + (-f64::from(score) / 1024.0).exp());
        // One float step below 1.
        assert!((f64::from(p[2 * row + 1]) - expected).abs() <= 6e-8, "row {row}: {p:?}");
    }
}

#[test]
fn digests_are_the_golden_ones() {
    let graph = model(900).graph().clone();
    let mut text = String::new();
    for seed in [0, 1, 2, u64::MAX] {
        let SelfTest { digest, n_rows, .. } = self_test(&graph, seed).unwrap();
        writeln!(text, "seed {seed}: {n_rows} rows, digest {digest:016x}").unwrap();
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(GOLDEN).unwrap());
    let mut digests: Vec<u64> = (0..100).map(|seed| self_test(&graph, seed).unwrap().digest).collect();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), 100, "each seed has its digest");
}

#[test]
fn verify_tells_one_changed_leaf() {
    let verdicts = |m: &Model| verify(m).unwrap().iter().map(|c| (c.path, c.verdict)).collect::<Vec<_>>();
    let (ok, differs) = (Verdict::Ok, Verdict::Differs);
    let test = self_test(model(900).graph(), 7).unwrap();
    for (leaf, stored, expected) in [
        (900, None, [("reference", ok), ("scalar", ok)]),
        (900, Some(test), [("reference", ok), ("scalar", ok)]),
        (901, Some(test), [("reference", differs), ("scalar", differs)]),
        (901, None, [("reference", ok), ("scalar", ok)]),
    ] {
        let mut m = model(leaf);
        m.self_test = stored;
        assert_eq!(verdicts(&m), expected, "leaf {leaf}, self-test {stored:?}");
    }
    for (n_rows, message) in [
        (0, "model file: a self-test of 0 rows is not known to this program; update smidgen"),
        (257, "model file: a self-test of 257 rows is not known to this program; update smidgen"),
    ] {
        let mut m = model(900);
        m.self_test = Some(SelfTest { n_rows, ..test });
        assert_eq!(verify(&m).unwrap_err().to_string(), message);
    }
    assert_eq!(SELF_TEST_ROWS, 256);
}

#[test]
fn refused_inputs() {
    let graph = model(900).graph().clone();
    let plan = Plan::new(&graph).unwrap();
    let column = |data| Column::try_new(data, None).unwrap();
    let two = column(ColumnData::I64(&[1, 2]));
    let reals = column(ColumnData::F64(&[1.0, 2.0]));
    let one_real = column(ColumnData::F64(&[1.0]));
    let texts = column(ColumnData::Str { offsets: &[0, 1, 2], bytes: b"ab" });
    let one_text = column(ColumnData::Str { offsets: &[0, 1], bytes: b"a" });
    let floats = column(ColumnData::F32(&[1.0, 2.0]));
    let cases: [(&[Column<'_>], &str); 7] = [
        (&[], "predict: the model takes 3 columns, got 0"),
        (&[two, reals], "predict: the model takes 3 columns, got 2"),
        (&[two, reals, texts, texts], "predict: the model takes 3 columns, got 4"),
        (&[reals, reals, texts], "predict: column \"age\": expected i64, got f64"),
        (&[two, floats, texts], "predict: column \"size\": expected f64, got f32"),
        (&[two, one_real, texts], "predict: column \"size\" has 1 rows, the first column has 2"),
        (&[two, reals, one_text], "predict: column \"color\" has 1 rows, the first column has 2"),
    ];
    for (columns, message) in cases {
        assert_eq!(plan.run(columns).unwrap_err().to_string(), message);
        assert_eq!(reference::run(&graph, columns).unwrap_err().to_string(), message);
    }
}

/// Graphs that are well formed and that a runtime does not run: an error, never a panic.
#[test]
fn refused_graphs() {
    let rows = Shape::rows;
    let one_feature = || {
        let leaf = Tree { first_output: 0, width: 1, splits: vec![], leaves: vec![1] };
        let features = vec![CodedFeature { n_codes: 2, ordered: true }];
        Op::Forest(ForestOp { forest: Forest::try_new(features, vec![0], vec![leaf]).unwrap().into() })
    };
    let constant_codes = {
        let mut b = GraphBuilder::new();
        b.input("x", DType::F64, rows()).unwrap();
        let codes = b.constant(Tensor::vector(TensorData::U8(vec![1, 0]))).unwrap();
        let score = b.node(one_feature(), &[codes]).unwrap();
        b.finish(&[score]).unwrap()
    };
    let input_as_output = {
        let mut b = GraphBuilder::new();
        b.input("x", DType::F64, rows()).unwrap();
        let n = b.input("n", DType::I64, rows()).unwrap();
        b.finish(&[n]).unwrap()
    };
    let constant_scores = {
        let mut b = GraphBuilder::new();
        b.input("x", DType::F64, rows()).unwrap();
        let scores = Tensor::try_new(vec![2, 1], TensorData::I32(vec![5, 6])).unwrap();
        let scores = b.constant(scores).unwrap();
        let label = b.node(Op::Threshold(Threshold { above: 0 }), &[scores]).unwrap();
        b.finish(&[label]).unwrap()
    };
    let constant_rows = {
        let mut b = GraphBuilder::new();
        b.input("x", DType::F64, rows()).unwrap();
        let matrix = |n, k, data| Tensor::try_new(vec![n, k], data).unwrap();
        let x = b.constant(matrix(2, 1, TensorData::I16(vec![5, 6]))).unwrap();
        let w = b.constant(matrix(1, 1, TensorData::I16(vec![7]))).unwrap();
        let bias = b.constant(Tensor::vector(TensorData::I32(vec![0]))).unwrap();
        let pairs = b.constant(matrix(2, 1, TensorData::I64(vec![1 << 30, 30]))).unwrap();
        let score = b.node(Op::QGemm(QGemm), &[x, w, bias, pairs]).unwrap();
        b.finish(&[score]).unwrap()
    };
    let interpreter = "is not supported by the reference engine";
    let cases = [
        (
            constant_codes,
            "predict: node \"forest2\" (Forest) is not supported by the walking engine",
            format!("predict: node \"forest2\" (Forest) {interpreter}"),
        ),
        (
            input_as_output,
            "predict: node \"graph\" (an output that has no rows) is not supported by the interpreting engine",
            format!("predict: node \"n\" (an input as output) {interpreter}"),
        ),
        (
            constant_scores,
            "predict: node \"threshold2\" (Threshold) is not supported by the reference engine",
            format!("predict: node \"threshold2\" (Threshold) {interpreter}"),
        ),
        (
            constant_rows,
            "predict: node \"qgemm5\" (QGemm) is not supported by the reference engine",
            format!("predict: node \"qgemm5\" (QGemm) {interpreter}"),
        ),
    ];
    let columns = [
        Column::try_new(ColumnData::F64(&[1.0, 2.0, 3.0]), None).unwrap(),
        Column::try_new(ColumnData::I64(&[1, 2, 3]), None).unwrap(),
    ];
    for (graph, by_plan, by_reference) in cases {
        let columns = &columns[..graph.inputs().len()];
        let planned = Plan::new(&graph).and_then(|plan| plan.run(columns));
        assert_eq!(planned.unwrap_err().to_string(), by_plan);
        assert_eq!(reference::run(&graph, columns).unwrap_err().to_string(), by_reference, "{graph}");
    }
}

/// A file with any one byte replaced behind a valid digest: refused, or it verifies without a panic.
#[test]
fn hostile_files_verify_without_a_panic() {
    let mut model = model(900);
    model.self_test = Some(self_test(model.graph(), 7).unwrap());
    let written = ir::file::write(&model);
    let body = &written[..written.len() - 8];
    let (mut n_read, mut n_differ) = (0, 0);
    for at in 0..body.len() {
        for flip in [1, 2, 3, 4, 8, 16, 0x20, 0x40, 0x7f, 0x80, 0xfe, 0xff] {
            let mut bytes = body.to_vec();
            bytes[at] ^= flip;
            let mut digest = ir::digest::Digest::new();
            digest.bytes(&bytes);
            bytes.extend_from_slice(&digest.finish().to_le_bytes());
            let Ok(read) = ir::file::read(&bytes) else { continue };
            n_read += 1;
            if let Ok(checked) = verify(&read) {
                n_differ += usize::from(checked[0].verdict == Verdict::Differs);
                assert!(checked[1].verdict == Verdict::Skipped || checked[0].digest == checked[1].digest);
            }
        }
    }
    assert!(n_read > 100 && n_differ > 100, "{n_read} read, {n_differ} differ");
}
