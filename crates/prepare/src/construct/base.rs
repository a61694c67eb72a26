//! The columns that others may be made of, for the rows looked at.

use super::cells::{Codes, Ranks, edges, even_edges, sorted_some};
use crate::transform::{FeatureKind, StepInput};

/// Bins of a number, or keys of a category with others, where it is looked at closely.
pub(super) const FINE: usize = 32;
/// Bins or keys of each of two columns that are crossed: about as many cells as [`FINE`].
const COARSE: usize = 6;

/// A column for the rows looked at.
pub(super) struct Base<'a> {
    /// Its place among the columns of the step.
    pub(super) at: usize,
    pub(super) kind: FeatureKind,
    sampled: Sampled<'a>,
    /// About [`FINE`] cells and missing.
    pub(super) fine: Codes,
    /// [`COARSE`] cells and missing.
    pub(super) coarse: Codes,
}

enum Sampled<'a> {
    Numbers(Vec<f64>),
    Keys(Ranks<'a>),
}

impl<'a> Base<'a> {
    /// A number or category column whose cells differ; no other is of use.
    pub(super) fn new(input: &StepInput<'a>, at: usize) -> Option<Base<'a>> {
        let kind = input.columns.get(at)?.kind;
        let (sampled, fine, coarse) = match kind {
            FeatureKind::Number => {
                let values = input.numbers(at);
                let sorted = sorted_some(&values, usize::MAX);
                let fine = Codes::of_numbers(&values, &edges(&sorted, FINE));
                let coarse = Codes::of_numbers(&values, &even_edges(&sorted, COARSE));
                (Sampled::Numbers(values), fine, coarse)
            }
            FeatureKind::Category => {
                let ranks = Ranks::new(&input.texts(at));
                let (fine, coarse) = (ranks.codes(FINE - 1), ranks.codes(COARSE - 1));
                (Sampled::Keys(ranks), fine, coarse)
            }
            FeatureKind::Time | FeatureKind::Text | FeatureKind::Bag => return None,
        };
        (!fine.is_constant()).then_some(Base { at, kind, sampled, fine, coarse })
    }

    /// The numbers, NaN is missing; none of a category.
    pub(super) fn numbers(&self) -> &[f64] {
        match &self.sampled {
            Sampled::Numbers(values) => values,
            Sampled::Keys(_) => &[],
        }
    }

    /// A cell for each of the most frequent keys, one for all others and one for missing; of numbers their bins.
    pub(super) fn keys(&self, most: usize) -> Codes {
        match &self.sampled {
            Sampled::Keys(ranks) => ranks.codes(most),
            Sampled::Numbers(_) => self.fine.clone(),
        }
    }

    /// What is fitted to the column, in about `n_bins` cells.
    pub(super) fn curve(&self, n_bins: usize) -> Curve {
        match &self.sampled {
            Sampled::Numbers(values) => {
                Curve::of_numbers(values, &edges(&sorted_some(values, usize::MAX), n_bins))
            }
            Sampled::Keys(ranks) => Curve::of_cells(ranks.codes(n_bins.saturating_sub(1))),
        }
    }
}

/// Cells with a line in each.
pub(super) struct Curve {
    pub(super) codes: Codes,
    /// Where each row lies within its cell, from -1 to 1; 0 where there is no place.
    pub(super) within: Vec<f64>,
}

impl Curve {
    /// Bins of numbers, with a line from the smallest to the largest of each.
    pub(super) fn of_numbers(values: &[f64], edges: &[f64]) -> Curve {
        let codes = Codes::of_numbers(values, edges);
        let mut ends = vec![(f64::INFINITY, f64::NEG_INFINITY); codes.n];
        for (cell, &x) in codes.iter().zip(values).filter(|(_, x)| x.is_finite()) {
            let (low, high) = ends[cell];
            ends[cell] = (low.min(x), high.max(x));
        }
        let place = |(cell, &x): (usize, &f64)| {
            let (low, high) = ends[cell];
            // Halves, since the whole may be no double.
            let half = high / 2.0 - low / 2.0;
            if x.is_finite() && half > 0.0 { 2.0 * ((x / 2.0 - low / 2.0) / half) - 1.0 } else { 0.0 }
        };
        let within = codes.iter().zip(values).map(place).collect();
        Curve { codes, within }
    }

    /// Cells without lines.
    pub(super) fn of_cells(codes: Codes) -> Curve {
        let within = vec![0.0; codes.n_rows()];
        Curve { codes, within }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_within_bins() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let curve = Curve::of_numbers(&[1.0, 2.0, 5.0, 7.0, 8.0, nan, -inf, inf], &[5.0]);
        assert_eq!(curve.codes.iter().collect::<Vec<_>>(), [0, 0, 0, 1, 1, 2, 0, 1]);
        assert_eq!(curve.within, [-1.0, -0.5, 1.0, -1.0, 1.0, 0.0, 0.0, 0.0]);
        let wide = Curve::of_numbers(&[f64::MAX, -f64::MAX, 0.0], &[]);
        assert_eq!(wide.within, [1.0, -1.0, 0.0]);
    }
}
