//! Bad tables, targets and columns.

#[path = "support/refused.rs"]
mod refused;
#[path = "support/run.rs"]
mod run;
#[path = "support/tables.rs"]
mod tables;

use refused::{args, check, long, on};
use std::io::Write;
use tables::{Asks, table};

const FIT: &str = "fit t.csv --target y";

#[test]
fn damaged_tables() {
    let good = table(Asks::Binary, 0..200);
    let packed = gzip(good.as_bytes());
    let mut altered = packed.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 0x10;
    let stray = |row: u32| match row {
        40_000 | 40_007 | 40_100 | 40_200 => "oops".to_owned(),
        row => row.to_string(),
    };
    let ragged = good.lines().take(30).chain(["1,2,Bonn,no"]).chain(good.lines().skip(30));
    let ragged: Vec<&str> = ragged.collect();
    check(&[
        on("empty file", "", FIT, 2, &["t.csv: ", "empty file"]),
        on("blank lines", "\n\n", FIT, 2, &["t.csv: ", "empty file"]),
        on("header only", "a,y\n", FIT, 2, &["t.csv: expected rows after the header"]),
        on("a ragged row", rows(&ragged), FIT, 2, &["t.csv: row 30 has 4 cells, the header has 5 columns"]),
        on(
            "text in a few cells of a long number column",
            long(stray, "a,b,y\n"),
            FIT,
            2,
            &[
                "t.csv: column \"a\" (1): expected a number",
                "\"oops\" at row 40000, \"oops\" at row 40007, \"oops\" at row 40100 (4 such)",
                "--missing oops",
                "--types a=category",
            ],
        ),
        on(
            "text in a declared number column",
            "a,y\n1,no\nx,yes\n",
            "fit t.csv --target y --types a=number",
            2,
            &[
                "t.csv: column \"a\" (1) is declared number: expected numbers, got \"x\" at row 2",
                "--missing x",
            ],
        ),
        on(
            "a date in no calendar, declared a time",
            "d,y\n2023-02-28,no\n2023-02-30,yes\n2023-03-01,no\n",
            "fit t.csv --target y --types d=time",
            2,
            &[
                "t.csv: column \"d\" (1) is declared time: no known format of time reads every cell up to \"2023-02-30\" at row 2",
                "--missing 2023-02-30",
                "--types d=time",
            ],
        ),
        on("not UTF-8", b"a,y\n1,no\nK\xf6ln,yes\n", FIT, 2, &["row 2, column \"a\" (1)", "UTF-8", "0xf6"]),
        on("a zero byte", b"a,y\n1,no\n2\0,yes\n", FIT, 2, &["row 2, column \"a\" (1)", "zero byte"]),
        on(
            "two columns of one name",
            "a,b,a,y\n1,2,3,no\n",
            FIT,
            2,
            &["columns 1 and 3 are both named \"a\""],
        ),
        on("a column without a name", ",y\n1,no\n", FIT, 2, &["column 1 has no name"]),
        on("an open quote", "a,y\n1,no\n\"2,yes\n", FIT, 2, &["quote opened at line 3 is never closed"]),
        on(
            "gzip cut short",
            packed[..packed.len() / 2].to_vec(),
            FIT,
            2,
            &["t.csv: the gzip data is damaged"],
        ),
        on("gzip altered", altered, FIT, 2, &["t.csv: the gzip data is damaged"]),
        on("a damaged Parquet file", "PAR1....", FIT, 2, &["t.csv: the Parquet data is damaged"]),
        // Found by fuzzing: the decoder panics, which is caught and must not be seen.
        on(
            "a Parquet file with a negative offset",
            include_bytes!("data/negative_offset.parquet"),
            "inspect t.csv",
            2,
            &["t.csv: the Parquet data is damaged: the decoder gave up; copy or download the file again"],
        ),
        on("an archive", "PK\x03\x04....", FIT, 3, &["t.csv: expected a CSV", "a zip archive"]),
        on("UTF-16", b"\xff\xfea\0,\0y\0", FIT, 3, &["t.csv: expected a CSV file, got UTF-16 text"]),
        on("inspect: empty", "", "inspect t.csv", 2, &["t.csv: ", "empty file"]),
        on("inspect: ragged", "a,y\n1\n", "inspect t.csv", 2, &["t.csv: row 1 has 1 cell"]),
        args("inspect: not there", "inspect no.csv", 2, &["no.csv: cannot be read"]),
        args("fit: not there", "fit no.csv --target y", 2, &["no.csv: cannot be read", "check the path"]),
    ]);
}

