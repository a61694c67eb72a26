//! What `predict` writes, and where to.

#[path = "support/run.rs"]
mod run;
#[path = "support/tables.rs"]
mod tables;
#[path = "support/written.rs"]
mod written;

use run::{Place, Ran};
use serde_json::json;
use std::io::Read;
use std::process::Stdio;
use tables::{Asks, table};
use written::{predictions, records};

const FEW: &str = "--work 1 --folds 2 --set gbdt.n_trees=10";

/// A folder with `train.csv`, rows 0 to 800, `new.csv`, rows 800 to 1000, and `m.smidgen`.
fn fitted(asks: Asks) -> Place {
    let place = Place::new();
    place.write("train.csv", table(asks, 0..800));
    place.write("new.csv", table(asks, 800..1000));
    place.good(&format!("fit train.csv --target y --drop w {FEW} -o m.smidgen"));
    place
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
            assert_eq!(
                predictions(&place.good("predict m.smidgen one.csv")),
                all[row..=row],
                "{asks:?} {row}"
            );
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
    assert_eq!(
        std::fs::read_to_string(place.path("out.csv")).unwrap(),
        place.good("predict m.smidgen t.csv --keep id --jobs 2").out
    );
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let place = fitted(Asks::Binary);
    place.write("t.csv", table(Asks::Binary, 0..30_000));
    for line in
        ["predict m.smidgen t.csv --proba --keep city", "inspect t.csv", "evaluate m.smidgen t.csv --quiet"]
    {
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
    let script =
        "mkfifo out.csv && exec 3<>out.csv && exec \"$0\" predict m.smidgen new.csv -o out.csv --quiet";
    let program = place.command().get_program().to_owned();
    let mut shell = std::process::Command::new("sh");
    let ran = shell.args(["-c", script]).arg(program).current_dir(place.path(".")).output().unwrap();
    let kind = std::fs::symlink_metadata(place.path("out.csv")).unwrap().file_type();
    assert!(kind.is_fifo(), "{:?}: the pipe was replaced by a file", Ran::of(ran).code);
}

#[test]
fn what_the_text_says_comes_next_works() {
    for asks in [Asks::Binary, Asks::Regression] {
        let place = fitted(asks);
        let text = place.good(&format!("fit train.csv --target y {FEW} -o next.smidgen --quiet")).out;
        let next =
            text.lines().find_map(|line| line.strip_prefix("next: ")).expect("it says what comes next");
        for command in next.split("   or   ") {
            let line = command.strip_prefix("smidgen ").expect("a command of smidgen");
            place.good(&line.replace("DATA", "new.csv"));
        }
    }
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
