//! What is unusual and must work, with a warning where one is due.

#[path = "support/run.rs"]
mod run;
#[path = "support/tables.rs"]
mod tables;

use run::{Place, Ran};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;
use tables::{Asks, noise, table};

const FEW: &str = "--work 1 --folds 2 --set gbdt.n_trees=10";

/// A folder with `train.csv`, rows 0 to 800, `new.csv`, rows 800 to 1000, and `m.smidgen`.
fn fitted(asks: Asks) -> Place {
    let place = Place::new();
    place.write("train.csv", table(asks, 0..800));
    place.write("new.csv", table(asks, 800..1000));
    place.good(&format!("fit train.csv --target y --drop w {FEW} -o m.smidgen"));
    place
}

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

/// The records of a CSV text: RFC 4180, lines may end with CR.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut all, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut chars) = (false, text.chars().peekable());
    while let Some(c) = chars.next() {
        match (quoted, c) {
            (true, '"') if chars.next_if_eq(&'"').is_some() => field.push('"'),
            (_, '"') => quoted = !quoted,
            (true, c) => field.push(c),
            (false, ',') => record.push(std::mem::take(&mut field)),
            (false, '\r') => {}
            (false, '\n') => {
                record.push(std::mem::take(&mut field));
                all.push(std::mem::take(&mut record));
            }
            (false, c) => field.push(c),
        }
    }
    assert!(!quoted && field.is_empty() && record.is_empty(), "the last line is not whole");
    all
}

/// The `prediction` of each row.
fn predictions(ran: &Ran) -> Vec<String> {
    let records = records(&ran.out);
    let at = records[0].iter().position(|name| name == "prediction").expect("there is a prediction");
    records[1..].iter().map(|record| record[at].clone()).collect()
}

fn codes_of(warnings: &Value) -> Vec<String> {
    let of = |w: &Value| format!("{} {}", w["code"].as_str().unwrap_or(""), w["column"].as_str().unwrap_or("-"));
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
fn a_row_predicts_alone_as_among_others() {
    for asks in [Asks::Binary, Asks::Multiclass, Asks::Regression] {
        let place = fitted(asks);
        let all = predictions(&place.good("predict m.smidgen new.csv"));
        assert_eq!(all.len(), 200);
        let text = table(asks, 800..1000);
        let lines: Vec<&str> = text.lines().collect();
        for row in [0, 77, 199] {
            place.write("one.csv", format!("{}\n{}\n", lines[0], lines[row + 1]));
            assert_eq!(predictions(&place.good("predict m.smidgen one.csv")), all[row..=row], "{asks:?} {row}");
        }
        place.write("none.csv", format!("{}\n", lines[0]));
        assert_eq!(place.good("predict m.smidgen none.csv").out, "prediction\n");
    }
}

#[test]
fn other_columns_other_order_no_target() {
    let place = fitted(Asks::Multiclass);
    let text = table(Asks::Multiclass, 800..1000);
    let turned: String = text
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let extra = if cells[0] == "age" { "extra" } else { "any thing" };
            format!("{},{extra},{},{}\n", cells[2], cells[0], cells[1])
        })
        .collect();
    place.write("turned.csv", turned);
    let asked = place.good("predict m.smidgen new.csv --proba").out;
    assert_eq!(place.good("predict m.smidgen turned.csv --proba").out, asked);
}

