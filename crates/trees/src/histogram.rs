//! Histograms of integer gradients.
//!
//! A cell is a pair of exact sums (`g`, `h`) over the rows of a leaf that have one code in one
//! feature. Building is one read and one addition a row and feature; the larger child of a split is
//! the parent minus the smaller, exactly.

use crate::matrix::{CodeMatrix, TILE};
use crate::packed::{BLOCK, Packed, Words, unpack};
use crate::sample::Columns;
use jobs::Threads;

/// Exact sums of `g` and `h`.
pub(crate) type Cell = [i64; 2];

/// Rows times features below which one thread is faster than several.
const PARALLEL_WORK: usize = 1 << 16;

/// Sums by feature, code and output: `[n_cells, width]`.
#[derive(Clone, Default)]
pub(crate) struct Histogram {
    pub(crate) cells: Vec<Cell>,
}

impl Histogram {
    /// Sums over `rows`; tiles without a feature of `columns` stay zero.
    pub(crate) fn build(
        &mut self,
        codes: &CodeMatrix,
        packed: &Packed,
        columns: &Columns,
        rows: &[u32],
        threads: &Threads,
    ) {
        let width = packed.width;
        self.cells.clear();
        self.cells.resize(codes.n_cells() * width, [0; 2]);
        // One slice of cells a tile, so that threads write apart.
        let mut parts: Vec<(usize, &mut [Cell])> = Vec::new();
        let mut rest = &mut self.cells[..];
        for tile in 0..codes.tiles().len() {
            let end = codes.features().get((tile + 1) * TILE).map_or(codes.n_cells(), |f| f.first_cell);
            let start = codes.features()[tile * TILE].first_cell;
            let (part, after) = rest.split_at_mut((end - start) * width);
            let wanted = match columns {
                Columns::All => true,
                Columns::Some(features) | Columns::PerSplit { from: features, .. } => {
                    features.iter().any(|f| f / TILE == tile)
                }
            };
            if wanted {
                parts.push((tile, part));
            }
            rest = after;
        }
        let fill = |tile: usize, rows: &[u32], cells: &mut [Cell]| match &packed.words {
            Words::Packed(words) if width == 1 => fill_one(codes, tile, words, rows, cells),
            Words::Packed(words) => fill_many(codes, tile, (words, width), rows, cells),
            Words::Wide(words) => fill_wide(codes, tile, (words, width), rows, cells),
        };
        if threads.n() == 1 || rows.len() * codes.n_features() * width < PARALLEL_WORK {
            return parts.into_iter().for_each(|(tile, cells)| fill(tile, rows, cells));
        }
        // Fewer tiles than threads: every tile in several parts of the rows, whose sums are added, exactly.
        let n_parts = threads.n().div_ceil(parts.len().max(1)).min(rows.len().div_ceil(BLOCK));
        if n_parts <= 1 {
            return threads.each(&mut parts, |_, (tile, cells)| fill(*tile, rows, cells));
        }
        let len = rows.len().div_ceil(n_parts);
        for (tile, cells) in parts {
            let sums = threads.map(rows.len().div_ceil(len), |i| {
                let mut sums = vec![[0i64; 2]; cells.len()];
                fill(tile, &rows[i * len..rows.len().min((i + 1) * len)], &mut sums);
                sums
            });
            sums.iter().for_each(|sums| add_cells(cells, sums));
        }
    }

    /// A child's sums are taken off those of its parent.
    pub(crate) fn subtract(&mut self, child: &Histogram) {
        for (cell, c) in self.cells.iter_mut().zip(&child.cells) {
            *cell = [cell[0] - c[0], cell[1] - c[1]];
        }
    }

    /// Sums over all rows, one an output: those of one feature; `None` without one.
    pub(crate) fn totals(&self, codes: &CodeMatrix, columns: &Columns, width: usize) -> Option<Vec<Cell>> {
        let feature = *match columns {
            Columns::All => codes.features().first(),
            Columns::Some(features) | Columns::PerSplit { from: features, .. } => {
                features.first().and_then(|&f| codes.features().get(f))
            }
        }?;
        let end = (feature.first_cell + usize::from(feature.n_codes) + 1) * width;
        let cells = self.cells.get(feature.first_cell * width..end)?;
        let mut totals = vec![[0i64; 2]; width];
        for cells in cells.chunks_exact(width) {
            add_cells(&mut totals, cells);
        }
        Some(totals)
    }
}

