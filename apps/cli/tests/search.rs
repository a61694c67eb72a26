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

#[test]
fn candidates_are_combined_as_asked() {
    let place = place();
    let line = format!("fit t.csv --target y --drop shuffled {QUICK} --work 12 --json -o m.smidgen");
    let bytes = || std::fs::read(place.path("m.smidgen")).unwrap();
    for ensemble in [
        "average",
        "soft_vote",
        "hard_vote",
        "rank_average",
        "greedy",
        "stack_nnls",
        "stack_logistic",
        "cascade",
        "stack_trees",
        "gate",
    ] {
        let said = place.good(&format!("{line} --ensemble {ensemble} --jobs 1")).json().unwrap();
        let members = said["members"].as_array().unwrap();
        assert!(members.len() > 1, "{ensemble}: {members:?}");
        let whole: f64 = members.iter().map(|m| m["weight"].as_f64().unwrap()).sum();
        assert!(ensemble == "stack_logistic" || (whole - 1.0).abs() < 1e-9, "{ensemble}: {whole}");
        assert!(members.iter().all(|m| m["bytes"].as_u64().unwrap() > 0 && m["recipe"].is_string()));
        assert!(said["score_oof"].as_f64().unwrap() > 0.9, "{ensemble}: {}", said["score_oof"]);
        let first = bytes();
        place.good("verify m.smidgen");
        place.good("predict m.smidgen t.csv --proba --explain");
        place.good(&format!("{line} --ensemble {ensemble} --jobs 2"));
        assert_eq!(first, bytes(), "{ensemble}");
        // The command says it again.
        let command = said["command"].as_str().unwrap().replace("smidgen fit", "fit");
        assert!(command.contains(&format!("--ensemble {ensemble}")));
        place.good(&command);
        assert_eq!(first, bytes(), "{ensemble}");
    }
    let said = place.good(&format!("{line} --ensemble none")).json().unwrap();
    assert_eq!(said["members"].as_array().unwrap().len(), 1);
    // One candidate is no ensemble, and that is said.
    let said =
        place.good(&format!("{line} --ensemble average").replace("--work 12", "--work 2")).json().unwrap();
    let is_told = said["warnings"].as_array().unwrap().iter().any(|w| w["code"] == "not_combined");
    assert_eq!(is_told, said["members"].as_array().unwrap().len() == 1, "{said}");
    // Rows held back once: those of one half teach the weights by which the other half is judged.
    let said = place.good(&format!("{line} --ensemble greedy --holdout 0.4")).json().unwrap();
    assert!(said["members"].as_array().unwrap().len() > 1, "{said}");
    // Kept trials are fitted again for the ensemble: the same bytes.
    for n in [7, 12] {
        let n = format!("--work {n}");
        place.good(&format!("{line} --ensemble greedy --resume trials").replace("--work 12", &n));
    }
    let resumed = bytes();
    place.good(&format!("{line} --ensemble greedy"));
    assert_eq!(resumed, bytes());
    let said = place.good(&format!("{line} --ensemble greedy --set greedy.n_steps=1")).json().unwrap();
    assert!(said["command"].as_str().unwrap().contains("--set greedy.n_steps=1"), "{said}");
    let refused = [
        ("--ensemble greed", "did you mean"),
        ("--ensemble none --set greedy.n_steps=2", "not used by --ensemble none"),
        ("--ensemble greedy --set greedy.n_steps=0", "n_steps must be"),
        ("--ensemble greedy --metric r2", "r2"),
        ("--refit some", "expected all or folds"),
        ("--refit folds --holdout 0.3", "does not go with --holdout"),
        ("--refit folds --max-bytes 9kB", "does not go with --max-bytes"),
    ];
    for (flags, told) in refused {
        let ran = place.run(&format!("{line} {flags}"));
        assert!(ran.code == 2 && (ran.err + &ran.out).contains(told), "{flags}");
    }
    let ran = place.run("fit t.csv --target a --drop y,shuffled --work 4 --ensemble hard_vote -o n.smidgen");
    assert!(ran.code == 3 && ran.err.contains("no classes to vote for"), "{}", ran.err);
    let ran =
        place.run("fit t.csv --target a --drop y,shuffled --work 9 --ensemble stack_ridge -o n.smidgen");
    assert!(ran.code == 0, "{}", ran.err);
}

#[test]
fn fits_on_folds_are_averaged() {
    let place = place();
    let line = "fit t.csv --target y --drop shuffled --learners tree --folds 4 --json -o m.smidgen";
    let one = place.good(line).json().unwrap();
    let mean = place.good(&format!("{line} --refit folds")).json().unwrap();
    let bytes = |said: &Value| said["bytes"].as_u64().unwrap();
    assert!(bytes(&mean) > bytes(&one), "{} {}", bytes(&mean), bytes(&one));
    assert_eq!(mean["score_oof"], one["score_oof"]);
    let recipe = mean["members"][0]["recipe"].as_str().unwrap();
    assert!(recipe.starts_with("mean of 4 folds of tree"), "{recipe}");
    place.good("verify m.smidgen");
    // Stages of a cascade or behind a gate, and what trees ask, are such means too.
    for ensemble in ["cascade", "stack_trees", "gate"] {
        let line = "fit t.csv --target y --learners tree,gaussian_nb,knn --work 12 --folds 3 --ensemble";
        let line = format!("{line} {ensemble}");
        let line = format!(
            "{line} --set {ensemble}.{} --json -o m.smidgen",
            match ensemble {
                "cascade" => "tolerance=0.05",
                "gate" => "aim=score",
                _ => "n_trees=20",
            }
        );
        let said = place.good(&format!("{line} --refit folds")).json().unwrap();
        assert!(said["members"].as_array().unwrap().len() > 1, "{ensemble}: {said}");
        let recipe = said["recipe"].as_str().unwrap();
        let form = match ensemble {
            "cascade" => "cascade of",
            "gate" => "gate of",
            _ => "trees over the scores of",
        };
        assert!(recipe.starts_with(form), "{recipe}");
        place.good("verify m.smidgen");
        place.good("predict m.smidgen t.csv --proba --explain");
    }
}

#[test]
fn a_length_that_is_demanded_is_kept() {
    let place = place();
    let line = "fit t.csv --target y --drop shuffled --learners gbdt,logistic,forest,knn --work 24 --json -o m.smidgen";
    let mut scores = Vec::new();
    for most in [2000u64, 4000, 20_000] {
        let said = place.good(&format!("{line} --max-bytes {most}")).json().unwrap();
        let bytes = said["bytes"].as_u64().unwrap();
        assert!(bytes <= most && said["status"] == "ok", "{bytes} of {most}");
        assert_eq!(std::fs::metadata(place.path("m.smidgen")).unwrap().len(), bytes);
        let front = said["front"].as_array().unwrap();
        let (written, others): (Vec<&Value>, Vec<&Value>) = front.iter().partition(|p| p["written"] == true);
        assert!(written.len() == 1 && written[0]["bytes"] == bytes, "{front:?}");
        assert!(others.iter().map(|p| p["bytes"].as_u64().unwrap()).is_sorted(), "{front:?}");
        scores.push(said["score_oof"].as_f64().unwrap());
    }
    assert!(scores[2] > scores[0] - 0.01, "{scores:?}");
    // The least that there is, and by how much it is too much.
    let ran = place.run(&format!("{line} --max-bytes 100"));
    let said = ran.json().unwrap();
    assert!(ran.code == 1 && said["status"] == "unmet" && said["bytes"].as_u64().unwrap() < 2500, "{said}");
}
