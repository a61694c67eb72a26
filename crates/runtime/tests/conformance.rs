//! Random models times random columns: the plan, the file and slices all equal the reference.
//!
//! `models` draws a graph of every part that the format knows, `columns` draws rows where a model can
//! go wrong. All comparisons are of bits.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "conformance/columns.rs"]
mod columns;
#[path = "conformance/models.rs"]
mod models;
#[path = "conformance/numbers.rs"]
mod numbers;
#[path = "conformance/scores.rs"]
mod scores;

use columns::OwnedColumn;
use ir::digest::SplitMix64;
use ir::{Column, DType, Model, Tensor, TensorData, file};
use models::random_model;
use proptest::prelude::*;
use smidgen_runtime::{Plan, Verdict, reference, self_test, verify};

/// The block of a plan has 256 rows, its engines step 1, 8 or 16 rows at once; fewer than 32 run row by row.
const N_ROWS: [usize; 15] = [0, 1, 7, 8, 9, 15, 17, 31, 32, 33, 255, 256, 257, 300, 1000];

/// Every output as its shape and the bits of its elements.
fn bits(outputs: &[Tensor]) -> Vec<(DType, Vec<usize>, Vec<u64>)> {
    let of = |t: &Tensor| {
        let words = match t.data() {
            TensorData::I32(v) => v.iter().map(|&x| i64::from(x).cast_unsigned()).collect(),
            TensorData::I64(v) => v.iter().map(|&x| x.cast_unsigned()).collect(),
            TensorData::F32(v) => v.iter().map(|x| x.to_bits().into()).collect(),
            TensorData::F64(v) => v.iter().map(|x| x.to_bits()).collect(),
            other => panic!("no output is {}", other.dtype()),
        };
        (t.dtype(), t.dims().to_vec(), words)
    };
    outputs.iter().map(of).collect()
}

/// Outputs of consecutive slices as those of the whole.
fn joined(parts: &[Vec<Tensor>]) -> Vec<(DType, Vec<usize>, Vec<u64>)> {
    let mut whole = bits(&parts[0]);
    for part in &parts[1..] {
        for ((_, dims, words), (_, more, others)) in whole.iter_mut().zip(bits(part)) {
            assert_eq!(dims[1..], more[1..]);
            dims[0] += more[0];
            words.extend(others);
        }
    }
    whole
}

fn sliced<'a>(columns: &[Column<'a>], start: usize, len: usize) -> Vec<Column<'a>> {
    columns.iter().map(|c| c.slice(start, len).unwrap()).collect()
}

fn check(seed: u64) {
    let mut random = SplitMix64::new(seed);
    let model = random_model(&mut random);
    let graph = model.graph();
    let plan = Plan::new(graph).unwrap();
    let written = file::write(&model);
    let back = file::read(&written).unwrap();
    assert_eq!(back, model, "seed {seed}: the file changes the model");
    assert_eq!(file::write(&back), written, "seed {seed}: written twice");
    let back_plan = Plan::new(back.graph()).unwrap();

    let n_rows = N_ROWS[random.below(N_ROWS.len() as u32) as usize];
    let owned: Vec<OwnedColumn> =
        graph.inputs().iter().map(|&i| OwnedColumn::random(&mut random, graph, i, n_rows)).collect();
    let columns: Vec<Column<'_>> = owned.iter().map(OwnedColumn::column).collect();
    let whole = reference::run(graph, &columns).unwrap();
    let meant = bits(&whole);
    assert_eq!(bits(&plan.run(&columns).unwrap()), meant, "seed {seed}: plan");
    assert_eq!(bits(&back_plan.run(&columns).unwrap()), meant, "seed {seed}: plan of the file");
    assert_eq!(bits(&reference::run(back.graph(), &columns).unwrap()), meant, "seed {seed}: file");

    let mut parts = Vec::new();
    let mut start = 0;
    while start < n_rows {
        let len = (1 + random.below(300) as usize).min(n_rows - start);
        parts.push(plan.run(&sliced(&columns, start, len)).unwrap());
        start += len;
    }
    parts.push(plan.run(&sliced(&columns, n_rows, 0)).unwrap());
    assert_eq!(joined(&parts), meant, "seed {seed}: slices");

    for n in (1..=9).chain([15, 16, 17, 31, 32, 33]).filter(|n| *n <= n_rows) {
        let few = sliced(&columns, n_rows - n, n);
        let (got, meant) = (plan.run(&few).unwrap(), reference::run(graph, &few).unwrap());
        assert_eq!(bits(&got), bits(&meant), "seed {seed}: {n} rows");
    }

    if n_rows <= 17 {
        let alone = |run: &dyn Fn(&[Column<'_>]) -> Vec<Tensor>| {
            let mut rows: Vec<_> = (0..n_rows).map(|row| run(&sliced(&columns, row, 1))).collect();
            rows.push(run(&sliced(&columns, 0, 0)));
            joined(&rows)
        };
        assert_eq!(alone(&|c| plan.run(c).unwrap()), meant, "seed {seed}: rows alone");
        assert_eq!(alone(&|c| reference::run(graph, c).unwrap()), meant, "seed {seed}: reference alone");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_path_equals_the_reference(seed: u64) {
        check(seed);
    }

    #[test]
    fn a_model_verifies_after_the_file_and_not_under_another_digest(seed: u64) {
        let mut model = random_model(&mut SplitMix64::new(seed));
        model.self_test = Some(self_test(model.graph(), seed).unwrap());
        let mut back = file::read(&file::write(&model)).unwrap();
        let verdicts = |m: &Model| verify(m).unwrap().iter().map(|c| (c.path, c.verdict)).collect::<Vec<_>>();
        prop_assert_eq!(verdicts(&back), [("reference", Verdict::Ok), ("scalar", Verdict::Ok)]);
        back.self_test.as_mut().unwrap().digest ^= 1 << (seed & 63);
        prop_assert_eq!(verdicts(&back), [("reference", Verdict::Differs), ("scalar", Verdict::Differs)]);
        back.self_test = None;
        prop_assert_eq!(verdicts(&back), [("reference", Verdict::Ok), ("scalar", Verdict::Ok)]);
    }
}

/// The generators reach what they promise; else the laws above would pass by not testing.
#[test]
fn the_generators_cover_the_format() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..400 {
        let mut random = SplitMix64::new(seed);
        let model = random_model(&mut random);
        seen.extend(models::traits(&model));
        for &input in model.graph().inputs() {
            seen.extend(OwnedColumn::random(&mut random, model.graph(), input, 300).traits());
        }
    }
    let missing: Vec<_> =
        models::TRAITS.iter().chain(columns::TRAITS).filter(|t| !seen.contains(**t)).collect();
    assert!(missing.is_empty(), "never drawn: {missing:?}");
}

/// What is watched does not hang on what else is: each output alone is the output of the whole.
#[test]
fn watched_values_are_those_of_the_run() {
    for seed in 0..20 {
        let mut random = SplitMix64::new(seed);
        let model = random_model(&mut random);
        let inputs = model.graph().inputs().iter();
        let owned: Vec<OwnedColumn> =
            inputs.map(|&i| OwnedColumn::random(&mut random, model.graph(), i, 40)).collect();
        let columns: Vec<Column<'_>> = owned.iter().map(OwnedColumn::column).collect();
        let all = reference::run(model.graph(), &columns).unwrap();
        for (idx, output) in model.graph().outputs().iter().zip(&all) {
            let watched = reference::watch(model.graph(), &columns, &[*idx, *idx]).unwrap();
            assert_eq!(bits(&watched), bits(&[output.clone(), output.clone()]), "{seed}");
        }
    }
}
