//! Learners by name: every member of the table on every task, what decides, and what mistakes cost.

#[path = "support/run.rs"]
mod run;

use run::Place;
use serde_json::Value;
use smidgen::{LEARNERS, Task};

/// A table with numbers, a category, missing cells and a target of each task.
fn table(n_rows: usize) -> String {
    let mut text = String::from("size,weight,color,when,kind,grade,price\n");
    let mut state = 12_345u64;
    let mut next = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    for row in 0..n_rows {
        let (size, weight, color) = (next(1000) as f64 / 100.0, next(50), next(4));
        let noise = next(100) as f64 / 50.0 - 1.0;
        let y = size + weight as f64 / 10.0 + if color < 2 { 2.0 } else { 0.0 } + noise;
        let shown = if row % 11 == 0 { String::new() } else { format!("{size}") };
        let kind = if y > 9.0 { "big" } else { "small" };
        let grade = ["a", "b", "c"][usize::from(y > 7.0) + usize::from(y > 11.0)];
        let color = ["red", "green", "blue", ""][color as usize];
        text.push_str(&format!(
            "{shown},{weight},{color},2024-01-{:02},{kind},{grade},{y:.3}\n",
            1 + row % 28
        ));
    }
    text
}

/// What a learner does not answer is refused by name, before anything is fitted.
#[test]
fn every_learner_refuses_other_tasks() {
    let place = Place::new();
    place.write("train.csv", table(60));
    let mut refused = 0;
    for learner in LEARNERS {
        for (task, target) in
            [(Task::Binary, "kind"), (Task::Multiclass, "grade"), (Task::Regression, "price")]
        {
            if learner.tasks.contains(&task) {
                continue;
            }
            let name = learner.name;
            let line = format!("fit train.csv --target {target} --learners {name} --work 1 -o m.smidgen");
            let ran = place.run(&line);
            assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{line}: {}", ran.err);
            let told = format!("learner {name}: a {task} task is not supported, expected ");
            assert!(
                ran.err.contains(&told) && ran.err.contains("use --learners gbdt"),
                "{line}: {}",
                ran.err
            );
            assert!(!place.path("m.smidgen").exists(), "{line}");
            refused += 1;
        }
    }
    assert!(refused > 10, "{refused}");
}

/// Every learner fits every task that it answers, beats a constant, gives equal bytes on 1 and 3 threads, and its
/// file verifies, predicts and scores the same out of the file.
#[test]
fn every_learner_by_name() {
    let place = Place::new();
    place.write("train.csv", table(500));
    place.write(
        "test.csv",
        table(700)
            .lines()
            .enumerate()
            .filter(|(i, _)| *i == 0 || *i > 500)
            .fold(String::new(), |all, (_, line)| all + line + "\n"),
    );
    for learner in LEARNERS {
        for &task in learner.tasks.iter().filter(|task| !task.is_several()) {
            let (target, drop) = match task {
                Task::Binary => ("kind", "grade,price"),
                Task::Multiclass => ("grade", "kind,price"),
                _ => ("price", "kind,grade"),
            };
            let name = learner.name;
            let line = format!(
                "fit train.csv --target {target} --drop {drop} --learners {name} --work 1 --folds 3 --test test.csv --json -o {name}.smidgen"
            );
            let fit = place.good(&format!("{line} --jobs 1")).json().unwrap();
            let bytes = std::fs::read(place.path(&format!("{name}.smidgen"))).unwrap();
            place.good(&format!("{line} --jobs 3"));
            assert!(
                bytes == std::fs::read(place.path(&format!("{name}.smidgen"))).unwrap(),
                "{name} {task}: threads"
            );
            assert_eq!(fit["members"][0]["learner"], name);
            let score =
                |key: &str| fit[key].as_f64().unwrap_or_else(|| panic!("{name} {task}: no {key}: {fit}"));
            let (test, oof, float) = (score("score_test"), score("score_oof"), score("score_float"));
            // All numbers here are above 0, so yes and no tell only colors.
            let least = if name == "bernoulli_nb" { 0.54 } else { 0.7 };
            let good = match task {
                Task::Binary => test > least && oof > least && (oof - float).abs() < 0.03,
                // The logs of the three shares.
                Task::Multiclass => {
                    let coarse = ["tree", "extra_trees", "forest", "knn", "bernoulli_nb", "multinomial_nb"]
                        .contains(&name);
                    (test < 1.05 && oof < 1.05 && (oof - float).abs() < 0.1) || coarse
                }
                _ => test < 2.9 && oof < 2.9 && (oof / float - 1.0).abs() < 0.05,
            };
            assert!(good, "{name} {task}: test {test}, out of fold {oof}, floats {float}");
            assert!(
                place
                    .good(&format!("verify {name}.smidgen"))
                    .out
                    .lines()
                    .all(|l| l.ends_with("ok") || l.ends_with("skipped"))
            );
            let again = place.good(&format!("evaluate {name}.smidgen test.csv --json")).json().unwrap();
            assert_eq!(again["score"], fit["score_test"], "{name} {task}");
            let predicted = place.good(&format!("predict {name}.smidgen test.csv")).out;
            assert_eq!(predicted.lines().count(), 201, "{name} {task}");
        }
    }
}

