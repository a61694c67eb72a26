//! The histogram of one column, straight from the rows of a leaf.
//!
//! A split that looks at a few drawn columns needs the sums of these only, and a leaf of a few rows has
//! few codes. Only the codes that occur are kept, so the cost follows the rows and not the codes. Sums
//! are exact: a search finds the same split in them as in a histogram over all columns.

use crate::histogram::Cell;
use crate::matrix::{CodeMatrix, TILE};
use crate::packed::{BLOCK, Packed, Words, unpack};
use crate::split::drawn::DrawnSums;

/// Sums of one feature over the rows of a leaf, by rising code.
#[derive(Clone, Copy)]
pub(crate) struct FeatureCells<'a> {
    /// `[n + 1, width]`; the last ones are those of missing values.
    pub(crate) sums: &'a [Cell],
    /// The code of each but the last; without, every code has its sums.
    pub(crate) codes: Option<&'a [u8]>,
}

impl FeatureCells<'_> {
    /// The code whose sums stand at `at`.
    pub(crate) fn code(&self, at: usize) -> u8 {
        self.codes.map_or(at as u8, |codes| codes[at])
    }
}

/// Builds sums of one feature after another.
#[derive(Default)]
pub(crate) struct Direct {
    /// Packed sums of a block, `[256, width]`; zeros between calls.
    block: Vec<i64>,
    /// Exact sums, where there is more than one block, or words are wide.
    exact: Vec<Cell>,
    sums: Vec<Cell>,
    codes: Vec<u8>,
    /// Room for a search that needs no sums by code.
    pub(crate) drawn: DrawnSums,
}

impl Direct {
    /// The sums of a feature over `rows`, codes without sums left out.
    /// Cost: `O(rows)` below as many rows as codes, else `O(rows + codes)`.
    pub(crate) fn build(
        &mut self,
        codes: &CodeMatrix,
        packed: &Packed,
        feature: usize,
        rows: &[u32],
    ) -> FeatureCells<'_> {
        let width = packed.width;
        let missing = codes.features()[feature].n_codes as u8;
        let (tile, lane) = (&codes.tiles()[feature / TILE], feature % TILE);
        self.block.resize(256 * width, 0);
        self.sums.clear();
        self.codes.clear();
        let few = rows.len() <= usize::from(missing);
        let mut occurs = if few { [0; 4] } else { [u64::MAX; 4] };
        match &packed.words {
            Words::Packed(words) if rows.len() <= BLOCK => {
                add(tile, lane, (words, width), rows, &mut self.block, few.then_some(&mut occurs));
                match width {
                    1 => self.collect::<1>(occurs, missing, width),
                    _ => self.collect::<0>(occurs, missing, width),
                }
            }
            Words::Packed(words) => {
                self.exact.clear();
                self.exact.resize(256 * width, [0; 2]);
                for rows in rows.chunks(BLOCK) {
                    add(tile, lane, (words, width), rows, &mut self.block, None);
                    for (exact, sum) in self.exact.iter_mut().zip(&mut self.block) {
                        let [g, h] = unpack(*sum);
                        *exact = [exact[0] + g, exact[1] + h];
                        *sum = 0;
                    }
                }
                self.collect_exact(missing, width);
            }
            Words::Wide(words) => {
                self.exact.clear();
                self.exact.resize(256 * width, [0; 2]);
                for &row in rows {
                    let at = usize::from(tile[row as usize][lane]) * width;
                    let words = &words[row as usize * width..][..width];
                    for (sum, [g, h]) in self.exact[at..at + width].iter_mut().zip(words) {
                        *sum = [sum[0] + g, sum[1] + h];
                    }
                }
                self.collect_exact(missing, width);
            }
        }
        if self.codes.last() == Some(&missing) {
            self.codes.pop();
        } else {
            self.sums.extend(std::iter::repeat_n([0; 2], width));
        }
        FeatureCells { sums: &self.sums, codes: Some(&self.codes) }
    }

    /// Takes the exact sums that are not zero.
    fn collect_exact(&mut self, missing: u8, width: usize) {
        for code in 0..=missing {
            let at = usize::from(code) * width;
            let sums = &self.exact[at..at + width];
            if sums.iter().any(|s| *s != [0; 2]) {
                self.codes.push(code);
                self.sums.extend_from_slice(sums);
            }
        }
    }

    /// Takes the sums of a block at the codes that occur; `W` is the number of outputs, or 0.
    #[inline]
    fn collect<const W: usize>(&mut self, occurs: [u64; 4], missing: u8, width: usize) {
        let width = if W == 0 { width } else { W };
        for (first, mut word) in (0..=u8::MAX).step_by(64).zip(occurs) {
            while word != 0 {
                let code = first | word.trailing_zeros() as u8;
                word &= word - 1;
                if code > missing {
                    return;
                }
                let at = usize::from(code) * width;
                let sums = &mut self.block[at..at + width];
                if sums.iter().any(|&s| s != 0) {
                    self.codes.push(code);
                    self.sums.extend(sums.iter().map(|&s| unpack(s)));
                    sums.fill(0);
                }
            }
        }
    }
}

