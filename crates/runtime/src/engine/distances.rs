//! Squared distances of rows to many known rows, tile by tile.
//!
//! A tile holds some known rows, column by column, so that the distances of a row to all of them grow side by
//! side, in loops that compilers turn into vector code; several rows of the table use a tile while it is near.
//! Where the sizes of cells allow it, differences are 16-bit integers and sums 32-bit ones; both ways are exact.

use crate::cost::{Counts, Operation};
use alloc::vec;
use alloc::vec::Vec;

/// Known rows of a tile.
pub(crate) const TILE: usize = 128;

/// Columns that are summed before a distance is stored.
const COLUMNS: usize = 4;

/// Some columns of a tile.
type Cells = [[i16; TILE]; COLUMNS];

/// Known rows in tiles.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// `[n_tiles, groups of columns]`; cells past the known rows and columns are 0.
    cells: Vec<Cells>,
    width: usize,
    n_rows: usize,
    is_narrow: bool,
}

impl Known {
    /// Of `known: [n_rows, width]`, width at least 1; cells of rows that come are at most `most` in size.
    pub(crate) fn new(known: &[i16], width: usize, most: i32) -> Known {
        let width = width.max(1);
        let n_groups = width.div_ceil(COLUMNS);
        let n_rows = known.len() / width;
        let mut cells = vec![[[0; TILE]; COLUMNS]; n_rows.div_ceil(TILE) * n_groups];
        for (row, r) in known.chunks_exact(width).enumerate() {
            for (column, &cell) in r.iter().enumerate() {
                cells[row / TILE * n_groups + column / COLUMNS][column % COLUMNS][row % TILE] = cell;
            }
        }
        let largest = known.iter().map(|c| i64::from(c.unsigned_abs())).max().unwrap_or(0);
        let away = largest + i64::from(most);
        let sum = (away * away).saturating_mul(width as i64);
        let is_narrow = away <= i16::MAX.into() && sum <= i32::MAX.into();
        Known { cells, width, n_rows, is_narrow }
    }

    pub(crate) fn count(&self, counts: &mut Counts) {
        let cells = if self.is_narrow { Operation::DistanceCell } else { Operation::WideDistanceCell };
        counts.add(cells, self.n_rows.next_multiple_of(TILE) * self.width.next_multiple_of(COLUMNS));
        counts.add(Operation::KnownRow, self.n_rows);
    }

    /// The row at place `at` of `cells: [width, stride]`, padded with zeros.
    fn padded(&self, cells: &[i16], stride: usize, at: usize) -> impl Iterator<Item = i16> {
        let columns = (0..self.width).map(move |column| cells[column * stride + at]);
        columns.chain(core::iter::repeat_n(0, self.width.next_multiple_of(COLUMNS) - self.width))
    }

