//! What is unusual and must work, with a warning where one is due.

#[path = "support/run.rs"]
mod run;
#[path = "support/tables.rs"]
mod tables;
#[path = "support/written.rs"]
mod written;

use run::{Place, Ran};
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::process::Stdio;
use tables::{Asks, noise, table};
use written::{predictions, records};

const FEW: &str = "--work 1 --folds 2 --set gbdt.n_trees=10";

fn read(place: &Place, name: &str) -> Vec<u8> {
    std::fs::read(place.path(name)).unwrap_or_default()
}

/// The program with a file as its standard input.
fn fed(place: &Place, input: &str, line: &str) -> Ran {
    let input = File::open(place.path(input)).expect("the input is there");
    let mut command = place.command();
    let command = command.args(line.split(' ')).stdin(Stdio::from(input));
    Ran::of(command.output().expect("the program starts"))
}

fn codes_of(warnings: &Value) -> Vec<String> {
    let of =
        |w: &Value| format!("{} {}", w["code"].as_str().unwrap_or(""), w["column"].as_str().unwrap_or("-"));
    let mut codes: Vec<String> = warnings.as_array().into_iter().flatten().map(of).collect();
    codes.sort();
    codes
}

#[test]
fn odd_columns_are_told() {
    let rows = |cell: &dyn Fn(u64) -> String| -> String {
        let y = |i| if noise(i) > 0.5 { "no" } else { "yes" };
        (0..120).map(|i| format!("{},{},{}\n", noise(i) + noise(i + 500), cell(i), y(i))).collect()
    };
    let text = |cell: &dyn Fn(u64) -> String| format!("a,b,y\n{}", rows(cell));
    let any = |i: u64| (i * 7 % 50).to_string();
    let cases = [
        ("no value", text(&|_| String::new()), vec!["empty_column b"]),
        ("markers only", text(&|i| ["NA", "?"][i as usize % 2].into()), vec!["empty_column b"]),
        ("one value", text(&|_| "7".into()), vec!["constant_column b"]),
        ("infinite", text(&|i| if i == 5 { "inf".into() } else { any(i) }), vec!["infinite_values b"]),
        ("a few targets missing", text(&any).replacen(",no\n", ",\n", 3), vec!["missing_target y"]),
        ("a rare class", text(&any).replacen(",no\n", ",maybe\n", 2), vec!["rare_classes -"]),
        ("nothing odd", text(&any), vec![]),
    ];
    for (name, table, expected) in cases {
        let place = Place::new();
        place.write("t.csv", table);
        let object = place.good(&format!("fit t.csv --target y --json {FEW}")).json().unwrap();
        assert_eq!(codes_of(&object["warnings"]), expected, "{name}");
        let text = place.good(&format!("fit t.csv --target y --quiet {FEW}"));
        assert_eq!(text.out.matches("warning: ").count(), expected.len(), "{name}: {}", text.out);
        place.good("predict model.smidgen t.csv");
    }
}

#[test]
fn infinite_values_are_ordered() {
    let place = Place::new();
    let cell = |i: u64| ["-inf", "inf", "-Infinity", "1e300", "-5"][i as usize % 5];
    let class = |i: u64| ["below", "above", "below", "large", "small"][i as usize % 5];
    let rows: String = (0..400).map(|i| format!("{},{},{}\n", cell(i), i % 7, class(i))).collect();
    place.write("t.csv", format!("a,b,y\n{rows}"));
    place.good("fit t.csv --target y --work 1 --folds 2 --set gbdt.n_trees=20");
    let expected: Vec<&str> = (0..400).map(class).collect();
    assert_eq!(predictions(&place.good("predict model.smidgen t.csv")), expected);
}

#[test]
fn a_small_table_learns_from_its_categories() {
    let place = Place::new();
    let kinds = ["a", "b", "c", "d", "e", "f"];
    let row = |i: u64| (kinds[i as usize % 6], if i % 6 < 3 { "no" } else { "yes" });
    let rows: String = (0..180).map(row).map(|(kind, y)| format!("{kind},{y}\n")).collect();
    place.write("t.csv", format!("kind,y\n{rows}"));
    place.good(&format!("fit t.csv --target y {FEW}"));
    let score = &place.good("evaluate model.smidgen t.csv --json").json().unwrap()["metrics"]["accuracy"];
    assert_eq!(score, 1.0, "the category is the class");
}

