//! Tables for the tests of this crate.

use crate::{CodeMatrix, Encoder};
use ir::digest::SplitMix64;
use ir::{Column, ColumnData};
use jobs::Threads;

/// Numbers in -1..1.
pub(crate) fn numbers(n: usize, seed: u64) -> Vec<f64> {
    let mut random = SplitMix64::new(seed);
    (0..n).map(|_| f64::from(random.below(1 << 20)) / f64::from(1 << 19) - 1.0).collect()
}

/// Codes of columns of numbers; some cells are missing.
pub(crate) fn matrix(columns: &[Vec<f64>]) -> CodeMatrix {
    let mut holes = columns.to_vec();
    holes.iter_mut().for_each(|c| c.iter_mut().step_by(17).for_each(|v| *v = f64::NAN));
    let columns: Vec<Vec<Column<'_>>> =
        holes.iter().map(|c| vec![Column::try_new(ColumnData::F64(c), None).unwrap()]).collect();
    let encoders: Vec<Encoder> = columns.iter().map(|c| Encoder::fit(c, 254)).collect();
    let n_rows = holes.first().map_or(0, Vec::len);
    CodeMatrix::new(&encoders, &columns, n_rows, &Threads::one())
}
