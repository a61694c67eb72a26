//! What `ImputeNeighbours` means; part of the reference interpreter.
//!
//! It stands apart from the other operators on doubles because it compares each row with a table.

use crate::error::Error;
use crate::numbers::doubles;
use crate::reference::Inputs;
use alloc::vec::Vec;
use ir::fixed::math;
use ir::op::ImputeNeighbours;
use ir::{Tensor, TensorData};

/// The constants of a node.
struct Known<'c> {
    reference: &'c [f64],
    scale: &'c [f64],
    fill: &'c [f64],
}

/// Value of such a node.
pub(crate) fn impute(inputs: &Inputs<'_, '_>, op: ImputeNeighbours) -> Result<Tensor, Error> {
    let (x, reference) = (doubles(inputs, 0)?, doubles(inputs, 1)?);
    let (scale, fill) = (doubles(inputs, 2)?, doubles(inputs, 3)?);
    let known = Known { reference: &reference.values, scale: &scale.values, fill: &fill.values };
    let &[_, width] = &x.dims[..] else { return Err(inputs.fail()) };
    let mut values = x.values.to_vec();
    let mut near = Vec::new();
    for row in values.chunks_exact_mut(width.max(1)) {
        if row.iter().any(|v| v.is_nan()) {
            known.complete(row, op, &mut near);
        }
    }
    inputs.finish(x.dims.into_owned(), TensorData::F64(values))
}

impl Known<'_> {
    /// Fills the missing cells of a row; `near` is room for squared distances and rows of the reference.
    fn complete(&self, row: &mut [f64], op: ImputeNeighbours, near: &mut Vec<(f64, usize)>) {
        let width = row.len();
        near.clear();
        for (at, other) in self.reference.chunks_exact(width).enumerate() {
            if let Some(distance) = self.distance(row, other) {
                near.push((distance, at));
            }
        }
        near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let missing = |c: &usize| row[*c].is_nan();
        let columns: Vec<usize> = (0..width).filter(missing).collect();
        for c in columns {
            let neighbours = near.iter().map(|&(d, at)| (d, self.reference[at * width + c]));
            let neighbours = neighbours.filter(|(_, v)| v.is_finite()).take(op.k as usize);
            row[c] = average(neighbours, op.by_distance).unwrap_or(self.fill[c]);
        }
    }

    /// The squared distance of two rows; none if no column is finite in both.
    fn distance(&self, row: &[f64], other: &[f64]) -> Option<f64> {
        let (mut sum, mut n_shared) = (0.0, 0u32);
        for ((&a, &b), &scale) in row.iter().zip(other).zip(self.scale) {
            if a.is_finite() && b.is_finite() {
                let step = (a - b) / scale;
                sum += step * step;
                n_shared += 1;
            }
        }
        (n_shared > 0).then(|| sum * row.len() as f64 / f64::from(n_shared))
    }
}

/// The average of pairs of squared distance and value, the nearest first; none of none.
fn average(neighbours: impl Iterator<Item = (f64, f64)> + Clone, by_distance: bool) -> Option<f64> {
    let (nearest, _) = neighbours.clone().next()?;
    let weight = |distance: f64| {
        if !by_distance || nearest == f64::INFINITY || distance == nearest {
            1.0
        } else if nearest == 0.0 {
            0.0
        } else {
            math::sqrt(nearest / distance)
        }
    };
    let total: f64 = neighbours.clone().map(|(d, _)| weight(d)).sum();
    let sum: f64 = neighbours.clone().map(|(d, v)| weight(d) * v).sum();
    if sum.is_finite() {
        Some(sum / total)
    } else {
        Some(neighbours.map(|(d, v)| weight(d) / total * v).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    const NAN: f64 = f64::NAN;
    /// A missing cell of the reference.
    const NONE: f64 = f64::INFINITY;

    #[test]
    fn hand_computed() {
        let reference =
            [[0.0, 0.0, 10.0], [2.0, NONE, 20.0], [4.0, 1.0, NONE], [8.0, 4.0, 40.0], [NONE, NONE, 80.0]]
                .concat();
        let known = Known { reference: &reference, scale: &[1.0, 2.0, 10.0], fill: &[-1.0, -2.0, -3.0] };
        // Squared distances of [0, 0, -]: 0, 4 * 3, (16 + 0.25) * 1.5, (64 + 4) * 1.5, none.
        let first = |column: f64| vec![0.0, 0.0, column];
        let cases: Vec<(u32, bool, [f64; 3], Vec<f64>)> = vec![
            (1, false, [0.0, 0.0, NAN], first(10.0)),
            (2, false, [0.0, 0.0, NAN], first(15.0)),
            // The third row misses the cell, the last one has no distance.
            (9, false, [0.0, 0.0, NAN], first(70.0 / 3.0)),
            // Only the row at distance 0 counts.
            (9, true, [0.0, 0.0, NAN], first(10.0)),
            // Squared 27, 3, 3 and 75: weights 1 and a third, of the values 1 and 0 and of 20 and 10.
            (2, true, [3.0, NAN, NAN], vec![3.0, 0.75, 17.5]),
            // Only the last column is shared: rows at 0, 1, 3 and 7 of a tenth; 0 is the first row.
            (2, false, [NAN, NAN, 10.0], vec![1.0, 2.0, 10.0]),
            // Infinite cells stay and count for no distance.
            (1, false, [f64::NEG_INFINITY, 4.0, NAN], vec![f64::NEG_INFINITY, 4.0, 40.0]),
            (1, false, [NAN, NAN, NAN], vec![-1.0, -2.0, -3.0]),
            (1, false, [7.0, 7.0, 7.0], vec![7.0, 7.0, 7.0]),
        ];
        for (k, by_distance, row, expected) in cases {
            let mut got = row.to_vec();
            known.complete(&mut got, ImputeNeighbours { k, by_distance }, &mut Vec::new());
            let near = got.iter().zip(&expected).all(|(g, e)| g == e || (g - e).abs() <= 1e-15 * e.abs());
            assert!(near, "{k} {by_distance} {row:?}: {got:?} for {expected:?}");
        }
    }

    #[test]
    fn far_and_huge_neighbours() {
        let max = f64::MAX;
        let known = Known { reference: &[max, max, -max, max], scale: &[1e-300, 1.0], fill: &[0.0, 0.0] };
        for by_distance in [false, true] {
            let mut row = [0.0, NAN];
            known.complete(&mut row, ImputeNeighbours { k: 2, by_distance }, &mut Vec::new());
            assert_eq!(row, [0.0, max]);
        }
    }
}
