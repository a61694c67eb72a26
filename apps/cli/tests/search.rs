//! Which candidates `fit` tries, within what, and how it goes on after it was stopped.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/run.rs"]
mod run;

use run::Place;
use serde_json::Value;
use smidgen::Clock;
use std::process::Stdio;
use std::time::Duration;

/// Learners that take milliseconds.
const QUICK: &str = "--learners logistic,gaussian_nb,knn,tree";

/// A table of 160 rows in a fresh folder: `y` follows two of four columns, `shuffled` follows none.
fn place() -> Place {
    let place = Place::new();
    let mut random = 1u64;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as f64 / f64::from(1u32 << 31)
    };
    let mut table = String::from("a,b,c,d,y,shuffled\n");
    for _ in 0..160 {
        let [a, b, c, d] = [next(), next(), next(), next()];
        let y = a + 0.7 * b + 0.3 * next() > 1.0;
        let shuffled = next() < 0.5;
        table.push_str(&format!("{a:.4},{b:.4},{c:.4},{d:.4},{},{}\n", u8::from(y), u8::from(shuffled)));
    }
    place.write("t.csv", table);
    place
}

fn known(said: &Value) -> u64 {
    said["trials_known"].as_u64().unwrap()
}

#[test]
fn the_same_work_gives_the_same_bytes() {
    let place = place();
    let line = format!("fit t.csv --target y --drop shuffled {QUICK} --calibrator none --work 10 --json");
    let first = place.good(&format!("{line} -o a.smidgen --jobs 1")).json().unwrap();
    place.good(&format!("{line} -o b.smidgen --jobs 2"));
    let bytes = |name: &str| std::fs::read(place.path(name)).unwrap();
    assert_eq!(bytes("a.smidgen"), bytes("b.smidgen"));
    assert_eq!((&first["work"], known(&first)), (&10.into(), 0));
    let trials = first["trials"].as_array().unwrap();
    assert!(trials.len() > 3, "{trials:?}");
    let scores: Vec<f64> = trials.iter().map(|t| t["score"].as_f64().unwrap()).collect();
    assert!(scores.windows(2).all(|w| w[0] >= w[1]), "{scores:?}");
    assert_eq!(first["score_oof"].as_f64().unwrap(), scores[0]);
    // The command says it again.
    let command =
        first["command"].as_str().unwrap().replace("smidgen fit", "fit").replace("a.smidgen", "c.smidgen");
    place.good(&command);
    assert_eq!(bytes("a.smidgen"), bytes("c.smidgen"));
    // Kept trials change nothing, and are not done again.
    place.good(&format!("{line} -o d.smidgen --resume trials").replace("--work 10", "--work 6"));
    let more = place.good(&format!("{line} -o e.smidgen --resume trials")).json().unwrap();
    assert_eq!((&more["work"], known(&more) >= 5), (&10.into(), true), "{}", known(&more));
    assert_eq!(bytes("a.smidgen"), bytes("e.smidgen"));
    // Another question in the same folder is another study.
    let other = place.good(&format!("{line} -o f.smidgen --resume trials --metric accuracy")).json().unwrap();
    assert_eq!(known(&other), 0);
}

#[test]
fn a_run_that_was_killed_goes_on() {
    let place = place();
    let line =
        "fit t.csv --target y --learners gbdt,logistic,tree --work 30 -o m.smidgen --resume trials --quiet";
    let mut command = place.command();
    let mut child = command.args(line.split_whitespace()).stderr(Stdio::null()).spawn().unwrap();
    let began = Clock::start();
    let count = || std::fs::read_dir(place.path("trials")).map_or(0, |files| files.count());
    while count() < 3 && began.seconds() < 60.0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let left = count();
    assert!(left >= 3 && !place.path("m.smidgen").exists());
    let short = line.replace("--work 30", "--work 4").replace("--quiet", "--json");
    let said = place.good(&short).json().unwrap();
    assert!(known(&said) >= 2, "{} of {left}", known(&said));
    place.good("verify m.smidgen");
}

#[test]
fn where_there_is_nothing_to_find_it_says_so() {
    let place = place();
    for (target, other, is_told) in [("y", "shuffled", false), ("shuffled", "y", true)] {
        let line =
            format!("fit t.csv --target {target} --drop {other} {QUICK} --work 16 -o m.smidgen --json");
        let said = place.good(&line).json().unwrap();
        let told = said["warnings"].as_array().unwrap().iter().any(|w| w["code"] == "nothing_learnt");
        assert_eq!(told, is_told, "{target}: {}", said["score_oof"]);
    }
}

#[test]
fn time_is_kept_and_settings_name_learners() {
    let place = place();
    let began = Clock::start();
    let said = place.good("fit t.csv --target y --time 3 -o m.smidgen --json --quiet").json().unwrap();
    assert!(began.seconds() < 3.0 * 1.1 + 2.0, "{} s", began.seconds());
    assert!(said["work"].as_u64().unwrap() > 0 && said["trials"].as_array().unwrap().len() > 2, "{said}");
    let said = place.good("fit t.csv --target y --set tree.max_leaves=4 --work 6 -o m.smidgen --json");
    let said = said.json().unwrap();
    for trial in said["trials"].as_array().unwrap() {
        let recipe = trial["recipe"].as_str().unwrap();
        assert!(recipe.contains("tree max_leaves=4"), "{recipe}");
    }
    let said =
        place.good("fit t.csv --target y --learners gaussian_nb --folds loo --work 1 -o m.smidgen --json");
    assert!(said.json().unwrap()["command"].as_str().unwrap().contains("--folds loo"));
    let refused = place.run("fit t.csv --target y --resume t.csv --work 4 -o n.smidgen");
    assert!(refused.code == 2 && refused.err.contains("--resume"), "{}", refused.err);
}
