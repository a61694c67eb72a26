//! What other rows say: hand-computed cases, and the plan and the file beside the reference.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use ir::op::{Bin, ForestOp, Past, PastKind, Related, RelatedKind, Timed};
use ir::{Card, Column, ColumnData, ColumnKind, DType, Graph, GraphBuilder, Input, Joined, Model, Op};
use ir::{OutputRole, Shape, Signature, Task, Tensor, TensorData, ValueIdx, file};
use smidgen_runtime::{Plan, reference};

const NAN: f64 = f64::NAN;

struct Text {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    validity: Vec<u8>,
}

impl Text {
    /// An empty cell is missing.
    fn new(cells: &[&str]) -> Text {
        let mut text = Text { offsets: vec![0], bytes: vec![], validity: vec![0; cells.len().div_ceil(8)] };
        for (row, cell) in cells.iter().enumerate() {
            text.bytes.extend_from_slice(cell.as_bytes());
            text.offsets.push(text.bytes.len() as i32);
            text.validity[row >> 3] |= u8::from(!cell.is_empty()) << (row & 7);
        }
        text
    }

    fn column(&self) -> Column<'_> {
        let data = ColumnData::Str { offsets: &self.offsets, bytes: &self.bytes };
        let n_rows = self.offsets.len() - 1;
        Column::try_new(data, ir::Bits::try_new(&self.validity, 0, n_rows)).unwrap()
    }
}

fn doubles(values: &[f64]) -> Column<'_> {
    Column::try_new(ColumnData::F64(values), None).unwrap()
}

/// Outputs of the reference and of the plan, which must be the same bits.
fn run(graph: &Graph, columns: &[Column<'_>]) -> Vec<Vec<f64>> {
    let of = |outputs: Vec<Tensor>| -> Vec<Vec<f64>> {
        let of = |t: Tensor| match t.into_data() {
            TensorData::F64(v) => v,
            other => panic!("{}", other.dtype()),
        };
        outputs.into_iter().map(of).collect()
    };
    let meant = of(reference::run(graph, columns).unwrap());
    let plan = Plan::new(graph).unwrap();
    assert!(plan.sees_other_rows());
    let made = of(plan.run(columns).unwrap());
    let bits = |v: &Vec<Vec<f64>>| v.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&made), bits(&meant));
    meant
}

fn same(made: &[f64], expected: &[f64], what: &str) {
    let equal = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
    assert!(
        made.len() == expected.len() && made.iter().zip(expected).all(equal),
        "{what}: {made:?}, not {expected:?}"
    );
}

#[test]
fn earlier_rows() {
    //         a1   a2   b1   a2'  a3   no order  b0
    let order = [1.0, 2.0, 1.0, 2.0, 3.0, NAN, 0.0];
    let value = [10.0, 20.0, 5.0, NAN, 40.0, 7.0, 3.0];
    let group = Text::new(&["a", "a", "", "a", "a", "a", ""]);
    for (kind, steps, expected) in [
        (PastKind::Lag, 1, [NAN, 10.0, 3.0, 10.0, NAN, NAN, NAN]),
        (PastKind::Lag, 2, [NAN, NAN, NAN, NAN, 20.0, NAN, NAN]),
        (PastKind::Change, 1, [NAN, NAN, NAN, NAN, NAN, NAN, NAN]),
        (PastKind::Count, 1, [0.0, 1.0, 1.0, 1.0, 3.0, NAN, 0.0]),
        (PastKind::Mean, 3, [NAN, 10.0, 3.0, 10.0, 15.0, NAN, NAN]),
        (PastKind::Mean, 2, [NAN, 10.0, 3.0, 10.0, 20.0, NAN, NAN]),
        (PastKind::Deviation, 9, [NAN, 0.0, 0.0, 0.0, 5.0, NAN, NAN]),
        (PastKind::Min, 9, [NAN, 10.0, 3.0, 10.0, 10.0, NAN, NAN]),
        (PastKind::Max, 9, [NAN, 10.0, 3.0, 10.0, 20.0, NAN, NAN]),
    ] {
        let mut b = GraphBuilder::new();
        let v = b.input("v", DType::F64, Shape::rows()).unwrap();
        let o = b.input("o", DType::F64, Shape::rows()).unwrap();
        let g = b.input("g", DType::Str, Shape::rows()).unwrap();
        let made = b.node(Op::Past(Past { kind, steps }), &[v, o, g]).unwrap();
        let graph = b.finish(&[made]).unwrap();
        let made = run(&graph, &[doubles(&value), doubles(&order), group.column()]);
        same(&made[0], &expected, &format!("{kind:?} {steps}"));
    }
    // Without groups all rows are one.
    let mut b = GraphBuilder::new();
    let v = b.input("v", DType::F64, Shape::rows()).unwrap();
    let o = b.input("o", DType::F64, Shape::rows()).unwrap();
    let made = b.node(Op::Past(Past { kind: PastKind::Change, steps: 1 }), &[v, o]).unwrap();
    let graph = b.finish(&[made]).unwrap();
    let made = run(&graph, &[doubles(&[1.0, 4.0, 9.0, 16.0]), doubles(&[1.0, 2.0, 3.0, 4.0])]);
    same(&made[0], &[NAN, NAN, 3.0, 5.0], "change");
}

