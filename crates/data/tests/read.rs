//! Reading tables through the public interface: types, values, overrides, plans, messages.
#![expect(clippy::unwrap_used, reason = "tests may unwrap")]

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use ir::{ColumnKind, DType, Input, Signature, Task};
use smidgen_data::{
    Encoding, Markers, Nature, ReadOptions, ReadPlan, Result, Source, Table, Target, TargetOptions, bind,
    profile, read_for,
};

fn source(text: &str) -> Source {
    Source::spool("train.csv", text.as_bytes()).unwrap()
}

fn read(text: &str, options: &ReadOptions) -> Result<Table> {
    Table::read(&source(text), options)
}

fn message(text: &str, options: &ReadOptions) -> String {
    let error = read(text, options).unwrap_err();
    assert_eq!(error.nature(), Nature::Input);
    error.to_string()
}

/// The cells of column `idx` of a batch as text; missing ones as `-`.
fn cells(batch: &RecordBatch, idx: usize) -> Vec<String> {
    let array = batch.column(idx);
    (0..array.len())
        .map(|row| match array.data_type() {
            _ if array.is_null(row) => String::from("-"),
            DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
            DataType::Float64 => format!("{:?}", array.as_primitive::<Float64Type>().value(row)),
            DataType::Utf8 => String::from(array.as_string::<i32>().value(row)),
            other => panic!("{other}"),
        })
        .collect()
}

fn types(pairs: &[(&str, ColumnKind)]) -> ReadOptions {
    let types = pairs.iter().map(|&(name, kind)| (String::from(name), kind)).collect();
    ReadOptions { types, ..ReadOptions::default() }
}

fn signature(inputs: &[(&str, ColumnKind, DType)]) -> Signature {
    let inputs = inputs.iter().map(|&(name, kind, dtype)| Input { name: name.into(), kind, dtype }).collect();
    Signature {
        task: Task::Binary,
        target: "y".into(),
        targets: Vec::new(),
        inputs,
        outputs: vec![],
        classes: vec!["a".into(), "b".into()],
        positive: Some(1),
        missing: Vec::new(),
        columns: Vec::new(),
        joined: None,
    }
}

const PEOPLE: &str = "\
age, income ,town,note,flag,none
 30 ,1.5,Bonn,a,1,
NA,inf,?,b,1,NaN
41,-2e3,\"Köln, Süd\",c,1,null
";

#[test]
fn a_table() {
    let table = read(PEOPLE, &ReadOptions::default()).unwrap();
    assert_eq!((table.n_rows(), table.n_columns(), table.batches().len()), (3, 6, 1));
    let found: Vec<_> = table
        .profile()
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.kind, c.dtype, c.n_missing, c.n_distinct, c.n_infinite, c.constant))
        .collect();
    use ColumnKind::{Category, Number};
    assert_eq!(
        found,
        [
            ("age", Number, DType::I64, 1, 2, 0, false),
            ("income", Number, DType::F64, 0, 3, 1, false),
            ("town", Category, DType::Str, 1, 2, 0, false),
            ("note", Category, DType::Str, 0, 3, 0, false),
            ("flag", Number, DType::I64, 0, 1, 0, true),
            ("none", Number, DType::F64, 3, 0, 0, true),
        ]
    );
    let profile = table.profile();
    assert_eq!((profile.name.as_str(), profile.n_rows, profile.delimiter), ("train.csv", 3, Some(b',')));
    assert!(profile.columns[5].all_missing && !profile.columns[4].all_missing);
    assert_eq!(profile.columns[2].examples, ["Bonn", "Köln, Süd"]);
    assert_eq!(profile.columns[0].why, "all 2 cells that are there are whole numbers");
    let batch = &table.batches()[0];
    let expected: [&[&str]; 6] = [
        &["30", "-", "41"],
        &["1.5", "inf", "-2000.0"],
        &["Bonn", "-", "Köln, Süd"],
        &["a", "b", "c"],
        &["1", "1", "1"],
        &["-", "-", "-"],
    ];
    for (idx, expected) in expected.iter().enumerate() {
        assert_eq!(&cells(batch, idx), expected);
    }
    assert_eq!(table.column_idx("town").unwrap(), 2);
    assert_eq!(table.column(0).map(|a| a.len()).sum::<usize>(), 3);
    assert_eq!(table.column(99).count(), 0);
}

