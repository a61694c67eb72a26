//! `binary`: one size with both signs.

use super::data::sizes_above;
use super::format::IntegerFormat;
use super::levels::Levels;
use super::table::Table;
use super::{Grid, GridEntry, Part};
use crate::error::Error;
use crate::statistics::Piece;
use params::Params;

/// The line of the table.
pub(super) static ENTRY: GridEntry = GridEntry {
    name: "binary",
    aliases: &["bwn"],
    doc: "one size with both signs",
    bits: &[1],
    spec: &[],
    grid: &Binary,
};

struct Binary;

impl Grid for Binary {
    /// `a sign(w)` with `a = E |w|`, of least squared error among all `a`; 0 has the sign +. The range of an observer
    /// is not asked.
    /// # Source  Rastegari et al., XNOR-Net, ECCV 2016, section 3.1 (binary weight networks).
    fn levels(&self, parts: &[Part<'_>], _: &IntegerFormat, _: &Params) -> Result<Vec<Levels>, Error> {
        parts.iter().map(|part| binary(&part.data.pieces()).map(Levels::Table)).collect()
    }
}

fn binary(pieces: &[Piece]) -> Result<Table, Error> {
    let n: u64 = pieces.iter().map(|p| p.count).sum();
    let size = sizes_above(pieces, -1.0).1 / n.max(1) as f64;
    // Weights of nothing become the smallest there is.
    let scale = (size as f32).clamp(f32::MIN_POSITIVE, f32::MAX);
    Table::try_new(scale, vec![-1, 1], vec![0.0])
}

#[cfg(test)]
mod tests {
    use super::super::laws::levels;
    use super::*;
    use crate::grid::Data;
    use crate::observe::Range;
    use crate::rounding::Rounding;

    #[test]
    fn hand_computed() {
        let weights = [0.5, -1.5, 0.0, -0.0, 2.0];
        let range = Range::try_new(0.0, 0.0).unwrap();
        let format = IntegerFormat::weights(1).unwrap();
        let levels = levels("binary", &Data::Values(&weights), range, &format).unwrap();
        assert_eq!(levels.scale(), 0.8);
        assert_eq!(levels.codes(&weights, &Rounding::HALF_EVEN), [1, 0, 1, 1, 1]);
    }
}
