//! What a model may take: costs of operations, limits of time, what rounding may cost, points of the front.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/run.rs"]
mod run;

use run::Place;
use serde_json::{Value, json};

/// The example's training and test rows of breast cancer.
fn place() -> Place {
    let place = Place::new();
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/");
    for name in ["breast_cancer_train.csv", "breast_cancer_test.csv"] {
        place.write(name, std::fs::read(format!("{data}{name}")).unwrap());
    }
    place
}

const LINE: &str = "fit breast_cancer_train.csv --target diagnosis --learners gbdt,logistic,knn --set gbdt.max_trees=40 --work 9 --folds 3 --distil none --calibrator none --json -o m.smidgen";

fn line(place: &Place) -> String {
    let header = std::fs::read_to_string(place.path("breast_cancer_train.csv")).unwrap();
    let target = header.lines().next().unwrap().split(',').next_back().unwrap().to_owned();
    LINE.replace("diagnosis", &target)
}

fn number(object: &Value, key: &str) -> f64 {
    object[key].as_f64().unwrap_or_else(|| panic!("{key}: {}", object[key]))
}

/// What a limit goes by: a single row may take twice as long as one in a batch.
fn limited(object: &Value) -> f64 {
    number(object, "cost_ns").max(number(object, "cost_ns_single") / 2.0)
}

#[test]
fn a_time_that_is_demanded_is_kept() {
    let place = place();
    let line = line(&place).replace("gbdt,logistic,knn", "gbdt,ebm");
    let free = place.good(&line).json().unwrap();
    let front = free["front"].as_array().unwrap();
    let least = front.iter().map(|point| number(point, "cost_ns")).fold(f64::INFINITY, f64::min);
    // Between the fastest candidate and the model.
    let most = (least + limited(&free)) / 2e3;
    assert!(1e3 * most < limited(&free), "{front:?}");
    let fast = place.good(&format!("{line} --max-us {most}")).json().unwrap();
    assert!(limited(&fast) <= 1e3 * most && fast["status"] == "ok", "{fast}");
    assert!(number(&fast, "score_oof") > number(&free, "score_oof") - 0.05);
    // The same cost wherever it is asked for.
    for verb in ["evaluate m.smidgen breast_cancer_test.csv", "bench m.smidgen breast_cancer_test.csv"] {
        let said = place.good(&format!("{verb} --json")).json().unwrap();
        for cost in ["cost_ns", "cost_ns_single"] {
            assert_eq!(said[cost], fast[cost], "{verb}");
        }
    }
    let evaluate = "evaluate m.smidgen breast_cancer_test.csv --json --max-us";
    assert_eq!(place.run(&format!("{evaluate} {most}")).code, 0);
    let ran = place.run(&format!("{evaluate} 0.000001"));
    assert!(ran.code == 1 && ran.err.contains("us a row by the table of costs"), "{}", ran.err);
    // The least that there is, and by how much it is too slow.
    let ran = place.run(&format!("{line} --max-us 0.001"));
    let said = ran.json().unwrap();
    assert!(ran.code == 1 && said["status"] == "unmet" && ran.err.contains("at most 0.001"), "{}", ran.err);
}

#[test]
fn members_share_the_bytes_that_are_allowed() {
    let place = Place::new();
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/diabetes_train.csv");
    place.write("d.csv", std::fs::read(data).unwrap());
    let line = "fit d.csv --target progression --folds 3 --learners gbdt,ebm,ridge --onto none --work 40 --max-bytes 4kB --distil none --json -o m.smidgen";
    let written = || std::fs::read(place.path("m.smidgen")).unwrap();
    let said = place.good(&format!("{line} --jobs 1")).json().unwrap();
    let first = written();
    let members = said["members"].as_array().unwrap();
    assert!(first.len() <= 4000 && members.len() > 1 && said["status"] == "ok", "{members:?}");
    // Columns, codes and what the file says of itself are there once.
    let alone: f64 = members.iter().map(|member| number(member, "bytes")).sum();
    assert!(alone > first.len() as f64, "{alone} {members:?}");
    // Not worse than the best candidate.
    let best = number(&said["trials"][0], "score");
    assert!(number(&said, "score_oof") <= best, "{best} {}", said["score_oof"]);
    let warnings = said["warnings"].as_array().unwrap();
    assert!(warnings.iter().all(|warning| warning["code"] != "members_left_out"), "{warnings:?}");
    place.good("verify m.smidgen");
    place.good(&format!("{line} --jobs 2"));
    assert_eq!(first, written());
    // Trials of an earlier run are fitted again, and weighed again.
    place.good(&format!("{line} --resume trials"));
    place.good(&format!("{line} --resume trials"));
    assert_eq!(first, written());
}