/// A graph of one `Related`, with the columns key, moment of the first table and key, moment, value, by of the
/// second.
fn related(op: Related) -> Graph {
    let mut b = GraphBuilder::new();
    let key = b.input("key", DType::Str, Shape::rows()).unwrap();
    let moment = b.input("moment", DType::F64, Shape::rows()).unwrap();
    let other_key = b.input("other key", DType::Str, Shape::other_rows()).unwrap();
    let other_moment = b.input("other moment", DType::F64, Shape::other_rows()).unwrap();
    let value = b.input("value", DType::F64, Shape::other_rows()).unwrap();
    let by = b.input("by", DType::Str, Shape::other_rows()).unwrap();
    let keys = TensorData::Str(vec!["x".into(), "y".into()]);
    let places = op.places();
    let mut inputs = vec![key; places.n];
    let mut put = |place: Option<usize>, value: ValueIdx| {
        if let Some(place) = place {
            inputs[place] = value;
        }
    };
    put(places.moment, moment);
    put(Some(places.other_key), other_key);
    put(places.other_moment, other_moment);
    put(places.value, if op.kind == RelatedKind::Share { by } else { value });
    let is_share = op.kind == RelatedKind::Share;
    if is_share {
        put(places.keys, b.constant(Tensor::vector(keys)).unwrap());
    }
    let mut outputs = vec![b.node(Op::Related(op), &inputs).unwrap()];
    if is_share {
        let matrix = outputs.remove(0);
        for at in 0..2 {
            let at = Tensor::try_new(vec![], TensorData::I64(vec![at])).unwrap();
            let at = b.constant(at).unwrap();
            outputs.push(b.node(Op::Gather(ir::op::Gather), &[matrix, at]).unwrap());
        }
    }
    b.finish(&outputs).unwrap()
}

#[test]
fn rows_of_a_second_table() {
    let key = Text::new(&["a", "b", "c", "", "a"]);
    let moment = [10.0, 10.0, 10.0, 10.0, 2.0];
    let other_key = Text::new(&["a", "b", "a", "a", "b", "", "a"]);
    let other_moment = [1.0, 1.0, 10.0, 3.0, NAN, 1.0, 3.0];
    let value = [5.0, NAN, 100.0, 7.0, 9.0, 1.0, NAN];
    let by = Text::new(&["x", "y", "x", "", "y", "x", "z"]);
    let columns = [
        key.column(),
        doubles(&moment),
        other_key.column(),
        doubles(&other_moment),
        doubles(&value),
        by.column(),
    ];
    use RelatedKind::*;
    for (kind, timed, expected) in [
        (Count, Timed::Neither, vec![4.0, 2.0, 0.0, 0.0, 4.0]),
        (Count, Timed::Second, vec![4.0, 1.0, 0.0, 0.0, 4.0]),
        (Count, Timed::Both, vec![3.0, 1.0, 0.0, 0.0, 1.0]),
        (Sum, Timed::Neither, vec![112.0, 9.0, 0.0, 0.0, 112.0]),
        (Sum, Timed::Both, vec![12.0, 0.0, 0.0, 0.0, 5.0]),
        (Mean, Timed::Both, vec![6.0, NAN, NAN, NAN, 5.0]),
        (Deviation, Timed::Both, vec![1.0, NAN, NAN, NAN, 0.0]),
        (Min, Timed::Both, vec![5.0, NAN, NAN, NAN, 5.0]),
        (Max, Timed::Neither, vec![100.0, 9.0, NAN, NAN, 100.0]),
        // Of two rows at moment 3 the later one in the table, whose value is missing.
        (Last, Timed::Both, vec![NAN, NAN, NAN, NAN, 5.0]),
        (Last, Timed::Second, vec![100.0, NAN, NAN, NAN, 100.0]),
        (Recency, Timed::Both, vec![7.0, 9.0, NAN, NAN, 1.0]),
        (Recency, Timed::Second, vec![0.0, 9.0, NAN, NAN, 0.0]),
    ] {
        let made = run(&related(Related { kind, timed }), &columns);
        same(&made[0], &expected, &format!("{kind:?} {timed:?}"));
    }
    let made = run(&related(Related { kind: Share, timed: Timed::Both }), &columns);
    same(&made[0], &[1.0 / 3.0, 0.0, NAN, NAN, 1.0], "share of x");
    same(&made[1], &[0.0, 1.0, NAN, NAN, 0.0], "share of y");
    // A second table without rows.
    let none = Text::new(&[]);
    let empty = [key.column(), doubles(&moment), none.column(), doubles(&[]), doubles(&[]), none.column()];
    let made = run(&related(Related { kind: Count, timed: Timed::Both }), &empty);
    same(&made[0], &[0.0; 5], "no rows");
}

