//! `compose`: models trained apart become one file, which predicts what the method says of them.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "support/run.rs"]
mod run;
#[path = "support/tables.rs"]
mod tables;
#[path = "support/written.rs"]
mod written;

use run::Place;
use serde_json::Value;
use tables::{Asks, table};
use written::{predictions, records};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data");
const NETWORKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/onnx");

/// Fits one configuration to a table.
fn fit(place: &Place, table: &str, target: &str, rest: &str, name: &str) {
    let line = format!("fit {table} --target {target} --work 1 --folds 2 --seed 42 {rest} -o {name} --quiet");
    place.good(&line);
}

/// Forests of 10, 20 and 30 trees for the 120 rows of iris, an 80 % split by seed 42; the other 30 are the test.
fn forests() -> Place {
    let place = Place::new();
    for n_trees in [10, 20, 30] {
        let rest = format!("--learners forest --set forest.n_trees={n_trees} --calibrator none");
        let name = format!("f{n_trees}.smidgen");
        fit(&place, &format!("{EXAMPLES}/iris_train.csv"), "species", &rest, &name);
    }
    place
}

/// Three kinds of learners on rows 0 to 400, tables `train.csv` and `test.csv`, rows 400 to 700.
fn learners(asks: Asks) -> Place {
    let place = Place::new();
    place.write("train.csv", table(asks, 0..400));
    place.write("test.csv", table(asks, 400..700));
    let linear = if matches!(asks, Asks::Regression) { "ridge" } else { "logistic" };
    fit(&place, "train.csv", "y", "--drop w --set gbdt.n_trees=10", "boosted.smidgen");
    fit(&place, "train.csv", "y", &format!("--drop w --learners {linear}"), "linear.smidgen");
    let few = "--drop w,income --learners forest --set forest.n_trees=10 --calibrator none";
    fit(&place, "train.csv", "y", few, "forest.smidgen");
    place
}

const THREE: &str = "boosted.smidgen linear.smidgen forest.smidgen";

fn compose(place: &Place, line: &str) -> Value {
    place.good(&format!("compose {line} --json --quiet")).json().unwrap()
}

/// The probabilities of each row.
fn probabilities(place: &Place, model: &str, table: &str) -> Vec<Vec<f64>> {
    let out = place.good(&format!("predict {model} {table} --proba")).out;
    let row = |record: &Vec<String>| -> Vec<f64> { record[1..].iter().map(|p| p.parse().unwrap()).collect() };
    records(&out)[1..].iter().map(row).collect()
}

/// How far the probabilities of a model are from the weighted mean of those of its members.
fn away_from_mean(place: &Place, model: &str, members: &[(&str, f64)], table: &str) -> f64 {
    let all: f64 = members.iter().map(|(_, weight)| weight).sum();
    let of_members: Vec<_> =
        members.iter().map(|(name, weight)| (probabilities(place, name, table), weight / all)).collect();
    let mut furthest = 0.0f64;
    for (row, got) in probabilities(place, model, table).iter().enumerate() {
        for (class, p) in got.iter().enumerate() {
            let mean: f64 = of_members.iter().map(|(of, weight)| of[row][class] * weight).sum();
            furthest = furthest.max((p - mean).abs());
        }
    }
    furthest
}

fn proves(place: &Place, model: &str) {
    let lines = place.good(&format!("verify {model}")).out;
    assert!(!lines.is_empty() && lines.lines().all(|line| line.ends_with(" ok")), "{model}: {lines}");
}

/// Rows of the iris test that a model gets right.
fn n_right(place: &Place, model: &str) -> u64 {
    let line = format!("evaluate {model} {EXAMPLES}/iris_test.csv --json --quiet");
    let said = place.good(&line).json().unwrap();
    (0..3).map(|k| said["confusion"][k][k].as_u64().unwrap()).sum()
}

