//! Codes, forests and tables as source code.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may unwrap, and say what they skip")]

#[path = "support/compiled.rs"]
mod compiled;

use compiled::{check, digests_of_c, digests_of_rust, proven};
use ir::digest::SplitMix64;
use ir::fixed::from_key_f64;
use ir::forest::{Child, CodeSet, CodedFeature, Split, Test, Tree};
use ir::op::{Bin, ForestOp};
use ir::{
    Card, ColumnKind, Forest, GraphBuilder, Input, Model, Op, OutputRole, Shape, Signature, Task, Tensor,
    TensorData, ValueIdx,
};
use smidgen_emit::{Integer, Program};

/// A tree of random shape. Thresholds are codes of the feature but the last `n_above`; above the very last one is only
/// what is missing.
fn grow(
    random: &mut SplitMix64,
    features: &[CodedFeature],
    tree: &mut Tree,
    n_splits: u32,
    [largest, n_above]: [u32; 2],
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
        Test::Greater(random.below(u32::from(n_codes) - n_above) as u8)
    } else {
        let mut set = CodeSet::default();
        (0..n_codes as u8).filter(|_| random.below(2) == 0).for_each(|code| set.insert(code));
        Test::In(set)
    };
    let missing_left = random.below(2) == 0;
    tree.splits.push(Split { feature, test, missing_left, left: Child::Leaf(0), right: Child::Leaf(0) });
    let of_left = random.below(n_splits);
    tree.splits[at].left = grow(random, features, tree, of_left, [largest, n_above]);
    tree.splits[at].right = grow(random, features, tree, n_splits - 1 - of_left, [largest, n_above]);
    Child::Split(at as u32)
}

/// A model of integers and doubles, coded by edges of every width, and trees over them.
fn forest(seed: u64, n_columns: usize, n_outputs: u32, most: u32, largest: u32) -> Model {
    let mut random = SplitMix64::new(seed);
    let mut all = Vec::new();
    for at in 0..n_columns {
        let n_edges = 1 + random.below(if at % 5 == 0 { 253 } else { 20 }) as usize;
        let reach = [7, 15, 31, 62][at / 2 % 4];
        all.push(if at % 2 == 0 {
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
        });
    }
    forest_over(&mut random, all, true, n_outputs, [most, largest, 0])
}

