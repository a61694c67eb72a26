//! Random models, of every operator that a model of numbers, categories and times can have, as source code.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may unwrap, and say what they skip")]

#[path = "support/compiled.rs"]
mod compiled;
#[path = "../../runtime/tests/conformance/models.rs"]
#[expect(dead_code, reason = "only the generator is used here")]
mod models;
#[path = "../../runtime/tests/conformance/numbers.rs"]
mod numbers;
#[path = "../../runtime/tests/conformance/scores.rs"]
mod scores;

use compiled::{check, proven};
use ir::Model;
use ir::digest::SplitMix64;
use std::collections::BTreeSet;

/// Models that are tried.
const N: u64 = 40;

#[test]
fn random_models_say_the_same_as_source_code() {
    let models: Vec<Model> =
        (0..N).map(|seed| proven(models::random_model(&mut SplitMix64::new(seed)), seed)).collect();
    let ops: BTreeSet<&str> =
        models.iter().flat_map(|m| m.graph().nodes()).map(|node| node.op.payload().name()).collect();
    let named: Vec<(String, Model)> =
        (0..).map(|seed: u64| format!("model of seed {seed}")).zip(models).collect();
    check(&named);
    assert!(ops.len() > 40, "{}: {ops:?}", ops.len());
}
