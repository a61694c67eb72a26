//! Transforms by name: worked examples, every member of the table, and what a model keeps of them.

#[path = "support/run.rs"]
mod run;

use run::Place;
use serde_json::Value;

/// The cells of a CSV without quotes.
fn cells(csv: &str) -> Vec<Vec<&str>> {
    csv.lines().map(|line| line.split(',').collect()).collect()
}

const PEOPLE: &str = "gender,age\nmale,25\nfemale,30\nmale,35\nfemale,40\n";

/// The one-hot table of a textbook: of both columns, and with the age as a number.
#[test]
fn one_hot_of_gender_and_age() {
    let place = Place::new();
    place.write("p.csv", PEOPLE);
    place.good("prepare p.csv --transforms one_hot --types age=category -o both.csv");
    let both = std::fs::read_to_string(place.path("both.csv")).unwrap();
    let expected = "gender=female,gender=male,age=25,age=30,age=35,age=40\n\
                    0,1,1,0,0,0\n1,0,0,1,0,0\n0,1,0,0,1,0\n1,0,0,0,0,1\n";
    assert_eq!(both, expected);
    place.good("prepare p.csv --transforms one_hot -o one.csv");
    let one = std::fs::read_to_string(place.path("one.csv")).unwrap();
    assert_eq!(one, "gender=female,gender=male,age\n0,1,25\n1,0,30\n0,1,35\n1,0,40\n");
}

#[test]
fn the_l2_norm_of_rows() {
    let place = Place::new();
    place.write("r.csv", "a,b\n3,4\n0,0\n-6,8\n");
    place.good("prepare r.csv --transforms row_norm -o n.csv");
    let made = std::fs::read_to_string(place.path("n.csv")).unwrap();
    assert_eq!(made, "a,b\n0.6,0.8\n0,0\n-0.6,0.8\n");
}

/// A model of transforms makes the same columns of any table; Parquet and CSV hold the same.
#[test]
fn a_model_of_transforms_makes_the_same_columns() {
    let place = Place::new();
    place.write("p.csv", PEOPLE);
    place.good("prepare p.csv --transforms one_hot,standard -o p.smidgen");
    place.good("prepare p.csv --transforms one_hot,standard -o table.csv");
    place.good("prepare p.csv --transforms one_hot,standard -o table.parquet");
    let table = std::fs::read_to_string(place.path("table.csv")).unwrap();
    assert_eq!(place.good("predict p.smidgen p.csv").out, table);
    // Written by one and read by the other.
    place.good("predict p.smidgen p.csv -o again.parquet");
    for file in ["table.parquet", "again.parquet"] {
        let seen = place.good(&format!("inspect {file} --json")).json().unwrap();
        assert_eq!(
            (&seen["rows"], seen["columns"].as_array().unwrap().len()),
            (&Value::from(4), 3),
            "{file}"
        );
    }
    // Unseen, missing and odd cells in another order of columns.
    place.write("q.csv", "age,more,gender\n35,1,other\n,2,male\n");
    let made = place.good("predict p.smidgen q.csv --keep more").out;
    assert_eq!(cells(&made)[0], ["more", "gender=female", "gender=male", "age"]);
    assert_eq!(cells(&made)[2][3], "", "{made}");
    assert!(place.good("verify p.smidgen").out.lines().all(|l| l.ends_with(" ok")));
    let refused = place.run("evaluate p.smidgen p.csv --target age");
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("makes columns and predicts nothing"), "{}", refused.err);
}

#[test]
fn columns_that_go_on_keep_their_names() {
    let place = Place::new();
    place.write("t.csv", "a,b,y\n1,,0\n2,5,1\n,6,0\n4,7,1\n");
    place.good("prepare t.csv --target y --transforms impute --set impute.keep=yes -o k.csv");
    let made = std::fs::read_to_string(place.path("k.csv")).unwrap();
    assert_eq!(made.lines().next(), Some("a,a by impute,b,b by impute,y"));
    place.good("inspect k.csv");
    // Cleaning that leaves nothing is told.
    place.write("holes.csv", "a,b\n1,\n,2\n3,\n,4\n");
    let none = place.run("prepare holes.csv --missing-cells drop-rows --transforms standard -o n.csv");
    assert_eq!(none.code, 2);
    assert!(none.err.contains("cleaning left no row"), "{}", none.err);
    // A model makes numbers; what it does not make is told.
    place.write("c.csv", "a,c\n1,x\n2,y\n3,x\n");
    let told = place.good("prepare c.csv --transforms standard -o c.smidgen --json").json().unwrap();
    assert_eq!(told["warnings"][0]["column"], "c", "{told}");
}

