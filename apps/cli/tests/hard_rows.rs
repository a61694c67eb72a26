//! Rows that figures are not made for: one class, unseen classes, constant predictions, weights of nothing, two rows,
//! hundreds of classes.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/run.rs"]
mod run;

use run::Place;
use serde_json::Value;

/// `x` tells the class, `z` is noise.
fn table(n_rows: usize, class: impl Fn(usize) -> String) -> String {
    let mut text = "x,z,y\n".to_owned();
    for row in 0..n_rows {
        let noise = row * 7919 % 1000;
        text.push_str(&format!("{}.{:03},{noise}.5,{}\n", row % 10, row * 31 % 1000, class(row)));
    }
    text
}

fn by_x(row: usize) -> String {
    if (row % 10 > 4) != row.is_multiple_of(13) { "yes" } else { "no" }.to_owned()
}

/// A model of yes and no.
fn fitted() -> Place {
    let place = Place::new();
    place.write("train.csv", table(300, by_x));
    place.good("fit train.csv --target y --work 1 --set gbdt.n_trees=10 -o m.smidgen");
    place
}

#[test]
fn rows_of_one_class_have_no_ranks() {
    let place = fitted();
    place.write("one.csv", table(50, |_| "yes".to_owned()));
    let line = "evaluate m.smidgen one.csv --report page.html";
    let said = place.good(&format!("{line} --json")).json().unwrap();
    assert_eq!(
        (&said["score"], &said["interval"], &said["metrics"]["roc_auc"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let known = ["accuracy", "log_loss", "brier"].map(|name| said["metrics"][name].as_f64());
    assert!(known.iter().all(Option::is_some), "{said}");
    assert_eq!(said["confusion"][0], serde_json::json!([0, 0]));
    let page = std::fs::read_to_string(place.path("page.html")).unwrap();
    assert!(page.contains("undefined") && page.contains("<section id=\"classes\">"));
    assert!(place.good(line).out.contains("accuracy"));
    // The same as a test file of a fit.
    let fit = "fit train.csv --target y --work 1 --set gbdt.n_trees=10 --test one.csv --report page.html --json -o other.smidgen";
    let said = place.good(fit).json().unwrap();
    assert_eq!((&said["score"], &said["score_test"]), (&Value::Null, &Value::Null));
    assert!(said["score_oof"].as_f64() > Some(0.5));
    let ran = place.run("evaluate m.smidgen one.csv --min-score 0.5");
    assert_eq!(ran.code, 1, "what is undefined reaches nothing");
    assert!(ran.err.contains("roc_auc undefined, 0.5 was demanded"), "{}", ran.err);
}

#[test]
fn unseen_classes_two_rows_and_no_row() {
    let place = fitted();
    place.write("unseen.csv", table(40, |row| if row % 4 == 0 { "maybe".to_owned() } else { by_x(row) }));
    let ran = place.run("evaluate m.smidgen unseen.csv --report page.html --json");
    assert_eq!(ran.code, 2);
    let message = ran.json().unwrap()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("\"maybe\" (10 rows)") && message.contains("--drop-unseen"), "{message}");
    assert!(!place.path("page.html").exists());
    let line = "evaluate m.smidgen unseen.csv --drop-unseen --report page.html --json";
    let said = place.good(line).json().unwrap();
    assert_eq!(said["rows"], 30);
    assert_eq!(said["warnings"][0]["code"], "unseen_class");
    let page = std::fs::read_to_string(place.path("page.html")).unwrap();
    assert!(page.contains("10 rows have a class") && page.contains("--drop-unseen"));
    place.write("two.csv", table(2, |row| ["no", "yes"][row].to_owned()));
    let said = place.good("evaluate m.smidgen two.csv --report page.html --json").json().unwrap();
    assert!(said["rows"] == 2 && said["score"].is_number(), "{said}");
    place.write("none.csv", "x,z,y\n");
    let ran = place.run("evaluate m.smidgen none.csv --report page.html");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("none.csv: no row to evaluate"), "{}", ran.err);
    let ran = place.run("fit two.csv --target y --work 1 --report page.html -o two.smidgen");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("2 row(s) with a target, at least 4 are needed"), "{}", ran.err);
}

