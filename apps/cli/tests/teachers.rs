//! Students: models within limits that learn from one without, or from what another system says.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/run.rs"]
mod run;

use run::Place;
use serde_json::Value;

/// A table of 900 rows whose classes are noisy: `y` is likely where `a + b` is large.
fn place() -> Place {
    let place = Place::new();
    let mut random = 7u64;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as f64 / f64::from(1u32 << 31)
    };
    let mut table = String::from("a,b,c,k,y\n");
    for row in 0..900 {
        let [a, b, c] = [next(), next(), next()];
        let y = next() < 1.0 / (1.0 + (-4.0 * (a + b * c - 0.75)).exp());
        table.push_str(&format!(
            "{a:.3},{b:.3},{c:.3},{},{}\n",
            ["u", "v", "w"][row % 3],
            if y { "yes" } else { "no" }
        ));
    }
    place.write("t.csv", table);
    place
}

fn bytes(place: &Place, name: &str) -> Vec<u8> {
    std::fs::read(place.path(name)).unwrap()
}

fn has_taught(said: &Value) -> bool {
    let trials = said["trials"].as_array().unwrap().iter();
    trials.filter_map(|trial| trial["recipe"].as_str()).any(|recipe| recipe.contains("taught "))
}

#[test]
fn a_limited_search_learns_from_one_without_limits() {
    let place = place();
    let line = "fit t.csv --target y --folds 3 --learners gbdt,ebm --set gbdt.max_trees=30 --work 20 --max-bytes 6kB --calibrator none --json";
    let said = place.good(&format!("{line} --jobs 1 -o a.smidgen")).json().unwrap();
    assert!(said["teacher"]["score"].is_number() && said["teacher"]["trials"] == 7, "{}", said["teacher"]);
    assert!(has_taught(&said), "{}", said["trials"]);
    assert!(said["bytes"].as_u64().unwrap() <= 6000 && said["work"] == 20, "{said}");
    // Whatever the threads, from what was kept, and by the command that is told.
    place.good(&format!("{line} --jobs 2 -o b.smidgen --resume kept"));
    assert!(bytes(&place, "a.smidgen") == bytes(&place, "b.smidgen"));
    let again = place.good(&format!("{line} --jobs 2 -o c.smidgen --resume kept")).json().unwrap();
    assert!(bytes(&place, "a.smidgen") == bytes(&place, "c.smidgen"));
    assert_eq!(again["trials_known"], 13, "those behind the teacher's");
    let command =
        said["command"].as_str().unwrap().replace("smidgen fit", "fit").replace("a.smidgen", "d.smidgen");
    assert!(command.contains("--distil 7"), "{command}");
    place.good(&command);
    assert!(bytes(&place, "a.smidgen") == bytes(&place, "d.smidgen"));
    let plain = place.good(&format!("{line} --distil none -o e.smidgen")).json().unwrap();
    assert!(plain["teacher"].is_null() && !has_taught(&plain));
    assert!(plain["command"].as_str().unwrap().contains("--distil none"));
    place.good("verify a.smidgen");
}