    /// Hands on the distances of rows `rows` of `cells: [width, stride]` to each tile: the row's place among
    /// them, the place of the first known row, and the distances.
    pub(crate) fn each(
        &self,
        cells: &[i16],
        stride: usize,
        rows: core::ops::Range<usize>,
        mut take: impl FnMut(usize, usize, Distances<'_>),
    ) {
        let x: Vec<i16> = rows.clone().flat_map(|row| self.padded(cells, stride, row)).collect();
        let x = x.as_chunks::<COLUMNS>().0;
        let n_groups = self.width.div_ceil(COLUMNS);
        let (mut narrow, mut wide) = ([0i32; TILE], [0i64; TILE]);
        for (tile, first) in self.cells.chunks_exact(n_groups).zip((0..).step_by(TILE)) {
            let n = TILE.min(self.n_rows - first);
            for (row, x) in x.chunks_exact(n_groups).enumerate() {
                if self.is_narrow {
                    narrow_into(x, tile, &mut narrow);
                    take(row, first, Distances::Narrow(&narrow[..n]));
                } else {
                    wide_into(x, tile, &mut wide);
                    take(row, first, Distances::Wide(&wide[..n]));
                }
            }
        }
    }
}

/// Distances to the rows of a tile.
#[derive(Clone, Copy)]
pub(crate) enum Distances<'d> {
    Narrow(&'d [i32]),
    Wide(&'d [i64]),
}

/// No difference leaves 16 bits and no sum 32. A function of its own, as part of a larger one it is not
/// vectorized as well.
#[inline(never)]
fn narrow_into(x: &[[i16; COLUMNS]], tile: &[Cells], distances: &mut [i32; TILE]) {
    distances.fill(0);
    for (x, columns) in x.iter().zip(tile) {
        for (at, distance) in distances.iter_mut().enumerate() {
            let mut sum = 0;
            for (x, column) in x.iter().zip(columns) {
                let away = i32::from(x.wrapping_sub(column[at]));
                sum += away * away;
            }
            *distance += sum;
        }
    }
}

/// Groups of columns whose half squares fit 32 bits: each has four below 2^16.
const GROUPS: usize = 1 << 14;

/// Any cells: a square is below 2^32. Its halves are summed apart, because sums of 32 bits stay side by side.
#[inline(never)]
fn wide_into(x: &[[i16; COLUMNS]], tile: &[Cells], distances: &mut [i64; TILE]) {
    distances.fill(0);
    for (x, tile) in x.chunks(GROUPS).zip(tile.chunks(GROUPS)) {
        let (mut low, mut high) = ([0u32; TILE], [0u32; TILE]);
        for (x, columns) in x.iter().zip(tile) {
            for (at, (low, high)) in low.iter_mut().zip(&mut high).enumerate() {
                let (mut low_sum, mut high_sum) = (0, 0);
                for (&x, column) in x.iter().zip(columns) {
                    // The larger less the smaller one is below 2^16, so wrapping loses nothing.
                    let away = x.max(column[at]).wrapping_sub(x.min(column[at])).cast_unsigned();
                    let square = u32::from(away) * u32::from(away);
                    low_sum += square & 0xffff;
                    high_sum += square >> 16;
                }
                *low += low_sum;
                *high += high_sum;
            }
        }
        for ((distance, low), high) in distances.iter_mut().zip(low).zip(high) {
            *distance += (i64::from(high) << 16) + i64::from(low);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::digest::SplitMix64;

    /// Up to the sizes where narrow sums end, and beyond.
    #[test]
    fn distances_are_exact() {
        let mut random = SplitMix64::new(3);
        for (width, most) in [
            (1, 16_383),
            (2, 16_383),
            (3, 12_000),
            (8, 8191),
            (9, 8191),
            (5, 32_767),
            (130, 127),
            (4, 32_768),
        ] {
            for n_known in [1, 127, 128, 129, 300] {
                let mut cell = |_| match random.below(4) {
                    0 => most.min(i32::from(i16::MAX)) as i16,
                    1 => -most as i16,
                    _ => (random.below(2 * most as u32) as i32 - most) as i16,
                };
                let known: Vec<i16> = (0..n_known * width).map(&mut cell).collect();
                let n_rows = 3;
                let cells: Vec<i16> = (0..n_rows * width).map(&mut cell).collect();
                let tiles = Known::new(&known, width, most);
                let mut seen = 0;
                tiles.each(&cells, n_rows, 1..3, |row, first, distances| {
                    let all: Vec<i64> = match distances {
                        Distances::Narrow(d) => d.iter().map(|&d| d.into()).collect(),
                        Distances::Wide(d) => d.to_vec(),
                    };
                    for (at, got) in all.into_iter().enumerate() {
                        let of = |j: usize| i64::from(cells[j * n_rows + row + 1]);
                        let away = |j: usize| of(j) - i64::from(known[(first + at) * width + j]);
                        let meant: i64 = (0..width).map(|j| away(j) * away(j)).sum();
                        assert_eq!(got, meant, "{width} columns, cells up to {most}");
                        seen += 1;
                    }
                });
                assert_eq!(seen, 2 * n_known);
            }
        }
    }
}
