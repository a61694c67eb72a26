//! `ternary`: zero and one size with both signs.

use super::data::sizes_above;
use super::format::IntegerFormat;
use super::levels::Levels;
use super::table::Table;
use super::{Grid, GridEntry, Part};
use crate::error::Error;
use crate::statistics::Piece;
use params::{ParamSpec, Params, Value};

/// The line of the table.
pub(super) static ENTRY: GridEntry = GridEntry {
    name: "ternary",
    aliases: &["twn"],
    doc: "zero and one size with both signs",
    bits: &[2],
    spec: &[ParamSpec {
        name: "threshold",
        aliases: &["delta"],
        default: Value::Real(0.7),
        range: params::Range::Real { low: 0.0, high: 1.0 },
        doc: "size up to which a weight becomes 0, in mean sizes",
    }],
    grid: &Ternary,
};

struct Ternary;

impl Grid for Ternary {
    /// `a sign(w) [|w| > d]` with `d = 0.7 E |w|` and `a = E(|w| : |w| > d)`. The range of an observer is not asked.
    /// # Source  Li, Zhang & Liu, Ternary weight networks, arXiv 1605.04711, section 2.
    fn levels(&self, parts: &[Part<'_>], _: &IntegerFormat, params: &Params) -> Result<Vec<Levels>, Error> {
        let share = params.real("threshold");
        parts.iter().map(|part| ternary(&part.data.pieces(), share).map(Levels::Table)).collect()
    }
}

fn ternary(pieces: &[Piece], share: f64) -> Result<Table, Error> {
    let n: u64 = pieces.iter().map(|p| p.count).sum();
    let threshold = share * sizes_above(pieces, -1.0).1 / n.max(1) as f64;
    let (count, sum) = sizes_above(pieces, threshold);
    let scale = if count > 0.0 { ((sum / count) as f32).clamp(f32::MIN_POSITIVE, f32::MAX) } else { 1.0 };
    // The first number above the threshold.
    let border = threshold as f32;
    let border = if f64::from(border) > threshold { border } else { border.next_up() }.min(scale);
    Table::try_new(scale, vec![-1, 0, 1], vec![-border, border])
}

#[cfg(test)]
mod tests {
    use super::super::laws::levels;
    use super::*;
    use crate::grid::Data;
    use crate::observe::Range;
    use crate::rounding::Rounding;

    fn check(text: &str, weights: &[f32], expected: &[f32]) {
        let range = Range::try_new(0.0, 0.0).unwrap();
        let format = IntegerFormat::weights(2).unwrap();
        let levels = levels(text, &Data::Values(weights), range, &format).unwrap();
        let codes = levels.codes(weights, &Rounding::HALF_EVEN);
        assert_eq!(levels.values(&codes), expected, "{text}");
    }

    #[test]
    fn hand_computed() {
        // Mean size 1, threshold 0.7: the sizes 0.75, 1.25 and 2.5 are above it.
        check("ternary", &[0.75, -1.25, 2.5, 0.0, -0.5], &[1.5, -1.5, 1.5, 0.0, 0.0]);
        // The threshold 1 itself becomes 0.
        check("ternary:threshold=0.5", &[1.0, -1.0, 3.0, -3.0], &[0.0, 0.0, 3.0, -3.0]);
    }
}
