//! `fit --from`: a model is trained further on rows that it has not seen.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/run.rs"]
mod run;
#[path = "support/tables.rs"]
mod tables;

use run::Place;
use serde_json::Value;
use std::ops::Range;
use tables::{Asks, table};

const DIGITS: &str = include_str!("../../../examples/data/digits.csv");
const ALL: [Asks; 3] = [Asks::Binary, Asks::Multiclass, Asks::Regression];

/// The header and some rows of the digits.
fn digits(rows: Range<usize>) -> String {
    let mut lines = DIGITS.lines();
    let header = lines.next().unwrap_or_default();
    let rows = lines.skip(rows.start).take(rows.len());
    std::iter::once(header).chain(rows).map(|line| format!("{line}\n")).collect()
}

/// Tables `old.csv`, `new.csv` and `test.csv`, rows 0 to 400, 400 to 800 and 800 to 1400.
fn place(asks: Asks) -> Place {
    let place = Place::new();
    for (name, rows) in [("old.csv", 0..400), ("new.csv", 400..800), ("test.csv", 800..1400)] {
        place.write(name, table(asks, rows));
    }
    place
}

const QUICK: &str = "--folds 3 --seed 7 --quiet --json";
const TREES: &str = "--set gbdt.n_trees=25 --set gbdt.max_leaves=6";

fn fit(place: &Place, line: &str) -> Value {
    let work = if line.contains("--work") { "" } else { "--work 1" };
    place.good(&format!("fit {line} {QUICK} {work}")).json().unwrap()
}

fn score(place: &Place, model: &str, metric: &str) -> f64 {
    let line = format!("evaluate {model} test.csv --metric {metric} --json --quiet");
    place.good(&line).json().unwrap()["score"].as_f64().unwrap()
}

fn bytes(place: &Place, name: &str) -> Vec<u8> {
    std::fs::read(place.path(name)).unwrap()
}

fn proves(place: &Place, model: &str) {
    let lines = place.good(&format!("verify {model}")).out;
    assert!(!lines.is_empty() && lines.lines().all(|line| line.ends_with(" ok")), "{model}: {lines}");
}

fn has_warning(said: &Value, code: &str) -> bool {
    said["warnings"].as_array().unwrap().iter().any(|warning| warning["code"] == code)
}

/// Ten classes: after the second half it is better than before it, and than the second half alone.
#[test]
fn the_second_half_of_a_table_makes_it_better() {
    let place = Place::new();
    for (name, rows) in [("old.csv", 0..700), ("new.csv", 700..1400), ("test.csv", 1400..1797)] {
        place.write(name, digits(rows));
    }
    let rest = "--target digit --calibrator none --set gbdt.n_trees=40 --set gbdt.max_leaves=8";
    fit(&place, &format!("old.csv {rest} -o old.smidgen"));
    fit(&place, &format!("new.csv {rest} -o alone.smidgen"));
    let said = fit(&place, &format!("new.csv {rest} --from old.smidgen --test test.csv -o new.smidgen"));
    proves(&place, "new.smidgen");
    let [old, alone, new] =
        ["old", "alone", "new"].map(|m| score(&place, &format!("{m}.smidgen"), "log_loss"));
    assert!(new < 0.8 * old && new < 0.8 * alone, "{new} after {old}, {alone} alone");
    assert_eq!(said["score_test"].as_f64().unwrap(), new);
    // Of the base on the new rows, as it is on any that it has not seen.
    let (base, oof) = (said["score_base"].as_f64().unwrap(), said["score_oof"].as_f64().unwrap());
    assert!((base - old).abs() < 0.3 * old && oof < 0.8 * base, "{base} and {oof}, {old} on test rows");
    let members = said["members"].as_array().unwrap();
    assert_eq!([&members[0]["learner"], &members[1]["learner"]], ["base", "gbdt"]);
    assert_eq!(members[0]["bytes"].as_u64().unwrap() as usize, bytes(&place, "old.smidgen").len());
    assert!(!has_warning(&said, "base_is_better") && !has_warning(&said, "base_has_seen_rows"), "{said}");
    // Columns that are always 0 in one half are taken all the same.
    let both = place.good("predict new.smidgen test.csv").out;
    assert_eq!(both.lines().count(), 398);
}

