//! Each question on tables whose answer is known.

use super::*;
use ir::{Column, ColumnData};
use jobs::Threads;
use trees::{CodeMatrix, Encoder};

fn whole(values: &[i64]) -> Column<'_> {
    Column::try_new(ColumnData::I64(values), None).unwrap()
}

fn real(values: &[f64]) -> Column<'_> {
    Column::try_new(ColumnData::F64(values), None).unwrap()
}

fn text(cells: &[&str]) -> (Vec<i32>, Vec<u8>) {
    let mut offsets = vec![0];
    let mut bytes = Vec::new();
    for cell in cells {
        bytes.extend_from_slice(cell.as_bytes());
        offsets.push(bytes.len() as i32);
    }
    (offsets, bytes)
}

#[test]
fn copies_are_found_over_chunks() {
    let (a, b) = ([1i64, 2, 1], [2i64, 1, 3]);
    let (x, y) = ([0.0, f64::NAN, -0.0], [f64::NAN, 0.5, 0.0]);
    let columns = vec![vec![whole(&a), whole(&b)], vec![real(&x), real(&y)]];
    let found = copies(&columns, 6);
    assert_eq!(found.first, [0, 1, 0, 1, 4, 5]);
    assert_eq!(found.n_copies, 2);
}

#[test]
fn identifiers() {
    let counted: Vec<i64> = (7..107).collect();
    let backwards: Vec<i64> = (0..100).rev().collect();
    let scattered: Vec<i64> = (0..100).map(|i| (i * 37) % 101).collect();
    let repeated: Vec<i64> = (0..100).map(|i| i % 50).collect();
    for (name, values, expected) in [
        ("row", &counted, true),
        ("row", &backwards, true),
        ("customer_id", &scattered, true),
        ("CustomerId", &scattered, true),
        ("width", &scattered, false),
        ("id", &repeated, false),
        ("id", &counted[..20].to_vec(), false),
    ] {
        assert_eq!(identifier(name, &[whole(values)]).is_some(), expected, "{name}");
    }
    let names: Vec<String> = (0..100).map(|i| format!("u{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (offsets, bytes) = text(&names);
    let column = Column::try_new(ColumnData::Str { offsets: &offsets, bytes: &bytes }, None).unwrap();
    assert!(identifier("who", &[column]).is_some());
}

#[test]
fn groups_and_orders() {
    let owners: Vec<i64> = (0..100).map(|i| i % 20).collect();
    let few: Vec<i64> = (0..100).map(|i| i % 4).collect();
    let own: Vec<i64> = (0..100).collect();
    for (name, values, expected) in [
        ("patient_id", &owners, true),
        ("Store", &owners, true),
        ("restored", &owners, false),
        ("age", &owners, false),
        ("patient_id", &few, false),
        ("patient_id", &own, false),
        ("patient_id", &owners[..40].to_vec(), false),
    ] {
        assert_eq!(maybe_group(name, &[whole(values)]).is_some(), expected, "{name}");
    }
    let doubles = [1.5; 100];
    assert_eq!(maybe_group("patient_id", &[real(&doubles)]), None);
    assert_eq!(maybe_order(&[whole(&own)]).unwrap(), "100 moments in 100 rows");
    assert_eq!(maybe_order(&[whole(&owners)]), None);
    let days: Vec<String> = (0..100).map(|i| format!("2024-01-{:02} 10:{:02}", 1 + i % 28, i % 60)).collect();
    let days: Vec<&str> = days.iter().map(String::as_str).collect();
    let (offsets, bytes) = text(&days);
    let column = Column::try_new(ColumnData::Str { offsets: &offsets, bytes: &bytes }, None).unwrap();
    assert!(maybe_order(&[column]).is_some() && maybe_group("client", &[column]).is_none());
}

#[test]
fn sentinel_numbers() {
    let age = |i: i64| 18.0 + (i * 7 % 60) as f64;
    let mut marked: Vec<f64> = (0..1000).map(age).collect();
    assert_eq!(sentinels(&[real(&marked)]), []);
    marked[..40].fill(-999.0);
    marked[40..50].fill(9999.0);
    let found = sentinels(&[real(&marked)]);
    assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [-999.0, 9999.0]);
    assert!(found[0].1.contains("4.0 %"), "{}", found[0].1);
    // A skewed but smooth column, and zeros beside small counts, are no markers.
    let skewed: Vec<f64> = (1..1000).map(|i| 1e6 / f64::from(i)).collect();
    assert_eq!(sentinels(&[real(&skewed)]), []);
    let counts: Vec<f64> = (0..1000).map(|i| f64::from(i % 6)).collect();
    assert_eq!(sentinels(&[real(&counts)]), []);
}

#[test]
fn spellings_differ_by_case_and_blanks() {
    let (offsets, bytes) = text(&["New York", "new-york", "NEW YORK", "Boston", "b oston"]);
    let column = Column::try_new(ColumnData::Str { offsets: &offsets, bytes: &bytes }, None).unwrap();
    assert_eq!(spellings(&[column]), [["NEW YORK", "New York", "new-york"].map(str::to_owned).to_vec()]);
}

#[test]
fn leaks() {
    let x: Vec<f64> = (0..2000).map(|i| f64::from(i * 97 % 2000)).collect();
    let noise: Vec<f64> = (0..2000).map(|i| f64::from(i * 31 % 17)).collect();
    let columns = [vec![real(&x)], vec![real(&noise)]];
    let encoders: Vec<Encoder> = columns.iter().map(|c| Encoder::fit(c, 254)).collect();
    let codes = CodeMatrix::new(&encoders, &columns, 2000, &Threads::one());
    let rows: Vec<u32> = (0..2000).collect();
    let labels: Vec<u32> = x.iter().map(|&v| u32::from(v >= 1000.0)).collect();
    let values: Vec<f64> = x.iter().map(|v| 3.0 * v).collect();
    for target in [LeakTarget::Classes(&labels, 2), LeakTarget::Values(&values)] {
        assert!(leak(&codes, 0, &rows, target).is_some());
        assert!(leak(&codes, 1, &rows, target).is_none());
        assert!(leak(&codes, 0, &rows[..50], target).is_none());
    }
}
