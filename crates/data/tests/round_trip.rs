//! Random tables, written with random quoting, delimiters and line ends, read back equal.

use proptest::collection::vec;
use proptest::prelude::*;
use smidgen_data::{Markers, ReadOptions, Source, Table};

/// How a cell is written.
fn write_cell(text: &mut String, cell: &str, quote: bool, delimiter: char) {
    let must = cell.contains(['"', '\n', '\r', delimiter]);
    if must || quote {
        text.push('"');
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(cell);
    }
}

fn cell() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a", "b", "é", "日", " ", "\t", "\"", "\n", "\r\n", ",", ";", "|", "1", "2.5", "-", "NA", "?", "nan",
        "x y",
    ]);
    vec(pieces, 0..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn text_comes_back(
        rows in (2_usize..6).prop_flat_map(|n| vec(vec((cell(), any::<bool>()), n), 1..12)),
        delimiter in prop::sample::select(vec![',', ';', '\t', '|']),
        line_end in prop::sample::select(vec!["\n", "\r\n"]),
        last_end: bool,
        bom: bool,
    ) {
        let n = rows[0].len();
        let mut text = String::from(if bom { "\u{feff}" } else { "" });
        let names: Vec<String> = (0..n).map(|i| format!("c{i}")).collect();
        text.push_str(&names.join(&delimiter.to_string()));
        for row in &rows {
            text.push_str(line_end);
            for (i, (cell, quote)) in row.iter().enumerate() {
                if i > 0 {
                    text.push(delimiter);
                }
                write_cell(&mut text, cell, *quote, delimiter);
            }
        }
        if last_end {
            text.push_str(line_end);
        }
        let delimiter = u8::try_from(delimiter).unwrap();
        let options = ReadOptions { raw: names.clone(), delimiter: Some(delimiter), ..ReadOptions::default() };
        let source = Source::spool("t.csv", text.as_bytes()).unwrap();
        let table = Table::read(&source, &options).unwrap();
        prop_assert_eq!(table.n_rows(), rows.len());
        for (i, name) in names.iter().enumerate() {
            let read: Vec<Option<&str>> = table.raw_cells(name).unwrap().collect();
            let written: Vec<Option<&str>> =
                rows.iter().map(|row| Some(ir::text::category_key(&row[i].0)).filter(|c| !c.is_empty())).collect();
            prop_assert_eq!(read, written);
        }
    }

    #[test]
    fn numbers_come_back(
        rows in vec((any::<Option<i64>>(), any::<Option<f64>>()), 1..40),
        quote: bool,
    ) {
        let mut text = String::from("i,f\n");
        for (int, float) in &rows {
            let float = float.filter(|f| !f.is_nan()).map_or(String::from("NA"), |f| format!("{f:?}"));
            write_cell(&mut text, &int.map_or(String::from("?"), |i| i.to_string()), quote, ',');
            text.push(',');
            write_cell(&mut text, &float, quote, ',');
            text.push('\n');
        }
        let source = Source::spool("t.csv", text.as_bytes()).unwrap();
        let table = Table::read(&source, &ReadOptions::default()).unwrap();
        let batch = &table.batches()[0];
        use arrow_array::cast::AsArray;
        use arrow_array::types::{Float64Type, Int64Type};
        if rows.iter().any(|(int, _)| int.is_some()) {
            let ints: Vec<Option<i64>> = batch.column(0).as_primitive::<Int64Type>().iter().collect();
            prop_assert_eq!(ints, rows.iter().map(|r| r.0).collect::<Vec<_>>());
        }
        let floats: Vec<Option<u64>> =
            batch.column(1).as_primitive::<Float64Type>().iter().map(|f| f.map(f64::to_bits)).collect();
        let written: Vec<Option<u64>> =
            rows.iter().map(|r| r.1.filter(|f| !f.is_nan()).map(f64::to_bits)).collect();
        prop_assert_eq!(floats, written);
        for (int, _) in &rows {
            prop_assert!(!int.is_some_and(|i| Markers::default().is_missing(&i.to_string())));
        }
    }
}
