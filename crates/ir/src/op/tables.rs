//! `Tables`: sums of looked-up integers.

use super::{Attr, Attrs, Operand, Payload, misfit, wide};
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Tables";

/// `score_k = (start_k + sum over terms of values[place of the row's codes, k]) * 2^shift` in i32: models that
/// add a table a column, or a table for a pair of columns.
///
/// A term hangs on column `a`, or on `a` and `b`. A column of size `n` has the places `0..=n`; a code that is
/// not below `n` counts as missing and has the place `n`. The rows of `values` are, term after term in the
/// order of `terms`, the places of `a`, or of `a` and within them those of `b`; the last row is the start.
///
/// Inputs: `C >= 1` columns of codes `u8 [N]`, then constants `sizes: i64 [C]` (each `0..=255`), `terms: i64
/// [T, 2]` (`a`, and `b` or -1) and `values: i32 [L, K]`, K at least 1. Output: `i32 [N, K]`. That no sum
/// reaches 2^31 is proven from `values`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tables {
    /// Fraction bits that scores have more than values, at most 30.
    pub shift: u8,
}

/// A term: columns, places of the second one (1 without it), and where its rows begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableTerm {
    /// The first column.
    pub a: usize,
    /// The second one.
    pub b: Option<usize>,
    /// Places of the first column.
    pub n_a: usize,
    /// Places of the second column; 1 without one.
    pub n_b: usize,
    /// First row in `values`.
    pub first: usize,
}

impl TableTerm {
    /// The row of `values` for a row's codes.
    #[inline]
    pub fn place(&self, code: impl Fn(usize) -> u8) -> usize {
        let a = usize::from(code(self.a)).min(self.n_a - 1);
        let b = self.b.map_or(0, |b| usize::from(code(b)).min(self.n_b - 1));
        self.first + a * self.n_b + b
    }
}

impl Tables {
    /// Largest number of terms.
    pub const MAX_TERMS: usize = 1 << 16;

    pub(super) fn parse(attrs: &Attrs) -> Result<Tables, Error> {
        Ok(Tables { shift: attrs.int(NAME, "shift")? })
    }

    /// The scores of a row: `terms` and `values [L, K]` are those of the node, `code` gives the row's codes. O(terms
    /// K).
    #[inline]
    pub fn scores_into(
        self,
        terms: &[TableTerm],
        values: &[i32],
        code: impl Fn(usize) -> u8,
        out: &mut [i32],
    ) {
        out.copy_from_slice(&values[values.len() - out.len()..]);
        for term in terms {
            let first = term.place(&code) * out.len();
            out.iter_mut().zip(&values[first..]).for_each(|(sum, value)| *sum += value);
        }
        out.iter_mut().for_each(|sum| *sum <<= self.shift);
    }

    /// The terms of these constants, and the number of rows that `values` must have; `None` where a column is
    /// named that there is not, or where there would be more rows than can be counted.
    pub fn terms(sizes: &[i64], terms: &[i64]) -> Option<(Vec<TableTerm>, usize)> {
        let places = |column: i64| {
            let column = usize::try_from(column).ok()?;
            let size = usize::try_from(*sizes.get(column)?).ok().filter(|&n| n <= 255)?;
            Some((column, size + 1))
        };
        let mut all = Vec::with_capacity(terms.len() / 2);
        let mut first = 0usize;
        for pair in terms.chunks_exact(2) {
            let (a, n_a) = places(pair[0])?;
            let (b, n_b) = match pair[1] {
                -1 => (None, 1),
                b => places(b).map(|(b, n)| (Some(b), n))?,
            };
            all.push(TableTerm { a, b, n_a, n_b, first });
            first = first.checked_add(n_a * n_b)?;
        }
        Some((all, first.checked_add(1)?))
    }
}

impl Payload for Tables {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("shift", Attr::Int(self.shift.into()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [codes @ .., sizes, terms, values] = inputs else {
            return Err(misfit(NAME, "inputs", "4 or more", &inputs.len()));
        };
        if self.shift > 30 {
            return Err(misfit(NAME, "shift", "0..=30", &self.shift));
        }
        let Some(rows) = codes.first().and_then(|c| c.shape.0.first()) else {
            return Err(misfit(NAME, "inputs", "4 or more", &inputs.len()));
        };
        for code in codes {
            if code.dtype != DType::U8 || code.shape != codes[0].shape || code.shape.rank() != 1 {
                return Err(misfit(NAME, "codes", "u8 [N]", &code.describe()));
            }
        }
        let n_columns = codes.len();
        let known = match (sizes.constant.map(|c| c.data()), &sizes.shape.0[..]) {
            (Some(TensorData::I64(v)), [Dim::Fixed(n)]) if *n == n_columns => v,
            _ => {
                let expected = alloc::format!("a constant i64 [{n_columns}]");
                return Err(misfit(NAME, "sizes", &expected, &sizes.describe()));
            }
        };
        if let Some(other) = known.iter().find(|n| !(0..=255).contains(*n)) {
            return Err(misfit(NAME, "sizes", "0..=255", other));
        }
        let named = match (terms.constant.map(|c| c.data()), &terms.shape.0[..]) {
            (Some(TensorData::I64(v)), [Dim::Fixed(t), Dim::Fixed(2)]) if *t <= Self::MAX_TERMS => v,
            _ => {
                let expected = alloc::format!("a constant i64 [T, 2], T at most {}", Self::MAX_TERMS);
                return Err(misfit(NAME, "terms", &expected, &terms.describe()));
            }
        };
        let Some((parsed, n_values)) = Self::terms(known, named) else {
            let fits = |at: i64| (0..n_columns as i64).contains(&at);
            let other = named.chunks_exact(2).find(|t| !(fits(t[0]) && (t[1] == -1 || fits(t[1]))));
            let got =
                other.map_or("too many places".to_string(), |t| alloc::format!("{} and {}", t[0], t[1]));
            let expected = alloc::format!("columns below {n_columns}, or -1 as the second");
            return Err(misfit(NAME, "terms", &expected, &got));
        };
        let (cells, width) = match (values.constant.map(|c| c.data()), &values.shape.0[..]) {
            (Some(TensorData::I32(v)), [Dim::Fixed(n), Dim::Fixed(k @ 1..)]) if *n == n_values => (v, *k),
            _ => {
                let expected = alloc::format!("a constant i32 [{n_values}, K], K at least 1");
                return Err(misfit(NAME, "values", &expected, &values.describe()));
            }
        };
        let shape = wide(NAME, rows, width)?;
        for k in 0..width {
            let size = |row: usize| u64::from(cells[row * width + k].unsigned_abs());
            let largest =
                |t: &TableTerm| (t.first..t.first + t.n_a * t.n_b).map(size).max().unwrap_or_default();
            let most = parsed.iter().map(largest).sum::<u64>() + size(n_values - 1);
            if most > (i32::MAX.unsigned_abs() >> self.shift).into() {
                let expected = alloc::format!("sums below 2^{}", 31 - self.shift);
                return Err(misfit(NAME, "values", &expected, &most.to_string()));
            }
        }
        Ok(vec![(DType::I32, shape)])
    }
}