#[test]
fn missing_and_unseen_cells() {
    let place = fitted(Asks::Binary);
    place.write("odd.csv", "age,income,city\n,,\n?,NA,null\n40,500,Bonn\n40,500,Atlantis\n40,500,Nowhere\n");
    let records = records(&place.good("predict m.smidgen odd.csv --proba").out);
    assert_eq!(records.len(), 6);
    assert_eq!(records[1], records[2], "all ways to be missing are one");
    assert_eq!(records[4], records[5], "all unseen categories are one");
    assert_ne!(records[3], records[4], "Bonn decides and Atlantis is not Bonn");
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
    let plain = table(Asks::Binary, 0..300);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(plain.as_bytes()).unwrap();
    let quoted: String = plain.lines().map(|l| format!("\"{}\"\n", l.replace(',', "\",\""))).collect();
    let place = Place::new();
    place.write("t.csv", &plain);
    let fit = format!("fit t.csv --target y {FEW}");
    place.good(&fit);
    let (model, out) = (read(&place, "model.smidgen"), place.good("predict model.smidgen t.csv --proba").out);
    let spellings: [(&str, Vec<u8>); 9] = [
        ("CRLF", plain.replace('\n', "\r\n").into()),
        ("byte order mark", format!("\u{feff}{plain}").into()),
        ("mark and CRLF", format!("\u{feff}{}", plain.replace('\n', "\r\n")).into()),
        ("semicolons", plain.replace(',', ";").into()),
        ("tabs", plain.replace(',', "\t").into()),
        ("quotes", quoted.into()),
        ("blanks", plain.replace(',', " , ").into()),
        ("no last line end", plain.trim_end().into()),
        ("gzip", packed.finish().unwrap()),
    ];
    for (name, bytes) in spellings {
        place.write("t.csv", bytes);
        place.good(&fit);
        assert_eq!(read(&place, "model.smidgen"), model, "{name}");
        assert_eq!(place.good("predict model.smidgen t.csv --proba").out, out, "{name}");
        let fitted = fed(&place, "t.csv", &fit.replace("fit t.csv", "fit -"));
        assert_eq!((fitted.code, read(&place, "model.smidgen")), (0, model.clone()), "{name}, standard input");
        let predicted = fed(&place, "t.csv", "predict model.smidgen - --proba");
        assert_eq!((predicted.code, &predicted.out), (0, &out), "{name}, standard input");
    }
}

#[test]
fn kept_columns_come_back_as_they_were() {
    let place = fitted(Asks::Binary);
    let notes = ["plain", "a, b", "say \"so\"", "two\nlines", "", " Köln ", "'"];
    let rows = notes.map(|note| format!("\"{}\",40,500,Bonn\n", note.replace('"', "\"\"")));
    place.write("t.csv", format!("\"the, note\",age,income,city\n{}", rows.concat()));
    let out = place.good("predict m.smidgen t.csv --keep age").out;
    assert!(out.starts_with("age,prediction\n40,"), "{out}");
    // A comma parts the columns of --keep, so the note is renamed.
    place.write("t.csv", format!("note,age,income,city\n{}", rows.concat()));
    let records = records(&place.good("predict m.smidgen t.csv --keep note,age,note").out);
    assert_eq!(records[0], ["note", "age", "note", "prediction"]);
    for (record, note) in records[1..].iter().zip(notes) {
        assert_eq!((record[0].trim(), record[1].as_str()), (note.trim(), "40"));
        assert_eq!(record[0], record[2]);
    }
    assert_eq!(records.len(), notes.len() + 1);
}

#[test]
fn classes_are_spelt_and_ordered_as_in_the_table() {
    let cases: [(&[&str], &[&str]); 6] = [
        (&["yes", "no"], &["no", "yes"]),
        (&["true", "false"], &["false", "true"]),
        (&["1", "0"], &["0", "1"]),
        (&["10", "2", "1"], &["1", "2", "10"]),
        (&["a, \"b\"", "c", "d\ne"], &["a, \"b\"", "c", "d\ne"]),
        (&["größer", "Zug", "apfel"], &["Zug", "apfel", "größer"]),
    ];
    for (given, expected) in cases {
        let place = Place::new();
        let class = |i: usize| given[i % given.len()].replace('"', "\"\"");
        let rows: String = (0..240).map(|i| format!("{},\"{}\"\n", i % given.len(), class(i))).collect();
        place.write("t.csv", format!("a,y\n{rows}"));
        let object = place.good(&format!("fit t.csv --target y --json {FEW}")).json().unwrap();
        assert_eq!(object["classes"], json!(expected));
        let positive = (expected.len() == 2).then(|| expected[1]);
        assert_eq!(object["positive"], json!(positive), "{expected:?}");
        let records = records(&place.good("predict model.smidgen t.csv --proba").out);
        let names = expected.iter().map(|class| format!("p_{class}"));
        assert_eq!(records[0], ["prediction".to_owned()].into_iter().chain(names).collect::<Vec<_>>());
        for (i, record) in records[1..].iter().enumerate() {
            assert_eq!(record[0], given[i % given.len()], "row {i}");
        }
    }
}

