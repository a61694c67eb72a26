//! Sums of looked-up integers, term by term over a block of rows.

use crate::cost::{Counts, Operation, Rows};
use alloc::vec::Vec;
use ir::op::{TableTerm, Tables};

/// A `Tables` node; its columns are places in the codes of a block.
#[derive(Clone, Debug)]
pub(crate) struct LookUp {
    terms: Vec<TableTerm>,
    /// `[rows, width]`, the last row is the start.
    values: Vec<i32>,
    width: usize,
    shift: u8,
}

impl LookUp {
    /// From the constants of a node; `places` are its columns'. `None` where they do not fit.
    pub(crate) fn new(
        op: Tables,
        sizes: &[i64],
        terms: &[i64],
        values: &[i32],
        places: &[usize],
    ) -> Option<LookUp> {
        let (mut terms, n_values) = Tables::terms(sizes, terms)?;
        for term in &mut terms {
            term.a = *places.get(term.a)?;
            term.b = match term.b {
                Some(b) => Some(*places.get(b)?),
                None => None,
            };
        }
        let width = values.len().checked_div(n_values).filter(|w| w * n_values == values.len())?;
        Some(LookUp { terms, values: values.to_vec(), width, shift: op.shift })
    }

    pub(crate) fn count(&self, rows: Rows, counts: &mut Counts) {
        if rows == Rows::Single {
            counts.add(Operation::CallTerm, self.terms.len());
        }
        let n_pairs = self.terms.iter().filter(|term| term.b.is_some()).count();
        counts.add(Operation::TableTerm, self.terms.len() - n_pairs);
        counts.add(Operation::TablePair, n_pairs);
        counts.add(Operation::TableValue, self.terms.len() * self.width.saturating_sub(1));
    }

    /// Scores `[n_rows, width]` of the first rows of a block: `codes` is `[n_columns, stride]`.
    pub(crate) fn scores_into(&self, codes: &[u8], stride: usize, scores: &mut [i32]) {
        let (values, start) = self.values.split_at(self.values.len() - self.width);
        for row in scores.chunks_exact_mut(self.width) {
            row.copy_from_slice(start);
        }
        let n = scores.len() / self.width;
        let column = |at: usize| &codes[at * stride..][..n];
        for term in &self.terms {
            let n_cells = term.n_a * term.n_b * self.width;
            let cells = &values[term.first * self.width..][..n_cells];
            let place = |code: u8, n: usize| usize::from(code).min(n - 1);
            let of_a = column(term.a);
            match term.b {
                None => self.add(cells, of_a.iter().map(|&a| place(a, term.n_a)), scores),
                Some(b) => {
                    let codes = of_a.iter().zip(column(b));
                    let places = codes.map(|(&a, &b)| place(a, term.n_a) * term.n_b + place(b, term.n_b));
                    self.add(cells, places, scores);
                }
            }
        }
        if self.shift > 0 {
            scores.iter_mut().for_each(|s| *s <<= self.shift);
        }
    }

    #[inline]
    fn add(&self, cells: &[i32], places: impl Iterator<Item = usize>, scores: &mut [i32]) {
        if self.width == 1 {
            scores.iter_mut().zip(places).for_each(|(score, place)| *score += cells[place]);
            return;
        }
        for (scores, place) in scores.chunks_exact_mut(self.width).zip(places) {
            let values = &cells[place * self.width..][..self.width];
            scores.iter_mut().zip(values).for_each(|(score, value)| *score += value);
        }
    }
}