#[test]
fn overrides() {
    use ColumnKind::{Category, Text};
    let text = "code,rank,word,n\n007,1.0,a,1\n7,2.50,b,2\n8,1,c,3\n";
    let table = read(text, &types(&[("code", Category), ("rank", Category), ("word", Text)])).unwrap();
    let found: Vec<_> = table.profile().columns.iter().map(|c| (c.kind, c.dtype, c.n_distinct)).collect();
    assert_eq!(
        found,
        [
            (Category, DType::I64, 2),
            (Category, DType::F64, 2),
            (Text, DType::Str, 3),
            (ColumnKind::Number, DType::I64, 3)
        ]
    );
    let batch = &table.batches()[0];
    assert_eq!(cells(batch, 0), ["7", "7", "8"]);
    assert_eq!(cells(batch, 1), ["1", "2.5", "1"]);
    assert_eq!(cells(batch, 2), ["a", "b", "c"]);
}

#[test]
fn markers_raw_and_dropped() {
    let options = ReadOptions {
        missing: vec!["-999".into(), "unknown".into()],
        raw: vec!["y".into()],
        drop: vec!["id".into()],
        ..ReadOptions::default()
    };
    let table = read("id,x,y,z\na,1, 1.0 ,unknown\nb,-999,NA,u\nc,-999.0,,unknown\n", &options).unwrap();
    let names: Vec<_> =
        table.profile().columns.iter().map(|c| (c.name.as_str(), c.file_idx, c.raw)).collect();
    assert_eq!(names, [("x", 1, false), ("y", 2, true), ("z", 3, false)]);
    let batch = &table.batches()[0];
    assert_eq!(cells(batch, 0), ["1.0", "-", "-999.0"]);
    assert_eq!(cells(batch, 1), ["1.0", "NA", "-"]);
    assert_eq!(cells(batch, 2), ["-", "u", "-"]);
    let raw: Vec<_> = table.raw_cells("y").unwrap().collect();
    assert_eq!(raw, [Some("1.0"), Some("NA"), None]);
    assert_eq!(
        table.raw_cells("x").err().unwrap().to_string(),
        "train.csv: column \"x\" was not read as raw text; name it in ReadOptions::raw"
    );
}

#[test]
fn a_target_from_a_table() {
    let options = ReadOptions { raw: vec!["y".into()], ..ReadOptions::default() };
    let table = read("x,y\n1, yes\n2,no\n3,?\n4,yes\n", &options).unwrap();
    let asked =
        TargetOptions { name: "y", task: None, classes: None, positive: None, missing: Markers::default() };
    let target = Target::resolve(table.raw_cells("y").unwrap(), &asked).unwrap();
    assert_eq!((target.task, target.classes), (Task::Binary, vec!["no".into(), "yes".into()]));
    assert_eq!((target.kept_rows, target.n_missing), (vec![0, 1, 3], 1));
}

#[test]
fn messages() {
    let none = ReadOptions::default();
    assert_eq!(
        message("a,b\n\n", &none),
        "train.csv: expected rows after the header, got none; the first line is the header"
    );
    let text = "age,income\n1,2\n";
    assert_eq!(
        message(text, &types(&[("incme", ColumnKind::Number)])),
        "train.csv: no column \"incme\"; did you mean \"income\"? columns: age, income"
    );
    let options = ReadOptions { raw: vec!["target".into()], ..ReadOptions::default() };
    assert_eq!(message(text, &options), "train.csv: no column \"target\"; columns: age, income");
    let options = ReadOptions { drop: vec!["Age".into()], ..ReadOptions::default() };
    assert_eq!(
        message(text, &options),
        "train.csv: no column \"Age\"; did you mean \"age\"? columns: age, income"
    );
    assert_eq!(
        read(text, &none).unwrap().column_idx("incme").unwrap_err().to_string(),
        "train.csv: no column \"incme\"; did you mean \"income\"? columns: age, income"
    );
    let wide: Vec<String> = (0..25).map(|i| format!("c{i}")).collect();
    let wide = format!("{}\n{}\n", wide.join(","), vec!["1"; 25].join(","));
    let error = read(&wide, &none).unwrap().column_idx("zebra").unwrap_err().to_string();
    assert!(error.ends_with("columns: c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, .. (25 in all)"), "{error}");
    assert_eq!(
        message("age,income\n1,2\nx,3\n\ny,4\n", &types(&[("age", ColumnKind::Number)])),
        "train.csv: column \"age\" (1) is declared number: expected numbers, got \"x\" at row 2, \"y\" at row 3 (2 such); \
         declare it missing with --missing x, or leave out --types age=number"
    );
}

