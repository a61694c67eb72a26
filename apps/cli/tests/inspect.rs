//! `inspect` on a table: what it says of each kind of column, and what it warns of.

#[path = "support/run.rs"]
mod run;

use run::Place;
use serde_json::{Value, json};

/// 200 rows with a column for each thing that may be said.
fn table() -> String {
    let mut text = String::from("id,when,size,town,same,none,temp,big,note\n");
    for row in 0..200 {
        let day = row % 28 + 1;
        let town = ["Bonn", "bonn", "Köln", "Trier"][row % 4];
        let temp = if row % 10 == 0 { String::from("-999") } else { format!("{}.5", row % 30) };
        let big = if row == 7 { "inf" } else { "1.5" };
        let size = if row % 5 == 0 { "" } else { ["1", "2", "3"][row % 3] };
        text.push_str(&format!(
            "{row},{day}.1.2026,{size},{town},x,,{temp},{big},a note of five words {row}\n"
        ));
    }
    text
}

fn column<'v>(object: &'v Value, name: &str) -> &'v Value {
    let columns = object["columns"].as_array().expect("an array of columns");
    columns.iter().find(|c| c["name"] == name).expect("the column is there")
}

#[test]
fn a_table_as_json() {
    let place = Place::new();
    place.write("t.csv", table());
    let object = place.good("inspect t.csv --json").json().expect("an object");
    for (key, expected) in
        [("rows", json!(200)), ("delimiter", json!(",")), ("header", json!(true)), ("what", json!("table"))]
    {
        assert_eq!(object[key], expected, "{key}");
    }
    let cases = [
        ("id", "kind", json!("number")),
        ("id", "frequent_exact", json!(true)),
        (
            "id",
            "spread",
            json!({"min": 0, "q25": 49, "median": 99, "q75": 149, "max": 199, "mean": 99.5, "exact": true}),
        ),
        ("when", "time_format", json!("d.m.Y")),
        (
            "when",
            "spread",
            json!({"min": "01.01.2026", "q25": "07.01.2026", "median": "14.01.2026", "q75": "21.01.2026",
                   "max": "28.01.2026", "mean": "14.01.2026", "exact": true}),
        ),
        ("size", "missing", json!(40)),
        (
            "town",
            "frequent",
            json!([{"value": "Bonn", "count": 50}, {"value": "Köln", "count": 50}, {"value": "Trier", "count": 50}, {"value": "bonn", "count": 50}]),
        ),
        ("town", "spread", Value::Null),
        ("none", "frequent", json!([])),
        ("big", "infinite", json!(1)),
        (
            "big",
            "spread",
            json!({"min": 1.5, "q25": 1.5, "median": 1.5, "q75": 1.5, "max": 1.5, "mean": 1.5, "exact": true}),
        ),
        ("note", "kind", json!("text")),
    ];
    for (name, key, expected) in cases {
        assert_eq!(column(&object, name)[key], expected, "{name} {key}");
    }
    let told: Vec<(&str, &str)> = object["warnings"]
        .as_array()
        .expect("an array of warnings")
        .iter()
        .map(|w| (w["code"].as_str().unwrap_or(""), w["column"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(
        told,
        [
            ("identifier", "id"),
            ("spellings", "town"),
            ("constant_column", "same"),
            ("empty_column", "none"),
            ("sentinel", "temp"),
            ("infinite_values", "big"),
        ]
    );
}

#[test]
fn a_table_as_text() {
    let place = Place::new();
    place.write("t.csv", table());
    let text = place.good("inspect t.csv").out;
    for part in [
        "t.csv: 200 rows, 9 columns, CSV with delimiter ',' and a header",
        "times spelt d.m.Y",
        "Bonn (25 %), Köln (25 %)",
        "median",
        "warning: column \"temp\": -999 stands in 10.0 % of the rows",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let longest = text
        .lines()
        .filter(|line| !line.starts_with("warning"))
        .map(|line| line.trim_end().chars().count())
        .max();
    assert!(longest.is_some_and(|n| n <= 122), "{longest:?}\n{text}");
}

#[test]
fn types_and_markers_are_overridden() {
    let place = Place::new();
    place.write("t.csv", table());
    let object =
        place.good("inspect t.csv --json --types id=category,when=text --missing -999,Trier").json().unwrap();
    for (name, key, expected) in [
        ("id", "kind", json!("category")),
        ("id", "why", json!("declared with --types")),
        ("when", "kind", json!("text")),
        ("temp", "missing", json!(20)),
        ("town", "missing", json!(50)),
    ] {
        assert_eq!(column(&object, name)[key], expected, "{name} {key}");
    }
    let codes: Vec<&Value> = object["warnings"].as_array().unwrap().iter().map(|w| &w["code"]).collect();
    assert_eq!(codes, ["spellings", "constant_column", "empty_column", "infinite_values"]);
}