/// Adds the words of a block of rows by code, and notes the codes.
#[inline]
fn add(
    tile: &[[u8; TILE]],
    lane: usize,
    (words, width): (&[i64], usize),
    rows: &[u32],
    sums: &mut [i64],
    occurs: Option<&mut [u64; 4]>,
) {
    if let Some(occurs) = occurs {
        for &row in rows {
            let code = tile[row as usize][lane];
            occurs[usize::from(code >> 6)] |= 1 << (code & 63);
        }
    }
    if width == 1 {
        let Some(sums) = sums.first_chunk_mut::<256>() else { return };
        for &row in rows {
            let sum = &mut sums[usize::from(tile[row as usize][lane])];
            *sum = sum.wrapping_add(words[row as usize]);
        }
    } else {
        for &row in rows {
            let at = usize::from(tile[row as usize][lane]) * width;
            let words = &words[row as usize * width..][..width];
            for (sum, &word) in sums[at..at + width].iter_mut().zip(words) {
                *sum = sum.wrapping_add(word);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::Histogram;
    use crate::sample::Columns;
    use crate::tests::{matrix, numbers};
    use jobs::Threads;

    #[test]
    fn sums_from_rows_are_those_of_the_histogram() {
        let n = 2 * BLOCK + 99;
        let columns = [numbers(n, 1), numbers(n, 2).iter().map(|v| (v * 9.0).round()).collect()];
        let codes = matrix(&columns);
        for width in [1, 3] {
            let gradients: Vec<[f32; 2]> =
                numbers(n * width, 3).iter().map(|v| [*v as f32, v.abs() as f32]).collect();
            let threads = Threads::one();
            let both =
                [Packed::new(&gradients, width, 7, &threads), Packed::wide(&gradients, width, &threads)];
            let mut direct = Direct::default();
            for (step, packed) in [1, 3, 500].into_iter().flat_map(|s| both.iter().map(move |p| (s, p))) {
                let rows: Vec<u32> = (0..n as u32).step_by(step).collect();
                let mut histogram = Histogram::default();
                histogram.build(&codes, packed, &Columns::All, &rows, &Threads::one());
                for (f, feature) in codes.features().iter().enumerate() {
                    let cells = direct.build(&codes, packed, f, &rows);
                    let mut dense = vec![[0i64; 2]; (usize::from(feature.n_codes) + 1) * width];
                    let n_sums = cells.sums.len() / width;
                    for (at, sums) in cells.sums.chunks_exact(width).enumerate() {
                        let code = if at + 1 == n_sums { feature.n_codes } else { u16::from(cells.code(at)) };
                        dense[usize::from(code) * width..][..width].copy_from_slice(sums);
                    }
                    let start = feature.first_cell * width;
                    assert_eq!(dense[..], histogram.cells[start..start + dense.len()], "{f} {step} {width}");
                }
            }
        }
    }
}
