//! Nodes, graphs and signatures that do not fit, with their messages; the printer.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use smidgen_ir::forest::{Child, CodedFeature, Split, Test, Tree};
use smidgen_ir::op::{
    ArgMax, Attr, Attrs, BSpline, BagGather, BagGemm, BagNorm, BagWeigh, Bin, Cascade, Codes, Columns,
    ForestOp, Gate, Gather, HashTokens, ImputeNeighbours, LeastCost, Link, LinkKind, NearestRows, QGemm,
    QuantizeLinear, RbfSums, Respell, ScoreCurve, Sum, Tables, TermFrequency, TextPart, Threshold, ToScores,
    Tokens, Votes, VotesKind, WeightedSum,
};
use smidgen_ir::text::parts::TextNumber;
use smidgen_ir::text::tokens::{Analyzer, Tokenizer};
use smidgen_ir::{
    Card, ColumnKind, DType, Dim, Error, Forest, Graph, GraphBuilder, Input, Model, Op, OutputRole,
};
use smidgen_ir::{Shape, Signature, TargetColumn, Task, Tensor, TensorData, ValueIdx};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/golden/graph.txt");

fn text<T>(result: Result<T, Error>) -> String {
    result.map_or_else(|e| e.to_string(), |_| "ok".into())
}

fn strings(keys: &[&str]) -> Tensor {
    Tensor::vector(TensorData::Str(keys.iter().map(ToString::to_string).collect()))
}

fn forest(features: usize, n_outputs: usize) -> Op {
    let features = vec![CodedFeature { n_codes: 3, ordered: true }; features];
    Op::Forest(ForestOp { forest: Forest::try_new(features, vec![0; n_outputs], vec![]).unwrap().into() })
}

/// What a node says to inputs of these dtypes and shapes, and to constants.
fn node(op: Op, inputs: &[(DType, Shape)], constants: &[Tensor]) -> String {
    let mut b = GraphBuilder::new();
    let mut values: Vec<ValueIdx> = Vec::new();
    for (i, (dtype, shape)) in inputs.iter().enumerate() {
        values.push(b.input(&format!("x{i}"), *dtype, shape.clone()).unwrap());
    }
    for constant in constants {
        values.push(b.constant(constant.clone()).unwrap());
    }
    text(b.node_named("it", op, &values))
}

