//! `fit --onto`: boosted trees that are added to a learner fitted before them; a search tries that by itself.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/run.rs"]
mod run;

use run::Place;
use serde_json::Value;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data");
const TREES: &str = "--learners gbdt --set gbdt.n_trees=12 --set gbdt.max_leaves=4";

fn fit(place: &Place, line: &str) -> Value {
    let line = format!("fit {EXAMPLES}/{line} --folds 3 --seed 42 --calibrator none --json --quiet");
    place.good(&line).json().unwrap()
}

fn bytes(place: &Place, name: &str) -> Vec<u8> {
    std::fs::read(place.path(name)).unwrap()
}

#[test]
fn trees_are_added_to_a_learner() {
    let place = Place::new();
    for (table, target, first, metric) in [
        ("diabetes", "progression", "ridge", "rmse"),
        ("breast_cancer", "diagnosis", "logistic", "log_loss"),
        ("iris", "species", "gaussian_nb", "log_loss"),
    ] {
        let line = format!("{table}_train.csv --target {target} --metric {metric} --work 1");
        let onto = format!("{line} {TREES} --onto {first} --test {EXAMPLES}/{table}_test.csv");
        let said = fit(&place, &format!("{onto} -o both.smidgen --jobs 1"));
        fit(&place, &format!("{onto} -o again.smidgen --jobs 2"));
        assert!(bytes(&place, "both.smidgen") == bytes(&place, "again.smidgen"), "{table}");
        let recipe = said["recipe"].as_str().unwrap();
        assert!(recipe.ends_with(&format!("onto ({first})")), "{recipe}");
        let command = said["command"].as_str().unwrap();
        assert!(command.contains(&format!("--onto {first}")), "{command}");
        // Both together are about as good as the better one of both, out of fold and on other rows.
        let alone = |rest: &str| {
            let said = fit(&place, &format!("{line} {rest} --onto none -o alone.smidgen"));
            said["score_oof"].as_f64().unwrap()
        };
        let best = alone(&format!("--learners {first}")).min(alone(TREES));
        let [oof, test] = ["score_oof", "score_test"].map(|key| said[key].as_f64().unwrap());
        assert!(oof < 1.15 * best && test < 1.6 * best, "{table}: {oof}, {test} on other rows, {best} alone");
        let lines = place.good("verify both.smidgen").out;
        assert!(lines.lines().all(|line| line.ends_with(" ok")), "{lines}");
        place.good("export both.smidgen --to onnx -o both.onnx --quiet");
        let explained = place.good(&format!("predict both.smidgen {EXAMPLES}/{table}_test.csv --explain"));
        let plain = place.good(&format!("predict both.smidgen {EXAMPLES}/{table}_test.csv"));
        assert_eq!(explained.out.lines().count(), plain.out.lines().count());
    }
}

/// Neighbours know rows that they have seen by heart; trees that learnt what is left over there would learn noise.
#[test]
fn a_forerunner_is_heard_out_of_fold() {
    let place = Place::new();
    let noise = |row: u64, of: u64| ((row * 7919 + 13) * (of + 101) * (row + of) % 10_007) as f64 / 10_007.0;
    let rows = |from: u64| -> String {
        let row = |row: u64| format!("{},{},{}\n", noise(row, 3), noise(row, 88), noise(row, 1931));
        (from..from + 400).map(row).collect()
    };
    place.write("noise.csv", format!("a,b,y\n{}", rows(0)));
    place.write("others.csv", format!("a,b,y\n{}", rows(400)));
    let line = "fit noise.csv --target y --work 1 --folds 3 --set knn.k=1 --set knn.weights=distance";
    let line = format!("{line} --learners gbdt --onto knn --test others.csv -o m.smidgen --json --quiet");
    let said = place.good(&line).json().unwrap();
    let [oof, test] = ["score_oof", "score_test"].map(|key| said[key].as_f64().unwrap());
    // Neighbours alone are off by about sqrt(2) times the spread of the numbers; what is said is true of other rows.
    assert!((oof - test).abs() < 0.15 * test, "{oof}, {test}");
}

#[test]
fn a_search_adds_trees_to_the_best_linear_model() {
    let place = Place::new();
    let line = "breast_cancer_train.csv --target diagnosis --learners gbdt,logistic --ensemble none";
    fit(&place, &format!("{line} --work 16 --resume kept -o a.smidgen --jobs 1"));
    fit(&place, &format!("{line} --work 16 -o b.smidgen --jobs 2"));
    assert!(bytes(&place, "a.smidgen") == bytes(&place, "b.smidgen"));
    let tried = |folder: &str| {
        let files = std::fs::read_dir(place.path(folder)).unwrap();
        files.filter_map(|file| std::fs::read_to_string(file.unwrap().path()).ok()).collect::<Vec<String>>()
    };
    assert!(tried("kept").iter().any(|text| text.contains("\"onto\":{")), "{:?}", tried("kept"));
    fit(&place, &format!("{line} --work 16 --onto none --resume without -o c.smidgen"));
    assert!(tried("without").iter().all(|text| !text.contains("\"onto\":{")));
}

#[test]
fn what_cannot_go_before_is_refused() {
    let place = Place::new();
    let line = format!("fit {EXAMPLES}/iris_train.csv --target species --work 1 --quiet --json");
    for (rest, code, part) in [
        ("--onto gdbt", 2, "unknown learner"),
        ("--onto ridge", 3, "ridge"),
        ("--onto logistic --learners knn", 3, "knn"),
        ("--onto knn", 3, "link"),
        ("--onto logistic --augment smote", 3, "--augment"),
        ("--onto logistic --from none.smidgen", 2, "none.smidgen"),
    ] {
        let ran = place.run(&format!("{line} {rest}"));
        assert_eq!(ran.code, code, "{rest}: {}", ran.out);
        assert!(ran.out.contains(part), "{rest}: {}", ran.out);
    }
}