#[test]
fn a_text_cell_late_in_a_number_column() {
    let mut text = String::from("id,age\n");
    for row in 1..=50_000 {
        let age = if row == 40_000 { String::from("forty") } else { row.to_string() };
        text.push_str(&format!("{row},{age}\n"));
    }
    assert_eq!(
        message(&text, &ReadOptions::default()),
        "train.csv: column \"age\" (2): expected a number in every cell, as in 49999 of 50000, got \"forty\" at row 40000 (1 such); \
         declare it missing with --missing forty, or keep the column as text with --types age=category"
    );
    let options = ReadOptions { missing: vec!["forty".into()], ..ReadOptions::default() };
    assert_eq!(read(&text, &options).unwrap().profile().columns[1].n_missing, 1);
    let model = signature(&[("age", ColumnKind::Number, DType::I64)]);
    let error = read_for(&source(&text), &model, &[]).unwrap().find_map(Result::err).unwrap();
    assert_eq!(
        error.to_string(),
        "train.csv: column \"age\" (2): expected a number, got \"forty\" at row 40000 (line 40001); \
         declare it missing with --missing forty"
    );
    let raw = ReadOptions { raw: vec!["age".into()], ..ReadOptions::default() };
    assert_eq!(read(&text, &raw).unwrap().raw_cells("age").unwrap().nth(39_999), Some(Some("forty")));
}

#[test]
fn long_tables_come_in_batches() {
    let mut text = String::from("n,c\n");
    for row in 0..140_000 {
        text.push_str(&format!("{row},k{}\n", row % 7));
    }
    let table = read(&text, &ReadOptions::default()).unwrap();
    let lens: Vec<usize> = table.batches().iter().map(RecordBatch::num_rows).collect();
    assert_eq!(lens, [65_536, 65_536, 8_928]);
    let sum: i64 = table.column(0).flat_map(|a| a.as_primitive::<Int64Type>().values().iter()).sum();
    assert_eq!(sum, 139_999 * 70_000);
    let column = &table.profile().columns[0];
    assert_eq!((column.n_distinct, column.more_distinct), (10_000, true));
}

#[test]
fn twenty_thousand_columns() {
    let n = 20_000;
    let mut text: String = (0..n).map(|i| format!("column_{i},")).collect();
    text.pop();
    for row in 0..900 {
        text.push('\n');
        let mut line: String = (0..n).map(|i| format!("{},", (i + row) % 10)).collect();
        line.pop();
        text.push_str(&line);
    }
    let table = read(&text, &ReadOptions::default()).unwrap();
    assert_eq!((table.n_rows(), table.n_columns()), (900, n));
    assert!(table.batches().len() > 1);
    assert_eq!(cells(&table.batches()[0], n - 1)[..2], ["9", "0"]);
    let inputs: Vec<(String, ColumnKind, DType)> =
        (0..n).rev().map(|i| (format!("column_{i}"), ColumnKind::Number, DType::I64)).collect();
    let inputs: Vec<_> = inputs.iter().map(|(n, k, d)| (n.as_str(), *k, *d)).collect();
    let bound = bind(&table.batches()[0], &signature(&inputs)).unwrap();
    assert_eq!(bound.columns().len(), n);
}