#[test]
fn what_a_model_alone_scores_is_what_evaluate_says() {
    for asks in ALL {
        let place = place(asks);
        let rest = format!("--target y --drop w --calibrator none {TREES}");
        fit(&place, &format!("old.csv {rest} -o old.smidgen"));
        let said = fit(&place, &format!("new.csv {rest} --from old.smidgen -o new.smidgen"));
        let line = "evaluate old.smidgen new.csv --json --quiet";
        let alone = place.good(line).json().unwrap()["score"].as_f64().unwrap();
        let base = said["score_base"].as_f64().unwrap();
        assert!((base - alone).abs() < 1e-12, "{asks:?}: {base} and {alone}");
        // What it gains out of fold it gains on other rows, about.
        let metric = said["metric"].as_str().unwrap();
        let [before, after] = ["old.smidgen", "new.smidgen"].map(|model| score(&place, model, metric));
        let oof = said["score_oof"].as_f64().unwrap();
        assert!((oof / base - after / before).abs() < 0.1, "{asks:?}: {base} to {oof}, {before} to {after}");
        let float = said["score_float"].as_f64().unwrap();
        assert!((oof - float).abs() < 0.05 * oof, "{asks:?}: {oof}, {float} in floats");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for asks in ALL {
        let place = place(asks);
        fit(&place, &format!("old.csv --target y --drop w --calibrator none {TREES} -o old.smidgen"));
        let line = "new.csv --target y --drop w --from old.smidgen --work 6";
        let first = fit(&place, &format!("{line} --jobs 1 -o a.smidgen"));
        fit(&place, &format!("{line} --jobs 2 -o b.smidgen"));
        assert!(bytes(&place, "a.smidgen") == bytes(&place, "b.smidgen"), "{asks:?}");
        proves(&place, "a.smidgen");
        let said = first["command"].as_str().unwrap();
        assert!(
            said.contains("--from old.smidgen") && first["trials"].as_array().unwrap().len() > 2,
            "{said}"
        );
        place.good(&said.replace("smidgen fit", "fit").replace("a.smidgen", "c.smidgen"));
        assert!(bytes(&place, "a.smidgen") == bytes(&place, "c.smidgen"), "{asks:?}: {said}");
        // What was tried is kept for the same base alone.
        fit(&place, &format!("{line} --resume trials -o d.smidgen").replace("--work 6", "--work 4"));
        let more = fit(&place, &format!("{line} --resume trials -o e.smidgen"));
        assert!(more["trials_known"].as_u64().unwrap() >= 3, "{asks:?}: {}", more["trials_known"]);
        assert!(bytes(&place, "a.smidgen") == bytes(&place, "e.smidgen"), "{asks:?}");
        let other = format!("{line} --resume trials -o f.smidgen").replace("old.smidgen", "a.smidgen");
        assert_eq!(fit(&place, &other)["trials_known"], 0);
    }
}

/// Models of other learners, on grids of their own, and several of them together.
#[test]
fn any_score_that_a_link_takes_can_be_gone_on_from() {
    let mut most_members = 0;
    for asks in ALL {
        let place = place(asks);
        let (linear, metric) = match asks {
            Asks::Regression => ("ridge", "rmse"),
            Asks::Binary | Asks::Multiclass => ("logistic", "log_loss"),
        };
        let some = format!("--learners gbdt,{linear} --ensemble average --work 4");
        let bases = [format!("--learners {linear}"), "--learners ebm".to_owned(), some];
        for (at, base) in bases.iter().enumerate() {
            let (old, new) = (format!("old{at}.smidgen"), format!("new{at}.smidgen"));
            fit(&place, &format!("old.csv --target y --drop w --calibrator none {base} -o {old}"));
            let rest = format!("--target y --drop w {TREES} --from {old} -o {new}");
            let said = fit(&place, &format!("new.csv {rest}"));
            proves(&place, &new);
            let [before, after] = [&old, &new].map(|model| score(&place, model, metric));
            // 400 rows of noise may take back a little of what is good already.
            assert!(after < 1.1 * before, "{asks:?} {base}: {after} after {before}");
            assert_eq!(said["exact"], true);
            // Once more: as the mean of folds, and of several candidates.
            let line = format!("new.csv --target y --drop w --ensemble average --work 8 --from {old}");
            let said = fit(&place, &format!("{line} -o several.smidgen"));
            most_members = most_members.max(said["members"].as_array().unwrap().len());
            proves(&place, "several.smidgen");
            let line =
                format!("old.csv --target y --drop w {TREES} --refit folds --from {new} -o more.smidgen");
            fit(&place, &line);
            proves(&place, "more.smidgen");
        }
    }
    // The base, and more than one candidate.
    assert!(most_members > 2);
}

#[test]
fn columns_may_come_and_go() {
    let place = place(Asks::Regression);
    // Whole numbers become fractions; one column is constant, so nothing new is learnt from it; another is new.
    let changed = |text: String| -> String {
        let mut lines = text.lines();
        lines.next();
        let cells = lines.map(|line| line.split(',').collect::<Vec<_>>());
        let row = |(at, cells): (usize, Vec<&str>)| {
            let y: f64 = cells[4].parse().unwrap();
            let y = y + 3.0 * f64::from(at as u32 % 5);
            format!("{}.5,{},Bonn,{},{y},{}\n", cells[0], cells[1], cells[3], at % 5)
        };
        std::iter::once("age,income,city,w,y,late\n".to_owned()).chain(cells.enumerate().map(row)).collect()
    };
    place.write("new.csv", changed(table(Asks::Regression, 400..800)));
    place.write("test.csv", changed(table(Asks::Regression, 800..1400)));
    fit(&place, &format!("old.csv --target y --drop w {TREES} -o old.smidgen"));
    let said = fit(&place, &format!("new.csv --target y --drop w {TREES} --from old.smidgen -o new.smidgen"));
    assert!(has_warning(&said, "constant_column"), "{said}");
    proves(&place, "new.smidgen");
    let columns = place.good("inspect new.smidgen --json").json().unwrap();
    let names: Vec<&str> =
        columns["columns"].as_array().unwrap().iter().map(|i| i["name"].as_str().unwrap()).collect();
    assert!(["age", "city", "late"].iter().all(|name| names.contains(name)), "{names:?}");
    let [before, after] = ["old.smidgen", "new.smidgen"].map(|model| score(&place, model, "rmse"));
    assert!(after < 0.5 * before, "{after} after {before}");
}

/// Where nothing is left to learn, the file grows by a few bytes; forests share their codes.
#[test]
fn a_little_more_is_a_little_longer() {
    let place = place(Asks::Binary);
    fit(&place, "old.csv --target y --drop w --calibrator none --set gbdt.n_trees=60 -o old.smidgen");
    let length = |name: &str| bytes(&place, name).len();
    let mut last = "old.smidgen".to_owned();
    for n in 0..3 {
        let next = format!("m{n}.smidgen");
        let line = "new.csv --target y --drop w --set gbdt.n_trees=1 --set gbdt.max_leaves=3";
        fit(&place, &format!("{line} --from {last} -o {next}"));
        let more = length(&next) as i64 - length(&last) as i64;
        assert!(more < 250, "{more} bytes more, {} before", length(&last));
        proves(&place, &next);
        last = next;
    }
}

#[test]
fn it_says_when_the_base_has_seen_the_rows_or_is_better() {
    let place = place(Asks::Binary);
    fit(&place, &format!("old.csv --target y --drop w --calibrator none {TREES} -o old.smidgen"));
    let line = "--target y --drop w --from old.smidgen -o new.smidgen";
    let said = fit(&place, &format!("old.csv {TREES} {line}"));
    assert!(has_warning(&said, "base_has_seen_rows"), "{said}");
    place.write("few.csv", table(Asks::Binary, 400..440));
    let steep = "--set gbdt.n_trees=40 --set gbdt.learning_rate=1 --set gbdt.min_leaf_rows=1";
    let said = fit(&place, &format!("few.csv {steep} {line}"));
    assert!(has_warning(&said, "base_is_better"), "{said}");
    let text = place.good(&format!("fit few.csv {steep} --folds 3 {line} --work 1 --quiet")).out;
    assert!(text.contains("goes on from old.smidgen") && text.contains("base alone"), "{text}");
    assert!(!text.contains("an ensemble"), "{text}");
}

/// Rows may lack a class; weights, transforms and a report go with it.
#[test]
fn it_goes_with_other_options() {
    let place = place(Asks::Multiclass);
    fit(&place, &format!("old.csv --target y --drop w --calibrator none {TREES} -o old.smidgen"));
    let few: String = table(Asks::Multiclass, 400..800)
        .lines()
        .filter(|l| !l.ends_with(",mid"))
        .map(|l| format!("{l}\n"))
        .collect();
    place.write("few.csv", few);
    let rest = "--target y --row-weight w --transforms target_encode:keep=yes --from old.smidgen";
    let said =
        fit(&place, &format!("few.csv {rest} {TREES} --report r.html --max-bytes 20kB -o new.smidgen"));
    assert_eq!(said["classes"], serde_json::json!(["high", "low", "mid"]));
    proves(&place, "new.smidgen");
    let page = std::fs::read_to_string(place.path("r.html")).unwrap();
    assert!(page.contains("goes on from") && page.contains("base alone"));
    // What a base knows of earlier rows it knows of the whole table.
    let ordered = |rows: Range<u64>| -> String {
        let row = |day: u64| format!("{day},{},{}\n", day * 7 % 11, (day * 7 % 11 + (day + 10) * 7 % 11) % 5);
        std::iter::once("day,x,y\n".to_owned()).chain(rows.map(row)).collect()
    };
    place.write("first.csv", ordered(0..300));
    place.write("later.csv", ordered(300..500));
    let line = format!("--target y --task regression --order day {TREES}");
    fit(&place, &format!("first.csv {line} -o first.smidgen"));
    let said = fit(&place, &format!("later.csv {line} --from first.smidgen -o later.smidgen"));
    let alone = place.good("evaluate first.smidgen later.csv --json --quiet").json().unwrap();
    assert_eq!(said["score_base"], alone["score"]);
    proves(&place, "later.smidgen");
    let named = format!("new.csv {TREES} --target y --drop w --calibrator temperature --from old.smidgen");
    let said = fit(&place, &format!("{named} -o calibrated.smidgen"));
    assert_eq!(said["calibration"]["method"], "temperature");
    proves(&place, "calibrated.smidgen");
    place.good("export calibrated.smidgen --to onnx -o m.onnx");
}

#[test]
fn what_cannot_be_gone_on_from_is_refused() {
    let place = place(Asks::Binary);
    let good = format!("--target y --drop w --calibrator none {TREES}");
    fit(&place, &format!("old.csv {good} -o old.smidgen"));
    let platt = "--target y --drop w --calibrator platt --set gbdt.n_trees=5";
    fit(&place, &format!("old.csv {platt} -o calibrated.smidgen"));
    let forest = "--learners forest --set forest.n_trees=5";
    fit(&place, &format!("old.csv --target y --drop w --calibrator none {forest} -o votes.smidgen"));
    place.good("prepare old.csv --drop w,y,city --transforms standard -o columns.smidgen");
    for (name, asks) in [("three.csv", Asks::Multiclass), ("number.csv", Asks::Regression)] {
        place.write(name, table(asks, 0..200));
        fit(&place, &format!("{name} {good} -o {}", name.replace("csv", "smidgen")));
    }
    let repeated = |header: &str, rows: &str| format!("{header}\n{}", rows.repeat(20));
    place.write("counts.csv", repeated("x,y", "1,0\n2,1\n3,2\n4,1\n5,3\n6,4\n7,2\n8,5\n"));
    let counts = "counts.csv --target y --task regression --learners poisson";
    fit(&place, &format!("{counts} -o counts.smidgen"));
    place.write("narrow.csv", repeated("age,city,w,y", "20,Bonn,1,yes\n50,Trier,1,no\n"));
    let text = table(Asks::Binary, 0..100).replace(",?,", ",much,");
    place.write("text.csv", text);
    let cases = [
        (
            "new.csv",
            "calibrated.smidgen",
            "",
            3,
            "calibrated.smidgen: a fit cannot go on from this model: its probabilities are calibrated",
        ),
        ("new.csv", "votes.smidgen", "", 3, "its scores are votes"),
        ("new.csv", "columns.smidgen", "", 3, "it makes columns and predicts nothing"),
        (
            "three.csv",
            "old.smidgen",
            "",
            2,
            "old.smidgen answers a binary task: target \"y\": expected one of no, yes, got \"",
        ),
        (
            "number.csv",
            "old.smidgen",
            "",
            2,
            "old.smidgen answers a binary task: target \"y\": expected one of no, yes",
        ),
        ("new.csv", "number.smidgen", "", 2, "number.smidgen answers a regression task"),
        ("new.csv", "three.smidgen", "", 2, "three.smidgen answers a multiclass task"),
        (
            "new.csv",
            "old.smidgen",
            "--task multiclass",
            2,
            "--task multiclass: old.smidgen answers a binary task",
        ),
        ("narrow.csv", "old.smidgen", "", 2, "old.smidgen: narrow.csv: no column \"income\""),
        ("text.csv", "old.smidgen", "", 2, "column \"income\""),
        (
            "new.csv",
            "old.smidgen",
            "--types age=category",
            2,
            "--types age=category: old.smidgen takes this column as number",
        ),
        ("new.csv", "old.smidgen", "--drop age", 2, "--drop age: old.smidgen takes this column"),
        (
            "new.csv",
            "old.smidgen",
            "--learners logistic",
            3,
            "learner logistic: it cannot go on from the scores of a model",
        ),
        ("new.csv", "old.smidgen", "--set tree.max_leaves=4", 3, "learner tree: it cannot go on"),
        (
            "new.csv",
            "old.smidgen",
            "--augment noise",
            3,
            "--augment noise: the model that the fit goes on from",
        ),
        (
            "counts.csv",
            "counts.smidgen",
            "",
            3,
            "expected a linear link, got exponential; set its loss to poisson",
        ),
        ("new.csv", "none.smidgen", "", 2, "none.smidgen"),
    ];
    for (table, model, rest, code, says) in cases {
        let drop = if table == "counts.csv" || rest.contains("--drop") { "" } else { "--drop w" };
        let line =
            format!("fit {table} --target y {drop} {rest} --from {model} --folds 2 -o out.smidgen --quiet");
        let ran = place.run(&line);
        assert_eq!(ran.code, code, "{line}\n{}", ran.err);
        assert!(ran.err.contains(says), "{line}\n{}", ran.err);
        assert!(!place.path("out.smidgen").exists(), "{line}");
    }
    let over = place.run("fit new.csv --target y --drop w --from old.smidgen -o old.smidgen");
    assert_eq!(over.code, 2, "{}", over.err);
    // The loss that its link asks for.
    fit(&place, "counts.csv --target y --from counts.smidgen --set gbdt.loss=poisson -o more.smidgen");
    proves(&place, "more.smidgen");
}
