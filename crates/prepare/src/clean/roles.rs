//! Columns that look as if rows belonged together, or came one after the other.

use super::identifiers::named_like_identifier;
use crate::statistics::counts;
use ir::{Column, ColumnData};
use std::collections::BTreeMap;

/// Rows below which no folds of groups can be made.
const FEWEST_ROWS: usize = 50;
/// Groups from which on folds of groups say something.
const FEWEST_GROUPS: usize = 8;
/// Rows of a group, at least, on average.
const ROWS_OF_GROUP: f64 = 1.5;
/// Share of the rows that have a moment of their own, from which on a column of times orders them.
const OWN_MOMENT: f64 = 0.5;
/// Words in the name of a column whose values own several rows.
const OWNERS: [&str; 14] = [
    "customer",
    "client",
    "patient",
    "subject",
    "person",
    "user",
    "session",
    "household",
    "store",
    "machine",
    "device",
    "group",
    "family",
    "company",
];

/// Why rows with the same value of a column may belong together, or `None`: it is called like an identifier or an owner,
/// and its values, at least eight of them, have several rows each.
pub fn maybe_group(name: &str, chunks: &[Column<'_>]) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let is_owner = lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| OWNERS.contains(&word));
    if !is_owner && !named_like_identifier(name) {
        return None;
    }
    let (n_rows, n_groups) = rows_and_values(chunks)?;
    let is_group = n_rows >= FEWEST_ROWS
        && n_groups >= FEWEST_GROUPS
        && n_rows as f64 >= ROWS_OF_GROUP * n_groups as f64;
    is_group.then(|| format!("{n_groups} values for {n_rows} rows"))
}

/// Why a column of times may order the rows, or `None`: half of the rows or more have a moment of their own.
pub fn maybe_order(chunks: &[Column<'_>]) -> Option<String> {
    let (n_rows, n_moments) = rows_and_values(chunks)?;
    let is_order = n_rows >= FEWEST_ROWS && n_moments as f64 >= OWN_MOMENT * n_rows as f64;
    is_order.then(|| format!("{n_moments} moments in {n_rows} rows"))
}

/// Cells that are there, and how many values they have; none for doubles.
fn rows_and_values(chunks: &[Column<'_>]) -> Option<(usize, usize)> {
    fn of<K: Ord>(counts: BTreeMap<K, u64>) -> (usize, usize) {
        (counts.values().sum::<u64>() as usize, counts.len())
    }
    let cells = || chunks.iter().flat_map(|c| (0..c.n_rows()).map(move |row| (c, row)));
    match chunks.first()?.data() {
        ColumnData::Str { .. } => Some(of(counts(cells().map(|(c, row)| c.text(row))))),
        ColumnData::I64(_) => Some(of(counts(cells().map(|(c, row)| match c.data() {
            ColumnData::I64(v) if c.is_valid(row) => Some(v[row]),
            _ => None,
        })))),
        _ => None,
    }
}