#[test]
fn nodes_that_do_not_fit() {
    let rows = Shape::rows;
    let f64s = |v: &[f64]| Tensor::vector(TensorData::F64(v.to_vec()));
    let i64s = |v: &[i64]| Tensor::vector(TensorData::I64(v.to_vec()));
    let real = || vec![(DType::F64, rows())];
    let whole = || vec![(DType::I64, rows())];
    let word = || vec![(DType::Str, rows())];
    let scores = |k: usize| vec![(DType::I32, Shape::rows_by(k))];
    let codes = |n: usize| vec![(DType::U8, rows()); n];
    let link = |kind, shift, offset| Op::Link(Link { kind, shift, offset });
    let share = LinkKind::Share;
    let (logistic, softmax, linear) = (LinkKind::Logistic, LinkKind::Softmax, LinkKind::Linear);
    let near = |k| Op::ImputeNeighbours(ImputeNeighbours { k, by_distance: true });
    let pair = || vec![(DType::F64, Shape::rows_by(2))];
    let table = |n: usize, v: &[f64]| {
        let width = v.len().checked_div(n).unwrap_or(2);
        Tensor::try_new(vec![n, width], TensorData::F64(v.to_vec())).unwrap()
    };
    let many: Vec<f64> = (0..254).map(f64::from).collect();
    let keys: Vec<String> = (0..255).map(|i| format!("{i:03}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (bin, argmax) = (Op::Bin(Bin), Op::ArgMax(ArgMax));
    let coded = |unseen| Op::Codes(Codes { unseen });
    let above = |above| Op::Threshold(Threshold { above });
    let respell = || Op::Respell(Respell);
    let spline = |degree| Op::BSpline(BSpline { degree });
    let symbols = Shape(vec![Dim::Symbol("N".into()), Dim::Symbol("K".into())]);
    let none: &[Tensor] = &[];
    let inf = f64::INFINITY;
    type Case = (Op, Vec<(DType, Shape)>, Vec<Tensor>, &'static str);
    let cases: Vec<Case> = vec![
        (bin.clone(), real(), vec![f64s(&[])], "ok"),
        (bin.clone(), real(), vec![f64s(&[-inf, -0.0, 1.0, inf])], "ok"),
        (bin.clone(), real(), vec![f64s(&many[1..])], "ok"),
        (bin.clone(), whole(), vec![i64s(&[i64::MIN, i64::MAX])], "ok"),
        (bin.clone(), real(), vec![f64s(&many)], "(Bin): edges: expected at most 253, got 254"),
        (
            bin.clone(),
            real(),
            vec![f64s(&[1.0, 1.0])],
            "(Bin): edges: expected strictly rising numbers, got another order",
        ),
        (
            bin.clone(),
            real(),
            vec![f64s(&[-0.0, 0.0])],
            "(Bin): edges: expected strictly rising numbers, got another order",
        ),
        (
            bin.clone(),
            real(),
            vec![f64s(&[1.0, f64::NAN])],
            "(Bin): edges: expected strictly rising numbers, got another order",
        ),
        (
            bin.clone(),
            whole(),
            vec![i64s(&[2, 1])],
            "(Bin): edges: expected strictly rising numbers, got another order",
        ),
        (bin.clone(), whole(), vec![f64s(&[1.0])], "(Bin): edges: expected i64, got f64"),
        (
            bin.clone(),
            word(),
            vec![strings(&["a"])],
            "(Bin): column: expected i64 or f64 [N], got string [N]",
        ),
        (bin.clone(), scores(2), vec![f64s(&[])], "(Bin): column: expected i64 or f64 [N], got i32 [N, 2]"),
        (bin.clone(), real(), vec![], "(Bin): inputs: expected 2, got 1"),
        (
            bin.clone(),
            [real(), real()].concat(),
            vec![],
            "(Bin): edges: expected a constant, got a computed value",
        ),
        (coded(255), word(), vec![strings(&[])], "ok"),
        (coded(2), word(), vec![strings(&["", "a"])], "ok"),
        (coded(255), word(), vec![strings(&keys[1..])], "ok"),
        (coded(254), word(), vec![strings(&keys[1..])], "ok"),
        (coded(255), word(), vec![strings(&keys)], "(Codes): dictionary: expected at most 254 keys, got 255"),
        (
            coded(3),
            word(),
            vec![strings(&["a", "b"])],
            "(Codes): unseen: expected a code of the dictionary, the next one, or 255, got 3",
        ),
        (
            coded(0),
            word(),
            vec![strings(&["b", "a"])],
            "(Codes): dictionary: expected strictly rising keys, got another order",
        ),
        (
            coded(0),
            word(),
            vec![strings(&["a", "a"])],
            "(Codes): dictionary: expected strictly rising keys, got another order",
        ),
        (coded(0), word(), vec![i64s(&[1])], "(Codes): dictionary: expected a constant of strings, got i64"),
        (coded(0), real(), vec![strings(&["a"])], "(Codes): column: expected string [N], got f64 [N]"),
        (coded(0), word(), vec![], "(Codes): inputs: expected 2, got 1"),
        (forest(2, 3), codes(2), vec![], "ok"),
        (forest(2, 3), codes(1), vec![], "(Forest): inputs: expected 2, got 1"),
        (forest(0, 3), codes(0), vec![], "(Forest): inputs: expected 1, got 0"),
        (forest(2, 3), [codes(1), real()].concat(), vec![], "(Forest): codes: expected u8 [N], got f64 [N]"),
        (
            forest(1, 3),
            vec![(DType::U8, Shape::rows_by(1))],
            vec![],
            "(Forest): codes: expected u8 [N], got u8 [N, 1]",
        ),
        (link(logistic, 20, 0), scores(1), vec![], "ok"),
        (link(logistic, 0, 0), scores(2), vec![], "(Link): scores: expected one a row, got 2"),
        (link(logistic, -1, 0), scores(1), vec![], "(Link): shift: expected 0..=20, got -1"),
        (link(softmax, 21, 0), scores(2), vec![], "(Link): shift: expected 0..=20, got 21"),
        (link(softmax, 2, 1), scores(2), vec![], "(Link): offset: expected 0, got 1"),
        (link(softmax, 2, 0), scores(0), vec![], "(Link): scores: expected one or more a row, got 0"),
        (link(softmax, 2, 0), scores(9), vec![], "ok"),
        (link(share, 0, 0), scores(3), vec![], "ok"),
        (link(share, 0, 1 << 32), scores(1), vec![], "ok"),
        (link(share, 0, 0), scores(1), vec![], "(Link): offset: expected 1..=2^32, got 0"),
        (link(share, 0, 5), scores(2), vec![], "(Link): offset: expected 0, got 5"),
        (link(share, 1, 0), scores(2), vec![], "(Link): shift: expected 0, got 1"),
        (link(share, 0, 0), scores(0), vec![], "(Link): scores: expected one or more a row, got 0"),
        (link(linear, i16::MIN, i64::MAX), scores(1), vec![], "ok"),
        (link(linear, 0, 0), scores(2), vec![], "(Link): scores: expected one a row, got 2"),
        (link(linear, 0, 0), real(), vec![], "(Link): scores: expected i32 [N, K], got f64 [N]"),
        (
            link(linear, 0, 0),
            vec![(DType::F32, Shape::rows_by(1))],
            vec![],
            "(Link): scores: expected i32 [N, K], got f32 [N, 1]",
        ),
        (argmax.clone(), scores(1), vec![], "ok"),
        (argmax.clone(), scores(0), vec![], "(ArgMax): scores: expected i32 [N, K], got i32 [N, 0]"),
        (
            argmax.clone(),
            vec![(DType::I32, symbols)],
            vec![],
            "(ArgMax): scores: expected i32 [N, K], got i32 [N, K]",
        ),
        (
            argmax.clone(),
            vec![(DType::I64, Shape::rows_by(2))],
            vec![],
            "(ArgMax): scores: expected i32 [N, K], got i64 [N, 2]",
        ),
        (argmax, vec![], none.to_vec(), "(ArgMax): inputs: expected 1, got 0"),
        (above(i32::MIN), scores(1), vec![], "ok"),
        (above(0), scores(2), vec![], "(Threshold): scores: expected i32 [N, 1], got i32 [N, 2]"),
        (above(0), real(), vec![], "(Threshold): scores: expected i32 [N, 1], got f64 [N]"),
        (
            near(1),
            pair(),
            vec![table(2, &[1.0, inf, -inf, 0.0]), f64s(&[1.0, 2.0]), f64s(&[0.0, -1.0])],
            "ok",
        ),
        (
            near(0),
            pair(),
            vec![table(1, &[1.0, 2.0]), f64s(&[1.0, 2.0]), f64s(&[0.0, 0.0])],
            "(ImputeNeighbours): k: expected 1 or more, got 0",
        ),
        (
            near(1),
            real(),
            vec![table(1, &[1.0]), f64s(&[1.0]), f64s(&[0.0])],
            "(ImputeNeighbours): rows: expected f64 [N, K], got f64 [N]",
        ),
        (near(1), pair(), vec![], "(ImputeNeighbours): inputs: expected 4, got 1"),
        (
            near(1),
            pair(),
            vec![table(2, &[1.0, 2.0]), f64s(&[1.0, 2.0]), f64s(&[0.0, 0.0])],
            "(ImputeNeighbours): reference: expected a constant f64 [M, 2], got f64 [2, 1]",
        ),
        (
            near(1),
            pair(),
            vec![table(0, &[]), f64s(&[1.0, 2.0]), f64s(&[0.0, 0.0])],
            "(ImputeNeighbours): reference: expected a constant f64 [M, 2], got f64 [0, 2]",
        ),
        (
            near(1),
            pair(),
            vec![table(10_001, &[0.0; 20_002]), f64s(&[1.0, 2.0]), f64s(&[0.0, 0.0])],
            "(ImputeNeighbours): reference: expected at most 10000 rows and 4194304 cells, got f64 [10001, 2]",
        ),
        (
            near(1),
            pair(),
            vec![table(1, &[1.0, f64::NAN]), f64s(&[1.0, 2.0]), f64s(&[0.0, 0.0])],
            "(ImputeNeighbours): reference: expected numbers, got NaN",
        ),
        (
            near(1),
            pair(),
            vec![table(1, &[1.0, 2.0]), f64s(&[1.0, 0.0]), f64s(&[0.0, 0.0])],
            "(ImputeNeighbours): scale: expected finite numbers above 0, got 0",
        ),
        (
            near(1),
            pair(),
            vec![table(1, &[1.0, 2.0]), f64s(&[1.0]), f64s(&[0.0, 0.0])],
            "(ImputeNeighbours): scale: expected a constant f64 [2], got f64 [1]",
        ),
        (
            near(1),
            pair(),
            vec![table(1, &[1.0, 2.0]), f64s(&[1.0, 1.0]), f64s(&[0.0, inf])],
            "(ImputeNeighbours): fill: expected finite numbers, got inf",
        ),
        (respell(), word(), vec![strings(&[]), strings(&[])], "ok"),
        (respell(), word(), vec![strings(&["a", "b"]), strings(&["b", "b"])], "ok"),
        (
            respell(),
            real(),
            vec![strings(&["a"]), strings(&["b"])],
            "(Respell): column: expected string [N], got f64 [N]",
        ),
        (
            respell(),
            word(),
            vec![i64s(&[1]), strings(&["b"])],
            "(Respell): keys: expected a constant of strings, got i64",
        ),
        (
            respell(),
            word(),
            vec![strings(&["a", "b"]), strings(&["b"])],
            "(Respell): values: expected a constant string [2], got string [1]",
        ),
        (
            respell(),
            word(),
            vec![strings(&["b", "a"]), strings(&["b", "b"])],
            "(Respell): keys: expected strictly rising keys, got another order",
        ),
        (
            respell(),
            word(),
            vec![strings(&["a"]), strings(&[""])],
            "(Respell): values: expected 1 to 1024 bytes each, got more or none",
        ),
        (
            respell(),
            word(),
            vec![strings(&["a"]), strings(&[&"x".repeat(1025)])],
            "(Respell): values: expected 1 to 1024 bytes each, got more or none",
        ),
        (
            respell(),
            word(),
            vec![strings(&vec!["a"; 65_537]), strings(&["b"])],
            "(Respell): keys: expected at most 65536, got 65537",
        ),
        (spline(1), real(), vec![f64s(&[0.0, 1.0, 2.0, 3.0])], "ok"),
        (spline(0), real(), vec![f64s(&[0.0, 1.0])], "ok"),
        (spline(11), real(), vec![f64s(&many)], "(BSpline): degree: expected 0..=10, got 11"),
        (
            spline(1),
            real(),
            vec![f64s(&[0.0, 1.0, 2.0])],
            "(BSpline): knots: expected a constant f64 [M], M at least 4, got f64 [3]",
        ),
        (
            spline(1),
            real(),
            vec![f64s(&[0.0, 1.0, 1.0, 3.0])],
            "(BSpline): knots: expected finite, strictly rising numbers, got others",
        ),
        (
            spline(1),
            real(),
            vec![f64s(&[0.0, 1.0, 2.0, inf])],
            "(BSpline): knots: expected finite, strictly rising numbers, got others",
        ),
        (
            spline(1),
            real(),
            vec![f64s(&vec![0.0; 65_539])],
            "(BSpline): width: expected at most 65536, got 65537",
        ),
        (
            spline(1),
            word(),
            vec![f64s(&[0.0, 1.0, 2.0, 3.0])],
            "(BSpline): column: expected f64 [N], got string [N]",
        ),
        (
            spline(1),
            [real(), real()].concat(),
            vec![],
            "(BSpline): knots: expected a constant of f64, got f64 [N]",
        ),
    ];
    for (op, inputs, constants, message) in cases {
        let shown = format!("{:?} on {inputs:?}", op.payload().name());
        let expected = if message == "ok" { message.into() } else { format!("graph: node \"it\" {message}") };
        assert_eq!(node(op, &inputs, &constants), expected, "{shown}");
    }
}

/// Long values under few keys must not become much text by many nodes.
#[test]
fn made_text_is_bounded() {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::Str, Shape::rows()).unwrap();
    let keys = b.constant(strings(&["a"])).unwrap();
    let values = b.constant(strings(&[&"x".repeat(1024)])).unwrap();
    let mut last = x;
    for _ in 0..2048 {
        last = b.node(Op::Respell(Respell), &[last, keys, values]).unwrap();
    }
    assert_eq!(
        text(b.node(Op::Respell(Respell), &[last, keys, values])),
        "graph: up to node \"respell2051\" a row takes 262272 numbers, at most 262144 are allowed; use fewer columns or transforms"
    );
}

#[test]
fn nodes_of_text_and_bags_that_do_not_fit() {
    let text = || vec![(DType::Str, Shape::rows())];
    let real = || vec![(DType::F64, Shape::rows())];
    let bag = |width| vec![(DType::Bag, Shape::rows_by(width))];
    let f64s = |v: &[f64]| Tensor::vector(TensorData::F64(v.to_vec()));
    let i64s = |v: &[i64]| Tensor::vector(TensorData::I64(v.to_vec()));
    let matrix = |dims: [usize; 2]| {
        Tensor::try_new(dims.to_vec(), TensorData::F64(vec![0.5; dims[0] * dims[1]])).unwrap()
    };
    let grid = Tensor::try_new(vec![1, 1], TensorData::Str(vec!["a".into()])).unwrap();
    let of =
        |ngram_min, ngram_max| Tokenizer { analyzer: Analyzer::Words, ngram_min, ngram_max, fold_case: true };
    let tokens = |min, max| Op::Tokens(Tokens { tokenizer: of(min, max) });
    let hashed = |bits| Op::HashTokens(HashTokens { tokenizer: of(1, 2), bits });
    let weigh = || Op::BagWeigh(BagWeigh { term_frequency: TermFrequency::Raw, norm: BagNorm::L2 });
    let (gather, gemm) = (|| Op::BagGather(BagGather), || Op::BagGemm(BagGemm));
    let part = Op::TextPart(TextPart { part: TextNumber::Words });
    let (long, longest) = ("x".repeat(257), "x".repeat(256));
    let many: Vec<i64> = (0..65_537).collect();
    let wide = "at most 65536, got 65537";
    let none: &[Tensor] = &[];
    type Case<'a> = (Op, Vec<(DType, Shape)>, Vec<Tensor>, String);
    let cases: Vec<Case<'_>> = vec![
        (tokens(1, 8), text(), vec![strings(&["", "a", &longest])], "ok".into()),
        (tokens(1, 1), text(), vec![strings(&[])], "ok".into()),
        (
            tokens(0, 1),
            text(),
            vec![strings(&[])],
            "(Tokens): n-grams: expected 1 <= ngram_min <= ngram_max <= 8, got 0 and 1".into(),
        ),
        (
            tokens(2, 1),
            text(),
            vec![strings(&[])],
            "(Tokens): n-grams: expected 1 <= ngram_min <= ngram_max <= 8, got 2 and 1".into(),
        ),
        (
            tokens(1, 9),
            text(),
            vec![strings(&[])],
            "(Tokens): n-grams: expected 1 <= ngram_min <= ngram_max <= 8, got 1 and 9".into(),
        ),
        (tokens(1, 1), text(), vec![], "(Tokens): inputs: expected 2, got 1".into()),
        (
            tokens(1, 1),
            real(),
            vec![strings(&[])],
            "(Tokens): column: expected string [N], as given, got f64 [N]".into(),
        ),
        (
            tokens(1, 1),
            vec![],
            vec![strings(&["a"]), strings(&["a"])],
            "(Tokens): column: expected string [N], as given, got string [1]".into(),
        ),
        (
            tokens(1, 1),
            text(),
            vec![i64s(&[1])],
            "(Tokens): terms: expected a constant string [V], got i64 [1]".into(),
        ),
        (
            tokens(1, 1),
            text(),
            vec![grid],
            "(Tokens): terms: expected a constant string [V], got string [1, 1]".into(),
        ),
        (
            tokens(1, 1),
            [text(), text()].concat(),
            none.to_vec(),
            "(Tokens): terms: expected a constant string [V], got string [N]".into(),
        ),
        (
            tokens(1, 1),
            text(),
            vec![strings(&["a", "a"])],
            "(Tokens): terms: expected strictly rising terms, got another order".into(),
        ),
        (
            tokens(1, 1),
            text(),
            vec![strings(&[&long])],
            "(Tokens): term: expected at most 256 bytes, got 257".into(),
        ),
        (hashed(1), text(), vec![], "ok".into()),
        (hashed(20), text(), vec![], "ok".into()),
        (hashed(0), text(), vec![], "(HashTokens): bits: expected 1 to 20, got 0".into()),
        (hashed(21), text(), vec![], "(HashTokens): bits: expected 1 to 20, got 21".into()),
        (hashed(255), text(), vec![], "(HashTokens): bits: expected 1 to 20, got 255".into()),
        (
            hashed(8),
            real(),
            vec![],
            "(HashTokens): column: expected string [N], as given, got f64 [N]".into(),
        ),
        (weigh(), bag(2), vec![], "ok".into()),
        (weigh(), bag(2), vec![f64s(&[1.0, -2.0])], "ok".into()),
        (weigh(), vec![], vec![], "(BagWeigh): inputs: expected 1 or 2, got 0".into()),
        (
            weigh(),
            bag(1),
            vec![f64s(&[1.0]), f64s(&[1.0])],
            "(BagWeigh): inputs: expected 1 or 2, got 3".into(),
        ),
        (weigh(), real(), vec![], "(BagWeigh): bags: expected bag [N, V], got f64 [N]".into()),
        (
            weigh(),
            bag(2),
            vec![f64s(&[1.0])],
            "(BagWeigh): idf: expected a constant f64 [2], got f64 [1]".into(),
        ),
        (
            weigh(),
            bag(2),
            vec![i64s(&[1, 1])],
            "(BagWeigh): idf: expected a constant f64 [2], got i64 [2]".into(),
        ),
        (
            weigh(),
            [bag(2), vec![(DType::F64, Shape::fixed(&[2]))]].concat(),
            vec![],
            "(BagWeigh): idf: expected a constant f64 [2], got f64 [2]".into(),
        ),
        (
            weigh(),
            bag(2),
            vec![f64s(&[1.0, f64::INFINITY])],
            "(BagWeigh): idf: expected finite numbers, got inf".into(),
        ),
        (
            weigh(),
            bag(1),
            vec![f64s(&[f64::NAN])],
            "(BagWeigh): idf: expected finite numbers, got NaN".into(),
        ),
        (gather(), bag(3), vec![i64s(&[0, 2])], "ok".into()),
        (gather(), bag(3), vec![i64s(&[])], "ok".into()),
        (gather(), bag(3), vec![i64s(&[0, 3])], "(BagGather): id: expected 0 or more, below 3, got 3".into()),
        (
            gather(),
            bag(3),
            vec![i64s(&[-1, 2])],
            "(BagGather): id: expected 0 or more, below 3, got -1".into(),
        ),
        (
            gather(),
            bag(3),
            vec![i64s(&[1, 1])],
            "(BagGather): ids: expected strictly rising ids, got another order".into(),
        ),
        (
            gather(),
            bag(3),
            vec![f64s(&[1.0])],
            "(BagGather): ids: expected a constant i64 [M], got f64 [1]".into(),
        ),
        (gather(), real(), vec![i64s(&[1])], "(BagGather): bags: expected bag [N, V], got f64 [N]".into()),
        (gather(), bag(1 << 20), vec![i64s(&many)], format!("(BagGather): width: expected {wide}")),
        (gather(), bag(3), vec![], "(BagGather): inputs: expected 2, got 1".into()),
        (gemm(), bag(3), vec![matrix([3, 2])], "ok".into()),
        (gemm(), bag(0), vec![matrix([0, 2])], "ok".into()),
        (
            gemm(),
            bag(3),
            vec![matrix([2, 3])],
            "(BagGemm): matrix: expected a constant f64 [3, M], got f64 [2, 3]".into(),
        ),
        (
            gemm(),
            bag(3),
            vec![f64s(&[1.0; 3])],
            "(BagGemm): matrix: expected a constant f64 [3, M], got f64 [3]".into(),
        ),
        (gemm(), bag(1), vec![matrix([1, 65_537])], format!("(BagGemm): width: expected {wide}")),
        (gemm(), text(), vec![matrix([1, 1])], "(BagGemm): bags: expected bag [N, V], got string [N]".into()),
        (part.clone(), text(), vec![], "ok".into()),
        (part.clone(), real(), vec![], "(TextPart): column: expected string [N], got f64 [N]".into()),
        (
            part,
            vec![],
            vec![strings(&["a"])],
            "(TextPart): column: expected string [N], got string [1]".into(),
        ),
    ];
    for (op, inputs, constants, message) in cases {
        let shown = format!("{:?} on {inputs:?}", op.payload().name());
        let expected = if message == "ok" { message } else { format!("graph: node \"it\" {message}") };
        assert_eq!(node(op, &inputs, &constants), expected, "{shown}");
    }
}

/// Bags count against what a graph may compute for a row, whatever their width.
#[test]
fn a_graph_makes_few_bags() {
    let mut b = GraphBuilder::new();
    let text_column = b.input("x", DType::Str, Shape::rows()).unwrap();
    let tokenizer = Tokenizer { analyzer: Analyzer::Chars, ngram_min: 1, ngram_max: 8, fold_case: false };
    let op = Op::HashTokens(HashTokens { tokenizer, bits: 20 });
    for i in 0..128 {
        b.node_named(&format!("bags {i}"), op.clone(), &[text_column]).unwrap();
    }
    let message = "graph: up to node \"it\" a row takes 264192 numbers, at most 262144 are allowed; use fewer columns or transforms";
    assert_eq!(text(b.node_named("it", op, &[text_column])), message);
}

/// Made text may be longer than what the rows of a self-test hold.
#[test]
fn made_text_is_not_parted() {
    let mut b = GraphBuilder::new();
    let given = b.input("x", DType::Str, Shape::rows()).unwrap();
    let none = b.constant(strings(&[])).unwrap();
    let made = b.node(Op::Respell(Respell), &[given, none, none]).unwrap();
    let tokenizer = Tokenizer { analyzer: Analyzer::Chars, ngram_min: 1, ngram_max: 8, fold_case: false };
    let tokens = Op::Tokens(Tokens { tokenizer });
    assert_eq!(text(b.node_named("given", tokens.clone(), &[given, none])), "ok");
    let message = "graph: node \"made\" (Tokens): column: expected string [N], as given, got string [N]";
    assert_eq!(text(b.node_named("made", tokens, &[made, none])), message);
}

/// Attributes that are printed and stored read back as the operator that they are of.
#[test]
fn operators_of_text_and_bags_read_back() {
    let mut ops = Vec::new();
    for &analyzer in Analyzer::ALL {
        for fold_case in [false, true] {
            let tokenizer = Tokenizer { analyzer, ngram_min: 2, ngram_max: 5, fold_case };
            ops.extend([Op::Tokens(Tokens { tokenizer }), Op::HashTokens(HashTokens { tokenizer, bits: 9 })]);
        }
    }
    for &term_frequency in TermFrequency::ALL {
        ops.extend(BagNorm::ALL.iter().map(|&norm| Op::BagWeigh(BagWeigh { term_frequency, norm })));
    }
    ops.extend(TextNumber::ALL.iter().map(|&part| Op::TextPart(TextPart { part })));
    ops.extend([Op::BagGather(BagGather), Op::BagGemm(BagGemm)]);
    for op in ops {
        let attrs = op.payload().attrs().into_iter().map(|(n, a)| (n.to_string(), a)).collect();
        assert_eq!(Op::parse(op.payload().name(), &Attrs(attrs)).unwrap(), op);
    }
}

#[test]
fn integer_nodes_that_do_not_fit() {
    let by = |dtype, k| vec![(dtype, Shape::rows_by(k))];
    let small = |k| by(DType::I16, k);
    let real = |k| by(DType::F64, k);
    let scores = |k| by(DType::I32, k);
    let codes = |n: usize| vec![(DType::U8, Shape::rows()); n];
    let symbols = |dtype| vec![(dtype, Shape(vec![Dim::Symbol("N".into()), Dim::Symbol("K".into())]))];
    let column = |dtype| vec![(dtype, Shape::rows())];
    let given = |dtype, dims: &[usize]| vec![(dtype, Shape::fixed(dims))];
    let f64s = |v: &[f64]| Tensor::vector(TensorData::F64(v.to_vec()));
    let i32s = |v: &[i32]| Tensor::vector(TensorData::I32(v.to_vec()));
    let i64s = |v: &[i64]| Tensor::vector(TensorData::I64(v.to_vec()));
    let matrix = |n: usize, k: usize, data| Tensor::try_new(vec![n, k], data).unwrap();
    let i16m = |n: usize, k: usize, v: i16| matrix(n, k, TensorData::I16(vec![v; n * k]));
    let i32m = |n: usize, k: usize, v: i32| matrix(n, k, TensorData::I32(vec![v; n * k]));
    let pairs = |v: &[i64]| matrix(2, v.len() / 2, TensorData::I64(v.to_vec()));
    let terms = |v: &[i64]| matrix(v.len() / 2, 2, TensorData::I64(v.to_vec()));
    let costs = |n: usize, k: usize, v: f64| matrix(n, k, TensorData::F64(vec![v; n * k]));
    let one = || pairs(&[1 << 30, 30]);
    let quantize = |bits| Op::QuantizeLinear(QuantizeLinear { bits });
    let gemm = |w, bias, pairs| (Op::QGemm(QGemm), small(2), vec![w, bias, pairs]);
    let tables =
        |shift, n, sizes, terms, values| (Op::Tables(Tables { shift }), codes(n), vec![sizes, terms, values]);
    let near = |k, known, votes| {
        (Op::NearestRows(NearestRows { k, by_distance: k % 2 == 0 }), small(2), vec![known, votes])
    };
    let rbf = |step, vectors, coefficients, table, pairs, start| {
        (Op::RbfSums(RbfSums { step }), small(2), vec![vectors, coefficients, table, pairs, start])
    };
    let falling = || i32s(&[1 << 16, 5, 5, 0]);
    let machine = |table| rbf(50, i16m(3, 2, i16::MIN), i16m(3, 1, 7), table, one(), i32s(&[i32::MIN]));
    let to_scores = |shift| Op::ToScores(ToScores { shift });
    let curve = |sizes: &[i64], knots: &[i32], values: &[i32]| {
        (Op::ScoreCurve(ScoreCurve), scores(2), vec![i64s(sizes), i32s(knots), i32s(values)])
    };
    let i64m = |n: usize, k: usize, v: i64| matrix(n, k, TensorData::I64(vec![v; n * k]));
    let weighing = |shift| Op::WeightedSum(WeightedSum { shift });
    let weighted = |shift, n: usize, weights: Tensor, offsets: &[i64]| {
        (weighing(shift), vec![(DType::I32, Shape::rows_by(2)); n], vec![weights, i64s(offsets)])
    };
    let votes = |kind, shift, offset, bits, k| {
        (Op::Votes(Votes { kind, shift, offset, bits }), scores(k), Vec::new())
    };
    let never = Cascade { margin: Cascade::NEVER, offset: 0, passed_on: 0 };
    let cascade = |margin, offset, passed_on, k| {
        (Op::Cascade(Cascade { margin, offset, passed_on }), [scores(k), scores(k)].concat(), Vec::new())
    };
    let gate =
        |passed_on, of: [usize; 3]| (Op::Gate(Gate { passed_on }), of.map(scores).concat(), Vec::new());
    let (by_odds, by_powers) = (VotesKind::Logistic, VotesKind::Softmax);
    let (by_share, largest) = (VotesKind::Share, VotesKind::Largest);
    let far = WeightedSum::MAX_OFFSET;
    let (sum, least) = (|| Op::Sum(Sum), || Op::LeastCost(LeastCost));
    let none = Vec::new;
    type Case = ((Op, Vec<(DType, Shape)>, Vec<Tensor>), &'static str);
    let cases: Vec<Case> = vec![
        ((quantize(2), real(2), vec![f64s(&[5e-324, f64::MAX])]), "ok"),
        ((quantize(16), real(0), vec![f64s(&[])]), "ok"),
        ((quantize(1), real(1), vec![f64s(&[1.0])]), "QuantizeLinear): bits: expected 2..=16, got 1"),
        ((quantize(17), real(1), vec![f64s(&[1.0])]), "QuantizeLinear): bits: expected 2..=16, got 17"),
        ((quantize(8), real(1), none()), "QuantizeLinear): inputs: expected 2, got 1"),
        (
            (quantize(8), scores(1), vec![f64s(&[1.0])]),
            "QuantizeLinear): rows: expected f64 [N, K], got i32 [N, 1]",
        ),
        (
            (quantize(8), column(DType::F64), vec![f64s(&[1.0])]),
            "QuantizeLinear): rows: expected f64 [N, K], got f64 [N]",
        ),
        (
            (quantize(8), symbols(DType::F64), vec![f64s(&[1.0])]),
            "QuantizeLinear): rows: expected f64 [N, K], got f64 [N, K]",
        ),
        (
            (quantize(8), real(2), vec![f64s(&[1.0])]),
            "QuantizeLinear): scale: expected a constant f64 [2], got f64 [1]",
        ),
        (
            (quantize(8), [real(1), given(DType::F64, &[1])].concat(), none()),
            "QuantizeLinear): scale: expected a constant f64 [1], got f64 [1]",
        ),
        (
            (quantize(8), real(2), vec![f64s(&[1.0, 0.0])]),
            "QuantizeLinear): scale: expected finite numbers above 0, got 0",
        ),
        (
            (quantize(8), real(2), vec![f64s(&[-1.0, 1.0])]),
            "QuantizeLinear): scale: expected finite numbers above 0, got -1",
        ),
        (
            (quantize(8), real(1), vec![f64s(&[f64::NAN])]),
            "QuantizeLinear): scale: expected finite numbers above 0, got NaN",
        ),
        (
            (quantize(8), real(1), vec![f64s(&[f64::INFINITY])]),
            "QuantizeLinear): scale: expected finite numbers above 0, got inf",
        ),
        (gemm(i16m(2, 1, -32_767), i32s(&[-65_535]), one()), "ok"),
        (
            gemm(i16m(2, 1, -32_767), i32s(&[65_536]), one()),
            "QGemm): accumulator: expected weights whose sums stay below 2^31, got 2147483648",
        ),
        (
            gemm(i16m(2, 1, i16::MIN), i32s(&[0]), one()),
            "QGemm): accumulator: expected weights whose sums stay below 2^31, got 2147483648",
        ),
        (
            gemm(i16m(2, 1, 0), i32s(&[i32::MIN]), one()),
            "QGemm): accumulator: expected weights whose sums stay below 2^31, got 2147483648",
        ),
        (
            (
                Op::QGemm(QGemm),
                small(0),
                vec![i16m(0, 2, 0), i32s(&[1, 2]), pairs(&[1 << 30, 1 << 30, 1, 62])],
            ),
            "ok",
        ),
        ((Op::QGemm(QGemm), small(2), vec![i16m(2, 1, 0), i32s(&[0])]), "QGemm): inputs: expected 4, got 3"),
        (
            (Op::QGemm(QGemm), scores(2), vec![i16m(2, 1, 0), i32s(&[0]), one()]),
            "QGemm): rows: expected i16 [N, K], got i32 [N, 2]",
        ),
        (
            gemm(i16m(3, 1, 0), i32s(&[0]), one()),
            "QGemm): weights: expected a constant i16 [2, M], M at least 1, got i16 [3, 1]",
        ),
        (
            gemm(i16m(2, 0, 0), i32s(&[]), pairs(&[])),
            "QGemm): weights: expected a constant i16 [2, M], M at least 1, got i16 [2, 0]",
        ),
        (
            gemm(i32m(2, 1, 0), i32s(&[0]), one()),
            "QGemm): weights: expected a constant i16 [2, M], M at least 1, got i32 [2, 1]",
        ),
        (gemm(i16m(2, 1, 0), i32s(&[0, 1]), one()), "QGemm): bias: expected a constant i32 [1], got i32 [2]"),
        (gemm(i16m(2, 1, 0), i64s(&[0]), one()), "QGemm): bias: expected a constant i32 [1], got i64 [1]"),
        (
            gemm(i16m(2, 1, 0), i32s(&[0]), pairs(&[1 << 30, 1 << 30, 1, 1])),
            "QGemm): requantize: expected a constant i64 [2, 1], got i64 [2, 2]",
        ),
        (
            gemm(i16m(2, 1, 0), i32s(&[0]), i32m(2, 1, 1 << 30)),
            "QGemm): requantize: expected a constant i64 [2, 1], got i32 [2, 1]",
        ),
        (
            gemm(i16m(2, 1, 0), i32s(&[0]), pairs(&[(1 << 30) - 1, 1])),
            "QGemm): requantize: expected multipliers of 2^30 to 2^31 - 1 and shifts of 1 to 62, got 1073741823 and 1",
        ),
        (
            gemm(i16m(2, 1, 0), i32s(&[0]), pairs(&[1 << 31, 1])),
            "QGemm): requantize: expected multipliers of 2^30 to 2^31 - 1 and shifts of 1 to 62, got 2147483648 and 1",
        ),
        (
            gemm(i16m(2, 1, 0), i32s(&[0]), pairs(&[1 << 30, 0])),
            "QGemm): requantize: expected multipliers of 2^30 to 2^31 - 1 and shifts of 1 to 62, got 1073741824 and 0",
        ),
        (
            gemm(i16m(2, 1, 0), i32s(&[0]), pairs(&[1 << 30, i64::MAX])),
            "QGemm): requantize: expected multipliers of 2^30 to 2^31 - 1 and shifts of 1 to 62, got 1073741824 and 9223372036854775807",
        ),
        (
            (
                Op::QGemm(QGemm),
                small(0),
                vec![
                    i16m(0, 65_537, 0),
                    i32s(&[0; 65_537]),
                    pairs(&[vec![1 << 30; 65_537], vec![1; 65_537]].concat()),
                ],
            ),
            "QGemm): width: expected at most 65536, got 65537",
        ),
        (tables(0, 2, i64s(&[0, 255]), terms(&[0, -1, 1, 1]), i32m(1 + 65_536 + 1, 1, i32::MAX / 3)), "ok"),
        (tables(30, 1, i64s(&[3]), terms(&[]), i32m(1, 2, -1)), "ok"),
        (tables(31, 1, i64s(&[3]), terms(&[]), i32m(1, 2, 0)), "Tables): shift: expected 0..=30, got 31"),
        (tables(0, 0, i64s(&[]), terms(&[]), i32m(1, 1, 0)), "Tables): inputs: expected 4 or more, got 3"),
        (
            (Op::Tables(Tables { shift: 0 }), codes(1), vec![i64s(&[1])]),
            "Tables): inputs: expected 4 or more, got 2",
        ),
        (
            (Op::Tables(Tables { shift: 0 }), scores(1), vec![i64s(&[3]), terms(&[]), i32m(1, 1, 0)]),
            "Tables): codes: expected u8 [N], got i32 [N, 1]",
        ),
        (
            (
                Op::Tables(Tables { shift: 0 }),
                [codes(1), vec![(DType::U8, Shape::other_rows())]].concat(),
                vec![i64s(&[3, 3]), terms(&[]), i32m(1, 1, 0)],
            ),
            "Tables): codes: expected u8 [N], got u8 [M]",
        ),
        (
            tables(0, 2, i64s(&[3]), terms(&[]), i32m(1, 1, 0)),
            "Tables): sizes: expected a constant i64 [2], got i64 [1]",
        ),
        (tables(0, 1, i64s(&[256]), terms(&[]), i32m(1, 1, 0)), "Tables): sizes: expected 0..=255, got 256"),
        (tables(0, 1, i64s(&[-1]), terms(&[]), i32m(1, 1, 0)), "Tables): sizes: expected 0..=255, got -1"),
        (
            tables(0, 1, i64s(&[3]), i64s(&[0, -1]), i32m(5, 1, 0)),
            "Tables): terms: expected a constant i64 [T, 2], T at most 65536, got i64 [2]",
        ),
        (
            tables(0, 1, i64s(&[0]), terms(&[0; 2 * 65_537]), i32m(1, 1, 0)),
            "Tables): terms: expected a constant i64 [T, 2], T at most 65536, got i64 [65537, 2]",
        ),
        (
            tables(0, 1, i64s(&[3]), terms(&[1, -1]), i32m(5, 1, 0)),
            "Tables): terms: expected columns below 1, or -1 as the second, got 1 and -1",
        ),
        (
            tables(0, 1, i64s(&[3]), terms(&[0, -1, -1, 0]), i32m(5, 1, 0)),
            "Tables): terms: expected columns below 1, or -1 as the second, got -1 and 0",
        ),
        (
            tables(0, 1, i64s(&[3]), terms(&[0, -2]), i32m(5, 1, 0)),
            "Tables): terms: expected columns below 1, or -1 as the second, got 0 and -2",
        ),
        (
            tables(0, 1, i64s(&[3]), terms(&[0, -1]), i32m(4, 1, 0)),
            "Tables): values: expected a constant i32 [5, K], K at least 1, got i32 [4, 1]",
        ),
        (
            tables(0, 1, i64s(&[3]), terms(&[0, 0]), i32m(17, 0, 0)),
            "Tables): values: expected a constant i32 [17, K], K at least 1, got i32 [17, 0]",
        ),
        (
            tables(0, 1, i64s(&[3]), terms(&[0, -1]), i16m(5, 1, 0)),
            "Tables): values: expected a constant i32 [5, K], K at least 1, got i16 [5, 1]",
        ),
        (
            tables(0, 1, i64s(&[3]), terms(&[0, -1]), i32m(5, 1, 1 << 30)),
            "Tables): values: expected sums below 2^31, got 2147483648",
        ),
        (
            tables(30, 1, i64s(&[3]), terms(&[0, -1]), i32m(5, 1, 1)),
            "Tables): values: expected sums below 2^1, got 2",
        ),
        (
            tables(0, 1, i64s(&[3]), terms(&[]), i32m(1, 1, i32::MIN)),
            "Tables): values: expected sums below 2^31, got 2147483648",
        ),
        (
            tables(0, 1, i64s(&[3]), terms(&[]), i32m(1, 65_537, 0)),
            "Tables): width: expected at most 65536, got 65537",
        ),
        ((sum(), scores(3), none()), "ok"),
        ((sum(), [scores(3), scores(3)].concat(), none()), "ok"),
        ((sum(), vec![], none()), "Sum): inputs: expected 1 or more, got 0"),
        (
            (sum(), [scores(3), scores(2)].concat(), none()),
            "Sum): scores: expected i32 [N, K] of one shape, got i32 [N, 2]",
        ),
        ((sum(), real(2), none()), "Sum): scores: expected i32 [N, K] of one shape, got f64 [N, 2]"),
        ((sum(), column(DType::I32), none()), "Sum): scores: expected i32 [N, K] of one shape, got i32 [N]"),
        (
            (sum(), symbols(DType::I32), none()),
            "Sum): scores: expected i32 [N, K] of one shape, got i32 [N, K]",
        ),
        (weighted(62, 2, i64m(2, 2, 1 << 30), &[far, -far]), "ok"),
        (weighted(0, 1, i64m(1, 1, -(1 << 31)), &[0, 0]), "ok"),
        (weighted(63, 1, i64m(1, 1, 0), &[0, 0]), "WeightedSum): shift: expected 0..=62, got 63"),
        (
            weighted(0, 2, i64m(2, 2, (1 << 30) + 1), &[0, 0]),
            "WeightedSum): weights: expected sizes of at most 2^31 in all for each score, got 2147483650",
        ),
        (
            weighted(0, 2, matrix(2, 2, TensorData::I64(vec![1 << 31, 1 << 31, 0, -1])), &[0, 0]),
            "WeightedSum): weights: expected sizes of at most 2^31 in all for each score, got 2147483649",
        ),
        (
            weighted(0, 2, i64m(2, 1, i64::MIN), &[0, 0]),
            "WeightedSum): weights: expected sizes of at most 2^31 in all for each score, got 18446744073709551615",
        ),
        (
            weighted(0, 1, i64m(1, 2, 1), &[0, far + 1]),
            "WeightedSum): offsets: expected numbers below 2^61 in size, got 2305843009213693952",
        ),
        (
            weighted(0, 1, i64m(1, 2, 1), &[i64::MIN, 0]),
            "WeightedSum): offsets: expected numbers below 2^61 in size, got -9223372036854775808",
        ),
        (
            weighted(0, 2, i64m(1, 2, 1), &[0, 0]),
            "WeightedSum): weights: expected a constant i64 [2, 2] or [2, 1], got i64 [1, 2]",
        ),
        (
            weighted(0, 2, i64m(2, 3, 1), &[0, 0]),
            "WeightedSum): weights: expected a constant i64 [2, 2] or [2, 1], got i64 [2, 3]",
        ),
        (
            weighted(0, 2, i64s(&[1, 1]), &[0, 0]),
            "WeightedSum): weights: expected a constant i64 [2, 2] or [2, 1], got i64 [2]",
        ),
        (
            weighted(0, 2, i32m(2, 2, 1), &[0, 0]),
            "WeightedSum): weights: expected a constant i64 [2, 2] or [2, 1], got i32 [2, 2]",
        ),
        (
            weighted(0, 1, i64m(1, 1, 1), &[0]),
            "WeightedSum): offsets: expected a constant i64 [2], got i64 [1]",
        ),
        (
            (weighing(0), [scores(2), given(DType::I64, &[1, 2]), given(DType::I64, &[2])].concat(), none()),
            "WeightedSum): weights: expected a constant i64 [1, 2] or [1, 1], got i64 [1, 2]",
        ),
        (
            (weighing(0), [scores(2), scores(3)].concat(), vec![i64m(2, 1, 1), i64s(&[0, 0])]),
            "WeightedSum): scores: expected i32 [N, K] of one shape, K at least 1, got i32 [N, 3]",
        ),
        (
            (weighing(0), real(1), vec![i64m(1, 1, 1), i64s(&[0])]),
            "WeightedSum): scores: expected i32 [N, K] of one shape, K at least 1, got f64 [N, 1]",
        ),
        (
            (weighing(0), scores(0), vec![i64m(1, 1, 1), i64s(&[])]),
            "WeightedSum): scores: expected i32 [N, K] of one shape, K at least 1, got i32 [N, 0]",
        ),
        (
            (weighing(0), symbols(DType::I32), vec![i64m(1, 1, 1), i64s(&[0])]),
            "WeightedSum): scores: expected i32 [N, K] of one shape, K at least 1, got i32 [N, K]",
        ),
        (
            (weighing(0), vec![], vec![i64m(1, 1, 1), i64s(&[0])]),
            "WeightedSum): inputs: expected 3 or more, got 2",
        ),
        ((weighing(0), scores(1), none()), "WeightedSum): inputs: expected 3 or more, got 1"),
        (votes(by_odds, 20, 0, 30, 1), "ok"),
        (votes(by_powers, 0, 0, 1, 2), "ok"),
        (votes(by_share, 0, 1 << 32, 8, 1), "ok"),
        (votes(by_share, 0, 0, 8, 3), "ok"),
        (votes(largest, 0, 0, 8, 1), "ok"),
        (votes(largest, 0, 0, 8, 3), "ok"),
        (votes(by_odds, 0, 0, 0, 1), "Votes): bits: expected 1..=30, got 0"),
        (votes(largest, 0, 0, 31, 1), "Votes): bits: expected 1..=30, got 31"),
        (votes(by_odds, 0, 0, 8, 2), "Votes): scores: expected one a row, got 2"),
        (votes(by_powers, 0, 0, 8, 1), "Votes): scores: expected two or more a row, got 1"),
        (votes(by_share, 0, 0, 8, 0), "Votes): scores: expected one or more a row, got 0"),
        (votes(largest, 0, 0, 8, 0), "Votes): scores: expected one or more a row, got 0"),
        (votes(by_odds, 21, 0, 8, 1), "Votes): shift: expected 0..=20, got 21"),
        (votes(by_powers, -1, 0, 8, 2), "Votes): shift: expected 0..=20, got -1"),
        (votes(by_share, 1, 0, 8, 2), "Votes): shift: expected 0, got 1"),
        (votes(largest, -1, 0, 8, 1), "Votes): shift: expected 0, got -1"),
        (votes(by_share, 0, 0, 8, 1), "Votes): offset: expected 1..=2^32, got 0"),
        (votes(by_share, 0, (1 << 32) + 1, 8, 1), "Votes): offset: expected 1..=2^32, got 4294967297"),
        (votes(by_share, 0, 1, 8, 2), "Votes): offset: expected 0, got 1"),
        (votes(by_odds, 0, -1, 8, 1), "Votes): offset: expected 0, got -1"),
        (votes(largest, 0, 1, 8, 1), "Votes): offset: expected 0, got 1"),
        (
            (Op::Votes(Votes { kind: largest, shift: 0, offset: 0, bits: 8 }), real(1), none()),
            "Votes): scores: expected i32 [N, K], got f64 [N, 1]",
        ),
        (cascade(0, i32::MIN, 1000, 1), "ok"),
        (cascade(Cascade::NEVER, 0, 0, 3), "ok"),
        (cascade(-1, 0, 0, 1), "Cascade): margin: expected 0..=2^32, got -1"),
        (cascade(Cascade::NEVER + 1, 0, 0, 1), "Cascade): margin: expected 0..=2^32, got 4294967297"),
        (cascade(1, 7, 0, 2), "Cascade): offset: expected 0, got 7"),
        (cascade(1, 0, 1001, 2), "Cascade): passed_on: expected 0..=1000, got 1001"),
        (cascade(1, 0, 0, 0), "Cascade): first: expected i32 [N, K], K at least 1, got i32 [N, 0]"),
        (
            (Op::Cascade(never), [real(1), scores(1)].concat(), none()),
            "Cascade): first: expected i32 [N, K], K at least 1, got f64 [N, 1]",
        ),
        (
            (Op::Cascade(never), [scores(1), scores(2)].concat(), none()),
            "Cascade): second: expected i32 [N, 1], got i32 [N, 2]",
        ),
        (
            (Op::Cascade(never), [scores(1), real(1)].concat(), none()),
            "Cascade): second: expected i32 [N, 1], got f64 [N, 1]",
        ),
        ((Op::Cascade(never), scores(1), none()), "Cascade): inputs: expected 2, got 1"),
        (gate(0, [1, 1, 1]), "ok"),
        (gate(1000, [1, 3, 3]), "ok"),
        (gate(1001, [1, 3, 3]), "Gate): passed_on: expected 0..=1000, got 1001"),
        (gate(0, [2, 3, 3]), "Gate): gate: expected i32 [N, 1], got i32 [N, 2]"),
        (gate(0, [1, 0, 0]), "Gate): first: expected i32 [N, K], K at least 1, got i32 [N, 0]"),
        (gate(0, [1, 3, 2]), "Gate): second: expected i32 [N, 3], got i32 [N, 2]"),
        (
            (Op::Gate(Gate { passed_on: 0 }), [real(1), scores(1), scores(1)].concat(), none()),
            "Gate): gate: expected i32 [N, 1], got f64 [N, 1]",
        ),
        (
            (Op::Gate(Gate { passed_on: 0 }), [scores(1), real(1), real(1)].concat(), none()),
            "Gate): first: expected i32 [N, K], K at least 1, got f64 [N, 1]",
        ),
        ((Op::Gate(Gate { passed_on: 0 }), scores(1), none()), "Gate): inputs: expected 3, got 1"),
        (
            (Op::Votes(Votes { kind: largest, shift: 0, offset: 0, bits: 8 }), vec![], none()),
            "Votes): inputs: expected 1, got 0",
        ),
        (curve(&[1, 2], &[5, i32::MIN, i32::MAX], &[i32::MAX, 3, i32::MIN]), "ok"),
        (curve(&[1], &[5], &[5]), "ScoreCurve): sizes: expected a constant i64 [2], got i64 [1]"),
        (
            curve(&[1, 0], &[5], &[5]),
            "ScoreCurve): sizes: expected one or more for each column, in all as many as knots, got [1, 0]",
        ),
        (
            curve(&[1, i64::MAX], &[5], &[5]),
            "ScoreCurve): sizes: expected one or more for each column, in all as many as knots, got [1, 9223372036854775807]",
        ),
        (
            curve(&[1, 1], &[5, 6, 7], &[5, 6, 7]),
            "ScoreCurve): sizes: expected one or more for each column, in all as many as knots, got [1, 1]",
        ),
        (curve(&[1, 1], &[5, 6], &[5]), "ScoreCurve): values: expected a constant i32 [2], got i32 [1]"),
        (
            curve(&[1, 2], &[5, 6, 6], &[5, 6, 7]),
            "ScoreCurve): knots: expected strictly rising numbers for each column, got others",
        ),
        (
            (Op::ScoreCurve(ScoreCurve), scores(1), vec![i64s(&[1]), f64s(&[1.0]), i32s(&[1])]),
            "ScoreCurve): knots: expected a constant i32 [M], got f64 [1]",
        ),
        (
            (Op::ScoreCurve(ScoreCurve), real(1), vec![i64s(&[1]), i32s(&[1]), i32s(&[1])]),
            "ScoreCurve): scores: expected i32 [N, K], K at least 1, got f64 [N, 1]",
        ),
        ((Op::ScoreCurve(ScoreCurve), scores(1), none()), "ScoreCurve): inputs: expected 4, got 1"),
        ((to_scores(-1000), real(1), none()), "ok"),
        ((to_scores(1000), real(0), none()), "ok"),
        ((to_scores(1001), real(1), none()), "ToScores): shift: expected -1000..=1000, got 1001"),
        ((to_scores(i16::MIN), real(1), none()), "ToScores): shift: expected -1000..=1000, got -32768"),
        ((to_scores(0), column(DType::F64), none()), "ToScores): numbers: expected f64 [N, K], got f64 [N]"),
        (
            (to_scores(0), symbols(DType::F64), none()),
            "ToScores): numbers: expected f64 [N, K], got f64 [N, K]",
        ),
        ((to_scores(0), scores(1), none()), "ToScores): numbers: expected f64 [N, K], got i32 [N, 1]"),
        ((to_scores(0), vec![], none()), "ToScores): inputs: expected 1, got 0"),
        (near(1, i16m(3, 2, i16::MIN), i32m(3, 2, i32::MAX)), "ok"),
        (near(65_536, i16m(1, 2, 0), i32m(1, 1, -32_767)), "ok"),
        (near(0, i16m(1, 2, 0), i32m(1, 1, 0)), "NearestRows): k: expected 1..=65536, got 0"),
        (near(65_537, i16m(1, 2, 0), i32m(1, 1, 0)), "NearestRows): k: expected 1..=65536, got 65537"),
        (
            near(65_536, i16m(1, 2, 0), i32m(1, 1, -32_768)),
            "NearestRows): votes: expected at most 32767, got -32768",
        ),
        (
            near(1, i16m(1, 2, 0), i32m(1, 1, i32::MIN)),
            "NearestRows): votes: expected at most 2147483647, got -2147483648",
        ),
        (
            (Op::NearestRows(NearestRows { k: 1, by_distance: true }), small(2), vec![i16m(1, 2, 0)]),
            "NearestRows): inputs: expected 3, got 2",
        ),
        (
            (
                Op::NearestRows(NearestRows { k: 1, by_distance: true }),
                small(0),
                vec![i16m(1, 0, 0), i32m(1, 1, 0)],
            ),
            "NearestRows): rows: expected i16 [N, F], got i16 [N, 0]",
        ),
        (
            near(1, i16m(0, 2, 0), i32m(0, 1, 0)),
            "NearestRows): known rows: expected a constant i16 [M, 2] of at most 16777216 cells, got i16 [0, 2]",
        ),
        (
            near(1, i16m(2, 3, 0), i32m(2, 1, 0)),
            "NearestRows): known rows: expected a constant i16 [M, 2] of at most 16777216 cells, got i16 [2, 3]",
        ),
        (
            near(1, i16m((1 << 23) + 1, 2, 0), i32m(1, 1, 0)),
            "NearestRows): known rows: expected a constant i16 [M, 2] of at most 16777216 cells, got i16 [8388609, 2]",
        ),
        (
            near(1, i16m(2, 2, 0), i32m(3, 1, 0)),
            "NearestRows): votes: expected a constant i32 [2, K], K at least 1, got i32 [3, 1]",
        ),
        (
            near(1, i16m(2, 2, 0), i32m(2, 0, 0)),
            "NearestRows): votes: expected a constant i32 [2, K], K at least 1, got i32 [2, 0]",
        ),
        (
            near(1, i16m(1, 2, 0), i32m(1, 65_537, 0)),
            "NearestRows): width: expected at most 65536, got 65537",
        ),
        (machine(falling()), "ok"),
        (rbf(0, i16m(0, 2, 0), i16m(0, 1, 0), falling(), one(), i32s(&[0])), "ok"),
        (
            rbf(51, i16m(0, 2, 0), i16m(0, 1, 0), falling(), one(), i32s(&[0])),
            "RbfSums): step: expected 0..=50, got 51",
        ),
        ((Op::RbfSums(RbfSums { step: 1 }), small(2), none()), "RbfSums): inputs: expected 6, got 1"),
        (
            (
                Op::RbfSums(RbfSums { step: 1 }),
                small(0),
                vec![i16m(0, 0, 0), i16m(0, 1, 0), falling(), one(), i32s(&[0])],
            ),
            "RbfSums): rows: expected i16 [N, F], got i16 [N, 0]",
        ),
        (
            rbf(1, i16m(3, 1, 0), i16m(3, 1, 0), falling(), one(), i32s(&[0])),
            "RbfSums): vectors: expected a constant i16 [S, 2] of at most 16777216 cells, got i16 [3, 1]",
        ),
        (
            rbf(1, i16m((1 << 23) + 1, 2, 0), i16m(1, 1, 0), falling(), one(), i32s(&[0])),
            "RbfSums): vectors: expected a constant i16 [S, 2] of at most 16777216 cells, got i16 [8388609, 2]",
        ),
        (
            rbf(1, i16m(3, 2, 0), i16m(2, 1, 0), falling(), one(), i32s(&[0])),
            "RbfSums): coefficients: expected a constant i16 [3, K], K at least 1, got i16 [2, 1]",
        ),
        (
            rbf(1, i16m(3, 2, 0), i16m(3, 0, 0), falling(), pairs(&[]), i32s(&[])),
            "RbfSums): coefficients: expected a constant i16 [3, K], K at least 1, got i16 [3, 0]",
        ),
        (rbf(1, i16m(65_537, 2, 0), i16m(65_537, 1, i16::MAX), falling(), one(), i32s(&[0])), "ok"),
        (
            rbf(1, i16m(65_539, 2, 0), i16m(65_539, 1, i16::MAX), falling(), one(), i32s(&[0])),
            "RbfSums): accumulator: expected coefficients whose sums stay below 2^31, got 2147516413",
        ),
        (
            machine(i32s(&[1])),
            "RbfSums): table: expected a constant i32 [T] that does not rise, from at most 2^16 to at least 0, got i32 [1]",
        ),
        (
            machine(i32s(&[65_537, 0])),
            "RbfSums): table: expected a constant i32 [T] that does not rise, from at most 2^16 to at least 0, got i32 [2]",
        ),
        (
            machine(i32s(&[3, 0, -1])),
            "RbfSums): table: expected a constant i32 [T] that does not rise, from at most 2^16 to at least 0, got i32 [3]",
        ),
        (
            machine(i32s(&[3, 4, 0])),
            "RbfSums): table: expected a constant i32 [T] that does not rise, from at most 2^16 to at least 0, got i32 [3]",
        ),
        (
            machine(i32m(1, 2, 0)),
            "RbfSums): table: expected a constant i32 [T] that does not rise, from at most 2^16 to at least 0, got i32 [1, 2]",
        ),
        (
            machine(i64s(&[1, 0])),
            "RbfSums): table: expected a constant i32 [T] that does not rise, from at most 2^16 to at least 0, got i64 [2]",
        ),
        (
            rbf(1, i16m(3, 2, 0), i16m(3, 1, 0), falling(), pairs(&[0, 1]), i32s(&[0])),
            "RbfSums): requantize: expected multipliers of 2^30 to 2^31 - 1 and shifts of 1 to 62, got 0 and 1",
        ),
        (
            rbf(1, i16m(3, 2, 0), i16m(3, 1, 0), falling(), one(), i32s(&[0, 0])),
            "RbfSums): start: expected a constant i32 [1], got i32 [2]",
        ),
        ((least(), by(DType::F32, 2), vec![costs(2, 2, f64::MAX)]), "ok"),
        (
            (least(), by(DType::F32, 0), vec![costs(0, 0, 0.0)]),
            "LeastCost): probabilities: expected f32 [N, K], got f32 [N, 0]",
        ),
        (
            (least(), real(2), vec![costs(2, 2, 0.0)]),
            "LeastCost): probabilities: expected f32 [N, K], got f64 [N, 2]",
        ),
        (
            (least(), by(DType::F32, 2), vec![costs(1, 2, 0.0)]),
            "LeastCost): cost: expected a constant f64 [2, 2], got f64 [1, 2]",
        ),
        (
            (least(), by(DType::F32, 1), vec![costs(1, 1, f64::NAN)]),
            "LeastCost): cost: expected finite numbers, got NaN",
        ),
        ((least(), by(DType::F32, 1), none()), "LeastCost): inputs: expected 2, got 1"),
    ];
    for ((op, inputs, constants), message) in cases {
        let shown = format!("{:?} on {inputs:?}", op.payload().name());
        let expected =
            if message == "ok" { message.into() } else { format!("graph: node \"it\" ({message}") };
        assert_eq!(node(op, &inputs, &constants), expected, "{shown}");
    }
}

/// One long constant in many nodes is work for each of them.
#[test]
fn constants_count_once_a_node() {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F64, Shape::rows_by(16)).unwrap();
    let scale = b.constant(Tensor::vector(TensorData::F64(vec![1.0; 16]))).unwrap();
    let x = b.node(Op::QuantizeLinear(QuantizeLinear { bits: 8 }), &[x, scale]).unwrap();
    let known = b.constant(Tensor::try_new(vec![1 << 20, 16], TensorData::I16(vec![0; 1 << 24])).unwrap());
    let votes = b.constant(Tensor::try_new(vec![1 << 20, 1], TensorData::I32(vec![0; 1 << 20])).unwrap());
    let inputs = [x, known.unwrap(), votes.unwrap()];
    let op = Op::NearestRows(NearestRows { k: 3, by_distance: false });
    for i in 0..3 {
        b.node_named(&format!("near {i}"), op.clone(), &inputs).unwrap();
    }
    let message = "graph: up to node \"it\" nodes take 71303184 constant numbers, at most 67108864 are allowed; use fewer rows, columns or members";
    assert_eq!(text(b.node_named("it", op, &inputs)), message);
}

/// Attributes that are printed and stored read back as the operator that they are of.
#[test]
fn integer_operators_read_back() {
    let ops = [
        Op::QuantizeLinear(QuantizeLinear { bits: 16 }),
        Op::QGemm(QGemm),
        Op::Tables(Tables { shift: 30 }),
        Op::Sum(Sum),
        Op::WeightedSum(WeightedSum { shift: 62 }),
        Op::Cascade(Cascade { margin: Cascade::NEVER, offset: i32::MIN, passed_on: 1000 }),
        Op::Gate(Gate { passed_on: 1000 }),
        Op::Votes(Votes { kind: VotesKind::Logistic, shift: 20, offset: 0, bits: 30 }),
        Op::Votes(Votes { kind: VotesKind::Softmax, shift: 0, offset: 0, bits: 1 }),
        Op::Votes(Votes { kind: VotesKind::Share, shift: 0, offset: 1 << 32, bits: 8 }),
        Op::Votes(Votes { kind: VotesKind::Largest, shift: 0, offset: 0, bits: 8 }),
        Op::ScoreCurve(ScoreCurve),
        Op::ToScores(ToScores { shift: -1000 }),
        Op::NearestRows(NearestRows { k: 65_536, by_distance: true }),
        Op::NearestRows(NearestRows { k: 1, by_distance: false }),
        Op::RbfSums(RbfSums { step: 50 }),
        Op::LeastCost(LeastCost),
    ];
    for op in ops {
        let attrs = op.payload().attrs().into_iter().map(|(n, a)| (n.to_string(), a)).collect();
        assert_eq!(Op::parse(op.payload().name(), &Attrs(attrs)).unwrap(), op);
    }
}

#[test]
fn operators_and_attributes_by_name() {
    let attr = |name: &str, v| (name.to_string(), Attr::Int(v));
    let kind = || ("kind".to_string(), Attr::Word("linear".into()));
    let named = |name: &str, v: &str| (name.to_string(), Attr::Word(v.into()));
    let parted = |analyzer, max, case| {
        vec![named("analyzer", analyzer), attr("ngram_min", 1), attr("ngram_max", max), named("case", case)]
    };
    let cases = [
        ("Tokens", parted("chars", 5, "keep"), "ok"),
        (
            "Tokens",
            parted("letters", 1, "keep"),
            "graph: node \"\" (Tokens): analyzer: expected words or chars, got letters",
        ),
        (
            "Tokens",
            parted("words", 1, "drop"),
            "graph: node \"\" (Tokens): case: expected fold or keep, got drop",
        ),
        (
            "Tokens",
            parted("words", 256, "keep"),
            "graph: node \"\" (Tokens): ngram_max: expected a smaller number, got 256",
        ),
        (
            "HashTokens",
            parted("words", 1, "keep"),
            "graph: node \"\" (HashTokens): attributes: expected bits, got none of that name",
        ),
        (
            "BagWeigh",
            vec![named("term_frequency", "square"), named("norm", "l2")],
            "graph: node \"\" (BagWeigh): term_frequency: expected raw, sublinear or binary, got square",
        ),
        (
            "BagWeigh",
            vec![named("term_frequency", "raw"), named("norm", "l3")],
            "graph: node \"\" (BagWeigh): norm: expected none, l1 or l2, got l3",
        ),
        (
            "TextPart",
            vec![named("part", "length")],
            "graph: node \"\" (TextPart): part: expected a number of a text, got length",
        ),
        ("Bin", vec![], "ok"),
        ("Bim", vec![], "model file: operator \"Bim\" is not known to this program; update smidgen"),
        (
            "Bin",
            vec![attr("side", 1)],
            "model file: attribute \"side\" of operator \"Bin\" is not known to this program; update smidgen",
        ),
        ("Threshold", vec![attr("above", 1)], "ok"),
        (
            "Threshold",
            vec![],
            "graph: node \"\" (Threshold): attributes: expected above, got none of that name",
        ),
        (
            "Threshold",
            vec![attr("above", 1 << 31)],
            "graph: node \"\" (Threshold): above: expected a smaller number, got 2147483648",
        ),
        (
            "Codes",
            vec![attr("unseen", -1)],
            "graph: node \"\" (Codes): unseen: expected a smaller number, got -1",
        ),
        (
            "Codes",
            vec![("unseen".into(), Attr::Word("no".into()))],
            "graph: node \"\" (Codes): unseen: expected a whole number, got another kind of attribute",
        ),
        ("Link", vec![kind(), attr("shift", -1100), attr("offset", i64::MIN)], "ok"),
        (
            "Link",
            vec![attr("kind", 1), attr("shift", 1), attr("offset", 0)],
            "graph: node \"\" (Link): kind: expected a word, got another kind of attribute",
        ),
        (
            "Link",
            vec![("kind".into(), Attr::Word("cubic".into()))],
            "graph: node \"\" (Link): kind: expected logistic, softmax, share, linear or exponential, got cubic",
        ),
        ("ImputeNeighbours", vec![attr("k", 5), ("weights".into(), Attr::Word("uniform".into()))], "ok"),
        (
            "ImputeNeighbours",
            vec![attr("k", 5), ("weights".into(), Attr::Word("nearest".into()))],
            "graph: node \"\" (ImputeNeighbours): weights: expected uniform or distance, got nearest",
        ),
        ("QuantizeLinear", vec![attr("bits", 8)], "ok"),
        (
            "QuantizeLinear",
            vec![attr("bits", 256)],
            "graph: node \"\" (QuantizeLinear): bits: expected a smaller number, got 256",
        ),
        (
            "QuantizeLinear",
            vec![],
            "graph: node \"\" (QuantizeLinear): attributes: expected bits, got none of that name",
        ),
        ("Tables", vec![attr("shift", 0)], "ok"),
        (
            "Tables",
            vec![attr("shift", -1)],
            "graph: node \"\" (Tables): shift: expected a smaller number, got -1",
        ),
        ("ToScores", vec![attr("shift", -20)], "ok"),
        (
            "ToScores",
            vec![attr("shift", 1 << 15)],
            "graph: node \"\" (ToScores): shift: expected a smaller number, got 32768",
        ),
        ("RbfSums", vec![attr("step", 9)], "ok"),
        (
            "RbfSums",
            vec![named("step", "9")],
            "graph: node \"\" (RbfSums): step: expected a whole number, got another kind of attribute",
        ),
        ("NearestRows", vec![attr("k", 5), named("weights", "uniform")], "ok"),
        ("NearestRows", vec![attr("k", 5), named("weights", "distance")], "ok"),
        (
            "NearestRows",
            vec![attr("k", 5), named("weights", "near")],
            "graph: node \"\" (NearestRows): weights: expected uniform or distance, got near",
        ),
        (
            "NearestRows",
            vec![attr("k", -5), named("weights", "uniform")],
            "graph: node \"\" (NearestRows): k: expected a smaller number, got -5",
        ),
        (
            "NearestRows",
            vec![attr("k", 5)],
            "graph: node \"\" (NearestRows): attributes: expected weights, got none of that name",
        ),
        (
            "QGemm",
            vec![attr("k", 5)],
            "model file: attribute \"k\" of operator \"QGemm\" is not known to this program; update smidgen",
        ),
        ("Sum", vec![], "ok"),
        ("WeightedSum", vec![attr("shift", 62)], "ok"),
        (
            "WeightedSum",
            vec![attr("shift", 256)],
            "graph: node \"\" (WeightedSum): shift: expected a smaller number, got 256",
        ),
        ("Cascade", vec![attr("margin", 1 << 32), attr("offset", -7), attr("passed_on", 1000)], "ok"),
        (
            "Cascade",
            vec![attr("margin", 1), attr("offset", 1 << 31), attr("passed_on", 0)],
            "graph: node \"\" (Cascade): offset: expected a smaller number, got 2147483648",
        ),
        ("Gate", vec![attr("passed_on", 70)], "ok"),
        ("Votes", vec![named("kind", "share"), attr("shift", 0), attr("offset", 7), attr("bits", 8)], "ok"),
        (
            "Votes",
            vec![kind(), attr("shift", 0), attr("offset", 0), attr("bits", 8)],
            "graph: node \"\" (Votes): kind: expected logistic, softmax, share, largest, got linear",
        ),
        (
            "Votes",
            vec![named("kind", "largest"), attr("shift", 0), attr("offset", 0)],
            "graph: node \"\" (Votes): attributes: expected bits, got none of that name",
        ),
        ("LeastCost", vec![], "ok"),
        (
            "Forest",
            vec![attr("forest", 1)],
            "graph: node \"\" (Forest): forest: expected a forest, got another kind of attribute",
        ),
    ];
    for (name, attrs, message) in cases {
        assert_eq!(text(Op::parse(name, &Attrs(attrs.clone()))), message, "{name} {attrs:?}");
    }
}

#[test]
fn names_and_order_of_values() {
    let mut b = GraphBuilder::new();
    // Columns with the very names that the builder gives.
    let x = b.input("bin3", DType::F64, Shape::rows()).unwrap();
    let _ = b.input("k2", DType::F64, Shape::rows()).unwrap();
    assert_eq!(
        text(b.input("k2", DType::F64, Shape::rows())),
        "graph: value name: expected one of its own, got \"k2\" twice"
    );
    let edges = Tensor::vector(TensorData::F64(vec![]));
    let constant = b.constant(edges.clone()).unwrap();
    let codes = b.node(Op::Bin(Bin), &[x, constant]).unwrap();
    assert_eq!(
        text(b.constant_named("k2", edges.clone())),
        "graph: value name: expected one of its own, got \"k2\" twice"
    );
    assert_eq!(
        text(b.constant_named("", edges)),
        "graph: value name: expected one or more characters, got none"
    );
    assert_eq!(
        text(b.input("late", DType::F64, Shape::rows())),
        "graph: input \"late\": expected inputs before constants and nodes, got 2 of these before it"
    );
    assert_eq!(
        text(b.node_named("far", Op::Bin(Bin), &[ValueIdx(4)])),
        "graph: input of node \"far\": expected a value before it (below 4), got 4"
    );
    let graph = b.clone().finish(&[codes]).unwrap();
    let names: Vec<&str> = graph.values().iter().map(|v| &v.name[..]).collect();
    assert_eq!(names, ["bin3", "k2", "k2_", "bin3_"]);
    assert_eq!(text(b.clone().finish(&[])), "graph: outputs: expected one or more values below 4, got []");
    assert_eq!(
        text(b.finish(&[ValueIdx(9)])),
        "graph: outputs: expected one or more values below 4, got [ValueIdx(9)]"
    );
}

fn small(n_outputs: usize) -> (Graph, Signature) {
    let mut b = GraphBuilder::new();
    let age = b.input("age", DType::F64, Shape::rows()).unwrap();
    let color = b.input("color", DType::Str, Shape::rows()).unwrap();
    let edges = b.constant(Tensor::vector(TensorData::F64(vec![0.5, 1.0]))).unwrap();
    let keys = b.constant_named("colours", strings(&["blue", "red"])).unwrap();
    let age = b.node(Op::Bin(Bin), &[age, edges]).unwrap();
    let color = b.node(Op::Codes(Codes { unseen: 255 }), &[color, keys]).unwrap();
    let splits = vec![Split {
        feature: 0,
        test: Test::Greater(1),
        missing_left: true,
        left: Child::Leaf(0),
        right: Child::Leaf(1),
    }];
    let tree = Tree { first_output: 0, width: 1, splits, leaves: vec![-5, 7] };
    let features =
        vec![CodedFeature { n_codes: 3, ordered: true }, CodedFeature { n_codes: 2, ordered: false }];
    let forest = Forest::try_new(features, vec![0; n_outputs], vec![tree]).unwrap().into();
    let score = b.node(Op::Forest(ForestOp { forest }), &[age, color]).unwrap();
    let link = Link { kind: LinkKind::Softmax, shift: 12, offset: 0 };
    let probability = b.node(Op::Link(link), &[score]).unwrap();
    let label = b.node(Op::ArgMax(ArgMax), &[score]).unwrap();
    let graph = b.finish(&[score, probability, label]).unwrap();
    let input = |name: &str, kind, dtype| Input { name: name.into(), kind, dtype };
    let signature = Signature {
        task: Task::Multiclass,
        target: "kind".into(),
        targets: Vec::new(),
        inputs: vec![
            input("age", ColumnKind::Number, DType::F64),
            input("color", ColumnKind::Category, DType::I64),
        ],
        outputs: vec![OutputRole::Score, OutputRole::Probability, OutputRole::Label],
        classes: (0..n_outputs).map(|i| format!("c{i}")).collect(),
        positive: None,
        missing: Vec::new(),
        columns: Vec::new(),
        joined: None,
    };
    (graph, signature)
}

#[test]
fn signatures_that_do_not_fit() {
    let check = |n: usize, change: &dyn Fn(&mut Signature)| {
        let (graph, mut signature) = small(n);
        change(&mut signature);
        text(Model::try_new(graph, signature, Card::default()))
    };
    type Change = Box<dyn Fn(&mut Signature)>;
    let cases: Vec<(usize, Change, &str)> = vec![
        (3, Box::new(|_| ()), "ok"),
        (2, Box::new(|s| s.task = Task::Binary), "ok"),
        (3, Box::new(|s| drop(s.inputs.pop())), "graph: columns of the signature: expected 2, got 1"),
        (
            3,
            Box::new(|s| s.inputs[0].dtype = DType::I64),
            "graph: column \"age\": expected i64 [N], got f64 [N]",
        ),
        (
            3,
            Box::new(|s| s.inputs[1].kind = ColumnKind::Time),
            "graph: column \"color\": expected i64 [N], got string [N]",
        ),
        (3, Box::new(|s| s.outputs.truncate(2)), "graph: outputs of the signature: expected 3, got 2"),
        (
            3,
            Box::new(|s| s.outputs.swap(0, 1)),
            "graph: output \"probability\": expected the dtype and shape of its role, got i32 [N, 3]",
        ),
        (
            3,
            Box::new(|s| s.outputs[2] = OutputRole::Value),
            "graph: output \"value\": expected the dtype and shape of its role, got i64 [N]",
        ),
        (
            3,
            Box::new(|s| drop(s.classes.pop())),
            "graph: output \"probability\": expected the dtype and shape of its role, got f32 [N, 3]",
        ),
        (2, Box::new(|_| ()), "graph: classes: expected 3 or more, got 2"),
        (3, Box::new(|s| s.task = Task::Binary), "graph: classes: expected 2, got 3"),
        (3, Box::new(|s| s.task = Task::Regression), "graph: classes: expected none, got 3"),
        (3, Box::new(|s| s.positive = Some(2)), "ok"),
        (3, Box::new(|s| s.positive = Some(3)), "graph: positive class: expected one of the classes, got 3"),
        (3, Box::new(|s| s.task = Task::Multilabel), "graph: targets: expected 2 or more, got 0"),
        (
            3,
            Box::new(|s| s.targets.push(one("a", &[]))),
            "graph: targets: expected none of a task of one target, got 1",
        ),
    ];
    for (at, (n, change, message)) in cases.iter().enumerate() {
        assert_eq!(check(*n, change), *message, "case {at}");
    }
}

fn one(name: &str, classes: &[&str]) -> TargetColumn {
    let classes = classes.iter().map(|class| (*class).to_owned()).collect();
    TargetColumn { name: name.into(), classes, positive: None }
}

/// A graph of two scores, and what it says of two targets of numbers.
fn two_targets() -> (Graph, Signature) {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F64, Shape::rows()).unwrap();
    let columns = b.node(Op::Columns(Columns), &[x, x]).unwrap();
    let scores = b.node(Op::ToScores(ToScores { shift: 0 }), &[columns]).unwrap();
    let mut outputs = vec![scores];
    for k in 0..2 {
        let at = b.constant(Tensor::vector(TensorData::I64(vec![k]))).unwrap();
        let own = b.node(Op::Gather(Gather), &[scores, at]).unwrap();
        let link = Link { kind: LinkKind::Linear, shift: 3, offset: 10 * k };
        outputs.push(b.node(Op::Link(link), &[own]).unwrap());
    }
    let signature = Signature {
        task: Task::MultiRegression,
        target: "a, b".into(),
        targets: vec![one("a", &[]), one("b", &[])],
        inputs: vec![Input { name: "x".into(), kind: ColumnKind::Number, dtype: DType::F64 }],
        outputs: vec![OutputRole::Score, OutputRole::Value, OutputRole::Value],
        classes: Vec::new(),
        positive: None,
        missing: Vec::new(),
        columns: Vec::new(),
        joined: None,
    };
    (b.finish(&outputs).unwrap(), signature)
}

