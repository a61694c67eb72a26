use super::*;
use crate::table::Table;
use alloc::string::ToString;

/// A column of cells as JavaScript hands it over.
fn handed_over(cells: &[Cell<'_>]) -> Vec<u8> {
    let n = cells.len() as u32;
    let (mut kinds, mut numbers, mut ends, mut text) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for cell in cells {
        let (kind, number) = match *cell {
            Cell::Missing => (0, 0.0),
            Cell::Number(value) => (1, value),
            Cell::Text(cell) => {
                text.extend_from_slice(cell.as_bytes());
                (2, 0.0)
            }
            Cell::Truth(truth) => (3, f64::from(u8::from(truth))),
            Cell::Time(millis) => (4, millis),
        };
        kinds.push(kind);
        numbers.extend(number.to_le_bytes());
        ends.extend((text.len() as u32).to_le_bytes());
    }
    let head = [n, 11, 1, 3, 3, text.len() as u32];
    [head.iter().flat_map(|word| word.to_le_bytes()).collect(), kinds, numbers, ends, text].concat()
}

/// The rows of a bound column as text; missing ones as `-`.
fn bound(kind: ColumnKind, dtype: DType, cells: &[Cell<'_>]) -> Result<Vec<String>, String> {
    let bytes = handed_over(cells);
    let mut rest = &bytes[..];
    let table = Table::read(&mut rest)?;
    assert!(rest.is_empty());
    let input = Input { name: "x".into(), kind, dtype };
    let bound = bind(&input, &table.columns[0], &["-999".into(), "true".into()])?;
    let column = bound.column().unwrap();
    assert_eq!(column.dtype(), input.graph_dtype());
    let cell = |row: usize| match column.data() {
        _ if !column.is_valid(row) => "-".into(),
        ColumnData::I64(v) => v[row].to_string(),
        ColumnData::F64(v) => format!("{:?}", v[row]),
        _ => column.text(row).unwrap().into(),
    };
    Ok((0..column.n_rows()).map(cell).collect())
}

#[test]
fn cells_of_every_kind() {
    use Cell::{Missing, Number, Text, Time, Truth};
    use ColumnKind as Kind;
    let nan = f64::NAN;
    let cases: &[(ColumnKind, DType, &[Cell<'_>], &[&str])] = &[
        (
            Kind::Number,
            DType::I64,
            &[Number(1.2), Text(" -1.2 "), Missing, Number(nan)],
            &["2", "-1", "-", "-"],
        ),
        (
            Kind::Number,
            DType::I64,
            &[Text("NA"), Text("-999"), Number(-999.0), Text("-999.0")],
            &["-", "-", "-", "-999"],
        ),
        (Kind::Number, DType::I64, &[Text("9007199254740993"), Truth(false)], &["9007199254740993", "0"]),
        (
            Kind::Number,
            DType::F64,
            &[Text("1e3"), Number(-0.5), Truth(false), Truth(true)],
            &["1000.0", "-0.5", "0.0", "-"],
        ),
        (
            Kind::Category,
            DType::Str,
            &[Text(" a b "), Text("1.0"), Number(2.0), Truth(false)],
            &["a b", "1.0", "2", "false"],
        ),
        (
            Kind::Category,
            DType::Str,
            &[Text("?"), Text(""), Number(1e21)],
            &["-", "-", "1000000000000000000000"],
        ),
        (
            Kind::Category,
            DType::I64,
            &[Text("007"), Text("7.0"), Number(7.0), Text("x")],
            &["7", "7", "7", "x"],
        ),
        (Kind::Category, DType::F64, &[Text("2.50"), Truth(false)], &["2.5", "0"]),
        (Kind::Text, DType::Str, &[Text("one  two "), Number(0.1)], &["one  two", "0.1"]),
        (Kind::Time, DType::Str, &[Text(" 2024-01-02"), Missing], &["2024-01-02", "-"]),
        (Kind::Time, DType::I64, &[Time(1.0), Time(-1.0), Time(nan), Missing], &["1000", "-1000", "-", "-"]),
    ];
    for (kind, dtype, cells, expected) in cases {
        assert_eq!(bound(*kind, *dtype, cells).unwrap(), *expected, "{kind} {dtype} {cells:?}");
    }
}

#[test]
fn what_a_column_does_not_take() {
    use Cell::{Missing, Number, Text, Time};
    use ColumnKind as Kind;
    for (kind, dtype, cell, says) in [
        (
            Kind::Number,
            DType::F64,
            Text(" 12 kg "),
            "column \"x\" (3): expected a number, got \"12 kg\" at row 12",
        ),
        (Kind::Number, DType::I64, Time(0.0), "expected a number, got a Date at row 12"),
        (
            Kind::Time,
            DType::I64,
            Text("2024-01-02"),
            "expected a point in time, got \"2024-01-02\" at row 12; hand over a Date",
        ),
        (Kind::Time, DType::I64, Number(1.0), "expected a point in time, got 1 at row 12"),
        (Kind::Time, DType::Str, Time(1.0), "expected a point in time as text, got a Date at row 12"),
        (Kind::Category, DType::Str, Text("a\0"), "expected text, got a zero byte at row 12"),
    ] {
        let error = bound(kind, dtype, &[Missing, cell]).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
    let long = "é".repeat(50);
    let error = bound(Kind::Number, DType::F64, &[Text(&long)]).unwrap_err();
    assert!(error.contains(&format!("\"{}..\"", "é".repeat(40))), "{error}");
}

/// Any piece of a table is an error in words, and so are ends of text that are none.
#[test]
fn bytes_that_are_no_table() {
    let bytes = handed_over(&[Cell::Text("é"), Cell::Number(1.0)]);
    for n in 0..bytes.len() {
        assert!(Table::read(&mut &bytes[..n]).is_err(), "{n} bytes");
    }
    let mut cut = bytes.clone();
    let ends = bytes.len() - 2 - 8;
    cut[ends] = 1;
    let mut rest = &cut[..];
    assert_eq!(
        Table::read(&mut rest).unwrap().columns[0].iter().next(),
        Some(Cell::Missing),
        "half a character"
    );
    let most = [u32::MAX; 6].iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    assert!(Table::read(&mut &most[..]).is_err());
}