/// Ridge with scikit-learn's `alpha=0.1`, as the examples have it.
#[test]
fn ridge_on_diabetes() {
    let place = Place::new();
    for part in ["train", "test"] {
        let path = format!("{}/../../examples/data/diabetes_{part}.csv", env!("CARGO_MANIFEST_DIR"));
        place.write(&format!("{part}.csv"), std::fs::read(path).unwrap());
    }
    let line = "fit train.csv --target progression --task regression --metric mse --learners ridge --set ridge.alpha=0.1 --work 1 --test test.csv --json";
    let fit = place.good(line).json().unwrap();
    let error = fit["score_test"].as_f64().unwrap();
    assert!((error - 2856.487).abs() < 0.5, "{error}");
    // Eight bits lose little more.
    let short = place.good(&format!("{line} --set ridge.weight_bits=8")).json().unwrap();
    let error = short["score_test"].as_f64().unwrap();
    assert!((error - 2856.487).abs() < 30.0, "{error}");
}

/// Rare positives: a threshold of a half finds few of them.
fn rare(n_rows: usize) -> String {
    let mut text = String::from("x,noise,bad\n");
    for row in 0..n_rows {
        let x = (row * 7919 % 1000) as f64 / 1000.0;
        // A tenth of the rows above 0.5 and a third of those above 0.8.
        let hit = (row * 104_729 % 997) as f64 / 997.0;
        let bad = if x > 0.8 { hit < 0.4 } else { x > 0.5 && hit < 0.1 };
        text.push_str(&format!("{x},{},{}\n", row % 17, if bad { "yes" } else { "no" }));
    }
    text
}

#[test]
fn thresholds_follow_the_metric() {
    let place = Place::new();
    place.write("t.csv", rare(1500));
    place.write(
        "test.csv",
        rare(3000)
            .lines()
            .enumerate()
            .filter(|(i, _)| *i == 0 || *i > 1500)
            .fold(String::new(), |all, (_, line)| all + line + "\n"),
    );
    for (metric, learner) in
        [("f1", "gbdt"), ("balanced_accuracy", "gbdt"), ("f1", "logistic"), ("f1", "forest")]
    {
        let fit = |metric: &str| {
            let line = format!(
                "fit t.csv --target bad --learners {learner} --metric {metric} --work 1 --test test.csv --json"
            );
            place.good(&line).json().unwrap()
        };
        let tuned = fit(metric);
        let plain = fit("roc_auc");
        let of = |object: &Value| object["metrics"][metric].as_f64().unwrap();
        assert!(of(&tuned) > of(&plain) + 0.05, "{metric} {learner}: {} for {}", of(&tuned), of(&plain));
        // Probabilities are the same, labels are not.
        assert_eq!(tuned["metrics"]["roc_auc"], plain["metrics"]["roc_auc"], "{metric} {learner}");
    }
}