#[test]
fn a_model_of_several_targets_is_a_model_of_each() {
    let (graph, signature) = two_targets();
    let model = Model::try_new(graph.clone(), signature.clone(), Card::default()).unwrap();
    let second = model.of_target(1).unwrap();
    assert_eq!((second.signature().task, &second.signature().target[..]), (Task::Regression, "b"));
    assert_eq!(second.signature().outputs, [OutputRole::Score, OutputRole::Value]);
    let offsets: Vec<i64> = second
        .graph()
        .nodes()
        .iter()
        .filter_map(|node| match &node.op {
            Op::Link(link) => Some(link.offset),
            _ => None,
        })
        .collect();
    assert_eq!(offsets, [10]);
    // One target is itself.
    assert_eq!(second.of_target(0).unwrap(), second);
    let changed = |change: &dyn Fn(&mut Signature)| {
        let mut signature = signature.clone();
        change(&mut signature);
        text(Model::try_new(graph.clone(), signature, Card::default()))
    };
    assert_eq!(changed(&|s| drop(s.targets.pop())), "graph: targets: expected 2 or more, got 1");
    assert_eq!(
        changed(&|s| s.targets.push(one("c", &[]))),
        "graph: outputs: expected a score, then those of each target, got 3"
    );
    assert_eq!(
        changed(&|s| s.targets[1] = one("b", &["no", "yes"])),
        "graph: classes of target \"b\": expected 0, got 2"
    );
}

/// A constant as score has no row for each of the user's.
#[test]
fn a_score_has_as_many_rows_as_the_table() {
    let mut b = GraphBuilder::new();
    b.input("x", DType::F64, Shape::rows()).unwrap();
    let scores = Tensor::try_new(vec![2, 1], TensorData::I32(vec![5, 6])).unwrap();
    let scores = b.constant(scores).unwrap();
    let signature = Signature {
        task: Task::Regression,
        target: "y".into(),
        targets: Vec::new(),
        inputs: vec![Input { name: "x".into(), kind: ColumnKind::Number, dtype: DType::F64 }],
        outputs: vec![OutputRole::Score],
        classes: vec![],
        positive: None,
        missing: Vec::new(),
        columns: Vec::new(),
        joined: None,
    };
    assert_eq!(
        text(Model::try_new(b.finish(&[scores]).unwrap(), signature, Card::default())),
        "graph: output \"score\": expected the dtype and shape of its role, got i32 [2, 1]"
    );
}

#[test]
fn the_printer_is_the_golden_one() {
    let printed = small(3).0.to_string();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &printed).unwrap();
    }
    assert_eq!(printed, std::fs::read_to_string(GOLDEN).unwrap());
}
