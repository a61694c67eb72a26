//! Several targets: one model whose trees they share, from the fit to the file, its predictions and its figures.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/run.rs"]
mod run;

use run::Place;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

/// Patients: how the disease went on, and the body mass index as a second target.
fn diabetes() -> Place {
    let place = Place::new();
    for part in ["train", "test"] {
        let name = format!("diabetes_{part}.csv");
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data")).join(&name);
        place.write(&name, std::fs::read(path).expect("the table is there"));
    }
    place
}

/// Rows of two numbers, two targets of two classes that hang on them, the second not known in every fifth row, and a
/// number; the last row has no target.
fn labels(n: usize) -> String {
    let mut text = String::from("a,b,rain,wind,size\n");
    for row in 0..n {
        let (a, b) = (row * 37 % 101, row * 53 % 97);
        let noise = row * 29 % 23;
        let rain = if a + noise > 60 { "yes" } else { "no" };
        let wind = match row % 5 {
            0 => "",
            _ if b + noise > 50 => "strong",
            _ => "calm",
        };
        writeln!(text, "{a},{b},{rain},{wind},{}", a * b).unwrap();
    }
    text + "1,2,,,3\n"
}

fn number(object: &Value, path: &str) -> f64 {
    object.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {path} in {object}"))
}

/// The cells of a column.
fn cells<'t>(csv: &'t str, name: &str) -> Vec<&'t str> {
    let mut lines = csv.lines();
    let at = lines.next().unwrap().split(',').position(|n| n == name).unwrap_or_else(|| panic!("no {name}"));
    lines.map(|line| line.split(',').nth(at).unwrap()).collect()
}

const FIT: &str =
    "fit diabetes_train.csv --target progression --target bmi --folds 3 --test diabetes_test.csv";