#[test]
fn costs_of_another_processor_decide() {
    let place = place();
    let line = line(&place);
    let bench = place.good(&format!("{line} --max-bytes 30kB")).json().unwrap();
    let operations = place.good("bench m.smidgen --json").json().unwrap()["operations"].clone();
    let names: Vec<&String> = operations.as_object().unwrap().keys().collect();
    assert!(names.len() > 20 && names.iter().any(|name| *name == "swept_split"), "{names:?}");
    let slow: serde_json::Map<String, Value> = names.iter().map(|n| ((*n).clone(), json!(1000.0))).collect();
    place.write("slow.json", json!({"cpu": "slow", "ns": slow}).to_string());
    let said = place.good("bench m.smidgen --json --cost slow.json").json().unwrap();
    let n: f64 = operations.as_object().unwrap().values().map(|n| n.as_f64().unwrap()).sum();
    assert!((number(&said, "cost_ns") - 1000.0 * n).abs() < 1e-6 * n * 1000.0, "{said}");
    assert!(number(&bench, "cost_ns") < number(&said, "cost_ns"));
    let made = place.good(&format!("{line} --max-us {} --cost slow.json", 4.0 * n)).json().unwrap();
    assert!(limited(&made) <= 4000.0 * n, "{made}");
    let mut missing = slow.clone();
    missing.remove("product");
    let mut more = slow.clone();
    more.insert("products".to_owned(), json!(1.0));
    let mut below = slow;
    below.insert("product".to_owned(), json!(-1.0));
    for (text, told) in [
        ("no json".to_owned(), "expected a table of costs in JSON"),
        ("[]".to_owned(), "\"cpu\", a name, and \"ns\""),
        (json!({"cpu": "a", "ns": missing}).to_string(), "\"product\", a number of at least 0, got none"),
        (json!({"cpu": "a", "ns": more}).to_string(), "unknown operation \"products\""),
        (json!({"cpu": "a", "ns": below}).to_string(), "\"product\", a number of at least 0, got -1"),
    ] {
        place.write("bad.json", text);
        let ran = place.run(&format!("{line} --cost bad.json"));
        assert!(ran.code == 2 && (ran.err + &ran.out).contains(told), "{told}");
    }
}

#[test]
fn points_of_the_front_are_written() {
    let place = place();
    let line = line(&place);
    let whole = place.good(&line).json().unwrap();
    let front = whole["front"].as_array().unwrap().clone();
    assert!(front.len() > 1, "{front:?}");
    assert!(front.iter().filter(|point| point["written"] == true).count() == 1);
    let marks = |point: &Value| ["bytes", "cost_ns"].map(|key| number(point, key));
    for (at, point) in front.iter().enumerate() {
        let is_beaten = |other: &Value| {
            let (own, of) = (marks(point), marks(other));
            number(other, "score") >= number(point, "score") && of[0] <= own[0] && of[1] <= own[1]
        };
        let beaten = front.iter().enumerate().any(|(other, o)| other != at && is_beaten(o));
        assert!(!beaten || point["written"] == true, "{point} of {front:?}");
    }
    for point in front.iter().filter(|point| point["written"] == false) {
        let said = place.good(&format!("{line} --point {}", point["point"])).json().unwrap();
        assert_eq!(said["score_oof"], point["score"], "{point}");
        let points = said["front"].as_array().unwrap();
        let written = points.iter().find(|point| point["written"] == true).unwrap();
        assert_eq!((&written["point"], &written["recipe"]), (&point["point"], &point["recipe"]));
        assert_eq!(written["bytes"], said["bytes"]);
        let command = said["command"].as_str().unwrap();
        assert!(command.contains(&format!("--point {}", point["point"])), "{command}");
    }
    // On the terminal too.
    let text = place.good(&line.replace("--json ", "")).out;
    assert!(text.contains("the front of score, bytes and time") && text.contains(" *"), "{text}");
    for (flags, told) in [
        ("--point 99", "choose 1 to"),
        ("--point 0", "--point"),
        ("--point 1 --work 1", "one candidate has no front"),
        ("--max-us 0", "microseconds above 0"),
        ("--max-us soon", "microseconds above 0"),
        ("--max-drop lots", "0.5% or a difference"),
        ("--distil some", "auto, none or a number"),
    ] {
        let line = if flags.contains("--work") { line.replace("--work 9 ", "") } else { line.clone() };
        let line = if flags.contains("--distil") { line.replace("--distil none ", "") } else { line };
        let ran = place.run(&format!("{line} {flags}"));
        assert!(ran.code == 2 && (ran.err.clone() + &ran.out).contains(told), "{flags}: {}", ran.err);
    }
}

#[test]
fn what_rounding_costs_is_judged() {
    let place = place();
    let line = line(&place).replace(
        "--learners gbdt,logistic,knn --set gbdt.max_trees=40 --work 9",
        "--learners gbdt --set gbdt.max_trees=40 --set gbdt.leaf_bits=4 --work 3",
    );
    let said = place.good(&format!("{line} --max-drop 0.5")).json().unwrap();
    assert!(said["score_float"].is_number() && said["members"].as_array().unwrap().len() == 1, "{said}");
    let lost = number(&said, "score_float") - number(&said, "score_oof");
    // A little more than what is lost is allowed; a little less is not.
    let allowed = lost.max(0.0);
    place.good(&format!("{line} --max-drop {}", allowed + 1e-9));
    let ran = place.run(&format!("{line} --max-drop {}", (allowed - 1e-9).max(0.0)));
    assert_eq!((ran.code == 1, ran.err.contains("rounding costs")), (lost > 0.0, lost > 0.0), "{}", ran.err);
}