#[test]
fn constant_predictions_and_weights_of_nothing() {
    let place = Place::new();
    // Nothing to learn: the target hangs on no column, and trees may not split.
    place.write("train.csv", table(200, |row| ["no", "yes"][row * 7 % 3 % 2].to_owned()));
    let fit = "fit train.csv --target y --work 1 --set gbdt.n_trees=3 --set gbdt.min_leaf_rows=150 --report page.html --json";
    let said = place.good(fit).json().unwrap();
    let score = said["score"].as_f64().unwrap();
    assert!((score - 0.5).abs() < 0.1, "{score}");
    assert!(said["floats"]["rank_correlation"].is_null(), "nothing is ordered: {said}");
    let page = std::fs::read_to_string(place.path("page.html")).unwrap();
    assert!(page.contains("underfits"), "the page says so");
    place.write("number.csv", table(200, |row| (row * 7 % 3).to_string()));
    let fit = "fit number.csv --target y --task regression --work 1 --set gbdt.n_trees=3 --set gbdt.min_leaf_rows=150 --report page.html --json";
    assert!(place.good(fit).json().unwrap()["metrics"]["r2"].as_f64().unwrap() < 0.1);
    let weighted = table(200, by_x).replace(".5,", ".5,0,").replace("x,z,y", "x,z,w,y");
    place.write("weighted.csv", weighted);
    let ran =
        place.run("fit weighted.csv --target y --row-weight w --work 1 --report page2.html -o w.smidgen");
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("weigh"), "{}", ran.err);
    assert!(!place.path("w.smidgen").exists() && !place.path("page2.html").exists());
}

#[test]
fn integers_that_explain_themselves_otherwise_are_warned_of() {
    let place = Place::new();
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data");
    let fit = format!(
        "fit {examples}/breast_cancer_train.csv --target diagnosis --learners gaussian_nb --work 1 --folds 3 --report page.html --json"
    );
    let rank = |said: &Value| said["floats"]["rank_correlation"].as_f64().unwrap();
    let codes = |said: &Value| {
        let warnings = said["warnings"].as_array().unwrap();
        warnings.iter().map(|w| w["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let fine = place.good(&fit).json().unwrap();
    assert!(rank(&fine) >= 0.95 && !codes(&fine).contains(&"explanations_differ".to_owned()), "{fine}");
    let coarse = place.good(&format!("{fit} --set gaussian_nb.table_bits=4")).json().unwrap();
    assert!(rank(&coarse) < 0.95 && codes(&coarse).contains(&"explanations_differ".to_owned()), "{coarse}");
    assert!(coarse["floats"]["p_value"].as_f64().unwrap() < 0.05, "four bits cost score");
    let page = std::fs::read_to_string(place.path("page.html")).unwrap();
    assert!(page.contains("they explain themselves differently"));
}

#[test]
fn hundreds_of_classes_stay_readable() {
    let place = Place::new();
    place.write("train.csv", {
        let mut text = "a,b,y\n".to_owned();
        for row in 0..3000 {
            let class = row % 500;
            text.push_str(&format!("{}.{},{}.5,class {class}\n", class, row / 500, class * 7 % 500));
        }
        text
    });
    let fit = "fit train.csv --target y --learners gaussian_nb --work 1 --folds 2 --report page.html --json -o m.smidgen";
    let said = place.good(fit).json().unwrap();
    assert_eq!(said["classes"].as_array().unwrap().len(), 500);
    let page = std::fs::read_to_string(place.path("page.html")).unwrap();
    assert!(page.len() < 3_000_000, "{} bytes", page.len());
    assert!(page.contains("470 more are not shown"), "classes");
    assert!(place.good("evaluate m.smidgen train.csv").out.contains("(488 more classes in --json)"));
}