/// Steps that are fitted inside the folds tell what those before them tell.
#[test]
fn late_steps_tell_too() {
    let place = Place::new();
    let rows: String = (0..60u32).map(|i| format!("{},{}\n", i * 37 % 61, i * 7 % 3)).collect();
    place.write("k.csv", format!("a,y\n{rows}"));
    let fit = "fit k.csv --target y --work 1 --folds 2 --json --transforms";
    for steps in ["one_hot", "target_encode", "discretize_target,one_hot"] {
        let told = place.good(&format!("{fit} {steps}")).json().unwrap();
        let idle = told["warnings"].as_array().unwrap().iter().any(|w| w["code"] == "idle_transform");
        assert!(idle, "{steps}: {}", told["warnings"]);
    }
}

/// A table of every kind of column.
fn mixed(n: u32) -> String {
    let mut text = String::from("number,whole,color,day,other_day,note,y\n");
    for i in 0..n {
        let (a, b) = (f64::from(i * 37 % 101) / 7.0, i * 53 % 17);
        let color = ["amber", "blue", "coral"][(i * 11 % 3) as usize];
        let word = ["good", "bad", "plain", "odd"][(i * 29 % 4) as usize];
        let note = format!("a {word} text about the {color} number {b}");
        let (day, other) = (1 + i % 28, 1 + i * 7 % 28);
        let number = if i % 13 == 5 { String::new() } else { format!("{a}") };
        let y = u8::from(a + f64::from(b) > 14.0 || word == "bad");
        text.push_str(&format!("{number},{b},{color},2024-01-{day:02},2024-02-{other:02},{note},{y}\n"));
    }
    text
}

/// Every member is reached by its name, in `prepare` and in `fit`, and what `fit` writes verifies and predicts.
#[test]
fn every_transform_by_name() {
    let place = Place::new();
    place.write("t.csv", mixed(220));
    let types = "--types note=text,day=time,other_day=time";
    for entry in smidgen::TRANSFORMS {
        let name = entry.name;
        // Bags come of text.
        let takes_bags = entry.takes_shown() == "bag";
        let steps = if takes_bags { format!("tf_idf,{name}") } else { name.to_owned() };
        let fit = format!(
            "fit t.csv --target y {types} --transforms {steps} --work 1 --folds 2 --set gbdt.n_trees=5 --json"
        );
        let object = place.good(&format!("{fit} --jobs 1")).json().unwrap();
        let bytes = std::fs::read(place.path("model.smidgen")).unwrap();
        place.good(&format!("{fit} --jobs 3"));
        let again = std::fs::read(place.path("model.smidgen")).unwrap();
        assert!(bytes == again, "{name}: other bytes on 3 threads than on 1");
        assert!(object["recipe"].as_str().unwrap().contains(name), "{name}: {}", object["recipe"]);
        let idle = object["warnings"].as_array().unwrap().iter().any(|w| w["code"] == "idle_transform");
        assert!(!idle, "{name}: {object}");
        assert!(place.good("verify model.smidgen").out.lines().all(|l| l.ends_with(" ok")), "{name}");
        place.good("predict model.smidgen t.csv");
        let made = place.run(&format!("prepare t.csv --target y {types} --transforms {steps} -o made.csv"));
        assert_eq!(made.code, 0, "{name}: {}", made.err);
        // Its parameters have names, and a wrong one is told with those that there are.
        let wrong = place.run(&format!("{fit} --set {name}.no_such=1"));
        assert_eq!(wrong.code, 2, "{name}");
        assert!(wrong.out.contains("unknown parameter"), "{name}: {}", wrong.out);
    }
}

