//! `fit --ensemble gate`: a small tree over columns says which member answers a row.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/run.rs"]
mod run;

use run::Place;
use serde_json::Value;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data");

fn fit(place: &Place, line: &str) -> Value {
    let line = format!("fit {EXAMPLES}/{line} --seed 42 --calibrator none --json --quiet");
    place.good(&line).json().unwrap()
}

/// Fits a gate twice, on one thread and on two, and looks at all that can be done with it.
fn gate(place: &Place, table: &str, line: &str) -> Value {
    let bytes = |name: &str| std::fs::read(place.path(name)).unwrap();
    let said = fit(place, &format!("{table}_train.csv {line} --ensemble gate --jobs 1 -o gate.smidgen"));
    fit(place, &format!("{table}_train.csv {line} --ensemble gate --jobs 2 -o again.smidgen"));
    assert!(bytes("gate.smidgen") == bytes("again.smidgen"), "{table}");
    let recipe = said["recipe"].as_str().unwrap();
    assert!(recipe.starts_with("gate of "), "{recipe}");
    let lines = place.good("verify gate.smidgen").out;
    assert!(lines.lines().all(|line| line.ends_with(" ok")), "{lines}");
    place.good("export gate.smidgen --to onnx -o gate.onnx --quiet");
    let test = format!("{EXAMPLES}/{table}_test.csv");
    let rows = place.good(&format!("predict gate.smidgen {test}")).out.lines().count();
    assert_eq!(place.good(&format!("predict gate.smidgen {test} --explain")).out.lines().count(), rows);
    said
}

#[test]
fn easy_rows_are_answered_by_a_cheap_member() {
    let place = Place::new();
    let line = "--target diagnosis --metric log_loss --learners gbdt,logistic --work 8 --folds 4";
    let said = gate(&place, "breast_cancer", &format!("{line} --set gate.tolerance=0.05"));
    let sum = fit(&place, &format!("breast_cancer_train.csv {line} --ensemble greedy -o sum.smidgen"));
    let [of_gate, of_sum] = [&said, &sum].map(|said| said["cost_ns"].as_f64().unwrap());
    assert!(of_gate < of_sum, "{of_gate} ns, {of_sum} of the sum");
    let [of_gate, of_sum] = [&said, &sum].map(|said| said["score_oof"].as_f64().unwrap());
    assert!(of_gate < 1.5 * of_sum, "{of_gate}, {of_sum} of the sum");
}

#[test]
fn numbers_have_gates_too() {
    let place = Place::new();
    let line = "--target progression --learners gbdt,ridge,knn --work 10 --folds 3 --set gate.aim=score";
    let said = gate(&place, "diabetes", line);
    let alone = fit(
        &place,
        "diabetes_train.csv --target progression --learners ridge --work 1 --folds 3 -o one.smidgen",
    );
    let [of_gate, alone] = [&said, &alone].map(|said| said["score_oof"].as_f64().unwrap());
    assert!(of_gate < 1.05 * alone, "{of_gate}, {alone} of one");
}

#[test]
fn files_of_models_bring_no_columns() {
    let place = Place::new();
    place.write("iris.csv", std::fs::read(format!("{EXAMPLES}/iris_train.csv")).unwrap());
    for (learner, name) in [("logistic", "a.smidgen"), ("gaussian_nb", "b.smidgen")] {
        place.good(&format!("fit iris.csv --target species --learners {learner} --work 1 -o {name}"));
    }
    let ran = place.run("compose a.smidgen b.smidgen --data iris.csv --method gate -o c.smidgen");
    assert!(ran.code == 3 && ran.err.contains("use fit --ensemble gate"), "{} {}", ran.code, ran.err);
    assert!(!place.path("c.smidgen").exists());
}