#[test]
fn a_plan_reads_by_name() {
    use ColumnKind::{Category, Number};
    let text = "skip,y,b,a,code,c\nx, A ,2.5,1,007,\nx,NA,3,1.2,x9, u \nx,,NaN,-999,7.0,v\n";
    let model = signature(&[
        ("a", Number, DType::I64),
        ("b", Number, DType::F64),
        ("c", Category, DType::Str),
        ("code", Category, DType::I64),
    ]);
    let mut plan = ReadPlan::new(&model);
    plan.also = vec!["y".into(), "b".into()];
    plan.missing = vec!["-999".into()];
    let batches: Vec<_> = plan.read(&source(text)).unwrap().collect::<Result<_>>().unwrap();
    assert_eq!(batches.len(), 1);
    let expected: [&[&str]; 6] = [
        &["1", "2", "-"],
        &["2.5", "3.0", "-"],
        &["-", "u", "v"],
        &["7", "x9", "7"],
        &["A", "NA", "-"],
        &["2.5", "3", "NaN"],
    ];
    for (idx, expected) in expected.iter().enumerate() {
        assert_eq!(&cells(&batches[0], idx), expected, "{idx}");
    }
    let bound = bind(&batches[0], &model).unwrap();
    assert_eq!(
        bound.columns().iter().map(|c| c.dtype()).collect::<Vec<_>>(),
        [DType::I64, DType::F64, DType::Str, DType::Str]
    );
    assert_eq!(plan.read(&source("c,code,b,a,y\n")).unwrap().count(), 0);
}

#[test]
fn a_plan_names_every_missing_column() {
    use ColumnKind::Number;
    let model = signature(&[
        ("age", Number, DType::I64),
        ("income", Number, DType::I64),
        ("zip", Number, DType::I64),
    ]);
    let error = read_for(&source("age,incme\n1,2\n"), &model, &["y".into()]).err().unwrap();
    assert_eq!(
        error.to_string(),
        "train.csv: no column \"income\" (did you mean \"incme\"?), no column \"zip\", no column \"y\"; add or rename the column"
    );
    let nothing = signature(&[]);
    let batches: Vec<_> = read_for(&source("a\n1\n2\n"), &nothing, &[]).unwrap().collect();
    assert_eq!(batches[0].as_ref().unwrap().num_rows(), 2);
}

#[test]
fn after_an_error_there_is_no_more() {
    let model = signature(&[("a", ColumnKind::Number, DType::I64)]);
    let mut batches = read_for(&source("a,b\n1,2\n1\n1,2\n"), &model, &[]).unwrap();
    assert!(batches.next().unwrap().is_err());
    assert!(batches.next().is_none());
}

#[test]
fn a_file_that_changes_between_the_passes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let file = path.to_string_lossy().into_owned();
    let options = ReadOptions::default();
    for (after, row) in
        [("a,b\n1,2\n", 1), ("a,b\n1,2\n3,4\n5,6\n", 3), ("a,b\n1,2\nx,4\n", 2), ("a,c\n1,2\n3,4\n", 0)]
    {
        std::fs::write(&path, "a,b\n1,2\n3,4\n").unwrap();
        let source = Source::parse(&file).unwrap();
        let found = profile(&source, &options).unwrap();
        std::fs::write(&path, after).unwrap();
        let error = match smidgen_data::batches(&source, &options, &found) {
            Ok(mut batches) => batches.find_map(Result::err).unwrap(),
            Err(error) => error,
        };
        assert_eq!(
            error.to_string(),
            format!("{file}: changed while it was read (row {row}); read it again when nothing writes it")
        );
    }
}