#[test]
fn what_another_system_predicts_is_learnt_from() {
    let place = place();
    let line = "fit t.csv --target y --folds 3 --learners gbdt --set gbdt.max_trees=30 --work 16 --ensemble none --calibrator none --json";
    // A teacher that knows the truth.
    let table = std::fs::read_to_string(place.path("t.csv")).unwrap();
    let mut taught = String::from("prediction,p_no,p_yes\n");
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let [a, b, c]: [f64; 3] = [0, 1, 2].map(|at| cells[at].parse().unwrap());
        let p = 1.0 / (1.0 + (-4.0 * (a + b * c - 0.75)).exp());
        taught.push_str(&format!("{},{:.6},{p:.6}\n", if p > 0.5 { "yes" } else { "no" }, 1.0 - p));
    }
    place.write("teacher.csv", &taught);
    let plain = place.good(&format!("{line} -o plain.smidgen")).json().unwrap();
    let said = place.good(&format!("{line} --teacher teacher.csv -o taught.smidgen")).json().unwrap();
    assert!(has_taught(&said), "{}", said["trials"]);
    let score = |said: &Value| said["score_oof"].as_f64().unwrap();
    assert!(score(&said) >= score(&plain), "{} {}", score(&said), score(&plain));
    assert!(
        said["members"][0]["recipe"].as_str().unwrap().starts_with("taught own_share="),
        "{}",
        said["members"]
    );
    assert!(said["command"].as_str().unwrap().contains("--teacher teacher.csv"));
    // A model of other rows teaches too.
    let half = table.lines().take(400).collect::<Vec<_>>().join("\n");
    place.write("half.csv", half);
    place.good("fit half.csv --target y --folds 2 --set gbdt.n_trees=9 --calibrator none -o half.smidgen");
    let by_model = place.good(&format!("{line} --teacher half.smidgen -o m.smidgen")).json().unwrap();
    assert!(score(&by_model) >= score(&plain), "{} {}", score(&by_model), score(&plain));
    // What cannot teach.
    place.write("short.csv", taught.lines().take(9).collect::<Vec<_>>().join("\n"));
    place.write("other.csv", taught.replacen("p_yes", "p_maybe", 1));
    let one = taught.lines().nth(1).unwrap();
    place.write("percent.csv", taught.replacen(one, "no,7,0.5", 1));
    place.write("sum.csv", taught.replacen(one, "no,0.4,0.5", 1));
    place.write("blank.csv", taught.replacen(one, "no,,0.5", 1));
    place.good("fit t.csv --target a --drop y --folds 2 --set gbdt.n_trees=3 -o numbers.smidgen");
    for (teacher, code, told) in [
        ("short.csv", 2, "expected a line for each of the 900 rows"),
        ("other.csv", 2, "no column \"p_yes\""),
        ("blank.csv", 2, "column \"p_no\" has no number in row 1"),
        ("percent.csv", 2, "expected a probability in row 1, got 7"),
        ("sum.csv", 2, "add up to 1 in row 1, got 0.9"),
        ("plain.smidgen", 2, "was fitted to these rows"),
        ("numbers.smidgen", 2, "expected binary of no, yes, got regression"),
        ("net.onnx", 3, "predict --proba"),
        ("gone.csv", 2, "gone.csv"),
    ] {
        let ran = place.run(&format!("{line} --teacher {teacher} -o x.smidgen"));
        assert!(
            ran.code == code && (ran.err.clone() + &ran.out).contains(told),
            "{teacher}: {} {}",
            ran.code,
            ran.err
        );
        assert!(!place.path("x.smidgen").exists());
    }
}

#[test]
fn nothing_is_spent_on_a_teacher_who_cannot_teach() {
    let place = place();
    let line =
        "fit t.csv --target y --folds 3 --work 15 --max-bytes 6kB --calibrator none --json -o a.smidgen";
    for flags in [
        "--learners gbdt --set gbdt.max_trees=12 --group k",
        "--learners gbdt --set gbdt.max_trees=12 --augment noise",
        "--learners gbdt --set gbdt.max_trees=12 --distil none",
        "--learners knn",
    ] {
        let said = place.run(&format!("{line} {flags}")).json().unwrap();
        assert!(said["teacher"].is_null() && !has_taught(&said), "{flags}: {}", said["teacher"]);
    }
    let said = place
        .run(
            &format!("{line} --learners gbdt --set gbdt.max_trees=12 --holdout 0.3")
                .replace("--folds 3 ", ""),
        )
        .json()
        .unwrap();
    assert!(said["teacher"].is_null(), "{}", said["teacher"]);
    let taught: String = (0..900).map(|_| "0.5,0.5\n").collect();
    place.write("teacher.csv", format!("p_no,p_yes\n{taught}"));
    for (flags, told) in [
        ("--teacher teacher.csv --work 1", "one candidate learns from labels alone"),
        ("--distil 0", "auto, none or a number"),
    ] {
        let line = if flags.contains("--work") { line.replace("--work 15 ", "") } else { line.to_owned() };
        let line = if flags.contains("--teacher") { line.replace("--max-bytes 3kB ", "") } else { line };
        let ran = place.run(&format!("{line} {flags}"));
        assert!(
            ran.code == 2 && (ran.err.clone() + &ran.out).contains(told),
            "{flags}: {} {}",
            ran.err,
            ran.out
        );
    }
    // What the user set of boosting stays, although few bits would like more trees.
    let said = place.good(&format!("{line} --learners gbdt --set gbdt.max_trees=12")).json().unwrap();
    let trials = said["trials"].as_array().unwrap();
    assert!(
        trials.iter().all(|trial| trial["recipe"].as_str().unwrap().contains("max_trees=12")),
        "{trials:?}"
    );
}
