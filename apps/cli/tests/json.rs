//! The JSON objects: every key with its type, figures that hold when computed by hand, commands that
//! give the same bytes again.

#[path = "support/run.rs"]
mod run;
#[path = "support/tables.rs"]
mod tables;

use run::{Place, Ran};
use serde_json::Value;
use std::process::Command;
use tables::{Asks, noise, table};

/// A folder with `train.csv`, rows 0 to 800, and `test.csv`, rows 800 to 1100.
fn place(asks: Asks) -> Place {
    let place = Place::new();
    place.write("train.csv", table(asks, 0..800));
    place.write("test.csv", table(asks, 800..1100));
    place
}

fn model(place: &Place, name: &str) -> Vec<u8> {
    std::fs::read(place.path(name)).expect("the model was written")
}

/// What a key must hold: types, `?` where null is allowed.
fn is(value: &Value, kind: &str) -> bool {
    let each = |of: &dyn Fn(&Value) -> bool| value.as_array().is_some_and(|a| a.iter().all(of));
    let keys = |value: &Value, names: &[&str]| names.iter().all(|name| value.get(name).is_some());
    match kind {
        _ if kind.ends_with('?') && value.is_null() => true,
        _ if kind.ends_with('?') => is(value, kind.trim_end_matches('?')),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "count" => value.is_u64(),
        "bool" => value.is_boolean(),
        "text" => value.as_str().is_some_and(|text| !text.is_empty()),
        "texts" => each(&|v| v.is_string()),
        "members" => each(&|v| keys(v, &["learner", "weight", "bytes"])) && value[0]["weight"].is_number(),
        "front" => {
            each(&|v| keys(v, &["point", "score", "bytes", "cost_ns"]))
                && value[0]["score"].is_number()
                && value[0]["cost_ns"].is_number()
        }
        "warnings" => each(&|v| keys(v, &["code", "column", "text"])),
        "metrics" => value.as_object().is_some_and(|m| !m.is_empty() && m.values().all(Value::is_number)),
        "interval" => each(&Value::is_number) && value[0].as_f64() <= value[1].as_f64(),
        "averages" => keys(value, &["macro", "micro", "weighted"]),
        "confusion" => each(&|row| row.as_array().is_some_and(|row| row.iter().all(Value::is_u64))),
        word => value == word,
    }
}

fn check(what: &str, object: &Value, keys: &[(&str, &str)]) {
    let wrong = keys.iter().filter(|(key, kind)| !object.get(key).is_some_and(|value| is(value, kind)));
    let wrong: Vec<String> = wrong.map(|(key, kind)| format!("{key}: {kind}, got {}", object[key])).collect();
    assert!(wrong.is_empty(), "{what}: {wrong:?}");
}

#[test]
fn every_key_has_its_type() {
    for (asks, task, metric) in [
        (Asks::Binary, "binary", "roc_auc"),
        (Asks::Multiclass, "multiclass", "log_loss"),
        (Asks::Regression, "regression", "rmse"),
    ] {
        let place = place(asks);
        let (classes, confusion, positive) = match task {
            "binary" => ("texts", "confusion", "yes"),
            "multiclass" => ("texts", "confusion", "null"),
            _ => ("null", "null", "null"),
        };
        let both = [
            ("schema", "count"),
            ("status", "ok"),
            ("task", task),
            ("metric", metric),
            ("score", "number"),
            ("error", "number"),
            ("rows", "count"),
            ("classes", classes),
            ("positive", positive),
            ("bytes", "count"),
            ("cost_ns", "number"),
            ("cost_ns_single", "number"),
            ("ns_per_row", "number"),
            ("ns_single", "number"),
            ("warnings", "warnings"),
            ("exact", "bool"),
        ];
        let fit = [
            ("score_oof", "number"),
            ("score_float", "number?"),
            ("seconds", "number"),
            ("work", "count"),
            ("members", "members"),
            ("front", "front"),
            ("model", "model.smidgen"),
            ("command", "text"),
        ];
        let line = "fit train.csv --target y --work 1 --folds 2 --set gbdt.n_trees=5 --json";
        let oof = place.good(line).json().unwrap();
        let tested = place.good(&format!("{line} --test test.csv")).json().unwrap();
        let evaluated = place.good("evaluate model.smidgen test.csv --json").json().unwrap();
        check(task, &oof, &[("score_on", "oof"), ("score_test", "null"), ("rows_test", "null")]);
        check(task, &tested, &[("score_on", "test"), ("score_test", "number"), ("rows_test", "count")]);
        check(task, &evaluated, &[("score_on", "data"), ("metrics", "metrics"), ("confusion", confusion)]);
        let averages = if confusion == "null" { "null" } else { "averages" };
        check(task, &evaluated, &[("interval", "interval"), ("averages", averages)]);
        for object in [&oof, &tested] {
            check(task, object, &both);
            check(task, object, &fit);
            assert_eq!((&object["schema"], &object["rows"]), (&1.into(), &800.into()));
        }
        check(task, &evaluated, &both);
        assert_eq!((&oof["score"], &tested["score"]), (&oof["score_oof"], &tested["score_test"]));
        assert_eq!((&tested["rows_test"], &evaluated["rows"]), (&300.into(), &300.into()));
        assert_eq!(oof["bytes"], model(&place, "model.smidgen").len());
        assert_eq!(evaluated["bytes"], oof["bytes"]);
        let (score, error) = (oof["score"].as_f64().unwrap(), oof["error"].as_f64().unwrap());
        let expected = if metric == "roc_auc" { 1.0 - score } else { score };
        assert!((error - expected).abs() < 1e-12, "{metric} {score}, error {error}");
    }
}

