use super::*;
use std::io::{self, Read};

/// A header in the first row and nothing else said.
const PLAIN: Layout<'static> =
    Layout { delimiter: None, encoding: Encoding::Utf8, header: Header::Given(true) };

fn rows_of(bytes: &[u8]) -> Result<Vec<Vec<String>>> {
    rows_with(bytes, &PLAIN)
}

fn rows_with(bytes: &[u8], layout: &Layout<'_>) -> Result<Vec<Vec<String>>> {
    let mut rows = Reading::open(&Source::spool("train.csv", bytes)?, layout)?;
    let mut cells = vec![rows.header().to_vec()];
    while !rows.advance(2)?.is_empty() {
        assert_eq!(rows.first_row(), cells.len() as u64);
        let n_columns = rows.header().len();
        for row in 0..rows.rows().n_rows() {
            let cell = |column| String::from_utf8(rows.rows().cell(row, column).to_vec()).unwrap();
            cells.push((0..n_columns).map(cell).collect());
        }
        assert_eq!(rows.n_rows(), cells.len() as u64 - 1);
    }
    Ok(cells)
}

#[test]
fn rows() {
    let b: &[(&[u8], &[&[&str]])] = &[
        (b"a,b\n1,2\n3,4\n", &[&["a", "b"], &["1", "2"], &["3", "4"]]),
        (b"a,b\n1,2", &[&["a", "b"], &["1", "2"]]),
        (b"a,b\r\n1,2\r\n3,4\r\n", &[&["a", "b"], &["1", "2"], &["3", "4"]]),
        (b"a,b\r1,2\r", &[&["a", "b"], &["1", "2"]]),
        (b"\xef\xbb\xbfa,b\n1,2\n", &[&["a", "b"], &["1", "2"]]),
        (b"\xef\xbb\xbf\"a\",b\n1,2\n", &[&["a", "b"], &["1", "2"]]),
        (b" a , b\t\n1,2\n", &[&["a", "b"], &["1", "2"]]),
        (b"\n \na,b\n\n1,2\n  \n\r\n3,4\n\n", &[&["a", "b"], &["1", "2"], &["3", "4"]]),
        (b"a;b\n1,5;2\n", &[&["a", "b"], &["1,5", "2"]]),
        (b"a,b\n\"x,\"\"y\"\"\nz\",2\n", &[&["a", "b"], &["x,\"y\"\nz", "2"]]),
        (b"a,b\n5\" pipe,\"\"\n", &[&["a", "b"], &["5\" pipe", ""]]),
        (b"a,b\n,\n", &[&["a", "b"], &["", ""]]),
        (b"a\n1\n\n2\n\"\"\n ", &[&["a"], &["1"], &["2"], &[""], &[" "]]),
        ("a,é\nü,日本\n".as_bytes(), &[&["a", "é"], &["ü", "日本"]]),
        (b"a,b\n", &[&["a", "b"]]),
    ];
    for (bytes, expected) in b {
        assert_eq!(&rows_of(bytes).unwrap(), expected, "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn messages() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "train.csv: expected a header and rows, got an empty file; check that it was written"),
        (b"\n \r\n", "train.csv: expected a header and rows, got an empty file; check that it was written"),
        (
            b"a,,c\n1,2,3\n",
            "train.csv: column 2 has no name; name it in the header, or write the table without its row index",
        ),
        (b"a,b,c, b\n1,2,3,4\n", "train.csv: columns 2 and 4 are both named \"b\"; rename one of them"),
        (
            b"a,b,c\n1,2,3\n\n1,\"2\n2\",3\n1,2\n",
            "train.csv: row 3 has 2 cells, the header has 3 columns (line 6, delimiter \",\"); \
             quote cells that hold the delimiter, or mend the row",
        ),
        (
            b"a\tb\r\n1\t2\t3\r\n",
            "train.csv: row 1 has 3 cells, the header has 2 columns (line 2, delimiter tab); \
             quote cells that hold the delimiter, or mend the row",
        ),
        (
            b"a,b\n1\n",
            "train.csv: row 1 has 1 cell, the header has 2 columns (line 2, delimiter \",\"); \
             quote cells that hold the delimiter, or mend the row",
        ),
        (
            b"name,town\nA,B\nC,M\xfcnchen\n",
            "train.csv: row 2, column \"town\" (2): expected UTF-8 text, got byte 0xfc (line 3); read it with --encoding latin-1, or write it as UTF-8",
        ),
        (
            b"name,gr\xf6\xdfe\nA,B\n",
            "train.csv: header, column 2: expected UTF-8 text, got byte 0xf6 (line 1); read it with --encoding latin-1, or write it as UTF-8",
        ),
        // One character cut by a delimiter is whole only if the cells are judged end to end.
        (
            b"a,b\n\xc3,\xa4\n",
            "train.csv: row 1, column \"a\" (1): expected UTF-8 text, got byte 0xc3 (line 2); \
             read it with --encoding latin-1, or write it as UTF-8",
        ),
        (
            b"a,b\n\xc3,\x81\n",
            "train.csv: row 1, column \"a\" (1): expected UTF-8 text, got byte 0xc3 (line 2); write the file as UTF-8",
        ),
        (
            b"a,b\n1,\xfc\n\0,2\n",
            "train.csv: row 1, column \"b\" (2): expected UTF-8 text, got byte 0xfc (line 2); write the file as UTF-8",
        ),
        (
            b"a,b\n1,2\n1,\0\n",
            "train.csv: row 2, column \"b\" (2): expected text, got a zero byte (line 3); \
             is this a binary file? write the table as CSV",
        ),
        (
            b"\0\x01,b\n1,2\n",
            "train.csv: header, column 1: expected text, got a zero byte (line 1); \
             is this a binary file? write the table as CSV",
        ),
        (
            b"a,b\n1,2\n3,\"4\n5,6\n7,8\n",
            "train.csv: the quote opened at line 3 is never closed; close it, or write quotes inside cells twice (\"\")",
        ),
        (
            b"a,b\n1,2\n\"3,4\n5,6\n",
            "train.csv: the quote opened at line 3 is never closed; close it, or write quotes inside cells twice (\"\")",
        ),
        (
            b"a,b\n1,2\n3,\"4",
            "train.csv: the quote opened at line 3 is never closed; close it, or write quotes inside cells twice (\"\")",
        ),
        (
            b"a,\"b\n1,2\n",
            "train.csv: the quote opened at line 1 is never closed; close it, or write quotes inside cells twice (\"\")",
        ),
    ];
    for (bytes, expected) in cases {
        let error = rows_of(bytes).unwrap_err();
        assert_eq!(error.to_string(), *expected);
        assert_eq!(error.nature(), crate::Nature::Input);
    }
}

#[test]
fn rows_without_a_header() {
    let markers = Markers::default();
    let sniffed = Layout { header: Header::Sniffed(&markers), ..PLAIN };
    let expected = vec![vec!["column_1", "column_2"], vec!["1", "x"], vec!["2", "y"]];
    for text in [&b"1,x\n2,y\n"[..], b"\xef\xbb\xbf1,x\n2,y", b"\n  \n1,x\r\n\n2,y\r\n"] {
        assert_eq!(rows_with(text, &sniffed).unwrap(), expected);
    }
    let none = Layout { header: Header::Given(false), ..PLAIN };
    assert_eq!(rows_with(b"a\n", &none).unwrap(), [["column_1"], ["a"]]);
    let message = |bytes: &[u8]| rows_with(bytes, &none).unwrap_err().to_string();
    assert_eq!(
        message(b"1,2\n3\n"),
        "train.csv: row 2 has 1 cell, the first row has 2 columns (line 2, delimiter \",\"); \
         quote cells that hold the delimiter, or mend the row"
    );
    assert_eq!(
        message(b"1,\xfc\n2,3\n"),
        "train.csv: row 1, column \"column_2\" (2): expected UTF-8 text, got byte 0xfc (line 1); \
         read it with --encoding latin-1, or write it as UTF-8"
    );
    assert_eq!(
        message(b"1,\"2\n"),
        "train.csv: the quote opened at line 1 is never closed; close it, or write quotes inside cells twice (\"\")"
    );
}

/// Long files are split by another thread: same rows, same numbers, same errors, whenever dropped.
#[test]
fn long_files_are_split_ahead() {
    let n = 200_000;
    let mut text = String::from("n,t\n");
    for row in 1..=n {
        text.push_str(&format!("{row},some text\n"));
    }
    let mut bad = text.clone().into_bytes();
    bad.extend_from_slice(b"1,2,3\n");
    for (bytes, end) in [(text.into_bytes(), None), (bad, Some("train.csv: row 200001 has 3 cells"))] {
        let source = Source::spool("train.csv", &bytes[..]).unwrap();
        for stop_after in [1, 10_000, usize::MAX] {
            let mut rows = Reading::open(&source, &PLAIN).unwrap();
            let mut n_seen = 0;
            let result = loop {
                match rows.advance(1_000) {
                    Ok(rows) if rows.is_empty() => break None,
                    Ok(_) => {}
                    Err(error) => break Some(error.to_string()),
                }
                for (at, cell) in rows.rows().column(0).enumerate() {
                    n_seen += 1;
                    assert_eq!(cell, n_seen.to_string().as_bytes());
                    assert_eq!(rows.first_row() + at as u64, n_seen as u64);
                }
                if n_seen >= stop_after {
                    break None;
                }
            };
            assert_eq!(rows.n_rows(), n_seen as u64);
            if stop_after > n {
                assert_eq!(n_seen, n);
                assert_eq!(result.is_some(), end.is_some());
                assert!(result.unwrap_or_default().starts_with(end.unwrap_or("")));
                assert!(end.is_some() || rows.advance(1).unwrap().is_empty());
            }
        }
    }
}

#[test]
fn latin1() {
    let latin1 = Layout { encoding: Encoding::Latin1, ..PLAIN };
    assert_eq!(
        rows_with(b"gr\xf6\xdfe,b\n\x80 5,\"M\xfcn;\"\n", &latin1).unwrap(),
        [["größe", "b"], ["€ 5", "Mün;"]]
    );
    assert_eq!(
        rows_with(b"\xe9\xe9,b\n\xe9,\xe9\n1\n", &latin1).unwrap_err().to_string(),
        "train.csv: row 2 has 1 cell, the header has 2 columns (line 3, delimiter \",\"); \
         quote cells that hold the delimiter, or mend the row"
    );
}

#[test]
fn a_delimiter_may_be_given() {
    let source = Source::spool("t.csv", &b"a:b,c\n1:2,3\n"[..]).unwrap();
    assert_eq!(
        Reading::open(&source, &Layout { delimiter: Some(b':'), ..PLAIN }).unwrap().header(),
        ["a", "b,c"]
    );
    for byte in [b'"', b'\n', 0xe9] {
        let error = Reading::open(&source, &Layout { delimiter: Some(byte), ..PLAIN }).err().unwrap();
        assert_eq!(
            error.to_string(),
            format!(
                "expected a delimiter that is one ASCII character other than a quote or a line end, got byte 0x{byte:02x}; \
                 use one of , ; | or tab"
            )
        );
    }
}

#[test]
fn what_never_ends_is_given_up() {
    let endless = |start: &'static [u8]| start.chain(io::repeat(b'x').take(LONGEST_BYTES as u64 + 1_000_000));
    let message = |bytes: &'static [u8]| {
        let source = Source::spool("t.csv", endless(bytes)).unwrap();
        let mut rows = Reading::open(&source, &PLAIN).unwrap();
        rows.advance(2).unwrap_err().to_string()
    };
    assert_eq!(
        message(b"a,b\n1,\"2\n"),
        "t.csv: the quote opened at line 2 is never closed; close it, or write quotes inside cells twice (\"\")"
    );
    let long = "t.csv: the row that begins at line 2 is longer than 67108864 bytes; is this a CSV file? check that its lines \
                end, or leave out the cell that is so long";
    assert_eq!(message(b"a,b\n"), long);
    // Quoted cells with line ends, each of them short.
    let cells = "\"one\ntwo\",".repeat(8 << 20);
    let source = Source::spool("t.csv", b"a,b\n".chain(cells.as_bytes())).unwrap();
    let mut rows = Reading::open(&source, &PLAIN).unwrap();
    assert_eq!(rows.advance(2).unwrap_err().to_string(), long);
}
