//! Codes, forests and tables as source code.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/compiled.rs"]
mod compiled;

use compiled::{check, digests_of_c, digests_of_rust, proven};
use ir::digest::SplitMix64;
use ir::fixed::from_key_f64;
use ir::forest::{Child, CodeSet, CodedFeature, Split, Test, Tree};
use ir::op::{Bin, ForestOp};
use ir::{
    Card, ColumnKind, DType, Forest, GraphBuilder, Input, Model, Op, OutputRole, Shape, Signature, Task,
    Tensor, TensorData, ValueIdx,
};
use smidgen_emit::{Integer, Program};

/// A tree of random shape.
fn grow(
    random: &mut SplitMix64,
    features: &[CodedFeature],
    tree: &mut Tree,
    n_splits: u32,
    largest: u32,
) -> Child {
    if n_splits == 0 {
        let leaf = tree.leaves.len() as u32 / tree.width;
        tree.leaves.extend((0..tree.width).map(|_| random.below(2 * largest + 1) as i32 - largest as i32));
        return Child::Leaf(leaf);
    }
    let at = tree.splits.len();
    let feature = random.below(features.len() as u32);
    let CodedFeature { n_codes, ordered } = features[feature as usize];
    let test = if ordered {
        Test::Greater(random.below(n_codes.into()) as u8)
    } else {
        let mut set = CodeSet::default();
        (0..n_codes as u8).filter(|_| random.below(2) == 0).for_each(|code| set.insert(code));
        Test::In(set)
    };
    let missing_left = random.below(2) == 0;
    tree.splits.push(Split { feature, test, missing_left, left: Child::Leaf(0), right: Child::Leaf(0) });
    let of_left = random.below(n_splits);
    tree.splits[at].left = grow(random, features, tree, of_left, largest);
    tree.splits[at].right = grow(random, features, tree, n_splits - 1 - of_left, largest);
    Child::Split(at as u32)
}

/// A model of integers and doubles, coded by edges of every width, and trees over them.
fn forest(seed: u64, n_columns: usize, n_outputs: u32, most: u32, largest: u32) -> Model {
    let mut random = SplitMix64::new(seed);
    let mut b = GraphBuilder::new();
    let (mut inputs, mut codes, mut features) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..n_columns {
        let dtype = if at % 2 == 0 { DType::I64 } else { DType::F64 };
        inputs.push(Input { name: format!("Column {at}"), kind: ColumnKind::Number, dtype });
    }
    let columns: Vec<ValueIdx> =
        inputs.iter().map(|i| b.input(&i.name, i.dtype, Shape::rows()).unwrap()).collect();
    for (at, (input, &column)) in inputs.iter().zip(&columns).enumerate() {
        let dtype = input.dtype;
        let n_edges = 1 + random.below(if at % 5 == 0 { 253 } else { 20 }) as usize;
        let reach = [7, 15, 31, 62][at / 2 % 4];
        let edges = if dtype == DType::I64 {
            let mut edges: Vec<i64> = (0..n_edges)
                .map(|_| (random.next_word() >> (63 - reach)) as i64 - (1 << (reach - 1)))
                .collect();
            edges.sort_unstable();
            edges.dedup();
            TensorData::I64(edges)
        } else {
            let mut edges: Vec<f64> = (0..n_edges)
                .map(|_| match at / 2 % 3 {
                    0 => f64::from(random.below(2000)) - 1000.0,
                    1 => f64::from((random.unit() * 100.0) as f32),
                    _ => from_key_f64((random.next_word() as i64).clamp(-0x7fe0 << 48, 0x7fe0 << 48)),
                })
                .collect();
            edges.sort_unstable_by(f64::total_cmp);
            edges.dedup();
            TensorData::F64(edges)
        };
        let n_codes = edges.len() as u16 + 1;
        let edges = b.constant(Tensor::vector(edges)).unwrap();
        codes.push(b.node(Op::Bin(Bin), &[column, edges]).unwrap());
        features.push(CodedFeature { n_codes, ordered: random.below(3) > 0 });
    }
    let trees = (0..12).map(|at| {
        let width = if n_outputs > 1 && at % 3 == 0 { n_outputs } else { 1 };
        let first_output = random.below(n_outputs - width + 1);
        let mut tree = Tree { first_output, width, ..Tree::default() };
        let n_splits = random.below(most);
        grow(&mut random, &features, &mut tree, n_splits, largest);
        tree
    });
    let trees = trees.collect();
    let forest = Forest::try_new(features, (0..n_outputs as i32).collect(), trees).unwrap();
    let score = b.node(Op::Forest(ForestOp { forest: forest.into() }), &codes).unwrap();
    finish(b, &[score], inputs, n_outputs)
}

/// A model that gives its scores alone.
fn finish(b: GraphBuilder, outputs: &[ValueIdx], inputs: Vec<Input>, n: u32) -> Model {
    let graph = b.finish(outputs).unwrap();
    let classes = if n > 1 { (0..n).map(|k| format!("class \"{k}\"")).collect() } else { Vec::new() };
    let signature = Signature {
        task: if n > 1 { Task::Multiclass } else { Task::Regression },
        target: "target */".to_string(),
        targets: Vec::new(),
        inputs,
        outputs: vec![OutputRole::Score],
        classes,
        positive: None,
        missing: Vec::new(),
        columns: Vec::new(),
        joined: None,
    };
    proven(Model::try_new(graph, signature, Card::default()).unwrap(), 3)
}

#[test]
fn forests_are_walked_in_place() {
    let mut models = Vec::new();
    for (at, (n_columns, n_outputs, most, largest)) in [
        (1, 1, 1, 5),
        (3, 1, 4, 100),
        (6, 1, 31, 127),
        (6, 3, 31, 30_000),
        (40, 1, 31, 200),
        (80, 3, 200, 1_000_000),
        (5, 26, 60, 128),
        (4, 300, 20, 9),
    ]
    .into_iter()
    .enumerate()
    {
        models.push((format!("forest {at}"), forest(at as u64, n_columns, n_outputs, most, largest)));
    }
    check(&models);
}

/// Columns of integers and of doubles, given in few integers: edges between them and beyond them.
#[test]
fn columns_may_be_given_in_few_integers() {
    let mut programs = Vec::new();
    for (seed, n_columns) in [(1, 12), (2, 7), (3, 40)] {
        let mut model = forest(seed, n_columns, 3, 31, 100);
        let integers: Vec<Option<Integer>> =
            (0..n_columns).map(|at| Integer::ALL.get((at + seed as usize) % 8).copied()).collect();
        let ranges: Vec<_> = integers.iter().map(|i| i.map(Integer::range)).collect();
        model.self_test = Some(runtime::self_test_of_integers(model.graph(), seed, &ranges).unwrap());
        programs.push(Program::of_integers(&model, &integers).unwrap());
    }
    let expected: Vec<u64> = programs.iter().map(|p| p.self_test.unwrap().digest).collect();
    let flags = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    assert_eq!(digests_of_c(&programs, "cc", &flags, &[]), expected);
    assert_eq!(digests_of_rust(&programs), expected);
}