fn add_cells(sums: &mut [Cell], cells: &[Cell]) {
    for (sum, cell) in sums.iter_mut().zip(cells) {
        *sum = [sum[0] + cell[0], sum[1] + cell[1]];
    }
}

/// One output: packed sums of a block of rows in 256 cells a feature, then spread to the exact pairs.
fn fill_one(codes: &CodeMatrix, tile: usize, words: &[i64], rows: &[u32], cells: &mut [Cell]) {
    let first = tile * TILE;
    let features = &codes.features()[first..codes.n_features().min(first + TILE)];
    let mut sums = vec![[0i64; 256]; TILE];
    let Some(sums) = sums.first_chunk_mut::<TILE>() else { return };
    let base = features[0].first_cell;
    for block in rows.chunks(BLOCK) {
        let codes = &codes.tiles()[tile];
        match features.len() {
            1 => add::<1>(codes, words, block, sums),
            2 => add::<2>(codes, words, block, sums),
            3 => add::<3>(codes, words, block, sums),
            4 => add::<4>(codes, words, block, sums),
            5 => add::<5>(codes, words, block, sums),
            6 => add::<6>(codes, words, block, sums),
            7 => add::<7>(codes, words, block, sums),
            8 => add::<8>(codes, words, block, sums),
            9 | 10 => add::<10>(codes, words, block, sums),
            11 | 12 => add::<12>(codes, words, block, sums),
            13 | 14 => add::<14>(codes, words, block, sums),
            _ => add::<16>(codes, words, block, sums),
        }
        for (feature, sums) in features.iter().zip(sums.iter_mut()) {
            let start = feature.first_cell - base;
            let cells = &mut cells[start..start + usize::from(feature.n_codes) + 1];
            for (cell, sum) in cells.iter_mut().zip(sums.iter_mut()) {
                let [g, h] = unpack(*sum);
                *cell = [cell[0] + g, cell[1] + h];
                *sum = 0;
            }
        }
    }
}

#[inline]
fn add<const W: usize>(codes: &[[u8; TILE]], words: &[i64], rows: &[u32], sums: &mut [[i64; 256]; TILE]) {
    for &row in rows {
        let (codes, word) = (&codes[row as usize], words[row as usize]);
        for lane in 0..W {
            let cell = &mut sums[lane][usize::from(codes[lane])];
            *cell = cell.wrapping_add(word);
        }
    }
}

/// Several outputs: the packed sums of a cell stand side by side.
fn fill_many(
    codes: &CodeMatrix,
    tile: usize,
    (words, width): (&[i64], usize),
    rows: &[u32],
    cells: &mut [Cell],
) {
    let first = tile * TILE;
    let features = &codes.features()[first..codes.n_features().min(first + TILE)];
    let base = features[0].first_cell;
    let mut sums = vec![0i64; cells.len()];
    for block in rows.chunks(BLOCK) {
        for &row in block {
            let codes = &codes.tiles()[tile][row as usize];
            let words = &words[row as usize * width..][..width];
            for (feature, &code) in features.iter().zip(codes) {
                let start = (feature.first_cell - base + usize::from(code)) * width;
                for (sum, &word) in sums[start..start + width].iter_mut().zip(words) {
                    *sum = sum.wrapping_add(word);
                }
            }
        }
        for (cell, sum) in cells.iter_mut().zip(&mut sums) {
            let [g, h] = unpack(*sum);
            *cell = [cell[0] + g, cell[1] + h];
            *sum = 0;
        }
    }
}

/// Any number of outputs of wide numbers, which need no blocks.
fn fill_wide(
    codes: &CodeMatrix,
    tile: usize,
    (words, width): (&[Cell], usize),
    rows: &[u32],
    cells: &mut [Cell],
) {
    let first = tile * TILE;
    let features = &codes.features()[first..codes.n_features().min(first + TILE)];
    let base = features[0].first_cell;
    for &row in rows {
        let codes = &codes.tiles()[tile][row as usize];
        let words = &words[row as usize * width..][..width];
        for (feature, &code) in features.iter().zip(codes) {
            let start = (feature.first_cell - base + usize::from(code)) * width;
            for (cell, [g, h]) in cells[start..start + width].iter_mut().zip(words) {
                *cell = [cell[0] + g, cell[1] + h];
            }
        }
    }
}
