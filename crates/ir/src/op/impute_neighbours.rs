//! `ImputeNeighbours`: missing numbers from the nearest rows that have them.

use super::{Attr, Attrs, Operand, Payload, arity, misfit, of_neighbours};
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "ImputeNeighbours";

/// Where `x[n, c]` is NaN: the average of column `c` of the `k` nearest rows of `reference` that have it;
/// other numbers stay.
///
/// Distances are between `x[n]` and a row `r` over the columns that are finite in both, in rising order from
/// 0, each operation rounded: `sum_j ((x_j - r_j) / scale_j)^2 * K / (number of these columns)`; a row without
/// such a column is no neighbour. Equal distances: the first row of `reference` is nearer. Without a neighbour
/// that has the column, `fill[c]`. With `by_distance` a neighbour at the squared distance `d` weighs
/// `sqrt(d_1 / d)`, `d_1` that of the nearest one used; with `d_1 = 0` those at 0 count alike and the others not.
/// With an infinite `d_1` all count alike. The average is `sum w v / sum w`, or, where that is no finite number,
/// `sum (w / sum w) v`.
///
/// Inputs: `f64 [N, K]`, K at least 1; constants `reference: f64 [M, K]` without NaN, in which an infinite cell
/// is missing, of 1 to [`ImputeNeighbours::MAX_ROWS`] rows and at most [`ImputeNeighbours::MAX_CELLS`] cells;
/// `scale: f64 [K]`, finite and above 0; `fill: f64 [K]`, finite. Output: `f64 [N, K]`.
/// # Source  Troyanskaya et al., Bioinformatics 17, 2001; scikit-learn's `KNNImputer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImputeNeighbours {
    /// Most neighbours of a cell, at least 1.
    pub k: u32,
    /// Whether near neighbours weigh more.
    pub by_distance: bool,
}

impl ImputeNeighbours {
    /// Most rows of the reference.
    pub const MAX_ROWS: usize = 10_000;
    /// Most cells of the reference: a hostile file must not ask for much work a row.
    pub const MAX_CELLS: usize = 1 << 22;

    pub(super) fn parse(attrs: &Attrs) -> Result<ImputeNeighbours, Error> {
        Ok(ImputeNeighbours { by_distance: attrs.by_distance(NAME)?, k: attrs.int(NAME, "k")? })
    }
}

/// The numbers of a constant of `[width]`.
fn vector<'a>(what: &str, operand: &Operand<'a>, width: usize) -> Result<&'a [f64], Error> {
    match (operand.constant.map(|c| c.data()), &operand.shape.0[..]) {
        (Some(TensorData::F64(v)), [Dim::Fixed(n)]) if *n == width => Ok(v),
        _ => Err(misfit(NAME, what, &alloc::format!("a constant f64 [{width}]"), &operand.describe())),
    }
}

impl Payload for ImputeNeighbours {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        of_neighbours(self.k, self.by_distance)
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [x, reference, scale, fill] = arity(NAME, inputs)?;
        let (DType::F64, [_, Dim::Fixed(width @ 1..)]) = (x.dtype, &x.shape.0[..]) else {
            return Err(misfit(NAME, "rows", "f64 [N, K]", &x.describe()));
        };
        if self.k == 0 {
            return Err(misfit(NAME, "k", "1 or more", &self.k));
        }
        let cells = match (reference.constant.map(|c| c.data()), &reference.shape.0[..]) {
            (Some(TensorData::F64(cells)), [Dim::Fixed(1..), Dim::Fixed(k)]) if k == width => cells,
            _ => {
                let expected = alloc::format!("a constant f64 [M, {width}]");
                return Err(misfit(NAME, "reference", &expected, &reference.describe()));
            }
        };
        // Before a look at the numbers: a hostile file may name one long constant in many nodes.
        let n_rows = cells.len() / width;
        if n_rows > Self::MAX_ROWS || cells.len() > Self::MAX_CELLS {
            let expected = alloc::format!("at most {} rows and {} cells", Self::MAX_ROWS, Self::MAX_CELLS);
            return Err(misfit(NAME, "reference", &expected, &reference.describe()));
        }
        if cells.iter().any(|v| v.is_nan()) {
            return Err(misfit(NAME, "reference", "numbers", &"NaN"));
        }
        if let Some(other) = vector("scale", scale, *width)?.iter().find(|v| !(v.is_finite() && **v > 0.0)) {
            return Err(misfit(NAME, "scale", "finite numbers above 0", other));
        }
        if let Some(other) = vector("fill", fill, *width)?.iter().find(|v| !v.is_finite()) {
            return Err(misfit(NAME, "fill", "finite numbers", other));
        }
        Ok(vec![(DType::F64, x.shape.clone())])
    }
}