#[test]
fn two_numbers_end_to_end() {
    let place = diabetes();
    let fit = place.good(&format!("{FIT} --json -o m.smidgen")).json().unwrap();
    assert_eq!((&fit["task"], &fit["metric"]), (&"multi_regression".into(), &"r2".into()));
    let each: Vec<f64> = (0..2).map(|k| number(&fit, &format!("/targets/{k}/score"))).collect();
    assert!((number(&fit, "/score_test") - (each[0] + each[1]) / 2.0).abs() < 1e-12, "{fit}");
    assert!(each[0] > 0.4 && each[1] > 0.1 && number(&fit, "/score_oof") > 0.3, "{each:?}");
    assert!((number(&fit, "/score_float") - number(&fit, "/score_oof")).abs() < 0.03, "{fit}");

    // The same bytes by the names side by side, on any number of threads.
    let bytes = std::fs::read(place.path("m.smidgen")).unwrap();
    let line = FIT.replace("--target progression --target bmi", "--target progression,bmi");
    place.good(&format!("{line} --jobs 3 -o n.smidgen --quiet"));
    assert!(std::fs::read(place.path("n.smidgen")).unwrap() == bytes, "threads");
    assert!(place.good("verify m.smidgen").out.lines().all(|l| l.ends_with("ok") || l.ends_with("skipped")));

    // One tree a round for both, and neither is asked for the other.
    let seen = place.good("inspect m.smidgen --json").json().unwrap();
    assert_eq!(seen["trees"], fit["rounds"]);
    assert_eq!(seen["targets"][1]["name"], "bmi");
    let names: Vec<&str> =
        seen["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"bp") && !names.contains(&"bmi") && !names.contains(&"progression"), "{names:?}");
    assert!(place.good("inspect m.smidgen").out.contains("multi_regression model of \"progression, bmi\""));

    // What is evaluated is what is predicted.
    let told = place.good("evaluate m.smidgen diabetes_test.csv --json").json().unwrap();
    assert_eq!(told["score"], fit["score_test"]);
    let predicted = place.good("predict m.smidgen diabetes_test.csv").out;
    assert!(predicted.starts_with("prediction_progression,prediction_bmi\n"), "{predicted}");
    let table = std::fs::read_to_string(place.path("diabetes_test.csv")).unwrap();
    for (k, name) in ["progression", "bmi"].into_iter().enumerate() {
        let parse = |cells: Vec<&str>| cells.iter().map(|c| c.parse().unwrap()).collect::<Vec<f64>>();
        let (truth, said) =
            (parse(cells(&table, name)), parse(cells(&predicted, &format!("prediction_{name}"))));
        let squares: f64 = truth.iter().zip(&said).map(|(t, s)| (t - s) * (t - s)).sum();
        let rmse = (squares / truth.len() as f64).sqrt();
        let reported = number(&told, &format!("/targets/{k}/metrics/rmse"));
        assert!((rmse / reported - 1.0).abs() < 1e-9, "{name}: {rmse}, not {reported}");
    }
    let text = place.good("evaluate m.smidgen diabetes_test.csv").out;
    assert!(["progression", "bmi", "(mean)", "r2"].iter().all(|word| text.contains(word)), "{text}");
    let text = place.good(&format!("{FIT} -o m.smidgen --quiet")).out;
    assert!(text.contains("(mean)") && text.contains("multi_regression task"), "{text}");

    // Rows go out in any format of the field.
    place.good("export m.smidgen --to onnx -o m.onnx --quiet");
    let onnx = std::fs::read(place.path("m.onnx")).unwrap();
    let has = |name: &str| onnx.windows(name.len()).any(|bytes| bytes == name.as_bytes());
    assert!(has("value_progression") && has("value_bmi"));
    place.good("bench m.smidgen diabetes_test.csv");
}

#[test]
fn two_classes_each_with_rows_that_lack_one() {
    let place = Place::new();
    place.write("t.csv", labels(400));
    let line = "fit t.csv --target rain --target wind --drop size --folds 4";
    let fit = place.good(&format!("{line} --json -o m.smidgen")).json().unwrap();
    assert_eq!((&fit["task"], &fit["metric"]), (&"multilabel".into(), &"roc_auc".into()));
    assert_eq!(fit["rows"], 400);
    assert_eq!(fit["targets"][0]["rows"], 400);
    assert_eq!(fit["targets"][1]["rows"], 320);
    assert_eq!(fit["targets"][1]["classes"], serde_json::json!(["calm", "strong"]));
    assert!((0..2).all(|k| number(&fit, &format!("/targets/{k}/score")) > 0.9), "{fit}");
    let codes: Vec<&str> =
        fit["warnings"].as_array().unwrap().iter().map(|w| w["code"].as_str().unwrap()).collect();
    assert_eq!(codes.iter().filter(|code| **code == "missing_target").count(), 2, "{codes:?}");
    place.good("verify m.smidgen");

    let predicted = place.good("predict m.smidgen t.csv --proba --keep a").out;
    let header = "a,prediction_rain,p_rain_no,p_rain_yes,prediction_wind,p_wind_calm,p_wind_strong\n";
    assert!(predicted.starts_with(header), "{predicted}");
    let told = place.good("evaluate m.smidgen t.csv --json").json().unwrap();
    let wrong = |name: &str| {
        let table = labels(400);
        let pairs = cells(&table, name).into_iter().zip(cells(&predicted, &format!("prediction_{name}")));
        let known: Vec<_> = pairs.filter(|(truth, _)| !truth.is_empty()).map(|(t, p)| t == p).collect();
        known.iter().filter(|right| **right).count() as f64 / known.len() as f64
    };
    for (k, name) in ["rain", "wind"].into_iter().enumerate() {
        let accuracy = number(&told, &format!("/targets/{k}/metrics/accuracy"));
        assert!((wrong(name) - accuracy).abs() < 1e-12, "{name}: {accuracy}");
    }
    // A metric of labels gives each target its threshold; trees of one class each are shared by none.
    let options = "--metric f1 --set gbdt.class_trees=one_per_class --json -o f.smidgen";
    let fit = place.good(&format!("{line} {options}")).json().unwrap();
    assert!(number(&fit, "/score") > 0.85, "{fit}");
    place.good("verify f.smidgen");
}

#[test]
fn a_search_changes_boosted_trees_alone() {
    let place = diabetes();
    let fit = place.good(&format!("{FIT} --work 12 --json -o m.smidgen")).json().unwrap();
    let trials = fit["trials"].as_array().unwrap();
    assert!(trials.len() > 1, "{trials:?}");
    let are_trees = trials.iter().all(|trial| trial["recipe"].as_str().unwrap().starts_with("gbdt"));
    assert!(are_trees && fit["members"].as_array().unwrap().len() == 1, "{fit}");
    let size = number(&fit, "/bytes") as usize / 2;
    let small = format!("{FIT} --work 12 --max-bytes {size} --json -o s.smidgen");
    let small = place.good(&small).json().unwrap();
    assert!(number(&small, "/bytes") <= size as f64, "{small}");
}

#[test]
fn what_is_of_one_target_is_refused() {
    let place = Place::new();
    place.write("t.csv", labels(60));
    place.write("costs.csv", "cost,no,yes\nno,0,1\nyes,5,0\n");
    place.good("fit t.csv --target rain --drop wind,size --set gbdt.n_trees=3 -o one.smidgen");
    place.good("fit t.csv --target rain --target wind --drop size --set gbdt.n_trees=3 -o two.smidgen");
    let two = "fit t.csv --target rain --target wind --drop size -o out.smidgen";
    let fits = [
        ("--from one.smidgen", 3, "--from: 2 targets are given"),
        ("--teacher one.smidgen --work 9", 3, "--teacher: 2 targets are given"),
        ("--costs costs.csv", 3, "--costs: 2 targets are given"),
        ("--positive yes", 3, "--positive: 2 targets are given"),
        ("--report page.html", 3, "--report: 2 targets are given"),
        ("--refit folds", 3, "--refit folds: 2 targets are given"),
        ("--learners forest", 3, "learner forest: a multilabel task is not supported"),
        ("--ensemble average --work 9", 3, "multilabel"),
        ("--calibrator platt", 3, "multilabel"),
        ("--transforms select_anova", 3, "the transform select_anova, which sees the target,"),
        ("--augment mixup", 3, "the augmentation mixup"),
        ("--set gbdt.class_weight=balanced", 3, "a weight of classes"),
        ("--metric rmse", 2, "metric \"rmse\" is not defined for a multilabel task"),
        ("--set gbdt.loss=squared", 2, "loss \"squared\" does not go with two classes"),
        ("--set gbdt.monotone=a:+", 2, "column 0 is to be monotone: expected one score a tree, got 2"),
    ];
    let refused = |line: &str, code: i32, told: &str| {
        let ran = place.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{line}: {}", ran.err);
        assert!(ran.err.contains(told), "{line}: {}", ran.err);
        assert!(!place.path("out.smidgen").exists(), "{line}");
    };
    for (flag, code, told) in fits {
        refused(&format!("{two} {flag}"), code, told);
    }
    refused(&two.replace("wind --drop", "rain --drop"), 2, "--target rain: it is named twice");
    refused(&two.replace("wind --drop size", "size"), 3, "targets \"size\" and \"rain\"");
    refused(&two.replace("wind --drop size", "gone"), 2, "gone");
    let classes = "fit t.csv --target rain --target a --task multiclass -o out.smidgen";
    refused(classes, 2, "rain");
    place.write("three.csv", "x,y,z\n1,a,n\n2,b,m\n3,c,n\n4,a,m\n5,b,n\n");
    refused("fit three.csv --target y --target z -o out.smidgen", 3, "target \"y\": one of several targets");
    for (line, told) in [
        ("predict two.smidgen t.csv --explain", "--explain"),
        ("evaluate two.smidgen t.csv --report page.html", "--report"),
        ("evaluate two.smidgen t.csv --target rain", "--target rain"),
        ("compose one.smidgen two.smidgen --data t.csv --target rain -o out.smidgen", "several targets"),
        ("fit t.csv --target rain --from two.smidgen -o out.smidgen", "several targets"),
    ] {
        refused(line, 3, told);
    }
    place.good("fit t.csv --target a --target size --drop rain,wind --set gbdt.n_trees=3 --task regression -o r.smidgen");
    refused("predict r.smidgen t.csv --proba", 2, "--proba");
}