/// Trees over columns that are coded by these edges, some of them as sets where `has_sets`.
fn forest_over(
    random: &mut SplitMix64,
    edges: Vec<TensorData>,
    has_sets: bool,
    n_outputs: u32,
    [most, largest, n_above]: [u32; 3],
) -> Model {
    let mut b = GraphBuilder::new();
    let name = |(at, edges): (usize, &TensorData)| Input {
        name: format!("Column {at}"),
        kind: ColumnKind::Number,
        dtype: edges.dtype(),
    };
    let inputs: Vec<Input> = edges.iter().enumerate().map(name).collect();
    let columns: Vec<ValueIdx> =
        inputs.iter().map(|i| b.input(&i.name, i.dtype, Shape::rows()).unwrap()).collect();
    let (mut codes, mut features) = (Vec::new(), Vec::new());
    for (column, edges) in columns.into_iter().zip(edges) {
        let n_codes = edges.len() as u16 + 1;
        let edges = b.constant(Tensor::vector(edges)).unwrap();
        codes.push(b.node(Op::Bin(Bin), &[column, edges]).unwrap());
        features.push(CodedFeature { n_codes, ordered: !has_sets || random.below(3) > 0 });
    }
    let trees = (0..12).map(|at| {
        let width = if n_outputs > 1 && at % 3 == 0 { n_outputs } else { 1 };
        let first_output = random.below(n_outputs - width + 1);
        let mut tree = Tree { first_output, width, ..Tree::default() };
        let n_splits = random.below(most);
        grow(random, &features, &mut tree, n_splits, [largest, n_above]);
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

/// The programs of models whose columns are given in few integers give their digests, in both languages.
fn check_given(models: Vec<(Model, Vec<Option<Integer>>)>) -> Vec<Program> {
    let mut programs = Vec::new();
    for (seed, (mut model, integers)) in models.into_iter().enumerate() {
        let ranges: Vec<_> = integers.iter().map(|i| i.map(Integer::range)).collect();
        let test = runtime::self_test_of_integers(model.graph(), seed as u64, &ranges);
        model.self_test = Some(test.unwrap());
        programs.push(Program::of_integers(&model, &integers).unwrap());
    }
    let expected: Vec<u64> = programs.iter().map(|p| p.self_test.unwrap().digest).collect();
    let flags = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    assert_eq!(digests_of_c(&programs, "cc", &flags, &[]), expected);
    assert_eq!(digests_of_rust(&programs), expected);
    programs
}

/// Columns of integers and of doubles, given in few integers: edges between them and beyond them.
#[test]
fn columns_may_be_given_in_few_integers() {
    let models = [(1, 12), (2, 7), (3, 40)].map(|(seed, n_columns)| {
        let integers = (0..n_columns).map(|at| Integer::ALL.get((at + seed as usize) % 8).copied());
        (forest(seed, n_columns, 3, 31, 100), integers.collect())
    });
    check_given(models.into());
}

/// Forests over integers of 8 and 16 bits ask for these themselves, but where edges at an end leave no room for what is
/// missing, where sets are asked for, or where codes are shorter.
#[test]
fn few_integers_are_not_coded() {
    use Integer::{I8, I16, I32, U8, U16};
    /// Integers, edges of a column, whether one lies at an end, whether there are sets; the routine that must be there.
    type Case = (&'static [Integer], usize, Option<i64>, bool, &'static str);
    let cases: [Case; 12] = [
        (&[I8], 20, None, false, "take_u8"),
        (&[U8], 20, None, false, "take_u8"),
        (&[U8, I8], 100, None, false, "take_u8"),
        (&[I16], 100, None, false, "take_u16"),
        (&[U16, I16], 100, None, false, "take_u16"),
        (&[I8, U16], 100, None, false, "take_u16"),
        (&[I16], 1, None, false, "bin_i64_i16"),
        (&[I8, I32], 100, None, false, "bin_i64_i32"),
        (&[I8], 20, None, true, "bin_i64_i8"),
        (&[U8], 20, Some(0), false, "take_u8"),
        (&[U8], 20, Some(-1), false, "bin_i64_i16"),
        (&[I16], 100, Some(1), false, "bin_i64_i16"),
    ];
    let mut models = Vec::new();
    for (seed, (integers, n_edges, end, has_sets, _)) in cases.iter().enumerate() {
        let mut random = SplitMix64::new(seed as u64);
        let integers: Vec<Integer> = integers.iter().copied().cycle().take(5).collect();
        let edges = integers.iter().enumerate().map(|(at, integer)| {
            let (low, high) = integer.range();
            let mut edges: Vec<i64> = (0..*n_edges)
                .map(|_| low + (random.next_word() % (high - low) as u64) as i64)
                .chain(end.map(|end| if end > 0 { high } else { low + end }))
                .collect();
            edges.sort_unstable();
            edges.dedup();
            match at % 2 {
                0 => TensorData::I64(edges),
                _ => TensorData::F64(edges.iter().map(|&edge| edge as f64 + 0.25 * at as f64).collect()),
            }
        });
        let edges = edges.collect();
        let of_all = integers.iter().map(|&integer| Some(integer)).collect();
        models.push((forest_over(&mut random, edges, *has_sets, 3, [90, 7, 1]), of_all));
    }
    for (at, (program, case)) in check_given(models).iter().zip(cases).enumerate() {
        let routines: Vec<&str> = program.steps.iter().map(|step| step.routine).collect();
        assert!(routines.contains(&case.4), "{at}: {case:?}: {routines:?}");
        let is_coded = routines.iter().any(|routine| routine.starts_with("bin_"));
        assert_eq!(is_coded, case.4.starts_with("bin_"), "{at}: {case:?}");
    }
}
