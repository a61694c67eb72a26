//! How figures look on a terminal.

use comfy_table::{CellAlignment, Table, presets};
pub(crate) use smidgen::number::{count, nanoseconds, size};

/// A table with these column heads; the first column left, the others right.
pub(crate) fn table<S: ToString>(head: &[S]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(head.iter().map(ToString::to_string).collect::<Vec<_>>());
    for i in 1..head.len() {
        if let Some(column) = table.column_mut(i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A score with four digits behind the point, or as many as a large number leaves room for.
pub(crate) fn score(value: f64) -> String {
    let size = value.abs();
    if size >= 1000.0 {
        format!("{value:.1}")
    } else if size >= 10.0 {
        format!("{value:.2}")
    } else if size >= 0.001 || size == 0.0 {
        format!("{value:.4}")
    } else {
        format!("{value:.2e}")
    }
}

/// An interval of scores.
pub(crate) fn interval([low, high]: [f64; 2]) -> String {
    format!("{} to {}", score(low), score(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms() {
        assert_eq!(score(0.93456), "0.9346");
        assert_eq!(score(1234.56), "1234.6");
        assert_eq!(score(0.00001), "1.00e-5");
        assert_eq!(interval([0.9, 0.95678]), "0.9000 to 0.9568");
    }
}