#[test]
fn steps_that_cannot_be_taken() {
    let place = Place::new();
    place.write("t.csv", mixed(60));
    for (flags, message) in [
        ("--transforms standart", "unknown transform \"standart\""),
        ("--transforms standard(number", "or NAME(COL;COL), got no closing parenthesis"),
        ("--transforms standard(nmber)", "standard: there is no column \"nmber\" at this step"),
        ("--transforms standard(color)", "standard: column \"color\" is a category"),
        ("--transforms one_hot --set one_hot.max_categories=0", "one_hot: max_categories must be"),
        ("--set standard.keep=yes", "transform \"standard\" is not in --transforms"),
        ("--set gbt.n_trees=3", "no transform is called so"),
        ("--missing-cells zero", "expected leave, impute, drop-rows or drop-columns:SHARE"),
        ("--missing-cells drop-columns:2", "expected a share between 0 and 1"),
        ("--duplicates keep", "expected report or drop"),
        ("--set past.lags=3", "rows have no order; name the column with --order"),
        ("--order color", "--order color: its kind: expected number or time, got category"),
        ("--order nothing", "--order nothing: the column"),
        ("--join t.csv", "--on"),
    ] {
        let ran = place.run(&format!("fit t.csv --target y --work 1 {flags}"));
        assert_eq!(ran.code, 2, "{flags}: {}", ran.err);
        assert!(ran.err.contains(message), "{flags}: {}", ran.err);
        assert!(!place.path("model.smidgen").exists(), "{flags}");
    }
    // Without a target, what sees one cannot be fitted.
    let ran = place.run("prepare t.csv --transforms discretize_target -o o.csv");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("it is fitted to the target, and there is none"), "{}", ran.err);
}

fn cleaned(object: &Value, code: &str) -> Option<u64> {
    let all = object["cleaning"].as_array().expect("fit gives a list");
    all.iter().find(|c| c["code"] == code).and_then(|c| c["count"].as_u64())
}

#[test]
fn copies_and_missing_cells_are_cleaned_as_asked() {
    let place = Place::new();
    let rows: Vec<String> = (0..80u32)
        .map(|i| {
            let b = if i % 8 == 3 { String::new() } else { (i * 31 % 97).to_string() };
            let c = if i % 10 == 0 { "1" } else { "" };
            format!("{},{b},{c},{}\n", i * 7919 % 1009, u8::from(i % 3 == 0))
        })
        .collect();
    place.write("t.csv", format!("a,b,c,y\n{}{}", rows.concat(), rows[..5].concat()));
    let fit = |flags: &str| -> Value {
        place.good(&format!("fit t.csv --target y --work 1 --folds 2 --json {flags}")).json().unwrap()
    };
    let plain = fit("");
    assert_eq!(plain["rows"], 85);
    assert!(plain["warnings"].to_string().contains("duplicate_rows"), "{}", plain["warnings"]);
    let dropped = fit("--duplicates drop");
    assert_eq!((dropped["rows"].as_u64(), cleaned(&dropped, "duplicate_rows")), (Some(80), Some(5)));
    // Every row of `c` but eight is missing.
    let columns = fit("--missing-cells drop-columns:0.8");
    assert!(columns["cleaning"].to_string().contains("missing_column"), "{}", columns["cleaning"]);
    let complete = fit("--missing-cells drop-rows --drop c");
    assert_eq!(complete["rows"], 85 - 11);
    assert_eq!(cleaned(&complete, "missing_rows"), Some(11));
    let filled = fit("--missing-cells impute");
    assert_eq!(filled["rows"], 85);
    assert!(filled["recipe"].as_str().unwrap().starts_with("impute; "), "{}", filled["recipe"]);
    assert_eq!(cleaned(&filled, "impute"), Some(11), "{}", filled["cleaning"]);
    // An id is not learnt from, and prediction does without it.
    fit("--types a=id");
    place.write("rest.csv", "b,c\n3,1\n");
    assert_eq!(place.good("predict model.smidgen rest.csv").out.lines().count(), 2);
    // The command of the report repeats the cleaning.
    assert!(filled["command"].as_str().unwrap().contains("--missing-cells impute"), "{}", filled["command"]);
}

/// Inside the folds a category of noise must not be known from its own target.
#[test]
fn what_sees_the_target_is_fitted_inside_the_folds() {
    let place = Place::new();
    let mut text = String::from("who,x,y\n");
    for i in 0..600u64 {
        let z = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ z >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let noise = (z ^ z >> 29) & 1;
        text.push_str(&format!("name{},{},{noise}\n", i * 7919 % 300, i * 31 % 97));
    }
    place.write("t.csv", text);
    for steps in ["discretize_target", "target_encode"] {
        let fit = format!("fit t.csv --target y --types who=category --transforms {steps} --work 1 --json");
        let object = place.good(&fit).json().unwrap();
        let score = object["score_oof"].as_f64().unwrap();
        assert!((0.40..0.62).contains(&score), "{steps}: {score}");
    }
}