#[test]
fn three_forests_vote() {
    let place = forests();
    let data = format!("--data {EXAMPLES}/iris_test.csv --target species");
    let soft = format!("f10.smidgen f20.smidgen f30.smidgen {data} --method soft_vote --weights 1,1,1");
    let made = compose(&place, &format!("{soft} -o soft.smidgen"));
    assert_eq!((&made["status"], &made["method"]), (&"ok".into(), &"soft_vote".into()), "{made}");
    assert_eq!((&made["rows"], &made["cross_fitted"]), (&30.into(), &false.into()));
    assert_eq!(made["bytes"], std::fs::read(place.path("soft.smidgen")).unwrap().len());
    let members = made["members"].as_array().unwrap();
    assert_eq!(members.len(), 3);
    for (member, name) in members.iter().zip(["f10", "f20", "f30"]) {
        assert_eq!(member["model"], format!("{name}.smidgen"));
        assert!((member["weight"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-12, "{member}");
        assert!(member["learner"].is_null() && member["score"].is_number(), "{member}");
    }
    let said = place.good(&format!("evaluate soft.smidgen {EXAMPLES}/iris_test.csv --json")).json().unwrap();
    assert_eq!(said["score"], made["score"]);
    assert!(n_right(&place, "soft.smidgen") >= 29, "{said}");
    let (each, test) = ([("f10.smidgen", 1.0), ("f20.smidgen", 1.0), ("f30.smidgen", 1.0)], "iris_test.csv");
    let away = away_from_mean(&place, "soft.smidgen", &each, &format!("{EXAMPLES}/{test}"));
    assert!(away < 1e-6, "{away}");
    proves(&place, "soft.smidgen");

    // The same bytes on any number of threads.
    for jobs in [1, 3] {
        compose(&place, &format!("{soft} --jobs {jobs} -o again.smidgen"));
        let bytes = |name: &str| std::fs::read(place.path(name)).unwrap();
        assert!(bytes("again.smidgen") == bytes("soft.smidgen"), "{jobs} threads");
    }
    // Weights make it the usual vote.
    let made = compose(
        &place,
        &format!("f10.smidgen f20.smidgen f30.smidgen {data} --weights 1,0,2 -o weighted.smidgen"),
    );
    assert_eq!(made["method"], "soft_vote");
    assert_eq!(made["warnings"][0]["code"], "unused_member", "{made}");
    let each = [("f10.smidgen", 1.0), ("f30.smidgen", 2.0)];
    let away = away_from_mean(&place, "weighted.smidgen", &each, &format!("{EXAMPLES}/{test}"));
    assert!(away < 1e-6, "{away}");
}

#[test]
fn hard_votes_are_counted_by_weight() {
    let place = forests();
    let test = format!("{EXAMPLES}/iris_test.csv");
    let line = format!(
        "f10.smidgen f20.smidgen f30.smidgen --data {test} --target species --method hard_vote --weights"
    );
    compose(&place, &format!("{line} 3,1,1 -o first.smidgen"));
    let labels = |model: &str| predictions(&place.good(&format!("predict {model} {test}")));
    assert_eq!(labels("first.smidgen"), labels("f10.smidgen"), "three votes of five decide");
    compose(&place, &format!("{line} 2,1,1 -o some.smidgen"));
    let votes = [("f10.smidgen", 0.5), ("f20.smidgen", 0.25), ("f30.smidgen", 0.25)];
    let votes = votes.map(|(model, weight)| (labels(model), weight));
    let classes = ["setosa", "versicolor", "virginica"];
    for (row, got) in probabilities(&place, "some.smidgen", &test).iter().enumerate() {
        for (class, p) in classes.iter().zip(got) {
            let share: f64 = votes.iter().filter(|(of, _)| of[row] == *class).map(|(_, weight)| weight).sum();
            assert!((p - share).abs() < 1e-6, "{row} {class}: {p}, expected {share}");
        }
    }
    proves(&place, "some.smidgen");
}

#[test]
fn a_stack_learns_and_is_judged_on_other_rows() {
    let place = forests();
    let line = format!(
        "f10.smidgen f20.smidgen f30.smidgen --data {EXAMPLES}/iris_train.csv --target species -o stack.smidgen"
    );
    for method in ["stack_logistic", "stack_nnls", "greedy", "auto"] {
        let made = compose(&place, &format!("{line} --method {method}"));
        assert_eq!((&made["rows"], &made["cross_fitted"]), (&120.into(), &true.into()), "{method}: {made}");
        assert!(made["score"].is_number(), "{method}: {made}");
        assert!(n_right(&place, "stack.smidgen") >= 29, "{method}");
        proves(&place, "stack.smidgen");
    }
    // Of few rows nothing is learnt unless that is asked for.
    let few = line.replace("iris_train", "iris_test");
    assert_eq!(compose(&place, &few)["method"], "average");
}

#[test]
fn models_of_other_columns_and_learners() {
    for asks in [Asks::Binary, Asks::Multiclass] {
        let place = learners(asks);
        for method in
            ["soft_vote", "average", "hard_vote", "greedy", "stack_logistic", "cascade", "stack_trees"]
        {
            let name = format!("{method}.smidgen");
            let made = compose(&place, &format!("{THREE} --data test.csv --method {method} -o {name}"));
            assert_eq!(made["rows"], 300, "{asks:?} {method}: {made}");
            let learns = matches!(method, "greedy" | "stack_logistic" | "cascade" | "stack_trees");
            assert_eq!(made["cross_fitted"], learns, "{asks:?} {method}: {made}");
            let said = place.good(&format!("evaluate {name} test.csv --json --quiet")).json().unwrap();
            if !learns {
                assert_eq!(said["score"], made["score"], "{asks:?} {method}");
            }
            proves(&place, &name);
        }
        let each = [("boosted.smidgen", 1.0), ("linear.smidgen", 1.0), ("forest.smidgen", 1.0)];
        let away = away_from_mean(&place, "soft_vote.smidgen", &each, "test.csv");
        assert!(away < 1e-6, "{asks:?}: {away}");

        // What was composed is a model like others.
        let line = "soft_vote.smidgen boosted.smidgen --data test.csv --weights 3,1 -o again.smidgen";
        assert_eq!(compose(&place, line)["method"], "soft_vote");
        let each = [("soft_vote.smidgen", 3.0), ("boosted.smidgen", 1.0)];
        let away = away_from_mean(&place, "again.smidgen", &each, "test.csv");
        assert!(away < 1e-6, "{asks:?}: {away}");
        proves(&place, "again.smidgen");

        place.good("export average.smidgen --to onnx -o average.onnx --quiet");
        let ran = place.run("export soft_vote.smidgen --to onnx -o vote.onnx --quiet");
        assert!(ran.code == 3 && ran.err.contains("Votes"), "{}", ran.err);
    }
}

#[test]
fn ranks_of_two_classes() {
    let place = learners(Asks::Binary);
    let made = compose(&place, &format!("{THREE} --data test.csv --method rank_average -o ranks.smidgen"));
    assert_eq!(made["cross_fitted"], true, "ranks are learnt: {made}");
    proves(&place, "ranks.smidgen");
}

#[test]
fn numbers_are_averaged() {
    let place = learners(Asks::Regression);
    let line = format!("{THREE} --data test.csv");
    let made = compose(&place, &format!("{line} --method average -o mean.smidgen"));
    assert_eq!((&made["task"], &made["metric"]), (&"regression".into(), &"rmse".into()));
    assert!(made["classes"].is_null() && made["positive"].is_null());
    let values = |model: &str| -> Vec<f64> {
        let told = predictions(&place.good(&format!("predict {model} test.csv")));
        told.iter().map(|p| p.parse().unwrap()).collect()
    };
    let of_members: Vec<Vec<f64>> = THREE.split(' ').map(values).collect();
    for (row, got) in values("mean.smidgen").into_iter().enumerate() {
        let mean = of_members.iter().map(|of| of[row]).sum::<f64>() / 3.0;
        // Half a step of the finest grid of the members.
        assert!((got - mean).abs() < 0.01, "{row}: {got}, expected {mean}");
    }
    let worst = made["members"].as_array().unwrap().iter().map(|m| m["score"].as_f64().unwrap());
    assert!(made["score"].as_f64().unwrap() < worst.fold(0.0, f64::max), "{made}");
    for method in ["auto", "stack_nnls", "stack_ridge", "stack_trees"] {
        let made = compose(&place, &format!("{line} --method {method} -o other.smidgen"));
        assert_eq!(made["cross_fitted"], true, "{method}: {made}");
        proves(&place, "other.smidgen");
    }
}

/// Whole years in one table, halves of years in another: models take both as they would alone.
#[test]
fn whole_numbers_meet_fractions() {
    let place = Place::new();
    let halves = |text: String| -> String {
        let mut lines = text.lines();
        let header = lines.next().unwrap().to_owned() + "\n";
        lines.fold(header, |all, line| {
            let (age, rest) = line.split_once(',').unwrap();
            all + age + ".5," + rest + "\n"
        })
    };
    place.write("whole.csv", table(Asks::Binary, 0..400));
    place.write("halves.csv", halves(table(Asks::Binary, 0..400)));
    place.write("new_whole.csv", table(Asks::Binary, 400..700));
    place.write("new_halves.csv", halves(table(Asks::Binary, 400..700)));
    fit(&place, "whole.csv", "y", "--drop w --set gbdt.n_trees=10", "codes.smidgen");
    fit(&place, "whole.csv", "y", "--drop w --learners logistic", "reals.smidgen");
    fit(&place, "halves.csv", "y", "--drop w --set gbdt.n_trees=10", "halves.smidgen");
    let three = [("codes.smidgen", 1.0), ("reals.smidgen", 1.0), ("halves.smidgen", 1.0)];
    for order in ["codes.smidgen reals.smidgen halves.smidgen", "halves.smidgen reals.smidgen codes.smidgen"]
    {
        compose(&place, &format!("{order} --data new_whole.csv --method soft_vote -o all.smidgen"));
        for rows in ["new_whole.csv", "new_halves.csv"] {
            let away = away_from_mean(&place, "all.smidgen", &three, rows);
            assert!(away < 1e-6, "{order}, {rows}: {away}");
        }
        proves(&place, "all.smidgen");
    }
}

#[test]
fn demands_and_words_for_people() {
    let place = learners(Asks::Binary);
    let line = format!("compose {THREE} --data test.csv --method average -o all.smidgen");
    let ran = place.good(&line);
    for told in ["all.smidgen: binary task, 300 rows", "linear.smidgen", "roc_auc", "average", "a row"] {
        assert!(ran.out.contains(told), "{told}: {}", ran.out);
    }
    let ran = place.run(&format!("{line} --min-score 0.9999 --max-bytes 1kB --json"));
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(ran.json().unwrap()["status"], "unmet");
    assert!(ran.err.contains("at least 0.9999 was demanded") && ran.err.contains("bytes, at most 1000"));
    assert_eq!(place.good(&format!("{line} --metric accuracy --json")).json().unwrap()["metric"], "accuracy");
    let help = place.good("compose --help").out;
    for told in ["stack_nnls", "hard_vote", "n_steps=25", "METHOD.PARAM=VALUE"] {
        assert!(help.contains(told), "{told}: {help}");
    }
}

#[test]
fn what_cannot_be_composed_is_refused() {
    let place = learners(Asks::Binary);
    place.write("numbers.csv", table(Asks::Regression, 0..200));
    place.write("words.csv", table(Asks::Binary, 0..200).replace(",yes\n", ",ja\n"));
    place.write("few.csv", table(Asks::Binary, 0..7));
    place.write("unseen.csv", table(Asks::Binary, 0..60).replacen(",yes\n", ",maybe\n", 1));
    place.write("narrow.csv", "age,city,y\n30,Bonn,yes\n40,Mainz,no\n");
    let few = "--drop w --set gbdt.n_trees=5";
    fit(&place, "numbers.csv", "y", few, "numbers.smidgen");
    fit(&place, "numbers.csv", "y", "--drop w --learners ridge", "ridge.smidgen");
    fit(&place, "words.csv", "y", few, "words.smidgen");
    place.good("prepare train.csv --transforms one_hot -o columns.smidgen");
    let network = format!("boosted.smidgen {NETWORKS}/bars.onnx --data test.csv");
    let copy = place.path("boosted.smidgen");
    std::fs::copy(&copy, place.path("kept.smidgen")).unwrap();
    for (line, code, message) in [
        ("boosted.smidgen --data test.csv", 2, "expected two models or more, got 1"),
        ("boosted.smidgen gone.smidgen --data test.csv", 2, "gone.smidgen: "),
        ("boosted.smidgen linear.smidgen --data gone.csv", 2, "gone.csv: "),
        (
            "boosted.smidgen words.smidgen --data test.csv",
            2,
            "boosted.smidgen has classes \"no\", \"yes\", words.smidgen has classes \"ja\", \"no\"; train them on the same classes",
        ),
        (
            "boosted.smidgen numbers.smidgen --data test.csv",
            2,
            "a number and the code of a class have no mean",
        ),
        (network.as_str(), 3, "bars.onnx: a network"),
        ("boosted.smidgen columns.smidgen --data test.csv", 3, "columns.smidgen: it makes columns"),
        (
            "numbers.smidgen ridge.smidgen --data numbers.csv --method hard_vote",
            3,
            "ensemble hard_vote: a regression task is not supported",
        ),
        (
            "boosted.smidgen linear.smidgen --data test.csv --weights 1,1,1",
            2,
            "--weights: expected 2 numbers, at least 0 and not all 0, got 1,1,1",
        ),
        ("boosted.smidgen linear.smidgen --data test.csv --weights -1,1", 2, "at least 0 and not all 0"),
        (
            "boosted.smidgen linear.smidgen --data test.csv --method stack_nnls --weights 1,1",
            2,
            "ensemble stack_nnls: it learns its weights",
        ),
        ("boosted.smidgen linear.smidgen --data test.csv --method soft", 2, "did you mean \"soft_vote\"?"),
        ("boosted.smidgen linear.smidgen --data test.csv --set n_steps=3", 2, "such as greedy.n_steps=3"),
        (
            "boosted.smidgen linear.smidgen --data test.csv --set greedy.steps=3",
            2,
            "greedy: unknown parameter \"steps\"",
        ),
        (
            "boosted.smidgen linear.smidgen --data test.csv --method average --set greedy.n_steps=3",
            2,
            "the models are combined by average; name greedy with --method",
        ),
        ("boosted.smidgen linear.smidgen --data test.csv --metric rmse", 2, "rmse"),
        ("boosted.smidgen linear.smidgen --data narrow.csv", 2, "no column \"income\""),
        ("boosted.smidgen linear.smidgen --data test.csv --target z", 2, "no column \"z\""),
        ("boosted.smidgen linear.smidgen --data few.csv --method greedy", 2, "greedy learns from 10 or more"),
        ("boosted.smidgen linear.smidgen --data unseen.csv", 2, "\"maybe\" (1 rows)"),
        (
            "boosted.smidgen linear.smidgen --data test.csv --join test.csv",
            2,
            "no model takes a second table",
        ),
    ] {
        let ran = place.run(&format!("compose {line} -o out.smidgen"));
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{line}: {}", ran.err);
        assert!(ran.err.contains(message), "{line}: {}", ran.err);
        assert!(!place.path("out.smidgen").exists(), "{line}");
    }
    for output in ["boosted.smidgen", "test.csv"] {
        let ran = place.run(&format!("compose boosted.smidgen linear.smidgen --data test.csv -o {output}"));
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains("it is the input as well"), "{}", ran.err);
    }
    let bytes = |name: &str| std::fs::read(place.path(name)).unwrap();
    assert!(bytes("boosted.smidgen") == bytes("kept.smidgen"), "an input stays as it was");
}

/// A column that is a number in one table and a category in another.
#[test]
fn columns_of_two_kinds_are_refused_by_name() {
    let place = Place::new();
    let zips = |letter: &str| {
        let rows = (0..300u64).map(|i| {
            let y = if ((i * 7) % 10 < 4) ^ (i % 11 == 0) { "no" } else { "yes" };
            format!("{letter}{},{},{y}\n", (i * 7) % 10, i % 13)
        });
        rows.fold("zip,b,y\n".to_owned(), |all, row| all + &row)
    };
    place.write("numbers.csv", zips(""));
    place.write("words.csv", zips("D"));
    fit(&place, "numbers.csv", "y", "--set gbdt.n_trees=5", "numbers.smidgen");
    fit(&place, "words.csv", "y", "--set gbdt.n_trees=5", "words.smidgen");
    let ran = place.run("compose numbers.smidgen words.smidgen --data words.csv -o out.smidgen");
    assert_eq!(ran.code, 3, "{}", ran.err);
    for told in ["column \"zip\"", "a number stored as i64 in numbers.smidgen", "a category stored as string"]
    {
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
}
