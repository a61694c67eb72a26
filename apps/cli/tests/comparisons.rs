//! `evaluate` with several models: the table beside each other, the object, and what cannot be compared.

#[path = "support/run.rs"]
mod run;
#[path = "support/tables.rs"]
mod tables;

use run::Place;
use serde_json::Value;
use tables::{Asks, table};

/// A folder with `train.csv`, `test.csv`, a good model `good.smidgen` and a poor one `poor.smidgen`.
fn place(asks: Asks) -> Place {
    let place = Place::new();
    place.write("train.csv", table(asks, 0..800));
    place.write("test.csv", table(asks, 800..1200));
    let fit = "fit train.csv --target y --work 1 --folds 2";
    place.good(&format!("{fit} --set gbdt.n_trees=40 -o good.smidgen"));
    place.good(&format!("{fit} --set gbdt.n_trees=1 --set gbdt.max_leaves=2 -o poor.smidgen"));
    place
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("expected a number, got {value}"))
}

/// The interval of an object holds its score.
fn check_interval(object: &Value) {
    let (score, ends) = (number(&object["score"]), &object["interval"]);
    let (low, high) = (number(&ends[0]), number(&ends[1]));
    assert!(low < score && score < high, "{low} {score} {high}");
}

#[test]
fn one_model_has_an_interval_and_averages() {
    let place = place(Asks::Multiclass);
    let object = place.good("evaluate good.smidgen test.csv --json").json().unwrap();
    check_interval(&object);
    assert!(object.get("models").is_none() && object.get("comparisons").is_none());
    for average in ["macro", "micro", "weighted"] {
        for name in ["precision", "recall", "f1"] {
            assert!(
                (0.5..=1.0).contains(&number(&object["averages"][average][name])),
                "{}",
                object["averages"]
            );
        }
    }
    assert_eq!(object["averages"]["macro"]["f1"], object["metrics"]["f1_macro"]);
    assert_eq!(object["averages"]["weighted"]["precision"], object["metrics"]["precision_weighted"]);
    assert_eq!(object["averages"]["micro"]["recall"], object["metrics"]["accuracy"]);
    let again = place.good("evaluate good.smidgen test.csv --json --jobs 1").json().unwrap();
    assert_eq!(object["interval"], again["interval"], "threads change the interval");
    let text = place.good("evaluate good.smidgen test.csv").out;
    for part in ["95 % interval", " to ", "macro average", "micro average", "weighted average"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn several_models_stand_beside_each_other() {
    for (asks, metric, test) in [
        (Asks::Binary, "roc_auc", "delong"),
        (Asks::Binary, "accuracy", "mcnemar"),
        (Asks::Multiclass, "log_loss", "paired_bootstrap"),
        (Asks::Regression, "rmse", "paired_bootstrap"),
    ] {
        let place = place(asks);
        let flags = format!("--metric {metric}");
        let one = place.good(&format!("evaluate good.smidgen test.csv --json {flags}")).json().unwrap();
        let line = format!("evaluate good.smidgen poor.smidgen test.csv {flags}");
        let several = place.good(&format!("{line} --json")).json().unwrap();
        let models = several["models"].as_array().unwrap();
        assert_eq!(models.len(), 2);
        let timed = |key: &str| key.starts_with("ns_");
        for (key, value) in one.as_object().unwrap().iter().filter(|(key, _)| !timed(key)) {
            assert_eq!((value, value), (&several[key], &models[0][key]), "{key}");
        }
        assert_eq!(
            (&models[0]["model"], &models[1]["model"]),
            (&"good.smidgen".into(), &"poor.smidgen".into())
        );
        models.iter().for_each(check_interval);
        let two = &several["comparisons"][0];
        assert_eq!(
            (&two["a"], &two["b"], &two["test"]),
            (&"good.smidgen".into(), &"poor.smidgen".into(), &test.into())
        );
        let by_hand = number(&models[0]["score"]) - number(&models[1]["score"]);
        assert!((number(&two["difference"]) - by_hand).abs() < 1e-12, "{two}, by hand {by_hand}");
        assert!(number(&two["p_value"]) < 0.05, "{metric}: {two}");
        let text = place.good(&line).out;
        let said = "good.smidgen is better than poor.smidgen by ";
        assert!(text.contains(said) && text.contains("95 % interval"), "{text}");
    }
}

#[test]
fn a_model_does_not_differ_from_itself() {
    let place = place(Asks::Binary);
    place.write("same.smidgen", std::fs::read(place.path("good.smidgen")).unwrap());
    let line = "evaluate good.smidgen same.smidgen poor.smidgen test.csv";
    let object = place.good(&format!("{line} --json")).json().unwrap();
    let comparisons = object["comparisons"].as_array().unwrap();
    assert_eq!(comparisons.len(), 3);
    assert_eq!((number(&comparisons[0]["difference"]), number(&comparisons[0]["p_value"])), (0.0, 1.0));
    // What differs from one of them differs from the other by as much.
    assert_eq!(comparisons[1]["p_value"], comparisons[2]["p_value"]);
    let text = place.good(line).out;
    assert!(
        text.contains("good.smidgen and same.smidgen differ by 0.0000 roc_auc, which may be chance"),
        "{text}"
    );
}

#[test]
fn demands_name_the_model_that_misses_them() {
    let place = place(Asks::Binary);
    let ran = place.run("evaluate good.smidgen poor.smidgen test.csv --json --min-score 0.9");
    let object = ran.json().unwrap();
    assert_eq!((ran.code, &object["status"]), (1, &"unmet".into()));
    let status: Vec<&Value> = object["models"].as_array().unwrap().iter().map(|m| &m["status"]).collect();
    assert_eq!(status, ["ok", "unmet"]);
    assert!(ran.err.contains("not met: poor.smidgen: roc_auc"), "{}", ran.err);
}

#[test]
fn what_differs_in_kind_is_not_compared() {
    let place = place(Asks::Binary);
    let fit = "--work 1 --folds 2 --set gbdt.n_trees=5";
    place.write("numbers.csv", table(Asks::Regression, 0..300));
    place.write("three.csv", table(Asks::Multiclass, 0..300));
    place.write("words.csv", table(Asks::Binary, 0..300).replace(",yes\n", ",ja\n"));
    for name in ["numbers", "three", "words"] {
        place.good(&format!("fit {name}.csv --target y {fit} -o {name}.smidgen"));
    }
    place.good(&format!("fit train.csv --target y --positive no {fit} -o turned.smidgen"));
    for (other, says) in [
        ("numbers", "the same task, got binary and regression"),
        ("three", "the same task, got binary and multiclass"),
        ("words", "the same classes, got \"no\", \"yes\" and \"ja\", \"no\""),
        ("turned", "the same positive class, got yes and no"),
    ] {
        let ran = place.run(&format!("evaluate good.smidgen {other}.smidgen test.csv"));
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{other}: {}", ran.err);
        let names = format!("good.smidgen and {other}.smidgen: cannot be compared");
        assert!(ran.err.contains(&names) && ran.err.contains(says), "{}", ran.err);
    }
}

#[test]
fn the_table_is_named_last() {
    let place = place(Asks::Binary);
    let ran = place.run("evaluate good.smidgen");
    assert!(ran.code == 2 && ran.err.contains("name the table last"), "{}", ran.err);
    assert_eq!(place.run("evaluate test.csv good.smidgen").code, 2);
    let plain = place.good("evaluate good.smidgen poor.smidgen test.csv --json").json().unwrap();
    let between = place.good("evaluate good.smidgen --json poor.smidgen --quiet test.csv").json().unwrap();
    assert_eq!(plain["comparisons"], between["comparisons"]);
}
