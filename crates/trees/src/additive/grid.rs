//! The cells of a term: one axis of bins, or two.
//!
//! A term of one feature has a bin for each code. A term of two merges codes to few bins, so that
//! its cells are well filled; its values are spread to all codes at the end. Missing is the last
//! bin of every axis and is never merged.

use crate::matrix::Feature;

/// Which bin each code of a feature falls into.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) feature: usize,
    /// By code, the last one missing: `[n_codes + 1]`.
    pub(super) bins: Vec<u8>,
    /// Bins of values; the bin after the last of them is missing.
    pub(super) n_values: usize,
    /// Bins have an order.
    pub(super) ordered: bool,
}

impl Axis {
    /// A bin for each code.
    pub(super) fn whole(feature: usize, known: &Feature) -> Axis {
        let bins = (0..=known.n_codes).map(|code| code as u8).collect();
        Axis { feature, bins, n_values: known.n_codes.into(), ordered: known.ordered }
    }

    /// At most `most` bins of values (at least 2). Numbers: neighbours are merged to bins of about equal
    /// weight. Categories: the heaviest keep bins of their own, the others share one.
    /// `weights: [n_codes + 1]` are those of the training rows.
    pub(super) fn merged(feature: usize, known: &Feature, weights: &[f64], most: usize) -> Axis {
        let n_codes = usize::from(known.n_codes);
        if n_codes <= most {
            return Axis::whole(feature, known);
        }
        let mut bins = vec![0u8; n_codes + 1];
        let mut bin = 0usize;
        if known.ordered {
            let mut left: f64 = weights[..n_codes].iter().sum();
            let mut in_bin = 0.0;
            for (to, weight) in bins.iter_mut().zip(&weights[..n_codes]) {
                *to = bin as u8;
                in_bin += weight;
                if bin + 1 < most && in_bin > 0.0 && in_bin >= left / (most - bin) as f64 {
                    left -= in_bin;
                    in_bin = 0.0;
                    bin += 1;
                }
            }
            // The last bin may have stayed without a code.
            bin = usize::from(bins[n_codes - 1]);
        } else {
            let mut heavy: Vec<usize> = (0..n_codes).collect();
            heavy.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]).then(a.cmp(&b)));
            heavy.truncate(most - 1);
            heavy.sort_unstable();
            bin = heavy.len();
            bins.fill(bin as u8);
            for (own, &code) in heavy.iter().enumerate() {
                bins[code] = own as u8;
            }
        }
        bins[n_codes] = (bin + 1) as u8;
        Axis { feature, bins, n_values: bin + 1, ordered: known.ordered }
    }

    /// Bins with missing.
    pub(super) fn n_bins(&self) -> usize {
        self.n_values + 1
    }
}

/// The axes of a term.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) first: Axis,
    pub(super) second: Option<Axis>,
}

impl Grid {
    /// Number of cells, `first.n_bins() * second.n_bins()`, row-major; at most 1024.
    pub(super) fn n_cells(&self) -> usize {
        self.first.n_bins() * self.second.as_ref().map_or(1, Axis::n_bins)
    }

    /// The cells of rows with codes `codes: [n_features, n_rows]`.
    pub(super) fn cells_into(&self, codes: &[u8], out: &mut [u16]) {
        let n_rows = out.len();
        let of = |axis: &Axis| &codes[axis.feature * n_rows..(axis.feature + 1) * n_rows];
        match &self.second {
            // A term of one feature has a bin for each code.
            None => {
                for (cell, &code) in out.iter_mut().zip(of(&self.first)) {
                    *cell = code.into();
                }
            }
            Some(second) => {
                let width = second.n_bins() as u16;
                for ((cell, &a), &b) in out.iter_mut().zip(of(&self.first)).zip(of(second)) {
                    let (a, b) = (self.first.bins[usize::from(a)], second.bins[usize::from(b)]);
                    *cell = u16::from(a) * width + u16::from(b);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_merged() {
        let known = Feature { n_codes: 100, ordered: true, first_cell: 0 };
        let mut weights = vec![1.0; 101];
        let even = Axis::merged(3, &known, &weights, 10);
        assert_eq!((even.n_values, even.n_bins(), even.bins[99], even.bins[100]), (10, 11, 9, 10));
        assert!(even.bins.is_sorted());
        weights[..90].fill(0.0);
        let uneven = Axis::merged(3, &known, &weights, 10);
        assert_eq!((uneven.n_values, uneven.bins[90], uneven.bins[91]), (10, 0, 1));
        let known = Feature { ordered: false, ..known };
        let kept = Axis::merged(3, &known, &weights, 4);
        assert_eq!(
            (kept.n_values, kept.bins[90], kept.bins[92], kept.bins[5], kept.bins[100]),
            (4, 0, 2, 3, 4)
        );
        assert_eq!(Axis::merged(3, &known, &weights, 100).bins[77], 77);
    }
}
