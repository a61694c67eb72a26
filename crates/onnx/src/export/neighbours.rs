//! `ImputeNeighbours`: missing numbers from the nearest rows of a reference, in the order of the model, so exact.
//!
//! Squared distances to all rows grow column by column, `[N, M]`; for each column the nearest rows that have it are found by
//! `TopK`, in which equal distances keep the order of the reference.

use super::numbers::MOST_ADDED;
use super::step::Step;
use crate::error::Error;
use crate::writer::{Attribute, wide};
use ir::DType;
use ir::op::ImputeNeighbours;

pub(super) fn impute(s: &mut Step<'_>, op: ImputeNeighbours) -> Result<String, Error> {
    let x = s.input(0)?;
    let (reference, scale, fill) = (s.doubles(1)?, s.doubles(2)?, s.doubles(3)?);
    let width = s.width(0)?;
    let n_known = reference.len() / width.max(1);
    let k = (op.k as usize).min(n_known);
    if k > MOST_ADDED {
        return Err(s.refuse(
            "an average of more than 256 neighbours",
            "use fewer neighbours, or the transform impute",
        ));
    }
    let columns: Vec<Column> = (0..width)
        .map(|at| {
            let known: Vec<f64> = reference.iter().skip(at).step_by(width).copied().collect();
            let index = s.w.ints(&[1], &[wide(at)]);
            Column { cell: s.w.gather(&x, &index, 1), known }
        })
        .collect();
    let near = Near::of(s, &columns, scale);
    let mut filled = Vec::new();
    for (column, &fill) in columns.iter().zip(fill) {
        let average = near.average(s, column, k, op.by_distance, fill);
        let is_missing = s.w.op("IsNaN", &[&column.cell]);
        filled.push(s.w.op("Where", &[&is_missing, &average, &column.cell]));
    }
    Ok(s.w.side_by_side(&filled))
}

/// A column of the rows, `[N, 1]`, and of the reference, in which an infinite cell is missing.
struct Column {
    cell: String,
    known: Vec<f64>,
}

impl Column {
    /// The reference's cells `[1, M]`, missing ones as 0, and 1 where a cell is there.
    fn constants(&self, s: &mut Step<'_>) -> (String, String) {
        let cells: Vec<f64> = self.known.iter().map(|&v| if v.is_finite() { v } else { 0.0 }).collect();
        let there: Vec<f64> = self.known.iter().map(|v| f64::from(u8::from(v.is_finite()))).collect();
        let dims = [1, cells.len()];
        (s.w.doubles(&dims, &cells), s.w.doubles(&dims, &there))
    }
}

/// All rows of the reference as seen from each row, `[N, M]`.
struct Near {
    distance: String,
    /// 1 where no column is finite in both, else 0.
    is_apart: String,
}

impl Near {
    fn of(s: &mut Step<'_>, columns: &[Column], scale: &[f64]) -> Near {
        let (zero, most) = (s.w.double(0.0), s.w.double(f64::MAX));
        let (mut sum, mut shared) = (zero.clone(), zero.clone());
        for (column, &scale) in columns.iter().zip(scale) {
            let (known, there) = column.constants(s);
            let size = s.w.op("Abs", &[&column.cell]);
            let is_finite = s.w.op("LessOrEqual", &[&size, &most]);
            let finite = s.w.cast(&is_finite, DType::F64);
            let both = s.w.op("Mul", &[&finite, &there]);
            let is_shared = s.w.op("Greater", &[&both, &zero]);
            let difference = s.w.op("Sub", &[&column.cell, &known]);
            let scale = s.w.double(scale);
            let step = s.w.op("Div", &[&difference, &scale]);
            let square = s.w.op("Mul", &[&step, &step]);
            let square = s.w.op("Where", &[&is_shared, &square, &zero]);
            sum = s.w.op("Add", &[&sum, &square]);
            shared = s.w.op("Add", &[&shared, &both]);
        }
        let width = s.w.double(columns.len() as f64);
        let product = s.w.op("Mul", &[&sum, &width]);
        let is_apart = s.w.op("Equal", &[&shared, &zero]);
        let one = s.w.double(1.0);
        let shared = s.w.op("Max", &[&shared, &one]);
        let distance = s.w.op("Div", &[&product, &shared]);
        Near { distance, is_apart: s.w.cast(&is_apart, DType::F64) }
    }

    /// `[N, 1]`: the average of a column over the `k` nearest rows that have it.
    fn average(&self, s: &mut Step<'_>, column: &Column, k: usize, by_distance: bool, fill: f64) -> String {
        let (zero, one, most) = (s.w.double(0.0), s.w.double(1.0), s.w.double(f64::MAX));
        let (known, there) = column.constants(s);
        // Rows that are no neighbours come last; their distances are beyond those of all others.
        let lacks = s.w.op("Sub", &[&one, &there]);
        let lacks = s.w.op("Add", &[&lacks, &self.is_apart]);
        let is_out = s.w.op("Greater", &[&lacks, &zero]);
        let infinity = s.w.double(f64::INFINITY);
        let key = s.w.op("Min", &[&self.distance, &most]);
        let key = s.w.op("Where", &[&is_out, &infinity, &key]);
        let n = s.w.ints(&[1], &[wide(k)]);
        let nearest_first = vec![("axis", Attribute::Int(1)), ("largest", Attribute::Int(0))];
        let (keys, rows) = s.w.pair("TopK", &[&key, &n], nearest_first);
        let is_in = s.w.op("LessOrEqual", &[&keys, &most]);
        let flat = s.w.ints(&[1], &[0]);
        let known = s.w.op("Squeeze", &[&known, &flat]);
        let values = s.w.gather(&known, &rows, 0);
        let mut weight = s.w.cast(&is_in, DType::F64);
        if by_distance {
            let distance =
                s.w.with("GatherElements", &[&self.distance, &rows], vec![("axis", Attribute::Int(1))]);
            let first = s.w.ints(&[1], &[0]);
            let nearest = s.w.gather(&distance, &first, 1);
            let ratio = s.w.op("Div", &[&nearest, &distance]);
            let root = s.w.op("Sqrt", &[&ratio]);
            let is_equal = s.w.op("Equal", &[&distance, &nearest]);
            let all_equal = s.w.op("Equal", &[&nearest, &infinity]);
            let is_one = s.w.op("Or", &[&is_equal, &all_equal]);
            let by_distance = s.w.op("Where", &[&is_one, &one, &root]);
            weight = s.w.op("Where", &[&is_in, &by_distance, &zero]);
        }
        let products = s.w.op("Mul", &[&weight, &values]);
        let total = sum(s, &weight, k);
        let weighted = sum(s, &products, k);
        let average = s.w.op("Div", &[&weighted, &total]);
        // Where the sum overflows: of shares of the values.
        let shares = s.w.op("Div", &[&weight, &total]);
        let shares = s.w.op("Mul", &[&shares, &values]);
        let of_shares = sum(s, &shares, k);
        let size = s.w.op("Abs", &[&weighted]);
        let is_finite = s.w.op("LessOrEqual", &[&size, &most]);
        let average = s.w.op("Where", &[&is_finite, &average, &of_shares]);
        let is_none = s.w.op("Equal", &[&total, &zero]);
        let fill = s.w.double(fill);
        s.w.op("Where", &[&is_none, &fill, &average])
    }
}

/// The sum of the first `k` columns in order, `[N, 1]`.
fn sum(s: &mut Step<'_>, x: &str, k: usize) -> String {
    super::numbers::added(s, x, k, |_, cell, _| cell.to_string()).unwrap_or_else(|| x.to_string())
}
