//! What `predict --explain` writes beside a prediction.

#[path = "support/run.rs"]
mod run;
#[path = "support/tables.rs"]
mod tables;
#[path = "support/written.rs"]
mod written;

use run::Place;
use tables::{Asks, table};
use written::{predictions, records};

/// A folder with `train.csv`, rows 0 to 400, `new.csv`, rows 400 to 460, and `m.smidgen`.
fn fitted(asks: Asks, learner: &str) -> Place {
    let place = Place::new();
    place.write("train.csv", table(asks, 0..400));
    place.write("new.csv", table(asks, 400..460));
    let line = format!("fit train.csv --target y --drop w --work 1 --folds 2 {learner} -o m.smidgen --json");
    let report = place.good(&line).json().expect("one object");
    assert_eq!(report["status"], "ok");
    place
}

const GBDT: &str = "--set gbdt.n_trees=15";

/// The attributions that the reasons of a record name, and the texts before them.
fn amounts(record: &[String]) -> Vec<(String, f64)> {
    let reasons = record.iter().filter(|cell| !cell.is_empty());
    reasons
        .map(|reason| {
            let (cell, amount) = reason.rsplit_once(": ").expect("a cell and its attribution");
            assert!(amount.starts_with(['+', '-']), "{reason}");
            (cell.to_owned(), amount.parse().expect("a number"))
        })
        .collect()
}

#[test]
fn reasons_and_base_sum_up_to_the_score() {
    // Each kind of part: trees, tables, products with tables, neighbours, similarities, votes.
    for learner in [
        GBDT,
        "--learners ebm",
        "--learners logistic",
        "--learners knn --calibrator none",
        "--learners svm",
        "--learners forest --set forest.n_trees=10 --calibrator none",
        "--learners forest --set forest.n_trees=10 --calibrator platt",
    ] {
        let place = fitted(Asks::Binary, learner);
        let line = "predict m.smidgen new.csv --proba --explain";
        let written = place.good(line).out;
        assert_eq!(place.good(&format!("{line} --jobs 1")).out, written, "{learner}: threads change nothing");
        let records = records(&written);
        let header = ["prediction", "p_no", "p_yes", "reason_1", "reason_2", "reason_3", "base"];
        assert_eq!(records[0], header, "{learner}");
        assert_eq!(records.len(), 61, "{learner}");
        let plain = predictions(&place.good("predict m.smidgen new.csv"));
        for (record, prediction) in records[1..].iter().zip(plain) {
            assert_eq!(record[0], prediction, "{learner}: rows in order");
            let p: f64 = record[if record[0] == "yes" { 2 } else { 1 }].parse().unwrap();
            let base: f64 = record[6].parse().unwrap();
            let amounts = amounts(&record[3..6]);
            assert!(amounts.windows(2).all(|a| a[0].1.abs() >= a[1].1.abs()), "{record:?}");
            // The model has three columns, so all of them are named.
            let score = base + amounts.iter().map(|(_, amount)| amount).sum::<f64>();
            let is_share = learner.contains("--calibrator none");
            let expected = if is_share { p } else { (p / (1.0 - p)).ln() };
            let rounding = 0.006 * amounts.iter().map(|(_, a)| a.abs()).sum::<f64>() + 0.002;
            assert!((score - expected).abs() < rounding, "{learner}: {record:?}: {score} {expected}");
        }
        let named = |column: &str| written.contains(&format!("{column}="));
        assert!(named("age") && named("income") && named("city"), "{learner}");
        assert!(written.contains("income=?: "), "{learner}: some incomes are missing");
    }
}

#[test]
fn a_value_is_explained_in_its_unit() {
    let place = fitted(Asks::Regression, GBDT);
    let records = records(&place.good("predict m.smidgen new.csv --keep age --explain").out);
    assert_eq!(records[0], ["age", "prediction", "reason_1", "reason_2", "reason_3", "base"]);
    for record in &records[1..] {
        let value: f64 = record[1].parse().unwrap();
        let amounts = amounts(&record[2..5]);
        let score = record[5].parse::<f64>().unwrap() + amounts.iter().map(|(_, a)| a).sum::<f64>();
        assert!((score - value).abs() < 0.05, "{record:?}");
        let age = amounts.iter().find(|(cell, _)| cell.starts_with("age="));
        assert!(age.is_none_or(|(cell, _)| *cell == format!("age={}", record[0])), "{record:?}");
    }
}

#[test]
fn several_classes_transforms_and_odd_tables() {
    let place = fitted(Asks::Multiclass, &format!("{GBDT} --transforms one_hot,standard"));
    let written = place.good("predict m.smidgen new.csv --explain").out;
    let records_of_new = records(&written);
    assert_eq!(records_of_new.len(), 61);
    assert!(records_of_new[1..].iter().all(|record| !amounts(&record[1..4]).is_empty()), "{written}");
    // Unseen and missing cells; the only row of a table is all that it is compared with.
    place.write("odd.csv", "age,income,city\n,,\n40,500,Atlantis\n90,,Bonn\n");
    assert_eq!(records(&place.good("predict m.smidgen odd.csv --explain").out).len(), 4);
    place.write("one.csv", "age,income,city\n40,500,Bonn\n");
    let one = records(&place.good("predict m.smidgen one.csv --explain").out);
    assert_eq!(one[1][1..4], ["", "", ""], "nothing moved it away from itself");
    place.write("none.csv", "age,income,city\n");
    let none = place.good("predict m.smidgen none.csv --explain").out;
    assert_eq!(none, "prediction,reason_1,reason_2,reason_3,base\n");
    place.good("predict m.smidgen new.csv --explain -o out.parquet --quiet");
}

#[test]
fn a_model_that_makes_columns_has_no_reasons() {
    let place = Place::new();
    place.write("t.csv", table(Asks::Binary, 0..100));
    place.good("prepare t.csv --transforms standard -o columns.smidgen");
    let ran = place.run("predict columns.smidgen t.csv --explain");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    let message = "predict: --explain needs a model that predicts, and this one makes columns; leave it out";
    assert!(ran.err.contains(message), "{}", ran.err);
}