/// Probabilities (one row each) or predictions, as `predict` writes them, and the true cells.
fn predicted(place: &Place, flags: &str) -> (Vec<String>, Vec<Vec<f64>>, Vec<String>) {
    let ran = place.good(&format!("predict model.smidgen test.csv --keep y {flags}"));
    let mut lines = ran.out.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let header = lines.next().expect("there is a header");
    let (mut truth, mut numbers) = (Vec::new(), Vec::new());
    for line in lines {
        truth.push(line[0].clone());
        // The label of a class is no number; a predicted number is. Probabilities are 32-bit floats.
        let number = |cell: &String| match flags {
            "" => cell.parse::<f64>().ok(),
            _ => cell.parse::<f32>().ok().map(f64::from),
        };
        numbers.push(line[1..].iter().filter_map(number).collect());
    }
    (header[2..].iter().map(|name| name.replacen("p_", "", 1)).collect(), numbers, truth)
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

fn close(what: &str, reported: &Value, by_hand: f64) {
    let reported = reported.as_f64().expect("a score is a number");
    assert!((reported - by_hand).abs() < 1e-9, "{what}: {reported}, by hand {by_hand}");
}

#[test]
fn test_scores_are_those_of_evaluate_and_by_hand() {
    for (asks, metrics) in [
        (Asks::Binary, &["roc_auc", "log_loss", "accuracy", "f1"][..]),
        (Asks::Multiclass, &["log_loss", "accuracy"]),
        (Asks::Regression, &["rmse", "mae", "r2"]),
    ] {
        let place = place(asks);
        for metric in metrics {
            let line =
                "fit train.csv --target y --work 1 --folds 2 --set gbdt.n_trees=20 --test test.csv --json";
            let fit = place.good(&format!("{line} --metric {metric}")).json().unwrap();
            let evaluated = place.good(&format!("evaluate model.smidgen test.csv --json --metric {metric}"));
            let evaluated = evaluated.json().unwrap();
            assert_eq!(fit["score_test"], evaluated["score"], "{metric}");
            assert_eq!(evaluated["score"], evaluated["metrics"][metric], "{metric}");
            let flags = if matches!(asks, Asks::Regression) { "" } else { "--proba" };
            let (classes, numbers, truth) = predicted(&place, flags);
            close(metric, &fit["score_test"], by_hand(metric, &classes, &numbers, &truth));
        }
    }
}

/// A metric from what `predict` writes. Ties between probabilities go to the first class.
fn by_hand(metric: &str, classes: &[String], numbers: &[Vec<f64>], truth: &[String]) -> f64 {
    let label = |p: &Vec<f64>| (1..p.len()).fold(0, |best, k| if p[k] > p[best] { k } else { best });
    let class = |cell: &String| classes.iter().position(|c| c == cell).unwrap_or(usize::MAX);
    let lost = || numbers.iter().zip(truth).map(|(p, cell)| p[0] - cell.parse::<f64>().unwrap_or(f64::NAN));
    let rows = || numbers.iter().zip(truth.iter().map(class));
    let count = |told: usize, is: usize| rows().filter(|(p, c)| label(p) == told && *c == is).count() as f64;
    match metric {
        "log_loss" => mean(rows().map(|(p, c)| -p[c].ln())),
        "accuracy" => mean(rows().map(|(p, c)| f64::from(u8::from(label(p) == c)))),
        "f1" => 2.0 * count(1, 1) / (2.0 * count(1, 1) + count(0, 1) + count(1, 0)),
        "roc_auc" => {
            let of = |class| rows().filter(move |(_, c)| *c == class).map(|(p, _)| p[1]);
            let won = |p: f64, n: f64| if p > n { 1.0 } else { f64::from(u8::from(p == n)) / 2.0 };
            mean(of(1).flat_map(|p| of(0).map(move |n| won(p, n))))
        }
        "mae" => mean(lost().map(f64::abs)),
        "rmse" => mean(lost().map(|d| d * d)).sqrt(),
        "r2" => {
            let middle = mean(truth.iter().map(|cell| cell.parse().unwrap_or(f64::NAN)));
            let spread = mean(
                truth.iter().map(|cell| cell.parse::<f64>().unwrap_or(f64::NAN) - middle).map(|d| d * d),
            );
            1.0 - mean(lost().map(|d| d * d)) / spread
        }
        other => panic!("{other} is not computed here"),
    }
}

/// `fit` with these words, then the shell with the `command` that it prints.
#[test]
fn the_command_gives_the_same_bytes() {
    let text = table(Asks::Binary, 0..300);
    let plain: &[&str] = &["--work", "1", "--folds", "3"];
    let cases: [(&str, &str, &[&str]); 8] = [
        ("t.csv", "y", plain),
        ("t.csv", "y", &["--time", "20", "--learners", "gbdt", "--jobs", "1"]),
        (
            "t.csv",
            "y",
            &["--work", "1", "--holdout", "0.3", "--set", "gbdt.max_leaves=7", "--set", "gbdt.l2=0.1"],
        ),
        (
            "t.csv",
            "y",
            &["--work", "1", "--folds", "2", "--seed", "77", "--row-weight", "w", "--positive", "no"],
        ),
        (
            "t.csv",
            "y",
            &[
                "--work",
                "1",
                "--folds",
                "2",
                "--missing",
                "Bonn,-5",
                "--types",
                "age=category",
                "--drop",
                "income",
            ],
        ),
        (
            "my 'own' table.csv",
            "is it $y?",
            &["--work", "1", "--folds", "2", "--metric", "accuracy", "--task", "binary"],
        ),
        ("t.csv", "-y", &["--work", "1", "--folds", "2", "--drop=-z"]),
        ("t.csv", "y", &["--work", "9", "--learners", "tree,logistic,gaussian_nb", "--max-bytes", "3kB"]),
    ];
    for (data, target, words) in cases {
        let place = Place::new();
        let header = format!("age,income,city,w,{target},-z");
        let rows = text.lines().skip(1).enumerate().map(|(i, line)| format!("\n{line},{}", noise(i as u64)));
        place.write(data, header + &rows.collect::<String>());
        let mut fit = place.command();
        fit.args(["fit", data, "--json", "-o", "the model.smidgen"])
            .arg(format!("--target={target}"))
            .args(words);
        let ran = Ran::of(fit.output().unwrap());
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.err);
        let object = ran.json().unwrap();
        let first = model(&place, "the model.smidgen");
        std::fs::remove_file(place.path("the model.smidgen")).unwrap();
        let command = object["command"].as_str().unwrap();
        // The shell finds the program by its name, as a user's shell does.
        let program = format!("smidgen() {{ {:?} \"$@\"; }}\n{command}", env!("CARGO_BIN_EXE_smidgen"));
        let again =
            Ran::of(Command::new("sh").args(["-c", &program]).current_dir(place.path(".")).output().unwrap());
        assert_eq!(again.code, 0, "{command}: {}", again.err);
        let warnings = object["warnings"].as_array().unwrap();
        let is_told = warnings.iter().any(|warning| warning["code"] == "not_repeated");
        assert!(is_told || model(&place, "the model.smidgen") == first, "{command}: other bytes");
        assert!(!is_told || words.contains(&"--time"), "{words:?}");
    }
}

