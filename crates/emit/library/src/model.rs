//! Predictions and the proof of a model, row by row.

use crate::head::{Element, Head, drawn, model, run};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use cells::{bind_all, describe};
use ir::digest::Digest;
use ir::{Column, ColumnData, OutputRole};

/// Outputs for the rows of a table, as the runtime of all models gives them.
///
/// # Errors
/// In words: a cell is not what its column takes, a text has no room, or the bytes are no table of these columns.
pub fn predict(table: &[u8]) -> Result<Vec<u8>, String> {
    let model = model();
    let (inputs, missing) = (model.inputs(), model.missing());
    let (mut bound, mut rest) = (Vec::with_capacity(inputs.len()), table);
    bind_all(&mut rest, &inputs, &missing, &mut bound)?;
    let columns = cells::columns(&bound)?;
    let n_rows = columns.first().map_or(0, Column::n_rows);
    let (mut out, starts) = room(model, n_rows);
    let (mut values, mut missing) = (vec![0; columns.len()], vec![false; columns.len()]);
    for row in 0..n_rows {
        for ((column, value), missing) in columns.iter().zip(&mut values).zip(&mut missing) {
            (*value, *missing) = cell(column, row);
        }
        if !run(&values, &missing) {
            let first = table.get(4..8).and_then(|first| first.try_into().ok()).map_or(1, u32::from_le_bytes);
            return Err(format!(
                "table: row {}: more different terms of the vocabulary than there is memory for; cut the text",
                first as usize + row
            ));
        }
        for (output, start) in model.outputs().iter().zip(&starts) {
            let Some(start) = start else { continue };
            for k in 0..output.width {
                let at = row * output.width + k;
                match output.element(k) {
                    // A label counts classes, which are fewer than 2^31.
                    Element::I64(label) => put(&mut out, start + 4 * at, &(label as i32).to_le_bytes()),
                    Element::I32(score) => put(&mut out, start + 4 * at, &score.to_le_bytes()),
                    Element::F32(bits) => put(&mut out, start + 4 * at, &bits.to_le_bytes()),
                    Element::F64(value) => put(&mut out, start + 8 * at, &value.to_le_bytes()),
                }
            }
        }
    }
    Ok(out)
}

/// Room for all outputs but scores, and where each begins.
fn room(model: &Head, n_rows: usize) -> (Vec<u8>, Vec<Option<usize>>) {
    let mut length = 0_usize;
    let starts = model.outputs().iter().map(|output| {
        let size = match OutputRole::ALL[output.role as usize] {
            OutputRole::Score => return None,
            OutputRole::Probability | OutputRole::Label => 4,
            OutputRole::Value | OutputRole::Column => 8,
        };
        let start = length;
        length = (start + size * n_rows * output.width).next_multiple_of(8);
        Some(start)
    });
    let starts = starts.collect();
    (vec![0; length], starts)
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    out[at..at + bytes.len()].copy_from_slice(bytes);
}

/// A cell as routines take it, and whether it is missing: bits of a number, or the place of a text and its length.
fn cell(column: &Column<'_>, row: usize) -> (u64, bool) {
    if !column.is_valid(row) {
        return (0, true);
    }
    let bits = match column.data() {
        ColumnData::I64(numbers) => numbers[row] as u64,
        ColumnData::F64(numbers) => numbers[row].to_bits(),
        _ => column.text(row).map_or(0, |text| text.as_ptr() as usize as u64 | (text.len() as u64) << 32),
    };
    (bits, false)
}

/// Draws the rows of the self-test anew; JSON with its digest and the one that this file makes.
pub fn verify() -> String {
    let model = model();
    let Some((digest, seed, n_rows)) = model.test() else {
        return describe::checked(None, core::iter::empty());
    };
    let made = digest_of(model, seed, n_rows);
    let verdict = if made == digest { "ok" } else { "differs" };
    describe::checked(Some(digest), core::iter::once(("wasm", made, verdict)))
}

/// 0 where a text has no room.
fn digest_of(model: &Head, seed: u64, n_rows: u32) -> u64 {
    let n = model.inputs().len();
    let (mut values, mut missing) = (vec![0; n], vec![false; n]);
    let mut digest = Digest::new();
    // Output by output: rows are drawn again, so that none need be kept.
    for output in model.outputs() {
        let mut states: Vec<u64> = (0..n as u64).map(|at| seed.wrapping_add(at)).collect();
        for _ in 0..n_rows {
            drawn(&mut values, &mut missing, &mut states);
            if !run(&values, &missing) {
                return 0;
            }
            for k in 0..output.width {
                let word = match output.element(k) {
                    Element::I32(x) => i64::from(x) as u64,
                    Element::I64(x) => x as u64,
                    Element::F32(bits) => bits.into(),
                    Element::F64(x) => x.to_bits(),
                };
                digest.word(word);
            }
        }
    }
    digest.finish()
}