#[test]
fn markers_of_training_hold_afterwards() {
    let place = Place::new();
    let text = table(Asks::Binary, 0..800).replace('?', "unknown");
    place.write("t.csv", &text);
    let fit = place.run(&format!("fit t.csv --target y --missing unknown --test t.csv {FEW}"));
    assert_eq!(fit.code, 0, "{}", fit.err);
    place.write("plain.csv", text.replace("unknown", ""));
    let plain = place.good("predict model.smidgen plain.csv --proba").out;
    assert_eq!(place.good("predict model.smidgen t.csv --proba").out, plain);
    place.good("evaluate model.smidgen t.csv");
}

#[test]
fn every_spelling_of_a_table_gives_the_same_model() {
    spellings(&table(Asks::Binary, 0..300), "--proba");
    spellings(&table(Asks::Multiclass, 0..300), "--proba");
    spellings(&table(Asks::Regression, 0..300), "--keep income,city");
}

/// Fits and predicts each spelling of the table, as a file and as standard input.
fn spellings(plain: &str, flags: &str) {
    let predict = format!("predict model.smidgen t.csv {flags}");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(plain.as_bytes()).expect("memory can be written");
    let quoted: String = plain.lines().map(|l| format!("\"{}\"\n", l.replace(',', "\",\""))).collect();
    let place = Place::new();
    place.write("t.csv", plain);
    let fit = format!("fit t.csv --target y {FEW}");
    place.good(&fit);
    let (model, out) = (read(&place, "model.smidgen"), place.good(&predict).out);
    let spellings: [(&str, Vec<u8>); 9] = [
        ("CRLF", plain.replace('\n', "\r\n").into()),
        ("byte order mark", format!("\u{feff}{plain}").into()),
        ("mark and CRLF", format!("\u{feff}{}", plain.replace('\n', "\r\n")).into()),
        ("semicolons", plain.replace(',', ";").into()),
        ("tabs", plain.replace(',', "\t").into()),
        ("quotes", quoted.into()),
        ("blanks", plain.replace(',', " , ").into()),
        ("no last line end", plain.trim_end().into()),
        ("gzip", packed.finish().expect("memory can be written")),
    ];
    for (name, bytes) in spellings {
        place.write("t.csv", bytes);
        place.good(&fit);
        assert_eq!(read(&place, "model.smidgen"), model, "{name}");
        assert_eq!(place.good(&predict).out, out, "{name}");
        let fitted = fed(&place, "t.csv", &fit.replace("fit t.csv", "fit -"));
        assert_eq!(
            (fitted.code, read(&place, "model.smidgen")),
            (0, model.clone()),
            "{name}, standard input"
        );
        let predicted = fed(&place, "t.csv", &predict.replace("t.csv", "-"));
        assert_eq!((predicted.code, &predicted.out), (0, &out), "{name}, standard input");
    }
}

#[test]
fn row_weights_count() {
    // Rows of weight 0 say the opposite.
    let rows = |weight: &dyn Fn(u64) -> &'static str| -> String {
        let y = |i: u64| if (i % 40 < 20) == matches!(i % 3, 1 | 2) { "no" } else { "yes" };
        (0..600).map(|i| format!("{},{},{}\n", i % 40, weight(i), y(i))).collect()
    };
    let place = Place::new();
    place.write("t.csv", format!("a,w,y\n{}", rows(&|i| if i % 3 > 0 { "1" } else { "0" })));
    place.good(&format!("fit t.csv --target y --row-weight w {FEW}"));
    place.write("new.csv", "a\n3\n19\n20\n35\n");
    assert_eq!(predictions(&place.good("predict model.smidgen new.csv")), ["no", "no", "yes", "yes"]);
    let model = place.good("inspect model.smidgen --json").json().unwrap();
    assert_eq!(model["columns"].as_array().unwrap().len(), 1, "the weight is no input: {model}");
    let turned = rows(&|i| if i % 3 > 0 { "0" } else { "2.5" });
    place.write("t.csv", format!("a,w,y\n{turned}"));
    place.good(&format!("fit t.csv --target y --row-weight w {FEW}"));
    assert_eq!(predictions(&place.good("predict model.smidgen new.csv")), ["yes", "yes", "no", "no"]);
}