#[test]
fn threads_change_nothing_and_the_seed_does() {
    let cases = [
        (Asks::Binary, ""),
        (Asks::Binary, "--row-weight w --set gbdt.n_trees=30"),
        (Asks::Binary, "--holdout 0.2"),
        (Asks::Multiclass, "--set gbdt.class_trees=vector"),
        (Asks::Multiclass, "--set gbdt.class_trees=one_per_class"),
        (Asks::Multiclass, "--set gbdt.n_trees=10 --row-weight w"),
        (Asks::Regression, ""),
        (Asks::Regression, "--row-weight w --set gbdt.n_trees=30"),
    ];
    for (asks, flags) in cases {
        let place = Place::new();
        place.write("t.csv", table(asks, 0..3000));
        let folds = if flags.contains("holdout") { "" } else { "--folds 3" };
        let fit = |jobs: u32, seed: u32| {
            let line =
                format!("fit t.csv --target y --work 1 --json {folds} {flags} --jobs {jobs} --seed {seed}");
            let object = place.good(&line).json().unwrap();
            (model(&place, "model.smidgen"), object["score_oof"].clone())
        };
        let (one, two, other) = (fit(1, 0), fit(2, 0), fit(2, 1));
        assert!(one == two, "{asks:?} {flags}: two threads give another model or score");
        assert!(one.0 != other.0 && one.1 != other.1, "{asks:?} {flags}: the seed changes nothing");
        let predict = |jobs: u32| place.good(&format!("predict model.smidgen t.csv --jobs {jobs}")).out;
        assert_eq!(predict(1), predict(2), "{asks:?} {flags}");
    }
}

