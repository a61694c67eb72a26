//! Random models, of every operator that a model of numbers, categories and times can have, as source code.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/compiled.rs"]
#[expect(dead_code, reason = "many models are compiled at once, in fewer ways")]
mod compiled;
#[path = "../../runtime/tests/conformance/models.rs"]
#[expect(dead_code, reason = "only the generator is used here")]
mod models;
#[path = "../../runtime/tests/conformance/numbers.rs"]
mod numbers;
#[path = "../../runtime/tests/conformance/scores.rs"]
mod scores;

use compiled::{digests_of_c, digests_of_rust, proven};
use ir::Model;
use ir::digest::SplitMix64;
use smidgen_emit::Program;
use std::collections::BTreeSet;

/// Models that are tried.
const N: u64 = 40;

#[test]
fn random_models_say_the_same_as_source_code() {
    let models: Vec<Model> =
        (0..N).map(|seed| proven(models::random_model(&mut SplitMix64::new(seed)), seed)).collect();
    let programs: Vec<Program> = models.iter().map(|model| Program::try_new(model).unwrap()).collect();
    let ops: BTreeSet<&str> =
        models.iter().flat_map(|m| m.graph().nodes()).map(|node| node.op.payload().name()).collect();
    let of_c = digests_of_c(&programs, "cc", &["-O1"], &[]);
    let of_rust = digests_of_rust(&programs);
    for (seed, model) in models.iter().enumerate() {
        let expected = format!("{:016x}", model.self_test.unwrap().digest);
        let said = [of_c[seed], of_rust[seed]].map(|digest| format!("{digest:016x}"));
        assert_eq!(said, [expected.clone(), expected], "model of seed {seed}, in C and in Rust");
    }
    assert!(ops.len() > 40, "{}: {ops:?}", ops.len());
}