#[test]
fn a_file_without_header() {
    let text = "5.1,3,setosa\n4.9,?,virginica\n\n4.7,1,setosa\n";
    let options = ReadOptions { raw: vec!["column_3".into()], ..ReadOptions::default() };
    let table = read(text, &options).unwrap();
    let profile = table.profile();
    assert!(!profile.has_header);
    assert_eq!((profile.n_rows, table.n_rows()), (3, 3));
    let names: Vec<_> = profile.columns.iter().map(|c| (c.name.as_str(), c.kind, c.dtype)).collect();
    use ColumnKind::{Category, Number};
    assert_eq!(
        names,
        [
            ("column_1", Number, DType::F64),
            ("column_2", Number, DType::I64),
            ("column_3", Category, DType::Str)
        ]
    );
    assert_eq!(cells(&table.batches()[0], 0), ["5.1", "4.9", "4.7"]);
    assert_eq!(cells(&table.batches()[0], 1), ["3", "-", "1"]);
    let raw: Vec<_> = table.raw_cells("column_3").unwrap().collect();
    assert_eq!(raw, [Some("setosa"), Some("virginica"), Some("setosa")]);

    let model = signature(&[("column_2", Number, DType::I64), ("column_1", Number, DType::F64)]);
    let one = |text: &str, also: &[String]| {
        read_for(&source(text), &model, also).unwrap().next().unwrap().map_err(|e| e.to_string())
    };
    for text in ["5.1,3\n", "5.1,3", "column_1,column_2\n5.1,3\n", "column_2,column_1\n3,5.1\n"] {
        let batch = one(text, &[]).unwrap();
        assert_eq!((cells(&batch, 0), cells(&batch, 1)), (vec!["3".into()], vec!["5.1".into()]), "{text}");
    }
    assert_eq!(cells(&one("5.1,3,setosa\n", &["column_3".into()]).unwrap(), 2), ["setosa"]);
    assert_eq!(
        read_for(&source("5.1,3\n"), &model, &["column_3".into()]).err().unwrap().to_string(),
        "train.csv: no column \"column_3\" (did you mean \"column_1\"?); add or rename the column"
    );
    assert_eq!(
        one("a,b\n5.1,3\n", &[]).unwrap_err(),
        "train.csv: column \"column_2\" (2): expected a number, got \"b\" at row 1 (line 1); \
         declare it missing with --missing b"
    );
    let mut plan = ReadPlan::new(&model);
    plan.header = Some(true);
    assert!(plan.read(&source("5.1,3\n")).is_err());

    let options = ReadOptions { header: Some(true), ..ReadOptions::default() };
    let table = read("1,2\n3,4\n", &options).unwrap();
    assert_eq!((table.profile().columns[0].name.as_str(), table.n_rows()), ("1", 1));
    let options = ReadOptions { header: Some(false), ..ReadOptions::default() };
    let table = read("a,b\nc,d\n", &options).unwrap();
    assert_eq!(cells(&table.batches()[0], 0), ["a", "c"]);
}

#[test]
fn latin1() {
    let bytes = b"ort,n\nM\xfcnchen,1\nK\xf6ln,2\n";
    let source = Source::spool("t.csv", &bytes[..]).unwrap();
    let error = profile(&source, &ReadOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "t.csv: row 1, column \"ort\" (1): expected UTF-8 text, got byte 0xfc (line 2); \
         read it with --encoding latin-1, or write it as UTF-8"
    );
    let options = ReadOptions { encoding: Encoding::Latin1, ..ReadOptions::default() };
    let table = Table::read(&source, &options).unwrap();
    assert_eq!(cells(&table.batches()[0], 0), ["München", "Köln"]);
    let mut plan = ReadPlan::new(&signature(&[("ort", ColumnKind::Category, DType::Str)]));
    plan.encoding = Encoding::Latin1;
    let batch = plan.read(&source).unwrap().next().unwrap().unwrap();
    assert_eq!(cells(&batch, 0), ["München", "Köln"]);
}

/// 20,000 columns are read as few are, and each has its place in messages.
#[test]
fn very_many_columns() {
    let n = 20_000;
    let header: Vec<String> = (1..=n).map(|column| format!("c{column}")).collect();
    let mut text = header.join(",") + "\n";
    for row in 0..40 {
        let cells: Vec<String> = (0..n).map(|column| (row * column % 7).to_string()).collect();
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    let table = read(&text, &ReadOptions::default()).unwrap();
    assert_eq!((table.n_rows(), table.n_columns()), (40, n));
    assert!(table.profile().columns[1..].iter().all(|c| c.kind == ColumnKind::Number && c.n_missing == 0));
    let nearly = text.replacen(",6,", ",six,", 1);
    assert_eq!(
        read(&nearly, &ReadOptions::default()).unwrap().profile().columns[6].kind,
        ColumnKind::Category
    );
    let ragged = format!("{text}1,2\n");
    assert_eq!(
        message(&ragged, &ReadOptions::default()),
        "train.csv: row 41 has 2 cells, the header has 20000 columns (line 42, delimiter \",\"); \
         quote cells that hold the delimiter, or mend the row"
    );
    let twice = text.replacen("c20000", "c19", 1);
    assert_eq!(
        message(&twice, &ReadOptions::default()),
        "train.csv: columns 19 and 20000 are both named \"c19\"; rename one of them"
    );
}
