//! The codes of a whole table, laid out for histograms.
//!
//! Sixteen columns stand side by side in a tile, a row's sixteen codes in one 16-byte word, so that a
//! pass over rows touches each row of a tile once. Inside the matrix a missing value has the code
//! after the last one, which keeps histograms dense.

use crate::Encoder;
use ir::Column;
use ir::forest::MISSING;
use jobs::Threads;

/// Columns in a tile.
pub(crate) const TILE: usize = 16;

/// What the matrix knows of one feature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Feature {
    /// Codes are `0..n_codes`; `n_codes` itself is missing.
    pub(crate) n_codes: u16,
    /// Codes have an order.
    pub(crate) ordered: bool,
    /// First cell of the feature in a histogram; it has `n_codes + 1` cells.
    pub(crate) first_cell: usize,
}

/// Codes of all rows and features.
#[derive(Debug)]
pub struct CodeMatrix {
    n_rows: usize,
    features: Vec<Feature>,
    tiles: Vec<Vec<[u8; TILE]>>,
    n_cells: usize,
}

impl CodeMatrix {
    /// The codes of a table of `n_rows`: `columns[feature]` is that feature's column in chunks of rows; a
    /// feature without chunks is missing throughout.
    pub fn new(
        encoders: &[Encoder],
        columns: &[Vec<Column<'_>>],
        n_rows: usize,
        threads: &Threads,
    ) -> CodeMatrix {
        CodeMatrix::made(n_rows, encoders, columns, threads, |_, _| None)
    }

    /// The codes of other features of the same rows: those that are `known[feature]` here already are copied,
    /// the others are made as [`CodeMatrix::new`] does. `encoders` are those of all new features.
    pub fn with(
        &self,
        known: &[Option<usize>],
        encoders: &[Encoder],
        columns: &[Vec<Column<'_>>],
        threads: &Threads,
    ) -> CodeMatrix {
        CodeMatrix::made(self.n_rows, encoders, columns, threads, |feature, row| {
            known[feature].map(|at| self.code(at, row as u32))
        })
    }

    fn made(
        n_rows: usize,
        encoders: &[Encoder],
        columns: &[Vec<Column<'_>>],
        threads: &Threads,
        known: impl Fn(usize, usize) -> Option<u8> + Sync,
    ) -> CodeMatrix {
        let mut n_cells = 0;
        let features: Vec<Feature> = encoders
            .iter()
            .map(|e| {
                let feature = Feature { n_codes: e.n_codes(), ordered: e.ordered(), first_cell: n_cells };
                n_cells += usize::from(feature.n_codes) + 1;
                feature
            })
            .collect();
        let n_tiles = features.len().div_ceil(TILE);
        let tiles = threads.map(n_tiles, |tile| {
            let mut rows = vec![[0u8; TILE]; n_rows];
            let mut codes = Vec::new();
            for (lane, feature) in (tile * TILE..features.len().min(tile * TILE + TILE)).enumerate() {
                let missing = features[feature].n_codes as u8;
                if columns[feature].is_empty() {
                    for (row, word) in rows.iter_mut().enumerate() {
                        word[lane] = known(feature, row).unwrap_or(missing);
                    }
                    continue;
                }
                let mut first = 0;
                for chunk in &columns[feature] {
                    codes.resize(chunk.n_rows(), 0);
                    encoders[feature].encode_into(chunk, &mut codes);
                    for (row, &code) in rows[first..].iter_mut().zip(&codes) {
                        row[lane] = if code == MISSING { missing } else { code };
                    }
                    first += chunk.n_rows();
                }
            }
            rows
        });
        CodeMatrix { n_rows, features, tiles, n_cells }
    }

    /// These rows and `n_more` behind them. `codes[feature]` are their codes; what is missing there, or beyond the
    /// feature's codes, is missing. O(rows features).
    pub fn with_rows(&self, n_more: usize, codes: &[Vec<u8>]) -> CodeMatrix {
        let extend = |(tile, rows): (usize, &Vec<[u8; TILE]>)| {
            let mut all = Vec::with_capacity(rows.len() + n_more);
            all.extend_from_slice(rows);
            all.resize(rows.len() + n_more, [0u8; TILE]);
            for (lane, at) in (tile * TILE..self.features.len().min(tile * TILE + TILE)).enumerate() {
                let missing = self.features[at].n_codes as u8;
                let codes = codes.get(at).map_or(&[][..], Vec::as_slice);
                let codes = codes.iter().copied().chain(std::iter::repeat(missing));
                for (word, code) in all[rows.len()..].iter_mut().zip(codes) {
                    word[lane] = code.min(missing);
                }
            }
            all
        };
        let tiles = self.tiles.iter().enumerate().map(extend).collect();
        let n_rows = self.n_rows + n_more;
        CodeMatrix { n_rows, features: self.features.clone(), tiles, n_cells: self.n_cells }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Bytes of the codes.
    pub fn bytes(&self) -> usize {
        self.tiles.iter().map(|rows| size_of_val(&rows[..])).sum()
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        self.features.len()
    }

    /// Adds all codes to a digest.
    pub fn digest(&self, digest: &mut ir::digest::Digest) {
        for row in self.tiles.iter().flatten() {
            digest.bytes(row);
        }
    }

    pub(crate) fn features(&self) -> &[Feature] {
        &self.features
    }

    pub(crate) fn tiles(&self) -> &[Vec<[u8; TILE]>] {
        &self.tiles
    }

    /// Cells of a histogram over all features.
    pub fn n_cells(&self) -> usize {
        self.n_cells
    }

    /// [`CodeMatrix::code`] of the rows of one feature.
    pub(crate) fn of_feature(&self, feature: usize) -> impl Fn(u32) -> u8 + Sync + Send {
        let (tile, lane) = (&self.tiles[feature / TILE][..], feature % TILE);
        move |row| tile[row as usize][lane]
    }

    /// Code of a row in a feature; the number of the feature's codes when missing.
    #[inline]
    pub fn code(&self, feature: usize, row: u32) -> u8 {
        self.tiles[feature / TILE][row as usize][feature % TILE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_added_behind() {
        let encoder = Encoder::Whole(vec![1, 2]);
        let encoders: Vec<Encoder> = (0..TILE + 2).map(|_| encoder.clone()).collect();
        let none: Vec<Vec<Column<'_>>> = encoders.iter().map(|_| Vec::new()).collect();
        let first = CodeMatrix::new(&encoders, &none, 1, &Threads::one());
        // The last feature has no codes, the one before it one too large.
        let mut codes: Vec<Vec<u8>> = (0..TILE as u8).map(|f| vec![f % 3, 2]).collect();
        codes.push(vec![1, 200]);
        let both = first.with_rows(2, &codes);
        assert_eq!((both.n_rows(), both.n_features(), both.n_cells()), (3, TILE + 2, first.n_cells()));
        for feature in 0..TILE + 2 {
            assert_eq!(both.code(feature, 0), 3, "{feature}");
        }
        for feature in 0..TILE {
            assert_eq!([1, 2].map(|row| both.code(feature, row)), [feature as u8 % 3, 2], "{feature}");
        }
        assert_eq!([1, 2].map(|row| both.code(TILE, row)), [1, 3]);
        assert_eq!([1, 2].map(|row| both.code(TILE + 1, row)), [3, 3]);
        assert_eq!(CodeMatrix::new(&[], &[], 4, &Threads::one()).with_rows(3, &[]).n_rows(), 7);
    }
}
