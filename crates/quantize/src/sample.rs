//! A few rows that stand for all: as many as the network takes at a time, evenly spread.

use crate::calibrate::Rows;
use crate::error::{Error, misfit};
use ir::Tensor;

/// At most so many rows are looked at one layer after the other.
const MAX_ROWS: usize = 64;

/// Inputs of a few rows, spread over all of them, and how many they are.
///
/// # Errors
/// Rows that cannot be read, or none.
pub fn sample(rows: &dyn Rows) -> Result<(Vec<(String, Tensor)>, usize), Error> {
    let n_rows = rows.n_rows();
    let n = rows.batch().clamp(1, MAX_ROWS).min(n_rows);
    Ok((spread(rows, (0..n).map(|at| at * n_rows / n))?, n))
}

/// Inputs of some rows, one below the other.
///
/// # Errors
/// Rows that cannot be read, or none.
pub fn spread(
    rows: &dyn Rows,
    places: impl IntoIterator<Item = usize>,
) -> Result<Vec<(String, Tensor)>, Error> {
    let mut whole: Option<Vec<(String, Tensor)>> = None;
    for row in places {
        let next = rows.rows(row..row + 1)?;
        whole = Some(match whole {
            None => next,
            Some(above) => above
                .into_iter()
                .zip(next)
                .map(|((name, above), (_, below))| {
                    let got = format!("{:?} and {:?}", above.dims(), below.dims());
                    let both = above.below(below).ok_or_else(|| misfit("rows", "rows of one shape", got))?;
                    Ok((name, both))
                })
                .collect::<Result<Vec<_>, Error>>()?,
        });
    }
    whole.ok_or_else(|| misfit("calibration rows", "one or more", 0))
}