#[test]
fn a_matrix_over_other_rows_is_no_output_of_a_plan() {
    let mut b = GraphBuilder::new();
    let key = b.input("key", DType::Str, Shape::rows()).unwrap();
    let other = b.input("other", DType::Str, Shape::other_rows()).unwrap();
    let keys = b.constant(Tensor::vector(TensorData::Str(vec!["x".into()]))).unwrap();
    let op = Related { kind: RelatedKind::Share, timed: Timed::Neither };
    let made = b.node(Op::Related(op), &[key, other, other, keys]).unwrap();
    let error = Plan::new(&b.finish(&[made]).unwrap()).unwrap_err();
    assert!(error.to_string().contains("a matrix over other rows as output"), "{error}");
}

/// A forest over past and second table, in a file, in blocks of a plan.
#[test]
fn a_model_of_two_tables() {
    let mut b = GraphBuilder::new();
    let value = b.input("value", DType::F64, Shape::rows()).unwrap();
    let key = b.input("key", DType::Str, Shape::rows()).unwrap();
    let other = b.input("joined.key", DType::Str, Shape::other_rows()).unwrap();
    let past = b.node(Op::Past(Past { kind: PastKind::Mean, steps: 5 }), &[value, value]).unwrap();
    let count = Related { kind: RelatedKind::Count, timed: Timed::Neither };
    let count = b.node(Op::Related(count), &[key, other]).unwrap();
    let edges = b.constant(Tensor::vector(TensorData::F64((0..50).map(f64::from).collect()))).unwrap();
    let codes: Vec<ValueIdx> =
        [past, count].iter().map(|&v| b.node(Op::Bin(Bin), &[v, edges]).unwrap()).collect();
    let feature = ir::forest::CodedFeature { n_codes: 51, ordered: true };
    let split = |feature, above, left, right| ir::forest::Split {
        feature,
        test: ir::forest::Test::Greater(above),
        missing_left: true,
        left: ir::forest::Child::Leaf(left),
        right,
    };
    let tree = ir::forest::Tree {
        first_output: 0,
        width: 1,
        splits: vec![
            split(0, 20, 0, ir::forest::Child::Split(1)),
            split(1, 2, 1, ir::forest::Child::Leaf(2)),
        ],
        leaves: vec![-5, 3, 11],
    };
    let forest = ir::Forest::try_new(vec![feature; 2], vec![1], vec![tree]).unwrap().into();
    let score = b.node(Op::Forest(ForestOp { forest }), &codes).unwrap();
    let graph = b.finish(&[score]).unwrap();
    let column = |name: &str, kind, dtype| Input { name: name.into(), kind, dtype };
    let signature = Signature {
        task: Task::Regression,
        target: "y".into(),
        targets: Vec::new(),
        inputs: vec![
            column("value", ColumnKind::Number, DType::F64),
            column("key", ColumnKind::Category, DType::Str),
        ],
        outputs: vec![OutputRole::Score],
        classes: vec![],
        positive: None,
        missing: vec![],
        columns: vec![],
        joined: Some(Joined {
            table: "other.csv".into(),
            inputs: vec![column("key", ColumnKind::Category, DType::Str)],
        }),
    };
    let mut model = Model::try_new(graph, signature, Card::default()).unwrap();
    model.self_test = Some(smidgen_runtime::self_test(model.graph(), 4).unwrap());
    let back = file::read(&file::write(&model)).unwrap();
    assert_eq!(back, model);
    for checked in smidgen_runtime::verify(&back).unwrap() {
        assert_eq!(checked.verdict, smidgen_runtime::Verdict::Ok, "{}", checked.path);
    }
    let values: Vec<f64> = (0..600).map(|i| f64::from(i * 37 % 101)).collect();
    let keys: Vec<String> = (0..600).map(|i| format!("k{}", i % 7)).collect();
    let keys = Text::new(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    let others = Text::new(&["k1", "k1", "k1", "k2", "k3", "k3", "k3", "k3"]);
    let columns = [doubles(&values), keys.column(), others.column()];
    let meant = reference::run(back.graph(), &columns).unwrap();
    assert_eq!(Plan::new(back.graph()).unwrap().run(&columns).unwrap(), meant);
    let TensorData::I32(scores) = meant[0].data() else { panic!("scores are i32") };
    for score in [-4, 4, 12] {
        assert!(scores.contains(&score), "{score}");
    }
}
