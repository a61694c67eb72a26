//! The wine table that scikit-learn brings along, to compare members with what scikit-learn makes of it.

use super::table::Table;
use crate::transform::TransformEntry;

/// The columns compared.
pub(crate) const NAMES: [&str; 3] = ["alcohol", "malic_acid", "proline"];

/// The rows compared.
pub(crate) const ROWS: [usize; 4] = [0, 59, 100, 177];

const TEXT: &str = include_str!("../../../../examples/data/wine.csv");

/// A column of the table, by name.
pub(crate) fn column(name: &str) -> Vec<f64> {
    let mut lines = TEXT.lines();
    let at = lines.next().unwrap().split(',').position(|n| n == name).unwrap();
    lines.map(|line| line.split(',').nth(at).unwrap().parse().unwrap()).collect()
}

/// The class of each row.
pub(crate) fn classes() -> Vec<u32> {
    TEXT.lines().skip(1).map(|line| line.rsplit('_').next().unwrap().parse().unwrap()).collect()
}

/// Alcohol, malic acid and proline.
pub(crate) fn table() -> Table {
    let columns = NAMES.map(column);
    Table::numbers(&[(NAMES[0], &columns[0]), (NAMES[1], &columns[1]), (NAMES[2], &columns[2])])
}

/// Fits a member on the table and compares [`ROWS`] of what it makes of the three columns.
pub(crate) fn check(entry: &TransformEntry, settings: &[(&str, &str)], expected: &[[f64; 3]; 4], eps: f64) {
    let table = table();
    let fitted = table.fit(entry, settings);
    assert_eq!(fitted.names, NAMES);
    let made = fitted.run(&table);
    for (at, column) in made.iter().enumerate() {
        let got = ROWS.map(|row| column[row]);
        check_column(&got, &expected.map(|row| row[at]), eps);
    }
}

/// Compares numbers, `eps` of their size apart; NaN equals NaN.
pub(crate) fn check_column(got: &[f64], expected: &[f64], eps: f64) {
    assert_eq!(got.len(), expected.len());
    for (row, (&g, &e)) in got.iter().zip(expected).enumerate() {
        let near = g == e || (g.is_nan() && e.is_nan()) || (g - e).abs() <= eps * e.abs().max(1.0);
        assert!(near, "row {row}: {g} for {e}, of {got:?}");
    }
}

/// The table with every fifth, eleventh and seventh cell of its columns missing, from row 0, 2 and 3.
pub(crate) fn with_holes() -> Table {
    let mut columns = NAMES.map(column);
    for (column, (first, step)) in columns.iter_mut().zip([(0, 5), (2, 11), (3, 7)]) {
        column.iter_mut().skip(first).step_by(step).for_each(|v| *v = f64::NAN);
    }
    Table::numbers(&[(NAMES[0], &columns[0]), (NAMES[1], &columns[1]), (NAMES[2], &columns[2])])
}