/// The first number of `roc_auc 0.9, at least 1 was demanded` or `900 bytes, at most ..`.
fn figure(unmet: &str) -> &str {
    let mut words = unmet.split([' ', ',']);
    words.find(|word| word.parse::<f64>().is_ok()).unwrap_or("nothing")
}

#[test]
fn unmet_demands_write_the_model_and_say_so() {
    let cases = [
        (Asks::Binary, "--min-score 1.01", "roc_auc"),
        (Asks::Binary, "--max-bytes 10", "bytes, at most 10"),
        (Asks::Binary, "--metric log_loss --min-score 0", "log_loss"),
        (Asks::Regression, "--min-score 0 --test test.csv", "rmse"),
        (Asks::Regression, "--metric r2 --min-score 1.5 --max-bytes 10", "r2"),
    ];
    for (asks, flags, says) in cases {
        let place = place(asks);
        let line = format!("fit train.csv --target y --work 1 --folds 2 --set gbdt.n_trees=5 {flags}");
        let ran = place.run(&format!("{line} --json"));
        let object = ran.json().unwrap();
        assert_eq!((ran.code, &object["status"]), (1, &"unmet".into()), "{flags}");
        assert!(ran.err.contains(says), "{flags}: {}", ran.err);
        // The figure that was not met is the one of the object, to the last digit.
        let unmet = ran.err.lines().find_map(|line| line.strip_prefix("not met: ")).unwrap_or("");
        let figures = ["score", "bytes"].map(|key| format!("\"{key}\":{},", figure(unmet)));
        assert!(figures.iter().any(|figure| ran.out.contains(figure)), "{flags}: {unmet}: {}", ran.out);
        assert_eq!(object["bytes"], model(&place, "model.smidgen").len());
        assert_eq!(place.run(&line).code, 1, "{flags}");
        place.good("verify model.smidgen");
    }
    let place = place(Asks::Binary);
    let met = "--min-score 0.6 --max-bytes 100kB";
    place.good(&format!("fit train.csv --target y --work 1 --folds 2 --set gbdt.n_trees=5 {met}"));
    for (flags, code, status) in [
        ("--min-score 1.01", 1, "unmet"),
        ("--max-bytes 10", 1, "unmet"),
        ("--min-score 0.6 --max-bytes 100kB", 0, "ok"),
    ] {
        let ran = place.run(&format!("evaluate model.smidgen test.csv --json {flags}"));
        assert_eq!((ran.code, &ran.json().unwrap()["status"]), (code, &status.into()), "{flags}");
    }
}

#[test]
fn rows_of_unseen_classes_are_left_out_when_asked() {
    let place = place(Asks::Binary);
    place.good("fit train.csv --target y --work 1 --folds 2 --set gbdt.n_trees=5");
    let known = place.good("evaluate model.smidgen test.csv --json").json().unwrap();
    place.write("more.csv", table(Asks::Binary, 800..1100) + "40,1,Bonn,1,maybe\n41,2,Köln,1,maybe\n");
    let ran = place.good("evaluate model.smidgen more.csv --json --drop-unseen").json().unwrap();
    assert_eq!((&ran["rows"], &ran["score"]), (&known["rows"], &known["score"]));
    assert_eq!(ran["warnings"][0]["code"], "unseen_class");
    assert!(ran["warnings"][0]["text"].as_str().unwrap().starts_with("2 rows"), "{}", ran["warnings"]);
}
