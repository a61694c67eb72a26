//! `affine`: even steps, `real = scale * (q - zero_point)`.

use super::format::IntegerFormat;
use super::levels::{Affine, Levels};
use super::{Grid, GridEntry, Part};
use crate::error::Error;
use params::Params;

/// The line of the table.
pub(super) static ENTRY: GridEntry = GridEntry {
    name: "affine",
    aliases: &["linear", "uniform"],
    doc: "even steps: scale * (q - zero_point)",
    bits: &[2, 3, 4, 5, 6, 7, 8, 16],
    spec: &[],
    grid: &AffineGrid,
};

struct AffineGrid;

impl Grid for AffineGrid {
    /// [`Affine::of_range`].
    /// # Source  Jacob et al., CVPR 2018, sections 2.1 and 3; Krishnamoorthi, arXiv 1806.08342, section 2.
    fn levels(&self, parts: &[Part<'_>], format: &IntegerFormat, _: &Params) -> Result<Vec<Levels>, Error> {
        Ok(parts.iter().map(|part| Levels::Affine(Affine::of_range(part.range, format))).collect())
    }
}
