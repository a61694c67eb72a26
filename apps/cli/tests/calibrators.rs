//! Probability calibration by name: what is too sure is made less so, in the report and in the file.

#[path = "support/run.rs"]
mod run;

use run::Place;
use serde_json::Value;

/// Copies of a column that naive Bayes takes for news of their own, and a target of two or three classes.
fn copies(n_rows: usize) -> String {
    let mut text = String::from("a,b,c,d,kind,grade\n");
    let mut state = 99u64;
    let mut next = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    for _ in 0..n_rows {
        let x = next(1000) as f64 / 100.0;
        let near = |i: u64| x + i as f64 / 1000.0;
        let noise = next(1000) as f64 / 100.0 - 5.0;
        let kind = if x + noise > 5.0 { "yes" } else { "no" };
        let grade = ["low", "middle", "high"][usize::from(x + noise > 4.0) + usize::from(x + noise > 7.0)];
        text.push_str(&format!("{x},{},{},{},{kind},{grade}\n", near(next(9)), near(next(9)), near(next(9))));
    }
    text
}

fn figure(fit: &Value, name: &str) -> f64 {
    fit["calibration"][name].as_f64().unwrap_or_else(|| panic!("no {name}: {fit}"))
}

#[test]
fn an_overconfident_learner_gains() {
    let place = Place::new();
    place.write("train.csv", copies(900));
    let other = copies(2400);
    let rest = other.lines().enumerate().filter(|(i, _)| *i == 0 || *i > 900);
    place.write("test.csv", rest.fold(String::new(), |all, (_, line)| all + line + "\n"));
    for (target, drop) in [("kind", "grade"), ("grade", "kind")] {
        let line = format!(
            "fit train.csv --target {target} --drop {drop} --learners gaussian_nb --work 1 --folds 4 --test test.csv --json"
        );
        let plain = place.good(&format!("{line} --calibrator none -o plain.smidgen")).json().unwrap();
        assert_eq!(plain["calibration"], Value::Null);
        assert!(plain["command"].as_str().unwrap().contains("--calibrator none"));
        let fit = place.good(&format!("{line} --jobs 1 -o one.smidgen")).json().unwrap();
        place.good(&format!("{line} --jobs 3 -o three.smidgen"));
        let bytes = |name: &str| std::fs::read(place.path(name)).unwrap();
        assert!(bytes("one.smidgen") == bytes("three.smidgen"), "threads");
        let (before, after) = (figure(&fit, "log_loss_before"), figure(&fit, "log_loss_after"));
        assert!(after < 0.95 * before, "{target}: {before} to {after}");
        assert!(figure(&fit, "ece_after") < 0.6 * figure(&fit, "ece_before"), "{fit}");
        // New rows gain too, out of the file.
        let on_test = |fit: &Value| fit["metrics"]["log_loss"].as_f64().unwrap();
        assert!(on_test(&fit) < 0.95 * on_test(&plain), "{target}: {} {}", on_test(&plain), on_test(&fit));
        // What is reported out of fold is what was reported before, calibrated.
        let oof = place.good(&format!(
            "fit train.csv --target {target} --drop {drop} --learners gaussian_nb --work 1 --folds 4 --json"
        ));
        let oof = oof.json().unwrap();
        assert!((oof["metrics"]["log_loss"].as_f64().unwrap() - after).abs() < 1e-12, "{oof}");
        place.good("verify one.smidgen");
        let shown = place.good("inspect one.smidgen");
        assert!(shown.out.contains("ScoreCurve"), "{}", shown.out);
        assert_eq!(fit["exact"], true);
    }
    let text = place.good("fit train.csv --target kind --drop grade --learners gaussian_nb --work 1").out;
    assert!(text.contains("probabilities calibrated by "), "{text}");
}

