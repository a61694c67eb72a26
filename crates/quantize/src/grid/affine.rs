//! `affine`: even steps, `real = scale * (q - zero_point)`.

use super::data::Data;
use super::format::IntegerFormat;
use super::levels::{Affine, Levels};
use super::{Grid, GridEntry};
use crate::error::Error;
use crate::observe::Range;
use params::Params;

/// The line of the table.
pub(super) static ENTRY: GridEntry = GridEntry {
    name: "affine",
    doc: "even steps: scale * (q - zero_point)",
    bits: &[2, 3, 4, 5, 6, 7, 8, 16],
    spec: &[],
    grid: &AffineGrid,
};

struct AffineGrid;

impl Grid for AffineGrid {
    /// [`Affine::of_range`].
    /// # Source  Jacob et al., CVPR 2018, sections 2.1 and 3; Krishnamoorthi, arXiv 1806.08342, section 2.
    fn levels(
        &self,
        _: &Data<'_>,
        range: Range,
        format: &IntegerFormat,
        _: &Params,
    ) -> Result<Levels, Error> {
        Ok(Levels::Affine(Affine::of_range(range, format)))
    }
}