#[test]
fn a_thousand_classes() {
    let place = Place::new();
    let rows = (0..3000).map(|i| format!("{},{},c{}\n", i % 1000, noise(i), i % 1000));
    place.write("t.csv", format!("a,b,y\n{}", rows.collect::<String>()));
    let line = "fit t.csv --target y --set gbdt.n_trees=3 --work 1 --folds 2 --json";
    let object = place.good(line).json().unwrap();
    assert_eq!(object["classes"].as_array().unwrap().len(), 1000);
    assert!(codes_of(&object["warnings"]).contains(&"many_classes -".to_owned()), "{}", object["warnings"]);
    let records = records(&place.good("predict model.smidgen t.csv --proba").out);
    assert_eq!((records.len(), records[0].len()), (3001, 1001));
    assert!(place.good("verify model.smidgen").out.lines().all(|line| line.ends_with(" ok")));
}

#[test]
fn targets_of_any_size() {
    let cases: [(&str, f64, f64); 8] = [
        ("usual", 0.0, 1.0),
        ("far from 0", 1e9, 1.0),
        ("far from 0 and wide", 1e9, 1e6),
        ("small", 0.0, 1e-9),
        ("large", 0.0, 1e12),
        ("far below 0", -1e6, 0.01),
        ("vast", 0.0, 1e30),
        ("tiny", 0.0, 1e-30),
    ];
    for (name, middle, width) in cases {
        let place = Place::new();
        let y = |i: u64| middle + width * (noise(i) + (i % 5) as f64);
        let rows: String = (0..600).map(|i| format!("{},{},{:e}\n", noise(i), i % 5, y(i))).collect();
        place.write("t.csv", format!("a,b,y\n{rows}"));
        let rest = "--task regression --work 1 --folds 2 --set gbdt.n_trees=60";
        place.good(&format!("fit t.csv --target y {rest}"));
        let object = place.good("evaluate model.smidgen t.csv --json").json().unwrap();
        let r2 = object["metrics"]["r2"].as_f64();
        assert!(r2.is_some_and(|r2| r2 > 0.9), "{name}: R2 {r2:?}");
        let written = predictions(&place.good("predict model.smidgen t.csv"));
        let lost = written.iter().zip(0..).map(|(cell, i)| cell.parse::<f64>().unwrap() - y(i));
        let total = (0..600).map(|i| y(i) - middle - width * 2.5).map(|d| d * d).sum::<f64>();
        let by_hand = 1.0 - lost.map(|d| d * d).sum::<f64>() / total;
        assert!((by_hand - r2.unwrap()).abs() < 0.01, "{name}: R2 {r2:?}, of what predict writes {by_hand}");
    }
}

/// What is beyond a 32-bit float is learnt, or refused by name; it is not predicted wrongly.
#[test]
fn targets_beyond_all_bounds_are_not_predicted_wrongly() {
    for size in ["1e60", "1e-60", "1e300"] {
        let place = Place::new();
        let y = |i: u64| (i * 7 % 50) as f64 * size.parse::<f64>().unwrap();
        let rows: String = (0..400).map(|i| format!("{},{:e}\n", i * 7 % 50, y(i))).collect();
        place.write("t.csv", format!("a,y\n{rows}"));
        let fit = place.run("fit t.csv --target y --work 1 --folds 2 --set gbdt.n_trees=60");
        if fit.code == 2 && fit.err.contains("\"y\"") {
            continue;
        }
        assert_eq!(fit.code, 0, "{size}: {}", fit.err);
        let written = predictions(&place.good("predict model.smidgen t.csv"));
        let far = written.iter().zip(0..).map(|(cell, i)| cell.parse::<f64>().unwrap() / y(i) - 1.0);
        let near = far.filter(|off| off.abs() < 0.3).count();
        assert!(near > 200, "{size}: {near} of 400 predictions are near; the first are {:?}", &written[..3]);
    }
}

/// A column that counts the rows looks like an identifier; whoever declares it a number knows better.
#[test]
fn a_counting_column_is_learnt_from_when_declared() {
    let place = Place::new();
    let rows: String = (1..=200).map(|i| format!("{i},{}.5\n", 2 * i)).collect();
    place.write("t.csv", format!("x,y\n{rows}"));
    let plain = place.run("fit t.csv --target y --work 1 --folds 2");
    assert!(plain.code == 0 || plain.err.contains("\"x\""), "{}", plain.err);
    place.good("fit t.csv --target y --types x=number --work 1 --folds 2");
    let object = place.good("evaluate model.smidgen t.csv --json").json().unwrap();
    assert!(object["metrics"]["r2"].as_f64().unwrap() > 0.9, "{}", object["metrics"]);
}