#[test]
fn unfit_targets_and_columns() {
    let same: Vec<&str> = std::iter::once("a,y").chain(std::iter::repeat_n("1,no", 20)).collect();
    let constant: String =
        (0..40).map(|i| format!("1,x,,{}\n", if i % 2 == 0 { "no" } else { "yes" })).collect();
    let numbers = |cell: &str| -> String {
        (0..400)
            .map(|i| format!("{i},{}\n", if i == 300 { cell.to_owned() } else { format!("{i}.5") }))
            .collect()
    };
    let (with_text, with_inf) = (format!("a,y\n{}", numbers("n.a.")), format!("a,y\n{}", numbers("inf")));
    let three = "a,y\n1,no\n2,yes\n3,no\n";
    let regression = "fit t.csv --target y --task regression";
    check(&[
        on(
            "no target in the header",
            "a,b\n1,2\n3,4\n",
            FIT,
            2,
            &["t.csv: no column \"y\"", "columns: a, b"],
        ),
        args(
            "target misspelt",
            "fit good.csv --target incom",
            2,
            &["good.csv: no column \"incom\"; did you mean \"income\"?"],
        ),
        args("target dropped", "fit good.csv --target y --drop y", 2, &["\"y\""]),
        args("target is the weight", "fit good.csv --target y --row-weight y", 2, &["\"y\""]),
        on("one class", rows(&same), FIT, 2, &["target \"y\" has one class, \"no\""]),
        on("one row", "a,y\n1,no\n", FIT, 2, &["target \"y\" has one class, \"no\""]),
        on("one row of a number", "a,y\n1,2.5\n", regression, 2, &["t.csv: 1 row", "at least 4 are needed"]),
        on("three rows", three, FIT, 2, &["t.csv: 3 row", "at least 4 are needed"]),
        on(
            "columns constant",
            format!("a,b,c,y\n{constant}"),
            FIT,
            2,
            &["t.csv: no column is left to learn from"],
        ),
        on("target alone", "y\nno\nyes\nno\nyes\n", FIT, 2, &["t.csv: no column is left to learn from"]),
        on(
            "target missing",
            "a,y\n1,\n2,?\n3,NA\n",
            FIT,
            2,
            &["target \"y\" has no value in 3 rows", "--missing"],
        ),
        on(
            "one text in a number target",
            with_text.clone(),
            FIT,
            2,
            &["\"n.a.\" at row 301", "--missing n.a."],
        ),
        on(
            "text in a regression target",
            with_text,
            regression,
            2,
            &["\"n.a.\" at row 301 (1 such)", "--missing n.a."],
        ),
        on(
            "an infinite target",
            with_inf,
            regression,
            2,
            &["expected finite numbers, got \"inf\" at row 301"],
        ),
        args(
            "two classes asked to be many",
            "fit good.csv --target y --task multiclass",
            2,
            &["use --task binary"],
        ),
        args(
            "three classes asked to be two",
            "fit three.csv --target y --task binary",
            2,
            &["use --task multiclass"],
        ),
        args(
            "--positive is no class",
            "fit good.csv --target y --positive Yes",
            2,
            &["no class \"Yes\"; did you mean \"yes\"?"],
        ),
        args(
            "--positive of three",
            "fit three.csv --target y --positive low",
            2,
            &["--positive low is for binary tasks"],
        ),
        args(
            "--types of no column",
            "fit good.csv --target y --types agee=number",
            2,
            &["no column \"agee\"; did you mean \"age\"?"],
        ),
        args(
            "--types of no kind",
            "fit good.csv --target y --types age=integer",
            2,
            &["--types age=integer", "category"],
        ),
        args("--types time", "fit good.csv --target y --types city=time", 2, &["column \"city\""]),
        args(
            "--types id of no column",
            "fit good.csv --target y --types ag=id",
            2,
            &["no column \"ag\"", "did you mean \"age\"?"],
        ),
        args(
            "--drop of no column",
            "fit good.csv --target y --drop incom",
            2,
            &["no column \"incom\"; did you mean \"income\"?"],
        ),
        args(
            "--row-weight of no column",
            "fit good.csv --target y --row-weight ww",
            2,
            &["no column \"ww\"; did you mean \"w\"?"],
        ),
        args(
            "--row-weight is text",
            "fit good.csv --target y --row-weight city",
            2,
            &["good.csv: row weights \"city\"", "at row 1"],
        ),
        on(
            "a negative weight",
            "a,w,y\n1,1,no\n2,1,yes\n3,-1,no\n4,1,yes\n",
            "fit t.csv --target y --row-weight w",
            2,
            &["t.csv: row weights \"w\"", "got \"-1\" at row 3"],
        ),
        on(
            "a missing weight",
            "a,w,y\n1,1,no\n2,,yes\n3,1,no\n4,1,yes\n",
            "fit t.csv --target y --row-weight w",
            2,
            &["t.csv: row weights \"w\"", "at row 2"],
        ),
        on(
            "no weight above 0",
            "a,w,y\n1,0,no\n2,0,yes\n3,0,no\n4,0,yes\n",
            "fit t.csv --target y --row-weight w",
            2,
            &["\"w\""],
        ),
    ]);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("memory can be written");
    packed.finish().expect("memory can be written")
}

fn rows(of: &[&str]) -> String {
    of.iter().map(|row| format!("{row}\n")).collect()
}
