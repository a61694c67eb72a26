//! Row weights: checked once, 1 for every row if there are none.
//!
//! A row of weight 0 counts as absent: it adds nothing to a sum and does not make a class present.

use crate::error::{Error, Field, Kind};

/// Checked weights of `n_rows` rows and their sum, finite and above 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowWeights<'a> {
    weights: Option<&'a [f64]>,
    n_rows: usize,
    total: f64,
}

impl<'a> RowWeights<'a> {
    pub(crate) fn try_new(weights: Option<&'a [f64]>, n_rows: usize) -> Result<RowWeights<'a>, Error> {
        if n_rows == 0 {
            return Err(Error::new(Kind::NoRows));
        }
        let Some(slice) = weights else {
            return Ok(RowWeights { weights, n_rows, total: n_rows as f64 });
        };
        check_len(Field::RowWeights, slice.len(), n_rows)?;
        check_finite(Field::RowWeights, slice)?;
        if let Some((row, &got)) = slice.iter().enumerate().find(|(_, weight)| **weight < 0.0) {
            return Err(Error::new(Kind::NegativeWeight { row, got }));
        }
        let total: f64 = slice.iter().sum();
        if total > 0.0 && total.is_finite() {
            Ok(RowWeights { weights, n_rows, total })
        } else {
            Err(Error::new(Kind::WeightSum { got: total }))
        }
    }

    pub(crate) fn given(&self) -> Option<&'a [f64]> {
        self.weights
    }

    pub(crate) fn total(&self) -> f64 {
        self.total
    }

    /// Rows of positive weight and their weights, in row order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, f64)> + use<'a> {
        let weights = self.weights;
        (0..self.n_rows)
            .map(move |row| (row, weights.map_or(1.0, |weights| weights[row])))
            .filter(|&(_, weight)| weight > 0.0)
    }

    /// `sum_i w_i x_i / sum_i w_i`.
    pub(crate) fn mean(&self, x: impl Fn(usize) -> f64) -> f64 {
        self.iter().map(|(row, weight)| weight * x(row)).sum::<f64>() / self.total
    }
}

pub(crate) fn check_len(field: Field, got: usize, expected: usize) -> Result<(), Error> {
    if got == expected { Ok(()) } else { Err(Error::new(Kind::Length { field, expected, got })) }
}

pub(crate) fn check_finite(field: Field, values: &[f64]) -> Result<(), Error> {
    match values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some((row, &got)) => Err(Error::new(Kind::NotFinite { field, row, got })),
    }
}