#[test]
fn costs_decide_and_are_reported() {
    let place = Place::new();
    place.write("t.csv", rare(1500));
    place.write("costs.csv", "cost,no,yes\nno,0,1\nyes,5,0\n");
    place.write("gains.csv", "true,predicted,gain\nno,no,0\nno,yes,-1\nyes,no,-5\nyes,yes,0\n");
    let plain = place.good("fit t.csv --target bad --work 1 --json").json().unwrap();
    assert_eq!(plain["costs"], Value::Null);
    let confusion =
        |object: &Value| -> Vec<Vec<f64>> { serde_json::from_value(object["confusion"].clone()).unwrap() };
    let cost = |m: &[Vec<f64>]| (m[0][1] + 5.0 * m[1][0]) / m.iter().flatten().sum::<f64>();
    let fit = place.good("fit t.csv --target bad --work 1 --costs costs.csv --json").json().unwrap();
    let figure = |name: &str| fit["costs"][name].as_f64().unwrap();
    assert_eq!(fit["costs"]["kind"], "cost");
    assert!((figure("oof") - cost(&confusion(&fit))).abs() < 1e-12, "{fit}");
    assert!(figure("oof") < cost(&confusion(&plain)), "{} for {}", figure("oof"), cost(&confusion(&plain)));
    assert!(figure("oof") < figure("constant"));
    let gains = place.good("fit t.csv --target bad --work 1 --costs gains.csv --json").json().unwrap();
    assert_eq!(
        (gains["costs"]["kind"].as_str(), gains["costs"]["oof"].as_f64()),
        (Some("gain"), Some(-figure("oof")))
    );
    let text = place.good("fit t.csv --target bad --work 1 --costs costs.csv --test t.csv").out;
    assert!(text.contains("expected cost of a row: "), "{text}");
    assert!(fit["command"].as_str().unwrap().contains("--costs costs.csv"));

    place.write("below.csv", rare(300).replace("0.", "-0."));
    let ran = place.run("fit below.csv --target bad --learners multinomial_nb --work 1");
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("multinomial_nb: column \"x\": expected counts of 0 or more, got -0."),
        "{}",
        ran.err
    );

    for (line, message) in [
        ("--costs none.csv", "--costs none.csv:"),
        ("--costs t.csv", "expected \"cost\" or \"gain\" in the header"),
        ("--costs costs.csv --set gbdt.class_weight=balanced", "leave out class_weight=balanced"),
        ("--set gbdt.class_weight=heavy", "gbdt: class_weight must be one of none, balanced, got heavy"),
        (
            "--set gbdt.loss=poisson",
            "gbdt: loss \"poisson\" does not go with two classes; choose auto, logistic or focal",
        ),
        ("--set gbdt.monotone=y:+", "monotone: no column \"y\" is learnt from; known: x, noise"),
        ("--learners gbd", "unknown learner \"gbd\"; did you mean \"gbdt\"?"),
    ] {
        let ran = place.run(&format!("fit t.csv --target bad --work 1 {line} -o other.smidgen"));
        assert_eq!(ran.code, 2, "{line}: {}", ran.err);
        assert!(ran.err.contains(message), "{line}: {}", ran.err);
        assert!(!place.path("other.smidgen").exists(), "{line}");
    }
}

/// What rises with a column in truth but not in every sample rises in the model.
#[test]
fn monotone_columns_and_losses() {
    let place = Place::new();
    place.write("t.csv", rare(1200));
    place.good("fit t.csv --target bad --work 1 --set gbdt.monotone=x:+ -o m.smidgen");
    let rows: String = (0..200).map(|i| format!("{},3\n", f64::from(i) / 199.0)).collect();
    place.write("rising.csv", format!("x,noise\n{rows}"));
    let p = place.good("predict m.smidgen rising.csv --proba").out;
    let yes: Vec<f64> = p.lines().skip(1).map(|l| l.rsplit(',').next().unwrap().parse().unwrap()).collect();
    assert!(yes.windows(2).all(|w| w[0] <= w[1]) && yes[199] > yes[0], "{yes:?}");

    place.write("count.csv", table(600));
    for loss in ["squared", "absolute", "huber", "quantile", "poisson", "tweedie"] {
        let line = format!(
            "fit count.csv --target weight --task regression --drop kind,grade --set gbdt.loss={loss} --work 1 --folds 3 --json"
        );
        let fit = place.good(&line).json().unwrap();
        let score = fit["score_oof"].as_f64().unwrap();
        assert!(score < 12.0, "{loss}: {score}");
        assert!(fit["recipe"].as_str().unwrap().contains(&format!("loss={loss}")));
    }
    let balanced =
        place.good("fit t.csv --target bad --work 1 --set gbdt.class_weight=balanced --json").json().unwrap();
    let recall = balanced["metrics"]["recall"].as_f64().unwrap();
    assert!(recall > 0.6, "{recall}");
}