/// Neighbours that share copies are far too sure; what votes say becomes what is true, on new rows as well.
#[test]
fn votes_are_calibrated_in_the_file() {
    let place = Place::new();
    place.write("train.csv", copies(1200));
    let other = copies(3000);
    let rest = other.lines().enumerate().filter(|(i, _)| *i == 0 || *i > 1200);
    place.write("test.csv", rest.fold(String::new(), |all, (_, line)| all + line + "\n"));
    for (target, drop) in [("kind", "grade"), ("grade", "kind")] {
        let line = format!(
            "fit train.csv --target {target} --drop {drop} --learners knn --set knn.k=3 --work 1 --folds 4 --test test.csv --json"
        );
        let plain = place.good(&format!("{line} --calibrator none -o plain.smidgen")).json().unwrap();
        place.good(&format!("{line} --set knn.weights=distance -o by_distance.smidgen"));
        let fit = place.good(&format!("{line} -o votes.smidgen")).json().unwrap();
        let on_test = |fit: &Value| fit["metrics"]["log_loss"].as_f64().unwrap();
        assert!(figure(&fit, "log_loss_after") < 0.9 * figure(&fit, "log_loss_before"), "{fit}");
        assert!(on_test(&fit) < 0.9 * on_test(&plain), "{target}: {} {}", on_test(&plain), on_test(&fit));
        // Out of fold and on new rows of the same kind it is as good.
        let away = on_test(&fit) / figure(&fit, "log_loss_after");
        assert!((0.8..1.25).contains(&away), "{target}: {away}");
        place.good("verify votes.smidgen");
        // What moved a row is told behind the curve.
        let told = place.good("predict votes.smidgen test.csv --explain");
        let first = told.out.lines().nth(1).unwrap();
        assert_eq!(first.matches(": ").count(), 3, "{first}");
    }
}

#[test]
fn every_calibrator_by_name() {
    let place = Place::new();
    place.write("train.csv", copies(600));
    for calibrator in smidgen::CALIBRATORS {
        for &task in calibrator.tasks {
            let (target, drop) =
                if task == smidgen::Task::Binary { ("kind", "grade") } else { ("grade", "kind") };
            // Log odds, and shares of votes.
            for learner in ["logistic", "forest", "knn"] {
                let line = format!(
                    "fit train.csv --target {target} --drop {drop} --learners {learner} --work 1 --folds 3 --calibrator {}",
                    calibrator.name
                );
                let fit = place.good(&format!("{line} --json")).json().unwrap();
                assert_eq!(fit["calibration"]["method"], calibrator.name);
                place.good("verify model.smidgen");
                // A single part that is held back is judged by halves.
                place.good(&format!("{} --json", line.replace("--folds 3", "--holdout 0.3")));
            }
        }
    }
    let fit = "fit train.csv --target kind --drop grade --work 1 --calibrator isotonic --set isotonic.max_blocks=4 --json";
    let fit = place.good(fit).json().unwrap();
    assert_eq!(fit["calibration"]["method"], "isotonic");
    assert!(fit["command"].as_str().unwrap().contains("--set isotonic.max_blocks=4"));
    for (line, code, message) in [
        ("--target kind --calibrator plat", 2, "unknown calibrator \"plat\"; did you mean \"platt\"?"),
        ("--target kind --calibrator vector", 3, "calibrator vector: a binary task is not supported"),
        ("--target a --calibrator platt", 3, "calibrator platt: a regression task is not supported"),
        ("--target kind --set isotonic.max_blocks=1", 2, "isotonic: max_blocks must be"),
        (
            "--target kind --calibrator platt --set isotonic.max_blocks=9",
            2,
            "is not used by --calibrator platt",
        ),
    ] {
        let ran = place.run(&format!("fit train.csv {line} --drop grade --work 1 -o other.smidgen"));
        assert_eq!(ran.code, code, "{line}: {}", ran.err);
        assert!(ran.err.contains(message), "{line}: {}", ran.err);
        assert!(!place.path("other.smidgen").exists(), "{line}");
    }
}
