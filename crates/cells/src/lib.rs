//! What the WebAssembly files of smidgen have in common: cells as JavaScript hands them over, columns of them, and answers.
//!
//! [`Table`] is a table as bytes, [`bind`] makes columns of its cells, as `data` does of files, [`describe`] says in JSON
//! what a model takes and gives, and [`answer`] is how bytes go in and out. On `wasm32` the crate brings the allocator.
#![no_std]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may unwrap"))]

extern crate alloc;

pub mod answer;
mod bind;
pub mod describe;
#[cfg(target_arch = "wasm32")]
mod memory;
mod table;

pub use bind::{Bound, bind};
pub use table::{Cell, Cells, Table};

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use ir::{Column, Input};

/// Binds the columns of the next table of `rest`.
///
/// # Errors
/// In words: the bytes are no table of these columns, or a cell is not what its column takes.
pub fn bind_all(
    rest: &mut &[u8],
    inputs: &[Input],
    missing: &[String],
    bound: &mut Vec<Bound>,
) -> Result<(), String> {
    let table = Table::read(rest)?;
    if table.columns.len() != inputs.len() {
        let (expected, got) = (inputs.len(), table.columns.len());
        return Err(format!(
            "table: expected {expected} columns, got {got}; hand over those of the signature"
        ));
    }
    for (input, cells) in inputs.iter().zip(&table.columns) {
        bound.push(bind(input, cells, missing)?);
    }
    Ok(())
}

/// Bound columns as a graph takes them.
///
/// # Errors
/// In words: a column has too much text.
pub fn columns(bound: &[Bound]) -> Result<Vec<Column<'_>>, String> {
    let columns: Option<_> = bound.iter().map(Bound::column).collect();
    columns.ok_or_else(|| String::from("table: a column has 2 GiB of text or more; cut the table"))
}