#[test]
fn probabilities_sum_to_one_and_the_largest_decides() {
    for asks in [Asks::Binary, Asks::Multiclass] {
        let place = fitted(asks);
        let records = records(&place.good("predict m.smidgen new.csv --proba").out);
        for record in &records[1..] {
            let p: Vec<f64> = record[1..].iter().map(|cell| cell.parse().unwrap()).collect();
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{asks:?} {record:?}");
            assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "{asks:?} {record:?}");
            let largest = (1..p.len()).fold(0, |best, k| if p[k] > p[best] { k } else { best });
            assert_eq!(format!("p_{}", record[0]), records[0][largest + 1], "{asks:?} {record:?}");
        }
    }
}

#[test]
fn many_rows_stay_in_order() {
    let place = fitted(Asks::Regression);
    let text = table(Asks::Regression, 0..30_000);
    let rows = text.lines().skip(1).enumerate().map(|(i, line)| format!("{i},{line}\n"));
    place.write("t.csv", format!("id,age,income,city,w,y\n{}", rows.collect::<String>()));
    let records = records(&place.good("predict m.smidgen t.csv --keep id").out);
    assert_eq!(records.len(), 30_001);
    assert!(records[1..].iter().enumerate().all(|(i, record)| record[0] == i.to_string()));
    let file = place.good("predict m.smidgen t.csv --keep id -o out.csv --jobs 1");
    assert_eq!(file.out, "");
    assert_eq!(String::from_utf8(read(&place, "out.csv")).unwrap(), place.good("predict m.smidgen t.csv --keep id --jobs 2").out);
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let place = fitted(Asks::Binary);
    place.write("t.csv", table(Asks::Binary, 0..30_000));
    for line in ["predict m.smidgen t.csv --proba --keep city", "inspect t.csv", "evaluate m.smidgen t.csv --quiet"] {
        let mut command = place.command();
        let command = command.args(line.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let code = child.wait().unwrap().code();
        assert_eq!((code, err.as_str()), (Some(0), ""), "{line}");
    }
}

/// A pipe, a device or a link that is named as output stays what it is.
#[cfg(unix)]
#[test]
fn an_output_that_is_no_file_stays_what_it_is() {
    use std::os::unix::fs::FileTypeExt;
    let place = fitted(Asks::Binary);
    // Held open for reading and writing, a pipe makes nobody wait.
    let script = "mkfifo out.csv && exec 3<>out.csv && exec \"$0\" predict m.smidgen new.csv -o out.csv --quiet";
    let program = place.command().get_program().to_owned();
    let mut shell = std::process::Command::new("sh");
    let ran = shell.args(["-c", script]).arg(program).current_dir(place.path(".")).output().unwrap();
    let kind = std::fs::symlink_metadata(place.path("out.csv")).unwrap().file_type();
    assert!(kind.is_fifo(), "{:?}: the pipe was replaced by a file", Ran::of(ran).code);
}

#[test]
fn row_weights_count() {
    // Rows of weight 0 say the opposite.
    let rows = |weight: &dyn Fn(u64) -> &'static str| -> String {
        let y = |i: u64| if (i % 40 < 20) == (i % 3 > 0) { "no" } else { "yes" };
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
    let cases: [(&str, f64, f64); 6] = [
        ("usual", 0.0, 1.0),
        ("far from 0", 1e9, 1.0),
        ("far from 0 and wide", 1e9, 1e6),
        ("small", 0.0, 1e-9),
        ("large", 0.0, 1e12),
        ("far below 0", -1e6, 0.01),
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
